-- The event loop of usher.curl by itself: which pools it drives, how long it waits, and what it
-- does with descriptors that rest, die or are held by somebody else.

local core = require "usher.core"
local curl = require "usher.curl"
local slow = require "spec.support.slow_server"

local ffi_found, ffi = pcall(require, "ffi")
if ffi_found then
  for _, declaration in ipairs{ "int fork(void)", "int waitpid(int, int *, int)",
    "void _exit(int)", "int pause(void)", "int kill(int, int)" } do
    pcall(ffi.cdef, declaration .. ";") -- another spec may have declared it
  end
end
local epoll_found = io.open("/proc/sys/fs/epoll/max_user_watches") ~= nil

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

describe("A loop", function()
  local server, loop, pools

  setup(function() server = slow.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    server:reset()
    loop, pools = assert(curl.loop()), {}
  end)

  after_each(function()
    loop:close()
    for _, pool in ipairs(pools) do pool:close() end
  end)

  local function open(settings)
    local pool = curl.new(settings or {})
    pools[#pools + 1] = pool
    return pool
  end

  local function joined(settings)
    local pool = open(settings)
    loop:join(pool)
    return pool
  end

  local function start(pool, path, extra)
    local request = { method = "GET", url = server:url(path), headers = {}, timeout = 15,
      connect_timeout = 5, idempotent = true }
    for name, value in pairs(extra or {}) do request[name] = value end
    return pool:start(request)
  end

  -- Takes `count` transfers, in a set; waits for as long as that needs.
  local function take(count)
    local taken, give_up = {}, core.monotonic() + 15
    while count > 0 do
      assert.is_true(core.monotonic() < give_up, "the transfers do not end")
      loop:wait(1)
      local transfer = loop:take()
      while transfer do
        taken[transfer] = (taken[transfer] or 0) + 1
        count = count - 1
        transfer = loop:take()
      end
    end
    return taken
  end

  -- Waits until one wait has lasted as long as it may; returns how many did not.
  local function early_returns()
    for count = 0, 20 do
      local before = core.monotonic()
      loop:wait(0.2)
      if core.monotonic() - before >= 0.19 then return count end
    end
    return math.huge
  end

  it("drives the transfers of several pools, and hands each out once", function()
    local started = {}
    for _ = 1, 3 do
      local pool = joined()
      for _ = 1, 5 do started[start(pool, "/gather/15")] = 1 end
    end
    assert.same(started, take(15))
    assert.is_nil(loop:take())
    for transfer in pairs(started) do assert.equal(200, (transfer:result())) end
  end)

  it("drives a pool no better for joining twice", function()
    local pool = joined()
    loop:join(pool)
    local transfer = start(pool, "/delay/0")
    assert.same({ [transfer] = 1 }, take(1))
    assert.is_nil(loop:take())
  end)

  it("hands out a transfer that could not even start", function()
    local pool = joined()
    local transfer = start(pool, "", { url = "http://127.0.0.1:1/", timeout = 5 })
    take(1)
    local status, kind, _, sent = transfer:result()
    assert.same({ "network", false }, { status or kind, sent })
  end)

  it("does not wait while a transfer is to be taken", function()
    local pool = joined()
    local transfer = start(pool, "/delay/0")
    local give_up = core.monotonic() + 15
    while not transfer:done() and core.monotonic() < give_up do loop:wait(1) end
    local before = core.monotonic()
    loop:wait(10)
    assert.is_true(core.monotonic() - before < 5)
    assert.equal(transfer, loop:take())
  end)

  it("waits as long as it is told when there is nothing to do", function()
    assert.equal(0, early_returns())
    joined()
    assert.equal(0, early_returns())
  end)

  it("ends a transfer when its time is up, though nothing happens", function()
    local transfer = start(joined(), "/hold", { timeout = 0.1 })
    local before = core.monotonic()
    while not transfer:done() and core.monotonic() - before < 10 do loop:wait(10) end
    assert.equal("timeout", select(2, transfer:result()))
    assert.is_true(core.monotonic() - before < 5)
  end)

  it("wakes seldom while a transfer waits for its answer", function()
    local transfer, waits = start(joined(), "/delay/300"), 0
    while not transfer:done() and waits < 1000 do
      loop:wait(1)
      waits = waits + 1
    end
    assert.equal(200, (transfer:result()))
    assert.is_true(waits <= 20, waits .. " waits")
  end)

  describe("does not turn when", function()
    local function idle_after(path)
      local pool = joined()
      for _ = 1, 3 do start(pool, path) end
      take(3)
      assert.is_true(server:reaches("open", 0))
      local early = early_returns()
      assert.is_true(early <= 4, early .. " early returns")
      return pool
    end

    it("the server has closed a connection at rest", function()
      local pool = idle_after("/late_goodbye/30")
      local transfer = start(pool, "/delay/0")
      take(1)
      assert.equal(200, (transfer:result()))
    end)

    it("the server has closed a connection right after the answer", function()
      idle_after("/goodbye")
    end)

    if ffi_found then
      it("a child of this process holds a connection that we have closed", function()
        local pool = joined()
        start(pool, "/late_goodbye/200")
        take(1)
        local child = ffi.C.fork()
        if child == 0 then
          ffi.C.pause()
          ffi.C._exit(0)
        end
        finally(function()
          ffi.C.kill(child, 9)
          ffi.C.waitpid(child, nil, 0)
        end)
        start(pool, "/hold", { timeout = 0.05 }) -- on that connection, which is closed then
        take(1)
        pool:close()
        local early = early_returns()
        assert.is_true(server:reaches("in_flight", 0))
        early = early + early_returns()
        assert.is_true(early <= 4, early .. " early returns")
      end)
    end
  end)

  describe("shares a pool's connections", function()
    it("with the blocking way, in either order", function()
      local pool = open()
      local function alone()
        local transfer = start(pool, "/delay/0")
        repeat until pool:step(1) == transfer
        assert.equal(200, (transfer:result()))
      end
      alone()
      loop:join(pool)
      start(pool, "/delay/0")
      take(1)
      alone() -- while joined
      start(pool, "/delay/0")
      take(1)
      loop:close()
      alone()
      assert.equal(1, server:stats().connections)
    end)

    it("with the next loop", function()
      local pool = joined()
      start(pool, "/delay/0")
      take(1)
      local first = loop
      loop = curl.loop()
      loop:join(pool)
      start(pool, "/delay/0")
      take(1)
      first:close()
      start(pool, "/delay/0")
      take(1)
      assert.equal(1, server:stats().connections)
    end)
  end)

  it("that is closed leaves its transfers to the pool", function()
    local pool = joined()
    local transfer = start(pool, "/delay/20")
    loop:wait(0)
    loop:close()
    loop:close()
    repeat until pool:step(1) == transfer
    assert.equal(200, (transfer:result()))
  end)

  it("that is closed says so", function()
    local pool = open()
    loop:close()
    for _, call in ipairs{
      function() loop:wait(0) end, function() loop:take() end, function() loop:join(pool) end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.matches("the loop is closed", message, 1, true)
    end
  end)

  it("forgets the transfers of a pool that is closed", function()
    local doomed, other = joined(), joined()
    local cancelled = start(doomed, "/hold")
    local transfer = start(other, "/delay/20")
    loop:wait(0)
    doomed:close()
    assert.equal("cancelled", select(2, cancelled:result()))
    assert.same({ [transfer] = 1 }, take(1))
  end)

  it("takes a pool and nothing else, one that is closed for none", function()
    local pool = open()
    pool:close()
    loop:join(pool)
    assert.is_nil(loop:take())
    assert.is_false((pcall(loop.join, loop, loop)))
    assert.is_false((pcall(loop.join, loop)))
  end)

  it("keeps a pool alive, and lets go of one that was closed", function()
    local known = setmetatable({}, { __mode = "k" })
    local function count()
      collectgarbage()
      collectgarbage()
      local alive = 0
      for _ in pairs(known) do alive = alive + 1 end
      return alive
    end
    for _ = 1, 10 do
      local pool = curl.new{}
      loop:join(pool)
      known[pool] = true
    end
    assert.equal(10, count())
    for pool in pairs(known) do pool:close() end
    assert.is_nil(loop:take())
    assert.equal(0, count())
  end)

  it("may be collected before or after its pools, with transfers in flight", function()
    server:stats()
    local before = settled_descriptors()
    for i = 1, 20 do
      local other, pool = curl.loop(), curl.new{}
      other:join(pool)
      start(pool, "/hold")
      other:wait(0.01)
      if i % 3 == 0 then pool = nil end -- luacheck: ignore 311
      if i % 3 == 1 then other = nil end -- luacheck: ignore 311
      collectgarbage()
    end
    assert.equal(before, settled_descriptors())
    assert.is_true(server:reaches("in_flight", 0))
  end)

  it("leaves no descriptor", function()
    local before = settled_descriptors()
    for _ = 1, 20 do curl.loop():close() end
    assert.equal(before, descriptors())
  end)

  local with_epoll = epoll_found and it or pending -- poll() needs no descriptor
  with_epoll("is nil and a message where no descriptor is left", function()
    local script = [[
      local curl = require "usher.curl"
      local files = {}
      for _ = 1, 64 do files[#files + 1] = io.open("/dev/null") end
      print(curl.loop())
      files[1]:close()
      print(curl.loop() ~= nil)]]
    local interpreter = ffi_found and (os.getenv("LUAJIT") or "luajit")
      or os.getenv("LUA54") or "lua5.4"
    local pipe = assert(io.popen(("ulimit -n 32; %s -e '%s' 2>&1"):format(interpreter, script)))
    local refused, opened = pipe:read("*l"), pipe:read("*l")
    pipe:close()
    assert.equal("nil\tthere is no descriptor for an event loop", refused)
    assert.equal("true", opened)
  end)

  if ffi_found then
    it("is left alone by a forked child, and says so", function()
      local pool = joined()
      local transfer = start(pool, "/delay/100")
      loop:wait(0.01)
      local path = os.tmpname()
      finally(function() os.remove(path) end)
      local child = ffi.C.fork()
      if child == 0 then
        local file = io.open(path, "w")
        for _, call in ipairs{
          function() loop:wait(0) end, function() loop:take() end, function() loop:join(pool) end,
        } do
          file:write(tostring(select(2, pcall(call))), "\n")
        end
        loop:close()
        file:close()
        ffi.C._exit(0)
      end
      ffi.C.waitpid(child, nil, 0)
      local said, count = "belongs to the process that opened it", 0
      for line in io.lines(path) do
        assert.matches(said, line, 1, true)
        count = count + 1
      end
      assert.equal(3, count)
      assert.same({ [transfer] = 1 }, take(1))
      assert.equal(200, (transfer:result()))
    end)
  end
end)
