-- Finalizers strike at any allocation, inside the C functions too. Here one closes the client,
-- calls it, or raises, at one allocation of a call after the other. Arguments: what it does, the
-- base URL of a server that answers, "all" allocations or "some". Prints a line for each kind of
-- call: how often it struck.

local act, url, how_many = ...

local host = require "spec.lifetime.host"
local usher = require "usher"

local jit = rawget(_G, "jit")
if jit then jit.off() end -- compiled code allocates less

-- Many finalizable objects: once their turn has come, each step of the collector finalizes a few
-- (ten on 5.4, one on LuaJIT), and the one that counts may be any of them. The slower the
-- collector, the fewer steps one allocation makes.
-- LuaJIT makes a step at every KiB, unless it is behind by more: then at every allocation.
local OBJECTS, STRIDE
local BEHIND = 2 ^ 18 -- bytes
if jit then
  OBJECTS, STRIDE = 3000, 1
  collectgarbage("setpause", 100)
  collectgarbage("setstepmul", 10)
else
  OBJECTS, STRIDE = 8000, 10
  collectgarbage("incremental", 100, 60, 4)
end

-- "some": all of the first few, then every fifth.
local function next_place(place)
  if how_many == "some" and place >= 5 * STRIDE then return place + 5 * STRIDE end
  return place + STRIDE
end

local client, struck, finalized, wanted

local USER = { user_id = "bob" }

local acts = {
  close = function() client:close() end,
  call = function()
    local ok, result, err = pcall(client.user_profile, client, USER)
    if ok then assert(result.ok, tostring(err)) end
    assert(ok or result:find("a call inside usher.map was made", 1, true), tostring(result))
  end,
  raise = function() error("a finalizer raises", 0) end,
}

local object = { __gc = function()
  finalized = finalized + 1
  if finalized ~= wanted then return end
  struck = true
  acts[act]()
end }

local kinds = {
  { "tostring", function() return tostring(client) end },
  { "request", function() return client:request("user_profile", USER) end },
  { "curl", function() return client:curl("user_profile", USER) end },
  { "a refusal", function()
    error(select(2, pcall(client.user_profile, client, { no = 1 })), 0)
  end },
  { "a GET", function() return client:user_profile(USER) end },
  { "a POST", function()
    return client:login_or_register{ user_id = "bob", username = "Bob", extras = { a = { 1 } } }
  end },
  { "usher.map", function()
    local results, errors = usher.map({ 1, 2 }, function() return client:user_profile(USER) end)
    return results[1], errors[1]
  end },
}

-- What may come of it.
local function judge(name, ok, result, err)
  if ok and result ~= nil then return true end
  if ok then return act == "close" and err.kind == "cancelled" end
  result = tostring(result)
  if act == "raise" and result:find("a finalizer raises", 1, true) then return true end
  if name == "a refusal" and result:find("unknown argument 'no'", 1, true) then return true end
  return act == "close" and result:find("the client is closed", 1, true) ~= nil
end

-- Makes the call once; the finalizer strikes with the object that comes `place` after those that
-- were finalized before the call. Returns whether it did.
local function try(kind, place)
  finalized, wanted, struck = 0, -1, false
  client = usher.qiscus{ app_id = "app", secret = "a-long-secret", base_url = url, retries = 0 }
  assert(client:user_profile(USER))
  collectgarbage()
  collectgarbage("stop")
  for _ = 1, OBJECTS do host.userdata(0, object) end
  finalized = 0
  collectgarbage("restart")
  while finalized == 0 do collectgarbage("step", 0) end
  if jit then string.rep("x", BEHIND) end
  wanted = finalized + place
  local ok, result, err = pcall(kind[2])
  wanted = -1
  assert(judge(kind[1], ok, result, err), ("%s at %d: %s, %s"):format(kind[1], place,
    tostring(result), tostring(err)))
  if act ~= "close" then assert(client:user_profile(USER)) end
  client:close()
  return struck
end

for _, kind in ipairs(kinds) do
  local count, place = 0, 0
  repeat
    place = next_place(place)
    local again = try(kind, place)
    if again then count = count + 1 end
  until not again or place > OBJECTS - 1000
  print(("%s: struck %d times"):format(kind[1], count))
end
