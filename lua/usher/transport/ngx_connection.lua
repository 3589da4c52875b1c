--- Connections inside nginx: the pool they are taken from, how one is opened, through a proxy or
-- not, and what is received on it. What is written on it is in `usher.transport.ngx`.
-- @module usher.transport.ngx_connection

local requests = require "usher.transport.http1_request"
local responses = require "usher.transport.http1_response"
local waiting = require "usher.transport.ngx_waiting"

local ngx = ngx

local M = {}

local QUEUE = 65536 -- requests that wait for one of max_connections
local CHUNK = 65536
-- Bytes that are read in one turn of nginx's loop: a peer that is faster than we are must not keep
-- the worker for itself.
local TURN = 262144
local PROXY_HEAD = 65536

--- Bytes that a socket takes without a pause.
M.SMALL = 16384

local function is_address(host)
  return host:sub(1, 1) == "[" or host:find("^%d+%.%d+%.%d+%.%d+$") ~= nil
end

-- The name the server has to prove; nil where there is nothing to say.
local function server_name(options, origin)
  if origin.scheme ~= "https" then return nil end
  if is_address(origin.host) and not options.verify then return nil end
  return (origin.host:gsub("^%[(.*)%]$", "%1"):gsub("%.$", ""))
end

--- Everything that makes one connection another than the next is in its name.
-- nginx keeps the limit of a pool that is there already, so it is in there too;
-- and then there is one pool, or the limit would hold twice. A large request
-- takes a new connection, and its connection is not kept: see `write_when_silent` of
-- `usher.transport.ngx`, whose writer must not have to wait.
function M.pool_name(options, origin, request, size)
  return table.concat({
    "usher", origin.scheme, origin.host, ("%d"):format(origin.port),
    server_name(options, origin) or "-", options.verify and "verified" or "unverified",
    options.certificate and options.certificate.name or "-",
    options.proxy and options.proxy.name or "-",
    options.max_connections and "at most " .. options.max_connections
      or size > M.SMALL and "large" or request.idempotent and "repeatable" or "unrepeatable",
  }, "|")
end

-- RFC 6761 section 6.3: localhost is the loopback interface, whatever a
-- resolver may say.
local function address_of(host)
  if host:lower() == "localhost" then return "127.0.0.1", true end
  return host, is_address(host)
end

--- What a transport returns of a failure.
function M.fail(kind, message, sent)
  return nil, kind, message, sent
end

local function connect_failure(peer, reason)
  local kind = "network"
  if reason:find("timeout", 1, true) or reason:find("timed out", 1, true) then kind = "timeout" end
  local hint = reason:find("no resolver defined", 1, true)
    and ": name one with nginx's resolver directive" or ""
  return M.fail(kind, ("cannot connect to %s: %s%s"):format(peer.authority, reason, hint), false)
end

--- Gives an attempt its socket: from the pool, or a new one.
function M.open(attempt)
  local options = attempt.options
  local peer = options.proxy or attempt.origin
  local socket = ngx.socket.tcp()
  local host, needs_no_resolver = address_of(peer.host)
  attempt.socket = socket
  waiting.set_timeouts(attempt)
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
    connected, reason = waiting.within(attempt, open)
  end
  if not connected then return connect_failure(peer, reason) end
  return true
end

local function tls_failure(origin, reason)
  if reason:find("timeout", 1, true) then
    return M.fail("timeout", "timed out in the TLS handshake", false)
  elseif reason == "closed" or reason:find("reset by peer", 1, true) then
    return M.fail("network", "the connection was closed in the TLS handshake", false)
  end
  local hint = ""
  if reason:find("host mismatch", 1, true) and is_address(origin.host) then
    hint = " (nginx verifies names only: use one instead of an IP address)"
  elseif reason:find("^%d+:") then
    hint = " (see lua_ssl_trusted_certificate and lua_ssl_verify_depth of nginx)"
  end
  return M.fail("tls", "TLS: " .. reason .. hint, false)
end

local function shake_hands(attempt)
  local options, origin, socket = attempt.options, attempt.origin, attempt.socket
  if options.certificate then
    local ok, problem = socket:setclientcert(options.certificate.chain, options.certificate.key)
    if not ok then return M.fail("tls", "TLS: " .. tostring(problem), false) end
  end
  waiting.set_timeouts(attempt)
  -- With `false` for the session, a handshake that need not wait would lose its verdict (pull
  -- request 2506 of lua-nginx-module); with nil, an assertion of lua-resty-core fails then.
  local ok, session, reason = pcall(socket.sslhandshake, socket, nil,
    server_name(options, origin), options.verify)
  if not ok then return M.fail("tls", "TLS: the certificate of the server was refused", false) end
  if not session then return tls_failure(origin, tostring(reason)) end
  return true
end

--- What the reader of the response reads from.
function M.receiver(attempt)
  return function()
    local bytes, reason = attempt.first_bytes, attempt.first_reason
    if bytes or reason then
      attempt.first_bytes, attempt.first_reason = nil, nil
      return bytes, reason
    end
    if attempt.turn > TURN then
      ngx.sleep(waiting.TICK)
      attempt.turn = 0
    end
    if waiting.remaining(attempt) <= 0 then return nil, "timeout" end
    waiting.set_timeouts(attempt)
    bytes, reason = attempt.socket:receiveany(CHUNK)
    attempt.turn = attempt.turn + #(bytes or "")
    return bytes, reason
  end
end

-- A tunnel through the proxy, for TLS.
local function open_tunnel(attempt)
  local origin, proxy = attempt.origin, attempt.options.proxy
  local authority = origin.host .. ":" .. ("%d"):format(origin.port)
  local head, problem = requests.head({
    method = "CONNECT", headers = { ["Proxy-Authorization"] = proxy.authorization },
  }, authority, authority)
  if not head then return M.fail("protocol", problem, false) end
  waiting.set_timeouts(attempt)
  local sent, reason = attempt.socket:send(head)
  if not sent then return connect_failure(proxy, tostring(reason)) end
  local reader = responses.reader(M.receiver(attempt))
  local response, kind, message = reader:response("CONNECT", PROXY_HEAD)
  if not response then return M.fail(kind, "the proxy: " .. message, false) end
  if response.status < 200 or response.status > 299 or not reader:is_drained() then
    return M.fail("network", ("the proxy answered %d"):format(response.status), false)
  end
  return true
end

--- Makes a connection ready for its first request.
function M.prepare(attempt)
  local ok, kind, message, sent = true, nil, nil, nil
  if attempt.origin.scheme == "https" then
    if attempt.options.proxy then ok, kind, message, sent = open_tunnel(attempt) end
    if ok then ok, kind, message, sent = shake_hands(attempt) end
  end
  if not ok then attempt.socket:close() end
  return ok, kind, message, sent
end

return M
