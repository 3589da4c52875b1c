-- Many calls at once to an endpoint that takes 20 ms: how near the wall time comes to the ideal,
-- calls / concurrency * 20 ms, and what a call costs the processor. And whether memory grows with
-- the number of results when none is kept. Run by spec/bench/run; prints a line a workload.
--
--   many.lua PORT CONCURRENCY CALLS

local core = require "usher.core"
local usher = require "usher"

local port, concurrency, calls = arg[1], tonumber(arg[2]), tonumber(arg[3])
local DELAY = 0.020

local client = usher.qiscus{
  app_id = "app", secret = "secret", base_url = "http://127.0.0.1:" .. port, retries = 0,
}

local function items(count)
  local index = 0
  return function()
    index = index + 1
    if index <= count then return index end
  end
end

local failed = 0
local function on_result(_, _, value, err)
  if not value then
    failed = failed + 1
    io.stderr:write(tostring(err), "\n")
  end
end

local function run(count)
  usher.map(items(count), function()
    return client:user_profile{ user_id = "bob" }
  end, { concurrency = concurrency, on_result = on_result })
end

-- Resident memory in KiB, where the system tells.
local function resident()
  local file = io.open("/proc/self/status")
  if not file then return 0 end
  local text = file:read("*a")
  file:close()
  return tonumber(text:match("VmRSS:%s*(%d+)")) or 0
end

run(concurrency) -- connections, byte code
collectgarbage()
local before = resident()
local wall, cpu = core.monotonic(), os.clock()
run(calls)
wall, cpu = core.monotonic() - wall, os.clock() - cpu
local ideal = calls / concurrency * DELAY
local interpreter = rawget(_G, "jit") and "LuaJIT" or _VERSION
local line = "%-8s %4d in flight %6d calls  %.3f of ideal (%.2f s)  %5.1f us CPU a call  "
  .. "%+d KiB  %d failed"
print(line:format(interpreter, concurrency, calls, wall / ideal, wall, cpu / calls * 1e6,
  resident() - before, failed))
client:close()
os.exit(failed == 0 and 0 or 1)
