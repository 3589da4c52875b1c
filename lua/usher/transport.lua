--- Chooses and checks the transport of a client.
-- A transport is a table with two functions. `send(request)` gets
-- `{ method, url, headers, body, timeout, connect_timeout, max_response_size,
-- idempotent, provider, operation, attempt }` (times in seconds, sizes in
-- bytes) and returns `status, headers, body` with lower-case header names, or
-- `nil, kind, message, sent`. `sleep(seconds)` waits, or returns `nil, kind,
-- message` where it cannot. A third, `close()`, is called when the client is
-- closed. A fourth, `attach(settings)`, is called when a client takes the
-- transport, with what a transport is made from: `proxy`, `ca_file` and so on. A
-- function alone is `send`. libcurl's has a short cut beside its `send`, which
-- takes the call itself in place of a request and returns an answer in place of
-- its values: C reads both where they are, and no Lua string holds a credential.
-- @module usher.transport

local scheduler = require "usher.scheduler"

local ngx = rawget(_G, "ngx")

local M = {}

-- A transport that wraps another `send`, to see or to change what passes, may have
-- taken over that one's short cut, too.
local function short_cut(transport)
  local cut = transport.short_cut
  return type(cut) == "table" and cut.send == transport.send and cut.exchange or nil
end

local function set(environment, transport)
  environment.send = transport.send
  environment.sleep = transport.sleep or scheduler.pause
  environment.close = transport.close
  environment.exchange = short_cut(transport)
end

-- The default transport. In nginx it is made at once, for no other may sleep
-- there, and libcurl is never loaded. Elsewhere it is made at the first call, so
-- that a client that only describes requests needs no libcurl.
local function attach_default(environment)
  if ngx then
    return set(environment, require("usher.transport.ngx").new(environment.settings))
  end
  environment.sleep = scheduler.pause
  local function connect()
    set(environment, require("usher.transport.curl").new(environment.settings))
    if environment.closed then M.detach(environment) end
  end
  function environment.send(request)
    connect()
    return environment.send(request)
  end
  function environment.exchange(call)
    connect()
    return environment.exchange(call)
  end
end

local function table_problem(transport)
  if type(transport.send) ~= "function" then return "transport needs a function 'send'" end
  for _, name in ipairs{ "sleep", "close", "attach" } do
    local value = transport[name]
    if value ~= nil and type(value) ~= "function" then
      return ("transport.%s must be a function, not %s"):format(name, type(value))
    end
  end
end

--- What is wrong with the option `transport`, or with options that the default
-- transport cannot serve here.
-- @tparam table options of a client
-- @treturn ?string nil when nothing is
function M.problem(options)
  local transport = rawget(options, "transport")
  if type(transport) == "table" then return table_problem(transport) end
  if transport == nil and ngx then return require("usher.transport.ngx").problem(options) end
end

--- Gives `environment` its `send`, `sleep` and `close`.
-- @tparam table environment of a client; `environment.transport` is the
-- option, which has no problem
function M.attach(environment)
  local transport = environment.transport
  if transport == nil then return attach_default(environment) end
  if type(transport) == "function" then transport = { send = transport } end
  if transport.attach then transport.attach(environment.settings) end
  set(environment, transport)
end

local function send_nothing()
  return nil, "cancelled", "the client is closed", false
end

--- Takes them back and closes the transport: the client is closed.
function M.detach(environment)
  environment.closed = true
  environment.send = send_nothing
  environment.exchange = environment.exchange and send_nothing
  environment.settings = nil -- a proxy's URL may hold a password
  local close = environment.close
  environment.close = nil
  if close then close() end
end

return M
