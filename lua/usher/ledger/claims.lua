--- Whose a case is: what other processes, living or gone, have opened and not closed, and the
-- sanctions that are due, of which each is one process' to lift.
-- @module usher.ledger.claims

local cases = require "usher.ledger.cases"
local chain = require "usher.ledger.chain"
local core = require "usher.core"
local duplicates = require "usher.ledger.duplicates"

local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local M = {}

-- Those of a ledger.
local methods = {}
M.methods = methods

-- A claim of another host, whose processes we cannot see, counts for so long, in seconds.
local CLAIM_LIFETIME = 600

-- The runs that this process has opened, by ledger: theirs are not left behind.
local own_runs = {}

local function key_of(self)
  return self.store.label .. "\0" .. self.run
end

--- Notes that the run of a ledger is this process'.
-- @tparam table self the ledger
function M.own(self) own_runs[key_of(self)] = true end

--- Notes that it has ended.
-- @tparam table self the ledger
function M.disown(self) own_runs[key_of(self)] = nil end

-- Whether the process of a run is gone for sure.
local function is_gone(self, run, since)
  if own_runs[self.store.label .. "\0" .. run.number] then return false end
  if run.host == self.host then -- an earlier process may have had our number
    return run.process == core.process() or not core.is_running(run.process)
  end
  return since ~= nil and self.clock() - since > CLAIM_LIFETIME
end

--- The cases that a process opened and did not live to close.
-- @tparam[opt] string provider of one provider only
-- @treturn ?{table,...} cases
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:unsettled(provider)
  local rows, problem = cases.read(self, "SELECT cases.*, runs.host AS run_host, "
    .. "runs.process AS run_process FROM cases JOIN runs ON runs.number = cases.run "
    .. "WHERE outcome IS NULL ORDER BY cases.number")
  if not rows then return nil, problem end
  local left = {}
  for _, case in ipairs(rows) do
    local run = { number = case.run, host = case.run_host, process = case.run_process }
    case.run_host, case.run_process = nil, nil
    local is_left = is_gone(self, run, case.opened_at)
    -- of our own those whose outcome could not be written
    if case.run == self.run then is_left = not self.opened[case.number] end
    if is_left and (provider or case.provider) == case.provider then
      left[#left + 1] = case
    end
  end
  return left
end

-- What may have been done is lifted too. A case given back waits until `claimed_at`.
local DUE = "SELECT cases.*, runs.host AS run_host, runs.process AS run_process "
  .. "FROM cases LEFT JOIN runs ON runs.number = cases.claimed_by "
  .. "WHERE lift IS NOT NULL AND lifted_by IS NULL AND outcome IN ('done', 'unknown') "
  .. "AND expires_at <= ? AND provider = ? AND cases.number > ? "
  .. "AND (claimed_by IS NOT NULL OR claimed_at IS NULL OR claimed_at <= ?) "
  .. "AND NOT EXISTS (" .. duplicates.SUPERSEDES .. ") ORDER BY cases.number LIMIT ?"

local function claim(self, case, now)
  local free = "claimed_by IS NULL"
  local values = { self.run, now, case.number }
  if case.claimed_by then
    local holder = { number = case.claimed_by, host = case.run_host, process = case.run_process }
    if not is_gone(self, holder, case.claimed_at) then return false end
    free = "claimed_by = ?"
    values[4] = case.claimed_by
  end
  return self.store:run("UPDATE cases SET claimed_by = ?, claimed_at = ? WHERE number = ? "
    .. "AND lifted_by IS NULL AND " .. free, unpack(values)) == 1
end

-- Past those that others hold, however many these are.
local function claim_some(self, provider, claimed, limit, last)
  local now = self.clock()
  repeat
    local rows = self.store:rows(DUE, now, provider, last, now, limit)
    for _, case in ipairs(rows) do
      last = case.number
      if claim(self, case, now) then claimed[#claimed + 1] = case end
      if #claimed == limit then return end
    end
  until #rows < limit
end

--- Claims cases whose time is over and that usher has to lift itself: of several processes, one
-- gets each. What a newer sanction of the same user and place has replaced is not due.
-- @tparam string provider
-- @tparam[opt] integer limit at most so many (100)
-- @tparam[opt] integer after cases with greater numbers only
-- @treturn ?{table,...} the cases that are this process' to lift
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:claim_due(provider, limit, after)
  local claimed
  local ok, problem = self.store:commit(function()
    claimed = {}
    chain.head(self.store) -- its lock
    claim_some(self, provider, claimed, limit or 100, after or 0)
  end)
  if not ok then return nil, problem end
  return cases.decoded(claimed)
end

--- The cases that `claim_due` would give, without a claim.
-- @tparam string provider
-- @treturn ?{table,...}
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:due(provider)
  local now = self.clock()
  return cases.read(self, DUE, now, provider, 0, now, 1000000)
end

--- Gives a claimed case back: it could not be lifted now.
-- @tparam integer number
-- @tparam[opt] number seconds in which it is not due again
function methods:release(number, seconds)
  local not_before = seconds and self.clock() + seconds
  self.store:later(function()
    self.store:run("UPDATE cases SET claimed_by = NULL, claimed_at = ? WHERE number = ? "
      .. "AND claimed_by = ?", not_before, number, self.run)
  end, nil, true)
end

--- What is known of a run whose process is not gone for sure.
-- @tparam integer number
-- @tparam ?number since when it was last seen
-- @treturn ?table `{ number, host, process }`; nil when it is gone
function methods:living(number, since)
  local run = self.store:rows("SELECT number, host, process FROM runs WHERE number = ?", number)[1]
  return run and not is_gone(self, run, since) and run or nil
end

return M
