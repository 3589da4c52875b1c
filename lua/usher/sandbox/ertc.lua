-- eRTC (InAppChat) v1, the ten user operations, and what the provisioning server tells of a tenant.
-- Credentials are checked in ertc_auth.lua; groups and reports are in ertc_groups.lua.
--
-- State: tenant_id, moderator (the eRTC id whose tokens are handed out), groups and reports (see
--   ertc_groups.lua),
--   users[ertc_user_id] = { ertc_user_id, app_user_id, name, availability_status,
--     notification_settings, mute_setting, devices = { [device_id] = {...} }, keys = { {...} },
--     blocked = { ertc ids in order }, events = { {...} waiting }, badge = integer,
--     deactivated = boolean },
--   by_app_id[app_user_id] = ertc_user_id, order = { ertc ids }, sessions (see ertc_auth.lua).

local auth = require("usher.sandbox.ertc_auth")
local check = require("usher.sandbox.check")
local dates = require("usher.sandbox.dates")
local groups = require("usher.sandbox.ertc_groups")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local people = require("usher.sandbox.people")
local route = require("usher.sandbox.route")

local M = { name = "ertc", authorize = auth.authorize }

local refuse = auth.refuse
local TENANT = "tenant-1"
local DEVICE = "sandbox-device"

local function succeed(message, result)
  return http.reply(200, json.object("success", true, "msg", message,
    "result", result or json.object("message", message), "errorCode", "E00000"))
end

-- The body of a POST. Express fills it for the JSON media type only, so any other reads as empty.
local function body_of(context, rows)
  local body = {}
  if http.media_type(context.headers["content-type"]) == "application/json" then
    body = json.decode(context.request.body)
  end
  if type(body) ~= "table" or #body > 0 then
    return nil, refuse(400, "The body is not a JSON object")
  end
  local problems = check.fields(body, rows)
  if problems then return nil, refuse(400, table.concat(problems, "; ")) end
  return body
end

local function ensure_user(box, state, app_user_id)
  local id = state.by_app_id[app_user_id]
  if id then return state.users[id], false end
  id = box:unique("ertc user")
  local user = {
    ertc_user_id = id, app_user_id = app_user_id, name = app_user_id:match("^[^@]+") or app_user_id,
    availability_status = "auto", devices = {}, keys = {}, blocked = {}, events = {}, badge = 0,
    notification_settings = { allowFrom = "all" },
  }
  state.users[id] = user
  state.by_app_id[app_user_id] = id
  state.order[#state.order + 1] = id
  return user, true
end

local function user_view(state, user, token)
  return json.object("eRTCUserId", user.ertc_user_id, "appUserId", user.app_user_id,
    "tenantId", state.tenant_id, "name", user.name,
    "availabilityStatus", user.availability_status,
    "notificationSettings", json.map(user.notification_settings),
    "e2eEncryptionKeys", json.list(user.keys, function(key)
      return json.object("keyId", key.id, "deviceId", key.device_id, "publicKey", key.public_key,
        "eRTCUserId", user.ertc_user_id)
    end), "token", token)
end

local function queue_self_update(user, kind, ...)
  local message = json.encode(json.object("eRTCUserId", user.ertc_user_id, "eventList",
    json.list({ json.object("eventType", kind, "eventData", json.object(...)) })))
  user.events[#user.events + 1] = { kind = "userSelfUpdate", message = message }
end

local function remember_device(user, body)
  local id = check.given(body, "deviceId")
  if not id then return end
  local device = user.devices[id] or {}
  user.devices[id] = device
  for _, name in ipairs({ "deviceType", "fcmToken", "fcmVersion" }) do
    device[name] = check.given(body, name) or device[name]
  end
  device.fcmVersion = device.fcmVersion or "f1"
end

local function remember_key(box, user, body)
  local public_key = check.given(body, "publicKey")
  if not public_key then return end
  local device_id, kept = check.given(body, "deviceId"), {}
  for _, key in ipairs(user.keys) do
    if key.device_id ~= device_id then kept[#kept + 1] = key end
  end
  kept[#kept + 1] = { id = box:unique("ertc key"), device_id = device_id, public_key = public_key }
  user.keys = kept
end

local device_type = { "deviceType", "string", enum = { "android", "ios" } }

local get_or_update_fields = {
  { "appUserId", "string", required = true }, { "deviceId", "string" }, device_type,
  { "fcmToken", "string" }, { "fcmVersion", "string" }, { "publicKey", "string" },
  { "muteSetting", "string", enum = { "none", "all", "allbutmentions" } },
  { "authPayload", "object" },
}

local function get_or_update(context)
  local body, refusal = body_of(context, get_or_update_fields)
  if not body then return refusal end
  local box, state = context.box, context.state
  local user, is_new = ensure_user(box, state, body.appUserId)
  if user.deactivated then return auth.deactivated() end
  remember_device(user, body)
  remember_key(box, user, body)
  user.mute_setting = check.given(body, "muteSetting") or user.mute_setting
  local token = auth.issue(box, state, user.ertc_user_id, check.given(body, "deviceId"))
  return succeed(is_new and "User created successfully" or "User updated successfully",
    user_view(state, user, token))
end

local function settings_problem(settings)
  local allow_from = check.given(settings, "allowFrom")
  local till = check.given(settings, "validTill")
  local display = check.given(settings, "validTillDisplayValue")
  if allow_from and not check.one_of(allow_from, { "all", "mentions", "none" }) then
    return "has an allowFrom other than all, mentions, none"
  end
  if till and not (type(till) == "string" and dates.is_iso(till)) then
    return "has a validTill that is not an ISO 8601 date"
  end
  local count, unit = tostring(display):match("^(%d+) (%a-)s?$")
  local is_span = count and #count <= 3 and check.one_of(unit, { "Day", "Week", "Month", "Year" })
  if display and not is_span then return "has a malformed validTillDisplayValue" end
end

local update_fields = {
  { "deviceId", "string" }, device_type, { "fcmToken", "string" }, { "fcmVersion", "string" },
  { "availabilityStatus", "string", enum = { "auto", "away", "invisible", "dnd" } },
  { "notificationSettings", "object", check = settings_problem },
}

local function update(context)
  local body, refusal = body_of(context, update_fields)
  if not body then return refusal end
  local user = context.user
  remember_device(user, body)
  local status = check.given(body, "availabilityStatus")
  if status then
    user.availability_status = status
    queue_self_update(user, "availabilityStatusChanged", "availabilityStatus", status)
  end
  local settings = check.given(body, "notificationSettings")
  if settings then
    user.notification_settings = settings
    queue_self_update(user, "notificationSettingsChangedGlobal",
      "notificationSettings", json.map(settings))
  end
  return succeed("User updated successfully", user_view(context.state, user))
end

local function position(list, value)
  for i, item in ipairs(list) do
    if item == value then return i end
  end
end

local function set_blocked(user, target, is_blocked)
  local at = position(user.blocked, target.ertc_user_id)
  if (at ~= nil) == is_blocked then return end
  if is_blocked then
    user.blocked[#user.blocked + 1] = target.ertc_user_id
  else
    table.remove(user.blocked, at)
  end
  queue_self_update(user, "userBlockedStatusChanged",
    "blockedStatus", is_blocked and "blocked" or "unblocked", "targetUser",
    json.object("eRTCUserId", target.ertc_user_id, "appUserId", target.app_user_id))
end

-- What is wrong with an otherwise sound request is told as HTTP 200 with success false: the
-- vendor's SDK looks at `success` before anything else. The numbers after E00000 are not
-- published.
local function block_unblock(context)
  local action = context.parameters.action
  if action ~= "block" and action ~= "unblock" then
    return refuse(400, '"action" must be one of [block, unblock]')
  end
  local body, refusal = body_of(context, { { "appUserId", "string", required = true } })
  if not body then return refusal end
  local state, user = context.state, context.user
  local target = state.users[state.by_app_id[body.appUserId]]
  if not target then return refuse(200, "User not found", "E00404") end
  if target == user then return refuse(200, "You cannot " .. action .. " yourself", "E00400") end
  set_blocked(user, target, action == "block")
  return succeed("User " .. action .. "ed successfully")
end

local function blocked_users(context)
  if (context.headers.deviceid or "") == "" then
    return refuse(400, '"deviceid" is required in the header')
  end
  local state = context.state
  return succeed("Blocked users", json.object("blockedUsers",
    json.list(context.user.blocked, function(id)
      return json.object("appUserId", state.users[id].app_user_id, "eRTCUserId", id,
        "tenantId", state.tenant_id)
    end)))
end

local function status_keys_problem(keys)
  for _, key in ipairs(keys) do
    if not check.one_of(key, { "availabilityStatus", "blockedStatus" }) then
      return "must contain only availabilityStatus, blockedStatus"
    end
  end
end

local details_fields = {
  { "appUserIds", "list of strings", required = true },
  { "statusKeys", "list of strings", required = true, check = status_keys_problem },
}

local function details_view(context, target, keys)
  local availability, blocked
  if check.one_of("availabilityStatus", keys) then
    local status = target.availability_status
    availability = status == "auto" and "online" or status
  end
  if check.one_of("blockedStatus", keys) then -- absent means unblocked
    blocked = position(context.user.blocked, target.ertc_user_id) and "blocked"
  end
  return json.object("appUserId", target.app_user_id, "eRTCUserId", target.ertc_user_id,
    "statusDetails", json.object("availabilityStatus", availability, "blockedStatus", blocked))
end

local function chat_user_details(context)
  local body, refusal = body_of(context, details_fields)
  if not body then return refusal end
  local state, found = context.state, {}
  for _, app_user_id in ipairs(body.appUserIds) do
    found[#found + 1] = state.users[state.by_app_id[app_user_id]]
  end
  return succeed("Chat user details", json.object("chatUserDetails",
    json.list(found, function(target) return details_view(context, target, body.statusKeys) end)))
end

local logout_fields = { { "appUserId", "string", required = true }, { "deviceId", "string" } }

local function logout_body(context)
  local body, refusal = body_of(context, logout_fields)
  if not body then return nil, refusal end
  if body.appUserId ~= context.user.app_user_id then
    return nil, refuse(200, "appUserId does not belong to this user", "E00400")
  end
  return body
end

local function logout(context)
  local body, refusal = logout_body(context)
  if not body then return refusal end
  local user, device_id = context.user, check.given(body, "deviceId")
  auth.end_sessions(context.state, function(session)
    local is_of_device = device_id and session.device_id == device_id
    return session == context.session or (is_of_device and session.user == user.ertc_user_id)
  end)
  if device_id then user.devices[device_id] = nil end
  return succeed("User logged out successfully")
end

local function logout_other_devices(context)
  local body, refusal = logout_body(context)
  if not body then return refusal end
  local user, device_id = context.user, check.given(body, "deviceId")
  auth.end_sessions(context.state, function(session)
    return session ~= context.session and session.user == user.ertc_user_id
  end)
  local kept = device_id and user.devices[device_id]
  user.devices = kept and { [device_id] = kept } or {}
  return succeed("User logged out from other devices successfully")
end

-- Whether reading drains is not published; a queue that never drained would be of no use to a
-- client.
local function pending_events(context)
  local events = context.user.events
  context.user.events = {}
  return succeed("Pending events", json.object("pendingEvents", json.list(events, function(event)
    return json.object("data", json.object("eventType", event.kind, "message", event.message))
  end)))
end

local function refresh_token(context)
  return succeed("Token refreshed successfully",
    auth.renew(context.box, context.state, context.session))
end

local function reset_badge_count(context)
  context.user.badge = 0
  return succeed("Badge count reset successfully")
end

local PREFIX = "/{version}/tenants/{tenantId}/user/"
local USER = PREFIX .. "{eRTCUserId}"

local rows = {
  { "GET", "/{version}/tenants/get-tenant-details/{namespace}", "get_tenant_details",
    auth.tenant_details, "provisioning" },
  { "POST", PREFIX, "get_or_update_user_by_app_id", get_or_update, "signature" },
  { "POST", USER, "update_user_by_ertc_user_id", update },
  { "POST", USER .. "/blockUnblock/{action}", "block_unblock_user", block_unblock },
  { "GET", USER .. "/blockedUsers", "blocked_users", blocked_users },
  { "POST", USER .. "/chatUserDetails", "get_chat_user_details", chat_user_details },
  { "POST", USER .. "/logout", "logout_user", logout },
  { "POST", USER .. "/logoutOtherDevices", "logout_other_devices", logout_other_devices },
  { "GET", USER .. "/pendingEvents", "pending_events", pending_events },
  { "GET", USER .. "/refreshToken", "refresh_auth_token", refresh_token, "refresh" },
  { "GET", USER .. "/resetBadgeCount", "reset_badge_count", reset_badge_count },
}
for _, row in ipairs(groups.rows(succeed, body_of)) do rows[#rows + 1] = row end
M.routes = route.compile(rows)

function M.no_route()
  return refuse(404, "Not found")
end

function M.failure(status)
  return refuse(status, "Sandbox fault")
end

function M.seed_user(box, state, fields)
  local user = ensure_user(box, state, fields.appUserId)
  user.name = fields.name or user.name
  user.badge = fields.badge or user.badge
  return user
end

function M.new_state(box)
  local state = {
    tenant_id = TENANT, users = {}, by_app_id = {}, order = {}, sessions = {}, groups = {},
    group_order = {}, reports = {},
  }
  for _, person in ipairs(people.ertc) do
    M.seed_user(box, state, { appUserId = person[1], name = person[2] })
  end
  local moderator = state.users[state.order[1]]
  moderator.badge = 3
  state.moderator = moderator.ertc_user_id
  local members = {}
  for i, person in ipairs(people.ertc) do members[i] = person[1] end
  groups.seed(box, state, "group-1", members)
  state.moderator_token = auth.issue_lasting(box, state, moderator.ertc_user_id, DEVICE)
  return state
end

function M.credentials(state)
  return {
    options = {
      { "api_key", auth.API_KEY }, { "bundle_id", auth.BUNDLE_ID },
      { "tenant_id", state.tenant_id }, { "device_id", DEVICE },
      { "access_token", state.moderator_token.access },
      { "refresh_token", state.moderator_token.refresh },
    },
    notes = { { "ertc_user_id", state.moderator },
      { "app_user_id", state.users[state.moderator].app_user_id }, { "group_ids", "group-1" },
      { "namespace", auth.NAMESPACE } },
  }
end

M.expire_tokens = auth.expire_tokens

--- Puts a group of users, who are made where they are not there, into the state.
function M.seed_room(box, state, group_id, users)
  for _, app_user_id in ipairs(users) do ensure_user(box, state, app_user_id) end
  groups.seed(box, state, group_id, users)
end

function M.snapshot(state, now)
  return json.object("tenantId", state.tenant_id, "groups", groups.snapshot(state, now),
    "users", json.list(state.order, function(id)
    local user = state.users[id]
    local device_ids = {}
    for device_id in pairs(user.devices) do device_ids[#device_ids + 1] = device_id end
    table.sort(device_ids)
    return json.object("eRTCUserId", id, "appUserId", user.app_user_id, "name", user.name,
      "availabilityStatus", user.availability_status, "badge", user.badge,
      "devices", json.list(device_ids), "blocked", json.list(user.blocked),
      "pendingEvents", #user.events)
  end))
end

return M
