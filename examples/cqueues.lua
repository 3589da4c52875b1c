-- The same calls on another event loop: cqueues, with the HTTP client of lua-http. All it takes is
-- a transport, a table with `send` and `sleep`; every room is then looked after by a coroutine of
-- cqueues' own, and none of them blocks another. It needs the rock `http`: apt install lua-http,
-- which on Debian is for LuaJIT. With the sandbox for a provider:
--
--   luajit lua/bin/usher sandbox --env --seconds 60 >sandbox.env &
--   . ./sandbox.env; luajit examples/cqueues.lua [room...]

require("examples.support") -- finds usher in a clone
local client = require("http.client")
local cqueues = require("cqueues")
local errno = require("cqueues.errno")
local new_headers = require("http.headers").new
local split_authority = require("http.util").split_authority
local usher = require("usher")

-- What a transport returns instead of an answer; `sent` is false only when surely no byte of the
-- request can have been acted on.
local function failure(problem, code, sent)
  local kind = code == errno.ETIMEDOUT and "timeout" or "network"
  return nil, kind, tostring(problem or "the connection was closed"), sent
end

local function head_of(request, authority, path)
  local head = new_headers()
  head:append(":method", request.method)
  head:append(":scheme", (request.url:match("^%a+")))
  head:append(":authority", authority)
  head:append(":path", path ~= "" and path or "/")
  for name, value in pairs(request.headers) do head:append(name:lower(), value) end
  if request.method ~= "GET" then
    head:upsert("content-length", ("%d"):format(#(request.body or "")))
  end
  return head
end

-- The whole body, or nil and what a transport returns instead.
local function read_body(stream, head, limit, left)
  local chunks, size = {}, 0
  local chunk, problem, code = stream:get_next_chunk(left())
  while chunk do
    chunks[#chunks + 1] = chunk
    size = size + #chunk
    if size > limit then return nil, "too_large", "the answer is too large", true end
    chunk, problem, code = stream:get_next_chunk(left())
  end
  if problem then return failure(problem, code, true) end
  local announced = tonumber(head:get("content-length") or size)
  if size < announced then return failure("the answer is cut short", nil, true) end
  return table.concat(chunks)
end

local function exchange(connection, request, head, left)
  local stream = connection:new_stream()
  local ok, problem, code = stream:write_headers(head, request.body == nil, left())
  if ok and request.body then
    ok, problem, code = stream:write_body_from_string(request.body, left())
  end
  if not ok then return failure(problem, code, true) end
  local answer
  repeat -- those that begin with 1 are not final
    answer, problem, code = stream:get_headers(left())
  until not answer or answer:get(":status"):sub(1, 1) ~= "1"
  if not answer then return failure(problem, code, true) end
  local body, kind, message, sent = read_body(stream, answer, request.max_response_size, left)
  if not body then return nil, kind, message, sent end
  local headers = {}
  for name, value in answer:each() do
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return tonumber(answer:get(":status")), headers, body
end

-- One connection a request. Errors are values: what happens in the world raises nothing.
local function send(request)
  local scheme, authority, path = request.url:match("^(%a+)://([^/?]+)(.*)$")
  local host, port = split_authority(authority, scheme)
  local give_up = cqueues.monotime() + request.timeout
  local function left() return math.max(0, give_up - cqueues.monotime()) end
  local connection, problem, code = client.connect({
    host = host, port = port, tls = scheme == "https", version = 1.1,
  }, math.min(request.connect_timeout, left()))
  if not connection then return failure(problem, code, false) end
  local function close(...)
    local socket = connection:take_socket() -- connection:close() would wait for what is missing
    if socket then socket:close() end
    return ...
  end
  return close(exchange(connection, request, head_of(request, authority, path), left))
end

local chat = usher.vchatcloud{ transport = { send = send, sleep = cqueues.sleep } }
local rooms = #arg > 0 and arg or { "room-1", "room-2" }
local loop = cqueues.new()
local failures = 0

for _, room in ipairs(rooms) do
  loop:wrap(function()
    local users, err = chat:list_users{ room_id = room }
    if users then
      print(("%s: %d here"):format(room, #users.list))
    else
      print(("%s: %s"):format(room, tostring(err)))
      failures = failures + 1
    end
  end)
end
assert(loop:loop())
chat:close()
os.exit(failures == 0 and 0 or 1)
