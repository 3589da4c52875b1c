-- What on_event is told: one table a request, a response and a retry, and nothing that is secret.

local fake = require "spec.support.fake"

local pool = fake.pool()

-- A client that keeps its events.
local function open(provider, script, options)
  finally(pool.close)
  local events = {}
  options = options or {}
  options.on_event = function(event) events[#events + 1] = event end
  local client, world = pool.open(provider, script, options)
  return client, events, world
end

-- The events without `elapsed`, which must be a time where it is.
local function timeless(events)
  for _, event in ipairs(events) do
    if event.event == "response" then
      assert.is_number(event.elapsed)
      assert.is_true(event.elapsed >= 0)
    end
    event.elapsed = nil
  end
  return events
end

local PROFILE = "https://api.qiscus.com/api/v2.1/rest/user_profile?user_id=bob"

local function qiscus(event, attempt, fields)
  fields.event, fields.attempt = event, attempt
  fields.provider, fields.method = "qiscus", "user_profile"
  return fields
end

describe("on_event", function()
  it("is told of the request and of the response", function()
    local client, events = open("qiscus", { 200 })
    client:user_profile{ user_id = "bob" }
    assert.same({
      qiscus("request", 1, { verb = "GET", url = PROFILE }),
      qiscus("response", 1, { status = 200 }),
    }, timeless(events))
  end)

  it("is told of every attempt and of the waits between them", function()
    local client, events = open("qiscus", { 503, fake.failure("network", "reset", true), 200 })
    client:user_profile{ user_id = "bob" }
    assert.same({
      qiscus("request", 1, { verb = "GET", url = PROFILE }),
      qiscus("response", 1, { status = 503 }),
      qiscus("retry", 1, { wait = 0.125, kind = "http", status = 503 }),
      qiscus("request", 2, { verb = "GET", url = PROFILE }),
      qiscus("response", 2, { kind = "network" }),
      qiscus("retry", 2, { wait = 0.25, kind = "network" }),
      qiscus("request", 3, { verb = "GET", url = PROFILE }),
      qiscus("response", 3, { status = 200 }),
    }, timeless(events))
  end)

  it("is told of no retry after the last attempt", function()
    local client, events = open("qiscus", { 404 })
    client:user_profile{ user_id = "bob" }
    assert.equal(2, #events)
    assert.equal(404, events[2].status)
  end)

  it("is told of the token that a call fetches for itself", function()
    local client, events = open("vchatcloud", {
      fake.answer(200, '{"data":{"X-AUTH-TOKEN":"fetched"}}'), 401,
      fake.answer(200, '{"data":{"X-AUTH-TOKEN":"renewed"}}'), 200,
    }, { token = fake.unset })
    assert.is_table((client:list_users{ room_id = "r" }))
    local told = {}
    for i, event in ipairs(events) do
      told[i] = ("%s %s %s"):format(event.event, event.method, event.status or event.verb)
    end
    assert.same({
      "request issue_token GET", "response issue_token 200",
      "request list_users GET", "response list_users 401",
      "request issue_token GET", "response issue_token 200",
      "request list_users GET", "response list_users 200",
    }, told)
  end)

  it("is told nothing by request and curl, nor of a refusal", function()
    local client, events = open("qiscus", {})
    client:request("user_profile", { user_id = "bob" })
    client:curl("user_profile", { user_id = "bob" })
    assert.is_false((pcall(client.user_profile, client, {})))
    assert.same({}, events)
  end)

  it("gets a table of its own each time", function()
    local client, events = open("qiscus", { 200, 200 })
    client:user_profile{ user_id = "bob" }
    events[1].url, events[2].status = "changed", "changed"
    client:user_profile{ user_id = "bob" }
    assert.equal(PROFILE, events[3].url)
    assert.equal(200, events[4].status)
  end)

  it("changes nothing of what a call returns", function()
    local client = open("qiscus", { 503, fake.answer(200, '{"a":1}', { x = "y" }) })
    local result, response = client:user_profile{ user_id = "bob" }
    assert.same({ a = 1 }, result)
    assert.same({ status = 200, headers = { x = "y" }, attempts = 2, elapsed = 0.125 }, response)
  end)

  it("may raise, and the client goes on", function()
    for _, moment in ipairs{ "request", "response", "retry" } do
      finally(pool.close)
      local client = pool.open("vchatcloud", {
        forever = function(request)
          if request.operation == "issue_token" then
            return 200, {}, '{"data":{"X-AUTH-TOKEN":"fetched"}}'
          end
          return 503, {}, ""
        end,
      }, {
        token = fake.unset,
        on_event = function(event)
          if event.event == moment then error("no " .. moment, 0) end
        end,
      })
      for _ = 1, 2 do
        local ok, message = pcall(client.list_users, client, { room_id = "r" })
        assert.is_false(ok)
        assert.equal("no " .. moment, message)
      end
    end
  end)

  it("may close the client", function()
    local client, world
    finally(pool.close)
    client, world = pool.open("qiscus", { 503, 200 }, {
      on_event = function(event)
        if event.event == "response" then client:close() end
      end,
    })
    local result, err = client:user_profile{ user_id = "bob" }
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.equal(1, #world.requests)
  end)

  it("may call the client", function()
    local client, depth = nil, 0
    finally(pool.close)
    client = pool.open("qiscus", { forever = fake.answer(200, '{"a":1}') }, {
      on_event = function()
        if depth > 0 then return end
        depth = depth + 1
        assert.same({ a = 1 }, (client:get_user_list{}))
      end,
    })
    assert.same({ a = 1 }, (client:user_profile{ user_id = "bob" }))
    assert.equal(1, depth)
  end)
end)
