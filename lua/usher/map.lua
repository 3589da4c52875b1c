--- Many calls at once: `usher.map` and `usher.all`.
-- In plain Lua every task is a coroutine over one event loop; in nginx it is a
-- light thread. The calls inside are written as if they blocked.
-- @module usher.map

local core = require "usher.core"
local scheduler = require "usher.scheduler"

local ngx = rawget(_G, "ngx")

local M = {}

local DEFAULT_CONCURRENCY = 32

local option_types = { concurrency = "number", on_result = "function" }
local option_names = { "concurrency", "on_result" }

local function check_options(options)
  for name, value in pairs(options) do
    local expected = option_types[name]
    if not expected then
      local nearest = core.nearest(tostring(name), option_names)
      error(("usher.map: unknown option '%s'%s"):format(tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or ""), 3)
    elseif type(value) ~= expected then
      error(("usher.map: %s must be of type %s, not %s"):format(name, expected, type(value)), 3)
    end
  end
  local concurrency = options.concurrency or DEFAULT_CONCURRENCY
  if not (concurrency >= 1 and concurrency == math.floor(concurrency)) then
    error("usher.map: concurrency must be a whole number from 1", 3)
  end
  return concurrency
end

-- A function that returns the next item, or nil.
local function source(items)
  if type(items) == "function" then return items end
  if type(items) ~= "table" then
    error(("usher.map: items must be a list or an iterator function, not %s"):format(type(items)),
      4)
  end
  local index = 0
  return function()
    index = index + 1
    return items[index]
  end
end

-- What the tasks of one map share: where items come from, where results go,
-- and the first error that was raised.
local function new_group(items, fn, options)
  local group = {
    next = source(items), fn = fn,
    count = 0, -- of items taken
    running = 0, -- workers
    taking = false, -- a worker is inside next()
    waiting = {}, -- for their turn to take
    task = nil, -- that waits for all of it, inside another map
    grow = function() end, -- adds a worker, where there may be more
  }
  if options.on_result then
    group.report = options.on_result
  else
    local results, errors = {}, {}
    group.results, group.errors = results, errors
    group.report = function(index, _, value, err)
      if value ~= nil then results[index] = value else errors[index] = err end
    end
  end
  return group
end

-- An iterator may make calls itself, such as for the next page: one worker is
-- in it at a time, the others queue.
local function await_turn(group)
  if ngx then
    while group.taking do ngx.sleep(0.001) end
  elseif group.taking then
    local turn = { task = scheduler.task(), come = false }
    table.insert(group.waiting, turn)
    repeat scheduler.suspend() until turn.come
  end
  group.taking = true
end

-- Lets the next of those who queue have its turn, unless it died meanwhile.
local function leave(group)
  local waiting = group.waiting
  while waiting[1] and waiting[1].task.ended do table.remove(waiting, 1) end
  local turn = waiting[1]
  group.taking = turn ~= nil
  if not turn then return end
  turn.come = true
  turn.task.scheduler:wake(turn.task)
  table.remove(waiting, 1)
end

-- The task that waits for the group has been torn away from it by an error.
local function is_orphaned(group)
  local task = group.task
  return task and (task.ended or task.reason ~= group)
end

-- Takes the next item and its index, or nil at the end or after an error.
local function take(group)
  await_turn(group)
  if is_orphaned(group) then group.failed = true end
  local item
  if not (group.ended or group.failed) then item = group.next() end
  if item == nil then group.ended = true end
  if group.failed then item = nil end
  if item ~= nil then group.count = group.count + 1 end
  local index = group.count
  leave(group)
  return item, index
end

-- A worker handles one item after another until there are no more. Whoever
-- gets an item first sees that there is a worker for the next.
local function worker(group)
  return function()
    local item, index = take(group)
    while item ~= nil do
      group.grow()
      local value, err = group.fn(item, index)
      group.report(index, item, value, err)
      item, index = take(group)
    end
  end
end

-- The worker may have died in the iterator, so the next one gets its turn: it
-- takes nothing any more.
local function fail(group, problem, traceback)
  if not group.failed then
    group.failed = true
    if type(problem) == "string" and traceback then problem = problem .. "\n" .. traceback end
    group.problem = problem
  end
  leave(group)
end

local function finish(group)
  if group.failed then error(group.problem, 0) end
  if group.results then return group.results, group.errors, group.count end
  return group.count
end

-- Workers in light threads of nginx.
local function run_in_nginx(group, concurrency)
  local thread = ngx.thread
  local body = worker(group)
  local threads = {}
  local function guarded()
    local ok, problem = xpcall(body, function(message)
      fail(group, message, debug.traceback("", 2))
      return message
    end)
    if not ok then fail(group, problem) end
  end
  -- a light thread runs until it waits, so the last item shows in time
  while #threads < concurrency and not (group.ended or group.failed) do
    threads[#threads + 1] = thread.spawn(guarded)
  end
  for _, running in ipairs(threads) do thread.wait(running) end
end

local function start_workers(group, concurrency, tasks, on_end)
  local function done(ok, problem, thread)
    group.running = group.running - 1
    if not ok then fail(group, problem, debug.traceback(thread)) end
    on_end()
  end
  function group.grow()
    if group.running == concurrency or group.ended or group.failed then return end
    tasks:spawn(worker(group), done)
    group.running = group.running + 1
  end
  group.grow()
end

-- Inside a task of an outer map: its scheduler runs the workers too, and the
-- task waits for them.
local function run_nested(group, concurrency, task)
  local tasks = task.scheduler
  group.task = task
  start_workers(group, concurrency, tasks, function()
    if group.running <= 0 then tasks:wake(task) end
  end)
  while group.running > 0 do scheduler.suspend(group) end
end

local function run_outermost(group, concurrency)
  local tasks = scheduler.new()
  start_workers(group, concurrency, tasks, function() end)
  local ok, problem = pcall(tasks.run, tasks, function() return group.running <= 0 end)
  tasks:close()
  if not ok then error(problem, 0) end
end

--- Calls `fn(item, index)` for every item, many at a time.
-- @tparam table|function items a list, or an iterator that returns the next
-- item and nil at the end; it is asked for an item only when one is wanted
-- @tparam function fn returns a value, or nil and an error
-- @tparam[opt] table options `concurrency` (32): how many at a time;
-- `on_result(index, item, value, err)`: called as each ends, nothing is kept
-- @treturn table results by index, where `fn` returned a value
-- @treturn table errors by index, where it did not
-- @treturn number how many items there were (with `on_result` the only result)
-- @raise what `fn` raised first, after the tasks in flight have ended
-- @usage local results, errors = usher.map(people, function(person)
--   return qiscus:login_or_register{ user_id = person.id, username = person.name }
-- end, { concurrency = 64 })
function M.map(items, fn, options)
  if options == nil then options = {} end
  if type(options) ~= "table" then error("usher.map: options must be a table", 2) end
  local concurrency = check_options(options)
  if type(fn) ~= "function" then error("usher.map: the second argument must be a function", 2) end
  local group = new_group(items, fn, options)
  local task = scheduler.task()
  if ngx then
    run_in_nginx(group, concurrency)
  elseif task then
    run_nested(group, concurrency, task)
  else
    run_outermost(group, concurrency)
  end
  return finish(group)
end

--- Calls all functions of a list at once.
-- @tparam {function,...} functions each returns a value, or nil and an error
-- @treturn table results by index
-- @treturn table errors by index
-- @usage local results, errors = usher.all{
--   function() return chat:list_users{ room_id = "a" } end,
--   function() return chat:list_muted_users{ room_id = "a" } end,
-- }
function M.all(functions)
  if type(functions) ~= "table" then error("usher.all: a list of functions is expected", 2) end
  for index, fn in ipairs(functions) do
    if type(fn) ~= "function" then
      error(("usher.all: item %d must be a function, not %s"):format(index, type(fn)), 2)
    end
  end
  return M.map(functions, function(fn) return fn() end,
    { concurrency = math.max(1, #functions) })
end

return M
