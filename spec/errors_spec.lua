-- The error contract: one spec a kind with every field, how an error prints, what a success is.

local fake = require "spec.support.fake"

local pool = fake.pool()

local function open(...)
  finally(pool.close)
  return pool.open(...)
end

-- All fields of an error, for a comparison that an unforeseen field fails.
local function fields(err)
  local all = {}
  for name, value in pairs(err) do all[name] = value end
  return all
end

local HTML = "<html><body>gateway</body></html>"

-- Each row: the one attempt that a profile is asked for with, and every field of the error.
local KINDS = {
  {
    kind = "network",
    step = fake.failure("network", "connection refused", false),
    fields = { message = "connection refused", retryable = true, request_sent = false },
    text = "usher.qiscus:user_profile: network: connection refused",
  },
  {
    kind = "timeout",
    step = fake.failure("timeout", "no answer within 30 s", true),
    fields = { message = "no answer within 30 s", retryable = true, request_sent = true },
    text = "usher.qiscus:user_profile: timeout: no answer within 30 s",
  },
  {
    kind = "tls",
    step = fake.failure("tls", "the certificate has expired", false),
    fields = { message = "the certificate has expired", retryable = false, request_sent = false },
    text = "usher.qiscus:user_profile: tls: the certificate has expired",
  },
  {
    kind = "http",
    step = fake.answer(404, '{"error":{"message":"User not found"},"status":404}'),
    fields = {
      status = 404,
      code = 404,
      message = "User not found",
      body = '{"error":{"message":"User not found"},"status":404}',
      retryable = false,
      request_sent = true,
    },
    text = "usher.qiscus:user_profile: http 404: User not found (HTTP 404)",
  },
  {
    kind = "api",
    step = fake.answer(200, '{"error":{"detailed_messages":["no such user"]},"status":400}'),
    fields = {
      status = 200,
      code = 400,
      message = "no such user",
      body = '{"error":{"detailed_messages":["no such user"]},"status":400}',
      retryable = false,
      request_sent = true,
    },
    text = "usher.qiscus:user_profile: api 400: no such user (HTTP 200)",
  },
  {
    kind = "rate_limited",
    step = fake.answer(429, HTML, { ["retry-after"] = "7" }),
    fields = {
      status = 429,
      message = "Too Many Requests",
      retry_after = 7,
      body = HTML,
      retryable = true,
      request_sent = true,
    },
    text = "usher.qiscus:user_profile: rate_limited: Too Many Requests (HTTP 429)",
  },
  {
    kind = "redirect",
    step = fake.answer(302, "", { location = "https://elsewhere.example.com/" }),
    fields = {
      status = 302,
      message = "the server answered with a redirect, which is never followed",
      retryable = false,
      request_sent = true,
    },
    text = "usher.qiscus:user_profile: redirect: "
      .. "the server answered with a redirect, which is never followed (HTTP 302)",
  },
  {
    kind = "decode",
    step = fake.answer(200, HTML),
    fields = {
      status = 200,
      message = "the answer is not a JSON object",
      body = HTML,
      retryable = false,
      request_sent = true,
    },
    text = "usher.qiscus:user_profile: decode: the answer is not a JSON object (HTTP 200)",
  },
  {
    kind = "protocol",
    step = fake.failure("protocol", "the answer is not HTTP", true),
    fields = { message = "the answer is not HTTP", retryable = false, request_sent = true },
    text = "usher.qiscus:user_profile: protocol: the answer is not HTTP",
  },
  {
    kind = "too_large",
    step = fake.failure("too_large", "the answer is larger than 8388608 bytes", true),
    fields = {
      message = "the answer is larger than 8388608 bytes",
      retryable = false,
      request_sent = true,
    },
    text = "usher.qiscus:user_profile: too_large: the answer is larger than 8388608 bytes",
  },
  {
    kind = "memory",
    step = fake.failure("memory", "out of memory", true),
    fields = { message = "out of memory", retryable = false, request_sent = true },
    text = "usher.qiscus:user_profile: memory: out of memory",
  },
  {
    kind = "cancelled",
    step = fake.failure("cancelled", "the task was cancelled", false),
    fields = { message = "the task was cancelled", retryable = false, request_sent = false },
    text = "usher.qiscus:user_profile: cancelled: the task was cancelled",
  },
}

describe("an error", function()
  for _, case in ipairs(KINDS) do
    it("of kind " .. case.kind .. " carries every field and prints itself", function()
      local client, world = open("qiscus", { case.step }, { retries = 0 })
      local result, err, more = client:user_profile{ user_id = "bob" }
      assert.is_nil(result)
      assert.is_nil(more)
      case.fields.kind = case.kind
      case.fields.provider = "qiscus"
      case.fields.method = "user_profile"
      case.fields.attempts = 1
      assert.same(case.fields, fields(err))
      assert.equal(case.text, tostring(err))
      assert.equal(1, #world.requests)
    end)
  end

  it("concatenates on both sides, with numbers and with another error", function()
    local client = open("qiscus", { forever = 404 }, { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    local _, other = client:get_user_list{}
    local text = tostring(err)
    assert.equal("failed: " .. text, "failed: " .. err)
    assert.equal(text .. ", sorry", err .. ", sorry")
    assert.equal(text .. 1, err .. 1)
    assert.equal(1 .. text, 1 .. err)
    assert.equal(text .. tostring(other), err .. other)
  end)

  it("prints what its fields hold at that time", function()
    local client = open("qiscus", { 404 }, { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    err.message = "nobody of that name"
    err.status = nil
    assert.equal("usher.qiscus:user_profile: http: nobody of that name", tostring(err))
  end)

  it("can be raised and caught as the same table", function()
    local client = open("qiscus", { 404 }, { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    local ok, caught = pcall(error, err)
    assert.is_false(ok)
    assert.is_true(rawequal(err, caught))
  end)

  it("belongs to its call: a later one changes nothing in it", function()
    local client = open("qiscus", { 404, 500 }, { retries = 0 })
    local _, first = client:user_profile{ user_id = "bob" }
    local before = fields(first)
    local _, second = client:get_user_list{}
    assert.equal("get_user_list", second.method)
    assert.same(before, fields(first))
  end)
end)

describe("an error's message and code", function()
  local link = { user_id = "u", type = "twilio" }
  local rows = {
    { "eRTC's msg and errorCode", "ertc", "blocked_users",
      { ertc_user_id = "u", device_id = "d" }, 400,
      '{"success":false,"msg":"bad id","message":"other","errorCode":"E00042"}',
      "bad id", "E00042" },
    { "eRTC's message where msg is absent", "ertc", "blocked_users",
      { ertc_user_id = "u", device_id = "d" }, 200,
      '{"success":false,"message":"no such user","errorCode":"E1"}', "no such user", "E1" },
    { "Smooch's description and code", "smooch", "link_app_user", link, 409,
      '{"error":{"code":"conflict","description":"already linked"}}',
      "already linked", "conflict" },
    { "VChatCloud's result_msg and result_cd of a refusal", "vchatcloud", "list_users",
      { room_id = "r" }, 200, '{"result_cd":10102,"result_msg":"no such room"}',
      "no such room", 10102 },
    { "VChatCloud's result_msg beside an HTTP status", "vchatcloud", "list_users",
      { room_id = "r" }, 400, '{"result_cd":0,"result_msg":"system error"}', "system error", 0 },
    { "Qiscus' error.message before its details", "qiscus", "user_profile", { user_id = "u" }, 422,
      '{"error":{"message":"invalid","detailed_messages":["no user_id"]},"status":422}',
      "invalid", 422 },
    { "Qiscus' first detail where there is no message", "qiscus", "user_profile",
      { user_id = "u" }, 422, '{"error":{"detailed_messages":["no user_id","x"]},"status":422}',
      "no user_id", 422 },
    { "the status' name where the provider says nothing", "qiscus", "user_profile",
      { user_id = "u" }, 401, "", "Unauthorized", nil },
    { "words of ours for a status without a name", "qiscus", "user_profile", { user_id = "u" },
      418, "{}", "the server refused the request", nil },
    { "the status' name where the message is empty", "smooch", "link_app_user", link, 404,
      '{"error":{"code":"","description":""}}', "Not Found", nil },
    { "the status' name where the message is no string", "smooch", "link_app_user", link, 404,
      '{"error":{"code":{},"description":[1]}}', "Not Found", nil },
    { "the status' name where the error is no object", "smooch", "link_app_user", link, 404,
      '{"error":"unknown"}', "Not Found", nil },
  }
  for _, row in ipairs(rows) do
    it("are " .. row[1], function()
      local client = open(row[2], { fake.answer(row[5], row[6]) }, { retries = 0 })
      local _, err = client[row[3]](client, row[4])
      assert.equal(row[7], err.message)
      assert.equal(row[8], err.code)
      assert.equal(row[5], err.status)
    end)
  end
end)

describe("a refusal with status 2xx", function()
  local accepted = {
    { "ertc", "blocked_users", { ertc_user_id = "u", device_id = "d" },
      { '{"success":true}', '{"result":{}}', '{"success":null}', '{"success":"false"}' } },
    { "vchatcloud", "list_users", { room_id = "r" },
      { '{"result_cd":1}', '{"result_cd":"1"}', '{"list":[]}' } },
    { "qiscus", "user_profile", { user_id = "u" },
      { '{"status":200}', '{"status":399}', '{"results":{}}', '{"status":"ok"}' } },
    { "smooch", "get_app_user", { user_id = "u" },
      { '{"appUser":{}}', '{"error":{"code":"x"}}' } },
  }
  for _, row in ipairs(accepted) do
    local provider, method, arguments = row[1], row[2], row[3]
    for _, body in ipairs(row[4]) do
      it(("is not seen by %s in %s"):format(provider, body), function()
        local client = open(provider, { fake.answer(200, body) })
        assert.is_table((client[method](client, arguments)))
      end)
    end
  end

  local refused = {
    { "ertc", "blocked_users", { ertc_user_id = "u", device_id = "d" }, { '{"success":false}' } },
    { "vchatcloud", "list_users", { room_id = "r" },
      { '{"result_cd":0}', '{"result_cd":"0"}', '{"result_cd":10101}', '{"result_cd":"none"}',
        '{"result_cd":null}', '{"result_cd":true}' } },
    { "qiscus", "user_profile", { user_id = "u" },
      { '{"status":400}', '{"status":"404"}', '{"status":500.5}' } },
  }
  for _, row in ipairs(refused) do
    local provider, method, arguments = row[1], row[2], row[3]
    for _, body in ipairs(row[4]) do
      it(("is seen by %s in %s"):format(provider, body), function()
        local client = open(provider, { fake.answer(201, body) })
        local result, err = client[method](client, arguments)
        assert.is_nil(result)
        assert.equal("api", err.kind)
        assert.equal(201, err.status)
        assert.equal("the provider refused the request", err.message)
      end)
    end
  end
end)

describe("an answer that is no JSON object", function()
  local deep = ('{"a":'):rep(65) .. "1" .. ("}"):rep(65)
  local bodies = {
    ["nothing"] = "",
    ["white space"] = " \r\n\t ",
    ["an array"] = "[]",
    ["null"] = "null",
    ["a string"] = '"yes"',
    ["HTML"] = HTML,
    ["a truncated object"] = '{"a":[1,',
    ["two objects"] = '{"a":1}{"a":2}',
    ["an object and more"] = '{"a":1} and so on',
    ["an object and a NUL byte"] = '{"a":1}\0',
    ["NaN"] = '{"a":NaN}',
    ["Infinity"] = '{"a":-Infinity}',
    ["a hexadecimal number"] = '{"a":0x10}',
    ["a byte order mark"] = '\239\187\191{"a":1}',
    ["a nesting beyond 64"] = deep,
  }
  for name, body in pairs(bodies) do
    it("is an error of kind decode: " .. name, function()
      local client = open("qiscus", { fake.answer(200, body) })
      local result, err = client:user_profile{ user_id = "bob" }
      assert.is_nil(result)
      assert.equal("decode", err.kind)
      assert.equal(200, err.status)
      assert.is_true(err.request_sent)
      assert.is_false(err.retryable)
      assert.is_truthy(#err.message > 0)
    end)
  end

  it("is none where the nesting is 64", function()
    local body = ('{"a":'):rep(64) .. "1" .. ("}"):rep(64)
    local client = open("qiscus", { fake.answer(200, body) })
    assert.is_table((client:user_profile{ user_id = "bob" }))
  end)

  it("still is the error of its status when that is 400 or more", function()
    local client = open("qiscus", { fake.answer(502, HTML) }, { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal("http", err.kind)
    assert.equal("Bad Gateway", err.message)
    assert.equal(HTML, err.body)
  end)
end)

describe("a status", function()
  local kinds = {
    [0] = "protocol", [99] = "protocol", [101] = "protocol", [199] = "protocol",
    [300] = "redirect", [301] = "redirect", [304] = "redirect", [308] = "redirect",
    [399] = "redirect", [400] = "http", [428] = "http", [429] = "rate_limited", [430] = "http",
    [503] = "http", [599] = "http", [600] = "protocol", [999] = "protocol", [-1] = "protocol",
  }
  for status, kind in pairs(kinds) do
    it(("of %d is an error of kind %s"):format(status, kind), function()
      local client = open("qiscus", { fake.answer(status, "{}") }, { retries = 0 })
      local result, err = client:user_profile{ user_id = "bob" }
      assert.is_nil(result)
      assert.equal(kind, err.kind)
      assert.equal(status ~= 0 and status > 0 and status or nil, err.status)
    end)
  end

  for _, status in ipairs{ 200, 201, 202, 206, 299 } do
    it(("of %d is a success"):format(status), function()
      local client = open("qiscus", { fake.answer(status, '{"ok":true}') })
      local result, response = client:user_profile{ user_id = "bob" }
      assert.same({ ok = true }, result)
      assert.equal(status, response.status)
    end)
  end

  it("of 503 with Retry-After is a rate limit", function()
    local client = open("qiscus", { fake.answer(503, "", { ["retry-after"] = "9" }) },
      { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal("rate_limited", err.kind)
    assert.equal(9, err.retry_after)
  end)

  it("of 503 with a Retry-After that says nothing is an ordinary error", function()
    local client = open("qiscus", { fake.answer(503, "", { ["retry-after"] = "soon" }) },
      { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal("http", err.kind)
    assert.is_nil(err.retry_after)
  end)
end)

describe("an error's body", function()
  local function body_of(size)
    local client = open("qiscus", { fake.answer(500, ("x"):rep(size)) }, { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    return err.body
  end

  it("is whole up to 2 KiB", function()
    assert.equal(("x"):rep(2048), body_of(2048))
  end)

  it("is its first 2 KiB beyond", function()
    assert.equal(("x"):rep(2048), body_of(2049))
    assert.equal(("x"):rep(2048), body_of(1000000))
  end)

  it("is absent when there was none", function()
    assert.is_nil(body_of(0))
  end)

  it("is there for a success that cannot be decoded", function()
    local client = open("qiscus", { fake.answer(200, "{" .. ("x"):rep(5000)) })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal("{" .. ("x"):rep(2047), err.body)
  end)

  it("is there for a refusal with status 200", function()
    local body = '{"status":400,"pad":"' .. ("x"):rep(5000) .. '"}'
    local client = open("qiscus", { fake.answer(200, body) })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal(body:sub(1, 2048), err.body)
  end)

  it("may hold any bytes", function()
    local bytes = "\0\255\r\n\1"
    local client = open("qiscus", { fake.answer(500, bytes) }, { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal(bytes, err.body)
  end)

  it("is not that of an earlier attempt", function()
    local client = open("qiscus", { fake.answer(500, "first"), fake.failure("tls", "bad") })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal("tls", err.kind)
    assert.is_nil(err.body)
    assert.is_nil(err.status)
    assert.equal(2, err.attempts)
  end)
end)

describe("a transport's failure", function()
  local function error_of(...)
    local client = open("qiscus", { fake.failure(...) }, { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    return err
  end

  it("may have sent the request when the transport does not say", function()
    assert.is_true(error_of("network", "reset").request_sent)
  end)

  it("is of kind network when its kind is unknown", function()
    assert.equal("network", error_of("gremlins", "gnawed", true).kind)
  end)

  it("says its kind when it has no message", function()
    assert.equal("timeout", error_of("timeout").message)
  end)
end)

describe("a client closed while its call is on its way", function()
  local MESSAGE = "the client was closed during the call"

  -- The outcome of a call whose client is closed before the transport returns.
  local function outcome(provider, step, method, arguments, options)
    local client
    client = open(provider, {
      function(...)
        client:close()
        return step(...)
      end,
    }, options)
    return client[method](client, arguments)
  end

  it("still gets the result when the answer is a success", function()
    local result, response = outcome("qiscus", fake.answer(200, '{"ok":true}'), "user_profile",
      { user_id = "bob" })
    assert.same({ ok = true }, result)
    assert.equal(200, response.status)
  end)

  it("is cancelled by a failed attempt, and surely not sent when the transport knows so", function()
    local result, err = outcome("qiscus", fake.failure("network", "refused", false),
      "user_profile", { user_id = "bob" })
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.is_false(err.request_sent)
    assert.equal(1, err.attempts)
  end)

  it("is cancelled by a refusal, of which nothing is quoted: it could hold a secret", function()
    local body = '{"error":{"message":"test-secret"},"status":500}'
    local _, err = outcome("qiscus", fake.answer(500, body), "user_profile", { user_id = "bob" })
    assert.same({
      provider = "qiscus", method = "user_profile", kind = "cancelled", attempts = 1,
      message = MESSAGE, request_sent = true, retryable = false,
    }, fields(err))
  end)

  it("is cancelled before its next attempt, and may have been acted on", function()
    local client, world
    client, world = open("qiscus", { 503 }, {
      on_event = function(event)
        if event.event == "retry" then client:close() end
      end,
    })
    local result, err = client:user_profile{ user_id = "bob" }
    assert.is_nil(result)
    assert.same({
      provider = "qiscus", method = "user_profile", kind = "cancelled", attempts = 1,
      message = MESSAGE, request_sent = true, retryable = false,
    }, fields(err))
    assert.equal(1, #world.requests)
  end)

  it("is cancelled, and surely not sent, while it only fetched a token", function()
    local token = fake.answer(200, '{"result_cd":1,"data":{"X-AUTH-TOKEN":"fetched"}}')
    local result, err = outcome("vchatcloud", token, "list_users", { room_id = "r" },
      { token = fake.unset })
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.is_false(err.request_sent)
    assert.equal(0, err.attempts)
  end)
end)

describe("a success", function()
  it("returns the decoded answer as it is, and the response", function()
    local headers = { ["content-type"] = "application/json", ["x-request-id"] = "7" }
    local body = '{"results":{"user":{"user_id":"bob","more":[1,{"a":null}]}},"status":200}'
    local client = open("qiscus", { fake.slow(0.25, fake.answer(200, body, headers)) })
    local result, response, more = client:user_profile{ user_id = "bob" }
    assert.same({
      results = { user = { user_id = "bob", more = { 1, { a = require("usher").null } } } },
      status = 200,
    }, result)
    assert.same({ status = 200, headers = headers, attempts = 1, elapsed = 0.25 }, response)
    assert.is_nil(more)
  end)

  it("counts its attempts and the time of all of them", function()
    local client = open("qiscus", {
      fake.slow(1, fake.failure("network", "reset", true)),
      fake.slow(2, fake.answer(503)),
      fake.slow(4, fake.answer(200)),
    })
    local _, response = client:user_profile{ user_id = "bob" }
    assert.equal(3, response.attempts)
    assert.equal(1 + 0.125 + 2 + 0.25 + 4, response.elapsed)
  end)

  it("returns true for an answer that may be empty", function()
    local client = open("smooch", { fake.answer(200, ""), fake.answer(204, " ") })
    local arguments = { user_id = "u", channel = "twilio" }
    assert.is_true((client:unlink_app_user(arguments)))
    assert.is_true((client:unlink_app_user(arguments)))
  end)

  it("needs neither headers nor a body from a transport", function()
    local client = open("smooch", { function() return 200 end })
    local result, response = client:unlink_app_user{ user_id = "u", channel = "twilio" }
    assert.is_true(result)
    assert.same({ status = 200, attempts = 1, elapsed = 0 }, response)
  end)
end)
