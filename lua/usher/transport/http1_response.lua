--- HTTP/1.1 as bytes: a response read.
-- No sockets and no clock here. The reader is given a function that returns the
-- next bytes, so it can be tested without a server, and it is strict where a
-- lenient one could take one answer for another: how a body ends is either
-- beyond doubt, or an error.
-- @module usher.transport.http1_response

local TOKEN = require("usher.transport.http1_request").TOKEN

local M = {}

-- Of all the heads of one response together: interim ones, trailers.
local HEAD_CEILING = 256 * 1024
local HEAD_LINES = 1000
local CHUNK_LINE_CEILING = 4096
local MAX_DIGITS = 15 -- of a length: what a double counts without a gap
local MAX_HEX_DIGITS = 12
local PIECES = 2048 -- joined into one when there are so many

local HEAD_TOO_LARGE = "the response headers are too large"
local BODY_TOO_LARGE = "the response is larger than max_response_size"

local methods = {}
local metatable = { __name = "usher.transport.http1_response", __index = methods }

--- A reader of the responses that come over one connection.
-- @tparam function receive returns at least one byte, waiting for it, or nil and
-- `"closed"`, `"timeout"` or other words
-- @treturn table reader
function M.reader(receive)
  return setmetatable({ receive = receive, buffer = "", at = 1 }, metatable)
end

-- What an end of the bytes means where there should be more.
local function broken(reason, where)
  if reason == "timeout" then return nil, "timeout", "timed out in " .. where end
  if reason == "closed" then
    return nil, "network", "the connection was closed in " .. where
  end
  return nil, "network", tostring(reason)
end

local function malformed(message)
  return nil, "protocol", message
end

-- Makes sure there is a byte in the buffer.
local function fill(reader)
  while reader.at > #reader.buffer do
    local bytes, reason = reader.receive()
    if not bytes then return nil, reason end
    reader.buffer, reader.at = bytes, 1
  end
  return true
end

-- From one byte to `limit` bytes.
local function take(reader, limit)
  local ok, reason = fill(reader)
  if not ok then return nil, reason end
  local last = math.min(#reader.buffer, reader.at + limit - 1)
  local bytes = reader.buffer:sub(reader.at, last)
  reader.at = last + 1
  return bytes
end

-- A line without its line feed, and how many bytes were read for it. Returns
-- nil and the reason at the end of the bytes, nil alone when it is too long.
local function take_line(reader, ceiling)
  local pieces, length = {}, 0
  while true do
    local ok, reason = fill(reader)
    if not ok then return nil, reason end
    local newline = reader.buffer:find("\n", reader.at, true)
    local piece = reader.buffer:sub(reader.at, newline or -1)
    reader.at = reader.at + #piece
    length = length + #piece
    if length > ceiling then return nil end
    pieces[#pieces + 1] = piece
    if newline then return table.concat(pieces):sub(1, -2), length end
  end
end

-- Bodies gathered from pieces that may be a byte each: twice as many bytes as
-- there are, and never more strings than a few thousand.
local function new_body(ceiling)
  return { pieces = {}, small = {}, size = 0, ceiling = ceiling }
end

local function append(body, piece)
  local small = body.small
  small[#small + 1] = piece
  body.size = body.size + #piece
  if #small == PIECES then
    body.pieces[#body.pieces + 1] = table.concat(small)
    body.small = {}
  end
end

local function joined(body)
  if body.size > 0 then body.pieces[#body.pieces + 1] = table.concat(body.small) end
  return table.concat(body.pieces)
end

-- Heads ------------------------------------------------------------------------------------------

-- A line of a head, checked for what RFC 9112 section 2.2 calls invalid.
local function take_head_line(reader, budget, where)
  local line, detail = take_line(reader, budget.bytes)
  if not line and detail then return broken(detail, where) end
  if not line then return nil, "too_large", HEAD_TOO_LARGE end
  budget.bytes, budget.lines = budget.bytes - detail, budget.lines - 1
  if budget.lines < 0 then return nil, "too_large", HEAD_TOO_LARGE end
  if line:sub(-1) == "\r" then line = line:sub(1, -2) end
  if line:find("\r", 1, true) or line:find("\0", 1, true) then
    return malformed("a NUL or a lone carriage return in the response headers")
  end
  return line
end

local function is_blank(byte)
  return byte == 32 or byte == 9
end

-- By hand: a pattern would try every run of blanks in the middle, too.
local function trim(text)
  local first, last = 1, #text
  while first <= last and is_blank(text:byte(first)) do first = first + 1 end
  while last >= first and is_blank(text:byte(last)) do last = last - 1 end
  return text:sub(first, last)
end

local function take_status(reader, budget)
  local where = "the response headers"
  local ok, reason = fill(reader)
  if not ok then return broken(reason, where) end
  local begin = reader.buffer:sub(reader.at, reader.at + 4)
  if begin ~= ("HTTP/"):sub(1, #begin) then return malformed("the answer is not HTTP") end
  local line, kind, message = take_head_line(reader, budget, where)
  if not line then return nil, kind, message end
  local minor, status = line:match("^HTTP/1%.(%d) (%d%d%d)$")
  if not minor then minor, status = line:match("^HTTP/1%.(%d) (%d%d%d) ") end
  if not minor then return malformed("the answer does not begin with a status line") end
  return tonumber(status), minor ~= "0"
end

-- Reads fields up to the empty line into `fields`; a folded line continues the
-- one before it, and where there is none it is passed over (RFC 9112, 2.2).
local function take_fields(reader, budget, fields, where)
  local name
  while true do
    local line, kind, message = take_head_line(reader, budget, where)
    if not line then return nil, kind, message end
    if line == "" then return true end
    if is_blank(line:byte()) then
      if name then fields[name] = trim(fields[name] .. " " .. trim(line)) end
    else
      local found, value = line:match("^([^:]*):(.*)$")
      if not found or not found:find(TOKEN) then
        return malformed("a line of the response headers is no header")
      end
      name, value = found:lower(), trim(value)
      fields[name] = fields[name] and fields[name] .. ", " .. value or value
    end
  end
end

-- Framing (RFC 9112 section 6.3) -----------------------------------------------------------------

-- Content-Length may be repeated as long as it says the same thing.
local function read_length(text)
  local length
  for digits in (text .. ","):gmatch("([^,]*),") do
    digits = trim(digits):match("^0*(%d+)$")
    if not digits or (length and length ~= digits) then
      return malformed(length and digits and "the response has more than one Content-Length"
        or "the response has a Content-Length that is no number")
    end
    length = digits
  end
  if #length > MAX_DIGITS then return nil, "too_large", BODY_TOO_LARGE end
  return tonumber(length)
end

-- Returns "none", "chunked", "close" or "length" with the length.
local function framing(method, status, fields, is_11)
  local coding, length = fields["transfer-encoding"], fields["content-length"]
  if coding and length then
    return malformed("the response has both Transfer-Encoding and Content-Length")
  end
  if coding and (coding:lower() ~= "chunked" or not is_11) then
    return malformed("the response has a Transfer-Encoding that was not asked for")
  end
  local bytes, kind, message
  if length then
    bytes, kind, message = read_length(length)
    if not bytes then return nil, kind, message end
  end
  if method == "HEAD" or status == 204 or status == 304
    or (method == "CONNECT" and status < 300) then
    return "none"
  end
  if coding then return "chunked" end
  if length then return "length", bytes end
  return "close"
end

-- A server may send what is forbidden after a head that ends the message.
local function is_suspicious(status, fields)
  return status == 204
    and (fields["transfer-encoding"] ~= nil or (fields["content-length"] or "0") ~= "0")
end

local function has_token(text, token)
  for found in (text or ""):lower():gmatch("[^,%s]+") do
    if found == token then return true end
  end
  return false
end

local function stays_open(fields, is_11)
  if has_token(fields.connection, "close") then return false end
  return is_11 or has_token(fields.connection, "keep-alive")
end

-- Bodies -----------------------------------------------------------------------------------------

local BODY = "the response body"

local function take_exactly(reader, body, length)
  if length > body.ceiling - body.size then return nil, "too_large", BODY_TOO_LARGE end
  while length > 0 do
    local bytes, reason = take(reader, length)
    if not bytes then return broken(reason, BODY) end
    append(body, bytes)
    length = length - #bytes
  end
  return true
end

local function take_rest(reader, body)
  while true do
    local bytes, reason = take(reader, math.huge)
    if not bytes then
      if reason == "closed" then return true end
      return broken(reason, BODY)
    end
    if #bytes > body.ceiling - body.size then return nil, "too_large", BODY_TOO_LARGE end
    append(body, bytes)
  end
end

local function take_chunk_line(reader)
  local line, detail = take_line(reader, CHUNK_LINE_CEILING)
  if line and line:sub(-1) == "\r" then return line:sub(1, -2) end
  if not line and detail then return broken(detail, BODY) end
  return malformed("the response has a malformed chunk")
end

local function take_chunk_size(reader)
  local line, kind, message = take_chunk_line(reader)
  if not line then return nil, kind, message end
  local digits, rest = line:match("^(%x+)[ \t]*(.*)$")
  if not digits or not (rest == "" or rest:find("^;[^\r%z]*$")) then
    return malformed("the response has a malformed chunk")
  end
  digits = digits:match("^0*(%x+)$")
  if #digits > MAX_HEX_DIGITS then return nil, "too_large", BODY_TOO_LARGE end
  return tonumber(digits, 16)
end

-- Trailers are read and dropped: nothing in them may change what the head said.
local function take_chunks(reader, body, budget)
  while true do
    local size, kind, message = take_chunk_size(reader)
    if not size then return nil, kind, message end
    if size == 0 then return take_fields(reader, budget, {}, "the trailers of the response") end
    local ok
    ok, kind, message = take_exactly(reader, body, size)
    if not ok then return nil, kind, message end
    local line
    line, kind, message = take_chunk_line(reader)
    if not line then return nil, kind, message end
    if line ~= "" then return malformed("the response has a malformed chunk") end
  end
end

-- Responses --------------------------------------------------------------------------------------

local function take_head(reader, budget)
  while true do
    local status, is_11, message = take_status(reader, budget)
    if not status then return nil, is_11, message end
    local fields = {}
    local ok, kind
    ok, kind, message = take_fields(reader, budget, fields, "the response headers")
    if not ok then return nil, kind, message end
    if status >= 200 then return status, fields, is_11 end
    if status == 101 or status < 100 then return malformed("the response has no final status") end
  end
end

local function take_body(reader, budget, how, length, ceiling)
  local body = new_body(ceiling)
  local ok, kind, message = true, nil, nil
  if how == "length" then
    ok, kind, message = take_exactly(reader, body, length)
  elseif how == "chunked" then
    ok, kind, message = take_chunks(reader, body, budget)
  elseif how == "close" then
    ok, kind, message = take_rest(reader, body)
  end
  if not ok then return nil, kind, message end
  return joined(body)
end

--- Reads one response.
-- @tparam string method of the request it answers
-- @tparam number ceiling bytes that its body may have
-- @treturn table `{ status, headers, body, reusable }`: headers by lower-case
-- name; whether another request may follow on this connection
-- @treturn[2] nil
-- @treturn[2] string kind of error
-- @treturn[2] string message
function methods:response(method, ceiling)
  local budget = { bytes = HEAD_CEILING, lines = HEAD_LINES }
  local status, fields, is_11 = take_head(self, budget)
  if not status then return nil, fields, is_11 end
  local coding = (fields["content-encoding"] or "identity"):lower()
  local how, length, message = framing(method, status, fields, is_11)
  if not how then return nil, length, message end
  if how ~= "none" and coding ~= "identity" and coding ~= "" then
    return malformed("the response has a Content-Encoding that was not asked for")
  end
  local body, kind
  body, kind, message = take_body(self, budget, how, length, ceiling)
  if not body then return nil, kind, message end
  return {
    status = status, headers = fields, body = body,
    reusable = how ~= "close" and stays_open(fields, is_11) and not is_suspicious(status, fields)
      and self:is_drained(),
  }
end

--- Whether all bytes that were received have been read.
function methods:is_drained()
  return self.at > #self.buffer
end

return M
