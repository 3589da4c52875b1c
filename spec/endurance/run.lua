-- What is tried for minutes: kills at random moments, two processes that lift, a long import's
-- memory, what a ledger costs. Run by spec/endurance/run; prints a line a trial.
--
--   run.lua PORT [kills] [lifting] [memory] [cost]

local command = require "spec.support.command"
local kills = require "spec.endurance.kills"
local ledgers = require "spec.support.ledgers"
local lifting = require "spec.endurance.lifting"
local lines = require "spec.support.line"
local process = require "spec.support.process"

local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local port = arg[1]
local seed = tonumber(os.getenv "SEED") or os.time()

local FLAT = 2048 -- KiB that an import may grow by between its second tenth and its last
local COST, ROUNDS, ROWS = 0.15, 15, 20000

local function say(words, ...)
  print(("%-7s %s"):format(rawget(_G, "jit") and "LuaJIT" or _VERSION, words:format(...)))
  io.stdout:flush()
end

local function kill_imports(box)
  for _, kind in ipairs(ledgers.kinds) do
    for _, provider in ipairs{ "smooch", "qiscus" } do
      local found = kills.import(box, kind.dsn, { rows = 5000, in_flight = 32, kills = 50,
        delay = 0.2, provider = provider })
      local summary = found.summary
      assert(found.killed == 50, found.killed .. " kills came before the end")
      say("import of 5000 into %s, %s: killed 50 times; each created once, %d other calls; the "
        .. "last run: %d earlier, %d done", provider, kind.name, found.requests - found.creations,
        summary.earlier, summary.done)
    end
  end
end

local function kill_plans(box)
  for _, kind in ipairs(ledgers.kinds) do
    local found = kills.apply(box, kind.dsn, { actions = 500, pace = 25, kills = 50,
      delay = 0.1 })
    local summary = found.summary
    assert(found.killed == 50, found.killed .. " kills came before the end")
    say("plan of 500 actions, %s: killed 50 times; each sent once, %d looks at who is muted; the "
      .. "last run: %d earlier, %d done", kind.name, found.lists, summary.earlier, summary.done)
  end
end

local function lift(box)
  for _, kind in ipairs(ledgers.kinds) do
    local found = lifting.run(box, kind.dsn, 1000)
    say("1000 mutes that are over, two processes, %s: %d and %d lifted, each once", kind.name,
      found.first, found.second)
  end
end

-- An import in a process of its own: the resident memory by moment, its peak, rows a second, and
-- microseconds of the processor a row.
local function import(people, dsn)
  local pipe = process.start("spec/endurance/long.lua", port, people, dsn)
  local found = { points = {} }
  for text in pipe:lines() do
    local when, resident = text:match("^rss (%w+) (%d+)$")
    if when then found.points[#found.points + 1] = { when, tonumber(resident) } end
    found.peak = tonumber(text:match("^peak (%d+)$")) or found.peak
    local rate, cpu = text:match("^rate (%S+) (%S+)$")
    if rate then found.rate, found.cpu = tonumber(rate), tonumber(cpu) end
  end
  pipe:close()
  assert(found.rate, "the import failed")
  return found
end

local function watch_memory()
  for _, kind in ipairs(ledgers.kinds) do
    local found = import(lines.people(100000), kind.dsn())
    local points, words = found.points, {}
    for i, point in ipairs(points) do words[i] = ("%s: %d"):format(point[1], point[2]) end
    say("import of 100000, %s: resident KiB after so many rows: %s; at most %d", kind.name,
      table.concat(words, ", "), found.peak)
    local grown = points[#points][2] - points[3][2]
    assert(grown <= FLAT, ("memory grew by %d KiB"):format(grown))
  end
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) / 2]
end

-- Pairs of imports with and without a ledger, in turn. A machine that is faster for a while makes
-- both of a pair faster, and one run of all: the returned ratio is the median of the pairs'.
local function compare(kind)
  local people = lines.people(ROWS)
  local rates, costs, plain, kept = {}, {}, { rate = {}, cpu = {} }, { rate = {}, cpu = {} }
  for i = 1, ROUNDS do
    local found = {}
    for turn = i, i + 1 do
      local dsn = turn % 2 == 0 and kind.dsn() or nil
      found[dsn and kept or plain] = import(people, dsn)
    end
    for of, import_found in pairs(found) do
      of.rate[i], of.cpu[i] = import_found.rate, import_found.cpu
    end
    rates[i], costs[i] = kept.rate[i] / plain.rate[i], kept.cpu[i] / plain.cpu[i]
  end
  table.sort(kept.rate)
  table.sort(plain.rate)
  table.sort(kept.cpu)
  table.sort(plain.cpu)
  local middle = median(rates)
  say("import of %d, 64 in flight, %s: at best %.0f rows a second with a ledger, %.0f without: "
    .. "throughput x %.3f, processor x %.3f; medians of %d pairs: x %.3f, x %.3f", ROWS,
    kind.name, kept.rate[ROUNDS], plain.rate[ROUNDS], kept.rate[ROUNDS] / plain.rate[ROUNDS],
    kept.cpu[1] / plain.cpu[1], ROUNDS, middle, median(costs))
  return middle
end

local function measure_cost()
  local rate
  for _, kind in ipairs(ledgers.kinds) do
    local found = compare(kind)
    rate = rate or found
  end
  assert(rate >= 1 - COST, ("a ledger on SQLite costs %.1f %%"):format(100 * (1 - rate)))
end

local parts = { kills = { kill_imports, kill_plans }, lifting = { lift }, memory = { watch_memory },
  cost = { measure_cost } }

local names = arg[2] and { select(2, unpack(arg)) } or { "kills", "lifting", "memory", "cost" }
for _, name in ipairs(names) do assert(parts[name], "no part is called " .. name) end

math.randomseed(seed)
say("SEED=%d", seed)
local box, failed = command.sandbox(7200), 0
for _, name in ipairs(names) do
  for _, part in ipairs(parts[name]) do
    local ok, problem = xpcall(part, debug.traceback, box)
    lines.close_all()
    if not ok then
      say("FAILED: %s", problem)
      failed = failed + 1
    end
  end
end
box:stop()
ledgers.stop()
os.exit(failed == 0 and 0 or 1)
