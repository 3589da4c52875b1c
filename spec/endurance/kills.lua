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

-- How long the next process lives: most die anywhere in their share of what is left to do, some in
-- their start, in seconds. With `progress` the kills are spread over all of the work.
local function lifetime(work, kills_left)
  if math.random() < 0.15 then return work.start * math.random() end
  local share = (work.total - work.progress()) / (kills_left + 2) * work.seconds
  return work.start + (share + work.delay) * (0.4 + 1.2 * math.random())
end

-- Runs `arguments` with so many kills, and once to the end. Returns the last summary, and how many
-- of the kills came before the end.
-- `work`: `total` calls, of which `progress()` were made, each of `seconds`; `delay` is how long an
-- answer takes; `start` are the seconds before the first call.
local function survive(arguments, kills, work, environment)
  local killed = 0
  for number = 1, kills do
    local was_killed, status, text = run(arguments, environment, lifetime(work, kills - number + 1))
    if was_killed then killed = killed + 1 else assert(status == 0, text) end
  end
  local _, status, text = run(arguments .. " --json --quiet", environment)
  assert(status == 0, text)
  return cjson.decode(text), killed
end

-- Every answer takes so many seconds.
local function slow_down(box, provider, seconds)
  box:ask("POST", "fault", { provider = provider, delay = seconds, times = "forever" })
end

-- Seconds that `arguments` take when nothing happens to them: the shorter of two times.
local function measure(arguments, environment)
  local least = math.huge
  for _ = 1, 2 do
    local started = core.monotonic()
    local _, status, text = run(arguments, environment)
    assert(status == 0, text)
    least = math.min(least, core.monotonic() - started)
  end
  return least
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

-- The call that creates somebody, and how many calls that takes.
local CREATES = { smooch = "pre_create_app_user", qiscus = "login_or_register" }
local CALLS = { smooch = 1, qiscus = 2 }

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

local function creations_of(box, provider)
  return box:requests(provider, CREATES[provider])
end

-- Seconds until the first row is sent: the start of a process, and its look at all rows.
local function measure_start(path, options, dsn, environment)
  return measure(import_line(path, options, dsn) .. " --dry-run", environment)
end

--- Kills an import.
-- @tparam table box of `command.sandbox`
-- @tparam function new_dsn names a fresh database
-- @tparam table options `rows`, `in_flight`, `provider`, `kills`, `delay` (seconds an answer takes)
-- @treturn table `{ killed, summary, requests, creations }`
function M.import(box, new_dsn, options)
  local first = box.first or 1
  box.first = first + options.rows
  box:reset()
  local path, dsn = lines.people(options.rows, first), new_dsn()
  local work = {
    start = measure_start(path, options, dsn, box.environment), total = options.rows,
    seconds = options.delay * CALLS[options.provider] / options.in_flight, delay = options.delay,
    progress = function() return #creations_of(box, options.provider) end,
  }
  slow_down(box, options.provider, options.delay)
  local summary, killed = survive(import_line(path, options, dsn), options.kills, work,
    box.environment)
  assert(summary.rows == options.rows and summary.failed == 0 and summary.remaining == 0)
  assert(summary.done + summary.earlier == options.rows)
  local creations = creations_of(box, options.provider)
  once_each(creations, function(entry)
    local body = cjson.decode(entry.body)
    return body.userId or body.user_id
  end, first, options.rows)
  local ids = users_of(box:ask("GET", "state"), options.provider)
  for i = first, first + options.rows - 1 do assert(ids["u" .. i], "u" .. i) end
  verify(dsn, box.environment)
  return { killed = killed, summary = summary, creations = #creations,
    requests = #box:requests(options.provider) }
end

-- --- a plan -------------------------------------------------------------------------------------

local RULES = 'return { { name = "all", when = function() return true end, action = "mute" } }'

local function apply_line(plan, room, options, dsn)
  return ("apply %s --provider vchatcloud --room %s --pace %d --max-actions %d --ledger %s"):format(
    plan, room, options.pace, options.actions, command.quoted(dsn))
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
-- @tparam table options `actions`, `pace` (actions a second), `kills`, `delay`
-- @treturn table `{ killed, summary, requests, lists }`
function M.apply(box, new_dsn, options)
  box:reset()
  slow_down(box, "vchatcloud", options.delay)
  local work = {
    start = measure(apply_line(new_plan(box, "trial", 2), "trial", options, new_dsn()),
      box.environment),
    total = options.actions, seconds = 1 / options.pace, delay = options.delay,
    progress = function() return #box:requests("vchatcloud", "mute_user") end,
  }
  box:reset()
  local plan, dsn = new_plan(box, "room", options.actions), new_dsn()
  slow_down(box, "vchatcloud", options.delay)
  local summary, killed = survive(apply_line(plan, "room", options, dsn), options.kills, work,
    box.environment)
  assert(summary.planned == options.actions and summary.remaining == 0 and summary.failed == 0)
  assert(summary.done + summary.earlier == options.actions)
  local requests = box:requests("vchatcloud", "mute_user")
  local lists = #box:requests("vchatcloud", "list_muted_users")
  once_each(requests, function(entry) return entry.path:match("[^/]+$") end, 1, options.actions)
  local _, status, text = run("list-muted --json --provider vchatcloud --room room",
    box.environment)
  assert(status == 0 and select(2, text:gsub("\n", "")) == options.actions, text)
  verify(dsn, box.environment)
  return { killed = killed, summary = summary, requests = #requests, lists = lists }
end

return M
