-- A webhook's handler of examples/ as Qiscus would call it: real HTTP, signed, and tampered with on
-- the way. What both handlers have to pass is here; where each is started is in its spec.

local assert = require "luassert"
local files = require "spec.support.files"
local socket = require "socket"
local usher = require "usher"

local M = {}

local TOKEN = "test-signature-token"
local PATH = "/webhooks/qiscus"

--- The room of all messages.
M.ROOM = "457"

local hook = usher.webhook.qiscus{ token = TOKEN }

local function message(user, text)
  return ('{"type":"post_comment_mobile","payload":{"from":{"email":"%s"},"room":{"id":%s},'
    .. '"message":{"id":99,"text":"%s"}}}'):format(user, M.ROOM, text)
end

--- Sends a request with a connection of its own: the status, and all that came.
function M.send(port, method, path, fields, body)
  local connection = assert(socket.connect("127.0.0.1", port))
  connection:settimeout(10)
  local head = { ("%s %s HTTP/1.0"):format(method, path), "Host: localhost" }
  for name, value in pairs(fields) do head[#head + 1] = name .. ": " .. value end
  head[#head + 1] = ("Content-Length: %d"):format(#body)
  connection:send(table.concat(head, "\r\n") .. "\r\n\r\n" .. body)
  local answer, _, partial = connection:receive("*a")
  connection:close()
  answer = answer or partial
  return tonumber(answer:match("^HTTP/1%.%d (%d%d%d)")), answer
end

-- The shell ends the command when its own standard input, which the spec holds, ends.
local COMMAND = [[
unset $(env | sed -n 's/^\(USHER_[A-Z]*_[A-Z_]*\)=.*/\1/p')
QISCUS_WEBHOOK_TOKEN=%s %s >'%s' 2>&1 & pid=$!
cat >/dev/null
kill $pid
wait $pid 2>/dev/null]]

--- Starts a command and waits until what it prints has the words looked for, in `found`.
function M.start(command, pattern)
  local path = os.tmpname()
  local pipe = assert(io.popen(COMMAND:format(TOKEN, command, path), "w"))
  local running = { said = function() return files.read(path) end }
  function running.stop()
    pipe:close()
    os.remove(path)
  end
  local give_up = socket.gettime() + 20
  repeat
    socket.sleep(0.02)
    running.found = running.said():match(pattern)
    if socket.gettime() > give_up then
      local said = running.said()
      running.stop()
      error("it did not start: " .. said)
    end
  until running.found
  return running
end

--- The tests that both handlers have to pass. `get()` returns { port, is_in(user) }.
-- @tparam function it of the spec
function M.behaves(it, get)
  local function post(fields, body) return M.send(get().port, "POST", PATH, fields, body) end

  it("leaves alone who says nothing of the kind", function()
    local body = message("bob@example.com", "hello")
    assert.equal(200, (post(hook:sign(body), body)))
    assert.is_true(get().is_in("bob@example.com"))
  end)

  it("refuses what is not signed, or not as it was signed, and does nothing", function()
    local body = message("bob@example.com", "free money")
    local signature = hook:sign(body)["QISCUS-SDK-SIGNATURE"]
    local another = usher.webhook.qiscus{ token = "another" }
    for _, tampered in ipairs{
      { {}, body }, { { ["QISCUS-SDK-SIGNATURE"] = "" }, body },
      { { ["QISCUS-SDK-SIGNATURE"] = signature:sub(1, 63) }, body },
      { { ["QISCUS-SDK-SIGNATURE"] = ("0"):rep(64) }, body }, { another:sign(body), body },
      { hook:sign(body), (body:gsub("bob", "eve")) }, { hook:sign(body), body .. " " },
      { hook:sign(body), "" },
    } do
      local status, answer = post(tampered[1], tampered[2])
      assert.equal(401, status, tampered[2])
      assert.is_nil(answer:find(signature, 1, true))
    end
    assert.is_true(get().is_in("bob@example.com"))
    assert.is_true(get().is_in("eve@example.com"))
  end)

  it("puts out who advertises", function()
    local body = message("bob@example.com", "FREE MONEY at t.me/win")
    assert.equal(200, (post(hook:sign(body), body)))
    assert.is_false(get().is_in("bob@example.com"))
    assert.is_true(get().is_in("eve@example.com"))
  end)

  it("answers 400 to what is signed and no event", function()
    assert.equal(400, (post(hook:sign "no JSON", "no JSON")))
  end)

  it("answers 413 to a body that is too long", function()
    local body = (" "):rep(1048577)
    assert.equal(413, (post(hook:sign(body), body)))
  end)

  it("takes nothing but POST", function()
    local status = M.send(get().port, "GET", PATH, {}, "")
    assert.is_true(status == 403 or status == 405, tostring(status))
  end)
end

return M
