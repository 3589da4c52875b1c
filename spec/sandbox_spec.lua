-- The sandbox in process: what each provider accepts, what it refuses as the live one would, what
-- it remembers, and the fault switches. Requests are made by hand here, signatures and tokens from
-- the published vectors where there are any, so that a client's mistakes cannot hide the sandbox's.

local cjson = require("cjson").new()
local core = require("usher.core")
local json = require("usher.sandbox.json")
local sandbox = require("usher.sandbox")
local usher = require("usher")

local NOW = 1700000000

local now, box

before_each(function()
  now = NOW
  box = sandbox.new({ clock = function() return now end })
end)

local function merged(...)
  local all = {}
  for _, fields in ipairs({ ... }) do
    for name, value in pairs(fields) do all[name] = value ~= cjson.null and value or nil end
  end
  return all
end

-- One request to one provider; the body is given as JSON text.
local function call(method, path, headers, body)
  local response = box:handle({ method = method, url = path, headers = headers, body = body })
  local ok, decoded = pcall(cjson.decode, response.body)
  return response.status, ok and decoded or nil, response
end

local JSON = { ["Content-Type"] = "application/json" }

describe("a box", function()
  it("refuses an unknown option and names the valid ones", function()
    assert.has_error(function() sandbox.new({ clocks = 1 }) end,
      "usher.sandbox.new: unknown option clocks (valid: clock, seed, fault, sleep, "
      .. "token_lifetime, clock_skew, journal_limit)")
  end)

  it("answers 404 outside the providers and 400 to a malformed path or query", function()
    assert.are.equal(404, (call("GET", "/nowhere")))
    assert.are.equal(400, (call("GET", "/qiscus/%zz")))
    assert.are.equal(400, (call("GET", "/qiscus/a/../b")))
    assert.are.equal(400, (call("GET", "/qiscus/%2e%2e/b")))
    assert.are.equal(400, (call("GET", "/qiscus/api/v2.1/rest/user_profile?user_id=%f")))
  end)

  it("takes a URL, a path, and header names in any case", function()
    local headers = {
      ["qISCUS-sdk-APP-id"] = "test-app-id", QISCUS_SDK_SECRET = "test-qiscus-secret",
    }
    local path = "/qiscus/api/v2.1/rest/get_user_list"
    assert.are.equal(200, (call("GET", path, headers)))
    assert.are.equal(200, (call("GET", "http://127.0.0.1:1" .. path .. "?page=1#x", headers)))
  end)

  it("gives the same identifiers for the same seed and others for another", function()
    local function keys_of(made)
      return made.state.vchatcloud.rooms["room-1"].order
    end
    assert.are.same(keys_of(box), keys_of(sandbox.new()))
    assert.are_not.equal(keys_of(box)[1], keys_of(sandbox.new({ seed = 2 }))[1])
  end)

  it("journals what it was asked, and forgets the older half at the limit", function()
    box = sandbox.new({ clock = box.clock, journal_limit = 4 })
    for i = 1, 5 do call("GET", "/qiscus/api/v2.1/rest/get_user_list?page=" .. i, { A = "b" }) end
    assert.are.equal(3, #box.journal)
    local last = box.journal[3]
    assert.are.equal("page=5", last.query)
    assert.are.equal("get_user_list", last.operation)
    assert.are.equal("qiscus", last.provider)
    assert.are.equal(401, last.status)
    assert.are.equal("b", last.headers.a)
    assert.is_true(last.acted)
    assert.are.equal(3, box:count("qiscus", "get_user_list"))
    box:clear_journal()
    assert.are.equal(0, #box.journal)
  end)

  it("keeps passwords and tokens out of its snapshot", function()
    box:seed_user("qiscus", { user_id = "bob", password = "open sesame" })
    local text = json.encode(box:snapshot())
    assert.truthy(text:find('"user_id":"bob"', 1, true))
    assert.falsy(text:find("open sesame", 1, true))
    assert.falsy(text:find(box.state.ertc.moderator_token.access, 1, true))
  end)

  it("refuses options for a provider that does not exist", function()
    assert.has_error(function() box:options("slack") end,
      "box:options: unknown provider slack (valid: ertc, smooch, vchatcloud, qiscus)")
  end)
end)

describe("the JSON of its answers", function()
  it("keeps order, tells [] from {}, and writes integers as integers", function()
    local value = json.object("z", 1.0, "a", json.list({}), "m", json.map({}), "none", nil,
      "big", 2 ^ 53 - 1, "fraction", 1700000000.25, "deep", json.object("l", json.list({ 1, "x" })))
    assert.are.equal('{"z":1,"a":[],"m":{},"big":9007199254740991,"fraction":1700000000.25,'
      .. '"deep":{"l":[1,"x"]}}', json.encode(value))
  end)

  it("escapes what JSON wants escaped and repairs what is not UTF-8", function()
    assert.are.equal('"a\\"\\\\\\n\\u0000\\u007f/"', json.encode('a"\\\n\0\127/'))
    assert.are.equal('"김😀"', json.encode("김😀"))
    assert.are.equal('"\239\191\189a\239\191\189\239\191\189"', json.encode("\255a\192\128"))
    local surrogate = "\237\160\128"
    assert.are.equal('"\239\191\189\239\191\189\239\191\189"', json.encode(surrogate))
  end)
end)

describe("every method of the contract", function()
  local USER, MODERATOR = "bob@example.com", nil
  local arguments = {
    ertc = {
      get_or_update_user_by_app_id = { app_user_id = "new@example.com" },
      update_user_by_ertc_user_id = { availability_status = "dnd" },
      block_unblock_user = { action = "block", app_user_id = "mallory@example.com" },
      blocked_users = {},
      get_chat_user_details = { app_user_ids = { USER }, status_keys = { "availabilityStatus" } },
      logout_user = { app_user_id = "moderator@example.com" },
      logout_other_devices = { app_user_id = "moderator@example.com" },
      pending_events = {},
      refresh_auth_token = {},
      reset_badge_count = {},
      get_group = { group_id = "group-1" },
      remove_participants = { group_id = "group-1", participants = { USER } },
      restrict_participants = { group_id = "group-1", participants = { USER }, type = "mute" },
      unrestrict_participants = { group_id = "group-1", participants = { USER }, type = "ban" },
      create_chat_report = { msg_unique_id = "m-1", category = "spam" },
      list_chat_reports = { status = "new" },
      resolve_chat_report = { chat_report_id = "r-1", action = "reportConsidered" },
      get_tenant_details = { namespace = "sandbox" },
    },
    smooch = {
      get_app_user = { user_id = USER },
      update_app_user = { user_id = USER, given_name = "Robert" },
      pre_create_app_user = { user_id = "김 / %2F" },
      delete_app_user_profile = { user_id = USER },
      get_app_user_auth_code = { user_id = USER },
      get_app_user_business_system_ids = { user_id = USER },
      get_app_user_entity_ids = { user_id = USER },
      get_link_requests = { user_id = USER, integration_ids = { "i1", "i2" } },
      link_app_user = { user_id = USER, type = "twilio", phone_number = "+1 212-555-2368" },
      unlink_app_user = { user_id = USER, channel = "twilio" },
      post_image_message = { user_id = USER, role = "appMaker",
        source = { data = "\137PNG\r\n\26\n\0", filename = "cat.png" } },
      app_user_device_update = { user_id = USER, app_version = "8.0",
        device_id = "5A7F8343-DF41-46A8-96EC-8583FCB422FB" },
      track_event = { user_id = USER, name = "completed_sale" },
      delete_app_user = { user_id = USER },
      post_message = { user_id = USER, role = "appMaker", text = "hello" },
      get_messages = { user_id = USER },
      create_webhook = { target = "https://bot.example/hook" },
      list_webhooks = {},
      get_webhook = { webhook_id = "w-1" },
      update_webhook = { webhook_id = "w-1", triggers = { "*" } },
      delete_webhook = { webhook_id = "w-1" },
    },
    vchatcloud = {
      list_users = {}, list_exiled_users = {}, exile_user = {}, cancel_exile = {},
      list_muted_users = {}, mute_user = {}, cancel_mute = {}, issue_token = {},
      send_notice = { nick_name = "Ann", notice = "hello" }, list_rooms = {}, get_room = {},
    },
    qiscus = {
      login_or_register = { user_id = "bob", username = "Bob" },
      user_profile = { user_id = "seeded" },
      get_unread_users = { page = 1, limit = 10, start_time = "2023-01-01 00:00:00" },
      get_user_unread_count = { user_ids = { "seeded", "b" } },
      get_user_list = { page = 1, limit = 10, show_all = true },
      get_user_token = { user_id = "seeded" },
      reset_user_token = { user_id = "seeded" },
      deactivate_users = { user_ids = { "seeded" } },
      reactivate_users = { user_ids = { "seeded" } },
      get_room_participants = { room_id = "room-1" },
      add_room_participants = { room_id = "room-1", user_ids = { "seeded" } },
      remove_room_participants = { room_id = "room-1", user_ids = { "seeded" } },
      post_comment = { user_id = "seeded", room_id = "room-1", message = "hello" },
      post_system_event_message = { system_event_type = "custom", room_id = "room-1" },
      load_comments = { room_id = "room-1" },
    },
  }

  -- What every call that takes it is given, where its row does not say otherwise.
  local function fill(row, given)
    local filled = merged({}, given)
    local usual = {
      ertc_user_id = MODERATOR, room_id = "room-1",
      client_key = box.state.vchatcloud.rooms["room-1"].order[8],
    }
    for _, parameter in ipairs(row.parameters) do
      local name = parameter.name
      if filled[name] == nil then filled[name] = usual[name] end
    end
    return filled
  end

  -- What the calls are about: a report, a webhook, a room with a message.
  local function prepare()
    box:seed_user("qiscus", { user_id = "seeded" })
    box:seed_room("room-1", { "seeded" }, "qiscus")
    table.insert(box.state.ertc.reports, { id = "r-1", msg_unique_id = "m", category = "spam",
      status = "new", reporter = box.state.ertc.users[MODERATOR] })
    table.insert(box.state.smooch.webhooks, { _id = "w-1", target = "https://bot.example/1",
      triggers = { "message" }, secret = "s" })
  end

  for _, provider in ipairs(sandbox.providers) do
    for _, row in ipairs(usher.describe(provider).methods) do
      it("is served to the client: " .. provider .. ":" .. row.name, function()
        MODERATOR = box.state.ertc.moderator
        prepare()
        local client = usher[provider](box:options(provider, { retries = 0 }))
        finally(function() client:close() end)
        local given = assert(arguments[provider][row.name], "no arguments for this method")
        assert.truthy(client[row.name](client, fill(row, given)))
        assert.are.equal(1, box:count(provider, row.name))
      end)
    end
  end
end)

describe("eRTC", function()
  local BASE = "/ertc/v1/tenants/tenant-1/user/"
  -- the vectors of the vendor's formula at this moment, in milliseconds and in seconds
  local SIGNED = merged(JSON, { ["X-Nonce"] = "1700000000000",
    ["X-Request-Signature"] = "ff6ada759df8136fef594719c592f015828bd38aed5d252ba5f0669d8da6c039" })
  local SIGNED_SECONDS = merged(JSON, { ["X-Nonce"] = "1700000000",
    ["X-Request-Signature"] = "cb5b9f1b79792704da8111d3c713f212bca1461bba1193606ceee31446bf460f" })
  local LOGIN = '{"appUserId":"alice@example.com"}'

  local function signed(seconds)
    local nonce = string.format("%d", seconds * 1000)
    return merged(JSON, { ["X-Nonce"] = nonce,
      ["X-Request-Signature"] = core.sha256("test-api-key~com.example.app~" .. nonce) })
  end

  local function sign_in(app_user_id, more)
    local _, answer = call("POST", BASE, signed(now),
      '{"appUserId":"' .. app_user_id .. '"' .. (more or "") .. "}")
    return answer.result
  end

  local function as(user, token)
    return merged(signed(now), { Authorization = "Bearer " .. (token or user.token.accessToken) })
  end

  local function ask(user, method, path, body, more)
    return call(method, BASE .. user.eRTCUserId .. path, merged(as(user), more or {}), body)
  end

  it("accepts the published signature in milliseconds and in seconds", function()
    assert.are.equal(200, (call("POST", BASE, SIGNED, LOGIN)))
    assert.are.equal(200, (call("POST", BASE, SIGNED_SECONDS, LOGIN)))
  end)

  local SIGNATURE, NONCE = SIGNED["X-Request-Signature"], SIGNED["X-Nonce"]
  local bad_signatures = {
    ["no signature"] = { ["X-Request-Signature"] = cjson.null },
    ["no nonce"] = { ["X-Nonce"] = cjson.null },
    ["upper-case hexadecimal"] = { ["X-Request-Signature"] = SIGNATURE:upper() },
    ["a signature of another nonce"] = { ["X-Nonce"] = NONCE:gsub("0$", "1") },
    ["another key's signature"] = {
      ["X-Request-Signature"] = core.sha256("k~com.example.app~" .. NONCE),
    },
    ["a nonce that is no number"] = { ["X-Nonce"] = "soon",
      ["X-Request-Signature"] = core.sha256("test-api-key~com.example.app~soon") },
  }
  for what, headers in pairs(bad_signatures) do
    it("refuses " .. what, function()
      local status, answer = call("POST", BASE, merged(SIGNED, headers), LOGIN)
      assert.are.equal(401, status)
      assert.are.equal(false, answer.success)
      assert.are.equal("string", type(answer.msg))
      assert.are.equal("E00401", answer.errorCode)
    end)
  end

  it("allows a clock that is 300 seconds off and refuses one that is 301", function()
    for _, off in ipairs({ -300, 300 }) do
      assert.are.equal(200, (call("POST", BASE, signed(NOW + off), LOGIN)))
    end
    for _, off in ipairs({ -301, 301 }) do
      assert.are.equal(401, (call("POST", BASE, signed(NOW + off), LOGIN)))
    end
  end)

  it("wants the trailing slash, the version and the tenant of the contract", function()
    assert.are.equal(404, (call("POST", BASE:sub(1, -2), SIGNED, LOGIN)))
    assert.are.equal(404, (call("POST", BASE:gsub("v1", "latest"), SIGNED, LOGIN)))
    assert.are.equal(404, (call("POST", BASE:gsub("tenant%-1", "other"), SIGNED, LOGIN)))
    assert.are.equal(404, (call("PUT", BASE, SIGNED, LOGIN)))
  end)

  it("signs a new user in with tokens for 900 seconds, and finds the same user again", function()
    local first = sign_in("zoe@example.com", ',"deviceId":"d1","publicKey":"pem"')
    assert.truthy(first.eRTCUserId:find("^%x+$"))
    assert.are.equal(24, #first.eRTCUserId)
    assert.are.equal(900, first.token.expiresIn)
    assert.are.equal("pem", first.e2eEncryptionKeys[1].publicKey)
    assert.are.equal(first.eRTCUserId, sign_in("zoe@example.com").eRTCUserId)
  end)

  local bad_bodies = {
    ["a missing appUserId"] = "{}", ["an empty appUserId"] = '{"appUserId":""}',
    ["a number for a string"] = '{"appUserId":7}',
    ["an unknown deviceType"] = '{"appUserId":"a","deviceType":"web"}',
    ["an unknown muteSetting"] = '{"appUserId":"a","muteSetting":"some"}',
    ["an authPayload that is a string"] = '{"appUserId":"a","authPayload":"x"}',
    ["broken JSON"] = '{"appUserId":', ["a list"] = '["appUserId"]',
  }
  for what, body in pairs(bad_bodies) do
    it("refuses " .. what, function()
      local status, answer = call("POST", BASE, SIGNED, body)
      assert.are.equal(400, status)
      assert.are.equal(false, answer.success)
    end)
  end

  it("does not see a body without the JSON media type", function()
    local plain = merged(SIGNED, { ["Content-Type"] = "text/plain" })
    assert.are.equal(400, (call("POST", BASE, plain, LOGIN)))
  end)

  it("refuses a token that is missing, made up, expired, for refreshing or another's", function()
    local alice, bob = sign_in("alice@example.com"), sign_in("bob@example.com")
    local function status_with(authorization)
      return (call("GET", BASE .. alice.eRTCUserId .. "/resetBadgeCount",
        merged(signed(now), { Authorization = authorization })))
    end
    assert.are.equal(200, status_with("Bearer " .. alice.token.accessToken))
    assert.are.equal(401, status_with(nil))
    assert.are.equal(401, status_with(alice.token.accessToken))
    assert.are.equal(401, status_with("Bearer a.b.c"))
    assert.are.equal(401, status_with("Bearer " .. alice.token.accessToken:sub(1, -3) .. "AA"))
    assert.are.equal(401, status_with("Bearer " .. alice.token.refreshToken))
    assert.are.equal(401, status_with("Bearer " .. bob.token.accessToken))
    now = NOW + 899
    assert.are.equal(200, status_with("Bearer " .. alice.token.accessToken))
    now = NOW + 900
    assert.are.equal(401, status_with("Bearer " .. alice.token.accessToken))
  end)

  it("refreshes with either token, and both old ones are dead then", function()
    local alice = sign_in("alice@example.com")
    local function with(token, path)
      return call("GET", BASE .. alice.eRTCUserId .. path, as(nil, token))
    end
    local status, answer = with(alice.token.refreshToken, "/refreshToken")
    assert.are.equal(200, status)
    assert.are.equal(401, (with(alice.token.refreshToken, "/refreshToken")))
    assert.are.equal(401, (with(alice.token.accessToken, "/resetBadgeCount")))
    assert.are.equal(200, (with(answer.result.accessToken, "/resetBadgeCount")))
    assert.are.equal(200, (with(answer.result.accessToken, "/refreshToken")))
  end)

  it("refuses a deactivated account with 403", function()
    local alice = sign_in("alice@example.com")
    box.state.ertc.users[alice.eRTCUserId].deactivated = true
    assert.are.equal(403, (ask(alice, "GET", "/resetBadgeCount")))
    assert.are.equal(403, (call("POST", BASE, SIGNED, LOGIN)))
  end)

  it("blocks, lists, tells and unblocks, and queues an event for each change", function()
    local alice = sign_in("alice@example.com")
    local target = '{"appUserId":"mallory@example.com"}'
    assert.are.equal(200, (ask(alice, "POST", "/blockUnblock/block", target)))
    assert.are.equal(200, (ask(alice, "POST", "/blockUnblock/block", target))) -- no second event
    local _, listed = ask(alice, "GET", "/blockedUsers", nil, { deviceid = "d1" })
    assert.are.equal("mallory@example.com", listed.result.blockedUsers[1].appUserId)
    assert.are.equal("tenant-1", listed.result.blockedUsers[1].tenantId)
    local _, details = ask(alice, "POST", "/chatUserDetails",
      '{"appUserIds":["mallory@example.com","bob@example.com","nobody"],'
      .. '"statusKeys":["availabilityStatus","blockedStatus"]}')
    details = details.result.chatUserDetails
    assert.are.equal(2, #details)
    assert.are.same({ availabilityStatus = "online", blockedStatus = "blocked" },
      details[1].statusDetails)
    assert.are.same({ availabilityStatus = "online" }, details[2].statusDetails)
    assert.are.equal(200, (ask(alice, "POST", "/blockUnblock/unblock", target)))
    local _, _, response = ask(alice, "GET", "/blockedUsers", nil, { deviceid = "d1" })
    assert.truthy(response.body:find('"blockedUsers":[]', 1, true))

    local _, pending = ask(alice, "GET", "/pendingEvents?deviceId=d1")
    assert.are.equal(2, #pending.result.pendingEvents)
    local event = pending.result.pendingEvents[1].data
    assert.are.equal("userSelfUpdate", event.eventType)
    local message = cjson.decode(event.message) -- a document in a string
    assert.are.equal(alice.eRTCUserId, message.eRTCUserId)
    assert.are.equal("userBlockedStatusChanged", message.eventList[1].eventType)
    assert.are.equal("blocked", message.eventList[1].eventData.blockedStatus)
    assert.are.equal("mallory@example.com", message.eventList[1].eventData.targetUser.appUserId)
    _, _, response = ask(alice, "GET", "/pendingEvents")
    assert.truthy(response.body:find('"pendingEvents":[]', 1, true), "reading drains")
  end)

  it("says no with HTTP 200 to an unknown target and oneself, 400 to another action", function()
    local alice = sign_in("alice@example.com")
    local status, answer = ask(alice, "POST", "/blockUnblock/block", '{"appUserId":"nobody"}')
    assert.are.same({ 200, false, "E00404" }, { status, answer.success, answer.errorCode })
    status, answer = ask(alice, "POST", "/blockUnblock/block", LOGIN)
    assert.are.same({ 200, false }, { status, answer.success })
    assert.are.equal(400, (ask(alice, "POST", "/blockUnblock/ban", LOGIN)))
  end)

  it("requires the deviceid header on blockedUsers", function()
    assert.are.equal(400, (ask(sign_in("alice@example.com"), "GET", "/blockedUsers")))
  end)

  it("updates availability and notification settings, each with an event", function()
    local alice = sign_in("alice@example.com")
    local status, answer = ask(alice, "POST", "", '{"availabilityStatus":"dnd",'
      .. '"notificationSettings":{"allowFrom":"mentions","validTill":"2024-01-31T10:00:00Z",'
      .. '"validTillDisplayValue":"2 Days"}}')
    assert.are.same({ 200, "dnd" }, { status, answer.result.availabilityStatus })
    assert.are.equal("mentions", answer.result.notificationSettings.allowFrom)
    local _, pending = ask(alice, "GET", "/pendingEvents")
    assert.are.equal(2, #pending.result.pendingEvents)
    for _, body in ipairs({ '{"availabilityStatus":"gone"}', '{"notificationSettings":[1]}',
      '{"notificationSettings":{"allowFrom":"some"}}',
      '{"notificationSettings":{"validTill":"2024-02-30T10:00:00Z"}}',
      '{"notificationSettings":{"validTillDisplayValue":"2 Moons"}}' }) do
      assert.are.equal(400, (ask(alice, "POST", "", body)), body)
    end
  end)

  it("refuses unknown or missing status keys and missing ids", function()
    local alice = sign_in("alice@example.com")
    for _, body in ipairs({ '{"appUserIds":["a"],"statusKeys":[]}', '{"appUserIds":["a"]}',
      '{"appUserIds":["a"],"statusKeys":["mood"]}', '{"statusKeys":["blockedStatus"]}',
      '{"appUserIds":"a","statusKeys":["blockedStatus"]}' }) do
      assert.are.equal(400, (ask(alice, "POST", "/chatUserDetails", body)), body)
    end
  end)

  it("logs this device out, or the others", function()
    local here, there = sign_in("alice@example.com"), sign_in("alice@example.com")
    assert.are.equal(200, (ask(here, "POST", "/logoutOtherDevices", LOGIN)))
    assert.are.equal(401, (ask(there, "GET", "/resetBadgeCount")))
    assert.are.equal(200, (ask(here, "GET", "/resetBadgeCount")))
    local _, answer = ask(here, "POST", "/logout", '{"appUserId":"bob@example.com"}')
    assert.is_false(answer.success)
    assert.are.equal(200, (ask(here, "POST", "/logout", LOGIN)))
    assert.are.equal(401, (ask(here, "GET", "/resetBadgeCount")))
  end)

  it("resets the badge count", function()
    local moderator = box.state.ertc.users[box.state.ertc.moderator]
    assert.are.equal(3, moderator.badge)
    local token = box.state.ertc.moderator_token.access
    local path = BASE .. moderator.ertc_user_id .. "/resetBadgeCount"
    assert.are.equal(200, (call("GET", path, as(nil, token))))
    assert.are.equal(0, moderator.badge)
  end)
end)

describe("Smooch", function()
  -- the published vectors: secret test-secret, kid app_test_key
  local HEAD = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF90ZXN0X2tleSJ9."
  local APP = HEAD .. "eyJzY29wZSI6ImFwcCJ9.FO5zl__Vkv7G_7aMASi8h_pqJes51O_aE-l-p2zeGFA"
  local ACCOUNT_BY_APP_KEY = HEAD
    .. "eyJzY29wZSI6ImFjY291bnQifQ.yNNjjNCY0S9O1LVdVBAo8FM8U_Bazsd4-A34RSD5ZV0"
  local BOB = HEAD .. "eyJzY29wZSI6ImFwcFVzZXIiLCJ1c2VySWQiOiJib2JAZXhhbXBsZS5jb20ifQ."
    .. "bD9EEYXam7HH1fTRO1lFTekR3p6idDs7n98B6rZazvU"
  local SHORT, LONG = "/smooch/v1/appusers", "/smooch/v1/apps/test-app/appusers"
  local USER = "/bob%40example.com"

  local function token(header, claims, secret)
    local input = core.base64url_encode(header) .. "." .. core.base64url_encode(claims)
    return input .. "." .. core.base64url_encode(core.hmac_sha256(secret, input))
  end

  local ACCOUNT = token('{"alg":"HS256","typ":"JWT","kid":"act_test_key"}', '{"scope":"account"}',
    "test-account-secret")

  local function ask(method, path, body, jwt, more)
    local headers = merged(JSON, { Authorization = "Bearer " .. (jwt or APP) }, more or {})
    return call(method, path, headers, body)
  end

  it("accepts the published tokens where their scope allows", function()
    assert.are.equal(200, (ask("GET", SHORT .. USER)))
    assert.are.equal(200, (ask("GET", LONG .. USER)))
    assert.are.equal(200, (ask("GET", SHORT .. USER, nil, BOB)))
    assert.are.equal(200, (ask("GET", LONG .. USER, nil, ACCOUNT)))
  end)

  local GOOD = '{"alg":"HS256","typ":"JWT","kid":"app_test_key"}'
  local bad_tokens = {
    ["another algorithm"] = token('{"alg":"HS512","typ":"JWT","kid":"app_test_key"}',
      '{"scope":"app"}', "test-secret"),
    ["an unsigned token"] = core.base64url_encode('{"alg":"none","typ":"JWT","kid":"app_test_key"}')
      .. "." .. core.base64url_encode('{"scope":"app"}') .. ".",
    ["another typ"] = token('{"alg":"HS256","typ":"JOSE","kid":"app_test_key"}', '{"scope":"app"}',
      "test-secret"),
    ["no kid"] = token('{"alg":"HS256","typ":"JWT"}', '{"scope":"app"}', "test-secret"),
    ["an unknown kid"] = token('{"alg":"HS256","typ":"JWT","kid":"app_other"}', '{"scope":"app"}',
      "test-secret"),
    ["a wrong secret"] = token(GOOD, '{"scope":"app"}', "Test-secret"),
    ["an unknown scope"] = token(GOOD, '{"scope":"admin"}', "test-secret"),
    ["no scope"] = token(GOOD, "{}", "test-secret"),
    ["account scope by the app's key"] = ACCOUNT_BY_APP_KEY,
    ["appUser scope without a user"] = token(GOOD, '{"scope":"appUser"}', "test-secret"),
    ["a userId that is a number"] = token(GOOD, '{"scope":"appUser","userId":7}', "test-secret"),
    ["an expired token"] = token(GOOD, '{"scope":"app","exp":1700000000}', "test-secret"),
    ["something that is no token"] = "secret",
  }
  for what, jwt in pairs(bad_tokens) do
    it("refuses " .. what, function()
      local status, answer = ask("GET", LONG .. USER, nil, jwt)
      assert.are.same({ 401, "invalid_auth" }, { status, answer.error.code })
    end)
  end

  it("answers a missing Authorization as documented, and refuses a bare token and Basic", function()
    local status, answer = call("GET", SHORT .. USER, JSON)
    assert.are.equal(401, status)
    assert.are.same({ code = "unauthorized", description = "Authorization is required" },
      answer.error)
    for _, value in ipairs({ APP, "bearer " .. APP, "Bearer  " .. APP,
      "Basic YXBwX3Rlc3Rfa2V5OnRlc3Qtc2VjcmV0" }) do
      assert.are.equal(401, (call("GET", SHORT .. USER, merged(JSON, { Authorization = value }))))
    end
  end)

  it("keeps a token to its scope", function()
    assert.are.equal(403, (ask("GET", SHORT .. USER, nil, ACCOUNT)))
    assert.are.equal(404, (ask("GET", "/smooch/v1/apps/other/appusers" .. USER, nil, ACCOUNT)))
    assert.are.equal(403, (ask("GET", "/smooch/v1/apps/other/appusers" .. USER)))
    ask("POST", SHORT, '{"userId":"eve"}')
    assert.are.equal(403, (ask("GET", SHORT .. "/eve", nil, BOB)))
    assert.are.equal(403, (ask("DELETE", SHORT .. USER .. "/profile", nil, BOB)))
    assert.are.equal(403, (ask("POST", SHORT, '{"userId":"x"}', BOB)))
    assert.are.equal(403, (ask("POST", SHORT .. USER .. "/channels", '{"type":"twilio"}', BOB)))
    assert.are.equal(200, (ask("PUT", SHORT .. USER, '{"givenName":"B"}', BOB)))
    local id = box.state.smooch.by_user_id["bob@example.com"]
    assert.are.equal(200, (ask("GET", SHORT .. "/" .. id, nil, BOB)))
  end)

  it("has the operations of one generation on that generation's path only", function()
    assert.are.equal(404, (ask("POST", LONG .. USER .. "/events", '{"name":"x"}')))
    assert.are.equal(404, (ask("PUT", LONG .. USER .. "/devices/d", "{}")))
    assert.are.equal(404, (ask("GET", SHORT .. USER .. "/")))
    assert.are.equal(404, (ask("PATCH", SHORT .. USER, "{}")))
  end)

  it("pre-creates a user without clients, once", function()
    local status, answer, response = ask("POST", SHORT,
      '{"userId":"eve/김","givenName":"Eve","properties":{"plan":"gold"},'
      .. '"credentialRequired":true}')
    assert.are.equal(201, status)
    assert.are.equal("2023-11-14T22:13:20.000Z", answer.appUser.signedUpAt)
    assert.are.same({ plan = "gold" }, answer.appUser.properties)
    assert.is_true(answer.appUser.credentialRequired)
    assert.is_nil(answer.appUser.clients)
    assert.truthy(response.body:find('^{"appUser":{"_id":"%x+","userId":"eve/김"'))
    assert.are.equal(409, (ask("POST", SHORT, '{"userId":"eve/김"}')))
    assert.are.equal(200, (ask("GET", SHORT .. "/eve%2F%EA%B9%80")))
    assert.are.equal(200, (ask("GET", LONG .. "/" .. answer.appUser._id)))
  end)

  local bad_bodies = {
    ["a missing userId"] = "{}", ["a userId that is a number"] = '{"userId":1}',
    ["nested properties"] = '{"userId":"a","properties":{"a":{"b":1}}}',
    ["properties that are a list"] = '{"userId":"a","properties":[1]}',
    ["a date that is not ISO 8601"] = '{"userId":"a","signedUpAt":"yesterday"}',
    ["a flag that is a string"] = '{"userId":"a","credentialRequired":"true"}',
    ["broken JSON"] = "{", ["nothing"] = "",
  }
  for what, body in pairs(bad_bodies) do
    it("refuses " .. what, function()
      local status, answer = ask("POST", SHORT, body)
      assert.are.same({ 400, "bad_request" }, { status, answer.error.code })
    end)
  end

  it("requires the JSON media type on a JSON body", function()
    local form = { ["Content-Type"] = "application/x-www-form-urlencoded" }
    assert.are.equal(400, (ask("PUT", SHORT .. USER, '{"givenName":"B"}', nil, form)))
    assert.are.equal(200, (ask("PUT", SHORT .. USER, '{"givenName":"B"}', nil,
      { ["Content-Type"] = "Application/JSON; charset=utf-8" })))
  end)

  it("updates additively and answers 404 for an unknown user", function()
    local _, answer = ask("PUT", SHORT .. USER,
      '{"surname":"B","properties":{"seats":4,"plan":null}}')
    assert.are.equal("Bob", answer.appUser.givenName)
    assert.are.equal("B", answer.appUser.surname)
    assert.are.same({ seats = 4 }, answer.appUser.properties)
    assert.are.equal(404, (ask("PUT", SHORT .. "/nobody", "{}")))
  end)

  it("clears the profile and what the clients tell about the person, and nothing else", function()
    local status, answer = ask("DELETE", SHORT .. USER .. "/profile")
    local user = answer.appUser
    assert.are.equal(200, status)
    assert.is_nil(user.givenName)
    assert.is_nil(user.email)
    assert.are.same({}, user.properties)
    assert.are.equal("bob@example.com", user.userId)
    assert.are.equal("2015-10-08T23:52:11.677Z", user.signedUpAt)
    assert.are.equal(2, #user.clients)
    assert.is_nil(user.clients[1].displayName)
    assert.is_nil(user.clients[1].info)
    assert.are.equal("1.0", user.clients[1].appVersion)
  end)

  it("links in two steps: pending at first, a client when it is confirmed", function()
    ask("POST", SHORT, '{"userId":"eve"}')
    local link = '{"type":"twilio","phoneNumber":"+1 212-555-2368"}'
    local status, answer = ask("POST", SHORT .. "/eve/channels", link)
    assert.are.equal(200, status)
    assert.are.equal("twilio", answer.appUser.pendingClients[1].platform)
    assert.are.same({}, answer.appUser.clients)
    local _, _, response = ask("GET", SHORT .. "/eve/channels")
    assert.are.equal('{"channels":[]}', response.body)
    assert.are.equal(1, box:settle())
    _, answer = ask("GET", SHORT .. "/eve/channels")
    assert.are.same({ { type = "twilio", phoneNumber = "+1 212-555-2368" } }, answer.channels)
    status, _, response = ask("DELETE", SHORT .. "/eve/channels/twilio")
    assert.are.same({ 200, "" }, { status, response.body })
    assert.are.equal(404, (ask("DELETE", SHORT .. "/eve/channels/twilio")))
  end)

  it("confirms at once what needs no answer from the person", function()
    for _, link in ipairs({
      '{"type":"mailgun","address":"eve@example.com","confirmation":{"type":"immediate"}}',
      '{"type":"twilio","phoneNumber":"+12125552368","skipConfirmation":"true"}',
    }) do
      local _, answer = ask("POST", LONG .. USER .. "/channels", link)
      assert.are.equal(1, #answer.appUser.pendingClients)
    end
    local _, answer = ask("GET", SHORT .. USER)
    assert.are.equal(0, #answer.appUser.pendingClients)
    assert.are.equal(3, #answer.appUser.clients)
    local primary = {}
    for _, client in ipairs(answer.appUser.clients) do
      if client.primary then primary[#primary + 1] = client.platform end
    end
    assert.are.same({ "twilio" }, primary)
  end)

  it("refuses links that lack what the channel needs", function()
    for _, body in ipairs({ "{}", '{"type":"telegram"}', '{"type":"twilio"}',
      '{"type":"twilio","phoneNumber":"212 555 2368"}',
      '{"type":"mailgun","phoneNumber":"+12125552368"}',
      '{"type":"mailgun","address":"eve"}', '{"type":"twilio","phoneNumber":7}',
      '{"type":"mailgun","address":"e@x","skipConfirmation":true}',
      '{"type":"mailgun","address":"e@x","confirmation":{"type":"prompt"}}',
      '{"type":"twilio","phoneNumber":"+12125552368","confirmation":{"type":"userActivity"}}',
      '{"type":"messenger","phoneNumber":"+12125552368","confirmation":{"type":"immediate"}}',
      '{"type":"twilio","phoneNumber":"+12125552368","skipConfirmation":"yes"}',
    }) do
      assert.are.equal(400, (ask("POST", SHORT .. USER .. "/channels", body)), body)
    end
    local plain = '{"type":"twilio","phoneNumber":"+12125552368"}'
    assert.are.equal(400, (ask("POST", LONG .. USER .. "/channels", plain)), "needs a confirmation")
  end)

  it("gives auth codes and business systems, numbers as numbers", function()
    local _, answer = ask("GET", LONG .. USER .. "/authcode")
    local again = select(2, ask("GET", LONG .. USER .. "/authcode"))
    assert.are_not.equal(answer.authCode, again.authCode)
    local _, _, response = ask("GET", LONG .. USER .. "/businesssystems")
    assert.truthy(response.body:find('{"type":"hipchat","roomId":12345}', 1, true))
  end)

  it("reads integrationIds as one comma list", function()
    local status, answer = ask("GET", LONG .. USER .. "/linkrequest?integrationIds=i1%2Ci2")
    assert.are.equal(200, status)
    assert.are.equal("i2", answer.linkRequests[2].integrationId)
    assert.are.equal("telegram", answer.linkRequests[2].type)
    assert.are.equal("string", type(answer.linkRequests[1].code))
    assert.are.equal(400, (ask("GET", LONG .. USER .. "/linkrequest")))
    assert.are.equal(400, (ask("GET", LONG .. USER .. "/linkrequest?integrationIds=i1,,i2")))
    assert.are.equal(404, (ask("GET", LONG .. USER .. "/linkrequest?integrationIds=i9")))
  end)

  it("updates a device additively and answers 404 for an unknown one", function()
    local path = SHORT .. USER .. "/devices/5A7F8343-DF41-46A8-96EC-8583FCB422FB"
    local status, answer = ask("PUT", path, '{"appVersion":"8.0","info":{"os":"iOS"}}')
    assert.are.equal(200, status)
    assert.are.same({ "8.0", "iOS", "ShellApp" },
      { answer.device.appVersion, answer.device.info.os, answer.device.info.appName })
    assert.are.equal(404, (ask("PUT", SHORT .. USER .. "/devices/none", "{}")))
    assert.are.equal(400, (ask("PUT", path, '{"info":"x"}')))
  end)

  it("tracks events and applies the properties sent with them", function()
    local status, answer = ask("POST", SHORT .. USER .. "/events",
      '{"name":"sale","appUser":{"properties":{"plan":"silver"}}}')
    assert.are.same({ 201, { conversationUpdated = false } }, { status, answer })
    local user = box.state.smooch.users[box.state.smooch.by_user_id["bob@example.com"]]
    assert.are.same({ "sale" }, user.events)
    assert.are.equal("silver", user.properties.plan)
    assert.are.equal(400, (ask("POST", SHORT .. USER .. "/events", "{}")))
  end)

  local function upload(parts, jwt, content_type)
    local body = {}
    for _, part in ipairs(parts) do
      body[#body + 1] = "--XX\r\nContent-Disposition: form-data; " .. part[1] .. "\r\n"
        .. (part[3] and "Content-Type: " .. part[3] .. "\r\n" or "") .. "\r\n" .. part[2] .. "\r\n"
    end
    return ask("POST", SHORT .. USER .. "/images", table.concat(body) .. "--XX--\r\n", jwt,
      { ["Content-Type"] = content_type or "multipart/form-data; boundary=XX" })
  end

  local PICTURE = {
    'name="source"; filename="고양이 \\"1\\".png"', "\137PNG\r\n\0--X", "image/png",
  }
  local ROLE = { 'name="role"', "appMaker" }

  it("takes an image whatever the order of the parts, byte for byte", function()
    for _, parts in ipairs({ { PICTURE, ROLE }, { ROLE, PICTURE } }) do
      local status, answer = upload(parts)
      assert.are.equal(201, status)
      assert.are.equal("image/png", answer.message.mediaType)
      assert.are.equal("appMaker", answer.message.role)
      assert.are.equal(answer.message.mediaUrl, answer.message.text)
    end
    local user = box.state.smooch.users[box.state.smooch.by_user_id["bob@example.com"]]
    assert.are.equal('고양이 "1".png', user.messages[1].filename)
    assert.are.equal(#PICTURE[2], user.messages[1].size)
    assert.are.equal(2, user.unread)
  end)

  it("takes a name and a text with the image", function()
    local parts = { PICTURE, ROLE, { 'name="name"', "Ms. 김" }, { 'name="text"', "hi" } }
    local _, answer = upload(parts, nil, 'multipart/form-data; boundary="XX"')
    assert.are.same({ "Ms. 김", "hi" }, { answer.message.name, answer.message.text })
  end)

  it("refuses uploads that are not what a form sends", function()
    local no_type = { PICTURE[1], PICTURE[2] }
    for what, parts in pairs({
      ["no source"] = { ROLE }, ["no role"] = { PICTURE }, ["a path for a file"] = { ROLE,
        { 'name="source"', "/etc/passwd" } }, ["no type"] = { ROLE, no_type },
      ["a role of its own"] = { PICTURE, { 'name="role"', "admin" } },
      ["no name"] = { PICTURE, ROLE, { 'filename="x"', "y" } },
    }) do
      assert.are.equal(400, (upload(parts)), what)
    end
    assert.are.equal(400, (upload({ PICTURE, ROLE }, nil, "multipart/form-data")))
    assert.are.equal(400, (upload({ PICTURE, ROLE }, nil, "multipart/form-data; boundary=YY")))
    assert.are.equal(400, (upload({ PICTURE, ROLE }, nil, "application/json")))
    local after_boundary = '\r\n--XX**Content-Disposition: form-data; name="x"\r\n\r\n'
    assert.are.equal(400, (upload({ PICTURE, { ROLE[1], "appMaker" .. after_boundary } })))
    assert.are.equal(403, (upload({ PICTURE, ROLE }, BOB)))
    assert.are.equal(201, (upload({ PICTURE, { 'name="role"', "appUser" } }, BOB)))
    local large = { PICTURE[1], ("x"):rep(10 * 1024 * 1024 + 1), "image/png" }
    assert.are.equal(413, (upload({ large, ROLE })))
  end)

  it("takes a carousel with its items, and none without", function()
    local client = usher.smooch(sandbox.new():options "smooch")
    finally(function() client:close() end)
    local items = { { title = "A cat", actions = { { type = "link", text = "See" } } } }
    local posted = assert(client:post_message{ user_id = "bob@example.com", role = "appMaker",
      type = "carousel", items = items, actions = { { type = "reply", text = "More" } } })
    assert.are.same(items, posted.message.items)
    assert.are.equal("More", posted.message.actions[1].text)
    local _, err = client:post_message{ user_id = "bob@example.com", role = "appMaker",
      type = "carousel", items = {} }
    assert.are.equal(400, err.status)
    assert.are.equal(400, (ask("POST", SHORT .. USER .. "/messages",
      '{"role":"appMaker","type":"list","items":["a cat"]}')))
  end)
end)

describe("VChatCloud", function()
  local ROOM = "/vchatcloud/openapi/v1/"
  local KEY = { API_KEY = "test-vchatcloud-key" }

  local function token()
    local _, answer = call("GET", "/vchatcloud/openapi/token", KEY)
    return answer.data["X-AUTH-TOKEN"]
  end

  local function ask(method, path, headers)
    return call(method, ROOM .. path, headers or merged(KEY, { ["X-AUTH-TOKEN"] = token() }))
  end

  local function listed(path)
    local _, answer = ask("GET", path)
    local names = {}
    for i, user in ipairs(answer.list) do names[i] = user.nickName end
    return names, answer.list
  end

  it("issues an HS256 token with iat and exp for the key alone", function()
    local claims = cjson.decode(core.base64url_decode(token():match("%.([^.]+)%.")))
    assert.are.equal(NOW, claims.iat)
    assert.are.equal(NOW + 3600, claims.exp)
    assert.are.equal(401, (call("GET", "/vchatcloud/openapi/token", { API_KEY = "other" })))
    assert.are.equal(401, (call("GET", "/vchatcloud/openapi/token")))
  end)

  it("refuses a missing, made up, expired or revoked token with 401", function()
    local good = merged(KEY, { ["X-AUTH-TOKEN"] = token() })
    assert.are.equal(200, (ask("GET", "users/room-1", good)))
    assert.are.equal(401, (ask("GET", "users/room-1", KEY)))
    assert.are.equal(401, (ask("GET", "users/room-1", merged(good, { API_KEY = "other" }))))
    local status, answer = ask("GET", "users/room-1", merged(KEY, { ["X-AUTH-TOKEN"] = "x.y.z" }))
    assert.are.same({ 401, 401, "string" }, { status, answer.result_cd, type(answer.result_msg) })
    now = NOW + 3600
    assert.are.equal(401, (ask("GET", "users/room-1", good)))
    now = NOW
    box:expire_tokens("vchatcloud")
    assert.are.equal(401, (ask("GET", "users/room-1", good)))
  end)

  it("issues tokens of the lifetime it was given", function()
    box = sandbox.new({ clock = box.clock, token_lifetime = 10 })
    local headers = merged(KEY, { ["X-AUTH-TOKEN"] = token() })
    now = NOW + 9
    assert.are.equal(200, (ask("GET", "users/room-1", headers)))
    now = NOW + 10
    assert.are.equal(401, (ask("GET", "users/room-1", headers)))
  end)

  it("lists a populated room and an empty one", function()
    local names, users = listed("users/room-1")
    assert.is_true(#names >= 20)
    assert.are.equal("운영자", names[1])
    assert.are.same({ "userManager", "room-1" }, { users[1].grade, users[1].roomId })
    local _, _, response = ask("GET", "users/room-2")
    assert.are.equal('{"result_cd":1,"result_msg":"","list":[]}', response.body)
  end)

  it("exiles, lists with the date in Korean time, and lifts the exile", function()
    local keys = box:seed_room("r/9", { "Han", { nick_name = "Kim", client_key = "k/2" } })
    assert.are.equal("k/2", keys[2])
    local status, _, response = ask("POST", "exiles/r%2F9/k%2F2")
    assert.are.equal(200, status)
    assert.are.equal('{"result_cd":1,"result_msg":""}', response.body)
    assert.are.equal(200, (ask("POST", "exiles/r%2F9/k%2F2"))) -- again is no error
    assert.are.same({ "Han" }, (listed("users/r%2F9")))
    local _, exiles = listed("exiles/r%2F9")
    assert.are.same({ clientKey = "k/2", nickName = "Kim", exileDate = "20231115071320" },
      exiles[1])
    ask("PUT", "exiles/r%2F9/k%2F2")
    assert.are.same({}, (listed("exiles/r%2F9")))
    assert.are.same({ "Han" }, (listed("users/r%2F9")))
  end)

  it("mutes, keeping the user in the room, and lifts it", function()
    local key = box:seed_room("room-9", { "Han" })[1]
    ask("POST", "mute/room-9/" .. key)
    now = NOW + 1
    ask("POST", "mute/room-9/" .. key)
    local _, muted = listed("mute/room-9")
    assert.are.equal("20231115071320", muted[1].muteDate)
    assert.are.same({ "Han" }, (listed("users/room-9")))
    ask("PUT", "mute/room-9/" .. key)
    assert.are.same({}, (listed("mute/room-9")))
  end)

  it("tells an unknown room and an unknown user in result_cd", function()
    local status, answer = ask("GET", "users/nowhere")
    assert.are.same({ 200, 10102 }, { status, answer.result_cd })
    status, answer = ask("POST", "mute/room-1/nobody")
    assert.are.same({ 200, 10107 }, { status, answer.result_cd })
  end)

  it("knows its verbs and paths exactly", function()
    assert.are.equal(405, (ask("DELETE", "exiles/room-1/k")))
    assert.are.equal(404, (ask("GET", "users/room-1/")))
    assert.are.equal(404, (ask("GET", "users/")))
    assert.are.equal(404, (ask("GET", "mutes/room-1")))
  end)

  it("refuses a room whose users have fields of their own", function()
    assert.error_matches(function() box:seed_room("r", { { nick = "Han" } }) end,
      "unknown option nick")
  end)
end)

describe("Qiscus", function()
  local BASE = "/qiscus/api/v2.1/rest/"
  local HEADERS = merged(JSON, {
    ["QISCUS-SDK-APP-ID"] = "test-app-id", ["QISCUS-SDK-SECRET"] = "test-qiscus-secret",
  })

  local function ask(method, path, body, more)
    return call(method, BASE .. path, merged(HEADERS, more or {}), body)
  end

  local function register(user_id, more)
    return ask("POST", "login_or_register",
      '{"user_id":"' .. user_id .. '","username":"U"' .. (more or "") .. "}")
  end

  it("takes its credentials in both spellings and refuses wrong ones", function()
    local underscore = {
      QISCUS_SDK_APP_ID = "test-app-id", QISCUS_SDK_SECRET = "test-qiscus-secret",
    }
    assert.are.equal(200, (call("GET", BASE .. "get_user_list", underscore)))
    for _, wrong in ipairs({ { ["QISCUS-SDK-SECRET"] = "no" }, { ["QISCUS-SDK-APP-ID"] = "no" },
      { ["QISCUS-SDK-SECRET"] = cjson.null }, { ["QISCUS-SDK-APP-ID"] = cjson.null } }) do
      local status, answer = ask("GET", "get_user_list", nil, wrong)
      assert.are.same({ 401, "Unauthorized", 401 }, { status, answer.error.message, answer.status })
    end
  end)

  it("registers, and updates only with a password, which replaces the old one", function()
    local status, answer = ask("POST", "login_or_register",
      '{"user_id":"bob@x.com","username":"밥","avatar_url":"https://a.example/b.png",'
      .. '"extras":{"role":"admin"}}')
    assert.are.equal(200, status)
    assert.are.same({ user_id = "bob@x.com", username = "밥", active = true,
      avatar_url = "https://a.example/b.png", extras = { role = "admin" } }, answer.results.user)
    assert.are.equal(400, (register("bob@x.com")))
    assert.are.equal(200, (register("bob@x.com", ',"password":"one"')))
    assert.are.equal(200, (register("bob@x.com", ',"password":"two","extras":"{\\"a\\":1}"')))
    local user = box.state.qiscus.users["bob@x.com"]
    assert.are.same({ "two", "U", { a = 1 } }, { user.password, user.username, user.extras })
  end)

  local bad_bodies = {
    ["a missing user_id"] = '{"username":"U"}', ["a missing username"] = '{"user_id":"u"}',
    ["a user_id that is a number"] = '{"user_id":7,"username":"U"}',
    ["symbols in a user_id"] = '{"user_id":"a/b","username":"U"}',
    ["spaces in a user_id"] = '{"user_id":"a b","username":"U"}',
    ["an avatar that is no URL"] = '{"user_id":"u","username":"U","avatar_url":"cat.png"}',
    ["extras that are a list"] = '{"user_id":"u","username":"U","extras":[1]}',
    ["extras that are no JSON"] = '{"user_id":"u","username":"U","extras":"x"}',
    ["broken JSON"] = '{"user_id"',
  }
  for what, body in pairs(bad_bodies) do
    it("refuses " .. what, function()
      local status, answer = ask("POST", "login_or_register", body)
      assert.are.same({ 400, 400 }, { status, answer.status })
      assert.are.equal("string", type(answer.error.message))
    end)
  end

  it("wants JSON, and the documented verb", function()
    local form = { ["Content-Type"] = "application/x-www-form-urlencoded" }
    assert.are.equal(400, (ask("POST", "login_or_register", "user_id=u&username=U", form)))
    assert.are.equal(404, (ask("GET", "login_or_register")))
    assert.are.equal(404, (ask("POST", "user_profile", "{}")))
  end)

  it("finds a profile by the decoded id", function()
    register("me@x.com")
    local status, answer = ask("GET", "user_profile?user_id=me%40x.com")
    assert.are.same({ 200, "U" }, { status, answer.results.user.username })
    assert.are.equal(404, (ask("GET", "user_profile?user_id=nobody")))
    assert.are.equal(400, (ask("GET", "user_profile")))
  end)

  it("lists who has unread messages, within times and pages", function()
    for i = 1, 5 do box:seed_user("qiscus", { user_id = "u" .. i, unread = i % 2 }) end
    local _, answer = ask("GET", "get_unread_users?limit=2&page=2")
    assert.are.same({ "u5" }, answer.results.user_ids)
    _, answer = ask("GET", "get_unread_users?limit=0") -- out of range means 100
    assert.are.same({ "u1", "u3", "u5" }, answer.results.user_ids)
    _, answer = ask("GET", "get_unread_users?start_time=2023-11-14%2022:13:20"
      .. "&end_time=2023-11-14+22:13:20")
    assert.are.equal(3, #answer.results.user_ids)
    local _, _, response = ask("GET", "get_unread_users?start_time=2023-11-14%2022:13:21")
    assert.are.equal('{"results":{"user_ids":[]},"status":200}', response.body)
    assert.are.equal(400, (ask("GET", "get_unread_users?end_time=2023-11-14")))
    assert.are.equal(400, (ask("GET", "get_unread_users?end_time=2023-02-29%2000:00:00")))
    assert.are.equal(400, (ask("GET", "get_unread_users?page=one")))
  end)

  it("counts for repeated bracketed ids, encoded or not, and wants the brackets", function()
    box:seed_user("qiscus", { user_id = "a", unread = 14 })
    box:seed_user("qiscus", { user_id = "b" })
    local _, _, response = ask("GET",
      "get_user_unread_count?user_ids%5B%5D=a&user_ids[]=b&user_ids[]=c")
    assert.are.equal('{"results":{"user_unread_count":[{"unread_count":14,"user_id":"a"},'
      .. '{"unread_count":0,"user_id":"b"}]},"status":200}', response.body)
    assert.are.equal(400, (ask("GET", "get_user_unread_count?user_ids=a")))
  end)

  it("pages the users, rounding total_page down as the real one does", function()
    for i = 1, 5 do
      now = NOW + i
      register("u" .. i)
    end
    local function page(query)
      local _, answer = ask("GET", "get_user_list?" .. query)
      return answer.results.users, answer.results.meta
    end
    local users, meta = page("limit=2&order_query=created_at%20asc%20nulls%20last")
    assert.are.same({ total_data = 5, total_page = 2 }, meta)
    assert.are.same({ "u1", "u2" }, { users[1].email, users[2].email })
    users = page("limit=2&page=3&order_query=created_at%20asc")
    assert.are.same({ 1, "u5" }, { #users, users[1].email })
    assert.is_nil(users[1].user_id)
    users = page("order_query='%3B%20drop%20table%20users")
    assert.are.equal("u5", users[1].email) -- tolerated: the usual order, newest first
    local _, _, response = ask("GET", "get_user_list?page=9")
    assert.truthy(response.body:find('"users":[]', 1, true))
    assert.truthy(response.body:find('"total_data":5,"total_page":0', 1, true))
  end)

  it("shows users that are not active only when asked for all", function()
    box:seed_user("qiscus", { user_id = "gone", active = false })
    local _, answer = ask("GET", "get_user_list")
    assert.are.equal(0, answer.results.meta.total_data)
    _, answer = ask("GET", "get_user_list?show_all=true")
    assert.are.equal("gone", answer.results.users[1].email)
    assert.are.equal(400, (ask("GET", "get_user_list?show_all=maybe")))
  end)
end)

describe("a fault", function()
  local HEADERS = merged(JSON, {
    ["QISCUS-SDK-APP-ID"] = "test-app-id", ["QISCUS-SDK-SECRET"] = "test-qiscus-secret",
  })
  local REGISTER = {
    method = "POST", url = "http://127.0.0.1/qiscus/api/v2.1/rest/login_or_register",
    headers = HEADERS, body = '{"user_id":"bob","username":"Bob"}',
  }

  local function registered()
    return box.state.qiscus.users.bob ~= nil
  end

  it("answers with a status, Retry-After and the provider's envelope, so many times", function()
    local fault = box:fault({ provider = "qiscus", status = 503, retry_after = 1, times = 2 })
    for left = 1, 0, -1 do
      local response = box:handle(REGISTER)
      assert.are.same({ 503, "1" }, { response.status, response.headers["retry-after"] })
      assert.are.equal(503, cjson.decode(response.body).status)
      assert.are.equal(left, fault.left)
    end
    assert.is_false(registered())
    assert.are.equal(200, box:handle(REGISTER).status)
  end)

  it("wears the envelope of whichever provider it hits", function()
    box:fault({ status = 500, times = "forever" })
    local members = {
      ertc = "errorCode", smooch = "error", vchatcloud = "result_cd", qiscus = "error",
    }
    for provider, member in pairs(members) do
      local status, answer = call("GET", "/" .. provider .. "/x")
      assert.are.equal(500, status)
      assert.is_not_nil(answer[member], provider)
    end
    box:clear_faults()
    assert.are.equal(200, box:handle(REGISTER).status)
  end)

  it("waits for its operation", function()
    box:fault({ provider = "qiscus", operation = "login_or_register", status = 500 })
    assert.are.equal(200, (call("GET", "/qiscus/api/v2.1/rest/get_user_list", HEADERS)))
    assert.are.equal(500, box:handle(REGISTER).status)
  end)

  it("can act all the same, and answer with bytes of its own", function()
    box:fault({ status = 502, body = "<html>", acted = true,
      headers = { ["Content-Type"] = "text/html" } })
    local response = box:handle(REGISTER)
    assert.are.same({ 502, "<html>", "text/html" },
      { response.status, response.body, response.headers["content-type"] })
    assert.is_true(registered())
    assert.are.same({ true, 502 }, { box.journal[1].acted, box.journal[1].status })
  end)

  it("can be given when the box is made, alone or in a list", function()
    box = sandbox.new({ fault = { status = 500 } })
    assert.are.equal(500, box:handle(REGISTER).status)
    box = sandbox.new({ fault = { { status = 500 }, { status = 502 } } })
    assert.are.equal(500, box:handle(REGISTER).status)
    assert.are.equal(502, box:handle(REGISTER).status)
    assert.are.equal(200, box:handle(REGISTER).status)
  end)

  it("drops the connection before or after acting, or before anything was sent", function()
    local transport = box:transport()
    local expected = { connect = { false, 0 }, before = { true, 1 }, after = { true, 1 } }
    for drop, outcome in pairs(expected) do
      box:clear_journal()
      box.state.qiscus.users.bob = nil
      box:fault({ drop = drop })
      local status, kind, message, sent = transport.send(REGISTER)
      assert.is_nil(status)
      assert.are.same({ "network", "string" }, { kind, type(message) })
      assert.are.same(outcome, { sent, #box.journal }, drop)
      assert.are.equal(drop == "after", registered(), drop)
    end
  end)

  it("delays, which is a timeout when the attempt may not last that long", function()
    local slept = {}
    local transport = box:transport({ sleep = function(seconds) slept[#slept + 1] = seconds end })
    box:fault({ delay = 2, times = 2 })
    assert.are.equal(200, (transport.send(merged(REGISTER, { timeout = 3 }))))
    local status, kind, _, sent = transport.send(merged(REGISTER, { timeout = 1 }))
    assert.are.same({ nil, "timeout", true }, { status, kind, sent })
    assert.are.same({ 2, 1 }, slept)
    assert.is_true(registered())
  end)

  it("is refused when it makes no sense, naming what would", function()
    for options, message in pairs({
      [{}] = "one of status, body, delay, drop is needed",
      [{ status = 99 }] = "status must be an integer from 200 to 599",
      [{ drop = "never" }] = "drop must be one of connect, before, after",
      [{ status = 500, times = 0 }] = 'times must be a number from 1, or "forever"',
      [{ statuses = 500 }] = "unknown option statuses",
      [{ status = "500" }] = "status must be a number",
      [{ status = 500, provider = "slack" }] = "unknown provider slack",
      [{ status = 500, headers = { a = "b\r\nc" } }] = "control character in header a",
    }) do
      local ok, problem = pcall(box.fault, box, options)
      assert.is_false(ok)
      assert.truthy(problem:find(message, 1, true), problem)
    end
  end)
end)

describe("the transport", function()
  it("holds an answer to the ceiling of its request", function()
    local path = "http://127.0.0.1/vchatcloud/openapi/token"
    local status, kind, _, sent = box:transport().send({
      method = "GET", url = path, max_response_size = 10,
      headers = { API_KEY = "test-vchatcloud-key" },
    })
    assert.are.same({ nil, "too_large", true }, { status, kind, sent })
  end)

  it("sleeps only in the function it was given", function()
    local slept
    box:transport({ sleep = function(seconds) slept = seconds end }).sleep(3)
    assert.are.equal(3, slept)
    box:transport().sleep(1e9) -- returns
  end)
end)
