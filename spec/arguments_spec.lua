-- Misuse of a method raises: before anything is sent, at the caller's line, naming provider, method
-- and argument, all problems of a call in one message. Each refusal is a row.

local usher = require "usher"
local fake = require "spec.support.fake"
local refusal = require "spec.support.refusal"

local NULL = usher.null
local several = refusal.several
local unpack = unpack or table.unpack -- luacheck: globals unpack table.unpack

local pool = fake.pool()

-- A client whose transport has no answer to anything: what is sent is the wrong message.
local function open(provider, options)
  finally(pool.close)
  return (pool.open(provider, {}, options))
end

-- Specs that a call is refused in these words by the method, by request and by curl.
local function refuses(name, provider, method, arguments, words, client_options, call_options)
  it("refuses " .. name, function()
    local client = open(provider, client_options)
    local message = ("usher.%s:%s: %s"):format(provider, method, words)
    assert.equal(message, refusal.of_call(client, method, arguments, call_options))
    for _, dry_run in ipairs{ "request", "curl" } do
      assert.equal(message, refusal.of_call(client, dry_run, method, arguments, call_options))
    end
  end)
end

describe("a name", function()
  local rows = {
    { "user_profil", "; did you mean 'user_profile'?" },
    { "loginorregister", "; did you mean 'login_or_register'?" },
    { "get_users_list", "; did you mean 'get_user_list'?" },
    { "reqest", "; did you mean 'request'?" },
    { "clsoe", "; did you mean 'close'?" },
    { "ban_everybody", "" },
    { "x", "" },
    { ("x"):rep(1000), "", ("x"):rep(64) .. "..." },
  }
  for _, row in ipairs(rows) do
    it("of no method raises when it is looked up: " .. row[1]:sub(1, 20), function()
      assert.equal(("usher.qiscus: no method '%s'%s"):format(row[3] or row[1], row[2]),
        refusal.of_name(open("qiscus"), row[1]))
    end)
  end

  it("of no method raises for request and curl", function()
    local client = open("qiscus")
    local words = "usher.qiscus: no method 'user_profil'; did you mean 'user_profile'?"
    assert.equal(words, refusal.of_call(client, "request", "user_profil", {}))
    assert.equal(words, refusal.of_call(client, "curl", "user_profil", {}))
    assert.equal("usher.qiscus: no method 'ban_everybody'",
      refusal.of_call(client, "request", "ban_everybody", {}))
  end)

  it("of a method must be there for request and curl", function()
    local client = open("qiscus")
    for method, name in pairs{ request = false, curl = {} } do
      assert.equal(("usher.qiscus: the method's name must be a string, not %s"):format(
        name and type(name) or "nil"), refusal.of_call(client, method, name or nil))
    end
  end)

  local close = "unknown argument 'usr_id'; did you mean 'user_id'?"
  refuses("an unknown argument, naming the nearest", "qiscus", "user_profile",
    { user_id = "b", usr_id = "c" }, close)
  refuses("an unknown argument like no other", "qiscus", "user_profile",
    { user_id = "b", colour = "c" }, "unknown argument 'colour'")
  refuses("a wire name", "smooch", "update_app_user", { user_id = "b", givenName = "c" },
    "unknown argument 'givenName'; did you mean 'given_name'?")
  refuses("an argument of another method", "qiscus", "user_profile",
    { user_id = "b", username = "c" }, "unknown argument 'username'")
  refuses("an option of the client that no call may override", "qiscus", "user_profile",
    { user_id = "b", base_url = "https://x.example.com" }, "unknown argument 'base_url'")
  refuses("a secret given as an argument", "smooch", "get_app_user",
    { user_id = "b", jwt = "c" }, "unknown argument 'jwt'")
  refuses("an argument of a method that takes none", "vchatcloud", "issue_token",
    { room_id = "r" }, "unknown argument 'room_id'")
  refuses("a very long unknown argument, which it does not repeat whole", "qiscus", "user_profile",
    { user_id = "b", [("x"):rep(1000)] = 1 }, "unknown argument '" .. ("x"):rep(64) .. "...'")
  refuses("positional arguments", "qiscus", "user_profile", { user_id = "b", "c" },
    "argument without a name: each is written name = value")

  refuses("an unknown option of a call, naming the nearest", "qiscus", "user_profile",
    { user_id = "b" }, "unknown option of a call 'retrys'; did you mean 'retries'?", nil,
    { retrys = 1 })
  refuses("an unknown option of a call, naming the provider's nearest", "ertc", "pending_events",
    { ertc_user_id = "b" }, "unknown option of a call 'tenant_i'; did you mean 'tenant_id'?", nil,
    { tenant_i = "t" })
  refuses("an option of the client where those of a call stand", "qiscus", "user_profile",
    { user_id = "b" }, "unknown option of a call 'transport'", nil, { transport = print })
  refuses("another provider's option", "qiscus", "user_profile",
    { user_id = "b" }, "unknown option of a call 'tenant_id'", nil, { tenant_id = "t" })

end)

describe("a table", function()
  for _, value in ipairs{ "bob", 5, true, print } do
    refuses(("%s in place of the arguments"):format(type(value)), "qiscus", "user_profile", value,
      "the arguments must be a table, not " .. type(value))
    refuses(("%s in place of the options of a call"):format(type(value)), "qiscus", "user_profile",
      { user_id = "b" }, "the options of a call must be a table, not " .. type(value), nil, value)
  end

  it("may be left out where nothing is required", function()
    local client = open("qiscus")
    assert.is_truthy(client:request("get_user_list").url:find("/get_user_list$"))
    assert.is_truthy(client:request("get_user_list", nil, nil).url:find("/get_user_list$"))
  end)

  it("of arguments may be left out, which does not make up for the required ones", function()
    assert.equal("usher.qiscus:user_profile: user_id is required: string",
      refusal.of_call(open("qiscus"), "user_profile"))
  end)

end)

describe("what is required", function()
  -- provider, method -> the arguments without which it is refused, in their order
  local REQUIRED = {
    ertc = {
      get_or_update_user_by_app_id = { "app_user_id: string" },
      update_user_by_ertc_user_id = { "ertc_user_id: string" },
      block_unblock_user = { "ertc_user_id: string", "action: string", "app_user_id: string" },
      blocked_users = { "ertc_user_id: string", "device_id: string" },
      get_chat_user_details = {
        "ertc_user_id: string", "app_user_ids: list of strings", "status_keys: list of strings",
      },
      logout_user = { "ertc_user_id: string", "app_user_id: string" },
      logout_other_devices = { "ertc_user_id: string", "app_user_id: string" },
      pending_events = { "ertc_user_id: string" },
      refresh_auth_token = { "ertc_user_id: string" },
      reset_badge_count = { "ertc_user_id: string" },
    },
    smooch = {
      get_app_user = { "user_id: string" },
      update_app_user = { "user_id: string" },
      pre_create_app_user = { "user_id: string" },
      delete_app_user_profile = { "user_id: string" },
      get_app_user_auth_code = { "user_id: string" },
      get_app_user_business_system_ids = { "user_id: string" },
      get_app_user_entity_ids = { "user_id: string" },
      get_link_requests = { "user_id: string", "integration_ids: list of strings" },
      link_app_user = { "user_id: string", "type: string" },
      unlink_app_user = { "user_id: string", "channel: string" },
      post_image_message = { "user_id: string", "source: file", "role: string" },
      app_user_device_update = { "user_id: string", "device_id: string" },
      track_event = { "user_id: string", "name: string" },
    },
    vchatcloud = {
      list_users = { "room_id: string" },
      list_exiled_users = { "room_id: string" },
      exile_user = { "room_id: string", "client_key: string" },
      cancel_exile = { "room_id: string", "client_key: string" },
      list_muted_users = { "room_id: string" },
      mute_user = { "room_id: string", "client_key: string" },
      cancel_mute = { "room_id: string", "client_key: string" },
    },
    qiscus = {
      login_or_register = { "user_id: string", "username: string" },
      user_profile = { "user_id: string" },
      get_user_unread_count = { "user_ids: list of strings" },
    },
  }
  for provider, methods in pairs(REQUIRED) do
    for method, names in pairs(methods) do
      local problems = {}
      for i, name in ipairs(names) do problems[i] = name:gsub(":", " is required:", 1) end
      refuses(("%s of %s without its arguments"):format(method, provider), provider, method, {},
        #problems == 1 and problems[1] or several(unpack(problems)))
    end
  end

  local BEARER = {
    block_unblock_user = { ertc_user_id = "u", action = "block", app_user_id = "a" },
    update_user_by_ertc_user_id = { ertc_user_id = "u" },
    blocked_users = { ertc_user_id = "u", device_id = "d" },
    get_chat_user_details = { ertc_user_id = "u", app_user_ids = { "a" }, status_keys = { "s" } },
    logout_user = { ertc_user_id = "u", app_user_id = "a" },
    logout_other_devices = { ertc_user_id = "u", app_user_id = "a" },
    pending_events = { ertc_user_id = "u" },
    reset_badge_count = { ertc_user_id = "u" },
  }
  for method, arguments in pairs(BEARER) do
    refuses(method .. " without an access token", "ertc", method, arguments,
      "needs the client option access_token", { access_token = fake.unset })
    refuses(method .. " with a refresh token alone", "ertc", method, arguments,
      "needs the client option access_token", { access_token = fake.unset, refresh_token = "r" })
  end
  refuses("refresh_auth_token without any token", "ertc", "refresh_auth_token",
    { ertc_user_id = "u" }, "needs the client option refresh_token|access_token",
    { access_token = fake.unset })

  it("of blocked_users is a device, which the client may know", function()
    local client = open("ertc", { device_id = "phone" })
    local request = client:request("blocked_users", { ertc_user_id = "u" })
    assert.equal("phone", request.headers["deviceid"])
    request = client:request("blocked_users", { ertc_user_id = "u", device_id = "tablet" })
    assert.equal("tablet", request.headers["deviceid"])
    request = client:request("blocked_users", { ertc_user_id = "u" }, { device_id = "watch" })
    assert.equal("watch", request.headers["deviceid"])
  end)
end)

describe("a value of the wrong type", function()
  local thread = coroutine.create(print)
  local rows = {
    { "string", "qiscus", "user_profile", "user_id", {},
      { true, {}, print, thread, io.stdout } },
    { "integer", "qiscus", "get_user_list", "page", {},
      { "1", true, {}, print, thread, io.stdout } },
    { "boolean", "qiscus", "get_user_list", "show_all", {},
      { "true", 1, {}, print, thread, io.stdout } },
    { "table", "qiscus", "login_or_register", "extras", { user_id = "b", username = "B" },
      { "{}", 1, true, print, thread, io.stdout } },
    { "list of strings", "qiscus", "get_user_unread_count", "user_ids", {},
      { "bob", 1, true, print, thread, io.stdout, { a = "b" }, { "a", x = "b" } } },
    { "list of tables", "smooch", "post_message", "items", { user_id = "u", role = "appUser" },
      { "[]", 1, true, print, thread, io.stdout, { a = "b" }, { {}, x = {} } } },
    { "file", "smooch", "post_image_message", "source", { user_id = "u", role = "appUser" },
      { "cat.png", 1, true, print, thread, io.stdout } },
    { "string or boolean", "smooch", "link_app_user", "skip_confirmation",
      { user_id = "u", type = "twilio" }, { {}, print, thread, io.stdout } },
  }
  for _, row in ipairs(rows) do
    for _, value in ipairs(row[6]) do
      local arguments = {}
      for name, other in pairs(row[5]) do arguments[name] = other end
      arguments[row[4]] = value
      refuses(("%s where a %s is due (%s)"):format(type(value), row[1], row[4]), row[2], row[3],
        arguments, ("%s must be of type %s, not %s"):format(row[4], row[1], type(value)))
    end
  end

  for _, value in ipairs{ true, {}, print } do
    refuses(("is a %s in a list of strings"):format(type(value)), "qiscus",
      "get_user_unread_count", { user_ids = { "a", value } },
      "user_ids[2] must be of type string, not " .. type(value))
  end

  for words, value in pairs{ ["must be of type table, not string"] = "x",
    ["must be an object, not a list"] = { { a = 1 } } } do
    refuses(("what in a list of tables %s"):format(words), "smooch", "post_message",
      { user_id = "u", role = "appUser", items = { {}, value } }, "items[2] " .. words)
  end

  local CALL_OPTIONS = {
    { "timeout", "must be of type number", "5" },
    { "connect_timeout", "must be of type number", {} },
    { "deadline", "must be of type number", true },
    { "retries", "must be of type integer", "0" },
    { "max_response_size", "must be of type integer", print },
  }
  for _, row in ipairs(CALL_OPTIONS) do
    refuses(("%s for a call's option %s"):format(type(row[3]), row[1]), "qiscus", "user_profile",
      { user_id = "b" }, row[1] .. " " .. row[2], nil, { [row[1]] = row[3] })
  end
  refuses("a table for a call's own tenant_id", "ertc", "pending_events", { ertc_user_id = "u" },
    "tenant_id must be of type string, not table", nil, { tenant_id = {} })
  refuses("a table for a tenant_id among the arguments", "ertc", "pending_events",
    { ertc_user_id = "u", tenant_id = {} }, "tenant_id must be of type string, not table")
end)

describe("null", function()
  refuses("is not what a path holds", "qiscus", "user_profile", { user_id = NULL },
    "user_id cannot be null")
  refuses("is not what a query holds", "qiscus", "get_user_list", { page = NULL },
    "page cannot be null")
  refuses("is not what a header holds", "ertc", "blocked_users",
    { ertc_user_id = "u", device_id = NULL }, "device_id cannot be null")
  refuses("is not what a form field holds", "smooch", "post_image_message",
    { user_id = "u", role = "appUser", source = { data = "x", filename = "x" }, text = NULL },
    "text cannot be null")
  refuses("is not a required member of a body", "qiscus", "login_or_register",
    { user_id = NULL, username = "B" }, "user_id cannot be null")
  refuses("is not a list that is required", "ertc", "get_chat_user_details",
    { ertc_user_id = "u", app_user_ids = NULL, status_keys = { "s" } },
    "app_user_ids cannot be null")

  it("is sent for a member of a body that may be absent", function()
    local request = open("qiscus"):request("login_or_register", {
      user_id = "b", username = "B", password = NULL, avatar_url = NULL, extras = NULL,
    })
    assert.equal('{"user_id":"b","password":null,"username":"B","avatar_url":null,"extras":null}',
      request.body)
  end)
end)

describe("a number", function()
  local NOT_WHOLE = { 1.5, -0.1, 1 / 0, -1 / 0, 0 / 0 }
  for _, value in ipairs(NOT_WHOLE) do
    refuses(("%s as a string"):format(value), "qiscus", "user_profile", { user_id = value },
      "user_id must be a whole number")
    refuses(("%s as an integer"):format(value), "qiscus", "get_user_list", { page = value },
      "page must be a whole number")
  end
  for _, value in ipairs{ 2 ^ 53 + 2, -2 ^ 53 - 2, 1e300 } do
    refuses(("%g as a string"):format(value), "qiscus", "user_profile", { user_id = value },
      "user_id is too large to be exact; pass it as a string")
    refuses(("%g as an integer"):format(value), "qiscus", "get_user_list", { page = value },
      "page is too large to be exact; pass it as a string")
  end

  local DIGITS = {
    { 42, "42" }, { 42.0, "42" }, { -7, "-7" }, { 0, "0" }, { 2 ^ 53, "9007199254740992" },
    { -2 ^ 53, "-9007199254740992" }, { 1e15, "1000000000000000" },
  }
  if _VERSION ~= "Lua 5.1" then -- where integers have 64 bits
    DIGITS[#DIGITS + 1] = { tonumber("9223372036854775807"), "9223372036854775807" }
    DIGITS[#DIGITS + 1] = { -tonumber("9223372036854775807") - 1, "-9223372036854775808" }
  end
  for _, row in ipairs(DIGITS) do
    it(("of value %s is sent as plain digits"):format(row[2]), function()
      local client = open("qiscus")
      assert.is_truthy(client:request("user_profile", { user_id = row[1] }).url
        :find("?user_id=" .. row[2], 1, true))
      assert.is_truthy(client:request("get_user_list", { page = row[1] }).url
        :find("?page=" .. row[2], 1, true))
      local body = client:request("login_or_register", { user_id = row[1], username = "B" }).body
      assert.equal(('{"user_id":"%s","username":"B"}'):format(row[2]), body)
    end)
  end
end)

describe("a value out of its bounds", function()
  local rows = {
    { "device_type", "android|ios", "ertc", "get_or_update_user_by_app_id", { app_user_id = "a" } },
    { "mute_setting", "none|all|allbutmentions", "ertc", "get_or_update_user_by_app_id",
      { app_user_id = "a" } },
    { "device_type", "android|ios", "ertc", "update_user_by_ertc_user_id", { ertc_user_id = "u" } },
    { "availability_status", "auto|away|invisible|dnd", "ertc", "update_user_by_ertc_user_id",
      { ertc_user_id = "u" } },
    { "action", "block|unblock", "ertc", "block_unblock_user",
      { ertc_user_id = "u", app_user_id = "a" } },
    { "role", "appUser|appMaker", "smooch", "post_image_message",
      { user_id = "u", source = { data = "x", filename = "x" } } },
  }
  for _, row in ipairs(rows) do
    local name, choices = row[1], row[2]
    for _, value in ipairs{ "blok", choices, "", choices:match("^%a+"):upper(), " ios", 1 } do
      -- an empty value of a path is one problem more, which is another row's
      if not (name == "action" and value == "") then
        local arguments = { [name] = value }
        for key, other in pairs(row[5]) do arguments[key] = other end
        refuses(("%q for %s of %s"):format(value, name, row[4]), row[3], row[4], arguments,
          ("%s must be one of %s"):format(name, choices))
      end
    end
    it(("is none of %s for %s of %s"):format(choices, name, row[4]), function()
      local client = open(row[3])
      for choice in choices:gmatch("[^|]+") do
        local arguments = { [name] = choice }
        for key, other in pairs(row[5]) do arguments[key] = other end
        assert.is_table((client:request(row[4], arguments)))
      end
    end)
  end

  for _, limit in ipairs{ 0, -1, 101, 2 ^ 31 } do
    refuses(("a limit of %d"):format(limit), "qiscus", "get_unread_users", { limit = limit },
      "limit must be 1 to 100")
  end
  it("is not a limit of 1 or 100, nor one of a method without bounds", function()
    local client = open("qiscus")
    for _, limit in ipairs{ 1, 100 } do
      assert.is_truthy(client:request("get_unread_users", { limit = limit }).url
        :find("?limit=" .. limit, 1, true))
    end
    assert.is_truthy(client:request("get_user_list", { limit = 101 }).url
      :find("?limit=101", 1, true))
  end)

  local DATES = {
    "2020-01-01", "2020-01-01T00:00:00", "2020-1-1 00:00:00", "2020-01-01 00:00", "now", "",
    "2020-01-01 00:00:00 ", " 2020-01-01 00:00:00", "2020-01-01 00:00:00Z", "20-01-01 00:00:00",
    "2020/01/01 00:00:00", "yyyy-mm-dd hh:mm:ss", "2020-01-01\n00:00:00", 1577836800,
  }
  for _, date in ipairs(DATES) do
    for _, method in ipairs{ "get_unread_users", "get_user_unread_count" } do
      local ids = method == "get_user_unread_count" and { "b" } or nil
      refuses(("%q as a start_time of %s"):format(date, method), "qiscus", method,
        { start_time = date, user_ids = ids }, "start_time must have the form YYYY-MM-DD hh:mm:ss")
      refuses(("%q as an end_time of %s"):format(date, method), "qiscus", method,
        { end_time = date, user_ids = ids }, "end_time must have the form YYYY-MM-DD hh:mm:ss")
    end
  end

  refuses("no integration at all", "smooch", "get_link_requests",
    { user_id = "u", integration_ids = {} }, "integration_ids must have at least one item")
  refuses("no status key at all", "ertc", "get_chat_user_details",
    { ertc_user_id = "u", app_user_ids = { "a" }, status_keys = {} },
    "status_keys must have at least one item")
  refuses("a comma in an integration's id", "smooch", "get_link_requests",
    { user_id = "u", integration_ids = { "a", "b,c" } },
    "integration_ids has an item with a comma, which cannot be expressed")

  it("is not an empty list where the contract asks for none", function()
    local body = open("ertc"):request("get_chat_user_details",
      { ertc_user_id = "u", app_user_ids = {}, status_keys = { "blockedStatus" } }).body
    assert.equal('{"appUserIds":[],"statusKeys":["blockedStatus"]}', body)
  end)

  local LIMITS = {
    timeout = { 0, -1, 1e7, 1 / 0, 0 / 0 },
    connect_timeout = { 0, -1, 1e7 },
    deadline = { 0, -0.5, 1e7 },
    retries = { -1, 101, 1.5, 1 / 0, 0 / 0 },
    max_response_size = { 0, -1, 1.5, 2 ^ 31 },
  }
  for name, values in pairs(LIMITS) do
    local words = "must be above 0 and at most 1000000 seconds"
    if name == "retries" then words = "must be an integer, 0 to 100" end
    if name == "max_response_size" then words = "must be an integer, 1 to 2147483647" end
    for _, value in ipairs(values) do
      refuses(("%g for a call's option %s"):format(value, name), "qiscus", "user_profile",
        { user_id = "b" }, name .. " " .. words, nil, { [name] = value })
    end
  end
end)

describe("a path", function()
  for _, value in ipairs{ "", ".", ".." } do
    refuses(("segment %q"):format(value), "vchatcloud", "mute_user",
      { room_id = value, client_key = "k" },
      "room_id cannot stand in a path: it is empty, '.' or '..'")
    refuses(("segment %q of the client's own"):format(value), "ertc", "pending_events",
      { ertc_user_id = "u" }, "tenant_id cannot stand in a path: it is empty, '.' or '..'", nil,
      { tenant_id = value })
  end
end)

describe("a line break or NUL", function()
  for what, bytes in pairs{ CR = "a\rb", LF = "a\n", NUL = "\0a" } do
    refuses(("%s in a device_id"):format(what), "ertc", "blocked_users",
      { ertc_user_id = "u", device_id = bytes }, "device_id must not hold CR, LF or NUL")
    refuses(("%s in a device_id among the options of a call"):format(what), "ertc",
      "pending_events", { ertc_user_id = "u" }, "device_id must not hold CR, LF or NUL", nil,
      { device_id = bytes })
    refuses(("%s in a content_type"):format(what), "smooch", "post_image_message",
      { user_id = "u", role = "appUser",
        source = { data = "x", filename = "x", content_type = bytes } },
      "source has a content_type with CR, LF or NUL")
  end
end)

describe("an app of Smooch", function()
  local words = "app_id must not be set: this method has no path with it"
  local rows = {
    app_user_device_update = { user_id = "u", device_id = "d" },
    track_event = { user_id = "u", name = "n" },
  }
  for method, arguments in pairs(rows) do
    local given = { app_id = "a" }
    for name, value in pairs(arguments) do given[name] = value end
    refuses(method .. " with the client's app_id", "smooch", method, arguments, words,
      { app_id = "a" })
    refuses(method .. " with an app_id among the arguments", "smooch", method, given, words)
    refuses(method .. " with an app_id among the options", "smooch", method, arguments, words, nil,
      { app_id = "a" })
    it("may be absent for " .. method, function()
      assert.is_truthy(open("smooch"):request(method, arguments).url
        :find("https://api.smooch.io/v1/appusers/u/", 1, true))
    end)
  end
end)

describe("a file", function()
  local function refuses_file(name, source, words)
    refuses(name, "smooch", "post_image_message",
      { user_id = "u", role = "appUser", source = source }, words)
  end

  refuses_file("that is not there", { path = "spec/no-such-file.png" },
    "source cannot be read: spec/no-such-file.png: No such file or directory")
  refuses_file("that is a directory", { path = "spec" },
    "source cannot be read: spec: Is a directory")
  refuses_file("under a file", { path = "Makefile/cat.png" },
    "source cannot be read: Makefile/cat.png: Not a directory")
  refuses_file("whose name holds NUL", { path = "Makefile\0.png" },
    "source cannot be read: Makefile: its name holds a NUL byte")
  refuses_file("without path and data", {}, "source needs either path or data")
  refuses_file("with a name alone", { filename = "cat.png" }, "source needs either path or data")
  refuses_file("with path and data", { path = "Makefile", data = "x" },
    "source needs either path or data")
  refuses_file("of bytes without a name", { data = "x" }, "source needs a filename beside data")
  refuses_file("of bytes with an empty name", { data = "x", filename = "" },
    "source needs a filename beside data")
  refuses_file("of bytes with NUL in the name", { data = "x", filename = "a\0b" },
    "source has a filename with NUL")
  refuses_file("with an unknown key, naming the nearest", { path = "Makefile", file_name = "x" },
    "unknown source 'file_name'; did you mean 'filename'?")
  refuses_file("with a list", { "Makefile" },
    several(
      "field of a file without a name: each is written name = value",
      "source needs either path or data"))
  refuses_file("with a path that is no string", { path = true },
    several("source must have strings: path", "source needs either path or data"))
  refuses_file("with data that is no string", { data = {}, filename = "x" },
    "source must have strings: data")
  refuses_file("with a filename that is no string", { path = "Makefile", filename = 5 },
    "source must have strings: filename")
  refuses_file("with a content_type that is no string", { path = "Makefile", content_type = {} },
    "source must have strings: content_type")
  refuses_file("that never ends", { path = "/dev/zero" },
    "source cannot be read: /dev/zero: it is larger than usher sends")

  it("is read whole, bytes of every kind", function()
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    local bytes = {}
    for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
    bytes = table.concat(bytes):rep(1000)
    file:write(bytes)
    file:close()
    local body = open("smooch"):request("post_image_message",
      { user_id = "u", role = "appUser", source = { path = name, filename = "a.gif" } }).body
    os.remove(name)
    assert.is_truthy(body:find("image/gif\r\n\r\n" .. bytes .. "\r\n--", 1, true))
  end)
end)

describe("several problems", function()
  refuses("are in one message, in the order of the rows, strangers first", "ertc",
    "block_unblock_user", { ertc_user_id = "..", action = "blok", app_user = "x" },
    several("unknown argument 'app_user'; did you mean 'app_user_id'?",
      "unknown option of a call 'retry'; did you mean 'retries'?",
      "timeout must be above 0 and at most 1000000 seconds",
      "ertc_user_id cannot stand in a path: it is empty, '.' or '..'",
      "action must be one of block|unblock",
      "app_user_id is required: string",
      "needs the client option access_token"),
    { access_token = fake.unset }, { retry = 1, timeout = -1 })

  it("too many to list are told so", function()
    local arguments = { user_id = "b" }
    for i = 1, 1000 do arguments["unknown_argument_" .. i] = 1 end
    assert.equal("usher.qiscus:user_profile: too many problems to list",
      refusal.of_call(open("qiscus"), "user_profile", arguments))
  end)
end)

describe("a refusal", function()
  it("sends nothing", function()
    finally(pool.close)
    local client, world = pool.open("vchatcloud", {}, { token = fake.unset })
    refusal.of_call(client, "mute_user", { room_id = "r" })
    refusal.of_call(client, "issue_token", { room_id = "r" })
    assert.equal(0, #world.requests)
  end)

  it("is at the line of the call in a coroutine too", function()
    local client = open("qiscus")
    local thread = coroutine.create(refusal.of_call)
    local _, message = coroutine.resume(thread, client, "user_profile", {})
    assert.equal("usher.qiscus:user_profile: user_id is required: string", message)
  end)
end)
