-- Many Lua states in one process, each with the whole life of the library in it (state.lua), which
-- this one does not load: in threads, one after the other, or the library again and again in one.
-- Arguments: which, how many threads, how many states of each, and those of state.lua. Prints what
-- became of it.

local how, threads, states = ...
local arguments = { select(4, ...) }

local unpack = rawget(_G, "unpack") or rawget(table, "unpack")

local host = require "spec.lifetime.host"

local SCRIPT = "spec/lifetime/state.lua"

local function run(thread_count, state_count)
  local finished, problem = host.run(thread_count, state_count, SCRIPT, unpack(arguments))
  assert(finished == math.max(thread_count, 1) * state_count, problem)
end

local function resident()
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^VmRSS:%s*(%d+)")
    if kilobytes then return tonumber(kilobytes) end
  end
end

-- How often the library is mapped into memory.
local function mappings()
  local count = 0
  for line in io.lines("/proc/self/maps") do
    if line:find("/usher/c%w+%.so") then count = count + 1 end
  end
  return count
end

local ways = {}

function ways.threads()
  host.on_sigpipe("default")
  run(tonumber(threads), tonumber(states))
  print("SIGPIPE", (host.sigpipe()))
end

function ways.one_after_the_other()
  local total = tonumber(states)
  run(0, total / 6)
  local before, mapped = resident(), mappings()
  run(0, total - total / 6)
  print("kilobytes more", resident() - before)
  print("mappings more", mappings() - mapped)
end

-- What clients of an earlier load have in flight is theirs.
function ways.again()
  local kept = {}
  for load = 1, tonumber(states) do
    for name in pairs(package.loaded) do
      if name:find("^usher") then package.loaded[name] = nil end
    end
    assert(loadfile(SCRIPT))(unpack(arguments))
    local usher = require "usher"
    kept[load] = usher.qiscus{ app_id = "app", secret = "a-long-secret", base_url = arguments[1] }
    for _, client in ipairs(kept) do
      assert(client:user_profile{ user_id = "u" }.ok)
      local results = usher.map({ 1, 2 }, function()
        return client:user_profile{ user_id = "u" }
      end)
      assert(#results == 2)
    end
  end
end

ways[how]()
print("done")
