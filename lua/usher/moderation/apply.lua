--- Carries out a plan: at a pace, each action once, and only what still fits.
-- What was done is in the ledger under the plan's id, so a plan that was stopped
-- is applied again to go on.
-- @module usher.moderation.apply

local act = require "usher.moderation.act"
local core = require "usher.core"
local map = require "usher.map"
local process = require "usher.moderation.process"
local texts = require "usher.ledger.text"
local verbs = require "usher.moderation.verbs"

local M = {}

local PACE, MOST, CONCURRENCY = 5, 200, 4
local FRESH = 10 -- seconds for which a list that was read counts as the state
local PIECE = 0.25 -- longest wait in one piece, in seconds: a request to stop is seen in between
local BUSY = 0.005 -- seconds between two looks whether an action has ended

local option_types = {
  pace = "number", max_actions = "number", concurrency = "number", stop = "function",
  on_action = "function",
}

--- Raises what is wrong with the options, at `level` counted from the caller.
function M.check_options(options, level)
  for name, value in pairs(options) do
    local expected = option_types[name]
    if not expected then
      error(("usher.moderation:apply: unknown option '%s'"):format(tostring(name)), level + 1)
    elseif type(value) ~= expected then
      error(("usher.moderation:apply: %s must be a %s"):format(name, expected), level + 1)
    end
  end
  if options.pace and not (options.pace > 0 and options.pace <= 1e6) then
    error("usher.moderation:apply: pace must be above 0 and at most 1000000", level + 1)
  end
end

-- --- the state ----------------------------------------------------------------------------------

local function key_of(verb, room)
  return verb .. "\0" .. (room or "")
end

-- The users of a list by id, read again when it is no longer fresh. A list that was read while we
-- acted may be older than that, and is not kept.
local function listed(run, verb, room)
  local key = key_of(verb, room)
  local list = run.lists[key]
  if list and core.monotonic() - list.read_at < FRESH then return list.by_id end
  local acts = run.acts
  local users, err = run.desk:read_list(verb, { room = room })
  if not users then return nil, err end
  local by_id = {}
  for _, user in ipairs(users) do by_id[user.id or ""] = user end
  if acts == run.acts then run.lists[key] = { by_id = by_id, read_at = core.monotonic() } end
  return by_id
end

-- What we have done shows in the lists that were read before.
local function note_act(run, action, outcome)
  run.acts = run.acts + 1
  local shows = verbs.SHOWS[action.verb]
  local list = shows and run.lists[key_of(shows[1], action.room)]
  if not list or outcome == "failed" then return end
  if outcome == "unknown" then
    run.lists[key_of(shows[1], action.room)] = nil
  else
    list.by_id[action.user] = shows[2]
      and (list.by_id[action.user] or { id = action.user, name = action.user_name }) or nil
  end
end

local function can_list(run, verb, room)
  local entry = verbs.find(run.desk.provider, verb)
  return entry ~= nil and (entry.scope ~= nil or room ~= nil)
end

-- Whether it is so already: true, false, or nil when nothing tells.
local function is_so(run, action)
  local shows = verbs.SHOWS[action.verb]
  if not shows or not can_list(run, shows[1], action.room) then return nil end
  local by_id, err = listed(run, shows[1], action.room)
  if not by_id then return nil, err end
  return (by_id[action.user] ~= nil) == shows[2]
end

-- What a rule saw must still be there: the user, under the same name, and not staff by now.
local function changed(run, action)
  if not action.rule or not can_list(run, "list_users", action.room) then return nil end
  local by_id, err = listed(run, "list_users", action.room)
  if not by_id then return nil, err end
  local user = by_id[action.user]
  if not user then
    return (action.verb == "kick" or action.verb == "warn") and "is not in the room any more"
  end
  if action.user_name and texts.clean(user.name) ~= action.user_name then
    return "has another name by now"
  end
  if run.desk:is_protected(user) then return "is staff by now" end
end

local SO = {
  ban = "is banned already", unban = "is not banned any more", mute = "is muted already",
  unmute = "is not muted any more", block = "is blocked already",
  unblock = "is not blocked any more", kick = "is not in the room any more",
  admit = "is in the room already",
}

-- What takes back a case of its own verb puts in force again what that one had replaced: it changes
-- for how long, so that it is so already is no reason to leave it.
local function restores(run, action)
  if not (action.lifts and run.desk.ledger) then return false end
  local case = run.desk.ledger:case(action.lifts)
  return case ~= nil and case.verb == action.verb
end

-- Why an action is not done; or whether it was so before.
local function reason_to_skip(run, action)
  local so, err = is_so(run, action)
  if err then return nil, nil, err end
  if so and not restores(run, action) then return SO[action.verb] end
  local reason
  reason, err = changed(run, action)
  return reason or nil, so, err
end

-- --- one action ---------------------------------------------------------------------------------

local function count(run, action, outcome, reason, err)
  run.summary[outcome] = run.summary[outcome] + 1
  run.summary.actions[#run.summary.actions + 1] =
    { index = action.index, verb = action.verb, user = action.user, outcome = outcome,
      reason = reason, error = err }
  if run.options.on_action then run.options.on_action(action, outcome, reason, run.summary) end
end

local function write_skipped(run, action, reason)
  local ledger = run.desk.ledger
  if not ledger or run.desk.dry_run then return end
  local number, problem = ledger:record_case({
    provider = run.desk.provider, verb = action.verb, user_id = action.user, room = action.room,
    moderator = run.desk.moderator, reason = action.reason, rule = action.rule,
    plan = run.plan.id, details = { index = action.index },
  }, "skipped", reason)
  if not number then
    return act.failure(run.desk.provider, action.verb, "ledger", problem)
  end
end

-- An error that is none of the provider's verdict on this action: nothing that follows would fare
-- better, so the plan stops there.
local function is_fatal(err)
  return err.kind == "ledger" or err.kind == "cancelled" or err.status == 401
end

local function perform(run, planned)
  local reason, before, err = reason_to_skip(run, planned)
  if reason then err = write_skipped(run, planned, reason) end
  if err then
    run.failure = run.failure or err
    return
  end
  if reason then return count(run, planned, "skipped", reason) end
  local action = { plan = run.plan.id, before = before }
  for name, value in pairs(planned) do action[name] = value end
  local done, failed = act.act(run.desk, action)
  note_act(run, planned, done and done.outcome or failed.outcome)
  if done then return count(run, planned, done.outcome) end
  if failed.kind == "taken" then return count(run, planned, "skipped", failed.message) end
  if is_fatal(failed) then run.failure = run.failure or failed end
  if not failed.outcome then return end -- nothing was begun: it remains
  count(run, planned, failed.outcome, tostring(failed), failed)
end

-- --- all of them --------------------------------------------------------------------------------

local function wants_stop(run)
  if process.interrupted() or (run.options.stop and run.options.stop()) then
    run.summary.stopped = true
  end
  return run.summary.stopped or run.failure ~= nil
end

-- Waits until an action may be begun: its time has come, and no other one of the same user is in
-- flight, which would be about the same. False when it is not to be.
local function await_turn(run, action)
  while true do
    if wants_stop(run) then return false end
    local wait = run.next_at - core.monotonic()
    if wait <= 0 and run.busy[action.user] then wait = BUSY end
    if wait <= 0 then break end
    process.pause(math.min(wait, PIECE))
  end
  run.busy[action.user] = true
  run.next_at = math.max(run.next_at, core.monotonic() - 1 / run.pace) + 1 / run.pace
  return true
end

-- A line that was edited since is another action.
local function identity(action)
  return table.concat({ ("%.17g"):format(action.index), action.verb, action.user,
    action.room or "" }, "\0")
end

local function remaining(run, finished)
  local index = 0
  return function()
    repeat
      index = index + 1
      local action = run.plan.actions[index]
      if not action then return nil end
      if not finished[identity(action)] then
        return await_turn(run, action) and action or nil
      end
      run.summary.earlier = run.summary.earlier + 1
    until false
  end
end

-- What earlier runs of this plan have finished, by the action's identity. What surely was not done
-- is tried again; what is unknown is not.
local function finished_of(run)
  local finished, after = {}, 0
  if not run.desk.ledger then return finished end
  repeat
    local cases, problem = run.desk.ledger:cases{ plan = run.plan.id, after = after }
    if not cases then
      return nil, act.failure(run.desk.provider, "apply", "ledger", problem)
    end
    for _, case in ipairs(cases) do
      local index = case.details and case.details.index
      if index and case.outcome ~= "failed" then
        finished[identity{ index = index, verb = case.verb, user = case.user_id,
          room = case.room }] = true
      end
      after = case.number
    end
  until not cases[1]
  return finished
end

-- What is wrong with an action of a plan that was edited by hand, or made for another desk: nothing
-- is begun then.
local function problem_of(desk, action)
  local copy = {}
  for name, value in pairs(action) do copy[name] = value end
  local entry, err = act.prepare(desk, copy)
  if not entry then return err.message, err.kind end
  local ok, problem = pcall(desk.client.request, desk.client, entry.call,
    act.arguments(entry, copy))
  if not ok then return tostring(problem):gsub("^[^\n]-:%d+: (usher%.)", "%1"), "invalid" end
end

local function invalid_action(desk, plan)
  for _, action in ipairs(plan.actions) do
    local problem, kind = problem_of(desk, action)
    if problem then
      return act.failure(desk.provider, "apply", kind,
        ("action %.14g of the plan (%s %s): %s; nothing was done"):format(action.index, action.verb,
          action.user, problem))
    end
  end
end

local function refusal(desk, plan, most)
  if plan.provider ~= desk.provider then
    return act.failure(desk.provider, "apply", "invalid",
      ("the plan is for %s"):format(plan.provider))
  elseif #plan.actions > most then
    return act.failure(desk.provider, "apply", "invalid",
      ("the plan has %d actions, more than max_actions (%d): nothing was done"):format(
        #plan.actions, most))
  end
  return invalid_action(desk, plan)
end

local function run_all(run, finished)
  local interrupted = process.run(map.map, remaining(run, finished), function(action)
    perform(run, action)
    run.busy[action.user] = nil
    return true
  end, { concurrency = run.options.concurrency or CONCURRENCY, on_result = function() end })
  if interrupted then run.summary.stopped = true end
end

local function closing(run)
  local summary, ledger = run.summary, run.desk.ledger
  summary.remaining = summary.planned - summary.earlier - summary.done - summary.skipped
    - summary.failed - summary.unknown - summary.dry
  local ok, problem = true, nil
  if ledger then ok, problem = ledger:flush() end
  if not ok and not run.failure then
    run.failure = act.failure(run.desk.provider, "apply", "ledger", problem)
  end
  if run.failure then return nil, run.failure, summary end
  return summary
end

--- Applies a plan.
-- @tparam table desk
-- @tparam table plan
-- @tparam table options
-- @treturn ?table `{ planned, earlier, done, skipped, failed, unknown, dry, remaining, stopped,
-- actions }`
-- @treturn[2] nil
-- @treturn[2] table the error that stopped it
-- @treturn[2] ?table the same summary, when it had begun
function M.apply(desk, plan, options)
  local refused = refusal(desk, plan, options.max_actions or MOST)
  if refused then return nil, refused end
  if desk.ledger and not desk.dry_run then
    local settled, err = desk:settle()
    if not settled then return nil, err end
  end
  local run = {
    desk = desk, plan = plan, options = options, pace = options.pace or PACE,
    next_at = core.monotonic(),
    lists = {}, acts = 0, -- the state as it was read, and how often we have acted
    busy = {}, -- the users of the actions in flight
    summary = { planned = #plan.actions, earlier = 0, done = 0, skipped = 0, failed = 0,
      unknown = 0, dry = 0, stopped = false, actions = {} },
  }
  local finished, err = finished_of(run)
  if not finished then return nil, err end
  run_all(run, finished)
  return closing(run)
end

return M
