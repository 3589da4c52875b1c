--- Tasks in plain Lua: coroutines that wait for transfers and for the clock.
-- Who waits for a transfer is the transport's business: it suspends the
-- running task and wakes it, and offers a poller that waits for descriptors.
-- Nothing here knows HTTP, and nothing here runs in nginx, which has its own.
--
-- A debug hook may raise between any two instructions, in a task that catches
-- it and goes on. What that task was about to wait for wakes it later, when it
-- waits for something else: so whoever suspends a task looks, each time it is
-- woken, whether that was it.
-- @module usher.scheduler

local core = require "usher.core"

local M = {}

-- Longest wait in one piece, in seconds: an interrupt is seen in between.
local PIECE = 1

-- Lua 5.4 and LuaJIT have it, Lua 5.1 does not.
local is_yieldable = rawget(coroutine, "isyieldable") or function() return true end

-- What a task yields when it suspends; any other yield is not ours.
local SUSPENDED = {}

-- The scheduler that is running a task right now. The one piece of state that
-- belongs to the module: code inside a coroutine has no other way to find it.
local active

local scheduler_methods = {}
local scheduler_mt = { __name = "usher.scheduler", __index = scheduler_methods }

--- The running task, or nil outside of any scheduler.
-- Raises inside a coroutine that is not a task, and where a C function is in
-- between: a transfer started there could never be finished.
-- @treturn ?table task `{ thread, scheduler }`
function M.task()
  local task = active and active.task
  if not task then return nil end
  if coroutine.running() ~= task.thread then
    -- Else the scheduler itself runs, in which there was a hook or a finalizer,
    -- or it was left by an error.
    if coroutine.status(task.thread) ~= "normal" then return nil end
    error("usher: a call inside usher.map was made from a coroutine of your own; "
      .. "make it in the function given to usher.map, or use a closure instead of coroutine.wrap",
      0)
  end
  if not is_yieldable() then
    error("usher: a call inside usher.map was made through a C function that cannot yield, "
      .. "such as table.sort or string.gsub", 0)
  end
  return task
end

--- Suspends the running task until `scheduler:wake(task)`, be it for this wait
-- or for an earlier one that an error has ended.
-- @param[opt] reason what it waits for, as `task.reason`
function M.suspend(reason)
  active.task.reason = reason
  coroutine.yield(SUSPENDED)
end

--- Suspends the running task for a time.
-- @tparam table task as `M.task` returned it
-- @tparam number seconds
function M.sleep(task, seconds)
  local time = core.monotonic() + seconds
  task.scheduler:wake_at(time, task)
  repeat M.suspend() until core.monotonic() >= time
end

--- Sleeps: the running task, else the process. In pieces, so that an interrupt
-- gets through.
-- @tparam number seconds
function M.pause(seconds)
  local task = M.task()
  if task then return M.sleep(task, seconds) end
  while seconds > 0 do seconds = core.sleep(seconds) end
end

--- A new scheduler.
function M.new()
  return setmetatable({
    ready = {}, -- tasks to resume, in this order
    timers = {}, -- heap of { time, order, task }
    order = 0, -- of timers that are due at the same time
    task = nil, -- the running task
    outer = active, -- what was running when this one was made
    poller = nil, -- { wait = function(seconds), close = function() }
  }, scheduler_mt)
end

--- Lets `task` run on, in its turn. In one step: a hook in the middle of it
-- may wake others.
function scheduler_methods:wake(task)
  table.insert(self.ready, task)
end

local function earlier(a, b)
  if a.time == b.time then return a.order < b.order end
  return a.time < b.time
end

--- Wakes `task` at a time.
-- @tparam number time in seconds of `core.monotonic`
-- @tparam table task
function scheduler_methods:wake_at(time, task)
  local heap = self.timers
  self.order = self.order + 1
  local timer = { time = time, order = self.order, task = task }
  local at = #heap + 1
  while at > 1 do
    local parent = (at - at % 2) / 2
    if not earlier(timer, heap[parent]) then break end
    heap[at] = heap[parent]
    at = parent
  end
  heap[at] = timer
end

-- Takes the earliest timer off the heap.
local function pop_timer(heap)
  local top, moved, length = heap[1], heap[#heap], #heap - 1
  heap[length + 1] = nil
  local at = 1
  while 2 * at <= length do
    local child = 2 * at
    if child < length and earlier(heap[child + 1], heap[child]) then child = child + 1 end
    if not earlier(heap[child], moved) then break end
    heap[at] = heap[child]
    at = child
  end
  if length > 0 then heap[at] = moved end
  return top
end

local function wake_sleepers(self)
  local heap = self.timers
  if not heap[1] then return end
  local now = core.monotonic()
  while heap[1] and heap[1].time <= now do self:wake(pop_timer(heap).task) end
end

--- Starts a task that calls `body()`; `done(ok, problem, thread)` hears when
-- it has ended.
function scheduler_methods:spawn(body, done)
  self:wake{ thread = coroutine.create(body), scheduler = self, done = done }
end

-- A task that has ended may still be woken: by a transfer that it began and, in
-- Lua 5.1, was not able to wait for.
local function resume(self, task)
  if task.ended then return end
  local outer, outer_task = active, self.task
  self.task = task
  active = self
  local ok, value = coroutine.resume(task.thread)
  active = outer
  self.task = outer_task
  if ok and value == SUSPENDED then return end
  task.ended = true
  if not ok then
    task.done(false, value, task.thread)
  elseif coroutine.status(task.thread) == "dead" then
    task.done(true)
  else
    task.done(false, "usher: a function given to usher.map must not yield by itself",
      task.thread)
  end
end

local function resume_ready(self)
  while self.ready[1] do
    local tasks = self.ready
    self.ready = {}
    for _, task in ipairs(tasks) do resume(self, task) end
  end
end

local function wait(self)
  local seconds = PIECE
  local timer = self.timers[1]
  if timer then seconds = math.min(seconds, math.max(0, timer.time - core.monotonic())) end
  if self.ready[1] then return end -- woken by a hook, that has closed a client
  if self.poller then
    self.poller.wait(seconds)
  elseif timer then
    if seconds > 0 then core.sleep(seconds) end
  else
    error("usher: every task waits, and for nothing")
  end
end

--- Runs tasks until `finished()` is true.
function scheduler_methods:run(finished)
  resume_ready(self)
  while not finished() do
    wait(self)
    wake_sleepers(self)
    resume_ready(self)
  end
end

--- Ends it: what is still in flight is cancelled, no task is resumed any more.
-- An interrupt may have come out of the middle of a task.
function scheduler_methods:close()
  active = self.outer
  self.ready, self.timers = {}, {}
  if self.poller then self.poller.close() end
end

return M
