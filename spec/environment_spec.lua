-- The environment of a process says nothing about where a client's requests go, who may read them,
-- whom it trusts and as whom it speaks, unless the script asks for that. And nothing is printed.

local files = require "spec.support.files"
local provider = require "spec.support.provider"

local SECRET = "environment-s3cret-0123456789"

local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

describe("the environment", function()
  local server, directory

  setup(function()
    server = provider.start()
    local pipe = assert(io.popen("mktemp -d", "r"))
    directory = pipe:read("*l")
    pipe:close()
  end)

  teardown(function()
    server:stop()
    os.execute("rm -rf " .. directory)
  end)

  before_each(function() server:clear() end)

  -- Runs a program under variables: what it prints. It is to print nothing to standard error.
  local function run(variables, program)
    local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
    local words = {
      "env -u LUA_INIT", files.quoted("LUA_PATH" .. suffix .. "=" .. package.path),
      files.quoted("LUA_CPATH" .. suffix .. "=" .. package.cpath),
    }
    for name, value in pairs(variables) do
      words[#words + 1] = files.quoted(name .. "=" .. value)
    end
    write(directory .. "/program.lua", program)
    words[#words + 1] = ("timeout 60 %s %s/program.lua 2>%s/stderr"):format(
      interpreter(), directory, directory)
    local pipe = assert(io.popen(table.concat(words, " "), "r"))
    local output = pipe:read("*a")
    pipe:close()
    assert.equal("", files.find(directory .. "/stderr"))
    return output
  end

  -- A call, and the kind of what comes of it.
  local function calling(url, options, how)
    return ([[
      local usher = require "usher"
      local client = usher.qiscus{
        app_id = "a", secret = %q, base_url = %q, retries = 0, timeout = 20, %s
      }
      local function call()
        local _, err = client:user_profile{ user_id = "u" }
        return err and err.kind or "ok"
      end
      print(%s)
      client:close()
    ]]):format(SECRET, url, options or "",
      how == "map" and "usher.map({ 1 }, call)[1]" or "call()")
  end

  local function trusting(more)
    return ("ca_file = %q, %s"):format(server.files.ca_file, more or "")
  end

  -- Who was asked, in order: "sink CONNECT", "http GET" ...
  local function asked()
    local seen = {}
    for i, request in ipairs(server:journal()) do
      seen[i] = request.listener .. " " .. request.method
    end
    return seen
  end

  describe("names proxies", function()
    local NAMES = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy",
      "ALL_PROXY" }

    local function proxies(names)
      local variables = {}
      for _, name in ipairs(NAMES) do variables[name] = "" end
      for _, name in ipairs(names) do variables[name] = server:url("sink", "") end
      return variables
    end

    for _, how in ipairs{ "blocking", "map" } do
      for _, listener in ipairs{ "http", "https" } do
        it(("in vain: %s, %s"):format(listener, how), function()
          assert.equal("ok\n", run(proxies(NAMES), calling(server:url(listener), trusting(), how)))
          assert.same({ listener .. " GET" }, asked())
        end)
      end
    end

    -- HTTP_PROXY is what a CGI program gets from a header named Proxy.
    for _, row in ipairs{
      { "http", "http_proxy", true }, { "http", "all_proxy", true }, { "http", "ALL_PROXY", true },
      { "http", "HTTP_PROXY", false }, { "http", "https_proxy", false },
      { "https", "https_proxy", true }, { "https", "HTTPS_PROXY", true },
      { "https", "all_proxy", true }, { "https", "ALL_PROXY", true },
      { "https", "http_proxy", false },
    } do
      local listener, name, obeyed = row[1], row[2], row[3]
      it(("and %s is %s for %s where the script asks"):format(
        name, obeyed and "obeyed" or "passed over", listener), function()
        local options = trusting('proxy = "environment", insecure_http = true')
        assert.equal("ok\n", run(proxies{ name }, calling(server:url(listener), options)))
        local ways = {
          http = { "sink GET" }, https = { "sink CONNECT", "https GET" },
        }
        assert.same(obeyed and ways[listener] or { listener .. " GET" }, asked())
      end)
    end

    for _, name in ipairs{ "no_proxy", "NO_PROXY" } do
      it("and " .. name .. " makes exceptions where the script asks", function()
        local variables = proxies(NAMES)
        variables[name] = "127.0.0.1"
        local options = trusting('proxy = "environment", insecure_http = true')
        for _, listener in ipairs{ "http", "https" } do
          server:clear()
          assert.equal("ok\n", run(variables, calling(server:url(listener), options)))
          assert.same({ listener .. " GET" }, asked())
        end
      end)
    end

    it("never for plain HTTP without leave, be it to loopback", function()
      for _, proxy in ipairs{ '"environment"', '"http://127.0.0.1:1"' } do
        local program = calling(server:url("http"), "proxy = " .. proxy)
        local output = run(proxies(NAMES), ("print((select(2, pcall(function() %s end))))"):format(
          program))
        assert.matches("proxy would see credentials in clear", output, 1, true)
        assert.same({}, asked())
      end
    end)
  end)

  it("names a .netrc in vain", function()
    write(directory .. "/.netrc", "machine 127.0.0.1 login me password netrc-pass\n"
      .. "default login me password netrc-pass\n")
    local variables = { HOME = directory, NETRC = directory .. "/.netrc", CURL_HOME = directory }
    for _, listener in ipairs{ "http", "https" } do
      assert.equal("ok\n", run(variables, calling(server:url(listener), trusting())))
    end
    local seen = server:journal()
    assert.equal(2, #seen)
    for _, request in ipairs(seen) do
      assert.equal(SECRET, provider.header(request, "QISCUS-SDK-SECRET"))
      assert.is_nil(provider.header(request, "Authorization"))
    end
  end)

  it("names a log for the keys of TLS in vain", function()
    local log = directory .. "/keys"
    for _, listener in ipairs{ "https", "http2" } do
      assert.equal("ok\n", run({ SSLKEYLOGFILE = log }, calling(server:url(listener), trusting())))
    end
    assert.equal(2, #server:journal())
    assert.equal("", files.find(log) or "")
  end)

  it("names authorities to trust in vain", function()
    for _, name in ipairs{ "CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE" } do
      assert.equal("tls\n", run({ [name] = server.files.ca_file }, calling(server:url("https"))))
    end
    assert.equal("tls\n", run({ SSL_CERT_DIR = directory }, calling(server:url("https"))))
    assert.same({}, asked())
  end)

  -- Where the system's own configuration would let it be spoken.
  it("names a configuration of OpenSSL with older TLS in vain", function()
    write(directory .. "/openssl.cnf", "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\n"
      .. "system_default = weak\n[weak]\nMinProtocol = TLSv1\n"
      .. "CipherString = DEFAULT@SECLEVEL=0\n")
    for _, listener in ipairs{ "old_tls", "tls_11" } do
      assert.equal("tls\n", run({ OPENSSL_CONF = directory .. "/openssl.cnf" },
        calling(server:url(listener), trusting())))
    end
    assert.same({}, asked())
  end)

  it("sees nothing printed, whatever becomes of a call", function()
    for _, row in ipairs{
      { "http", "/ok", "ok" }, { "http", "/status/500", "http" }, { "http", "/status/429",
        "rate_limited" }, { "http", "/redirect/302/elsewhere", "redirect" },
      { "http", "/sized/5", "decode" }, { "http", "/reset_in_body", "network" },
      { "http", "/http09", "protocol" }, { "refused", "/ok", "network" },
      { "https", "/ok", "ok" }, { "https", "/truncated", "network" }, { "http2", "/ok", "ok" },
      { "http2", "/reset_stream/INTERNAL_ERROR", "network" }, { "expired", "/ok", "tls" },
      { "self_signed", "/ok", "tls" }, { "old_tls", "/ok", "tls" }, { "mutual", "/ok", "tls" },
    } do
      local program = calling(server:url(row[1], row[2]), trusting())
      assert.equal(row[3] .. "\n", run({}, program), row[1] .. row[2])
    end
  end)
end)
