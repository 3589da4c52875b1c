-- A write whose outcome is unknown is never sent twice, in nginx: what exactly_once_spec.lua is for
-- libcurl. The transport speaks HTTP/1.1 alone.

local nginx = require "spec.support.nginx"
local provider = require "spec.support.provider"
local writes = require "spec.support.writes"

local METHODS = writes.methods(false)

local ALL_AT_ONCE = [[
  local writes, usher = require "spec.support.writes", require "usher"
  local asked = ...
  return (usher.map(asked.calls, function(call)
    return writes.try(call, asked.fault, asked.options)
  end))
]]

describe("sent once, from nginx", function()
  local upstream, server

  setup(function()
    upstream = provider.start()
    server = nginx.start{
      http = "lua_ssl_trusted_certificate " .. upstream.files.ca_file .. ";",
    }
  end)
  teardown(function()
    if server then server:stop() end
    if upstream then upstream:stop() end
  end)
  before_each(function() upstream:clear() end)

  local function check(listener, fault, calls)
    local url = upstream:url(listener, fault[2]):gsub("127%.0%.0%.1", "localhost")
    local outcomes = server:run(ALL_AT_ONCE,
      { calls = calls, fault = fault, options = { base_url = url } })
    for i, call in ipairs(calls) do
      assert.is_nil(writes.problem(fault, outcomes[i]), call.provider .. ":" .. call.method)
    end
    assert.is_nil(writes.problem_of_journal(upstream, fault, #calls))
  end

  for _, listener in ipairs{ "http", "https" } do
    for _, fault in ipairs(writes.faults.http1) do
      it(("over %s to a server that %s, one after the other"):format(listener, fault[1]),
        function()
          for _, call in ipairs(METHODS) do
            upstream:clear()
            check(listener, fault, { call })
          end
        end)

      it(("over %s to a server that %s, all at once"):format(listener, fault[1]), function()
        check(listener, fault, METHODS)
      end)
    end
  end
end)
