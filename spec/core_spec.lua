-- usher.core by itself: what the Lua layer never asks of it.

local core = require "usher.core"

-- What a program prints in an interpreter of this kind that gets a SIGINT after `seconds`.
local function interrupted(seconds, program)
  local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
  local first = 0
  while arg[first - 1] do first = first - 1 end
  local pipe = assert(io.popen(("env -u LUA_INIT LUA_PATH%s='%s' LUA_CPATH%s='%s' "
    .. "timeout -s INT %s '%s' -e '%s' 2>&1"):format(suffix, package.path, suffix, package.cpath,
    seconds, arg[first], program)))
  local output = pipe:read("*a")
  pipe:close()
  return output
end

describe("usher.core", function()
  it("has no client and no class of a provider that is none", function()
    assert.has_error(function() core.class("nope") end, "no such provider")
    local ok, message = pcall(core.client, "nope", {}, 1)
    assert.is_false(ok)
    assert.matches("usher has no provider 'nope'", message, 1, true)
  end)

  it("spells no more bytes than a body may have", function()
    assert.has_error(function() core.base64url_encode(("x"):rep(49 * 2 ^ 20)) end,
      "usher: it is too large")
  end)

  it("redacts secrets, but not those that are too short to be any", function()
    assert.equal("*** and *** abc", core.redact("s3cret and a%2Fb+c abc", { "s3cret", "a/b c",
      "abc" }))
    assert.equal("", core.redact("", {}))
  end)

  it("wakes from a sleep for a signal", function()
    local started = core.monotonic()
    assert.matches("interrupted!", interrupted(0.3, [[require("usher.core").sleep(60)]]), 1, true)
    assert.is_true(core.monotonic() - started < 30)
  end)
end)
