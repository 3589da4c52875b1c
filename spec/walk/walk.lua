-- Walks all users of the invented provider beside this file, and says what that took.
--
-- lua5.4 walk.lua METHOD USERS [FORWARD]
-- prints: users requests tokens kilobytes, or what went wrong.
--
-- Each request takes a second of the clock. A token lives for LIFETIME of them, which the client
-- sees in it; the second one dies early, which only the server knows.

local usher = require "usher"

local method, count, forward = arg[1], tonumber(arg[2]), arg[3]

local START = 1700000000
local PAGE = 100
local LIFETIME = count / PAGE * 0.45

local now, requests = START, 0
local token, expiry, tokens

local HEX = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

local function base64url(text)
  local out, bits, value = {}, 0, 0
  for i = 1, #text do
    value, bits = value * 256 + text:byte(i), bits + 8
    while bits >= 6 do
      bits = bits - 6
      local digit = math.floor(value / 2 ^ bits)
      value = value % 2 ^ bits
      out[#out + 1] = HEX:sub(digit + 1, digit + 1)
    end
  end
  if bits > 0 then
    local digit = value * 2 ^ (6 - bits)
    out[#out + 1] = HEX:sub(digit + 1, digit + 1)
  end
  return table.concat(out)
end

local function issue()
  tokens = (tokens or 0) + 1
  expiry = now + LIFETIME
  token = ("%s.%s.%d"):format(base64url '{"alg":"none"}',
    base64url(('{"exp":%.0f}'):format(expiry)), tokens)
  if tokens == 2 then expiry = now + LIFETIME / 2 end -- and says nothing of it
  return 200, {}, ('{"token":"%s"}'):format(token)
end

-- The first and the last user of a page.
local bounds = {
  ["/number"] = function(query)
    local page = tonumber(query.page or 1)
    return (page - 1) * PAGE + 1, page * PAGE
  end,
  ["/skip"] = function(query)
    local skip = tonumber(query.skip or 0)
    return skip + 1, skip + PAGE
  end,
  ["/time"] = function(query)
    assert(not (query.before and query.after), "before and after")
    if query.after then
      local after = math.floor(tonumber(query.after) * 1000 - START * 1000 + 0.5)
      return after + 1, after + PAGE
    end
    local before = query.before
      and math.floor(tonumber(query.before) * 1000 - START * 1000 + 0.5) or count + 1
    return before - PAGE, before - 1
  end,
}

local function page(path, query)
  local from, to = bounds[path](query)
  local rows = {}
  for i = math.max(from, 1), math.min(to, count) do
    rows[#rows + 1] = ('{"id":%d,"came":%.3f}'):format(i, START + i / 1000)
  end
  return 200, {}, '{"users":[' .. table.concat(rows, ",") .. "]}"
end

local middle, failures = math.floor(count / PAGE / 2), 0

local function send(request)
  requests, now = requests + 1, now + 1
  local path, text = request.url:match("^https://walker%.example(/%w+)%??(.*)$")
  if path == "/token" then return issue() end
  if request.headers["X-Token"] ~= token or now >= expiry then
    return 401, {}, '{"error":"token"}'
  end
  if requests >= middle and failures < 2 then
    failures = failures + 1
    if failures == 1 then return 503, { ["retry-after"] = "3" }, "" end
    return 500, {}, ""
  end
  local query = {}
  for name, value in text:gmatch("([^&=]+)=([^&]*)") do query[name] = value end
  return page(path, query)
end

local client = usher.walker{ api_key = "k", clock = function() return now end,
  transport = { send = send, sleep = function(seconds)
    now = now + seconds
    return true
  end } }

-- Whose turn it is: back in time the pages come newest first, each in the order of time.
local function expected(number)
  if method ~= "list_by_time" or forward then return number end
  local done = math.floor((number - 1) / PAGE) * PAGE
  return math.max(count - done - PAGE, 0) + (number - 1 - done) + 1
end

local function kilobytes()
  collectgarbage()
  collectgarbage()
  return collectgarbage("count")
end

local walked, least, most = 0, math.huge, 0
local arguments = forward and { after = ("%.3f"):format(START) } or {}
for user in client:pages(method, arguments) do
  walked = walked + 1
  if user.id ~= expected(walked) then
    print(("user %d came as the %dth, not %d"):format(user.id, walked, expected(walked)))
    os.exit(1)
  end
  if walked % (count / 10) == 0 and walked < count then
    local size = kilobytes()
    least, most = math.min(least, size), math.max(most, size)
  end
end
print(("%d %d %d %.0f"):format(walked, requests, tokens, most - least))
