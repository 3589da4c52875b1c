-- The JSON reader as Lua sees it: what is a JSON text, what it becomes, and where it is refused.
-- Numbers have decode_number_spec.lua, comparison with other readers decode_agreement_spec.lua.

local core = require "usher.core"
local usher = require "usher"
local json = require "spec.support.json"
local vectors = require "spec.vectors.json"

local decode = core.decode
local difference = json.difference

-- Why `text` is refused, and the byte.
local function refused(text)
  local value, why = decode(text)
  if value ~= nil then return "it is read", 0 end
  local words, byte = why:match("^it is not JSON: (.*), at byte (%d+)$")
  return words, tonumber(byte)
end

-- Fails with the text, which may be long, and where the value differs.
local function assert_value(expected, text)
  local value, why = decode(text)
  local path = difference(expected, value)
  if path then
    error(("%s differs in %q: %s"):format(path, text:sub(1, 300), tostring(why or value)), 2)
  end
end

local function assert_refused(words, byte, text)
  local actual_words, actual_byte = refused(text)
  if actual_words ~= words or actual_byte ~= byte then
    error(("%q: %s at %d, not %s at %d"):format(text:sub(1, 300), tostring(actual_words),
      actual_byte or -1, words, byte), 2)
  end
end

describe("a JSON text", function()
  for _, row in ipairs(vectors) do
    local name, text, kind, ending, byte = row[1], row[2], row[3], row[4], row[5]
    if kind == "invalid" or byte then
      it(("is refused: %s"):format(name), function() assert_refused(ending, byte, text) end)
    else
      it(("is read: %s"):format(name), function() assert_value(ending, text) end)
    end
  end

  it("is read by the specs' own reader just so", function()
    for _, row in ipairs(vectors) do
      local value = json.read(row[2])
      if row[5] then
        assert.is_nil(value, row[1])
      else
        assert.is_nil(difference(row[4], value[1]), row[1])
      end
    end
  end)

  it("is a string, and anything else raises", function()
    for _, value in ipairs{ {}, true, print } do
      assert.is_false((pcall(decode, value)))
    end
    assert.is_false((pcall(decode)))
    assert.is_false((pcall(decode, nil)))
  end)

  it("is null as usher.null, and nothing else is", function()
    assert.equal(usher.null, decode("null"))
    assert.is_nil(decode("nul"))
  end)
end)

describe("a string of JSON", function()
  it("may be an escape of each code of 16 bits", function()
    local codes, expected = {}, {}
    for code = 0, 0xFFFF do
      codes[#codes + 1] = ((code % 2 == 0) and "\\u%04x " or "\\u%04X "):format(code)
      local half = code >= 0xD800 and code <= 0xDFFF
      expected[#expected + 1] = json.utf8_of(half and 0xFFFD or code) .. " "
    end
    assert_value(table.concat(expected), '"' .. table.concat(codes) .. '"')
  end)

  it("may be a surrogate pair with each first and each second half", function()
    local codes, expected = {}, {}
    local function add(high, low)
      codes[#codes + 1] = ("\\u%04x\\u%04X"):format(0xD800 + high, 0xDC00 + low)
      expected[#expected + 1] = json.utf8_of(0x10000 + high * 0x400 + low)
    end
    for half = 0, 0x3FF do
      for _, other in ipairs{ 0, 1, 0x155, 0x2AA, 0x3FE, 0x3FF } do
        add(half, other)
        add(other, half)
      end
    end
    assert_value(table.concat(expected), '"' .. table.concat(codes) .. '"')
  end)

  it("joins halves only of a first and a second, in that order", function()
    local FFFD = json.utf8_of(0xFFFD)
    local edges = { 0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000 }
    for _, first in ipairs(edges) do
      for _, second in ipairs(edges) do
        local pair = first >= 0xD800 and first < 0xDC00 and second >= 0xDC00 and second < 0xE000
        local function alone(code)
          return (code >= 0xD800 and code < 0xE000) and FFFD or json.utf8_of(code)
        end
        local expected = alone(first) .. alone(second)
        if pair then
          expected = json.utf8_of(0x10000 + (first - 0xD800) * 0x400 + second - 0xDC00)
        end
        assert_value(expected, ('"\\u%04x\\u%04x"'):format(first, second))
      end
    end
  end)

  it("has hexadecimal digits alone in a code, at each of its four places", function()
    for byte = 0, 255 do
      local char = string.char(byte)
      for place = 1, 4 do
        local code = ("004"):sub(1, place - 1) .. char .. ("0041"):sub(place + 1)
        local text = '"\\u' .. code .. '"'
        if char:find("^%x$") then
          assert_value(json.utf8_of(tonumber(code, 16)), text)
        else
          assert_refused("\\u needs four hexadecimal digits", 4, text)
        end
      end
    end
  end)

  it("has no other escape than JSON's", function()
    local meanings = {
      ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
      b = "\8", f = "\12", n = "\10", r = "\13", t = "\9",
    }
    for byte = 0, 255 do
      local char = string.char(byte)
      local text = '"\\' .. char .. '"'
      if char == "u" then
        assert_refused("\\u needs four hexadecimal digits", 4, text)
      elseif meanings[char] then
        assert_value(meanings[char], text)
        assert_value("ab" .. meanings[char] .. "cd", '"ab\\' .. char .. 'cd"')
        assert_value({ [meanings[char]] = meanings[char] }, "{" .. text .. ":" .. text .. "}")
      else
        assert_refused("this is not an escape of JSON", 3, text)
      end
    end
  end)

  it("may hold every character of 16 bits, and many beyond, as it is", function()
    local all = {}
    for code = 0x20, 0xFFFF do
      local half = code >= 0xD800 and code <= 0xDFFF
      if not half and code ~= 0x22 and code ~= 0x5C then all[#all + 1] = json.utf8_of(code) end
    end
    for code = 0x10000, 0x10FFFF, 17 do all[#all + 1] = json.utf8_of(code) end
    all[#all + 1] = json.utf8_of(0x10FFFF)
    local text = table.concat(all)
    assert.equal(4 * 61681 + 3 * 0xF000 + 2 * 0x780 + 0x60 - 2, #text - 4)
    assert.is_true(decode('"' .. text .. '"') == text)
  end)

  -- Two bytes are all tried; of longer ones, those at the edges of each byte's range.
  it("holds of all sequences of two bytes those of UTF-8", function()
    local count = 0
    for first = 0, 255 do
      for second = 0, 255 do
        local bytes = string.char(first, second)
        if json.is_plain(bytes) then
          count = count + 1
          assert_value(bytes, '"' .. bytes .. '"')
        elseif first >= 0x80 then
          assert_refused("a string must be UTF-8", 2, '"' .. bytes .. '"')
        end
      end
    end
    assert.equal(94 * 94 + 1920, count)
  end)

  local EDGES = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF }

  it("holds of sequences of three and four bytes those of UTF-8", function()
    local taken = { [3] = 0, [4] = 0 }
    local function try(...)
      local bytes = string.char(...)
      if json.is_plain(bytes) then
        taken[#bytes] = taken[#bytes] + 1
        assert_value("a" .. bytes .. "b", '"a' .. bytes .. 'b"')
      else
        assert_refused("a string must be UTF-8", 3, '"a' .. bytes .. 'b"')
      end
    end
    for first = 0xE0, 0xFF do
      for second = 0, 255 do
        for _, third in ipairs(EDGES) do
          if first < 0xF0 then
            try(first, second, third)
          else
            for _, fourth in ipairs{ 0x7F, 0x80, 0xBF, 0xC0 } do
              try(first, second, third, fourth)
            end
          end
        end
      end
    end
    assert.equal((16 * 64 - 64) * 6, taken[3])
    assert.equal(256 * 6 * 2, taken[4])
  end)

  it("does not end inside a character", function()
    for _, char in ipairs{ "\195\169", "\226\130\172", "\240\159\152\128" } do
      for length = 1, #char - 1 do
        local part = char:sub(1, length)
        for _, text in ipairs{ '"' .. part, '"' .. part .. '"', '"' .. part .. "\\n\"",
          '"' .. part .. "aaaaaaaaa\"", '"' .. part .. char .. '"' } do
          assert_refused("a string must be UTF-8", 2, text)
        end
      end
    end
  end)

  -- The text may be looked at eight bytes at a time: each byte at each place, from each alignment.
  it("is read the same wherever it lies", function()
    local letters = ("abcdefghijklmnopqrstuvwxyz"):rep(2)
    local outcomes = { value = 0, refusal = 0 }
    for offset = 0, 16 do
      local before = (" "):rep(offset)
      for place = 0, 16 do
        local front, back = letters:sub(1, place), letters:sub(place + 1, 17)
        for byte = 0, 255 do
          local text = before .. '"' .. front .. string.char(byte) .. back .. '"'
          local at = offset + place + 2
          if byte < 0x20 then
            assert_refused("a string must not hold a control character", at, text)
            outcomes.refusal = outcomes.refusal + 1
          elseif byte >= 0x80 then
            assert_refused("a string must be UTF-8", at, text)
          elseif byte == 0x22 then
            assert_refused("more follows the value", at + 1, text)
          elseif byte ~= 0x5C then
            outcomes.value = outcomes.value + 1
            assert_value(front .. string.char(byte) .. back, text)
          end
        end
      end
    end
    assert.same({ value = 289 * 94, refusal = 289 * 32 }, outcomes)
  end)

  it("has its escapes and characters read wherever they lie", function()
    local letters = ("abcdefghijklmnopqrstuvwxyz"):rep(2)
    local specials = {
      { "\\n", "\n" }, { "\\\\", "\\" }, { '\\"', '"' }, { "\\u0000", "\0" }, { "é", "é" },
      { "€", "€" }, { "😀", "😀" }, { "\\ud83d\\ude00", "😀" },
      { "\\ud83d", json.utf8_of(0xFFFD) }, { "é\\té", "é\té" },
    }
    for offset = 0, 8 do
      for front = 0, 17 do
        for back = 0, 9 do
          for _, special in ipairs(specials) do
            local from, to = letters:sub(1, front), letters:sub(1, back)
            local escaped, text = from .. special[1] .. to, from .. special[2] .. to
            assert_value({ [text] = text },
              (" "):rep(offset) .. '{"' .. escaped .. '":"' .. escaped .. '"}')
          end
        end
      end
    end
  end)

  it("has no end, and each length is told from the text's", function()
    for length = 0, 40 do
      local open = '"' .. ("x"):rep(length)
      assert_refused("a string has no end", length + 2, open)
      assert_refused("a string has no end", length + 4, open .. '\\"')
      assert_value(("x"):rep(length), open .. '"')
    end
  end)

  it("may be long, plain or all escapes", function()
    local plain = ("0123456789"):rep(100000)
    assert.is_true(decode('"' .. plain .. '"') == plain)
    assert.is_true(decode('"' .. ("\\u0000"):rep(200000) .. '"') == ("\0"):rep(200000))
    assert.is_true(decode('"' .. ("\\n"):rep(500000) .. '"') == ("\n"):rep(500000))
    assert.is_true(decode('"' .. ("\\uffff"):rep(200000) .. '"') == ("\239\191\191"):rep(200000))
  end)
end)

describe("a nesting", function()
  local function nested(depth, open, close)
    return open:rep(depth) .. close:rep(depth)
  end

  it("may be 64 deep", function()
    local value = decode(nested(64, "[", "]"))
    for _ = 1, 63 do
      assert.equal(1, #value)
      value = value[1]
    end
    assert.same({}, value)
    value = decode(('{"a":'):rep(63) .. "{}" .. ("}"):rep(63))
    for _ = 1, 63 do value = value.a end
    assert.same({}, value)
    assert.is_table(decode(('[{"a":'):rep(32) .. "1" .. ("}]"):rep(32)))
  end)

  it("may be 64 deep again and again", function()
    local one = nested(63, "[", "]")
    local value = decode("[" .. one .. (("," .. one):rep(99)) .. "]")
    assert.equal(100, #value)
  end)

  it("may be 64 deep in a coroutine, whose stack is small", function()
    local text = ('{"a":'):rep(63) .. '{"b":[1]' .. ("}"):rep(64)
    assert.is_nil(coroutine.wrap(decode)(text)) -- 65 with the array
    text = ('{"a":'):rep(63) .. '{"b":1' .. ("}"):rep(64)
    local value = coroutine.wrap(decode)(text)
    for _ = 1, 63 do value = value.a end
    assert.same({ b = 1 }, value)
  end)

  it("is no deeper", function()
    local DEEP = "it is nested too deep"
    assert_refused(DEEP, 65, nested(65, "[", "]"))
    assert_refused(DEEP, 64 * 5 + 1, ('{"a":'):rep(64) .. "{}" .. ("}"):rep(64))
    assert_refused(DEEP, 64 * 5 + 1, ('{"a":'):rep(64) .. "[]" .. ("}"):rep(64))
    assert_refused(DEEP, 32 * 6 + 1, ('[{"a":'):rep(32) .. "[]" .. ("}]"):rep(32))
    assert_refused(DEEP, 65, ("["):rep(64) .. "{" .. ("]"):rep(64))
    assert_refused(DEEP, 65, ("["):rep(200000))
    assert_refused(DEEP, 64 * 5 + 1, ('{"a":'):rep(200000))
    assert_refused(DEEP, 32 * 6 + 1, ('[{"a":'):rep(100000))
  end)

  it("ends with the bracket that it began with, at every depth", function()
    for depth = 1, 64 do
      local arrays, objects = ("["):rep(depth - 1), ('{"a":'):rep(depth - 1)
      assert_refused("a comma or ] is due", depth + 2, arrays .. "[1}" .. ("]"):rep(depth - 1))
      assert_refused("a comma or } is due", #objects + 7, objects .. '{"a":1]' ..
        ("}"):rep(depth - 1))
      -- An array, closed, at the depth where an object follows, and the other way round.
      assert_value({ {}, { a = 1 }, {}, { 1 } }, '[[],{"a":1},{},[1]]')
    end
  end)

  it("closed at one depth leaves the others as they are", function()
    assert_value({ a = { { b = { {}, { c = 1 } } }, 2 }, d = 3 },
      '{"a":[{"b":[[],{"c":1}]},2],"d":3}')
    assert_refused("a comma or } is due", 18, '{"a":[{"b":[[]]}]]')
    assert_refused("a comma or ] is due", 16, '[{"a":{"b":{}}}}')
  end)
end)

describe("a wide text", function()
  it("is an array of 300,000 objects", function()
    local value = decode("[" .. ("{},"):rep(299999) .. "{}]")
    assert.equal(300000, #value)
    assert.is_nil(next(value[300000]))
    assert.are_not.equal(value[1], value[2])
  end)

  it("is an array of 300,000 numbers, in order", function()
    local parts = {}
    for i = 1, 300000 do parts[i] = i end
    local value = decode("[" .. table.concat(parts, ",") .. "]")
    assert.equal(300000, #value)
    for i = 1, 300000 do
      if value[i] ~= i then error("item " .. i) end
    end
  end)

  it("is an object of 200,000 names", function()
    local parts = {}
    for i = 1, 200000 do parts[i] = ('"n%d":%d'):format(i, i % 7) end
    local value = decode("{" .. table.concat(parts, ",") .. "}")
    for i = 1, 200000 do
      if value["n" .. i] ~= i % 7 then error("member n" .. i) end
      value["n" .. i] = nil
    end
    assert.is_nil(next(value))
  end)

  it("is an object of 100,000 times one name: the last counts", function()
    assert_value({ n = 100000, m = 1 },
      '{"m":1,' .. ('"n":"x",'):rep(99999) .. '"n":100000}')
  end)

  it("is white space for the most part", function()
    assert_value({ 1, 2 }, (" "):rep(500000) .. "[1," .. ("\n"):rep(500000) .. "2]" ..
      ("\t"):rep(500000))
  end)

  it("has a neighbour that is much smaller, or larger", function()
    local long = "[" .. ("1,"):rep(999) .. "1]"
    local value = decode("[" .. long .. ",[],[2]," .. long .. ",[3]]")
    assert.equal(1000, #value[1])
    assert.same({ {}, { 2 } }, { value[2], value[3] })
    assert.equal(1000, #value[4])
    assert.same({ 3 }, value[5])
    assert_value({ { a = 1, b = 2, c = 3 }, {}, { d = 4 }, { 1 }, { a = 1, b = 2 } },
      '[{"a":1,"b":2,"c":3},{},{"d":4},[1],{"a":1,"b":2}]')
  end)
end)

-- A cycle of the collector ends with each call of `ended`, until that returns false.
local function watch_cycles(ended)
  local function again()
    if ended() then watch_cycles(ended) end
  end
  local newproxy = rawget(_G, "newproxy") -- Lua 5.1's tables have no finalizers
  if newproxy then
    getmetatable(newproxy(true)).__gc = again
  else
    setmetatable({}, { __gc = again })
  end
end

describe("the collector, while a large text is read,", function()
  local row = '{"name":"x","b":2,"c":null,"d":4,"e":5.5,"f":"six","g":true,"padding":"%s"},'
  local text = "[" .. row:format(("x"):rep(20)):rep(39999) .. "{}]"
  local mode, pause, step

  before_each(function()
    if _VERSION ~= "Lua 5.1" then mode = collectgarbage("incremental") end
    pause, step = collectgarbage("setpause", 140), collectgarbage("setstepmul", 400)
    collectgarbage()
  end)
  after_each(function()
    collectgarbage("restart")
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", step)
    if mode then collectgarbage(mode) end
  end)

  it("does not look at it again and again", function()
    collectgarbage("setpause", 110)
    collectgarbage("setstepmul", 1000)
    collectgarbage()
    local cycles, reads = 0, true
    watch_cycles(function()
      cycles = cycles + 1
      return reads
    end)
    assert.equal(40000, #decode(text))
    reads = false
    assert.truthy(cycles <= 2, cycles .. " cycles")
  end)

  it("stays as patient as the script has made it", function()
    assert.equal(40000, #decode(text))
    assert.equal(140, collectgarbage("setpause", 140))
    assert.equal(400, collectgarbage("setstepmul", 400))
  end)

  it("stays stopped", function()
    collectgarbage("stop")
    local kept = setmetatable({ {} }, { __mode = "v" })
    for _ = 1, 4 do assert.equal(40000, #decode(text)) end
    assert.truthy(kept[1])
  end)

  it("goes on when it has not been stopped", function()
    local kept = setmetatable({ {} }, { __mode = "v" })
    local reads = 0
    while kept[1] and reads < 50 do
      assert.equal(40000, #decode(text))
      reads = reads + 1
    end
    assert.is_nil(kept[1])
  end)
end)

local RICH = ' {"id" : "user-\\u0041\\ud83d\\ude00é€😀",' ..
  '"n":[0,-1,12.50e+3,1E-2,9007199254740993],"deep":{"a":[[],{},[{"":null}]]},' ..
  '\t"t":true ,"f":false,"esc":"\\"\\\\\\/\\b\\f\\n\\r\\t"}'

describe("a text that is cut", function()
  it("is refused at its end, wherever it is cut", function()
    assert.is_table(decode(RICH))
    for length = 0, #RICH - 1 do
      local text = RICH:sub(1, length)
      local words, byte = refused(text)
      if words == "it is read" then error(("%q is read"):format(text)) end
      -- Where the token began that is cut, or the end.
      assert.is_true(byte <= length + 1 and byte >= length - 11, text)
      assert.is_nil(json.read(text))
    end
  end)

  it("is refused wherever its beginning is missing", function()
    for first = 3, #RICH do
      local text = RICH:sub(first)
      assert.equal(json.read(text) ~= nil, decode(text) ~= nil, text)
    end
  end)

  it("is refused when one of its structural bytes is missing", function()
    local count = 0
    for at = 1, #RICH do
      if RICH:find('^[{}%[%]:,"]', at) then
        local text = RICH:sub(1, at - 1) .. RICH:sub(at + 1)
        assert.equal(json.read(text) ~= nil, decode(text) ~= nil, text)
        if not decode(text) then count = count + 1 end
      end
    end
    assert.is_true(count > 50, count)
  end)

  it("is no more than what comes before NUL", function()
    for length = 1, #RICH - 1 do
      assert.is_nil(decode(RICH:sub(1, length) .. "\0" .. RICH:sub(length + 1)))
    end
    assert_refused("more follows the value", #RICH + 1, RICH .. "\0")
  end)
end)

-- Of all 256 bytes, those that may stand for ? in a text.
local SPACE = " \t\r\n"
local DIGITS = "0123456789"
local PRINTED = {}
for byte = 0x20, 0x7F do
  if byte ~= 0x22 then PRINTED[#PRINTED + 1] = string.char(byte) end
end
PRINTED = table.concat(PRINTED)

local PLACES = {
  { "?", DIGITS },
  { "?[]", SPACE },
  { "[]?", SPACE },
  { "[?]", SPACE .. DIGITS },
  { "{?}", SPACE },
  { "[?1]", SPACE .. "-123456789" },
  { "[1?]", SPACE .. DIGITS },
  { "[1?2]", DIGITS .. ".,eE" },
  { "[1 ?2]", "," },
  { "[1 ? 2]", "," },
  { "[1,?2]", SPACE .. "-123456789" },
  { "[1,? 2]", SPACE },
  { "[0?1]", ".,eE" },
  { "[0?]", SPACE },
  { "[-?]", DIGITS },
  { "[-?1]", "123456789" },
  { "[1.?]", DIGITS },
  { "[1.5?]", SPACE .. DIGITS },
  { "[1.5?6]", DIGITS .. ",eE" },
  { "[1e?]", DIGITS },
  { "[1e?2]", DIGITS .. "+-" },
  { "[1e2?]", SPACE .. DIGITS },
  { "[1e+?]", DIGITS },
  { '["a"?]', SPACE },
  { '["a"?"b"]', "," },
  { '["a"?,"b"]', SPACE },
  { '["a",?"b"]', SPACE },
  { "[[]?]", SPACE },
  { "[[]?[]]", "," },
  { "[{}?{}]", "," },
  { '{?"a":1}', SPACE },
  { '{"a"?:1}', SPACE },
  { '{"a"?1}', ":" },
  { '{"a":?}', DIGITS },
  { '{"a":?"b"}', SPACE },
  { '{"a":"b"?}', SPACE },
  { '{"a":"b"?"c":1}', "," },
  { '{"a":"b"?,"c":1}', SPACE },
  { '{"a":"b",?"c":1}', SPACE },
  { '{"a":{}?}', SPACE },
  { "[?rue]", "t" },
  { "[tr?e]", "u" },
  { "[tru?]", "e" },
  { "[true?]", SPACE },
  { "[?alse]", "f" },
  { "[fals?]", "e" },
  { "[?ull]", "n" },
  { "[nul?]", "l" },
  { "[null?true]", "," },
  { "[]?[]", "" },
  { '"\\?a"', '"\\/bfnrt' },
  { '"\\u00?0"', DIGITS .. "abcdefABCDEF" },
  { '"a?b"', PRINTED },
  { '{"a?b":1}', PRINTED },
  { '"\\ud83d?ude00"', PRINTED },
  { '"?"', (PRINTED:gsub("\\", "")) },
  { "[1?", "]" },
  { '{"a":1?', "}" },
}

describe("a single byte", function()
  for _, place in ipairs(PLACES) do
    it(("stands in %s only where it may"):format(place[1]), function()
      local taken = {}
      for byte = 0, 255 do
        local char = string.char(byte)
        local text = place[1]:gsub("%?", (char:gsub("%%", "%%%%")))
        if decode(text) ~= nil then taken[#taken + 1] = char end
      end
      local expected = {}
      for char in place[2]:gmatch(".") do expected[#expected + 1] = char end
      table.sort(expected)
      assert.equal(("%q"):format(table.concat(expected)), ("%q"):format(table.concat(taken)))
    end)
  end
end)
