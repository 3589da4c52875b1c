-- What every Qiscus method puts on the wire, and what its answers become. Data only:
-- vectors_spec.lua turns the rows into specs. A header table is complete; "@VERSION@" stands for
-- usher._VERSION.

local null = require("cjson").null

local API = "https://api.qiscus.com/api/v2.1/rest"

local with_body = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["QISCUS-SDK-APP-ID"] = "app-test",
  ["QISCUS-SDK-SECRET"] = "test-secret",
  ["Content-Type"] = "application/json",
}

local without_body = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["QISCUS-SDK-APP-ID"] = "app-test",
  ["QISCUS-SDK-SECRET"] = "test-secret",
}

local json = { ["content-type"] = "application/json" }

local M = {}

M.client = {
  app_id = "app-test",
  secret = "test-secret",
  clock = 1700000000,
  random = 0.5,
}

M.cases = {
  {
    method = "login_or_register",
    name = "sends only what is required when only that is given",
    arguments = { user_id = "bob@example.com", username = "Bob" },
    request = {
      method = "POST",
      url = API .. "/login_or_register",
      headers = with_body,
      body = '{"user_id":"bob@example.com","username":"Bob"}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"user":{"user_id":"bob@example.com","username":"Bob \\ub2d8",'
        .. '"avatar_url":null,"active":true,"extras":{}}},"status":200}',
    },
    result = {
      results = {
        user = {
          user_id = "bob@example.com",
          username = "Bob 님",
          avatar_url = null,
          active = true,
          extras = {},
        },
      },
      status = 200,
    },
  },
  {
    method = "login_or_register",
    name = "writes every member in the order of the table and sorts free keys",
    arguments = {
      extras = { role = "guest", age = 42, ["A/b"] = { 1, 2.5 }, none = null },
      avatar_url = "https://example.com/a.png?x=1&y=2",
      username = "김철수 \"철\"",
      password = "p/ss\\word\r\n",
      user_id = "bob@example.com",
    },
    request = {
      method = "POST",
      url = API .. "/login_or_register",
      headers = with_body,
      body = '{"user_id":"bob@example.com","password":"p/ss\\\\word\\r\\n",'
        .. '"username":"김철수 \\"철\\"","avatar_url":"https://example.com/a.png?x=1&y=2",'
        .. '"extras":{"A/b":[1,2.5],"age":42,"none":null,"role":"guest"}}',
    },
  },
  {
    method = "login_or_register",
    name = "spells the headers with underscores when asked to",
    client = { header_style = "underscore" },
    arguments = { user_id = "bob", username = "Bob", avatar_url = null, extras = {} },
    request = {
      method = "POST",
      url = API .. "/login_or_register",
      headers = {
        ["Accept"] = "application/json",
        ["User-Agent"] = "usher/@VERSION@",
        ["QISCUS_SDK_APP_ID"] = "app-test",
        ["QISCUS_SDK_SECRET"] = "test-secret",
        ["Content-Type"] = "application/json",
      },
      body = '{"user_id":"bob","username":"Bob","avatar_url":null,"extras":{}}',
    },
  },
  {
    method = "login_or_register",
    name = "takes a status in the body for an error, with its message",
    arguments = { user_id = "bob", username = "Bob" },
    response = {
      status = 200,
      headers = json,
      body = '{"error":{"message":"Unauthorized","detailed_messages":["never shown"]},'
        .. '"status":401}',
    },
    error = { kind = "api", status = 200, message = "Unauthorized" },
  },
  {
    method = "user_profile",
    name = "sends the id in the query, encoded",
    arguments = { user_id = "bob+1@example.com" },
    request = {
      method = "GET",
      url = API .. "/user_profile?user_id=bob%2B1%40example.com",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"user":{"user_id":"bob","username":"Bob",'
        .. '"avatar_url":"https://example.com/a.png"}},"status":200}',
    },
    result = {
      results = {
        user = { user_id = "bob", username = "Bob", avatar_url = "https://example.com/a.png" },
      },
      status = 200,
    },
  },
  {
    method = "user_profile",
    name = "spells the headers with hyphens when that is spelt out",
    client = { header_style = "hyphen" },
    arguments = { user_id = 42 },
    request = {
      method = "GET",
      url = API .. "/user_profile?user_id=42",
      headers = without_body,
    },
  },
  {
    method = "user_profile",
    name = "appends the path to a base_url with a path",
    client = { base_url = "https://proxy.example/chat" },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/api/v2.1/rest/user_profile?user_id=bob",
      headers = without_body,
    },
  },
  {
    method = "user_profile",
    name = "does not double the slash of a base_url that ends in one",
    client = { base_url = "https://proxy.example/chat/" },
    arguments = { user_id = "bob" },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/api/v2.1/rest/user_profile?user_id=bob",
      headers = without_body,
    },
  },
  {
    method = "user_profile",
    name = "falls back to the first detailed message",
    arguments = { user_id = "bob" },
    response = {
      status = 200,
      headers = json,
      body = '{"error":{"detailed_messages":["User not found","never shown"]},"status":404}',
    },
    error = { kind = "api", status = 200, message = "User not found" },
  },
  {
    method = "user_profile",
    name = "falls back to the first detailed message when the message is null",
    arguments = { user_id = "bob" },
    response = {
      status = 201,
      headers = json,
      body = '{"error":{"message":null,"detailed_messages":["User not found"]},"status":400}',
    },
    error = { kind = "api", status = 201, message = "User not found" },
  },
  {
    method = "user_profile",
    name = "survives an error that is a plain string",
    arguments = { user_id = "bob" },
    response = { status = 200, headers = json, body = '{"error":"nope","status":422}' },
    error = { kind = "api", status = 200 },
  },
  {
    method = "user_profile",
    name = "reads the envelope of an answer with an error status too",
    arguments = { user_id = "bob" },
    response = {
      status = 400,
      headers = json,
      body = '{"error":{"message":"user not found"},"status":400}',
    },
    error = { kind = "http", status = 400, message = "user not found" },
  },
  {
    method = "user_profile",
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
    method = "get_unread_users",
    name = "has no query when nothing is given",
    arguments = {},
    request = { method = "GET", url = API .. "/get_unread_users", headers = without_body },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"user_ids":["bob","김"]},"status":200}',
    },
    result = { results = { user_ids = { "bob", "김" } }, status = 200 },
  },
  {
    method = "get_unread_users",
    name = "writes the query in the order of the table",
    arguments = {
      end_time = "2023-11-15 00:00:00",
      start_time = "2023-11-14 22:13:20",
      limit = 100,
      page = 2.0,
    },
    request = {
      method = "GET",
      url = API .. "/get_unread_users?page=2&limit=100&start_time=2023-11-14%2022%3A13%3A20"
        .. "&end_time=2023-11-15%2000%3A00%3A00",
      headers = without_body,
    },
  },
  {
    method = "get_unread_users",
    name = "takes the smallest limit",
    arguments = { limit = 1 },
    request = { method = "GET", url = API .. "/get_unread_users?limit=1", headers = without_body },
  },
  {
    method = "get_user_unread_count",
    name = "repeats the bracketed key for every id",
    arguments = { user_ids = { "bob", "al ice&x=1", 42, "김" } },
    request = {
      method = "GET",
      url = API .. "/get_user_unread_count?user_ids%5B%5D=bob&user_ids%5B%5D=al%20ice%26x%3D1"
        .. "&user_ids%5B%5D=42&user_ids%5B%5D=%EA%B9%80",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"user_unread_count":[{"user_id":"bob","unread_count":3}]},"status":200}',
    },
    result = {
      results = { user_unread_count = { { user_id = "bob", unread_count = 3 } } },
      status = 200,
    },
  },
  {
    method = "get_user_unread_count",
    name = "writes the query in the order of the table",
    arguments = {
      end_time = "2023-11-15 00:00:00",
      start_time = "2023-11-14 22:13:20",
      user_ids = { "bob" },
    },
    request = {
      method = "GET",
      url = API .. "/get_user_unread_count?user_ids%5B%5D=bob"
        .. "&start_time=2023-11-14%2022%3A13%3A20&end_time=2023-11-15%2000%3A00%3A00",
      headers = without_body,
    },
  },
  {
    method = "get_user_list",
    name = "has no query when nothing is given",
    arguments = {},
    request = { method = "GET", url = API .. "/get_user_list", headers = without_body },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"meta":{"total_data":3147,"total_page":1573},"users":['
        .. '{"id":123456789,"email":"bob","name":"Bob"},{"id":2,"email":"al","name":"Al"}]},'
        .. '"status":200}',
    },
    result = {
      results = {
        meta = { total_data = 3147, total_page = 1573 },
        users = {
          { id = 123456789, email = "bob", name = "Bob" },
          { id = 2, email = "al", name = "Al" },
        },
      },
      status = 200,
    },
  },
  {
    method = "get_user_list",
    name = "writes the query in the order of the table",
    arguments = {
      show_all = true,
      order_query = "created_at desc nulls last",
      limit = 20,
      page = 1,
    },
    request = {
      method = "GET",
      url = API .. "/get_user_list?page=1&limit=20&order_query=created_at%20desc%20nulls%20last"
        .. "&show_all=true",
      headers = without_body,
    },
  },
  {
    method = "get_user_list",
    name = "sends a false that is given",
    arguments = { show_all = false },
    request = {
      method = "GET",
      url = API .. "/get_user_list?show_all=false",
      headers = without_body,
    },
  },
  {
    method = "get_user_token",
    name = "reads the token of a user",
    arguments = { user_id = "bob@example.com" },
    request = {
      method = "GET",
      url = API .. "/get_user_token?user_id=bob%40example.com",
      headers = without_body,
    },
    response = { status = 200, headers = json, body = '{"results":{"token":"t-1"},"status":200}' },
    result = { results = { token = "t-1" }, status = 200 },
  },
  {
    method = "reset_user_token",
    name = "asks for a new token",
    arguments = { user_id = "bob@example.com" },
    request = {
      method = "POST",
      url = API .. "/reset_user_token",
      headers = with_body,
      body = '{"user_id":"bob@example.com"}',
    },
    response = { status = 200, headers = json, body = '{"results":{"token":"t-2"},"status":200}' },
    result = { results = { token = "t-2" }, status = 200 },
  },
  {
    method = "deactivate_users",
    name = "sends a DELETE with a body",
    arguments = { user_ids = { "a@example.com", "b@example.com" } },
    request = {
      method = "DELETE",
      url = API .. "/deactivate_users",
      headers = with_body,
      body = '{"user_ids":["a@example.com","b@example.com"]}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"message":"success"},"status":200}',
    },
    result = { results = { message = "success" }, status = 200 },
  },
  {
    method = "reactivate_users",
    name = "names the users",
    arguments = { user_ids = { "a@example.com" } },
    request = {
      method = "POST",
      url = API .. "/reactivate_users",
      headers = with_body,
      body = '{"user_ids":["a@example.com"]}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"message":"success"},"status":200}',
    },
    result = { results = { message = "success" }, status = 200 },
  },
  {
    method = "get_room_participants",
    name = "asks for a page of a room",
    arguments = { room_id = "457", page = 2, limit = 50 },
    request = {
      method = "GET",
      url = API .. "/get_room_participants?room_id=457&page=2&limit=50",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"participants":[{"avatar_url":"https://a.example/1.png","extras":{},'
        .. '"user_id":"a@example.com","username":"A"}]},"status":200}',
    },
    result = {
      results = {
        participants = {
          {
            avatar_url = "https://a.example/1.png",
            extras = {},
            user_id = "a@example.com",
            username = "A",
          },
        },
      },
      status = 200,
    },
  },
  {
    method = "add_room_participants",
    name = "names the room and the users",
    arguments = { room_id = 457, user_ids = { "a@example.com" } },
    request = {
      method = "POST",
      url = API .. "/add_room_participants",
      headers = with_body,
      body = '{"room_id":"457","user_ids":["a@example.com"]}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"participants_added":[{"user_id":"a@example.com"}]},"status":200}',
    },
    result = { results = { participants_added = { { user_id = "a@example.com" } } }, status = 200 },
  },
  {
    method = "remove_room_participants",
    name = "names the room and the users",
    arguments = { room_id = "457", user_ids = { "a@example.com" } },
    request = {
      method = "POST",
      url = API .. "/remove_room_participants",
      headers = with_body,
      body = '{"room_id":"457","user_ids":["a@example.com"]}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"participants_removed":[]},"status":200}',
    },
    result = { results = { participants_removed = {} }, status = 200 },
  },
  {
    method = "post_comment",
    name = "sends all there is, in the order of the table",
    arguments = {
      user_id = "a@example.com",
      room_id = "457",
      message = "안녕",
      type = "custom",
      payload = { type = "promo", content = { n = 1 } },
      extras = { k = "v" },
    },
    request = {
      method = "POST",
      url = API .. "/post_comment",
      headers = with_body,
      body = '{"user_id":"a@example.com","room_id":"457","message":"안녕","type":"custom",'
        .. '"payload":{"content":{"n":1},"type":"promo"},"extras":{"k":"v"}}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"comment":{"message":"안녕","payload":null,"type":"text",'
        .. '"timestamp":"2018-03-12T08:11:31Z"}},"status":200}',
    },
    result = {
      results = {
        comment = {
          message = "안녕",
          payload = null,
          type = "text",
          timestamp = "2018-03-12T08:11:31Z",
        },
      },
      status = 200,
    },
  },
  {
    method = "post_system_event_message",
    name = "sends all there is, in the order of the table",
    arguments = {
      system_event_type = "custom",
      room_id = "2110",
      subject_user_id = "guest99@example.com",
      object_user_id = "bob@example.com",
      message = "Admin is being set!",
      payload = { type = "add_admin" },
      extras = {},
    },
    request = {
      method = "POST",
      url = API .. "/post_system_event_message",
      headers = with_body,
      body = '{"system_event_type":"custom","room_id":"2110",'
        .. '"subject_user_id":"guest99@example.com","object_user_id":"bob@example.com",'
        .. '"message":"Admin is being set!","payload":{"type":"add_admin"},"extras":{}}',
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"comment":{"message":"Admin is being set!","type":"system_event"}},'
        .. '"status":200}',
    },
    result = {
      results = { comment = { message = "Admin is being set!", type = "system_event" } },
      status = 200,
    },
  },
  {
    method = "load_comments",
    name = "asks for a page of a room",
    arguments = { room_id = "457", page = 1, limit = 20 },
    request = {
      method = "GET",
      url = API .. "/load_comments?room_id=457&page=1&limit=20",
      headers = without_body,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"results":{"comments":[{"message":"hi","type":"text","payload":null,'
        .. '"user":{"user_id":"a@example.com"}}]},"status":200}',
    },
    result = {
      results = {
        comments = {
          {
            message = "hi",
            type = "text",
            payload = null,
            user = { user_id = "a@example.com" },
          },
        },
      },
      status = 200,
    },
  },
}

M.refusals = {
  {
    method = "get_unread_users",
    name = "with a limit above its range",
    arguments = { limit = 101 },
    mentions = { "limit" },
  },
  {
    method = "get_unread_users",
    name = "with a limit below its range",
    arguments = { limit = 0 },
    mentions = { "limit" },
  },
  {
    method = "get_user_list",
    name = "with a fraction for an integer",
    arguments = { page = 1.5 },
    mentions = { "page" },
  },
  {
    method = "get_user_unread_count",
    name = "with a string where a list belongs",
    arguments = { user_ids = "bob" },
    mentions = { "user_ids" },
  },
  {
    method = "login_or_register",
    name = "with several problems, all reported at once",
    arguments = { user_name = "Bob", extras = "none", avatar_url = 1.5 },
    mentions = { "user_id", "user_name", "username", "extras", "avatar_url" },
  },
}

return M
