--- The way back: a plan of the inverses of cases, newest first.
-- @module usher.moderation.undo

local plans = require "usher.moderation.plan"
local verbs = require "usher.moderation.verbs"

local M = {}

local CHOICES = { case = true, moderator = true, since = true, before = true, room = true,
  user = true, rule = true, plan = true }

--- Raises what is wrong with a selection, at `level` counted from the caller.
function M.check(selection, level)
  if type(selection) ~= "table" or next(selection) == nil then
    error("usher.moderation:undo: say which cases: case, moderator, since, room, user, rule, plan",
      level + 1)
  end
  for name in pairs(selection) do
    if not CHOICES[name] then
      error(("usher.moderation:undo: cases cannot be chosen by '%s'"):format(tostring(name)),
        level + 1)
    end
  end
end

-- The chosen cases, newest first.
local function chosen(ledger, provider, selection)
  if selection.case then
    local case, problem = ledger:case(selection.case)
    return case and { case }, problem
  end
  local wanted, cases = { provider = provider, outcome = "done", newest = true, limit = 1000 }, {}
  for name, value in pairs(selection) do wanted[name] = value end
  repeat
    local page, problem = ledger:cases(wanted)
    if not page then return nil, problem end
    for _, case in ipairs(page) do cases[#cases + 1] = case end
    wanted.up_to = page[1] and page[#page].number - 1
  until #page < wanted.limit
  return cases
end

-- Why a case is left as it is.
local function reason_to_leave(case, provider, one)
  local inverse = verbs.INVERSE[case.verb]
  if case.provider ~= provider then return "is another provider's" end
  if case.outcome ~= "done" then return "was not done" end
  if case.lifts and not one then return ("took back case %d"):format(case.lifts) end
  if case.lifted_by then return ("was taken back by case %d"):format(case.lifted_by) end
  if not inverse or not verbs.find(provider, inverse) then return "cannot be taken back" end
  if case.details and case.details.was_so then return "was so before" end
end

--- Plans the inverses of cases.
-- @tparam table desk with a ledger
-- @tparam table selection
-- @treturn ?table plan; `plan.left` are the cases that stay as they are, each `{ case, reason }`
-- @treturn[2] nil
-- @treturn[2] string problem of the ledger
function M.plan(desk, selection)
  local cases, problem = chosen(desk.ledger, desk.provider, selection)
  if not cases then return nil, problem end
  local actions, left = {}, {}
  for _, case in ipairs(cases) do
    local reason = reason_to_leave(case, desk.provider, selection.case ~= nil)
    if reason then
      left[#left + 1] = { case = case.number, reason = reason }
    else
      actions[#actions + 1] = {
        verb = verbs.INVERSE[case.verb], user = case.user_id, room = case.room,
        user_name = case.details and case.details.user_name, lifts = case.number,
        reason = ("takes back case %d"):format(case.number),
      }
    end
  end
  local plan = plans.new(desk, actions)
  plan.left = left
  return plan
end

return M
