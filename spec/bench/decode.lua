-- What decoding a list of users costs beside lua-cjson, which reads the same text in turn with us.
-- Figures for people: nothing here passes or fails.
--
--   decode.lua [ROUNDS]               lists of 10 to 100,000 users: a line each
--   decode.lua usher|cjson|none USERS TIMES   that alone, to be counted by callgrind

local core = require "usher.core"
local cjson = require "cjson"

local WORK = 100000 -- users read by each in a round
local SIZES = { 10, 100, 1000, 10000, 100000 }

-- 240 bytes or so, as Qiscus lists one.
local USER = '{"avatar_url":"https://cdn.example.com/avatars/%06d.png","id":%d,"active":true,'
  .. '"extras":{"role":"member","level":%d,"muted":null},"username":"User \\u00e9 %06d",'
  .. '"created_at":"2026-03-%02dT08:%02d:00.000Z","user_id":"user-%06d","balance":%d.25}'

local function list_of(count)
  local users = {}
  for i = 1, count do
    users[i] = USER:format(i, 1000000 + i, i % 100, i, i % 28 + 1, i % 60, i, i % 1000)
  end
  return '{"results":{"users":[' .. table.concat(users, ",") .. ']},"status":200}'
end

local readers = { cjson = cjson.decode, usher = core.decode, none = function() end }

-- Processor time of a text, in milliseconds.
local function cost(read, text, times)
  collectgarbage()
  collectgarbage()
  local start = os.clock()
  for _ = 1, times do read(text) end
  return (os.clock() - start) / times * 1e3
end

local function median(values)
  table.sort(values)
  return values[math.floor(#values / 2) + 1]
end

local function compare(count, rounds)
  local text = list_of(count)
  local times = math.max(1, math.floor(WORK / count))
  local costs, ratios = { usher = {}, cjson = {} }, {}
  for round = 1, rounds do
    local first, second = "usher", "cjson"
    if round % 2 == 0 then first, second = second, first end
    costs[first][round] = cost(readers[first], text, times)
    costs[second][round] = cost(readers[second], text, times)
    ratios[round] = costs.usher[round] / costs.cjson[round]
  end
  local middle = median(ratios)
  print(("%-8s %6d users %8d bytes  %.2f of cjson (%.2f to %.2f)  %8.3f ms  %.2f us a user"):format(
    rawget(_G, "jit") and "LuaJIT" or _VERSION, count, #text, middle, ratios[1], ratios[rounds],
    median(costs.usher), median(costs.usher) / count * 1e3))
end

local only = readers[arg[1]]
if only then
  local text = list_of(tonumber(arg[2]))
  for _ = 1, tonumber(arg[3]) do only(text) end
else
  for _, count in ipairs(SIZES) do compare(count, tonumber(arg[1]) or 9) end
end
