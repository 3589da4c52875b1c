-- One connection of the misbehaving provider: bytes in, bytes out, and the ways to end it. Errors
-- of the socket are values here; a client that goes away is nothing special.

local cjson = require "cjson.safe"
local cqueues = require "cqueues"
local ffi = require "ffi"
local socket = require "cqueues.socket"

ffi.cdef [[
struct linger_option { int on; int seconds; };
struct int_option { int value; };
int setsockopt(int fd, int level, int name, const void *value, unsigned int length);
int listen(int fd, int backlog);
int shutdown(int fd, int how);
long recv(int fd, void *buffer, unsigned long length, int flags);
]]

local SOL_SOCKET, SO_LINGER = 1, 13
local IPPROTO_TCP, TCP_NODELAY = 6, 1
local SHUT_WR, MSG_DONTWAIT = 1, 0x40
local PIECE = 65536

local M = {
  HOST = "127.0.0.1",
  PATIENCE = 30, -- seconds without a byte from a client
  queue = cqueues.new(),
}

local methods = {}
local metatable = { __index = methods }
local count = 0
local open = setmetatable({}, { __mode = "k" })

local function set_option(raw, level, name, value)
  ffi.C.setsockopt(raw:pollfd(), level, name, value, ffi.sizeof(value))
end

function M.return_error(_, _, why)
  return why
end

--- Wraps a socket that was accepted on the listener of that name.
function M.new(raw, listener)
  count = count + 1
  raw:setmode("b", "bn")
  raw:onerror(M.return_error)
  raw:settimeout(M.PATIENCE)
  raw:setmaxline(1048576)
  set_option(raw, IPPROTO_TCP, TCP_NODELAY, ffi.new("struct int_option", { 1 }))
  local connection = setmetatable({
    raw = raw, id = count, listener = listener, requests = 0, callers = {}, open = true,
  }, metatable)
  open[connection] = true
  return connection
end

-- A socket that may be connected to a port of this machine.
local function caller(port)
  local raw = socket.connect(M.HOST, port)
  raw:onerror(M.return_error)
  raw:setmode("b", "bn")
  return raw
end

--- Connects to a port of this machine.
-- @treturn ?table a connection, nil where nobody listens
function M.connect(port)
  local raw = caller(port)
  if not raw:connect(5) then return nil end
  return setmetatable({ raw = raw, open = true }, metatable)
end

--- Begins to connect, and does not wait.
function M.call(port)
  local raw = caller(port)
  raw:connect(0)
  return raw
end

--- Opens a port of its own.
-- @treturn table listener
-- @treturn number port
function M.bind()
  local listener = assert(socket.listen { host = M.HOST, port = 0 })
  listener:onerror(M.return_error)
  assert(listener:listen())
  local _, _, port = listener:localname()
  return listener, port
end

--- Leaves room for one connection that nobody accepts.
function M.close_backlog(listener)
  ffi.C.listen(listener:pollfd(), 0)
end

local held = {}

--- Keeps a function until `release`: what is written late must not be so by a clock.
function M.hold(write)
  held[#held + 1] = write
end

--- Calls all functions that were kept.
function M.release()
  local writers = held
  held = {}
  for _, write in ipairs(writers) do write() end
end

--- Says goodbye on all connections.
function M.hang_up()
  for connection in pairs(open) do
    if connection.open then pcall(connection.raw.shutdown, connection.raw, "rw") end
  end
end

function methods:read_line()
  local line = self.raw:xread("*L", "b", M.PATIENCE)
  return line and line:match("^(.-)\r?\n$")
end

function methods:read(length)
  if length == 0 then return "" end
  local data = self.raw:xread(length, "b", M.PATIENCE)
  return data and #data == length and data or nil
end

-- Returns whether the client was still there.
function methods:write(...)
  if not self.open then return false end
  local sent = self.raw:xwrite(table.concat({ ... }), "bn", M.PATIENCE)
  if not sent then self.open = false end
  return self.open
end

-- Writes it again and again: `times`, or until the client has gone.
function methods:repeats(piece, times)
  local written = 0
  while written < (times or math.huge) and self:write(piece) do written = written + 1 end
  return self.open
end

-- Writes so many bytes; math.huge: until the client has gone.
function methods:pad(bytes)
  local piece = ("x"):rep(PIECE)
  return self:repeats(piece, math.floor(bytes / PIECE)) and self:write(piece:sub(1, bytes % PIECE))
end

function methods:reply(status, headers, body)
  local head = { ("HTTP/1.1 %d Whatever\r\n"):format(status) }
  for _, header in ipairs(headers or {}) do head[#head + 1] = header .. "\r\n" end
  if body then head[#head + 1] = ("Content-Length: %d\r\n"):format(#body) end
  return self:write(table.concat(head), "\r\n", self.method ~= "HEAD" and body or "")
end

function methods:json(status, value)
  return self:reply(status, { "Content-Type: application/json" }, cjson.encode(value))
end

function methods:close()
  self.open = false
  open[self] = nil
  self.raw:close()
end

-- Ends it with a RST instead of a FIN.
function methods:reset()
  set_option(self.raw, SOL_SOCKET, SO_LINGER, ffi.new("struct linger_option", { 1, 0 }))
  self:close()
end

-- Ends it so that what was written arrives, below what TLS may think of it: closing with bytes
-- unread would be a RST, which might overtake them.
function methods:part(seconds)
  local descriptor, buffer = self.raw:pollfd(), ffi.new("char[4096]")
  local deadline = cqueues.monotime() + seconds
  ffi.C.shutdown(descriptor, SHUT_WR)
  repeat
    cqueues.poll({ pollfd = descriptor, events = "r" }, deadline - cqueues.monotime())
  until ffi.C.recv(descriptor, buffer, 4096, MSG_DONTWAIT) <= 0
  self:close()
end

-- Silent until the client gives up.
function methods:wait()
  while self.raw:xread(-4096, "b", M.PATIENCE) do end -- luacheck: ignore 542
  self:close()
end

return M
