-- What every eRTC method puts on the wire, and what its answers become. Data only:
-- vectors_spec.lua turns the rows into specs. A header table is complete; "@VERSION@" stands for
-- usher._VERSION.

local null = require("cjson").null

local SIGNATURE = "ff6ada759df8136fef594719c592f015828bd38aed5d252ba5f0669d8da6c039"

local HOST = "https://chat.example.com"
local USER = HOST .. "/v1/tenants/tenant-1/user/"
local V2_USER = HOST .. "/V2/tenants/tenant%202/user/"

-- The one method without a bearer token.
local unauthenticated = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["X-Request-Signature"] = SIGNATURE,
  ["X-Nonce"] = "1700000000000",
  ["Content-Type"] = "application/json",
}

-- The same without a body.
local signed = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["X-Request-Signature"] = SIGNATURE,
  ["X-Nonce"] = "1700000000000",
}

local with_body = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["X-Request-Signature"] = SIGNATURE,
  ["X-Nonce"] = "1700000000000",
  ["Authorization"] = "Bearer access-1",
  ["Content-Type"] = "application/json",
}

local without_body = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["X-Request-Signature"] = SIGNATURE,
  ["X-Nonce"] = "1700000000000",
  ["Authorization"] = "Bearer access-1",
}

local with_device = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["X-Request-Signature"] = SIGNATURE,
  ["X-Nonce"] = "1700000000000",
  ["Authorization"] = "Bearer access-1",
  ["deviceid"] = "device-9",
}

local with_device_and_body = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["X-Request-Signature"] = SIGNATURE,
  ["X-Nonce"] = "1700000000000",
  ["Authorization"] = "Bearer access-1",
  ["Content-Type"] = "application/json",
  ["deviceid"] = "device-9",
}

local json = { ["content-type"] = "application/json; charset=utf-8" }

local M = {}

M.client = {
  base_url = HOST,
  api_key = "test-api-key",
  bundle_id = "com.example.app",
  tenant_id = "tenant-1",
  access_token = "access-1",
  clock = 1700000000,
  random = 0.5,
}

M.cases = {
  {
    method = "get_or_update_user_by_app_id",
    name = "sends only the id when only the id is given, and no bearer token",
    arguments = { app_user_id = "alice@example.com" },
    request = {
      method = "POST",
      url = USER,
      headers = unauthenticated,
      body = '{"appUserId":"alice@example.com"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"msg":"User created","errorCode":"E00000","result":{'
        .. '"eRTCUserId":"5ee8d42b6ac9a3d1d0c5a1f0","appUserId":"alice@example.com",'
        .. '"tenantId":"tenant-1","name":"\\uae40\\ud83d\\ude00","e2eEncryptionKeys":[],'
        .. '"token":{"accessToken":"a.b.c","refreshToken":"d.e.f","expiresIn":900}}}',
    },
    result = {
      success = true,
      msg = "User created",
      errorCode = "E00000",
      result = {
        eRTCUserId = "5ee8d42b6ac9a3d1d0c5a1f0",
        appUserId = "alice@example.com",
        tenantId = "tenant-1",
        name = "김😀",
        e2eEncryptionKeys = {},
        token = { accessToken = "a.b.c", refreshToken = "d.e.f", expiresIn = 900 },
      },
    },
  },
  {
    method = "get_or_update_user_by_app_id",
    name = "writes every member in the order of the table and sorts free keys",
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      app_user_id = "김철수/\"bob\"",
      device_id = "device-1",
      device_type = "android",
      fcm_token = "fcm:token",
      fcm_version = "f1",
      public_key = "line 1\nline 2",
      mute_setting = "allbutmentions",
      auth_payload = {
        data = {
          query = { b = 2, a = 1, B = 1.5 },
          params = { "x", "y" },
          header = { ["X-Key/1"] = "k\\", ["é"] = null },
          body = { ok = true, no = false, id = 123456789012345 },
        },
      },
    },
    request = {
      method = "POST",
      url = V2_USER,
      headers = unauthenticated,
      body = '{"appUserId":"김철수/\\"bob\\"","deviceId":"device-1","deviceType":"android",'
        .. '"fcmToken":"fcm:token","fcmVersion":"f1","publicKey":"line 1\\nline 2",'
        .. '"muteSetting":"allbutmentions","authPayload":{"data":{'
        .. '"body":{"id":123456789012345,"no":false,"ok":true},'
        .. '"header":{"X-Key/1":"k\\\\","é":null},"params":["x","y"],'
        .. '"query":{"B":1.5,"a":1,"b":2}}}}',
    },
  },
  {
    method = "get_or_update_user_by_app_id",
    name = "fills the deviceid header from the option and leaves the body alone",
    client = { device_id = "device-9" },
    arguments = { app_user_id = "alice", device_type = "ios", mute_setting = "none" },
    request = {
      method = "POST",
      url = USER,
      headers = {
        ["Accept"] = "application/json",
        ["User-Agent"] = "usher/@VERSION@",
        ["X-Request-Signature"] = SIGNATURE,
        ["X-Nonce"] = "1700000000000",
        ["Content-Type"] = "application/json",
        ["deviceid"] = "device-9",
      },
      body = '{"appUserId":"alice","deviceType":"ios","muteSetting":"none"}',
    },
  },
  {
    method = "get_or_update_user_by_app_id",
    name = "signs with whole seconds when the nonce unit is seconds",
    client = { nonce_unit = "s", clock = 1700000000.25 },
    arguments = { app_user_id = 42, mute_setting = "all" },
    request = {
      method = "POST",
      url = USER,
      headers = {
        ["Accept"] = "application/json",
        ["User-Agent"] = "usher/@VERSION@",
        ["X-Request-Signature"] =
          "cb5b9f1b79792704da8111d3c713f212bca1461bba1193606ceee31446bf460f",
        ["X-Nonce"] = "1700000000",
        ["Content-Type"] = "application/json",
      },
      body = '{"appUserId":"42","muteSetting":"all"}',
    },
  },
  {
    method = "get_or_update_user_by_app_id",
    name = "keeps the fraction of the clock when the nonce unit is milliseconds",
    client = { nonce_unit = "ms", clock = 1700000000.25 },
    arguments = { app_user_id = "alice" },
    request = {
      method = "POST",
      url = USER,
      headers = {
        ["Accept"] = "application/json",
        ["User-Agent"] = "usher/@VERSION@",
        ["X-Request-Signature"] =
          "d3f9bdc1664abb70134b955d56b82c8449f59b753a60f8a2b1c3458a0d11c519",
        ["X-Nonce"] = "1700000000250",
        ["Content-Type"] = "application/json",
      },
      body = '{"appUserId":"alice"}',
    },
  },
  {
    method = "get_or_update_user_by_app_id",
    name = "appends the path to what base_url holds",
    client = { base_url = "https://proxy.example:8443/chat%20room/a+b" },
    arguments = { app_user_id = "alice" },
    request = {
      method = "POST",
      url = "https://proxy.example:8443/chat%20room/a+b/v1/tenants/tenant-1/user/",
      headers = unauthenticated,
      body = '{"appUserId":"alice"}',
    },
  },
  {
    method = "get_or_update_user_by_app_id",
    name = "takes a success that is false for an error and its text from msg",
    arguments = { app_user_id = "alice" },
    response = {
      status = 200,
      headers = json,
      body = '{"success":false,"msg":"Tenant is not active","message":"never shown",'
        .. '"errorCode":"E00104"}',
    },
    error = { kind = "api", status = 200, code = "E00104", message = "Tenant is not active" },
  },
  {
    method = "update_user_by_ertc_user_id",
    name = "sends an empty object when no member is given",
    arguments = { ertc_user_id = "5ee8d42b6ac9a3d1d0c5a1f0" },
    request = {
      method = "POST",
      url = USER .. "5ee8d42b6ac9a3d1d0c5a1f0",
      headers = with_body,
      body = "{}",
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"msg":null,"result":{"eRTCUserId":"5ee8d42b6ac9a3d1d0c5a1f0",'
        .. '"availabilityStatus":"never-seen-before"},"unknown":{"kept":[1,2.5,-3]}}',
    },
    result = {
      success = true,
      msg = null,
      result = {
        eRTCUserId = "5ee8d42b6ac9a3d1d0c5a1f0",
        availabilityStatus = "never-seen-before",
      },
      unknown = { kept = { 1, 2.5, -3 } },
    },
  },
  {
    method = "update_user_by_ertc_user_id",
    name = "writes every member in the order of the table",
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      ertc_user_id = "alice@example.com",
      device_id = "device-1",
      device_type = "ios",
      fcm_token = "fcm:token",
      fcm_version = "f1",
      availability_status = "dnd",
      notification_settings = { validTill = "2030-01-01T00:00:00.000Z", allowFrom = "mentions" },
    },
    request = {
      method = "POST",
      url = V2_USER .. "alice%40example.com",
      headers = with_body,
      body = '{"deviceId":"device-1","deviceType":"ios","fcmToken":"fcm:token",'
        .. '"fcmVersion":"f1","availabilityStatus":"dnd","notificationSettings":{'
        .. '"allowFrom":"mentions","validTill":"2030-01-01T00:00:00.000Z"}}',
    },
  },
  {
    method = "update_user_by_ertc_user_id",
    name = "sends device_id in the body from the call and in the header from the option",
    client = { device_id = "device-9" },
    arguments = { ertc_user_id = "user-1", device_id = "device-1", fcm_token = null },
    request = {
      method = "POST",
      url = USER .. "user-1",
      headers = with_device_and_body,
      body = '{"deviceId":"device-1","fcmToken":null}',
    },
  },
  {
    method = "update_user_by_ertc_user_id",
    name = "writes an empty free table as an object",
    arguments = { ertc_user_id = "user-1", notification_settings = {} },
    request = {
      method = "POST",
      url = USER .. "user-1",
      headers = with_body,
      body = '{"notificationSettings":{}}',
    },
  },
  {
    method = "update_user_by_ertc_user_id",
    name = "falls back to message when the envelope has no msg",
    arguments = { ertc_user_id = "user-1" },
    response = {
      status = 200,
      headers = json,
      body = '{"success":false,"message":"User does not exist","errorCode":"E00021"}',
    },
    error = { kind = "api", status = 200, code = "E00021", message = "User does not exist" },
  },
  {
    method = "block_unblock_user",
    name = "puts the caller and the action in the path and the target in the body",
    arguments = { ertc_user_id = "caller-1", action = "block", app_user_id = "target@example.com" },
    request = {
      method = "POST",
      url = USER .. "caller-1/blockUnblock/block",
      headers = with_body,
      body = '{"appUserId":"target@example.com"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"message":"User blocked"}}',
    },
    result = { success = true, result = { message = "User blocked" } },
  },
  {
    method = "block_unblock_user",
    name = "unblocks in the tenant and version that the call names",
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      ertc_user_id = "caller/1",
      action = "unblock",
      app_user_id = "target",
    },
    request = {
      method = "POST",
      url = V2_USER .. "caller%2F1/blockUnblock/unblock",
      headers = with_body,
      body = '{"appUserId":"target"}',
    },
  },
  {
    method = "block_unblock_user",
    name = "reads the envelope of an answer with an error status too",
    arguments = { ertc_user_id = "caller-1", action = "block", app_user_id = "target" },
    response = {
      status = 403,
      headers = json,
      body = '{"success":false,"msg":"Account deactivated by admin","errorCode":"E00403"}',
    },
    error = {
      kind = "http",
      status = 403,
      code = "E00403",
      message = "Account deactivated by admin",
    },
  },
  {
    method = "blocked_users",
    name = "sends its own device_id as a header",
    arguments = { ertc_user_id = "user-1", device_id = "device-9" },
    request = {
      method = "GET",
      url = USER .. "user-1/blockedUsers",
      headers = with_device,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"blockedUsers":[{"appUserId":"bob@example.com",'
        .. '"eRTCUserId":"5ee8","tenantId":"tenant-1"}]}}',
    },
    result = {
      success = true,
      result = {
        blockedUsers = {
          { appUserId = "bob@example.com", eRTCUserId = "5ee8", tenantId = "tenant-1" },
        },
      },
    },
  },
  {
    method = "blocked_users",
    name = "takes the header from the device_id option",
    client = { device_id = "device-9" },
    arguments = { ertc_user_id = "user-1" },
    request = {
      method = "GET",
      url = USER .. "user-1/blockedUsers",
      headers = with_device,
    },
    response = { status = 200, headers = json, body = '{"blockedUsers":[]}' },
    result = { blockedUsers = {} },
  },
  {
    method = "blocked_users",
    name = "prefers its own device_id to the option",
    client = { device_id = "device-of-the-client" },
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      ertc_user_id = "user-1",
      device_id = "device-9",
    },
    request = {
      method = "GET",
      url = V2_USER .. "user-1/blockedUsers",
      headers = with_device,
    },
  },
  {
    method = "get_chat_user_details",
    name = "sends both lists",
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      ertc_user_id = "user-1",
      status_keys = { "availabilityStatus", "blockedStatus" },
      app_user_ids = { "alice@example.com", 42, "김" },
    },
    request = {
      method = "POST",
      url = V2_USER .. "user-1/chatUserDetails",
      headers = with_body,
      body = '{"appUserIds":["alice@example.com","42","김"],'
        .. '"statusKeys":["availabilityStatus","blockedStatus"]}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"chatUserDetails":[{"appUserId":"alice@example.com",'
        .. '"eRTCUserId":"5ee8","statusDetails":{"availabilityStatus":"online"}}]}}',
    },
    result = {
      success = true,
      result = {
        chatUserDetails = {
          {
            appUserId = "alice@example.com",
            eRTCUserId = "5ee8",
            statusDetails = { availabilityStatus = "online" },
          },
        },
      },
    },
  },
  {
    method = "get_chat_user_details",
    name = "writes an empty list as an array",
    arguments = { ertc_user_id = "user-1", app_user_ids = {}, status_keys = { "blockedStatus" } },
    request = {
      method = "POST",
      url = USER .. "user-1/chatUserDetails",
      headers = with_body,
      body = '{"appUserIds":[],"statusKeys":["blockedStatus"]}',
    },
  },
  {
    method = "logout_user",
    name = "sends only the id when only the id is given",
    arguments = { ertc_user_id = "user-1", app_user_id = "alice" },
    request = {
      method = "POST",
      url = USER .. "user-1/logout",
      headers = with_body,
      body = '{"appUserId":"alice"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"message":"Logged out"}}',
    },
    result = { success = true, result = { message = "Logged out" } },
  },
  {
    method = "logout_user",
    name = "writes every member in the order of the table",
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      ertc_user_id = "user-1",
      device_id = "device-1",
      app_user_id = "alice",
    },
    request = {
      method = "POST",
      url = V2_USER .. "user-1/logout",
      headers = with_body,
      body = '{"appUserId":"alice","deviceId":"device-1"}',
    },
  },
  {
    method = "logout_other_devices",
    name = "keeps the device_id option out of the body",
    client = { device_id = "device-9" },
    arguments = { ertc_user_id = "user-1", app_user_id = "alice" },
    request = {
      method = "POST",
      url = USER .. "user-1/logoutOtherDevices",
      headers = with_device_and_body,
      body = '{"appUserId":"alice"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"message":"Logged out"}}',
    },
    result = { success = true, result = { message = "Logged out" } },
  },
  {
    method = "logout_other_devices",
    name = "writes every member in the order of the table",
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      ertc_user_id = "user-1",
      device_id = "device-1",
      app_user_id = "alice",
    },
    request = {
      method = "POST",
      url = V2_USER .. "user-1/logoutOtherDevices",
      headers = with_body,
      body = '{"appUserId":"alice","deviceId":"device-1"}',
    },
  },
  {
    method = "pending_events",
    name = "has no query when nothing is given, whatever the device_id option says",
    client = { device_id = "device-9" },
    arguments = { ertc_user_id = "user-1" },
    request = {
      method = "GET",
      url = USER .. "user-1/pendingEvents",
      headers = with_device,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"pendingEvents":[{"data":{"eventType":"userSelfUpdate",'
        .. '"message":"{\\"eRTCUserId\\":\\"5ee8\\"}"}}]}}',
    },
    result = {
      success = true,
      result = {
        pendingEvents = {
          { data = { eventType = "userSelfUpdate", message = '{"eRTCUserId":"5ee8"}' } },
        },
      },
    },
  },
  {
    method = "pending_events",
    name = "sends device_id in the query and not in a header",
    arguments = {
      tenant_id = "tenant 2",
      version = "V2",
      ertc_user_id = "user-1",
      device_id = "a b/c&d=e+f",
    },
    request = {
      method = "GET",
      url = V2_USER .. "user-1/pendingEvents?deviceId=a%20b%2Fc%26d%3De%2Bf",
      headers = without_body,
    },
  },
  {
    method = "refresh_auth_token",
    name = "carries the access token when the client has no refresh token",
    arguments = { ertc_user_id = "user-1" },
    request = {
      method = "GET",
      url = USER .. "user-1/refreshToken",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"accessToken":"access-2","refreshToken":"refresh-2",'
        .. '"expiresIn":900}}',
    },
    result = {
      success = true,
      result = { accessToken = "access-2", refreshToken = "refresh-2", expiresIn = 900 },
    },
  },
  {
    method = "refresh_auth_token",
    name = "carries the refresh token when the client has one",
    client = { refresh_token = "refresh-1" },
    arguments = { tenant_id = "tenant 2", version = "V2", ertc_user_id = "user-1" },
    request = {
      method = "GET",
      url = V2_USER .. "user-1/refreshToken",
      headers = {
        ["Accept"] = "application/json",
        ["User-Agent"] = "usher/@VERSION@",
        ["X-Request-Signature"] = SIGNATURE,
        ["X-Nonce"] = "1700000000000",
        ["Authorization"] = "Bearer refresh-1",
      },
    },
  },
  {
    method = "reset_badge_count",
    name = "carries the access token although the client has a refresh token",
    client = { refresh_token = "refresh-1" },
    arguments = { ertc_user_id = "user-1" },
    request = {
      method = "GET",
      url = USER .. "user-1/resetBadgeCount",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"message":"Badge count reset"}}',
    },
    result = { success = true, result = { message = "Badge count reset" } },
  },
  {
    method = "reset_badge_count",
    name = "goes to the tenant and version of the call under a base_url with a path",
    client = { base_url = "https://proxy.example/chat", version = "v9" },
    arguments = { tenant_id = "tenant 2", version = "V2", ertc_user_id = "user-1" },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/V2/tenants/tenant%202/user/user-1/resetBadgeCount",
      headers = without_body,
    },
  },
  {
    method = "reset_badge_count",
    name = "does not double the slash of a base_url that ends in one",
    client = { base_url = "https://proxy.example/chat/", version = "v9" },
    arguments = { ertc_user_id = "user-1" },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/v9/tenants/tenant-1/user/user-1/resetBadgeCount",
      headers = without_body,
    },
  },
  {
    method = "reset_badge_count",
    name = "reports an error status whose body is not JSON",
    arguments = { ertc_user_id = "user-1" },
    response = {
      status = 404,
      headers = { ["content-type"] = "text/html" },
      body = "<html><body>Not Found</body></html>",
    },
    error = { kind = "http", status = 404 },
  },
  {
    method = "get_group",
    name = "reads a group beside the users, not below them",
    arguments = { ertc_user_id = "u-1", group_id = "g/1" },
    request = {
      method = "GET",
      url = HOST .. "/v1/tenants/tenant-1/u-1/group/g%2F1",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"msg":"Success.","result":{"groupId":"g/1","participants":'
        .. '[{"appUserId":"a@example.com","eRTCUserId":"u-2","role":"user",'
        .. '"joinedAtDate":"2019-07-25T18:31:53.813Z"}]},"errorCode":"E00000"}',
    },
    result = {
      success = true,
      msg = "Success.",
      result = {
        groupId = "g/1",
        participants = {
          {
            appUserId = "a@example.com",
            eRTCUserId = "u-2",
            role = "user",
            joinedAtDate = "2019-07-25T18:31:53.813Z",
          },
        },
      },
      errorCode = "E00000",
    },
  },
  {
    method = "remove_participants",
    name = "names the participants",
    arguments = { ertc_user_id = "u-1", group_id = "g-1", participants = { "a@example.com" } },
    request = {
      method = "POST",
      url = HOST .. "/v1/tenants/tenant-1/u-1/group/g-1/removeParticipants",
      headers = with_body,
      body = '{"participants":["a@example.com"]}',
    },
    response = { status = 200, headers = json, body = '{"success":true,"result":{}}' },
    result = { success = true, result = {} },
  },
  {
    method = "restrict_participants",
    name = "bans for a time",
    arguments = {
      ertc_user_id = "u-1",
      group_id = "g-1",
      participants = { "a@example.com", "b@example.com" },
      type = "ban",
      till = "2021-06-14T14:02:03.527Z",
    },
    request = {
      method = "POST",
      url = HOST .. "/v1/tenants/tenant-1/u-1/group/g-1/restrictParticipants",
      headers = with_body,
      body = '{"participants":["a@example.com","b@example.com"],"type":"ban",'
        .. '"till":"2021-06-14T14:02:03.527Z"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"threadId":"t-1","threadType":"group"}}',
    },
    result = { success = true, result = { threadId = "t-1", threadType = "group" } },
  },
  {
    method = "unrestrict_participants",
    name = "lifts a mute",
    arguments = {
      ertc_user_id = "u-1",
      group_id = "g-1",
      participants = { "a@example.com" },
      type = "mute",
    },
    request = {
      method = "POST",
      url = HOST .. "/v1/tenants/tenant-1/u-1/group/g-1/unrestrictParticipants",
      headers = with_body,
      body = '{"participants":["a@example.com"],"type":"mute"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":false,"msg":"User is not a participant","errorCode":"E00404"}',
    },
    error = {
      kind = "api",
      status = 200,
      code = "E00404",
      message = "User is not a participant",
      request_sent = true,
    },
  },
  {
    method = "unrestrict_participants",
    name = "lifts a ban",
    arguments = {
      ertc_user_id = "u-1",
      group_id = "g-1",
      participants = { "a@example.com" },
      type = "ban",
    },
    response = { status = 200, headers = json, body = '{"success":true,"result":{}}' },
    result = { success = true, result = {} },
  },
  {
    method = "create_chat_report",
    name = "reports a message",
    arguments = {
      ertc_user_id = "u-1",
      msg_unique_id = "m-1",
      category = "spam",
      reason = "t.me/…",
    },
    request = {
      method = "POST",
      url = HOST .. "/v1/tenants/tenant-1/u-1/chatReports",
      headers = with_body,
      body = '{"msgUniqueId":"m-1","category":"spam","reason":"t.me/…"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"chatReportId":"r-1","tenantId":"tenant-1"}}',
    },
    result = { success = true, result = { chatReportId = "r-1", tenantId = "tenant-1" } },
  },
  {
    method = "list_chat_reports",
    name = "filters, in the order of the table",
    arguments = {
      ertc_user_id = "u-1",
      skip = 20,
      limit = 10,
      thread_id = "t 1",
      category = "abuse",
      status = "new",
      msg_type = "text",
    },
    request = {
      method = "GET",
      url = HOST .. "/v1/tenants/tenant-1/u-1/chatReports?skip=20&limit=10&threadId=t%201"
        .. "&category=abuse&status=new&msgType=text",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"total":1,"chatReports":[{"chatReportId":"r-1"}]}}',
    },
    result = {
      success = true,
      result = { total = 1, chatReports = { { chatReportId = "r-1" } } },
    },
  },
  {
    method = "resolve_chat_report",
    name = "puts the verdict in the path, without a body",
    arguments = { ertc_user_id = "u-1", chat_report_id = "r-1", action = "reportedIgnored" },
    request = {
      method = "PUT",
      url = HOST .. "/v1/tenants/tenant-1/u-1/chatReports/r-1/allowIgnore/reportedIgnored",
      headers = without_body,
      body = "",
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"message":"updated"}}',
    },
    result = { success = true, result = { message = "updated" } },
  },
  {
    method = "get_tenant_details",
    name = "asks below no tenant, signed and without a bearer token",
    client = { base_url = "https://prov.example.com" },
    arguments = { namespace = "my company" },
    request = {
      method = "GET",
      url = "https://prov.example.com/v1/tenants/get-tenant-details/my%20company",
      headers = signed,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"success":true,"result":{"tenantId":"tenant-1","config":{"serverDetails":'
        .. '{"chatServer":{"url":"https://chat.example.com/","apiKey":"key-1"}}}}}',
    },
    result = {
      success = true,
      result = {
        tenantId = "tenant-1",
        config = {
          serverDetails = {
            chatServer = { url = "https://chat.example.com/", apiKey = "key-1" },
          },
        },
      },
    },
  },
}

M.refusals = {
  {
    method = "blocked_users",
    name = "without any device_id",
    arguments = { ertc_user_id = "user-1" },
    mentions = { "device_id" },
  },
  {
    method = "block_unblock_user",
    name = "with an action that is not in the table",
    arguments = { ertc_user_id = "user-1", action = "ban", app_user_id = "target" },
    mentions = { "action", "block", "unblock" },
  },
  {
    method = "get_chat_user_details",
    name = "with everything missing, all reported at once",
    arguments = {},
    mentions = { "ertc_user_id", "app_user_ids", "status_keys" },
  },
  {
    method = "get_chat_user_details",
    name = "with a string where a list belongs",
    arguments = { ertc_user_id = "user-1", app_user_ids = "alice", status_keys = { "x" } },
    mentions = { "app_user_ids" },
  },
  {
    method = "logout_user",
    name = "with a misspelt argument, naming the nearest one",
    arguments = { ertc_user_id = "user-1", app_userid = "alice" },
    mentions = { "app_userid", "app_user_id" },
  },
  {
    method = "update_user_by_ertc_user_id",
    name = "with a free table in which a number has lost digits",
    arguments = { ertc_user_id = "user-1", notification_settings = { id = 2^53 + 2 } },
    mentions = { "notification_settings", "pass it as a string" },
  },
}

return M
