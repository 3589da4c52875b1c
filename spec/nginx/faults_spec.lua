-- The table of faults through nginx's cosockets, with real clients in light threads: the same
-- outcomes as through libcurl.

local calls = require "spec.support.calls"
local faults = require "spec.support.faults"
local nginx = require "spec.support.nginx"
local process = require "spec.support.process"
local provider = require "spec.support.provider"

local socket = require "socket"

local CONCURRENCY = 64
local MEGABYTE = 1048576

-- How far the memory of the worker may rise: what is too large has a limit of 1 MB a call.
local ceilings = { size = 32 * MEGABYTE, framing = 32 * MEGABYTE, content = 100 * MEGABYTE }

local WALK = [[
  local calls = require "spec.support.calls"
  local task = ...
  return calls.walk(calls.jobs(task.place, task.family, task.slow), task.concurrency)
]]

describe("in nginx, under every fault", function()
  local upstream, server, place, descriptors
  local met = 0

  -- The fewest descriptors in a while, which ends when there are no more than `wanted`.
  local function fewest_descriptors(seconds, wanted)
    local give_up, fewest = socket.gettime() + seconds, math.huge
    repeat
      socket.sleep(0.01)
      fewest = math.min(fewest, process.descriptors(server:pid()))
    until fewest <= wanted or socket.gettime() > give_up
    return fewest
  end

  setup(function()
    upstream = provider.start()
    server = nginx.start{
      http = "lua_ssl_trusted_certificate " .. upstream.files.ca_file .. ";\n"
        .. "lua_ssl_verify_depth 3; lua_ssl_protocols TLSv1.2 TLSv1.3;",
    }
    local urls = {}
    for listener in pairs(upstream.ports) do
      urls[listener] = upstream:url(listener, ""):gsub("127%.0%.0%.1", "localhost")
    end
    place = { transport = "nginx", urls = urls, patience = 3 }
    server:run("return require('spec.support.calls') ~= nil")
    descriptors = fewest_descriptors(0.2, 0)
  end)
  teardown(function()
    if server then server:stop() end
    if upstream then upstream:stop() end
    print(("\n%d fault outcomes"):format(met))
  end)
  before_each(function() upstream:clear() end)

  -- Connections are kept for later; when their other ends are closed, so are they.
  local function assert_descriptors()
    upstream:hang_up()
    assert.equal(descriptors, fewest_descriptors(5, descriptors))
  end

  local function walk(family, slow)
    local jobs = calls.jobs(place, family, slow)
    local outcomes = server:run(WALK, { place = place, family = family, slow = slow,
      concurrency = slow and #jobs or CONCURRENCY })
    met = met + #jobs
    assert.truthy(#jobs > 0)
    assert.same({}, calls.problems(jobs, outcomes, upstream:journal()))
    assert_descriptors()
  end

  for _, family in ipairs(faults.families) do
    if family ~= "HTTP/2" then
      it(("of %s each call ends as it should"):format(family), function()
        local rise = process.watch_memory(server:pid())
        walk(family, false)
        assert.truthy((rise() or 0) < (ceilings[family] or math.huge), rise())
      end)
    end
  end

  it("that takes time each call ends as it should", function() walk(nil, true) end)

  it("a peer that is faster than nginx does not keep the worker for itself", function()
    local turns = server:run([[
      local tcp = ngx.socket.tcp
      local head, bytes = "HTTP/1.1 200 OK\r\n\r\n", ("x"):rep(65536)
      ngx.socket.tcp = function() -- one that never has to wait
        local answer = head
        return {
          settimeouts = function() end, connect = function() return true end,
          getreusedtimes = function() return 0 end, close = function() end,
          send = function(_, text) return #text end,
          receiveany = function()
            local some = answer
            answer = bytes
            return some
          end,
        }
      end
      local turns, over = 0, false
      local other = ngx.thread.spawn(function()
        repeat
          ngx.sleep(0.001)
          turns = turns + 1
        until over
      end)
      local outcome = require("spec.nginx.run").send{ url = "http://127.0.0.1/",
        max_response_size = 8 * 1048576 }
      ngx.socket.tcp, over = tcp, true
      ngx.thread.wait(other)
      return outcome.kind == "too_large" and turns or outcome
    ]])
    assert.truthy(turns >= 16, turns)
  end)

  it("it goes on, and has nothing to complain of", function()
    assert.equal("pong", (select(2, server:request("GET", "/ping"))))
    local log = server:log()
    for _, word in ipairs{ "[alert]", "[emerg]", "aborted" } do
      assert.is_nil(log:find(word, 1, true), word)
    end
  end)
end)
