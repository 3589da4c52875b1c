-- What a provider may do to a call, and what may come of it: one table for all transports, all
-- providers and all methods. Walked by faults_spec.lua and nginx/faults_spec.lua with real clients,
-- see support/calls.lua; the rows are in support/faults, the faults themselves in support/server.
--
-- A row has
--   family, name
--   listener, path: where the fault is met; scheme, when it is not the listener's own
--   kinds: the kind of error that is right, or the few, separated by bars; "ok" is a result. A
--     function is asked for them, with the method.
--   nginx: the kinds there, where they differ; only = "curl": what nginx cannot meet
--   sent: what err.request_sent must be, nil where nobody can know
--   status: that the error has; retry_after: { from, to }, false for none
--   check: a function that says what is wrong with a result
--   calls: how many one client makes, each to the same end
--   requests: { [idempotent] = how many the provider sees }, where it is not one an attempt
--   heavy: not met where everything takes long
--   final: what could be repeated is not, because the provider asks for too much patience
--   few: met by one method that may be repeated and one that may not, not by all of them
-- Whether the call may be repeated, and so how often the provider may see it, follows from the
-- kind, the status and `sent` by the contract: see support/calls.lua.

local M = { rows = {}, families = {} }

-- What happens to bytes may happen to them over TLS, too.
local twinned = { connection = true, time = true, framing = true, size = true }

local function twin_of(row)
  local twin = {}
  for name, value in pairs(row) do twin[name] = value end
  twin.few, twin.listener, twin.name = true, "https", row.name .. ", over TLS"
  return twin
end

local known = {}

for _, part in ipairs{ "wire", "answers" } do
  for _, row in ipairs(require("spec.support.faults." .. part)) do
    if not known[row.family] then M.families[#M.families + 1] = row.family end
    known[row.family] = true
    M.rows[#M.rows + 1] = row
    if twinned[row.family] and row.listener == "http" and not row.few then
      M.rows[#M.rows + 1] = twin_of(row)
    end
  end
end

return M
