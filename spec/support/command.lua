-- The command `usher` as a user runs it, against a sandbox over HTTP in a process of its own. The
-- sandbox ends by its process number.

local cjson = require("cjson").new()
local core = require "usher.core"
local files = require "spec.support.files"
local http = require "socket.http"
local ltn12 = require "ltn12"

local M = {}

local LUAJIT, LUA54 = os.getenv "LUAJIT" or "luajit", os.getenv "LUA54" or "lua5.4"
local LUA = rawget(_G, "jit") and LUAJIT or LUA54
local SANDBOX = "LUA_PATH='./lua/?.lua;./?.lua;;' LUA_CPATH='./build/5.1/?.so;;' exec " .. LUAJIT
  .. " spec/support/served.lua "

--- The interpreter that the command is run with: that of the spec.
M.lua = LUA

local function read(path)
  local text = files.find(path)
  os.remove(path)
  return text or ""
end

--- A shell's word.
M.quoted = files.quoted

-- --- the sandbox --------------------------------------------------------------------------------

local sandbox_methods = {}
local sandbox_mt = { __index = sandbox_methods }

--- Starts a sandbox.
-- @tparam[opt] integer seconds that it lives, if nothing stops it before (600)
-- @treturn table `{ base_url, environment, actor, pid }`, the actor for eRTC
function M.sandbox(seconds)
  local pipe = assert(io.popen(("%s %d & echo $!; wait $!"):format(SANDBOX, seconds or 600)))
  local self = setmetatable({ pipe = pipe, pid = pipe:read("*l"), environment = {} }, sandbox_mt)
  for line in pipe:lines() do
    local name, value = line:match("^export (USHER_[%w_]+)='(.*)'$")
    if name then self.environment[name] = value end
    local actor = line:match("^# ertc ertc_user_id: (%S+)$")
    self.actor = self.actor or actor
    if line == "ready" then break end
  end
  self.base_url = assert(self.environment.USHER_QISCUS_BASE_URL, "the sandbox did not start")
    :match("^(http://[^/]*)")
  return self
end

--- Asks the sandbox itself: the decoded answer.
function sandbox_methods:ask(method, path, body)
  local chunks, text = {}, body and cjson.encode(body) or nil
  local ok, status = http.request{
    method = method, url = self.base_url .. "/_sandbox/" .. path, sink = ltn12.sink.table(chunks),
    source = text and ltn12.source.string(text),
    headers = { ["content-length"] = text and #text or 0 },
  }
  assert(ok and status == 200, tostring(status) .. ": " .. table.concat(chunks))
  return cjson.decode(table.concat(chunks))
end

--- The requests of a provider since the journal was emptied.
function sandbox_methods:requests(provider, operation)
  local found = {}
  for _, entry in ipairs(self:ask("GET", "journal?full=1")) do
    if entry.provider == provider and (not operation or entry.operation == operation) then
      found[#found + 1] = entry
    end
  end
  return found
end

--- Forgets requests and faults.
function sandbox_methods:reset()
  self:ask("DELETE", "journal")
  self:ask("DELETE", "fault")
end

function sandbox_methods:stop()
  os.execute("kill " .. self.pid)
  self.pipe:close()
end

-- --- the command --------------------------------------------------------------------------------

local function assignments(environment)
  local words = { "env", "-u", "USHER_LEDGER", "-u", "USHER_CREDENTIALS", "-u", "NO_COLOR",
    "USER=ann", "TERM=xterm" }
  for name, value in pairs(environment) do words[#words + 1] = name .. "=" .. M.quoted(value) end
  return table.concat(words, " ")
end

--- The words of a shell that run the command.
-- @tparam string arguments
-- @tparam table environment
function M.line(arguments, environment)
  return ("%s %s lua/bin/usher %s"):format(assignments(environment), LUA, arguments)
end

--- Runs the command to its end.
-- @tparam string arguments as in a shell
-- @tparam[opt] table options `environment`, `input`, `terminal` (its columns; standard output and
-- error are the same there)
-- @treturn table `{ status, out, err }`
function M.run(arguments, options)
  options = options or {}
  local input, errors = os.tmpname(), os.tmpname()
  local file = assert(io.open(input, "wb"))
  file:write(options.input or "")
  file:close()
  local line = M.line(arguments, options.environment or {})
  if options.terminal then
    line = ("script -qec %s /dev/null"):format(M.quoted(("stty cols %d; %s"):format(
      options.terminal, line)))
  end
  local pipe = assert(io.popen(("%s <%s 2>%s; echo \"exit $?\""):format(line, input, errors)))
  local text = pipe:read("*a")
  pipe:close()
  os.remove(input)
  local out, status = text:match("^(.*)exit (%d+)\n$")
  return { status = tonumber(status), out = out, err = read(errors) }
end

--- Runs the command again and again, and looks at the exit status, and that neither a secret of the
-- sandbox nor a control character is printed.
-- @tparam table environment unless `options` has another
-- @treturn function called with the status, the arguments and options
function M.runner(environment)
  return function(status, arguments, options)
    options = options or {}
    options.environment = options.environment or environment
    local result = M.run(arguments, options)
    local said = result.out .. result.err
    assert(result.status == status, ("status %s of '%s': %s"):format(tostring(result.status),
      arguments, said))
    for name, value in pairs(environment) do
      if name:find("SECRET") or name:find("KEY") or name:find("TOKEN") then
        assert(not said:find(value, 1, true), name .. " is shown: " .. said)
      end
    end
    assert(options.terminal or not said:find("[%z\1-\9\11-\31\127]"), ("%q"):format(said))
    return result
  end
end

--- Whether there is what makes a terminal.
M.has_terminal = (function()
  local first, _, code = os.execute("script -qec true /dev/null >/dev/null 2>&1 </dev/null")
  return first == true or first == 0 or code == 0
end)()

--- Starts the command in the background.
-- @treturn table `{ pid, wait(), stop(signal) }`; both return what `run` does
function M.start(arguments, options)
  local out, errors = os.tmpname(), os.tmpname()
  local line = M.line(arguments, options.environment or {})
  local pipe = assert(io.popen(("exec %s >%s 2>%s </dev/null & echo $!; wait $!; echo \"exit $?\"")
    :format(line, out, errors)))
  local started = { pid = pipe:read("*l") }
  function started.wait()
    local status = pipe:read("*a"):match("exit (%d+)")
    pipe:close()
    return { status = tonumber(status), out = read(out), err = read(errors) }
  end
  function started.stop(signal)
    os.execute(("kill -%s %s"):format(signal, started.pid))
    return started.wait()
  end
  return started
end

--- Waits until `condition()` is true.
function M.await(condition)
  local deadline = core.monotonic() + 20
  while not condition() do
    assert(core.monotonic() < deadline, "waited for too long")
    core.sleep(0.02)
  end
end

return M
