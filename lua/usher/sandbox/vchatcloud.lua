-- VChatCloud's open API: the token call, the seven user operations, rooms and notices.
--
-- State: rooms[room_id] = { room_id, order = { client keys }, people = { [client_key] =
--     { client_key, nick_name, grade, connected = boolean, exiled_at, muted_at } } }, Unix seconds,
--   room_order = { room ids }, tokens[token] = when it expires, for those that still count.

local check = require("usher.sandbox.check")
local core = require("usher.core")
local dates = require("usher.sandbox.dates")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local jwt = require("usher.sandbox.jwt")
local people = require("usher.sandbox.people")
local route = require("usher.sandbox.route")

local M = { name = "vchatcloud" }

local API_KEY = "test-vchatcloud-key"
local NO_SUCH_ROOM, NOT_CONNECTED, MISSING = 10102, 10107, 10901

local function succeed(name, value)
  return http.reply(200, json.object("result_cd", 1, "result_msg", "", name, value))
end

-- What is wrong with a room or a user is told in result_cd. That the HTTP status is 200 then, and
-- that it equals result_cd otherwise, is the likeliest reading of "both describe the outcome".
local function refuse(code, message)
  return http.reply(code < 600 and code or 200,
    json.object("result_cd", code, "result_msg", message))
end

function M.authorize(context)
  local key, token = context.headers.api_key, context.headers["x-auth-token"]
  if not key then return refuse(401, "API_KEY header is missing") end
  if not core.equal(key, API_KEY) then return refuse(401, "API_KEY is not valid") end
  if context.route.access == "key" then return nil end
  if not token then return refuse(401, "X-AUTH-TOKEN header is missing") end
  if (context.state.tokens[token] or 0) <= context.now then
    return refuse(401, "X-AUTH-TOKEN is not valid or has expired")
  end
end

local function issue_token(context)
  local box, now = context.box, math.floor(context.now)
  local expiry = now + box.token_lifetime
  local token = jwt.sign(json.object("aud", API_KEY, "iat", now, "exp", expiry,
    "jti", box:unique("vchatcloud token", 16)), box:signing_key("vchatcloud"))
  context.state.tokens[token] = expiry
  return succeed("data", json.object("X-AUTH-TOKEN", token))
end

local function in_room(handler)
  return function(context)
    local room = context.state.rooms[context.parameters.roomId]
    if not room then return refuse(NO_SUCH_ROOM, "The chat room does not exist") end
    return handler(context, room)
  end
end

-- Acting twice succeeds twice: nothing says otherwise, and a repeated call must be safe. Somebody
-- who left or was exiled is still known to the room.
local function on_person(act)
  return in_room(function(context, room)
    local person = room.people[context.parameters.clientKey]
    if not person then return refuse(NOT_CONNECTED, "The user is not connected") end
    act(person, context.now)
    return succeed()
  end)
end

local function exile(person, now)
  person.exiled_at = person.exiled_at or now
  person.connected = false
end

-- Lifting the exile lets a user come back; it does not bring them back.
local function cancel_exile(person)
  person.exiled_at = nil
end

local function mute(person, now)
  person.muted_at = person.muted_at or now
end

local function cancel_mute(person)
  person.muted_at = nil
end

local function listing(room, picks, view)
  local picked = {}
  for _, key in ipairs(room.order) do
    local person = room.people[key]
    if picks(person) then picked[#picked + 1] = person end
  end
  return json.list(picked, view)
end

local function user_list(_, room)
  return succeed("list", listing(room, function(person) return person.connected end,
    function(person)
      return json.object("clientKey", person.client_key, "nickName", person.nick_name,
        "grade", person.grade, "roomId", room.room_id)
    end))
end

-- exiled_at -> exileDate as the table has it; its example says muteDate. muted_at -> muteDate.
local function dated_list(member, wire_name)
  return function(_, room)
    return succeed("list", listing(room, function(person) return person[member] end,
      function(person)
        return json.object("clientKey", person.client_key, "nickName", person.nick_name,
          wire_name, dates.compact(person[member]))
      end))
  end
end

local function characters(text)
  return #text:gsub("[\128-\191]", "")
end

local function send_notice(context, room)
  if http.media_type(context.headers["content-type"]) ~= "application/x-www-form-urlencoded" then
    return refuse(MISSING, "The body is not a form")
  end
  local form = http.query(context.request.body) or {}
  local nick_name, notice = http.first(form, "nickName"), http.first(form, "notice")
  if (nick_name or "") == "" or (notice or "") == "" then
    return refuse(MISSING, "nickName and notice are required")
  elseif characters(nick_name) > 50 or characters(notice) > 100 then
    return refuse(MISSING, "nickName or notice is too long")
  end
  table.insert(room.notices, { nick_name = nick_name, notice = notice })
  return succeed()
end

local function room_view(room)
  local joined = 0
  for _, person in pairs(room.people) do joined = joined + (person.connected and 1 or 0) end
  return json.object("roomId", room.room_id, "roomName", room.room_id, "maxUser", "100",
    "joinCount", tostring(joined), "roomStatus", "active", "roomType", "01")
end

local function list_rooms(context)
  return succeed("list", json.list(context.state.room_order, function(room_id)
    return room_view(context.state.rooms[room_id])
  end))
end

local function get_room(_, room)
  return succeed("data", room_view(room))
end

local EXILES, MUTE = "/openapi/v1/exiles/{roomId}", "/openapi/v1/mute/{roomId}"

M.routes = route.compile({
  { "GET", "/openapi/token", "issue_token", issue_token, "key" },
  { "GET", "/openapi/v1/users/{roomId}", "list_users", in_room(user_list) },
  { "GET", EXILES, "list_exiled_users", in_room(dated_list("exiled_at", "exileDate")) },
  { "POST", EXILES .. "/{clientKey}", "exile_user", on_person(exile) },
  { "PUT", EXILES .. "/{clientKey}", "cancel_exile", on_person(cancel_exile) },
  { "GET", MUTE, "list_muted_users", in_room(dated_list("muted_at", "muteDate")) },
  { "POST", MUTE .. "/{clientKey}", "mute_user", on_person(mute) },
  { "PUT", MUTE .. "/{clientKey}", "cancel_mute", on_person(cancel_mute) },
  { "POST", "/openapi/v1/notice/{roomId}", "send_notice", in_room(send_notice) },
  { "GET", "/openapi/v2/rooms", "list_rooms", list_rooms },
  { "GET", "/openapi/v2/rooms/{roomId}", "get_room", in_room(get_room) },
})

function M.no_route(context)
  if context.other_verb then return refuse(405, "Request method is not supported") end
  return refuse(404, "Not found")
end

function M.failure(status)
  return refuse(status, "Sandbox fault")
end

local function person_of(box, room_id, user)
  if type(user) == "string" then user = { nick_name = user } end
  check.options("box:seed_room", user,
    { "nick_name", "nickName", "client_key", "clientKey", "grade" }, 5)
  return {
    client_key = user.client_key or user.clientKey or box:unique("client of " .. room_id, 16),
    nick_name = user.nick_name or user.nickName or "", grade = user.grade or "user",
    connected = true,
  }
end

function M.seed_room(box, state, room_id, users)
  if type(room_id) ~= "string" or type(users) ~= "table" then
    error("box:seed_room: expected a room id and a list of users", 3)
  end
  local room = { room_id = room_id, order = {}, people = {}, notices = {} }
  local keys = {}
  for i, user in ipairs(users) do
    local person = person_of(box, room_id, user)
    room.order[i], keys[i] = person.client_key, person.client_key
    room.people[person.client_key] = person
  end
  if not state.rooms[room_id] then state.room_order[#state.room_order + 1] = room_id end
  state.rooms[room_id] = room
  return keys
end

function M.new_state(box)
  local state = { rooms = {}, room_order = {}, tokens = {} }
  local users = {}
  for i, person in ipairs(people.room) do
    users[i] = { nick_name = person[1], grade = person[2] }
  end
  M.seed_room(box, state, "room-1", users)
  M.seed_room(box, state, "room-2", {})
  return state
end

function M.expire_tokens(state)
  state.tokens = {}
end

function M.credentials()
  return { options = { { "api_key", API_KEY } }, notes = { { "room_ids", "room-1,room-2" } } }
end

function M.snapshot(state)
  return json.object("rooms", json.list(state.room_order, function(room_id)
    local room = state.rooms[room_id]
    local people_here = json.list(room.order, function(key)
      local person = room.people[key]
      return json.object("clientKey", key, "nickName", person.nick_name, "grade", person.grade,
        "connected", person.connected, "exiled", person.exiled_at ~= nil,
        "muted", person.muted_at ~= nil)
    end)
    return json.object("roomId", room_id, "notices", #room.notices, "people", people_here)
  end))
end

return M
