-- A call as a host drives it: begin, then next until it is done or failed. Nothing is sent here;
-- the spec plays the host.

local core = require "usher.core"
local usher = require "usher"
local fake = require "spec.support.fake"
local refusal = require "spec.support.refusal"

local NOW = 1700000000

local pool = fake.pool()

local function open(provider, options)
  finally(pool.close)
  return pool.open(provider or "qiscus", {}, options)
end

local USER = { user_id = "bob" }

describe("a call", function()
  it("is a request to send, and done when it is told the answer", function()
    local client, world = open()
    local call = core.begin(client, "user_profile", USER)
    local action, request, more = call:next()
    assert.equal("send", action)
    assert.is_nil(more)
    assert.same({
      method = "GET",
      url = "https://api.qiscus.com/api/v2.1/rest/user_profile?user_id=bob",
      headers = {
        ["Accept"] = "application/json",
        ["User-Agent"] = "usher/" .. usher._VERSION,
        ["QISCUS-SDK-APP-ID"] = "test-app",
        ["QISCUS-SDK-SECRET"] = "test-secret",
      },
      timeout = 30,
      connect_timeout = 5,
      max_response_size = 8388608,
      idempotent = true,
      provider = "qiscus",
      operation = "user_profile",
      attempt = 1,
    }, request)
    world.now = NOW + 3
    local headers = { ["content-type"] = "application/json" }
    local result, response
    action, result, response = call:next(200, headers, '{"ok":true}')
    assert.equal("done", action)
    assert.same({ ok = true }, result)
    assert.same({ status = 200, headers = headers, attempts = 1, elapsed = 3 }, response)
    assert.equal(headers, response.headers)
  end)

  it("sleeps before it is repeated, with the error that it is repeated for", function()
    local client, world = open()
    local call = core.begin(client, "user_profile", USER)
    call:next()
    local action, seconds, err = call:next(503, {}, "down")
    assert.equal("sleep", action)
    assert.equal(0.125, seconds)
    assert.equal("http", err.kind)
    assert.equal(503, err.status)
    assert.equal("down", err.body)
    assert.is_true(err.retryable)
    assert.equal(1, err.attempts)
    world.now = world.now + seconds
    local request
    action, request = call:next()
    assert.equal("send", action)
    assert.equal(2, request.attempt)
    assert.equal("done", (call:next(200, {}, "{}")))
  end)

  it("fails with an error that is a value", function()
    local call = core.begin(open(), "user_profile", USER, { retries = 0 })
    call:next()
    local action, err, more = call:next(nil, "network", "refused", false)
    assert.equal("fail", action)
    assert.equal("usher.qiscus:user_profile: network: refused", tostring(err))
    assert.is_nil(more)
  end)

  it("says for each method whether a repeat is safe", function()
    local unsafe = {
      ertc = { pending_events = true, refresh_auth_token = true, reset_badge_count = true,
        create_chat_report = true },
      smooch = { pre_create_app_user = true, link_app_user = true, post_image_message = true,
        track_event = true, post_message = true, create_webhook = true },
      vchatcloud = { send_notice = true },
      qiscus = { post_comment = true, post_system_event_message = true },
    }
    local values = {
      string = "x", integer = 1, ["list of strings"] = { "x" },
      file = { data = "x", filename = "x" },
    }
    for provider, exceptions in pairs(unsafe) do
      local client = open(provider)
      for _, method in ipairs(usher.describe(provider).methods) do
        local arguments = {}
        for _, row in ipairs(method.parameters) do
          if row.required then
            arguments[row.name] = row.choices and row.choices:match("^[^|]+") or values[row.type]
          end
        end
        local _, request = core.begin(client, method.name, arguments):next()
        assert.equal(method.name, request.operation)
        assert.equal(not exceptions[method.name], request.idempotent)
        assert.equal(request.idempotent, method.idempotent)
      end
    end
  end)

  it("counts its time from begin, not from the first request", function()
    local client, world = open()
    local call = core.begin(client, "user_profile", USER, { deadline = 10 })
    world.now = NOW + 4
    local _, request = call:next()
    assert.equal(6, request.timeout)
    world.now = NOW + 5
    local _, _, response = call:next(200, {}, "{}")
    assert.equal(5, response.elapsed)
  end)

  it("that begins too late is not sent", function()
    local client, world = open()
    local call = core.begin(client, "user_profile", USER, { deadline = 10 })
    world.now = NOW + 10
    local action, err = call:next()
    assert.equal("fail", action)
    assert.equal("timeout", err.kind)
    assert.is_false(err.request_sent)
    assert.equal(0, err.attempts)
  end)

  it("keeps its client alive", function()
    local held = setmetatable({}, { __mode = "v" })
    local function begin()
      held.client = usher.qiscus(refusal.options("qiscus", {}))
      return core.begin(held.client, "user_profile", USER)
    end
    local call = begin()
    for _ = 1, 3 do collectgarbage() end
    assert.equal("send", (call:next()))
    assert.matches("/user_profile?", call:describe().url, 1, true)
    held.client:close()
  end)

  it("may be left at any step, and the client goes on", function()
    local client = open("vchatcloud", { token = fake.unset })
    local room = { room_id = "r" }
    core.begin(client, "list_users", room)
    core.begin(client, "list_users", room):next()
    for _ = 1, 3 do collectgarbage() end
    local call = core.begin(client, "list_users", room)
    local action, request = call:next()
    assert.equal("send", action)
    assert.equal("issue_token", request.operation)
  end)

  it("does not mix with another of the same client", function()
    local client = open()
    local first = core.begin(client, "user_profile", { user_id = "a" })
    local second = core.begin(client, "user_profile", { user_id = "b" })
    local _, request = first:next()
    assert.is_truthy(request.url:find("user_id=a", 1, true))
    _, request = second:next()
    assert.is_truthy(request.url:find("user_id=b", 1, true))
    local _, result = second:next(200, {}, '{"of":"b"}')
    assert.same({ of = "b" }, result)
    _, result = first:next(200, {}, '{"of":"a"}')
    assert.same({ of = "a" }, result)
  end)

  it("keeps its arguments: changing the table afterwards changes nothing", function()
    local arguments = { user_id = "bob", username = "Bob", extras = { a = { 1 } } }
    local call = core.begin(open(), "login_or_register", arguments)
    arguments.user_id, arguments.extras.a[1] = "eve", 2
    local _, request = call:next()
    assert.equal('{"user_id":"bob","username":"Bob","extras":{"a":[1]}}', request.body)
  end)

  it("shows a request that may be changed without harm to the next attempt", function()
    local call = core.begin(open(), "user_profile", USER)
    local _, request = call:next()
    request.url, request.headers["QISCUS-SDK-SECRET"] = "changed", nil
    call:next(503, {}, "")
    _, request = call:next()
    assert.equal("https://api.qiscus.com/api/v2.1/rest/user_profile?user_id=bob", request.url)
    assert.equal("test-secret", request.headers["QISCUS-SDK-SECRET"])
  end)
end)

describe("a call that is driven wrongly", function()
  local UNEXPECTED = "this call does not expect that now"

  local function refuses(call, ...)
    local ok, message = pcall(call.next, call, ...)
    assert.is_false(ok)
    assert.is_truthy(tostring(message):find(UNEXPECTED, 1, true))
  end

  it("raises: an answer before the request", function()
    local call = core.begin(open(), "user_profile", USER)
    refuses(call, 200, {}, "{}")
    assert.equal("send", (call:next()))
  end)

  it("raises: no answer after the request", function()
    local call = core.begin(open(), "user_profile", USER)
    call:next()
    refuses(call)
    assert.equal("done", (call:next(200, {}, "{}")))
  end)

  it("raises: an answer in place of a sleep", function()
    local call = core.begin(open(), "user_profile", USER)
    call:next()
    call:next(503, {}, "")
    refuses(call, 200, {}, "{}")
    assert.equal("send", (call:next()))
  end)

  it("raises: anything after the end", function()
    local done = core.begin(open(), "user_profile", USER)
    done:next()
    done:next(200, {}, "{}")
    refuses(done)
    refuses(done, 200, {}, "{}")
    local failed = core.begin(open(), "user_profile", USER)
    failed:next()
    failed:next(404, {}, "")
    refuses(failed)
    refuses(failed, 200, {}, "{}")
  end)

  it("raises: another self", function()
    local call = core.begin(open(), "user_profile", USER)
    for _, value in ipairs{ 5, "call", {}, io.stdout, open() } do
      assert.is_false((pcall(call.next, value)))
      assert.is_false((pcall(call.defer, value, 1)))
      assert.is_false((pcall(call.cancel, value)))
    end
  end)

  it("raises: what is no answer", function()
    for _, reply in ipairs{
      { "two hundred", {}, "{}" }, { true, {}, "{}" }, { {}, {}, "{}" },
      { 200, "headers", "{}" }, { 200, {}, {} }, { nil, {}, "message", n = 3 },
      { nil, nil, nil, n = 3 },
    } do
      local call = core.begin(open(), "user_profile", USER)
      call:next()
      assert.is_false((pcall(call.next, call, reply[1], reply[2], reply[3])))
      assert.equal("done", (call:next(200, {}, "{}")))
    end
  end)

  it("keeps its metatable to itself", function()
    assert.is_false(getmetatable(core.begin(open(), "user_profile", USER)))
  end)
end)

describe("a deferred call", function()
  it("is prepared anew, and has not used up an attempt", function()
    local client, world = open("ertc")
    local call = core.begin(client, "pending_events", { ertc_user_id = "u" })
    local _, request = call:next()
    local first = request.headers["X-Nonce"]
    local action, seconds, err = call:defer(2)
    assert.equal("sleep", action)
    assert.equal(2, seconds)
    assert.is_nil(err)
    world.now = world.now + 2
    action, request = call:next()
    assert.equal("send", action)
    assert.equal(1, request.attempt)
    assert.are_not.equal(first, request.headers["X-Nonce"])
    local _, _, response = call:next(200, {}, '{"success":true}')
    assert.equal(1, response.attempts)
  end)

  it("beyond its deadline fails, and was not sent", function()
    local call = core.begin(open(), "user_profile", USER, { deadline = 5 })
    call:next()
    local action, err = call:defer(5)
    assert.equal("fail", action)
    assert.equal("timeout", err.kind)
    assert.is_false(err.request_sent)
    assert.equal(0, err.attempts)
  end)

  it("may have acted when an earlier attempt may have", function()
    local call = core.begin(open(), "user_profile", USER, { deadline = 5 })
    call:next()
    call:next(nil, "timeout", "waiting", true)
    call:next()
    local _, err = call:defer(100)
    assert.is_true(err.request_sent)
    assert.equal(1, err.attempts)
  end)

  it("has nothing to defer but a request in hand", function()
    local call = core.begin(open(), "user_profile", USER)
    assert.is_false((pcall(call.defer, call, 1)))
    call:next()
    call:next(503, {}, "")
    assert.is_false((pcall(call.defer, call, 1)))
    call:next()
    call:next(200, {}, "{}")
    assert.is_false((pcall(call.defer, call, 1)))
  end)
end)

describe("a cancelled call", function()
  it("goes no further", function()
    local call = core.begin(open(), "user_profile", USER)
    call:next()
    call:abort("cancelled")
    assert.is_false((pcall(call.next, call, 200, {}, "{}")))
    assert.is_false((pcall(call.next, call)))
    call:abort("cancelled")
  end)

  it("lets another fetch the token that it was to fetch", function()
    local client = open("vchatcloud", { token = fake.unset })
    local first = core.begin(client, "list_users", { room_id = "r" })
    local second = core.begin(client, "list_users", { room_id = "r" })
    first:next()
    assert.equal("sleep", (second:next()))
    first:abort("cancelled")
    local _, request = second:next()
    assert.equal("issue_token", request.operation)
  end)
end)

describe("closing the client", function()
  it("between begin and next cancels the call", function()
    local client = open()
    local call = core.begin(client, "user_profile", USER)
    client:close()
    local action, err = call:next()
    assert.equal("fail", action)
    assert.equal("cancelled", err.kind)
    assert.is_false(err.request_sent)
    assert.equal(0, err.attempts)
  end)

  it("does not disturb calls that are over", function()
    local client = open()
    local call = core.begin(client, "user_profile", USER)
    call:next()
    local _, result = call:next(200, {}, '{"a":1}')
    client:close()
    assert.same({ a = 1 }, result)
  end)

  it("cancels each of many calls in flight, whatever step each is at", function()
    local client = open("vchatcloud", { token = fake.unset })
    local calls = {}
    for i = 1, 20 do
      calls[i] = core.begin(client, "list_users", { room_id = "r" })
      if i > 1 then calls[i]:next() end
    end
    client:close()
    for i = 1, 20 do
      local action, err
      if i == 2 then
        action, err = calls[i]:next(200, {}, "{}")
      else
        action, err = calls[i]:next()
      end
      assert.equal("fail", action)
      assert.equal("cancelled", err.kind)
    end
  end)

  -- A client whose clock, or dice, closes it when they are asked for the n-th time.
  local function closing(option, n)
    local client, asked = nil, 0
    client = open("vchatcloud", {
      token = fake.unset,
      [option] = function()
        asked = asked + 1
        if asked == n then client:close() end
        return option == "clock" and NOW or 0.5
      end,
    })
    return client
  end

  for _, option in ipairs{ "clock", "random" } do
    it(("by its own %s is a refusal or an error, at whatever moment"):format(option), function()
      local room = { room_id = "r" }
      for n = 1, 8 do
        local client = closing(option, n)
        local ok, call = pcall(core.begin, client, "list_users", room)
        if ok then
          local action, err = call:next()
          if action == "send" then
            action, err = call:next(200, {}, '{"data":{"X-AUTH-TOKEN":"fetched"}}')
          end
          if action == "send" then action, err = call:next(503, {}, "") end
          if action == "sleep" then action, err = call:next() end
          assert.is_true(action == "send" or err.kind == "cancelled")
        else
          assert.is_truthy(tostring(call):find("the client is closed", 1, true))
        end
        for _, dry_run in ipairs{ "request", "curl" } do
          client = closing(option, n)
          local shown, result = pcall(client[dry_run], client, "list_users", room)
          if not shown then
            assert.is_truthy(tostring(result):find("the client is closed", 1, true))
          end
        end
      end
    end)
  end
end)
