-- Makes the seeds of the fuzz targets:   lua5.4 spec/fuzz/seeds.lua DIRECTORY
--
-- A file each, under DIRECTORY/<target>/: the data of spec/vectors and of hostile.lua, in the form
-- in which the target reads its bytes (fuzz.h). They are made anew before each run, never kept.

local awkward = require "spec.vectors.awkward"
local core = require "usher.core"
local hostile = require "spec.fuzz.hostile"
local json = require "spec.vectors.json"

-- As in provider order of the core; after them comes the stand-in of world.h.
local PROVIDERS = core.providers()

local vectors = {}
for _, provider in ipairs(PROVIDERS) do vectors[provider] = require("spec.vectors." .. provider) end

-- Words of fuzz.h --------------------------------------------------------------------------------

local char = string.char

-- fuzz_bytes
local function bytes(text)
  if #text < 200 then return char(#text) .. text end
  local size = math.min(math.floor(#text / 4), 235)
  return char(200, size, 7) .. text:sub(1, 8)
end

-- fuzz_integer
local function integer(number)
  if number >= -16 and number < 112 then return char(number + 16) end
  local digits = {}
  if number < 0 then number = number + 2 ^ 64 end
  for i = 8, 1, -1 do
    digits[i] = char(math.floor(number % 256))
    number = math.floor(number / 256)
  end
  return char(255) .. table.concat(digits)
end

-- fuzz_fraction
local function fraction(value)
  local out = {}
  for i = 1, 8 do
    value = value * 256
    out[i] = char(math.floor(value))
    value = value - math.floor(value)
  end
  return table.concat(out)
end

-- Words of world.c -------------------------------------------------------------------------------

local ABSENT, ANY_TEXT, TYPED = char(1), char(3), char(4)

local function object(value)
  local members = {}
  for name, member in pairs(value) do
    if type(name) == "string" and type(member) == "string" and #members < 3 then
      members[#members + 1] = bytes(name) .. char(0) .. bytes(member)
    end
  end
  return char(#members) .. table.concat(members)
end

local function list(value)
  local items = {}
  for i = 1, math.min(#value, 4) do items[i] = bytes(tostring(value[i])) end
  return char(#items) .. table.concat(items)
end

local function file(value)
  return bytes(value.data or "data") .. bytes(value.filename or "a.png")
    .. bytes(value.content_type or "")
end

-- One argument or option as the row has it; what cannot be said so is left to chance.
local function argument(row, value)
  if value == nil then return ABSENT end
  if type(value) == "string" and row.type:find("string", 1, true) then
    return ANY_TEXT .. bytes(value)
  elseif type(value) == "number" then
    return TYPED .. integer(value)
  elseif type(value) == "boolean" then
    return TYPED .. (row.type == "boolean" and "" or char(1)) .. char(value and 1 or 0)
  elseif type(value) ~= "table" then
    return char(2)
  end
  local write = { ["list of strings"] = list, file = file, table = object }
  return TYPED .. (write[row.type] or object)(value)
end

local function options(rows, values)
  local out = { char(values.key_id and 0 or 3) }
  for i, row in ipairs(rows) do
    if row.name == "base_url" then
      out[#out + 1] = values.base_url and char(4) .. bytes(values.base_url) or char(0)
    else
      out[#out + 1] = argument(rows[i], values[row.name])
    end
  end
  return table.concat(out)
end

-- What world_open reads: provider, options, insecure, user agent, two extra headers.
local function client(index, values)
  return char(index - 1) .. options(core.describe(PROVIDERS[index]).options, values)
    .. char(0) .. bytes("agent/1") .. char(2) .. bytes("X-One") .. bytes("1") .. bytes("accept")
    .. bytes("")
end

-- What world_call reads: method, arguments, no overrides.
local function call(index, name, values)
  for i, method in ipairs(core.describe(PROVIDERS[index]).methods) do
    if method.name == name then
      local out = { char(i - 1) }
      for _, row in ipairs(method.parameters) do
        out[#out + 1] = argument(row, values[row.name])
      end
      return table.concat(out) .. char(0)
    end
  end
  error("no method " .. name)
end

local function merged(...)
  local all = {}
  for _, set in ipairs{ ... } do
    for name, value in pairs(set) do all[name] = value end
  end
  return all
end

-- The targets ------------------------------------------------------------------------------------

local make = {}

-- Calls visit(provider's index, case) for every case of the vectors.
local function each_case(visit)
  for index, provider in ipairs(PROVIDERS) do
    for _, case in ipairs(vectors[provider].cases) do visit(index, case, vectors[provider]) end
  end
end

function make.request(add)
  each_case(function(index, case, of)
    add(client(index, merged(of.client, case.client or {}))
      .. call(index, case.method, case.arguments or {}) .. fraction(0.5) .. fraction(0.4)
      .. bytes("list_user"))
  end)
  for _, row in ipairs(awkward.values) do
    local value = tostring(row.value)
    add(client(2, { app_id = "app", secret = value })
      .. call(2, "login_or_register", { user_id = value, username = value,
        extras = { [value] = value } }) .. fraction(0) .. fraction(0.4) .. bytes(value))
    add(client(3, { key_id = value, secret = value })
      .. call(3, "post_image_message", { user_id = value, role = "appUser", name = value,
        source = { data = value .. "\r\n--usher-0000000000000000\r\n", filename = value } })
      .. fraction(0) .. fraction(0.4) .. bytes(value))
  end
  for method = 0, 3 do -- of the stand-in
    for how = 0, 4 do
      add(char(#PROVIDERS, 0, 0) .. char(how):rep(60) .. char(0, 0, 0, method)
        .. char(how):rep(200))
    end
  end
end

-- A reply as document.c reads it, and fields of every kind behind it.
local function reply(status, retry_after, body, decoded)
  return char(0, status) .. bytes(retry_after) .. bytes(body)
    .. (decoded and char(0) or char(3) .. bytes("it is not JSON"))
end

local FIELDS = {
  char(0):rep(4), char(1):rep(4), char(2, 0, 2, 1), char(3, 17, 3, 16), char(7, 7, 7),
  char(3, 255) .. ("\255"):rep(8), char(4) .. ("\127"):rep(8),
  char(6) .. bytes("1") .. char(6) .. bytes("message"),
}

function make.response(add)
  for provider = 0, #PROVIDERS do
    for status = 0, 12 do
      local fields = FIELDS[(status + provider) % #FIELDS + 1]
      add(char(provider, status) .. fraction(0.4) .. reply(status, "7", '{"a":1}', true) .. fields
        .. char(1, 2) .. fraction(0.5) .. char(100) .. fraction(0.5)
        .. reply(status, "soon", " ", status % 2 == 0) .. fields)
    end
  end
  for _, value in ipairs(hostile.retry_after) do
    add(char(0, 0) .. fraction(0.4) .. reply(8, value, "", false) .. char(1, 2) .. fraction(0.5))
  end
end

function make.call(add)
  each_case(function(index, case, of)
    for status = 0, 12, 4 do
      add(client(index, merged(of.client, case.client or {})) .. char(status % 3) .. fraction(0.4)
        .. call(index, case.method, case.arguments or {}) .. fraction(0.4) .. fraction(0.5)
        .. (char(0) .. reply(status, "1", '{"a":1}', true) .. char(1, 2) .. bytes("said back: ")
          .. char(0, 2, 4, 6, 8):rep(6)):rep(3))
    end
  end)
end

function make.redact(add)
  for i, text in ipairs(hostile.secret_texts) do
    for kind = 0, 3 do
      add(char(kind) .. char(1) .. bytes("s3cret") .. bytes('a"b/c\\\240\159\152\128 +é') .. char(2)
        .. bytes(text) .. char(0) .. char(i, 0, 2, 4, 6, 8, 1, 3, 5, 7):rep(2) .. bytes(text))
    end
  end
end

function make.url(add)
  for _, row in ipairs(awkward.values) do
    local value = tostring(row.value)
    add(char(0) .. bytes(value) .. bytes(value) .. char(1))
    add(char(1) .. bytes(value))
  end
  add(char(0) .. bytes("a") .. char(200, 238, 0) .. "/" .. char(1)) -- beyond the ceiling
  for i, url in ipairs(hostile.base_urls) do add(char(2, 0, i % 2) .. url) end
end

function make.token(add)
  for _, payload in ipairs(hostile.payloads) do
    add(char(0) .. payload)
    add(char(1) .. payload)
    add(char(2) .. bytes('{"alg":"HS256"}') .. bytes(payload) .. bytes("secret"))
    add(char(3) .. core.base64url_encode("{}") .. "." .. core.base64url_encode(payload) .. ".c2ln")
    add(char(4) .. payload)
    add(char(5) .. bytes(payload) .. bytes(payload))
  end
  for _, text in ipairs{ "Zm9v", "Zg", "Zh", "Z", "Zg==", "Z g", "__79", "\0\0" } do
    add(char(1) .. text)
  end
end

function make.headers(add)
  local all = {}
  for i, field in ipairs(hostile.headers) do
    local one = bytes(field[1]) .. bytes(field[2]) .. char(i % 2)
    add(bytes(field[1]) .. one)
    all[i] = one
  end
  add(bytes("x") .. table.concat(all))
end

function make.head(add)
  for _, answer in ipairs(hostile.answers) do add(answer) end
end

function make.retry_after(add)
  for _, value in ipairs(hostile.retry_after) do add(char(0) .. fraction(0.2) .. value) end
  for _, number in ipairs{ 0, 1, 111, 999999, 1000001 } do add(char(1) .. integer(number)) end
  for i = 0, 9 do add(char(2) .. fraction(i / 10) .. fraction(0.95 - i / 10) .. char(i % 2, i)) end
end

-- Halfway between two doubles, a little less, a little more: far behind the digits that are few.
local HALVES = { "1.00000000000000011102230246251565404236316680908203125",
  "2.47032822920623272082994396341108646182539901e-324", "9007199254740993" }

-- Objects that say the same names again: all of them, some, in another order, spelled otherwise,
-- in and below each other, and more than are remembered.
local REPEATED = {
  '[{"a":1,"b":2,"c":3},{"a":4,"b":5,"c":6},{"a":7,"c":8},{"b":9}]',
  '[{"a":1,"b":2},{"b":3,"a":4},{"a" : 5,"b":\n6},{"a":7,"b" :8},{"a":9,"b":10}]',
  '[{"a":{"a":{"b":1},"b":2},"b":3},{"a":{"a":{"b":4},"b":5},"b":6}]',
  [[[{"\u0061":1,"b":2},{"\u0061":3,"b":4},{"a":5},{"":6},{"":7}] ]],
  '[{"a":1},{"ab":2},{"a":3},{"a"4}]',
  '[{"name":1},{"name',
  '[{"name":1},{"name"',
  '[{"name": 1},{"name":',
}
do
  local names = {}
  for i = 1, 40 do names[i] = ('"n%d":%d'):format(i, i) end
  local wide = "{" .. table.concat(names, ",") .. "}"
  REPEATED[#REPEATED + 1] = "[" .. wide .. "," .. wide .. "]"
end

function make.json_reader(add)
  for _, text in ipairs(REPEATED) do add(text) end
  for _, digits in ipairs(HALVES) do
    local whole, exponent = digits:match("^([%d.]+)(.*)$")
    add(whole .. exponent)
    if not whole:find(".", 1, true) then whole = whole .. "." .. ("0"):rep(30) end
    add(whole .. ("0"):rep(300) .. "1" .. exponent)
    add(whole:gsub("%d$", function(last) return (last - 1) % 10 end) .. ("9"):rep(900) .. exponent)
  end
  for _, row in ipairs(json) do add(row[2]) end
  each_case(function(_, case)
    if case.response then add(case.response.body) end
  end)
  for _, row in ipairs(awkward.values) do add('{"' .. row.name .. '":' .. row.json .. "}") end
end

function make.json_writer(add)
  for _, row in ipairs(awkward.values) do
    local value = bytes(tostring(row.value))
    add(char(0, 4, 3) .. value .. char(0) .. value .. value .. char(5, 2, 6, 7) .. value
      .. char(1, 200))
    add(char(3, 0) .. value)
  end
  for _, number in ipairs{ 0, 1, -1, 2 ^ 53, -2 ^ 53, 2 ^ 53 * 8, 12345 } do
    add(char(0, 1) .. integer(number))
    add(char(0, 3) .. integer(number + 1))
    add(char(0, 2) .. fraction(math.abs(number) / 2 ^ 60))
  end
  add(char(0) .. char(5, 1):rep(60))
  add(char(0) .. char(4, 1, 1, 97):rep(60))
end

function make.buffer(add)
  local function reset(ceiling) return char(1, math.floor(ceiling / 256), ceiling % 256) end
  local function append(text) return char(5) .. bytes(text) .. char(0) end
  local large = char(200, 237, 0) .. "x"
  add(reset(256) .. append("abc") .. char(5, 0, 1, 65, 5, 0, 2, 2) .. "de" .. char(5, 0, 3, 127)
    .. char(0, 0, 2) .. append("x"))
  add(reset(65535) .. char(5) .. large .. char(0) .. char(5) .. large .. char(0) .. reset(5)
    .. char(3, 4))
  add(char(2) .. bytes("hello") .. char(0, 5) .. append("") .. append("!") .. char(2)
    .. bytes("hello") .. char(0, 4))
end

-- An answer as text from a row of the vectors.
local function http(response)
  local lines = { ("HTTP/1.1 %d Status"):format(response.status) }
  for name, value in pairs(response.headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  table.sort(lines)
  lines[#lines + 1] = "Content-Length: " .. #response.body
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. response.body
end

function make.answer(add)
  for i, answer in ipairs(hostile.answers) do
    -- method, how it is sent and whether there is a second call, limits, where a pause is
    add(char(i * 5 % 36, i % 8 + i % 2 * 128, i % 3, i * 17 % 256) .. answer)
    add(char(i * 7 % 36, 1 + 128, i % 2 * 4, 255) .. answer)
  end
  local number = 0
  each_case(function(_, case)
    number = number + 1
    if case.response then
      add(char(number % 36, number % 2 * 128, 0, number * 31 % 256) .. http(case.response))
    end
  end)
end

function make.script(add)
  local state = 1
  for seed = 0, 59 do
    local out = { char(seed % 4, seed % 3) }
    for i = 2, 60 + seed * 3 do
      state = (state * 1103515245 + 12345) % 2 ^ 31
      out[i] = char(math.floor(state / 65536) % 256)
    end
    add(table.concat(out))
  end
end

-- ------------------------------------------------------------------------------------------------

local function write(directory, target)
  local seen, count = {}, 0
  assert(os.execute(("mkdir -p '%s/%s'"):format(directory, target)))
  make[target](function(seed)
    if seen[seed] then return end
    seen[seed] = true
    count = count + 1
    local path = ("%s/%s/%03d"):format(directory, target, count)
    local handle = assert(io.open(path, "wb"))
    handle:write(seed)
    handle:close()
  end)
  assert(count > 0, "no seeds for " .. target)
end

local directory = assert(arg[1], "usage: seeds.lua DIRECTORY [TARGET...]")
if arg[2] then
  for i = 2, #arg do
    if make[arg[i]] then write(directory, arg[i]) end
  end
else
  for target in pairs(make) do write(directory, target) end
end
