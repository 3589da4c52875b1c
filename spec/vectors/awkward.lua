-- Values that break naive clients, and the places a value can go. Data only: vectors_spec.lua walks
-- every value through every place. `encoded` is the form in a path or a query, `json` the form in a
-- body; a header and a form field hold the text itself. Where the value is a number, `text` is that
-- text, and a free table holds it without quotes. `in_path` and `in_header` say "refused" where the
-- contract refuses the value.

local M = {}

M.values = {
  { name = "a space", value = " ", encoded = "%20", json = '" "' },
  { name = "a slash", value = "a/b", encoded = "a%2Fb", json = '"a/b"' },
  { name = "two slashes", value = "//", encoded = "%2F%2F", json = '"//"' },
  { name = "a percent sign", value = "100%", encoded = "100%25", json = '"100%"' },
  { name = "a percent-encoded space", value = "a%20b", encoded = "a%2520b", json = '"a%20b"' },
  { name = "a plus sign", value = "a+b", encoded = "a%2Bb", json = '"a+b"' },
  { name = "an at sign", value = "a@b", encoded = "a%40b", json = '"a@b"' },
  { name = "a question mark", value = "who?x=1", encoded = "who%3Fx%3D1", json = '"who?x=1"' },
  { name = "a hash", value = "frag#ment", encoded = "frag%23ment", json = '"frag#ment"' },
  { name = "two dots", value = "..", encoded = "..", json = '".."', in_path = "refused" },
  { name = "one dot", value = ".", encoded = ".", json = '"."', in_path = "refused" },
  { name = "three dots", value = "...", encoded = "...", json = '"..."' },
  { name = "dots inside", value = "a/../b", encoded = "a%2F..%2Fb", json = '"a/../b"' },
  { name = "dots in front", value = "../apps", encoded = "..%2Fapps", json = '"../apps"' },
  { name = "encoded dots", value = "%2e%2e", encoded = "%252e%252e", json = '"%2e%2e"' },
  { name = "nothing", value = "", encoded = "", json = '""', in_path = "refused" },
  { name = "unreserved marks", value = "~-._", encoded = "~-._", json = '"~-._"' },
  {
    name = "letters and digits",
    value = "AZaz09",
    encoded = "AZaz09",
    json = '"AZaz09"',
  },
  { name = "a pattern reference", value = "\\0%1", encoded = "%5C0%251", json = '"\\\\0%1"' },
  { name = "a template", value = "{channel}", encoded = "%7Bchannel%7D", json = '"{channel}"' },
  {
    name = "reserved characters",
    value = ";:,&=$[]*!'()",
    encoded = "%3B%3A%2C%26%3D%24%5B%5D%2A%21%27%28%29",
    json = '";:,&=$[]*!\'()"',
  },
  { name = "quotes", value = '"a"', encoded = "%22a%22", json = '"\\"a\\""' },
  { name = "a backslash", value = "a\\b", encoded = "a%5Cb", json = '"a\\\\b"' },
  {
    name = "the other ASCII marks",
    value = "<>^`{|}",
    encoded = "%3C%3E%5E%60%7B%7C%7D",
    json = '"<>^`{|}"',
  },
  { name = "NUL", value = "a\0b", encoded = "a%00b", json = '"a\\u0000b"', in_header = "refused" },
  {
    name = "CR LF",
    value = "a\r\nb",
    encoded = "a%0D%0Ab",
    json = '"a\\r\\nb"',
    in_header = "refused",
  },
  { name = "CR", value = "\r", encoded = "%0D", json = '"\\r"', in_header = "refused" },
  { name = "LF", value = "\n", encoded = "%0A", json = '"\\n"', in_header = "refused" },
  {
    name = "a forged header",
    value = "x\r\nX-Forged: 1",
    encoded = "x%0D%0AX-Forged%3A%201",
    json = '"x\\r\\nX-Forged: 1"',
    in_header = "refused",
  },
  {
    name = "every control character",
    value = "\0\1\2\3\4\5\6\7\8\9\10\11\12\13\14\15"
      .. "\16\17\18\19\20\21\22\23\24\25\26\27\28\29\30\31",
    encoded = "%00%01%02%03%04%05%06%07%08%09%0A%0B%0C%0D%0E%0F"
      .. "%10%11%12%13%14%15%16%17%18%19%1A%1B%1C%1D%1E%1F",
    json = '"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007'
      .. "\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f"
      .. "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017"
      .. '\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f"',
    in_header = "refused",
  },
  { name = "DEL", value = "a\127b", encoded = "a%7Fb", json = '"a\127b"' },
  { name = "the byte 0x80", value = "a\128b", encoded = "a%80b", json = '"a\128b"' },
  { name = "the byte 0xFF", value = "\255", encoded = "%FF", json = '"\255"' },
  {
    name = "Korean",
    value = "김철수",
    encoded = "%EA%B9%80%EC%B2%A0%EC%88%98",
    json = '"김철수"',
  },
  { name = "an emoji", value = "😀", encoded = "%F0%9F%98%80", json = '"😀"' },
  {
    name = "a line separator of Unicode",
    value = "\226\128\168",
    encoded = "%E2%80%A8",
    json = '"\226\128\168"',
  },
  {
    name = "ten kilobytes",
    value = ("a/"):rep(5120),
    encoded = ("a%2F"):rep(5120),
    json = '"' .. ("a/"):rep(5120) .. '"',
  },
  { name = "the integer 42", value = 42, text = "42", encoded = "42", json = '"42"' },
  { name = "the integer 0", value = 0, text = "0", encoded = "0", json = '"0"' },
  { name = "the integer -7", value = -7, text = "-7", encoded = "-7", json = '"-7"' },
  { name = "the float 42.0", value = 42.0, text = "42", encoded = "42", json = '"42"' },
  {
    name = "fifteen digits",
    value = 123456789012345,
    text = "123456789012345",
    encoded = "123456789012345",
    json = '"123456789012345"',
  },
  {
    name = "2^53",
    value = 2^53,
    text = "9007199254740992",
    encoded = "9007199254740992",
    json = '"9007199254740992"',
  },
  {
    name = "-2^53",
    value = -2^53,
    text = "-9007199254740992",
    encoded = "-9007199254740992",
    json = '"-9007199254740992"',
  },
}

-- Where integers are exact beyond 2^53 (Lua 5.3 and later), so is what is sent.
if 9007199254740993 % 2 == 1 then
  M.values[#M.values + 1] = {
    name = "the integer 2^53 + 1",
    value = 9007199254740993,
    text = "9007199254740993",
    encoded = "9007199254740993",
    json = '"9007199254740993"',
  }
  M.values[#M.values + 1] = {
    name = "the greatest integer",
    value = 9223372036854775807,
    text = "9223372036854775807",
    encoded = "9223372036854775807",
    json = '"9223372036854775807"',
  }
end

-- Refused wherever a string belongs. A float beyond 2^53 has already lost digits. A free table may
-- hold numbers, booleans and tables: there only what JSON cannot say is refused (`in_free`).
M.refused = {
  {
    name = "a float beyond 2^53",
    value = 2^53 + 2,
    in_free = "refused",
    mentions = "pass it as a string",
  },
  {
    name = "a float beyond -2^53",
    value = -2^53 - 2,
    in_free = "refused",
    mentions = "pass it as a string",
  },
  {
    name = "a float beyond 2^63",
    value = 2^100,
    in_free = "refused",
    mentions = "pass it as a string",
  },
  { name = "not a number", value = 0 / 0, in_free = "refused" },
  { name = "infinity", value = math.huge, in_free = "refused" },
  { name = "a function", value = print, in_free = "refused" },
  { name = "a fraction", value = 42.5 },
  { name = "a boolean", value = true },
  { name = "a table", value = {} },
}

-- Places. The value is `argument` of `method`, beside `arguments`; a `list` holds it as the only
-- element; an `option` is given to the client, `without` some of its defaults. "@VALUE@" in `url`,
-- `body` and `text` is the value in the form of its place, "@BOUNDARY@" the boundary of the request
-- itself.
M.places = {
  path = {
    {
      provider = "ertc",
      method = "reset_badge_count",
      argument = "ertc_user_id",
      url = "https://chat.example.com/v1/tenants/tenant-1/user/@VALUE@/resetBadgeCount",
    },
    {
      provider = "ertc",
      method = "block_unblock_user",
      argument = "ertc_user_id",
      arguments = { action = "block", app_user_id = "target" },
      url = "https://chat.example.com/v1/tenants/tenant-1/user/@VALUE@/blockUnblock/block",
    },
    {
      provider = "ertc",
      method = "reset_badge_count",
      argument = "tenant_id",
      arguments = { ertc_user_id = "user-1" },
      url = "https://chat.example.com/v1/tenants/@VALUE@/user/user-1/resetBadgeCount",
    },
    {
      provider = "ertc",
      method = "reset_badge_count",
      argument = "version",
      arguments = { ertc_user_id = "user-1" },
      url = "https://chat.example.com/@VALUE@/tenants/tenant-1/user/user-1/resetBadgeCount",
    },
    {
      provider = "smooch",
      method = "get_app_user",
      argument = "user_id",
      url = "https://api.smooch.io/v1/appusers/@VALUE@",
    },
    {
      provider = "smooch",
      method = "get_app_user",
      argument = "app_id",
      arguments = { user_id = "bob" },
      url = "https://api.smooch.io/v1/apps/@VALUE@/appusers/bob",
    },
    {
      provider = "smooch",
      method = "delete_app_user_profile",
      argument = "user_id",
      url = "https://api.smooch.io/v1/appusers/@VALUE@/profile",
    },
    {
      provider = "smooch",
      method = "unlink_app_user",
      argument = "channel",
      arguments = { user_id = "bob" },
      url = "https://api.smooch.io/v1/appusers/bob/channels/@VALUE@",
    },
    {
      provider = "smooch",
      method = "app_user_device_update",
      argument = "device_id",
      arguments = { user_id = "bob" },
      url = "https://api.smooch.io/v1/appusers/bob/devices/@VALUE@",
    },
    {
      provider = "vchatcloud",
      method = "list_users",
      argument = "room_id",
      url = "https://vchatcloud.com/openapi/v1/users/@VALUE@",
    },
    {
      provider = "vchatcloud",
      method = "exile_user",
      argument = "room_id",
      arguments = { client_key = "key-1" },
      url = "https://vchatcloud.com/openapi/v1/exiles/@VALUE@/key-1",
    },
    {
      provider = "vchatcloud",
      method = "cancel_mute",
      argument = "client_key",
      arguments = { room_id = "room-1" },
      url = "https://vchatcloud.com/openapi/v1/mute/room-1/@VALUE@",
    },
  },
  query = {
    {
      provider = "ertc",
      method = "pending_events",
      argument = "device_id",
      arguments = { ertc_user_id = "user-1" },
      url = "https://chat.example.com/v1/tenants/tenant-1/user/user-1/pendingEvents"
        .. "?deviceId=@VALUE@",
    },
    {
      provider = "smooch",
      method = "get_link_requests",
      argument = "integration_ids",
      list = true,
      no_comma = true, -- the separator: an id that holds one cannot be expressed
      arguments = { user_id = "bob" },
      url = "https://api.smooch.io/v1/appusers/bob/linkrequest?integrationIds=@VALUE@",
    },
    {
      provider = "qiscus",
      method = "user_profile",
      argument = "user_id",
      url = "https://api.qiscus.com/api/v2.1/rest/user_profile?user_id=@VALUE@",
    },
    {
      provider = "qiscus",
      method = "get_user_unread_count",
      argument = "user_ids",
      list = true,
      url = "https://api.qiscus.com/api/v2.1/rest/get_user_unread_count?user_ids%5B%5D=@VALUE@",
    },
    {
      provider = "qiscus",
      method = "get_user_list",
      argument = "order_query",
      arguments = { page = 1 },
      url = "https://api.qiscus.com/api/v2.1/rest/get_user_list?page=1&order_query=@VALUE@",
    },
  },
  body = {
    {
      provider = "ertc",
      method = "get_or_update_user_by_app_id",
      argument = "app_user_id",
      body = '{"appUserId":@VALUE@}',
    },
    {
      provider = "ertc",
      method = "get_chat_user_details",
      argument = "app_user_ids",
      list = true,
      arguments = { ertc_user_id = "user-1", status_keys = { "blockedStatus" } },
      body = '{"appUserIds":[@VALUE@],"statusKeys":["blockedStatus"]}',
    },
    {
      provider = "smooch",
      method = "pre_create_app_user",
      argument = "user_id",
      arguments = { surname = "Brule" },
      body = '{"userId":@VALUE@,"surname":"Brule"}',
    },
    {
      provider = "qiscus",
      method = "login_or_register",
      argument = "username",
      arguments = { user_id = "bob" },
      body = '{"user_id":"bob","username":@VALUE@}',
    },
  },
  -- A free table that `holds` the value under a key, or has it for a `key`: a string is written as
  -- any other string is, a number as a number.
  free = {
    {
      provider = "ertc",
      method = "update_user_by_ertc_user_id",
      argument = "notification_settings",
      holds = "key",
      arguments = { ertc_user_id = "user-1" },
      body = '{"notificationSettings":{"key":@VALUE@}}',
    },
    {
      provider = "smooch",
      method = "update_app_user",
      argument = "properties",
      key = true,
      arguments = { user_id = "bob" },
      body = '{"properties":{@VALUE@:true}}',
    },
    {
      provider = "qiscus",
      method = "login_or_register",
      argument = "extras",
      holds = "key",
      arguments = { user_id = "bob", username = "Bob" },
      body = '{"user_id":"bob","username":"Bob","extras":{"key":@VALUE@}}',
    },
  },
  form = {
    {
      provider = "smooch",
      method = "post_image_message",
      argument = "text",
      arguments = {
        user_id = "bob",
        role = "appMaker",
        source = { data = "GIF89a", filename = "cat.gif" },
      },
      body = "--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="source"; filename="cat.gif"\r\n'
        .. "Content-Type: image/gif\r\n"
        .. "\r\n"
        .. "GIF89a"
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="role"\r\n'
        .. "\r\n"
        .. "appMaker"
        .. "\r\n--@BOUNDARY@\r\n"
        .. 'Content-Disposition: form-data; name="text"\r\n'
        .. "\r\n"
        .. "@VALUE@"
        .. "\r\n--@BOUNDARY@--\r\n",
    },
  },
  header = {
    {
      provider = "ertc",
      method = "blocked_users",
      argument = "device_id",
      arguments = { ertc_user_id = "user-1" },
      header = "deviceid",
      text = "@VALUE@",
    },
  },
  -- Client options that are sent in a header. `header` is absent where the option is only part of
  -- what is signed: then there is only the refusal to see.
  credential = {
    {
      provider = "ertc",
      method = "reset_badge_count",
      option = "device_id",
      arguments = { ertc_user_id = "user-1" },
      header = "deviceid",
      text = "@VALUE@",
    },
    {
      provider = "ertc",
      method = "reset_badge_count",
      option = "access_token",
      arguments = { ertc_user_id = "user-1" },
      header = "Authorization",
      text = "Bearer @VALUE@",
    },
    {
      provider = "ertc",
      method = "refresh_auth_token",
      option = "refresh_token",
      arguments = { ertc_user_id = "user-1" },
      header = "Authorization",
      text = "Bearer @VALUE@",
    },
    {
      provider = "ertc",
      method = "reset_badge_count",
      option = "api_key",
      arguments = { ertc_user_id = "user-1" },
    },
    {
      provider = "smooch",
      method = "get_app_user",
      option = "jwt",
      without = { "key_id", "secret" },
      arguments = { user_id = "bob" },
      header = "Authorization",
      text = "Bearer @VALUE@",
    },
    {
      provider = "smooch",
      method = "get_app_user",
      option = "key_id",
      arguments = { user_id = "bob" },
    },
    {
      provider = "smooch",
      method = "get_app_user",
      option = "secret",
      arguments = { user_id = "bob" },
    },
    {
      provider = "vchatcloud",
      method = "list_users",
      option = "api_key",
      arguments = { room_id = "room-1" },
      header = "API_KEY",
      text = "@VALUE@",
    },
    {
      provider = "vchatcloud",
      method = "list_users",
      option = "token",
      arguments = { room_id = "room-1" },
      header = "X-AUTH-TOKEN",
      text = "@VALUE@",
    },
    {
      provider = "qiscus",
      method = "user_profile",
      option = "app_id",
      arguments = { user_id = "bob" },
      header = "QISCUS-SDK-APP-ID",
      text = "@VALUE@",
    },
    {
      provider = "qiscus",
      method = "user_profile",
      option = "secret",
      arguments = { user_id = "bob" },
      header = "QISCUS-SDK-SECRET",
      text = "@VALUE@",
    },
  },
}

return M
