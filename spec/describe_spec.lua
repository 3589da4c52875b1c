-- describe tells what the contract says: the literal tables here are the contract's, not the rows'.

local cjson = require "cjson"
local usher = require "usher"
local fake = require "spec.support.fake"
local refusal = require "spec.support.refusal"

local unpack = unpack or table.unpack -- luacheck: globals unpack table.unpack

-- An option: name, "!" when required, "=" and its default, "(a|b)" its choices, "+" when a call may
-- override it, "*" when it is secret.
local OPTIONS = {
  ertc = {
    "base_url!", "api_key!*", "bundle_id!", "tenant_id!+", "version=v1+", "device_id+",
    "access_token*", "refresh_token*", "nonce_unit=ms(ms|s)",
  },
  qiscus = {
    "base_url=https://api.qiscus.com", "app_id!", "secret!*",
    "header_style=hyphen(hyphen|underscore)",
  },
  smooch = {
    "base_url=https://api.smooch.io", "app_id+", "key_id*", "secret*",
    "scope=app(app|account|appUser)", "user_id", "jwt*",
  },
  vchatcloud = { "base_url=https://vchatcloud.com", "api_key!*", "token*" },
}

-- What every client takes beside, by the design.
local SHARED = {
  "timeout=30+", "connect_timeout=5+", "deadline=120+", "retries=2+",
  "max_response_size=8388608+", "proxy*", "insecure_http", "ca_file", "client_cert",
  "client_key_file", "verify=true", "user_agent", "headers", "rate", "on_event", "transport",
  "clock", "random",
}

-- A method: verb, path, whether it is idempotent, then its parameters: place, name, "!" when
-- required, type, wire name, choices.
local METHODS = {
  ertc = {
    get_or_update_user_by_app_id = { "POST", "/user/", true,
      "body app_user_id! string appUserId", "body device_id string deviceId",
      "body device_type string deviceType android|ios", "body fcm_token string fcmToken",
      "body fcm_version string fcmVersion", "body public_key string publicKey",
      "body mute_setting string muteSetting none|all|allbutmentions",
      "body auth_payload table authPayload" },
    update_user_by_ertc_user_id = { "POST", "/user/{ertc_user_id}", true,
      "path ertc_user_id! string eRTCUserId", "body device_id string deviceId",
      "body device_type string deviceType android|ios", "body fcm_token string fcmToken",
      "body fcm_version string fcmVersion",
      "body availability_status string availabilityStatus auto|away|invisible|dnd",
      "body notification_settings table notificationSettings" },
    block_unblock_user = { "POST", "/user/{ertc_user_id}/blockUnblock/{action}", true,
      "path ertc_user_id! string eRTCUserId", "path action! string action block|unblock",
      "body app_user_id! string appUserId" },
    blocked_users = { "GET", "/user/{ertc_user_id}/blockedUsers", true,
      "path ertc_user_id! string eRTCUserId", "header device_id! string deviceid" },
    get_chat_user_details = { "POST", "/user/{ertc_user_id}/chatUserDetails", true,
      "path ertc_user_id! string eRTCUserId", "body app_user_ids! list of strings appUserIds",
      "body status_keys! list of strings statusKeys" },
    logout_user = { "POST", "/user/{ertc_user_id}/logout", true,
      "path ertc_user_id! string eRTCUserId", "body app_user_id! string appUserId",
      "body device_id string deviceId" },
    logout_other_devices = { "POST", "/user/{ertc_user_id}/logoutOtherDevices", true,
      "path ertc_user_id! string eRTCUserId", "body app_user_id! string appUserId",
      "body device_id string deviceId" },
    pending_events = { "GET", "/user/{ertc_user_id}/pendingEvents", false,
      "path ertc_user_id! string eRTCUserId", "query device_id string deviceId" },
    refresh_auth_token = { "GET", "/user/{ertc_user_id}/refreshToken", false,
      "path ertc_user_id! string eRTCUserId" },
    reset_badge_count = { "GET", "/user/{ertc_user_id}/resetBadgeCount", false,
      "path ertc_user_id! string eRTCUserId" },
    get_group = { "GET", "/{ertc_user_id}/group/{group_id}", true,
      "path ertc_user_id! string eRTCUserId", "path group_id! string groupId" },
    remove_participants = { "POST", "/{ertc_user_id}/group/{group_id}/removeParticipants", true,
      "path ertc_user_id! string eRTCUserId", "path group_id! string groupId",
      "body participants! list of strings participants" },
    restrict_participants = { "POST", "/{ertc_user_id}/group/{group_id}/restrictParticipants", true,
      "path ertc_user_id! string eRTCUserId", "path group_id! string groupId",
      "body participants! list of strings participants", "body type! string type ban|mute",
      "body till string till" },
    unrestrict_participants = { "POST",
      "/{ertc_user_id}/group/{group_id}/unrestrictParticipants", true,
      "path ertc_user_id! string eRTCUserId", "path group_id! string groupId",
      "body participants! list of strings participants", "body type! string type ban|mute" },
    create_chat_report = { "POST", "/{ertc_user_id}/chatReports", false,
      "path ertc_user_id! string eRTCUserId", "body msg_unique_id! string msgUniqueId",
      "body category! string category abuse|spam|other|inappropriate",
      "body reason string reason" },
    list_chat_reports = { "GET", "/{ertc_user_id}/chatReports", true,
      "path ertc_user_id! string eRTCUserId", "query skip integer skip",
      "query limit integer limit", "query thread_id string threadId",
      "query category string category abuse|spam|other|inappropriate",
      "query status string status new|reportConsidered|reportIgnored",
      "query msg_type string msgType" },
    resolve_chat_report = { "PUT",
      "/{ertc_user_id}/chatReports/{chat_report_id}/allowIgnore/{action}", true,
      "path ertc_user_id! string eRTCUserId", "path chat_report_id! string chatReportId",
      "path action! string action reportConsidered|reportedIgnored" },
    get_tenant_details = { "GET", "/get-tenant-details/{namespace}", true,
      "path namespace! string namespace" },
  },
  smooch = {
    get_app_user = { "GET", "/appusers/{user_id}", true, "path user_id! string userId" },
    update_app_user = { "PUT", "/appusers/{user_id}", true, "path user_id! string userId",
      "body given_name string givenName", "body surname string surname",
      "body email string email", "body signed_up_at string signedUpAt",
      "body properties table properties" },
    pre_create_app_user = { "POST", "/appusers", false, "body user_id! string userId",
      "body credential_required boolean credentialRequired", "body given_name string givenName",
      "body surname string surname", "body email string email",
      "body signed_up_at string signedUpAt", "body properties table properties" },
    delete_app_user_profile = { "DELETE", "/appusers/{user_id}/profile", true,
      "path user_id! string userId" },
    get_app_user_auth_code = { "GET", "/appusers/{user_id}/authcode", true,
      "path user_id! string userId" },
    get_app_user_business_system_ids = { "GET", "/appusers/{user_id}/businesssystems", true,
      "path user_id! string userId" },
    get_app_user_entity_ids = { "GET", "/appusers/{user_id}/channels", true,
      "path user_id! string userId" },
    get_link_requests = { "GET", "/appusers/{user_id}/linkrequest", true,
      "path user_id! string userId", "query integration_ids! list of strings integrationIds" },
    link_app_user = { "POST", "/appusers/{user_id}/channels", false,
      "path user_id! string userId", "body type! string type",
      "body phone_number string phoneNumber", "body address string address",
      "body given_name string givenName", "body surname string surname",
      "body subject string subject",
      "body skip_confirmation string or boolean skipConfirmation",
      "body confirmation table confirmation", "body primary boolean primary" },
    unlink_app_user = { "DELETE", "/appusers/{user_id}/channels/{channel}", true,
      "path user_id! string userId", "path channel! string channel" },
    post_image_message = { "POST", "/appusers/{user_id}/images", false,
      "path user_id! string userId", "field source! file source",
      "field role! string role appUser|appMaker", "field name string name",
      "field text string text" },
    app_user_device_update = { "PUT", "/appusers/{user_id}/devices/{device_id}", true,
      "path user_id! string userId", "path device_id! string deviceId",
      "body push_notification_token string pushNotificationToken",
      "body app_version string appVersion", "body info table info" },
    track_event = { "POST", "/appusers/{user_id}/events", false, "path user_id! string userId",
      "body name! string name", "body app_user table appUser" },
    delete_app_user = { "DELETE", "/appusers/{user_id}", true, "path user_id! string userId" },
    post_message = { "POST", "/appusers/{user_id}/messages", false, "path user_id! string userId",
      "body role! string role appUser|appMaker", "body type string type", "body text string text",
      "body name string name", "body email string email", "body avatar_url string avatarUrl",
      "body media_url string mediaUrl", "body media_type string mediaType",
      "body metadata table metadata", "body payload string payload",
      "body items list of tables items", "body actions list of tables actions",
      "body destination table destination" },
    get_messages = { "GET", "/appusers/{user_id}/messages", true, "path user_id! string userId",
      "query before string before", "query after string after" },
    create_webhook = { "POST", "/webhooks", false, "body target! string target",
      "body triggers list of strings triggers" },
    list_webhooks = { "GET", "/webhooks", true },
    get_webhook = { "GET", "/webhooks/{webhook_id}", true, "path webhook_id! string webhookId" },
    update_webhook = { "PUT", "/webhooks/{webhook_id}", true, "path webhook_id! string webhookId",
      "body target string target", "body triggers list of strings triggers" },
    delete_webhook = { "DELETE", "/webhooks/{webhook_id}", true,
      "path webhook_id! string webhookId" },
  },
  vchatcloud = {
    list_users = { "GET", "/openapi/v1/users/{room_id}", true, "path room_id! string roomId" },
    list_exiled_users = { "GET", "/openapi/v1/exiles/{room_id}", true,
      "path room_id! string roomId" },
    exile_user = { "POST", "/openapi/v1/exiles/{room_id}/{client_key}", true,
      "path room_id! string roomId", "path client_key! string clientKey" },
    cancel_exile = { "PUT", "/openapi/v1/exiles/{room_id}/{client_key}", true,
      "path room_id! string roomId", "path client_key! string clientKey" },
    list_muted_users = { "GET", "/openapi/v1/mute/{room_id}", true,
      "path room_id! string roomId" },
    mute_user = { "POST", "/openapi/v1/mute/{room_id}/{client_key}", true,
      "path room_id! string roomId", "path client_key! string clientKey" },
    cancel_mute = { "PUT", "/openapi/v1/mute/{room_id}/{client_key}", true,
      "path room_id! string roomId", "path client_key! string clientKey" },
    issue_token = { "GET", "/openapi/token", true },
    send_notice = { "POST", "/openapi/v1/notice/{room_id}", false, "path room_id! string roomId",
      "form nick_name! string nickName", "form notice! string notice" },
    list_rooms = { "GET", "/openapi/v2/rooms", true },
    get_room = { "GET", "/openapi/v2/rooms/{room_id}", true, "path room_id! string roomId" },
  },
  qiscus = {
    login_or_register = { "POST", "/login_or_register", true, "body user_id! string user_id",
      "body password string password", "body username! string username",
      "body avatar_url string avatar_url", "body extras table extras" },
    user_profile = { "GET", "/user_profile", true, "query user_id! string user_id" },
    get_unread_users = { "GET", "/get_unread_users", true, "query page integer page",
      "query limit integer limit", "query start_time string start_time",
      "query end_time string end_time" },
    get_user_unread_count = { "GET", "/get_user_unread_count", true,
      "query user_ids! list of strings user_ids[]", "query start_time string start_time",
      "query end_time string end_time" },
    get_user_list = { "GET", "/get_user_list", true, "query page integer page",
      "query limit integer limit", "query order_query string order_query",
      "query show_all boolean show_all" },
    get_user_token = { "GET", "/get_user_token", true, "query user_id! string user_id" },
    reset_user_token = { "POST", "/reset_user_token", true, "body user_id! string user_id" },
    deactivate_users = { "DELETE", "/deactivate_users", true,
      "body user_ids! list of strings user_ids" },
    reactivate_users = { "POST", "/reactivate_users", true,
      "body user_ids! list of strings user_ids" },
    get_room_participants = { "GET", "/get_room_participants", true,
      "query room_id! string room_id", "query page integer page", "query limit integer limit" },
    add_room_participants = { "POST", "/add_room_participants", true,
      "body room_id! string room_id", "body user_ids! list of strings user_ids" },
    remove_room_participants = { "POST", "/remove_room_participants", true,
      "body room_id! string room_id", "body user_ids! list of strings user_ids" },
    post_comment = { "POST", "/post_comment", false, "body user_id! string user_id",
      "body room_id! string room_id", "body message string message", "body type string type",
      "body payload table payload", "body extras table extras" },
    post_system_event_message = { "POST", "/post_system_event_message", false,
      "body system_event_type! string system_event_type", "body room_id! string room_id",
      "body subject_user_id string subject_user_id", "body object_user_id string object_user_id",
      "body message string message", "body payload table payload", "body extras table extras" },
    load_comments = { "GET", "/load_comments", true, "query room_id! string room_id",
      "query page integer page", "query limit integer limit" },
  },
}

local PREFIXES = {
  ertc = "/{version}/tenants/{tenant_id}",
  smooch = "/v1/apps/{app_id}",
  vchatcloud = "",
  qiscus = "/api/v2.1/rest",
}

local function option_text(row)
  return table.concat{
    row.name, row.required and "!" or "", row.default and "=" .. row.default or "",
    row.choices and ("(%s)"):format(row.choices) or "", row.per_call and "+" or "",
    row.secret and "*" or "",
  }
end

local function parameter_text(row)
  return table.concat({
    row.place, row.name .. (row.required and "!" or ""), row.type, row.wire, row.choices,
  }, " ")
end

local function texts(rows, text)
  local list = {}
  for i, row in ipairs(rows) do list[i] = text(row) end
  return list
end

local function sorted_names(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("the providers", function()
  it("have the four of the contract among them, by name", function()
    local names, known = usher.providers(), {}
    for i, name in ipairs(names) do
      assert.is_true(i == 1 or names[i - 1] < name)
      known[#known + 1] = METHODS[name] and name
    end
    assert.same(sorted_names(METHODS), known)
  end)

  it("are a new list each time", function()
    local names = usher.providers()
    names[1] = "changed"
    assert.not_equal("changed", usher.providers()[1])
  end)
end)

for provider, methods in pairs(METHODS) do
  describe("describe of " .. provider, function()
    local description = usher.describe(provider)

    it("names the provider, its documentation and its paths' prefix", function()
      assert.equal(provider, description.name)
      assert.is_truthy(#description.title > 0)
      assert.is_truthy(description.source:find("^https://"))
      assert.equal(PREFIXES[provider], description.prefix)
      assert.equal(provider == "smooch" and "/v1" or nil, description.bare_prefix)
      assert.equal(provider == "smooch" and "key_id+secret|jwt" or nil, description.credentials)
      assert.equal(provider == "vchatcloud" and "issue_token" or nil, description.token_method)
    end)

    it("lists the contract's options", function()
      assert.same(OPTIONS[provider], texts(description.options, option_text))
    end)

    it("lists the options that all providers share", function()
      local shared = {}
      for _, text in ipairs(texts(description.shared_options, option_text)) do
        shared[text] = true
      end
      for _, text in ipairs(SHARED) do assert.is_true(shared[text], text) end
    end)

    it("lists the contract's methods, no more and no fewer", function()
      local names = texts(description.methods, function(method) return method.name end)
      table.sort(names)
      assert.same(sorted_names(methods), names)
    end)

    for _, method in ipairs(description.methods) do
      it("tells of " .. method.name .. " what the contract says", function()
        local expected = methods[method.name]
        assert.equal(expected[1], method.verb)
        assert.equal(expected[2], method.path)
        assert.equal(expected[3], method.idempotent)
        assert.same({ unpack(expected, 4) }, texts(method.parameters, parameter_text))
      end)
    end

    it("documents every method, parameter and option", function()
      for _, method in ipairs(description.methods) do
        assert.is_truthy(method.doc:find("^%u.*%.$"), method.name)
        assert.is_truthy(#method.operation > 0)
        for _, row in ipairs(method.parameters) do
          assert.is_truthy(#row.doc > 0, method.name .. " " .. row.name)
        end
      end
      for _, rows in ipairs{ description.options, description.shared_options } do
        for _, row in ipairs(rows) do assert.is_truthy(#row.doc > 0, row.name) end
      end
    end)

    it("is plain: it survives JSON", function()
      assert.same(description, cjson.decode(cjson.encode(description)))
    end)

    it("is new each time: changing it changes nothing", function()
      local changed = usher.describe(provider)
      changed.methods[1].name, changed.options[1].required = "changed", "changed"
      changed.methods[1].parameters[1] = nil
      assert.same(description, usher.describe(provider))
    end)

    it("has the methods that a client has", function()
      local client = usher[provider](refusal.options(provider, {}))
      for _, method in ipairs(description.methods) do
        assert.is_function(client[method.name])
      end
      for _, name in ipairs{ "request", "curl", "close" } do assert.is_function(client[name]) end
      client:close()
    end)
  end)
end

describe("describe", function()
  local function rows_of(provider, method)
    for _, candidate in ipairs(usher.describe(provider).methods) do
      if candidate.name == method then
        local rows = {}
        for _, row in ipairs(candidate.parameters) do rows[row.name] = row end
        return rows, candidate
      end
    end
  end

  it("tells the bounds of numbers and lists", function()
    local limit = rows_of("qiscus", "get_unread_users").limit
    assert.same({ 1, 100 }, { limit.minimum, limit.maximum })
    limit = rows_of("qiscus", "get_user_list").limit
    assert.is_nil(limit.minimum)
    assert.is_nil(limit.maximum)
    assert.equal(1, rows_of("smooch", "get_link_requests").integration_ids.minimum)
    assert.equal(1, rows_of("ertc", "get_chat_user_details").status_keys.minimum)
  end)

  it("tells which arguments are secret", function()
    local secret = {}
    for _, provider in ipairs(usher.providers()) do
      for _, method in ipairs(usher.describe(provider).methods) do
        for _, row in ipairs(method.parameters) do
          if row.secret then secret[method.name .. "." .. row.name] = true end
        end
      end
    end
    assert.same({
      ["get_or_update_user_by_app_id.auth_payload"] = true,
      ["get_or_update_user_by_app_id.fcm_token"] = true,
      ["update_user_by_ertc_user_id.fcm_token"] = true,
      ["app_user_device_update.push_notification_token"] = true,
      ["login_or_register.password"] = true,
    }, secret)
  end)

  it("tells which methods may answer with nothing", function()
    local empty = {}
    for _, provider in ipairs(usher.providers()) do
      for _, method in ipairs(usher.describe(provider).methods) do
        if method.empty_ok then empty[#empty + 1] = method.name end
      end
    end
    assert.same({ "unlink_app_user", "delete_app_user", "delete_webhook" }, empty)
  end)

  it("tells how a list is walked", function()
    local _, users = rows_of("qiscus", "get_user_list")
    assert.same({ style = "number", argument = "page", size = "limit", usual_size = 100,
      items = "results.users" }, users.paging)
    local _, reports = rows_of("ertc", "list_chat_reports")
    assert.same({ style = "skip", argument = "skip", size = "limit", usual_size = 100,
      items = "result.chatReports" }, reports.paging)
    local _, messages = rows_of("smooch", "get_messages")
    assert.same({ style = "before", argument = "before", items = "messages", cursor = "received",
      forward = "after" }, messages.paging)
    local _, profile = rows_of("qiscus", "user_profile")
    assert.is_nil(profile.paging)
  end)

  it("tells how a provider says no", function()
    assert.same({ refusal = "false", verdict = "success", code = "errorCode",
      messages = { "msg", "message" } }, usher.describe("ertc").envelope)
    assert.same({ refusal = "never", code = "error.code", messages = { "error.description" } },
      usher.describe("smooch").envelope)
    assert.equal("not 1", usher.describe("vchatcloud").envelope.refusal)
    assert.equal("400 or more", usher.describe("qiscus").envelope.refusal)
  end)

  it("tells how sure the source of a method is", function()
    local unsure = {}
    for _, provider in ipairs(usher.providers()) do
      for _, method in ipairs(usher.describe(provider).methods) do
        if method.certainty ~= "documented" then unsure[method.name] = method.certainty end
      end
    end
    assert.same({
      get_tenant_details = "observed", deactivate_users = "observed",
      reactivate_users = "observed", delete_app_user = "observed",
      restrict_participants = "inferred", unrestrict_participants = "inferred",
    }, unsure)
  end)

  it("tells which methods have no path with an app, and whose tokens they carry", function()
    local _, device = rows_of("smooch", "app_user_device_update")
    local _, event = rows_of("smooch", "track_event")
    assert.same({ "app_id", "app_id" }, { device.without, event.without })
    local _, refresh = rows_of("ertc", "refresh_auth_token")
    assert.equal("refresh_token|access_token", refresh.bearer)
    local _, first = rows_of("ertc", "get_or_update_user_by_app_id")
    assert.is_nil(first.bearer)
  end)

  it("raises for what is no provider", function()
    for value, words in pairs{ slack = "slack", [""] = "", qiscu = "qiscu" } do
      assert.equal(("usher has no provider '%s'"):format(words),
        refusal.of(usher.describe, value))
    end
    assert.is_false((pcall(usher.describe)))
    assert.is_false((pcall(usher.describe, {})))
  end)

  it("knows nothing of a client's credentials", function()
    local client = usher.qiscus(refusal.options("qiscus", { secret = "very-secret-indeed" }))
    local text = cjson.encode(usher.describe("qiscus"))
    client:close()
    assert.is_nil(text:find("very-secret-indeed", 1, true))
    assert.is_nil(text:find(fake.options.qiscus.app_id, 1, true))
  end)
end)
