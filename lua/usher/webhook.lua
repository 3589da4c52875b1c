--- Webhooks: what a provider sends to you, verified before it is read, and in one
-- shape whoever sent it.
--
--    local hook = usher.webhook.qiscus{ token = os.getenv "QISCUS_WEBHOOK_TOKEN" }
--    local event, err = hook:read(headers, body)   -- body: the bytes as they came
--    if event then print(event.kind, event.user.id, event.text) end
--
-- Qiscus signs the body (`QISCUS-SDK-SIGNATURE`: HMAC-SHA256 in hexadecimal);
-- Smooch sends its secret (`X-API-Key`) and signs nothing: take it over TLS only.
-- Neither sends a time, so neither keeps an old request from being sent again:
-- look at `event.id`.
-- Sources: support.qiscus.com article 900000082186; docs.smooch.io, webhooks.
-- @module usher.webhook

local core = require "usher.core"
local pages = require "usher.pages"

local M = {}

local LONGEST_BODY = 1048576 -- bytes

local hook_methods = {}
local hook_mt = { __name = "usher.webhook", __index = hook_methods }

function hook_mt:__tostring()
  return "usher.webhook: " .. self.provider.name
end

local DIGITS = {}
for byte = 0, 255 do DIGITS[string.char(byte)] = ("%02x"):format(byte) end

local function hex(bytes)
  return (bytes:gsub(".", DIGITS))
end

-- What a provider says, as data. `proof` makes the header's value from the key and the body; a path
-- is as in "payload.from.id", items by number.
local providers = {
  qiscus = {
    name = "qiscus", option = "token",
    header = "qiscus-sdk-signature", spelled = "QISCUS-SDK-SIGNATURE",
    proof = function(key, body) return hex(core.hmac_sha256(key, body)) end,
    trigger = "type", kinds = { post_comment_mobile = "message", post_comment_rest = "message" },
    id = "payload.message.id",
    user = { id = { "payload.from.email", "payload.from.id" }, name = { "payload.from.name" } },
    room = { id = { "payload.room.id" }, name = { "payload.room.name" } },
    text = { "payload.message.text" },
  },
  smooch = {
    name = "smooch", option = "secret", header = "x-api-key", spelled = "X-API-Key",
    proof = function(key) return key end,
    trigger = "trigger",
    kinds = {
      message = "message", ["message:appUser"] = "message", ["message:appMaker"] = "message",
      postback = "postback", ["conversation:start"] = "started", ["conversation:read"] = "read",
      ["conversation:referral"] = "referred", ["payment:success"] = "paid",
      ["merge:appUser"] = "merged", ["link:match"] = "linking", ["link:success"] = "linked",
      ["link:failure"] = "link_failed", ["delivery:success"] = "delivered",
      ["delivery:failure"] = "undelivered",
    },
    id = "messages.1._id",
    user = { id = { "appUser.userId", "appUser._id", "surviving.userId", "surviving._id" },
      name = { "appUser.givenName", "surviving.givenName" } },
    room = { id = { "conversation._id" }, name = {} },
    text = { "messages.1.text" },
  },
}

-- A value at a path; items of a list by number.
local function at(answer, path)
  for name in path:gmatch("[^.]+") do
    if type(answer) ~= "table" then return nil end
    answer = answer[tonumber(name) or name]
  end
  return answer
end

local function first_text(answer, paths)
  for _, path in ipairs(paths) do
    local value = pages.text(at(answer, path))
    if type(value) == "string" and value ~= "" then return value end
  end
end

local function refuse(provider, kind, message)
  return nil, core.error{ provider = provider.name, method = "webhook", kind = kind,
    message = message, retryable = false }
end

-- Header names come in any case, and values of some servers as lists.
local function header_of(headers, wanted)
  for name, value in pairs(headers) do
    if type(name) == "string" and name:lower() == wanted then
      return type(value) == "table" and value[1] or value
    end
  end
end

--- Verifies a request and reads it.
-- @tparam table headers by name, in any case
-- @tparam string body the bytes as they came, not decoded and written again
-- @treturn ?table `{ kind, id, user = { id, name }, room = { id, name }, text, trigger, raw }`;
-- kind is `"message"`, `"postback"`, ..., or `"other"`; of several messages `text` and `id` are the
-- first's, and `raw` has all
-- @treturn[2] nil
-- @treturn[2] table error; kind `"signature"` (answer 401, and say no more), `"too_large"` (413) or
-- `"decode"` (400)
function hook_methods:read(headers, body)
  local provider = self.provider
  if type(headers) ~= "table" or type(body) ~= "string" then
    error("usher.webhook:read: expected a table of headers and the body as a string", 2)
  end
  if #body > LONGEST_BODY then return refuse(provider, "too_large", "the body is too large") end
  local given = header_of(headers, provider.header)
  if type(given) ~= "string" or not core.equal(given, provider.proof(self.key, body)) then
    return refuse(provider, "signature", "the request is not signed by who should have sent it")
  end
  local raw, problem = core.decode(body)
  if type(raw) ~= "table" then return refuse(provider, "decode", problem or "it is no object") end
  local trigger = first_text(raw, { provider.trigger })
  return {
    kind = provider.kinds[trigger] or "other", trigger = trigger, raw = raw,
    id = first_text(raw, { provider.id }), text = first_text(raw, provider.text),
    user = { id = first_text(raw, provider.user.id), name = first_text(raw, provider.user.name) },
    room = { id = first_text(raw, provider.room.id), name = first_text(raw, provider.room.name) },
  }
end

--- Signs a body as the provider would, for tests.
-- @tparam string body
-- @treturn table headers
function hook_methods:sign(body)
  return {
    ["Content-Type"] = "application/json",
    [self.provider.spelled] = self.provider.proof(self.key, body),
  }
end

local function constructor(provider)
  return function(options)
    local key = type(options) == "table" and options[provider.option]
    if type(key) ~= "string" or key == "" then
      error(("usher.webhook.%s: %s is required: a string"):format(provider.name,
        provider.option), 2)
    end
    for name in pairs(options) do
      if name ~= provider.option then
        error(("usher.webhook.%s: unknown option '%s'; it takes %s"):format(provider.name,
          tostring(name), provider.option), 2)
      end
    end
    return setmetatable({ provider = provider, key = key }, hook_mt)
  end
end

for name, provider in pairs(providers) do M[name] = constructor(provider) end

return M
