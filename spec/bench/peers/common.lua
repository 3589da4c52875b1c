-- What the Lua clients of the benchmark share: the arguments, what an answer has to be, the clocks,
-- and the line of JSON at the end. Nothing here is a client's own work.
--
--   INTERPRETER CLIENT.lua WORKLOAD BASE_URL CALLS IN_FLIGHT CA_FILE
--
-- WORKLOAD is user, post, list-N, cold (a connection a call, none before) or streams (HTTP/2).

local socket = require "socket"

local M = {}

local API = "/api/v2.1/rest"
local POST_BODY = '{"user_id":"bob","username":"Bob"}'

M.headers = {
  ["Accept"] = "application/json", ["QISCUS-SDK-APP-ID"] = "bench",
  ["QISCUS-SDK-SECRET"] = "secret",
}

--- The request headers as lines, as libcurl wants them.
-- @tparam table job
-- @treturn {string,...}
function M.header_lines(job)
  local lines = {}
  for name, value in pairs(M.headers) do lines[#lines + 1] = name .. ": " .. value end
  if job.body then lines[#lines + 1] = "Content-Type: application/json" end
  return lines
end

local function is_bob(answer)
  return answer.results.user.user_id == "bob"
end

local function is_list_of(size)
  local last = ("user-%06d"):format(size)
  return function(answer)
    local users = answer.results.users
    return #users == size and users[size].user_id == last
  end
end

--- The job that the command line asks for.
-- @treturn table `workload`, `base_url`, `calls`, `in_flight`, `ca_file` (nil for the system's),
-- `url`, `size` (users in the list) and, for a POST, `body`; `accept(status, answer)` raises
-- unless that is the right answer
function M.job()
  local job = {
    workload = arg[1], base_url = arg[2], calls = assert(tonumber(arg[3])),
    in_flight = assert(tonumber(arg[4])), ca_file = arg[5] ~= "system" and arg[5] or nil,
  }
  local size = job.workload:match("^list%-(%d+)$")
  local is_right = is_bob
  job.url = job.base_url .. API .. "/user_profile?user_id=bob"
  if size then
    job.size = tonumber(size)
    is_right = is_list_of(job.size)
    job.url = job.base_url .. API .. "/get_user_list?limit=" .. size
  elseif job.workload == "post" then
    job.url, job.body = job.base_url .. API .. "/login_or_register", POST_BODY
  end
  function job.accept(status, answer)
    if status ~= 200 then error("status " .. tostring(status), 0) end
    if not is_right(answer) then error("not the answer that was asked for", 0) end
  end
  return job
end

-- Peak resident memory in KiB, where the system tells.
local function peak()
  local file = io.open("/proc/self/status")
  if not file then return 0 end
  local text = file:read("*a")
  file:close()
  return tonumber(text:match("VmHWM:%s*(%d+)")) or 0
end

--- Makes the calls, after some that only open the connections, and prints what they took.
-- @tparam table job
-- @tparam string version of the client
-- @tparam function run makes that many calls
function M.measure(job, version, run)
  if job.workload ~= "cold" then run(job.in_flight) end
  local wall, cpu = socket.gettime(), os.clock()
  run(job.calls)
  wall, cpu = socket.gettime() - wall, os.clock() - cpu
  print(('{"wall":%.9f,"cpu":%.9f,"rss":%d,"calls":%d,"version":"%s"}')
    :format(wall, cpu, peak(), job.calls, version))
end

return M
