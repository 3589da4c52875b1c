--- The client-side rate limit: calls are delayed, in the order they came, so
-- that a provider's limit is not met; when it is met all the same, the limiter
-- learns from it.
-- A token bucket that hands out numbers: each request takes the next one, and
-- may go when that many have been granted. Who waits asks again from time to
-- time, for the pace may have changed meanwhile. In nginx the bucket can live in
-- a `lua_shared_dict`, and then counts for all workers.
-- @module usher.rate

local core = require "usher.core"

local ngx = rawget(_G, "ngx")

local M = {}

-- After a 429 without Retry-After the pace is halved, down to this part of
-- what was asked for; each success gives a little back. Requests that were in
-- flight together are refused together: within SETTLING seconds that is one 429.
local SLOWEST = 1 / 64
local RECOVERY = 0.05
local SETTLING = 1

-- What sums of fractions may be wrong by, in requests.
local NOTHING = 1e-6

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

-- What a bucket is before anything was taken from it.
local function new_state()
  return {
    taken = 0, -- numbers handed out
    granted = 0, -- numbers that may go by `at`
    at = -math.huge, -- lies ahead while the provider said to wait
    pace = 1, -- part of per_second
    slowed_at = -math.huge,
  }
end

-- A bucket of one process.
local function local_store()
  local state = new_state()
  return {
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
    pace = function() return dict:get(key .. ":pace") or 1 end,
    update = function(change)
      acquire()
      local state = new_state()
      for name, value in pairs(state) do state[name] = dict:get(key .. ":" .. name) or value end
      local wait, place = change(state)
      for name, value in pairs(state) do dict:set(key .. ":" .. name, value) end
      dict:delete(lock)
      return wait, place
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
  return setmetatable({
    per_second = options.per_second,
    burst = options.burst or 1,
    now = clock or core.monotonic, -- which all workers of a machine share
    store = options.dict and shared_store(ngx.shared[options.dict], options.key or name)
      or local_store(),
  }, limiter_mt)
end

-- Grants what time has brought, up to a burst.
local function refresh(self, state, now)
  if now <= state.at then return end
  local more = (now - state.at) * self.per_second * state.pace
  state.granted = math.min(state.granted + more, state.taken + self.burst)
  state.at = now
end

local function wait_of(self, state, place, now)
  refresh(self, state, now)
  local missing = place - state.granted
  if missing < NOTHING then missing = 0 end
  return state.at - now + missing / (self.per_second * state.pace)
end

--- Takes the next place in the line.
-- @treturn number seconds to wait before sending; 0: it may go
-- @treturn number the place
function limiter_methods:reserve()
  local now = self.now()
  return self.store.update(function(state)
    refresh(self, state, now)
    state.taken = state.taken + 1
    return wait_of(self, state, state.taken, now), state.taken
  end)
end

--- How long a place has to wait yet.
-- @tparam number place as `reserve` returned it
-- @treturn number seconds to wait before sending; 0: it may go
function limiter_methods:remaining(place)
  local now = self.now()
  return (self.store.update(function(state) return wait_of(self, state, place, now) end))
end

--- Gives a place back that is not used after all. Those behind it keep theirs,
-- and the next to come shares the last.
function limiter_methods:give_back()
  self.store.update(function(state) state.taken = state.taken - 1 end)
end

local function retry_after(headers)
  if type(headers) ~= "table" then return nil end
  for name, value in pairs(headers) do
    if type(name) == "string" and name:lower() == "retry-after" then
      return core.retry_after(tostring(value), core.now())
    end
  end
end

-- Nobody goes before the provider's time; then the first in the line does, if
-- it would have been due by then, and the others at the pace.
local function hold(self, state, now, seconds)
  if state.at <= now then
    local due = state.granted + seconds * self.per_second * state.pace
    state.granted = math.min(due, math.floor(state.granted) + 1)
  end
  state.at = math.max(state.at, now + seconds)
end

--- Learns from an answer.
-- @tparam number status
-- @tparam ?table headers of the answer
function limiter_methods:learn(status, headers)
  local said = (status == 429 or status == 503) and retry_after(headers) or nil
  local limited = status == 429 or said ~= nil
  if not limited and (status >= 500 or self.store.pace() == 1) then return end
  local now = self.now()
  self.store.update(function(state)
    refresh(self, state, now)
    if not limited then
      state.pace = math.min(1, state.pace + RECOVERY)
    elseif said then
      hold(self, state, now, said)
    elseif now >= state.slowed_at + SETTLING then
      state.pace = math.max(SLOWEST, state.pace / 2)
      state.slowed_at = now
    end
    -- No burst now: whoever is next goes alone.
    if limited then state.granted = math.min(state.granted, state.taken + 1) end
  end)
end

return M
