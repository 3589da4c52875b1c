-- A call that libcurl's transport takes as it is, and the answer that the core reads where libcurl
-- has left it: what comes of it is what comes of a request and an answer of Lua values.

local core = require "usher.core"
local curl = require "usher.curl"
local provider = require "spec.support.provider"
local transport = require "usher.transport.curl"
local transfers = require "spec.support.transfers"
local usher = require "usher"

local USER = { user_id = "bob" }

describe("A call without Lua values on its way", function()
  local server, closing

  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    server:clear()
    closing = {}
  end)

  local function close_all()
    for _, each in ipairs(closing) do each:close() end
  end

  local function open(path, options)
    finally(close_all)
    local given = { app_id = "app", secret = "s3cret-key", base_url = server:url("http", path),
      retries = 0, random = function() return 0 end }
    for name, value in pairs(options or {}) do given[name] = value end
    local client = usher.qiscus(given)
    closing[#closing + 1] = client
    return client
  end

  local function open_pool()
    finally(close_all)
    local pool = curl.new{}
    closing[#closing + 1] = pool
    return pool
  end

  -- The same transport, without its way around Lua.
  local function by_values()
    local inner = transport.new{}
    return { send = function(request) return inner.send(request) end, close = inner.close }
  end

  -- A call whose request is to be sent.
  local function ready(client)
    local call = core.begin(client, "user_profile", USER)
    local action, request = call:next()
    assert.equal("send", action)
    assert.equal(call, request)
    return call
  end

  local function get(path)
    return { method = "GET", url = server:url("http", path) }
  end

  it("has the response that is documented", function()
    local result, response = open("/ok"):user_profile(USER)
    assert.same({ ok = true }, result)
    assert.equal(200, response.status)
    assert.equal(1, response.attempts)
    assert.is_number(response.elapsed)
    assert.matches("^HTTP/1.1 200 [^\r]*\r\n.*\r\n\r\n$", response.head)
    assert.equal("application/json", response.headers["content-type"])
  end)

  it("reads the headers when they are asked for, and once", function()
    local _, response = open("/header_repeated"):user_profile(USER)
    assert.is_nil(rawget(response, "headers"))
    local headers = response.headers
    assert.equal("one, two", headers["x-twice"])
    assert.equal(headers, response.headers)
    response.headers = nil
    response.head = nil
    assert.is_nil(response.headers)
    assert.is_nil(response.anything)
    response.head = 5
    assert.is_nil(response.headers)
  end)

  if _VERSION ~= "Lua 5.1" then
    it("shows the headers to pairs", function()
      local _, response = open("/ok"):user_profile(USER)
      local names = {}
      for name in pairs(response) do names[#names + 1] = name end
      table.sort(names)
      assert.same({ "attempts", "elapsed", "head", "headers", "status" }, names)
    end)
  end

  -- What a call returns and what on_event is told, without the times and the server's date.
  local function outcome_of(path, options)
    local events = {}
    options.on_event = function(event)
      event.elapsed = nil
      events[#events + 1] = event
    end
    local client = open(path, options)
    local result, detail = client:user_profile(USER)
    if result ~= nil then
      detail.headers.date = nil
      detail = { status = detail.status, headers = detail.headers, attempts = detail.attempts }
    end
    local pace = options.rate and core.environment(client).rate.store.pace()
    return { result, detail, events, pace }
  end

  for _, path in ipairs{ "/ok", "/header_repeated", "/gzip", "/interim", "/status/204",
    "/status/400", "/status/401", "/status/404", "/status/500", "/redirect/302/here",
    "/limit/429/missing", "/limit/429/7", "/limit/503/9", "/limit_twice/429", "/limit_twice/503",
    "/close_before_reply", "/reset_before_reply", "/close_in_head", "/sized/100", "/sized/100000",
    "/header_folded", "/nowhere" } do
    it("ends like one with them: " .. path, function()
      for _, rate in ipairs{ false, { per_second = 1000, burst = 10 } } do
        local own = { rate = rate or nil }
        local plain = { rate = rate or nil, transport = by_values() }
        assert.same(outcome_of(path, plain), outcome_of(path, own))
      end
    end)
  end

  it("ends like one with them in tasks of usher.map", function()
    local paths = { "/ok", "/status/500", "/close_before_reply", "/limit/429/7", "/sized/100000" }
    local function all(options)
      local clients = {}
      for i, path in ipairs(paths) do clients[i] = open(path, options()) end
      local results, errors = usher.map(clients, function(client)
        return client:user_profile(USER)
      end)
      return { results, errors }
    end
    assert.same(all(function() return { transport = by_values() } end),
      all(function() return {} end))
  end)

  it("sends the same request", function()
    local function sent(options)
      server:clear()
      local client = open("/echo", options)
      client:user_profile(USER)
      client:login_or_register{ user_id = "b/ob \195\169", password = "p\"w", username = "B" }
      local seen = {}
      for i, request in ipairs(server:journal()) do
        local headers = {}
        for _, header in ipairs(request.headers) do headers[header[1]] = header[2] end
        seen[i] = { request.method, request.target, headers, request.body }
      end
      assert.equal(2, #seen)
      return seen
    end
    assert.same(sent{ transport = by_values() }, sent{})
  end)

  it("is described without a header and a body", function()
    local call = ready(open("/ok"))
    local about = call:describe()
    assert.equal(server:url("http", "/ok/api/v2.1/rest/user_profile?user_id=bob"), about.url)
    about.url = nil
    assert.same({ method = "GET", provider = "qiscus", operation = "user_profile", attempt = 1 },
      about)
  end)

  -- Ways to wrap libcurl's transport, to see what passes.
  local wrappers = {
    ["another send in its place"] = function(inner, see)
      local send = inner.send
      function inner.send(request) return see(send, request) end
      return inner
    end,
    ["a copy"] = function(inner, see)
      local copy = {}
      for name, value in pairs(inner) do copy[name] = value end
      function copy.send(request) return see(inner.send, request) end
      return copy
    end,
    ["one that inherits"] = function(inner, see)
      return setmetatable({ send = function(request) return see(inner.send, request) end },
        { __index = inner })
    end,
    ["a function"] = function(inner, see)
      return function(request) return see(inner.send, request) end
    end,
    ["one with an exchange of its own"] = function(inner, see)
      return { send = function(request) return see(inner.send, request) end, exchange = true }
    end,
  }

  for name, wrap in pairs(wrappers) do
    it("goes by values where libcurl's transport is wrapped: " .. name, function()
      local seen
      local function see(send, request)
        seen = request.headers["QISCUS-SDK-SECRET"]
        request.headers["X-Added"] = "by the wrapper"
        return send(request)
      end
      local inner = transport.new{}
      closing[#closing + 1] = { close = inner.close }
      open("/echo", { transport = wrap(inner, see) }):user_profile(USER)
      assert.equal("s3cret-key", seen)
      assert.equal("by the wrapper", provider.header(server:journal()[1], "X-Added"))
    end)
  end

  it("is taken only when it has something to send", function()
    local pool, client = open_pool(), open("/ok")
    local call = core.begin(client, "user_profile", USER)
    assert.has_error(function() pool:start(call) end)
    call:next()
    assert.is_userdata(pool:start(call))
    call:abort("cancelled")
    assert.has_error(function() pool:start(call) end)
    assert.has_error(function() pool:start(pool) end)
    assert.has_error(function() pool:start(client) end)
  end)

  it("takes an answer only when it is there", function()
    local pool = open_pool()
    local call = ready(open("/ok"))
    local transfer = pool:start(call)
    local ok, problem = pcall(call.next, call, transfer)
    assert.is_false(ok)
    assert.matches("a transport returns status, headers, body", problem, 1, true)
    call = ready(open("/ok"))
    transfer = pool:start(call)
    while not transfer:done() do pool:step(1) end
    transfer:recycle()
    assert.is_false((pcall(call.next, call, transfer)))
    assert.is_false((pcall(call.next, call, pool)))
  end)

  it("leaves nothing of its answer to the one that uses its transfer again", function()
    local pool = open_pool()
    local first = pool:start(get("/header_repeated"))
    transfers.finish(pool, first)
    first:recycle()
    for _, size in ipairs{ 100000, 0, 10, 20000, 10 } do
      local again = pool:start(get("/sized/" .. size))
      assert.equal(first, again)
      assert.is_false(again:done())
      local status, headers, body = transfers.finish(pool, again)
      assert.equal(200, status)
      assert.is_nil(headers["x-twice"])
      assert.equal(size, #body)
      again:recycle()
    end
    local failed = pool:start(get("/close_before_reply"))
    assert.equal(first, failed)
    assert.equal("network", select(2, transfers.finish(pool, failed)))
  end)

  it("has a transfer that is nobody's once it was recycled", function()
    local pool = open_pool()
    local transfer = pool:start(get("/delay/20"))
    assert.has_error(function() transfer:recycle() end, "the transfer is still running")
    transfers.finish(pool, transfer)
    transfer:recycle()
    for _, name in ipairs{ "done", "head", "result", "cancel", "recycle" } do
      assert.has_error(function() transfer[name](transfer) end, "the transfer was recycled")
    end
    local one, two = pool:start(get("/ok")), pool:start(get("/ok"))
    assert.equal(transfer, one)
    assert.is_true(one ~= two)
    assert.equal(200, (transfers.finish(pool, two)))
    assert.equal(200, (transfers.finish(pool, one)))
  end)

  local newproxy = rawget(_G, "newproxy")

  local function when_collected(fn)
    if not newproxy then return setmetatable({}, { __gc = fn }) end
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = fn
    return proxy
  end

  -- Finalizers run newest first: that of a transfer, this one, that of the pool.
  it("has no transfer that was collected, in a finalizer that comes before the pool's", function()
    local seen
    local function live()
      local held = { pool = curl.new{} }
      held.proxy = when_collected(function()
        local transfer = held.pool:start(get("/ok"))
        seen = transfer == held.collected and "the same" or "another"
        transfer:cancel()
      end)
      held.collected = held.pool:start(get("/ok"))
      transfers.finish(held.pool, held.collected)
      held.collected:recycle()
    end
    live()
    for _ = 1, 4 do collectgarbage() end
    assert.equal("another", seen)
  end)

  it("may be made by a finalizer, of what is collected together with its client", function()
    local answers = {}
    local function live()
      local client = usher.qiscus{ app_id = "app", secret = "s3cret-key",
        base_url = server:url("http", "/ok") }
      local session = { client }
      client:user_profile(USER)
      session.last_words = when_collected(function()
        for i = 1, 3 do answers[i] = (session[1]:user_profile(USER)) end
      end)
      usher.map({ 1, 2, 3, 4 }, function() return client:user_profile(USER) end)
    end
    live()
    for _ = 1, 4 do collectgarbage() end
    assert.same({ { ok = true }, { ok = true }, { ok = true } }, answers)
  end)

  it("may recycle a transfer after its pool was closed", function()
    local pool = curl.new{}
    local transfer = pool:start(get("/delay/1000"))
    pool:close()
    assert.equal("cancelled", select(2, transfer:head()))
    transfer:recycle()
  end)
end)
