-- What answer_fuzz.c does with the bytes of one run: a client of some provider calls a method, and
-- the bytes are what the server says, to the last detail of HTTP. Then it calls again, and this
-- time the server is sane.
--
-- The first bytes choose: the method; how the answer is sent; what the limits are; where the answer
-- to a second request of the same call begins. The rest is on the wire.

package.path = "./lua/?.lua;./lua/?/init.lua;./?.lua;" .. package.path

local server = host -- luacheck: globals host

local curl = require "usher.curl"
local usher = require "usher"
local writes = require "spec.support.writes"

-- Looks at a server that is idle, before it hangs up: where a client waits for more than it gets,
-- and where it gets all there is.
local IMPATIENT, PATIENT = 12, 200
local LONGEST = 20 -- seconds for a call that has been hung up on

local SAFE = '{"success":true,"result_cd":1,"status":200,"second":"answer"'
  .. ',"data":{"X-AUTH-TOKEN":"token"}}'
local SECOND = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " .. #SAFE
  .. "\r\n\r\n" .. SAFE

local KINDS = {}
for kind in ("network timeout tls http api rate_limited redirect decode protocol too_large memory "
    .. "cancelled"):gmatch("%S+") do
  KINDS[kind] = true
end

-- What the server may say back and nobody is to see.
local SECRETS = { "s3cret/key\"one", "s3cret-token.2", "s3cret+refresh 3", "s3cret\\\195\169 4" }

local OPTIONS = {
  ertc = { api_key = SECRETS[1], bundle_id = "b", tenant_id = "t", device_id = "d",
    access_token = SECRETS[2], refresh_token = SECRETS[3] },
  qiscus = { app_id = "app", secret = SECRETS[4] },
  smooch = { key_id = SECRETS[1], secret = SECRETS[4] },
  vchatcloud = { api_key = SECRETS[1], token = SECRETS[2] },
}

-- A method of each provider that is asked second.
local AGAIN = { ertc = "blocked_users", qiscus = "user_profile", smooch = "get_app_user",
  vchatcloud = "list_users" }

local calls, again = {}, {}
for _, idempotent in ipairs{ true, false } do
  for _, call in ipairs(writes.methods(idempotent)) do
    call.idempotent = idempotent
    calls[#calls + 1] = call
    if AGAIN[call.provider] == call.method then again[call.provider] = call end
  end
end

-- The pool of the transport, which lets the server do its part while it waits.
local idle, patience, hung_up

local function look_after_server()
  if server.step() then
    idle = 0
    return
  end
  idle = idle + 1
  if idle < patience then return end
  idle = 0
  server.finish()
  hung_up = hung_up or os.time()
  if os.time() - hung_up > LONGEST then error("a call does not end") end
end

local function new_pool(settings)
  local pool = curl.new(settings)
  local watched = {}
  function watched:start(request) -- luacheck: no self
    return pool:start(request)
  end
  function watched:step() -- luacheck: no self
    look_after_server()
    return pool:step(idle > 50 and 0.001 or 0)
  end
  function watched:close() -- luacheck: no self
    pool:close()
  end
  return watched
end

package.loaded["usher.curl"] = { new = new_pool, loop = curl.loop, version = curl.version }

-- The options of a client of the call's provider.
local function options_of(call, without_token)
  local options = {}
  for name, value in pairs(OPTIONS[call.provider]) do options[name] = value end
  if without_token then options.token = nil end
  return options
end

local function new_client(call, port, credentials, options)
  local transport = require("usher.transport.curl").new{}
  local given = {
    base_url = "http://127.0.0.1:" .. port,
    transport = { send = transport.send, close = transport.close, sleep = function() end },
    retries = call.idempotent and options.retries or 0,
    max_response_size = options.small and 1000 or nil,
    timeout = LONGEST,
    random = function() return 0.5 end,
  }
  for name, value in pairs(credentials) do given[name] = value end
  return usher[call.provider](given)
end

local secret = {}
for _, text in ipairs(SECRETS) do secret[text] = true end

local function has_no_secret(text, options)
  for _, value in pairs(options) do
    assert(not (secret[value] and server.spelled(text, value)), "a secret is shown")
  end
end

local function check_error(err, call, credentials)
  assert(type(err) == "table" and KINDS[err.kind], "an error without a kind")
  assert(err.provider == call.provider and err.method == call.method)
  assert(type(err.message) == "string" and #err.message <= 4096)
  assert(err.body == nil or #err.body <= 2048)
  assert(err.code == nil or type(err.code) == "string" or err.code % 1 == 0)
  assert(err.status == nil or err.status % 1 == 0)
  assert(err.retry_after == nil or (err.retry_after >= 0 and err.retry_after <= 1e6))
  assert(type(err.retryable) == "boolean" and type(err.request_sent) == "boolean")
  assert(err.attempts >= 0)
  if call.idempotent or err.kind == "rate_limited" or not err.request_sent then
    assert(err.attempts <= 6) -- a token that was refused is replaced once
  else
    assert(not err.retryable, "a write that may have been acted on is retryable")
  end
  has_no_secret(tostring(err), credentials)
  has_no_secret(err.body or "", credentials)
  has_no_secret(tostring(err.code), credentials)
end

local function check_success(result, response)
  assert(result == true or type(result) == "table", "a success without a result")
  assert(response.status >= 200 and response.status <= 299)
  assert(response.attempts >= 1 and response.elapsed >= 0)
  for name, value in pairs(response.headers) do
    assert(type(value) == "string" and name == name:lower() and not value:find("[\r\n]"))
  end
end

local function make(client, call, credentials)
  idle, patience, hung_up = 0, IMPATIENT, nil
  local result, err = client[call.method](client, call.arguments)
  if result == nil then
    check_error(err, call, credentials)
  else
    check_success(result, err)
  end
  if not call.idempotent then
    assert(server.requests() <= 1, "a write was sent twice")
  end
end

-- Whatever the first answer was, nothing of it is taken for the second.
local function make_again(client, provider)
  local call = again[provider]
  server.play(SECOND, 0, false, 0, false)
  idle, patience, hung_up = 0, PATIENT, nil
  local result, err = client[call.method](client, call.arguments)
  if result == nil then error("the second call failed: " .. tostring(err)) end
  assert(result.second == "answer", "the second call got another answer")
end

local port = server.start()

return function(bytes)
  local chosen, how, limits, pause = bytes:byte(1, 4)
  if not pause then return end
  local call = calls[chosen % #calls + 1]
  local credentials = options_of(call, limits % 8 >= 4)
  local answer = bytes:sub(5)
  server.play(answer, math.floor(#answer * pause / 255), how % 8 >= 4, how % 4 % 3, true)
  local client = new_client(call, port, credentials, {
    retries = limits % 3,
    small = limits >= 128,
  })
  make(client, call, credentials)
  if how >= 128 then make_again(client, call.provider) end
  client:close()
end
