-- The table of faults through nginx's cosockets: the same outcomes as through libcurl.

local faults = require "spec.support.faults"
local nginx = require "spec.support.nginx"
local provider = require "spec.support.provider"

local SEND = "return require('spec.nginx.run').send(...)"

describe("a fault, in nginx", function()
  local upstream, server

  setup(function()
    upstream = provider.start()
    server = nginx.start{
      http = "lua_ssl_trusted_certificate " .. upstream.files.ca_file .. ";\n"
        .. "lua_ssl_verify_depth 3; lua_ssl_protocols TLSv1.2 TLSv1.3;",
    }
  end)
  teardown(function()
    if server then server:stop() end
    if upstream then upstream:stop() end
  end)
  before_each(function() upstream:clear() end)

  for _, row in ipairs(faults.rows) do
    it("has the right outcome: " .. row[1], function()
      local url = upstream:url(row[2], row[3], row[6]):gsub("127%.0%.0%.1", "localhost")
      for _, request in ipairs(faults.requests(url)) do
        upstream:clear()
        local answer = server:run(SEND, request)
        assert.is_nil(faults.problem(row, answer.status, answer.kind, answer.sent))
        if not request.idempotent then assert.truthy(#upstream:journal() <= 1) end
      end
    end)
  end
end)
