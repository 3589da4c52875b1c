--- The blocking transport: libcurl, one pool of connections a client.
-- What libcurl is told, and what it must not do, is in `src/curl`. Here a
-- transfer is only driven, a second at a time: between two steps an interrupt
-- (Ctrl-C) reaches the Lua state.
-- @module usher.transport.curl

local core = require "usher.core"

local M = {}

local STEP = 1 -- seconds

local function load_module()
  local ok, curl = pcall(require, "usher.curl")
  if ok then return curl end
  error("usher: calls need the C module usher.curl, which needs libcurl; "
    .. "install it, or give the client a transport of your own:\n" .. tostring(curl), 0)
end

--- Makes a transport.
-- @tparam[opt] table settings of a client: `proxy` (a URL, or `"environment"`
-- to obey the variables), `ca_file`, `client_cert`, `client_key_file`, `verify`
-- (true), `max_connections`; and `http` (`"auto"`, or `"1.1"` to do without
-- HTTP/2)
-- @treturn table `{ send, sleep, close }`, see `usher.transport`
-- @raise when libcurl is missing, or a setting is not what it should be
-- @usage local transport = require("usher.transport.curl").new{ http = "1.1" }
-- local chat = usher.vchatcloud{ api_key = key, transport = transport }
function M.new(settings)
  local pool = load_module().new(settings or {})
  return {
    -- A hook may start another call in the middle of this one: the pool then
    -- reports either transfer to whoever asks, so ask the transfer as well.
    send = function(request)
      local transfer = pool:start(request)
      repeat until pool:step(STEP) == transfer or transfer:done()
      return transfer:result()
    end,
    sleep = function(seconds)
      while seconds > 0 do seconds = core.sleep(seconds) end
    end,
    close = function() pool:close() end,
  }
end

return M
