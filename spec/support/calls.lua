-- Real clients under the faults of support/faults.lua: which methods are called, with what, and
-- whether what came of it is what the table and the contract say. Nothing here needs more than
-- usher itself, so the same calls are made in plain Lua and inside nginx.

local usher = require "usher"

local faults = require "spec.support.faults"
local writes = require "spec.support.writes"

local M = {}

local PATIENT = 10 -- seconds for an attempt that shall not be given up
local DEADLINE = 100 -- seconds for a call
local RETRIES = 1
local MEGABYTE = 1048576

--- What every credential is, so that it is found wherever it should not be.
M.SECRET = "c7e1-secret-5ab9"

local credentials = {
  ertc = { api_key = M.SECRET, bundle_id = "bundle", tenant_id = "tenant", device_id = "device",
    access_token = M.SECRET, refresh_token = M.SECRET },
  qiscus = { app_id = "app", secret = M.SECRET },
  smooch = { jwt = M.SECRET },
  vchatcloud = { api_key = M.SECRET, token = M.SECRET },
}

-- What is called: of each provider a method that reads and one that writes, one that may be
-- repeated and one that may not, where it has them; with a JSON body, with another and with none.
local CALLED = { "ertc.block_unblock_user", "ertc.reset_badge_count", "qiscus.user_profile",
  "qiscus.login_or_register", "smooch.get_app_user", "smooch.pre_create_app_user",
  "smooch.post_image_message", "smooch.unlink_app_user", "vchatcloud.list_users",
  "vchatcloud.mute_user" }

-- Those that meet what the others need not.
local thorough = { ["smooch.get_app_user"] = true, ["smooch.pre_create_app_user"] = true }

-- Those that may be answered with nothing.
local content_with_nothing = { ["smooch.unlink_app_user"] = true }

local function find_methods()
  local by_name, list = {}, {}
  for _, idempotent in ipairs{ true, false } do
    for _, method in ipairs(writes.methods(idempotent)) do
      local name = method.provider .. "." .. method.method
      by_name[name] = { provider = method.provider, name = method.method, title = name,
        arguments = method.arguments, idempotent = idempotent, thorough = thorough[name],
        empty_ok = content_with_nothing[name] }
    end
  end
  for i, name in ipairs(CALLED) do list[i] = assert(by_name[name], name) end
  return list
end

--- The methods: { provider, name, title, arguments, idempotent, empty_ok, thorough }.
M.methods = find_methods()

local function kinds_of(row, method, place)
  local kinds = place.transport == "nginx" and row.nginx or row.kinds
  if type(kinds) == "function" then kinds = kinds(method) end
  return kinds
end

local function contains(kinds, kind)
  return ("|" .. kinds .. "|"):find("|" .. kind .. "|", 1, true) ~= nil
end

-- Jobs -------------------------------------------------------------------------------------------

local function is_met(row, method, place)
  if row.only and place.transport == "nginx" or row.heavy and place.checked then return false end
  return method.thorough or not (row.few or place.checked)
end

local function new_job(id, row, method, place)
  local kinds = kinds_of(row, method, place)
  local url = place.urls[row.listener]
  if row.scheme then url = url:gsub("^%a+", row.scheme) end
  return {
    id = id, row = row, method = method, kinds = kinds, slow = contains(kinds, "timeout"),
    base_url = ("%s%s/job-%d"):format(url, row.path, id), place = place,
    name = ("%s: %s, %s"):format(row.name, method.title, place.transport),
  }
end

--- All calls that there are to make.
-- @tparam table place `{ transport = "blocking", "map" or "nginx", urls = by listener, ca_file,
-- patience = seconds for an attempt that is to be given up, checked = true under a memory checker:
-- fewer methods, nothing heavy, more time }`
-- @tparam ?string family only these; nil: all
-- @tparam ?boolean slow only those that are given up, or only the others; nil: all
-- @treturn {table,...} jobs
function M.jobs(place, family, slow)
  local jobs = {}
  local id = 0
  for _, row in ipairs(faults.rows) do
    for _, method in ipairs(M.methods) do
      id = id + 1
      local job = is_met(row, method, place) and new_job(id, row, method, place)
      if job and (not family or row.family == family) and (slow == nil or slow == job.slow) then
        jobs[#jobs + 1] = job
      end
    end
  end
  return jobs
end

-- Calls ------------------------------------------------------------------------------------------

local function open(job)
  local place = job.place
  local timeout = job.slow and place.patience or place.checked and 10 * PATIENT or PATIENT
  local options = {
    base_url = job.base_url, ca_file = place.ca_file, retries = RETRIES, deadline = DEADLINE,
    timeout = timeout, connect_timeout = timeout,
    max_response_size = (job.row.family == "content" and 8 or 1) * MEGABYTE,
    random = function() return 0 end,
  }
  for name, value in pairs(credentials[job.method.provider]) do options[name] = value end
  return usher[job.method.provider](options)
end

-- Where an error tells what it must not, nil where it does not.
local function leak(err)
  for name, value in pairs(err) do
    if tostring(value):find(M.SECRET, 1, true) then return name end
  end
  if tostring(err):find(M.SECRET, 1, true) then return "tostring" end
end

-- What can be written as JSON of the result or the error.
local function outcome_of(job, result, err)
  if result then
    local check = job.row.check
    return { kind = "ok", attempts = err.attempts, status = err.status,
      problem = check and type(result) == "table" and check(result) or nil }
  end
  local code = type(err.code)
  return {
    kind = err.kind, status = err.status, sent = err.request_sent, retryable = err.retryable,
    attempts = err.attempts, retry_after = err.retry_after, message = err.message,
    leak = leak(err), problem = code ~= "nil" and code ~= "string" and code ~= "number"
      and "err.code is a " .. code or nil,
  }
end

local function call(job)
  local client = open(job)
  local result, err
  for _ = 1, job.row.calls do
    result, err = client[job.method.name](client, job.method.arguments)
  end
  client:close()
  return outcome_of(job, result, err)
end

--- Makes the calls of a job with one client.
-- @treturn table outcome, without anything that JSON does not have
function M.perform(job)
  local ok, outcome = xpcall(function() return call(job) end, debug.traceback)
  return ok and outcome or { kind = "raised", message = tostring(outcome) }
end

--- Performs all jobs, `concurrency` at a time; nil: one after the other.
-- @treturn {table,...} outcomes
function M.walk(jobs, concurrency)
  if concurrency then return (usher.map(jobs, M.perform, { concurrency = concurrency })) end
  local outcomes = {}
  for i, job in ipairs(jobs) do outcomes[i] = M.perform(job) end
  return outcomes
end

-- Verdicts ---------------------------------------------------------------------------------------

local repeated_statuses = { [500] = true, [502] = true, [503] = true, [504] = true }

-- The contract: what was not acted on for sure may be repeated, what may have been only where that
-- is harmless.
local function may_be_repeated(outcome, idempotent)
  local kind = outcome.kind
  if kind == "rate_limited" then return true end
  if kind == "network" or kind == "timeout" then return not outcome.sent or idempotent end
  return kind == "http" and idempotent and repeated_statuses[outcome.status] or false
end

local speaks_http = { http = true, https = true, http2 = true }

local function error_problem(job, outcome)
  local row, waits = job.row, job.row.retry_after
  if type(outcome.message) ~= "string" or outcome.message == "" then
    return "no message"
  elseif row.sent ~= nil and outcome.sent ~= row.sent then
    return "request_sent is " .. tostring(outcome.sent)
  elseif row.status and outcome.status ~= row.status then
    return "status is " .. tostring(outcome.status)
  elseif waits and not (outcome.retry_after and outcome.retry_after >= waits[1]
    and outcome.retry_after <= waits[2]) or waits == false and outcome.retry_after then
    return "retry_after is " .. tostring(outcome.retry_after)
  elseif outcome.retryable ~= may_be_repeated(outcome, job.method.idempotent) then
    return "retryable is " .. tostring(outcome.retryable)
  end
end

-- Before the attempt that counts there may have been one that never reached the provider, or one
-- with another outcome.
local function attempts_problem(job, outcome, attempts)
  local may_be_more = job.slow or job.row.sent == nil or job.row.requests
    or job.kinds:find("|", 1, true)
  if outcome.attempts == attempts then return nil end
  if may_be_more and outcome.attempts == 1 + RETRIES then return nil end
  return ("%s attempts"):format(tostring(outcome.attempts))
end

-- `attempts`: that may have reached the provider.
local function requests_problem(job, outcome, attempts, seen)
  local row = job.row
  local requests = row.calls * attempts
  if row.requests then
    requests = row.requests[job.method.idempotent]
  elseif not speaks_http[row.listener] or row.scheme or outcome.sent == false then
    requests = 0
  end
  -- One that was given up, or written to a connection that was dying, may not have been read.
  local may_be_less = job.slow or row.listener == "http2"
    or row.sent == nil and outcome.kind ~= "ok"
  if seen > requests or seen < requests and not may_be_less then
    return ("seen %d times instead of %d"):format(seen, requests)
  end
end

--- What is wrong with an outcome.
-- @tparam table job
-- @tparam table outcome
-- @tparam number seen how often the provider was
-- @treturn ?string nil when nothing is
local function find_problem(job, outcome, seen)
  local is_error = outcome.kind ~= "ok"
  if not contains(job.kinds, outcome.kind) then
    return ("%s (%s) instead of %s"):format(tostring(outcome.kind), tostring(outcome.message),
      job.kinds)
  elseif outcome.problem then
    return outcome.problem
  elseif outcome.leak then
    return "a secret is in " .. outcome.leak
  end
  local problem = is_error and error_problem(job, outcome)
  if problem then return problem end
  local idempotent = job.method.idempotent
  local again = is_error and may_be_repeated(outcome, idempotent)
  return attempts_problem(job, outcome, again and not job.row.final and 1 + RETRIES or 1)
    or requests_problem(job, outcome, (again or idempotent) and outcome.attempts or 1, seen)
end

local function has_cookie(request)
  for _, header in ipairs(request.headers) do
    if header[1]:lower() == "cookie" then return true end
  end
  return false
end

local function tally(jobs, journal)
  local seen, strays, by_id = {}, {}, {}
  for _, job in ipairs(jobs) do
    by_id[job.id] = job
    seen[job.id] = 0
  end
  for _, request in ipairs(journal) do
    local id = tonumber(request.target:match("/job%-(%d+)/"))
    local job = by_id[id]
    if not job or request.listener ~= job.row.listener or has_cookie(request) then
      strays[#strays + 1] = ("%s: %s %s"):format(request.listener, request.method, request.target)
    else
      seen[id] = seen[id] + 1
    end
  end
  return seen, strays
end

--- What is wrong with the outcomes of all jobs, and with what the provider saw: requests that
-- nobody made, at places that nobody named, or with a cookie.
-- @treturn {string,...} empty when nothing is
function M.problems(jobs, outcomes, journal)
  local seen, problems = tally(jobs, journal)
  for i, job in ipairs(jobs) do
    local problem = outcomes[i] and find_problem(job, outcomes[i], seen[job.id])
    if not outcomes[i] then problem = "no outcome" end
    if problem then problems[#problems + 1] = job.name .. ": " .. problem end
  end
  return problems
end

return M
