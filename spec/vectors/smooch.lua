-- What every Smooch method puts on the wire, and what its answers become. Data only:
-- vectors_spec.lua turns the rows into specs. A header table is complete. "@VERSION@" stands for
-- usher._VERSION, "@BOUNDARY@" for the boundary of the request itself, "@FILE@" for the path and
-- "@FILENAME@" for the base name of a temporary file that holds `file` (without the extension).

local null = require("cjson").null

-- HS256 tokens: kid app_test_key, secret test-secret.
local APP_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF90ZXN0X2tleSJ9"
  .. ".eyJzY29wZSI6ImFwcCJ9.FO5zl__Vkv7G_7aMASi8h_pqJes51O_aE-l-p2zeGFA"
local ACCOUNT_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF90ZXN0X2tleSJ9"
  .. ".eyJzY29wZSI6ImFjY291bnQifQ.yNNjjNCY0S9O1LVdVBAo8FM8U_Bazsd4-A34RSD5ZV0"
local USER_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF90ZXN0X2tleSJ9"
  .. ".eyJzY29wZSI6ImFwcFVzZXIiLCJ1c2VySWQiOiJib2JAZXhhbXBsZS5jb20ifQ"
  .. ".bD9EEYXam7HH1fTRO1lFTekR3p6idDs7n98B6rZazvU"
-- kid app_"kid", secret 비밀번호, payload {"scope":"appUser","userId":"ed \"the/ed\" 김"}.
local AWKWARD_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF9cImtpZFwiIn0"
  .. ".eyJzY29wZSI6ImFwcFVzZXIiLCJ1c2VySWQiOiJlZCBcInRoZS9lZFwiIOq5gCJ9"
  .. ".as20wR5zOJSnefRIdKLLPOmVXePJZFyzsBrd-AZufmg"

local SHORT = "https://api.smooch.io/v1/appusers"
local LONG = "https://api.smooch.io/v1/apps/app-1/appusers"

local function bearing(token, content_type)
  return {
    ["Accept"] = "application/json",
    ["User-Agent"] = "usher/@VERSION@",
    ["Authorization"] = "Bearer " .. token,
    ["Content-Type"] = content_type,
  }
end

-- Sent on GET and DELETE too.
local typed = bearing(APP_TOKEN, "application/json")
local multipart = bearing(APP_TOKEN, "multipart/form-data; boundary=@BOUNDARY@")

local json = { ["content-type"] = "application/json; charset=utf-8" }

local user_body = '{"appUser":{"_id":"7494535bff5cef41a15be74d","userId":"steveb@channel5.com",'
  .. '"givenName":"Steve","signedUpAt":"2013-07-09T08:55:00.000Z","properties":{},'
  .. '"conversationStarted":false,"clients":[]}}'
local user_result = {
  appUser = {
    _id = "7494535bff5cef41a15be74d",
    userId = "steveb@channel5.com",
    givenName = "Steve",
    signedUpAt = "2013-07-09T08:55:00.000Z",
    properties = {},
    conversationStarted = false,
    clients = {},
  },
}

local M = {}

M.client = {
  key_id = "app_test_key",
  secret = "test-secret",
  clock = 1700000000,
  random = 0.5,
}

M.cases = {
  {
    method = "get_app_user",
    name = "leaves the app out of the path when there is no app_id",
    arguments = { user_id = "steveb@channel5.com" },
    request = {
      method = "GET",
      url = SHORT .. "/steveb%40channel5.com",
      headers = typed,
    },
    response = { status = 200, headers = json, body = user_body },
    result = user_result,
  },
  {
    method = "get_app_user",
    name = "puts the app_id of the client in the path",
    client = { app_id = "app-1" },
    arguments = { user_id = "bob" },
    request = { method = "GET", url = LONG .. "/bob", headers = typed },
  },
  {
    method = "get_app_user",
    name = "prefers the app_id of the call",
    client = { app_id = "app-1" },
    arguments = { user_id = "bob", app_id = "app/2" },
    request = {
      method = "GET",
      url = "https://api.smooch.io/v1/apps/app%2F2/appusers/bob",
      headers = typed,
    },
  },
  {
    method = "get_app_user",
    name = "mints a token of account scope",
    client = { scope = "account", app_id = "app-1" },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = LONG .. "/bob",
      headers = bearing(ACCOUNT_TOKEN, "application/json"),
    },
  },
  {
    method = "get_app_user",
    name = "mints a token of app scope when the scope is spelt out",
    client = { scope = "app" },
    arguments = { user_id = "bob" },
    request = { method = "GET", url = SHORT .. "/bob", headers = typed },
  },
  {
    method = "get_app_user",
    name = "mints a token of appUser scope",
    client = { scope = "appUser", user_id = "bob@example.com" },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = SHORT .. "/bob",
      headers = bearing(USER_TOKEN, "application/json"),
    },
  },
  {
    method = "get_app_user",
    name = "escapes what it signs and takes the secret as bytes",
    client = {
      scope = "appUser",
      key_id = 'app_"kid"',
      secret = "비밀번호",
      user_id = 'ed "the/ed" 김',
    },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = SHORT .. "/bob",
      headers = bearing(AWKWARD_TOKEN, "application/json"),
    },
  },
  {
    method = "get_app_user",
    name = "sends a ready token as it is",
    without = { "key_id", "secret" },
    client = { jwt = "ready.made.token" },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = SHORT .. "/bob",
      headers = bearing("ready.made.token", "application/json"),
    },
  },
  {
    method = "get_app_user",
    name = "appends the short path to a base_url with a path",
    client = { base_url = "https://proxy.example/chat" },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/v1/appusers/bob",
      headers = typed,
    },
  },
  {
    method = "get_app_user",
    name = "does not double the slash of a base_url that ends in one",
    client = { base_url = "https://proxy.example/chat/", app_id = "app-1" },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/v1/apps/app-1/appusers/bob",
      headers = typed,
    },
  },
  {
    method = "get_app_user",
    name = "reads code and description of an error envelope",
    arguments = { user_id = "bob" },
    response = {
      status = 401,
      headers = json,
      body = '{"error":{"code":"unauthorized","description":"Authorization is required"}}',
    },
    error = {
      kind = "http",
      status = 401,
      code = "unauthorized",
      message = "Authorization is required",
    },
  },
  {
    method = "get_app_user",
    name = "reports an error status whose body is not JSON",
    arguments = { user_id = "bob" },
    response = {
      status = 403,
      headers = { ["content-type"] = "text/html" },
      body = "<html><body>Forbidden</body></html>",
    },
    error = { kind = "http", status = 403 },
  },
  {
    method = "get_app_user",
    name = "reports 429 with its Retry-After and its envelope",
    client = { retries = 0 },
    arguments = { user_id = "bob" },
    response = {
      status = 429,
      headers = { ["content-type"] = "application/json", ["retry-after"] = "7" },
      body = '{"error":{"code":"too_many_requests","description":"Slow down"}}',
    },
    error = {
      kind = "rate_limited",
      status = 429,
      code = "too_many_requests",
      message = "Slow down",
      retry_after = 7,
    },
  },
  {
    method = "update_app_user",
    name = "sends an empty object when no member is given",
    arguments = { user_id = "bob" },
    request = { method = "PUT", url = SHORT .. "/bob", headers = typed, body = "{}" },
    response = { status = 200, headers = json, body = user_body },
    result = user_result,
  },
  {
    method = "update_app_user",
    name = "writes every member in the order of the table and sorts free keys",
    arguments = {
      app_id = "app-1",
      user_id = "bob",
      given_name = "철수",
      surname = "O'Brien/\\\"X\"",
      email = null,
      signed_up_at = "2013-07-09T08:55:00.000Z",
      properties = {
        ["plan/level"] = "gold",
        Zone = 3,
        age = 42,
        ratio = 0.25,
        negative = -7,
        active = true,
        trial = false,
        gone = null,
        tags = { "a", "b" },
        ["키"] = "값\t😀",
      },
    },
    request = {
      method = "PUT",
      url = LONG .. "/bob",
      headers = typed,
      body = '{"givenName":"철수","surname":"O\'Brien/\\\\\\"X\\"","email":null,'
        .. '"signedUpAt":"2013-07-09T08:55:00.000Z","properties":{"Zone":3,"active":true,'
        .. '"age":42,"gone":null,"negative":-7,"plan/level":"gold","ratio":0.25,'
        .. '"tags":["a","b"],"trial":false,"키":"값\\t😀"}}',
    },
  },
  {
    method = "update_app_user",
    name = "writes a whole float as plain digits and an empty free table as an object",
    client = { app_id = "app-1" },
    arguments = { user_id = 42.0, given_name = 7, properties = {} },
    request = {
      method = "PUT",
      url = LONG .. "/42",
      headers = typed,
      body = '{"givenName":"7","properties":{}}',
    },
  },
  {
    method = "pre_create_app_user",
    name = "sends only the id when only the id is given",
    arguments = { user_id = "steveb@channel5.com" },
    request = {
      method = "POST",
      url = SHORT,
      headers = typed,
      body = '{"userId":"steveb@channel5.com"}',
    },
    response = {
      status = 201,
      headers = json,
      body = '{"appUser":{"_id":"7494","userId":"steveb@channel5.com","properties":{},'
        .. '"conversationStarted":false,"credentialRequired":true}}',
    },
    result = {
      appUser = {
        _id = "7494",
        userId = "steveb@channel5.com",
        properties = {},
        conversationStarted = false,
        credentialRequired = true,
      },
    },
  },
  {
    method = "pre_create_app_user",
    name = "writes every member in the order of the table",
    arguments = {
      app_id = "app-1",
      properties = { b = 1, a = 2 },
      signed_up_at = "2013-07-09T08:55:00.000Z",
      email = "steveb@channel5.com",
      surname = "Brule",
      given_name = "Steve",
      credential_required = true,
      user_id = "steveb@channel5.com",
    },
    request = {
      method = "POST",
      url = LONG,
      headers = typed,
      body = '{"userId":"steveb@channel5.com","credentialRequired":true,"givenName":"Steve",'
        .. '"surname":"Brule","email":"steveb@channel5.com",'
        .. '"signedUpAt":"2013-07-09T08:55:00.000Z","properties":{"a":2,"b":1}}',
    },
  },
  {
    method = "pre_create_app_user",
    name = "keeps false and the empty string",
    arguments = { user_id = "bob", credential_required = false, surname = "" },
    request = {
      method = "POST",
      url = SHORT,
      headers = typed,
      body = '{"userId":"bob","credentialRequired":false,"surname":""}',
    },
  },
  {
    method = "delete_app_user_profile",
    name = "has the type of JSON although it has no body",
    arguments = { user_id = "bob" },
    request = { method = "DELETE", url = SHORT .. "/bob/profile", headers = typed },
    response = { status = 200, headers = json, body = user_body },
    result = user_result,
  },
  {
    method = "delete_app_user_profile",
    name = "goes to the app of the call",
    arguments = { app_id = "app-1", user_id = "a/../b" },
    request = { method = "DELETE", url = LONG .. "/a%2F..%2Fb/profile", headers = typed },
  },
  {
    method = "get_app_user_auth_code",
    name = "goes to the app of the call",
    arguments = { app_id = "app-1", user_id = "bob" },
    request = { method = "GET", url = LONG .. "/bob/authcode", headers = typed },
    response = { status = 200, headers = json, body = '{"authCode":"fWhC6"}' },
    result = { authCode = "fWhC6" },
  },
  {
    method = "get_app_user_auth_code",
    name = "takes the short path without an app_id",
    arguments = { user_id = "bob" },
    request = { method = "GET", url = SHORT .. "/bob/authcode", headers = typed },
  },
  {
    method = "get_app_user_business_system_ids",
    name = "goes to the app of the call",
    arguments = { app_id = "app-1", user_id = "bob" },
    request = { method = "GET", url = LONG .. "/bob/businesssystems", headers = typed },
    response = {
      status = 200,
      headers = json,
      body = '{"businessSystems":[{"type":"slack","channelId":"C0EM0RG0A"},'
        .. '{"type":"hipchat","roomId":43839}]}',
    },
    result = {
      businessSystems = {
        { type = "slack", channelId = "C0EM0RG0A" },
        { type = "hipchat", roomId = 43839 },
      },
    },
  },
  {
    method = "get_app_user_business_system_ids",
    name = "takes the short path without an app_id",
    arguments = { user_id = "bob" },
    request = { method = "GET", url = SHORT .. "/bob/businesssystems", headers = typed },
  },
  {
    method = "get_app_user_entity_ids",
    name = "keeps the channels of the answer",
    arguments = { user_id = "bob" },
    request = { method = "GET", url = SHORT .. "/bob/channels", headers = typed },
    response = {
      status = 200,
      headers = json,
      body = '{"channels":[{"type":"twilio","phoneNumber":"+15142223333"},'
        .. '{"type":"messenger","userId":"198273192387"}]}',
    },
    result = {
      channels = {
        { type = "twilio", phoneNumber = "+15142223333" },
        { type = "messenger", userId = "198273192387" },
      },
    },
  },
  {
    method = "get_app_user_entity_ids",
    name = "goes to the app of the call",
    arguments = { app_id = "app-1", user_id = "bob" },
    request = { method = "GET", url = LONG .. "/bob/channels", headers = typed },
  },
  {
    method = "get_app_user_entity_ids",
    name = "reads the error envelope of an unknown user",
    arguments = { user_id = "nobody" },
    response = {
      status = 404,
      headers = json,
      body = '{"error":{"code":"user_not_found","description":"The requested user was not found",'
        .. '"extra":true}}',
    },
    error = {
      kind = "http",
      status = 404,
      code = "user_not_found",
      message = "The requested user was not found",
    },
  },
  {
    method = "get_link_requests",
    name = "joins the ids by comma and encodes the whole value",
    arguments = { app_id = "app-1", user_id = "bob", integration_ids = { "i1", "i 2", 3 } },
    request = {
      method = "GET",
      url = LONG .. "/bob/linkrequest?integrationIds=i1%2Ci%202%2C3",
      headers = typed,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"linkRequests":[{"integrationId":"i1","type":"messenger","code":"lr_1",'
        .. '"url":"https:\\/\\/m.me\\/1?ref=lr_1"}]}',
    },
    result = {
      linkRequests = {
        {
          integrationId = "i1",
          type = "messenger",
          code = "lr_1",
          url = "https://m.me/1?ref=lr_1",
        },
      },
    },
  },
  {
    method = "get_link_requests",
    name = "takes the short path without an app_id, and one id",
    arguments = { user_id = "bob", integration_ids = { "i1" } },
    request = {
      method = "GET",
      url = SHORT .. "/bob/linkrequest?integrationIds=i1",
      headers = typed,
    },
  },
  {
    method = "link_app_user",
    name = "sends only the type when only the type is given",
    arguments = { user_id = "bob", type = "twilio" },
    request = {
      method = "POST",
      url = SHORT .. "/bob/channels",
      headers = typed,
      body = '{"type":"twilio"}',
    },
    response = { status = 200, headers = json, body = user_body },
    result = user_result,
  },
  {
    method = "link_app_user",
    name = "writes every member in the order of the table",
    arguments = {
      app_id = "app-1",
      user_id = "bob",
      type = "mailgun",
      phone_number = "+15142223333",
      address = "steveb@channel5.com",
      given_name = "Steve",
      surname = "Brule",
      subject = "New message",
      skip_confirmation = true,
      confirmation = {
        type = "prompt",
        message = { type = "text", text = "안녕", role = "appMaker" },
      },
      primary = false,
    },
    request = {
      method = "POST",
      url = LONG .. "/bob/channels",
      headers = typed,
      body = '{"type":"mailgun","phoneNumber":"+15142223333","address":"steveb@channel5.com",'
        .. '"givenName":"Steve","surname":"Brule","subject":"New message",'
        .. '"skipConfirmation":true,"confirmation":{"message":{"role":"appMaker",'
        .. '"text":"안녕","type":"text"},"type":"prompt"},"primary":false}',
    },
  },
  {
    method = "link_app_user",
    name = "sends skip_confirmation as the string it was given",
    arguments = { user_id = "bob", type = "twilio", skip_confirmation = "true", primary = true },
    request = {
      method = "POST",
      url = SHORT .. "/bob/channels",
      headers = typed,
      body = '{"type":"twilio","skipConfirmation":"true","primary":true}',
    },
  },
  {
    method = "unlink_app_user",
    name = "answers true when the body is empty",
    arguments = { user_id = "bob", channel = "twilio" },
    request = { method = "DELETE", url = SHORT .. "/bob/channels/twilio", headers = typed },
    response = { status = 200, headers = {}, body = "" },
    result = true,
  },
  {
    method = "unlink_app_user",
    name = "goes to the app of the call and never substitutes into a value",
    arguments = { app_id = "app-1", user_id = "{channel}", channel = "{userId}" },
    request = {
      method = "DELETE",
      url = LONG .. "/%7Bchannel%7D/channels/%7BuserId%7D",
      headers = typed,
    },
    response = { status = 204, headers = {}, body = "" },
    result = true,
  },
  {
    method = "unlink_app_user",
    name = "answers the body when there is one",
    arguments = { user_id = "bob", channel = "twilio" },
    response = { status = 200, headers = json, body = "{}" },
    result = {},
  },
  {
    method = "post_image_message",
    name = "sends the file and the role, and reads the file from a path",
    file = "\137PNG\r\n\026\n\0\255--\r\n",
    arguments = { user_id = "bob", source = { path = "@FILE@.png" }, role = "appMaker" },
    request = {
      method = "POST",
      url = SHORT .. "/bob/images",
      headers = multipart,
      body = "--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="source"; filename="@FILENAME@.png"\r\n'
        .. "Content-Type: image/png\r\n"
        .. "\r\n"
        .. "\137PNG\r\n\026\n\0\255--\r\n"
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="role"\r\n'
        .. "\r\n"
        .. "appMaker"
        .. "\r\n--@BOUNDARY@--\r\n",
    },
    response = {
      status = 201,
      headers = json,
      body = '{"message":{"_id":"55c8","authorId":"app","role":"appMaker","name":null,'
        .. '"received":1439210281.25},"conversation":{"_id":"df0e","unreadCount":1}}',
    },
    result = {
      message = {
        _id = "55c8",
        authorId = "app",
        role = "appMaker",
        name = null,
        received = 1439210281.25,
      },
      conversation = { _id = "df0e", unreadCount = 1 },
    },
  },
  {
    method = "post_image_message",
    name = "writes the parts in the order of the table and guesses the type from the name",
    arguments = {
      app_id = "app-1",
      user_id = "bob",
      text = "line 1\r\nline 2\0 \"김\"",
      name = "Steve",
      role = "appUser",
      source = { data = "GIF89a", filename = "cat.gif" },
    },
    request = {
      method = "POST",
      url = LONG .. "/bob/images",
      headers = multipart,
      body = "--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="source"; filename="cat.gif"\r\n'
        .. "Content-Type: image/gif\r\n"
        .. "\r\n"
        .. "GIF89a"
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="role"\r\n'
        .. "\r\n"
        .. "appUser"
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="name"\r\n'
        .. "\r\n"
        .. "Steve"
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="text"\r\n'
        .. "\r\n"
        .. "line 1\r\nline 2\0 \"김\""
        .. "\r\n--@BOUNDARY@--\r\n",
    },
  },
  {
    method = "post_image_message",
    name = "prefers the content_type of the file and escapes its name",
    arguments = {
      user_id = "bob",
      role = "appMaker",
      source = {
        data = "",
        filename = 'a"b\r\n%고양이\\.png',
        content_type = "image/webp",
      },
    },
    request = {
      method = "POST",
      url = SHORT .. "/bob/images",
      headers = multipart,
      body = "--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="source"; '
        .. 'filename="a%22b%0D%0A%고양이\\.png"\r\n'
        .. "Content-Type: image/webp\r\n"
        .. "\r\n"
        .. ""
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="role"\r\n'
        .. "\r\n"
        .. "appMaker"
        .. "\r\n--@BOUNDARY@--\r\n",
    },
  },
  {
    method = "post_image_message",
    name = "says octet-stream for an extension it does not know",
    arguments = {
      user_id = "bob",
      role = "appMaker",
      source = { data = "?", filename = "cat.unheardof" },
    },
    request = {
      method = "POST",
      url = SHORT .. "/bob/images",
      headers = multipart,
      body = "--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="source"; filename="cat.unheardof"\r\n'
        .. "Content-Type: application/octet-stream\r\n"
        .. "\r\n"
        .. "?"
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="role"\r\n'
        .. "\r\n"
        .. "appMaker"
        .. "\r\n--@BOUNDARY@--\r\n",
    },
  },
  {
    method = "app_user_device_update",
    name = "sends an empty object when no member is given",
    arguments = { user_id = "bob", device_id = "device/1" },
    request = {
      method = "PUT",
      url = SHORT .. "/bob/devices/device%2F1",
      headers = typed,
      body = "{}",
    },
    response = {
      status = 200,
      headers = json,
      body = '{"device":{"id":"device/1","platform":"ios","active":true,'
        .. '"info":{"wifi":"true"}}}',
    },
    result = {
      device = { id = "device/1", platform = "ios", active = true, info = { wifi = "true" } },
    },
  },
  {
    method = "app_user_device_update",
    name = "writes every member in the order of the table",
    arguments = {
      user_id = "bob",
      device_id = "d1",
      info = { wifi = "true", appName = "My app", timezone = -5 },
      app_version = "1.0.1",
      push_notification_token = "token",
    },
    request = {
      method = "PUT",
      url = SHORT .. "/bob/devices/d1",
      headers = typed,
      body = '{"pushNotificationToken":"token","appVersion":"1.0.1",'
        .. '"info":{"appName":"My app","timezone":-5,"wifi":"true"}}',
    },
  },
  {
    method = "track_event",
    name = "sends only the name when only the name is given",
    arguments = { user_id = "bob", name = "completed-purchase" },
    request = {
      method = "POST",
      url = SHORT .. "/bob/events",
      headers = typed,
      body = '{"name":"completed-purchase"}',
    },
    response = { status = 201, headers = json, body = '{"conversationUpdated":true}' },
    result = { conversationUpdated = true },
  },
  {
    method = "track_event",
    name = "writes every member in the order of the table",
    arguments = {
      user_id = "bob",
      name = "completed-purchase",
      app_user = { properties = { items = 2 }, givenName = "Bob" },
    },
    request = {
      method = "POST",
      url = SHORT .. "/bob/events",
      headers = typed,
      body = '{"name":"completed-purchase",'
        .. '"appUser":{"givenName":"Bob","properties":{"items":2}}}',
    },
  },
  {
    method = "delete_app_user",
    name = "is not the method that only clears the profile",
    client = { app_id = "app-1" },
    arguments = { user_id = "bob" },
    request = { method = "DELETE", url = LONG .. "/bob", headers = typed },
    response = { status = 200, headers = json, body = "{}" },
    result = {},
  },
  {
    method = "delete_app_user",
    name = "may be answered with nothing",
    arguments = { user_id = "bob" },
    response = { status = 204, headers = {}, body = "" },
    result = true,
  },
  {
    method = "post_message",
    name = "sends all there is, in the order of the table",
    arguments = {
      user_id = "bob",
      role = "appMaker",
      type = "image",
      text = "look",
      name = "Ann",
      email = "ann@example.com",
      avatar_url = "https://a.example/ann.png",
      media_url = "https://a.example/cat.jpg",
      media_type = "image/jpeg",
      metadata = { case = 17 },
      payload = "more",
      items = { { title = "A cat" } },
      actions = { { type = "link", text = "See", uri = "https://a.example" } },
      destination = { integrationId = "i-1" },
    },
    request = {
      method = "POST",
      url = SHORT .. "/bob/messages",
      headers = typed,
      body = '{"role":"appMaker","type":"image","text":"look","name":"Ann",'
        .. '"email":"ann@example.com","avatarUrl":"https://a.example/ann.png",'
        .. '"mediaUrl":"https://a.example/cat.jpg","mediaType":"image/jpeg",'
        .. '"metadata":{"case":17},"payload":"more","items":[{"title":"A cat"}],'
        .. '"actions":[{"text":"See","type":"link","uri":"https://a.example"}],'
        .. '"destination":{"integrationId":"i-1"}}',
    },
    response = {
      status = 201,
      headers = json,
      body = '{"message":{"_id":"m-1","received":1484261512.025},'
        .. '"conversation":{"_id":"c-1","unreadCount":1}}',
    },
    result = {
      message = { _id = "m-1", received = 1484261512.025 },
      conversation = { _id = "c-1", unreadCount = 1 },
    },
  },
  {
    method = "get_messages",
    name = "asks for what is older",
    arguments = { user_id = "bob", before = "1484261512.025" },
    request = {
      method = "GET",
      url = SHORT .. "/bob/messages?before=1484261512.025",
      headers = typed,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"conversation":{"_id":"c-1","unreadCount":0},'
        .. '"messages":[{"_id":"m-1","received":1484261500.5}]}',
    },
    result = {
      conversation = { _id = "c-1", unreadCount = 0 },
      messages = { { _id = "m-1", received = 1484261500.5 } },
    },
  },
  {
    method = "get_messages",
    name = "asks for what is newer",
    arguments = { user_id = "bob", after = 1484261512 },
    request = {
      method = "GET",
      url = SHORT .. "/bob/messages?after=1484261512",
      headers = typed,
    },
  },
  {
    method = "create_webhook",
    name = "names the target and the triggers",
    client = { app_id = "app-1" },
    arguments = { target = "https://bot.example/hook", triggers = { "message", "link:match" } },
    request = {
      method = "POST",
      url = "https://api.smooch.io/v1/apps/app-1/webhooks",
      headers = typed,
      body = '{"target":"https://bot.example/hook","triggers":["message","link:match"]}',
    },
    response = {
      status = 201,
      headers = json,
      body = '{"webhook":{"_id":"w-1","target":"https://bot.example/hook",'
        .. '"triggers":["message"],"secret":"s-1"}}',
    },
    result = {
      webhook = {
        _id = "w-1",
        target = "https://bot.example/hook",
        triggers = { "message" },
        secret = "s-1",
      },
    },
  },
  {
    method = "list_webhooks",
    name = "lists the webhooks of the app",
    arguments = {},
    request = { method = "GET", url = "https://api.smooch.io/v1/webhooks", headers = typed },
    response = { status = 200, headers = json, body = '{"webhooks":[]}' },
    result = { webhooks = {} },
  },
  {
    method = "get_webhook",
    name = "reads one",
    arguments = { webhook_id = "w-1" },
    request = { method = "GET", url = "https://api.smooch.io/v1/webhooks/w-1", headers = typed },
    response = { status = 200, headers = json, body = '{"webhook":{"_id":"w-1"}}' },
    result = { webhook = { _id = "w-1" } },
  },
  {
    method = "update_webhook",
    name = "sends only what is given",
    arguments = {
      webhook_id = "w-1",
      target = "https://bot.example/2",
      triggers = { "*" },
    },
    request = {
      method = "PUT",
      url = "https://api.smooch.io/v1/webhooks/w-1",
      headers = typed,
      body = '{"target":"https://bot.example/2","triggers":["*"]}',
    },
    response = { status = 200, headers = json, body = '{"webhook":{"_id":"w-1"}}' },
    result = { webhook = { _id = "w-1" } },
  },
  {
    method = "delete_webhook",
    name = "may be answered with nothing",
    arguments = { webhook_id = "w-1" },
    request = { method = "DELETE", url = "https://api.smooch.io/v1/webhooks/w-1", headers = typed },
    response = { status = 200, headers = {}, body = "" },
    result = true,
  },
}

M.refusals = {
  {
    method = "track_event",
    name = "when the client has an app_id",
    client = { app_id = "app-1" },
    arguments = { user_id = "bob", name = "completed-purchase" },
    mentions = { "app_id" },
  },
  {
    method = "track_event",
    name = "when the call has an app_id",
    arguments = { app_id = "app-1", user_id = "bob", name = "completed-purchase" },
    mentions = { "app_id" },
  },
  {
    method = "app_user_device_update",
    name = "when the client has an app_id",
    client = { app_id = "app-1" },
    arguments = { user_id = "bob", device_id = "d1" },
    mentions = { "app_id" },
  },
  {
    method = "app_user_device_update",
    name = "when the call has an app_id",
    arguments = { app_id = "app-1", user_id = "bob", device_id = "d1" },
    mentions = { "app_id" },
  },
  {
    method = "get_link_requests",
    name = "with a comma inside an id, which the separator would split",
    arguments = { app_id = "app-1", user_id = "bob", integration_ids = { "i1,i2" } },
    mentions = { "integration_ids" },
  },
  {
    method = "get_link_requests",
    name = "with an empty list where at least one id is needed",
    arguments = { app_id = "app-1", user_id = "bob", integration_ids = {} },
    mentions = { "integration_ids" },
  },
  {
    method = "post_image_message",
    name = "with a role that is not in the table",
    arguments = { user_id = "bob", role = "admin", source = { data = "", filename = "a.png" } },
    mentions = { "role", "appUser", "appMaker" },
  },
  {
    method = "post_image_message",
    name = "with a path where a file belongs",
    arguments = { user_id = "bob", role = "appMaker", source = "cat.png" },
    mentions = { "source" },
  },
  {
    method = "post_image_message",
    name = "with a content type that would end its header",
    arguments = {
      user_id = "bob",
      role = "appMaker",
      source = { data = "", filename = "a.png", content_type = "image/png\r\nX-Forged: 1" },
    },
    mentions = { "source" },
  },
  {
    method = "link_app_user",
    name = "with a number where a boolean or a string belongs",
    arguments = { user_id = "bob", type = "twilio", primary = 1 },
    mentions = { "primary" },
  },
  {
    method = "unlink_app_user",
    name = "with several problems, all reported at once",
    arguments = { user_id = "..", chanel = "twilio" },
    mentions = { "user_id", "chanel", "channel" },
  },
}

return M
