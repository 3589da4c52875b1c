-- Names, and nginx's resolver with a name server that answers, refuses or is silent. The spec is
-- that name server, while it waits for nginx.

local nginx = require "spec.support.nginx"
local provider = require "spec.support.provider"
local socket = require "socket"

local SEND = "return require('spec.nginx.run').send(...)"

-- The answer to a query of one question: the address of the names under "here.test", no such name
-- for those under "nowhere.test", nothing at all for others.
local function dns_answer(query)
  local labels, at = {}, 13
  while query:byte(at) ~= 0 do
    local length = query:byte(at)
    labels[#labels + 1] = query:sub(at + 1, at + length)
    at = at + length + 1
  end
  local name, question = table.concat(labels, "."), query:sub(13, at + 4)
  local id = query:sub(1, 2)
  if name:find("here.test", 1, true) == 1 then
    return id .. "\129\128\0\1\0\1\0\0\0\0" .. question
      .. "\192\12\0\1\0\1\0\0\0\60\0\4" .. string.char(127, 0, 0, 1)
  elseif name:find("nowhere.test", 1, true) == 1 then
    return id .. "\129\131\0\1\0\0\0\0\0\0" .. question
  end
end

describe("the nginx transport", function()
  local upstream, server, names

  setup(function()
    upstream = provider.start()
    names = socket.udp()
    assert(names:setsockname("127.0.0.1", 0))
    local _, port = names:getsockname()
    server = nginx.start{ http = ("resolver 127.0.0.1:%d ipv6=off; resolver_timeout 30s;")
      :format(port) }
  end)
  teardown(function()
    if server then server:stop() end
    if upstream then upstream:stop() end
    names:close()
  end)
  before_each(function() upstream:clear() end)

  -- Sends inside nginx and answers its questions about names meanwhile.
  local function send(from, request)
    request.timeout, request.max_response_size = request.timeout or 5, 1000
    request.connect_timeout = request.connect_timeout or 3
    local cjson = require "cjson.safe"
    local begun = from:begin("POST", "/run",
      cjson.encode({ code = SEND, argument = request }))
    local give_up = socket.gettime() + 10
    while socket.gettime() < give_up do
      local ready = socket.select({ names, begun.connection }, nil, 1)
      if ready[names] then
        local query, host, port = names:receivefrom()
        local answer = query and dns_answer(query)
        if answer then names:sendto(answer, host, port) end
      end
      if ready[begun.connection] then break end
    end
    local _, body = begun.read()
    return cjson.decode(body).value
  end

  local function url_of(name)
    return ("http://%s:%s/ok"):format(name, upstream.ports.http)
  end

  it("resolves names through nginx, and remembers them", function()
    for _ = 1, 2 do
      local answer = send(server, { url = url_of("here.test") })
      assert.equal(200, answer.status, answer.message)
    end
    local journal = upstream:journal()
    assert.equal("here.test:" .. upstream.ports.http, provider.header(journal[1], "host"))
    assert.equal(1, upstream:connections())
  end)

  it("fails before anything is sent where there is no such name", function()
    local answer = send(server, { url = url_of("nowhere.test") })
    assert.equal("network", answer.kind)
    assert.is_false(answer.sent)
    assert.is_truthy(answer.message:find("nowhere.test could not be resolved", 1, true),
      answer.message)
  end)

  it("ends within the connect timeout where the name server is silent", function()
    local started = socket.gettime()
    local answer = send(server, { url = url_of("silent.test"), connect_timeout = 0.3 })
    assert.equal("timeout", answer.kind)
    assert.is_false(answer.sent)
    assert.is_true(answer.elapsed >= 0.29 and answer.elapsed < 1, answer.elapsed)
    assert.is_true(socket.gettime() - started < 2) -- and so does the request that waited for it
  end)

  it("ends within the time of the attempt where that is less", function()
    local answer = send(server, { url = url_of("silent.test"), timeout = 0.2 })
    assert.equal("timeout", answer.kind)
    assert.is_true(answer.elapsed < 0.8, answer.elapsed)
  end)

  it("lets go of a name where its light thread is killed", function()
    local started = socket.gettime()
    assert.is_true(server:run([[
      local url = ...
      local thread = ngx.thread.spawn(function()
        require("spec.nginx.run").send{ url = url, timeout = 20, connect_timeout = 20 }
      end)
      ngx.sleep(0.05)
      return ngx.thread.kill(thread) == 1
    ]], url_of("silent.test")))
    assert.is_true(socket.gettime() - started < 2)
  end)

  it("names the directive where there is no resolver, and needs none for localhost", function()
    local bare = nginx.start()
    local without = send(bare, { url = url_of("here.test") })
    local loopback = send(bare, { url = url_of("LocalHost") })
    bare:stop()
    assert.equal("network", without.kind)
    assert.is_false(without.sent)
    assert.is_truthy(without.message:find("resolver directive", 1, true), without.message)
    assert.equal(200, loopback.status, loopback.message)
  end)
end)
