-- How free tables become JSON: the same bytes every time, exact numbers, and a refusal that names
-- the place of what cannot be sent.

local cjson = require "cjson"
local usher = require "usher"
local fake = require "spec.support.fake"
local refusal = require "spec.support.refusal"

local NULL = usher.null

local pool = fake.pool()

local function open()
  finally(pool.close)
  return (pool.open("qiscus"))
end

local function arguments(extras)
  return { user_id = "b", username = "B", extras = extras }
end

-- The text that a free table is sent as.
local function json(value)
  local body = open():request("login_or_register", arguments(value)).body
  return (body:match('^{"user_id":"b","username":"B","extras":(.*)}$'))
end

-- The words in which a free table is refused.
local function refused(value)
  return (refusal.of_call(open(), "login_or_register", arguments(value))
    :match("^usher%.qiscus:login_or_register: (.*)$"))
end

describe("a free table", function()
  it("has its members in the order of their names' bytes", function()
    assert.equal('{"":1,"A":2,"B":3,"_":4,"a":5,"a b":6,"aa":7,"b":8,"é":9}', json{
      b = 8, ["a b"] = 6, a = 5, aa = 7, A = 2, B = 3, _ = 4, [""] = 1, ["é"] = 9,
    })
  end)

  it("is the same bytes however it was filled", function()
    local names = {}
    for i = 1, 200 do names[i] = ("name%03d"):format(i) end
    local forward, backward, patched = {}, {}, {}
    for i = 1, #names do forward[names[i]] = i end
    for i = #names, 1, -1 do backward[names[i]] = i end
    for i = 1, #names do patched[names[i]], patched["x" .. i] = i, true end
    for i = 1, #names do patched["x" .. i] = nil end
    local text = json(forward)
    assert.equal(text, json(backward))
    assert.equal(text, json(patched))
    assert.same(forward, cjson.decode(text))
  end)

  it("nests objects and arrays", function()
    assert.equal('{"a":{"b":[1,[2,{"c":{}}],"x"]},"l":[[["deep"]]]}',
      json{ a = { b = { 1, { 2, { c = {} } }, "x" } }, l = { { { "deep" } } } })
  end)

  it("that is empty is an object", function()
    assert.equal("{}", json{})
    assert.equal('{"a":{}}', json{ a = {} })
  end)

  it("may hold one table in several places", function()
    local shared = { x = 1 }
    assert.equal('{"a":{"x":1},"b":[{"x":1},{"x":1}]}', json{ a = shared, b = { shared, shared } })
  end)

  it("may have names that look like numbers", function()
    assert.equal('{"1":"a","2":"b"}', json{ ["1"] = "a", ["2"] = "b" })
  end)

  it("may have names of any bytes", function()
    assert.equal('{"a\\u0000b":1,"q\\"":2,"\255":3}',
      json{ ["a\0b"] = 1, ['q"'] = 2, ["\255"] = 3 })
  end)

  it("holds true, false and null", function()
    assert.equal('{"f":false,"n":null,"t":true}', json{ t = true, f = false, n = NULL })
    assert.equal('{"l":[null,1,null]}', json{ l = { NULL, 1, NULL } })
    assert.equal('{"n":null}', json{ n = cjson.null })
  end)

  it("may be null as a whole", function()
    assert.equal("null", json(NULL))
  end)

  if cjson.empty_array then
    it("holds an empty array where cjson has a mark for it", function()
      assert.equal('{"a":[],"b":[],"c":[]}', json{
        a = cjson.empty_array,
        b = setmetatable({}, cjson.empty_array_mt),
        c = setmetatable({}, cjson.array_mt),
      })
    end)
  end
end)

describe("a number in a free table", function()
  local NUMBERS = {
    { 0, "0" },
    { -0.0, "0" },
    { 42, "42" },
    { 42.0, "42" },
    { -1, "-1" },
    { 1.5, "1.5" },
    { -0.25, "-0.25" },
    { 0.1, "0.1" },
    { 1 / 3, "0.3333333333333333" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 3.14159, "3.14159" },
    { 1e15, "1000000000000000" },
    { 123456789012345, "123456789012345" },
    { 43839, "43839" },
    { 1700000000, "1700000000" },
    { 2 ^ 53, "9007199254740992" },
    { -2 ^ 53, "-9007199254740992" },
    { 2 ^ 53 - 1, "9007199254740991" },
    { 1e-7, "1e-07" },
    { 123456.789, "123456.789" },
  }
  if _VERSION ~= "Lua 5.1" then -- where integers have 64 bits
    for _, digits in ipairs{ "9007199254740993", "9223372036854775807", "-9223372036854775807" } do
      NUMBERS[#NUMBERS + 1] = { tonumber(digits), digits }
    end
    NUMBERS[#NUMBERS + 1] = { -tonumber("9223372036854775807") - 1, "-9223372036854775808" }
  end
  for _, row in ipairs(NUMBERS) do
    it(("is written exactly: %s"):format(row[2]), function()
      assert.equal(('{"n":%s}'):format(row[2]), json{ n = row[1] })
      assert.equal(('{"n":[%s]}'):format(row[2]), json{ n = { row[1] } })
    end)
  end

  it("reads back the same, in the fewest digits that do", function()
    local seed = 1
    for _ = 1, 500 do
      seed = (seed * 16807) % 2147483647
      local number = (seed - 1073741823) / 65536 * 10 ^ (seed % 20 - 14)
      local text = json{ n = number }:match('^{"n":(.*)}$')
      assert.equal(number, tonumber(text))
      local digits = text:gsub("[eE].*$", ""):gsub("[^%d]", ""):gsub("^0+", "")
      assert.is_true(#digits <= 17)
      if #digits == 17 then
        assert.are_not.equal(number, tonumber(("%.16g"):format(number)))
      end
    end
  end)

  it("may be as small as numbers are", function()
    local smallest = 2 ^ -1074
    assert.equal(smallest, tonumber(json{ n = smallest }:match('^{"n":(.*)}$')))
  end)

  for _, name in ipairs{ "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ru_RU.UTF-8" } do
    local before = os.setlocale(nil, "numeric")
    local comma = os.setlocale(name, "numeric") and ("%.1f"):format(1.5) == "1,5"
    os.setlocale(before, "numeric")
    if comma then
      it("has a point under the locale " .. name, function()
        os.setlocale(name, "numeric")
        local ok, text = pcall(json, { n = 1.5 })
        os.setlocale(before, "numeric")
        assert.is_true(ok)
        assert.equal('{"n":1.5}', text)
      end)
    end
  end
end)

describe("a string in a free table", function()
  local CONTROL = {
    [8] = "\\b", [9] = "\\t", [10] = "\\n", [12] = "\\f", [13] = "\\r",
  }
  for byte = 0, 31 do
    local escape = CONTROL[byte] or ("\\u%04x"):format(byte)
    it(("escapes the control character %d as %s"):format(byte, escape), function()
      assert.equal('{"s":"a' .. escape .. 'b"}', json{ s = "a" .. string.char(byte) .. "b" })
    end)
  end

  it("escapes the quote and the backslash, and nothing else that is printed", function()
    local printed = {}
    for byte = 32, 127 do printed[#printed + 1] = string.char(byte) end
    local text = table.concat(printed)
    local expected = text:gsub('["\\]', "\\%0")
    assert.equal('{"s":"' .. expected .. '"}', json{ s = text })
  end)

  it("passes other bytes as they are: names in any script, and bytes that are none", function()
    local text = "Zoë 김철수 عمر 🙂 \128\255\193"
    assert.equal('{"s":"' .. text .. '"}', json{ s = text })
  end)

  it("may be long", function()
    local text = ("x"):rep(1000000)
    assert.equal('{"s":"' .. text .. '"}', json{ s = text })
  end)
end)

describe("what JSON does not have", function()
  local CANNOT = "cannot be sent: it is no string, number, boolean or table"
  local GAPS = "has gaps, or mixes names and numbers as keys"
  local NUMBER = "is not a number that JSON has"
  local LARGE = "is too large to be exact; pass it as a string"
  local rows = {
    { "a function", { f = print }, "extras.f " .. CANNOT },
    { "a thread", { f = coroutine.create(print) }, "extras.f " .. CANNOT },
    { "a userdata", { f = io.stdout }, "extras.f " .. CANNOT },
    { "a function in an array", { a = { 1, { b = { "x", print } } } },
      "extras.a[2].b[2] " .. CANNOT },
    { "NaN", { n = 0 / 0 }, "extras.n " .. NUMBER },
    { "infinity", { a = { { 1 / 0 } } }, "extras.a[1][1] " .. NUMBER },
    { "minus infinity", { n = -1 / 0 }, "extras.n " .. NUMBER },
    { "a float beyond 2^53", { n = 2 ^ 53 + 2 }, "extras.n " .. LARGE },
    { "a huge float", { n = -1e300 }, "extras.n " .. LARGE },
    { "a table with names and numbers", { a = { 1, x = 2 } }, "extras.a " .. GAPS },
    { "a table with a gap", { a = { [1] = 1, [3] = 3 } }, "extras.a " .. GAPS },
    { "a table from 0", { a = { [0] = 0 } }, "extras.a " .. GAPS },
    { "a table with a fraction for a name", { a = { [1.5] = 0 } }, "extras.a " .. GAPS },
    { "a table with a boolean for a name", { a = { [true] = 0 } }, "extras.a " .. GAPS },
    { "a table with a table for a name", { a = { [{}] = 0 } }, "extras.a " .. GAPS },
    { "names and numbers at the top", { 1, x = 2 }, "extras " .. GAPS },
    { "a list where an object is due", { 1, 2 }, "extras must be an object, not a list" },
    { "a name that is no identifier", { ["a b"] = { ["c.d"] = print } },
      "extras.a b.c.d " .. CANNOT },
  }
  local light = rawget(debug, "upvalueid") -- since Lua 5.2, and in LuaJIT
  if light then
    rows[#rows + 1] = { "a light userdata that is not null", { f = light(refused, 1) },
      "extras.f cannot be sent: it is a userdata" }
  end
  for _, row in ipairs(rows) do
    it(("is refused, with its place: %s"):format(row[1]), function()
      assert.equal(row[3], refused(row[2]))
    end)
  end

  it("is refused once a table, the first in order", function()
    assert.equal("extras.a " .. CANNOT, refused{ z = print, a = print, m = 0 / 0 })
  end)

  it("is refused in every table of a call", function()
    local client = open()
    local message = refusal.of_call(client, "login_or_register",
      { username = "B", extras = { f = print } })
    assert.equal("usher.qiscus:login_or_register: " .. refusal.several(
      "extras.f " .. CANNOT, "user_id is required: string"), message)
  end)

  local function nested(depth)
    local value = {}
    for _ = 2, depth do value = { a = value } end
    return value
  end

  it("is a table that holds itself", function()
    local cycle = { x = 1 }
    cycle.a = cycle
    assert.is_truthy(refused(cycle):find("^extras%.a%.a.*%.a is nested too deep, or holds itself$"))
    local ring = { { {} } }
    ring[1][1][1] = ring
    assert.is_truthy(refused({ r = ring }):find("is nested too deep, or holds itself", 1, true))
  end)

  it("is a nesting of more than 64 tables", function()
    assert.equal(('{"a":'):rep(63) .. "{}" .. ("}"):rep(63), json(nested(64)))
    assert.equal("extras" .. (".a"):rep(64) .. " is nested too deep, or holds itself",
      refused(nested(65)))
    assert.is_truthy(refused(nested(100000)):find("is nested too deep, or holds itself", 1, true))
  end)

  it("is a place whose path does not fit a message", function()
    local message = refused{ [("x"):rep(100000)] = print }
    assert.is_true(#message < 20000)
  end)
end)

describe("a request that is too large", function()
  it("is refused: a body beyond 64 MiB", function()
    local client = open()
    local words = "usher.qiscus:login_or_register: "
    local large = ("x"):rep(64 * 1024 * 1024)
    assert.equal(words .. "the request is too large",
      refusal.of_call(client, "login_or_register", { user_id = "b", username = large }))
    assert.equal(words .. "extras is too large to be sent",
      refusal.of_call(client, "login_or_register", arguments{ x = large }))
    local smooch = usher.smooch{ app_id = "app", jwt = "a.b.c" }
    local message = refusal.of_call(smooch, "post_message", { user_id = "bob", role = "appMaker",
      type = "list", items = { { title = large } } })
    smooch:close()
    assert.equal("usher.smooch:post_message: items is too large to be sent", message)
  end)

  it("is refused: a URL beyond 64 KiB", function()
    local client = open()
    assert.is_table((client:request("user_profile", { user_id = ("x"):rep(65000) })))
    assert.equal("usher.qiscus:user_profile: the request is too large",
      refusal.of_call(client, "user_profile", { user_id = ("x"):rep(65536) }))
    assert.equal("usher.qiscus:user_profile: the request is too large",
      refusal.of_call(client, "user_profile", { user_id = ("/"):rep(30000) }))
  end)
end)

describe("the caller's tables", function()
  -- Everything about a value that a change would show in.
  local function picture(value, seen)
    if type(value) ~= "table" then return value end
    seen = seen or {}
    if seen[value] then return seen[value] end
    local copy = { metatable = getmetatable(value), members = {} }
    seen[value] = copy
    local name, member = next(value)
    while name ~= nil do
      copy.members[name] = picture(member, seen)
      name, member = next(value, name)
    end
    return copy
  end

  it("are not changed", function()
    local shared = { 1, 2, { x = NULL } }
    local given = {
      user_id = 17, username = "B", password = "p",
      extras = { a = shared, b = { shared }, c = {}, ["1"] = 1.5 },
    }
    local options = { retries = 1, timeout = 3 }
    local before, options_before = picture(given), picture(options)
    finally(pool.close)
    local client = pool.open("qiscus", { 503, 200 })
    client:request("login_or_register", given, options)
    client:curl("login_or_register", given, options)
    assert.is_table((client:login_or_register(given, options)))
    assert.same(before, picture(given))
    assert.same(options_before, picture(options))
  end)

  local function trap(name)
    return function() error("the metamethod " .. name .. " was called") end
  end

  local TRAPS = {}
  for _, name in ipairs{
    "__index", "__newindex", "__len", "__pairs", "__ipairs", "__tostring", "__eq", "__lt", "__le",
    "__call", "__concat", "__unm", "__name",
  } do
    TRAPS[name] = trap(name)
  end

  local function trapped(value)
    return setmetatable(value, TRAPS)
  end

  it("have metamethods that are not called", function()
    local client = open()
    local request = client:request("login_or_register", trapped{
      user_id = "b", username = "B", extras = trapped{ a = trapped{ 1, trapped{} } },
    }, trapped{ retries = 1 })
    assert.equal('{"user_id":"b","username":"B","extras":{"a":[1,{}]}}', request.body)
    request = client:request("get_user_unread_count", trapped{ user_ids = trapped{ "a", "b" } })
    assert.is_truthy(request.url:find("?user_ids%5B%5D=a&user_ids%5B%5D=b", 1, true))
    local smooch = pool.open("smooch")
    request = smooch:request("post_image_message", trapped{
      user_id = "u", role = "appUser", source = trapped{ data = "x", filename = "a.png" },
    })
    assert.is_truthy(request.body:find('filename="a.png"', 1, true))
    request = smooch:request("post_image_message", {
      user_id = "u", role = "appUser", source = trapped{ path = "spec/helper.lua" },
    })
    assert.is_truthy(request.body:find('filename="helper.lua"', 1, true))
  end)

  it("have metamethods that are not called when they are refused", function()
    local client = open()
    assert.is_truthy(refusal.of_call(client, "login_or_register",
      trapped{ user_id = trapped{}, username = "B", extras = trapped{ f = print }, x = 1 },
      trapped{ retry = 1 }):find("^usher%.qiscus:login_or_register: 4 problems"))
  end)

  it("do not lend what they inherit", function()
    local heir = setmetatable({}, { __index = { user_id = "inherited" } })
    assert.equal("usher.qiscus:user_profile: user_id is required: string",
      refusal.of_call(open(), "user_profile", heir))
  end)
end)
