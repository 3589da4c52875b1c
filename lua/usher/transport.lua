--- Chooses and checks the transport of a client.
-- A transport is a table with two functions. `send(request)` gets
-- `{ method, url, headers, body, timeout, connect_timeout, max_response_size,
-- idempotent, provider, operation, attempt }` (times in seconds, sizes in
-- bytes) and returns `status, headers, body` with lower-case header names, or
-- `nil, kind, message, sent`. `sleep(seconds)` waits. A third, `close()`, is
-- called when the client is closed. A function alone is `send`.
-- @module usher.transport

local scheduler = require "usher.scheduler"

local ngx = rawget(_G, "ngx")

local M = {}

-- The default transport is made at the first call, so that a client that only
-- describes requests needs no libcurl. In nginx libcurl is never loaded.
local function attach_default(environment)
  local name = ngx and "usher.transport.ngx" or "usher.transport.curl"
  local function open()
    local transport = require(name).new(environment.settings)
    environment.send = transport.send
    environment.close = transport.close
    environment.sleep = transport.sleep
    return transport
  end
  environment.send = function(request) return open().send(request) end
  environment.sleep = scheduler.pause
end

--- What is wrong with the option `transport`.
-- @treturn ?string nil when nothing is
function M.problem(transport)
  if type(transport) ~= "table" then return nil end -- a function, or refused for its type
  if type(transport.send) ~= "function" then return "transport needs a function 'send'" end
  for _, name in ipairs{ "sleep", "close" } do
    local value = transport[name]
    if value ~= nil and type(value) ~= "function" then
      return ("transport.%s must be a function, not %s"):format(name, type(value))
    end
  end
end

--- Gives `environment` its `send`, `sleep` and `close`.
-- @tparam table environment of a client; `environment.transport` is the
-- option, which has no problem
function M.attach(environment)
  local transport = environment.transport
  if transport == nil then return attach_default(environment) end
  if type(transport) == "function" then transport = { send = transport } end
  environment.send = transport.send
  environment.sleep = transport.sleep or scheduler.pause
  environment.close = transport.close
end

return M
