-- The sandbox's own endpoints, for tests and demonstrations that reach a box over HTTP. They are no
-- provider's, and `usher.sandbox.server` offers them on loopback only.
--
--   GET    /_sandbox/credentials  base URLs, client options, ids worth knowing
--   GET    /_sandbox/state        rooms and users of every provider, without secrets
--   GET    /_sandbox/journal      requests seen; ?full=1 adds their headers and bodies
--   DELETE /_sandbox/journal      forget them
--   POST   /_sandbox/fault        {"provider":"qiscus","status":503,"retry_after":1,"times":2},
--                                 the fields of box:fault
--   DELETE /_sandbox/fault        forget every fault
--   POST   /_sandbox/room         {"room_id":"room-9","users":["Han",{"nick_name":"Kim"}]}; with
--                                 "provider", of another one than VChatCloud
--   POST   /_sandbox/user         {"provider":"qiscus","user_id":"bob","unread":3}
--   POST   /_sandbox/settle       confirm pending Smooch links
--   POST   /_sandbox/expire       {"provider":"vchatcloud"}: every token issued stops counting

local check = require("usher.sandbox.check")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local route = require("usher.sandbox.route")

local M = {}

local function done(...)
  return http.reply(200, json.object("ok", true, ...))
end

local function credentials(context)
  local function pairs_view(list)
    local values = {}
    for _, pair in ipairs(list) do values[pair[1]] = pair[2] end
    return json.map(values)
  end
  local members = {}
  for _, credential in ipairs(context.box:credentials(context.base_url)) do
    members[credential.provider] = json.object("options", pairs_view(credential.options),
      "notes", pairs_view(credential.notes))
  end
  return http.reply(200, json.map(members))
end

local function state(context)
  return http.reply(200, context.box:snapshot())
end

local function journal(context)
  local full = http.first(context.query, "full") == "1"
  return http.reply(200, json.list(context.box.journal, function(entry)
    return json.object("provider", entry.provider, "operation", entry.operation,
      "method", entry.method, "path", entry.path, "query", entry.query, "status", entry.status,
      "acted", entry.acted, "faulty", entry.fault ~= nil, "time", entry.time,
      "body_size", #entry.body, "headers", full and json.map(entry.headers) or nil,
      "body", full and entry.body or nil)
  end))
end

local function clear_journal(context)
  context.box:clear_journal()
  return done()
end

local function fault(context)
  if context.body.drop == "connect" then
    error('drop "connect" is for the in-process sandbox: here the connection exists already', 0)
  end
  context.box:fault(context.body)
  return done()
end

local function clear_faults(context)
  context.box:clear_faults()
  return done()
end

local function room(context)
  local keys = context.box:seed_room(context.body.room_id, context.body.users,
    check.given(context.body, "provider"))
  return done("client_keys", keys and json.list(keys))
end

local function user(context)
  local fields = {}
  for name, value in pairs(context.body) do
    if name ~= "provider" then fields[name] = value end
  end
  context.box:seed_user(context.body.provider, fields)
  return done()
end

local function settle(context)
  return done("settled", context.box:settle())
end

local function expire(context)
  context.box:expire_tokens(check.given(context.body, "provider"))
  return done()
end

local routes = route.compile({
  { "GET", "/_sandbox/credentials", "credentials", credentials },
  { "GET", "/_sandbox/state", "state", state },
  { "GET", "/_sandbox/journal", "journal", journal },
  { "DELETE", "/_sandbox/journal", "clear_journal", clear_journal },
  { "POST", "/_sandbox/fault", "fault", fault },
  { "DELETE", "/_sandbox/fault", "clear_faults", clear_faults },
  { "POST", "/_sandbox/room", "room", room },
  { "POST", "/_sandbox/user", "user", user },
  { "POST", "/_sandbox/settle", "settle", settle },
  { "POST", "/_sandbox/expire", "expire", expire },
})

local function refuse(status, message)
  return http.reply(status, json.object("error", message))
end

--- Whether a request is for the sandbox itself.
-- @tparam string target
-- @treturn boolean
function M.is_own(target)
  return http.split_target(target):find("^/_sandbox") ~= nil
end

--- Answer a request for the sandbox itself.
-- @tparam table box
-- @tparam table request `{ method, url, headers, body }`
-- @tparam string base_url where the box is served
-- @treturn table response
function M.handle(box, request, base_url)
  local path, query = http.split_target(request.url)
  local segments, fields = http.segments(path), http.query(query)
  if not (segments and fields) then return refuse(400, "malformed request target") end
  local found, other_verb = route.find(routes, request.method, segments)
  if not found then
    return refuse(other_verb and 405 or 404, "no such endpoint of the sandbox")
  end
  local body = request.body == "" and {} or json.decode(request.body)
  if type(body) ~= "table" then return refuse(400, "the body is not a JSON object") end
  local context = { box = box, query = fields, body = body, base_url = base_url }
  local ok, answer = pcall(found.handler, context)
  if ok then return answer end
  return refuse(400, (tostring(answer):gsub("^[^%s:]+:%d+: ", "")))
end

return M
