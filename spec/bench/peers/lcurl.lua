-- The benchmark's work with Lua-cURLv3 and lua-cjson: easy handles that are kept, through a multi
-- handle where several calls are in flight.

local cjson = require "cjson"
local curl = require "lcurl"

local common = require "spec.bench.peers.common"

local job = common.job()

local function new_slot()
  local slot = { parts = {}, count = 0 }
  slot.easy = curl.easy{
    url = job.url, httpheader = common.header_lines(job), nosignal = true,
    postfields = job.body, cainfo = job.ca_file, pipewait = job.workload == "streams" or nil,
  }
  slot.easy:setopt_writefunction(function(data)
    slot.count = slot.count + 1
    slot.parts[slot.count] = data
    return true
  end)
  return slot
end

local function accept(slot)
  job.accept(slot.easy:getinfo(curl.INFO_RESPONSE_CODE),
    cjson.decode(table.concat(slot.parts, "", 1, slot.count)))
  slot.count = 0
end

local only

local function one_by_one(calls)
  for _ = 1, calls do
    if not only or job.workload == "cold" then only = new_slot() end
    only.easy:perform()
    accept(only)
  end
end

local multi = job.in_flight > 1 and curl.multi()
local slots = {}

-- What has ended is asked for its answer and, while there are calls left, started again.
local function take_ended(left)
  local ended = 0
  local easy, ok, problem = multi:info_read()
  while easy and easy ~= 0 do
    if not ok then error(tostring(problem), 0) end
    local slot = slots[easy]
    multi:remove_handle(easy)
    accept(slot)
    ended = ended + 1
    if ended <= left then multi:add_handle(easy) end
    easy, ok, problem = multi:info_read()
  end
  return ended
end

local function many(calls)
  local idle = {}
  for easy in pairs(slots) do idle[#idle + 1] = easy end
  local started, done = 0, 0
  while started < calls and started < job.in_flight do
    started = started + 1
    local easy = idle[started]
    if not easy then
      local slot = new_slot()
      easy = slot.easy
      slots[easy] = slot
    end
    multi:add_handle(easy)
  end
  while done < calls do
    multi:perform()
    local ended = take_ended(calls - started)
    started = math.min(calls, started + ended)
    done = done + ended
    if ended == 0 then multi:wait(1000) end
  end
end

common.measure(job, "Lua-cURLv3, " .. curl.version():match("^%S+"), multi and many or one_by_one)
