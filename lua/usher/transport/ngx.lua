--- Sends requests through nginx's cosockets: the worker never waits.
-- `usher` chooses this transport by itself where `ngx` is there; libcurl is not
-- loaded then. It speaks HTTP/1.1, keeps connections in nginx's own pools, one
-- for each scheme, host, port, server name, verification, client certificate
-- and proxy, and works in every phase that may yield. What nginx has to know:
--
--     resolver 10.0.0.2;             # the names of providers are resolved by nginx itself,
--     resolver_timeout 5s;           # which reads no /etc/hosts; "localhost" and IP addresses
--                                    # need no resolver
--     lua_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;
--     lua_ssl_verify_depth 3;        # intermediate certificates; nginx's default is 1
--     lua_ssl_protocols TLSv1.2 TLSv1.3;
--     lua_socket_log_errors off;     # errors are returned, error.log need not have them too
--
-- A certificate for an IP address cannot be verified by nginx: use a name. A
-- server behind a Unix-domain socket needs a `proxy_pass` in front of it.
--
-- In phases that cannot yield (`init_by_lua`, `init_worker_by_lua`, `set_by_lua`,
-- `header_filter_by_lua`, `body_filter_by_lua`, `balancer_by_lua`, `log_by_lua`,
-- ...) a call fails with the kind `"cancelled"`: start it in a timer.
--
--     log_by_lua_block {
--       local room, user = ngx.ctx.room, ngx.ctx.user
--       ngx.timer.at(0, function() chat:mute_user{ room_id = room, client_key = user } end)
--     }
-- @module usher.transport.ngx

local connections = require "usher.transport.ngx_connection"
local core = require "usher.core"
local ngx_settings = require "usher.transport.ngx_settings"
local requests = require "usher.transport.http1_request"
local responses = require "usher.transport.http1_response"
local waiting = require "usher.transport.ngx_waiting"

local ngx = ngx

local M = {}

local fail, SMALL = connections.fail, connections.SMALL
local TICK, WATCH = waiting.TICK, waiting.WATCH

local IDLE = 30 -- seconds that an unused connection is kept
-- For requests that must not be acted on twice. A server may close a connection
-- just as we write to it, and then nobody knows whether it read the request.
-- No server gives up after two seconds without saying so.
local IDLE_UNREPEATABLE = 2
local POOL_SIZE = 512 -- unused connections of one pool, in one worker
local CHUNK = 65536
local TIMEOUT, CONNECT_TIMEOUT, RESPONSE_SIZE = 30, 5, 8 * 1024 * 1024

--- What nginx cannot do of the settings of a client.
-- @tparam table settings as for `new`; what is of the wrong type is passed over
-- @treturn ?string nil when it can do them all, else the option and what is
-- wrong with it
function M.problem(settings)
  local _, problem = ngx_settings.read(settings)
  return problem
end

-- A pooled connection has to be silent when it is written to: what comes unasked
-- is its end, or the rest of an earlier answer. nginx asks the kernel, but what
-- OpenSSL has decrypted already the kernel does not know. So over TLS the answer
-- is read first, and a light thread writes the request once the reader waits; a
-- tick before, since nginx may have put off the rest of what OpenSSL has to the
-- next turn of its loop. Returns nil when the reader has not waited; nothing was
-- written then.
--
-- The writer stays until the reader kills it, or is dead: a light thread that has
-- ended, and that a killed one should have waited for, keeps a request open for
-- ever.
local function write_when_silent(attempt, message)
  local socket, thread, reader = attempt.socket, ngx.thread, coroutine.running()
  local started, over, written, reason = false, false, nil, "timeout"
  ngx.sleep(TICK)
  waiting.set_timeouts(attempt)
  local writer = thread.spawn(function()
    coroutine.yield()
    if over then return end
    started = true
    written, reason = socket:send(message)
    repeat ngx.sleep(WATCH) until waiting.is_dead(reader)
  end)
  local bytes, problem = socket:receiveany(CHUNK)
  over = true
  thread.kill(writer) -- with the socket, should it still be writing
  if not started then return nil end
  attempt.first_bytes, attempt.first_reason = bytes, problem
  return true, written, reason
end

-- Without a pause where the kernel takes all of it, which is nearly always.
local function write(attempt, message)
  local socket = attempt.socket
  waiting.set_timeouts(attempt)
  if #message <= SMALL then return socket:send(message) end
  return waiting.within(attempt, function()
    local written, reason = socket:send(message)
    return written, reason
  end)
end

-- Writes the request to a connection of the pool. Returns nil where that cannot
-- be done, and nothing was written.
local function reuse(attempt, message)
  if #message > SMALL then return nil end
  attempt.connected = true
  if attempt.origin.scheme ~= "https" then return true, write(attempt, message) end
  local silent, written, reason = write_when_silent(attempt, message)
  attempt.connected = silent
  return silent, written, reason
end

-- Gets hold of a connection and writes the request to it. Returns true and what
-- came of the writing, or the failure to connect.
local function start(attempt, message)
  while true do
    local ok, kind, problem, sent = connections.open(attempt)
    if not ok then return nil, kind, problem, sent end
    if attempt.socket:getreusedtimes() == 0 then break end
    local written_to, written, reason = reuse(attempt, message)
    if written_to then return true, written, reason end
    attempt.socket:close()
  end
  local ok, kind, problem, sent = connections.prepare(attempt)
  if not ok then return nil, kind, problem, sent end
  attempt.connected = true
  return true, write(attempt, message)
end

local function keep(attempt, response)
  local idle = attempt.idle
  local hint = (response.headers["keep-alive"] or ""):match("timeout=(%d+)")
  if hint then idle = math.min(idle, tonumber(hint) - 1) end
  if response.reusable and idle > 0 then
    return attempt.socket:setkeepalive(waiting.milliseconds(idle), POOL_SIZE)
  end
  attempt.socket:close()
end

-- An answer may come although the request could not be written to its end.
local function exchange(attempt, message, request)
  local ok, written, reason, sent = start(attempt, message)
  if not ok then return fail(written, reason, sent) end
  if not written and reason == "timeout" then
    attempt.socket:close()
    return fail("timeout", "timed out sending the request", true)
  end
  local response, kind, problem = responses.reader(connections.receiver(attempt))
    :response(request.method, request.max_response_size or RESPONSE_SIZE)
  if not response then
    attempt.socket:close()
    if written then return fail(kind, problem, true) end
    return fail("network", "the request could not be sent: " .. tostring(reason), true)
  end
  response.reusable = response.reusable and written and #message <= SMALL
  keep(attempt, response)
  return response.status, response.headers, response.body
end

-- A proxy that is not tunnelled through is told the whole URL.
local function write_head(options, origin, request)
  local proxy = options.proxy
  if not proxy or origin.scheme == "https" then
    return requests.head(request, origin.target, origin.authority)
  end
  local headers = { ["Proxy-Authorization"] = proxy.authorization }
  for name, value in pairs(request.headers or {}) do headers[name] = value end
  return requests.head({ method = request.method, body = request.body, headers = headers },
    origin.url, origin.authority)
end

local function send(options, request)
  local origin = requests.origin(request.url)
  if not origin then return fail("protocol", "the URL is not one of http:// or https://", false) end
  local head, problem = write_head(options, origin, request)
  if not head then return fail("protocol", problem, false) end
  local message = head .. (request.body or "")
  local now = core.monotonic()
  local attempt = {
    options = options, origin = origin,
    pool = connections.pool_name(options, origin, request, #message),
    deadline = now + (request.timeout or TIMEOUT), -- seconds of core.monotonic
    connect_deadline = now + (request.connect_timeout or CONNECT_TIMEOUT), connected = false,
    turn = 0,
    idle = (request.idempotent and not options.max_connections) and IDLE or IDLE_UNREPEATABLE,
  }
  return exchange(attempt, message, request)
end

--- Makes a transport. Raises for a setting that nginx cannot honour.
-- @tparam[opt] table settings of a client: `verify`, `proxy` (`http://` only),
-- `client_cert`, `client_key_file`, `max_connections` (in each worker, for all
-- clients with the same settings together; the wait for one counts as
-- connecting); `ca_file` is refused
-- @treturn table `{ send, sleep, close }`, see `usher.transport`. `sleep` returns
-- true, or nil, `"cancelled"`, a message and false where it is not possible to wait.
-- @usage local chat = usher.vchatcloud{
--   api_key = key, transport = require("usher.transport.ngx").new{ max_connections = 20 },
-- }
function M.new(settings)
  if not (ngx and ngx.socket) then error("usher.transport.ngx works inside nginx only", 2) end
  local options, problem = ngx_settings.read(settings or {})
  if not options then error("usher: " .. problem, 2) end
  local closed = false
  return {
    send = function(request)
      if closed then return fail("cancelled", "the client was closed", false) end
      local reason = waiting.problem()
      if reason then return fail("cancelled", reason, false) end
      return send(options, request)
    end,
    sleep = function(seconds)
      local reason = waiting.problem()
      if reason then return fail("cancelled", reason, false) end
      ngx.sleep(math.max(TICK, seconds))
      return true
    end,
    -- The pools belong to the worker: connections leave them when they are idle.
    close = function() closed = true end,
  }
end

return M
