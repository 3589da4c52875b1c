-- A misbehaving provider over real sockets, plain and TLS, HTTP/1.1 and HTTP/2, with a journal of
-- all it was asked. Run as `luajit spec/support/server.lua DIRECTORY`; spec.support.provider does.
--
-- The first segments of the path choose the fault, /<fault>[/<parameter>...]/whatever/follows, so a
-- base URL chooses it for every endpoint. A fault is a row of `faults` (HTTP/1.1) or `h2_faults`:
-- { number of parameters, function(connection, request, parameters...) }. Bytes are written by
-- hand: nothing here would mind being wrong. What goes wrong below HTTP has a port of its own, see
-- `listeners`.
--
-- The server prints one line of JSON when it is ready (ports, certificate files), obeys the lines
-- it reads from the connection to its control port, and ends when that connection does.

local bit = require "bit"
local cjson = require "cjson.safe"
local cqueues = require "cqueues"
local ffi = require "ffi"
local hpack = require "http.hpack"
local socket = require "cqueues.socket"
local ssl_context = require "openssl.ssl.context"
local bignum = require "openssl.bignum"
local pkey = require "openssl.pkey"
local x509 = require "openssl.x509"
local x509_altname = require "openssl.x509.altname"
local x509_name = require "openssl.x509.name"
local x509_store = require "openssl.x509.store"

ffi.cdef [[
struct linger_option { int on; int seconds; };
struct int_option { int value; };
int setsockopt(int fd, int level, int name, const void *value, unsigned int length);
int listen(int fd, int backlog);
]]

local unpack = rawget(_G, "unpack")

local HOST = "127.0.0.1"
local PATIENCE = 30 -- seconds without a byte from a client
local LIFETIME = 900 -- seconds, whatever happens
local SOL_SOCKET, SO_LINGER = 1, 13
local IPPROTO_TCP, TCP_NODELAY = 6, 1

local queue = cqueues.new()
local journal = {}
local connections = 0

local function log(...)
  io.stderr:write("server.lua: ", string.format(...), "\n")
end

-- Connections ------------------------------------------------------------------------------------

local connection_methods = {}
local connection_metatable = { __index = connection_methods }

local function set_option(raw, level, name, value)
  ffi.C.setsockopt(raw:pollfd(), level, name, value, ffi.sizeof(value))
end

-- Errors of the socket are values here, a client that goes away is nothing special.
local function return_error(_, _, why)
  return why
end

local function new_connection(raw, listener)
  connections = connections + 1
  raw:setmode("b", "bn")
  raw:onerror(return_error)
  raw:settimeout(PATIENCE)
  raw:setmaxline(1048576)
  set_option(raw, IPPROTO_TCP, TCP_NODELAY, ffi.new("struct int_option", { 1 }))
  return setmetatable({
    raw = raw, id = connections, listener = listener, requests = 0, open = true,
  }, connection_metatable)
end

function connection_methods:read_line()
  local line = self.raw:xread("*L", "b", PATIENCE)
  return line and line:match("^(.-)\r?\n$")
end

function connection_methods:read(length)
  if length == 0 then return "" end
  local data = self.raw:xread(length, "b", PATIENCE)
  return data and #data == length and data or nil
end

-- Returns whether the client was still there.
function connection_methods:write(...)
  if not self.open then return false end
  local sent = self.raw:xwrite(table.concat({ ... }), "bn", PATIENCE)
  if not sent then self.open = false end
  return self.open
end

function connection_methods:reply(status, headers, body)
  local head = { ("HTTP/1.1 %d Whatever\r\n"):format(status) }
  for _, header in ipairs(headers or {}) do head[#head + 1] = header .. "\r\n" end
  if body then head[#head + 1] = ("Content-Length: %d\r\n"):format(#body) end
  return self:write(table.concat(head), "\r\n", self.method ~= "HEAD" and body or "")
end

function connection_methods:json(status, value)
  return self:reply(status, { "Content-Type: application/json" }, cjson.encode(value))
end

function connection_methods:close()
  self.open = false
  self.raw:close()
end

-- Ends it with a RST instead of a FIN.
function connection_methods:reset()
  set_option(self.raw, SOL_SOCKET, SO_LINGER, ffi.new("struct linger_option", { 1, 0 }))
  self:close()
end

-- Silent until the client gives up.
function connection_methods:wait()
  while self.raw:xread(-4096, "b", PATIENCE) do end -- luacheck: ignore 542
  self:close()
end

-- Requests ---------------------------------------------------------------------------------------

local function note(connection, request)
  connection.requests = connection.requests + 1
  connection.method = request.method
  request.connection = connection.id
  request.listener = connection.listener
  journal[#journal + 1] = request
end

local function read_chunks(connection)
  local body = {}
  while true do
    local size = tonumber((connection:read_line() or ""):match("^%x+") or "", 16)
    if not size then return nil end
    body[#body + 1] = connection:read(size)
    connection:read_line()
    if size == 0 then return table.concat(body) end
  end
end

local function header_of(request, name)
  for _, header in ipairs(request.headers) do
    if header[1]:lower() == name then return header[2] end
  end
end

local function read_head(connection)
  local line = connection:read_line()
  local method, target, version = (line or ""):match("^(%u+) (%S+) (HTTP/%d%.%d)$")
  if not method then return nil end
  local request = { method = method, target = target, version = version, headers = {} }
  while true do
    line = connection:read_line()
    if not line then return nil end
    if line == "" then return request end
    local name, value = line:match("^([^:]+):[ \t]*(.-)[ \t]*$")
    request.headers[#request.headers + 1] = { name or line, value or "" }
  end
end

local function read_body(connection, request)
  if header_of(request, "transfer-encoding") then
    request.body = read_chunks(connection)
  else
    request.body = connection:read(tonumber(header_of(request, "content-length") or 0))
  end
  return request.body ~= nil
end

-- "/status/503/api/users" -> the fault "status" of `set`, { "503" }
local function choose(set, target)
  local path = target:gsub("^https?://[^/]*", ""):gsub("%?.*$", "")
  local parameters = {}
  for segment in path:gmatch("[^/]+") do parameters[#parameters + 1] = segment end
  local fault = set[table.remove(parameters, 1) or "ok"]
  for extra = (fault and fault[1] or 0) + 1, #parameters do parameters[extra] = nil end
  return fault, parameters
end

-- Compressed bodies, by hand ---------------------------------------------------------------------

local GZIP_HEAD = "\31\139\8\0\0\0\0\0\0\3"

local function little_endian(value, bytes)
  local out = {}
  for i = 1, bytes do
    out[i] = string.char(bit.band(value, 0xff))
    value = bit.rshift(value, 8)
  end
  return table.concat(out)
end

local function crc32(data)
  local crc = 0xffffffff
  for i = 1, #data do
    crc = bit.bxor(crc, data:byte(i))
    for _ = 1, 8 do
      local low = bit.band(crc, 1)
      crc = bit.bxor(bit.rshift(crc, 1), low == 1 and 0xedb88320 or 0)
    end
  end
  return bit.bnot(crc)
end

-- One stored block: valid gzip that compresses nothing.
local function gzip(data)
  return table.concat {
    GZIP_HEAD, "\1", little_endian(#data, 2), little_endian(bit.bnot(#data), 2), data,
    little_endian(crc32(data), 4), little_endian(#data, 4),
  }
end

-- Deflate with the fixed code: a literal 0, then "258 bytes back by 1" in 13 bits, again and again.
-- Eight of those are 13 bytes and stand for 2064, so the pattern has a period of 13 bytes.
local function zeros_block()
  local bits = { 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0 } -- last block, fixed code; literal 0
  local repeats = { 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0 }
  for _ = 1, 17 do
    for _, value in ipairs(repeats) do bits[#bits + 1] = value end
  end
  local bytes = {}
  for first = 1, #bits - 7, 8 do
    local byte = 0
    for i = 0, 7 do byte = byte + bits[first + i] * 2 ^ i end
    bytes[#bytes + 1] = string.char(byte)
  end
  return table.concat(bytes, "", 1, 13), table.concat(bytes, "", 14, 26)
end

-- Faults of HTTP/1.1 -----------------------------------------------------------------------------

local FORGED = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
  .. '{"forged":true}'

local function chunk(data)
  return ("%x\r\n%s\r\n"):format(#data, data)
end

-- How an answer and the forged one behind it are written. What arrives after the client has written
-- its next request cannot be told from an answer to that; "late" is for clients that pause.
local forgers = {
  together = function(connection, head, body) connection:write(head, body, FORGED) end,
  split = function(connection, head, body)
    connection:write(head)
    connection:write(body, FORGED)
  end,
  late = function(connection, head, body)
    connection:write(head, body)
    cqueues.sleep(0.001)
    connection:write(FORGED)
  end,
}

local function answers_once(finish)
  return function(connection)
    if connection.requests == 1 then
      connection:json(200, { ok = true })
    else
      finish(connection)
    end
  end
end

local faults
faults = {
  ok = { 0, function(connection) connection:json(200, { ok = true }) end },

  echo = { 0, function(connection, request) connection:json(200, request) end },

  status = { 1, function(connection, _, status)
    if status == "204" or status == "304" then return connection:reply(tonumber(status)) end
    connection:json(tonumber(status), { status = tonumber(status) })
  end },

  -- Connections that end.
  close_before_reply = { 0, function(connection) connection:close() end },
  reset_before_reply = { 0, function(connection) connection:reset() end },
  close_in_head = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nContent-Le")
    connection:close()
  end },
  truncated = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nten bytes.")
    connection:close()
  end },
  truncated_chunks = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk("ten bytes."))
    connection:close()
  end },
  reset_in_body = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nten bytes.")
    connection:reset()
  end },
  stale = { 0, answers_once(connection_methods.close) },
  stale_reset = { 0, answers_once(connection_methods.reset) },
  close_after_reply = { 0, function(connection)
    connection:json(200, { ok = true })
    connection:close()
  end },

  -- Time.
  delay = { 1, function(connection, _, milliseconds)
    cqueues.sleep(tonumber(milliseconds) / 1000)
    connection:json(200, { ok = true })
  end },
  stall = { 1, function(connection, _, where)
    if where ~= "start" then connection:write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n") end
    if where == "body" then connection:write("half of it") end
    connection:wait()
  end },
  slow = { 1, function(connection, _, milliseconds)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ = 1, 1000 do
      cqueues.sleep(tonumber(milliseconds) / 1000)
      if not connection:write(".") then return end
    end
  end },

  -- Framing.
  forged = { 2, function(connection, request, how, kind)
    local id = request.target:match("[^/]*$")
    local answers = {
      length = { ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(#id), id },
      chunked = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk(id) .. chunk("") },
      empty = { "HTTP/1.1 204 No Content\r\n", "\r\n" },
    }
    forgers[how](connection, unpack(answers[kind]))
  end },
  folded = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\n folded: first\r\nX-Long: one\r\n  two\r\n",
      "Content-Length: 2\r\n\r\nok")
  end },
  http09 = { 0, function(connection)
    connection:write("<html>no head at all</html>")
    connection:close()
  end },
  switching = { 0, function(connection)
    connection:write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: nothing\r\n\r\nbytes")
    connection:close()
  end },
  interim = { 0, function(connection)
    connection:write("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n",
      "Link: </style.css>\r\n\r\n")
    connection:json(200, { ok = true })
  end },
  endless_interim = { 0, function(connection)
    local ok = true
    while ok do ok = connection:write(("HTTP/1.1 103 Early Hints\r\n\r\n"):rep(100)) end
  end },
  bad_chunk = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\nx\r\n")
    connection:close()
  end },
  length_negative = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nwhat")
    connection:close()
  end },
  lengths_differ = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nwhat??")
    connection:close()
  end },
  header_repeated = { 0, function(connection)
    connection:reply(200, { "X-Twice: one", "x-twice:  two ", "X-Empty:" }, "{}")
  end },
  header_nul = { 0, function(connection) connection:reply(200, { "X-Nul: a\0b" }, "{}") end },
  header_without_colon = { 0, function(connection) connection:reply(200, { "nothing" }, "{}") end },

  -- Size.
  sized = { 1, function(connection, _, bytes)
    connection:reply(200, {}, ("x"):rep(tonumber(bytes)))
  end },
  chunks = { 1, function(connection, _, bytes)
    connection:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection:write(chunk(("x"):rep(tonumber(bytes))), "0\r\n\r\n")
  end },
  endless_body = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\n\r\n")
    while connection:write(("x"):rep(65536)) do end -- luacheck: ignore 542
  end },
  length_huge = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n")
    while connection:write(("x"):rep(65536)) do end -- luacheck: ignore 542
  end },
  huge_header = { 1, function(connection, _, kilobytes)
    connection:reply(200, { "X-Huge: " .. ("x"):rep(tonumber(kilobytes) * 1024) }, "{}")
  end },
  many_headers = { 1, function(connection, _, count)
    local headers = {}
    for i = 1, tonumber(count) do headers[i] = "X-Many: " .. i end
    connection:reply(200, headers, "{}")
  end },
  endless_headers = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\n")
    while connection:write(("X-Endless: yes\r\n"):rep(100)) do end -- luacheck: ignore 542
  end },
  endless_trailers = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunk("{}"), "0\r\n")
    while connection:write(("X-Endless: yes\r\n"):rep(100)) do end -- luacheck: ignore 542
  end },

  -- Content coding.
  gzip = { 0, function(connection)
    connection:reply(200, { "Content-Encoding: gzip" }, gzip('{"packed":true}'))
  end },
  gzip_corrupt = { 0, function(connection)
    connection:reply(200, { "Content-Encoding: gzip" }, GZIP_HEAD .. ("\7"):rep(50))
  end },
  gzip_truncated = { 0, function(connection)
    connection:reply(200, { "Content-Encoding: gzip" }, gzip(("{}"):rep(50)):sub(1, 40))
  end },
  gzip_bomb = { 1, function(connection, _, megabytes)
    local first, rest = zeros_block()
    connection:write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", GZIP_HEAD, first)
    for _ = 1, tonumber(megabytes) do
      if not connection:write(rest:rep(math.floor(1048576 / 2064))) then return end
    end
    connection:close()
  end },
  coding_unknown = { 0, function(connection)
    connection:reply(200, { "Content-Encoding: homemade" }, "{}")
  end },

  -- Temptations: to follow, to log in, to remember, to go on talking.
  redirect = { 2, function(connection, request, status, where)
    local places = {
      here = "/ok",
      elsewhere = "http://localhost:" .. connection.redirect_port .. "/ok",
      file = "file:///etc/passwd",
      loop = request.target,
    }
    connection:reply(tonumber(status), { "Location: " .. places[where] }, "")
  end },
  challenge = { 1, function(connection, _, scheme)
    connection:reply(401, { "WWW-Authenticate: " .. scheme .. ' realm="r", nonce="n"' }, "{}")
  end },
  cookie = { 0, function(connection)
    connection:reply(200, { "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/" }, "{}")
  end },
}

-- Faults that answer before the body has come.
local impatient = {
  early_error = { 0, function(connection)
    connection:reply(413, { "Connection: close" }, "{}")
    connection:reset()
  end },
}

-- HTTP/1.1 and CONNECT ---------------------------------------------------------------------------

local function pump(from, to)
  while true do
    local data = from.raw:xread(-16384, "b", PATIENCE)
    if not data or not to:write(data) then break end
  end
  pcall(to.raw.shutdown, to.raw, "w") -- raises if the other direction has closed it
end

-- A proxy for loopback; the first segments of the path cannot choose anything here.
local function tunnel(connection, request)
  local port = request.target:match("^127%.0%.0%.1:(%d+)$")
    or request.target:match("^localhost:(%d+)$")
  if not port then return connection:reply(403, {}, "") end
  local raw = socket.connect(HOST, tonumber(port))
  local server = setmetatable({ raw = raw, open = true }, connection_metatable)
  raw:onerror(return_error)
  raw:setmode("b", "bn")
  if not raw:connect(5) then return connection:reply(502, {}, "") end
  connection:reply(200, { "X-Proxy: yes" })
  queue:wrap(function() pump(server, connection) end)
  pump(connection, server)
  connection.open = false
end

local function serve_http1(connection)
  while connection.open do
    local request = read_head(connection)
    if not request then break end
    local fault, parameters = choose(impatient, request.target)
    if not fault then
      if not read_body(connection, request) then break end
      fault, parameters = choose(faults, request.target)
    end
    note(connection, request)
    if request.method == "CONNECT" then
      tunnel(connection, request)
    elseif fault then
      fault[2](connection, request, unpack(parameters))
    else
      connection:json(404, { error = "no such fault" })
    end
  end
  connection:close()
end

-- HTTP/2 -----------------------------------------------------------------------------------------

local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
local END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
local INTERNAL_ERROR, REFUSED_STREAM = 2, 7

local function big_endian(value, bytes)
  return (little_endian(value, bytes):reverse())
end

local function from_big_endian(data)
  local value = 0
  for i = 1, #data do value = value * 256 + data:byte(i) end
  return value
end

function connection_methods:frame(kind, flags, stream, payload)
  return self:write(big_endian(#payload, 3), string.char(kind, flags), big_endian(stream, 4),
    payload)
end

-- Literals without indexing, RFC 7541 section 6.2.2; 8 is the index of ":status".
local function literal(text)
  assert(#text < 127, "longer than one byte of length can say")
  return string.char(#text) .. text
end

function connection_methods:h2_reply(stream, status, headers, body)
  local block = { "\8", literal(tostring(status)) }
  for _, header in ipairs(headers) do
    block[#block + 1] = "\0" .. literal(header[1]) .. literal(header[2])
  end
  self:frame(HEADERS, END_HEADERS, stream, table.concat(block))
  return self:frame(DATA, END_STREAM, stream, body)
end

local JSON_TYPE = { { "content-type", "application/json" } }

local function h2_ok(connection, request)
  connection:h2_reply(request.stream, 200, JSON_TYPE, '{"ok":true}')
end

-- Refuses the first request for each target, whatever connection it is on.
local refused = {}

local function h2_refuse_once(connection, request)
  if refused[request.target] then return h2_ok(connection, request) end
  refused[request.target] = true
  connection:frame(RST_STREAM, 0, request.stream, big_endian(REFUSED_STREAM, 4))
end

local h2_faults = {
  ok = { 0, h2_ok },
  echo = { 0, function(connection, request)
    connection:h2_reply(request.stream, 200, JSON_TYPE, cjson.encode(request))
  end },
  status = { 1, function(connection, request, status)
    connection:h2_reply(request.stream, status, {}, "{}")
  end },
  delay = { 1, function(connection, request, milliseconds)
    queue:wrap(function()
      cqueues.sleep(tonumber(milliseconds) / 1000)
      h2_ok(connection, request)
    end)
  end },
  reset_stream = { 0, function(connection, request)
    connection:frame(RST_STREAM, 0, request.stream, big_endian(INTERNAL_ERROR, 4))
  end },
  refused_once = { 0, h2_refuse_once },
  close_before_reply = { 0, function(connection) connection:close() end },
  stale = { 0, function(connection, request)
    if connection.requests == 1 then return h2_ok(connection, request) end
    connection:close()
  end },
  goaway = { 0, function(connection, request)
    h2_ok(connection, request)
    connection.last_stream = request.stream
    connection:frame(GOAWAY, 0, 0, big_endian(request.stream, 4) .. big_endian(0, 4))
  end },
  stall = { 1, function() end },
}

local function h2_finish(connection, request)
  local fault, parameters = choose(h2_faults, request.target)
  note(connection, request)
  if fault then
    fault[2](connection, request, unpack(parameters))
  else
    connection:h2_reply(request.stream, 404, {}, "no such fault")
  end
end

local function h2_open(connection, stream, payload)
  local request = { version = "HTTP/2", stream = stream, headers = {}, body = "" }
  for name, value in connection.decoder:decode_headers(payload):each() do
    if name == ":method" then
      request.method = value
    elseif name == ":path" then
      request.target = value
    else
      request.headers[#request.headers + 1] = { name, value }
    end
  end
  connection.streams[stream] = request
end

local h2_frames = {
  [SETTINGS] = function(connection, flags)
    if bit.band(flags, ACK) == 0 then connection:frame(SETTINGS, ACK, 0, "") end
  end,
  [PING] = function(connection, flags, _, payload)
    if bit.band(flags, ACK) == 0 then connection:frame(PING, ACK, 0, payload) end
  end,
  [HEADERS] = function(connection, flags, stream, payload)
    if bit.band(flags, 0x20) ~= 0 then payload = payload:sub(6) end -- PRIORITY
    h2_open(connection, stream, payload)
  end,
  [DATA] = function(connection, _, stream, payload)
    local request = connection.streams[stream]
    if request then request.body = request.body .. payload end
  end,
}

local function serve_http2(connection)
  connection.decoder = hpack.new(4096)
  connection.streams = {}
  if not connection:read(24) then return connection:close() end -- the preface
  connection:frame(SETTINGS, 0, 0, "")
  while connection.open do
    local head = connection:read(9)
    local payload = head and connection:read(from_big_endian(head:sub(1, 3)))
    if not payload then break end
    local kind, flags, stream = head:byte(4), head:byte(5), from_big_endian(head:sub(6, 9))
    local handler = h2_frames[kind]
    if handler then handler(connection, flags, stream, payload) end
    local ends = (kind == DATA or kind == HEADERS) and bit.band(flags, END_STREAM) ~= 0
    if ends and connection.streams[stream] then
      local request = connection.streams[stream]
      connection.streams[stream] = nil
      if stream <= (connection.last_stream or stream) then h2_finish(connection, request) end
    end
  end
  connection:close()
end

-- Certificates -----------------------------------------------------------------------------------

local DAY = 86400
local serial = 0

local function new_key()
  return pkey.new { type = "EC", curve = "prime256v1" }
end

-- options: authority, names (DNS), addresses (IP), from and to in days from now
local function certify(subject, key, issuer, options)
  local certificate = x509.new()
  local name = x509_name.new():add("CN", subject)
  serial = serial + 1
  certificate:setVersion(3)
  certificate:setSerial(bignum.new(serial))
  certificate:setSubject(name)
  certificate:setIssuer(issuer and issuer.certificate:getSubject() or name)
  local now = os.time()
  certificate:setLifetime(now + (options.from or -1) * DAY, now + (options.to or 7) * DAY)
  certificate:setBasicConstraints { CA = options.authority or false }
  certificate:setBasicConstraintsCritical(true)
  local alternatives = x509_altname.new()
  for _, dns in ipairs(options.names or {}) do alternatives:add("DNS", dns) end
  for _, address in ipairs(options.addresses or {}) do alternatives:add("IP", address) end
  if options.names then certificate:setSubjectAlt(alternatives) end
  certificate:setPublicKey(key)
  certificate:sign(issuer and issuer.key or key)
  return certificate
end

local function new_authority(subject)
  local key = new_key()
  return { key = key, certificate = certify(subject, key, nil, { authority = true }) }
end

local HERE = { names = { "localhost" }, addresses = { HOST } }

local function context_of(key, certificate)
  local context = ssl_context.new("TLS", true)
  context:setPrivateKey(key)
  context:setCertificate(certificate)
  return context
end

local function http2_context(key, certificate)
  local context = context_of(key, certificate)
  context:setAlpnSelect(function() return "h2" end)
  return context
end

local function mutual_context(key, certificate, authority)
  local context = context_of(key, certificate)
  context:setStore(x509_store.new():add(authority.certificate))
  context:setVerify(ssl_context.VERIFY_PEER + ssl_context.VERIFY_FAIL_IF_NO_PEER_CERT)
  return context
end

local function old_context(key, certificate)
  local context = context_of(key, certificate)
  context:setCipherList("DEFAULT:@SECLEVEL=0")
  context:setOptions(ssl_context.OP_NO_TLSv1_1 + ssl_context.OP_NO_TLSv1_2
    + (ssl_context.OP_NO_TLSv1_3 or 0x20000000))
  return context
end

local function write_file(directory, name, text)
  local path = directory .. "/" .. name
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

-- Returns the contexts by listener and the files by name.
local function make_tls(directory)
  local authority, stranger = new_authority("usher test CA"), new_authority("another CA")
  local key, client_key = new_key(), new_key()
  local function issue(issuer, options) return certify("localhost", key, issuer, options) end
  local good = issue(authority, HERE)
  local client = certify("usher test client", client_key, authority, {})
  local contexts = {
    https = context_of(key, good),
    http2 = http2_context(key, good),
    mutual = mutual_context(key, good, authority),
    old_tls = old_context(key, good),
    wrong_host = context_of(key, issue(authority, { names = { "elsewhere.example" } })),
    expired = context_of(key, issue(authority, { names = HERE.names, addresses = HERE.addresses,
      from = -3, to = -2 })),
    not_yet = context_of(key, issue(authority, { names = HERE.names, addresses = HERE.addresses,
      from = 2, to = 3 })),
    self_signed = context_of(key, issue(nil, HERE)),
    unknown_ca = context_of(key, issue(stranger, HERE)),
  }
  return contexts, {
    ca_file = write_file(directory, "ca.pem", authority.certificate:toPEM()),
    client_cert = write_file(directory, "client.pem", client:toPEM()),
    client_key_file = write_file(directory, "client_key.pem", client_key:toPEM("private")),
  }
end

-- Listeners --------------------------------------------------------------------------------------

local function over_tls(context, serve)
  return function(connection)
    if connection.raw:starttls(context, PATIENCE) then
      serve(connection)
    else
      cqueues.sleep(2) -- closing now would be a RST, which might overtake the alert
      connection:close()
    end
  end
end

-- What is spoken on each port; what is missing here is HTTP/1.1 over the TLS of that name.
local listeners = {
  http = serve_http1,
  accept_reset = connection_methods.reset,
  accept_close = connection_methods.close,
  silent = connection_methods.wait, -- neither TLS nor HTTP
  alert = function(connection) -- a fatal handshake_failure
    connection:read(1)
    connection:write("\21\3\3\0\2\2\40")
    connection:wait()
  end,
}

local function bind()
  local listener = assert(socket.listen { host = HOST, port = 0 })
  listener:onerror(return_error)
  assert(listener:listen())
  local _, _, port = listener:localname()
  return listener, port
end

local function accept(listener, name, serve, redirect_port)
  queue:wrap(function()
    for raw in listener:clients() do
      local connection = new_connection(raw, name)
      connection.redirect_port = redirect_port
      queue:wrap(function() serve(connection) end)
    end
  end)
end

-- A port where nobody listens.
local function refused_port()
  local listener, port = bind()
  listener:close()
  return port
end

-- A port where nobody answers: the backlog is one connection, and taken.
local function black_hole()
  local listener, port = bind()
  local callers = {}
  ffi.C.listen(listener:pollfd(), 0)
  for i = 1, 3 do
    callers[i] = socket.connect(HOST, port)
    callers[i]:onerror(return_error)
    callers[i]:connect(0)
  end
  return port, { listener, callers }
end

local function open_listeners(contexts)
  local ports, kept = {}, {}
  local sink, sink_port = bind()
  accept(sink, "sink", serve_http1, sink_port)
  ports.sink = sink_port
  local function open(name, serve)
    local listener, port = bind()
    accept(listener, name, serve, sink_port)
    ports[name] = port
  end
  for name, serve in pairs(listeners) do open(name, serve) end
  for name, context in pairs(contexts) do
    open(name, over_tls(context, name == "http2" and serve_http2 or serve_http1))
  end
  ports.refused = refused_port()
  ports.black_hole, kept.black_hole = black_hole()
  return ports, kept
end

-- Control ----------------------------------------------------------------------------------------

local commands = {
  journal = function() return journal end,
  clear = function()
    journal = {}
    return true
  end,
}

local function obey(raw, files)
  raw:onerror(return_error)
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
  local contexts, files = make_tls(directory)
  local ports, kept = open_listeners(contexts)
  local control, control_port = bind()
  queue:wrap(function()
    local raw = control:accept(PATIENCE)
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
