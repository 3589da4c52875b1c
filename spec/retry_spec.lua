-- The retry decision: as a table walked through core.decide, and the same rules end to end through
-- a scripted transport and a clock that only waiting moves.

local core = require "usher.core"
local fake = require "spec.support.fake"

local NOW = 1700000000 -- Tue, 14 Nov 2023 22:13:20 GMT

local pool = fake.pool()

local function open(...)
  finally(pool.close)
  return pool.open(...)
end

-- An outcome with what rows leave out, so that each row says only what it is about.
local function outcome(row)
  local all = {
    kind = "http", status = 0, sent = true, idempotent = true, attempt = 1, retries = 2,
    remaining = 120, budget = 100, random = 0.5,
  }
  for name, value in pairs(row) do all[name] = value end
  return all
end

-- What may be repeated: an outcome, then whether an idempotent method is, then whether another is.
local OUTCOMES = {
  { "a connection that was never made", true, true,
    { kind = "network", sent = false }, fake.failure("network", "refused", false) },
  { "a connection that broke", true, false,
    { kind = "network", sent = true }, fake.failure("network", "reset", true) },
  { "a timeout before the request was sent", true, true,
    { kind = "timeout", sent = false }, fake.failure("timeout", "connecting", false) },
  { "a timeout after the request was sent", true, false,
    { kind = "timeout", sent = true }, fake.failure("timeout", "waiting", true) },
  { "a TLS failure", false, false,
    { kind = "tls", sent = false }, fake.failure("tls", "expired", false) },
  { "an answer that is not HTTP", false, false,
    { kind = "protocol" }, fake.failure("protocol", "what", true) },
  { "an answer that is too large", false, false,
    { kind = "too_large" }, fake.failure("too_large", "big", true) },
  { "a lack of memory", false, false,
    { kind = "memory" }, fake.failure("memory", "none", false) },
  { "a cancellation", false, false,
    { kind = "cancelled" }, fake.failure("cancelled", "no", false) },
  { "an answer that is not JSON", false, false,
    { kind = "decode", status = 200 }, fake.answer(200, "<html>") },
  { "a refusal with status 200", false, false,
    { kind = "api", status = 200 }, fake.answer(200, '{"success":false}') },
  { "a redirect", false, false, { kind = "redirect", status = 307 }, fake.answer(307) },
  { "a rate limit without Retry-After", true, true,
    { kind = "rate_limited", status = 429 }, fake.answer(429) },
  { "a rate limit with Retry-After", true, true,
    { kind = "rate_limited", status = 429, retry_after = 3 },
    fake.answer(429, "", { ["retry-after"] = "3" }) },
  { "status 503 with Retry-After", true, true,
    { kind = "rate_limited", status = 503, retry_after = 3 },
    fake.answer(503, "", { ["retry-after"] = "3" }) },
}
for _, status in ipairs{ 500, 502, 503, 504 } do
  OUTCOMES[#OUTCOMES + 1] = { "status " .. status, true, false,
    { kind = "http", status = status }, fake.answer(status) }
end
for _, status in ipairs{ 400, 401, 403, 404, 408, 409, 413, 422, 501, 505, 507, 599 } do
  OUTCOMES[#OUTCOMES + 1] = { "status " .. status, false, false,
    { kind = "http", status = status }, fake.answer(status) }
end

local CLASSES = {
  { name = "an idempotent method", column = 2, idempotent = true, method = "blocked_users",
    arguments = { ertc_user_id = "u", device_id = "d" } },
  { name = "a method that is not idempotent", column = 3, idempotent = false,
    method = "pending_events", arguments = { ertc_user_id = "u" } },
}

for _, class in ipairs(CLASSES) do
  describe(class.name, function()
    for _, row in ipairs(OUTCOMES) do
      local repeats = row[class.column]
      local verb = repeats and "is repeated after " or "is not repeated after "

      it(verb .. row[1] .. ", by decision", function()
        local what = outcome(row[4])
        what.idempotent = class.idempotent
        local retryable, retry = core.decide(what)
        assert.equal(repeats, retryable)
        assert.equal(repeats, retry)
      end)

      it(verb .. row[1] .. ", end to end", function()
        local client, world = open("ertc", { row[5], fake.answer(200, '{"success":true}') })
        local result, second = client[class.method](client, class.arguments)
        if repeats then
          assert.same({ success = true }, result)
          assert.equal(2, second.attempts)
          assert.equal(2, #world.requests)
          assert.equal(1, #world.sleeps)
        else
          assert.is_nil(result)
          assert.equal(1, second.attempts)
          assert.is_false(second.retryable)
          assert.equal(1, #world.requests)
          assert.equal(0, #world.sleeps)
        end
      end)
    end
  end)
end

-- What happens to an outcome that may be repeated: `wait` nil means that it is not, now.
local DECISIONS = {
  { "the first failure of three attempts", { attempt = 1, retries = 2 }, 0.125 },
  { "the second failure of three attempts", { attempt = 2, retries = 2 }, 0.25 },
  { "the third failure of three attempts", { attempt = 3, retries = 2 }, nil },
  { "the first failure without retries", { attempt = 1, retries = 0 }, nil },
  { "a wait just below the deadline", { remaining = 0.126 }, 0.125 },
  { "a wait up to the deadline", { remaining = 0.125 }, nil },
  { "no time left", { remaining = 0 }, nil },
  { "a deadline in the past", { remaining = -1 }, nil },
  { "the last whole token of the budget, ten tenths", { budget = 10 }, 0.125 },
  { "less than a token in the budget", { budget = 9 }, nil },
  { "an empty budget", { budget = 0 }, nil },
  { "Retry-After", { retry_after = 7 }, 7 },
  { "Retry-After of a fraction", { retry_after = 0.001 }, 0.001 },
  { "Retry-After of nothing: our own wait", { retry_after = 0 }, 0.125 },
  { "Retry-After below the deadline", { retry_after = 119, remaining = 120 }, 119 },
  { "Retry-After up to the deadline", { retry_after = 120, remaining = 120 }, nil },
  { "Retry-After beyond the deadline", { retry_after = 1e6, remaining = 120 }, nil },
}

describe("what may be repeated", function()
  for _, row in ipairs(DECISIONS) do
    local name, what, wait = row[1], row[2], row[3]
    it((wait and "is, after a wait, with " or "is left, with ") .. name, function()
      what.status = 503
      local retryable, retry, seconds = core.decide(outcome(what))
      assert.is_true(retryable)
      assert.equal(wait ~= nil, retry)
      if wait then assert.equal(wait, seconds) end
    end)
  end

  it("is decided the same every time", function()
    local what = outcome{ status = 503, random = 0.7 }
    local _, _, first = core.decide(what)
    local _, _, second = core.decide(what)
    assert.equal(first, second)
  end)
end)

describe("the backoff", function()
  local CEILINGS = { 0.25, 0.5, 1, 2, 4, 8, 8, 8, 8 }

  for _, random in ipairs{ 0, 0.5, 0.999 } do
    it(("is %s of a ceiling that doubles up to 8 s, by decision"):format(random), function()
      for attempt, ceiling in ipairs(CEILINGS) do
        local _, _, wait = core.decide(outcome{
          status = 503, attempt = attempt, retries = 100, random = random,
        })
        assert.equal(ceiling * random, wait)
      end
    end)

    it(("is %s of a ceiling that doubles up to 8 s, end to end"):format(random), function()
      local client, world = open("qiscus", { forever = 503 }, {
        retries = #CEILINGS, random = function() return random end,
      })
      local _, err = client:user_profile{ user_id = "bob" }
      assert.equal(#CEILINGS + 1, err.attempts)
      local expected = {}
      for i, ceiling in ipairs(CEILINGS) do expected[i] = ceiling * random end
      assert.same(expected, world.sleeps)
    end)
  end

  it("stays at 8 s however often it failed", function()
    local _, _, wait = core.decide(outcome{
      status = 503, attempt = 1000000, retries = 2000000, random = 0.75,
    })
    assert.equal(6, wait)
  end)

  it("takes new dice for every wait", function()
    local dice, throw = { 0.5, 0.1, 0.2, 0.3, 0.4 }, 0
    local client, world = open("qiscus", { forever = 503 }, {
      random = function()
        throw = throw % #dice + 1
        return dice[throw]
      end,
    })
    client:user_profile{ user_id = "bob" }
    assert.equal(2, #world.sleeps)
    assert.are_not.equal(world.sleeps[1] / 0.25, world.sleeps[2] / 0.5)
  end)
end)

describe("Retry-After", function()
  local function date(format, seconds)
    return os.date(format, NOW + seconds)
  end

  -- value -> seconds, or nil when it says nothing
  local VALUES = {
    { "seconds", "7", 7 },
    { "nothing to wait for", "0", 0 },
    { "leading zeros", "007", 7 },
    { "a fraction", "1.5", 1.5 },
    { "a small fraction", "0.25", 0.25 },
    { "white space around", " \t7 ", 7 },
    { "20 digits", "99999999999999999999", 1000000 },
    { "5000 digits", ("9"):rep(5000), 1000000 },
    { "an IMF-fixdate", "Tue, 14 Nov 2023 22:13:50 GMT", 30 },
    { "an RFC 850 date", "Tuesday, 14-Nov-23 22:13:50 GMT", 30 },
    { "an asctime date", "Tue Nov 14 22:13:50 2023", 30 },
    { "an asctime date of a day below 10", "Wed Nov  1 22:13:20 2023", 0 },
    { "tomorrow as IMF-fixdate", date("!%a, %d %b %Y %H:%M:%S GMT", 86400), 86400 },
    { "tomorrow as RFC 850", date("!%A, %d-%b-%y %H:%M:%S GMT", 86400), 86400 },
    { "tomorrow as asctime", date("!%a %b %d %H:%M:%S %Y", 86400), 86400 },
    { "a date a moment ago", "Tue, 14 Nov 2023 22:13:19 GMT", 0 },
    { "a date of 1970", "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "a date of 1994 with two digits", "Sunday, 06-Nov-94 08:49:37 GMT", 0 },
    { "a date of the far future", "Fri, 31 Dec 9999 23:59:59 GMT", 1000000 },
    { "a leap second", "Tue, 14 Nov 2023 22:13:60 GMT", 40 },
    { "a negative number", "-5" },
    { "a plus sign", "+5" },
    { "words", "soon" },
    { "emptiness", "" },
    { "white space", "  " },
    { "a hexadecimal number", "0x10" },
    { "an exponent", "1e3" },
    { "a point in front", ".5" },
    { "a point behind", "5." },
    { "two points", "1.2.3" },
    { "a unit", "5s" },
    { "two values", "5, 7" },
    { "a date that is cut", "Tue, 14 Nov 2023 22:13" },
    { "a date with a month that is none", "Tue, 14 Foo 2023 22:13:50 GMT" },
    { "a date with a month in the middle of others", "Tue, 14 anF 2023 22:13:50 GMT" },
    { "a date with hour 24", "Tue, 14 Nov 2023 24:13:50 GMT" },
    { "a date with minute 60", "Tue, 14 Nov 2023 22:60:50 GMT" },
    { "a date with second 61", "Tue, 14 Nov 2023 22:13:61 GMT" },
    { "a date with day 0", "Tue, 00 Nov 2023 22:13:50 GMT" },
    { "a date with day 32", "Tue, 32 Nov 2023 22:13:50 GMT" },
    { "a date with negative parts", "Tue, 14 Nov 2023 -1:13:50 GMT" },
    { "an ISO date", "2023-11-14T22:13:50Z" },
    { "a date and much more", "Tue, 14 Nov 2023 22:13:50 GMT" .. (" "):rep(50) .. "x" },
    { "NUL", "7\0" },
  }

  for _, row in ipairs(VALUES) do
    it(("of %s %s"):format(row[1], row[3] and "is understood" or "says nothing"), function()
      assert.equal(row[3], (core.retry_after(row[2], NOW)))
    end)

    it(("of %s %s in an error"):format(row[1], row[3] and "is understood" or "says nothing"),
      function()
        local client = open("qiscus", { fake.answer(429, "", { ["retry-after"] = row[2] }) },
          { retries = 0 })
        local _, err = client:user_profile{ user_id = "bob" }
        assert.equal("rate_limited", err.kind)
        assert.equal(row[3], err.retry_after)
      end)
  end

  it("knows leap years", function()
    assert.equal(10, core.retry_after("Thu, 29 Feb 2024 00:00:10 GMT", 1709164800))
    assert.equal(10, core.retry_after("Tue, 29 Feb 2000 00:00:10 GMT", 951782400))
    assert.equal(10, core.retry_after("Fri, 01 Mar 2024 00:00:10 GMT", 1709251200))
    assert.equal(10, core.retry_after("Mon, 01 Mar 2100 00:00:10 GMT", 4107542400))
  end)

  it("takes a two-digit year for one of the nearest century", function()
    assert.equal(7, core.retry_after("Sunday, 06-Nov-94 08:49:37 GMT", 784111770))
    assert.equal(10, core.retry_after("Friday, 01-Mar-24 00:00:10 GMT", 1709251200))
  end)

  it("of a date counts from the client's clock", function()
    local client = open("qiscus",
      { fake.answer(429, "", { ["retry-after"] = "Tue, 14 Nov 2023 22:13:50 GMT" }) },
      { retries = 0, clock = function() return NOW + 10 end })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal(20, err.retry_after)
  end)

  it("is what is waited for", function()
    local client, world = open("qiscus", {
      fake.answer(429, "", { ["retry-after"] = "7" }),
      fake.answer(503, "", { ["retry-after"] = "Tue, 14 Nov 2023 22:13:30 GMT" }),
      200,
    })
    assert.is_table((client:user_profile{ user_id = "bob" }))
    assert.same({ 7, 3 }, world.sleeps)
  end)

  it("may be spelled by a transport as the server did", function()
    local client, world = open("qiscus", { fake.answer(429, "", { ["Retry-After"] = "7" }), 200 })
    assert.is_table((client:user_profile{ user_id = "bob" }))
    assert.same({ 7 }, world.sleeps)
  end)

  it("beyond the deadline returns the error at once, with retry_after", function()
    local client, world = open("qiscus", { fake.answer(429, "", { ["retry-after"] = "120" }) })
    local result, err = client:user_profile{ user_id = "bob" }
    assert.is_nil(result)
    assert.equal("rate_limited", err.kind)
    assert.equal(120, err.retry_after)
    assert.is_true(err.retryable)
    assert.equal(1, err.attempts)
    assert.same({}, world.sleeps)
  end)

  it("within the deadline is waited for however long", function()
    local client, world = open("qiscus", { fake.answer(429, "", { ["retry-after"] = "119" }), 200 })
    assert.is_table((client:user_profile{ user_id = "bob" }))
    assert.same({ 119 }, world.sleeps)
  end)
end)

describe("the number of attempts", function()
  it("is three by default", function()
    local client, world = open("qiscus", { forever = 503 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal(3, err.attempts)
    assert.is_true(err.retryable)
    assert.equal(3, #world.requests)
    assert.equal(2, #world.sleeps)
    assert.same({ 1, 2, 3 }, {
      world.requests[1].attempt, world.requests[2].attempt, world.requests[3].attempt,
    })
  end)

  it("is what the client's option says", function()
    local client, world = open("qiscus", { forever = 503 }, { retries = 5 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal(6, err.attempts)
    assert.equal(6, #world.requests)
  end)

  it("is what the call's option says, for that call", function()
    local client, world = open("qiscus", { forever = 503 })
    local _, err = client:user_profile({ user_id = "bob" }, { retries = 0 })
    assert.equal(1, err.attempts)
    _, err = client:user_profile{ user_id = "bob" }
    assert.equal(3, err.attempts)
    assert.equal(4, #world.requests)
  end)
end)

describe("the deadline", function()
  it("ends the attempts", function()
    local client, world = open("qiscus", { forever = fake.slow(50, fake.answer(503)) },
      { retries = 100 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal("http", err.kind)
    assert.equal(3, err.attempts)
    assert.is_true(world.now - NOW >= 120)
    assert.equal(2, #world.sleeps)
  end)

  it("cuts the time of an attempt", function()
    local client, world = open("qiscus", { fake.slow(25, fake.answer(503)), 200 },
      { deadline = 40, timeout = 30 })
    assert.is_table((client:user_profile{ user_id = "bob" }))
    assert.equal(30, world.requests[1].timeout)
    assert.equal(40 - 25 - world.sleeps[1], world.requests[2].timeout)
  end)

  it("cuts the first attempt too", function()
    local client, world = open("qiscus", { 200 }, { deadline = 2, timeout = 30 })
    assert.is_table((client:user_profile{ user_id = "bob" }))
    assert.equal(2, world.requests[1].timeout)
  end)

  local function oversleep(first)
    local client, world = open("qiscus", { first }, { deadline = 10 })
    world.late = 11
    local result, err = client:user_profile{ user_id = "bob" }
    assert.is_nil(result)
    return err
  end

  it("over after a sleep is a timeout; an unknown outcome may still have acted", function()
    local err = oversleep(fake.answer(500))
    assert.equal("timeout", err.kind)
    assert.equal("the deadline passed before the request was sent", err.message)
    assert.is_true(err.request_sent)
    assert.equal(1, err.attempts)
  end)

  it("over after a sleep is a timeout; a request never sent has not acted", function()
    local err = oversleep(fake.failure("network", "refused", false))
    assert.equal("timeout", err.kind)
    assert.is_false(err.request_sent)
  end)

  it("is the call's where the call says", function()
    local client, world = open("qiscus", { fake.answer(429, "", { ["retry-after"] = "7" }) })
    local _, err = client:user_profile({ user_id = "bob" }, { deadline = 5 })
    assert.equal("rate_limited", err.kind)
    assert.equal(1, #world.requests)
  end)
end)

describe("a call's own limits", function()
  it("reach the transport, and only of that call", function()
    local client, world = open("qiscus", { 200, 200 }, {
      timeout = 9, connect_timeout = 3, max_response_size = 1000,
    })
    client:user_profile({ user_id = "bob" },
      { timeout = 2.5, connect_timeout = 0.5, max_response_size = 10 })
    client:user_profile{ user_id = "bob" }
    local first, second = world.requests[1], world.requests[2]
    assert.same({ 2.5, 0.5, 10 },
      { first.timeout, first.connect_timeout, first.max_response_size })
    assert.same({ 9, 3, 1000 },
      { second.timeout, second.connect_timeout, second.max_response_size })
  end)

  it("are the documented ones when nobody says", function()
    local client, world = open("qiscus", { 200 })
    client:user_profile{ user_id = "bob" }
    local request = world.requests[1]
    assert.same({ 30, 5, 8388608 },
      { request.timeout, request.connect_timeout, request.max_response_size })
  end)
end)

describe("the retry budget", function()
  -- Makes calls, and returns how many requests they cost.
  local function cost(client, world, calls)
    local before = #world.requests
    for _ = 1, calls do client:user_profile{ user_id = "bob" } end
    return #world.requests - before
  end

  it("lets a dead provider have ten retries, then one request a call", function()
    local client, world = open("qiscus", { forever = 503 })
    assert.equal(5 * 3, cost(client, world, 5))
    assert.equal(45, cost(client, world, 45))
  end)

  it("is spent by calls of every kind that fail", function()
    local client, world = open("qiscus", { forever = fake.failure("network", "refused", false) })
    assert.equal(60, cost(client, world, 50))
  end)

  it("is not spent by failures that are not repeated", function()
    local client, world = open("qiscus", { forever = 404 })
    assert.equal(20, cost(client, world, 20))
    world.script.forever = 503
    assert.equal(3, cost(client, world, 1))
  end)

  it("is refilled by success, a tenth each, so at most 1.1 requests a call", function()
    local client, world = open("qiscus", { forever = 503 })
    cost(client, world, 50)
    local before = #world.requests
    for _ = 1, 40 do
      world.script.forever = 200
      cost(client, world, 10)
      world.script.forever = 503
      cost(client, world, 1)
    end
    local calls, requests = 40 * 11, #world.requests - before
    assert.is_true(requests > calls)
    assert.is_true(requests <= 1.1 * calls)
  end)

  it("is refilled by ten successes for one retry", function()
    local client, world = open("qiscus", { forever = 503 })
    cost(client, world, 50)
    world.script.forever = 200
    cost(client, world, 9)
    world.script.forever = 503
    assert.equal(1, cost(client, world, 1))
    world.script.forever = 200
    cost(client, world, 1)
    world.script.forever = 503
    assert.equal(2, cost(client, world, 1))
    assert.equal(1, cost(client, world, 1))
  end)

  it("never holds more than ten", function()
    local client, world = open("qiscus", { forever = 200 })
    cost(client, world, 500)
    world.script.forever = 503
    assert.equal(60, cost(client, world, 50))
  end)

  it("is each client's own", function()
    local client, world = open("qiscus", { forever = 503 })
    cost(client, world, 50)
    local other, elsewhere = open("qiscus", { forever = 503 })
    assert.equal(3, cost(other, elsewhere, 1))
    assert.equal(1, cost(client, world, 1))
  end)

  it("leaves the error retryable: the caller may try later", function()
    local client, world = open("qiscus", { forever = 503 })
    cost(client, world, 50)
    local _, err = client:user_profile{ user_id = "bob" }
    assert.is_true(err.retryable)
    assert.equal(1, err.attempts)
  end)
end)

describe("a repeated request", function()
  it("carries a new nonce and signature", function()
    local client, world = open("ertc", { 503, 503, fake.answer(200, '{"success":true}') })
    assert.is_table((client:blocked_users{ ertc_user_id = "u", device_id = "d" }))
    local seen = {}
    for i, request in ipairs(world.requests) do
      local nonce = request.headers["X-Nonce"]
      assert.is_nil(seen[nonce])
      seen[nonce] = true
      assert.equal(core.sha256("test-api-key~com.example.app~" .. nonce),
        request.headers["X-Request-Signature"])
      assert.equal(i == 1 and "1700000000000" or nonce, nonce)
    end
    assert.equal("1700000000125", world.requests[2].headers["X-Nonce"])
    assert.equal("1700000000375", world.requests[3].headers["X-Nonce"])
  end)

  it("is else the same, to the byte", function()
    local client, world = open("smooch", { fake.answer(429), 200 })
    client:post_image_message{
      user_id = "u", role = "appUser", source = { data = "bytes", filename = "cat.png" },
    }
    local first, second = world.requests[1], world.requests[2]
    first.attempt, second.attempt = nil, nil
    first.timeout, second.timeout = nil, nil
    assert.same(first, second)
    assert.is_truthy(first.body:find("bytes", 1, true))
  end)
end)

describe("request_sent", function()
  local unsent = fake.failure("network", "refused", false)
  local unknown = fake.failure("timeout", "waiting", true)
  local limited = fake.answer(429, "", { ["retry-after"] = "1" })
  local rows = {
    { "stays true when an earlier attempt may have acted", { unknown, unsent }, true },
    { "stays true when an earlier answer was a 500", { 500, unsent, unsent }, true },
    { "stays true over any number of attempts", { unknown, limited, unsent }, true },
    { "is false when no attempt was sent", { unsent, unsent, unsent }, false },
    { "is false when an earlier attempt was refused by a rate limit", { limited, unsent, unsent },
      false },
    { "is true when the last attempt was sent", { unsent, unsent, unknown }, true },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local client, world = open("qiscus", row[2], { retries = #row[2] - 1 })
      local _, err = client:user_profile{ user_id = "bob" }
      assert.equal(#row[2], #world.requests)
      assert.equal(row[3], err.request_sent)
    end)
  end
end)
