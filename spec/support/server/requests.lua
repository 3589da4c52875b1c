-- What the misbehaving provider was asked: reads requests of HTTP/1.1, keeps the journal of all
-- requests, and finds the fault that a target names.

local M = {}

local journal = {}

--- All requests since the start or `clear`.
function M.journal()
  return journal
end

function M.clear()
  journal = {}
end

--- Writes a request into the journal.
function M.note(connection, request)
  connection.requests = connection.requests + 1
  connection.method = request.method
  request.connection = connection.id
  request.listener = connection.listener
  journal[#journal + 1] = request
end

local function header_of(request, name)
  for _, header in ipairs(request.headers) do
    if header[1]:lower() == name then return header[2] end
  end
end

--- The next request without its body.
-- @treturn ?table `{ method, target, version, headers }`, nil when none comes
function M.read_head(connection)
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

--- Reads the body of a request into it.
-- @treturn boolean whether it came
function M.read_body(connection, request)
  if header_of(request, "transfer-encoding") then
    request.body = read_chunks(connection)
  else
    request.body = connection:read(tonumber(header_of(request, "content-length") or 0))
  end
  return request.body ~= nil
end

--- "/status/503/api/users" -> the fault "status" of `set`, { "503" }
-- @tparam table set faults by name: `{ number of parameters, function }`
function M.choose(set, target)
  local path = target:gsub("^https?://[^/]*", ""):gsub("%?.*$", "")
  local parameters = {}
  for segment in path:gmatch("[^/]+") do parameters[#parameters + 1] = segment end
  local fault = set[table.remove(parameters, 1) or "ok"]
  for extra = (fault and fault[1] or 0) + 1, #parameters do parameters[extra] = nil end
  return fault, parameters
end

return M
