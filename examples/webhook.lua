-- A webhook of Qiscus as a server of its own, on lua-http: a message that advertises puts its
-- author out of the room. What is not signed by Qiscus is refused before it is read. It needs the
-- rock `http`: apt install lua-http, which on Debian is for LuaJIT.
--
--   QISCUS_WEBHOOK_TOKEN=... luajit examples/webhook.lua [port]          (8090; 0: any)
--
-- Without an account in the environment it acts on the sandbox, where bob@example.com is in
-- room 457.

local support = require("examples.support")
local new_headers = require("http.headers").new
local server = require("http.server")
local usher = require("usher")

local LONGEST_BODY = 1048576 -- bytes; what is longer is no message
local READ_TIMEOUT = 5 -- seconds
local ADVERTISES = { "free money", "t.me/" }

local hook = usher.webhook.qiscus{ token = assert(os.getenv("QISCUS_WEBHOOK_TOKEN"),
  "QISCUS_WEBHOOK_TOKEN is not set") }
-- The provider waits for us: better an error soon than an answer late.
local client = usher.qiscus(support.account("qiscus", { deadline = 4 }))
local desk = usher.moderation{ client = client, moderator = "webhook" }
support.seat("qiscus", "457", { "bob@example.com", "eve@example.com" })

local STATUS = { signature = 401, too_large = 413, decode = 400 }

local function advertises(text)
  for _, words in ipairs(ADVERTISES) do
    if text:lower():find(words, 1, true) then return true end
  end
  return false
end

-- The status to answer with. An event that asks for nothing is a success: Qiscus shall not repeat
-- it.
local function judge(event)
  if event.kind ~= "message" or not event.text or not advertises(event.text) then return 200 end
  local done, err = desk:kick{ user = event.user.id, room = event.room.id, reason = "spam" }
  print(done and ("put %s out of room %s"):format(event.user.id, event.room.id) or tostring(err))
  return done and 200 or 502
end

-- The body, or nil and a status: it is read no further than it may be long.
local function read_body(stream)
  local chunks, size = {}, 0
  for chunk in function() return stream:get_next_chunk(READ_TIMEOUT) end do
    chunks[#chunks + 1] = chunk
    size = size + #chunk
    if size > LONGEST_BODY then return nil, 413 end
  end
  return table.concat(chunks)
end

local function fields_of(head)
  local fields = {}
  for name, value in head:each() do fields[name] = value end
  return fields
end

local function status_of(stream)
  local head = assert(stream:get_headers(READ_TIMEOUT))
  if head:get(":path") ~= "/webhooks/qiscus" then return 404 end
  if head:get(":method") ~= "POST" then return 405 end
  local body, too_large = read_body(stream)
  if not body then return too_large end
  local event, err = hook:read(fields_of(head), body)
  if not event then return STATUS[err.kind] end
  return judge(event)
end

local listener = assert(server.listen{
  host = "127.0.0.1", port = tonumber(arg[1] or 8090),
  onstream = function(_, stream)
    local answer = new_headers()
    answer:append(":status", tostring(status_of(stream)))
    answer:append("content-length", "0")
    assert(stream:write_headers(answer, true, READ_TIMEOUT))
  end,
  onerror = function(_, _, operation, problem) -- a caller that went away is none of ours
    if operation ~= "onstream" then io.stderr:write(tostring(problem), "\n") end
  end,
})
assert(listener:listen())
io.stdout:setvbuf("line")
print(("http://127.0.0.1:%d/webhooks/qiscus"):format(select(3, listener:localname())))
assert(listener:loop())
