-- Does the time of a refusal tell how much of a signature was right? Webhooks are given signatures
-- that are wrong in the first or in the last byte, TRIES of each in random order, and the times
-- are compared as dudect does: Welch's t, over all and over what is below a percentile. Then the
-- same with a comparison that stops at the first wrong byte, which must be found out.
--
-- lua5.4 spec/timing/verify.lua DIRECTORY-OF-early_exit.so [TRIES]

local core = require "usher.core"
local usher = require "usher"

local directory, tries = arg[1], tonumber(arg[2] or 100000)
package.cpath = directory .. "/?.so;" .. package.cpath
local early_exit = require "early_exit"

-- Of dudect: above it the times differ, whatever their distribution.
local THRESHOLD = 4.5

-- The slowest times are those of interrupts: each part of all the tries is looked at.
local PARTS = { 0.5, 0.75, 0.9, 0.95, 0.99, 1 }

local BODY = '{"type":"post_comment_rest","payload":{"message":{"text":"hello"}}}'

-- Hex digits, so that the wrong byte is a likely one.
local function wrong_digit(right)
  local digit
  repeat digit = ("%x"):format(math.random(0, 15)) until digit ~= right
  return digit
end

local PLACES = { 1, 64 }

local function spoil(text, place)
  return text:sub(1, place - 1) .. wrong_digit(text:sub(place, place)) .. text:sub(place + 1)
end

-- Class 1 is wrong in the first byte, class 2 in the last.
local function random_order()
  local order = {}
  for i = 1, 2 * tries do order[i] = i % 2 + 1 end
  for i = #order, 2, -1 do
    local other = math.random(i)
    order[i], order[other] = order[other], order[i]
  end
  return order
end

-- What is asked is made before anything is measured: the two classes differ in nothing but bytes.
-- Each chunk has a key of its own, or where its strings happen to lie would be measured.
local CHUNK = 500

local function prepare(webhook, order, from, to)
  local hook = webhook.new(core.sha256(("%d %.17g"):format(from, math.random())))
  local right = hook:sign(BODY)[webhook.header]
  assert(hook:read({ [webhook.header] = right }, BODY))
  local chunk = {}
  for i = from, to do
    chunk[i - from + 1] = { [webhook.header] = spoil(right, PLACES[order[i]]) }
  end
  collectgarbage()
  return hook, chunk
end

local function measure(webhook)
  local order, times = random_order(), {}
  local now = core.monotonic
  for from = 1, #order, CHUNK do
    local to = math.min(from + CHUNK - 1, #order)
    local hook, chunk = prepare(webhook, order, from, to)
    local read = hook.read
    for i = from, to do
      local started = now()
      local event = read(hook, chunk[i - from + 1], BODY)
      times[i] = now() - started
      assert(event == nil)
    end
  end
  return order, times
end

local function moments(order, times, class, limit)
  local count, mean, squares = 0, 0, 0
  for i = 1, #times do
    if order[i] == class and times[i] <= limit then
      count = count + 1
      local off = times[i] - mean
      mean = mean + off / count
      squares = squares + off * (times[i] - mean)
    end
  end
  return count, mean, squares / (count - 1)
end

local function welch(order, times, limit)
  local n1, mean1, variance1 = moments(order, times, 1, limit)
  local n2, mean2, variance2 = moments(order, times, 2, limit)
  return (mean2 - mean1) / math.sqrt(variance1 / n1 + variance2 / n2), mean2 - mean1
end

-- The largest |t| of all parts, and the difference of means in nanoseconds there.
local function judge(order, times)
  local sorted = {}
  for i = 1, #times do sorted[i] = times[i] end
  table.sort(sorted)
  local worst, difference = 0, 0
  for _, part in ipairs(PARTS) do
    local t, apart = welch(order, times, sorted[math.ceil(part * #sorted)])
    if math.abs(t) > math.abs(worst) then worst, difference = t, apart end
  end
  return worst, difference * 1e9, sorted[math.ceil(#sorted / 2)] * 1e9
end

-- Both compare 64 digits.
local webhooks = {
  { name = "qiscus", header = "QISCUS-SDK-SIGNATURE",
    new = function(key) return usher.webhook.qiscus{ token = key } end },
  { name = "smooch", header = "X-API-Key",
    new = function(key) return usher.webhook.smooch{ secret = key } end },
}

local constant_time = core.equal
local comparisons = {
  { "in constant time", constant_time, function(t) return t < THRESHOLD end },
  { "early exit", early_exit, function(t) return t > THRESHOLD end },
}

math.randomseed(os.time())
local name = rawget(_G, "jit") and "LuaJIT" or _VERSION
local failed = false
print("interpreter  webhook  comparison          tries   median   last - first         t")
for _, comparison in ipairs(comparisons) do
  core.equal = comparison[2]
  for _, webhook in ipairs(webhooks) do
    local t, difference, median = judge(measure(webhook))
    local fine = comparison[3](math.abs(t))
    failed = failed or not fine
    print(("%-11s  %-7s  %-16s  %7d  %4.0f ns  %+9.1f ns  %+8.1f  %s"):format(name, webhook.name,
      comparison[1], 2 * tries, median, difference, t, fine and "ok" or "WRONG"))
  end
end
core.equal = constant_time
os.exit(not failed)
