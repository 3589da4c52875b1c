--- The client-side rate limit: calls are delayed, in the order they came, so
-- that a provider's limit is not met; when it is met all the same, the limiter
-- learns from it.
-- A token bucket kept as one number, the time at which it will be full again
-- (the generic cell rate algorithm). In nginx the number can live in a
-- `lua_shared_dict`, and then counts for all workers.
-- @module usher.rate

local core = require "usher.core"

local ngx = rawget(_G, "ngx")

local M = {}

-- After a 429 without Retry-After the pace is halved, down to this part of
-- what was asked for; each success gives a little back.
local SLOWEST = 1 / 64
local RECOVERY = 0.05

-- How long a worker may hold the lock of a shared bucket, in seconds.
local LOCK_TIME = 0.1

local option_types = { per_second = "number", burst = "number", dict = "string", key = "string" }
local option_names = { "per_second", "burst", "dict", "key" }

local function field_problem(options)
  for name, value in pairs(options) do
    local expected = option_types[name]
    if not expected then
      local nearest = core.nearest(tostring(name), option_names)
      return ("rate has an unknown field '%s'%s"):format(tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or "")
    elseif type(value) ~= expected then
      return ("rate.%s must be of type %s, not %s"):format(name, expected, type(value))
    end
  end
end

--- What is wrong with the options of a limiter.
-- @tparam ?table options
-- @treturn ?string nil when nothing is
function M.problem(options)
  if type(options) ~= "table" then return nil end -- absent, or refused for its type
  local problem = field_problem(options)
  if problem then return problem end
  local per_second, burst = options.per_second, options.burst or 1
  if not per_second or not (per_second > 0 and per_second <= 1e6) then
    return "rate.per_second must be above 0 and at most 1000000"
  elseif not (burst >= 1 and burst == math.floor(burst) and burst <= 1e6) then
    return "rate.burst must be a whole number from 1 to 1000000"
  elseif options.dict and not (ngx and ngx.shared[options.dict]) then
    return ("rate.dict: there is no lua_shared_dict '%s'"):format(options.dict)
  end
end

-- A bucket of one process.
local function local_store(clock)
  local state = { full_at = 0, held_until = 0, pace = 1 }
  return {
    now = clock,
    pace = function() return state.pace end,
    update = function(change) return change(state) end,
  }
end

-- A bucket of all workers. The dictionary has no compare-and-set, but `add`
-- makes a lock; a worker that dies with it loses it after LOCK_TIME.
local function shared_store(dict, key)
  local lock = key .. ":lock"
  local function acquire()
    for _ = 1, 1000 do
      if dict:add(lock, true, LOCK_TIME) then return end
      ngx.sleep(0.001)
    end
  end
  return {
    now = function()
      ngx.update_time()
      return ngx.now()
    end,
    pace = function() return dict:get(key .. ":pace") or 1 end,
    update = function(change)
      acquire()
      local state = {
        full_at = dict:get(key .. ":full_at") or 0,
        held_until = dict:get(key .. ":held_until") or 0,
        pace = dict:get(key .. ":pace") or 1,
      }
      local result = change(state)
      for name, value in pairs(state) do dict:set(key .. ":" .. name, value) end
      dict:delete(lock)
      return result
    end,
  }
end

local limiter_methods = {}
local limiter_mt = { __name = "usher.rate", __index = limiter_methods }

--- A limiter.
-- @tparam table options `per_second`; `burst` (1): how many may go at once
-- after a pause; `dict`: name of a `lua_shared_dict`, in nginx; `key`: of the
-- bucket in it
-- @tparam string name default of `key`
-- @tparam[opt] function clock returns seconds, for tests
-- @treturn table limiter
function M.new(options, name, clock)
  local store = options.dict and shared_store(ngx.shared[options.dict], options.key or name)
    or local_store(clock or core.monotonic)
  return setmetatable({
    per_second = options.per_second, burst = options.burst or 1, store = store,
  }, limiter_mt)
end

local function interval_of(self, state)
  return 1 / (self.per_second * state.pace)
end

--- Takes the next place in the line.
-- @treturn number seconds to wait before sending
function limiter_methods:reserve()
  local now = self.store.now()
  return self.store.update(function(state)
    local interval = interval_of(self, state)
    state.full_at = math.max(state.full_at, now) + interval
    return math.max(0, state.full_at - self.burst * interval - now)
  end)
end

--- Gives a place back that is not used after all.
function limiter_methods:give_back()
  self.store.update(function(state)
    state.full_at = state.full_at - interval_of(self, state)
  end)
end

--- Whether places taken before are void, because the provider said to wait.
-- @treturn boolean
function limiter_methods:is_held()
  local now = self.store.now()
  return self.store.update(function(state) return state.held_until > now end)
end

-- Another pace: what is owed is owed in calls, not in seconds.
local function set_pace(state, pace, now)
  local owed = math.max(0, state.full_at - now)
  state.full_at = now + owed * state.pace / pace
  state.pace = pace
end

-- From `time` on at the pace and without a burst: who waits now goes first.
local function hold_until(self, state, time)
  state.held_until = math.max(state.held_until, time)
  state.full_at = math.max(state.full_at, time + (self.burst - 1) * interval_of(self, state))
end

local function retry_after(headers)
  for name, value in pairs(headers or {}) do
    if type(name) == "string" and name:lower() == "retry-after" then
      return core.retry_after(tostring(value), core.now())
    end
  end
end

--- Learns from an answer.
-- @tparam number status
-- @tparam ?table headers of the answer
function limiter_methods:learn(status, headers)
  local said = (status == 429 or status == 503) and retry_after(headers) or nil
  local limited = status == 429 or said ~= nil
  if not limited and self.store.pace() == 1 then return end
  local now = self.store.now()
  self.store.update(function(state)
    if not limited then return set_pace(state, math.min(1, state.pace + RECOVERY), now) end
    if not said then set_pace(state, math.max(SLOWEST, state.pace / 2), now) end
    hold_until(self, state, now + (said or 0))
  end)
end

return M
