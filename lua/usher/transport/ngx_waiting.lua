--- How long a call inside nginx may wait, and whether it may at all.
-- Of connections and of HTTP nothing is known here.
-- @module usher.transport.ngx_waiting

local core = require "usher.core"

local ngx = ngx
local has_ffi, ffi = pcall(require, "ffi")
if has_ffi then ffi.cdef "int lua_isyieldable(void *L);" end

local M = {}

local MAX_MILLISECONDS = 2147483647

--- Seconds: nginx counts no smaller ones.
M.TICK = 0.001

--- Seconds between two looks at whether a light thread is still needed.
M.WATCH = 0.2

local no_yield = {
  init = true, init_worker = true, exit_worker = true, set = true, header_filter = true,
  body_filter = true, log = true, balancer = true, ssl_session_store = true,
}

--- Seconds that are left of an attempt, `{ deadline, connect_deadline, connected, socket }`: it has
-- a time for all of it, and an earlier one to be connected by.
function M.remaining(attempt)
  local now = core.monotonic()
  local left = attempt.deadline - now
  if not attempt.connected then left = math.min(left, attempt.connect_deadline - now) end
  return math.max(left, 0)
end

--- What a socket takes.
function M.milliseconds(seconds)
  return math.max(1, math.min(math.ceil(seconds * 1000), MAX_MILLISECONDS))
end

--- Before every operation on the socket.
function M.set_timeouts(attempt)
  local left = M.milliseconds(M.remaining(attempt))
  attempt.socket:settimeouts(left, left, left)
end

--- A light thread outlives the one that started it, should that be killed, and
-- nginx ends no request before all of them have ended. So each looks from time to
-- time whether it is still needed.
function M.is_dead(thread)
  return coroutine.status(thread) == "dead"
end

--- Calls `work` in a light thread and gives it up when the time is over: neither a
-- resolver that does not answer nor a peer that reads a byte now and then heeds
-- the timeouts of a socket. Returns what `work` returns, or nil, "timeout".
function M.within(attempt, work)
  local thread, caller = ngx.thread, coroutine.running()
  local ok, first, second
  local function supervise()
    local worker = thread.spawn(function() ok, first, second = pcall(work) end)
    if coroutine.status(worker) == "zombie" then return thread.wait(worker) end
    local alarm = thread.spawn(function()
      repeat
        ngx.sleep(math.max(M.TICK, math.min(M.WATCH, M.remaining(attempt))))
      until M.remaining(attempt) <= 0 or M.is_dead(caller)
    end)
    thread.wait(worker, alarm)
    thread.kill(worker)
    thread.kill(alarm)
  end
  thread.wait(thread.spawn(supervise))
  if ok == false then error(first, 0) end
  if not ok then return nil, "timeout" end
  return first, second
end

-- LuaJIT's own answer to whether a coroutine may yield; nginx's coroutine table
-- lacks isyieldable. True where LuaJIT does not tell.
local function can_yield()
  local ok, yieldable = pcall(function()
    local address = tostring(coroutine.running()):match("0x%x+")
    return ffi.C.lua_isyieldable(ffi.cast("void *", tonumber(address)))
  end)
  return not ok or yieldable ~= 0
end

--- What to say where it is not possible to wait; nil where it is. Asked before
-- nginx is: it starts a light thread first and fails then, with a broken worker.
function M.problem()
  local phase = ngx.get_phase()
  if no_yield[phase] then
    return "a call has to wait, which nginx does not allow in the phase " .. phase
      .. ": make it in a function started with ngx.timer.at(0, ...)"
  elseif not can_yield() then
    return "a call has to wait, which is not possible inside a C function such as table.sort, "
      .. "string.gsub or require"
  end
end

return M
