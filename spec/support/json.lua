-- For the specs of the JSON reader: a second reader, slow and plain, to compare it with; documents
-- from a seed; and a comparison that tells 1 from 1.0 and 0 from -0.

local null = require("cjson").null

local type_of = rawget(math, "type") -- "integer" or "float", where Lua tells

local M = {}

-- ------------------------------------------------------------------------------- the second reader

local ESCAPES = {
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
}
local WORDS = { ["true"] = true, ["false"] = false, null = null }
local DEPTH = 64

-- The bytes of a code point, by division alone.
local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  local tail, first, room = "", 0x80, 0x40
  while code >= room do
    tail = string.char(0x80 + code % 0x40) .. tail
    code = (code - code % 0x40) / 0x40
    first = first + room
    room = room / 2
  end
  return string.char(first + code) .. tail
end
M.utf8_of = utf8_of

-- The length of the character at `at`, or nothing.
local function character(text, at)
  local first = text:byte(at)
  if first < 0x80 then return 1 end
  local length = first >= 0xF0 and 4 or first >= 0xE0 and 3 or first >= 0xC0 and 2
  if not length or first >= 0xF8 then return nil end
  local code = first - (length == 4 and 0xF0 or length == 3 and 0xE0 or 0xC0)
  for i = at + 1, at + length - 1 do
    local byte = text:byte(i)
    if not byte or byte < 0x80 or byte > 0xBF then return nil end
    code = code * 0x40 + byte - 0x80
  end
  if code > 0x10FFFF or utf8_of(code) ~= text:sub(at, at + length - 1) then return nil end
  return not (code >= 0xD800 and code <= 0xDFFF) and length or nil
end

-- Is `text` UTF-8, and holds it nothing that a string must escape?
function M.is_plain(text)
  local at = 1
  while at <= #text do
    local byte = text:byte(at)
    local length = byte >= 0x20 and byte ~= 0x22 and byte ~= 0x5C and character(text, at)
    if not length then return false end
    at = at + length
  end
  return true
end

local function read_code(text, at)
  local digits = text:match("^\\u(%x%x%x%x)", at)
  return digits and tonumber(digits, 16)
end

local function read_escape(text, at)
  local letter = text:sub(at + 1, at + 1)
  if letter ~= "u" then
    if not ESCAPES[letter] then error(M) end
    return ESCAPES[letter], at + 2
  end
  local code, low = read_code(text, at), read_code(text, at + 6)
  if not code then error(M) end
  if code >= 0xD800 and code < 0xDC00 and low and low >= 0xDC00 and low < 0xE000 then
    return utf8_of(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 12
  end
  return utf8_of((code >= 0xD800 and code < 0xE000) and 0xFFFD or code), at + 6
end

local function read_string(text, at)
  local parts = {}
  at = at + 1
  while text:sub(at, at) ~= '"' do
    local byte = text:byte(at)
    if not byte or byte < 0x20 then error(M) end
    if byte == 0x5C then
      parts[#parts + 1], at = read_escape(text, at)
    else
      local length = character(text, at)
      if not length then error(M) end
      parts[#parts + 1], at = text:sub(at, at + length - 1), at + length
    end
  end
  return table.concat(parts), at + 1
end

-- What an integer of these digits is in this Lua.
function M.integer(digits)
  if type_of then
    local number = tonumber(digits)
    return type_of(number) == "integer" and number or digits
  end
  local bare = digits:gsub("^-", "")
  local exact = #bare < 16 or (#bare == 16 and bare <= "9007199254740992")
  return exact and tonumber(digits) + 0 or digits
end

-- tonumber, which in LuaJIT knows no exponent of many digits.
function M.double(text)
  return tonumber((text:gsub("[eE]([+-]?)0*(%d%d%d%d%d%d+)$", "e%199999")))
end

local function read_number(text, at)
  local digits, rest = text:match("^(-?[1-9]%d*)()", at)
  if not digits then digits, rest = text:match("^(-?0)()", at) end
  if not digits then error(M) end
  local after = text:match("^%.%d+()", rest) or rest
  after = text:match("^[eE][+-]?%d+()", after) or after
  if after == rest then return M.integer(digits), rest end
  local number = M.double(text:sub(at, after - 1))
  if number == math.huge or number == -math.huge then error(M) end
  return number, after
end

local function skip(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

local read_value

-- What stands between the brackets, item by item; `item` returns where it ends.
local function read_items(text, at, closing, item)
  at = skip(text, at + 1)
  if text:sub(at, at) == closing then return at + 1 end
  while true do
    at = skip(text, item(at))
    local byte = text:sub(at, at)
    if byte == closing then return at + 1 end
    if byte ~= "," then error(M) end
    at = skip(text, at + 1)
  end
end

local function read_array(text, at, depth)
  local array, count = {}, 0
  return array, read_items(text, at, "]", function(from)
    count = count + 1
    array[count], from = read_value(text, from, depth)
    return from
  end)
end

local function read_object(text, at, depth)
  local object = {}
  return object, read_items(text, at, "}", function(from)
    if text:sub(from, from) ~= '"' then error(M) end
    local name
    name, from = read_string(text, from)
    from = skip(text, from)
    if text:sub(from, from) ~= ":" then error(M) end
    object[name], from = read_value(text, skip(text, from + 1), depth)
    return from
  end)
end

function read_value(text, at, depth)
  local byte = text:sub(at, at)
  if byte == '"' then return read_string(text, at) end
  if byte == "[" or byte == "{" then
    if depth == DEPTH then error(M) end
    return (byte == "[" and read_array or read_object)(text, at, depth + 1)
  end
  local word = text:match("^%l+", at)
  for name, value in pairs(WORDS) do
    if word and word:sub(1, #name) == name then return value, at + #name end
  end
  return read_number(text, at)
end

-- The value of a JSON text in a table of one, or nil.
function M.read(text)
  local ok, value, at = pcall(read_value, text, skip(text, 1), 0)
  if not ok and value ~= M then error(value, 0) end
  if not ok or skip(text, at) <= #text then return nil end
  return { value }
end

-- ------------------------------------------------------------------------------------- comparison

local function same_number(a, b)
  if type_of and type_of(a) ~= type_of(b) then return false end
  return a == b and 1 / a == 1 / b
end

-- The path of the first difference, or nothing. `loose`: numbers need only be equal.
function M.difference(a, b, loose, path)
  path = path or "it"
  if type(a) == "number" and type(b) == "number" then
    return not (loose and a == b or same_number(a, b)) and path or nil
  end
  if type(a) ~= "table" or type(b) ~= "table" then return a ~= b and path or nil end
  for key, value in pairs(a) do
    local found = M.difference(value, b[key], loose, path .. "." .. tostring(key))
    if found then return found end
  end
  for key in pairs(b) do
    if a[key] == nil then return path .. "." .. tostring(key) end
  end
  return nil
end

-- -------------------------------------------------------------------------- documents from a seed

-- random(n): an integer from 1 to n, the same ones for the same seed in every Lua.
function M.random(seed)
  local state = (seed * 7919 + 1) % 2147483647
  return function(n)
    state = state * 16807 % 2147483647
    return math.floor(state / 8) % n + 1
  end
end

local SPACES = { " ", "\n", "\t", "\r\n", "  ", " \n\t " }
local PIECES = {
  "a", "name", "user-17@example.com", " ", "0123456789abcdef", "/", "{[:,]}", "\127",
  "\194\128", "\223\191", "é", "\224\160\128", "\237\159\191", "\238\128\128", "€", "\239\191\191",
  "\240\144\128\128", "😀", "\244\143\191\191", "김철수", [[\"]], [[\\]], [[\/]], [[\b]], [[\f]],
  [[\n]], [[\r]], [[\t]], [[\u0000]], [[\u001f]], [[\u0041]], [[\u007F]], [[\u0080]], [[\u07ff]],
  [[\u0800]], [[\uD7FF]], [[\ue000]], [[\uFfFf]], [[\ud800\udc00]], [[\uDBFF\uDFFF]],
  [[\ud83d\ude00]],
}

local function add_string(out, random)
  out[#out + 1] = '"'
  for _ = 1, random(5) - 1 do out[#out + 1] = PIECES[random(#PIECES)] end
  out[#out + 1] = '"'
end

local function add_integer(out, random)
  local digits = random(16)
  local number = random(9)
  for _ = 2, digits do number = number * 10 + random(10) - 1 end
  number = number % 9007199254740992
  out[#out + 1] = ("%s%.0f"):format(random(2) == 1 and "-" or "", number)
end

local function add_fraction(out, random)
  out[#out + 1] = ("%d.%0" .. random(9) .. "d"):format(random(1000) - 1, random(100000000))
  if random(2) == 1 then
    local sign = ({ "", "+", "-" })[random(3)]
    out[#out + 1] = (random(2) == 1 and "e" or "E") .. sign .. random(290)
  end
end

local function add_word(out, random)
  out[#out + 1] = ({ "true", "false", "null", "0", "-1", '""', "[]", "{}" })[random(8)]
end

local function space(out, random)
  if random(8) == 1 then out[#out + 1] = SPACES[random(#SPACES)] end
end

local add_value

local function add_items(out, random, depth, is_object)
  out[#out + 1] = is_object and "{" or "["
  for i = 1, random(6) - 1 do
    if i > 1 then out[#out + 1] = "," end
    space(out, random)
    if is_object then
      add_string(out, random)
      space(out, random)
      out[#out + 1] = ":"
      space(out, random)
    end
    add_value(out, random, depth + 1)
    space(out, random)
  end
  out[#out + 1] = is_object and "}" or "]"
end

local SCALARS = { add_string, add_string, add_integer, add_fraction, add_word }

function add_value(out, random, depth)
  local kind = random(depth < 5 and #SCALARS + 4 or #SCALARS)
  if SCALARS[kind] then return SCALARS[kind](out, random) end
  add_items(out, random, depth, kind % 2 == 0)
end

-- A valid text, mostly a container of a few hundred bytes.
function M.document(random)
  local out = {}
  space(out, random)
  if random(20) == 1 then
    add_value(out, random, 0)
  else
    add_items(out, random, 0, random(2) == 1)
  end
  space(out, random)
  return table.concat(out)
end

local BYTES = '{}[],:"\\ \n\t0123456789+-.eEtfnu/a'
local STRANGE = { "\0", "\31", "\127", "\128", "\191", "\192", "\224", "\237", "\240", "\255",
  "true", "null", "\\u", "\\ud83d", "1e999", "-0", "00", '""', "[[", "]]", "\239\187\191" }

-- `text` with something in it replaced, inserted, left out or said twice.
function M.damaged(text, random)
  for _ = 1, random(3) do
    local at, length = random(#text + 1), random(4) - 1
    local kind, put = random(4), ""
    if kind == 1 then
      local byte = random(#BYTES)
      put = BYTES:sub(byte, byte)
    elseif kind == 2 then
      put = STRANGE[random(#STRANGE)]
    elseif kind == 3 then
      put = text:sub(at, at + random(12))
      length = 0
    end
    text = text:sub(1, at - 1) .. put .. text:sub(at + length)
  end
  return text
end

return M
