-- What is done while allocations fail, see torture.lua. A scenario is
--
--   { name, group, open = function() -> subject, prepare = function(subject),
--     run = function(subject) -> outcome..., again = function(subject) -> in good order? }
--
-- `run` is called with every allocation failing in its turn, and after that undisturbed on the same
-- subject; the rest is never disturbed. Its outcome is the same every time: a result, `nil, err`,
-- an error it raises, or, with `many = true`, a list of { result, err }. `again` stands in for the
-- second `run` where that makes no sense. `subject.client` is closed in the end. With `any_error`
-- the C libraries' errors may have any words.

local fake = require "spec.support.fake"
local usher = require "usher"

local M = {}

local scenarios = {}

local function add(scenario)
  scenarios[#scenarios + 1] = scenario
end

-- Answers that depend on the request alone, so that every run meets the same ----------------------

local LISTED = '{"result_cd":1,"result_msg":"","list":[{"nickName":"a","clientKey":"k"}]}'
local ISSUED = '{"result_cd":1,"result_msg":"","data":{"X-AUTH-TOKEN":"%s"}}'
local PROFILE = '{"results":{"user":{"email":"a@b.c","username":"J\\u00fcrgen \\ud83d\\ude00",'
  .. '"extras":{"a":[1,2.5,-3e2,true,null],"b":{"c":"\\"\\\\\\n"}}}},"status":200}'
local SIGNED_IN = '{"success":true,"result":{"token":{"accessToken":"access-secret-1",'
  .. '"refreshToken":"refresh-secret-1"}}}'

local function always(status, body, headers)
  return function() return status, headers or {}, body or "{}" end
end

-- A list whose objects say their names again, deep nesting, and strings that must be put together.
local LIST
do
  local users = {}
  for i = 1, 6 do
    users[i] = ('{"id":%d,"name":"%s\\u00fc\\n","tags":["a","b",{}],"score":%d.5,"big":%s%s}')
      :format(i, ("n"):rep(40 * i), i, ("9"):rep(20), i % 2 == 0 and ',"extra":null' or "")
  end
  LIST = ('{"results":{"users":[%s],"deep":%s%s,"long":"%s\\t%s"},"status":200}'):format(
    table.concat(users, ","), ('[{"d":'):rep(30) .. "[]", ("}]"):rep(30), ("x"):rep(3000),
    ("\\ud83d\\ude00"):rep(300))
end

local PICTURE = ("PNG\r\n\26\n" .. ("picture"):rep(50)):rep(3)

-- Clients in a world of their own, without a network ----------------------------------------------

local function in_world(provider, step, options)
  return function()
    local world = fake.new{ forever = step }
    local all = world:options()
    for name, value in pairs(fake.options[provider]) do all[name] = value end
    for name, value in pairs(options or {}) do
      if value == fake.unset then value = nil end
      all[name] = value
    end
    return { client = usher[provider](all), world = world }
  end
end

local function add_call(name, provider, step, method, arguments, options)
  add{
    name = name, group = "fake",
    open = in_world(provider, step, options),
    run = function(subject) return subject.client[method](subject.client, arguments) end,
  }
end

add_call("get", "qiscus", always(200, PROFILE), "user_profile", { user_id = "a b/ü" })
add_call("get: a list", "qiscus", always(200, LIST), "get_user_list", { limit = 6 })
add_call("query: a list joined by commas", "smooch", always(200, "{}"), "get_link_requests",
  { user_id = "u", integration_ids = { "one", "two", "thr ee" } })
add_call("query: a list repeated, dates", "qiscus", always(200, PROFILE), "get_user_unread_count",
  { user_ids = { "a", 2, "c" }, start_time = "2024-01-01 00:00:00" })
add_call("post: JSON", "qiscus", always(200, PROFILE), "login_or_register", {
  user_id = "a", username = "b", password = "pass-secret-1",
  extras = { list = { 1, 2, { deep = { er = true } } }, text = ("x"):rep(300), number = 1.5 },
})
add_call("post: no body", "vchatcloud", always(200, LISTED), "mute_user",
  { room_id = "r", client_key = "k" })
add_call("post: secrets inside JSON", "ertc", always(200, '{"success":true}'),
  "get_or_update_user_by_app_id", { app_user_id = "a", fcm_token = "fcm-secret-1",
    auth_payload = { password = "pass-secret-2", more = { "deep-secret-3" } } })
add_call("put", "smooch", always(200, "{}"), "update_app_user",
  { user_id = "u", given_name = "J\"\1", properties = { a = "b" } },
  { app_id = "app", user_agent = "torture/1", headers = { ["X-Extra"] = "extra-secret-1" } })
add_call("delete, nothing comes back", "smooch", always(200, ""), "unlink_app_user",
  { user_id = "u", channel = "c" }, { key_id = fake.unset, secret = fake.unset,
    jwt = "jwt-secret-1" })
add_call("an appUser JWT", "smooch", always(200, "{}"), "get_app_user", { user_id = "u" },
  { scope = "appUser", user_id = "j" })
add_call("multipart: bytes", "smooch", always(201, '{"id":1}'), "post_image_message",
  { user_id = "u", role = "appUser", text = "t", source = { data = PICTURE, filename = "c.png" } })
add_call("multipart: a file", "smooch", always(201, '{"id":1}'), "post_image_message",
  { user_id = "u", role = "appMaker", name = "n", source = { path = "LICENSE" } })
add_call("an option of the call", "ertc", always(200, '{"success":true}'), "blocked_users",
  { ertc_user_id = "e", device_id = "d", version = "v2" })

add_call("error: http", "smooch",
  always(404, '{"error":{"code":"user_not_found","description":"no such user: test-secret"}}'),
  "get_app_user", { user_id = "u" })
add_call("error: not JSON", "qiscus", always(502, "<html>" .. ("test-secret "):rep(300)),
  "login_or_register", { user_id = "a", username = "b" }, { retries = 0 })
add_call("error: api", "vchatcloud", always(200, '{"result_cd":-99,"result_msg":"no test-token"}'),
  "mute_user", { room_id = "r", client_key = "k" })
add_call("error: decode", "qiscus", always(200, '{"results":{"user":test-secret'), "user_profile",
  { user_id = "a" })
add_call("error: redirect", "qiscus", always(302, "", { location = "http://elsewhere" }),
  "user_profile", { user_id = "a" })
add_call("error: network", "qiscus", function() return nil, "network", "no test-secret", true end,
  "user_profile", { user_id = "a" }, { retries = 0,
    proxy = "http://proxy-user-1:proxy-secret-1@127.0.0.1:1" })

add_call("retry: 503", "qiscus", function(request)
  if request.attempt == 1 then return 503, {}, "busy" end
  return 200, {}, PROFILE
end, "user_profile", { user_id = "a" })
add_call("retry: Retry-After", "qiscus", function(request)
  if request.attempt < 3 then return 429, { ["retry-after"] = "2" }, '{"error":{"message":"m"}}' end
  return 200, {}, PROFILE
end, "login_or_register", { user_id = "a", username = "b" })
add_call("retry: the network, in vain", "qiscus",
  function() return nil, "network", "refused", false end, "user_profile", { user_id = "a" })
add_call("rate limit", "qiscus", always(200, PROFILE), "user_profile", { user_id = "a" },
  { rate = { per_second = 1, burst = 2 } })

-- Tokens ------------------------------------------------------------------------------------------

add_call("token: fetched", "vchatcloud", function(request)
  if request.operation == "issue_token" then return 200, {}, ISSUED:format("token-secret-1") end
  return 200, {}, LISTED
end, "list_users", { room_id = "r" }, { token = fake.unset })
add_call("token: fetched at the second try", "vchatcloud", function(request)
  if request.operation ~= "issue_token" then return 200, {}, LISTED end
  if request.attempt == 1 then return 500, {}, "{}" end
  return 200, {}, ISSUED:format("token-secret-1")
end, "list_users", { room_id = "r" }, { token = fake.unset })
add_call("token: refused", "vchatcloud", function()
  return 401, {}, '{"result_cd":0,"result_msg":"test-api-key"}'
end, "list_users", { room_id = "r" }, { token = fake.unset })
add_call("token: renewed", "vchatcloud", function(request, world)
  if request.operation == "issue_token" then
    world.tokens = (world.tokens or 0) + 1
    return 200, {}, ISSUED:format("token-secret-" .. world.tokens % 2)
  elseif request.headers["X-AUTH-TOKEN"] == "token-secret-1" then
    return 401, {}, '{"result_cd":0,"result_msg":"token-secret-1"}'
  end
  return 200, {}, LISTED
end, "list_users", { room_id = "r" }, { token = fake.unset })

add{
  name = "token: taken from the first answer", group = "fake",
  open = in_world("ertc", always(200, SIGNED_IN), { access_token = fake.unset }),
  run = function(subject)
    local client = subject.client
    local user, err = client:get_or_update_user_by_app_id{ app_user_id = "a" }
    if not user then return nil, err end
    return client:logout_user{ ertc_user_id = "e", app_user_id = "a" }
  end,
}
add{
  name = "token: refreshed", group = "fake",
  open = in_world("ertc",
    always(200, '{"success":true,"result":{"accessToken":"access-secret-2"}}')),
  run = function(subject)
    return subject.client:refresh_auth_token{ ertc_user_id = "e" }
  end,
  -- the old token or the new one is there
  again = function(subject)
    return (subject.client:logout_user{ ertc_user_id = "e", app_user_id = "a" })
  end,
}

-- Around a call -----------------------------------------------------------------------------------

for _, provider in ipairs{ "ertc", "qiscus", "smooch", "vchatcloud" } do
  local function construct(subject)
    local client = usher[provider](subject.options)
    subject.client = client
    return tostring(client)
  end
  add{
    name = "construct: " .. provider, group = "fake",
    open = function()
      local options = fake.new{ forever = always(200, "{}") }:options()
      for name, value in pairs(fake.options[provider]) do options[name] = value end
      options.headers = { ["X-Extra"] = "extra-secret-1" }
      options.user_agent = "torture"
      options.proxy = "http://proxy-user-1:proxy-secret-1@127.0.0.1:1"
      options.rate = { per_second = 10 }
      return { options = options }
    end,
    run = construct,
  }
  add{
    name = "describe: " .. provider, group = "fake",
    open = function() return {} end,
    run = function() return usher.describe(provider) end,
  }
end

add{
  name = "request and curl", group = "fake",
  open = in_world("smooch", always(200, "{}")),
  run = function(subject)
    local client = subject.client
    return { client:request("update_app_user", { user_id = "u", surname = "s" }).method,
      client:curl("post_image_message", { user_id = "u", role = "appUser",
        source = { data = PICTURE, filename = "it's.png" } }),
      client:curl("update_app_user", { user_id = "u", properties = { a = { "b" } } }),
      tostring(client) }
  end,
}
add{
  name = "misuse", group = "fake",
  open = in_world("qiscus", always(200, "{}")),
  run = function(subject)
    return subject.client:login_or_register({ user_id = {}, usernam = "b", extras = { print } },
      { timeout = -1, retires = 1 })
  end,
}
add{
  name = "misuse of a constructor", group = "fake",
  open = function() return {} end,
  run = function()
    return usher.smooch{ key_id = "k", secrt = "s", timeout = "1", headers = { a = 1 } }
  end,
}
add{
  name = "an error's words", group = "fake",
  open = in_world("qiscus", always(404, '{"error":{"message":"m"},"status":404}')),
  run = function(subject)
    local _, err = subject.client:user_profile{ user_id = "a" }
    assert(tostring(err):find("^usher.qiscus:user_profile: ") and #("it says: " .. err) > 40)
    return nil, err
  end,
}
add{
  name = "on_event", group = "fake",
  open = function()
    local events = {}
    local subject = in_world("qiscus", function(request)
      if request.attempt == 1 then return 503, {}, "" end
      return 200, {}, PROFILE
    end, { on_event = function(event)
      events[#events + 1] = event.event .. " " .. event.attempt
    end })()
    subject.events = events
    return subject
  end,
  run = function(subject) return subject.client:user_profile{ user_id = "a" } end,
}

local function is_closed(client)
  client:close()
  return tostring(client):find("closed", 1, true) ~= nil
end

add{
  name = "close", group = "fake",
  open = in_world("qiscus", always(200, PROFILE)),
  run = function(subject)
    subject.client:close()
    return tostring(subject.client)
  end,
  again = function(subject) return is_closed(subject.client) end,
}
add{
  name = "closed by on_event", group = "fake",
  open = function()
    local subject
    subject = in_world("qiscus", always(200, PROFILE), { on_event = function(event)
      if event.event == "request" then subject.client:close() end
    end })()
    return subject
  end,
  run = function(subject) return subject.client:user_profile{ user_id = "a" } end,
  again = function(subject) return is_closed(subject.client) end,
}
add{
  name = "map, without a network", group = "fake", many = true,
  open = in_world("qiscus", always(200, PROFILE)),
  run = function(subject)
    local outcomes = {}
    usher.map({ "a", "b", "c", "d" }, function(id)
      return subject.client:user_profile{ user_id = id }
    end, { concurrency = 3, on_result = function(index, _, result, err)
      outcomes[index] = { result, err }
    end })
    return outcomes
  end,
}

local function forget_modules()
  for name in pairs(package.loaded) do
    if type(name) == "string" and name:find("^usher") then package.loaded[name] = nil end
  end
  return {}
end

local function load_again()
  local again = require "usher"
  local client = again.qiscus(fake.options.qiscus)
  local text = tostring(client)
  client:close()
  return text
end

add{
  name = "load", group = "fake", any_error = true, -- whatever the loader says
  open = forget_modules,
  run = load_again,
  again = function()
    forget_modules() -- Lua 5.1 will not load again what has failed to load
    return load_again()
  end,
}

-- Over libcurl ------------------------------------------------------------------------------------

local function open_on(url, provider, options)
  return function()
    local all = { base_url = url, timeout = 4, deadline = 8, random = function() return 0 end }
    for name, value in pairs(fake.options[provider]) do
      if all[name] == nil then all[name] = value end
    end
    for name, value in pairs(options or {}) do all[name] = value end
    return { client = usher[provider](all) }
  end
end

-- The same over each of the listeners. What the server saw is the result: /echo.
local function add_transfers(group, url, options)
  local function with(more)
    local all = {}
    for name, value in pairs(options) do all[name] = value end
    for name, value in pairs(more or {}) do all[name] = value end
    return all
  end

  local function warm_up()
    local subject = open_on(url .. "/echo", "qiscus", options)()
    assert(subject.client:user_profile{ user_id = "a" })
    subject.client:close()
  end

  local function add_transfer(name, provider, path, run, more, rest)
    local scenario = { name = group .. ": " .. name, group = group, run = run, warm_up = warm_up,
      open = open_on(url .. path, provider, with(more)) }
    for key, value in pairs(rest or {}) do scenario[key] = value end
    add(scenario)
  end

  local function profile(subject)
    local user, response = subject.client:user_profile{ user_id = "a b" }
    if user then assert(response.headers) end -- made now
    return user, response
  end

  add_transfer("get", "qiscus", "/echo", profile)
  add_transfer("get, over a connection that is there", "qiscus", "/echo", profile, nil,
    { prepare = profile })
  add_transfer("post", "smooch", "/echo", function(subject)
    return subject.client:pre_create_app_user{ user_id = "a", properties = { b = "c" } }
  end)
  add_transfer("multipart", "smooch", "/echo", function(subject)
    return subject.client:post_image_message{ user_id = "u", role = "appUser",
      source = { data = PICTURE, filename = "c.png" } }
  end)
  add_transfer("error", "smooch", "/status/404", function(subject)
    return subject.client:get_app_user{ user_id = "u" }
  end)
  add_transfer("retry", "qiscus", "/status/503", profile)
  if group ~= "http2" then
    add_transfer("too large", "qiscus", "/sized/200000", profile, { max_response_size = 100000 })
    add_transfer("compressed", "qiscus", "/gzip", profile)
  end
  add_transfer("map", "smooch", "/echo", function(subject)
    local outcomes = {}
    usher.map({ "a", "b", "c", "d", "e", "f" }, function(id)
      return subject.client:get_app_user{ user_id = id }
    end, { concurrency = 4, on_result = function(index, _, result, err)
      outcomes[index] = { result, err }
    end })
    return outcomes
  end, nil, { many = true })
  add_transfer("on_event", "qiscus", "/echo", profile,
    { on_event = function(event) return event.event .. event.attempt end })
  add_transfer("close", "qiscus", "/echo", function(subject)
    subject.client:close()
    return tostring(subject.client)
  end, nil, { prepare = profile, again = function(subject) return is_closed(subject.client) end })
  add_transfer("closed in the middle of a map", "qiscus", "/echo", function(subject)
    local outcomes = {}
    usher.map({ 1, 2, 3, 4 }, function(index)
      if index == 3 then
        subject.client:close()
        return true
      elseif index == 4 then
        return true
      end
      return subject.client:user_profile{ user_id = index }
    end, { concurrency = 4, on_result = function(index, _, result, err)
      outcomes[index] = { result, err }
    end })
    return outcomes
  end, nil, { many = true, again = function(subject) return is_closed(subject.client) end })
end

-- Whom nobody should trust is not trusted for want of memory.
local function add_stranger(name, url, servers)
  add{
    name = "https: not trusted: " .. name, group = "https",
    open = open_on(url .. "/ok", "qiscus", { ca_file = servers.ca_file }),
    run = function(subject) return subject.client:user_profile{ user_id = "a" } end,
  }
end

--- All scenarios.
-- @tparam table servers URLs of listeners of spec/support/server.lua, by name, and `ca_file`;
-- without them only what needs no network is there
-- @treturn {table,...}
function M.list(servers)
  for _, group in ipairs{ "http", "https", "http2" } do
    if servers[group] then
      add_transfers(group, servers[group], { ca_file = servers.ca_file })
    end
  end
  for _, name in ipairs{ "unknown_ca", "wrong_host", "expired" } do
    if servers[name] then add_stranger(name, servers[name], servers) end
  end
  return scenarios
end

--- What must not show in any error, as patterns: the credentials and secret arguments of all
-- scenarios.
M.secrets = { "test%-api%-key", "test%-secret", "test%-token", "test%-access%-token",
  "app_test_key", "%-secret%-%d" }

return M
