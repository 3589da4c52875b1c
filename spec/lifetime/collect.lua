-- A collector that never rests, through every kind of call: a whole collection at every instruction
-- ("every"), at every step of allocation ("pause"), or young ones at every instruction ("young").
-- Arguments: the mode, a slow server, a misbehaving one, the same over TLS, the file of its
-- authority. Prints a line for each kind of call that has gone as it should.

local mode, slow_url, url, tls_url, ca_file = ...

local core = require "usher.core"
local usher = require "usher"

local jit = rawget(_G, "jit")
if jit then jit.off() end -- compiled code knows no hooks

local function options(base_url, more)
  local all = { app_id = "app", secret = "a-long-secret", base_url = base_url, ca_file = ca_file,
    random = function() return 0 end, timeout = 60 }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

local function profile(client)
  return client:user_profile{ user_id = "bob" }
end

local function is_ok(result, err)
  assert(result and result.ok, tostring(err))
end

local function fails_with(kind, result, err)
  assert(result == nil and err.kind == kind, tostring(err))
end

-- Each: a kind of call. Clients that are not closed are left to the collector, many in mid-call.
local calls = {
  { "a GET", function() is_ok(profile(usher.qiscus(options(url .. "/ok")))) end },

  { "a GET over TLS", function() is_ok(profile(usher.qiscus(options(tls_url .. "/ok")))) end },

  { "two on one connection", function()
    local client = usher.qiscus(options(url .. "/ok"))
    is_ok(profile(client))
    is_ok(profile(client))
    client:close()
  end },

  { "a POST", function()
    local sent = assert(usher.qiscus(options(url .. "/echo")):login_or_register{
      user_id = 12345678, username = "Bob", extras = { list = { 1, 2, { 3 } } } })
    assert(sent.body == '{"user_id":"12345678","username":"Bob","extras":{"list":[1,2,[3]]}}',
      sent.body)
  end },

  { "an upload", function()
    local smooch = usher.smooch{ base_url = url .. "/ok", key_id = "key", secret = "secret" }
    is_ok(smooch:post_image_message{ user_id = "u", role = "appUser",
      source = { data = ("x"):rep(100000), filename = "a.png" } })
  end },

  { "a token", function()
    local chat = usher.vchatcloud{ base_url = slow_url .. "/vchatcloud", api_key = "key" }
    assert(chat:list_users{ room_id = "room" })
  end },

  { "an error", function()
    fails_with("http", profile(usher.qiscus(options(url .. "/status/404"))))
  end },

  { "no answer", function()
    fails_with("network", profile(usher.qiscus(options(url .. "/close_before_reply"),
      { retries = 0 })))
  end },

  { "a retry, and on_event", function()
    local events = {}
    is_ok(profile(usher.qiscus(options(slow_url .. "/broken/1", {
      on_event = function(event) events[#events + 1] = event.event end,
    }))))
    assert(table.concat(events, " ") == "request response retry request response")
  end },

  { "a rate limit", function()
    local client = usher.qiscus(options(url .. "/ok", { rate = { per_second = 500 } }))
    is_ok(profile(client))
    is_ok(profile(client))
  end },

  { "usher.map", function()
    local client = usher.qiscus(options(url .. "/ok"))
    local results, errors = usher.map({ 1, 2, 3 }, function()
      return profile(client)
    end, { concurrency = 2 })
    for i = 1, 3 do is_ok(results[i], errors[i]) end
  end },

  { "a client of its own for each task", function()
    local results, errors = usher.map({ 1, 2 }, function()
      return profile(usher.qiscus(options(url .. "/ok")))
    end)
    for i = 1, 2 do is_ok(results[i], errors[i]) end
  end },

  { "a client closed in the middle", function()
    local client = usher.qiscus(options(slow_url .. "/hold"))
    local _, errors = usher.map({ 1, 2 }, function(item)
      if item == 1 then return profile(client) end
      is_ok(profile(usher.qiscus(options(slow_url .. "/when/1"))))
      client:close()
    end)
    fails_with("cancelled", nil, errors[1])
  end },

  { "a dry run", function()
    local client = usher.qiscus(options(url))
    assert(client:request("user_profile", { user_id = "bob" }).url == url
      .. "/api/v2.1/rest/user_profile?user_id=bob")
    assert(client:curl("user_profile", { user_id = "bob" }):find("***", 1, true))
    assert(#usher.describe("qiscus").methods > 0)
  end },

  { "a refusal", function()
    local method = usher.qiscus(options(url)).user_profile
    local ok, message = pcall(method, 5, { user_id = "bob" })
    assert(not ok and message:find("a client is expected", 1, true))
    ok, message = pcall(usher.qiscus, { secrt = "x" })
    assert(not ok and message:find("did you mean 'secret'", 1, true))
  end },
}

local function collect_all() collectgarbage() end
local function collect_young() collectgarbage("step", 0) end

local hook
if mode == "pause" and jit then
  collectgarbage("setpause", 1)
  collectgarbage("setstepmul", 1000000)
elseif mode == "pause" then
  collectgarbage("incremental", 1, 1000, 1)
elseif mode == "young" then
  collectgarbage("generational", 1, 100)
  hook = collect_young
else
  hook = collect_all
end

-- Each coroutine has a hook of its own, but in LuaJIT.
local create = coroutine.create
if hook and not jit then
  coroutine.create = function(body) -- luacheck: ignore 122
    local thread = create(body)
    debug.sethook(thread, hook, "", 1)
    return thread
  end
end

for _, call in ipairs(calls) do
  local started = core.monotonic()
  if hook then debug.sethook(hook, "", 1) end
  call[2]()
  debug.sethook()
  print(call[1])
  if os.getenv("TIMES") then print(core.monotonic() - started) end
end
