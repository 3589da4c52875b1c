-- A share of the calls of support/calls.lua in a process of its own, one after the other: faults
-- that take time are met by many processes at once, so that all of them together take no longer.
--
--   walk.lua '{ "place", "family", "slow", "share", "shares" }'
--
-- Prints a list of { number of the job, outcome }.

local cjson = require "cjson.safe"

local calls = require "spec.support.calls"

local task = assert(cjson.decode(arg[1]))
local outcomes = {}
for i, job in ipairs(calls.jobs(task.place, task.family, task.slow)) do
  if i % task.shares == task.share then
    outcomes[#outcomes + 1] = { i, calls.perform(job) }
  end
end
io.stdout:write(assert(cjson.encode(outcomes)))
