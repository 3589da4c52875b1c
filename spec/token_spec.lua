-- Credentials that look after themselves: VChatCloud's token, eRTC's tokens, Smooch's JWT.

local core = require "usher.core"
local usher = require "usher"
local fake = require "spec.support.fake"
local refusal = require "spec.support.refusal"

local NOW = 1700000000

local pool = fake.pool()

local function open(...)
  finally(pool.close)
  return pool.open(...)
end

local function jwt(payload)
  return ("e30.%s.c2ln"):format(core.base64url_encode(payload))
end

local function expiring(seconds, name)
  return jwt(('{"aud":"%s","exp":%d,"iat":1}'):format(name or "a", NOW + seconds))
end

local function issued(token)
  return fake.answer(200,
    ('{"result_cd":1,"result_msg":"","data":{"X-AUTH-TOKEN":"%s"}}'):format(token))
end

local LISTED = fake.answer(200, '{"result_cd":1,"result_msg":"","list":[]}')
local REFUSED = fake.answer(401, '{"result_cd":0,"result_msg":"invalid token"}')
local ROOM = { room_id = "r" }

-- A VChatCloud client without a token.
local function vchatcloud(script, options)
  options = options or {}
  options.token = options.token or fake.unset
  return open("vchatcloud", script, options)
end

-- The tokens that the requests of a journal carried; "-" where one carried none.
local function tokens(world)
  local list = {}
  for i, request in ipairs(world.requests) do
    list[i] = request.headers["X-AUTH-TOKEN"] or "-"
  end
  return list
end

describe("a VChatCloud token", function()
  it("is fetched before the first call", function()
    local client, world = vchatcloud{ issued("one"), LISTED }
    local result, response = client:list_users(ROOM)
    assert.same({}, result.list)
    assert.same({ "issue_token", "list_users" }, world:operations())
    assert.same({ "-", "one" }, tokens(world))
    assert.equal("test-api-key", world.requests[1].headers["API_KEY"])
    assert.equal(1, response.attempts)
  end)

  it("serves the calls that follow", function()
    local client, world = vchatcloud{ issued("one"), LISTED, LISTED, LISTED }
    client:list_users(ROOM)
    client:list_muted_users(ROOM)
    client:mute_user{ room_id = "r", client_key = "k" }
    assert.same({ "issue_token", "list_users", "list_muted_users", "mute_user" },
      world:operations())
    assert.same({ "-", "one", "one", "one" }, tokens(world))
  end)

  it("is kept until five seconds before its exp, by the client's clock", function()
    local first, second = expiring(100, "first"), expiring(1000, "second")
    local client, world = vchatcloud{ issued(first), LISTED, LISTED, issued(second), LISTED }
    client:list_users(ROOM)
    world.now = NOW + 94.9
    client:list_users(ROOM)
    world.now = NOW + 95
    client:list_users(ROOM)
    assert.same({ "-", first, first, "-", second }, tokens(world))
  end)

  local NO_EXP = {
    ["is not a JWT"] = "opaque",
    ["has no exp"] = jwt('{"iat":1}'),
    ["has an exp that is no number"] = jwt('{"exp":"1"}'),
    ["has an exp inside another member"] = jwt('{"claims":{"exp":1},"a":["exp",1]}'),
    ["has exp as a value"] = jwt('{"a":"exp","b":1}'),
    ["has a payload that is no JSON"] = jwt("exp"),
    ["has a payload that is no base64url"] = "a.!!!.b",
    ["has two parts"] = "a.b",
    ["is empty but for its dots"] = "..",
    ["has a huge exp"] = jwt('{"exp":1e300}'),
    ["has a negative exp"] = jwt('{"exp":-1}'),
  }
  for name, token in pairs(NO_EXP) do
    it("is kept when it " .. name, function()
      local client, world = vchatcloud{ issued(token), LISTED, LISTED }
      client:list_users(ROOM)
      world.now = NOW + 1e6
      client:list_users(ROOM)
      assert.same({ "-", token, token }, tokens(world))
    end)
  end

  local EXP = {
    ["behind other members"] = '{"a":{"exp":[1,2,{"b":"}"}]},"s":"\\"exp\\":1","exp":%d}',
    ["with white space"] = '{ "exp"\n:\t %d , "iat" : 1 }',
    ["with a fraction"] = '{"exp":%d.25}',
  }
  for name, payload in pairs(EXP) do
    it("tells its exp " .. name, function()
      local token = jwt(payload:format(NOW + 100))
      local client, world = vchatcloud{ issued(token), LISTED, LISTED, issued("two"), LISTED }
      client:list_users(ROOM)
      world.now = NOW + 90
      client:list_users(ROOM)
      world.now = NOW + 100
      client:list_users(ROOM)
      assert.same({ "-", token, token, "-", "two" }, tokens(world))
    end)
  end

  it("that is expired as it comes is used once, not fetched in a loop", function()
    local stale = expiring(-1000)
    local client, world = vchatcloud{ issued(stale), LISTED }
    assert.is_table((client:list_users(ROOM)))
    assert.same({ "-", stale }, tokens(world))
  end)

  it("that the server refuses is renewed once, and the script does not notice", function()
    for _, status in ipairs{ 401, 403 } do
      local client, world = vchatcloud{
        issued("one"), LISTED, fake.answer(status), issued("two"), LISTED, LISTED,
      }
      client:list_users(ROOM)
      local result, response = client:exile_user{ room_id = "r", client_key = "k" }
      assert.is_table(result)
      assert.equal(2, response.attempts)
      assert.same({}, world.sleeps)
      client:list_users(ROOM)
      assert.same({ "-", "one", "one", "-", "two", "two" }, tokens(world))
    end
  end)

  it("is not renewed for any other refusal", function()
    for _, answer in ipairs{
      fake.answer(400), fake.answer(404), fake.answer(200, '{"result_cd":401}'),
    } do
      local client, world = vchatcloud({ issued("one"), answer }, { retries = 0 })
      assert.is_nil((client:list_users(ROOM)))
      assert.same({ "-", "one" }, tokens(world))
    end
  end)

  it("that is refused again is one clear error after one renewal", function()
    local client, world = vchatcloud{ issued("one"), REFUSED, issued("two"), REFUSED }
    local result, err = client:list_users(ROOM)
    assert.is_nil(result)
    assert.equal("http", err.kind)
    assert.equal(401, err.status)
    assert.equal("invalid token", err.message)
    assert.equal("list_users", err.method)
    assert.equal(2, err.attempts)
    assert.is_false(err.retryable)
    assert.same({ "-", "one", "-", "two" }, tokens(world))
  end)

  local function refusing_all_with(status)
    return vchatcloud{
      forever = function(request)
        if request.operation == "issue_token" then return issued("one")() end
        return status, {}, ""
      end,
    }
  end

  -- How many requests each of five calls takes.
  local function costs(client, world)
    local list = {}
    for call = 1, 5 do
      local before = #world.requests
      local _, err = client:list_users(ROOM)
      assert.equal("http", err.kind)
      list[call] = #world.requests - before
    end
    return list
  end

  it("that is always refused with 401 costs each call one renewal", function()
    assert.same({ 4, 3, 3, 3, 3 }, costs(refusing_all_with(401)))
  end)

  it("that a new one does not save from 403 is not renewed by every call", function()
    local client, world = refusing_all_with(403)
    assert.same({ 4, 1, 1, 1, 1 }, costs(client, world))
    world.now = world.now + 61
    assert.same({ 3, 1, 1, 1, 1 }, costs(client, world))
  end)

  it("given by the user is never replaced", function()
    local client, world = vchatcloud({ REFUSED, LISTED }, { token = expiring(-1000) })
    local _, err = client:list_users(ROOM)
    assert.equal(401, err.status)
    assert.equal(1, err.attempts)
    client:list_users(ROOM)
    assert.same({ expiring(-1000), expiring(-1000) }, tokens(world))
  end)

  it("that issue_token fetched by name is used from then on, and renewed", function()
    local client, world = vchatcloud({
      issued("one"), LISTED, REFUSED, issued("two"), LISTED,
    }, { token = "given" })
    local result = client:issue_token{}
    assert.equal("one", result.data["X-AUTH-TOKEN"])
    client:list_users(ROOM)
    client:list_users(ROOM)
    assert.same({ "-", "one", "one", "-", "two" }, tokens(world))
  end)

  it("is not asked for by issue_token itself", function()
    local client, world = vchatcloud{ REFUSED }
    local _, err = client:issue_token{}
    assert.equal(401, err.status)
    assert.equal("invalid token", err.message)
    assert.equal(1, err.attempts)
    assert.same({ "issue_token" }, world:operations())
  end)
end)

describe("a token request that fails", function()
  it("names issue_token, and the call was surely not sent", function()
    local client, world = vchatcloud{ fake.answer(401, '{"result_msg":"wrong api key"}') }
    local result, err = client:mute_user{ room_id = "r", client_key = "k" }
    assert.is_nil(result)
    assert.equal("http", err.kind)
    assert.equal(401, err.status)
    assert.equal("mute_user", err.method)
    assert.equal("issue_token: wrong api key", err.message)
    assert.is_false(err.request_sent)
    assert.equal(0, err.attempts)
    assert.same({ "issue_token" }, world:operations())
  end)

  it("is a clear error of its kind, whatever the kind", function()
    local kinds = {
      network = fake.failure("network", "refused", true),
      api = fake.answer(200, '{"result_cd":0,"result_msg":"no"}'),
      decode = fake.answer(200, "<html>"),
      redirect = fake.answer(302),
      rate_limited = fake.answer(429),
    }
    for kind, step in pairs(kinds) do
      local client, world = vchatcloud({ step }, { retries = 0 })
      local _, err = client:list_users(ROOM)
      assert.equal(kind, err.kind)
      assert.is_truthy(err.message:find("^issue_token: "))
      assert.is_false(err.request_sent)
      assert.equal(1, #world.requests)
    end
  end)

  it("is repeated like any idempotent call", function()
    local client, world = vchatcloud{
      fake.failure("network", "reset", true), 503, issued("one"), LISTED,
    }
    local result, response = client:list_users(ROOM)
    assert.is_table(result)
    assert.equal(1, response.attempts)
    assert.same({ 0.125, 0.25 }, world.sleeps)
  end)

  it("ends after as many attempts as a call may have", function()
    local client, world = vchatcloud{ forever = 503 }
    local _, err = client:list_users(ROOM)
    assert.equal("http", err.kind)
    assert.is_false(err.request_sent)
    assert.same({ "issue_token", "issue_token", "issue_token" }, world:operations())
  end)

  it("does not count among the attempts of the call that follows it", function()
    local client, world = vchatcloud{ 503, 503, issued("one"), 503, 503, LISTED }
    local result, response = client:list_users(ROOM)
    assert.is_table(result)
    assert.equal(3, response.attempts)
    assert.equal(6, #world.requests)
  end)

  it("after a renewal leaves open what an earlier attempt did", function()
    local client = vchatcloud({
      issued("one"), fake.failure("timeout", "waiting", true), REFUSED, 404,
    })
    local _, err = client:exile_user{ room_id = "r", client_key = "k" }
    assert.equal(404, err.status)
    assert.is_truthy(err.message:find("^issue_token: "))
    assert.is_true(err.request_sent)
  end)

  local USELESS = {
    ["without data"] = '{"result_cd":1}',
    ["without the token"] = '{"result_cd":1,"data":{}}',
    ["with an empty token"] = '{"result_cd":1,"data":{"X-AUTH-TOKEN":""}}',
    ["with a token that is a number"] = '{"result_cd":1,"data":{"X-AUTH-TOKEN":17}}',
    ["with null for data"] = '{"result_cd":1,"data":null}',
    ["with a list for data"] = '{"result_cd":1,"data":["X-AUTH-TOKEN"]}',
    ["with a token that would break the header"] =
      '{"result_cd":1,"data":{"X-AUTH-TOKEN":"a\\r\\nEvil: 1"}}',
    ["with a token that holds NUL"] = '{"result_cd":1,"data":{"X-AUTH-TOKEN":"a\\u0000b"}}',
  }
  for name, body in pairs(USELESS) do
    it("is an answer " .. name, function()
      local client, world = vchatcloud{ fake.answer(200, body), issued("one"), LISTED }
      local _, err = client:list_users(ROOM)
      assert.equal("decode", err.kind)
      assert.equal("the answer to the token request holds no usable token", err.message)
      assert.is_false(err.request_sent)
      assert.equal(0, err.attempts)
      assert.is_table((client:list_users(ROOM)))
      assert.same({ "-", "-", "one" }, tokens(world))
    end)
  end
end)

describe("interleaved calls", function()
  local SENT = '{"result_cd":1,"list":[]}'
  local function begin(client, method)
    return core.begin(client, method or "list_users", ROOM)
  end

  it("share the token that one of them fetches", function()
    local client, world = vchatcloud()
    local first, second = begin(client), begin(client, "list_muted_users")
    local action, request = first:next()
    assert.equal("send", action)
    assert.equal("issue_token", request.operation)
    action = second:next()
    assert.equal("sleep", action)
    action, request = first:next(issued("one")())
    assert.equal("send", action)
    assert.equal("one", request.headers["X-AUTH-TOKEN"])
    world.now = world.now + 0.02
    action, request = second:next()
    assert.equal("send", action)
    assert.equal("list_muted_users", request.operation)
    assert.equal("one", request.headers["X-AUTH-TOKEN"])
    assert.equal("done", (first:next(200, {}, SENT)))
    assert.equal("done", (second:next(200, {}, SENT)))
  end)

  it("use a token that is newer than the refused one without fetching another", function()
    local client = vchatcloud()
    local first, second = begin(client), begin(client, "list_muted_users")
    first:next()
    first:next(issued("one")())
    second:next() -- both have sent with "one"
    local _, request = first:next(401, {}, "")
    assert.equal("issue_token", request.operation)
    _, request = first:next(issued("two")())
    assert.equal("two", request.headers["X-AUTH-TOKEN"])
    _, request = second:next(401, {}, "")
    assert.equal("list_muted_users", request.operation)
    assert.equal("two", request.headers["X-AUTH-TOKEN"])
    assert.equal("done", (first:next(200, {}, SENT)))
    local _, _, response = second:next(200, {}, SENT)
    assert.equal(2, response.attempts)
  end)

  it("have all their retries again with a newer token", function()
    local client = vchatcloud()
    local first = begin(client)
    local second = core.begin(client, "list_muted_users", ROOM, { retries = 1 })
    first:next()
    first:next(issued("one")())
    second:next()
    first:next(401, {}, "")
    first:next(issued("two")())
    second:next(401, {}, "")
    assert.equal("sleep", (second:next(503, {}, "")))
    second:next()
    local action, err = second:next(503, {}, "")
    assert.equal("fail", action)
    assert.equal(3, err.attempts)
  end)

  it("renew once each, also when the newer token is refused too", function()
    local client = vchatcloud()
    local first, second = begin(client), begin(client, "list_muted_users")
    first:next()
    first:next(issued("one")())
    second:next()
    first:next(401, {}, "")
    first:next(issued("two")())
    second:next(401, {}, "")
    local action, err = second:next(401, {}, "")
    assert.equal("fail", action)
    assert.equal(401, err.status)
    action, err = first:next(401, {}, "")
    assert.equal("fail", action)
    assert.equal(2, err.attempts)
  end)

  it("go on when the one that fetched the token fails", function()
    local client, world = vchatcloud()
    local first, second = begin(client), begin(client)
    first:next()
    second:next()
    assert.equal("fail", (first:next(404, {}, "")))
    world.now = world.now + 0.02
    local action, request = second:next()
    assert.equal("send", action)
    assert.equal("issue_token", request.operation)
  end)

  it("do not wait for one that was abandoned longer than its attempt may last", function()
    local client, world = vchatcloud({}, { timeout = 3 })
    local abandoned, second = begin(client), begin(client)
    assert.equal("send", (abandoned:next()))
    local waited, action, request = 0, second:next()
    while action == "sleep" do
      assert.is_true(request > 0)
      world.now, waited = world.now + request, waited + request
      assert.is_true(waited < 10)
      action, request = second:next()
    end
    assert.equal("send", action)
    assert.equal("issue_token", request.operation)
    assert.is_true(waited >= 3)
  end)

  it("do not suffer from a transport that raised while it fetched the token", function()
    local client, world = vchatcloud{
      function() error("a bug in the transport", 0) end, issued("one"), LISTED,
    }
    assert.has_error(function() client:list_users(ROOM) end, "a bug in the transport")
    assert.is_table((client:list_users(ROOM)))
    assert.is_true(world.now - NOW < 60)
  end)

  it("wait for a token no longer than their own deadline", function()
    local client, world = vchatcloud()
    local first = begin(client)
    first:next()
    local second = core.begin(client, "list_users", ROOM, { deadline = 1 })
    local action, seconds = second:next()
    while action == "sleep" do
      world.now = world.now + seconds
      action, seconds = second:next()
    end
    assert.equal("fail", action)
    assert.equal("timeout", seconds.kind)
    assert.is_false(seconds.request_sent)
    assert.is_true(world.now - NOW < 1.1)
  end)
end)

describe("an eRTC token", function()
  local USER = { ertc_user_id = "u" }
  local function bearers(world)
    local list = {}
    for i, request in ipairs(world.requests) do
      list[i] = request.headers["Authorization"] or "-"
    end
    return list
  end

  local FIRST = fake.answer(200, '{"success":true,"result":{"eRTCUserId":"u",'
    .. '"token":{"accessToken":"access-1","refreshToken":"refresh-1","expiresIn":900}}}')
  local REFRESHED = fake.answer(200, '{"success":true,"result":'
    .. '{"accessToken":"access-2","refreshToken":"refresh-2","expiresIn":900}}')
  local OK = fake.answer(200, '{"success":true}')

  it("is not sent by get_or_update_user_by_app_id", function()
    local client, world = open("ertc", { OK })
    client:get_or_update_user_by_app_id{ app_user_id = "alice" }
    assert.same({ "-" }, bearers(world))
  end)

  it("is taken from the first user when the client has none", function()
    local client, world = open("ertc", { FIRST, OK }, { access_token = fake.unset })
    client:get_or_update_user_by_app_id{ app_user_id = "alice" }
    client:reset_badge_count(USER)
    assert.same({ "-", "Bearer access-1" }, bearers(world))
  end)

  it("is not taken from a second user", function()
    local second = fake.answer(200, '{"success":true,"result":{"token":'
      .. '{"accessToken":"bob-access","refreshToken":"bob-refresh"}}}')
    local client, world = open("ertc", { FIRST, second, OK, REFRESHED },
      { access_token = fake.unset })
    client:get_or_update_user_by_app_id{ app_user_id = "alice" }
    client:get_or_update_user_by_app_id{ app_user_id = "bob" }
    client:reset_badge_count(USER)
    client:refresh_auth_token(USER)
    assert.same({ "-", "-", "Bearer access-1", "Bearer refresh-1" }, bearers(world))
  end)

  it("given by the user is not replaced by that of a created user", function()
    local client, world = open("ertc", { FIRST, OK, REFRESHED })
    client:get_or_update_user_by_app_id{ app_user_id = "alice" }
    client:reset_badge_count(USER)
    client:refresh_auth_token(USER)
    assert.same({ "-", "Bearer test-access-token", "Bearer test-access-token" }, bearers(world))
  end)

  it("is replaced after refresh_auth_token, and so is the refresh token", function()
    local client, world = open("ertc", { REFRESHED, OK, OK })
    client:refresh_auth_token(USER)
    client:reset_badge_count(USER)
    client:refresh_auth_token(USER)
    assert.same({ "Bearer test-access-token", "Bearer access-2", "Bearer refresh-2" },
      bearers(world))
  end)

  it("for refreshing is the refresh token when there is one", function()
    local client, world = open("ertc", { REFRESHED }, { refresh_token = "refresh-0" })
    client:refresh_auth_token(USER)
    assert.same({ "Bearer refresh-0" }, bearers(world))
  end)

  it("may be refreshed by a client that has only a refresh token", function()
    local client, world = open("ertc", { REFRESHED, OK },
      { access_token = fake.unset, refresh_token = "refresh-0" })
    client:refresh_auth_token(USER)
    client:reset_badge_count(USER)
    assert.same({ "Bearer refresh-0", "Bearer access-2" }, bearers(world))
  end)

  it("stays when the refresh is refused", function()
    local client, world = open("ertc", {
      fake.answer(200, '{"success":false,"result":{"accessToken":"evil"}}'), 401, OK,
    })
    client:refresh_auth_token(USER)
    client:refresh_auth_token(USER)
    client:reset_badge_count(USER)
    assert.equal("Bearer test-access-token", bearers(world)[3])
  end)

  it("stays when the answer has none that fits a header", function()
    local client, world = open("ertc", {
      fake.answer(200, '{"success":true,"result":{"accessToken":"a\\r\\nEvil: 1"}}'),
      fake.answer(200, '{"success":true,"result":{"accessToken":5}}'),
      fake.answer(200, '{"success":true,"result":null}'),
      OK,
    })
    for _ = 1, 3 do client:refresh_auth_token(USER) end
    client:reset_badge_count(USER)
    assert.equal("Bearer test-access-token", bearers(world)[4])
  end)
end)

describe("an eRTC signature", function()
  local vectors = {
    ms = { "1700000000000", "ff6ada759df8136fef594719c592f015828bd38aed5d252ba5f0669d8da6c039" },
    s = { "1700000000", "cb5b9f1b79792704da8111d3c713f212bca1461bba1193606ceee31446bf460f" },
  }
  for unit, vector in pairs(vectors) do
    it(("signs the nonce it sends, in %s"):format(unit), function()
      local client = open("ertc", {}, { nonce_unit = unit })
      local headers = client:request("pending_events", { ertc_user_id = "u" }).headers
      assert.equal(vector[1], headers["X-Nonce"])
      assert.equal(vector[2], headers["X-Request-Signature"])
    end)
  end

  it("is of the moment of each call", function()
    local client, world = open("ertc", {}, { nonce_unit = "s" })
    world.now = NOW + 1.999
    local headers = client:request("pending_events", { ertc_user_id = "u" }).headers
    assert.equal("1700000001", headers["X-Nonce"])
  end)
end)

describe("a Smooch JWT", function()
  local HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF90ZXN0X2tleSJ9"
  local VECTORS = {
    { "app", nil, "eyJzY29wZSI6ImFwcCJ9.FO5zl__Vkv7G_7aMASi8h_pqJes51O_aE-l-p2zeGFA" },
    { "account", nil, "eyJzY29wZSI6ImFjY291bnQifQ.yNNjjNCY0S9O1LVdVBAo8FM8U_Bazsd4-A34RSD5ZV0" },
    { "appUser", "bob@example.com", "eyJzY29wZSI6ImFwcFVzZXIiLCJ1c2VySWQiOiJib2JAZXhhbXBsZS5jb20i"
      .. "fQ.bD9EEYXam7HH1fTRO1lFTekR3p6idDs7n98B6rZazvU" },
  }
  for _, vector in ipairs(VECTORS) do
    it("has the known bytes for scope " .. vector[1], function()
      local client = open("smooch", {}, { scope = vector[1], user_id = vector[2] })
      assert.equal("Bearer " .. HEADER .. "." .. vector[3],
        client:request("get_app_user", { user_id = "u" }).headers["Authorization"])
    end)
  end

  it("has scope app when none is given", function()
    local client = open("smooch")
    assert.equal("Bearer " .. HEADER .. "." .. VECTORS[1][3],
      client:request("get_app_user", { user_id = "u" }).headers["Authorization"])
  end)

  it("is the same for every call and every attempt", function()
    local client, world = open("smooch", { 503, 200, 200 })
    client:get_app_user{ user_id = "u" }
    client:link_app_user{ user_id = "u", type = "twilio" }
    local first = world.requests[1].headers["Authorization"]
    assert.equal(first, world.requests[2].headers["Authorization"])
    assert.equal(first, world.requests[3].headers["Authorization"])
  end)

  it("ignores the client's user_id but for scope appUser", function()
    local client = open("smooch", {}, { user_id = "bob@example.com" })
    assert.equal("Bearer " .. HEADER .. "." .. VECTORS[1][3],
      client:request("get_app_user", { user_id = "u" }).headers["Authorization"])
  end)

  it("spells any user id as JSON does", function()
    local client = open("smooch", {}, { scope = "appUser", user_id = 'a"\\b/님' })
    local header = client:request("get_app_user", { user_id = "u" }).headers["Authorization"]
    local payload = header:match("^Bearer [^.]+%.([^.]+)%.")
    assert.equal('{"scope":"appUser","userId":"a\\"\\\\b/님"}', core.base64url_decode(payload))
  end)

  it("given by the user is sent as it is", function()
    local client = open("smooch", {},
      { key_id = fake.unset, secret = fake.unset, jwt = "ready.made.token" })
    assert.equal("Bearer ready.made.token",
      client:request("get_app_user", { user_id = "u" }).headers["Authorization"])
  end)

  it("is not renewed when it is refused", function()
    local client, world = open("smooch", { 401 })
    local _, err = client:get_app_user{ user_id = "u" }
    assert.equal(401, err.status)
    assert.equal(1, #world.requests)
  end)
end)

describe("Qiscus credentials", function()
  it("are spelled in the style that is asked for", function()
    local arguments = { user_id = "bob" }
    local hyphen = open("qiscus"):request("user_profile", arguments).headers
    assert.equal("test-app", hyphen["QISCUS-SDK-APP-ID"])
    assert.equal("test-secret", hyphen["QISCUS-SDK-SECRET"])
    local underscore = open("qiscus", {}, { header_style = "underscore" })
      :request("user_profile", arguments).headers
    assert.equal("test-app", underscore["QISCUS_SDK_APP_ID"])
    assert.equal("test-secret", underscore["QISCUS_SDK_SECRET"])
    assert.is_nil(underscore["QISCUS-SDK-SECRET"])
  end)
end)

describe("the primitives", function()
  it("agree with the published vectors", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      core.sha256(""))
    local hex = core.hmac_sha256("Jefe", "what do ya want for nothing?"):gsub(".", function(byte)
      return ("%02x"):format(byte:byte())
    end)
    assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", hex)
  end)

  it("hash many texts behind one, and refuse what is no text", function()
    local function first(text) return core.sha256(text):sub(1, 16) end
    local long = ("x"):rep(1000)
    assert.equal("", core.digests("a", {}))
    assert.equal(first("ab"), core.digests("a", { "b" }))
    assert.equal(table.concat({ first("a"), first("a\0c"), first("a" .. long) }, " "),
      core.digests("a", { "", "\0c", long }))
    for _, texts in ipairs{ { 1 }, { "b", 2 }, { "b", false, "d" } } do
      assert.matches("a list of texts", refusal.of(core.digests, "a", texts))
    end
    assert.matches("table expected", refusal.of(core.digests, "a"))
  end)

  it("encode and decode base64url without padding", function()
    local vectors = {
      [""] = "", f = "Zg", fo = "Zm8", foo = "Zm9v", foob = "Zm9vYg", ["\255\254\253"] = "__79",
      ["\251\240"] = "-_A",
    }
    for bytes, text in pairs(vectors) do
      assert.equal(text, core.base64url_encode(bytes))
      assert.equal(bytes, core.base64url_decode(text))
    end
    for _, text in ipairs{ "Z", "Zg==", "Z g", "Zh", "Zm9", "+/", "Zg\n", "\0\0" } do
      assert.is_nil((core.base64url_decode(text)))
    end
  end)

  it("compare", function()
    assert.is_true(core.equal("", ""))
    assert.is_true(core.equal("a\0b", "a\0b"))
    assert.is_false(core.equal("a\0b", "a\0c"))
    assert.is_false(core.equal("a", "ab"))
    assert.is_false(core.equal("", "a"))
  end)

  it("have one JSON null, cjson's", function()
    assert.equal(require("cjson").null, usher.null)
  end)
end)
