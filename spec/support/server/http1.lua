-- HTTP/1.1 as the misbehaving provider speaks it: reads a request, writes it into the journal and
-- hands it to the fault that its path names. And a proxy for loopback.

local connections = require "spec.support.server.connection"
local requests = require "spec.support.server.requests"

local unpack = rawget(_G, "unpack")

local M = {}

local FAMILIES = { "connection", "time", "framing", "heads", "size", "content", "limits",
  "temptations" }

-- Faults by name; what may answer before the body has come is apart.
local faults, impatient = {}, {}

for _, family in ipairs(FAMILIES) do
  for name, fault in pairs(require("spec.support.server.faults." .. family)) do
    local set = fault.impatient and impatient or faults
    assert(not (faults[name] or impatient[name]), name)
    set[name] = fault
  end
end

local function pump(from, to)
  while true do
    local data = from.raw:xread(-16384, "b", connections.PATIENCE)
    if not data or not to:write(data) then break end
  end
  pcall(to.raw.shutdown, to.raw, "w") -- raises if the other direction has closed it
end

-- The first segments of the path cannot choose anything here.
local function tunnel(connection, request)
  local port = request.target:match("^127%.0%.0%.1:(%d+)$")
    or request.target:match("^localhost:(%d+)$")
  if not port then return connection:reply(403, {}, "") end
  local server = connections.connect(tonumber(port))
  if not server then return connection:reply(502, {}, "") end
  connection:reply(200, { "X-Proxy: yes" })
  connections.queue:wrap(function() pump(server, connection) end)
  pump(connection, server)
  connection.open = false
end

--- Serves a connection until it ends.
function M.serve(connection)
  while connection.open do
    local request = requests.read_head(connection)
    if not request then break end
    local fault, parameters = requests.choose(impatient, request.target)
    if not fault then
      if not requests.read_body(connection, request) then break end
      fault, parameters = requests.choose(faults, request.target)
    end
    requests.note(connection, request)
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

return M
