--- What the specs of lifetimes ask of the process they run in, and of others.

local files = require "spec.support.files"
local processes = require "spec.support.process"

local M = {}

local directory = _VERSION == "Lua 5.1" and "5.1" or "5.4"

--- Builds spec/lifetime/host.c for the scripts that require it.
function M.build_host()
  assert(os.execute(("MAKEFLAGS= make -s build/%s/spec/lifetime/host.so"):format(directory)))
end

--- How many descriptors this process has open.
M.descriptors = processes.descriptors

--- Collects all there is to collect: what a finalizer lets go of, too.
function M.collect()
  for _ = 1, 3 do collectgarbage() end
end

--- Runs a function that compiled code must not hide from debug.sethook.
function M.interpreted(fn)
  local jit = rawget(_G, "jit")
  if jit then jit.off() end
  local ok, problem = pcall(fn)
  debug.sethook()
  if jit then jit.on() end
  if not ok then error(problem, 0) end
end

local under = os.getenv("UNDER") or ""

--- Whether a checker runs these specs (`make asan`, `make memcheck`, `make tsan`): the children run
-- under it too, and how much memory they take means nothing.
M.is_checked = under ~= ""

--- Whether it is one that makes everything slow.
M.is_slow = under:find("valgrind", 1, true) ~= nil

local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

-- The specs have told their children not to look for leaks: these are to.
local function environment()
  local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
  local variables = { "env -u LUA_INIT -u LUA_INIT_5_4" }
  local function set(name, value) variables[#variables + 1] = files.quoted(name .. "=" .. value) end
  set("LUA_PATH" .. suffix, package.path)
  set("LUA_CPATH" .. suffix, package.cpath)
  if M.is_checked then set("ASAN_OPTIONS", "detect_leaks=1:exitcode=99") end
  -- What a fork leaves to the parent would be reported as lost in the child.
  if M.is_slow then set("VALGRIND_OPTS", "--child-silent-after-fork=yes") end
  return table.concat(variables, " ")
end

--- Runs a script in an interpreter of this kind, and under the memory checker when there is one. It
-- ends within a minute, or ten under a checker.
-- @tparam string script
-- @param ... its arguments
-- @treturn string what it printed, errors included
-- @treturn number its exit status: 0 when it ran to its end and nothing was wrong with its memory
function M.run(script, ...)
  local words = { "exec timeout -k 5", M.is_checked and 600 or 60, environment(),
    under, files.quoted(interpreter()), files.quoted(script) }
  for i = 1, select("#", ...) do words[#words + 1] = files.quoted((select(i, ...))) end
  local pipe = assert(io.popen("(" .. table.concat(words, " ") .. ") 2>&1; echo \"status $?\""))
  local output = pipe:read("*a")
  pipe:close()
  local text, status = output:match("^(.-)status (%d+)\n$")
  return text, tonumber(status)
end

return M
