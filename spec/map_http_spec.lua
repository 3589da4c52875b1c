-- usher.map over real connections: what is in flight at once, what becomes of it when something
-- dies in the middle, and what is left behind. The server counts; see spec/support/slow_server.lua.

local curl_transport = require "usher.transport.curl"
local nginx = require "spec.support.nginx"
local scheduler = require "usher.scheduler"
local slow = require "spec.support.slow_server"
local usher = require "usher"

local jit = rawget(_G, "jit")

local function range(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

-- How many descriptors this process has open. What is there can be renamed to itself.
local function descriptors()
  local count = 0
  for number = 0, 1023 do
    local path = ("/proc/self/fd/%d"):format(number)
    if os.rename(path, path) then count = count + 1 end
  end
  return count
end

-- The same, when nothing is left that the collector would close.
local function settled_descriptors()
  collectgarbage()
  collectgarbage()
  return descriptors()
end

local function contains(text, words)
  assert.truthy(tostring(text):find(words, 1, true), ("no %q in:\n%s"):format(words, text))
end

-- Runs a function that compiled code must not hide from debug.sethook.
local function interpreted(fn)
  if jit then jit.off() end
  local ok, problem = pcall(fn)
  debug.sethook()
  if jit then jit.on() end
  if not ok then error(problem, 0) end
end

describe("usher.map over HTTP", function()
  local server, clients

  setup(function() server = slow.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    server:reset()
    clients = {}
  end)

  local function close_all()
    for _, client in ipairs(clients) do client:close() end
  end

  local function open(path, options)
    local all = { app_id = "app", secret = "a-long-secret", base_url = server:url(path),
      timeout = 15 }
    for name, value in pairs(options or {}) do all[name] = value end
    local client = usher.qiscus(all)
    clients[#clients + 1] = client
    finally(close_all)
    return client
  end

  local function profile(client, options)
    return client:user_profile({ user_id = "bob" }, options)
  end

  -- One call an item, over one client.
  local function map_calls(client, count, concurrency)
    return usher.map(range(count), function() return profile(client) end,
      { concurrency = concurrency })
  end

  describe("has in flight", function()
    it("exactly as many calls as concurrency says", function()
      local client = open("/gather/64")
      local results, errors, count = map_calls(client, 200, 64)
      assert.same({ {}, 200, 200 }, { errors, #results, count })
      assert.equal(64, server:stats().most_in_flight)
    end)

    it("calls of several clients together", function()
      local results = usher.map({ open("/gather/9"), open("/gather/9"), open("/gather/9") },
        function(client) return #(map_calls(client, 3, 3)) end)
      assert.same({ 3, 3, 3 }, results)
      assert.equal(9, server:stats().most_in_flight)
    end)

    it("the calls of usher.map inside usher.map together", function()
      local client = open("/gather/16")
      local results = usher.map(range(4), function() return #(map_calls(client, 4, 4)) end)
      assert.same({ 4, 4, 4, 4 }, results)
    end)

    it("the calls of usher.all together", function()
      local client = open("/gather/3")
      local function call() return profile(client) end
      local results, errors = usher.all{ call, call, call }
      assert.same({ 3, {} }, { #results, errors })
    end)

    it("two calls when the iterator makes one of them", function()
      local pages, users = open("/gather/2"), open("/gather/2")
      local page = 0
      local results = usher.map(function()
        page = page + 1
        return page == 1 and 1 or page == 2 and assert(profile(pages)) or nil
      end, function() return profile(users) end)
      assert.equal(2, #results)
      assert.equal(2, server:stats().most_in_flight)
    end)
  end)

  describe("leaves the calls outside of it", function()
    it("blocking, on the same connections, before, between and after", function()
      local client = open("/delay/0")
      assert(profile(client))
      assert.equal(3, #(map_calls(client, 3, 1)))
      assert(profile(client))
      assert.equal(3, #(map_calls(client, 3, 1)))
      assert(profile(client))
      local stats = server:stats()
      assert.same({ 9, 1 }, { stats.requests, stats.connections })
    end)

    it("able to use what it has opened", function()
      local client = open("/gather/8")
      assert.equal(8, #(map_calls(client, 8, 8)))
      server:reset()
      local other = open("/delay/0")
      assert(profile(other))
      assert.equal(4, #(map_calls(client, 8, 8)) - 4)
      assert.equal(9, server:stats().connections)
    end)

    it("possible from a hook while tasks wait, and loses nobody's answer", function()
      local transport = curl_transport.new{}
      local tasks, blocking = open("/delay/40", { transport = transport }),
        open("/delay/200", { transport = transport })
      local here, started, result = coroutine.running(), 0, nil
      interpreted(function()
        debug.sethook(function()
          if started < 8 or coroutine.running() ~= here then return end
          debug.sethook()
          result = assert(profile(blocking))
        end, "", 1)
        local results = usher.map(range(8), function()
          started = started + 1
          return profile(tasks)
        end)
        assert.equal(8, #results)
      end)
      assert.is_true(result.ok)
    end)
  end)

  describe("when fn raises in the middle of 64 transfers", function()
    it("starts no more, and lets those in flight end", function()
      local client, done = open("/gather/64"), 0
      local problem = {}
      local ok, what = pcall(usher.map, range(500), function()
        assert(profile(client))
        done = done + 1
        if done == 1 then error(problem) end
      end, { concurrency = 64 })
      assert.is_false(ok)
      assert.is_true(rawequal(problem, what))
      assert.equal(64, done)
      assert.same({ 64, 0 }, { server:stats().requests, server:stats().in_flight })
    end)
  end)

  describe("when a client is closed in the middle of 64 transfers", function()
    it("ends them as cancelled, and leaves the other clients' alone", function()
      local before = settled_descriptors()
      local doomed, other, watch = open("/hold"), open("/gather/8"), open("/when/72")
      local functions = {}
      for i = 1, 64 do functions[i] = function() return profile(doomed) end end
      for i = 65, 72 do functions[i] = function() return profile(other) end end
      functions[73] = function()
        local result, err = profile(watch)
        doomed:close()
        return result, err
      end
      -- The eight are held by the ninth of their kind, which is called when the client is closed.
      other:close()
      other = open("/gather/9")
      functions[74] = function()
        while tostring(doomed):find("(open)", 1, true) do assert(profile(open("/delay/5"))) end
        return profile(other)
      end
      local results, errors = usher.all(functions)
      for i = 1, 64 do
        local err = errors[i]
        assert.same({ "cancelled", true, false }, { err.kind, err.request_sent, err.retryable })
      end
      for i = 65, 74 do assert.is_true(results[i] and results[i].ok, tostring(errors[i])) end
      close_all()
      assert.equal(before, descriptors())
    end)

    it("goes on with a new one", function()
      local client, watch = open("/hold"), open("/when/8")
      local results, errors = usher.map(range(9), function(item)
        if item < 9 then return profile(client) end
        assert(profile(watch))
        client:close()
        client = open("/delay/0")
        return profile(client)
      end)
      assert.equal("cancelled", errors[8].kind)
      assert.is_true(results[9].ok)
      assert.equal(20, #(map_calls(client, 20, 20)))
    end)
  end)

  describe("when the script is interrupted in the middle of 64 transfers", function()
    it("cancels them, leaves nothing open, and the client works", function()
      local before = settled_descriptors()
      local client, watch, other = open("/hold"), open("/when/64"), open("/delay/0")
      assert(profile(other))
      local here, started, all_held = coroutine.running(), 0, false
      interpreted(function()
        debug.sethook(function()
          if not all_held or coroutine.running() ~= here then return end
          debug.sethook()
          error("interrupted!", 0)
        end, "", 1)
        local ok, problem = pcall(usher.map, range(65), function(item)
          started = started + 1
          if item < 65 then profile(client) else assert(profile(watch)) end
          all_held = true
          scheduler.pause(60)
        end, { concurrency = 65 })
        assert.same({ false, "interrupted!" }, { ok, problem })
      end)
      assert.is_true(server:reaches("in_flight", 0))
      assert.equal(65, started)
      local results, errors = usher.map(range(20), function() return profile(other) end)
      assert.same({ 20, {} }, { #results, errors })
      assert.equal("timeout", select(2, profile(client, { timeout = 0.05, retries = 0 })).kind)
      close_all()
      assert.equal(before, descriptors())
    end)
  end)

  describe("leaves no transfer behind", function()
    local function refused(through, words)
      local client = open("/delay/0")
      local results, errors = usher.map(range(4), function(item)
        if item ~= 2 then return profile(client) end
        local ok, problem = pcall(through, function() return profile(client) end)
        return nil, not ok and problem
      end)
      contains(errors[2], words)
      assert.same({ true, nil, true, true },
        { results[1].ok, nil, results[3].ok, results[4].ok })
      assert.equal(3, server:stats().requests)
      assert(profile(client))
    end

    it("of a coroutine of the user's own", function()
      refused(function(call)
        local ok, problem = coroutine.resume(coroutine.create(call))
        if not ok then error(problem, 0) end
      end, "a call inside usher.map was made from a coroutine of your own")
    end)

    it("of a comparison in table.sort", function()
      refused(function(call) table.sort({ 2, 1 }, call) end,
        "a call inside usher.map was made through a C function that cannot yield")
    end)

    it("of a replacement in string.gsub", function()
      refused(function(call) return (("x"):gsub("x", call)) end,
        "a call inside usher.map was made through a C function that cannot yield")
    end)

    it("and no descriptor, whatever happens", function()
      local function all()
        local good, bad, dead = open("/delay/0"), open("/broken/1000", { retries = 0 }),
          open("/hold", { timeout = 0.05, retries = 0 })
        usher.map(range(60), function(item)
          return profile(item % 3 == 0 and good or item % 3 == 1 and bad or dead)
        end)
        pcall(usher.map, range(60), function(item)
          profile(good)
          if item == 30 then error("no") end
        end)
        for _, client in ipairs{ good, bad, dead } do client:close() end
      end
      all() -- whatever is loaded once is loaded now
      local before = settled_descriptors()
      for _ = 1, 5 do all() end
      assert.equal(before, descriptors())
    end)
  end)

  describe("keeps to itself", function()
    -- Item 1 is a call to the slow client, the others are quick; returns in which place item 1
    -- ended, and its result.
    local function last(slow_client, options)
      local quick = open("/delay/1")
      local order, result, problem = {}, nil, nil
      usher.map(range(41), function(item)
        if item == 1 then return profile(slow_client, options) end
        return assert(profile(quick))
      end, { concurrency = 4, on_result = function(index, _, value, err)
        order[#order + 1] = index
        if index == 1 then result, problem = value, err end
      end })
      for place, index in ipairs(order) do
        if index == 1 then return place, result, problem end
      end
    end

    it("a sleep before a retry", function()
      local place, result = last(open("/broken/2", { random = function() return 0.9 end }))
      assert.same({ 41, true }, { place, result.ok })
    end)

    it("a sleep for Retry-After", function()
      local place, result = last(open("/limited/1/1"))
      assert.same({ 41, true }, { place, result.ok })
    end)

    it("a timeout", function()
      local place, _, err = last(open("/hold"), { timeout = 0.5, retries = 0 })
      assert.same({ 41, "timeout" }, { place, err.kind })
    end)

    it("a deadline in the middle of a sleep", function()
      local place, _, err = last(open("/limited/9/9"), { deadline = 0.4 })
      assert.is_true(place <= 41)
      assert.same({ "rate_limited", 9 }, { err.kind, err.retry_after })
    end)

    it("a rate limit", function()
      local client = open("/delay/0", { rate = { per_second = 5 } })
      assert(profile(client)) -- the burst
      local place, result = last(client)
      assert.same({ 41, true }, { place, result.ok })
    end)
  end)

  it("fetches one token for 64 tasks at once", function()
    local chat = usher.vchatcloud{ api_key = "a-long-key", base_url = server:url("/vchatcloud") }
    clients[#clients + 1] = chat
    finally(close_all)
    local results, errors = usher.map(range(64), function()
      return chat:list_users{ room_id = "room" }
    end, { concurrency = 64 })
    assert.same({ 64, {} }, { #results, errors })
    local stats = server:stats()
    assert.same({ 65, 1 }, { stats.requests, stats.tokens })
  end)

  it("tells on_event of each task's requests, and lets it call", function()
    local events, asked = {}, 0
    local other = open("/delay/0")
    local client = open("/gather/8", { on_event = function(event)
      events[event.event] = (events[event.event] or 0) + 1
      if event.event == "response" and asked < 3 then
        asked = asked + 1
        assert(profile(other))
      end
    end })
    assert.equal(16, #(map_calls(client, 16, 8)))
    assert.same({ request = 16, response = 16 }, events)
    assert.equal(3, asked)
  end)

  it("replaces connections that the server closes", function()
    local client = open("/goodbye")
    local results, errors = map_calls(client, 60, 6)
    assert.same({ 60, {} }, { #results, errors })
    assert.equal(60, server:stats().connections)
  end)

  it("opens no more connections than max_connections", function()
    local client = open("/delay/5", { max_connections = 4 })
    local results, errors = map_calls(client, 48, 24)
    assert.same({ 48, {} }, { #results, errors })
    local stats = server:stats()
    assert.same({ 4, 4 }, { stats.connections, stats.most_in_flight })
  end)

  it("needs no client to outlive its calls", function()
    local function once(index)
      local client = open("/delay/1")
      clients[#clients] = nil
      local result = assert(profile(client))
      if index % 2 == 0 then client:close() end
      return result.ok
    end
    collectgarbage() -- what earlier specs have left behind
    collectgarbage()
    local before = settled_descriptors()
    local results = usher.map(range(40), once, { concurrency = 8 })
    assert.equal(40, #results)
    assert.equal(before, settled_descriptors())
  end)

  it("bears a collector that never rests", function()
    local pause, step = collectgarbage("setpause", 1), collectgarbage("setstepmul", 10000)
    local client = open("/delay/1")
    local ok, problem = pcall(function()
      local results, errors = map_calls(client, 200, 32)
      assert.same({ 200, {} }, { #results, errors })
      local raised = {}
      local fine, what = pcall(usher.map, range(100), function(item)
        assert(profile(client))
        if item == 40 then error(raised) end
      end)
      assert.is_false(fine)
      assert.is_true(rawequal(raised, what))
    end)
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", step)
    assert.is_true(ok, tostring(problem))
  end)
end)

describe("usher.map over HTTP/2", function()
  local directory, certificate, server, port

  -- Answers with the number of the connection, when `gather` requests are in flight.
  local LOCATION = [[
    location / {
      content_by_lua_block {
        local held = ngx.shared.held
        local wanted = tonumber(ngx.var.arg_user_id)
        local give_up = ngx.now() + 15
        held:incr("count", 1, 0)
        while held:get("count") < wanted and ngx.now() < give_up do
          ngx.sleep(0.01)
          ngx.update_time()
        end
        ngx.header["Content-Type"] = "application/json"
        ngx.print('{"connection":', ngx.var.connection, ',"protocol":"', ngx.var.server_protocol,
          '","together":', held:get("count"), '}')
      }
    }]]

  setup(function()
    local pipe = assert(io.popen("mktemp -d"))
    directory = pipe:read("*l")
    pipe:close()
    certificate = nginx.certify(directory)
    port = nginx.free_port()
    server = nginx.start{ http = ([[
      lua_shared_dict held 1m;
      server {
        listen 127.0.0.1:%s ssl http2;
        http2_max_concurrent_streams 128;
        %s
        %s
      }]]):format(port, certificate, LOCATION) }
  end)

  teardown(function()
    server:stop()
    os.execute("rm -rf '" .. directory .. "'")
  end)

  local function open(options)
    local all = { app_id = "app", secret = "a-long-secret", ca_file = directory .. "/own.pem",
      base_url = ("https://localhost:%s"):format(port), timeout = 20 }
    for name, value in pairs(options or {}) do all[name] = value end
    return usher.qiscus(all)
  end

  -- How many connections 100 calls at once came over, and what was spoken on them.
  local function connections_of(client, gather)
    local results, errors = usher.map(range(100), function()
      return client:user_profile{ user_id = tostring(gather) }
    end, { concurrency = 100 })
    assert.same({}, errors)
    local seen, count, protocols = {}, 0, {}
    for _, result in ipairs(results) do
      if not seen[result.connection] then count = count + 1 end
      seen[result.connection] = true
      protocols[result.protocol] = true
    end
    return count, (next(protocols))
  end

  it("makes 100 calls at once over one connection", function()
    local client = open()
    finally(function() client:close() end)
    assert.same({ 1, "HTTP/2.0" }, { connections_of(client, 100) })
  end)
end)
