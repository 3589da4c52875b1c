-- The transport inside a real nginx, against a misbehaving provider: what it sends, what it reads,
-- and what it makes of everything that can go wrong.

local nginx = require "spec.support.nginx"
local provider = require "spec.support.provider"

local SEND = "return require('spec.nginx.run').send((...).request, (...).settings)"

describe("the nginx transport", function()
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

  -- The URL of a path, by name instead of by address where a certificate is to be verified.
  local function url_of(listener, path, host)
    return (upstream:url(listener, path):gsub("127%.0%.0%.1", host or "localhost"))
  end

  local function send(request, settings)
    request.timeout = request.timeout or 5
    request.connect_timeout = request.connect_timeout or 2
    request.max_response_size = request.max_response_size or 100000
    if request.idempotent == nil then request.idempotent = true end
    return server:run(SEND, { request = request, settings = settings })
  end

  local function get(path, listener)
    return send{ url = url_of(listener or "http", path) }
  end

  after_each(function()
    local log = server:log()
    assert.is_nil(log:match("[^\n]*%[alert%][^\n]*"))
    assert.is_nil(log:match("[^\n]*%[emerg%][^\n]*"))
    assert.is_nil(log:match("[^\n]*aborted: runtime error[^\n]*"))
  end)

  describe("sends", function()
    it("method, path, query, headers and body as they are", function()
      local body = "{\"a\":\"\0\255 b\"}"
      local answer = send{
        method = "POST", url = url_of("http", "/ok/a%2Fb%20c?d=e%26f&d=%00"), body = body,
        headers = { ["X-One"] = "1", Authorization = "Bearer secret" },
      }
      assert.equal(200, answer.status)
      assert.equal('{"ok":true}', answer.body)
      assert.equal("application/json", answer.headers["content-type"])
      local request = upstream:journal()[1]
      assert.equal("POST", request.method)
      assert.equal("/ok/a%2Fb%20c?d=e%26f&d=%00", request.target)
      assert.equal("HTTP/1.1", request.version)
      assert.equal(body, request.body)
      assert.same({
        { "Host", "localhost:" .. upstream.ports.http }, { "Authorization", "Bearer secret" },
        { "X-One", "1" }, { "Accept-Encoding", "identity" }, { "Content-Length", "12" },
      }, request.headers)
    end)

    it("Content-Length: 0 for a POST without a body, and nothing for a GET", function()
      send{ method = "POST", url = url_of("http", "/ok") }
      send{ method = "GET", url = url_of("http", "/ok") }
      local journal = upstream:journal()
      assert.equal("0", provider.header(journal[1], "content-length"))
      assert.is_nil(provider.header(journal[2], "content-length"))
    end)

    it("a body larger than all buffers on the way", function()
      local answer = server:run([[
        local request = ...
        request.body = ("0123456789abcdef"):rep(262144)
        return require("spec.nginx.run").send(request)
      ]], { method = "POST", url = url_of("http", "/ok"), timeout = 10, connect_timeout = 2,
        max_response_size = 1000 })
      assert.equal(200, answer.status)
      assert.equal(4 * 1024 * 1024, #upstream:journal()[1].body)
    end)

    it("no request that a value could have split in two", function()
      for _, request in ipairs({
        { url = url_of("http", "/ok\r\nX: y") }, { url = url_of("http", "/ok and more") },
        { url = url_of("http", "/ok"), method = "GET /" },
        { url = url_of("http", "/ok"), headers = { ["X-A"] = "1\r\nX-B: 2" } },
        { url = url_of("http", "/ok"), headers = { ["X-A\r\nX-B"] = "1" } },
        { url = url_of("http", "/ok"), headers = { ["Content-Length"] = "9" }, body = "1" },
        { url = "ftp://localhost/ok" }, { url = "http://user@localhost/ok" },
        { url = url_of("http", "") .. "?no=path" }, { url = "http:///ok" },
      }) do
        local answer = send(request)
        assert.equal("protocol", answer.kind)
        assert.is_false(answer.sent)
      end
      assert.same({}, upstream:journal())
    end)
  end)

  describe("reads", function()
    it("bodies of every framing", function()
      assert.equal(("x"):rep(70000), get("/sized/70000").body)
      assert.equal(("x"):rep(70000), get("/chunks/70000").body)
      assert.equal("", get("/status/204").body)
      assert.equal(304, get("/status/304").status)
      assert.equal('{"ok":true}', get("/interim").body)
    end)

    it("repeated and empty headers", function()
      local headers = get("/header_repeated").headers
      assert.equal("one, two", headers["x-twice"])
      assert.equal("", headers["x-empty"])
    end)

    it("redirects and refusals as ordinary answers, without a second request", function()
      local answer = get("/redirect/307/elsewhere")
      assert.equal(307, answer.status)
      assert.equal("http://localhost:" .. upstream.ports.sink .. "/ok", answer.headers.location)
      assert.equal(401, get("/challenge/Basic").status)
      assert.equal(2, #upstream:journal())
    end)

    it("an answer that comes before the body was read", function()
      local answer = server:run([[
        local request = ...
        request.body = ("x"):rep(8 * 1024 * 1024)
        return require("spec.nginx.run").send(request)
      ]], { method = "POST", url = url_of("http", "/early_error"), timeout = 5,
        connect_timeout = 2, max_response_size = 1000 })
      if answer.status then
        assert.equal(413, answer.status)
      else -- the reset overtook the answer
        assert.equal("network", answer.kind)
        assert.is_true(answer.sent)
      end
      assert.equal(1, #upstream:journal())
    end)
  end)

  describe("fails", function()
    -- fault, listener, kind, whether it was sent, words in the message
    local FAULTS = {
      { "/ok", "refused", "network", false, "connection refused" },
      { "/ok", "black_hole", "timeout", false, "timeout" },
      { "/ok", "accept_close", "network", true, "" },
      { "/ok", "accept_reset", "network", nil, "" }, -- as early as in connect, or later
      { "/ok", "silent", "timeout", true, "timed out in the response headers" },
      { "/close_before_reply", "http", "network", true, "closed in the response headers" },
      { "/reset_before_reply", "http", "network", true, "" },
      { "/close_in_head", "http", "network", true, "closed in the response headers" },
      { "/truncated", "http", "network", true, "closed in the response body" },
      { "/truncated_chunks", "http", "network", true, "closed in the response body" },
      { "/reset_in_body", "http", "network", true, "" },
      { "/stall/start", "http", "timeout", true, "timed out" },
      { "/stall/head", "http", "timeout", true, "timed out" },
      { "/stall/body", "http", "timeout", true, "timed out" },
      { "/slow/20", "http", "timeout", true, "timed out in the response body" },
      { "/http09", "http", "protocol", true, "not HTTP" },
      { "/switching", "http", "protocol", true, "final status" },
      { "/bad_chunk", "http", "protocol", true, "chunk" },
      { "/length_negative", "http", "protocol", true, "Content-Length" },
      { "/lengths_differ", "http", "protocol", true, "Content-Length" },
      { "/header_nul", "http", "protocol", true, "NUL" },
      { "/header_without_colon", "http", "protocol", true, "no header" },
      { "/gzip", "http", "protocol", true, "Content-Encoding" },
      { "/coding_unknown", "http", "protocol", true, "Content-Encoding" },
      { "/sized/100001", "http", "too_large", true, "max_response_size" },
      { "/chunks/100001", "http", "too_large", true, "max_response_size" },
      { "/endless_body", "http", "too_large", true, "max_response_size" },
      { "/length_huge", "http", "too_large", true, "max_response_size" },
      { "/huge_header/300", "http", "too_large", true, "headers" },
      { "/many_headers/2000", "http", "too_large", true, "headers" },
      { "/endless_headers", "http", "too_large", true, "headers" },
      { "/endless_trailers", "http", "too_large", true, "headers" },
      { "/endless_interim", "http", "too_large", true, "headers" },
    }
    for _, row in ipairs(FAULTS) do
      local path, listener, kind, sent, words = row[1], row[2], row[3], row[4], row[5]
      local where = listener == "http" and path or path .. " on " .. listener
      it("with " .. kind .. " for " .. where, function()
        local answer = send{ url = url_of(listener, path), timeout = 1, connect_timeout = 0.3 }
        assert.equal(kind, answer.kind, answer.message)
        if sent ~= nil then assert.equal(sent, answer.sent) end
        assert.is_truthy(answer.message:find(words, 1, true), answer.message)
        assert.is_true(answer.elapsed < 1.5, answer.elapsed)
        assert.is_true(#upstream:journal() <= 1)
      end)
    end

    it("over TLS likewise", function()
      assert.equal("network", get("/truncated", "https").kind)
      assert.equal("too_large", get("/sized/100001", "https").kind)
      assert.equal("protocol", get("/bad_chunk", "https").kind)
    end)

    it("within the connect timeout where nobody accepts, and within the time of the attempt",
      function()
        local answer = send{ url = url_of("black_hole", "/ok"), connect_timeout = 0.2 }
        assert.is_true(answer.elapsed >= 0.19 and answer.elapsed < 0.6, answer.elapsed)
        answer = send{ url = url_of("black_hole", "/ok"), connect_timeout = 5, timeout = 0.2 }
        assert.equal("timeout", answer.kind)
        assert.is_false(answer.sent)
        assert.is_true(answer.elapsed < 0.6, answer.elapsed)
      end)

    it("within the time of the attempt however often a byte arrives", function()
      local answer = send{ url = url_of("http", "/slow/20"), timeout = 0.3 }
      assert.equal("timeout", answer.kind)
      assert.is_true(answer.elapsed >= 0.29 and answer.elapsed < 0.6, answer.elapsed)
    end)

    it("within the time of the attempt where nobody reads the request", function()
      local answer = server:run([[
        local request = ...
        request.body = ("x"):rep(16 * 1024 * 1024)
        return require("spec.nginx.run").send(request)
      ]], { method = "POST", url = url_of("silent", "/ok"):gsub("^https", "http"), timeout = 0.4,
        connect_timeout = 0.2, max_response_size = 1000 })
      assert.equal("timeout", answer.kind)
      assert.is_true(answer.sent)
      assert.is_true(answer.elapsed < 1, answer.elapsed)
    end)
  end)

  it("lets go of an upload that nobody reads where its light thread is killed", function()
    assert.is_true(server:run([[
      local request = ...
      request.body = ("x"):rep(16 * 1024 * 1024)
      local thread = ngx.thread.spawn(function() require("spec.nginx.run").send(request) end)
      ngx.sleep(0.05)
      return ngx.thread.kill(thread) == 1
    ]], { method = "POST", url = url_of("silent", "/ok"):gsub("^https", "http"), timeout = 60,
      connect_timeout = 2, max_response_size = 1000 })) -- the spec waits for 20 seconds
  end)

  describe("over TLS", function()
    it("sends the name and verifies it", function()
      local answer = get("/ok", "https")
      assert.equal(200, answer.status, answer.message)
    end)

    -- Words of nginx where it says any: a handshake that needs no wait loses them, see the
    -- transport. So each is tried until they come, and must never succeed.
    local function refusal(listener, words)
      local answer
      for _ = 1, 50 do
        answer = get("/ok", listener)
        assert.equal("tls", answer.kind)
        assert.is_false(answer.sent)
        if answer.message:find(words, 1, true) then return answer end
      end
      error("the message never says " .. words .. ": " .. answer.message)
    end

    -- listener, words in the message
    for _, row in ipairs({
      { "wrong_host", "host mismatch" }, { "expired", "10: certificate has expired" },
      { "not_yet", "9: certificate is not yet valid" }, { "self_signed", "18: self" },
      { "unknown_ca", ": unable to" }, { "old_tls", "handshake failed" },
      { "alert", "handshake failed" },
    }) do
      it("refuses the server " .. row[1], function()
        refusal(row[1], row[2])
        assert.same({}, upstream:journal())
      end)
    end

    it("says where trusted certificates are named", function()
      refusal("self_signed", "lua_ssl_trusted_certificate")
    end)

    it("fails where the server wants a certificate and there is none", function()
      local answer = get("/ok", "mutual") -- TLS 1.3: it is told so after the handshake
      assert.is_truthy(answer.kind == "network" or answer.kind == "tls", answer.kind)
      assert.same({}, upstream:journal())
    end)

    it("cannot verify an IP address, and says what to do", function()
      local said = false
      for _ = 1, 50 do
        local answer = send{ url = url_of("https", "/ok", "127.0.0.1") }
        assert.equal("tls", answer.kind)
        said = said or answer.message:find("instead of an IP address", 1, true)
      end
      assert.is_truthy(said)
    end)

    it("asks for no proof with verify = false", function()
      for _, listener in ipairs({ "wrong_host", "expired", "self_signed", "https" }) do
        for _, host in ipairs({ "localhost", "127.0.0.1" }) do
          local answer = send({ url = url_of(listener, "/ok", host) }, { verify = false })
          assert.equal(200, answer.status, answer.message)
        end
      end
    end)

    it("gives up a handshake that does not end", function()
      local answer = send{ url = url_of("silent", "/ok"):gsub("^http:", "https:"),
        connect_timeout = 0.3 }
      assert.equal("timeout", answer.kind)
      assert.is_false(answer.sent)
      assert.is_true(answer.elapsed < 0.8, answer.elapsed)
    end)

    it("fails before anything is sent where the handshake is cut", function()
      for _, listener in ipairs({ "accept_close", "accept_reset" }) do
        local answer = send{ url = url_of(listener, "/ok"):gsub("^http:", "https:") }
        assert.is_truthy(answer.kind == "tls" or answer.kind == "network", answer.kind)
        assert.is_false(answer.sent)
      end
    end)

    it("shows a client certificate", function()
      local files = upstream.files
      local answer = send({ url = url_of("mutual", "/ok") },
        { client_cert = files.client_cert, client_key_file = files.client_key_file })
      assert.equal(200, answer.status, answer.message)
    end)

    it("never mixes verified and unverified connections, nor certificates, in a pool", function()
      local unverified, files = { verify = false }, upstream.files
      local url = url_of("https", "/ok")
      send({ url = url }, unverified)
      send({ url = url })
      send({ url = url },
        { client_cert = files.client_cert, client_key_file = files.client_key_file })
      assert.equal(3, upstream:connections())
      send({ url = url }, unverified)
      send({ url = url })
      assert.equal(3, upstream:connections())
      -- an unverified connection to this server is open, and of no use
      assert.equal(200, send({ url = url_of("expired", "/ok") }, unverified).status)
      assert.equal("tls", send({ url = url_of("expired", "/ok") }).kind)
    end)
  end)

  describe("through a proxy", function()
    local function proxy(userinfo)
      return { proxy = "http://" .. (userinfo or "") .. "localhost:" .. upstream.ports.http .. "/" }
    end

    it("tells it the whole URL of an http server", function()
      local url = url_of("sink", "/ok?a=b")
      local answer = send({ url = url, headers = { ["X-A"] = "1" } }, proxy("me:pass%20word@"))
      assert.equal(200, answer.status, answer.message)
      local request = upstream:journal()[1]
      assert.equal(url, request.target)
      assert.equal("http", request.listener)
      assert.equal("Basic bWU6cGFzcyB3b3Jk", provider.header(request, "proxy-authorization"))
      assert.equal("1", provider.header(request, "x-a"))
    end)

    it("tunnels to an https server, which does not see what was for the proxy", function()
      local settings = proxy("me:secret@")
      for _ = 1, 2 do
        local answer = send({ url = url_of("https", "/ok"), headers = { ["X-A"] = "1" } }, settings)
        assert.equal(200, answer.status, answer.message)
      end
      local journal = upstream:journal()
      assert.equal(3, #journal) -- one CONNECT for both
      assert.equal("CONNECT", journal[1].method)
      assert.equal("localhost:" .. upstream.ports.https, journal[1].target)
      assert.is_truthy(provider.header(journal[1], "proxy-authorization"))
      assert.is_nil(provider.header(journal[1], "x-a"))
      assert.equal("https", journal[2].listener)
      assert.is_nil(provider.header(journal[2], "proxy-authorization"))
    end)

    it("verifies the server behind it", function()
      assert.equal("tls", send({ url = url_of("unknown_ca", "/ok") }, proxy()).kind)
    end)

    it("fails before anything is sent where it refuses", function()
      local answer = send({ url = "https://elsewhere.example/ok" }, proxy())
      assert.equal("network", answer.kind)
      assert.is_truthy(answer.message:find("answered 403", 1, true), answer.message)
      assert.is_false(answer.sent)
    end)

    it("fails before anything is sent where nobody listens", function()
      local answer = send({ url = url_of("https", "/ok") },
        { proxy = "http://localhost:" .. upstream.ports.refused })
      assert.equal("network", answer.kind)
      assert.is_false(answer.sent)
    end)
  end)

  describe("refuses when it is made", function()
    local NEW = [[
      local ngx_transport = require "usher.transport.ngx"
      local ok, problem = pcall(ngx_transport.new, ...)
      if ok ~= (ngx_transport.problem(...) == nil) then error("problem and new disagree") end
      return { ok = ok, problem = tostring(problem) }
    ]]
    -- settings, the option named, words
    for _, row in ipairs({
      { { ca_file = "/ca.pem" }, "ca_file", "lua_ssl_trusted_certificate" },
      { { proxy = "environment" }, "proxy", "URL of the proxy" },
      { { proxy = "https://proxy:8080" }, "proxy", "not https" },
      { { proxy = "socks5h://proxy:1080" }, "proxy", "not socks5h" },
      { { proxy = "http://" }, "proxy", "http://host:port" },
      { { client_key_file = "/key.pem" }, "client_key_file", "needs client_cert" },
      { { client_cert = "/no/such/file" }, "client_cert", "cannot be read" },
    }) do
      it("the option " .. row[2] .. ": " .. row[3], function()
        local said = server:run(NEW, row[1])
        assert.is_false(said.ok)
        assert.is_truthy(said.problem:find("usher: " .. row[2], 1, true), said.problem)
        assert.is_truthy(said.problem:find(row[3], 1, true), said.problem)
      end)
    end

    it("certificates that are none", function()
      local files = upstream.files
      for _, row in ipairs({
        { { client_cert = files.client_key_file }, "client_cert holds no certificate" },
        { { client_cert = files.client_cert }, "client_cert holds no private key" },
        { { client_cert = files.client_cert, client_key_file = files.ca_file },
          "client_key_file holds no private key" },
      }) do
        local said = server:run(NEW, row[1])
        assert.is_false(said.ok)
        assert.is_truthy(said.problem:find(row[2], 1, true), said.problem)
      end
    end)

    it("an https URL never reveals a proxy's password in an error", function()
      local said = server:run(NEW, { proxy = "socks5://me:secret@proxy" })
      assert.is_nil(said.problem:find("secret", 1, true))
      local answer = send({ url = url_of("https", "/ok") },
        { proxy = "http://me:secret@localhost:" .. upstream.ports.refused })
      assert.is_nil(answer.message:find("secret", 1, true))
    end)
  end)

  it("sends nothing after it was closed", function()
    local answer = server:run([[
      local transport = require("usher.transport.ngx").new()
      transport.close()
      local status, kind, message, sent = transport.send((...))
      return { status = status, kind = kind, message = message, sent = sent }
    ]], { method = "GET", url = url_of("http", "/ok") })
    assert.same({ kind = "cancelled", message = "the client was closed", sent = false }, answer)
    assert.same({}, upstream:journal())
  end)

  it("needs no libcurl: none is in the process", function()
    get("/ok")
    local maps = assert(io.open("/proc/" .. server:pid() .. "/maps"))
    local text = maps:read("*a")
    maps:close()
    assert.is_truthy(text:find("usher/core.so", 1, true))
    assert.is_nil(text:find("libcurl", 1, true))
    assert.is_nil(text:find("usher/curl.so", 1, true))
  end)
end)
