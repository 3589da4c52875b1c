-- Numbers of JSON: integers are exact, the others the nearest double, whatever the locale. What is
-- nearest is known here by arithmetic on whole decimals, not by the C library alone.

local core = require "usher.core"
local json = require "spec.support.json"

local decode = core.decode
local type_of = rawget(math, "type")

local function assert_number(expected, text)
  local value, why = decode(text)
  if json.difference(expected, value) then
    error(("%s is %s, not %s"):format(#text > 300 and text:sub(1, 300) .. "..." or text,
      type(value) == "number" and ("%.17g"):format(value) or tostring(value or why),
      type(expected) == "number" and ("%.17g"):format(expected) or tostring(expected)), 2)
  end
end

-- On its own, negative, and as an item and a member.
local function assert_everywhere(expected, text)
  assert_number(expected, text)
  assert_number(type(expected) == "string" and "-" .. expected or -expected, "-" .. text)
  assert.is_nil(json.difference({ expected, { n = expected } },
    decode("[" .. text .. ',{"n":' .. text .. "}]")), text)
end

local function assert_out_of_range(text)
  local value, why = decode("[" .. text .. "]")
  assert.is_nil(value, text:sub(1, 300))
  assert.equal("it is not JSON: a number is out of range, at byte 2", why)
end

describe("an integer of JSON", function()
  -- { digits, exact on LuaJIT and Lua 5.1?, exact on Lua 5.4? }
  local EDGES = {
    { "1", true, true },
    { "999999999999999", true, true },
    { "9007199254740991", true, true },
    { "9007199254740992", true, true },
    { "9007199254740993", false, true },
    { "9007199254740994", false, true },
    { "9999999999999999", false, true },
    { "10000000000000000", false, true },
    { "999999999999999999", false, true },
    { "1000000000000000000", false, true },
    { "9223372036854775806", false, true },
    { "9223372036854775807", false, true },
    { "9223372036854775809", false, false },
    { "9999999999999999999", false, false },
    { "10000000000000000000", false, false },
    { "18446744073709551615", false, false },
    { "18446744073709551616", false, false },
    { "18446744073709551617", false, false },
    { "27670116110564327423", false, false },
    { "92233720368547758070", false, false },
    { "100000000000000000000", false, false },
    { "123456789012345678901234567890", false, false },
    { "340282366920938463463374607431768211456", false, false },
  }
  for _, edge in ipairs(EDGES) do
    local digits = edge[1]
    it("is exact, or its digits: " .. digits, function()
      local exact = edge[type_of and 3 or 2]
      assert_everywhere(exact and tonumber(digits) or digits, digits)
      if exact then assert.equal(digits, ("%d"):format(decode(digits))) end
    end)
  end

  it("is the least that 64 bits hold", function()
    local least = "-9223372036854775808"
    assert_number(type_of and tonumber("-9223372036854775807") - 1 or least, least)
    assert_number(least:sub(2), least:sub(2))
    assert_number("-9223372036854775809", "-9223372036854775809")
    assert_number("-18446744073709551616", "-18446744073709551616")
  end)

  it("is one of 1 to 40 digits, at each power of ten", function()
    for zeros = 0, 39 do
      local power, nines = "1" .. ("0"):rep(zeros), ("9"):rep(zeros + 1)
      assert_everywhere(json.integer(power), power)
      assert_everywhere(json.integer(power:sub(1, -2) .. "1"), power:sub(1, -2) .. "1")
      assert_everywhere(json.integer(nines), nines)
    end
  end)

  it("is 0 without a sign", function()
    assert.equal(math.huge, 1 / decode("-0"))
    assert.equal(math.huge, 1 / decode("[-0]")[1])
  end)

  it("may have as many digits as the text", function()
    for _, count in ipairs{ 799, 800, 801, 1000, 100000 } do
      local digits = ("1234567890"):rep(math.floor(count / 10) + 1):sub(1, count)
      assert_number(digits, digits)
      assert_number("-" .. digits, "-" .. digits)
    end
  end)

  it("has the type of integers where Lua has one", function()
    if not type_of then return assert.equal("number", type(decode("42"))) end
    assert.equal("integer", type_of(decode("42")))
    assert.equal("integer", type_of(decode("-0")))
    assert.equal("integer", type_of(decode("9007199254740993")))
    assert.equal("float", type_of(decode("42.0")))
    assert.equal("float", type_of(decode("42e0")))
    assert.equal("float", type_of(decode("0.0")))
  end)
end)

-- ------------------------------------------------------------------------- decimals of any length

local BASE = 10000000

-- Multiplies in place; the limbs are of seven digits, the least first.
local function multiply(limbs, factor, carry)
  for i = 1, #limbs do
    local value = limbs[i] * factor + carry
    limbs[i] = value % BASE
    carry = (value - limbs[i]) / BASE
  end
  if carry > 0 then limbs[#limbs + 1] = carry end
end

-- The middle between mantissa * 2^exponent and the next: its digits, and a power of ten.
local function middle(mantissa, exponent)
  local limbs = { mantissa % BASE, math.floor(mantissa / BASE) % BASE, 0 }
  limbs[3] = (mantissa - limbs[1] - limbs[2] * BASE) / BASE / BASE
  multiply(limbs, 2, 1)
  exponent = exponent - 1
  for _ = 1, math.abs(exponent) do multiply(limbs, exponent > 0 and 2 or 5, 0) end
  local digits = {}
  for i = #limbs, 1, -1 do digits[#digits + 1] = ("%07.0f"):format(limbs[i]) end
  return (table.concat(digits):gsub("^0+", "")), math.min(exponent, 0)
end

-- One less in the last place, which stays as long as it was.
local function below(digits)
  local head, last, zeros = digits:match("^(.*)([1-9])(0*)$")
  return head .. tonumber(last) - 1 .. ("9"):rep(#zeros)
end

-- digits * 10^exponent, written in one of three ways.
local function written(digits, exponent, way)
  if way == 1 or (exponent > 0 and way == 2) then return ("%se%d"):format(digits, exponent) end
  if way == 2 then
    if #digits <= -exponent then digits = ("0"):rep(1 - exponent - #digits) .. digits end
    local whole, fraction = digits:sub(1, #digits + exponent), digits:sub(#digits + exponent + 1)
    return whole .. "." .. (fraction == "" and "0" or fraction)
  end
  return ("0.%s%se%d"):format(("0"):rep(30), digits, exponent + #digits + 30)
end

-- Around the middle between two neighbours: below it the lower, above it the upper, and in it
-- exactly the one whose mantissa is even.
local function check_middle(mantissa, exponent)
  local lower, upper = mantissa * 2 ^ exponent, (mantissa + 1) * 2 ^ exponent
  local digits, power = middle(mantissa, exponent)
  local even = mantissa % 2 == 0 and lower or upper
  for way = 1, 3 do
    assert_number(even, written(digits, power, way))
    assert_number(-even, "-" .. written(digits, power, way))
    assert_number(lower, written(below(digits), power, way))
    for _, zeros in ipairs{ 0, 1, 20, 800, 1500 } do
      local tail = ("0"):rep(zeros)
      assert_number(upper, written(digits .. tail .. "1", power - zeros - 1, way))
      assert_number(even, written(digits .. tail .. "0", power - zeros - 1, way))
      assert_number(lower, written(below(digits) .. ("9"):rep(zeros + 1), power - zeros - 1, way))
    end
  end
end

describe("a number that is no integer", function()
  it("goes to the even neighbour in the middle, and to the nearest elsewhere", function()
    local random = json.random(5)
    for _ = 1, 40 do
      local mantissa = 2 ^ 52 + (random(2 ^ 26) - 1) * 2 ^ 26 + random(2 ^ 26) - 1
      check_middle(mantissa, random(2000) - 1040)
      check_middle(mantissa, random(120) - 90)
    end
    check_middle(2 ^ 53 - 1, 0)
    check_middle(2 ^ 53 - 2, -53)
    check_middle(2 ^ 52, -1000)
  end)

  it("does so among the denormal", function()
    local random = json.random(6)
    for bits = 1, 25 do
      check_middle(2 ^ bits + random(2 ^ bits) - 1, -1074)
      check_middle((2 ^ bits + random(2 ^ bits) - 1) * 2 ^ 26 + random(2 ^ 26) - 1, -1074)
    end
    for _, mantissa in ipairs{ 1, 2, 3, 2 ^ 52 - 2, 2 ^ 52 - 1, 2 ^ 52 } do
      check_middle(mantissa, -1074)
    end
  end)

  it("is 0 up to the middle below the smallest", function()
    local digits, power = middle(0, -1074)
    for way = 1, 3 do
      assert_number(0.0, written(digits, power, way))
      assert_number(0.0, written(below(digits), power, way))
      assert_number(-1 / math.huge, "-" .. written(digits, power, way))
      assert_number(2 ^ -1074, written(digits .. "1", power - 1, way))
      assert_number(2 ^ -1074, written(digits .. ("0"):rep(900) .. "1", power - 901, way))
    end
  end)

  it("is out of range from the middle above the largest", function()
    local largest = (2 - 2 ^ -52) * 2 ^ 1023
    local digits = middle(2 ^ 53 - 1, 971)
    for _, tail in ipairs{ ".0", "e0", "E+00", ".000e-0" } do
      assert_out_of_range(digits .. tail)
      assert_out_of_range("-" .. digits .. tail)
      assert_number(largest, below(digits) .. tail)
      assert_number(-largest, "-" .. below(digits) .. tail)
      assert_number(digits, digits)
    end
    assert_number(largest, below(digits) .. ".99999999999999999999")
    assert_number(largest, below(digits) .. "." .. ("9"):rep(900))
    assert_out_of_range(digits .. "." .. ("0"):rep(900) .. "1")
    assert_out_of_range("0." .. digits .. "e309")
    assert_number(largest, "0." .. below(digits) .. "e309")
  end)

  local MIN_NORMAL, SMALLEST, LARGEST = 2 ^ -1022, 2 ^ -1074, (2 - 2 ^ -52) * 2 ^ 1023
  local KNOWN = {
    { "2.2250738585072011e-308", MIN_NORMAL - SMALLEST },
    { "2.2250738585072012e-308", MIN_NORMAL },
    { "2.2250738585072014e-308", MIN_NORMAL },
    { "22250738585072011e-324", MIN_NORMAL - SMALLEST },
    { "0.00022250738585072012e-304", MIN_NORMAL },
    { "2.225073858507201e-308", MIN_NORMAL - SMALLEST },
    { "4.9406564584124654e-324", SMALLEST },
    { "5e-324", SMALLEST },
    { "3e-324", SMALLEST },
    { "2.4703282292062328e-324", SMALLEST },
    { "2.4703282292062327e-324", 0.0 },
    { "2e-324", 0.0 },
    { "1e-323", 2 * SMALLEST },
    { "1e-400", 0.0 },
    { "1e-2147483648", 0.0 },
    { "1e-2147483649", 0.0 },
    { "1e-4294967295", 0.0 },
    { "1e-4294967296", 0.0 },
    { "1e-18446744073709551616", 0.0 },
    { "1e-99999999999999999999", 0.0 },
    { "1.7976931348623157e308", LARGEST },
    { "1.7976931348623158e308", LARGEST },
    { "17976931348623157e292", LARGEST },
    { "0.17976931348623157e309", LARGEST },
    { "9007199254740993.0", 2 ^ 53 },
    { "9007199254740993.00000000000000000000000001", 2 ^ 53 + 2 },
    { "9007199254740995.0", 2 ^ 53 + 4 },
    { "9007199254740991.5", 2 ^ 53 },
    { "9007199254740991.4999999999999999999999", 2 ^ 53 - 1 },
    { "4503599627370496.5", 2 ^ 52 },
    { "4503599627370497.5", 2 ^ 52 + 2 },
    { "1.00000000000000011102230246251565404236316680908203125", 1.0 },
    { "1.00000000000000011102230246251565404236316680908203124", 1.0 },
    { "1.00000000000000011102230246251565404236316680908203126", 1 + 2 ^ -52 },
    { "0.500000000000000166533453693773481063544750213623046875", 0.5 + 2 ^ -52 },
    { "0.1", 0.1 },
    { "0.3", 0.3 },
    { "0.30000000000000004", 0.1 + 0.2 },
    { "1e22", 1e22 },
    { "1e23", 1e23 },
    { "8.5e22", 8.5e22 },
    { "9007199254740992e22", 9007199254740992e22 },
    { "9007199254740993e22", 9007199254740993e22 },
    { "9007199254740992e-22", 9007199254740992e-22 },
    { "123456789012345678e-5", 123456789012345678e-5 },
    { "6.02214076e23", 6.02214076e23 },
    { "6.62607015e-34", 6.62607015e-34 },
    { "18446744073709551615e0", 2.0 ^ 64 },
    { "18446744073709551616.0", 2.0 ^ 64 },
    { "9223372036854775807.0", 2.0 ^ 63 },
    { "12345678901234567890123.5", 12345678901234567890123.5 },
  }
  for _, row in ipairs(KNOWN) do
    it("is the nearest double: " .. row[1], function() assert_everywhere(row[2], row[1]) end)
  end

  for _, text in ipairs{
    "1.7976931348623159e308", "1.8e308", "2e308", "1e309", "0.1e310", "1e400", "123456789e301",
    "1e99999", "1e100000", "1e2147483648", "1e4294967295", "1e4294967296",
    "1e999999999999", "1e1000000000000000", "1e9999999999999999",
    "1e9223372036854775807", "1e9223372036854775808", "1e18446744073709551616",
    "1e18446744073709551617", "1e340282366920938463463374607431768211457",
    "0.1e99999999999999999999", "9e0000000000000000000000000000000000309",
  } do
    it("is refused when it is beyond them: " .. text, function()
      assert_out_of_range(text)
      assert_out_of_range("-" .. text)
    end)
  end

  it("may have an exponent that many zeros make up for", function()
    for _, zeros in ipairs{ 1, 22, 23, 300, 308, 309, 330, 799, 800, 801, 5000, 100000 } do
      local run = ("0"):rep(zeros)
      assert_everywhere(1.0, ("1%se-%d"):format(run, zeros))
      assert_everywhere(1.0, ("1%s.0e-%d"):format(run, zeros))
      assert_everywhere(1.0, ("1%s.%se-%d"):format(run, run, zeros))
      assert_everywhere(1.0, ("0.%s1e%d"):format(run, zeros + 1))
      assert_everywhere(1.5, ("0.%s15e+%d"):format(run, zeros + 1))
      assert_everywhere(12.5, ("0.%s125%se%d"):format(run, run, zeros + 2))
      assert_everywhere(100.0, ("1e%s2"):format(run))
      assert_everywhere(0.01, ("1e-%s2"):format(run))
      assert_everywhere(1.0, ("1.%se%s"):format(run, run))
      assert_everywhere(0.0, ("0.%se%d"):format(run, zeros))
      assert_everywhere(0.0, ("0.%se99999999999999999999"):format(run))
      assert_everywhere(0.0, ("0e%s"):format(("9"):rep(zeros)))
    end
  end)

  it("may have a million digits", function()
    local zeros = ("0"):rep(1000000)
    assert_number(1.0, "1." .. zeros)
    assert_number(1 + 2 ^ -52,
      "1.00000000000000011102230246251565404236316680908203125" .. zeros .. "1")
    assert_number(0.0, "0." .. zeros .. "1")
    assert_number(0.5, "0." .. zeros .. "5e1000000")
    assert_out_of_range("1" .. zeros .. ".0")
  end)

  -- The same as tonumber, which asks strtod.
  it("is what Lua reads, of 17 digits", function()
    local random = json.random(7)
    for _ = 1, 20000 do
      local number = (random(2 ^ 26) * 2 ^ 26 + random(2 ^ 26)) * 2 ^ (random(2090) - 1074 - 53)
      if number < math.huge then
        local text = ("%.16e"):format(number)
        if decode(text) ~= number then assert_number(number, text) end
      end
    end
  end)

  it("is what Lua reads, of any digits", function()
    local random = json.random(8)
    for _ = 1, 20000 do
      local digits = {}
      for i = 1, random(25) do digits[i] = random(10) - 1 end
      local whole = (table.concat(digits):gsub("^0+", ""))
      local text = ("%s.%d%s%d"):format(whole == "" and "0" or whole, random(100000) - 1,
        random(2) == 1 and "e" or "E", random(640) - 345)
      local expected = json.double(text)
      if expected == math.huge then
        assert_out_of_range(text)
      elseif decode(text) ~= expected then
        assert_number(expected, text)
      end
    end
  end)

  it("keeps the sign of zero", function()
    for _, text in ipairs{ "-0.0", "-0e0", "-0.000e-5", "-1e-400", "-0e99999999999999999999" } do
      assert.equal(-math.huge, 1 / decode(text), text)
      assert.equal(math.huge, 1 / decode(text:sub(2)), text)
    end
  end)

  it("is the same after an error, and after another", function()
    assert.is_nil(decode("[1e999]"))
    assert_number(0.1, "0.1")
    assert_number(1e300, "1e300")
    assert.is_nil(json.difference({ 1e-310, 0.1, 5, 0.1 }, decode("[1e-310,0.1,5,0.1]")))
  end)
end)

describe("a decimal comma", function()
  local LOCALES = {
    "de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8", "ru_RU.UTF-8",
    "pt_BR.UTF-8", "tr_TR.UTF-8", "it_IT.UTF-8", "es_ES.UTF-8", "nl_NL.UTF-8",
  }
  local TEXTS = {
    "1.5", "0.1", "-2.25e3", "2.2250738585072011e-308", "1.7976931348623157e308", "5e-324",
    "123456789012345678901234.5", "0.30000000000000004e-7", "9007199254740993.0", "1e23",
  }

  -- Calls `work` in the first locale there is, and restores the one before.
  local function with_comma(work)
    local before = os.setlocale(nil, "all")
    for _, name in ipairs(LOCALES) do
      if os.setlocale(name, "all") then
        local ok, result = pcall(work)
        assert(os.setlocale(before, "all"))
        if not ok then error(result, 0) end
        return result
      end
    end
    return nil
  end

  it("of the locale is neither taken nor needed", function()
    local expected = {}
    for i, text in ipairs(TEXTS) do expected[i] = tonumber(text) end
    local found = with_comma(function()
      if type_of then assert(("%.1f"):format(1.5) == "1,5") end -- LuaJIT asks no locale
      local list = decode("[" .. table.concat(TEXTS, ",") .. "]")
      return { list = list, two = decode("[1,5]"), refused = decode("1,5") }
    end)
    if not found then pending("no locale with a decimal comma is installed") end
    assert.is_nil(json.difference({ list = expected, two = { 1, 5 } }, found))
  end)
end)
