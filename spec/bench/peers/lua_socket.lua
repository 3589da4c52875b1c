-- The benchmark's work with luasocket (luasec for TLS) and lua-cjson. It closes each connection
-- after its answer: that is all that socket.http can do.

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"

local common = require "spec.bench.peers.common"

local job = common.job()

local client = http
if job.url:find("^https:") then client = require "ssl.https" end

local headers = {
  ["content-type"] = job.body and "application/json",
  ["content-length"] = job.body and #job.body,
}
for name, value in pairs(common.headers) do headers[name] = value end

local function call()
  local parts = {}
  local ok, status = client.request{
    url = job.url, method = job.body and "POST" or "GET", headers = headers,
    source = job.body and ltn12.source.string(job.body), sink = ltn12.sink.table(parts),
    verify = "peer", protocol = "any", options = { "all", "no_sslv2", "no_sslv3" },
    cafile = job.ca_file, capath = not job.ca_file and "/etc/ssl/certs" or nil,
  }
  if not ok then error(tostring(status), 0) end
  job.accept(status, cjson.decode(table.concat(parts)))
end

common.measure(job, require("socket")._VERSION, function(calls)
  for _ = 1, calls do call() end
end)
