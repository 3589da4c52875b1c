-- examples/nginx as a user starts it: one command, then HTTP.

local cjson = require "cjson.safe"
local files = require "spec.support.files"
local http = require "socket.http"
local ltn12 = require "ltn12"
local nginx = require "spec.support.nginx"
local socket = require "socket"

-- The shell ends the script when its own standard input, which the spec holds, ends.
local COMMAND = [[
unset USHER_VCHATCLOUD_API_KEY USHER_VCHATCLOUD_BASE_URL
examples/nginx/run.sh %s >'%s' 2>&1 & pid=$!
cat >/dev/null
kill $pid
wait $pid]]

-- Returns the status, the decoded body and the headers.
local function request(method, url, headers, body)
  local pieces = {}
  local fields = { ["Content-Length"] = body and #body or nil }
  for name, value in pairs(headers or {}) do fields[name] = value end
  local ok, status, answer = http.request{
    method = method, url = url, headers = fields, sink = ltn12.sink.table(pieces),
    source = body and ltn12.source.string(body) or nil, redirect = false,
  }
  assert(ok, status)
  return status, cjson.decode(table.concat(pieces)), answer
end

-- Starts it on a free port. Returns { gateway, sandbox = URLs, stop() -> what it printed }.
local function start()
  local path, port = os.tmpname(), nginx.free_port()
  local pipe = assert(io.popen(COMMAND:format(port, path), "w"))
  local function stop()
    pipe:close()
    local said = files.read(path)
    os.remove(path)
    return said
  end
  local give_up = socket.gettime() + 20
  local sandbox
  repeat
    socket.sleep(0.05)
    sandbox = files.read(path):match("sandbox on (http://[^\n]+)\n.*gateway on")
    if socket.gettime() > give_up then error("run.sh did not start: " .. stop()) end
  until sandbox and socket.connect("127.0.0.1", port)
  return { gateway = "http://127.0.0.1:" .. port, sandbox = sandbox, stop = stop }
end

describe("examples/nginx", function()
  local running, gateway, sandbox

  setup(function()
    running = start()
    gateway, sandbox = running.gateway, running.sandbox
  end)
  teardown(function()
    if running then running.stop() end
  end)

  local function seed(room, users)
    local status, answer = request("POST", sandbox .. "/_sandbox/room", nil,
      cjson.encode({ room_id = room, users = users }))
    assert.equal(200, status)
    return answer.client_keys
  end

  -- How often the sandbox was asked for the muted users of a room.
  local function asked_for(room)
    local _, journal = request("GET", sandbox .. "/_sandbox/journal")
    local count = 0
    for _, entry in ipairs(journal) do
      if entry.operation == "list_muted_users" and entry.path:find("/" .. room, 1, true) then
        count = count + 1
      end
    end
    return count
  end

  local function say(room, user)
    return request("POST", gateway .. "/rooms/" .. room .. "/messages",
      { ["X-Client-Key"] = user }, "{}")
  end

  it("lists who is there", function()
    seed("users-room", { "Han", "김민준" })
    local status, answer, headers = request("GET", gateway .. "/rooms/users-room/users")
    assert.equal(200, status)
    assert.equal("application/json", headers["content-type"])
    assert.equal(2, #answer.users)
    assert.equal("김민준", answer.users[2].name)
    assert.is_false(answer.users[2].muted)
  end)

  it("lists an empty room as no users", function()
    seed("empty-room", {})
    local status, answer = request("GET", gateway .. "/rooms/empty-room/users")
    assert.equal(200, status)
    assert.same({ users = {} }, answer)
  end)

  it("mutes, refuses the messages of the muted in every worker, and lifts it", function()
    local keys = seed("mute-room", { "Han", "Kim" })
    local mute = gateway .. "/rooms/mute-room/mute/" .. keys[1]
    for _ = 1, 10 do assert.equal(204, (say("mute-room", keys[1]))) end
    local status, answer = request("POST", mute)
    assert.equal(200, status)
    assert.is_true(answer.muted)
    for _ = 1, 10 do
      status, answer = say("mute-room", keys[1])
      assert.equal(403, status)
      assert.equal("you are muted in this room", answer.error)
      assert.equal(204, (say("mute-room", keys[2])))
    end
    local _, listed = request("GET", gateway .. "/rooms/mute-room/users")
    assert.is_true(listed.users[1].muted)
    assert.is_false(listed.users[2].muted)
    assert.equal(200, (request("DELETE", mute)))
    for _ = 1, 10 do assert.equal(204, (say("mute-room", keys[1]))) end
  end)

  it("knows who was muted elsewhere, and asks the provider once, not once a message", function()
    local keys = seed("cached-room", { "Han", "Kim" })
    local usher = require "usher"
    local _, credentials = request("GET", sandbox .. "/_sandbox/credentials")
    local chat = usher.vchatcloud(credentials.vchatcloud.options)
    assert(chat:mute_user{ room_id = "cached-room", client_key = keys[2] })
    chat:close()
    for _ = 1, 25 do
      assert.equal(204, (say("cached-room", keys[1])))
      assert.equal(403, (say("cached-room", keys[2])))
    end
    assert.equal(1, asked_for("cached-room"))
  end)

  it("asks once for many messages that come at the same time", function()
    local keys = seed("crowded-room", { "Han" })
    request("POST", sandbox .. "/_sandbox/fault", nil, cjson.encode({
      provider = "vchatcloud", operation = "list_muted_users", delay = 0.3 }))
    local port = gateway:match("%d+$")
    local begun = {}
    for i = 1, 20 do
      begun[i] = assert(socket.connect("127.0.0.1", port))
      begun[i]:send("POST /rooms/crowded-room/messages HTTP/1.0\r\nX-Client-Key: " .. keys[1]
        .. "\r\n\r\n")
    end
    for i = 1, 20 do
      assert.equal("204", begun[i]:receive("*a"):match("^HTTP/1%.%d (%d+)"))
      begun[i]:close()
    end
    assert.equal(1, asked_for("crowded-room"))
  end)

  it("hides no failure of the provider, and lets nobody in who may be muted", function()
    seed("down-room", { "Han" })
    request("POST", sandbox .. "/_sandbox/fault", nil, cjson.encode({
      provider = "vchatcloud", status = 503, retry_after = 30, times = "forever" }))
    local status, answer, headers = request("GET", gateway .. "/rooms/down-room/users")
    local said_status = say("down-room", "some-key")
    request("DELETE", sandbox .. "/_sandbox/fault")
    assert.equal(503, status)
    assert.equal("rate_limited", answer.error)
    assert.equal("30", headers["retry-after"])
    assert.equal(503, said_status)
  end)

  it("answers mistakes with what they are", function()
    local status, answer = request("GET", gateway .. "/rooms/no-such-room/users")
    assert.equal(404, status)
    assert.equal("The chat room does not exist", answer.error)
    assert.equal(404, (request("POST", gateway .. "/rooms/room-1/mute/nobody")))
    assert.equal(401, (request("POST", gateway .. "/rooms/room-1/messages", nil, "{}")))
    local refused, _, headers = request("PUT", gateway .. "/rooms/room-1/mute/nobody")
    assert.equal(405, refused)
    assert.equal("POST, DELETE", headers.allow)
    assert.equal(403, (request("POST", gateway .. "/rooms/room-1/users", nil, "{}")))
  end)

  it("takes room names as they come", function()
    local keys = seed("방 1?&%", { "Han" })
    local room = gateway .. "/rooms/%EB%B0%A9%201%3F%26%25"
    local status, answer = request("GET", room .. "/users")
    assert.equal(200, status)
    assert.equal(keys[1], answer.users[1].key)
  end)

  it("leaves nothing behind when it is stopped", function()
    local another = start()
    request("GET", another.gateway .. "/rooms/room-1/users")
    assert.is_nil(another.stop():match("[^\n]*runtime error[^\n]*"))
    assert.is_nil((socket.connect("127.0.0.1", another.gateway:match("%d+$"))))
    assert.is_nil((socket.connect("127.0.0.1", another.sandbox:match("%d+$"))))
  end)
end)
