-- A server that sends a second, forged answer behind each true one: no call from nginx gets it.
-- keepalive_spec.lua has the awkward cases.

local nginx = require "spec.support.nginx"
local provider = require "spec.support.provider"

-- Three hundred calls, `asked.concurrency` at once; those that got another answer than is due.
local SEND = [[
  local asked = ...
  local transport = require("usher.transport.ngx").new()
  local usher = require "usher"
  local numbers = {}
  for i = 1, 300 do numbers[i] = i end
  local problems = {}
  usher.map(numbers, function(i)
    local write, forgery = i % 2 == 0, asked.forgeries[i % #asked.forgeries + 1]
    local status, kind, body = transport.send{
      method = write and "POST" or "GET", body = write and "{}" or nil, headers = {},
      url = ("%s/forged/%s/%d"):format(asked.base, forgery, i), idempotent = not write,
      timeout = 10, connect_timeout = 5, max_response_size = 1000,
    }
    local expected = forgery:find("empty", 1, true) and "" or ("%d"):format(i)
    if status and body == expected then return true end
    problems[#problems + 1] = status and "forged" or kind
    return false
  end, { concurrency = asked.concurrency })
  return problems
]]

describe("a forged answer behind a true one is never accepted, in nginx", function()
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

  for _, listener in ipairs{ "http", "https" } do
    for _, concurrency in ipairs{ 1, 16 } do
      it(("over %s, %d at once"):format(listener, concurrency), function()
        local base = upstream:url(listener, ""):gsub("127%.0%.0%.1", "localhost")
        assert.same({}, server:run(SEND, { base = base, concurrency = concurrency, forgeries = {
          "together/length", "split/length", "together/chunked", "split/chunked",
          "together/empty", "split/empty",
        } }))
        assert.equal(300, #upstream:journal())
      end)
    end
  end
end)
