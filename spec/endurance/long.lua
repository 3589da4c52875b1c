-- One import into a server that answers at once, in a process of its own: what it takes of memory
-- and time. Run by spec/endurance/run.lua.
--
--   long.lua PORT PEOPLE.csv [LEDGER]
--
-- Prints `rss WHEN KIB` at eleven moments, `peak KIB`, and `rate ROWS_A_SECOND CPU_MICROSECONDS`, a
-- row's; both without the look at all rows that comes first.

local core = require "usher.core"
local usher = require "usher"

local port, people, dsn = arg[1], arg[2], arg[3]

local POINTS, IN_FLIGHT = 10, 64

local function status(field)
  local file = assert(io.open("/proc/self/status"))
  local text = file:read("*a")
  file:close()
  return tonumber(text:match(field .. ":%s*(%d+)"))
end

local function print_resident(when)
  print(("rss %s %d"):format(when, status("VmRSS")))
end

local client = usher.smooch{ key_id = "app_1", secret = "secret", retries = 0,
  base_url = "http://127.0.0.1:" .. port }
local ledger = dsn and assert(usher.ledger.open(dsn))
local line = usher.onboarding{ clients = { smooch = client }, ledger = ledger }

local wall, cpu

local summary = assert(line:import(people, {
  concurrency = IN_FLIGHT,
  stop = function() -- asked before each row
    if wall then return false end
    print_resident("looked")
    wall, cpu = core.monotonic(), os.clock()
    return false
  end,
  on_row = function(so_far)
    if so_far.done % math.floor(so_far.rows / POINTS) == 0 then print_resident(so_far.done) end
  end,
}))
wall, cpu = core.monotonic() - wall, os.clock() - cpu
assert(summary.done == summary.rows, "not all were imported")
print(("peak %d"):format(status("VmHWM")))
print(("rate %.0f %.2f"):format(summary.rows / wall, cpu / summary.rows * 1e6))
client:close()
if ledger then assert(ledger:close()) end
