-- The benchmark's arithmetic: what a sample says, medians of ratios round by round, and whether a
-- target is met. Nothing here runs anything.

local M = {}

--- The middle of the values; of two in the middle their mean.
-- @tparam {number,...} values in any order, left as they are
-- @treturn ?number nil when there are none
function M.median(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  local count = #sorted
  if count == 0 then return nil end
  local middle = math.floor(count / 2)
  if count % 2 == 1 then return sorted[middle + 1] end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

-- What a call costs, or a process, in seconds; or KiB.
local metrics = {
  cpu = function(sample) return sample.cpu / sample.calls end,
  wall = function(sample) return sample.wall / sample.calls end,
  process = function(sample) return sample.process end,
  rss = function(sample) return sample.rss end,
}

--- The values of a series of samples, one a round; a round without one is left out.
-- @tparam table samples by number of the round
-- @tparam number rounds
-- @tparam string metric `cpu`, `wall`, `process` or `rss`
-- @treturn ?number their median
function M.value(samples, rounds, metric)
  local values = {}
  for round = 1, rounds do
    local sample = samples[round]
    if sample then values[#values + 1] = metrics[metric](sample) end
  end
  return M.median(values)
end

--- The median of the ratios, each of two samples of the same round.
-- @tparam table samples by number of the round
-- @tparam table others likewise
-- @tparam number rounds
-- @tparam string metric
-- @treturn ?number nil when no round has both
function M.ratio(samples, others, rounds, metric)
  local ratios = {}
  for round = 1, rounds do
    local one, other = samples[round], others[round]
    if one and other then
      ratios[#ratios + 1] = metrics[metric](one) / metrics[metric](other)
    end
  end
  return M.median(ratios)
end

--- The best of several candidates to be compared with.
-- @tparam table samples
-- @tparam {table,...} candidates each with `samples`
-- @tparam number rounds
-- @tparam string metric
-- @treturn ?number the highest ratio to any of them: to the best one
-- @treturn ?table that candidate
function M.against_best(samples, candidates, rounds, metric)
  local highest, best
  for _, candidate in ipairs(candidates) do
    local ratio = M.ratio(samples, candidate.samples, rounds, metric)
    if ratio and (not highest or ratio > highest) then highest, best = ratio, candidate end
  end
  return highest, best
end

--- @tparam ?number value
-- @tparam ?number limit
-- @treturn string `met`, `not met`, or nothing when there is no value or no limit
function M.verdict(value, limit)
  if not value or not limit then return "" end
  return value <= limit and "met" or "not met"
end

--- Puts a list into random order.
-- @tparam table list is changed
-- @tparam[opt=math.random] function random as math.random
-- @treturn table list
function M.shuffle(list, random)
  random = random or math.random
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

return M
