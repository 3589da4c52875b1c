-- Inside nginx: runs the Lua code that a spec sends, see spec/support/nginx.lua. The module keeps
-- what a spec wants to find again in a later request of the same worker.

local cjson = require "cjson.safe"
local ngx = ngx

local M = { kept = {} }

--- Answers a request whose body is `{ "code", "argument" }` with `{ "value" }` or `{ "problem" }`.
function M.serve()
  ngx.req.read_body()
  local asked = cjson.decode(ngx.req.get_body_data() or "")
  local ok, value = xpcall(function()
    return assert(load(asked.code, "=spec"))(asked.argument)
  end, debug.traceback)
  local answer = ok and { value = value } or { problem = tostring(value) }
  ngx.print(assert(cjson.encode(answer)))
end

--- Sends one request with a new transport and says what came of it.
-- @tparam table request as a transport gets it
-- @tparam[opt] table settings of the transport
-- @treturn table `{ status, headers, body, elapsed }` or `{ kind, message, sent, elapsed }`
function M.send(request, settings)
  local core = require "usher.core"
  local transport = require("usher.transport.ngx").new(settings)
  request.method = request.method or "GET"
  local started = core.monotonic()
  local status, first, second, sent = transport.send(request)
  local elapsed = core.monotonic() - started
  if status then return { status = status, headers = first, body = second, elapsed = elapsed } end
  return { kind = first, message = second, sent = sent, elapsed = elapsed }
end

--- Calls and sleeps where a spec's configuration says so, and keeps what came of it.
-- @tparam string name to find it under
-- @tparam string url
function M.try(name, url)
  local transport = require("usher.transport.ngx").new()
  local answer = M.send({ url = url, timeout = 5, connect_timeout = 2, max_response_size = 1000,
    idempotent = true })
  local slept, kind, message, sent = transport.sleep(0.001)
  M.kept[name] = {
    answer = answer,
    sleep = { slept = slept, kind = kind, message = message, sent = sent },
  }
end

return M
