-- Frames of HTTP/2 (RFC 9113), built by hand: nothing here would mind being wrong.

local bytes = require "spec.support.server.bytes"

local big_endian = bytes.big_endian

local M = {
  DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PUSH_PROMISE = 5, PING = 6, GOAWAY = 7,
  CONTINUATION = 9,
  END_STREAM = 0x1, ACK = 0x1, END_HEADERS = 0x4, PRIORITY = 0x20, -- flags
}

--- Error codes, section 7. A server that refuses a stream has not acted on the request; of the
-- others nobody knows.
M.codes = {
  NO_ERROR = 0, PROTOCOL_ERROR = 1, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8,
  ENHANCE_YOUR_CALM = 11, HTTP_1_1_REQUIRED = 13,
}

--- The nine bytes in front of a payload.
-- @tparam number kind
-- @tparam number flags
-- @tparam number stream
-- @tparam number length of the payload
function M.start(kind, flags, stream, length)
  return big_endian(length, 3) .. string.char(kind, flags) .. big_endian(stream, 4)
end

function M.frame(kind, flags, stream, payload)
  return M.start(kind, flags, stream, #payload) .. payload
end

--- A literal without indexing, RFC 7541 section 6.2.2.
function M.literal(text)
  assert(#text < 127, "longer than one byte of length can say")
  return string.char(#text) .. text
end

--- A block of header fields; 8 is the index of ":status".
function M.fields(status, headers)
  local block = { "\8", M.literal(tostring(status)) }
  for _, header in ipairs(headers) do
    block[#block + 1] = "\0" .. M.literal(header[1]) .. M.literal(header[2])
  end
  return table.concat(block)
end

function M.head(stream, status, headers)
  return M.frame(M.HEADERS, M.END_HEADERS, stream, M.fields(status, headers))
end

function M.answer(stream, status, headers, body)
  return M.head(stream, status, headers) .. M.frame(M.DATA, M.END_STREAM, stream, body)
end

--- @tparam number stream
-- @tparam[opt] string code a name of `codes`
function M.reset(stream, code)
  return M.frame(M.RST_STREAM, 0, stream, big_endian(M.codes[code or "INTERNAL_ERROR"], 4))
end

--- @tparam number last stream that may have been looked at
-- @tparam[opt] string code a name of `codes`
function M.goodbye(last, code)
  return M.frame(M.GOAWAY, 0, 0, big_endian(last, 4) .. big_endian(M.codes[code or "NO_ERROR"], 4))
end

return M
