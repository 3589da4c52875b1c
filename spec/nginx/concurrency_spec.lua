-- Many calls at once through one worker that never waits. The upstream is an nginx of its own,
-- which counts how many requests it has in hand.

local nginx = require "spec.support.nginx"
local socket = require "socket"

local UPSTREAM_HTTP = [[
  init_by_lua_block {
    running, most, total = 0, 0, 0
    function work(seconds)
      running, total = running + 1, total + 1
      most = math.max(most, running)
      ngx.sleep(seconds)
      running = running - 1
      ngx.header.content_type = "application/json"
      ngx.print('{"results":{"user":{"user_id":"bob"}},"status":200}')
    end
  }
]]

local UPSTREAM = [[
  location /work { content_by_lua_block { work(tonumber(ngx.var.arg_delay) or 0.1) } }
  location /slow { content_by_lua_block { work(0.4) } }
  location /failing { content_by_lua_block { ngx.exit(503) } }
  location = /counts { content_by_lua_block {
    ngx.print(running, " ", most, " ", total)
    most, total = running, 0
  } }
]]

-- What an application does: a client for all requests of the worker, a method called like any
-- other.
local GATEWAY = [[
  location = /profile { content_by_lua_block {
    local kept = require("spec.nginx.run").kept
    kept.clients = kept.clients or {}
    local base = ngx.var.arg_base
    kept.clients[base] = kept.clients[base] or require("usher").qiscus{
      app_id = "app", secret = "s3cret", base_url = base }
    local result, err = kept.clients[base]:user_profile{ user_id = "bob" }
    if not result then
      ngx.status = 502
      return ngx.print(tostring(err))
    end
    ngx.print(result.results.user.user_id)
  } }
]]

describe("the nginx transport", function()
  local upstream, server

  setup(function()
    upstream = nginx.start{ http = UPSTREAM_HTTP, server = UPSTREAM, tls = true }
    server = nginx.start{ server = GATEWAY }
  end)
  teardown(function()
    if server then server:stop() end
    if upstream then upstream:stop() end
  end)

  -- How many requests the upstream has in hand, and the most it had and all there were since it was
  -- asked before.
  local function counts()
    local _, body = upstream:request("GET", "/counts")
    local running, most, total = body:match("^(%d+) (%d+) (%d+)$")
    return tonumber(running), tonumber(most), tonumber(total)
  end

  -- What an earlier test gave up may still be in hand.
  before_each(function()
    repeat until counts() == 0
    counts()
  end)

  local function base_of(path, scheme)
    if scheme == "https" then return "https://localhost:" .. upstream.tls_port .. path end
    return "http://localhost:" .. upstream.port .. path
  end

  it("is chosen by itself, and gives a client its answer", function()
    local status, body = server:request("GET", "/profile?base=" .. base_of("/work"))
    assert.equal("bob", body)
    assert.equal(200, status)
  end)

  it("has 64 calls in flight in one worker, which answers others meanwhile", function()
    local begun = {}
    for i = 1, 64 do begun[i] = server:begin("GET", "/profile?base=" .. base_of("/slow")) end
    local give_up, most = socket.gettime() + 10, 0
    while most < 64 and socket.gettime() < give_up do
      most = math.max(most, (counts()))
    end
    assert.is_true(most >= 32, most)
    local pongs = 0
    repeat
      assert.equal("pong", select(2, server:request("GET", "/ping")))
      local running = counts()
      if running > 0 then pongs = pongs + 1 end
    until running == 0
    assert.is_true(pongs >= 5, pongs) -- each with calls in flight before and after it
    for _, request in ipairs(begun) do
      local status, body = request.read()
      assert.equal("bob", body)
      assert.equal(200, status)
    end
  end)

  it("serves 256 calls of 100 ms in far less than their sum", function()
    local started, begun = socket.gettime(), {}
    for i = 1, 256 do begun[i] = server:begin("GET", "/profile?base=" .. base_of("/work")) end
    for _, request in ipairs(begun) do assert.equal(200, (request.read())) end
    assert.is_true(socket.gettime() - started < 256 * 0.1 / 8)
    local _, most, total = counts()
    assert.equal(256, total)
    assert.is_true(most >= 32, most)
  end)

  local THREADS = [[
    local url, count, settings = (...).url, (...).count, (...).settings
    local transport = require("usher.transport.ngx").new(settings)
    local threads, failures = {}, {}
    for i = 1, count do
      threads[i] = ngx.thread.spawn(function()
        local status, kind, message = transport.send{ method = "GET", url = url, headers = {},
          timeout = 10, connect_timeout = 10, max_response_size = 1000, idempotent = true }
        if not status then failures[#failures + 1] = kind .. ": " .. message end
      end)
    end
    for i = 1, count do ngx.thread.wait(threads[i]) end
    return table.concat(failures, ", ")
  ]]

  it("has a call in flight for each light thread of one request", function()
    assert.equal("", server:run(THREADS, { url = base_of("/work"), count = 48 }))
    local _, most, total = counts()
    assert.equal(48, total)
    assert.is_true(most >= 32, most)
  end)

  it("has no more in flight than max_connections, and serves all", function()
    assert.equal("", server:run(THREADS,
      { url = base_of("/work?delay=0.02"), count = 30, settings = { max_connections = 3 } }))
    local _, most, total = counts()
    assert.equal(30, total)
    assert.equal(3, most)
  end)

  it("maps over light threads", function()
    local names = server:run([[
      local usher = require "usher"
      local client = usher.qiscus{ app_id = "app", secret = "s3cret", base_url = ... }
      local results, errors, count = usher.map({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
        function() return client:user_profile{ user_id = "bob" } end, { concurrency = 12 })
      for _, err in pairs(errors) do error(tostring(err)) end
      client:close()
      for i = 1, count do results[i] = results[i].results.user.user_id end
      return results
    ]], base_of("/work"))
    assert.equal(12, #names)
    local _, most = counts()
    assert.equal(12, most)
  end)

  -- scheme, bytes of the request
  for _, row in ipairs({ { "http", 100 }, { "http", 200000 }, { "https", 100 },
    { "https", 200000 } }) do
    it(("survives light threads killed in calls, and waits for none: %s, %d bytes"):format(row[1],
      row[2]), function()
        local started = socket.gettime()
        local waiting = {}
        for i = 1, 8 do
          waiting[i] = server:start_run([[
            local url, size = (...).url, (...).size
            local transport = require("usher.transport.ngx").new{ verify = false }
            for wait = 0, 40 do
              local thread = ngx.thread.spawn(function()
                while true do
                  transport.send{ method = "POST", url = url, headers = {}, body = ("x"):rep(size),
                    timeout = 9, connect_timeout = 9, max_response_size = 1000, idempotent = true }
                end
              end)
              ngx.sleep((wait % 20 + 1) / 1000)
              ngx.thread.kill(thread)
              collectgarbage()
            end
            return true
          ]], { url = base_of("/work?delay=0.007", row[1]), size = row[2] })
        end
        for i = 1, 8 do assert.is_true(waiting[i]()) end
        assert.is_true(socket.gettime() - started < 5, socket.gettime() - started)
        assert.equal("", server:run(THREADS, { url = base_of("/work", row[1]), count = 4,
          settings = { verify = false } }))
        assert.is_nil(server:log():match("[^\n]*%[alert%][^\n]*"))
      end)
  end

  -- Ticks of a clock in the same worker while a client's call goes on, and what came of the call.
  local TICKING = [[
    local base, options = (...).base, (...).options
    options.app_id, options.secret, options.base_url = "app", "s3cret", base
    options.random = function() return 0.99 end
    local client = require("usher").qiscus(options)
    local over, ticks = false, 0
    local clock = ngx.thread.spawn(function()
      while not over do
        ngx.sleep(0.01)
        ticks = ticks + 1
      end
    end)
    local core = require "usher.core"
    local started = core.monotonic()
    local result, err = client:user_profile{ user_id = "bob" }
    local elapsed = core.monotonic() - started
    over = true
    ngx.thread.wait(clock)
    client:close()
    return { ticks = ticks, elapsed = elapsed, kind = err and err.kind,
      attempts = err and err.attempts, found = result ~= nil }
  ]]

  it("lets the worker go on while a client waits to try again", function()
    local said = server:run(TICKING, { base = base_of("/failing"), options = { retries = 2 } })
    assert.equal("http", said.kind)
    assert.equal(3, said.attempts)
    assert.is_true(said.elapsed > 0.6, said.elapsed) -- 0.99 of 0.25 and of 0.5 seconds
    assert.is_true(said.ticks > 25, said.ticks)
  end)

  it("keeps the deadline of a client's call, and the worker going", function()
    local said = server:run(TICKING, { base = base_of("/slow"), options = { deadline = 0.3 } })
    assert.equal("timeout", said.kind)
    assert.is_true(said.elapsed >= 0.28 and said.elapsed < 0.4, said.elapsed)
    assert.is_true(said.ticks > 12, said.ticks)
  end)

  it("survives a client that goes away in a call", function()
    for _ = 1, 8 do
      local begun = server:begin("GET", "/profile?base=" .. base_of("/slow"))
      socket.sleep(0.02)
      begun.connection:close()
    end
    assert.equal("", server:run(THREADS, { url = base_of("/work"), count = 4 }))
    assert.is_nil(server:log():match("[^\n]*%[alert%][^\n]*"))
  end)

  it("keeps no descriptor and no light thread after its calls", function()
    local function descriptors()
      local pipe = assert(io.popen("ls /proc/" .. server:pid() .. "/fd | wc -l"))
      local count = tonumber(pipe:read("*a"))
      pipe:close()
      return count
    end
    local url = base_of("/work?delay=0.001")
    server:run(THREADS, { url = url, count = 50 })
    local before = descriptors()
    for _ = 1, 10 do server:run(THREADS, { url = url, count = 50 }) end
    assert.is_true(descriptors() <= before + 2, descriptors() - before)
  end)
end)
