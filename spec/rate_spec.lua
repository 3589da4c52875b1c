-- The client-side rate limit: its arithmetic by a clock that stands still, what it learns from
-- answers, and what it does to calls. Which options it refuses is in client_spec.lua.

local core = require "usher.core"
local fake = require "spec.support.fake"
local process = require "spec.lifetime.process"
local rate = require "usher.rate"
local scheduler = require "usher.scheduler"
local usher = require "usher"

local pool = fake.pool()
local answer = fake.answer

local now

local function clock()
  return now
end

local function limiter(options)
  return rate.new(options, "name", clock)
end

local function wait_of(limit)
  return (limit:reserve())
end

-- The waits of the next `count` requests.
local function waits_of(limit, count)
  local waits = {}
  for i = 1, count do waits[i] = wait_of(limit) end
  return waits
end

-- The same but for what sums of fractions are wrong by.
local function near(expected, waits)
  assert.equal(#expected, #waits)
  for i, wait in ipairs(waits) do
    if math.abs(wait - expected[i]) > 1e-6 then
      error(("wait %d is %.9f, not %.9f"):format(i, wait, expected[i]), 2)
    end
  end
end

describe("A limiter", function()
  before_each(function() now = 1000 end)

  describe("lets", function()
    it("one go at once, and then one an interval", function()
      near({ 0, 0.1, 0.2, 0.3 }, waits_of(limiter{ per_second = 10 }, 4))
    end)

    it("a burst go at once, and then one an interval", function()
      near({ 0, 0, 0, 0.5, 1, 1.5 }, waits_of(limiter{ per_second = 2, burst = 3 }, 6))
    end)

    it("one go in minutes when so told", function()
      near({ 0, 60, 120 }, waits_of(limiter{ per_second = 1 / 60 }, 3))
    end)

    it("a burst go again after a rest, and no more than that", function()
      local limit = limiter{ per_second = 2, burst = 3 }
      waits_of(limit, 5)
      now = now + 3600
      near({ 0, 0, 0, 0.5 }, waits_of(limit, 4))
    end)

    it("as many go as the rest was long for", function()
      local limit = limiter{ per_second = 10, burst = 5 }
      waits_of(limit, 5)
      now = now + 0.25
      near({ 0, 0, 0.05, 0.15 }, waits_of(limit, 4))
    end)

    it("never more go than a burst and what the time was for", function()
      local dice = 12345
      local function random()
        dice = (dice * 16807) % 2147483647
        return dice / 2147483647
      end
      local per_second, burst = 7, 4
      local limit = limiter{ per_second = per_second, burst = burst }
      local times = {}
      for i = 1, 2000 do
        now = now + (random() < 0.9 and random() / 5 or random() * 5)
        times[i] = now + wait_of(limit)
      end
      for i = 1, #times do
        assert.is_true(i == 1 or times[i] >= times[i - 1] - 1e-6, "not in order")
        local first = math.max(1, i - 50)
        local most = burst + (times[i] - times[first]) * per_second
        assert.is_true(i - first + 1 <= most + 1e-3, "too many")
      end
    end)
  end)

  describe("keeps a place", function()
    it("that may be asked for as often as one likes", function()
      local limit = limiter{ per_second = 10 }
      waits_of(limit, 3)
      local wait, place = limit:reserve()
      near({ 0.3 }, { wait })
      for _, step in ipairs{ { 0, 0.3 }, { 0.1, 0.2 }, { 0.15, 0.05 }, { 0.05, 0 }, { 7, 0 } } do
        now = now + step[1]
        near({ step[2] }, { limit:remaining(place) })
      end
    end)

    it("before all that came later", function()
      local limit = limiter{ per_second = 10, burst = 2 }
      local places = {}
      for i = 1, 20 do
        local _, place = limit:reserve()
        places[i] = place
        now = now + 0.01
      end
      for i = 2, 20 do
        assert.is_true(limit:remaining(places[i]) >= limit:remaining(places[i - 1]))
      end
    end)

    it("for the next when one is given back", function()
      local limit = limiter{ per_second = 10 }
      near({ 0, 0.1, 0.2 }, waits_of(limit, 3))
      limit:give_back()
      near({ 0.2, 0.3 }, waits_of(limit, 2))
    end)

    it("for nobody when all are given back", function()
      local limit = limiter{ per_second = 1, burst = 2 }
      for _ = 1, 500 do
        limit:reserve()
        limit:give_back()
      end
      near({ 0, 0, 1 }, waits_of(limit, 3))
    end)
  end)

  describe("told when to come again", function()
    it("holds back who waits and who comes, and then lets them go one by one", function()
      local limit = limiter{ per_second = 10, burst = 5 }
      waits_of(limit, 6)
      local _, place = limit:reserve() -- 0.2
      limit:learn(429, { ["retry-after"] = "3" })
      near({ 3.1 }, { limit:remaining(place) })
      near({ 3.2, 3.3 }, waits_of(limit, 2))
      now = now + 3.1
      near({ 0 }, { limit:remaining(place) })
      near({ 0.3 }, waits_of(limit, 1))
    end)

    it("lets the first go right then, unless its own time is later", function()
      local limit = limiter{ per_second = 0.5 }
      limit:reserve()
      limit:learn(429, { ["retry-after"] = "0.5" })
      near({ 2, 4 }, waits_of(limit, 2))
      limit = limiter{ per_second = 0.5 }
      limit:reserve()
      limit:learn(429, { ["retry-after"] = "7" })
      near({ 7, 9 }, waits_of(limit, 2))
    end)

    it("by many at once has been told once", function()
      local limit = limiter{ per_second = 10 }
      waits_of(limit, 5)
      for _ = 1, 64 do
        limit:learn(429, { ["retry-after"] = "2" })
        now = now + 0.01
      end
      near({ 1.99 + 0.4 }, waits_of(limit, 1)) -- four are before it
    end)

    it("forgets the burst that it had", function()
      local limit = limiter{ per_second = 10, burst = 5 }
      limit:reserve()
      limit:learn(429, { ["retry-after"] = "2" })
      near({ 2, 2.1, 2.2 }, waits_of(limit, 3))
    end)

    it("obeys the longest of several", function()
      local limit = limiter{ per_second = 10 }
      limit:learn(429, { ["retry-after"] = "5" })
      limit:learn(429, { ["retry-after"] = "1" })
      near({ 5 }, waits_of(limit, 1))
    end)

    it("keeps the pace", function()
      local limit = limiter{ per_second = 10 }
      limit:learn(429, { ["retry-after"] = "1" })
      now = now + 5
      near({ 0, 0.1 }, waits_of(limit, 2))
    end)

    it("reads a date, and a header in any letters", function()
      for _, name in ipairs{ "retry-after", "Retry-After", "RETRY-AFTER" } do
        local limit = limiter{ per_second = 10 }
        limit:learn(429, { [name] = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 100) })
        local wait = wait_of(limit)
        assert.is_true(wait > 95 and wait <= 101, wait)
      end
    end)

    it("listens to 503 as well", function()
      local limit = limiter{ per_second = 10 }
      limit:learn(503, { ["retry-after"] = "4" })
      near({ 4 }, waits_of(limit, 1))
    end)
  end)

  describe("told only that it was too much", function()
    it("halves the pace of who waits and of who comes", function()
      local limit = limiter{ per_second = 10 }
      local _, first = limit:reserve()
      local _, second = limit:reserve()
      local _, third = limit:reserve()
      now = now + 0.05
      limit:learn(429, {})
      near({ 0, 0.1, 0.3, 0.5 }, { limit:remaining(first), limit:remaining(second),
        limit:remaining(third), wait_of(limit) })
    end)

    it("lets no burst go then", function()
      local limit = limiter{ per_second = 10, burst = 20 }
      limit:learn(429)
      near({ 0, 0.2, 0.4 }, waits_of(limit, 3))
    end)

    it("takes what was in flight together for one", function()
      local limit = limiter{ per_second = 10 }
      limit:reserve()
      for _ = 1, 64 do
        limit:learn(429, {})
        now = now + 0.01
      end
      now = now + 100
      near({ 0, 0.2, 0.4 }, waits_of(limit, 3))
    end)

    it("halves again when it still is, down to a 64th", function()
      local limit = limiter{ per_second = 10 }
      for _, interval in ipairs{ 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 6.4, 6.4 } do
        limit:learn(429, {})
        now = now + 1000
        near({ 0, interval }, waits_of(limit, 2))
        now = now + 1000
      end
    end)

    it("gives nothing back while the provider is in trouble", function()
      local limit = limiter{ per_second = 10 }
      limit:learn(429, {})
      for _, status in ipairs{ 500, 502, 503, 504 } do limit:learn(status, {}) end
      now = now + 1000
      near({ 0, 0.2 }, waits_of(limit, 2))
    end)

    it("gives a twentieth back with each success, and no more than there was", function()
      local limit = limiter{ per_second = 10 }
      limit:learn(429, {})
      for success = 1, 30 do
        limit:learn(200, {})
        now = now + 1000
        local pace = math.min(1, 0.5 + 0.05 * success)
        near({ 0, 1 / (10 * pace) }, waits_of(limit, 2))
        now = now + 1000
      end
    end)
  end)

  it("learns nothing from other answers", function()
    local limit = limiter{ per_second = 10, burst = 3 }
    for _, status in ipairs{ 200, 204, 302, 400, 401, 404, 500, 502, 503, 504 } do
      limit:learn(status, {})
      limit:learn(status)
    end
    limit:learn(200, { ["retry-after"] = "100" })
    limit:learn(404, { ["retry-after"] = "100" })
    near({ 0, 0, 0, 0.1 }, waits_of(limit, 4))
  end)

  it("goes by a clock that cannot be set when none is given", function()
    local limit = rate.new({ per_second = 1000 }, "name")
    near({ 0 }, waits_of(limit, 1))
    local wait, place = limit:reserve()
    assert.is_true(wait > 0 and wait <= 0.001)
    core.sleep(wait)
    near({ 0 }, { limit:remaining(place) })
  end)
end)

describe("A limiter in a dictionary of nginx", function()
  local rate_in_nginx, dictionary, sleeps

  -- What the limiter uses of lua_shared_dict; entries may expire.
  local function new_dictionary()
    local entries = {}
    local function get(_, key)
      local entry = entries[key]
      if entry and entry.expires <= now then entries[key] = nil end
      return entries[key] and entries[key].value
    end
    local function set(_, key, value, seconds)
      entries[key] = { value = value, expires = now + (seconds or math.huge) }
      return true
    end
    return {
      get = get, set = set,
      add = function(self, key, value, seconds)
        if get(self, key) ~= nil then return nil, "exists" end
        return set(self, key, value, seconds)
      end,
      delete = function(_, key) entries[key] = nil end,
      keys = function()
        local keys = {}
        for key in pairs(entries) do keys[#keys + 1] = key end
        return keys
      end,
    }
  end

  setup(function()
    local loaded = package.loaded["usher.rate"]
    package.loaded["usher.rate"] = nil
    rawset(_G, "ngx", { shared = {}, sleep = function(seconds)
      sleeps = sleeps + 1
      now = now + seconds
    end })
    rate_in_nginx = require "usher.rate"
    rawget(_G, "ngx").shared = setmetatable({}, { __index = function(_, name)
      return name == "limits" and dictionary or nil
    end })
    rawset(_G, "ngx", nil)
    package.loaded["usher.rate"] = loaded
  end)

  before_each(function()
    now, sleeps = 1000, 0
    dictionary = new_dictionary()
  end)

  local function worker(options)
    local all = { per_second = 10, dict = "limits" }
    for name, value in pairs(options or {}) do all[name] = value end
    return rate_in_nginx.new(all, "name", clock)
  end

  it("counts for all workers", function()
    local one, other = worker{ burst = 2 }, worker{ burst = 2 }
    near({ 0, 0, 0.1, 0.2 }, { wait_of(one), wait_of(other), wait_of(one), wait_of(other) })
    now = now + 10
    near({ 0, 0, 0.1 }, { wait_of(other), wait_of(other), wait_of(one) })
  end)

  it("has them learn from each other, and recover together", function()
    local one, other = worker(), worker()
    wait_of(one)
    one:learn(429, {})
    near({ 0.2, 0.4 }, { wait_of(other), wait_of(one) })
    for _ = 1, 10 do other:learn(200, {}) end
    now = now + 10
    near({ 0, 0.1 }, { wait_of(other), wait_of(one) })
    one:learn(429, { ["retry-after"] = "5" })
    near({ 5.1 }, { wait_of(other) })
  end)

  it("keeps buckets of other names apart", function()
    local one, other = worker(), worker{ key = "another" }
    near({ 0, 0, 0.1, 0.1 }, { wait_of(one), wait_of(other), wait_of(one), wait_of(other) })
  end)

  it("leaves no lock", function()
    wait_of(worker())
    worker():learn(429, {})
    for _, key in ipairs(dictionary.keys()) do assert.is_nil(key:find("lock", 1, true)) end
    assert.equal(0, sleeps)
  end)

  it("waits for the lock of another worker, and outlives one that died with it", function()
    dictionary:add("name:lock", true, 0.02)
    near({ 0 }, { wait_of(worker()) })
    assert.is_true(sleeps >= 19 and sleeps <= 22, sleeps .. " sleeps")
  end)
end)

describe("A client with a rate", function()
  -- A call whose rate is `options`, with a script of answers.
  local function open(options, script, more)
    local all = { rate = options }
    for name, value in pairs(more or {}) do all[name] = value end
    return pool.open("qiscus", script, all)
  end

  local function call(client, options)
    return client:user_profile({ user_id = "bob" }, options)
  end

  local function always(status)
    return { forever = answer(status) }
  end

  before_each(function() now = nil end)

  it("delays calls and fails none", function()
    finally(pool.close)
    local client, world = open({ per_second = 4, burst = 2 }, always(200))
    for _ = 1, 5 do assert(call(client)) end
    near({ 0.25, 0.25, 0.25 }, world.sleeps)
    assert.equal(5, #world.requests)
  end)

  it("lets each wait in pieces, so that it hears of another pace", function()
    finally(pool.close)
    local client, world = open({ per_second = 0.3 }, always(200))
    for _ = 1, 2 do assert(call(client)) end
    near({ 1, 1, 1, 1 / 3 }, world.sleeps)
  end)

  it("sends each retry in a place of its own", function()
    finally(pool.close)
    local client, world = open({ per_second = 1 }, { 500, 500, answer(200) },
      { random = function() return 0 end })
    local _, response = assert(call(client))
    assert.equal(3, response.attempts)
    local waited = 0
    for _, seconds in ipairs(world.sleeps) do waited = waited + seconds end
    near({ 2 }, { waited })
  end)

  it("counts the request for a token", function()
    finally(pool.close)
    local token = '{"data":{"X-AUTH-TOKEN":"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2ln"}}'
    local client, world = pool.open("vchatcloud", { answer(200, token),
      answer(200, '{"result_cd":1}') }, { rate = { per_second = 2 }, token = fake.unset })
    assert(client:list_users{ room_id = "room" })
    near({ 0.5 }, world.sleeps)
  end)

  describe("beyond a deadline", function()
    it("fails at once and says that nothing was sent", function()
      finally(pool.close)
      local client, world = open({ per_second = 0.1 }, always(200))
      assert(call(client))
      local result, err = call(client, { deadline = 5 })
      assert.is_nil(result)
      assert.same({ "timeout", false }, { err.kind, err.request_sent })
      assert.matches("the rate limit holds the request back beyond the deadline", err.message, 1,
        true)
      assert.same({ 1, 0 }, { #world.requests, #world.sleeps })
    end)

    it("takes no place", function()
      finally(pool.close)
      local client, world = open({ per_second = 1 }, always(200))
      assert(call(client))
      for _ = 1, 100 do assert.is_nil((call(client, { deadline = 0.5 }))) end
      assert(call(client))
      near({ 1 }, world.sleeps)
    end)

    it("of what is held for Retry-After takes no place either", function()
      finally(pool.close)
      local client, world = open({ per_second = 1 },
        { answer(429, "{}", { ["retry-after"] = "60" }), forever = answer(200) }, { retries = 0 })
      assert.equal("rate_limited", select(2, call(client)).kind)
      for _ = 1, 100 do assert.is_nil((call(client, { deadline = 5 }))) end
      world.now = world.now + 60
      assert(call(client))
      assert.same({}, world.sleeps)
    end)
  end)

  it("that is closed while a call waits for its place sends nothing", function()
    finally(pool.close)
    local client, world
    client, world = open({ per_second = 1 }, always(200), { transport = {
      send = function(request) return world.transport.send(request) end,
      sleep = function(seconds)
        world.transport.sleep(seconds)
        client:close()
      end,
    } })
    assert(call(client))
    local _, err = call(client)
    assert.same({ "cancelled", false }, { err.kind, err.request_sent })
    assert.equal(1, #world.requests)
  end)

  describe("in usher.map", function()
    -- A client in real time that answers at once with what `respond(user_id)` returns; returns
    -- whose requests were sent, in order, and how long all took.
    local function run(options, count, respond)
      local sent = {}
      local client = usher.qiscus{ app_id = "app", secret = "a-long-secret", rate = options,
        transport = function(request)
          local user = request.url:match("user_id=(%w+)")
          sent[#sent + 1] = user
          scheduler.pause(0)
          return respond(user)
        end }
      finally(function() client:close() end)
      local users = {}
      for i = 1, count do users[i] = ("%c"):format(96 + i) end
      local started = core.monotonic()
      local results, errors = usher.map(users, function(user)
        return client:user_profile{ user_id = user }
      end)
      assert.same({ count, {} }, { #results, errors })
      return table.concat(sent), core.monotonic() - started
    end

    local function fine()
      return 200, {}, "{}"
    end

    it("sends in the order of the calls, as fast as allowed", function()
      local sent, elapsed = run({ per_second = 100, burst = 4 }, 20, fine)
      assert.equal("abcdefghijklmnopqrst", sent)
      assert.is_true(elapsed >= 0.155, elapsed .. " seconds")
    end)

    it("keeps that order when the provider says when to come again", function()
      local refused, slower = false, process.is_slow and 10 or 1
      local sent = run({ per_second = 50 / slower }, 8, function()
        if refused then return fine() end
        refused = true
        return 429, { ["retry-after"] = tostring(0.1 * slower) }, "{}"
      end)
      assert.equal("abcdefgha", sent)
    end)

    it("slows down who waits already when it was too much", function()
      local refused = false
      local _, elapsed = run({ per_second = 50 }, 8, function()
        if refused then return fine() end
        refused = true
        return 429, {}, "{}"
      end)
      assert.is_true(elapsed >= 0.21, elapsed .. " seconds") -- not 0.16
    end)

    it("keeps clients apart", function()
      local order = {}
      local function client_of(name, options)
        local client = usher.qiscus{ app_id = "app", secret = "a-long-secret", rate = options,
          transport = function()
            order[#order + 1] = name
            scheduler.pause(0)
            return fine()
          end }
        return client
      end
      local limited, free = client_of("limited", { per_second = 2 }), client_of("free")
      finally(function()
        limited:close()
        free:close()
      end)
      usher.all{
        function() for _ = 1, 2 do assert(limited:user_profile{ user_id = "a" }) end end,
        function() for _ = 1, 50 do assert(free:user_profile{ user_id = "b" }) end end,
      }
      assert.equal("limited" .. ("free"):rep(50) .. "limited", table.concat(order))
    end)
  end)
end)
