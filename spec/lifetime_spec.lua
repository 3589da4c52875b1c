-- What may happen to a process, and to the userdata in it: collections and finalizers at the worst
-- moment, coroutines that are never resumed, forks, signals, forgeries. What could take a process
-- down runs in one of its own, as a script of spec/lifetime; the specs there are of callbacks,
-- debug hooks and Lua states.

local fake = require "spec.support.fake"
local process = require "spec.lifetime.process"
local provider = require "spec.support.provider"
local scheduler = require "usher.scheduler"
local slow = require "spec.support.slow_server"
local usher = require "usher"

local USER = { user_id = "bob" }
local ROOM = { room_id = "room" }

local function lines_of(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do lines[#lines + 1] = line end
  return lines
end

-- Runs a script, which must end well; returns the lines it has printed.
local function run(script, ...)
  local output, status = process.run("spec/lifetime/" .. script, ...)
  assert.equal(0, status, output)
  return lines_of(output)
end

local misbehaving, answering

local function base(listener)
  return (misbehaving:url(listener, "/"):gsub("/$", ""))
end

setup(function()
  process.build_host()
  misbehaving, answering = provider.start(), slow.start()
end)

teardown(function()
  misbehaving:stop()
  answering:stop()
end)

before_each(function()
  misbehaving:clear()
  answering:reset()
end)

describe("Every kind of call bears a collector", function()
  local MODES = { every = "that collects all at every instruction",
    pause = "that never pauses", young = "of generations, at every instruction" }
  if _VERSION == "Lua 5.1" then MODES.young = nil end
  for mode, words in pairs(MODES) do
    it(words, function()
      assert.equal(15, #run("collect.lua", mode, answering:url(""), base("http"), base("https"),
        misbehaving.files.ca_file))
    end)
  end
end)

describe("Every kind of call bears a finalizer, at any allocation,", function()
  for act, words in pairs{ close = "that closes the client: it is refused, cancelled or answered",
    call = "that calls the client", raise = "that raises" } do
    it(words, function()
      local lines = run("finalizers.lua", act, answering:url("/delay/0"),
        process.is_slow and "some" or "all")
      assert.equal(7, #lines)
      for _, kind in ipairs{ "request", "a GET", "a POST", "usher.map" } do
        local struck = table.concat(lines, "\n"):match(kind .. ": struck (%d+) times")
        assert.is_true(tonumber(struck) >= 3, kind .. ": " .. struck)
      end
    end)
  end
end)

describe("A client that nobody holds", function()
  local pool = fake.pool()

  -- Makes a client and forgets it; what is left of it is in `alive`.
  local alive
  local function calls_of_the_forgotten(count)
    alive = setmetatable({}, { __mode = "k" })
    local function answer()
      process.collect()
      if scheduler.task() then scheduler.pause(0) end
      return 200, {}, '{"ok":true}'
    end
    local function call()
      local client = usher.qiscus{ app_id = "app", secret = "a-long-secret", transport = answer }
      alive[client] = true
      return client:user_profile(USER)
    end
    if count == 1 then return { (call()) } end
    local items = {}
    for i = 1, count do items[i] = i end
    return (usher.map(items, call))
  end

  for _, count in ipairs{ 1, 5 } do
    it(("lives until %s over, and no longer"):format(count == 1 and "its call is" or
      "the calls inside usher.map are"), function()
      local results = calls_of_the_forgotten(count)
      assert.equal(count, #results)
      for _, result in ipairs(results) do assert.same({ ok = true }, result) end
      results = nil -- luacheck: ignore 311
      process.collect()
      assert.is_nil(next(alive))
    end)
  end

  it("dies with the coroutine that is never resumed", function()
    alive = setmetatable({}, { __mode = "k" })
    for _, callback in ipairs{ "send", "sleep", "on_event" } do
      local thread = coroutine.create(function()
        local client = pool.open("qiscus", {}, {
          transport = {
            send = function()
              if callback == "send" then coroutine.yield(callback) end
              return 503, {}, ""
            end,
            sleep = function() coroutine.yield(callback) end,
          },
          on_event = function() if callback == "on_event" then coroutine.yield(callback) end end,
        })
        alive[client] = true
        return client:user_profile(USER)
      end)
      assert.same({ true, callback }, { coroutine.resume(thread) })
    end
    pool = fake.pool() -- the other has kept them
    process.collect()
    assert.is_nil(next(alive))
  end)
end)

describe("A coroutine that is never resumed", function()
  local pool = fake.pool()

  -- A client whose first request yields, and is never answered.
  local function open(provider_name, options)
    finally(pool.close)
    return pool.open(provider_name, { forever = function(request, self)
      if #self.requests == 1 then coroutine.yield("in flight") end
      if request.operation == "issue_token" then
        return 200, {}, '{"data":{"X-AUTH-TOKEN":"token"}}'
      end
      return 200, {}, '{"ok":true}'
    end }, options)
  end

  local function abandon(fn)
    local thread = coroutine.create(fn)
    assert.same({ true, "in flight" }, { coroutine.resume(thread) })
    return setmetatable({ thread = thread }, { __mode = "v" })
  end

  it("is collected with its call, and the client goes on", function()
    local client = open("qiscus")
    local left = abandon(function() return client:user_profile(USER) end)
    assert.same({ ok = true }, (client:user_profile(USER)))
    process.collect()
    assert.is_nil(left.thread)
    assert.same({ ok = true }, (client:user_profile(USER)))
  end)

  it("keeps the token it was to fetch from the others only until it is collected", function()
    local client, world = open("vchatcloud", { token = fake.unset })
    local left = abandon(function() return client:list_users(ROOM) end)
    process.collect()
    assert.is_nil(left.thread)
    local before = world.now
    assert.same({ ok = true }, (client:list_users(ROOM)))
    assert.equal(before, world.now)
  end)

  it("is what becomes of a task that yields: the others end, and the client goes on", function()
    local client, world = open("vchatcloud", { token = fake.unset })
    local threads = setmetatable({}, { __mode = "k" })
    local ok, what = pcall(usher.map, { 1, 2 }, function(item)
      threads[coroutine.running()] = true
      if item == 1 then return client:list_users(ROOM) end
    end)
    assert.is_false(ok)
    assert.matches("a function given to usher.map must not yield by itself", what, 1, true)
    process.collect()
    assert.is_nil(next(threads))
    local before = world.now
    assert.same({ ok = true }, (client:list_users(ROOM)))
    assert.equal(before, world.now)
  end)
end)

describe("close inside usher.map", function()
  local clients

  before_each(function() clients = {} end)

  local function open(path, options)
    local all = { app_id = "app", secret = "a-long-secret", base_url = answering:url(path),
      timeout = 15, retries = 0 }
    for name, value in pairs(options or {}) do all[name] = value end
    local client = usher.qiscus(all)
    clients[#clients + 1] = client
    finally(function()
      for _, each in ipairs(clients) do each:close() end
    end)
    return client
  end

  local function profile(client)
    return client:user_profile(USER)
  end

  local function kinds_of(errors, count)
    local kinds = {}
    for i = 1, count do kinds[i] = errors[i] and errors[i].kind or "ok" end
    return kinds
  end

  -- Item 1 is in flight, and is held; the others do what ends it.
  local function with_one_in_flight(doomed, finish, options)
    local watch = open("/when/1")
    local _, errors = usher.map({ 1, 2 }, function(item)
      if item == 1 then return profile(doomed) end
      local result, err = profile(watch)
      if finish then finish(watch) end
      return result, err
    end, options)
    return errors
  end

  it("of the client whose event is told cancels its calls in flight", function()
    local doomed = open("/hold")
    local watch
    local _, errors = usher.map({ 1, 2 }, function(item)
      if item == 1 then return profile(doomed) end
      watch = open("/when/1", { on_event = function(event)
        if event.event == "response" then
          doomed:close()
          watch:close()
        end
      end })
      return profile(watch)
    end)
    assert.same({ "cancelled", "ok" }, kinds_of(errors, 2))
    assert.is_true(answering:reaches("in_flight", 0))
  end)

  it("in on_result cancels the calls in flight, and is told of them too", function()
    local doomed, kinds = open("/hold"), {}
    local count = with_one_in_flight(doomed, nil, { on_result = function(index, _, value, err)
      kinds[index] = value and "ok" or err.kind
      doomed:close()
    end })
    assert.is_nil(count)
    assert.same({ "cancelled", "ok" }, kinds)
  end)

  it("in the iterator cancels the calls in flight", function()
    local doomed, watch, item = open("/hold"), open("/when/1"), 0
    local results, errors = usher.map(function()
      item = item + 1
      if item == 1 then return doomed end
      assert(profile(watch))
      doomed:close()
    end, profile)
    assert.same({}, results)
    assert.same({ "cancelled" }, kinds_of(errors, 1))
  end)

  it("of the own client while its transfer is in flight, by another task, cancels it", function()
    local doomed = open("/hold")
    local errors = with_one_in_flight(doomed, function() doomed:close() end)
    assert.same({ "cancelled", "ok" }, kinds_of(errors, 2))
    assert.equal("usher.qiscus (closed)", tostring(doomed))
  end)

  it("of all clients leaves no descriptor", function()
    process.collect()
    local before = process.descriptors()
    local doomed = { open("/hold"), open("/hold"), open("/hold") }
    local watch = open("/when/3")
    local _, errors = usher.map({ 1, 2, 3, 4 }, function(item)
      if item < 4 then return profile(doomed[item]) end
      local result = assert(profile(watch))
      for i = 1, 3 do doomed[i]:close() end
      watch:close()
      return result
    end)
    assert.same({ "cancelled", "cancelled", "cancelled", "ok" }, kinds_of(errors, 4))
    assert.equal(before, process.descriptors())
  end)
end)

describe("A fork with an open client", function()
  local REFUSAL = "the client belongs to the process that opened it: open another one after a fork"
  local CHILD = {
    "child: call: " .. REFUSAL,
    "child: usher.map: " .. REFUSAL,
    "child: call of its own client: ok",
    "child: usher.map with its own client: 2 results",
    "child: close: nothing",
    "child: call after close: usher.qiscus:user_profile: the client is closed",
  }
  local BORN = "usher.map belongs to the process that opened it: call it again after a fork"
  local BEFORE = {
    plain = {},
    map = { "child: call in a task: " .. BORN,
      "child: call of its own client in a task: " .. BORN,
      "child: usher.map it was born in: " .. BORN },
  }
  local AFTER = {
    plain = { "parent: child: exit" },
    map = { "parent: task 1: ok", "parent: task 2: ok", "parent: task 3: exit" },
  }

  local ENDINGS = { "leave" }
  -- What the child leaves to its parent, a leak checker would report at its exit.
  if not process.is_checked then ENDINGS[2] = "exit" end

  for how, words in pairs{ plain = "by itself", map = "inside usher.map" } do
    for _, ending in ipairs(ENDINGS) do
      it(("%s leaves the parent's TLS sessions whole, and the child is told (%s)"):format(words,
        ending), function()
        local expected = { "parent: call: ok" }
        for _, part in ipairs{ BEFORE[how], CHILD, AFTER[how],
          { "parent: call: ok", "parent: usher.map: 2 results" } } do
          for _, line in ipairs(part) do expected[#expected + 1] = line end
        end
        assert.same(expected, run("forks.lua", how, misbehaving:url("https", "/delay/50"),
          misbehaving.files.ca_file, ending))
        -- two of the parent's, which it still uses at the end, and two of the child's
        assert.equal(4, misbehaving:connections())
      end)
    end
  end
end)

describe("SIGPIPE", function()
  for _, disposition in ipairs{ "default", "ignore", "count" } do
    it(("never comes of 24 uploads that are cut off, and its disposition stays: %s"):format(
      disposition), function()
      local lines = run("sigpipe.lua", disposition, misbehaving.files.ca_file,
        misbehaving:url("http", "/early_error"), misbehaving:url("https", "/early_error"),
        misbehaving:url("http", "/reset_before_reply"),
        misbehaving:url("https", "/reset_before_reply"))
      assert.same({ "6 uploads failed", "6 uploads failed", "6 uploads failed",
        "6 uploads failed" }, lines)
    end)
  end
end)

describe("A userdata", function()
  it("that is forged, dressed up or finalized by hand does no harm", function()
    local lines = run("tamper.lua", answering:url("/delay/0"))
    assert.equal(5 * 5 + 2, #lines)
  end)
end)
