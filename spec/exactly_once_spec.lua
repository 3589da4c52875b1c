-- A write whose outcome is unknown is never sent twice: each method that is not idempotent, through
-- the whole library and over real HTTP, against a server that reads a request and then drops the
-- connection. The server's journal is the witness.

local provider = require "spec.support.provider"
local usher = require "usher"

-- Arguments that pass the checks of any row.
local VALUES = {
  string = "value", boolean = true, integer = 1, table = { a = 1 },
  ["list of strings"] = { "value" }, ["string or boolean"] = true,
  file = { data = "\137PNG", filename = "cat.png" },
}

local OPTIONS = {
  ertc = { api_key = "key", bundle_id = "b", tenant_id = "t", device_id = "d",
    access_token = "token", refresh_token = "refresh" },
  qiscus = { app_id = "app", secret = "secret" },
  smooch = { jwt = "a.b.c" },
  vchatcloud = { api_key = "key", token = "token" },
}

local function arguments_of(method)
  local arguments = {}
  for _, row in ipairs(method.parameters) do
    if row.required then
      arguments[row.name] = row.choices and row.choices:match("^[^|]+") or VALUES[row.type]
    end
  end
  return arguments
end

local function open(name, base_url)
  local options = { base_url = base_url, random = function() return 0 end }
  for option, value in pairs(OPTIONS[name]) do options[option] = value end
  return usher[name](options)
end

local function methods(idempotent)
  local list = {}
  for _, name in ipairs(usher.providers()) do
    for _, method in ipairs(usher.describe(name).methods) do
      if method.idempotent == idempotent then list[#list + 1] = { name = name, method = method } end
    end
  end
  return list
end

describe("over a pooled connection that dies after the request was read", function()
  local server
  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:clear() end)

  for _, fault in ipairs{ "stale", "stale_reset" } do
    for _, row in ipairs(methods(false)) do
      it(("%s:%s is sent once (%s)"):format(row.name, row.method.name, fault), function()
        local client = open(row.name, server:url("http", "/" .. fault))
        local arguments = arguments_of(row.method)
        client[row.method.name](client, arguments) -- answered, and its connection kept
        local before = #server:journal()
        assert.equal(1, before)
        local result, err = client[row.method.name](client, arguments)
        assert.is_nil(result)
        assert.equal("network", err.kind)
        assert.is_true(err.request_sent)
        assert.is_false(err.retryable)
        assert.equal(1, err.attempts)
        assert.equal(1, #server:journal() - before)
        client:close()
      end)
    end
  end

  it("a method that is idempotent is repeated, and says nothing of it", function()
    local client = open("qiscus", server:url("http", "/stale"))
    assert(client:user_profile{ user_id = "bob" })
    local result, response = client:user_profile{ user_id = "bob" }
    assert.truthy(result)
    assert.equal(200, response.status)
    assert.truthy(#server:journal() >= 3)
    client:close()
  end)

  it("there are methods of both classes to try", function()
    assert.truthy(#methods(false) >= 6)
    assert.truthy(#methods(true) >= 25)
  end)
end)
