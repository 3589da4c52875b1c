-- Smooch: linking an app user to a channel, what the links look like, and taking them away. A link
-- is a pending client until it is confirmed: by itself when no confirmation was wanted, else by
-- `settle`.

local auth = require("usher.sandbox.smooch_auth")
local check = require("usher.sandbox.check")
local dates = require("usher.sandbox.dates")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")

local M = {}

-- What each channel needs, and the confirmations it offers (vendor documentation, 2017).
local channels = {
  twilio = { entity = "phoneNumber", confirmations = { "immediate", "userActivity", "prompt" } },
  messagebird = { entity = "phoneNumber", confirmations = { "immediate", "userActivity" } },
  messenger = { entity = "phoneNumber", confirmations = { "immediate", "userActivity" } },
  mailgun = { entity = "address", confirmations = { "immediate" } },
}

local function phone_problem(number)
  if not number:find("^%+[%d][%d%s%-]+$") then return "must have a + prefix and a country code" end
end

local function address_problem(address)
  if not address:find("^[^%s@]+@[^%s@]+$") then return "must be an email address" end
end

M.link_fields = {
  { "type", "string", required = true, enum = { "twilio", "messagebird", "messenger", "mailgun" } },
  { "phoneNumber", "string", check = phone_problem },
  { "address", "string", check = address_problem },
  { "givenName", "string" }, { "surname", "string" }, { "subject", "string" },
  { "confirmation", "object" }, { "primary", "boolean" },
}

local function confirmation_problem(body, channel)
  local confirmation = check.given(body, "confirmation")
  if not check.one_of(confirmation.type, channel.confirmations) then
    return '"confirmation.type" must be one of ['
      .. table.concat(channel.confirmations, ", ") .. "]"
  end
  local message = check.given(confirmation, "message")
  if message ~= nil and type(message) ~= "table" then
    return '"confirmation.message" must be an object'
  end
  local needs_message = confirmation.type == "userActivity" or body.type == "messenger"
  if needs_message and not message then return '"confirmation.message" is required' end
end

--- What is wrong with a link request beyond its fields.
-- @tparam table body with sound fields
-- @tparam boolean second_generation whether the app is in the path
-- @treturn ?string problem
function M.link_problem(body, second_generation)
  local channel = channels[body.type]
  if not check.given(body, channel.entity) then return '"' .. channel.entity .. '" is required' end
  local skips = check.given(body, "skipConfirmation")
  if skips ~= nil and type(skips) ~= "boolean" and not check.one_of(skips, { "true", "false" }) then
    return '"skipConfirmation" must be a boolean'
  end
  if skips ~= nil and body.type ~= "twilio" then return '"skipConfirmation" is for twilio only' end
  if check.given(body, "confirmation") then return confirmation_problem(body, channel) end
  -- the first generation prompts; the second must be told how, or be told to skip
  if second_generation and skips == nil then return '"confirmation" is required' end
end

local function without(clients, platform)
  local kept = {}
  for _, client in ipairs(clients) do
    if client.platform ~= platform then kept[#kept + 1] = client end
  end
  return kept, #kept < #clients
end

--- Add a pending client.
-- @tparam table box
-- @tparam table user
-- @tparam table body a sound link request
function M.link(box, user, body)
  local confirmation = check.given(body, "confirmation")
  local skips = check.given(body, "skipConfirmation")
  local is_immediate = confirmation and confirmation.type == "immediate"
  local entity = channels[body.type].entity
  user.pendingClients = without(user.pendingClients, body.type)
  table.insert(user.pendingClients, {
    id = box:unique("smooch client"), platform = body.type, displayName = body[entity],
    primary = body.primary ~= false, [entity] = body[entity],
    settles = skips == true or skips == "true" or is_immediate,
  })
end

--- Turn pending clients into clients: the link was confirmed.
-- @tparam table user
-- @tparam number now
-- @tparam[opt] boolean only_settling leave those that wait for somebody's answer
-- @treturn integer how many
function M.confirm(user, now, only_settling)
  local waiting, confirmed = {}, 0
  for _, client in ipairs(user.pendingClients) do
    if only_settling and not client.settles then
      waiting[#waiting + 1] = client
    else
      confirmed = confirmed + 1
      user.clients = without(user.clients, client.platform)
      for _, other in ipairs(user.clients) do
        other.primary = not client.primary and other.primary
      end
      client.active, client.linkedAt = true, dates.milliseconds(now)
      client.lastSeen, client.info = client.linkedAt, {}
      table.insert(user.clients, client)
    end
  end
  user.pendingClients = waiting
  return confirmed
end

--- Remove a channel from a user, confirmed or pending.
-- @tparam table user
-- @tparam string platform
-- @treturn boolean whether there was one
function M.unlink(user, platform)
  local clients, had_client = without(user.clients, platform)
  local pending, had_pending = without(user.pendingClients, platform)
  user.clients, user.pendingClients = clients, pending
  return had_client or had_pending
end

local function client_view(client)
  return json.object("id", client.id, "platform", client.platform, "active", client.active,
    "primary", client.primary, "displayName", client.displayName, "avatarUrl", client.avatarUrl,
    "lastSeen", client.lastSeen, "linkedAt", client.linkedAt, "appVersion", client.appVersion,
    "pushNotificationToken", client.pushNotificationToken,
    "info", client.info and json.map(client.info))
end

M.client_view = client_view

--- The clients of a user, for `json.encode`.
-- @tparam table clients
-- @treturn table
function M.clients_view(clients)
  return json.list(clients, client_view)
end

--- GET channels: the entity of every linked channel. SDK clients (web, ios, android) are not
-- channels.
-- @tparam table user
-- @treturn table response
function M.entities(user)
  local entities = {}
  for _, client in ipairs(user.clients) do
    if channels[client.platform] then
      entities[#entities + 1] = json.object("type", client.platform,
        "phoneNumber", client.platform ~= "messenger" and client.phoneNumber or nil,
        "userId", client.platform == "messenger" and client.id or nil, "address", client.address)
    end
  end
  return http.reply(200, json.object("channels", json.list(entities)))
end

--- GET linkrequest: a code and a URL for each integration asked for.
-- @tparam table context
-- @treturn table response
function M.link_requests(context)
  local ids = http.first(context.query, "integrationIds") or ""
  local requests = {}
  for id in (ids .. ","):gmatch("([^,]*),") do
    if id == "" then
      return auth.refuse(400, "bad_request", '"integrationIds" must be ids with commas between')
    end
    local kind = context.state.integrations[id]
    if not kind then return auth.refuse(404, "integration_not_found", "Integration not found") end
    local code = context.box:unique("smooch link code", 16)
    requests[#requests + 1] = json.object("integrationId", id, "type", kind, "code", code,
      "url", "https://" .. kind .. ".example.com/link?code=" .. code)
  end
  return http.reply(200, json.object("linkRequests", json.list(requests)))
end

return M
