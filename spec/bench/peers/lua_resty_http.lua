-- The benchmark's work with lua-resty-http and lua-cjson, under resty: kept connections, a light
-- thread each.

local cjson = require "cjson"
local http = require "resty.http"

local common = require "spec.bench.peers.common"

local ngx = rawget(_G, "ngx")

local job = common.job()
local scheme, host, port = job.base_url:match("^(%a+)://([%d.]+):(%d+)$")
local path = job.url:match("^%a+://[^/]+(.*)$")
local headers = { ["Content-Type"] = job.body and "application/json" }
for name, value in pairs(common.headers) do headers[name] = value end

-- The trust comes from lua_ssl_trusted_certificate, which the command line sets.
local function connect()
  local client = http.new()
  assert(client:connect{ scheme = scheme, host = host, port = tonumber(port), ssl_verify = true,
    pool = job.workload == "cold" and tostring(client) or nil })
  return client
end

local function call(client)
  local answer = assert(client:request{ method = job.body and "POST" or "GET", path = path,
    headers = headers, body = job.body })
  local body = assert(answer:read_body())
  job.accept(answer.status, cjson.decode(body))
end

local clients = {}

local function client_for(thread)
  if job.workload == "cold" then return connect() end
  if not clients[thread] then clients[thread] = connect() end
  return clients[thread]
end

local function many(calls)
  local left, threads = calls, {}
  for thread = 1, math.min(calls, job.in_flight) do
    threads[thread] = ngx.thread.spawn(function()
      while left > 0 do
        left = left - 1
        call(client_for(thread))
      end
    end)
  end
  for _, thread in ipairs(threads) do assert(ngx.thread.wait(thread)) end
end

common.measure(job, "lua-resty-http/" .. http._VERSION, many)
