-- The benchmark's work with Debian's lua-curl and lua-cjson: one easy handle, kept. It cannot ask
-- for the status, so libcurl is told to fail from 400 on.

local cjson = require "cjson"
local curl = require "curl"

local common = require "spec.bench.peers.common"

local job = common.job()

local parts, count = {}, 0

local function on_body(data)
  count = count + 1
  parts[count] = data
  return #data
end

local function new_handle()
  local easy = curl.easy_init()
  easy:setopt(curl.OPT_URL, job.url)
  easy:setopt(curl.OPT_HTTPHEADER, common.header_lines(job))
  easy:setopt(curl.OPT_NOSIGNAL, 1)
  easy:setopt(curl.OPT_FAILONERROR, 1)
  if job.ca_file then easy:setopt(curl.OPT_CAINFO, job.ca_file) end
  if job.body then easy:setopt(curl.OPT_POSTFIELDS, job.body) end
  easy:setopt(curl.OPT_WRITEFUNCTION, on_body)
  return easy
end

local easy

local function call()
  if not easy or job.workload == "cold" then easy = new_handle() end
  count = 0
  local code, problem = easy:perform()
  if code ~= 0 then error(tostring(problem), 0) end
  job.accept(200, cjson.decode(table.concat(parts, "", 1, count)))
end

common.measure(job, "lua-curl, " .. curl.version():match("^%S+"), function(calls)
  for _ = 1, calls do call() end
end)
