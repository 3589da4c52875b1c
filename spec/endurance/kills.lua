-- What is left when a process is killed at any moment, again and again: an import and a plan,
-- carried out by the command against a sandbox over HTTP, killed with SIGKILL and gone on with.
-- Nobody may be missing, there twice, or sent a second time.

local cjson = require("cjson").new()
local command = require "spec.support.command"
local core = require "usher.core"
local lines = require "spec.support.line"

local M = {}

-- Starts the command; it is killed after `seconds`, or runs to its end.
-- Returns whether it was killed, and what it printed.
local function run(arguments, environment, seconds)
  local out = os.tmpname()
  local pipe = assert(io.popen(("exec 2>/dev/null; %s >%s 2>&1 </dev/null & echo $!; wait $!; "
    .. "echo \"exit $?\""):format(command.line(arguments, environment), out)))
  local pid = pipe:read("*l")
  if seconds then
    core.sleep(seconds)
    os.execute("kill -KILL " .. pid .. " 2>/dev/null")
  end
  local status = tonumber(pipe:read("*a"):match("exit (%d+)"))
  pipe:close()
  local text = lines.read(out)
  os.remove(out)
  return status == 137, status, text
end

-- Seconds of work between two kills, on average, and those that an answer takes: slow enough that
-- there is work for all of them, fast enough that each process gets further than the one before.
local WORK, DELAY = 0.6, 0.1

-- Runs `arguments` with `kills` kills, and once to the end. Most moments are anywhere in the work,
-- some in the start of the process. Returns the last summary, and how often it was killed in fact.
local function survive(arguments, kills, start, environment)
  local killed = 0
  for _ = 1, kills do
    local seconds = math.random() < 0.15 and start * math.random()
      or start + 2 * WORK * math.random()
    local was_killed, status, text = run(arguments, environment, seconds)
    if was_killed then killed = killed + 1 else assert(status == 0, text) end
  end
  local _, status, text = run(arguments .. " --json --quiet", environment)
  assert(status == 0, text)
  return cjson.decode(text), killed
end

local function slow_down(box, provider)
  box:ask("POST", "fault", { provider = provider, delay = DELAY, times = "forever" })
end

-- Seconds that `arguments` take when nothing happens to them.
local function measure(arguments, environment)
  local started = core.monotonic()
  local _, status, text = run(arguments, environment)
  assert(status == 0, text)
  return core.monotonic() - started
end

local function once_each(requests, id_of, first, count)
  local seen = {}
  for _, entry in ipairs(requests) do
    local id = id_of(entry)
    seen[id] = (seen[id] or 0) + 1
  end
  for i = first, first + count - 1 do
    assert(seen["u" .. i] == 1, ("u%d was sent %d times"):format(i, seen["u" .. i] or 0))
    seen["u" .. i] = nil
  end
  assert(next(seen) == nil, "somebody else was sent")
end

local function verify(dsn, environment)
  local _, status, text = run("ledger verify --ledger " .. command.quoted(dsn), environment)
  assert(status == 0, text)
end

-- --- an import ----------------------------------------------------------------------------------

local CREATES = { smooch = "pre_create_app_user", qiscus = "login_or_register" }

local function users_of(state, provider)
  local ids = {}
  for _, user in ipairs(state[provider].users or state[provider].appUsers) do
    local id = user.user_id or user.appUser.userId
    assert(not ids[id], id .. " is there twice")
    ids[id] = true
  end
  return ids
end

local function import_line(path, options, dsn)
  return ("import %s --provider %s --concurrency %d --ledger %s"):format(path, options.provider,
    options.in_flight, command.quoted(dsn))
end

--- Kills an import.
-- @tparam table box of `command.sandbox`
-- @tparam function new_dsn names a fresh database
-- @tparam table options `rows`, `kills`, `in_flight`, `provider`
-- @treturn table `{ killed, summary, requests }`
function M.import(box, new_dsn, options)
  local first, trial = box.first or 1, 10
  box.first = first + trial + options.rows
  local start = measure(import_line(lines.people(trial, first), options, new_dsn()),
    box.environment)
  box:reset()
  slow_down(box, options.provider)
  local dsn = new_dsn()
  local path = lines.people(options.rows, first + trial)
  local summary, killed = survive(import_line(path, options, dsn), options.kills, start,
    box.environment)
  assert(summary.rows == options.rows and summary.failed == 0 and summary.remaining == 0)
  assert(summary.done + summary.earlier == options.rows)
  local requests = box:requests(options.provider)
  local creations = {}
  for _, entry in ipairs(requests) do
    if entry.operation == CREATES[options.provider] then creations[#creations + 1] = entry end
  end
  once_each(creations, function(entry)
    local body = cjson.decode(entry.body)
    return body.userId or body.user_id
  end, first + trial, options.rows)
  local ids = users_of(box:ask("GET", "state"), options.provider)
  for i = first + trial, first + trial + options.rows - 1 do assert(ids["u" .. i], "u" .. i) end
  verify(dsn, box.environment)
  return { killed = killed, summary = summary, requests = #requests }
end

-- --- a plan -------------------------------------------------------------------------------------

local RULES = 'return { { name = "all", when = function() return true end, action = "mute" } }'

local function apply_line(plan, room, options, dsn)
  local pace = 1.5 * options.actions / (options.kills * WORK)
  return ("apply %s --provider vchatcloud --room %s --pace %f --max-actions %d --ledger %s"):format(
    plan, room, pace, options.actions, command.quoted(dsn))
end

-- A room of so many users, and a plan to mute them all.
local function new_plan(box, room, count)
  local users = {}
  for i = 1, count do users[i] = { nick_name = "user " .. i, client_key = "u" .. i } end
  box:ask("POST", "room", { room_id = room, users = users })
  local plan, rules = lines.path(".jsonl"), lines.file(".lua", RULES)
  local _, status, text = run(("plan %s --out %s --quiet --provider vchatcloud --room %s")
    :format(rules, plan, room), box.environment)
  assert(status == 0, text)
  return plan
end

--- Kills the carrying out of a plan.
-- @tparam table box of `command.sandbox`
-- @tparam function new_dsn names a fresh database
-- @tparam table options `actions`, `kills`
-- @treturn table `{ killed, summary, requests }`
function M.apply(box, new_dsn, options)
  local start = measure(apply_line(new_plan(box, "trial", 2), "trial", options, new_dsn()),
    box.environment)
  box:reset()
  local plan, dsn = new_plan(box, "room", options.actions), new_dsn()
  slow_down(box, "vchatcloud")
  local summary, killed = survive(apply_line(plan, "room", options, dsn), options.kills, start,
    box.environment)
  assert(summary.planned == options.actions and summary.remaining == 0 and summary.failed == 0)
  assert(summary.done + summary.earlier == options.actions)
  local requests = box:requests("vchatcloud", "mute_user")
  once_each(requests, function(entry) return entry.path:match("[^/]+$") end, 1, options.actions)
  local _, status, text = run("list-muted --json --provider vchatcloud --room room",
    box.environment)
  assert(status == 0 and select(2, text:gsub("\n", "")) == options.actions, text)
  verify(dsn, box.environment)
  return { killed = killed, summary = summary, requests = #requests }
end

return M
