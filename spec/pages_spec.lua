-- A list that comes in pages is walked to its end, each item once, and an error is no end.

local command = require "spec.support.command"
local refusal = require "spec.support.refusal"
local sandbox = require "usher.sandbox"
local usher = require "usher"

local function contains(value, words)
  assert.truthy(tostring(value):find(words, 1, true), ("no %q in: %s"):format(words,
    tostring(value)))
end

-- A Qiscus that has `count` users, gives `most` a page, and counts its pages wrongly.
local function provider_of(count, most, before)
  local world = { requests = 0, seen = {} }
  function world.send(request)
    world.requests = world.requests + 1
    local status, headers, body = (before or function() end)(world.requests, request)
    if status then return status, headers, body end
    local page = tonumber(request.url:match("[?&]page=(%d+)")) or 1
    local limit = math.min(tonumber(request.url:match("[?&]limit=(%d+)")) or 20, most or 1e9)
    local rows = {}
    for i = (page - 1) * limit + 1, math.min(page * limit, count) do
      rows[#rows + 1] = ('{"id":%d,"email":"user%d"}'):format(i, i)
    end
    return 200, {}, ('{"results":{"meta":{"total_page":%d},"users":[%s]},"status":200}'):format(
      math.floor(count / limit), table.concat(rows, ","))
  end
  return world
end

local function client_of(world)
  local client = usher.qiscus{ app_id = "a", secret = "s",
    transport = { send = world.send, sleep = function() return true end } }
  finally(function() client:close() end)
  return client
end

local function walk(client, arguments)
  local seen, count = {}, 0
  for user in client:pages("get_user_list", arguments) do
    assert.is_nil(seen[user.id])
    seen[user.id], count = true, count + 1
    assert.equal(count, user.id)
  end
  return count
end

describe("client:pages", function()
  for _, row in ipairs{ { 0, 1 }, { 1, 2 }, { 99, 2 }, { 100, 2 }, { 101, 2 }, { 250, 3 },
    { 300, 4 } } do
    it(("walks %d users in pages of 100"):format(row[1]), function()
      local world = provider_of(row[1])
      assert.equal(row[1], walk(client_of(world)))
      assert.equal(row[2], world.requests)
    end)
  end

  it("walks on over errors that are retried", function()
    local world = provider_of(1000, nil, function(number)
      if number == 4 then return 503, { ["retry-after"] = "1" }, "" end
      if number == 7 then return 500, {}, "" end
    end)
    assert.equal(1000, walk(client_of(world), { limit = 100 }))
    assert.equal(11 + 2, world.requests)
  end)

  it("goes on, asked again after an error, where it was", function()
    local world = provider_of(300, nil, function(number)
      if number == 2 then return 403, {}, '{"error":{"message":"no"},"status":403}' end
    end)
    local following, count = client_of(world):pages("get_user_list"), 0
    for _ = 1, 100 do following() end
    assert.is_false(pcall(following))
    for user in following do
      count = count + 1
      assert.equal(100 + count, user.id)
    end
    assert.equal(200, count)
  end)

  it("goes on with the tokens that the loop has renewed", function()
    local box = sandbox.new()
    local client = usher.ertc(box:options("ertc"))
    finally(function() client:close() end)
    local user = box.state.ertc.moderator
    for i = 1, 25 do
      assert(client:create_chat_report{ ertc_user_id = user, msg_unique_id = "m" .. i,
        category = "spam" })
    end
    local count = 0
    for report in client:pages("list_chat_reports", { ertc_user_id = user, limit = 10 }) do
      count = count + 1
      assert.equal("m" .. count, report.chat.msgUniqueId)
      if count % 10 == 5 then assert(client:refresh_auth_token{ ertc_user_id = user }) end
    end
    assert.equal(25, count)
  end)

  it("complains of a provider that gives the same page for ever", function()
    local count, requests = 0, 0
    local client = client_of{ send = function()
      requests = requests + 1
      if requests > 5 then return 404, {}, "" end -- not for ever here
      return 200, {}, '{"results":{"users":[{"id":1},{"id":2}]},"status":200}'
    end }
    local ok, err = pcall(function()
      for _ in client:pages("get_user_list") do count = count + 1 end
    end)
    assert.is_false(ok)
    assert.same({ 2, "protocol" }, { count, err.kind })
    contains(err, "the same page again")
  end)

  it("is not deceived by a server that gives less than was asked for", function()
    assert.equal(95, walk(client_of(provider_of(95, 20)), { limit = 100 }))
  end)

  it("takes the page and the size that it is given", function()
    local world = provider_of(30)
    local first
    for user in client_of(world):pages("get_user_list", { page = 2, limit = 10 }) do
      first = first or user.id
    end
    assert.equal(11, first)
    assert.equal(3, world.requests)
  end)

  it("does not change the arguments", function()
    local arguments = { limit = 10 }
    walk(client_of(provider_of(25)), arguments)
    assert.same({ limit = 10 }, arguments)
  end)

  it("is lazy: a page is asked for when it is needed", function()
    local world = provider_of(1000)
    local following = client_of(world):pages("get_user_list")
    assert.equal(0, world.requests)
    for _ = 1, 100 do following() end
    assert.equal(1, world.requests)
    following()
    assert.equal(2, world.requests)
  end)

  it("ends with an error as an error, and not as the end", function()
    local world = provider_of(1000, nil, function(number)
      if number == 3 then return 403, {}, '{"error":{"message":"no"},"status":403}' end
    end)
    local count = 0
    local ok, err = pcall(function()
      for _ in client_of(world):pages("get_user_list") do count = count + 1 end
    end)
    assert.is_false(ok)
    assert.same({ 200, 403, "http" }, { count, err.status, err.kind })
  end)

  it("says when an answer has no list", function()
    local client = client_of{ send = function() return 200, {}, '{"results":{}}' end }
    local ok, err = pcall(client:pages("get_user_list"))
    assert.is_false(ok)
    assert.equal("decode", err.kind)
    contains(err, "results.users")
  end)

  it("can be the items of usher.map", function()
    local client = client_of(provider_of(250))
    local ids = usher.map(client:pages("get_user_list"), function(user) return user.id end,
      { concurrency = 7 })
    assert.equal(250, #ids)
    assert.equal(250, ids[250])
  end)

  describe("over HTTP", function()
    local served, client, user

    setup(function()
      served = command.sandbox()
      local options = served:ask("GET", "credentials").ertc.options
      client, user = usher.ertc(options), served.actor
      for i = 1, 35 do
        assert(client:create_chat_report{ ertc_user_id = user, msg_unique_id = "m" .. i,
          category = "spam" })
      end
      client:close()
      client = nil
    end)
    teardown(function() served:stop() end)
    before_each(function() client = usher.ertc(served:ask("GET", "credentials").ertc.options) end)
    after_each(function() client:close() end)

    local function reports() -- ten a page
      return client:pages("list_chat_reports", { ertc_user_id = user, limit = 10 })
    end

    it("is what usher.map calls for, while calls are in flight", function()
      local seen = {}
      local results, errors = usher.map(reports(), function(report)
        assert(client:blocked_users{ ertc_user_id = user, device_id = "d" })
        seen[#seen + 1] = report.chat.msgUniqueId
        return report.chat.msgUniqueId
      end, { concurrency = 8 })
      assert.same({}, errors)
      assert.same({ 35, 35, "m1", "m35" }, { #seen, #results, results[1], results[35] })
    end)

    it("walks in several tasks at once, each its own way", function()
      local results, errors = usher.map({ 1, 2, 3, 4, 5, 6 }, function()
        local count = 0
        for report in reports() do
          count = count + 1
          assert.equal("m" .. count, report.chat.msgUniqueId)
        end
        return count
      end)
      assert.same({ {}, { 35, 35, 35, 35, 35, 35 } }, { errors, results })
    end)

    local function count_of(who)
      local count = 0
      for _ in client:pages("list_chat_reports", { ertc_user_id = who }) do count = count + 1 end
      return count
    end

    it("ends usher.map with the error of a call", function()
      local ok, err = pcall(usher.map, { user, "nobody", user }, count_of)
      assert.is_false(ok)
      assert.same({ "http", 401 }, { err.kind, err.status })
    end)

    it("ends one task of it where the task asks for that", function()
      local results, errors = usher.map({ user, "nobody", user }, function(who)
        local ok, count = pcall(count_of, who)
        if not ok then return nil, count end
        return count
      end)
      assert.same({ 35, 35, 401 }, { results[1], results[3], errors[2].status })
    end)
  end)

  it("skips by items, and goes back in time, or forward", function()
    local box = sandbox.new{ clock = function() return 1700000000 end }
    local ertc = usher.ertc(box:options("ertc"))
    local smooch = usher.smooch(box:options("smooch"))
    finally(function()
      ertc:close()
      smooch:close()
    end)
    local user = box.state.ertc.moderator
    for i = 1, 23 do
      assert(ertc:create_chat_report{ ertc_user_id = user, msg_unique_id = "m" .. i,
        category = "spam" })
    end
    local reports = {}
    for report in ertc:pages("list_chat_reports", { ertc_user_id = user, limit = 10 }) do
      reports[#reports + 1] = report.chat.msgUniqueId
    end
    assert.same({ 23, "m1", "m23" }, { #reports, reports[1], reports[23] })
    for i = 1, 205 do
      assert(smooch:post_message{ user_id = "bob@example.com", role = "appMaker",
        text = "n" .. i })
    end
    local seen, count, since = {}, 0, nil
    for message in smooch:pages("get_messages", { user_id = "bob@example.com" }) do
      assert.is_nil(seen[message._id])
      seen[message._id], count = true, count + 1
      if message.text == "n2" then since = message.received end
    end
    assert.equal(205, count)
    local texts = {}
    for message in smooch:pages("get_messages", { user_id = "bob@example.com",
      after = ("%.3f"):format(since) }) do
      texts[#texts + 1] = message.text
    end
    assert.same({ 203, "n3", "n103", "n205" }, { #texts, texts[1], texts[101], texts[203] })
  end)

  it("asks for the time that the provider wrote, to the digit", function()
    local asked
    local client = usher.smooch{ jwt = "t", transport = function(request)
      asked = request.url:match("before=([^&]*)")
      return 200, {}, '{"messages":[' .. (asked and "" or '{"received":1700000000.123}') .. "]}"
    end }
    for _ in client:pages("get_messages", { user_id = "u" }) do assert.is_nil(asked) end
    assert.equal("1700000000.123", asked)
    client:close()
  end)

  it("raises for a method that answers at once, or is none", function()
    local client = client_of(provider_of(1))
    contains(refusal.of(client.pages, client, "user_profile"), "does not answer in pages")
    contains(refusal.of(client.pages, client, "frob"), "'frob'")
  end)
end)
