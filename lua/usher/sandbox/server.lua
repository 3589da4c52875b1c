--- A box over real HTTP/1.1, on lua-http. Here are sockets, limits and the life of the process;
-- what is answered comes from the box. The command line is in `sandbox/command.lua`.
--
-- @module usher.sandbox.server

local check = require("usher.sandbox.check")
local command = require("usher.sandbox.command")
local control = require("usher.sandbox.control")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local sandbox = require("usher.sandbox")

local M = {}

local BODY_LIMIT = 12 * 1024 * 1024 -- above the largest upload a provider takes
local LINE_LIMIT = 256 * 1024 -- of a request line or a header field
local READ_TIMEOUT = 30
local IDLE_TIMEOUT = 60
local LINGER = 2

-- Fields that say where the body ends are the server's own, whatever a fault asks for.
local framing = { ["content-length"] = true, ["transfer-encoding"] = true }

local loopback = { ["127.0.0.1"] = true, ["::1"] = true, localhost = true }

local option_names = { "box", "host", "port", "on_ready", "seconds", "until_eof", "signals" }

-- lua-http is loaded on use: without it the rest of usher still works, and the error says what to
-- get.
local function load_library()
  local library = {}
  for name, module in pairs({
    cqueues = "cqueues", server = "http.server", headers = "http.headers",
    signal = "cqueues.signal", socket = "cqueues.socket",
  }) do
    local ok, loaded = pcall(require, module)
    if not ok then
      return nil, 'the sandbox\'s server needs the rock "http" for this Lua (' .. _VERSION
        .. "): luarocks install http; on Debian and Ubuntu, apt install lua-http, which is for"
        .. " LuaJIT and Lua 5.1 to 5.3: run it with luajit"
    end
    library[name] = loaded
  end
  return library
end

local function request_of(headers, body)
  local fields = {}
  for name, value in headers:each() do
    if name == ":authority" then name = "host" end
    if name:sub(1, 1) ~= ":" then
      fields[name] = fields[name] and fields[name] .. ", " .. value or value
    end
  end
  return {
    method = headers:get(":method"), url = headers:get(":path"), headers = fields, body = body,
  }
end

local function is_unread(stream)
  return stream.state == "open" or stream.state == "half closed (local)"
end

-- The body, or nil when the client went away, or nil and the status that refuses it. A client that
-- goes away in the middle looks like the end of the body, but the stream still waits for the rest.
local function read_body(stream, headers)
  local announced = headers:get("content-length") or "0"
  if (tonumber(announced) or 0) > BODY_LIMIT then return nil, 413 end
  if (headers:get("expect") or ""):lower() == "100-continue" then
    if not stream:write_continue(READ_TIMEOUT) then return nil end
  end
  local chunks, size = {}, 0
  while true do
    local chunk, problem = stream:get_next_chunk(READ_TIMEOUT)
    if not chunk then
      if problem or is_unread(stream) then return nil end
      return table.concat(chunks)
    end
    size = size + #chunk
    if size > BODY_LIMIT then return nil, 413 end
    chunks[#chunks + 1] = chunk
  end
end

local function write_response(library, stream, response, is_head)
  local headers, names = library.headers.new(), {}
  headers:append(":status", string.format("%d", response.status))
  for name in pairs(response.headers) do
    if not framing[name] then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do headers:append(name, response.headers[name]) end
  local body = response.status == 204 and "" or response.body
  if response.status ~= 204 then
    headers:append("content-length", string.format("%d", #body))
  end
  local is_empty = is_head or body == ""
  if stream:write_headers(headers, is_empty, READ_TIMEOUT) and not is_empty then
    stream:write_chunk(body, true, READ_TIMEOUT)
  end
end

local function closing(status, message)
  return http.reply(status, json.object("error", message), { connection = "close" })
end

-- Closes under the client's feet. The socket leaves the connection first, so that lua-http does
-- not write an answer of its own; the two polls let go whoever waits on it.
local function drop(library, stream)
  local socket = stream.connection:take_socket()
  if not socket then return end
  socket:shutdown("rw")
  library.cqueues.poll()
  library.cqueues.poll()
  socket:close()
end

-- Read what a refused client still sends, for a while, so that it gets to see the answer; then
-- close. It cannot be left to lua-http 0.4: when the client is gone, its own attempt to read the
-- rest never ends.
local function abandon(library, stream)
  local deadline = library.cqueues.monotime() + LINGER
  repeat
    local left = deadline - library.cqueues.monotime()
    local chunk = left > 0 and stream:get_next_chunk(left)
  until not chunk
  drop(library, stream)
end

local function answer(server, request)
  if server.has_control and control.is_own(request.url) then
    return control.handle(server.box, request, server.base_url)
  end
  return server.box:handle(request)
end

local function respond(server, stream, headers)
  local library = server.library
  if stream.connection.pipeline:peek() ~= stream then
    return write_response(library, stream, closing(400, "pipelining is not supported"))
  end
  local body, status = read_body(stream, headers)
  if not body then
    if not status then return end
    return write_response(library, stream, closing(status, "the request body is too large"))
  end
  local response = answer(server, request_of(headers, body))
  if response.delay then library.cqueues.sleep(response.delay) end
  if response.dropped then return drop(library, stream) end
  write_response(library, stream, response, headers:get(":method") == "HEAD")
end

local function serve(server, stream)
  stream.connection:setmaxline(LINE_LIMIT)
  local headers = stream:get_headers(READ_TIMEOUT)
  if not headers then return end -- gone, or malformed: lua-http answers 400
  respond(server, stream, headers)
  if is_unread(stream) then abandon(server.library, stream) end
end

-- Clients that go away are no news; a failing handler is a defect of the sandbox.
local function report(_, _, operation, problem)
  if operation ~= "onstream" then return end
  io.stderr:write("usher sandbox: ", tostring(problem), "\n")
end

local function listen(server, options)
  local host = options.host or "127.0.0.1"
  local listener, problem = server.library.server.listen({
    host = host, port = options.port or 0, tls = false, version = 1.1, cq = server.loop,
    intra_stream_timeout = IDLE_TIMEOUT,
    onstream = function(_, stream) serve(server, stream) end,
    onerror = report,
  })
  local ok = listener
  if ok then ok, problem = listener:listen() end
  if not ok then
    return nil, "cannot listen on " .. host .. ":" .. (options.port or 0) .. ": "
      .. tostring(problem)
  end
  local _, _, port = listener:localname()
  server.listener, server.port, server.has_control = listener, port, loopback[host]
  if host:find(":", 1, true) then host = "[" .. host .. "]" end
  server.base_url = "http://" .. host .. ":" .. string.format("%d", port)
  return true
end

local function stop_on_signals(server, stop)
  local signal = server.library.signal
  signal.block(signal.SIGTERM, signal.SIGINT)
  local listener = signal.listen(signal.SIGTERM, signal.SIGINT)
  server.loop:wrap(function()
    listener:wait()
    stop()
  end)
end

local function stop_on_eof(server, stop)
  local input = server.library.socket.dup(0)
  input:onerror(function(_, _, why) return why end)
  server.loop:wrap(function()
    repeat until not input:read(-4096)
    stop()
  end)
end

local function stop_after(server, seconds, stop)
  server.loop:wrap(function()
    server.library.cqueues.sleep(seconds)
    stop()
  end)
end

--- Serve a box until it is told to stop. Only one option is needed: nothing, for a new box on a
-- free port.
-- @tparam[opt] table options
-- @tparam[opt] table options.box what `sandbox.new` returned; a new one when absent
-- @tparam[opt] string options.host address to listen on ("127.0.0.1"); the sandbox's own endpoints
--   exist on loopback only
-- @tparam[opt] integer options.port 0, the default, for a free one
-- @tparam[opt] function options.on_ready called with the port and a function that stops the
--   server, once it listens
-- @tparam[opt] number options.seconds stop after so many seconds
-- @tparam[opt] boolean options.until_eof stop when standard input ends
-- @tparam[opt] boolean options.signals stop on SIGTERM and SIGINT
-- @treturn boolean true after it stopped
-- @treturn[2] nil when it could not start
-- @treturn[2] string why
-- @usage server.run{ port = 8080, on_ready = function(port) print("listening on " .. port) end }
function M.run(options)
  options = options or {}
  check.options("usher.sandbox.server.run", options, option_names, 2)
  local library, missing = load_library()
  if not library then return nil, missing end
  local server = { library = library, box = options.box or sandbox.new() }
  server.loop = library.cqueues.new()
  local ok, problem = listen(server, options)
  if not ok then return nil, problem end
  local stopped = false
  local function stop() stopped = true end
  if options.signals then stop_on_signals(server, stop) end
  if options.until_eof then stop_on_eof(server, stop) end
  if options.seconds then stop_after(server, options.seconds, stop) end
  if options.on_ready then options.on_ready(server.port, stop) end
  -- A step fails when a connection's coroutine did: that connection is over, the server is not.
  while not stopped do server.loop:step() end
  server.listener:close()
  return true
end

--- The command `usher sandbox`. `--help` lists its options.
-- @tparam table arguments list of strings; a leading "sandbox" is skipped
-- @treturn integer exit status
-- @usage os.exit(require("usher.sandbox.server").main(arg))
function M.main(arguments)
  return command.main(arguments, M.run)
end

return M
