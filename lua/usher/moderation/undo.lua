--- The way back: a plan of what restores what was before some cases, newest first.
-- What was so before a case is known from the state that was read then, and
-- from the cases of the same user and place before it.
-- @module usher.moderation.undo

local plans = require "usher.moderation.plan"
local verbs = require "usher.moderation.verbs"

local M = {}

local CHOICES = { case = "number", moderator = "string", since = "number", before = "number",
  room = "string", user = "string", rule = "string", plan = "string" }

--- Raises what is wrong with a selection, at `level` counted from the caller.
function M.check(selection, level)
  if type(selection) ~= "table" or next(selection) == nil then
    error("usher.moderation:undo: say which cases: case, moderator, since, room, user, rule, plan",
      level + 1)
  end
  for name, value in pairs(selection) do
    if not CHOICES[name] then
      error(("usher.moderation:undo: cases cannot be chosen by '%s'"):format(tostring(name)),
        level + 1)
    elseif type(value) ~= CHOICES[name] then
      error(("usher.moderation:undo: %s must be a %s"):format(name, CHOICES[name]), level + 1)
    end
  end
end

-- All that `wanted` chooses, newest first.
local function all_cases(ledger, wanted)
  local cases, limit = {}, 1000
  wanted.newest, wanted.limit = true, limit
  repeat
    local page, problem = ledger:cases(wanted)
    if not page then return nil, problem end
    for _, case in ipairs(page) do cases[#cases + 1] = case end
    wanted.up_to = page[1] and page[#page].number - 1
  until #page < limit
  return cases
end

-- The chosen cases, newest first. What was surely not done is among them only when it was named.
local function chosen(ledger, provider, selection)
  if selection.case then
    local case, problem = ledger:case(selection.case)
    return case and { case }, problem
  end
  local wanted, cases = { provider = provider }, {}
  for name, value in pairs(selection) do wanted[name] = value end
  local all, problem = all_cases(ledger, wanted)
  if not all then return nil, problem end
  for _, case in ipairs(all) do
    if case.outcome ~= "failed" and case.outcome ~= "skipped" then cases[#cases + 1] = case end
  end
  return cases
end

-- Whether two cases are about the same thing: a mute and an unmute of one user in one room.
local function is_same_matter(case, other)
  return case.user_id == other.user_id and case.room == other.room
    and (case.verb == other.verb or verbs.INVERSE[case.verb] == other.verb)
end

-- Whether a case still counts: it was done, and not taken back. Two that cancel each other out both
-- do not.
local function counts(case)
  return (case.outcome == "done" or case.outcome == "unknown") and not case.lifted_by
end

local function is_timed(case)
  return case.expires_at ~= nil
end

local function is_over(run, case)
  return is_timed(case) and case.expires_at <= run.now
end

-- Said twice for good: the second time changed nothing.
local function adds_nothing(case, other)
  return other.verb == case.verb and other.details ~= nil and other.details.was_so
    and not is_timed(case) and not is_timed(other)
end

local function user_cases(run, case)
  local known = run.by_user[case.user_id]
  if known then return known end
  local all, problem = all_cases(run.ledger, { provider = case.provider, user = case.user_id })
  if not all then error({ problem = problem }, 0) end
  run.by_user[case.user_id] = all
  return all
end

-- The cases around a case: the one before it that was in force, and one after it that stands.
-- `handled` are those that are taken back by the same plan, or need not be.
local function neighbours(run, case)
  local earlier, later
  for _, other in ipairs(user_cases(run, case)) do
    if is_same_matter(case, other) and counts(other) and not run.handled[other.number] then
      if other.number < case.number then
        earlier = earlier or other
      elseif other.number > case.number and not is_over(run, other)
        and not adds_nothing(case, other) and not (other.lifts and other.lifts >= case.number)
        then
        later = other
      end
    end
  end
  return earlier, later
end

-- Why a case is left as it is, whatever is around it.
local function reason_to_leave(case, provider, is_named)
  local inverse = verbs.INVERSE[case.verb]
  if case.provider ~= provider then return "is another provider's" end
  if not case.outcome then return "is not settled yet" end
  if case.outcome ~= "done" and case.outcome ~= "unknown" then return "was not done" end
  if case.lifts and not is_named then return ("took back case %d"):format(case.lifts) end
  if case.lifted_by then return ("was taken back by case %d"):format(case.lifted_by) end
  if not inverse or not verbs.find(provider, inverse) then return "cannot be taken back" end
end

-- The sanction that a case has ended, or nil.
local function ended_by(run, case, earlier)
  if not case.lifts then return earlier end
  for _, other in ipairs(run.by_user[case.user_id]) do
    if other.number == case.lifts then return other end
  end
end

-- `verb, seconds` that restore what was before an end of a sanction; or nil and why nothing does.
local function before_end(run, case, earlier)
  if case.details and case.details.was_so then return nil, "was so before" end
  local inverse, ended = verbs.INVERSE[case.verb], ended_by(run, case, earlier)
  if not ended or ended.verb ~= inverse or not is_timed(ended) then return inverse end
  if is_over(run, ended) then
    return nil, ("ended case %d, whose time is over"):format(ended.number)
  end
  return inverse, ended.expires_at - run.now
end

-- The same for a sanction: what it replaced is put in force again, for the time that it had left.
local function before_sanction(run, case, earlier)
  local was_so = case.details and case.details.was_so
  if not case.lift and is_over(run, case) then return nil, "is over by itself" end
  local replaced = earlier and earlier.verb == case.verb and was_so ~= false
  if replaced and is_timed(earlier) then
    if is_over(run, earlier) then return verbs.INVERSE[case.verb] end
    return case.verb, earlier.expires_at - run.now
  elseif replaced or was_so then
    if is_timed(case) then return case.verb end -- else its end would end what was before, too
    return nil, "was so before"
  end
  return verbs.INVERSE[case.verb]
end

local IS_END = { unban = true, unmute = true, unblock = true }

-- The action that takes a case back, or nil and why it stays.
local function take_back(run, case, is_named)
  local reason = reason_to_leave(case, run.provider, is_named)
  if reason then return nil, reason end
  local earlier, later = neighbours(run, case)
  if later then
    return nil, ("was followed by case %d, which stands"):format(later.number)
  end
  local verb, seconds = (IS_END[case.verb] and before_end or before_sanction)(run, case, earlier)
  if not verb then return nil, seconds end
  return {
    verb = verb, seconds = seconds, user = case.user_id, room = case.room,
    user_name = case.details and case.details.user_name, lifts = case.number,
    reason = ("takes back case %d"):format(case.number),
  }
end

local function plan_all(run, cases, is_named)
  local actions, left = {}, {}
  for _, case in ipairs(cases) do
    local action, reason = take_back(run, case, is_named)
    if action then
      actions[#actions + 1] = action
    else
      left[#left + 1] = { case = case.number, reason = reason }
    end
    if action or reason == "was so before" then run.handled[case.number] = true end
  end
  return actions, left
end

--- Plans what takes cases back.
-- @tparam table desk with a ledger
-- @tparam table selection
-- @treturn ?table plan; `plan.left` are the cases that stay as they are, each `{ case, reason }`
-- @treturn[2] nil
-- @treturn[2] string problem of the ledger
function M.plan(desk, selection)
  local cases, problem = chosen(desk.ledger, desk.provider, selection)
  if not cases then return nil, problem end
  local run = { ledger = desk.ledger, provider = desk.provider, now = desk.clock(), by_user = {},
    handled = {} }
  local ok, actions, left = pcall(plan_all, run, cases, selection.case ~= nil)
  if not ok then
    if type(actions) == "table" then return nil, actions.problem end
    error(actions, 0)
  end
  local plan = plans.new(desk, actions)
  plan.left = left
  return plan
end

return M
