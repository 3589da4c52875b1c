-- The libcurl pool over IPv6: the fence against bytes that nobody asked for works there too. The
-- server is a few lines here, driven between the steps of the pool.

local curl = require "usher.curl"
local socket = require "socket"

local ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
local FORGED = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"

local function listen()
  local listener = socket.tcp6 and socket.tcp6()
  if listener and listener:bind("::1", 0) and listener:listen(8) then
    listener:settimeout(0)
    return listener
  end
end

describe("a pool over IPv6", function()
  local listener = listen()
  if not listener then
    pending("is not tried: this machine has no ::1")
    return
  end

  local pool, accepted

  before_each(function()
    pool, accepted = curl.new{}, {}
  end)

  after_each(function()
    pool:close()
    for _, connection in ipairs(accepted) do connection:close() end
  end)

  teardown(function() listener:close() end)

  -- Whoever asks gets the answer.
  local function serve(body)
    local new = listener:accept()
    if new then
      new:settimeout(0)
      accepted[#accepted + 1] = new
    end
    for _, connection in ipairs(accepted) do
      if connection:receive("*l") then
        repeat local line = connection:receive("*l") until not line or line == ""
        connection:send(ANSWER .. body)
      end
    end
  end

  local function call(body)
    local _, port = listener:getsockname()
    local transfer = pool:start{
      method = "GET", url = ("http://[::1]:%d/"):format(tonumber(port)), timeout = 10,
    }
    while not transfer:done() do
      pool:step(0.01)
      serve(body)
    end
    local status, _, answer = transfer:result()
    return status, answer
  end

  it("uses its connection again", function()
    for _, body in ipairs{ "one.", "two.", "more" } do
      assert.same({ 200, body }, { call(body) })
    end
    assert.equal(1, #accepted)
  end)

  it("accepts no forged answer behind a true one", function()
    for _, body in ipairs{ "one.", "two.", "more" } do
      assert.same({ 200, body }, { call(body) })
      accepted[#accepted]:send(FORGED)
    end
    assert.equal(3, #accepted)
  end)
end)
