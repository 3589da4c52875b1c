-- Userdata that are not what they say they are: forged ones, ours in foreign metatables and foreign
-- ones in ours, finalizers called by hand. Argument: the base URL of a server that answers. Every
-- attempt must raise, or do nothing: prints a line for each kind of attempt, and dies at the first
-- that does something else.

local url = ...

io.stdout:setvbuf("line")

local core = require "usher.core"
local curl = require "usher.curl"
local host = require "spec.lifetime.host"
local usher = require "usher"

local USER = { user_id = "bob" }

local function open_client()
  return usher.qiscus{ app_id = "app", secret = "a-long-secret", base_url = url }
end

local function start(pool)
  return pool:start{ method = "GET", url = url .. "/x", timeout = 10 }
end

local function finish(pool, transfer)
  while not transfer:done() do pool:step(1) end
  return transfer:result()
end

-- Each kind of userdata that Lua code can get hold of: make() returns one and what keeps it alive,
-- works(userdata, keeper) raises unless it can still be used.
local kinds = {
  client = {
    make = open_client,
    works = function(client) assert(client:user_profile(USER).ok) end,
  },
  call = {
    make = function()
      local client = open_client()
      return core.begin(client, "user_profile", USER), client
    end,
    works = function(call)
      assert(call:next() == "send")
      assert(call:next(200, {}, "{}") == "done")
    end,
  },
  pool = {
    make = function() return curl.new{} end,
    works = function(pool) assert(finish(pool, start(pool)) == 200) end,
  },
  transfer = {
    make = function()
      local pool = curl.new{}
      return start(pool), pool
    end,
    works = function(transfer, pool) assert(finish(pool, transfer) == 200) end,
  },
  loop = {
    make = function() return curl.loop() end,
    works = function(loop)
      local pool = curl.new{}
      loop:join(pool)
      local transfer = start(pool)
      while not transfer:done() do loop:wait(1) end
      assert(loop:take() == transfer)
    end,
  },
}

-- All functions of a metatable: its metamethods and its methods.
local function functions_of(metatable)
  local list = {}
  for name, value in pairs(metatable) do
    if type(value) == "function" then list[name] = value end
  end
  for name, value in pairs(type(metatable.__index) == "table" and metatable.__index or {}) do
    if type(value) == "function" then list[name] = value end
  end
  return list
end

-- Functions of usher.core that take a client.
local core_functions = {
  begin = function(self) return core.begin(self, "user_profile", USER) end,
  close = core.close,
  environment = core.environment,
  request = function(self) return core.request(self, "user_profile", USER) end,
  curl = function(self) return core.curl(self, "user_profile", USER) end,
}

local ARGUMENTS = {
  user_profile = { USER }, request = { "user_profile", USER }, curl = { "user_profile", USER },
  step = { 0 }, wait = { 0 }, next = { 200, {}, "{}" }, defer = { 1 }, abort = { "network" },
}

local function must_raise(what, fn, self, name)
  local arguments = ARGUMENTS[name] or { USER }
  local ok = pcall(fn, self, arguments[1], arguments[2], arguments[3])
  assert(not ok, what .. " took another userdata")
end

-- Calls everything that is made for a `kind` with `self`, which is none.
local function refuse_everywhere(kind, self, metatable)
  for name, fn in pairs(functions_of(metatable)) do
    must_raise(kind .. ":" .. name, fn, self, name)
  end
  if kind ~= "client" then return end
  for name, fn in pairs(core_functions) do must_raise("core." .. name, fn, self, name) end
end

local names = { "call", "client", "loop", "pool", "transfer" }
local metatables = {}
for _, kind in ipairs(names) do
  metatables[kind] = assert(debug.getmetatable((kinds[kind].make())))
end

local SIZES = { 0, 1, 8, 16, 64, 4096, 100000 }

for _, kind in ipairs(names) do
  local metatable = metatables[kind]

  for _, size in ipairs(SIZES) do
    refuse_everywhere(kind, host.userdata(size), metatable)
    refuse_everywhere(kind, host.userdata(size, {}), metatable)
    local imitation = {}
    for key, value in pairs(metatable) do imitation[key] = value end
    imitation.__gc = nil
    local name = metatable.__metatable or "usher." .. kind
    for key, value in pairs{ [name] = true, ["usher.client"] = true, __name = name } do
      imitation[key] = imitation[key] or value
    end
    refuse_everywhere(kind, host.userdata(size, imitation), metatable)
  end
  for _, value in ipairs{ 5, "text", print, io.stdout, {}, coroutine.create(print) } do
    refuse_everywhere(kind, value, metatable)
  end
  print(kind .. " refuses a forgery")

  for _, size in ipairs(SIZES) do
    local foreign = host.userdata(size)
    debug.setmetatable(foreign, metatable)
    refuse_everywhere(kind, foreign, metatable)
    debug.setmetatable(foreign, nil)
  end
  local file = io.tmpfile()
  local own = debug.getmetatable(file)
  debug.setmetatable(file, metatable)
  refuse_everywhere(kind, file, metatable)
  debug.setmetatable(file, own)
  file:close()
  print(kind .. " refuses what wears its metatable")

  for _, other in ipairs(names) do
    local userdata, keeper = kinds[other].make()
    if other ~= kind then
      refuse_everywhere(kind, userdata, metatable)
      debug.setmetatable(userdata, metatable)
      refuse_everywhere(kind, userdata, metatable)
      debug.setmetatable(userdata, metatables[other])
    end
    kinds[other].works(userdata, keeper)
  end
  print(kind .. " refuses all other kinds, which go on")

  local userdata, keeper = kinds[kind].make()
  assert(not pcall(setmetatable, userdata, {}))
  assert(type(getmetatable(userdata)) ~= "table")
  debug.setmetatable(userdata, nil)
  refuse_everywhere(kind, userdata, metatable)
  debug.setmetatable(userdata, metatable)
  kinds[kind].works(userdata, keeper)
  print(kind .. " survives the loss of its metatable")

  userdata, keeper = kinds[kind].make()
  for _ = 1, 3 do metatable.__gc(userdata) end
  for name, fn in pairs(functions_of(metatable)) do
    local arguments = ARGUMENTS[name] or { USER }
    pcall(fn, userdata, arguments[1], arguments[2], arguments[3])
  end
  assert(not pcall(kinds[kind].works, userdata, keeper))
  userdata, keeper = nil, nil -- luacheck: ignore 311
  collectgarbage()
  collectgarbage()
  print(kind .. " survives a finalizer called by hand")
end

-- What the core and libcurl's transport read in place: an answer, and a call.
local pool = curl.new{}
for _, size in ipairs(SIZES) do
  local foreign, call = host.userdata(size), kinds.call.make()
  assert(call:next() == "send")
  debug.setmetatable(foreign, metatables.transfer)
  assert(not pcall(call.next, call, foreign))
  assert(call:next(200, {}, "{}") == "done")
  debug.setmetatable(foreign, metatables.call)
  assert(not pcall(pool.start, pool, foreign))
  debug.setmetatable(foreign, nil)
end
local call, transfer = kinds.call.make(), start(pool)
assert(call:next() == "send")
while not transfer:done() do pool:step(1) end
debug.setmetatable(transfer, metatables.call)
assert(not pcall(pool.start, pool, transfer))
debug.setmetatable(transfer, metatables.transfer)
debug.setmetatable(call, metatables.transfer)
assert(not pcall(metatables.call.__index.next, kinds.call.make(), call))
debug.setmetatable(call, metatables.call)
assert(call:next(transfer) == "done")
pool:close()
print("what is read in place refuses a forgery")

-- The table that goes with a client, taken away from it.
local client = open_client()
local replace = rawget(debug, "setuservalue") or rawget(debug, "setfenv")
for _, value in ipairs{ {}, { send = function() end } } do
  replace(client, value)
  assert(not pcall(client.user_profile, client, USER))
end
client:close()
print("a client survives the loss of its environment")
