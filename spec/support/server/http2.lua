-- HTTP/2 as the misbehaving provider speaks it: as much of it as a client needs to make a request.
-- What is answered is in faults/http2.lua.

local bit = require "bit"
local hpack = require "http.hpack"

local bytes = require "spec.support.server.bytes"
local faults = require "spec.support.server.faults.http2"
local frames = require "spec.support.server.frames"
local requests = require "spec.support.server.requests"

local unpack = rawget(_G, "unpack")

local M = {}

local PREFACE, START = 24, 9 -- bytes

-- Faults that may answer before the body has come are apart.
local patient, impatient = {}, {}
for name, fault in pairs(faults) do (fault.impatient and impatient or patient)[name] = fault end

local function strike(connection, request, set)
  local fault, parameters = requests.choose(set, request.target)
  if fault then fault[2](connection, request, unpack(parameters)) end
  return fault ~= nil
end

-- In the journal from its head on: to have begun it twice is to have sent it twice.
local function begin(connection, stream, block)
  local request = { version = "HTTP/2", stream = stream, headers = {}, body = "" }
  for name, value in connection.decoder:decode_headers(block):each() do
    if name == ":method" then
      request.method = value
    elseif name == ":path" then
      request.target = value
    else
      request.headers[#request.headers + 1] = { name, value }
    end
  end
  requests.note(connection, request)
  request.number = connection.requests
  if stream > (connection.last_stream or stream) then return end
  if not strike(connection, request, impatient) then connection.streams[stream] = request end
end

local function finish(connection, stream)
  local request = connection.streams[stream]
  connection.streams[stream] = nil
  if request and not strike(connection, request, patient) then
    connection:write(frames.answer(stream, 404, {}, "no such fault"))
  end
end

local handlers = {
  [frames.SETTINGS] = function(connection, flags)
    if bit.band(flags, frames.ACK) == 0 then
      connection:write(frames.frame(frames.SETTINGS, frames.ACK, 0, ""))
    end
  end,
  [frames.PING] = function(connection, flags, _, payload)
    if bit.band(flags, frames.ACK) == 0 then
      connection:write(frames.frame(frames.PING, frames.ACK, 0, payload))
    end
  end,
  [frames.GOAWAY] = function(connection) connection:close() end,
  [frames.HEADERS] = function(connection, flags, stream, payload)
    if bit.band(flags, frames.PRIORITY) ~= 0 then payload = payload:sub(6) end
    begin(connection, stream, payload)
  end,
  [frames.DATA] = function(connection, _, stream, payload)
    local request = connection.streams[stream]
    if request then request.body = request.body .. payload end
  end,
}

--- What to speak with a client: HTTP/2 where it offers that. For luaossl's setAlpnSelect.
function M.select(_, offered)
  for _, protocol in ipairs(offered) do
    if protocol == "h2" then return protocol end
  end
  return "http/1.1"
end

--- Whether a connection over TLS speaks it.
function M.is_spoken(connection)
  return connection.raw:checktls():getAlpnSelected() == "h2"
end

--- Serves a connection until it ends.
function M.serve(connection)
  connection.decoder, connection.streams = hpack.new(4096), {}
  if not connection:read(PREFACE) then return connection:close() end
  connection:write(frames.frame(frames.SETTINGS, 0, 0, ""))
  while connection.open do
    local start = connection:read(START)
    local payload = start and connection:read(bytes.from_big_endian(start:sub(1, 3)))
    if not payload then break end
    local kind, flags = start:byte(4), start:byte(5)
    local stream = bytes.from_big_endian(start:sub(6, 9))
    local handler = handlers[kind]
    if handler then handler(connection, flags, stream, payload) end
    local carries = kind == frames.DATA or kind == frames.HEADERS
    if carries and bit.band(flags, frames.END_STREAM) ~= 0 then finish(connection, stream) end
  end
  connection:close()
end

return M
