-- usher.map and usher.all without a network: what becomes of items, results and errors, how many
-- run, and who may wait where. Tasks wait with the scheduler's own sleep, as retries do. What real
-- transfers add is in map_http_spec.lua.

local core = require "usher.core"
local process = require "spec.lifetime.process"
local scheduler = require "usher.scheduler"
local usher = require "usher"

-- Lets the other tasks run.
local function yield()
  scheduler.pause(0)
end

-- Lets the others run so often: who yields less ends first.
local function yield_times(times)
  for _ = 1, times do yield() end
end

local function range(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

local function raised(fn, ...)
  local ok, problem = pcall(fn, ...)
  assert.is_false(ok)
  return problem
end

local function contains(text, words)
  assert.truthy(tostring(text):find(words, 1, true), ("no %q in:\n%s"):format(words, text))
end

describe("usher.map", function()
  describe("returns", function()
    it("what fn returned by index, though the last ended first", function()
      local ended = {}
      local results, errors, count = usher.map({ "a", "b", "c", "d" }, function(item, index)
        yield_times(5 - index)
        ended[#ended + 1] = index
        return item:upper()
      end)
      assert.same({ 4, 3, 2, 1 }, ended)
      assert.same({ "A", "B", "C", "D" }, results)
      assert.same({}, errors)
      assert.equal(4, count)
    end)

    it("errors by index beside the results", function()
      local results, errors, count = usher.map(range(5), function(item)
        if item % 2 == 0 then return nil, "even" .. item end
        return item * 10
      end)
      assert.same({ [1] = 10, [3] = 30, [5] = 50 }, results)
      assert.same({ [2] = "even2", [4] = "even4" }, errors)
      assert.equal(5, count)
    end)

    it("false as a value, and nothing where there is neither", function()
      local results, errors, count = usher.map(range(3), function(item)
        if item == 2 then return false, "ignored" end
      end)
      assert.same({ [2] = false }, results)
      assert.same({}, errors)
      assert.equal(3, count)
    end)

    it("empty tables for no items", function()
      for _, items in ipairs{ {}, function() end } do
        local results, errors, count = usher.map(items, error)
        assert.same({ {}, {}, 0 }, { results, errors, count })
      end
    end)
  end)

  describe("takes", function()
    it("a list up to its first hole", function()
      local seen = {}
      usher.map({ "a", "b", nil, "d" }, function(item) seen[#seen + 1] = item end)
      assert.same({ "a", "b" }, seen)
    end)

    it("an iterator's items one ahead of nobody", function()
      local pulled, ended, most = 0, 0, 0
      local _, _, count = usher.map(function()
        if pulled == 200 then return nil end
        pulled = pulled + 1
        most = math.max(most, pulled - ended)
        return pulled
      end, function(item)
        yield_times(item % 4)
        ended = ended + 1
      end, { concurrency = 8 })
      assert.equal(200, count)
      assert.equal(8, most)
    end)

    it("nothing more from an iterator that has ended", function()
      local calls = 0
      usher.map(function()
        calls = calls + 1
        if calls <= 3 then return calls end
      end, yield, { concurrency = 2 })
      assert.equal(4, calls)
    end)

    it("the items of an iterator that waits, one at a time and in order", function()
      local inside, most, next_item = 0, 0, 0
      local results = usher.map(function()
        inside = inside + 1
        most = math.max(most, inside)
        next_item = next_item + 1
        local item = next_item
        yield_times(item % 3)
        inside = inside - 1
        return item <= 20 and item or nil
      end, function(item, index)
        yield()
        return item == index
      end, { concurrency = 5 })
      assert.equal(1, most)
      assert.equal(20, #results)
      for _, same in ipairs(results) do assert.is_true(same) end
    end)
  end)

  describe("with on_result", function()
    it("reports index, item, value and error as each ends, and returns the count", function()
      local seen = {}
      local count, nothing = usher.map({ "a", "b", "c" }, function(item, index)
        yield_times(4 - index)
        if item == "b" then return nil, "no" end
        return item:upper()
      end, { on_result = function(...) seen[#seen + 1] = { ... } end })
      assert.same({ { 3, "c", "C" }, { 2, "b", nil, "no" }, { 1, "a", "A" } }, seen)
      assert.equal(3, count)
      assert.is_nil(nothing)
    end)

    it("retains neither items nor values", function()
      local alive = setmetatable({}, { __mode = "k" })
      local produced, most = 0, 0
      usher.map(function()
        if produced == 300 then return nil end
        produced = produced + 1
        local item = {}
        alive[item] = true
        return item
      end, function()
        yield()
        local value = {}
        alive[value] = true
        return value
      end, { concurrency = 4, on_result = function(index)
        if index % 50 ~= 0 then return end
        collectgarbage()
        collectgarbage()
        local count = 0
        for _ in pairs(alive) do count = count + 1 end
        most = math.max(most, count)
      end })
      assert.equal(300, produced)
      assert.is_true(most >= 1 and most <= 16, most .. " are alive")
    end)

    it("lets it wait like fn itself", function()
      local order = {}
      usher.map(range(3), function() end, { on_result = function(index)
        yield_times(4 - index)
        order[#order + 1] = index
      end })
      assert.same({ 3, 2, 1 }, order)
    end)
  end)

  describe("runs", function()
    local function most_at_once(items, options)
      local running, most = 0, 0
      usher.map(items, function()
        running = running + 1
        most = math.max(most, running)
        yield_times(2)
        running = running - 1
      end, options)
      return most
    end

    it("as many tasks as concurrency says", function()
      for _, concurrency in ipairs{ 1, 2, 7, 64 } do
        assert.equal(concurrency, most_at_once(range(100), { concurrency = concurrency }))
      end
    end)

    it("32 when nothing is said", function()
      assert.equal(32, most_at_once(range(100)))
    end)

    it("all there are when there is no limit", function()
      assert.equal(100, most_at_once(range(100), { concurrency = math.huge }))
    end)

    it("no more coroutines than there are items", function()
      local create, created = coroutine.create, 0
      coroutine.create = function(...) -- luacheck: ignore 122
        created = created + 1
        return create(...)
      end
      local ok, problem = pcall(usher.map, range(3), yield, { concurrency = 1000 })
      coroutine.create = create -- luacheck: ignore 122
      assert.is_true(ok, problem)
      assert.is_true(created >= 3 and created <= 4, created .. " coroutines")
    end)

    it("one after the other with a concurrency of 1", function()
      local order = {}
      usher.map(range(4), function(item)
        order[#order + 1] = "start " .. item
        yield_times(2)
        order[#order + 1] = "end " .. item
      end, { concurrency = 1 })
      assert.equal("start 1, end 1, start 2, end 2, start 3, end 3, start 4, end 4",
        table.concat(order, ", "))
    end)

    it("who sleeps shorter first", function()
      local order, unit = {}, process.is_slow and 0.1 or 0.01
      usher.map({ 3, 2, 1, 2.5 }, function(units)
        scheduler.pause(units * unit)
        order[#order + 1] = units
      end)
      assert.same({ 1, 2, 2.5, 3 }, order)
    end)

    it("who is to wake earlier first, and among equals who asked first", function()
      local start, woken = core.monotonic() + 0.01, {}
      usher.map(range(300), function(item)
        local task = scheduler.task()
        local place = item * 7919 % 100 -- each three times
        task.scheduler:wake_at(start + place / 1e6, task)
        scheduler.suspend()
        woken[#woken + 1] = { place, item }
      end, { concurrency = 300 })
      assert.equal(300, #woken)
      for i = 2, 300 do
        local before, after = woken[i - 1], woken[i]
        assert.is_true(before[1] < after[1] or before[1] == after[1] and before[2] < after[2])
      end
    end)

    it("in a coroutine of the user's own that holds all of it", function()
      local thread = coroutine.create(function()
        return (usher.map(range(3), function(item)
          yield()
          return item + 1
        end))
      end)
      local ok, results = coroutine.resume(thread)
      assert.is_true(ok, results)
      assert.same({ 2, 3, 4 }, results)
      assert.equal("dead", coroutine.status(thread))
    end)
  end)

  describe("when fn raises", function()
    -- Raises in item 3 of 20 while four run; returns what was raised, who started and who ended.
    local function run(problem, options)
      local started, ended = {}, {}
      local all = { concurrency = 4 }
      for name, value in pairs(options or {}) do all[name] = value end
      local what = raised(usher.map, range(20), function(item)
        started[#started + 1] = item
        yield_times(2)
        if item == 3 then error(problem, 0) end
        yield_times(2)
        ended[#ended + 1] = item
        return item
      end, all)
      return what, started, ended
    end

    it("starts nothing more, and lets those in flight end", function()
      local _, started, ended = run("no")
      table.sort(ended)
      assert.same({ 1, 2, 3, 4 }, started)
      assert.same({ 1, 2, 4 }, ended)
    end)

    it("reports those in flight", function()
      local reported = {}
      run("no", { on_result = function(index) reported[index] = true end })
      assert.same({ true, true, nil, true }, reported)
    end)

    it("raises the message again, with where it was raised and how one got there", function()
      local function culprit() error("the message") end
      local text = raised(usher.map, range(3), function() culprit() end)
      assert.matches("^[^\n]*map_spec%.lua:%d+: the message\nstack traceback:\n", text)
      contains(text, "culprit")
    end)

    it("raises a table as it is", function()
      local problem = setmetatable({}, { __tostring = function() return "a problem" end })
      assert.is_true(rawequal(problem, (run(problem))))
    end)

    for name, problem in pairs{ ["a number"] = 5, ["false"] = false } do
      it("raises " .. name .. " as it is", function()
        assert.equal(problem, (run(problem)))
      end)
    end

    it("raises nil as it is", function()
      assert.is_nil(raised(usher.map, { 1 }, function() error() end))
    end)

    it("raises the first of several", function()
      local problems = { {}, {}, {} }
      local what = raised(usher.map, problems, function(problem, index)
        yield_times(4 - index)
        error(problem)
      end)
      assert.is_true(rawequal(problems[3], what))
    end)

    it("raises what on_result raises, likewise", function()
      local started = 0
      local text = raised(usher.map, range(20), function()
        started = started + 1
        yield()
      end, { concurrency = 2, on_result = function(index)
        if index == 1 then error("from on_result") end
      end })
      contains(text, "from on_result")
      assert.equal(2, started)
    end)

    it("works afterwards", function()
      run("no")
      assert.same({ 1, 2 }, (usher.map({ 1, 2 }, function(item) yield() return item end)))
    end)
  end)

  describe("when the iterator raises", function()
    it("raises that with how one got there, after those in flight have ended", function()
      local pulled, ended = 0, 0
      local function culprit() error("no more pages") end
      local text = raised(usher.map, function()
        pulled = pulled + 1
        if pulled == 3 then culprit() end
        return pulled
      end, function()
        yield_times(3)
        ended = ended + 1
      end)
      assert.matches("^[^\n]*map_spec%.lua:%d+: no more pages\nstack traceback:\n", text)
      contains(text, "culprit")
      assert.equal(2, ended)
      assert.equal(3, pulled)
    end)

    it("leaves nobody waiting for a turn", function()
      local pulled = 0
      local problem = {}
      local what = raised(usher.map, function()
        pulled = pulled + 1
        yield_times(3)
        if pulled == 4 then error(problem) end
        return pulled
      end, yield, { concurrency = 8 })
      assert.is_true(rawequal(problem, what))
    end)

    it("starts no task with an item that came after an error", function()
      local started, problem = {}, {}
      local pulled = 0
      local what = raised(usher.map, function()
        pulled = pulled + 1
        if pulled == 2 then yield_times(5) end
        return pulled
      end, function(item)
        started[#started + 1] = item
        yield()
        error(problem)
      end)
      assert.is_true(rawequal(problem, what))
      assert.same({ 1 }, started)
    end)
  end)

  describe("inside usher.map", function()
    it("runs all tasks together", function()
      local running, most = 0, 0
      local results = usher.map(range(4), function(outer)
        return (usher.map(range(4), function(inner)
          running = running + 1
          most = math.max(most, running)
          yield_times(3)
          running = running - 1
          return outer * 10 + inner
        end))
      end)
      assert.same({ { 11, 12, 13, 14 }, { 21, 22, 23, 24 }, { 31, 32, 33, 34 },
        { 41, 42, 43, 44 } }, results)
      assert.equal(16, most)
    end)

    it("keeps to the concurrency of each", function()
      local running, most = 0, 0
      usher.map(range(3), function()
        usher.map(range(10), function()
          running = running + 1
          most = math.max(most, running)
          yield_times(2)
          running = running - 1
        end, { concurrency = 2 })
      end)
      assert.equal(6, most)
    end)

    it("goes as deep as one likes", function()
      local function sum(depth)
        if depth == 0 then
          yield()
          return 1
        end
        local parts = usher.map({ 1, 2, 3 }, function() return sum(depth - 1) end)
        return parts[1] + parts[2] + parts[3]
      end
      assert.equal(3 ^ 5, sum(5))
    end)

    it("ends at once without items", function()
      assert.same({ {}, {} }, (usher.map({ 1, 2 }, function() return (usher.map({}, error)) end)))
    end)

    it("raises in the task it was called from", function()
      local problem = {}
      local results = usher.map(range(3), function(outer)
        local ok, what = pcall(usher.map, range(3), function(inner)
          yield()
          if outer == 2 and inner == 2 then error(problem) end
        end)
        return ok or rawequal(problem, what) and "the problem"
      end)
      assert.same({ true, "the problem", true }, results)
    end)

    it("may be the iterator's way to its items", function()
      local page = 0
      local results = usher.map(function()
        page = page + 1
        if page > 3 then return nil end
        return (usher.map(range(page), function(item)
          yield()
          return item
        end))
      end, function(list) return #list end)
      assert.same({ 1, 2, 3 }, results)
    end)
  end)

  describe("refuses", function()
    local rows = {
      { "an unknown option, and names the nearest", { {}, yield, { concurency = 5 } },
        "usher.map: unknown option 'concurency'; did you mean 'concurrency'?" },
      { "an option nothing is near to", { {}, yield, { colour = "red" } },
        "usher.map: unknown option 'colour'" },
      { "an option by number", { {}, yield, { 64 } }, "usher.map: unknown option '1'" },
      { "a concurrency of another type", { {}, yield, { concurrency = "64" } },
        "usher.map: concurrency must be of type number, not string" },
      { "a concurrency of 0", { {}, yield, { concurrency = 0 } },
        "usher.map: concurrency must be a whole number from 1" },
      { "a concurrency with a fraction", { {}, yield, { concurrency = 1.5 } },
        "usher.map: concurrency must be a whole number from 1" },
      { "a concurrency that is no number", { {}, yield, { concurrency = 0 / 0 } },
        "usher.map: concurrency must be a whole number from 1" },
      { "an on_result of another type", { {}, yield, { on_result = {} } },
        "usher.map: on_result must be of type function, not table" },
      { "options of another type", { {}, yield, 64 }, "usher.map: options must be a table" },
      { "items of another type", { 5, yield },
        "usher.map: items must be a list or an iterator function, not number" },
      { "no items", { nil, yield },
        "usher.map: items must be a list or an iterator function, not nil" },
      { "no function", { {} }, "usher.map: the second argument must be a function" },
    }
    for _, row in ipairs(rows) do
      it(row[1], function()
        local line = debug.getinfo(1, "l").currentline + 2
        local text = raised(function()
          usher.map(row[2][1], row[2][2], row[2][3])
        end)
        assert.matches("map_spec.lua:" .. line .. ": ", text, 1, true)
        assert.equal(row[3], (text:gsub("^.-:%d+: ", "")))
      end)
    end
  end)
end)

describe("usher.all", function()
  it("runs all functions at once and returns results and errors by index", function()
    local running, most = 0, 0
    local functions = {}
    for i = 1, 50 do
      functions[i] = function(...)
        assert.equal(0, select("#", ...))
        running = running + 1
        most = math.max(most, running)
        yield_times(2)
        running = running - 1
        if i == 7 then return nil, "seven" end
        return i
      end
    end
    local results, errors = usher.all(functions)
    assert.equal(50, most)
    assert.same({ [7] = "seven" }, errors)
    for i = 1, 50 do assert.equal(i ~= 7 and i or nil, results[i]) end
  end)

  it("returns empty tables for no functions", function()
    assert.same({ {}, {} }, { usher.all{}, (select(2, usher.all{})) })
  end)

  it("raises what one of them raises", function()
    local problem = {}
    assert.is_true(rawequal(problem, raised(usher.all, { yield, function() error(problem) end })))
  end)

  it("refuses what is not a list of functions, at the caller's line", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local text = raised(function() usher.all(yield) end)
    assert.matches("map_spec.lua:" .. line .. ": usher.all: a list of functions is expected", text,
      1, true)
    text = raised(function() usher.all{ yield, 5 } end)
    assert.matches("usher.all: item 2 must be a function, not number", text, 1, true)
  end)
end)

describe("A task", function()
  local OWN = "a call inside usher.map was made from a coroutine of your own"
  local THROUGH_C = "a call inside usher.map was made through a C function that cannot yield"

  it("may wait where an error is caught, in an iterator, in a metamethod", function()
    local callable = setmetatable({}, { __call = function(_, value) yield() return value end })
    local indexed = setmetatable({}, { __index = function(_, name) yield() return name end })
    local function each()
      yield()
      return nil
    end
    local results = usher.map({ 1, 2 }, function(item)
      local ok, value = pcall(function() yield() return item end)
      for _ in each do error("there is nothing") end -- luacheck: ignore 512
      return ok and value == callable(item) and indexed.name == "name"
    end)
    assert.same({ true, true }, results)
  end)

  for name, through in pairs{
    ["table.sort"] = function() table.sort({ 2, 1 }, function() yield() return false end) end,
    ["string.gsub"] = function() return (("x"):gsub("x", yield)) end,
  } do
    it("that waits inside " .. name .. " is told so, and the others go on", function()
      local results, errors = usher.map(range(4), function(item)
        yield()
        if item ~= 2 then return item end
        return nil, raised(through)
      end)
      assert.same({ 1, nil, 3, 4 }, results)
      contains(errors[2], THROUGH_C)
    end)
  end

  it("that waits in a coroutine of its own is told so, and goes on", function()
    local results, errors = usher.map(range(3), function(item)
      local ok, problem = coroutine.resume(coroutine.create(yield))
      yield()
      if item == 2 then return nil, not ok and problem end
      return not ok
    end)
    assert.same({ true, nil, true }, results)
    contains(errors[2], OWN)
  end)

  it("that calls usher.map in a coroutine of its own is told so", function()
    local text = raised(usher.map, { 1 }, function()
      assert(coroutine.resume(coroutine.create(function() usher.map({ 1 }, yield) end)))
    end)
    contains(text, OWN)
  end)

  it("may use coroutines that do not call", function()
    local results = usher.map({ 3, 4 }, function(count)
      local sum = 0
      for value in coroutine.wrap(function()
        for i = 1, count do coroutine.yield(i) end
      end) do
        yield()
        sum = sum + value
      end
      return sum
    end)
    assert.same({ 6, 10 }, results)
  end)

  it("that yields by itself is told so, and takes no other down", function()
    local ended = 0
    local text = raised(usher.map, range(3), function(item)
      yield()
      if item == 1 then coroutine.yield("out") end
      yield()
      ended = ended + 1
    end, { concurrency = 2 })
    contains(text, "usher: a function given to usher.map must not yield by itself")
    contains(text, "map_spec.lua")
    assert.equal(1, ended)
  end)

  describe("in the middle of an interrupt", function()
    -- Raises while the scheduler itself runs, as Ctrl-C does.
    local function interrupt_all(began)
      local here = coroutine.running()
      debug.sethook(function()
        if #began < 8 or coroutine.running() ~= here then return end
        debug.sethook()
        error("interrupted!", 0)
      end, "", 1)
      local ok, problem = pcall(usher.map, range(8), function(item)
        began[item] = true
        scheduler.pause(60)
      end)
      debug.sethook()
      return ok, problem
    end

    it("is never resumed, and the next usher.map is as good as new", function()
      local jit = rawget(_G, "jit")
      if jit then jit.off() end -- compiled code knows no hooks
      local ok, problem = interrupt_all{}
      if jit then jit.on() end
      assert.same({ false, "interrupted!" }, { ok, problem })
      assert.is_nil(scheduler.task())
      assert.is_nil(coroutine.wrap(scheduler.task)())
      assert.same({ 1, 2 }, (usher.map({ 1, 2 }, function(item) yield() return item end)))
    end)
  end)
end)
