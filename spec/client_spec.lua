-- What makes a client: its options and their refusals, and what a client is while it lives.

local files = require "spec.support.files"
local usher = require "usher"
local fake = require "spec.support.fake"
local refusal = require "spec.support.refusal"

local NULL = usher.null
local several = refusal.several

local pool = fake.pool()

-- A client whose transport has no answer to anything.
local function open(provider, options)
  finally(pool.close)
  return (pool.open(provider, {}, options))
end

-- Specs that a constructor refuses these changes of the usual options in these words.
local function refuses(name, provider, changes, words)
  it("refuses " .. name, function()
    assert.equal(("usher.%s: %s"):format(provider, words),
      refusal.of_client(provider, refusal.options(provider, changes)))
  end)
end

describe("the options of a client", function()
  refuses("an unknown option of the client, naming the nearest", "qiscus",
    { secrt = "x" }, "unknown option 'secrt'; did you mean 'secret'?")
  refuses("an unknown option of the client, naming the nearest shared one", "qiscus",
    { time_out = 1 }, "unknown option 'time_out'; did you mean 'timeout'?")
  refuses("an unknown option of the client like no other", "qiscus",
    { colour = "x" }, "unknown option 'colour'")
  refuses("options of the client without a name", "qiscus", { "x" },
    "option without a name: each is written name = value")

  for _, value in ipairs{ "bob", 5, true, print } do
    it(("cannot be a %s"):format(type(value)), function()
      assert.equal("usher.qiscus: expects a table of options", refusal.of_client("qiscus", value))
    end)
  end

  it("may be left out, which does not make up for the required ones", function()
    assert.equal("usher.vchatcloud: api_key is required: string", refusal.of_client("vchatcloud"))
  end)

  -- provider -> what is said without any option
  local REQUIRED = {
    ertc = several("base_url is required: string", "api_key is required: string",
      "bundle_id is required: string", "tenant_id is required: string"),
    smooch = "needs exactly one credential: key_id+secret|jwt",
    vchatcloud = "api_key is required: string",
    qiscus = several("app_id is required: string", "secret is required: string"),
  }
  for provider, words in pairs(REQUIRED) do
    it(("must be there: those of %s"):format(provider), function()
      assert.equal(("usher.%s: %s"):format(provider, words), refusal.of_client(provider, {}))
    end)
  end

  local OPTIONS = {
    { "app_id", "must be of type string, not boolean", true },
    { "app_id", "must be of type string, not table", {} },
    { "base_url", "must be of type string, not function", print },
    { "timeout", "must be of type number", "30" },
    { "timeout", "must be of type number", io.stdout },
    { "connect_timeout", "must be of type number", true },
    { "deadline", "must be of type number", {} },
    { "retries", "must be of type integer", "2" },
    { "max_response_size", "must be of type integer", "1000" },
    { "max_connections", "must be of type integer", "4" },
    { "proxy", "must be of type string", 8080 },
    { "insecure_http", "must be of type boolean", "yes" },
    { "ca_file", "must be of type string", true },
    { "client_cert", "must be of type string", {} },
    { "client_key_file", "must be of type string", print },
    { "verify", "must be of type boolean", 0 },
    { "user_agent", "must be of type string", 1 },
    { "headers", "must be of type table", "X: 1" },
    { "on_event", "must be of type function", {} },
    { "transport", "must be of type table or function", "curl" },
    { "clock", "must be of type function", 1700000000 },
    { "random", "must be of type function", 0.5 },
  }
  for _, row in ipairs(OPTIONS) do
    refuses(("%s for the option %s"):format(type(row[3]), row[1]), "qiscus",
      { [row[1]] = row[3] }, row[1] .. " " .. row[2])
  end

  refuses("null for an option", "qiscus", { secret = NULL }, "secret cannot be null")

  refuses("another nonce_unit", "ertc", { nonce_unit = "us" },
    "nonce_unit must be one of ms|s")
  refuses("another scope", "smooch", { scope = "user" },
    "scope must be one of app|account|appUser")
  refuses("another header_style", "qiscus", { header_style = "camel" },
    "header_style must be one of hyphen|underscore")

  refuses("two dots as the tenant", "ertc", { tenant_id = ".." },
    "tenant_id cannot stand in a path: it is empty, '.' or '..'")
  refuses("nothing as the app", "smooch", { app_id = "" },
    "app_id cannot stand in a path: it is empty, '.' or '..'")
  refuses("a dot as the version", "ertc", { version = "." },
    "version cannot stand in a path: it is empty, '.' or '..'")

  local LIMITS = {
    timeout = { 0, -1, 1e7, 1 / 0, 0 / 0 },
    connect_timeout = { 0, -1, 1e7 },
    deadline = { 0, -0.5, 1e7 },
    retries = { -1, 101, 1.5, 1 / 0, 0 / 0 },
    max_response_size = { 0, -1, 1.5, 2 ^ 31 },
  }
  for name, values in pairs(LIMITS) do
    local words = "must be above 0 and at most 1000000 seconds"
    if name == "retries" then words = "must be an integer, 0 to 100" end
    if name == "max_response_size" then words = "must be an integer, 1 to 2147483647" end
    for _, value in ipairs(values) do
      refuses(("%g for the option %s"):format(value, name), "qiscus", { [name] = value },
        name .. " " .. words)
    end
  end

  it("are refused with all their problems in one message, headers included", function()
    local message = refusal.of_client("qiscus", {
      secret = "a\nb", base_url = "http://api.example.com", headers = { Host = "x" }, timeout = 0,
      verify = "yes", colour = "red", transport = {},
    })
    assert.is_truthy(message:find("^usher%.qiscus: 8 problems\n"))
    for _, words in ipairs{
      "unknown option 'colour'", "app_id is required: string",
      "secret must not hold CR, LF or NUL", "base_url must be https",
      "verify must be of type boolean", "timeout must be above 0", "headers must not set Host",
      "transport needs a function 'send'",
    } do
      assert.is_truthy(message:find("\n  " .. words, 1, true))
    end
  end)
end)

describe("the credentials of Smooch", function()
  local words = "needs exactly one credential: key_id+secret|jwt"
  local rows = {
    { "none", {} },
    { "half of a key", { key_id = "k" } },
    { "the other half of a key", { secret = "s" } },
    { "a key and a JWT", { key_id = "k", secret = "s", jwt = "j" } },
    { "half of a key and a JWT", { key_id = "k", jwt = "j" } },
    { "the other half of a key and a JWT", { secret = "s", jwt = "j" } },
  }
  for _, row in ipairs(rows) do
    it("cannot be " .. row[1], function()
      assert.equal("usher.smooch: " .. words, refusal.of_client("smooch", row[2]))
    end)
  end
  refuses("scope appUser without a user", "smooch", { scope = "appUser" },
    "user_id is required with scope=appUser")

  it("may be a key or a JWT", function()
    finally(pool.close)
    assert.is_userdata((pool.open("smooch")))
    assert.is_userdata((pool.open("smooch", {},
      { key_id = fake.unset, secret = fake.unset, jwt = "j" })))
  end)
end)

describe("a line break or NUL", function()
  local FIELDS = {
    ertc = { "api_key", "bundle_id", "access_token", "refresh_token", "device_id" },
    smooch = { "key_id", "secret" },
    vchatcloud = { "api_key", "token" },
    qiscus = { "app_id", "secret", "user_agent", "proxy", "ca_file", "client_cert",
      "client_key_file" },
  }
  for provider, names in pairs(FIELDS) do
    for _, name in ipairs(names) do
      for what, bytes in pairs{ CR = "a\rb", LF = "a\n", NUL = "\0a" } do
        refuses(("%s in %s"):format(what, name), provider, { [name] = bytes },
          name .. " must not hold CR, LF or NUL")
      end
    end
  end
  for what, bytes in pairs{ CR = "a\rb", LF = "a\n", NUL = "\0a" } do
    it(("is refused in a JWT: %s"):format(what), function()
      assert.equal("usher.smooch: jwt must not hold CR, LF or NUL",
        refusal.of_client("smooch", { jwt = bytes }))
    end)
    refuses(("%s in a header"):format(what), "qiscus", { headers = { ["X-A"] = bytes } },
      "headers has CR, LF or NUL in X-A")
  end
end)

describe("an empty option", function()
  for provider, names in pairs{
    ertc = { "api_key", "bundle_id", "access_token", "refresh_token" },
    smooch = { "key_id", "secret" },
    vchatcloud = { "api_key", "token" },
    qiscus = { "app_id", "secret", "user_agent", "proxy", "ca_file" },
  } do
    for _, name in ipairs(names) do
      refuses(("%s of %s"):format(name, provider), provider, { [name] = "" },
        name .. " must not be empty")
    end
  end
end)

describe("extra headers", function()
  for _, name in ipairs{ "Host", "host", "Content-Length", "CONTENT-LENGTH", "Connection",
    "Transfer-Encoding", "Expect", "TE", "Trailer", "Upgrade", "Keep-Alive" } do
    refuses(("the header %s, which the transport sets"):format(name), "qiscus",
      { headers = { [name] = "1" } }, "headers must not set " .. name)
  end
  for _, name in ipairs{ "", "a b", "a:b", "a\r\nb", "a\0b", "Ä", "(a)", "a/b" } do
    refuses(("the name %q"):format(name), "qiscus", { headers = { [name] = "1" } },
      "headers has a name that is no header name")
  end
  for _, headers in ipairs{ { "X-A: 1" }, { ["X-A"] = 1 }, { ["X-A"] = true }, { ["X-A"] = {} } } do
    refuses(("a %s for a value"):format(type(select(2, next(headers)))), "qiscus",
      { headers = headers }, "headers must map strings to strings")
  end

  refuses("more of them than any server takes", "qiscus",
    { headers = { ["X-A"] = ("x"):rep(70000) } }, "headers are too large")

  it("are refused when two are one but for the case of their names", function()
    local message = refusal.of_client("qiscus", refusal.options("qiscus",
      { headers = { ["X-A"] = "1", ["x-a"] = "2" } }))
    assert.matches("^usher%.qiscus: headers sets twice [Xx]%-[Aa]$", message)
  end)
end)

describe("a base_url", function()
  local PLAIN = "base_url must be https: http sends credentials in clear and is for loopback only "
    .. "(insecure_http = true allows it)"
  local BEGIN = "base_url must begin with https:// (or http:// to loopback)"
  local USER = "base_url must not hold a user name or password"
  local QUERY = "base_url must not hold a query or a fragment"
  local PORT = "base_url has a port that is not 1 to 65535"
  local SPACE = "base_url must not hold spaces or control characters"
  local HOST = "base_url has a host with a character that host names do not have"
  local rows = {
    { "http://api.example.com", PLAIN },
    { "http://10.0.0.1", PLAIN },
    { "http://0.0.0.0", PLAIN },
    { "http://127.evil.example.com", PLAIN },
    { "http://127.0.0.1.example.com", PLAIN },
    { "http://127.0.0", PLAIN },
    { "http://localhost.example.com", PLAIN },
    { "http://[::2]", PLAIN },
    { "http://[::ffff:10.0.0.1]", PLAIN },
    { "ftp://api.example.com", BEGIN },
    { "file:///etc/passwd", BEGIN },
    { "api.example.com", BEGIN },
    { "https:/api.example.com", BEGIN },
    { "//api.example.com", BEGIN },
    { "javascript:alert(1)", BEGIN },
    { "not a URL", SPACE },
    { "https://", "base_url has no host" },
    { "https:///path", "base_url has no host" },
    { "https://:443", "base_url has no host" },
    { "https://user@api.example.com", USER },
    { "https://user:password@api.example.com", USER },
    { "http://127.0.0.1:80@api.example.com", USER },
    { "https://api.example.com?key=1", QUERY },
    { "https://api.example.com/v1?key=1", QUERY },
    { "https://api.example.com#top", QUERY },
    { "https://api.example.com:0", PORT },
    { "https://api.example.com:65536", PORT },
    { "https://api.example.com:99999999999999999999", PORT },
    { "https://api.example.com:", PORT },
    { "https://api.example.com:https", PORT },
    { "https://api.example.com:-1", PORT },
    { "https://api.example.com:4 43", SPACE },
    { "https://api.example.com:443:443", PORT },
    { "https://api.example.com/a b", SPACE },
    { "https://api.example.com/\r\nEvil: 1", nil },
    { "https://api.example.com/\127", SPACE },
    { "https://api\\.example.com", HOST },
    { "https://api,example.com", HOST },
    { "https://api.ex%61mple.com", HOST },
    { "https://[::1", HOST },
    { "https://[]", HOST },
    { "https://::1]", "base_url has no host" },
    { "https://a]b", HOST },
  }
  for _, row in ipairs(rows) do
    if row[2] then
      refuses(("%q"):format(row[1]), "qiscus", { base_url = row[1] }, row[2])
    end
  end

  it("with a line break is refused", function()
    local message = refusal.of_client("qiscus", refusal.options("qiscus",
      { base_url = "https://api.example.com/\r\nEvil: 1" }))
    assert.is_truthy(message:find("base_url must not hold CR, LF or NUL", 1, true))
  end)

  local accepted = {
    ["https://api.example.com"] = "https://api.example.com",
    ["https://api.example.com/"] = "https://api.example.com",
    ["https://api.example.com///"] = "https://api.example.com",
    ["https://api.example.com/chat/v9"] = "https://api.example.com/chat/v9",
    ["https://api.example.com/chat/"] = "https://api.example.com/chat",
    ["https://api.example.com/%20a/+"] = "https://api.example.com/%20a/+",
    ["https://api.example.com:1"] = "https://api.example.com:1",
    ["https://api.example.com:65535/x"] = "https://api.example.com:65535/x",
    ["https://[2001:db8::1]:8443"] = "https://[2001:db8::1]:8443",
    ["http://localhost"] = "http://localhost",
    ["http://localhost:8080"] = "http://localhost:8080",
    ["http://127.0.0.1:8080"] = "http://127.0.0.1:8080",
    ["http://127.255.0.9"] = "http://127.255.0.9",
    ["http://[::1]:8080/x"] = "http://[::1]:8080/x",
  }
  for given, base in pairs(accepted) do
    it(("may be %s"):format(given), function()
      local request = open("qiscus", { base_url = given }):request("get_user_list")
      assert.equal(base .. "/api/v2.1/rest/get_user_list", request.url)
    end)
  end

  it("may be http to anywhere with insecure_http", function()
    local client = open("qiscus", { base_url = "http://api.example.com", insecure_http = true })
    assert.equal("http://api.example.com/api/v2.1/rest/get_user_list",
      client:request("get_user_list").url)
    assert.equal("usher.qiscus: " .. PLAIN, refusal.of_client("qiscus", refusal.options("qiscus",
      { base_url = "http://api.example.com", insecure_http = false })))
  end)
end)

describe("a transport", function()
  for _, row in ipairs{
    { "an empty table", {}, "transport needs a function 'send'" },
    { "a table whose send is no function", { send = {} }, "transport needs a function 'send'" },
    { "a table whose sleep is no function", { send = print, sleep = 5 },
      "transport.sleep must be a function, not number" },
    { "a table whose close is no function", { send = print, close = "x" },
      "transport.close must be a function, not string" },
    { "a table whose attach is no function", { send = print, attach = 1 },
      "transport.attach must be a function, not number" },
  } do
    refuses(row[1], "qiscus", { transport = row[2] }, row[3])
  end
end)

describe("a rate", function()
  local PER_SECOND = "rate.per_second must be above 0 and at most 1000000"
  local BURST = "rate.burst must be a whole number from 1 to 1000000"
  for _, row in ipairs{
    { "nothing", {}, PER_SECOND },
    { "a number", 5, "rate must be of type table" },
    { "no calls a second", { per_second = 0 }, PER_SECOND },
    { "fewer than no calls a second", { per_second = -1 }, PER_SECOND },
    { "what is no number of calls", { per_second = 0 / 0 }, PER_SECOND },
    { "endless calls a second", { per_second = 1 / 0 }, PER_SECOND },
    { "a text", { per_second = "5" }, "rate.per_second must be of type number, not string" },
    { "an empty burst", { per_second = 1, burst = 0 }, BURST },
    { "half a burst", { per_second = 1, burst = 1.5 }, BURST },
    { "an endless burst", { per_second = 1, burst = 1 / 0 }, BURST },
    { "an unknown field", { per_second = 1, bursts = 2 },
      "rate has an unknown field 'bursts'; did you mean 'burst'?" },
    { "a dictionary that is not there", { per_second = 1, dict = "limits" },
      "rate.dict: there is no lua_shared_dict 'limits'" },
  } do
    refuses(row[1], "qiscus", { rate = row[2] }, row[3])
  end
end)

describe("a client", function()
  local WORDS = "usher: a client is expected, not %s; call with ':', as in client:method{...}"

  for _, value in ipairs{ "a string", 5, true, print, io.stdout } do
    it(("is expected before the arguments, not a %s"):format(type(value)), function()
      local client = open("qiscus")
      local words = WORDS:format(type(value))
      assert.equal(words, refusal.of(client.user_profile, value, { user_id = "b" }))
      assert.equal(words, refusal.of(client.request, value, "user_profile", { user_id = "b" }))
      assert.equal(words, refusal.of(client.curl, value, "user_profile", { user_id = "b" }))
      assert.equal(words, refusal.of(client.close, value))
    end)
  end

  it("is expected before the arguments: a dot for a colon is told", function()
    local client = open("qiscus")
    assert.equal(WORDS:format("table"), refusal.of(client.user_profile, { user_id = "b" }))
    assert.equal(WORDS:format("string"), refusal.of(client.request, "user_profile", {}))
    assert.equal(WORDS:format("nil"), refusal.of(client.close, nil))
  end)

  it("of another provider has not the method", function()
    local qiscus, smooch = open("qiscus"), open("smooch")
    assert.equal("usher.smooch: no method 'user_profile'",
      refusal.of(qiscus.user_profile, smooch, { user_id = "b" }))
  end)

  it("that is closed refuses every method, naming it", function()
    for _, provider in ipairs(usher.providers()) do
      local client = open(provider)
      client:close()
      for _, method in ipairs(usher.describe(provider).methods) do
        local words = ("usher.%s:%s: the client is closed"):format(provider, method.name)
        assert.equal(words, refusal.of_call(client, method.name, {}))
        assert.equal(words, refusal.of_call(client, "request", method.name, {}))
        assert.equal(words, refusal.of_call(client, "curl", method.name, {}))
      end
    end
  end)
end)

-- ---------------------------------------------------------------------------------- a whole life

describe("tostring of a client", function()
  local texts = {
    ertc = "usher.ertc: https://chat.example.com (open)",
    smooch = "usher.smooch: https://api.smooch.io (open)",
    vchatcloud = "usher.vchatcloud: https://vchatcloud.com (open)",
    qiscus = "usher.qiscus: https://api.qiscus.com (open)",
  }
  for provider, text in pairs(texts) do
    it(("says what and where it is: %s"):format(provider), function()
      local client = open(provider)
      assert.equal(text, tostring(client))
      client:close()
      assert.equal(("usher.%s (closed)"):format(provider), tostring(client))
    end)
  end
end)

describe("closing a client", function()
  it("twice does nothing more", function()
    local client = open("qiscus")
    assert.equal(0, select("#", client:close()))
    client:close()
    assert.equal("usher.qiscus (closed)", tostring(client))
  end)

  it("closes its transport, once", function()
    local closed = 0
    local client = open("qiscus", {
      transport = { send = print, close = function() closed = closed + 1 end },
    })
    client:close()
    client:close()
    assert.equal(1, closed)
  end)

  if _VERSION ~= "Lua 5.1" then -- which has no variables that close
    it("happens at the end of a block that holds it", function()
      local block = assert(load("local client <close> = ...; return tostring(client)"))
      local client = open("qiscus")
      assert.equal("usher.qiscus: https://api.qiscus.com (open)", block(client))
      assert.equal("usher.qiscus (closed)", tostring(client))
    end)
  end

  it("is what the garbage collector does too: nothing keeps it alive", function()
    local kept = setmetatable({}, { __mode = "k" })
    do
      local client = open("qiscus", { on_event = function() return kept end })
      kept[client] = true
      pool.close()
    end
    for _ = 1, 3 do collectgarbage() end
    assert.is_nil(next(kept))
  end)
end)

describe("a client", function()
  it("keeps its metatable to itself", function()
    local client = open("qiscus")
    assert.is_false(getmetatable(client))
    assert.has_error(function() setmetatable(client, {}) end)
  end)

  it("has the methods of its provider, shared by all its clients", function()
    local first, second = open("qiscus"), open("qiscus")
    assert.is_function(first.user_profile)
    assert.equal(first.user_profile, second.user_profile)
    assert.has_error(function() return first.get_app_user end)
  end)

  it("leaves the table of its options as it is, and to itself", function()
    finally(pool.close)
    local headers = { ["X-Team"] = "a" }
    local options = refusal.options("qiscus", { headers = headers, retries = 1 })
    local before = {}
    for name, value in pairs(options) do before[name] = value end
    local client = usher.qiscus(options)
    assert.same(before, options)
    assert.same({ ["X-Team"] = "a" }, headers)
    options.secret, options.base_url, headers["X-Team"] = "other", "https://x.example.com", "b"
    local request = client:request("get_user_list")
    client:close()
    assert.equal("https://api.qiscus.com/api/v2.1/rest/get_user_list", request.url)
    assert.equal("test-secret", request.headers["QISCUS-SDK-SECRET"])
    assert.equal("a", request.headers["X-Team"])
  end)

  it("does not call the metamethods of its options", function()
    local trap = { __index = function() error("a metamethod was called") end }
    finally(pool.close)
    local client = usher.qiscus(setmetatable(refusal.options("qiscus", {
      headers = setmetatable({ ["X-A"] = "1" }, trap),
    }), trap))
    local request = client:request("get_user_list")
    client:close()
    assert.equal("1", request.headers["X-A"])
  end)

  it("knows nothing of another", function()
    local first, second = open("ertc", { tenant_id = "one" }), open("ertc", { tenant_id = "two" })
    local arguments = { ertc_user_id = "u" }
    assert.is_truthy(first:request("pending_events", arguments).url:find("/tenants/one/", 1, true))
    first:close()
    assert.is_truthy(second:request("pending_events", arguments).url:find("/tenants/two/", 1, true))
  end)

  it("takes a transport that is a function", function()
    local client = open("qiscus", { transport = function() return 200, {}, '{"ok":1}' end })
    assert.same({ ok = 1 }, (client:get_user_list{}))
  end)

  it("lets an error of the transport pass through, and goes on", function()
    finally(pool.close)
    local client = pool.open("qiscus", { function() error({ 42 }) end, 200 })
    local ok, caught = pcall(client.get_user_list, client, {})
    assert.is_false(ok)
    assert.same({ 42 }, caught)
    assert.is_table((client:get_user_list{}))
  end)

  it("may yield through its transport", function()
    local client = open("qiscus", {
      transport = {
        send = function(request) return coroutine.yield("send", request.operation) end,
        sleep = function(seconds) coroutine.yield("sleep", seconds) end,
      },
    })
    local thread = coroutine.create(function() return client:get_user_list{} end)
    local function resume(...) return select(2, coroutine.resume(thread, ...)) end
    assert.same({ "send", "get_user_list" }, { resume() })
    assert.same({ "sleep", 0.125 }, { resume(503, {}, "") })
    assert.same({ "send", "get_user_list" }, { resume() })
    assert.same({ ok = true }, (resume(200, {}, '{"ok":true}')))
    assert.equal("dead", coroutine.status(thread))
  end)

  it("needs a clock that returns a number that can be", function()
    for _, value in ipairs{ 0 / 0, 1 / 0, -1 / 0 } do
      local client = open("ertc", { clock = function() return value end })
      assert.has_error(function() client:request("pending_events", { ertc_user_id = "u" }) end)
    end
    local client = open("ertc", { clock = function() return "now" end })
    assert.has_error(function() client:request("pending_events", { ertc_user_id = "u" }) end)
  end)

  it("needs dice that fall below 1", function()
    for _, value in ipairs{ 1, -0.1, 0 / 0, "0" } do
      local client = open("qiscus", { random = function() return value end })
      assert.has_error(function() client:request("get_user_list") end)
    end
  end)
end)

describe("an option that a call may override", function()
  local USER = { ertc_user_id = "u" }

  it("is the client's where the call says nothing", function()
    local client = open("ertc", { device_id = "phone", version = "v2" })
    local request = client:request("pending_events", USER)
    assert.equal("https://chat.example.com/v2/tenants/tenant-1/user/u/pendingEvents", request.url)
    assert.equal("phone", request.headers["deviceid"])
  end)

  for _, place in ipairs{ "arguments", "options" } do
    it(("is the call's where it stands in its %s, for that call"):format(place), function()
      local client = open("ertc", { device_id = "phone" })
      local given = { tenant_id = "a b", version = "v3" }
      local request
      if place == "arguments" then
        given.ertc_user_id = "u"
        request = client:request("reset_badge_count", given)
      else
        request = client:request("reset_badge_count", USER, given)
      end
      assert.equal("https://chat.example.com/v3/tenants/a%20b/user/u/resetBadgeCount", request.url)
      assert.equal("https://chat.example.com/v1/tenants/tenant-1/user/u/resetBadgeCount",
        client:request("reset_badge_count", USER).url)
    end)
  end

  it("is the argument's where both stand there", function()
    local request = open("ertc"):request("reset_badge_count",
      { ertc_user_id = "u", tenant_id = "argument" }, { tenant_id = "option" })
    assert.is_truthy(request.url:find("/tenants/argument/", 1, true))
  end)

  it("moves a Smooch call to an app", function()
    local client = open("smooch")
    local arguments = { user_id = "u" }
    assert.equal("https://api.smooch.io/v1/appusers/u",
      client:request("get_app_user", arguments).url)
    assert.equal("https://api.smooch.io/v1/apps/a%2Fb/appusers/u",
      client:request("get_app_user", arguments, { app_id = "a/b" }).url)
    local other = open("smooch", { app_id = "mine" })
    assert.equal("https://api.smooch.io/v1/apps/mine/appusers/u",
      other:request("get_app_user", arguments).url)
  end)

  it("is a header of its own beside an argument of that name in the body", function()
    local client = open("ertc", { device_id = "phone" })
    local request = client:request("logout_user", { ertc_user_id = "u", app_user_id = "a" })
    assert.equal('{"appUserId":"a"}', request.body)
    assert.equal("phone", request.headers["deviceid"])
    request = client:request("logout_user",
      { ertc_user_id = "u", app_user_id = "a", device_id = "tablet" })
    assert.equal('{"appUserId":"a","deviceId":"tablet"}', request.body)
    assert.equal("phone", request.headers["deviceid"])
    request = client:request("logout_user", { ertc_user_id = "u", app_user_id = "a" },
      { device_id = "watch" })
    assert.equal('{"appUserId":"a"}', request.body)
    assert.equal("watch", request.headers["deviceid"])
  end)
end)

describe("the headers of a request", function()
  it("name this library and what the user added", function()
    local plain = open("qiscus"):request("get_user_list").headers
    assert.equal("usher/" .. usher._VERSION, plain["User-Agent"])
    local named = open("qiscus", { user_agent = "bouncer/2.0 (night shift)" })
      :request("get_user_list").headers
    assert.equal("usher/" .. usher._VERSION .. " bouncer/2.0 (night shift)", named["User-Agent"])
  end)

  it("hold the extra ones, on every request and attempt", function()
    finally(pool.close)
    local client, world = pool.open("vchatcloud", {
      fake.answer(200, '{"data":{"X-AUTH-TOKEN":"token"}}'), 503, 200,
    }, { token = fake.unset, headers = { ["X-Team"] = "night", ["x-empty"] = "" } })
    client:list_users{ room_id = "r" }
    assert.equal(3, #world.requests)
    for _, request in ipairs(world.requests) do
      assert.equal("night", request.headers["X-Team"])
      assert.equal("", request.headers["x-empty"])
    end
  end)

  it("are never replaced by extra ones", function()
    local client = open("qiscus", {
      headers = { accept = "text/html", ["qiscus-sdk-secret"] = "mine", ["X-A"] = "1" },
    })
    assert.same({
      ["Accept"] = "application/json",
      ["User-Agent"] = "usher/" .. usher._VERSION,
      ["QISCUS-SDK-APP-ID"] = "test-app",
      ["QISCUS-SDK-SECRET"] = "test-secret",
      ["X-A"] = "1",
    }, client:request("get_user_list").headers)
  end)
end)

describe("request", function()
  it("is what the method sends, to the byte", function()
    for _, row in ipairs{
      { "ertc", "block_unblock_user",
        { ertc_user_id = "u", action = "block", app_user_id = "님" } },
      { "smooch", "post_image_message",
        { user_id = "u", role = "appMaker", source = { data = "\0\255", filename = "a.png" } } },
      { "vchatcloud", "cancel_mute", { room_id = "r", client_key = "a/b" } },
      { "qiscus", "login_or_register",
        { user_id = "b", username = "B", extras = { z = 1, a = { 2 } } } },
    } do
      finally(pool.close)
      local client, world = pool.open(row[1], { 200 })
      local shown = client:request(row[2], row[3])
      client[row[2]](client, row[3])
      local sent = world.requests[1]
      for _, name in ipairs{ "method", "url", "headers", "body" } do
        assert.same(shown[name], sent[name])
        shown[name] = nil
      end
      assert.is_nil(next(shown))
    end
  end)

  it("may be changed without a trace", function()
    local client = open("qiscus")
    local first = client:request("get_user_list")
    first.headers["QISCUS-SDK-SECRET"], first.url = "changed", "changed"
    local second = client:request("get_user_list")
    assert.equal("test-secret", second.headers["QISCUS-SDK-SECRET"])
    assert.are_not.equal("changed", second.url)
  end)

  it("shows where the token will stand that is not fetched yet, and fetches none", function()
    local client = open("vchatcloud", { token = fake.unset })
    local headers = client:request("list_users", { room_id = "r" }).headers
    assert.equal("(fetched before the first call)", headers["X-AUTH-TOKEN"])
  end)
end)

describe("curl", function()
  -- What the shell makes of a command: the words that curl would get.
  local function words(command)
    local name = os.tmpname()
    local file = assert(io.open(name, "wb"))
    file:write("curl() { for word; do printf '<%s>' \"$word\"; done; }\n", command, "\n")
    file:close()
    local pipe = assert(io.popen("sh " .. name))
    local text = pipe:read("*a")
    pipe:close()
    os.remove(name)
    return text
  end

  it("is a command whose words survive the shell", function()
    local arguments = {
      user_id = "it's $HOME `id` \"x\" \\ !", username = "two\nlines; rm -rf *",
      extras = { ["'"] = "''" },
    }
    local client = open("qiscus")
    local body = client:request("login_or_register", arguments).body
    local text = words(client:curl("login_or_register", arguments))
    assert.is_truthy(text:find("<-X><POST>", 1, true))
    assert.is_truthy(text:find("<--data-binary><" .. body .. ">", 1, true))
    assert.is_truthy(text:find("<-H><Content-Type: application/json>", 1, true))
    assert.is_truthy(text:find(
      "<https://api.qiscus.com/api/v2.1/rest/login_or_register>", 1, true))
  end)

  it("names a file, and lets curl make the form", function()
    local command = open("smooch"):curl("post_image_message", {
      user_id = "u", role = "appUser", text = "@it's", source = { path = "spec/helper.lua" },
    })
    local text = words(command)
    assert.is_truthy(text:find("helper.lua;type=application/octet-stream>", 1, true))
    assert.is_truthy(text:find("<--form><source=@", 1, true))
    assert.is_truthy(text:find("<--form-string><text=@it's>", 1, true))
    assert.is_truthy(text:find("<--form-string><role=appUser>", 1, true))
    assert.is_nil(command:find("boundary", 1, true))
    assert.is_nil(command:find("Loaded by busted", 1, true))
  end)

  it("sends an empty body where the method does", function()
    local text = words(open("vchatcloud"):curl("mute_user", { room_id = "r", client_key = "k" }))
    assert.is_truthy(text:find("<--data-binary><>", 1, true))
    text = words(open("vchatcloud"):curl("list_users", { room_id = "r" }))
    assert.is_nil(text:find("--data-binary", 1, true))
  end)
end)

-- ----------------------------------------------------------------------------------- environment

describe("the environment", function()
  local function interpreter()
    local first = 0
    while arg[first - 1] do first = first - 1 end
    return arg[first]
  end

  -- What a program prints in an interpreter of this kind, with these variables. `options` is the
  -- table of a constructor, as Lua text.
  local function run(variables, program)
    local version = _VERSION == "Lua 5.1" and "" or "_5_4"
    local command = { "env", "-u LUA_INIT" }
    variables["LUA_PATH" .. version] = package.path
    variables["LUA_CPATH" .. version] = package.cpath
    for name, value in pairs(variables) do
      command[#command + 1] = files.quoted(name .. "=" .. value)
    end
    command[#command + 1] = ("%s -e %s 2>&1"):format(interpreter(), files.quoted(program))
    local pipe = assert(io.popen(table.concat(command, " ")))
    local output = pipe:read("*a")
    pipe:close()
    return output
  end

  local function headers_of(provider, options, method, arguments, variables)
    return run(variables, ([[
      local client = require("usher").%s(%s)
      local request = client:request("%s", %s)
      local names = {}
      for name in pairs(request.headers) do names[#names + 1] = name end
      table.sort(names)
      print(request.url)
      for _, name in ipairs(names) do print(name .. ": " .. request.headers[name]) end
      client:close()
    ]]):format(provider, options, method, arguments))
  end

  local function has(text, line)
    return ("\n" .. text):find("\n" .. line .. "\n", 1, true) ~= nil
  end

  it("fills the options that are not given", function()
    local text = headers_of("qiscus", "{}", "get_user_list", "{}", {
      USHER_QISCUS_APP_ID = "app-of-environment",
      USHER_QISCUS_SECRET = "secret-of-environment",
      USHER_QISCUS_BASE_URL = "https://proxy.example.com/q",
      USHER_QISCUS_HEADER_STYLE = "underscore",
    })
    assert.is_true(has(text, "https://proxy.example.com/q/api/v2.1/rest/get_user_list"))
    assert.is_true(has(text, "QISCUS_SDK_APP_ID: app-of-environment"))
    assert.is_true(has(text, "QISCUS_SDK_SECRET: secret-of-environment"))
  end)

  it("fills them for every provider", function()
    local text = headers_of("ertc", "", "pending_events", '{ ertc_user_id = "u" }', {
      USHER_ERTC_BASE_URL = "https://chat.example.com", USHER_ERTC_API_KEY = "k",
      USHER_ERTC_BUNDLE_ID = "b", USHER_ERTC_TENANT_ID = "t", USHER_ERTC_ACCESS_TOKEN = "at",
      USHER_ERTC_DEVICE_ID = "phone", USHER_ERTC_NONCE_UNIT = "s",
    })
    assert.is_true(has(text, "https://chat.example.com/v1/tenants/t/user/u/pendingEvents"))
    assert.is_true(has(text, "Authorization: Bearer at"))
    assert.is_true(has(text, "deviceid: phone"))
    text = headers_of("vchatcloud", "", "list_users", '{ room_id = "r" }', {
      USHER_VCHATCLOUD_API_KEY = "k", USHER_VCHATCLOUD_TOKEN = "t",
    })
    assert.is_true(has(text, "API_KEY: k"))
    assert.is_true(has(text, "X-AUTH-TOKEN: t"))
    text = headers_of("smooch", "", "get_app_user", '{ user_id = "u" }', {
      USHER_SMOOCH_JWT = "a.b.c", USHER_SMOOCH_APP_ID = "app",
    })
    assert.is_true(has(text, "https://api.smooch.io/v1/apps/app/appusers/u"))
    assert.is_true(has(text, "Authorization: Bearer a.b.c"))
  end)

  it("gives way to an explicit option", function()
    local text = headers_of("qiscus", '{ secret = "explicit" }', "get_user_list", "{}", {
      USHER_QISCUS_APP_ID = "app-of-environment", USHER_QISCUS_SECRET = "secret-of-environment",
    })
    assert.is_true(has(text, "QISCUS-SDK-APP-ID: app-of-environment"))
    assert.is_true(has(text, "QISCUS-SDK-SECRET: explicit"))
  end)

  it("gives way, as a credential, to an explicit one of the other kind", function()
    local text = headers_of("smooch", '{ jwt = "a.b.c" }', "get_app_user", '{ user_id = "u" }', {
      USHER_SMOOCH_KEY_ID = "k", USHER_SMOOCH_SECRET = "s",
    })
    assert.is_true(has(text, "Authorization: Bearer a.b.c"))
    text = headers_of("smooch", '{ key_id = "app_test_key", secret = "test-secret" }',
      "get_app_user", '{ user_id = "u" }', { USHER_SMOOCH_JWT = "a.b.c" })
    assert.is_nil(text:find("Bearer a.b.c", 1, true))
    assert.is_truthy(text:find("Authorization: Bearer eyJ", 1, true))
  end)

  it("completes half of an explicit credential", function()
    local text = headers_of("smooch", '{ key_id = "app_test_key" }', "get_app_user",
      '{ user_id = "u" }', { USHER_SMOOCH_SECRET = "test-secret", USHER_SMOOCH_JWT = "a.b.c" })
    assert.is_truthy(text:find("Authorization: Bearer eyJ", 1, true))
  end)

  it("says nothing with an empty variable", function()
    local text = headers_of("qiscus", '{ app_id = "a" }', "get_user_list", "{}",
      { USHER_QISCUS_SECRET = "" })
    assert.is_truthy(text:find("usher.qiscus: secret is required: string", 1, true))
    text = headers_of("qiscus", '{ app_id = "a", secret = "s" }', "get_user_list", "{}",
      { USHER_QISCUS_BASE_URL = "" })
    assert.is_true(has(text, "https://api.qiscus.com/api/v2.1/rest/get_user_list"))
  end)

  it("is checked like any option", function()
    local text = headers_of("qiscus", '{ app_id = "a" }', "get_user_list", "{}",
      { USHER_QISCUS_SECRET = "two\nlines", USHER_QISCUS_BASE_URL = "http://api.example.com" })
    assert.is_truthy(text:find("secret must not hold CR, LF or NUL", 1, true))
    assert.is_truthy(text:find("base_url must be https", 1, true))
  end)

  it("is not asked for options that all providers share", function()
    local text = run({ USHER_QISCUS_TIMEOUT = "1", USHER_QISCUS_VERIFY = "false" }, [[
      local client = require("usher").qiscus{
        app_id = "a", secret = "s",
        transport = function(request) print(request.timeout) return 200, {}, "{}" end,
      }
      client:get_user_list{}
      client:close()
    ]])
    assert.equal("30", (text:match("^(%d+)")))
  end)

  it("needs no libcurl for a client that sends nothing", function()
    local text = run({}, [[
      local client = require("usher").qiscus{ app_id = "a", secret = "s" }
      client:request("get_user_list")
      client:curl("get_user_list")
      client:close()
      print(package.loaded["usher.curl"], package.loaded["usher.transport.curl"])
    ]])
    assert.equal("nil\tnil\n", text)
  end)
end)
