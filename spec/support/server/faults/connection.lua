-- Faults of connections: how and when they end. A fault is { number of parameters, function }.

local bytes = require "spec.support.server.bytes"

local function close(connection) connection:close() end
local function reset(connection) connection:reset() end
local function wait(connection) connection:wait() end

-- A connection answers one request and ends at the next.
local function stale(finish)
  return { 0, function(connection)
    if connection.requests > 1 then return finish(connection) end
    connection:json(200, { ok = true })
  end }
end

-- Writes that and ends it.
local function ends_after(text, finish)
  return { 0, function(connection)
    connection:write(text)
    finish(connection)
  end }
end

local SHORT = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nten bytes."
local UNSIZED = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

return {
  ok = { 0, function(connection) connection:json(200, { ok = true }) end },
  echo = { 0, function(connection, request) connection:json(200, request) end },
  close_before_reply = { 0, close },
  reset_before_reply = { 0, reset },
  close_in_status = ends_after("HTT", close),
  close_in_head = ends_after("HTTP/1.1 200 OK\r\nContent-Le", close),
  close_after_interim = ends_after("HTTP/1.1 100 Continue\r\n\r\n", close),
  reset_in_head = ends_after("HTTP/1.1 200 OK\r\nContent-Le", reset),
  truncated = ends_after(SHORT, close),
  reset_in_body = ends_after(SHORT, reset),
  truncated_chunks = ends_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. bytes.chunk("ten bytes."), close),
  reset_in_chunks = ends_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. bytes.chunk("ten bytes."), reset),
  close_in_chunk_size = ends_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. bytes.chunk('{"ok":true}') .. "0", close),
  close_in_trailers = ends_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. bytes.chunk('{"ok":true}') .. "0\r\nX-Trailer: a", close),
  -- A body without a length ends with the connection; a RST is no end.
  until_close = ends_after(UNSIZED .. '{"ok":true}', close),
  until_cut = ends_after(UNSIZED .. '{"ok":', close),
  until_reset = ends_after(UNSIZED .. '{"ok":', reset),
  stale = stale(close),
  stale_reset = stale(reset),
  stale_stall = stale(wait),
  -- A connection answers each caller once, for clients that share their connections.
  stale_for = { 2, function(connection, _, how, caller)
    if connection.callers[caller] then return connection[how](connection) end
    connection.callers[caller] = true
    connection:json(200, { ok = true })
  end },
  close_after_reply = { 0, function(connection)
    connection:json(200, { ok = true })
    connection:close()
  end },
  half_closed = { 0, function(connection)
    connection.raw:shutdown("w")
    connection:wait()
  end },
  early_error = { 0, function(connection)
    connection:reply(413, { "Connection: close" }, "{}")
    connection:reset()
  end, impatient = true },
}
