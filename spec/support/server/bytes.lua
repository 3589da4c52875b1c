-- Bytes written by hand: numbers, chunks, and gzip that compresses by a factor of a thousand or not
-- at all. Nothing here would mind being wrong.

local bit = require "bit"

local M = { GZIP_HEAD = "\31\139\8\0\0\0\0\0\0\3" }

function M.little_endian(value, bytes)
  local out = {}
  for i = 1, bytes do
    out[i] = string.char(bit.band(value, 0xff))
    value = bit.rshift(value, 8)
  end
  return table.concat(out)
end

function M.big_endian(value, bytes)
  return (M.little_endian(value, bytes):reverse())
end

function M.from_big_endian(data)
  local value = 0
  for i = 1, #data do value = value * 256 + data:byte(i) end
  return value
end

--- A chunk of a body in the chunked transfer coding.
function M.chunk(data)
  return ("%x\r\n%s\r\n"):format(#data, data)
end

local function crc32(data)
  local crc = 0xffffffff
  for i = 1, #data do
    crc = bit.bxor(crc, data:byte(i))
    for _ = 1, 8 do
      local low = bit.band(crc, 1)
      crc = bit.bxor(bit.rshift(crc, 1), low == 1 and 0xedb88320 or 0)
    end
  end
  return bit.bnot(crc)
end

--- One stored block: valid gzip that compresses nothing.
function M.gzip(data)
  return table.concat {
    M.GZIP_HEAD, "\1", M.little_endian(#data, 2), M.little_endian(bit.bnot(#data), 2), data,
    M.little_endian(crc32(data), 4), M.little_endian(#data, 4),
  }
end

-- Bits of deflate's fixed code (RFC 1951, 3.2.6): Huffman codes begin with their highest bit, all
-- other numbers with their lowest.
local function add_code(bits, code, length)
  for i = length - 1, 0, -1 do bits[#bits + 1] = math.floor(code / 2 ^ i) % 2 end
end

local function add_literal(bits, byte)
  if byte < 144 then add_code(bits, 0x30 + byte, 8) else add_code(bits, 0x190 + byte - 144, 9) end
end

-- 258 bytes again, from `distance` bytes before: 1, or 13 to 16.
local function add_match(bits, distance)
  add_code(bits, 0xc5, 8)
  if distance == 1 then return add_code(bits, 0, 5) end
  add_code(bits, 7, 5)
  bits[#bits + 1] = (distance - 13) % 2
  bits[#bits + 1] = math.floor((distance - 13) / 2)
end

local function pack(bits)
  local bytes = {}
  for first = 1, #bits - 7, 8 do
    local byte = 0
    for i = 0, 7 do byte = byte + bits[first + i] * 2 ^ i end
    bytes[#bytes + 1] = string.char(byte)
  end
  return table.concat(bytes)
end

--- The beginning of a gzip stream that stands for `prefix` and, from there, its last `distance`
-- bytes again and again. Eight matches are `period` bytes, and after `first` they repeat.
-- @tparam string prefix
-- @tparam number distance 1, or 13 to 16
-- @treturn string first bytes of the stream
-- @treturn string what may be written after them any number of times: each stands for 2064 bytes
function M.repetition(prefix, distance)
  local bits = { 1, 1, 0 } -- last block, fixed code
  for i = 1, #prefix do add_literal(bits, prefix:byte(i)) end
  local period = distance == 1 and 13 or 15
  for _ = 1, 17 do add_match(bits, distance) end
  local bytes = pack(bits)
  local first = math.ceil((3 + #prefix * 9) / 8)
  return M.GZIP_HEAD .. bytes:sub(1, first), bytes:sub(first + 1, first + period)
end

return M
