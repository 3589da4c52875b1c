--- The end of what has a time: cases that a process left are settled, and
-- sanctions whose time is over are lifted, each once.
-- @module usher.moderation.lift

local act = require "usher.moderation.act"

local M = {}

local function broken(desk, what, problem)
  return act.failure(desk.provider, what, "ledger", problem)
end

--- Settles the cases that a process opened and did not live to close.
-- @tparam table desk
-- @treturn ?{table,...} the cases, each with its `outcome`
-- @treturn[2] nil
-- @treturn[2] table error of the first whose state could not be read; it stays open
-- @treturn[2] {table,...} those that were settled nevertheless
function M.settle(desk)
  local cases, problem = desk.ledger:unsettled(desk.provider)
  if not cases then return nil, broken(desk, "settle", problem), {} end
  local settled, failure = {}, nil
  for _, case in ipairs(cases) do
    local outcome, err = act.settle(desk, case)
    if outcome then
      case.outcome = outcome
      settled[#settled + 1] = case
    else
      failure = failure or err
      if act.is_common(err) then break end
    end
  end
  local ok
  ok, problem = desk.ledger:flush()
  if not ok then return nil, broken(desk, "settle", problem), settled end
  if failure then return nil, failure, settled end
  return settled
end

local function delay_of(desk, case)
  local failed = desk.ledger:cases{ provider = desk.provider, user = case.user_id,
    lifts = case.number, outcome = "failed", limit = 20 }
  return act.delay(#(failed or {}))
end

local function lift_one(desk, case)
  return act.act(desk, {
    verb = case.lift, user = case.user_id, room = case.room, lifts = case.number, is_due = true,
    user_name = case.details and case.details.user_name, reason = "its time is over",
  })
end

-- Lifts claimed cases; gives back what could not be lifted. Returns the first error, and whether
-- there is no use in going on.
local function lift_all(desk, due, lifted)
  local failure, stopped
  for _, case in ipairs(due) do
    local done, err
    if not stopped then done, err = lift_one(desk, case) end
    if done then
      lifted[#lifted + 1] = done
    elseif stopped or err.kind == "taken" then
      desk.ledger:release(case.number)
    else
      failure = failure or err
      stopped = act.is_common(err)
      desk.ledger:release(case.number, not stopped and delay_of(desk, case) or nil)
    end
  end
  local ok, problem = desk.ledger:flush()
  if ok then return failure, stopped end
  return failure or broken(desk, "lift_expired", problem), true
end

-- What would be lifted: nothing is claimed.
local function dry(desk)
  local due, problem = desk.ledger:due(desk.provider)
  if not due then return nil, broken(desk, "lift_expired", problem), {} end
  local lifted = {}
  for i, case in ipairs(due) do
    local err
    lifted[i], err = lift_one(desk, case)
    if err then return nil, err, lifted end
  end
  return lifted
end

--- Lifts what is due.
-- @tparam table desk
-- @treturn ?{table,...} what was lifted
-- @treturn[2] nil
-- @treturn[2] table the first error; what it is about stays due, the others were lifted
-- @treturn[2] {table,...} what was lifted
function M.lift_expired(desk)
  if desk.dry_run then return dry(desk) end
  local settled, failure = M.settle(desk)
  if not settled and act.is_common(failure) then return nil, failure, {} end
  local lifted, last = {}, 0
  while true do
    local due, problem = desk.ledger:claim_due(desk.provider, nil, last)
    if not due then return nil, broken(desk, "lift_expired", problem), lifted end
    if not due[1] then break end
    last = due[#due].number
    local err, stopped = lift_all(desk, due, lifted)
    failure = failure or err
    if stopped then break end
  end
  if failure then return nil, failure, lifted end
  return lifted
end

return M
