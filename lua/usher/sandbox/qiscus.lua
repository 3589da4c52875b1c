-- Qiscus Chat SDK server API v2.1, users. Rooms, messages and tokens are in qiscus_rooms.lua.
--
-- State: users[user_id] = { id, user_id, username, password, avatar_url, extras, active,
--     created_at, updated_at, unread = { Unix seconds of each unread message } },
--   order = { user ids as they registered }, rooms (see qiscus_rooms.lua).

local check = require("usher.sandbox.check")
local core = require("usher.core")
local dates = require("usher.sandbox.dates")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local rooms = require("usher.sandbox.qiscus_rooms")
local route = require("usher.sandbox.route")

local M = { name = "qiscus" }

local APP_ID, SECRET = "test-app-id", "test-qiscus-secret"
local DEFAULT_AVATAR = "https://avatars.example.com/default.png"
local FIRST_ID = 185284

local function succeed(results)
  return http.reply(200, json.object("results", results, "status", 200))
end

-- The shape is known from the vendor's client SDKs; of the statuses only 401, 403 and 422 are.
local function refuse(status, message, details)
  return http.reply(status, json.object("error", json.object("message", message,
    "detailed_messages", details and json.list(details)), "status", status))
end

function M.authorize(context)
  local headers = context.headers
  local app_id = headers["qiscus-sdk-app-id"] or headers["qiscus_sdk_app_id"]
  local secret = headers["qiscus-sdk-secret"] or headers["qiscus_sdk_secret"]
  if app_id ~= APP_ID or not core.equal(secret or "", SECRET) then
    return refuse(401, "Unauthorized")
  end
end

local function user_id_problem(user_id)
  if user_id:find("[%c%s]") or user_id:gsub("[%w._@\128-\255-]", "") ~= "" then
    return "may hold no symbols but . - _ @"
  end
end

local function url_problem(text)
  if text ~= "" and not text:find("^https?://[^%s/]+%S*$") then return "must be a URL" end
end

-- An object, or a JSON object in a string.
local function extras_of(body)
  local extras = check.given(body, "extras")
  if type(extras) == "string" then extras = json.decode(extras) end
  return extras
end

local login_fields = {
  { "user_id", "string", required = true, check = user_id_problem },
  { "username", "string", required = true }, { "password", "string" },
  { "avatar_url", "string", check = url_problem },
}

local function json_body(context)
  local is_json = http.media_type(context.headers["content-type"]) == "application/json"
  local body = is_json and json.decode(context.request.body)
  if type(body) == "table" and #body == 0 then return body end
  return nil, refuse(400, "Bad request", { "The body is not a JSON object" })
end

-- The body of a call, checked.
local function body_of(context, fields)
  local body, refusal = json_body(context)
  if not body then return nil, refusal end
  local problems = check.fields(body, fields)
  if problems then return nil, refuse(400, problems[1], problems) end
  return body
end

local function login_body(context)
  local body, refusal = json_body(context)
  if not body then return nil, refusal end
  local problems = check.fields(body, login_fields)
  local extras = extras_of(body)
  if check.given(body, "extras") ~= nil and (type(extras) ~= "table" or #extras > 0) then
    problems = problems or {}
    problems[#problems + 1] = '"extras" must be a JSON object'
  end
  if problems then return nil, refuse(400, problems[1], problems) end
  return body, extras
end

local function new_user(box, state, user_id, now)
  local user = {
    id = FIRST_ID + #state.order, user_id = user_id, password = box:unique("qiscus password"),
    avatar_url = DEFAULT_AVATAR, extras = {}, active = true, unread = {},
    created_at = now, updated_at = now,
  }
  state.users[user_id] = user
  state.order[#state.order + 1] = user_id
  return user
end

local function user_view(user)
  return json.object("user_id", user.user_id, "username", user.username,
    "avatar_url", user.avatar_url, "extras", json.map(user.extras), "active", user.active)
end

-- Documented: without a password this call creates users but cannot be used on one that exists,
-- and a password that is given replaces the stored one.
local function login_or_register(context)
  local body, extras = login_body(context)
  if not body then return extras end
  local state, password = context.state, check.given(body, "password")
  local user = state.users[body.user_id]
  if user and not password then
    return refuse(400, "password is required for a user that exists")
  end
  user = user or new_user(context.box, state, body.user_id, context.now)
  user.username, user.updated_at = body.username, context.now
  user.password = password or user.password
  user.avatar_url = check.given(body, "avatar_url") or user.avatar_url
  user.extras = extras or user.extras
  return succeed(json.object("user", user_view(user)))
end

local function user_profile(context)
  local user_id = http.first(context.query, "user_id")
  if not user_id or user_id == "" then return refuse(400, "user_id is required") end
  local user = context.state.users[user_id]
  if not user then return refuse(404, "User not found") end
  return succeed(json.object("user", user_view(user)))
end

local function integer(context, name, default)
  local text = http.first(context.query, name)
  if text == nil or text == "" then return default end
  return text:find("^%-?%d+$") and tonumber(text) or nil
end

-- page and limit; nil and a refusal when one is no integer
local function page_of(context, default_limit)
  local page, limit = integer(context, "page", 1), integer(context, "limit", default_limit)
  if not page then return nil, refuse(400, "page must be an integer") end
  if not limit then return nil, refuse(400, "limit must be an integer") end
  return math.max(page, 1), limit
end

local function slice(list, page, limit)
  local part, first = {}, (page - 1) * limit
  for i = first + 1, math.min(first + limit, #list) do part[#part + 1] = list[i] end
  return part
end

-- The window of start_time and end_time, UTC here: the provider names no zone.
local function window_of(context)
  local window = { first = -math.huge, last = math.huge }
  for _, row in ipairs({ { "start_time", "first" }, { "end_time", "last" } }) do
    local text = http.first(context.query, row[1])
    local seconds = text and dates.parse_plain(text)
    if text and not seconds then
      return nil, refuse(400, row[1] .. ' must have the format "YYYY-MM-DD hh:mm:ss"')
    end
    window[row[2]] = seconds or window[row[2]]
  end
  return window
end

local function unread_within(user, window)
  local count = 0
  for _, seconds in ipairs(user.unread) do
    if seconds >= window.first and seconds <= window.last then count = count + 1 end
  end
  return count
end

local function get_unread_users(context)
  local page, limit = page_of(context, 100)
  if not page then return limit end
  if limit < 1 or limit > 100 then limit = 100 end
  local window, refusal = window_of(context)
  if not window then return refusal end
  local found = {}
  for _, user_id in ipairs(context.state.order) do
    local user = context.state.users[user_id]
    if unread_within(user, window) > 0 then found[#found + 1] = user_id end
  end
  return succeed(json.object("user_ids", json.list(slice(found, page, limit))))
end

-- Users that do not exist are left out: the answer has no way to say so.
local function get_user_unread_count(context)
  local user_ids = http.all(context.query, "user_ids[]")
  if not user_ids[1] then return refuse(400, "user_ids must be an array: user_ids[]=...") end
  local window, refusal = window_of(context)
  if not window then return refusal end
  local counts = {}
  for _, user_id in ipairs(user_ids) do
    local user = context.state.users[user_id]
    if user then
      counts[#counts + 1] = json.object("unread_count", unread_within(user, window),
        "user_id", user_id)
    end
  end
  return succeed(json.object("user_unread_count", json.list(counts)))
end

local columns = {
  id = "id", created_at = "created_at", updated_at = "updated_at", username = "username",
  name = "username", email = "user_id",
}

-- order_query is a fragment of SQL; "column [asc|desc] ..." is understood, the rest is let pass.
local function sort(users, order_query)
  local column, direction = (order_query or ""):lower():match("^%s*([%w_]+)%s*(%a*)")
  local member = columns[column]
  if not member then member, direction = "created_at", "desc" end
  local descending = direction == "desc"
  table.sort(users, function(a, b)
    if a[member] == b[member] then return a.id < b.id end
    if descending then a, b = b, a end
    return a[member] < b[member]
  end)
end

-- A row has no user_id: email holds it.
local function row_view(user)
  return json.object("avatar_url", user.avatar_url,
    "created_at", dates.microseconds(user.created_at), "email", user.user_id, "id", user.id,
    "name", user.username, "updated_at", dates.microseconds(user.updated_at),
    "username", user.username, "extras", json.map(user.extras), "active", user.active)
end

local function get_user_list(context)
  local page, limit = page_of(context, 20)
  if not page then return limit end
  if limit < 1 then limit = 20 end
  local show_all = http.first(context.query, "show_all") or "false"
  if show_all ~= "true" and show_all ~= "false" then
    return refuse(400, "show_all must be a boolean")
  end
  local users = {}
  for _, user_id in ipairs(context.state.order) do
    local user = context.state.users[user_id]
    if user.active or show_all == "true" then users[#users + 1] = user end
  end
  sort(users, http.first(context.query, "order_query"))
  return succeed(json.object(
    -- the real total_page rounds down as well
    "meta", json.object("total_data", #users, "total_page", math.floor(#users / limit)),
    "users", json.list(slice(users, page, limit), row_view)))
end

local PREFIX = "/api/v2.1/rest"

local rows = {
  { "POST", PREFIX .. "/login_or_register", "login_or_register", login_or_register },
  { "GET", PREFIX .. "/user_profile", "user_profile", user_profile },
  { "GET", PREFIX .. "/get_unread_users", "get_unread_users", get_unread_users },
  { "GET", PREFIX .. "/get_user_unread_count", "get_user_unread_count", get_user_unread_count },
  { "GET", PREFIX .. "/get_user_list", "get_user_list", get_user_list },
}
for _, row in ipairs(rooms.rows(PREFIX, {
  succeed = succeed, refuse = refuse, body_of = body_of, page_of = page_of, slice = slice,
})) do
  rows[#rows + 1] = row
end
M.routes = route.compile(rows)

function M.no_route()
  return refuse(404, "Not found")
end

function M.failure(status)
  return refuse(status, "Sandbox fault")
end

function M.seed_user(box, state, fields)
  local now = box:now()
  local user = state.users[fields.user_id] or new_user(box, state, fields.user_id, now)
  user.username = fields.username or user.username or fields.user_id
  for _, name in ipairs({ "password", "avatar_url", "extras", "active" }) do
    if fields[name] ~= nil then user[name] = fields[name] end
  end
  if fields.unread then
    user.unread = {}
    for i = 1, fields.unread do user.unread[i] = now end
  end
  return user
end

--- Puts a room into the state, and its users where they are not there.
function M.seed_room(box, state, room_id, users)
  for _, user_id in ipairs(users) do M.seed_user(box, state, { user_id = user_id }) end
  rooms.seed(state, room_id, users)
end

function M.new_state()
  return { users = {}, order = {}, rooms = {}, room_order = {} }
end

function M.credentials()
  return { options = { { "app_id", APP_ID }, { "secret", SECRET } }, notes = {} }
end

function M.snapshot(state)
  local seats = rooms.snapshot(state)
  return json.object("rooms", seats, "users", json.list(state.order, function(user_id)
    local user = state.users[user_id]
    return json.object("id", user.id, "user_id", user_id, "username", user.username,
      "avatar_url", user.avatar_url, "extras", json.map(user.extras), "active", user.active,
      "unread_count", #user.unread)
  end))
end

return M
