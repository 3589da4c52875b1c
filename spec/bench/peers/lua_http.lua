-- The benchmark's work with lua-http and lua-cjson: connections that are kept, a cqueues thread
-- each; over HTTP/2 one connection for all. `request:go`, its usual front, connects for each call.

local cjson = require "cjson"
local cqueues = require "cqueues"
local http_client = require "http.client"
local http_headers = require "http.headers"
local http_tls = require "http.tls"
local http_version = require "http.version"
local store = require "openssl.x509.store"

local common = require "spec.bench.peers.common"

local job = common.job()
local scheme, host, port = job.base_url:match("^(%a+)://([%d.]+):(%d+)$")
local path = job.url:match("^%a+://[^/]+(.*)$")
local streams = job.workload == "streams"

local context
if scheme == "https" then
  context = http_tls.new_client_context()
  if job.ca_file then context:setStore(store.new():add(job.ca_file)) end
end

local function connect()
  return assert(http_client.connect{
    host = host, port = tonumber(port), tls = scheme == "https", ctx = context,
    version = streams and 2 or 1.1,
  })
end

local function new_headers()
  local headers = http_headers.new()
  headers:append(":method", job.body and "POST" or "GET")
  headers:append(":scheme", scheme)
  headers:append(":authority", host .. ":" .. port)
  headers:append(":path", path)
  for name, value in pairs(common.headers) do headers:append(name:lower(), value) end
  if job.body then
    headers:append("content-type", "application/json")
    headers:append("content-length", tostring(#job.body))
  end
  return headers
end

local headers = new_headers()

local function call(connection)
  local stream = assert(connection:new_stream())
  assert(stream:write_headers(headers, not job.body))
  if job.body then assert(stream:write_body_from_string(job.body)) end
  local answer = assert(stream:get_headers())
  local body = assert(stream:get_body_as_string())
  stream:shutdown()
  job.accept(tonumber(answer:get(":status")), cjson.decode(body))
end

local connections = {}

local function connection_for(thread)
  local index = streams and 1 or thread
  if job.workload == "cold" then return connect() end
  if not connections[index] then connections[index] = connect() end
  return connections[index]
end

local function one_by_one(calls)
  for _ = 1, calls do call(connection_for(1)) end
end

local function many(calls)
  local queue = cqueues.new()
  local left = calls
  if streams then connection_for(1) end
  for thread = 1, math.min(calls, job.in_flight) do
    queue:wrap(function()
      while left > 0 do
        left = left - 1
        call(connection_for(thread))
      end
    end)
  end
  assert(queue:loop())
end

common.measure(job, http_version.name .. "/" .. http_version.version,
  job.in_flight > 1 and many or one_by_one)
