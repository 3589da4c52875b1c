-- eRTC's groups and chat reports. Users and sessions are in ertc.lua.
--
-- State: groups[group_id] = { group_id, name, thread_id, created_at, creator,
--     members = { { app_user_id, role, joined_at } }, ban = { [app_user_id] = until or true },
--     mute = { ... } }, group_order = { ids }, reports = { { id, msg_unique_id, category, reason,
--     reporter, status } }.

local auth = require("usher.sandbox.ertc_auth")
local check = require("usher.sandbox.check")
local dates = require("usher.sandbox.dates")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")

local M = {}

local refuse = auth.refuse

local function member_of(group, app_user_id)
  for index, member in ipairs(group.members) do
    if member.app_user_id == app_user_id then return member, index end
  end
end

-- Whether a restriction holds; one whose time is over is forgotten.
local function holds(restrictions, app_user_id, now)
  local till = restrictions[app_user_id]
  if type(till) == "number" and till <= now then
    restrictions[app_user_id] = nil
    return false
  end
  return till ~= nil
end

-- Who is banned is not in the group as long as the ban holds.
local function group_view(context, group)
  local state, present = context.state, {}
  for _, member in ipairs(group.members) do
    if not holds(group.ban, member.app_user_id, context.now) then present[#present + 1] = member end
  end
  return json.object("groupId", group.group_id, "name", group.name, "groupType", "private",
    "createdAt", math.floor(group.created_at), "creatorId", group.creator,
    "threadId", group.thread_id, "tenantId", state.tenant_id,
    "participants", json.list(present, function(member)
      return json.object("appUserId", member.app_user_id,
        "eRTCUserId", state.by_app_id[member.app_user_id], "role", member.role,
        "joinedAtDate", dates.milliseconds(member.joined_at))
    end))
end

-- Every handler gets the group; `admins_only` where the caller must be one.
local function in_group(admins_only, handler)
  return function(context)
    local group = context.state.groups[context.parameters.groupId]
    local caller = group and member_of(group, context.user.app_user_id)
    if not caller then return refuse(200, "Group not found", "E00404") end
    if admins_only and caller.role ~= "admin" then
      return refuse(200, "Only an admin can do this", "E00403")
    end
    return handler(context, group)
  end
end

local participants = { "participants", "list of strings", required = true }
local kind = { "type", "string", required = true, enum = { "ban", "mute" } }

-- The members that a body names; a refusal when one of them is none.
local function named_members(context, group, rows)
  local body, refusal = context.body_of(context, rows)
  if not body then return nil, refusal end
  for _, app_user_id in ipairs(body.participants) do
    if not member_of(group, app_user_id) then
      return nil, refuse(200, "User is not a participant of the group", "E00404")
    end
  end
  return body
end

local function get_group(context, group)
  return M.succeed("Group", group_view(context, group))
end

-- Taking out who is not in succeeds: a repeated call must be safe.
local function remove(context, group)
  local body, refusal = context.body_of(context, { participants })
  if not body then return refusal end
  for _, app_user_id in ipairs(body.participants) do
    local _, index = member_of(group, app_user_id)
    if index then table.remove(group.members, index) end
  end
  return M.succeed("Participants removed", group_view(context, group))
end

local function thread_view(context, group)
  return json.object("threadId", group.thread_id, "threadType", "group",
    "tenantId", context.state.tenant_id)
end

local function till_problem(till)
  if not dates.is_iso(till) then return "must be an ISO 8601 date" end
end

local function restrict(context, group)
  local body, refusal = named_members(context, group,
    { participants, kind, { "till", "string", check = till_problem } })
  if not body then return refusal end
  local till = check.given(body, "till")
  for _, app_user_id in ipairs(body.participants) do
    group[body.type][app_user_id] = till and dates.parse_iso(till) or true
  end
  return M.succeed("Participants restricted", thread_view(context, group))
end

local function unrestrict(context, group)
  local body, refusal = named_members(context, group, { participants, kind })
  if not body then return refusal end
  for _, app_user_id in ipairs(body.participants) do group[body.type][app_user_id] = nil end
  return M.succeed("Participants unrestricted", thread_view(context, group))
end

local CATEGORIES = { "abuse", "spam", "other", "inappropriate" }

local function create_report(context)
  local body, refusal = context.body_of(context, {
    { "msgUniqueId", "string", required = true },
    { "category", "string", required = true, enum = CATEGORIES }, { "reason", "string" },
  })
  if not body then return refusal end
  local report = {
    id = context.box:unique("ertc report"), msg_unique_id = body.msgUniqueId,
    category = body.category, reason = check.given(body, "reason"), status = "new",
    reporter = context.user,
  }
  table.insert(context.state.reports, report)
  return M.succeed("Chat report created", json.object("chatReportId", report.id,
    "tenantId", context.state.tenant_id))
end

local function report_view(context)
  return function(report)
    return json.object("chatReportId", report.id, "tenantId", context.state.tenant_id,
      "category", report.category, "reason", report.reason,
      "channelAdminStatus", json.object("status", report.status),
      "reporterERTCUser", json.object("eRTCUserId", report.reporter.ertc_user_id,
        "appUserId", report.reporter.app_user_id),
      "chat", json.object("msgUniqueId", report.msg_unique_id))
  end
end

local function integer(context, name, default)
  local text = http.first(context.query, name)
  if text == nil or text == "" then return default end
  return text:find("^%d+$") and tonumber(text) or nil
end

local function list_reports(context)
  local skip, limit = integer(context, "skip", 0), integer(context, "limit", 10)
  if not skip or not limit then return refuse(400, '"skip" and "limit" must be numbers') end
  local wanted = { category = http.first(context.query, "category"),
    status = http.first(context.query, "status") }
  local found, page = {}, {}
  for _, report in ipairs(context.state.reports) do
    local fits = report.category == (wanted.category or report.category)
      and report.status == (wanted.status or report.status)
    if fits then found[#found + 1] = report end
  end
  for i = skip + 1, math.min(skip + limit, #found) do page[#page + 1] = found[i] end
  return M.succeed("Chat reports", json.object("total", #found,
    "chatReports", json.list(page, report_view(context))))
end

local VERDICTS = { reportConsidered = "reportConsidered", reportedIgnored = "reportIgnored" }

local function resolve_report(context)
  local status = VERDICTS[context.parameters.action]
  if not status then
    return refuse(400, '"action" must be one of [reportConsidered, reportedIgnored]')
  end
  for _, report in ipairs(context.state.reports) do
    if report.id == context.parameters.chatReportId then
      report.status = status
      return M.succeed("Chat report updated")
    end
  end
  return refuse(200, "Chat report not found", "E00404")
end

--- The routes, for ertc.lua.
-- @tparam function succeed what a success answers with
-- @tparam function body_of the checked body of a request
-- @treturn table rows of `route.compile`
function M.rows(succeed, body_of)
  M.succeed = succeed
  local BASE = "/{version}/tenants/{tenantId}/{eRTCUserId}"
  local GROUP, REPORTS = BASE .. "/group/{groupId}", BASE .. "/chatReports"
  local function with_body(handler)
    return function(context)
      context.body_of = body_of
      return handler(context)
    end
  end
  return {
    { "GET", GROUP, "get_group", in_group(false, get_group) },
    { "POST", GROUP .. "/removeParticipants", "remove_participants",
      with_body(in_group(true, remove)) },
    { "POST", GROUP .. "/restrictParticipants", "restrict_participants",
      with_body(in_group(true, restrict)) },
    { "POST", GROUP .. "/unrestrictParticipants", "unrestrict_participants",
      with_body(in_group(true, unrestrict)) },
    { "POST", REPORTS, "create_chat_report", with_body(create_report) },
    { "GET", REPORTS, "list_chat_reports", list_reports },
    { "PUT", REPORTS .. "/{chatReportId}/allowIgnore/{action}", "resolve_chat_report",
      resolve_report },
  }
end

--- Puts a group into a state.
-- @tparam table box
-- @tparam table state
-- @tparam string group_id
-- @tparam table users app user ids; the first is the admin
-- @treturn table group
function M.seed(box, state, group_id, users)
  local group = {
    group_id = group_id, name = group_id, thread_id = box:unique("ertc thread"),
    created_at = box:now(), creator = users[1], members = {}, ban = {}, mute = {},
  }
  for i, app_user_id in ipairs(users) do
    group.members[i] = { app_user_id = app_user_id, role = i == 1 and "admin" or "user",
      joined_at = box:now() }
  end
  if not state.groups[group_id] then table.insert(state.group_order, group_id) end
  state.groups[group_id] = group
  return group
end

--- The groups, for a snapshot.
function M.snapshot(state, now)
  return json.list(state.group_order, function(group_id)
    local group = state.groups[group_id]
    return json.object("groupId", group_id, "members", json.list(group.members, function(member)
      return json.object("appUserId", member.app_user_id, "role", member.role,
        "banned", holds(group.ban, member.app_user_id, now),
        "muted", holds(group.mute, member.app_user_id, now))
    end))
  end)
end

return M
