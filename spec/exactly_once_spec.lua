-- A write whose outcome is unknown is never sent twice: each method that is not idempotent, through
-- the whole library, over real sockets, against a server that reads a request and then fails in one
-- way or another. The server's journal is the witness. nginx/exactly_once_spec.lua is the same for
-- nginx.
--
-- Of a stream that it refuses, or that is above the last one of its GOAWAY, an HTTP/2 server says
-- that it has not acted on the request (RFC 9113 section 8.7), and libcurl may send it again. Ours
-- is not: the server has read it, proxies and servers have said so wrongly, and a write that fails
-- can be looked up where one that was made twice cannot be taken back. `request_sent` is true then.

local provider = require "spec.support.provider"
local usher = require "usher"
local writes = require "spec.support.writes"

local LISTENERS = {
  { "HTTP/1.1", "http", writes.faults.http1 },
  { "HTTP/1.1 and TLS", "https", writes.faults.http1 },
  { "HTTP/2", "http2", writes.faults.http2 },
}

local METHODS = writes.methods(false)

describe("sent once", function()
  local server
  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:clear() end)

  local function options_of(listener, path)
    return { base_url = server:url(listener, path), ca_file = server.files.ca_file }
  end

  local function try(call, fault, listener)
    local outcome = writes.try(call, fault, options_of(listener, fault[2]))
    local problem = writes.problem(fault, outcome)
    return problem and ("%s:%s: %s"):format(call.provider, call.method, problem)
  end

  for _, row in ipairs(LISTENERS) do
    local version, listener, faults = row[1], row[2], row[3]
    for _, fault in ipairs(faults) do
      it(("over %s to a server that %s, one after the other"):format(version, fault[1]), function()
        for _, call in ipairs(METHODS) do
          server:clear()
          assert.is_nil(try(call, fault, listener))
          assert.is_nil(writes.problem_of_journal(server, fault, 1))
        end
      end)

      it(("over %s to a server that %s, all at once"):format(version, fault[1]), function()
        local problems = usher.map(METHODS, function(call) return try(call, fault, listener) end)
        assert.same({}, problems)
        assert.is_nil(writes.problem_of_journal(server, fault, #METHODS))
      end)
    end
  end

  -- Streams of one connection, and what becomes of those that the fault was not meant for.
  for _, path in ipairs{ "/stale", "/stale_reset", "/early_close",
    "/stale_goodbye_close/below/NO_ERROR", "/stale_goodbye_close/at/NO_ERROR",
    "/stale_reset_stream/REFUSED_STREAM", "/reset_stream/REFUSED_STREAM" } do
    it("each of fifty requests on one connection of HTTP/2: " .. path, function()
      local options = options_of("http2", path)
      options.jwt, options.random = "a.b.c", function() return 0 end
      local client = usher.smooch(options)
      finally(function() client:close() end)
      local ids, outcomes = {}, {}
      for i = 1, 50 do ids[i] = "user" .. i end
      usher.map(ids, function(id)
        return client:link_app_user{ user_id = id, type = "sms" }
      end, { concurrency = #ids, on_result = function(_, id, result, err)
        outcomes[id] = result and { request_sent = true } or err
      end })
      for target, count in pairs((writes.seen(server))) do
        local outcome = outcomes[target:match("user%d+")]
        assert.equal(1, count, target)
        assert.is_true(outcome.request_sent, target)
      end
    end)
  end

  it("there are methods of both classes to try", function()
    assert.truthy(#METHODS >= 6)
    assert.truthy(#writes.methods(true) >= 25)
  end)
end)

describe("sent again", function()
  local server
  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:clear() end)

  local function open(listener, path, options)
    local all = { app_id = "app", secret = "secret", base_url = server:url(listener, path),
      ca_file = server.files.ca_file, random = function() return 0 end }
    for name, value in pairs(options or {}) do all[name] = value end
    local client = usher.qiscus(all)
    finally(function() client:close() end)
    return client
  end

  for _, listener in ipairs{ "http", "https" } do
    it("is what is idempotent, and nothing said of it, over " .. listener, function()
      local client = open(listener, "/stale_reset", { retries = 0 })
      assert(client:user_profile{ user_id = "bob" })
      local result, response = client:user_profile{ user_id = "bob" }
      assert.truthy(result)
      assert.equal(1, response.attempts)
      assert.equal(3, #server:journal())
    end)
  end

  for _, path in ipairs{ "/stale", "/stale_reset", "/stale_reset_stream/REFUSED_STREAM" } do
    it("is what is idempotent, and counted, over HTTP/2: " .. path, function()
      local client = open("http2", path, { retries = 1 })
      assert(client:user_profile{ user_id = "bob" })
      local result, response = client:user_profile{ user_id = "bob" }
      assert.truthy(result)
      assert.equal(2, response.attempts)
      assert.equal(3, #server:journal())
    end)
  end

  -- libcurl alone would send it six times for one attempt of ours.
  for _, path in ipairs{ "/reset_stream/REFUSED_STREAM", "/early_reset_stream/REFUSED_STREAM",
    "/goodbye/below/NO_ERROR", "/reset_stream/INTERNAL_ERROR" } do
    for _, retries in ipairs{ 0, 2 } do
      it(("is what is idempotent no more than it may be: %s, %d retries"):format(path, retries),
        function()
          local client = open("http2", path, { retries = retries })
          local result, err = client:user_profile{ user_id = "bob" }
          assert.is_nil(result)
          assert.equal("network", err.kind)
          assert.is_true(err.request_sent)
          assert.equal(retries + 1, err.attempts)
          assert.equal(retries + 1, #server:journal())
        end)
    end
  end

  it("is what is idempotent where the server wants HTTP/1.1 for it", function()
    local client = open("http2", "/reset_stream/HTTP_1_1_REQUIRED/ok", { retries = 0 })
    local _, err = client:user_profile{ user_id = "bob" }
    assert.equal(404, err.status) -- that path is no fault of HTTP/1.1
    local journal = server:journal()
    assert.same({ "HTTP/2", "HTTP/1.1" }, { journal[1].version, journal[2].version })
    assert.equal(2, #journal)
  end)
end)
