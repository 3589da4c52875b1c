--- What a moderator says, and what each provider has for it: data, read by the
-- desk. A provider that is not here, or a verb that a provider has not, is
-- unsupported; nothing is made to look as if it worked.
--
-- An entry of a provider names the method (`call`) and where its arguments come
-- from: `from(name)` a field of the action, `list_of(name)` that field as a
-- list of one, anything else as it stands. Fields of an action are `user`,
-- `user_name`, `room`, `reason`, `text` (the reason, said to the user),
-- `moderator`, `actor` (the provider's id of who acts) and `till` (ISO 8601).
--
-- - `timed`: `"provider"`, it ends by itself; `"usher"`, usher lifts it in time
-- - `scope`: `"room"` (the default: a room is needed), `"any"`, or `"account"` (no room may be
--   given: it would reach further)
-- - `public`: everybody in the room reads it
-- - `needs`: a field of the action without which it makes no sense
-- @module usher.moderation.verbs

local M = {}

local function from(name) return { from = name } end
local function list_of(name) return { list_of = name } end

--- The verbs that act, in the order of the documentation.
M.ACTIONS = { "ban", "unban", "mute", "unmute", "kick", "admit", "block", "unblock", "sign_out",
  "warn" }

--- The verbs that read.
M.LISTS = { "list_users", "list_banned", "list_muted", "list_blocked" }

--- What takes an action back, where the provider has it.
M.INVERSE = {
  ban = "unban", unban = "ban", mute = "unmute", unmute = "mute", block = "unblock",
  unblock = "block", kick = "admit", admit = "kick",
}

--- Where it shows that an action was done: in a list the user is (true), or is not.
M.SHOWS = {
  ban = { "list_banned", true }, unban = { "list_banned", false },
  mute = { "list_muted", true }, unmute = { "list_muted", false },
  block = { "list_blocked", true }, unblock = { "list_blocked", false },
  kick = { "list_users", false }, admit = { "list_users", true },
}

M.providers = {}

local room_user = { room_id = from "room", client_key = from "user" }
local in_room = { room_id = from "room" }

M.providers.vchatcloud = {
  person = { id = "clientKey", name = "nickName", role = "grade" },
  ordinary = "user", -- the role of who is not staff
  ban = { call = "exile_user", arguments = room_user, timed = "usher" },
  unban = { call = "cancel_exile", arguments = room_user },
  mute = { call = "mute_user", arguments = room_user, timed = "usher" },
  unmute = { call = "cancel_mute", arguments = room_user },
  warn = {
    call = "send_notice", public = true, needs = "reason",
    arguments = { room_id = from "room", nick_name = from "moderator", notice = from "text" },
  },
  list_users = { call = "list_users", arguments = in_room, items = "list" },
  list_banned = {
    call = "list_exiled_users", arguments = in_room, items = "list",
    since = { "exileDate", "muteDate" }, dates = "korean", -- the documents name both
  },
  list_muted = {
    call = "list_muted_users", arguments = in_room, items = "list",
    since = { "muteDate" }, dates = "korean",
  },
}

local function restriction(kind, till)
  return {
    ertc_user_id = from "actor", group_id = from "room", participants = list_of "user",
    type = kind, till = till,
  }
end

local function blocking(action)
  return { ertc_user_id = from "actor", app_user_id = from "user", action = action }
end

M.providers.ertc = {
  person = { id = "appUserId", name = "appUserId", role = "role" },
  ordinary = "user",
  ban = {
    call = "restrict_participants", arguments = restriction("ban", from "till"),
    timed = "provider",
  },
  unban = { call = "unrestrict_participants", arguments = restriction "ban" },
  mute = {
    call = "restrict_participants", arguments = restriction("mute", from "till"),
    timed = "provider",
  },
  unmute = { call = "unrestrict_participants", arguments = restriction "mute" },
  kick = {
    call = "remove_participants",
    arguments = {
      ertc_user_id = from "actor", group_id = from "room", participants = list_of "user",
    },
  },
  block = { call = "block_unblock_user", arguments = blocking "block", scope = "any" },
  unblock = { call = "block_unblock_user", arguments = blocking "unblock", scope = "any" },
  list_users = {
    call = "get_group", items = "result.participants",
    arguments = { ertc_user_id = from "actor", group_id = from "room" },
    since = { "joinedAtDate" }, dates = "iso",
  },
  events = {
    call = "pending_events", items = "result.pendingEvents",
    arguments = { ertc_user_id = from "actor" },
  },
  list_blocked = {
    call = "blocked_users", items = "result.blockedUsers", scope = "any",
    arguments = { ertc_user_id = from "actor" },
  },
}

M.providers.qiscus = {
  person = { id = "user_id", name = "username" },
  ban = {
    call = "deactivate_users", arguments = { user_ids = list_of "user" }, scope = "account",
    timed = "usher",
  },
  unban = {
    call = "reactivate_users", arguments = { user_ids = list_of "user" }, scope = "account",
  },
  kick = {
    call = "remove_room_participants",
    arguments = { room_id = from "room", user_ids = list_of "user" },
  },
  admit = {
    call = "add_room_participants",
    arguments = { room_id = from "room", user_ids = list_of "user" },
  },
  sign_out = { call = "reset_user_token", arguments = { user_id = from "user" }, scope = "any" },
  warn = {
    call = "post_system_event_message", public = true, needs = "reason",
    arguments = {
      system_event_type = "custom", room_id = from "room", subject_user_id = from "actor",
      object_user_id = from "user", message = from "text",
    },
  },
  list_users = {
    call = "get_room_participants", items = "results.participants",
    arguments = { room_id = from "room" },
  },
  list_banned = {
    call = "get_user_list", items = "results.users", scope = "account",
    arguments = { show_all = true }, only = { active = false },
    person = { id = "email", name = "username" }, -- the rows of this list have no user_id
  },
}

M.providers.smooch = {
  person = { id = "userId", name = "givenName" },
  warn = {
    call = "post_message", scope = "any",
    arguments = {
      user_id = from "user", role = "appMaker", type = "text", name = from "moderator",
      text = from "reason",
    },
  },
}

--- What a provider has for a verb, or nil.
-- @tparam string provider
-- @tparam string verb
-- @treturn ?table
function M.find(provider, verb)
  local entries = M.providers[provider]
  return entries and entries[verb]
end

--- The providers that have a verb.
-- @tparam string verb
-- @treturn {string,...}
function M.who_can(verb)
  local names = {}
  for name, entries in pairs(M.providers) do
    if entries[verb] then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

return M
