-- What users test their bots with.

local refusal = require "spec.support.refusal"
local sandbox = require "usher.sandbox"
local usher = require "usher"

local testing = usher.testing

local function contains(value, words)
  assert.truthy(tostring(value):find(words, 1, true), ("no %q in: %s"):format(words,
    tostring(value)))
end

local PROFILE = { results = { user = { user_id = "bob", username = "Bob" } }, status = 200 }

describe("A stub", function()
  it("answers the calls it expects, in their order", function()
    local stub = testing.stub("qiscus")
    stub:expect("user_profile", { user_id = "bob" }, { body = PROFILE })
      :expect("get_user_list", nil, { status = 503 })
    assert.equal("Bob", assert(stub.client:user_profile{ user_id = "bob" }).results.user.username)
    local result, err = stub.client:get_user_list({}, { retries = 0 })
    assert.is_nil(result)
    assert.equal(503, err.status)
    assert.equal(2, #stub.calls)
    stub:verify()
  end)

  it("answers with failures", function()
    local stub = testing.stub("vchatcloud", { token = "t" })
    stub:expect("mute_user", nil, { kind = "timeout", sent = true })
    local done, err = stub.client:mute_user({ room_id = "r", client_key = "u" }, { retries = 0 })
    assert.is_nil(done)
    assert.same({ "timeout", true }, { err.kind, err.request_sent })
    stub:verify()
  end)

  local function provoked(prepare, call, words, provider)
    local stub = testing.stub(provider or "qiscus")
    prepare(stub)
    local ok, problem = pcall(call, stub.client)
    if words.now then
      assert.is_false(ok)
      contains(problem, words.now)
    end
    ok, problem = pcall(stub.verify, stub)
    assert.is_false(ok)
    contains(problem, words.later)
  end

  it("complains of a call it did not expect", function()
    provoked(function() end, function(client) client:user_profile{ user_id = "bob" } end,
      { now = "unexpected call, user_profile", later = "unexpected call" })
  end)

  it("complains of another method", function()
    provoked(function(stub) stub:expect("get_user_list") end,
      function(client) client:user_profile{ user_id = "bob" } end,
      { now = "expected get_user_list", later = "expected get_user_list" })
  end)

  it("complains of other arguments", function()
    provoked(function(stub) stub:expect("user_profile", { user_id = "bob" }) end,
      function(client) client:user_profile{ user_id = "eve" } end,
      { now = "user_profile with another url", later = "another url" })
  end)

  it("complains of a call that did not come", function()
    provoked(function(stub) stub:expect("user_profile"):expect("get_user_list") end,
      function() end, { later = "not called: user_profile, get_user_list" })
  end)

  it("has a token, or none where a test is about it", function()
    local stub = testing.stub "vchatcloud"
    stub:expect("mute_user", { room_id = "r", client_key = "u" }, { body = { result_cd = 1 } })
    assert(stub.client:mute_user{ room_id = "r", client_key = "u" })
    stub:verify()
    stub = testing.stub("vchatcloud", { token = false })
    stub:expect("issue_token", {}, { body = { result_cd = 1, data = { ["X-AUTH-TOKEN"] = "t" } } })
      :expect("list_users", nil, { body = { result_cd = 1, list = {} } })
    assert(stub.client:list_users{ room_id = "r" })
    stub:verify()
  end)

  it("compares a file's bytes and not what stands between its parts", function()
    local function post(client, data)
      return client:post_image_message{ user_id = "u", role = "appUser",
        source = { data = data, filename = "a.png" } }
    end
    local stub = testing.stub "smooch"
    local source = { data = "cat", filename = "a.png" }
    stub:expect("post_image_message", { user_id = "u", role = "appUser", source = source },
      { status = 201, body = { message = {} } })
    assert(post(stub.client, "cat"))
    stub:verify()
    provoked(function(other)
      other:expect("post_image_message", { user_id = "u", role = "appUser", source = source })
    end, function(client) post(client, "dog") end,
      { now = "with another body", later = "another body" }, "smooch")
  end)

  it("raises where a test expects what cannot be", function()
    local stub = testing.stub "qiscus"
    for _, row in ipairs{
      { "qiscus has no method 'user_profil'", "user_profil" },
      { "did you mean 'user_id'?", "user_profile", { user = "bob" } },
      { "unknown field 'stats'", "user_profile", nil, { stats = 503 } },
      { "not both", "user_profile", nil, { kind = "timeout", status = 503 } },
    } do
      local message = refusal.of(stub.expect, stub, row[2], row[3], row[4])
      contains(message, row[1])
    end
    contains(refusal.of(testing.stub, "qiskus"), "no provider 'qiskus'; there are ertc, qiscus")
    stub:verify()
  end)

  it("sleeps on a clock that it is given", function()
    local clock = testing.clock()
    local stub = testing.stub("qiscus", { clock = clock, random = function() return 0.5 end })
    stub:expect("user_profile", nil, { status = 429, headers = { ["retry-after"] = "7" } })
      :expect("user_profile", nil, { body = PROFILE })
    assert(stub.client:user_profile{ user_id = "bob" })
    assert.equal(1700000007, clock.now())
    assert.equal(7, stub.slept)
    stub:verify()
  end)
end)

describe("A clock", function()
  it("stands still, and moves when it is told to", function()
    local clock = testing.clock(1000)
    assert.same({ 1000, 1000 }, { clock.now(), clock.now() })
    clock:advance(2.5)
    assert.equal(1002.5, clock.now())
    assert.is_true(clock.sleep(1))
    assert.equal(1003.5, clock.now())
  end)

  it("is the time of a client and of the sandbox", function()
    local clock = testing.clock()
    local box = sandbox.new{ clock = clock.now, sleep = clock.sleep }
    local chat = usher.vchatcloud(box:options("vchatcloud", { clock = clock.now }))
    assert(chat:list_users{ room_id = "room-1" })
    clock:advance(3590)
    assert(chat:list_users{ room_id = "room-1" })
    assert.equal(1, box:count("vchatcloud", "issue_token"))
    clock:advance(3600) -- its token lives an hour
    assert(chat:list_users{ room_id = "room-1" })
    assert.equal(2, box:count("vchatcloud", "issue_token"))
    box:fault{ provider = "vchatcloud", operation = "list_users", status = 503, times = 1,
      headers = { ["retry-after"] = "30" } }
    local before = clock.now()
    assert(chat:list_users{ room_id = "room-1" })
    assert.equal(30, clock.now() - before)
    chat:close()
  end)
end)

describe("A recording", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function record(run)
    local box = sandbox.new()
    local options = box:options("ertc")
    options.transport = testing.record(path, options.transport)
    local client = usher.ertc(options)
    local result = run(client, box)
    client:close()
    return result, options
  end

  local function replayed(options)
    options.transport = testing.replay(path)
    return usher.ertc(options)
  end

  it("gives the same answers again", function()
    local function run(client, box)
      local user = box.state.ertc.moderator
      return { assert(client:get_group{ ertc_user_id = user, group_id = "group-1" }).result,
        select(2, client:get_group{ ertc_user_id = user, group_id = "nowhere" }).message, user }
    end
    local seen, options = record(run)
    local client = replayed(options)
    local again = assert(client:get_group{ ertc_user_id = seen[3], group_id = "group-1" })
    assert.same(seen[1], again.result)
    local _, err = client:get_group{ ertc_user_id = seen[3], group_id = "nowhere" }
    assert.equal(seen[2], err.message)
    client:close()
  end)

  it("holds no credential and no token", function()
    local _, options = record(function(client)
      assert(client:get_or_update_user_by_app_id{ app_user_id = "new@example.com" })
    end)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    contains(text, "***")
    for _, name in ipairs{ "api_key", "access_token", "refresh_token" } do
      assert.is_nil(text:find(options[name], 1, true), name)
    end
    assert.is_nil(text:find("eyJ", 1, true))
  end)

  local function text_of(name)
    local file = assert(io.open(name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end

  -- What stands in the recording of one answer to one call.
  local function recorded(provider, options, body, call)
    options.transport = testing.record(path, function()
      return 200, { ["content-type"] = "application/json", ["x-secret"] = "in-a-header" }, body
    end)
    local client = usher[provider](options)
    call(client)
    client:close()
    return text_of(path)
  end

  local function get_list(client) client:get_user_list() end
  local function register(client)
    client:login_or_register{ user_id = "bob", username = "Bob", password = "hunter22/x" }
  end
  local function sign_in(client)
    client:get_or_update_user_by_app_id{ app_user_id = "bob", fcm_token = "push-1",
      auth_payload = { data = { body = { pin = "pin-4711" } } } }
  end
  local QISCUS = { app_id = "app", secret = "s3cret-key" }
  local ERTC = { base_url = "https://e.example", api_key = "key-1234", bundle_id = "b",
    tenant_id = "t", access_token = "access-1" }
  for _, row in ipairs{
    { "the client's, in a message", "s3cret-key", "qiscus", QISCUS, get_list,
      '{"error":{"message":"the key s3cret-key is wrong"},"status":401}' },
    { "the client's, where it is no JSON", "s3cret-key", "qiscus", QISCUS, get_list,
      "<p>s3cret-key</p>" },
    { "the client's, in another spelling", "s3cret", "qiscus", QISCUS, get_list,
      '{"status":200,"results":"s3cret\\u002dkey"}' },
    { "a bearer token, without its word", "access-1", "ertc", ERTC,
      function(client) client:blocked_users{ ertc_user_id = "u", device_id = "d" } end,
      '{"success":true,"result":{"echo":"access-1"}}' },
    { "a password, under another name", "hunter22", "qiscus", QISCUS, register,
      '{"status":200,"results":{"echo":"hunter22/x"}}' },
    { "a password, escaped", "hunter22", "qiscus", QISCUS, register,
      '{"status":200,"results":{"echo":"hunter22\\/x"}}' },
    { "an argument that the row calls secret", "push-1", "ertc", ERTC, sign_in,
      '{"success":true,"result":{"echo":"push-1"}}' },
    { "what is in such an argument", "pin-4711", "ertc", ERTC, sign_in,
      '{"success":true,"result":{"echo":"pin-4711"}}' },
    { "a new token, wherever it stands", "tok-1", "qiscus", QISCUS, get_list,
      '{"status":200,"results":{"token":"tok-1","url":"/in?t=tok-1"}}' },
    { "a list of tokens", "tok-2", "qiscus", QISCUS, get_list,
      '{"status":200,"results":{"tokens":["tok-1","tok-2"]}}' },
    { "what is in an object of that name", "xyzzy", "qiscus", QISCUS, get_list,
      '{"status":200,"results":{"secret":{"v":"xyzzy"}}}' },
    { "a short one", '"abc"', "qiscus", QISCUS, get_list,
      '{"status":200,"results":{"password":"abc"}}' },
    { "a number", "987654", "qiscus", QISCUS, get_list,
      '{"status":200,"results":{"password":987654}}' },
    { "a header of the answer", "in-a-header", "qiscus", QISCUS, get_list, "{}" },
  } do
    it("holds no secret: " .. row[1], function()
      local options = {}
      for name, value in pairs(row[4]) do options[name] = value end
      local text = recorded(row[3], options, row[6], row[5])
      assert.is_nil(text:find(row[2], 1, true), text)
      assert(require("usher.core").decode(text))
    end)
  end

  it("holds no secret of a failure either", function()
    local client = usher.qiscus{ app_id = "app", secret = "s3cret-key", retries = 0,
      transport = testing.record(path, function()
        return nil, "tls", "no route for s3cret-key", false
      end) }
    client:user_profile{ user_id = "bob" }
    client:close()
    contains(text_of(path), "no route for ***")
    local again = usher.qiscus{ app_id = "app", secret = "another-key", retries = 0,
      transport = testing.replay(path) }
    local _, err = again:user_profile{ user_id = "bob" }
    assert.same({ "tls", false, "no route for ***" }, { err.kind, err.request_sent, err.message })
    again:close()
  end)

  it("keeps the bytes of an answer, but for secrets", function()
    local body = '{"results":{"users":[],"meta":{},"big":9007199254740993,"f":1.10},"status":200}'
    local text = recorded("qiscus", { app_id = "app", secret = "s3cret-key" }, body, get_list)
    assert.equal(body, require("usher.core").decode(text).body)
  end)

  it("stays JSON where a secret looks like a number", function()
    local options = { app_id = "app", secret = "12345" }
    local text = recorded("qiscus", options,
      '{"results":{"id":123456,"key":"12345"},"status":200}', get_list)
    local body = require("usher.core").decode(require("usher.core").decode(text).body)
    assert.same({ id = 123456, key = "***" }, body.results)
  end)

  it("is replayed with other credentials, and with another boundary", function()
    local function post(client)
      return client:post_image_message{ user_id = "u", role = "appUser",
        source = { data = "cat", filename = "a.png" } }
    end
    recorded("smooch", { jwt = "jwt-1" }, '{"message":{"_id":"m-1"}}', post)
    local client = usher.smooch{ jwt = "jwt-2", transport = testing.replay(path) }
    assert.equal("m-1", assert(post(client)).message._id)
    client:close()
    recorded("qiscus", { app_id = "app", secret = "s3cret-key" },
      '{"results":{},"status":200}', register)
    local other = usher.qiscus{ app_id = "app", secret = "another",
      transport = testing.replay(path) }
    assert(other:login_or_register{ user_id = "bob", username = "Bob", password = "different" })
    other:close()
  end)

  it("gives the answers to one request in their order, and the last for ever", function()
    local count = 0
    local options = { app_id = "app", secret = "s3cret-key", retries = 0,
      transport = testing.record(path, function()
        count = count + 1
        return count == 1 and 503 or 200, {}, ('{"status":200,"results":{"n":%d}}'):format(count)
      end) }
    local client = usher.qiscus(options)
    for _ = 1, 3 do client:user_profile{ user_id = "bob" } end
    client:close()
    options.transport = testing.replay(path)
    client = usher.qiscus(options)
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal(503, err.status)
    for _, expected in ipairs{ 2, 3, 3 } do
      assert.equal(expected, assert(client:user_profile{ user_id = "bob" }).results.n)
    end
    client:close()
  end)

  it("asks through the transport that the client would have, with its settings", function()
    local settings
    local client = usher.qiscus{ app_id = "app", secret = "s3cret-key", ca_file = "ca.pem",
      transport = testing.record(path, {
        attach = function(given) settings = given end,
        send = function() return 200, {}, "{}" end,
      }) }
    assert.equal("ca.pem", settings.ca_file)
    client:close()
  end)

  it("is made over a real connection", function()
    local provider = require "spec.support.provider"
    local server = provider.start()
    finally(function() server:stop() end)
    local client = usher.qiscus{ app_id = "app", secret = "s3cret-key",
      base_url = server:url("https"), ca_file = server.files.ca_file,
      transport = testing.record(path) }
    local seen = assert(client:user_profile{ user_id = "bob" })
    client:close()
    local again = usher.qiscus{ app_id = "app", secret = "other", base_url = "https://elsewhere/ok",
      transport = testing.replay(path) }
    assert.same(seen, assert(again:user_profile{ user_id = "bob" }))
    again:close()
  end)

  it("serves clients until the last of them is closed", function()
    local closed = 0
    local transport = testing.record(path, { send = function() return 200, {}, "{}" end,
      close = function() closed = closed + 1 end })
    local one = usher.qiscus{ app_id = "app", secret = "s3cret-key", transport = transport }
    local two = usher.qiscus{ app_id = "app", secret = "s3cret-key", transport = transport }
    one:close()
    assert(two:user_profile{ user_id = "bob" })
    assert.equal(0, closed)
    two:close()
    assert.equal(1, closed)
  end)

  it("is refused where it cannot be written or read, or asks nobody", function()
    contains(refusal.of(testing.record, "/nowhere/at/all.jsonl"), "/nowhere/at/all.jsonl")
    contains(refusal.of(testing.replay, "/nowhere/at/all.jsonl"), "/nowhere/at/all.jsonl")
    contains(refusal.of(testing.record, path, {}), "transport needs a function 'send'")
  end)

  it("says what was not recorded", function()
    local _, options = record(function(client)
      client:get_tenant_details{ namespace = "sandbox" }
    end)
    local client = replayed(options)
    local result, err = client:get_tenant_details({ namespace = "other" }, { retries = 0 })
    assert.is_nil(result)
    contains(err.message, "not recorded: GET ")
    client:close()
  end)

  it("that is none is refused with its line", function()
    local file = assert(io.open(path, "wb"))
    file:write('{"request":"GET / x","status":200}\nhello\n')
    file:close()
    local ok, problem = pcall(testing.replay, path)
    assert.is_false(ok)
    contains(problem, path .. ":2:")
  end)
end)
