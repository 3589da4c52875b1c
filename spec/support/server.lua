-- A misbehaving provider over real sockets, plain and TLS, HTTP/1.1 and HTTP/2, with a journal of
-- all it was asked. Run as `luajit spec/support/server.lua DIRECTORY`; spec.support.provider does.
--
-- The first segments of the path choose the fault, /<fault>[/<parameter>...]/whatever/follows, so a
-- base URL chooses it for every endpoint. The faults of HTTP/1.1 are in server/faults, a file a
-- family, those of HTTP/2 in server/faults/http2.lua. What goes wrong below HTTP has a port of its
-- own, see `listeners`.
--
-- The server prints one line of JSON when it is ready (ports, certificate files), obeys the lines
-- it reads from the connection to its control port, and ends when that connection does.

local cjson = require "cjson.safe"
local cqueues = require "cqueues"

local connections = require "spec.support.server.connection"
local http1 = require "spec.support.server.http1"
local http2 = require "spec.support.server.http2"
local requests = require "spec.support.server.requests"
local tls = require "spec.support.server.tls"

-- Seconds, whatever happens.
local LIFETIME = tonumber(os.getenv("SERVER_LIFETIME")) or 900
local queue = connections.queue

local function log(...)
  io.stderr:write("server.lua: ", string.format(...), "\n")
end

-- Listeners --------------------------------------------------------------------------------------

local function over_tls(context, serve)
  return function(connection)
    if connection.raw:starttls(context, connections.PATIENCE) then
      serve(connection)
    else
      connection:part(2) -- an alert may be on its way
    end
  end
end

local function serve_negotiated(connection)
  local http = http2.is_spoken(connection) and http2 or http1
  http.serve(connection)
end

local function close(connection) connection:close() end
local function reset(connection) connection:reset() end
local function wait(connection) connection:wait() end

-- Reads the beginning of what the client says, then does that.
local function after_hello(text, finish)
  return function(connection)
    connection:read(1)
    connection:write(text)
    finish(connection)
  end
end

-- What is spoken on each port; what is missing here is HTTP/1.1 over the TLS of that name.
local listeners = {
  http = http1.serve,
  accept_reset = reset,
  accept_close = close,
  silent = wait, -- neither TLS nor HTTP
  alert = after_hello("\21\3\3\0\2\2\40", wait), -- a fatal handshake_failure
  hello_reset = after_hello("", reset),
  hello_close = after_hello("", close),
  hello_cut = after_hello("\22\3\3\0\122\2\0\0\118\3\3", close), -- the start of a ServerHello
  hello_stall = after_hello("\22\3\3\0\122\2\0\0\118\3\3", wait),
  hello_garbage = after_hello(("\22\3\3\0\4zzzz"):rep(4), wait),
  hello_long = after_hello("\22\3\3\255\255" .. ("\0"):rep(70000), wait), -- no such record
}

local function accept(listener, name, serve, sink_port)
  queue:wrap(function()
    for raw in listener:clients() do
      local connection = connections.new(raw, name)
      connection.sink_port = sink_port
      queue:wrap(function() serve(connection) end)
    end
  end)
end

-- A port where nobody listens, nor will: it is the near end of a connection.
local function refused_port(sink_port)
  local connection = connections.connect(sink_port)
  local _, _, port = connection.raw:localname()
  return port, connection
end

-- A port where nobody answers: the backlog is one connection, and taken.
local function black_hole()
  local listener, port = connections.bind()
  local callers = {}
  connections.close_backlog(listener)
  for i = 1, 3 do callers[i] = connections.call(port) end
  return port, { listener, callers }
end

local function open_listeners(contexts)
  local ports, kept = {}, {}
  local sink, sink_port = connections.bind()
  accept(sink, "sink", http1.serve, sink_port)
  ports.sink = sink_port
  local function open(name, serve)
    local listener, port = connections.bind()
    accept(listener, name, serve, sink_port)
    ports[name] = port
  end
  for name, serve in pairs(listeners) do open(name, serve) end
  for name, context in pairs(contexts) do
    open(name, over_tls(context, name == "http2" and serve_negotiated or http1.serve))
  end
  ports.refused, kept.refused = refused_port(sink_port)
  ports.black_hole, kept.black_hole = black_hole()
  return ports, kept
end

-- Control ----------------------------------------------------------------------------------------

local commands = {
  journal = requests.journal,
  clear = function()
    requests.clear()
    return true
  end,
  release = function()
    connections.release()
    return true
  end,
  hang_up = function()
    connections.hang_up()
    return true
  end,
}

local function obey(raw, files)
  raw:onerror(connections.return_error)
  raw:setmode("b", "bn")
  for line in raw:lines("*l") do
    local command = commands[line]
    local answer = assert(cjson.encode(command and command() or false))
    raw:xwrite(#answer .. "\n" .. answer, "bn")
  end
  for _, path in pairs(files) do os.remove(path) end
  os.exit(0)
end

local function main(directory)
  local contexts, files = tls.make(directory)
  local ports, kept = open_listeners(contexts)
  local control, control_port = connections.bind()
  queue:wrap(function()
    local raw = control:accept(connections.PATIENCE)
    if not raw then os.exit(1) end
    obey(raw, files)
  end)
  queue:wrap(function()
    cqueues.sleep(LIFETIME)
    os.exit(1, kept)
  end)
  io.stdout:write(cjson.encode { ports = ports, files = files, control = control_port }, "\n")
  io.stdout:flush()
  while true do
    local ok, why = queue:step()
    if not ok then log("%s", tostring(why)) end
  end
end

main(assert(arg[1], "usage: luajit spec/support/server.lua DIRECTORY"))
