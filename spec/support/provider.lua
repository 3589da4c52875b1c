-- Starts spec/support/server.lua for a spec, asks it what it has seen, and ends it. The server
-- lives as long as the connection to its control port: it goes when the spec does, however that
-- ends.
--
--   local provider = require "spec.support.provider"
--   local server
--   setup(function() server = provider.start() end)
--   teardown(function() server:stop() end)
--   before_each(function() server:clear() end)
--   ... server:url("http", "/status/503/users") ... server:journal() ...

local cjson = require "cjson.safe"
local socket = require "cqueues.socket"

local M = {}

local methods = {}
local metatable = { __index = methods }

local LUAJIT = os.getenv("LUAJIT") or "luajit"
local SCRIPT = "spec/support/server.lua"
local PLAIN = { http = true, refused = true, black_hole = true, sink = true, accept_reset = true,
  accept_close = true, silent = true }

local function read_line(command)
  local pipe = assert(io.popen(command, "r"))
  local line = pipe:read("*l")
  return line, pipe
end

local function make_directory()
  local directory, pipe = read_line("mktemp -d")
  pipe:close()
  return assert(directory, "mktemp -d printed nothing")
end

--- Starts a server and waits until it is ready.
-- @treturn table with `ports` by listener, `files` (ca_file, client_cert, client_key_file) and the
-- methods below
function M.start()
  local directory = make_directory()
  local line, pipe = read_line(("exec %s %s '%s'"):format(LUAJIT, SCRIPT, directory))
  local ready = cjson.decode(line or "")
  if not ready then error("the server did not start") end
  for name, port in pairs(ready.ports) do -- no floats: "40541.0" is no port
    ready.ports[name] = ("%d"):format(port)
  end
  local control = assert(socket.connect("127.0.0.1", ("%d"):format(ready.control)))
  control:setmode("b", "bn")
  assert(control:connect(10))
  return setmetatable({
    ports = ready.ports, files = ready.files, directory = directory, pipe = pipe, control = control,
  }, metatable)
end

--- The URL of a path on one of the listeners.
-- @tparam string listener "http", "https", "http2", "expired", "refused" ...
-- @tparam[opt] string path with the fault in front
-- @tparam[opt] string scheme when not the listener's own
function methods:url(listener, path, scheme)
  scheme = scheme or (PLAIN[listener] and "http" or "https")
  local port = assert(self.ports[listener], listener)
  return ("%s://127.0.0.1:%s%s"):format(scheme, port, path or "/ok")
end

-- The answer is preceded by its length: it may be longer than the longest line there can be.
function methods:ask(command)
  assert(self.control:xwrite(command .. "\n", "bn"))
  local length = tonumber(self.control:xread("*l", "b", 10))
  if not length then error("the server is gone") end
  return cjson.decode((self.control:xread(length, "b", 10)))
end

--- All requests since the start or `clear`.
-- @treturn {table,...} of { method, target, version, headers = { { name, value }, ... }, body,
-- listener, connection = number }
function methods:journal()
  return self:ask("journal")
end

--- Empties the journal.
function methods:clear()
  assert(self:ask("clear"))
end

--- Lets the server write what it holds back: forged answers that are late.
function methods:release()
  assert(self:ask("release"))
end

--- Says goodbye on all connections, also those that clients keep for later.
function methods:hang_up()
  assert(self:ask("hang_up"))
end

--- How many connections the requests in the journal came over.
function methods:connections()
  local seen, count = {}, 0
  for _, request in ipairs(self:journal()) do
    if not seen[request.connection] then
      seen[request.connection] = true
      count = count + 1
    end
  end
  return count
end

--- The value of a header of a request from the journal, or nil.
function M.header(request, name)
  for _, header in ipairs(request.headers) do
    if header[1]:lower() == name:lower() then return header[2] end
  end
end

--- Ends the server and waits for it.
function methods:stop()
  self.control:close()
  self.pipe:close()
  os.remove(self.directory)
end

return M
