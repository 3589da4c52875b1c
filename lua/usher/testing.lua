--- For your own tests: a client that expects certain calls and answers them, a
-- clock that moves when you say so, and transports that record real answers and
-- give them again. The sandbox (`usher.sandbox`) is the other way: it behaves
-- like the provider and expects nothing.
-- @module usher.testing

local core = require "usher.core"
local json = require "usher.sandbox.json"

local M = {}

-- --- a clock ------------------------------------------------------------------------------------

local clock_methods = {}
local clock_mt = { __name = "usher.testing.clock", __index = clock_methods }

--- A clock that stands still.
-- @tparam[opt] number start Unix seconds (1700000000)
-- @treturn table clock; `clock.now` is what the option `clock` takes
-- @usage local clock = usher.testing.clock()
-- local client = usher.qiscus{ clock = clock.now, ... }
-- clock:advance(3600)
function M.clock(start)
  local self = setmetatable({ time = start or 1700000000 }, clock_mt)
  function self.now() return self.time end
  return self
end

--- Lets time pass.
-- @tparam number seconds
function clock_methods:advance(seconds)
  self.time = self.time + seconds
end

-- --- a client that expects ----------------------------------------------------------------------

local stub_methods = {}
local stub_mt = { __name = "usher.testing.stub", __index = stub_methods }

-- What a client of each provider needs: the sandbox's credentials.
local function credentials_of(provider)
  local sandbox = require "usher.sandbox"
  return sandbox.new():options(provider)
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

local function send(self, request)
  local expected = table.remove(self.expected, 1)
  self.calls[#self.calls + 1] = request
  if not expected then fail(self, "unexpected call, " .. describe_call(request)) end
  if expected.method ~= request.operation then
    fail(self, ("expected %s, not %s"):format(expected.method, describe_call(request)))
  end
  local wanted = expected.request
  for _, part in ipairs{ "method", "url", "body" } do
    if wanted and wanted[part] ~= request[part] then
      fail(self, ("%s with another %s: expected %s, not %s"):format(request.operation, part,
        tostring(wanted[part]), tostring(request[part])))
    end
  end
  return answer(expected.response)
end

--- Makes a client that expects calls in an order. Nothing leaves the process.
-- @tparam string provider
-- @tparam[opt] table options of the client; credentials are given where they are absent
-- @treturn table stub; `stub.client` is the client, `stub.calls` the requests it has seen
-- @usage local stub = usher.testing.stub("qiscus")
-- stub:expect("user_profile", { user_id = "bob" },
--   { status = 200, body = { results = { user = { user_id = "bob" } }, status = 200 } })
-- greet(stub.client, "bob")
-- stub:verify()
function M.stub(provider, options)
  local self = setmetatable({ expected = {}, calls = {}, slept = 0 }, stub_mt)
  local given = credentials_of(provider)
  for name, value in pairs(options or {}) do given[name] = value end
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

--- Expects a call, after those that are expected already.
-- @tparam string method
-- @tparam ?table arguments as for the method; nil: any
-- @tparam[opt] table response `status` (200), `headers`, `body` (a table is sent as JSON); or
-- `kind`, `message` and `sent` for a failure: `{ kind = "timeout", sent = true }`
-- @treturn table the stub itself
function stub_methods:expect(method, arguments, response)
  local request = arguments and self.client:request(method, arguments)
  self.expected[#self.expected + 1] =
    { method = method, request = request, response = response or {} }
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

-- --- recording and replaying --------------------------------------------------------------------

local SECRETS = { "token", "secret", "password", "authcode", "apikey", "api_key", "jwt" }

local function is_secret(name)
  local lower = name:lower()
  for _, word in ipairs(SECRETS) do
    if lower:find(word, 1, true) then return true end
  end
  return false
end

local function scrubbed(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, member in pairs(value) do
    local hidden = type(name) == "string" and is_secret(name) and type(member) == "string"
    copy[name] = hidden and "***" or scrubbed(member)
  end
  return copy
end

local function scrubbed_body(body)
  local value = core.decode(body)
  if type(value) ~= "table" then return body end
  return (core.encode{ v = scrubbed(value) }:match("^{\"v\":(.*)}$"))
end

-- What tells one request from another, without what must not be written down.
local function key_of(request)
  local path = request.url:match("^%a+://[^/]+(.*)$") or request.url
  return ("%s %s %s"):format(request.method, path,
    core.sha256(scrubbed_body(request.body or "")):sub(1, 16))
end

local function header_names(headers)
  return { ["content-type"] = headers["content-type"], ["retry-after"] = headers["retry-after"] }
end

local function entry_of(request, status, headers, body)
  if status then
    return { request = key_of(request), status = status, headers = header_names(headers or {}),
      body = scrubbed_body(body or "") }
  end
  return { request = key_of(request), kind = headers, message = body }
end

--- A transport that asks the provider, and writes every answer to a file that `replay` reads. No
-- header of a request is written, and in JSON no value whose name speaks of a token, a secret or a
-- password; look at the file before you share it all the same.
-- @tparam string path
-- @tparam[opt] table|function transport which asks; libcurl's if absent
-- @treturn table transport
-- @usage local client = usher.qiscus{ transport = usher.testing.record("bob.jsonl") }
function M.record(path, transport)
  local file = assert(io.open(path, "wb"))
  transport = transport or require("usher.transport.curl").new{}
  if type(transport) == "function" then transport = { send = transport } end
  return {
    send = function(request)
      local status, headers, body, sent = transport.send(request)
      local entry = entry_of(request, status, headers, body)
      if not status then entry.sent = sent end
      file:write(core.encode(entry), "\n")
      file:flush()
      return status, headers, body, sent
    end,
    sleep = transport.sleep,
    close = function()
      file:close()
      if transport.close then transport.close() end
    end,
  }
end

local function read_entries(path)
  local entries, number = {}, 0
  for line in assert(io.open(path, "rb")):lines() do
    number = number + 1
    local entry, problem = core.decode(line)
    if type(entry) ~= "table" or type(entry.request) ~= "string" then
      error(("usher.testing.replay: %s:%d: %s"):format(path, number,
        problem or "is no recorded answer"), 3)
    end
    local list = entries[entry.request] or {}
    entries[entry.request], list[#list + 1] = list, entry
  end
  return entries
end

--- A transport that gives the answers which `record` wrote: for each request in the order they
-- came, the last one again and again. A request that was not recorded is an error of kind
-- `network`.
-- @tparam string path
-- @treturn table transport
function M.replay(path)
  local entries = read_entries(path)
  return {
    send = function(request)
      local list = entries[key_of(request)]
      if not list then
        return nil, "network", "usher.testing.replay: not recorded: " .. key_of(request), false
      end
      local entry = list[2] and table.remove(list, 1) or list[1]
      if entry.status then return entry.status, entry.headers or {}, entry.body end
      return nil, entry.kind, entry.message, entry.sent
    end,
    sleep = function() return true end,
  }
end

return M
