-- A debug hook strikes between any two instructions: an interrupt (Ctrl-C), a watchdog, a profiler.
-- Here it strikes once, at every instruction in turn, and raises, closes the client, or calls it:
-- in a plain call, in a coroutine, in usher.map's own code and in its tasks. Whatever happens to
-- that call, the next one succeeds, and nothing is left open.

local core = require "usher.core"
local fake = require "spec.support.fake"
local process = require "spec.lifetime.process"
local scheduler = require "usher.scheduler"
local slow = require "spec.support.slow_server"
local usher = require "usher"

local USER = { user_id = "bob" }

local function range(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

local function profile(client)
  return client:user_profile(USER)
end

-- LuaJIT has one hook for all coroutines, and counts the instructions of all.
local IS_LUAJIT = rawget(_G, "jit") ~= nil

-- Under valgrind it strikes at every so manieth instruction only.
local EVERY = process.is_slow and 9 or 1

-- Runs body(arm) again and again: arm(), called in the coroutine where the hook is to strike, or
-- with it, lets the hook call strike() once, `stride`, 2 * stride ... instructions later, until
-- body has ended before that. check(ok, the results of body, or what it raised) judges each.
-- Returns how often the hook has struck.
local function sweep(stride, body, strike, check)
  local struck, count, target = 0, 0, nil
  stride = stride * EVERY
  local function hook()
    if coroutine.running() ~= target then return debug.sethook(hook, "", 3) end
    debug.sethook()
    struck = struck + 1
    strike()
  end
  local function arm(thread)
    target = thread or coroutine.running()
    if thread then debug.sethook(thread, hook, "", count * stride) end
    if not thread then debug.sethook(hook, "", count * stride) end
  end
  local function run()
    local first, second = body(arm)
    debug.sethook()
    return first, second
  end
  process.interpreted(function()
    local before
    repeat
      before, count = struck, count + 1
      check(pcall(run))
    until struck == before
  end)
  return struck
end

-- Where nothing happened but what the hook did.
local function is_interrupt(ok, what)
  return not ok and tostring(what):find("interrupted!", 1, true) ~= nil
end

local function interrupt() error("interrupted!", 0) end

local function is_refusal(ok, what)
  return not ok and tostring(what):find("the client is closed", 1, true) ~= nil
end

local function is_cancelled(ok, result, err)
  return ok and result == nil and err.kind == "cancelled"
end

local function is_answer(ok, result)
  return ok and type(result) == "table" and result.ok == true
end

-- No scheduler thinks that it runs, here or in a coroutine.
local function is_idle()
  assert.is_nil(scheduler.task())
  assert.is_nil(coroutine.wrap(scheduler.task)())
end

-- With a transport of the specs' own, at every instruction --------------------------------------

describe("A debug hook at any instruction", function()
  local pool = fake.pool()
  local client

  -- Waits its turn where it may, as a transfer does.
  local function answer()
    if scheduler.task() then scheduler.pause(0) end
    return 200, {}, '{"ok":true}'
  end

  local function open()
    finally(pool.close)
    client = pool.open("qiscus", { forever = answer }, { on_event = function() end })
  end

  local function call()
    return profile(client)
  end

  -- A stride on LuaJIT, and a call that the hook gets into.
  local BODIES = {
    ["of a plain call"] = { 1, function(arm)
      arm()
      return call()
    end },
    ["of a call in a coroutine"] = { 1, function(arm)
      local thread = coroutine.create(call)
      arm(thread)
      local function returned(ok, ...)
        if not ok then error((...), 0) end
        return ...
      end
      return returned(coroutine.resume(thread))
    end },
    ["of usher.map"] = { 3, function(arm)
      arm()
      local results, errors = usher.map(range(3), call, { concurrency = 2 })
      return results[1], errors[1]
    end },
    ["of a task"] = { 3, function(arm)
      local results, errors = usher.map(range(4), function(item)
        if item == 2 then arm(coroutine.running()) end
        return call()
      end, { concurrency = 2 })
      return results[2], errors[2]
    end },
    ["of a task in an iterator that waits"] = { 5, function(arm)
      local item = 0
      local results, errors = usher.map(function()
        item = item + 1
        if item == 2 then arm(coroutine.running()) end
        scheduler.pause(0)
        return item < 5 and item or nil
      end, call, { concurrency = 3 })
      return results[1], errors[1]
    end },
    ["of usher.map inside a task"] = { 37, function(arm)
      local results, errors = usher.map(range(3), function(item)
        if item == 2 then arm(coroutine.running()) end
        local inner, problems = usher.map(range(3), call, { concurrency = 2 })
        return inner[1], problems[1]
      end)
      return results[2], errors[2]
    end },
  }

  for name, row in pairs(BODIES) do
    local stride, body = IS_LUAJIT and row[1] or 1, row[2]

    it(name .. " may raise: that is raised, and the next call succeeds", function()
      open()
      local struck = sweep(stride, body, interrupt, function(ok, first, second)
        assert.is_true(is_interrupt(ok, first) or is_answer(ok, first, second), tostring(first))
        is_idle()
        assert.is_true(is_answer(true, call()))
        assert.same({ 1, 2 }, (usher.map({ 1, 2 }, function(item) return call() and item end)))
      end)
      assert.is_true(struck > 50 / EVERY, struck .. " instructions")
    end)

    it(name .. " may close the client: the call is refused, cancelled or answered", function()
      open()
      local outcomes = { refused = 0, cancelled = 0, answered = 0 }
      sweep(stride, body, function() client:close() end, function(ok, first, second)
        local outcome = is_refusal(ok, first) and "refused"
          or is_cancelled(ok, first, second) and "cancelled"
          or is_answer(ok, first) and "answered"
        assert.is_string(outcome, tostring(first))
        outcomes[outcome] = outcomes[outcome] + 1
        is_idle()
        client:close()
        open()
      end)
      assert.is_true(outcomes.answered > 0)
      assert.is_true(outcomes.refused > 0 or EVERY > 1)
    end)

    it(name .. " may call: both calls succeed, or the hook is told why it cannot", function()
      open()
      local answered, refused = 0, 0
      sweep(stride, body, function()
        local ok, result = pcall(call)
        if ok then
          assert.is_true(is_answer(ok, result))
          answered = answered + 1
        else
          assert.matches("a call inside usher.map was made", result, 1, true)
          refused = refused + 1
        end
      end, function(ok, first, second)
        assert.is_true(is_answer(ok, first, second), tostring(first or second))
      end)
      assert.is_true(answered + refused > 50 / EVERY)
    end)
  end

  it("of a task that catches it harms nothing that the task does next", function()
    open()
    local function resist(arm)
      return usher.map(range(3), function(item)
        pcall(function()
          if item == 2 then arm(coroutine.running()) end
          usher.map(range(3), call, { concurrency = 2 })
          if item == 2 then debug.sethook() end
        end)
        for _ = 1, 3 do
          assert.is_true(is_answer(true, call()))
          local wake = core.monotonic() + 1e-4
          scheduler.pause(1e-4)
          assert.is_true(core.monotonic() >= wake, "woken for something else")
        end
        return item
      end)
    end
    local struck = sweep(IS_LUAJIT and 7 or 1, resist, interrupt, function(ok, results, errors)
      assert.is_true(ok, tostring(results))
      assert.same({ { 1, 2, 3 }, {} }, { results, errors })
    end)
    assert.is_true(struck > 50 / EVERY)
  end)
end)

-- Over HTTP, here and there ---------------------------------------------------------------------

describe("A debug hook in a call over HTTP", function()
  local server, client

  setup(function()
    server = slow.start()
    server:stats() -- opens descriptors of its own
  end)
  teardown(function() server:stop() end)

  local function open()
    client = usher.qiscus{ app_id = "app", secret = "a-long-secret", retries = 0, timeout = 15,
      base_url = server:url("/delay/0") }
  end

  local function call()
    return profile(client)
  end

  -- The strides on LuaJIT and elsewhere, and a call that the hook gets into.
  local BODIES = {
    ["by itself"] = { 3, 1, function(arm)
      arm()
      return call()
    end },
    ["of usher.map, in its own code,"] = { 61, 29, function(arm)
      arm()
      local results, errors = usher.map(range(3), call)
      return results[1], errors[1]
    end },
    ["of usher.map, in a task,"] = { 17, 2, function(arm)
      local results, errors = usher.map(range(3), function(item)
        if item == 2 then arm(coroutine.running()) end
        return call()
      end)
      return results[2], errors[2]
    end },
    ["of usher.map inside usher.map, in a task,"] = { 67, 2, function(arm)
      local results, errors = usher.map(range(3), function(item)
        if item == 2 then arm(coroutine.running()) end
        local inner, problems = usher.map(range(3), call, { concurrency = 2 })
        return inner[1], problems[1]
      end)
      return results[2], errors[2]
    end },
  }

  for name, row in pairs(BODIES) do
    local stride, body = row[IS_LUAJIT and 1 or 2], row[3]

    it(name .. " may raise: that is raised, and the client goes on", function()
      process.collect()
      local before = process.descriptors()
      open()
      finally(function() client:close() end)
      sweep(stride, body, interrupt, function(ok, first, second)
        assert.is_true(is_interrupt(ok, first) or is_answer(ok, first, second), tostring(first))
        is_idle()
        assert.is_true(is_answer(true, call()))
        assert.same({ 1, 2 }, (usher.map({ 1, 2 }, function(item) return call() and item end)))
      end)
      client:close()
      process.collect()
      assert.equal(before, process.descriptors())
    end)

    it(name .. " may close the client, which leaves nothing to the collector", function()
      process.collect()
      local before = process.descriptors()
      collectgarbage("stop")
      open()
      finally(function()
        collectgarbage("restart")
        client:close()
      end)
      sweep(stride, body, function() client:close() end, function(ok, first, second)
        assert.is_true(is_refusal(ok, first) or is_cancelled(ok, first, second)
          or is_answer(ok, first), tostring(second or first))
        is_idle()
        -- closed by the hook: again would hide what that has left
        if tostring(client):find("(open)", 1, true) then client:close() end
        open()
      end)
      client:close()
      assert.equal(before, process.descriptors())
    end)

    it(name .. " may call: both calls succeed, or the hook is told why it cannot", function()
      open()
      finally(function() client:close() end)
      local answered, refused = 0, 0
      sweep(stride, body, function()
        local ok, result, err = pcall(call)
        if ok then
          assert.is_true(is_answer(ok, result), tostring(err))
          answered = answered + 1
        else
          assert.matches("a call inside usher.map was made", result, 1, true)
          refused = refused + 1
        end
      end, function(ok, first, second)
        assert.is_true(is_answer(ok, first, second), tostring(second or first))
      end)
      assert.is_true(answered + refused > 5 / EVERY)
    end)
  end
end)
