-- Callbacks that do what they please: each that a client takes raises, calls the client again,
-- closes it or yields, in a plain call, in a coroutine of the user's own and inside usher.map. What
-- the user sees is the same wherever one cannot see a reason for it to differ.

local core = require "usher.core"
local fake = require "spec.support.fake"
local scheduler = require "usher.scheduler"
local usher = require "usher"

local pool = fake.pool()

local USER = { user_id = "bob" }

-- The callbacks, and when they are called: during a call that is answered with 503, waits, and is
-- answered with 200.
--   make(act): the options of a client whose callback calls act()
--   c: it is called by C, which nothing can yield through
--   early: it is called before the arguments are looked at
--   sent: how many requests have left when it closes the client
local PLACES = {
  ["on_event, at a request,"] = { sent = 0, make = function(act)
    return { on_event = function(event) if event.event == "request" then act() end end }
  end },
  ["on_event, at a response,"] = { sent = 1, make = function(act)
    return { on_event = function(event) if event.event == "response" then act() end end }
  end },
  ["on_event, at a retry,"] = { sent = 1, make = function(act)
    return { on_event = function(event) if event.event == "retry" then act() end end }
  end },
  ["a transport's send"] = { sent = 1, make = function(act, world)
    local send = world.transport.send
    world.transport.send = function(request)
      act()
      return send(request)
    end
    return {}
  end },
  ["a transport's sleep"] = { sent = 1, make = function(act, world)
    local sleep = world.transport.sleep
    world.transport.sleep = function(seconds)
      act()
      return sleep(seconds)
    end
    return {}
  end },
  ["the clock"] = { c = true, early = true, sent = 0, make = function(act, world)
    return { clock = function()
      act()
      return world.now
    end }
  end },
  ["the dice"] = { c = true, early = true, sent = 0, make = function(act)
    return { random = function()
      act()
      return 0.5
    end }
  end },
}

-- A client whose callback at `place` calls act(client) the first time it is called; and the world
-- it lives in, which answers every other request with 503.
local function open(place, act)
  finally(pool.close)
  local world = fake.new{ forever = function(_, world)
    local status = #world.requests % 2 == 1 and 503 or 200
    return status, {}, '{"ok":true}'
  end }
  local armed, client = true, nil
  local options = place.make(function()
    if not armed then return end
    armed = false
    act(client)
  end, world)
  client = pool.open("qiscus", {}, world:options(options))
  return client, world
end

-- Where a call is made: each calls fn and returns what it returns or raises what it raises.
local CONTEXTS = {
  ["a plain call"] = function(fn) return fn() end,
  ["a coroutine"] = function(fn)
    local function returned(ok, ...)
      if not ok then error((...), 0) end
      return ...
    end
    return returned(coroutine.resume(coroutine.create(fn)))
  end,
  ["usher.map"] = function(fn)
    local first, second
    usher.map({ 1, 2, 3 }, function(item)
      if item == 2 then first, second = fn() end
    end, { concurrency = 3 })
    return first, second
  end,
}

local function profile(client)
  return client:user_profile(USER)
end

-- The client goes on: its next call succeeds, and no scheduler thinks it runs.
local function goes_on(client)
  assert.is_nil(scheduler.task())
  assert.same({ ok = true }, (profile(client)))
end

local function is_cancelled(result, err)
  assert.is_nil(result)
  assert.equal("cancelled", err.kind)
end

for name, place in pairs(PLACES) do
  for context, within in pairs(CONTEXTS) do
    describe(("%s in %s"):format(name, context), function()
      it("may raise: that is raised, and the client goes on", function()
        local problem = {}
        local client = open(place, function() error(problem) end)
        local ok, what = pcall(within, function() return profile(client) end)
        assert.is_false(ok)
        assert.is_true(rawequal(problem, what))
        goes_on(client)
      end)

      it("may call: both calls succeed", function()
        local inner
        local client, world = open(place, function(self) inner = profile(self) end)
        local result, response = within(function() return profile(client) end)
        assert.same({ ok = true }, inner)
        assert.same({ ok = true }, result)
        assert.equal(200, response.status)
        assert.equal(4, #world.requests)
        goes_on(client)
      end)

      it("may close the client: the call is refused or cancelled, and sends no more", function()
        local client, world = open(place, function(self) self:close() end)
        if place.early then
          local ok, what = pcall(within, function() return profile(client) end)
          assert.is_false(ok)
          assert.matches("usher.qiscus:user_profile: the client is closed", what, 1, true)
        else
          is_cancelled(within(function() return profile(client) end))
        end
        assert.equal(place.sent, #world.requests)
        assert.equal("usher.qiscus (closed)", tostring(client))
      end)
    end)
  end

  describe(name, function()
    if place.c then
      it("cannot yield: that is an error, and the client goes on", function()
        for _, within in pairs(CONTEXTS) do
          local client = open(place, function() coroutine.yield("out") end)
          local ok, what = pcall(within, function() return profile(client) end)
          assert.is_false(ok)
          assert.matches("yield", what, 1, true)
          goes_on(client)
        end
      end)
    else
      it("may yield out of a coroutine, and be resumed", function()
        local client = open(place, function() coroutine.yield("out") end)
        local thread = coroutine.create(function() return profile(client) end)
        assert.same({ true, "out" }, { coroutine.resume(thread) })
        local ok, result = coroutine.resume(thread)
        assert.is_true(ok, result)
        assert.same({ ok = true }, result)
        goes_on(client)
      end)

      it("cannot yield out of the main thread: that is an error, and the client goes on", function()
        local client = open(place, function() coroutine.yield("out") end)
        local ok, what = pcall(profile, client)
        assert.is_false(ok)
        assert.matches("yield", what, 1, true)
        goes_on(client)
      end)

      it("cannot yield out of usher.map: that is an error, and the client goes on", function()
        local client = open(place, function() coroutine.yield("out") end)
        local ok, what = pcall(CONTEXTS["usher.map"], function() return profile(client) end)
        assert.is_false(ok)
        assert.matches("a function given to usher.map must not yield by itself", what, 1, true)
        goes_on(client)
      end)
    end
  end)
end

describe("A transport's close", function()
  local function closing(act)
    local closed, client = 0, nil
    finally(pool.close)
    client = pool.open("qiscus", {}, { transport = { send = print, close = function()
      closed = closed + 1
      return act(client)
    end } })
    return client, function() return closed end
  end

  it("may raise: close raises it, the client is closed, and closing again is silent", function()
    local problem = {}
    local client, closed = closing(function() error(problem) end)
    local ok, what = pcall(client.close, client)
    assert.is_false(ok)
    assert.is_true(rawequal(problem, what))
    assert.equal("usher.qiscus (closed)", tostring(client))
    client:close()
    assert.equal(1, closed())
  end)

  it("may close the client, which changes nothing", function()
    local client, closed = closing(function(self) self:close() end)
    client:close()
    assert.equal(1, closed())
  end)

  it("that calls the client is told that it is closed", function()
    local client, closed = closing(function(self) profile(self) end)
    local ok, what = pcall(client.close, client)
    assert.is_false(ok)
    assert.matches("usher.qiscus:user_profile: the client is closed", what, 1, true)
    client:close()
    assert.equal(1, closed())
  end)

  it("may yield out of a coroutine: the client is closed by then", function()
    local client, closed = closing(function() coroutine.yield("out") end)
    local thread = coroutine.create(client.close)
    assert.same({ true, "out" }, { coroutine.resume(thread, client) })
    assert.equal("usher.qiscus (closed)", tostring(client))
    assert.same({ true }, { coroutine.resume(thread) })
    assert.equal(1, closed())
  end)

  it("is not called for a client that is left to the collector", function()
    local client, closed = closing(function() end)
    core.close(client) -- as its finalizer does
    assert.equal(0, closed())
  end)
end)

describe("What a callback raises", function()
  local raising = setmetatable({}, { __tostring = error, __concat = error, __index = error })
  local VALUES = {
    ["nil"] = function() return nil end,
    ["false"] = function() return false end,
    ["a number"] = function() return 0.5 end,
    ["a table"] = function() return {} end,
    ["a userdata"] = function() return io.stdout end,
    ["a function"] = function() return print end,
    ["a coroutine"] = function() return coroutine.create(print) end,
    ["what cannot be printed"] = function() return raising end,
  }
  for what, value in pairs(VALUES) do
    it(("may be %s: it arrives as it is"):format(what), function()
      for _, place in pairs(PLACES) do
        for _, within in pairs(CONTEXTS) do
          local problem = value()
          local client = open(place, function() error(problem, 0) end)
          local ok, caught = pcall(within, function() return profile(client) end)
          assert.is_false(ok)
          assert.is_true(rawequal(problem, caught))
          goes_on(client)
        end
      end
    end)
  end

  -- A client that has no token yet, and whose callback raises the n-th time it is called.
  local function raising_at(n, place)
    local world = fake.new{ forever = function(request, world)
      if #world.requests % 2 == 1 then return 503, {}, "" end
      if request.operation ~= "issue_token" then return 200, {}, '{"ok":true}' end
      return 200, {}, '{"data":{"X-AUTH-TOKEN":"token"}}'
    end }
    local count = 0
    local options = world:options(place.make(function()
      count = count + 1
      if count == n then error("in the middle of it", 0) end
    end, world))
    options.token = fake.unset
    finally(pool.close)
    return pool.open("vchatcloud", {}, options), world
  end

  for name, place in pairs(PLACES) do
    it(("makes no other call wait for the token that this one was to fetch: %s"):format(name),
      function()
        local raised = 0
        for n = 1, 12 do
          local client, world = raising_at(n, place)
          if not pcall(client.list_users, client, { room_id = "r" }) then
            raised = raised + 1
            local before = world.now
            assert.same({ ok = true }, (client:list_users{ room_id = "r" }))
            local waited = world.now - before
            assert.is_true(waited < 5, ("%g s, as it was raised at call %d"):format(waited, n))
          end
        end
        assert.is_true(raised >= 2)
      end)
  end
end)
