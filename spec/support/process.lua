-- What Linux knows of a process: how many descriptors it has open, how much memory it had. And a
-- second interpreter like the one that runs.

local files = require "spec.support.files"

local M = {}

--- How many descriptors a process has open. What is there can be renamed to itself.
-- @tparam[opt="self"] string pid
-- @treturn number
function M.descriptors(pid)
  local count = 0
  for number = 0, 4095 do
    local path = ("/proc/%s/fd/%d"):format(pid or "self", number)
    if os.rename(path, path) then count = count + 1 end
  end
  return count
end

--- The same of this process, when nothing is left that the collector would close.
function M.settled_descriptors()
  local count, last
  repeat
    last = count
    collectgarbage()
    collectgarbage()
    count = M.descriptors()
  until count == last
  return count
end

local function status(pid, field)
  local text = files.find(("/proc/%s/status"):format(pid or "self"))
  return text and tonumber(text:match(field .. ":%s*(%d+) kB")) * 1024
end

--- Measures how far above what it holds now the memory of a process rises.
-- @tparam[opt="self"] string pid
-- @treturn function returns the bytes so far, nil where the system does not tell
function M.watch_memory(pid)
  local file = io.open(("/proc/%s/clear_refs"):format(pid or "self"), "w")
  local cleared = file and file:write("5") and file:close() -- begins a new peak
  local held = cleared and status(pid, "VmRSS")
  return function() return held and status(pid, "VmHWM") - held end
end

--- Whether a process catches SIGINT; nil where the system does not tell.
-- @tparam string pid
function M.catches_interrupts(pid)
  local text = files.find(("/proc/%s/status"):format(pid))
  if not text then return nil end
  local last = tonumber(text:match("SigCgt:%s*%x*(%x)"), 16)
  return math.floor(last / 2) % 2 == 1 -- signal 2
end

--- Starts a script in an interpreter of the same kind, with the same search paths.
-- @tparam string script
-- @tparam string ... arguments
-- @treturn file its output
function M.start(script, ...)
  local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
  local first = 0
  while arg[first - 1] do first = first - 1 end
  local words = { "exec env -u LUA_INIT", files.quoted("LUA_PATH" .. suffix .. "=" .. package.path),
    files.quoted("LUA_CPATH" .. suffix .. "=" .. package.cpath), arg[first], script }
  for _, argument in ipairs{ ... } do words[#words + 1] = files.quoted(argument) end
  return assert(io.popen(table.concat(words, " "), "r"))
end

return M
