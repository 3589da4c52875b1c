-- A provider that takes its time, for specs of what happens at once. It counts connections and how
-- many requests it holds, and can hold them until a given number has come: so that many were in
-- flight together needs no clock to prove. As a module this starts and asks it; as a script,
-- `luajit spec/support/slow_server.lua`, it is the server: plain HTTP/1.1 on loopback.
--
--   local slow = require "spec.support.slow_server"
--   local server
--   setup(function() server = slow.start() end)
--   teardown(function() server:stop() end)
--   before_each(function() server:reset() end)
--   ... server:url("/gather/64") ... server:stats().most_in_flight ...
--
-- The first segments of the path choose the behaviour, so a base URL does it for every method. The
-- server prints its ports when it is ready and lives as long as the connection to its control port:
-- it goes when the spec does, however that ends.

local cjson = require "cjson.safe"
local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local HOST = "127.0.0.1"
local PATIENCE = 20 -- seconds without a byte from a client, or for a gathering
local LIFETIME = 900 -- seconds, whatever happens

-- Errors of a socket are values: a client that goes away is nothing special.
local function prepare(connection)
  connection:setmode("b", "bn")
  connection:setmaxline(1048576)
  connection:onerror(function(_, _, why) return why end)
  return connection
end

-- The module -------------------------------------------------------------------------------------

local M = {}

local methods = {}
local metatable = { __index = methods }

--- Starts a server and waits until it is ready.
-- @treturn table with the methods below
function M.start()
  local luajit = os.getenv("LUAJIT") or "luajit"
  local pipe = assert(io.popen(("exec %s spec/support/slow_server.lua"):format(luajit), "r"))
  local port, control_port = (pipe:read("*l") or ""):match("^(%d+) (%d+)$")
  if not port then error("the server did not start") end
  local control = prepare(assert(socket.connect(HOST, control_port)))
  assert(control:connect(PATIENCE))
  return setmetatable({ port = port, pipe = pipe, control = control }, metatable)
end

--- The URL of a path, which starts with the behaviour.
-- @tparam string path "/delay/20", see `behaviours`
-- @treturn string
function methods:url(path)
  return ("http://%s:%s%s"):format(HOST, self.port, path)
end

function methods:ask(command)
  assert(self.control:xwrite(command .. "\n", "bn"))
  return assert(cjson.decode(self.control:xread("*l", "b", PATIENCE) or ""), "the server is gone")
end

--- What it has seen since the start or `reset`.
-- @treturn table `requests`, `connections` (that a request came over), `open` (connections),
-- `in_flight`, `most_in_flight`, `targets` (paths with their query, in the order they came)
function methods:stats()
  return self:ask("stats")
end

--- Waits until a field of the statistics has a value.
-- @treturn boolean whether it came to that
function methods:reaches(field, value)
  local core = require "usher.core"
  local give_up = core.monotonic() + PATIENCE
  while core.monotonic() < give_up do
    if self:stats()[field] == value then return true end
    core.sleep(0.01)
  end
  return false
end

--- Forgets what it has seen.
function methods:reset()
  self:ask("reset")
end

--- Ends the server and waits for it.
function methods:stop()
  self.control:close()
  self.pipe:close()
end

if ... == "spec.support.slow_server" then return M end

-- The server -------------------------------------------------------------------------------------

local condition = require "cqueues.condition"

local queue = cqueues.new()
local changed = condition.new()
local seen, open, in_flight

local function reset()
  seen = { requests = 0, connections = 0, most_in_flight = in_flight, targets = {}, counts = {} }
end

-- The request ends before its answer is written: who has read that may ask again at once.
local function reply(request, status, headers, value)
  local body = cjson.encode(value)
  local lines = { ("HTTP/1.1 %d Whatever"):format(status), "Content-Type: application/json",
    ("Content-Length: %d"):format(#body) }
  for _, header in ipairs(headers or {}) do lines[#lines + 1] = header end
  in_flight = in_flight - 1
  request.answered = true
  local text = table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
  return request.connection:xwrite(text, "bn", PATIENCE)
end

local function count(name)
  seen.counts[name] = (seen.counts[name] or 0) + 1
  return seen.counts[name]
end

-- Waits until `reached()`; false when that takes too long.
local function await(reached)
  local give_up = cqueues.monotime() + PATIENCE
  while not reached() do
    local left = give_up - cqueues.monotime()
    if left <= 0 then return false end
    changed:wait(left)
  end
  return true
end

local OK = { ok = true, list = {} }

-- A token that lives for ever, unsigned: nobody here checks signatures.
local TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjQxMDI0NDQ4MDB9.c2lnbmVk"

-- Each: function(request, parameters) -> false to close the connection.
local behaviours = {
  -- /delay/<milliseconds>
  delay = function(request, parameters)
    cqueues.sleep(tonumber(parameters[1]) / 1000)
    return reply(request, 200, nil, OK)
  end,

  -- /gather/<number>: nobody is answered before so many are held at once; then all of them are.
  gather = function(request, parameters)
    local wanted, gathering = tonumber(parameters[1]), seen
    seen.gathered = (seen.gathered or 0) + 1
    changed:signal()
    local all = await(function() return gathering.gathered >= wanted end)
    return reply(request, all and 200 or 504, nil, OK)
  end,

  -- /when/<number>: answers when so many other requests are held.
  when = function(request, parameters)
    local wanted = tonumber(parameters[1])
    local all = await(function() return in_flight > wanted end)
    return reply(request, all and 200 or 504, nil, OK)
  end,

  -- /hold: never answers; ends when the client goes.
  hold = function(request)
    request.connection:xread(1, "b", PATIENCE)
    return false
  end,

  -- /limited/<times>/<seconds or "never">: 429 so many times, with Retry-After.
  limited = function(request, parameters)
    if count("limited") > tonumber(parameters[1]) then return reply(request, 200, nil, OK) end
    local seconds = tonumber(parameters[2])
    return reply(request, 429, { seconds and "Retry-After: " .. parameters[2] }, { no = true })
  end,

  -- /broken/<times>: 503 so many times.
  broken = function(request, parameters)
    if count("broken") > tonumber(parameters[1]) then return reply(request, 200, nil, OK) end
    return reply(request, 503, nil, { no = true })
  end,

  -- /goodbye: answers, then closes what it did not announce to close.
  goodbye = function(request)
    reply(request, 200, nil, OK)
    return false
  end,

  -- /late_goodbye/<milliseconds>: answers, then closes a while later.
  late_goodbye = function(request, parameters)
    reply(request, 200, nil, OK)
    cqueues.sleep(tonumber(parameters[1]) / 1000)
    return false
  end,

  -- /vchatcloud: a token, slowly, and nothing without it.
  vchatcloud = function(request)
    if request.target:find("/openapi/token", 1, true) then
      cqueues.sleep(0.05)
      count("tokens")
      return reply(request, 200, nil, { data = { ["X-AUTH-TOKEN"] = TOKEN } })
    end
    if request.headers["x-auth-token"] ~= TOKEN then return reply(request, 401, nil, OK) end
    return reply(request, 200, nil, { result_cd = 1, list = {} })
  end,
}

local function read_request(connection)
  local line = connection:xread("*l", "b", PATIENCE)
  local target = line and line:match("^%u+ (%S+) HTTP/1%.1\r$")
  if not target then return nil end
  local headers = {}
  while true do
    line = connection:xread("*l", "b", PATIENCE)
    if not line then return nil end
    if line == "\r" then break end
    local name, value = line:match("^([^:]+):%s*(.-)\r$")
    headers[name:lower()] = value
  end
  local length = tonumber(headers["content-length"] or 0)
  if length > 0 and not connection:xread(length, "b", PATIENCE) then return nil end
  return { connection = connection, target = target, headers = headers }
end

local function choose(target)
  local parameters = {}
  for segment in target:gsub("%?.*$", ""):gmatch("[^/]+") do
    parameters[#parameters + 1] = segment
  end
  return behaviours[table.remove(parameters, 1)] or behaviours.delay, parameters
end

local function note(request, is_first)
  seen.requests = seen.requests + 1
  if is_first then seen.connections = seen.connections + 1 end
  seen.targets[#seen.targets + 1] = request.target
  in_flight = in_flight + 1
  seen.most_in_flight = math.max(seen.most_in_flight, in_flight)
  changed:signal()
end

local function answer(request)
  local behaviour, parameters = choose(request.target)
  local goes_on = behaviour(request, parameters)
  if not request.answered then in_flight = in_flight - 1 end
  return goes_on
end

local function serve(connection)
  local known
  open = open + 1
  while true do
    local request = read_request(connection)
    if not request then break end
    note(request, known ~= seen)
    known = seen
    if not answer(request) then break end
  end
  open = open - 1
  connection:close()
end

local commands = {
  stats = function()
    return { requests = seen.requests, connections = seen.connections, open = open,
      in_flight = in_flight, most_in_flight = seen.most_in_flight, targets = seen.targets,
      tokens = seen.counts.tokens or 0 }
  end,
  reset = function()
    reset()
    return true
  end,
}

local function obey(control)
  for line in prepare(control):lines("*l") do
    control:xwrite(cjson.encode(commands[line]()) .. "\n", "bn", PATIENCE)
  end
  os.exit(0)
end

local function listen(on_connection)
  local listener = assert(socket.listen{ host = HOST, port = 0 })
  assert(listener:listen())
  queue:wrap(function()
    for connection in listener:clients() do
      queue:wrap(function() on_connection(prepare(connection)) end)
    end
  end)
  local _, _, port = listener:localname()
  return port
end

open, in_flight = 0, 0
reset()
io.stdout:write(("%d %d\n"):format(listen(serve), listen(obey)))
io.stdout:flush()
queue:wrap(function()
  cqueues.sleep(LIFETIME)
  os.exit(1)
end)
while true do
  local ok, why = queue:step()
  if not ok then io.stderr:write("slow_server.lua: ", tostring(why), "\n") end
end
