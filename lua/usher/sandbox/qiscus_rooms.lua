-- Qiscus' rooms, their participants and messages, and the users' tokens. Users themselves are in
-- qiscus.lua.
--
-- State: rooms[room_id] = { room_id, name, participants = { user ids }, comments = { {...} } },
--   room_order = { ids }; a user has `token`.

local check = require("usher.sandbox.check")
local dates = require("usher.sandbox.dates")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")

local M = {}

local LONGEST_MESSAGE = 4000
local FIRST_COMMENT = 1000

local function user_of(context, user_id)
  local user = context.state.users[user_id]
  if user and user.active then return user end
end

local function token_of(box, user)
  user.token = user.token or box:unique("qiscus token", 20)
  return user.token
end

local function get_user_token(context)
  local user = user_of(context, http.first(context.query, "user_id") or "")
  if not user then return context.refuse(404, "User not found") end
  return context.succeed(json.object("token", token_of(context.box, user)))
end

local function reset_user_token(context)
  local body, refusal = context.body_of(context, { { "user_id", "string", required = true } })
  if not body then return refusal end
  local user = user_of(context, body.user_id)
  if not user then return context.refuse(404, "User not found") end
  user.token = nil
  return context.succeed(json.object("token", token_of(context.box, user)))
end

-- What comes of ids that nobody has is not published: they are passed over.
local function set_active(is_active, message)
  return function(context)
    local body, refusal = context.body_of(context,
      { { "user_ids", "list of strings", required = true } })
    if not body then return refusal end
    for _, user_id in ipairs(body.user_ids) do
      local user = context.state.users[user_id]
      if user then user.active = is_active end
    end
    return context.succeed(json.object("message", message))
  end
end

local function person_view(context)
  return function(user_id)
    local user = context.state.users[user_id]
    return json.object("avatar_url", user.avatar_url, "extras", json.map(user.extras),
      "user_id", user_id, "username", user.username)
  end
end

local function room_of_query(context)
  local room = context.state.rooms[http.first(context.query, "room_id") or ""]
  if room then return room end
  return nil, context.refuse(404, "Room not found")
end

local function get_participants(context)
  local room, refusal = room_of_query(context)
  if not room then return refusal end
  local page, limit = context.page_of(context, 100)
  if not page then return limit end
  return context.succeed(json.object("participants",
    json.list(context.slice(room.participants, page, limit), person_view(context))))
end

local function position(list, value)
  for i, item in ipairs(list) do
    if item == value then return i end
  end
end

-- Changes the participants; `change` returns the ids that it changed.
local function changing(member, change)
  return function(context)
    local body, refusal = context.body_of(context, { { "room_id", "string", required = true },
      { "user_ids", "list of strings", required = true } })
    if not body then return refusal end
    local room = context.state.rooms[body.room_id]
    if not room then return context.refuse(404, "Room not found") end
    local changed = {}
    for _, user_id in ipairs(body.user_ids) do
      local is_changed = user_of(context, user_id) and change(room, user_id)
      if is_changed then changed[#changed + 1] = user_id end
    end
    return context.succeed(json.object(member, json.list(changed, person_view(context))))
  end
end

local function add(room, user_id)
  if position(room.participants, user_id) then return false end
  table.insert(room.participants, user_id)
  return true
end

local function remove(room, user_id)
  local at = position(room.participants, user_id)
  if at then table.remove(room.participants, at) end
  return at ~= nil
end

local function comment_view(context)
  return function(comment)
    local user = context.state.users[comment.user_id]
    return json.object("id", comment.id, "message", comment.message,
      "payload", comment.payload and json.map(comment.payload) or json.null,
      "timestamp", dates.milliseconds(comment.time), "type", comment.type,
      "user", user and json.object("avatar_url", user.avatar_url, "user_id", comment.user_id,
        "username", user.username) or json.null)
  end
end

local function post(context, room, fields)
  fields.id, fields.time = FIRST_COMMENT + #room.comments, context.now
  table.insert(room.comments, fields)
  return context.succeed(json.object("comment", comment_view(context)(fields)))
end

local function length_problem(text)
  if #text:gsub("[\128-\191]", "") > LONGEST_MESSAGE then return "is too long" end
end

local message = { "message", "string", check = length_problem }

local function post_comment(context)
  local body, refusal = context.body_of(context, { { "user_id", "string", required = true },
    { "room_id", "string", required = true }, message, { "type", "string" },
    { "payload", "object" }, { "extras", "object" } })
  if not body then return refusal end
  local room = context.state.rooms[body.room_id]
  if not room or not position(room.participants, body.user_id) then
    return context.refuse(404, "Room not found")
  end
  local type = check.given(body, "type") or "text"
  if type == "text" and (check.given(body, "message") or "") == "" then
    return context.refuse(400, "message is required")
  end
  return post(context, room, { user_id = body.user_id, type = type,
    message = check.given(body, "message") or "", payload = check.given(body, "payload") })
end

local function post_event(context)
  local body, refusal = context.body_of(context,
    { { "system_event_type", "string", required = true }, { "room_id", "string", required = true },
      { "subject_user_id", "string" }, { "object_user_id", "string" }, message,
      { "payload", "object" }, { "extras", "object" } })
  if not body then return refusal end
  local room = context.state.rooms[body.room_id]
  if not room then return context.refuse(404, "Room not found") end
  return post(context, room, { user_id = check.given(body, "subject_user_id"),
    type = "system_event", message = check.given(body, "message") or "",
    payload = check.given(body, "payload") })
end

-- The newest come first: what the documentation shows has too few messages to tell.
local function load_comments(context)
  local room, refusal = room_of_query(context)
  if not room then return refusal end
  local page, limit = context.page_of(context, 20)
  if not page then return limit end
  local newest = {}
  for i = #room.comments, 1, -1 do newest[#newest + 1] = room.comments[i] end
  return context.succeed(json.object("comments",
    json.list(context.slice(newest, page, limit), comment_view(context))))
end

--- The routes, for qiscus.lua.
-- @tparam string prefix
-- @tparam table shared `succeed`, `refuse`, `body_of`, `page_of`, `slice`
-- @treturn table rows of `route.compile`
function M.rows(prefix, shared)
  local rows = {
    { "GET", "get_user_token", get_user_token }, { "POST", "reset_user_token", reset_user_token },
    { "DELETE", "deactivate_users", set_active(false, "users deactivated") },
    { "POST", "reactivate_users", set_active(true, "users reactivated") },
    { "GET", "get_room_participants", get_participants },
    { "POST", "add_room_participants", changing("participants_added", add) },
    { "POST", "remove_room_participants", changing("participants_removed", remove) },
    { "POST", "post_comment", post_comment }, { "POST", "post_system_event_message", post_event },
    { "GET", "load_comments", load_comments },
  }
  for i, row in ipairs(rows) do
    rows[i] = { row[1], prefix .. "/" .. row[2], row[2], function(context)
      for name, value in pairs(shared) do context[name] = value end
      return row[3](context)
    end }
  end
  return rows
end

--- Puts a room into a state.
-- @tparam table state
-- @tparam string room_id
-- @tparam table users ids of users that are there
-- @treturn table room
function M.seed(state, room_id, users)
  local room = { room_id = room_id, name = room_id, participants = {}, comments = {} }
  for i, user_id in ipairs(users) do room.participants[i] = user_id end
  if not state.rooms[room_id] then table.insert(state.room_order, room_id) end
  state.rooms[room_id] = room
  return room
end

--- The rooms, for a snapshot.
function M.snapshot(state)
  return json.list(state.room_order, function(room_id)
    local room = state.rooms[room_id]
    return json.object("room_id", room_id, "participants", json.list(room.participants),
      "comments", #room.comments)
  end)
end

return M
