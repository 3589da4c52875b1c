--- One action: from its words to what became of it. An intent is written before
-- the call is sent and its outcome after; where the outcome is not known, the
-- provider's state is read, and nothing is sent again.
-- @module usher.moderation.act

local core = require "usher.core"
local dates = require "usher.moderation.dates"
local verbs = require "usher.moderation.verbs"

local M = {}

-- Answers after which the provider has surely not acted. A timeout, a connection that broke and a
-- 5xx leave it open.
local REFUSALS = { http = true, api = true, rate_limited = true, redirect = true }

--- An error of the desk, of the same kind as those of a call.
-- @tparam string provider
-- @tparam string verb
-- @tparam string kind
-- @tparam string message
-- @tparam[opt] table fields more of them
-- @treturn table
function M.failure(provider, verb, kind, message, fields)
  local err = {
    provider = provider, method = verb, kind = kind, message = message, retryable = false,
    request_sent = false, attempts = 0,
  }
  for name, value in pairs(fields or {}) do err[name] = value end
  return core.error(err)
end

--- The error of a verb that a provider does not have.
function M.unsupported(provider, verb, why)
  local able = verbs.who_can(verb)
  local message = why or ("%s cannot %s; %s"):format(provider, (verb:gsub("_", " ")),
    able[1] and table.concat(able, ", ") .. " can" or "nor can any other provider")
  return M.failure(provider, verb, "unsupported", message, { providers = able })
end

-- Errors that any other action would meet now, and of which this one is not the cause.
local COMMON = { network = true, tls = true, rate_limited = true, cancelled = true, ledger = true }

--- Whether an error is one that the next action would meet too.
-- @tparam table err
-- @treturn boolean
function M.is_common(err)
  return COMMON[err.kind] or err.status == 401
end

--- How long to wait, in seconds, before what failed by itself is tried again.
-- @tparam integer times that it has failed
-- @treturn number
function M.delay(times)
  return math.min(3600, 5 * 2 ^ math.max(0, times - 1))
end

local function value_of(source, action)
  if type(source) ~= "table" then return source end
  local value = action[source.from or source.list_of]
  if source.list_of then return { value } end
  return value
end

--- The arguments of a method, from the fields of an action.
-- @tparam table entry of the verb
-- @tparam table action
-- @treturn table
function M.arguments(entry, action)
  local arguments = {}
  for name, source in pairs(entry.arguments) do arguments[name] = value_of(source, action) end
  return arguments
end

-- Fields that an entry takes and the action has not.
local function missing(entry, action)
  if entry.needs and action[entry.needs] == nil then return entry.needs end
  for _, source in pairs(entry.arguments) do
    local name = type(source) == "table" and (source.from or source.list_of)
    if name and name ~= "till" and action[name] == nil then return name end
  end
end

--- Completes an action for its provider, or says why it cannot be done.
-- @tparam table desk
-- @tparam table action `{ verb, user, user_name, room, seconds, reason, ... }`
-- @treturn ?table entry of the verb
-- @treturn[2] nil
-- @treturn[2] table error
function M.prepare(desk, action)
  local provider, verb = desk.provider, action.verb
  local entry = verbs.find(provider, verb)
  if not entry then return nil, M.unsupported(provider, verb) end
  if entry.scope == "account" and action.room then
    return nil, M.unsupported(provider, verb, ("%s can %s from the whole account only: "
      .. "give no room"):format(provider, verb))
  end
  if action.seconds then
    if not entry.timed then
      return nil, M.unsupported(provider, verb, ("'%s' has no time"):format(verb))
    end
    action.expires_at = desk.clock() + action.seconds
    action.till = dates.iso(action.expires_at)
    if entry.timed == "usher" then action.lift = verbs.INVERSE[verb] end
    if action.lift and not desk.ledger then
      return nil, M.unsupported(provider, verb, ("%s knows no time for '%s': usher lifts it, and "
        .. "needs a ledger to remember"):format(provider, verb))
    end
  end
  action.moderator, action.actor = desk.moderator, desk.actor
  action.text = action.text or ("%s: %s"):format(action.user_name or action.user or "",
    action.reason or "")
  local name = missing(entry, action)
  if name then
    return nil, M.failure(provider, verb, "invalid", ("'%s' needs the %s %s"):format(verb,
      (name == "actor" or name == "moderator") and "desk's option" or "field", name))
  end
  return entry
end

--- Whether it shows, in the provider's state, that an action was done.
-- @tparam table desk
-- @tparam table action
-- @treturn ?boolean nil when nothing tells, or it cannot be read
-- @treturn ?table the error, when it could not be read
function M.is_done(desk, action)
  local shows = verbs.SHOWS[action.verb]
  if not shows or not verbs.find(desk.provider, shows[1]) then return nil end
  local users, err = desk:read_list(shows[1], { room = action.room })
  if not users then return nil, err end
  for _, user in ipairs(users) do
    if user.id == action.user then return shows[2] end
  end
  return not shows[2]
end

-- What the ledger keeps beside its columns: what an inverse needs, and what was there before.
local function details_of(action, before)
  return { user_name = action.user_name, seconds = action.seconds, was_so = before,
    index = action.index }
end

-- A case is refused when another has done the same, or is about to: `kind` is "taken" then.
local function open_case(desk, action, before)
  if not desk.ledger then return nil end
  local number, problem, other = desk.ledger:open_case({
    provider = desk.provider, verb = action.verb, user_id = action.user, room = action.room,
    moderator = desk.moderator, reason = action.reason, rule = action.rule, plan = action.plan,
    expires_at = action.expires_at, lift = action.lift, lifts = action.lifts,
    details = details_of(action, before),
  }, action.is_due)
  if number then return number end
  if other then return nil, M.failure(desk.provider, action.verb, "taken", problem) end
  return nil, M.failure(desk.provider, action.verb, "ledger",
    "the case could not be written, so nothing was sent: " .. problem)
end

-- Whether an answer says that this very request was refused: not the credentials, nor the rate.
local function is_verdict(err)
  local status = err.status or 200
  return REFUSALS[err.kind] and status < 500 and status ~= 401 and status ~= 403 and status ~= 408
    and status ~= 429
end

local function is_idempotent(provider, call)
  for _, method in ipairs(core.describe(provider).methods) do
    if method.name == call then return method.idempotent end
  end
end

-- "done", "failed" (surely not done) or "unknown", after a call that failed. A refusal is the last
-- word on what was sent, but not when an earlier attempt may have been acted on; and what takes
-- something back may be refused because it is so already.
local function outcome_of(desk, action, entry, err)
  if err.request_sent == false then return "failed" end
  local refused = REFUSALS[err.kind] and (err.status or 0) < 500
    and (err.attempts <= 1 or not is_idempotent(desk.provider, entry.call))
  if refused and not action.lifts then return "failed" end
  local done = M.is_done(desk, action)
  if done == nil then return refused and "failed" or "unknown" end
  return done and "done" or "failed"
end

local function close_case(desk, number, outcome, message)
  if number then desk.ledger:close_case(number, outcome, message) end
end

local function record(action, number, outcome)
  return {
    case = number, verb = action.verb, user = action.user, user_name = action.user_name,
    room = action.room, reason = action.reason, expires_at = action.expires_at,
    outcome = outcome,
  }
end

local function dry(desk, entry, action)
  local arguments = M.arguments(entry, action)
  local outcome = record(action, nil, "dry")
  outcome.curl = desk.client:curl(entry.call, arguments)
  return outcome
end

-- What the state said before, where it can be read and a ledger keeps it: an undo then leaves alone
-- what was there before us. Of what takes a case back the case itself says it.
local function state_before(desk, action)
  if action.before ~= nil then return action.before end
  if not desk.ledger or desk.read_before == false or action.lifts then return nil end
  return (M.is_done(desk, action))
end

--- Acts.
-- @tparam table desk
-- @tparam table action
-- @treturn ?table `{ case, verb, user, room, outcome, result, response, ... }`
-- @treturn[2] nil
-- @treturn[2] table error; `err.case` is the case's number, `err.outcome` what became of it
function M.act(desk, action)
  local entry, refusal = M.prepare(desk, action)
  if not entry then return nil, refusal end
  if desk.dry_run then return dry(desk, entry, action) end
  local arguments = M.arguments(entry, action)
  desk.client:request(entry.call, arguments) -- raises what is wrong with them before a case is open
  local number, problem = open_case(desk, action, state_before(desk, action))
  if problem then return nil, problem end
  local result, response = desk.client[entry.call](desk.client, arguments)
  if result then
    close_case(desk, number, "done")
    local done = record(action, number, "done")
    done.result, done.response = result, response
    return done
  end
  local outcome = outcome_of(desk, action, entry, response)
  close_case(desk, number, outcome, tostring(response))
  if outcome == "done" then return record(action, number, "done") end
  response.case, response.outcome = number, outcome
  return nil, response
end

--- Settles a case that a process left without an outcome: by the provider's state, and where that
-- tells nothing, as unknown.
-- @tparam table desk
-- @tparam table case of the ledger
-- @treturn string outcome
-- @treturn[2] nil
-- @treturn[2] table the error of reading the state: settle again later
function M.settle(desk, case)
  local done, err = M.is_done(desk, { verb = case.verb, user = case.user_id, room = case.room })
  local message = "settled by the provider's state"
  if err and not is_verdict(err) then return nil, err end
  if err then message = "the provider's state cannot be read: " .. tostring(err) end
  local outcome = done == nil and "unknown" or done and "done" or "failed"
  desk.ledger:close_case(case.number, outcome, message)
  return outcome
end

return M
