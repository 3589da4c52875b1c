-- Starts the server and, in every way, torture.lua; prints what that prints, or no more than the
-- failures, and at the end how many scenarios passed and failed:
--
--   lua5.4 spec/memory/run.lua DEPTH DIRECTORY [NAME]
--
-- DEPTH and NAME as in torture.lua. DIRECTORY holds what the Makefile builds for this:
-- failing_malloc.so and, for each interpreter, alloc_host-INTERPRETER; they run side by side. HOSTS
-- in the environment names other interpreters than 5.4 and luajit.

local provider = require "spec.support.provider"

local depth, directory, only = ...

local ways = { "lua once", "lua forever", "c once", "c forever" }
local ways_of_5_4 = { "lua once", "lua twice", "lua forever", "c once", "c forever" }

local lanes = {}
for host in (os.getenv("HOSTS") or "5.4 luajit"):gmatch("%S+") do
  lanes[#lanes + 1] = { host = host, ways = host:find("5.4", 1, true) and ways_of_5_4 or ways }
end

local server = provider.start()

local function servers()
  local parts = { ("ca_file = %q"):format(server.files.ca_file) }
  for _, name in ipairs{ "http", "https", "http2", "unknown_ca", "wrong_host", "expired" } do
    parts[#parts + 1] = ("%s = %q"):format(name, server:url(name, ""))
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- A shell's command for all ways of a lane.
local function command_of(lane)
  local commands = {}
  for i, way in ipairs(lane.ways) do
    commands[i] = ("echo '--- %s, heap of %s'; LD_PRELOAD=%s/failing_malloc.so %s/alloc_host-%s "
      .. "spec/memory/torture.lua %s %s '%s' '%s' || echo 'not ok %s ended'"):format(
      lane.host, way, directory, directory, lane.host, way, depth, servers(), only or "", lane.host)
  end
  return table.concat(commands, "; ")
end

local passed, failed = 0, 0
for _, lane in ipairs(lanes) do lane.pipe = assert(io.popen(command_of(lane), "r")) end
for _, lane in ipairs(lanes) do
  for line in lane.pipe:lines() do
    local ok = line:find("^ok ") ~= nil
    if ok then passed = passed + 1 end
    if line:find("^not ok ") then failed = failed + 1 end
    if depth ~= "shallow" or not ok then print(line) end
  end
  lane.pipe:close()
end
server:stop()
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0)
