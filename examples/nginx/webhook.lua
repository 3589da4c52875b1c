-- The webhook of Qiscus, see nginx.conf: a message that advertises puts its author out of the room.
-- What is not signed by Qiscus is refused before it is read, and learns nothing more.

local moderation = require "usher.moderation"
local usher = require "usher"
local webhook = require "usher.webhook"

local M = {}

local ADVERTISES = { "free money", "t.me/" }
local STATUS = { signature = ngx.HTTP_UNAUTHORIZED, too_large = 413, decode = 400 }

local hook, desk -- of this worker, made for its first request: not every gateway has a webhook

-- The credentials are in the environment. Qiscus waits for us: better an error soon than an answer
-- late. A desk without a ledger blocks nothing.
local function start()
  hook = webhook.qiscus{ token = os.getenv("QISCUS_WEBHOOK_TOKEN") }
  desk = moderation{
    client = usher.qiscus{ deadline = 4, timeout = 3, connect_timeout = 1 }, moderator = "webhook",
  }
end

local function advertises(text)
  for _, words in ipairs(ADVERTISES) do
    if text:lower():find(words, 1, true) then return true end
  end
  return false
end

-- The bytes as they came. nginx.conf lets none be written to a file.
local function read_body()
  ngx.req.read_body()
  return ngx.req.get_body_data() or ""
end

-- An event that asks for nothing is a success: Qiscus shall not repeat it.
local function judge(event)
  if event.kind ~= "message" or not event.text or not advertises(event.text) then
    return ngx.HTTP_OK
  end
  local done, err = desk:kick{ user = event.user.id, room = event.room.id, reason = "spam" }
  if done then return ngx.HTTP_OK end
  ngx.log(ngx.ERR, tostring(err))
  return ngx.HTTP_BAD_GATEWAY
end

--- POST /webhooks/qiscus
function M.qiscus()
  if not os.getenv("QISCUS_WEBHOOK_TOKEN") then return ngx.exit(ngx.HTTP_NOT_FOUND) end
  if not hook then start() end
  local event, err = hook:read(ngx.req.get_headers(), read_body())
  return ngx.exit(event and judge(event) or STATUS[err.kind])
end

return M
