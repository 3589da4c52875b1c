-- Smooch's text messages and webhooks. Users, and images, are in smooch.lua.
--
-- State: a user's `messages` = { { _id, authorId, role, type, name, text, received, ... } };
--   webhooks = { { _id, target, triggers, secret } }.

local auth = require("usher.sandbox.smooch_auth")
local check = require("usher.sandbox.check")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")

local M = {}

local refuse = auth.refuse
local PAGE = 100
local MOST_WEBHOOKS = 10

--- A message as the provider shows it.
function M.view(message)
  return json.object("_id", message._id, "authorId", message.authorId, "role", message.role,
    "type", message.type, "name", message.name, "text", message.text,
    "mediaUrl", message.mediaUrl, "mediaType", message.mediaType,
    "avatarUrl", message.avatarUrl,
    "metadata", message.metadata and json.map(message.metadata) or nil,
    "items", message.items and json.list(message.items) or nil,
    "actions", message.actions and json.list(message.actions) or nil,
    "received", message.received)
end

--- The answer to a message that was posted.
function M.posted(user, message)
  return http.reply(201, json.object("message", M.view(message),
    "conversation", json.object("_id", user.conversation_id, "unreadCount", user.unread)))
end

local fields = {
  { "role", "string", required = true, enum = { "appUser", "appMaker" } },
  { "type", "string", enum = { "text", "image", "carousel", "list" } }, { "text", "string" },
  { "name", "string" },
  { "email", "string" }, { "avatarUrl", "string" }, { "mediaUrl", "string" },
  { "mediaType", "string" }, { "metadata", "object" }, { "payload", "string" },
  { "items", "list of objects" }, { "actions", "list of objects" }, { "destination", "object" },
}

-- Two messages never have the same time: their order is the conversation's.
local function received(user, now)
  local last = user.messages[#user.messages]
  return last and math.max(now, last.received + 0.001) or now
end

local function post(context, user)
  local body, refusal = context.body_of(context, fields)
  if not body then return refusal end
  local role, kind = body.role, check.given(body, "type") or "text"
  if context.claims.scope == "appUser" and role ~= "appUser" then
    return refuse(403, "forbidden", "A token of appUser scope cannot post as appMaker")
  end
  local text = check.given(body, "text")
  if kind == "text" and (text or "") == "" then
    return refuse(400, "bad_request", '"text" is required')
  elseif kind == "image" and (check.given(body, "mediaUrl") or "") == "" then
    return refuse(400, "bad_request", '"mediaUrl" is required')
  elseif (kind == "carousel" or kind == "list") and not (check.given(body, "items") or {})[1] then
    return refuse(400, "bad_request", '"items" is required')
  end
  local message = {
    _id = context.box:unique("smooch message"), role = role, type = kind, text = text,
    authorId = role == "appUser" and user._id or context.box:unique("smooch app maker"),
    name = check.given(body, "name") or user.givenName or "Anonymous",
    avatarUrl = check.given(body, "avatarUrl"), mediaUrl = check.given(body, "mediaUrl"),
    mediaType = check.given(body, "mediaType"), metadata = check.given(body, "metadata"),
    items = check.given(body, "items"), actions = check.given(body, "actions"),
    received = received(user, context.now),
  }
  table.insert(user.messages, message)
  user.conversationStarted = true
  user.unread = user.unread + (role == "appMaker" and 1 or 0)
  return M.posted(user, message)
end

local function bound(context, name)
  local text = http.first(context.query, name)
  if text == nil then return nil end
  return tonumber(text), not tonumber(text)
end

-- The newest hundred before `before`, or the oldest after `after`; in the order of time.
local function chosen(user, before, after)
  local fitting, page = {}, {}
  for _, message in ipairs(user.messages) do
    local fits = (not before or message.received < before)
      and (not after or message.received > after)
    if fits then fitting[#fitting + 1] = message end
  end
  local first = after and 1 or math.max(1, #fitting - PAGE + 1)
  for i = first, math.min(first + PAGE - 1, #fitting) do page[#page + 1] = fitting[i] end
  return page, #fitting > #page
end

local function list(context, user)
  if not user.conversationStarted then
    return refuse(404, "conversation_not_found", "Conversation not found")
  end
  local before, wrong_before = bound(context, "before")
  local after, wrong_after = bound(context, "after")
  if wrong_before or wrong_after or (before and after) then
    return refuse(400, "bad_request", "before and after are numbers, and exclude each other")
  end
  local page, more = chosen(user, before, after)
  return http.reply(200, json.object(
    "conversation", json.object("_id", user.conversation_id, "unreadCount", user.unread),
    "messages", json.list(page, M.view),
    "previous", more and not after and "https://api.smooch.io/previous" or nil))
end

-- --- webhooks -----------------------------------------------------------------------------------

local function webhook_view(webhook)
  return json.object("_id", webhook._id, "target", webhook.target,
    "triggers", json.list(webhook.triggers), "secret", webhook.secret)
end

local function target_problem(target)
  if not target:find("^https?://[^%s/]+%S*$") then return "must be a URL" end
end

local function webhook_body(context, required)
  return context.body_of(context, {
    { "target", "string", required = required, check = target_problem },
    { "triggers", "list of strings" },
  })
end

local function create_webhook(context)
  local body, refusal = webhook_body(context, true)
  if not body then return refusal end
  local webhooks = context.state.webhooks
  if #webhooks >= MOST_WEBHOOKS then
    return refuse(400, "bad_request", "An app has ten webhooks at most")
  end
  local webhook = {
    _id = context.box:unique("smooch webhook"), target = body.target,
    triggers = check.given(body, "triggers") or { "message" },
    secret = context.box:unique("smooch webhook secret", 40),
  }
  table.insert(webhooks, webhook)
  return http.reply(201, json.object("webhook", webhook_view(webhook)))
end

local function list_webhooks(context)
  return http.reply(200, json.object("webhooks",
    json.list(context.state.webhooks, webhook_view)))
end

local function with_webhook(handler)
  return function(context)
    for index, webhook in ipairs(context.state.webhooks) do
      if webhook._id == context.parameters.webhookId then
        return handler(context, webhook, index)
      end
    end
    return refuse(404, "webhook_not_found", "Webhook not found")
  end
end

local function get_webhook(_, webhook)
  return http.reply(200, json.object("webhook", webhook_view(webhook)))
end

local function update_webhook(context, webhook)
  local body, refusal = webhook_body(context, false)
  if not body then return refusal end
  webhook.target = check.given(body, "target") or webhook.target
  webhook.triggers = check.given(body, "triggers") or webhook.triggers
  return get_webhook(context, webhook)
end

local function delete_webhook(context, _, index)
  table.remove(context.state.webhooks, index)
  return { status = 200, headers = {}, body = "" }
end

--- The routes, for smooch.lua.
-- @tparam function with_user makes a handler of one that takes the user too
-- @tparam function body_of the checked body of a request
-- @treturn table rows without the prefix of a generation
function M.rows(with_user, body_of)
  local function with_body(handler)
    return function(context, ...)
      context.body_of = body_of
      return handler(context, ...)
    end
  end
  local MESSAGES, WEBHOOK = "/appusers/{userId}/messages", "/webhooks/{webhookId}"
  return {
    { "POST", MESSAGES, "post_message", with_user(with_body(post)), "appUser" },
    { "GET", MESSAGES, "get_messages", with_user(list), "appUser" },
    { "POST", "/webhooks", "create_webhook", with_body(create_webhook) },
    { "GET", "/webhooks", "list_webhooks", list_webhooks },
    { "GET", WEBHOOK, "get_webhook", with_webhook(get_webhook) },
    { "PUT", WEBHOOK, "update_webhook", with_body(with_webhook(update_webhook)) },
    { "DELETE", WEBHOOK, "delete_webhook", with_webhook(delete_webhook) },
  }
end

return M
