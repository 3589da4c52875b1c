--- Reading the cases of a ledger: one, or those that are asked for.
-- @module usher.ledger.cases

local core = require "usher.core"

local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local M = {}

-- Those of a ledger.
local methods = {}
M.methods = methods

--- Reads what is kept as JSON.
-- @tparam {table,...} rows
-- @treturn {table,...} the same
function M.decoded(rows)
  for _, case in ipairs(rows) do
    if case.details then case.details = core.decode(case.details) end
  end
  return rows
end

--- Reads cases, with all that was written before; over a new connection where the old one is cut.
-- @treturn ?{table,...}
-- @treturn[2] nil
-- @treturn[2] string why not
function M.read(self, sql, ...)
  local ok, problem = self.store:flush()
  if not ok then return nil, problem end
  local rows
  ok, rows = pcall(self.store.rows, self.store, sql, ...)
  if not ok and self.store:revive() then ok, rows = pcall(self.store.rows, self.store, sql, ...) end
  if ok then return M.decoded(rows) end
  return nil, tostring(rows)
end

--- A case.
-- @tparam integer number
-- @treturn ?table its columns: those of `open_case`, and `number`, `opened_at`, `outcome`,
-- `message`, `closed_at`, `lifted_by`, `hash`
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:case(number)
  local rows, problem = M.read(self, "SELECT * FROM cases WHERE number = ?", number)
  if not rows then return nil, problem end
  if rows[1] then return rows[1] end
  return nil, ("there is no case %s"):format(tostring(number))
end

-- Filters of `cases`: what stands in the table, and what it asks of a row.
local filters = {
  provider = "provider = ?", user = "user_id = ?", room = "room = ?", moderator = "moderator = ?",
  verb = "verb = ?", outcome = "outcome = ?", plan = "plan = ?", rule = "rule = ?",
  since = "opened_at >= ?", before = "opened_at < ?", after = "number > ?", up_to = "number <= ?",
  lifts = "lifts = ?",
}
local filter_names = { "provider", "user", "room", "moderator", "verb", "outcome", "plan", "rule",
  "since", "before", "after", "up_to", "lifts" }

local function conditions(wanted)
  local parts, values = {}, {}
  for _, name in ipairs(filter_names) do
    if wanted[name] ~= nil then
      parts[#parts + 1], values[#values + 1] = filters[name], wanted[name]
    end
  end
  if wanted.open then parts[#parts + 1] = "outcome IS NULL" end
  if wanted.in_force then parts[#parts + 1] = "outcome = 'done' AND lifted_by IS NULL" end
  return parts[1] and " WHERE " .. table.concat(parts, " AND ") or "", values
end

--- Cases, oldest first.
-- @tparam[opt] table wanted any of `provider`, `user`, `room`, `moderator`, `verb`, `outcome`,
-- `plan`, `rule`, `lifts`, `since` and `before` (Unix seconds), `after` and `up_to` (numbers of
-- cases), `open` (true: without an outcome), `in_force` (true: done, and not taken back), `newest`
-- (true: newest first), `limit` (1000)
-- @treturn ?{table,...}
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:cases(wanted)
  wanted = wanted or {}
  for name in pairs(wanted) do
    if not (filters[name] or name == "open" or name == "in_force" or name == "newest"
      or name == "limit") then
      error(("usher.ledger: cases cannot be chosen by '%s'"):format(tostring(name)), 2)
    end
  end
  local where, values = conditions(wanted)
  values[#values + 1] = wanted.limit or 1000
  return M.read(self, ("SELECT * FROM cases%s ORDER BY number%s LIMIT ?"):format(where,
    wanted.newest and " DESC" or ""), unpack(values))
end

return M
