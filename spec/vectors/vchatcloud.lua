-- What every VChatCloud method puts on the wire, and what its answers become. Data only:
-- vectors_spec.lua turns the rows into specs. A header table is complete; "@VERSION@" stands for
-- usher._VERSION. The client has a token, so nothing but issue_token itself asks for one.

local null = require("cjson").null

local API = "https://vchatcloud.com/openapi/v1"

-- The same for every verb: POST and PUT have an empty body, which has no type.
local authorized = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["API_KEY"] = "test-api-key",
  ["X-AUTH-TOKEN"] = "test-token",
}

local with_form = {
  ["Accept"] = "application/json",
  ["User-Agent"] = "usher/@VERSION@",
  ["Content-Type"] = "application/x-www-form-urlencoded",
  ["API_KEY"] = "test-api-key",
  ["X-AUTH-TOKEN"] = "test-token",
}

local json = { ["content-type"] = "application/json;charset=UTF-8" }
local done = { status = 200, headers = json, body = '{"result_cd":1,"result_msg":""}' }
local done_result = { result_cd = 1, result_msg = "" }

local M = {}

M.client = {
  api_key = "test-api-key",
  token = "test-token",
  clock = 1700000000,
  random = 0.5,
}

M.cases = {
  {
    method = "list_users",
    name = "lists the users of a room",
    arguments = { room_id = "room-1" },
    request = { method = "GET", url = API .. "/users/room-1", headers = authorized },
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":1,"result_msg":"","list":[{"roomId":"room-1","clientKey":"key-1",'
        .. '"nickName":"길동","grade":"user"},{"roomId":"room-1","clientKey":"key-2",'
        .. '"nickName":"kim \\ud83d\\ude00","grade":"userManager","new":null}]}',
    },
    result = {
      result_cd = 1,
      result_msg = "",
      list = {
        { roomId = "room-1", clientKey = "key-1", nickName = "길동", grade = "user" },
        {
          roomId = "room-1",
          clientKey = "key-2",
          nickName = "kim 😀",
          grade = "userManager",
          new = null,
        },
      },
    },
  },
  {
    method = "list_users",
    name = "takes a number for an id and a base_url with a path",
    client = { base_url = "https://proxy.example/chat" },
    arguments = { room_id = 1004 },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/openapi/v1/users/1004",
      headers = authorized,
    },
  },
  {
    method = "list_users",
    name = "does not double the slash of a base_url that ends in one",
    client = { base_url = "https://proxy.example/chat/" },
    arguments = { room_id = "room-1" },
    request = {
      method = "GET",
      url = "https://proxy.example/chat/openapi/v1/users/room-1",
      headers = authorized,
    },
  },
  {
    method = "list_users",
    name = "takes a result_cd other than 1 for an error, although the status is 200",
    arguments = { room_id = "room-1" },
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":10102,"result_msg":"채팅방이 존재하지 않습니다."}',
    },
    error = {
      kind = "api",
      status = 200,
      code = 10102,
      message = "채팅방이 존재하지 않습니다.",
    },
  },
  {
    method = "list_users",
    name = "takes a result_cd of 0 for an error",
    arguments = { room_id = "room-1" },
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":0,"result_msg":"system error","list":[]}',
    },
    error = { kind = "api", status = 200, code = 0, message = "system error" },
  },
  {
    method = "list_users",
    name = "reports a success whose body is not JSON",
    arguments = { room_id = "room-1" },
    response = {
      status = 200,
      headers = { ["content-type"] = "text/html" },
      body = "<html><body>Maintenance</body></html>",
    },
    error = { kind = "decode", status = 200 },
  },
  {
    method = "list_exiled_users",
    name = "lists the exiled users of a room, whichever date they carry",
    arguments = { room_id = "room/1" },
    request = { method = "GET", url = API .. "/exiles/room%2F1", headers = authorized },
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":1,"result_msg":"","list":[{"clientKey":"key-1","nickName":"kim",'
        .. '"exileDate":"20240102030405"},{"clientKey":"key-2","nickName":"lee",'
        .. '"muteDate":"20240102030405"}]}',
    },
    result = {
      result_cd = 1,
      result_msg = "",
      list = {
        { clientKey = "key-1", nickName = "kim", exileDate = "20240102030405" },
        { clientKey = "key-2", nickName = "lee", muteDate = "20240102030405" },
      },
    },
  },
  {
    method = "exile_user",
    name = "posts an empty body",
    arguments = { room_id = "room-1", client_key = "key 1" },
    request = {
      method = "POST",
      url = API .. "/exiles/room-1/key%201",
      headers = authorized,
      body = "",
    },
    response = done,
    result = done_result,
  },
  {
    method = "exile_user",
    name = "reads the envelope of an answer with an error status too",
    arguments = { room_id = "room-1", client_key = "key-1" },
    response = {
      status = 400,
      headers = json,
      body = '{"result_cd":10901,"result_msg":"required parameter missing"}',
    },
    error = {
      kind = "http",
      status = 400,
      code = 10901,
      message = "required parameter missing",
    },
  },
  {
    method = "cancel_exile",
    name = "puts an empty body to the path of the exile",
    arguments = { room_id = "room-1", client_key = "a/../b" },
    request = {
      method = "PUT",
      url = API .. "/exiles/room-1/a%2F..%2Fb",
      headers = authorized,
      body = "",
    },
    response = done,
    result = done_result,
  },
  {
    method = "list_muted_users",
    name = "takes an answer without a result_cd for a success",
    arguments = { room_id = "room-1" },
    request = { method = "GET", url = API .. "/mute/room-1", headers = authorized },
    response = {
      status = 200,
      headers = json,
      body = '{"list":[{"clientKey":"key-1","nickName":"kim","muteDate":"20240102030405"}]}',
    },
    result = {
      list = { { clientKey = "key-1", nickName = "kim", muteDate = "20240102030405" } },
    },
  },
  {
    method = "mute_user",
    name = "posts an empty body",
    arguments = { room_id = "room-1", client_key = "key-1" },
    request = {
      method = "POST",
      url = API .. "/mute/room-1/key-1",
      headers = authorized,
      body = "",
    },
    response = done,
    result = done_result,
  },
  {
    method = "mute_user",
    name = "reports an error status whose body is not JSON",
    arguments = { room_id = "room-1", client_key = "key-1" },
    response = {
      status = 404,
      headers = { ["content-type"] = "text/html" },
      body = "<html><body>Not Found</body></html>",
    },
    error = { kind = "http", status = 404 },
  },
  {
    method = "cancel_mute",
    name = "puts an empty body to the path of the mute",
    arguments = { room_id = "room-1", client_key = "key-1" },
    request = {
      method = "PUT",
      url = API .. "/mute/room-1/key-1",
      headers = authorized,
      body = "",
    },
    response = done,
    result = done_result,
  },
  {
    method = "issue_token",
    name = "sends the key and not the token it already has",
    arguments = {},
    request = {
      method = "GET",
      url = "https://vchatcloud.com/openapi/token",
      headers = {
        ["Accept"] = "application/json",
        ["User-Agent"] = "usher/@VERSION@",
        ["API_KEY"] = "test-api-key",
      },
    },
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":1,"result_msg":"","data":{"X-AUTH-TOKEN":"a.b.c"}}',
    },
    result = { result_cd = 1, result_msg = "", data = { ["X-AUTH-TOKEN"] = "a.b.c" } },
  },
  {
    method = "issue_token",
    name = "reports a key that the provider refuses",
    arguments = {},
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":400,"result_msg":"bad request"}',
    },
    error = { kind = "api", status = 200, code = 400, message = "bad request" },
  },
  {
    method = "send_notice",
    name = "sends a form",
    arguments = { room_id = "room-1", nick_name = "운영자 & co", notice = "a=b c~d*" },
    request = {
      method = "POST",
      url = API .. "/notice/room-1",
      headers = with_form,
      body = "nickName=%EC%9A%B4%EC%98%81%EC%9E%90%20%26%20co&notice=a%3Db%20c~d%2A",
    },
    response = done,
    result = done_result,
  },
  {
    method = "send_notice",
    name = "counts characters, not bytes",
    arguments = { room_id = "room-1", nick_name = ("가"):rep(50), notice = ("나"):rep(100) },
    request = {
      method = "POST",
      url = API .. "/notice/room-1",
      headers = with_form,
      body = "nickName=" .. ("%EA%B0%80"):rep(50) .. "&notice=" .. ("%EB%82%98"):rep(100),
    },
  },
  {
    method = "list_rooms",
    name = "lists the rooms of the account, whose numbers are strings",
    arguments = {},
    request = {
      method = "GET",
      url = "https://vchatcloud.com/openapi/v2/rooms",
      headers = authorized,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":1,"list":[{"roomId":"room-1","roomName":"Lobby","maxUser":"100",'
        .. '"joinCount":"30","roomStatus":"active","roomType":"01"}]}',
    },
    result = {
      result_cd = 1,
      list = {
        {
          roomId = "room-1",
          roomName = "Lobby",
          maxUser = "100",
          joinCount = "30",
          roomStatus = "active",
          roomType = "01",
        },
      },
    },
  },
  {
    method = "get_room",
    name = "reads a room",
    arguments = { room_id = "a/b" },
    request = {
      method = "GET",
      url = "https://vchatcloud.com/openapi/v2/rooms/a%2Fb",
      headers = authorized,
    },
    response = {
      status = 200,
      headers = json,
      body = '{"result_cd":1,"data":{"roomId":"a/b","roomName":"Lobby"}}',
    },
    result = { result_cd = 1, data = { roomId = "a/b", roomName = "Lobby" } },
  },
}

M.refusals = {
  {
    method = "mute_user",
    name = "with everything missing, all reported at once",
    arguments = {},
    mentions = { "room_id", "client_key" },
  },
  {
    method = "exile_user",
    name = "with dots for an id",
    arguments = { room_id = "..", client_key = "." },
    mentions = { "room_id", "client_key" },
  },
  {
    method = "cancel_mute",
    name = "with a misspelt argument, naming the nearest one",
    arguments = { room_id = "room-1", client_kee = "key-1" },
    mentions = { "client_kee", "client_key" },
  },
  {
    method = "send_notice",
    name = "with texts that are too long, counted in characters",
    arguments = {
      room_id = "room-1",
      nick_name = ("가"):rep(51),
      notice = ("나"):rep(101),
    },
    mentions = { "nick_name", "50 characters", "notice", "100 characters" },
  },
  {
    method = "send_notice",
    name = "with a character too many, of one byte",
    arguments = { room_id = "room-1", nick_name = ("a"):rep(51), notice = ("b"):rep(101) },
    mentions = { "nick_name", "50 characters", "notice", "100 characters" },
  },
  {
    method = "list_users",
    name = "with a boolean for an id",
    arguments = { room_id = true },
    mentions = { "room_id" },
  },
}

return M
