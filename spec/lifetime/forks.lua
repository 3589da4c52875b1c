-- A fork with an open client: by itself ("plain"), or in a task of usher.map while transfers are in
-- flight ("map"). Arguments: which, a server that speaks TLS and takes its time, the file of its
-- authority, and how the child ends ("leave": at once, "exit": through all that runs at exit).
-- Prints what parent and child have seen.

local how, url, ca_file, ending = ...

local host = require "spec.lifetime.host"
local scheduler = require "usher.scheduler"
local usher = require "usher"

io.stdout:setvbuf("no")

local USER = { user_id = "bob" }

local function open()
  return usher.qiscus{ app_id = "app", secret = "a-long-secret", base_url = url, ca_file = ca_file,
    timeout = 60 }
end

local function say(who, what, ok, result, err)
  if ok and type(result) == "table" then
    result = result.ok and "ok" or #result .. " results"
  elseif ok then
    result = err or "nothing"
  end
  -- without the place in this file and in the library, and without a traceback
  result = tostring(result):gsub("^[^\n]-%.lua:%d+: ", ""):gsub("\n.*", "")
  print(("%s: %s: %s"):format(who, what, result))
end

local client = open()

local function call(self)
  return (self or client):user_profile(USER)
end

local function map(self)
  return usher.map({ 1, 2 }, function() return call(self) end)
end

-- All that a child may try. The parent's client is refused, one of its own works.
local function live_as_child()
  say("child", "call", pcall(call))
  say("child", "usher.map", pcall(map))
  local own = open()
  say("child", "call of its own client", pcall(call, own))
  say("child", "usher.map with its own client", pcall(map, own))
  own:close()
  say("child", "close", pcall(client.close, client))
  say("child", "call after close", pcall(call))
  client = nil
  collectgarbage()
  collectgarbage()
  if ending == "exit" then os.exit(0, true) end
  host.leave(0)
end

if how == "plain" then
  say("parent", "call", pcall(call))
  local child = host.fork()
  if child == 0 then live_as_child() end
  say("parent", "child", true, nil, (host.wait(child)))
else
  local is_child = false
  say("parent", "call", pcall(call))
  local ok, results, errors = pcall(usher.map, { 1, 2, 3 }, function(item)
    if item < 3 then return call() end
    scheduler.pause(0.02) -- the others are in flight
    local child = host.fork()
    if child == 0 then
      is_child = true
      say("child", "call in a task", pcall(call))
      say("child", "call of its own client in a task", pcall(call, open()))
      error("the child has had enough", 0)
    end
    return (host.wait(child))
  end)
  if is_child then
    say("child", "usher.map it was born in", ok, results)
    live_as_child()
  end
  for item = 1, 3 do
    say("parent", "task " .. item, true, results[item], results[item] or errors[item])
  end
end

say("parent", "call", pcall(call))
say("parent", "usher.map", pcall(map))
client:close()
