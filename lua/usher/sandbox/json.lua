-- JSON as the sandbox answers it: members in the order written, `[]` and `{}` told apart, integers
-- as integers on every Lua. Reading goes through a private cjson. Nothing here knows a provider.

local cjson = require("cjson")

local decoder = cjson.new()
decoder.decode_invalid_numbers(false)
decoder.decode_max_depth(64)

local object_metatable, list_metatable = {}, {}

local EXACT = 2 ^ 53 -- above it a double no longer holds every integer
local REPLACEMENT = "\239\191\189" -- U+FFFD

local M = { null = cjson.null }

--- An object whose members keep their order. A nil value leaves its member out.
-- @param ... names and values, alternating
-- @treturn table for `encode`
-- @usage json.object("status", 200, "results", json.object("token", token))
function M.object(...)
  local members = { n = 0 }
  for i = 1, select("#", ...), 2 do
    local name, value = select(i, ...)
    if value ~= nil then
      members.n = members.n + 1
      members[members.n] = { name, value }
    end
  end
  return setmetatable(members, object_metatable)
end

--- A list, `[]` when it has no items.
-- @tparam table items
-- @tparam[opt] function view turns an item into what is written
-- @treturn table for `encode`
function M.list(items, view)
  local list = {}
  for i, item in ipairs(items) do list[i] = view and view(item) or item end
  return setmetatable(list, list_metatable)
end

--- An object from a plain table, `{}` when it is empty. Names are sorted.
-- @tparam table values
-- @tparam[opt] function view turns a value into what is written
-- @treturn table for `encode`
function M.map(values, view)
  local names = {}
  for name in pairs(values) do names[#names + 1] = tostring(name) end
  table.sort(names)
  local members = { n = #names }
  for i, name in ipairs(names) do
    local value = values[name]
    if value == nil then value = values[tonumber(name)] end
    if view then value = view(value) end
    members[i] = { name, value }
  end
  return setmetatable(members, object_metatable)
end

local sequences = { -- RFC 3629, section 4
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]",
  "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

local function sequence_end(text, from)
  for _, pattern in ipairs(sequences) do
    local _, last = text:find(pattern, from)
    if last then return last end
  end
end

-- JSON is UTF-8: like the providers' own servers, every byte that is not becomes U+FFFD.
local function repaired(text)
  local out, from = {}, 1
  while from <= #text do
    local high = text:find("[\128-\255]", from)
    out[#out + 1] = text:sub(from, (high or 0) - 1)
    if not high then break end
    local last = sequence_end(text, high)
    out[#out + 1] = last and text:sub(high, last) or REPLACEMENT
    from = (last or high) + 1
  end
  return table.concat(out)
end

local short = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(char)
  return short[char] or string.format("\\u%04x", char:byte())
end

local function write_string(text)
  if text:find("[\128-\255]") then text = repaired(text) end
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

local function write_number(number)
  if number ~= number or number == math.huge or number == -math.huge then return "null" end
  if number == math.floor(number) and math.abs(number) < EXACT then
    return string.format("%d", number)
  end
  for digits = 14, 17 do
    local text = string.format("%." .. digits .. "g", number)
    if tonumber(text) == number then return text end
  end
end

local write -- mutual recursion

local function write_object(out, members)
  out[#out + 1] = "{"
  for i = 1, members.n do
    out[#out + 1] = (i > 1 and "," or "") .. write_string(members[i][1]) .. ":"
    write(out, members[i][2])
  end
  out[#out + 1] = "}"
end

local function write_list(out, list)
  out[#out + 1] = "["
  for i, item in ipairs(list) do
    if i > 1 then out[#out + 1] = "," end
    write(out, item)
  end
  out[#out + 1] = "]"
end

local function write_table(out, value)
  local metatable = getmetatable(value)
  if metatable == object_metatable then return write_object(out, value) end
  if metatable == list_metatable or #value > 0 then return write_list(out, value) end
  return write_object(out, M.map(value))
end

function write(out, value)
  local kind = type(value)
  if kind == "table" then return write_table(out, value) end
  if kind == "string" then
    out[#out + 1] = write_string(value)
  elseif kind == "number" then
    out[#out + 1] = write_number(value)
  elseif value == M.null then
    out[#out + 1] = "null"
  else
    out[#out + 1] = tostring(value)
  end
end

--- Write a value made with `object`, `list` and `map`; plain tables are free-form data, where an
-- empty one is `{}`.
-- @param value
-- @treturn string
function M.encode(value)
  local out = {}
  write(out, value)
  return table.concat(out)
end

--- Read a JSON document.
-- @tparam string text
-- @return the value, `null` for null
-- @treturn[2] nil when the text is not JSON
-- @treturn[2] string why
function M.decode(text)
  local ok, value = pcall(decoder.decode, text)
  if ok then return value end
  return nil, tostring(value)
end

return M
