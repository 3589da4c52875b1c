-- Calls through keep-alive, one by one and many at once, plain and over TLS, every method of every
-- provider, while every hundredth request meets a fault: what does not come back of memory and
-- descriptors once the clients are closed? Run by spec/soak/run. Prints ten points and a verdict;
-- exits with 1 when memory or descriptors grow, when a write came twice, or when more went wrong
-- than the server did wrong.
--
--   soak.lua PORT TLS_PORT CA_FILE CALLS

local core = require "usher.core"
local curl = require "usher.transport.curl"
local usher = require "usher"
local writes = require "spec.support.writes"

local port, tls_port, ca_file, calls = arg[1], arg[2], arg[3], tonumber(arg[4])

local SAMPLES, POINTS = 100, 10
local WARM = 10 -- samples before the regression: pools, buffers and the collector settle
local GROWTH = 1024 -- KiB in all that count as a leak
local DESCRIPTORS = 1 -- likewise
local LIFE = 100 -- calls until the next client is closed and made anew
local CONCURRENCY = 16

-- Clients ----------------------------------------------------------------------------------------

local methods = writes.methods(true)
for _, method in ipairs(writes.methods(false)) do methods[#methods + 1] = method end

local BASES = { "http://127.0.0.1:" .. port, "http://127.0.0.1:" .. port,
  "http://127.0.0.1:" .. port, "https://127.0.0.1:" .. tls_port }
local OPTIONS = {}
for _, method in ipairs(methods) do OPTIONS[method.provider] = method.options end

local clients, keys = {}, {}

local function ignore() end

local function open(provider, number)
  local options = { base_url = BASES[number], ca_file = ca_file, timeout = 0.25,
    connect_timeout = 5, max_response_size = 65536, random = function() return 0 end,
    on_event = number == 1 and ignore or nil }
  for name, value in pairs(OPTIONS[provider]) do options[name] = value end
  return usher[provider](options)
end

for provider in pairs(OPTIONS) do
  for number = 1, #BASES do keys[#keys + 1] = { provider = provider, number = number } end
end

local function open_all()
  for _, key in ipairs(keys) do
    clients[key.provider .. key.number] = open(key.provider, key.number)
  end
end

local closed = 0
local function close(name)
  clients[name]:close()
  clients[name] = nil
  closed = closed + 1
end

local function close_all()
  for _, key in ipairs(keys) do close(key.provider .. key.number) end
end

local function renew(i)
  local key = keys[i % #keys + 1]
  close(key.provider .. key.number)
  clients[key.provider .. key.number] = open(key.provider, key.number)
end

-- Calls ------------------------------------------------------------------------------------------

local kinds, failed, sent_writes = {}, 0, 0

local function call(i)
  local method = methods[i % #methods + 1]
  local client = clients[method.provider .. (math.floor(i / #methods) % #BASES + 1)]
  local arguments = method.arguments
  if method.method == "link_app_user" then
    arguments = { user_id = ("u%d"):format(i), type = "sms" }
  end
  local result, err = client[method.method](client, arguments)
  if result == nil then
    failed = failed + 1
    kinds[err.kind] = (kinds[err.kind] or 0) + 1
  elseif method.method == "link_app_user" then
    sent_writes = sent_writes + 1
  end
end

local made = 0
local function one_by_one(count)
  for i = made + 1, made + count do
    call(i)
    if i % LIFE == 0 then renew(i / LIFE) end
  end
  made = made + count
end

local function at_once(count)
  local first, last = made + 1, made + count
  local function next_item()
    if first > last then return nil end
    first = first + 1
    return first - 1
  end
  usher.map(next_item, function(i) call(i) end,
    { concurrency = CONCURRENCY, on_result = ignore })
  made = last
end

-- What is measured -------------------------------------------------------------------------------

local function read(path)
  local file = io.open(path)
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

-- Resident memory in KiB; the sum over the mappings is exact, the other figure lags behind.
local function resident()
  local text = read("/proc/self/smaps_rollup")
  local kilobytes = text and text:match("\nRss:%s*(%d+)")
  return tonumber(kilobytes or read("/proc/self/status"):match("VmRSS:%s*(%d+)"))
end

-- What is there can be renamed to itself.
local function descriptors()
  local count = 0
  for number = 0, 511 do
    local path = ("/proc/self/fd/%d"):format(number)
    if os.rename(path, path) then count = count + 1 end
  end
  return count
end

local function sample()
  collectgarbage()
  collectgarbage()
  return { calls = made, rss = resident(), lua = collectgarbage("count"), fds = descriptors() }
end

-- By how much `field` grows over all calls, as the least-squares line through the samples has it.
local function growth(samples, field)
  local n, x, y, xx, xy = 0, 0, 0, 0, 0
  for i = WARM + 1, #samples do
    local at, value = samples[i].calls, samples[i][field]
    n, x, y, xx, xy = n + 1, x + at, y + value, xx + at * at, xy + at * value
  end
  return (n * xy - x * y) / (n * xx - x * x) * calls
end

-- The run ----------------------------------------------------------------------------------------

local interpreter = rawget(_G, "jit") and "LuaJIT" or _VERSION
local started = core.monotonic()
local samples = {}

for i = 1, SAMPLES do
  open_all()
  local count = math.floor(calls / SAMPLES * i) - made
  one_by_one(math.floor(count / 2))
  at_once(count - math.floor(count / 2))
  close_all()
  samples[i] = sample()
  if i % (SAMPLES / POINTS) == 0 then
    local now = samples[i]
    print(("%-8s %9d calls  %6d KiB resident  %6.0f KiB Lua  %3d descriptors  %4.0f s"):format(
      interpreter, now.calls, now.rss, now.lua, now.fds, core.monotonic() - started))
  end
end

local transport = curl.new{}
local status, why, body = transport.send{ method = "GET", url = BASES[1] .. "/counts", headers = {},
  idempotent = true, timeout = 5, connect_timeout = 5, max_response_size = 1000 }
transport.close()
if not status then error(("the server is gone: %s: %s"):format(why, body)) end
local counts = assert(core.decode(body))

local problems = {}
local function check(condition, text)
  if not condition then problems[#problems + 1] = text end
end

local rss, lua = growth(samples, "rss"), growth(samples, "lua")
local fds = growth(samples, "fds")
check(rss < GROWTH, "resident memory grows")
check(lua < GROWTH, "Lua's heap grows")
check(fds < DESCRIPTORS, "descriptors stay open")
check(counts.doubles == 0, "a write came twice")
check(counts.writes >= sent_writes, "a write was answered that never came")
check(failed <= counts.faults, "calls failed without a fault")
check(counts.faults > counts.requests / 200, "the server was too kind")

local list = {}
for kind, count in pairs(kinds) do list[#list + 1] = ("%s %d"):format(kind, count) end
table.sort(list)
print(("%-8s growth over %d calls: %.0f KiB resident (%.6f a call), %.0f KiB Lua, %.1f descriptors")
  :format(interpreter, calls, rss, rss / calls, lua, fds))
print(("%-8s %d requests, %d faults, %d clients closed; calls that failed: %s"):format(
  interpreter, counts.requests, counts.faults, closed, table.concat(list, ", ")))
print(("%-8s writes that must not be repeated: %d came, %d of them twice"):format(interpreter,
  counts.writes, counts.doubles))
for _, problem in ipairs(problems) do print(interpreter .. " FAILED: " .. problem) end
os.exit(#problems == 0 and 0 or 1, true)
