--- What would be done a second time: an action of a plan that another process
-- carries out too, and the end of a sanction that is over already, that somebody
-- ends right now, or that a newer one has replaced.
-- Nothing here writes.
-- @module usher.ledger.duplicates

local core = require "usher.core"

local M = {}

--- Of a row of `cases`: the newer ones that have replaced it. Those are of the same user and place:
-- the same sanction anew, unless that failed; its end; and an end that is about to be sent.
M.SUPERSEDES = "SELECT newer.number FROM cases AS newer WHERE newer.provider = cases.provider "
  .. "AND newer.user_id = cases.user_id AND newer.number > cases.number "
  .. "AND (newer.room = cases.room OR (newer.room IS NULL AND cases.room IS NULL)) "
  .. "AND ((newer.verb = cases.verb "
  .. "AND (newer.outcome IS NULL OR newer.outcome IN ('done', 'unknown'))) "
  .. "OR (newer.verb = cases.lift AND newer.outcome = 'done') "
  .. "OR (newer.lifts = cases.number AND newer.outcome IS NULL))"

-- The case of the same action of the same plan that did not fail.
local function of_plan(store, case)
  local index = type(case.details) == "table" and case.details.index
  if not (case.plan and index) then return nil end
  for _, other in ipairs(store:rows("SELECT number, verb, room, details FROM cases WHERE plan = ? "
    .. "AND provider = ? AND user_id = ? AND (outcome IS NULL OR outcome <> 'failed')", case.plan,
    case.provider, case.user_id)) do
    local details = core.decode(other.details or "{}")
    if details.index == index and other.verb == case.verb and other.room == case.room then
      return other.number
    end
  end
end

-- The case that has taken back what this one is to take back, or is about to.
local function of_lift(store, case)
  if not case.lifts then return nil end
  local other = store:rows("SELECT number FROM cases WHERE lifts = ? AND provider = ? "
    .. "AND user_id = ? AND (outcome IS NULL OR outcome = 'done')", case.lifts, case.provider,
    case.user_id)[1]
  return other and other.number
end

-- Of a case that is due: the newer one that has replaced it since it was claimed; or the case
-- itself, when its claim has gone to another process.
local function of_due(store, case, run)
  local newer = store:rows("SELECT (" .. M.SUPERSEDES .. " ORDER BY newer.number DESC LIMIT 1) "
    .. "AS number FROM cases WHERE cases.number = ?", case.lifts)[1]
  if newer and newer.number then return newer.number end
  local held = store:rows("SELECT number FROM cases WHERE number = ? AND claimed_by = ?",
    case.lifts, run)[1]
  return not held and case.lifts or nil
end

--- The case that makes another one needless.
-- @tparam table store inside a transaction
-- @tparam table case as for `open_case`
-- @tparam ?integer run of the process that has claimed the case that is to be lifted
-- @treturn ?integer its number
function M.find(store, case, run)
  return of_plan(store, case) or of_lift(store, case) or run and of_due(store, case, run) or nil
end

return M
