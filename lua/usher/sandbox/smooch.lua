-- Smooch v1, both generations: /v1/appusers/... (the app is implied by the key) and
-- /v1/apps/{appId}/appusers/... . Credentials are in smooch_auth.lua, channels in
-- smooch_channels.lua, text messages and webhooks in smooch_messages.lua.
--
-- State: users[_id] = { the app user's fields in wire names, with clients, pendingClients,
--     businessSystems, events = { names }, messages = { {...} }, conversation_id, unread },
--   by_user_id[userId] = _id, order = { _ids }, integrations[id] = type, auth_codes[code] = _id.

local auth = require("usher.sandbox.smooch_auth")
local channels = require("usher.sandbox.smooch_channels")
local check = require("usher.sandbox.check")
local dates = require("usher.sandbox.dates")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local messages = require("usher.sandbox.smooch_messages")
local multipart = require("usher.sandbox.multipart")
local people = require("usher.sandbox.people")
local route = require("usher.sandbox.route")

local M = { name = "smooch", authorize = auth.authorize }

local refuse = auth.refuse
local ATTACHMENT_LIMIT = 10 * 1024 * 1024

local function bad_request(description)
  return refuse(400, "bad_request", description)
end

-- What the provider does in its own time has been done by the time the user is looked at again.
local function with_user(handler)
  return function(context)
    local state, id = context.state, context.parameters.userId
    local user = state.users[id] or state.users[state.by_user_id[id]]
    if not user then return refuse(404, "user_not_found", "App user not found") end
    channels.confirm(user, context.now, true)
    return handler(context, user)
  end
end

local function body_of(context, rows)
  if http.media_type(context.headers["content-type"]) ~= "application/json" then
    return nil, bad_request("The Content-Type must be application/json")
  end
  local body = json.decode(context.request.body)
  if type(body) ~= "table" or #body > 0 then return nil, bad_request("Invalid JSON object") end
  local problems = check.fields(body, rows)
  if problems then return nil, bad_request(table.concat(problems, "; ")) end
  return body
end

local function flat_problem(values)
  for _, value in pairs(values) do
    if type(value) == "table" then return "must be a flat object" end
  end
end

local function moment_problem(text)
  if not dates.is_iso(text) then return "must be an ISO 8601 time, YYYY-MM-DDThh:mm:ss.sssZ" end
end

local profile = { "givenName", "surname", "email", "signedUpAt" }

local update_fields = {
  { "givenName", "string" }, { "surname", "string" }, { "email", "string" },
  { "signedUpAt", "string", check = moment_problem },
  { "properties", "object", check = flat_problem },
}

local create_fields = {
  { "userId", "string", required = true }, { "credentialRequired", "boolean" },
}
for _, row in ipairs(update_fields) do create_fields[#create_fields + 1] = row end

-- Updates are additive. That null removes is not documented; nothing else could.
local function merge(target, changes, names)
  for _, name in ipairs(names) do
    local value = changes[name]
    if value == json.null then
      target[name] = nil
    elseif value ~= nil then
      target[name] = value
    end
  end
end

local function merge_all(target, changes)
  local names = {}
  for name in pairs(changes or {}) do names[#names + 1] = name end
  merge(target, changes or {}, names)
end

local function user_view(user, without_clients)
  local clients = not without_clients and channels.clients_view(user.clients) or nil
  return json.object("_id", user._id, "userId", user.userId, "givenName", user.givenName,
    "surname", user.surname, "email", user.email, "signedUpAt", user.signedUpAt,
    "properties", json.map(user.properties), "conversationStarted", user.conversationStarted,
    "credentialRequired", user.credentialRequired, "clients", clients,
    "pendingClients", clients and channels.clients_view(user.pendingClients),
    "devices", clients) -- a deprecated copy
end

local function user_reply(user)
  return http.reply(200, json.object("appUser", user_view(user)))
end

local function get(_, user)
  return user_reply(user)
end

local function update(context, user)
  local body, refusal = body_of(context, update_fields)
  if not body then return refusal end
  merge(user, body, profile)
  merge_all(user.properties, check.given(body, "properties"))
  return user_reply(user)
end

local function new_user(box, state, fields)
  local user = {
    _id = box:unique("smooch user"), userId = fields.userId, properties = {}, clients = {},
    pendingClients = {}, businessSystems = {}, events = {}, messages = {}, unread = 0,
    conversationStarted = false, credentialRequired = fields.credentialRequired == true,
    conversation_id = box:unique("smooch conversation"),
  }
  merge(user, fields, profile)
  merge_all(user.properties, check.given(fields, "properties"))
  state.users[user._id] = user
  state.by_user_id[user.userId] = user._id
  state.order[#state.order + 1] = user._id
  return user
end

local function pre_create(context)
  local body, refusal = body_of(context, create_fields)
  if not body then return refusal end
  -- what a taken id meets is not documented; 409 is the one documented status that fits
  if context.state.by_user_id[body.userId] then
    return refuse(409, "conflict", "An app user with this userId already exists")
  end
  local user = new_user(context.box, context.state, body)
  user.signedUpAt = user.signedUpAt or dates.milliseconds(context.now)
  return http.reply(201, json.object("appUser", user_view(user, true)))
end

local function delete_profile(_, user)
  user.givenName, user.surname, user.email, user.properties = nil, nil, nil, {}
  for _, client in ipairs(user.clients) do
    client.displayName, client.avatarUrl, client.info = nil, nil, nil
  end
  return user_reply(user)
end

local function auth_code(context, user)
  local code = context.box:unique("smooch auth code", 32)
  context.state.auth_codes[code] = user._id
  return http.reply(200, json.object("authCode", code))
end

local function business_systems(_, user)
  return http.reply(200, json.object("businessSystems",
    json.list(user.businessSystems, function(item)
      return json.object("type", item.type, "channelId", item.channelId, "ticketId", item.ticketId,
        "roomId", item.roomId, "conversationId", item.conversationId)
    end)))
end

local function entities(_, user)
  return channels.entities(user)
end

local function link(context, user)
  local body, refusal = body_of(context, channels.link_fields)
  if not body then return refusal end
  local problem = channels.link_problem(body, context.parameters.appId ~= nil)
  if problem then return bad_request(problem) end
  channels.link(context.box, user, body)
  return user_reply(user)
end

local function unlink(context, user)
  if not channels.unlink(user, context.parameters.channel) then
    return refuse(404, "client_not_found", "The app user is not linked to this channel")
  end
  return { status = 200, headers = {}, body = "" }
end

local device_fields = {
  { "pushNotificationToken", "string" }, { "appVersion", "string" },
  { "info", "object", check = flat_problem },
}

-- Devices come into being when an app starts on them, so an unknown one cannot be updated.
local function update_device(context, user)
  local body, refusal = body_of(context, device_fields)
  if not body then return refusal end
  for _, client in ipairs(user.clients) do
    if client.id == context.parameters.deviceId then
      merge(client, body, { "pushNotificationToken", "appVersion" })
      client.info = client.info or {}
      merge_all(client.info, check.given(body, "info"))
      return http.reply(200, json.object("device", channels.client_view(client)))
    end
  end
  return refuse(404, "device_not_found", "Device not found")
end

-- The app has no whispers, so an event never writes into the conversation.
local function track_event(context, user)
  local body, refusal = body_of(context,
    { { "name", "string", required = true }, { "appUser", "object" } })
  if not body then return refusal end
  user.events[#user.events + 1] = body.name
  local changes = check.given(body, "appUser")
  if changes then
    merge(user, changes, profile)
    merge_all(user.properties, check.given(changes, "properties"))
  end
  return http.reply(201, json.object("conversationUpdated", false))
end

local function form_of(context)
  local kind, parameters = http.media_type(context.headers["content-type"])
  if kind ~= "multipart/form-data" or (parameters.boundary or "") == "" then
    return nil, "The Content-Type must be multipart/form-data with a boundary"
  end
  local parts, problem = multipart.parse(context.request.body, parameters.boundary)
  if not parts then return nil, "Malformed multipart body: " .. problem end
  local form = {}
  for _, part in ipairs(parts) do form[part.name] = form[part.name] or part end
  return form
end

local function form_refusal(context, form)
  local source, role = form.source, form.role and form.role.body
  if not source then return bad_request('"source" is required') end
  if not (source.filename and source.filename ~= "" and source.content_type) then
    return bad_request('"source" must be a file with a name and a Content-Type')
  end
  if #source.body > ATTACHMENT_LIMIT then
    return refuse(413, "payload_too_large", "An attachment may not exceed 10 MB")
  end
  if role ~= "appUser" and role ~= "appMaker" then
    return bad_request('"role" must be one of [appUser, appMaker]')
  end
  -- a user's own token speaks for the user only
  if context.claims.scope == "appUser" and role ~= "appUser" then
    return refuse(403, "forbidden", "A token of appUser scope cannot post as appMaker")
  end
end

local function add_message(context, user, form)
  local id, role = context.box:unique("smooch message"), form.role.body
  local url = "https://media.smooch.example.com/" .. auth.APP_ID .. "/" .. id .. "/"
    .. form.source.filename:gsub("[^%w._-]", function(char)
      return string.format("%%%02X", char:byte())
    end)
  local message = {
    _id = id, authorId = role == "appUser" and user._id or context.box:unique("smooch app maker"),
    role = role, type = "image", mediaUrl = url, mediaType = form.source.content_type,
    name = form.name and form.name.body or (user.givenName or "Anonymous"),
    text = form.text and form.text.body or url, -- the documented answer repeats the URL here
    received = context.now, filename = form.source.filename, size = #form.source.body,
  }
  user.messages[#user.messages + 1] = message
  user.conversationStarted = true
  user.unread = user.unread + (role == "appMaker" and 1 or 0)
  return message
end

local function post_image(context, user)
  local form, problem = form_of(context)
  if not form then return bad_request(problem) end
  local refusal = form_refusal(context, form)
  if refusal then return refusal end
  return messages.posted(user, add_message(context, user, form))
end

-- With ids, channels and conversation.
local function delete(context, user)
  local state = context.state
  state.users[user._id] = nil
  if user.userId then state.by_user_id[user.userId] = nil end
  for index, id in ipairs(state.order) do
    if id == user._id then table.remove(state.order, index) break end
  end
  return http.reply(200, json.object())
end

local USER = "/appusers/{userId}"

-- verb, path, operation, handler, access: "appUser" where a user's own token is enough
local both_generations = {
  { "GET", USER, "get_app_user", with_user(get), "appUser" },
  { "PUT", USER, "update_app_user", with_user(update), "appUser" },
  { "POST", "/appusers", "pre_create_app_user", pre_create },
  { "DELETE", USER .. "/profile", "delete_app_user_profile", with_user(delete_profile) },
  { "GET", USER .. "/authcode", "get_app_user_auth_code", with_user(auth_code) },
  { "GET", USER .. "/businesssystems", "get_app_user_business_system_ids",
    with_user(business_systems) },
  { "GET", USER .. "/channels", "get_app_user_entity_ids", with_user(entities) },
  { "GET", USER .. "/linkrequest", "get_link_requests", with_user(channels.link_requests) },
  { "POST", USER .. "/channels", "link_app_user", with_user(link) },
  { "DELETE", USER .. "/channels/{channel}", "unlink_app_user", with_user(unlink) },
  { "POST", USER .. "/images", "post_image_message", with_user(post_image), "appUser" },
  { "DELETE", USER, "delete_app_user", with_user(delete) },
}
for _, row in ipairs(messages.rows(with_user, body_of)) do
  both_generations[#both_generations + 1] = row
end

local rows = {
  { "PUT", "/v1" .. USER .. "/devices/{deviceId}", "app_user_device_update",
    with_user(update_device), "appUser" },
  { "POST", "/v1" .. USER .. "/events", "track_event", with_user(track_event), "appUser" },
}
for _, prefix in ipairs({ "/v1", "/v1/apps/{appId}" }) do
  for _, row in ipairs(both_generations) do
    rows[#rows + 1] = { row[1], prefix .. row[2], row[3], row[4], row[5] }
  end
end
M.routes = route.compile(rows)

function M.no_route()
  return refuse(404, "not_found", "Not found")
end

function M.failure(status)
  return refuse(status, status == 429 and "too_many_requests" or "sandbox_fault", "Sandbox fault")
end

function M.seed_user(box, state, fields)
  local user = new_user(box, state, fields)
  for _, name in ipairs({ "businessSystems", "clients", "pendingClients" }) do
    user[name] = fields[name] or user[name]
  end
  return user
end

local function seeded_clients()
  return {
    { id = "5A7F8343-DF41-46A8-96EC-8583FCB422FB", platform = "ios", active = true, primary = false,
      appVersion = "1.0", lastSeen = "2016-03-09T19:09:01.431Z", displayName = "Bob's phone",
      info = {
        appName = "ShellApp", devicePlatform = "x86_64", os = "iPhone OS", osVersion = "9.2",
      } },
    { id = "198273192387", platform = "twilio", active = true, primary = true,
      displayName = "+15145555555", phoneNumber = "+15145555555", info = {},
      lastSeen = "2016-03-09T19:09:01.431Z", linkedAt = "2016-03-01T08:00:00.000Z" },
  }
end

function M.new_state(box)
  local state = { users = {}, by_user_id = {}, order = {}, auth_codes = {}, webhooks = {},
    integrations = { i1 = "messenger", i2 = "telegram" } }
  local bob = M.seed_user(box, state, people.smooch)
  bob.conversationStarted, bob.clients = true, seeded_clients()
  return state
end

function M.settle(state, now)
  local confirmed = 0
  for _, id in ipairs(state.order) do
    confirmed = confirmed + channels.confirm(state.users[id], now)
  end
  return confirmed
end

function M.credentials()
  return {
    options = { { "key_id", auth.KEY_ID }, { "secret", auth.SECRET } },
    notes = { { "app_id", auth.APP_ID }, { "account_key_id", auth.ACCOUNT_KEY_ID },
      { "account_secret", auth.ACCOUNT_SECRET }, { "user_id", people.smooch.userId },
      { "integration_ids", "i1,i2" } },
  }
end

function M.snapshot(state)
  return json.object("appUsers", json.list(state.order, function(id)
    local user = state.users[id]
    return json.object("appUser", user_view(user), "events", json.list(user.events),
      "images", json.list(user.messages, function(message)
        return json.object("_id", message._id, "role", message.role, "filename", message.filename,
          "mediaType", message.mediaType, "size", message.size)
      end))
  end))
end

return M
