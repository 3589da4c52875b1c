-- A server that sends a second, forged answer behind each true one: no call ever gets it. Over
-- HTTP/1.1 it must not be there when the connection is used again; HTTP/2 numbers its answers.
-- nginx/desync_spec.lua is the same for nginx.

local curl = require "usher.transport.curl"
local provider = require "spec.support.provider"
local usher = require "usher"

local CALLS, CALLS_HTTP2 = 300, 100

-- How the two answers are written, and how the first one says where it ends.
local FORGERIES = { "together/length", "split/length", "together/chunked", "split/chunked",
  "together/empty", "split/empty" }

local function range(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

describe("a forged answer behind a true one is never accepted", function()
  local server, transport
  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    server:clear()
    transport = curl.new{ ca_file = server.files.ca_file }
  end)
  after_each(function() transport.close() end)

  -- Sends the i-th request and says what is wrong with its answer.
  -- @treturn ?string nil: nothing; "forged": it is not the one that is due; else a kind of error
  local function try(listener, forgery, i)
    local write = i % 2 == 0
    local status, kind, body = transport.send{
      method = write and "POST" or "GET", body = write and "{}" or nil, headers = {},
      url = server:url(listener, ("/forged/%s/%d"):format(forgery, i)), idempotent = not write,
      timeout = 10, connect_timeout = 5, max_response_size = 1000,
    }
    if not status then return kind end
    local expected = forgery:find("empty", 1, true) and "" or ("%d"):format(i)
    return body ~= expected and "forged" or nil
  end

  local function one_by_one(count, attempt)
    local problems = {}
    for i = 1, count do problems[#problems + 1] = attempt(i) end
    return problems
  end

  local function at_once(concurrency)
    return function(count, attempt)
      return (select(2, usher.map(range(count), function(i)
        local problem = attempt(i)
        return problem == nil or nil, problem
      end, { concurrency = concurrency })))
    end
  end

  local ways = {
    { "one by one", one_by_one },
    { "in usher.map, one by one", at_once(1) },
    { "in usher.map, sixteen at once", at_once(16) },
  }

  for _, way in ipairs(ways) do
    for _, listener in ipairs{ "http", "https" } do
      it(("over %s: %s"):format(listener, way[1]), function()
        assert.same({}, way[2](CALLS, function(i)
          return try(listener, FORGERIES[i % #FORGERIES + 1], i)
        end))
        assert.equal(CALLS, #server:journal())
      end)
    end

    -- What nobody has opened ends the connection: what else runs on it may fail.
    for _, how in ipairs{ "same_stream", "push" } do
      it(("over http2: %s, %s"):format(way[1], how), function()
        local problems = way[2](CALLS_HTTP2, function(i) return try("http2", how, i) end)
        for _, problem in pairs(problems) do assert.equal("network", problem) end
      end)
    end
  end

  for _, way in ipairs{ ways[1], ways[2] } do
    it(("over http2: %s, on the stream of the next call"):format(way[1]), function()
      local failed = 0
      for _, problem in pairs(way[2](CALLS_HTTP2, function(i)
        return try("http2", "next_stream", i)
      end)) do
        assert.equal("network", problem)
        failed = failed + 1
      end
      assert.truthy(failed < CALLS_HTTP2 / 2)
    end)
  end

  it("over http2: late, but before the next request is written", function()
    local other = curl.new{ ca_file = server.files.ca_file }
    finally(other.close)
    for i = 1, 30 do
      assert.is_nil(try("http2", "late", i))
      assert.equal(200, (other.send{ method = "GET", url = server:url("http2", "/release"),
        headers = {}, idempotent = true, timeout = 10, connect_timeout = 5 }))
    end
    assert.equal(60, #server:journal())
  end)
end)
