--- The four providers, small and faithful, in pure Lua and without a network.
--
-- A box checks signatures, tokens, secrets and arguments as the live providers do, keeps state,
-- and answers with their envelopes, statuses and error codes. It serves in process as a transport,
-- or over HTTP through `usher.sandbox.server`. Here: the box, its routing, faults and journal.
-- What a provider does is in its own file under `sandbox/`.
--
-- @module usher.sandbox
-- @usage
-- local box = require("usher.sandbox").new()
-- local chat = usher.vchatcloud(box:options("vchatcloud"))
-- print(#chat:list_users{ room_id = "room-1" }.list)

local check = require("usher.sandbox.check")
local core = require("usher.core")
local faults = require("usher.sandbox.faults")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local route = require("usher.sandbox.route")

local M = {}

local providers = {
  ertc = require("usher.sandbox.ertc"),
  smooch = require("usher.sandbox.smooch"),
  vchatcloud = require("usher.sandbox.vchatcloud"),
  qiscus = require("usher.sandbox.qiscus"),
}

--- The names of the providers, in the order the documentation uses.
M.providers = { "ertc", "smooch", "vchatcloud", "qiscus" }

--- Where a box says it lives when it is used in process.
M.base_url = "http://127.0.0.1"

local methods = {}
local metatable = { __name = "usher.sandbox", __index = methods }

local option_names = {
  "clock", "seed", "fault", "sleep", "token_lifetime", "clock_skew", "journal_limit",
}

--- Make a box.
-- @tparam[opt] table options
-- @tparam[opt] function options.clock returns Unix seconds; the system's clock otherwise
-- @param[opt] options.seed a string or number from which every id and token is derived ("usher")
-- @tparam[opt] table options.fault one fault or a list of them, see `box:fault`
-- @tparam[opt] function options.sleep called with seconds by the transport's sleep and by delay
--   faults
-- @tparam[opt] number options.token_lifetime seconds a VChatCloud token lives (3600)
-- @tparam[opt] number options.clock_skew seconds an eRTC nonce may be off (300)
-- @tparam[opt] integer options.journal_limit requests the journal keeps (10000)
-- @treturn table box
-- @usage local box = sandbox.new{ clock = function() return 1700000000 end }
function M.new(options)
  options = options or {}
  check.options("usher.sandbox.new", options, option_names, 2)
  local box = setmetatable({
    clock = options.clock,
    seed = tostring(options.seed or "usher"),
    sleep = options.sleep,
    token_lifetime = options.token_lifetime or 3600,
    clock_skew = options.clock_skew or 300,
    journal_limit = options.journal_limit or 10000,
    counters = {},
    faults = {},
    journal = {},
    state = {},
  }, metatable)
  for _, name in ipairs(M.providers) do box.state[name] = providers[name].new_state(box) end
  local given = options.fault or {}
  for _, fault in ipairs(next(given) ~= nil and not given[1] and { given } or given) do
    box:fault(fault)
  end
  return box
end

--- The box's time, Unix seconds.
-- @treturn number
function methods:now()
  return (self.clock or core.now)()
end

--- A fresh identifier: hexadecimal digits that follow from the seed and how many were asked for
-- before.
-- @tparam string kind what it identifies
-- @tparam[opt=24] integer length at most 64
-- @treturn string
function methods:unique(kind, length)
  local count = (self.counters[kind] or 0) + 1
  self.counters[kind] = count
  return core.sha256(self.seed .. ":" .. kind .. ":" .. count):sub(1, length or 24)
end

--- The key with which the box signs a provider's tokens.
-- @tparam string provider
-- @treturn string
function methods:signing_key(provider)
  return core.sha256(self.seed .. ":signing-key:" .. provider)
end

local function parsed(request)
  local target = request.url or request.path or "/"
  local path, query = http.split_target(target)
  return {
    method = request.method or "GET",
    path = path,
    raw_query = query,
    headers = http.lower_headers(request.headers),
    body = request.body or "",
    segments = http.segments(path),
    query = http.query(query),
  }
end

local function unrouted(request)
  if not request.segments or not request.query then
    return http.reply(400, json.object("error", "malformed request target"))
  end
  return http.reply(404, json.object("error", "no provider at this path; they are /"
    .. table.concat(M.providers, ", /")))
end

-- The provider's own part: its segments, the route, and what a handler sees.
local function context_of(box, request)
  local segments = request.segments
  local name = segments and request.query and segments[1]
  local provider = name and providers[name]
  if not provider then return nil end
  local own = {}
  for i = 2, #segments do own[i - 1] = segments[i] end
  local found, other = route.find(provider.routes, request.method, own)
  return {
    box = box, state = box.state[name], now = box:now(), provider = provider, name = name,
    request = request, headers = request.headers, query = request.query,
    route = found, parameters = found and other, other_verb = not found and other,
    operation = found and found.operation,
  }
end

local function answer(context)
  if not context.route then return context.provider.no_route(context) end
  local refusal = context.provider.authorize(context)
  return refusal or context.route.handler(context)
end

local function faulty_answer(context, fault)
  local response = fault.body and http.reply(fault.status or 200, json.object())
    or context.provider.failure(fault.status)
  response.body = fault.body or response.body
  if fault.retry_after then response.headers["retry-after"] = tostring(fault.retry_after) end
  for name, value in pairs(http.lower_headers(fault.headers)) do response.headers[name] = value end
  return response
end

local function acts(fault)
  if fault.drop then return fault.drop == "after" end
  return fault.acted or not (fault.status or fault.body)
end

local function under_fault(context, fault)
  local response, acted = nil, acts(fault)
  if acted then response = answer(context) end
  if fault.drop then
    response = { headers = {}, body = "", dropped = fault.drop }
  elseif fault.status or fault.body then
    response = faulty_answer(context, fault)
  end
  response.delay = fault.delay
  return response, acted
end

local function forget_older_half(journal)
  local count = #journal
  local forgotten = math.ceil(count / 2)
  for i = 1, count do journal[i] = journal[i + forgotten] end
end

local function record(box, request, context)
  local journal = box.journal
  if #journal >= box.journal_limit then forget_older_half(journal) end
  local entry = {
    provider = context and context.name, operation = context and context.operation,
    method = request.method, path = request.path, query = request.raw_query,
    headers = request.headers, body = request.body, time = box:now(), acted = false,
  }
  journal[#journal + 1] = entry
  return entry
end

--- Answer one request.
-- @tparam table request `{ method, url, headers, body }`; `url` is a URL or a path with its query
--   (also accepted as `path`), header names in any case
-- @treturn table response `{ status, headers, body }`, header names in lower case. Under a delay
--   fault it has `delay` (seconds to wait before it is delivered); under a drop fault it has
--   `dropped` and no status
function methods:handle(request)
  request = parsed(request)
  local context = context_of(self, request)
  local fault = context and faults.take(self.faults, context.name, context.operation)
  if fault and fault.drop == "connect" then
    return { headers = {}, body = "", dropped = "connect", delay = fault.delay }
  end
  local entry = record(self, request, context)
  local response
  if fault then
    entry.fault = fault
    response, entry.acted = under_fault(context, fault)
  elseif context then
    response, entry.acted = answer(context), true
  else
    response = unrouted(request)
  end
  entry.status = response.status
  return response
end

--- Make the next matching requests go wrong. Faults are used up in the order they were given.
-- @tparam table options
-- @tparam[opt] string options.provider only this provider
-- @tparam[opt] string options.operation only this operation, named as the client's method
-- @tparam[opt] integer options.status answer with this status and the provider's error envelope
-- @tparam[opt] string options.body answer with these bytes instead of the envelope (status 200
--   unless given)
-- @tparam[opt] table options.headers more response header fields
-- @param[opt] options.retry_after value of Retry-After: seconds, or an HTTP date
-- @tparam[opt] number options.delay seconds before the answer is delivered
-- @tparam[opt] string options.drop the connection dies: "before" or "after" the request was acted
--   on, or at "connect", before it was sent (in process only)
-- @tparam[opt] boolean options.acted with `status` or `body`: the request is acted on all the same
-- @param[opt] options.times how many requests (1), or "forever"
-- @treturn table the fault; its `left` counts down
-- @usage box:fault{ provider = "qiscus", status = 503, retry_after = 1, times = 2 }
function methods:fault(options)
  local fault = faults.new(options)
  if fault.provider and not providers[fault.provider] then
    error("sandbox fault: unknown provider " .. fault.provider, 2)
  end
  self.faults[#self.faults + 1] = fault
  return fault
end

--- Forget every fault.
function methods:clear_faults()
  self.faults = {}
end

--- Forget the requests seen so far.
function methods:clear_journal()
  for i = #self.journal, 1, -1 do self.journal[i] = nil end
end

--- How many journalled requests there were of an operation.
-- @tparam string provider
-- @tparam[opt] string operation any when absent
-- @treturn integer
function methods:count(provider, operation)
  local count = 0
  for _, entry in ipairs(self.journal) do
    if entry.provider == provider and (operation == nil or entry.operation == operation) then
      count = count + 1
    end
  end
  return count
end

local function delivered(response, request, sleep)
  local limit = request.timeout
  if response.delay then
    local late = limit and response.delay >= limit
    if sleep then sleep(late and limit or response.delay) end
    if late then return nil, "timeout", "no answer within " .. limit .. " s", true end
  end
  if response.dropped then
    return nil, "network", "the connection was closed before an answer came",
      response.dropped ~= "connect"
  end
  local ceiling = request.max_response_size
  if ceiling and #response.body > ceiling then
    return nil, "too_large", "the answer exceeds " .. ceiling .. " bytes", true
  end
  return response.status, response.headers, response.body
end

--- The box as a transport for a client.
-- @tparam[opt] table options
-- @tparam[opt] function options.sleep called with seconds; the box's own when absent, else
--   sleeping returns at once
-- @treturn table `{ send, sleep }`
-- @usage usher.qiscus{ app_id = id, secret = secret, base_url = url, transport = box:transport() }
function methods:transport(options)
  check.options("box:transport", options or {}, { "sleep" }, 2)
  local sleep = options and options.sleep or self.sleep
  return {
    send = function(request) return delivered(self:handle(request), request, sleep) end,
    sleep = function(seconds)
      if sleep then return sleep(seconds) end
    end,
  }
end

local function provider_named(name, what)
  local provider = providers[name]
  if not provider then
    error(what .. ": unknown provider " .. tostring(name) .. " (valid: "
      .. table.concat(M.providers, ", ") .. ")", 3)
  end
  return provider
end

--- Options with which a client of this box just works: base URL, every test credential, transport.
-- @tparam string provider
-- @tparam[opt] table overrides options that replace or join these
-- @treturn table
-- @usage local q = usher.qiscus(box:options("qiscus", { retries = 0 }))
function methods:options(provider, overrides)
  provider_named(provider, "box:options")
  local options = { transport = self:transport(), clock = self.clock }
  for _, credential in ipairs(self:credentials()) do
    if credential.provider == provider then
      for _, option in ipairs(credential.options) do options[option[1]] = option[2] end
    end
  end
  for name, value in pairs(overrides or {}) do options[name] = value end
  return options
end

--- What a client has to know, ready for printing.
-- @tparam[opt] string base_url where the box is served, without the provider's segment
-- @treturn table list of `{ provider, options = { { name, value } ... }, notes = { { name, value }
--   ... } }`; options are client options, notes are ids worth knowing
function methods:credentials(base_url)
  local list = {}
  for i, name in ipairs(M.providers) do
    local credential = providers[name].credentials(self.state[name])
    table.insert(credential.options, 1, { "base_url", (base_url or M.base_url) .. "/" .. name })
    list[i] = { provider = name, options = credential.options, notes = credential.notes }
  end
  return list
end

--- Replace a room, or a group of eRTC, and everybody in it.
-- @tparam string room_id
-- @tparam table users VChatCloud: list of nicknames, or of `{ nick_name, client_key, grade }` (wire
--   names work too); eRTC and Qiscus: list of user ids, of whom eRTC's first is the admin
-- @tparam[opt] string provider "vchatcloud"
-- @treturn ?table list of VChatCloud's client keys
-- @usage local keys = box:seed_room("room-9", { "Han", { nick_name = "Kim", grade = "userManager"
--   } })
function methods:seed_room(room_id, users, provider)
  provider = provider or "vchatcloud"
  local seed = provider_named(provider, "box:seed_room").seed_room
  if not seed then error("box:seed_room: " .. provider .. " has no rooms", 2) end
  return seed(self, self.state[provider], room_id, users)
end

--- Add a user to eRTC, Smooch or Qiscus, without a request.
-- @tparam string provider
-- @tparam table fields in the provider's wire names: eRTC `appUserId`, `name`, `badge`; Smooch the
--   fields of an app user; Qiscus `user_id`, `username`, `password`, `avatar_url`, `extras`,
--   `active`, `unread` (a number of messages unread since now)
-- @treturn table the user's record in `box.state`
-- @usage box:seed_user("qiscus", { user_id = "bob", username = "Bob", unread = 3 })
function methods:seed_user(provider, fields)
  local seed = provider_named(provider, "box:seed_user").seed_user
  if not seed then error("box:seed_user: " .. provider .. " has no users outside its rooms", 2) end
  return seed(self, self.state[provider], fields)
end

--- Let happen what the providers do in their own time: pending Smooch links are confirmed.
-- @treturn integer how many
function methods:settle()
  return providers.smooch.settle(self.state.smooch, self:now())
end

--- Make every token issued so far invalid, as a provider may at any time.
-- @tparam[opt] string provider "ertc" or "vchatcloud"; both when absent
function methods:expire_tokens(provider)
  if provider then provider_named(provider, "box:expire_tokens") end
  for _, name in ipairs(M.providers) do
    if (provider == nil or provider == name) and providers[name].expire_tokens then
      providers[name].expire_tokens(self.state[name])
    end
  end
end

--- The state of all providers as values for `usher.sandbox.json`, without passwords and tokens.
-- @treturn table
function methods:snapshot()
  return json.map(providers, function(provider)
    return provider.snapshot(self.state[provider.name], self:now())
  end)
end

return M
