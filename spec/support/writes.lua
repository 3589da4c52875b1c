-- Methods that must not be repeated once their request was sent: how to call each of them, what may
-- happen to the request, and what the caller is to hear. The rows of the providers say which ones
-- these are. Used by exactly_once_spec.lua and nginx/exactly_once_spec.lua; a server.lua is the
-- witness.

local usher = require "usher"

local M = {}

-- Arguments that pass the checks of any row.
local VALUES = {
  string = "value", boolean = true, integer = 1, table = { a = 1 },
  ["list of strings"] = { "value" }, ["list of tables"] = { { a = 1 } },
  ["string or boolean"] = true,
  file = { data = "\137PNG", filename = "cat.png" },
}

local OPTIONS = {
  ertc = { api_key = "key", bundle_id = "b", tenant_id = "t", device_id = "d",
    access_token = "token", refresh_token = "refresh" },
  qiscus = { app_id = "app", secret = "secret" },
  smooch = { jwt = "a.b.c" },
  vchatcloud = { api_key = "key", token = "token" },
}

local function arguments_of(method)
  local arguments = {}
  for _, row in ipairs(method.parameters) do
    if row.required then
      arguments[row.name] = row.choices and row.choices:match("^[^|]+") or VALUES[row.type]
    end
  end
  return arguments
end

--- The methods of all providers that may be repeated, or those that may not.
-- @tparam boolean idempotent
-- @treturn {table,...} of { provider, method, options, arguments }
function M.methods(idempotent)
  local list = {}
  for _, provider in ipairs(usher.providers()) do
    for _, method in ipairs(usher.describe(provider).methods) do
      if method.idempotent == idempotent then
        list[#list + 1] = { provider = provider, method = method.name,
          options = OPTIONS[provider], arguments = arguments_of(method) }
      end
    end
  end
  return list
end

-- { name, path, kind, per-call options }. "stale": the connection has carried one answer before.
M.faults = {
  http1 = {
    { "closes a kept connection after reading the request", "/stale", "network" },
    { "resets a kept connection after reading the request", "/stale_reset", "network" },
    { "closes before the reply", "/close_before_reply", "network" },
    { "resets before the reply", "/reset_before_reply", "network" },
    { "closes in the head", "/close_in_head", "network" },
    { "closes in the body", "/truncated", "network" },
    { "resets in the body", "/reset_in_body", "network" },
    { "never replies", "/stale_stall", "timeout", { timeout = 0.05 } },
  },
  http2 = {
    { "closes a kept connection after reading the request", "/stale", "network" },
    { "resets a kept connection after reading the request", "/stale_reset", "network" },
    { "closes before the reply", "/close_before_reply", "network" },
    { "resets before the reply", "/reset_before_reply", "network" },
    { "closes in the body", "/close_in_body", "network" },
    { "resets in the body", "/connection_reset_in_body", "network" },
    { "never replies", "/stale_stall", "timeout", { timeout = 0.05 } },
    { "closes after reading the head", "/early_close", "network" },
    { "resets after reading the head", "/early_reset", "network" },
    { "ends the stream without a head", "/ended_before_head", "network" },
    { "resets the stream in the body", "/reset_in_body/CANCEL", "network" },
    { "refuses the stream in the body", "/reset_in_body/REFUSED_STREAM", "network" },
    { "refuses the stream at its head", "/early_reset_stream/REFUSED_STREAM", "network" },
    { "says goodbye to what it may have read, and closes", "/goodbye_close/at/NO_ERROR",
      "network" },
    { "says goodbye to what it may have read, and no more", "/stale_goodbye/at/NO_ERROR",
      "timeout", { timeout = 0.05 } },
  },
}

local function add(row)
  M.faults.http2[#M.faults.http2 + 1] = row
end

for _, code in ipairs{ "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "REFUSED_STREAM", "CANCEL",
  "ENHANCE_YOUR_CALM", "HTTP_1_1_REQUIRED" } do
  add{ "resets the stream: " .. code, "/reset_stream/" .. code, "network" }
  add{ "resets a later stream: " .. code, "/stale_reset_stream/" .. code, "network" }
end
for _, code in ipairs{ "NO_ERROR", "ENHANCE_YOUR_CALM" } do
  for _, how in ipairs{ "goodbye", "goodbye_close" } do
    local path = ("%s/below/%s"):format(how, code)
    add{ "says that it did not look: " .. path, "/" .. path, "network" }
    add{ "says later that it did not look: " .. path, "/stale_" .. path, "network" }
  end
end

--- Makes the call of a method under a fault, after one that is answered if the fault needs a kept
-- connection. Runs in nginx, too.
-- @tparam table call of `methods`
-- @tparam table fault
-- @tparam table options of the client: `base_url` ends in the path of the fault
-- @treturn table `{ kind, message, request_sent, retryable, attempts }`, or `{ status }`
function M.try(call, fault, options)
  local all = { random = function() return 0 end }
  for _, set in ipairs{ call.options, options } do
    for name, value in pairs(set) do all[name] = value end
  end
  local client = usher[call.provider](all)
  local method = client[call.method]
  if fault[2]:find("^/stale") then assert(method(client, call.arguments)) end
  local result, err = method(client, call.arguments, fault[4])
  client:close()
  if result then return { status = err.status } end
  return { kind = err.kind, message = err.message, request_sent = err.request_sent,
    retryable = err.retryable, attempts = err.attempts }
end

--- What is wrong with what came of a call, or nil.
function M.problem(fault, outcome)
  local expected = { kind = fault[3], request_sent = true, retryable = false, attempts = 1 }
  for name, value in pairs(expected) do
    if outcome[name] ~= value then
      return ("%s is %s instead of %s: %s"):format(name, tostring(outcome[name]), tostring(value),
        tostring(outcome.status or outcome.message))
    end
  end
end

--- How often the server saw a call of each method; the path tells them apart.
-- @tparam table server
-- @treturn table number by target
-- @treturn number of different targets
function M.seen(server)
  server:journal() -- what has arrived by now has been read when it is asked again
  local counts, targets = {}, 0
  for _, request in ipairs(server:journal()) do
    if not counts[request.target] then targets = targets + 1 end
    counts[request.target] = (counts[request.target] or 0) + 1
  end
  return counts, targets
end

--- What is wrong with what the server saw of `calls` methods, or nil.
function M.problem_of_journal(server, fault, calls)
  local expected = fault[2]:find("^/stale") and 2 or 1
  local counts, targets = M.seen(server)
  if targets ~= calls then return ("%d of %d methods were seen"):format(targets, calls) end
  for target, count in pairs(counts) do
    if count ~= expected then
      return ("%s was seen %d times, not %d"):format(target, count, expected)
    end
  end
end

return M
