-- What libcurl itself refuses, after all our checks: it takes no text of more than 8,000,000 bytes.

local curl = require "usher.curl"

local LARGE = ("x"):rep(9000000)

describe("what libcurl refuses", function()
  for _, name in ipairs{ "proxy", "ca_file", "ca_path", "client_cert", "client_key_file" } do
    it("raises when a pool is opened with it: " .. name, function()
      local ok, message = pcall(curl.new, { [name] = LARGE })
      assert.is_false(ok)
      assert.matches("^libcurl [%d.]+ cannot do what usher needs: ", message)
    end)
  end

  it("is how a transfer ends that was not sent", function()
    local pool = curl.new{}
    local transfer = pool:start{ method = "GET", url = "http://127.0.0.1:1/" .. LARGE }
    assert.is_true(transfer:done())
    local status, kind, _, sent = transfer:result()
    assert.same({ nil, "protocol", nil, false }, { status, kind, nil, sent })
    assert.equal(transfer, pool:step(0))
    assert.equal(0, pool:running())
    pool:close()
  end)
end)
