-- The benchmark's work with usher: a client of Qiscus, whose methods check, send and decode.

local common = require "spec.bench.peers.common"
local usher = require "usher"

local job = common.job()
local client = usher.qiscus{
  app_id = "bench", secret = "secret", base_url = job.base_url, ca_file = job.ca_file,
  retries = 0, max_response_size = 64 * 1024 * 1024,
}

local function ask()
  if job.size then return client:get_user_list{ limit = job.size } end
  if job.body then return client:login_or_register{ user_id = "bob", username = "Bob" } end
  return client:user_profile{ user_id = "bob" }
end

local function accept(answer, response)
  if not answer then error(tostring(response), 0) end
  job.accept(response.status, answer)
end

local function one_by_one(calls)
  for _ = 1, calls do accept(ask()) end
end

local function numbers(count)
  local number = 0
  return function()
    number = number + 1
    if number <= count then return number end
  end
end

local function call()
  local answer, response = ask()
  accept(answer, response)
  return true
end

local function on_result(_, _, value, problem)
  if not value then error(problem, 0) end
end

local function many(calls)
  usher.map(numbers(calls), call, { concurrency = job.in_flight, on_result = on_result })
end

common.measure(job, "usher/" .. usher._VERSION, job.in_flight > 1 and many or one_by_one)
client:close()
