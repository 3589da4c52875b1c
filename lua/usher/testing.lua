--- For your own tests: a client that expects certain calls and answers them, a
-- clock that moves when you say so, and transports that record real answers and
-- give them again. The sandbox (`usher.sandbox`) is the other way: it behaves
-- like the provider and expects nothing.
-- @module usher.testing

local core = require "usher.core"
local json = require "usher.sandbox.json"
local recording = require "usher.testing.recording"

local M = {}

-- --- a clock ------------------------------------------------------------------------------------

local clock_methods = {}
local clock_mt = { __name = "usher.testing.clock", __index = clock_methods }

--- A clock that stands still.
-- @tparam[opt] number start Unix seconds (1700000000)
-- @treturn table clock; `clock.now` is what the option `clock` takes, `clock.sleep` lets the time
-- pass that someone would wait
-- @usage local clock = usher.testing.clock()
-- local box = require("usher.sandbox").new{ clock = clock.now, sleep = clock.sleep }
-- local chat = usher.vchatcloud(box:options("vchatcloud", { clock = clock.now }))
-- clock:advance(3600) -- the token of the client has expired
function M.clock(start)
  local self = setmetatable({ time = start or 1700000000 }, clock_mt)
  function self.now() return self.time end
  function self.sleep(seconds)
    self:advance(seconds)
    return true
  end
  return self
end

--- Lets time pass.
-- @tparam number seconds
function clock_methods:advance(seconds)
  self.time = self.time + seconds
end

-- --- a client that expects ----------------------------------------------------------------------

local known = {} -- what is described of each provider, and its methods by name
for _, name in ipairs(core.providers()) do
  known[name] = core.describe(name)
  known[name].by_name = {}
  for _, method in ipairs(known[name].methods) do known[name].by_name[method.name] = method end
end

local stub_methods = {}
local stub_mt = { __name = "usher.testing.stub", __index = stub_methods }

-- What a client of each provider needs: the sandbox's credentials, and a token where it would ask
-- for one first.
local function options_of(provider, options, level)
  local described = known[provider]
  if not described then
    error(("usher.testing.stub: no provider '%s'; there are %s"):format(tostring(provider),
      table.concat(core.providers(), ", ")), level + 1)
  end
  local given = require("usher.sandbox").new():options(provider)
  if described.token_method then given.token = "stub-token" end
  for name, value in pairs(options or {}) do
    given[name] = value ~= false and value or nil
  end
  return given
end

local function answer(response)
  if response.kind then
    local sent = response.sent
    if sent == nil then sent = true end
    return nil, response.kind, response.message or response.kind, sent
  end
  local body = response.body
  if type(body) == "table" then body = json.encode(body) end
  return response.status or 200, response.headers or { ["content-type"] = "application/json" },
    body or "{}"
end

local function fail(self, message)
  self.problem = self.problem or message
  error("usher.testing: " .. message, 0)
end

local function describe_call(request)
  local text = ("%s: %s %s"):format(request.operation, request.method, request.url)
  if request.body and request.body ~= "" then text = text .. " " .. request.body end
  return text
end

local function comparable(request, part)
  return part == "body" and recording.body_of(request) or request[part]
end

local function send(self, request)
  local expected = table.remove(self.expected, 1)
  self.calls[#self.calls + 1] = request
  if not expected then fail(self, "unexpected call, " .. describe_call(request)) end
  if expected.method ~= request.operation then
    fail(self, ("expected %s, not %s"):format(expected.method, describe_call(request)))
  end
  local wanted = expected.request
  for _, part in ipairs{ "method", "url", "body" } do
    local here, there = comparable(request, part), wanted and comparable(wanted, part)
    if wanted and there ~= here then
      fail(self, ("%s with another %s: expected %s, not %s"):format(request.operation, part,
        tostring(there), tostring(here)))
    end
  end
  return answer(expected.response)
end

--- Makes a client that expects calls in an order. Nothing leaves the process.
-- @tparam string provider
-- @tparam[opt] table options of the client; credentials are given where they are absent, and a
-- token to a client that would fetch one first (`token = false`: it has none). `clock` may be one
-- of `usher.testing.clock`: waiting moves it
-- @treturn table stub; `stub.client` is the client, `stub.calls` the requests it has seen,
-- `stub.slept` the seconds that it waited
-- @usage local stub = usher.testing.stub("qiscus")
-- stub:expect("user_profile", { user_id = "bob" },
--   { status = 200, body = { results = { user = { user_id = "bob" } }, status = 200 } })
-- greet(stub.client, "bob")
-- stub:verify()
function M.stub(provider, options)
  local given = options_of(provider, options, 2)
  local clock = getmetatable(given.clock) == clock_mt and given.clock or nil
  if clock then given.clock = clock.now end
  local self = setmetatable({ provider = provider, clock = clock, expected = {}, calls = {},
    slept = 0 }, stub_mt)
  given.transport = {
    send = function(request) return send(self, request) end,
    sleep = function(seconds)
      self.slept = self.slept + seconds
      if self.clock then self.clock:advance(seconds) end
      return true
    end,
  }
  self.client = require("usher")[provider](given)
  return self
end

local RESPONSE = { "status", "headers", "body", "kind", "message", "sent" }

local function response_problem(response)
  for name in pairs(response) do
    local valid = false
    for _, each in ipairs(RESPONSE) do valid = valid or each == name end
    if not valid then
      return ("unknown field '%s'; a response takes %s"):format(tostring(name),
        table.concat(RESPONSE, ", "))
    end
  end
  if response.kind and (response.status or response.body) then
    return "a response is an answer, or a failure with its kind, not both"
  end
end

local function expectation_problem(self, method, response)
  if not known[self.provider].by_name[method] then
    return ("%s has no method '%s'"):format(self.provider, tostring(method))
  end
  return response_problem(response)
end

--- Expects a call, after those that are expected already.
-- @tparam string method
-- @tparam ?table arguments as for the method; nil: any
-- @tparam[opt] table response `status` (200), `headers`, `body` (a table is sent as JSON); or
-- `kind`, `message` and `sent` for a failure: `{ kind = "timeout", sent = true }`
-- @treturn table the stub itself
-- @raise for what the client would refuse
function stub_methods:expect(method, arguments, response)
  response = response or {}
  local problem = expectation_problem(self, method, response)
  if problem then error("usher.testing: expect: " .. problem, 2) end
  local request
  if arguments then
    local ok, built = pcall(self.client.request, self.client, method, arguments)
    if not ok then error(tostring(built):gsub("^[^\n]-:%d+: ", ""), 2) end
    request = built
  end
  self.expected[#self.expected + 1] = { method = method, request = request, response = response }
  return self
end

--- Raises when a call is still expected, or one was not. Closes the client.
function stub_methods:verify()
  self.client:close()
  if self.problem then error("usher.testing: " .. self.problem, 2) end
  if not self.expected[1] then return end
  local left = {}
  for i, expected in ipairs(self.expected) do left[i] = expected.method end
  error("usher.testing: not called: " .. table.concat(left, ", "), 2)
end

--- A transport that records answers, and one that gives them again: see `usher.testing.recording`.
M.record, M.replay = recording.record, recording.replay

return M
