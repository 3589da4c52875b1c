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

local core = require "usher.core"
local http1 = require "usher.transport.http1"
local ngx_settings = require "usher.transport.ngx_settings"

local ngx = ngx
local has_ffi, ffi = pcall(require, "ffi")
if has_ffi then ffi.cdef "int lua_isyieldable(void *L);" end

local M = {}

local IDLE = 30 -- seconds that an unused connection is kept
-- For requests that must not be acted on twice. A server may close a connection
-- just as we write to it, and then nobody knows whether it read the request.
-- No server gives up after two seconds without saying so.
local IDLE_UNREPEATABLE = 2
local POOL_SIZE = 512 -- unused connections of one pool, in one worker
local QUEUE = 65536 -- requests that wait for one of max_connections
local CHUNK = 65536
-- Bytes that are read in one turn of nginx's loop: a peer that is faster than we are must not keep
-- the worker for itself.
local TURN = 262144
local PROXY_HEAD = 65536
local SMALL = 16384 -- bytes that a socket takes without a pause
local WATCH = 0.2 -- seconds between two looks at whether a light thread is still needed
local TICK = 0.001 -- seconds: nginx counts no smaller ones
local MAX_MILLISECONDS = 2147483647
local TIMEOUT, CONNECT_TIMEOUT, RESPONSE_SIZE = 30, 5, 8 * 1024 * 1024

local no_yield = {
  init = true, init_worker = true, exit_worker = true, set = true, header_filter = true,
  body_filter = true, log = true, balancer = true, ssl_session_store = true,
}

--- What nginx cannot do of the settings of a client.
-- @tparam table settings as for `new`; what is of the wrong type is passed over
-- @treturn ?string nil when it can do them all, else the option and what is
-- wrong with it
function M.problem(settings)
  local _, problem = ngx_settings.read(settings)
  return problem
end

-- Time -------------------------------------------------------------------------------------------

-- An attempt has a time for all of it, and an earlier one to be connected by.
local function remaining(attempt)
  local now = core.monotonic()
  local left = attempt.deadline - now
  if not attempt.connected then left = math.min(left, attempt.connect_deadline - now) end
  return math.max(left, 0)
end

local function milliseconds(seconds)
  return math.max(1, math.min(math.ceil(seconds * 1000), MAX_MILLISECONDS))
end

-- Before every operation on the socket.
local function set_timeouts(attempt)
  local left = milliseconds(remaining(attempt))
  attempt.socket:settimeouts(left, left, left)
end

-- A light thread outlives the one that started it, should that be killed, and
-- nginx ends no request before all of them have ended. So each looks from time to
-- time whether it is still needed.
local function is_dead(thread)
  return coroutine.status(thread) == "dead"
end

-- Calls `work` in a light thread and gives it up when the time is over: neither a
-- resolver that does not answer nor a peer that reads a byte now and then heeds
-- the timeouts of a socket. Returns what `work` returns, or nil, "timeout".
local function within(attempt, work)
  local thread, caller = ngx.thread, coroutine.running()
  local ok, first, second
  local function supervise()
    local worker = thread.spawn(function() ok, first, second = pcall(work) end)
    if coroutine.status(worker) == "zombie" then return thread.wait(worker) end
    local alarm = thread.spawn(function()
      repeat
        ngx.sleep(math.max(TICK, math.min(WATCH, remaining(attempt))))
      until remaining(attempt) <= 0 or is_dead(caller)
    end)
    thread.wait(worker, alarm)
    thread.kill(worker)
    thread.kill(alarm)
  end
  thread.wait(thread.spawn(supervise))
  if ok == false then error(first, 0) end
  if not ok then return nil, "timeout" end
  return first, second
end

-- Connections ------------------------------------------------------------------------------------

local function is_address(host)
  return host:sub(1, 1) == "[" or host:find("^%d+%.%d+%.%d+%.%d+$") ~= nil
end

-- The name the server has to prove; nil where there is nothing to say.
local function server_name(options, origin)
  if origin.scheme ~= "https" then return nil end
  if is_address(origin.host) and not options.verify then return nil end
  return (origin.host:gsub("^%[(.*)%]$", "%1"):gsub("%.$", ""))
end

-- Everything that makes one connection another than the next is in its name.
-- nginx keeps the limit of a pool that is there already, so it is in there too;
-- and then there is one pool, or the limit would hold twice. A large request
-- takes a new connection, and its connection is not kept: see `write_when_silent`,
-- whose writer must not have to wait.
local function pool_name(options, origin, request, size)
  return table.concat({
    "usher", origin.scheme, origin.host, ("%d"):format(origin.port),
    server_name(options, origin) or "-", options.verify and "verified" or "unverified",
    options.certificate and options.certificate.name or "-",
    options.proxy and options.proxy.name or "-",
    options.max_connections and "at most " .. options.max_connections
      or size > SMALL and "large" or request.idempotent and "repeatable" or "unrepeatable",
  }, "|")
end

-- RFC 6761 section 6.3: localhost is the loopback interface, whatever a
-- resolver may say.
local function address_of(host)
  if host:lower() == "localhost" then return "127.0.0.1", true end
  return host, is_address(host)
end

local function fail(kind, message, sent)
  return nil, kind, message, sent
end

local function connect_failure(peer, reason)
  local kind = "network"
  if reason:find("timeout", 1, true) or reason:find("timed out", 1, true) then kind = "timeout" end
  local hint = reason:find("no resolver defined", 1, true)
    and ": name one with nginx's resolver directive" or ""
  return fail(kind, ("cannot connect to %s: %s%s"):format(peer.authority, reason, hint), false)
end

-- From the pool, or a new one.
local function open_socket(attempt)
  local options = attempt.options
  local peer = options.proxy or attempt.origin
  local socket = ngx.socket.tcp()
  local host, needs_no_resolver = address_of(peer.host)
  attempt.socket = socket
  set_timeouts(attempt)
  local function open()
    local connected, reason = socket:connect(host, peer.port, {
      pool = attempt.pool, pool_size = options.max_connections,
      backlog = options.max_connections and QUEUE,
    })
    return connected, reason -- no tail call, which would let go of the socket
  end
  local connected, reason
  if needs_no_resolver then
    connected, reason = open()
  else
    connected, reason = within(attempt, open)
  end
  if not connected then return connect_failure(peer, reason) end
  return true
end

local function tls_failure(origin, reason)
  if reason:find("timeout", 1, true) then
    return fail("timeout", "timed out in the TLS handshake", false)
  elseif reason == "closed" or reason:find("reset by peer", 1, true) then
    return fail("network", "the connection was closed in the TLS handshake", false)
  end
  local hint = ""
  if reason:find("host mismatch", 1, true) and is_address(origin.host) then
    hint = " (nginx verifies names only: use one instead of an IP address)"
  elseif reason:find("^%d+:") then
    hint = " (see lua_ssl_trusted_certificate and lua_ssl_verify_depth of nginx)"
  end
  return fail("tls", "TLS: " .. reason .. hint, false)
end

local function shake_hands(attempt)
  local options, origin, socket = attempt.options, attempt.origin, attempt.socket
  if options.certificate then
    local ok, problem = socket:setclientcert(options.certificate.chain, options.certificate.key)
    if not ok then return fail("tls", "TLS: " .. tostring(problem), false) end
  end
  set_timeouts(attempt)
  -- With `false` for the session, a handshake that need not wait would lose its verdict (pull
  -- request 2506 of lua-nginx-module); with nil, an assertion of lua-resty-core fails then.
  local ok, session, reason = pcall(socket.sslhandshake, socket, nil,
    server_name(options, origin), options.verify)
  if not ok then return fail("tls", "TLS: the certificate of the server was refused", false) end
  if not session then return tls_failure(origin, tostring(reason)) end
  return true
end

-- What the reader of the response reads from.
local function receiver(attempt)
  return function()
    local bytes, reason = attempt.first_bytes, attempt.first_reason
    if bytes or reason then
      attempt.first_bytes, attempt.first_reason = nil, nil
      return bytes, reason
    end
    if attempt.turn > TURN then
      ngx.sleep(TICK)
      attempt.turn = 0
    end
    if remaining(attempt) <= 0 then return nil, "timeout" end
    set_timeouts(attempt)
    bytes, reason = attempt.socket:receiveany(CHUNK)
    attempt.turn = attempt.turn + #(bytes or "")
    return bytes, reason
  end
end

-- A tunnel through the proxy, for TLS.
local function open_tunnel(attempt)
  local origin, proxy = attempt.origin, attempt.options.proxy
  local authority = origin.host .. ":" .. ("%d"):format(origin.port)
  local head, problem = http1.head({
    method = "CONNECT", headers = { ["Proxy-Authorization"] = proxy.authorization },
  }, authority, authority)
  if not head then return fail("protocol", problem, false) end
  set_timeouts(attempt)
  local sent, reason = attempt.socket:send(head)
  if not sent then return connect_failure(proxy, tostring(reason)) end
  local reader = http1.reader(receiver(attempt))
  local response, kind, message = reader:response("CONNECT", PROXY_HEAD)
  if not response then return fail(kind, "the proxy: " .. message, false) end
  if response.status < 200 or response.status > 299 or not reader:is_drained() then
    return fail("network", ("the proxy answered %d"):format(response.status), false)
  end
  return true
end

-- Makes a connection ready for its first request.
local function prepare(attempt)
  local ok, kind, message, sent = true, nil, nil, nil
  if attempt.origin.scheme == "https" then
    if attempt.options.proxy then ok, kind, message, sent = open_tunnel(attempt) end
    if ok then ok, kind, message, sent = shake_hands(attempt) end
  end
  if not ok then attempt.socket:close() end
  return ok, kind, message, sent
end

-- Requests ---------------------------------------------------------------------------------------

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
  set_timeouts(attempt)
  local writer = thread.spawn(function()
    coroutine.yield()
    if over then return end
    started = true
    written, reason = socket:send(message)
    repeat ngx.sleep(WATCH) until is_dead(reader)
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
  set_timeouts(attempt)
  if #message <= SMALL then return socket:send(message) end
  return within(attempt, function()
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
    local ok, kind, problem, sent = open_socket(attempt)
    if not ok then return nil, kind, problem, sent end
    if attempt.socket:getreusedtimes() == 0 then break end
    local written_to, written, reason = reuse(attempt, message)
    if written_to then return true, written, reason end
    attempt.socket:close()
  end
  local ok, kind, problem, sent = prepare(attempt)
  if not ok then return nil, kind, problem, sent end
  attempt.connected = true
  return true, write(attempt, message)
end

local function keep(attempt, response)
  local idle = attempt.idle
  local hint = (response.headers["keep-alive"] or ""):match("timeout=(%d+)")
  if hint then idle = math.min(idle, tonumber(hint) - 1) end
  if response.reusable and idle > 0 then
    return attempt.socket:setkeepalive(milliseconds(idle), POOL_SIZE)
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
  local response, kind, problem = http1.reader(receiver(attempt))
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
    return http1.head(request, origin.target, origin.authority)
  end
  local headers = { ["Proxy-Authorization"] = proxy.authorization }
  for name, value in pairs(request.headers or {}) do headers[name] = value end
  return http1.head({ method = request.method, body = request.body, headers = headers },
    origin.url, origin.authority)
end

local function send(options, request)
  local origin = http1.origin(request.url)
  if not origin then return fail("protocol", "the URL is not one of http:// or https://", false) end
  local head, problem = write_head(options, origin, request)
  if not head then return fail("protocol", problem, false) end
  local message = head .. (request.body or "")
  local now = core.monotonic()
  local attempt = {
    options = options, origin = origin, pool = pool_name(options, origin, request, #message),
    deadline = now + (request.timeout or TIMEOUT), -- seconds of core.monotonic
    connect_deadline = now + (request.connect_timeout or CONNECT_TIMEOUT), connected = false,
    turn = 0,
    idle = (request.idempotent and not options.max_connections) and IDLE or IDLE_UNREPEATABLE,
  }
  return exchange(attempt, message, request)
end

-- LuaJIT's own answer to whether a coroutine may yield; nginx's coroutine table
-- lacks isyieldable. True where LuaJIT does not tell.
local function can_yield()
  local ok, yieldable = pcall(function()
    local address = tostring(coroutine.running()):match("0x%x+")
    return ffi.C.lua_isyieldable(ffi.cast("void *", tonumber(address)))
  end)
  return not ok or yieldable ~= 0
end

-- What to say where it is not possible to wait; nil where it is. Asked before
-- nginx is: it starts a light thread first and fails then, with a broken worker.
local function cannot_wait()
  local phase = ngx.get_phase()
  if no_yield[phase] then
    return "a call has to wait, which nginx does not allow in the phase " .. phase
      .. ": make it in a function started with ngx.timer.at(0, ...)"
  elseif not can_yield() then
    return "a call has to wait, which is not possible inside a C function such as table.sort, "
      .. "string.gsub or require"
  end
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
      local reason = cannot_wait()
      if reason then return fail("cancelled", reason, false) end
      return send(options, request)
    end,
    sleep = function(seconds)
      local reason = cannot_wait()
      if reason then return fail("cancelled", reason, false) end
      ngx.sleep(math.max(TICK, seconds))
      return true
    end,
    -- The pools belong to the worker: connections leave them when they are idle.
    close = function() closed = true end,
  }
end

return M
