-- The blocking libcurl transport against a provider that misbehaves on real sockets. TLS and HTTP/2
-- are in curl_tls_spec.lua.

local core = require "usher.core"
local curl = require "usher.curl"
local files = require "spec.support.files"
local provider = require "spec.support.provider"
local transport = require "usher.transport.curl"

local cjson = require "cjson.safe"
local finish = require("spec.support.transfers").finish

local header = provider.header
local SECRET = "s3cret-t0ken"

describe("usher.curl", function()
  local server, pools

  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)

  before_each(function()
    server:clear()
    pools = {}
  end)

  after_each(function()
    for _, pool in ipairs(pools) do pool:close() end
  end)

  local function open(settings)
    local pool = curl.new(settings or {})
    pools[#pools + 1] = pool
    return pool
  end

  local function request(url, extra)
    local made = {
      method = "GET", url = url, headers = { Authorization = "Bearer " .. SECRET },
      timeout = 10, connect_timeout = 5,
    }
    for name, value in pairs(extra or {}) do made[name] = value end
    return made
  end

  local function call(pool, url, extra)
    return finish(pool, pool:start(request(url, extra)))
  end

  -- Calls a fault of the plain server in a pool of its own.
  local function try(path, extra)
    return call(open(), server:url("http", path), extra)
  end

  -- What arrived at the server, by /echo: the answer is the request.
  local function echo(extra, path)
    local status, _, body = try("/echo" .. (path or ""), extra)
    assert.equal(200, status)
    return cjson.decode(body)
  end

  -- What a program prints in an interpreter of this kind. `prefix` comes before the command.
  local function run(prefix, program)
    local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
    local first = 0
    while arg[first - 1] do first = first - 1 end
    local pipe = assert(io.popen(("env -u LUA_INIT %s %s %s %s -e %s 2>&1"):format(
      files.quoted("LUA_PATH" .. suffix .. "=" .. package.path),
      files.quoted("LUA_CPATH" .. suffix .. "=" .. package.cpath), prefix, arg[first],
      files.quoted(program))))
    local output = pipe:read("*a")
    pipe:close()
    return output
  end

  -- A program that makes one call with the transport and prints what it returns.
  local function sending(settings, url)
    return ([[
      local transport = require("usher.transport.curl").new{ %s }
      print(transport.send{
        method = "GET", url = %q, headers = { Authorization = "Bearer %s" }, timeout = 10,
      })
      transport.close()
    ]]):format(settings, url, SECRET)
  end

  describe("answers", function()
    it("with status, headers by lower-case name and body", function()
      local status, headers, body = try("/ok")
      assert.equal(200, status)
      assert.equal("application/json", headers["content-type"])
      assert.equal('{"ok":true}', body)
    end)

    it("with any status, and follows no redirect", function()
      for _, expected in ipairs{ 204, 304, 400, 401, 404, 429, 500, 503 } do
        assert.equal(expected, (try("/status/" .. expected)))
      end
      for _, where in ipairs{ "here", "elsewhere", "file", "loop" } do
        server:clear()
        local status, headers = try("/redirect/302/" .. where)
        assert.equal(302, status)
        assert.is_string(headers.location)
        assert.equal(1, #server:journal())
      end
    end)

    it("with repeated headers joined and blanks trimmed", function()
      local _, headers = try("/header_repeated")
      assert.equal("one, two", headers["x-twice"])
      assert.equal("", headers["x-empty"])
    end)

    it("with the headers of the final response only", function()
      local status, headers, body = try("/interim")
      assert.equal(200, status)
      assert.is_nil(headers["x-interim"])
      assert.is_nil(headers.link)
      assert.equal('{"ok":true}', body)
    end)

    it("with an unpacked body", function()
      local status, _, body = try("/gzip")
      assert.equal(200, status)
      assert.equal('{"packed":true}', body)
    end)

    it("with an empty body when there is none", function()
      local status, _, body = try("/status/204")
      assert.equal(204, status)
      assert.equal("", body)
    end)

    it("a HEAD without waiting for a body", function()
      local status, headers, body = try("/sized/5", { method = "HEAD", timeout = 2 })
      assert.equal(200, status)
      assert.equal("5", headers["content-length"])
      assert.equal("", body)
    end)

    it("and does not log in, remember or come back by itself", function()
      for _, scheme in ipairs{ "Basic", "Digest", "NTLM", "Negotiate" } do
        assert.equal(401, (try("/challenge/" .. scheme)))
      end
      assert.equal(4, #server:journal())
      local pool = open()
      call(pool, server:url("http", "/cookie"))
      call(pool, server:url("http", "/cookie"))
      assert.is_nil(header(server:journal()[6], "Cookie"))
    end)
  end)

  describe("sends", function()
    it("the bytes of the URL and no others", function()
      for _, path in ipairs{
        "/%2F%2f/a%20b/%41/%e9%E9", "//double//slashes/", "/a/../b/./c", "/%2e%2E/%2e", "/[x]/{y}",
        "/;a=1,2/@:$!*'()", "/caf\195\169", "/trailing?", "/?a=%5B%5D&b=%2F?/x&&=", "/x?q=a+b%20c",
        "/" .. ("long"):rep(2000),
      } do
        assert.equal("/echo" .. path, echo(nil, path).target)
      end
    end)

    it("a URL without a path as /", function()
      local pool = open()
      call(pool, server:url("http", ""))
      assert.equal("/", server:journal()[1].target)
    end)

    it("the given headers, in order, and no others of its own", function()
      local seen = echo{ headers = {
        ["X-B"] = "2", ["X-A"] = " 1 ", accept = "application/json", ["X-Empty"] = "",
        ["X-Blank"] = " \t", ["User-Agent"] = "usher/test",
      } }
      local names, values = {}, {}
      for i, line in ipairs(seen.headers) do
        names[i], values[line[1]] = line[1], line[2]
      end
      assert.same({
        "Host", "Accept-Encoding", "User-Agent", "X-A", "X-B", "X-Blank", "X-Empty", "accept",
      }, names)
      assert.equal("1", values["X-A"])
      assert.equal("", values["X-Empty"])
      assert.equal("", values["X-Blank"])
    end)

    it("the body byte for byte, with its length and without a type of its own", function()
      for _, idempotent in ipairs{ true, false } do
        for _, body in ipairs{ "{}", "a\0b\r\n\r\nc", ("x"):rep(100000) } do
          for _, method in ipairs{ "POST", "PUT", "PATCH", "DELETE" } do
            local seen = echo{ method = method, body = body, idempotent = idempotent }
            assert.equal(method, seen.method)
            assert.is_true(body == seen.body)
            assert.equal(tostring(#body), header(seen, "Content-Length"))
            assert.is_nil(header(seen, "Content-Type"))
            assert.is_nil(header(seen, "Transfer-Encoding"))
          end
        end
      end
    end)

    it("a large body at once, without asking first", function()
      for _, idempotent in ipairs{ true, false } do
        local seen = echo{ method = "POST", body = ("y"):rep(3000000), idempotent = idempotent }
        assert.equal(3000000, #seen.body)
        assert.is_nil(header(seen, "Expect"))
      end
    end)

    it("Content-Length: 0 where a body is expected and empty, and none elsewhere", function()
      for _, body in ipairs{ false, "" } do
        for _, method in ipairs{ "POST", "PUT", "PATCH" } do
          local seen = echo{ method = method, body = body or nil }
          assert.equal("0", header(seen, "Content-Length"))
          assert.is_nil(header(seen, "Content-Type"))
        end
      end
      for _, method in ipairs{ "GET", "DELETE" } do
        local seen = echo{ method = method }
        assert.equal(method, seen.method)
        assert.is_nil(header(seen, "Content-Length"))
      end
    end)

    it("nothing of one request with the next, on the same handle", function()
      local pool = open{ reuse = true }
      local url = server:url("http", "/echo")
      call(pool, url, { method = "PUT", body = "one", headers = { ["Content-Type"] = "a/b" } })
      local _, _, second = call(pool, url, { headers = { ["X-Second"] = "2" } })
      local _, _, third = call(pool, url, { method = "DELETE", body = "three", idempotent = true })
      local _, _, fourth = call(pool, url, { method = "HEAD" })
      local _, _, fifth = call(pool, url, { method = "POST" })
      assert.equal("", fourth)
      second, third, fifth = cjson.decode(second), cjson.decode(third), cjson.decode(fifth)
      assert.same({ "GET", "" }, { second.method, second.body })
      assert.is_nil(header(second, "Content-Type"))
      assert.is_nil(header(second, "Content-Length"))
      assert.same({ "DELETE", "three" }, { third.method, third.body })
      assert.is_nil(header(third, "X-Second"))
      assert.same({ "POST", "" }, { fifth.method, fifth.body })
      assert.equal(1, server:connections())
    end)

    it("to another origin when asked to", function()
      local pool = open()
      for _ = 1, 2 do
        assert.equal(200, (call(pool, server:url("http"))))
        assert.equal(200, (call(pool, server:url("sink"))))
      end
      local listeners = {}
      for i, seen in ipairs(server:journal()) do listeners[i] = seen.listener end
      assert.same({ "http", "sink", "http", "sink" }, listeners)
    end)
  end)

  describe("refuses", function()
    local pool

    before_each(function() pool = open() end)

    local function refused(expected, extra, url)
      local ok, message = pcall(pool.start, pool, request(url or server:url("http"), extra))
      assert.is_false(ok)
      assert.matches(expected, message, 1, true)
      assert.is_nil(message:find(SECRET, 1, true))
    end

    after_each(function()
      assert.equal(0, pool:running())
      assert.same({}, server:journal())
    end)

    it("a URL it cannot send as it stands", function()
      for _, suffix in ipairs{ "/a b", "/a\r\nX: y", "/a\nb", "/a\0b", "/a\tb", "/a\127" } do
        refused("url must hold no blanks and no control characters", nil,
          server:url("http", suffix))
      end
      refused("url must have no fragment", nil, server:url("http", "/a#b"))
      refused("url must have a path before its query", nil, server:url("http", "?a=b"))
      refused("url must begin with https:// or http://", nil, "ftp://127.0.0.1/")
      refused("url must begin with https:// or http://", nil, "/ok")
      refused("url must hold no credentials", nil, "http://user:word@127.0.0.1/")
      refused("url names no host", nil, "http:///ok")
      refused("url names no host", nil, "http://127.0.0.1:99999/ok")
    end)

    it("a header that is not one header", function()
      for _, value in ipairs{ "a\r\nX: y", "a\nb", "a\rb", "a\0b" } do
        refused("X-Name must hold no line break and no NUL", { headers = { ["X-Name"] = value } })
      end
      for _, name in ipairs{ "", "X Name", "X:Name", "X\r\nName", "X\0Name", "N\195\164me" } do
        refused("is not the name of a header", { headers = { [name] = "value" } })
      end
      refused("headers must be strings by name", { headers = { "X-Name: value" } })
      refused("headers must be strings by name", { headers = { ["X-Name"] = 1 } })
      refused("headers must be a table", { headers = "X-Name: value" })
      local many = {}
      for i = 1, 65 do many["X-" .. i] = "value" end
      refused("headers are too many", { headers = many })
    end)

    it("a header that contradicts the body", function()
      refused("is for the transport to choose", { headers = { ["transfer-encoding"] = "chunked" } })
      refused("Content-Length is not the length of the body",
        { method = "POST", body = "four", headers = { ["Content-Length"] = "5" } })
    end)

    it("a method, a body or a limit that is none", function()
      for _, method in ipairs{ "", "get", "GET /x", "G\0T", "GET\r\n", ("G"):rep(17) } do
        refused("method must be a verb in capitals", { method = method })
      end
      refused("method must be a string", { method = 7 })
      refused("body must be a string", { body = {} })
      refused("timeout must be a number", { timeout = "soon" })
      refused("timeout must be a number", { timeout = 0 / 0 })
      refused("connect_timeout must be a number", { connect_timeout = true })
      refused("max_response_size must not be negative", { max_response_size = -1 })
    end)

    it("a request that is missing something", function()
      assert.has_error(function() pool:start() end)
      for _, field in ipairs{ "method", "url" } do
        local incomplete = request(server:url("http"))
        incomplete[field] = nil
        local ok, message = pcall(pool.start, pool, incomplete)
        assert.is_false(ok)
        assert.matches(field .. " is missing", message, 1, true)
      end
    end)

    it("settings it does not know, and names those it does", function()
      local function new(settings)
        local ok, message = pcall(curl.new, settings)
        assert.is_false(ok)
        return message
      end
      assert.matches("unknown setting 'ca_dir' (there are: proxy, ca_file, ca_path, client_cert, "
        .. "client_key_file, http, verify, max_connections, reuse)", new{ ca_dir = "x" }, 1, true)
      assert.matches("unknown setting '?'", new{ "proxy" }, 1, true)
      assert.matches("verify must be a boolean", new{ verify = "no" }, 1, true)
      assert.matches("proxy must be a string", new{ proxy = 8080 }, 1, true)
      assert.matches('http must be "auto" or "1.1"', new{ http = "2" }, 1, true)
      assert.matches("max_connections must be from 1 to 65535", new{ max_connections = 0 }, 1, true)
      assert.has_error(function() curl.new("proxy") end)
    end)
  end)

  it("accepts a Content-Length that is right", function()
    local seen = echo{ method = "POST", body = "four", headers = { ["content-length"] = "4" } }
    assert.equal("four", seen.body)
    local count = 0
    for _, line in ipairs(seen.headers) do
      if line[1]:lower() == "content-length" then count = count + 1 end
    end
    assert.equal(1, count)
  end)

  describe("reports", function()
    -- path, kind, whether it was sent, text in the message, more of the request
    local outcomes = {
      { "close_before_reply", "network", true },
      { "reset_before_reply", "network", true },
      { "close_in_head", "network", true, "closed in the response headers" },
      { "truncated", "network", true },
      { "truncated_chunks", "network", true },
      { "reset_in_body", "network", true },
      { "http09", "protocol", true },
      { "switching", "protocol", true },
      { "bad_chunk", "protocol", true },
      { "length_negative", "protocol", true },
      { "lengths_differ", "protocol", true, "Content-Length" },
      { "header_nul", "protocol", true },
      { "header_without_colon", "protocol", true },
      { "gzip_corrupt", "protocol", true },
      { "coding_unknown", "protocol", true },
      { "stall/start", "timeout", true, nil, { timeout = 0.1 } },
      { "stall/head", "timeout", true, nil, { timeout = 0.1 } },
      { "stall/body", "timeout", true, nil, { timeout = 0.1 } },
      { "slow/20", "timeout", true, nil, { timeout = 0.1 } },
      { "endless_body", "too_large", true, "max_response_size" },
      { "length_huge", "too_large", true, "max_response_size" },
      { "gzip_bomb/64", "too_large", true, "max_response_size" },
      { "endless_headers", "too_large", true, "headers" },
      { "endless_interim", "too_large", true, "headers" },
      { "endless_trailers", "too_large", true, "headers" },
      { "many_headers/1001", "too_large", true, "headers" },
      { "huge_header/101", "too_large", true, "headers" },
      { "huge_header/2000", "too_large", true, "headers" },
    }

    for _, row in ipairs(outcomes) do
      local path, kind, sent, text, extra = row[1], row[2], row[3], row[4], row[5]
      it(("%s as %s"):format(path, kind), function()
        for _, method in ipairs{ "GET", "POST" } do
          server:clear()
          local more = { method = method, body = method == "POST" and "{}" or nil }
          for name, value in pairs(extra or {}) do more[name] = value end
          local status, got, message, was_sent = try("/" .. path, more)
          assert.is_nil(status)
          assert.equal(kind, got)
          assert.equal(sent, was_sent)
          assert.is_true(#message > 0)
          if text then assert.matches(text, message, 1, true) end
          assert.is_nil(message:find(SECRET, 1, true))
          assert.equal(1, #server:journal())
        end
      end)
    end

    it("what never left as not sent", function()
      for _, row in ipairs{
        { server:url("refused"), "network" },
        { "http://no-such-host.invalid/ok", "network" },
        { server:url("black_hole"), "timeout" },
      } do
        local started = core.monotonic()
        local status, kind, message, sent = call(open(), row[1], { connect_timeout = 0.2 })
        assert.is_nil(status)
        assert.equal(row[2], kind)
        assert.is_true(#message > 0)
        assert.is_false(sent)
        assert.is_true(core.monotonic() - started < 5)
      end
    end)

    it("a reset or a close on accept as network", function()
      for _, listener in ipairs{ "accept_reset", "accept_close" } do
        local status, kind = call(open(), server:url(listener))
        assert.is_nil(status)
        assert.equal("network", kind)
      end
    end)

    it("an early refusal of a large upload, or the network that failed with it", function()
      local status, kind = try("/early_error", { method = "POST", body = ("z"):rep(2000000) })
      assert.is_true(status == 413 or kind == "network")
    end)

    it("the libcurl that runs", function()
      local version = curl.version()
      assert.matches("^%d+%.%d+%.%d+", version.version)
      local major, minor, patch = version.version:match("^(%d+)%.(%d+)%.(%d+)")
      assert.equal(major * 65536 + minor * 256 + patch, version.number)
      assert.equal(version.number >= 0x080100, version.reuse)
    end)
  end)

  describe("limits", function()
    it("the response to max_response_size bytes", function()
      for _, fault in ipairs{ "sized", "chunks" } do
        local status, _, body = try("/" .. fault .. "/5000", { max_response_size = 5000 })
        assert.equal(200, status)
        assert.equal(("x"):rep(5000), body)
        local none, kind = try("/" .. fault .. "/5001", { max_response_size = 5000 })
        assert.is_nil(none)
        assert.equal("too_large", kind)
      end
      assert.equal(200, (try("/sized/100000", { max_response_size = math.huge })))
      assert.equal("too_large", select(2, try("/sized/1", { max_response_size = 0 })))
    end)

    it("the headers, far above what providers send", function()
      local status, headers = try("/many_headers/500")
      assert.equal(200, status)
      assert.matches("^1, 2, 3, .*, 500$", headers["x-many"])
      assert.equal(200, (try("/huge_header/90")))
    end)

    it("the time, in fractions of a second", function()
      local started = core.monotonic()
      assert.equal("timeout", select(2, try("/stall/start", { timeout = 0.25 })))
      local elapsed = core.monotonic() - started
      assert.is_true(elapsed > 0.24 and elapsed < 2)
    end)

    it("the time to nearly nothing when none is left", function()
      for _, timeout in ipairs{ 0, -1, 1e-9 } do
        assert.equal("timeout", select(2, try("/stall/start", { timeout = timeout })))
      end
    end)

    it("the time to as much as one likes", function()
      for _, timeout in ipairs{ 86400, 2 ^ 31, 2 ^ 53, 1e300, math.huge } do
        assert.equal(200, (try("/ok", { timeout = timeout, connect_timeout = timeout })))
      end
    end)

    it("the connections to max_connections", function()
      local pool = open{ max_connections = 2 }
      local transfers = {}
      for i = 1, 8 do transfers[i] = pool:start(request(server:url("http", "/delay/5"))) end
      for i = 1, 8 do assert.equal(200, (finish(pool, transfers[i]))) end
      assert.is_true(server:connections() <= 2)
    end)
  end)

  for _, reuse in ipairs{ false, true } do
    describe(reuse and "with reused handles" or "with fresh handles", function()
      it("uses its connection again", function()
        local pool = open{ reuse = reuse }
        for _ = 1, 20 do
          assert.equal(200, (call(pool, server:url("http"), { method = "POST", body = "{}" })))
        end
        assert.equal(1, server:connections())
      end)

      for _, fault in ipairs{ "stale", "stale_reset" } do
        for _, body in ipairs{ "{}", "", false } do
          local what = body == false and "no body" or #body .. " bytes of body"
          it(("sends a POST with %s once over a connection that dies (%s)"):format(what, fault),
            function()
              local pool = open{ reuse = reuse }
              local url = server:url("http", "/" .. fault)
              local write = { method = "POST", body = body or nil }
              assert.equal(200, (call(pool, url, write)))
              local status, kind, message, sent = call(pool, url .. "/second", write)
              assert.is_nil(status)
              assert.equal("network", kind)
              assert.is_true(#message > 0)
              assert.is_true(sent)
              local journal = server:journal()
              assert.equal(2, #journal)
              assert.equal("/" .. fault .. "/second", journal[2].target)
              assert.equal(journal[1].connection, journal[2].connection)
            end)
        end

        it(("sends what is idempotent again over a new connection (%s)"):format(fault), function()
          local pool = open{ reuse = reuse }
          local url = server:url("http", "/" .. fault)
          for _, extra in ipairs{
            { idempotent = true }, { idempotent = true, method = "PUT", body = "{}" },
          } do
            server:clear()
            assert.equal(200, (call(pool, url, extra)))
            assert.equal(200, (call(pool, url, extra)))
          end
        end)
      end

      it("does not mistake a closed idle connection for a request that may have run", function()
        local pool, pause = open{ reuse = reuse }, open()
        local url = server:url("http", "/close_after_reply")
        for _ = 1, 5 do
          assert.equal(200, (call(pool, url, { method = "POST", body = "{}" })))
          call(pause, server:url("http", "/delay/5")) -- so that the end has arrived
        end
      end)

      for _, kind in ipairs{ "length", "chunked", "empty" } do
        it("accepts no forged answer behind a true one: " .. kind, function()
          local pool = open{ reuse = reuse }
          for how, count in pairs{ together = 300, split = 300, late = 30 } do
            for i = 1, count do
              local name = how .. i
              local path = ("/forged/%s/%s/%s"):format(how, kind, name)
              local post = i % 2 == 0
              local status, _, body = call(pool, server:url("http", path),
                { method = post and "POST" or "GET", body = post and "{}" or nil })
              assert.equal(kind == "empty" and 204 or 200, status)
              assert.equal(kind == "empty" and "" or name, body)
              if how == "late" then server:release() end
            end
          end
        end)
      end
    end)
  end

  it("survives responses that begin with a folded header", function()
    local pool = open()
    for _ = 1, 10 do
      assert.equal(200, (call(pool, server:url("http"))))
      local status, kind = call(pool, server:url("http", "/folded"))
      assert.is_true(status == 200 or kind == "protocol" or kind == "network")
    end
  end)

  describe("a transfer", function()
    it("runs beside others, each reported once", function()
      local pool = open()
      local waiting, count = {}, 0
      for i = 1, 60 do
        waiting[pool:start(request(server:url("http", "/delay/" .. i % 7)))] = true
      end
      assert.equal(60, pool:running())
      while next(waiting) do
        local transfer = pool:step(1)
        if transfer then
          assert.is_true(waiting[transfer])
          waiting[transfer] = nil
          assert.is_true(transfer:done())
          assert.equal(200, (transfer:result()))
          count = count + 1
        end
      end
      assert.equal(60, count)
      assert.equal(0, pool:running())
      assert.is_nil(pool:step(0))
    end)

    it("has no result before its end, and only one after", function()
      local pool = open()
      local transfer = pool:start(request(server:url("http")))
      assert.is_false(transfer:done())
      assert.has_error(function() transfer:result() end, "the transfer is still running")
      finish(pool, transfer)
      assert.has_error(function() transfer:result() end, "the result was taken before")
    end)

    it("waits no longer than it is told to", function()
      local pool = open()
      local transfer = pool:start(request(server:url("http", "/stall/start")))
      local started = core.monotonic()
      for _ = 1, 3 do assert.is_nil(pool:step(0)) end
      while core.monotonic() - started < 0.05 do assert.is_nil(pool:step(0.02)) end
      assert.is_true(core.monotonic() - started < 2)
      transfer:cancel()
    end)

    it("that is cancelled ends as such, leaving the others alone", function()
      local pool = open()
      local first = pool:start(request(server:url("http", "/stall/start")))
      local second = pool:start(request(server:url("http", "/delay/20")))
      pool:step(0.01)
      first:cancel()
      first:cancel()
      local status, kind, message = first:result()
      assert.is_nil(status)
      assert.equal("cancelled", kind)
      assert.equal("the transfer was cancelled", message)
      assert.equal(200, (finish(pool, second)))
      second:cancel()
    end)

    it("that nobody holds removes itself", function()
      local pool = open()
      for _ = 1, 30 do pool:start(request(server:url("http", "/stall/start"))) end
      pool:step(0.01)
      collectgarbage()
      collectgarbage()
      assert.equal(0, pool:running())
      assert.equal(200, (call(pool, server:url("http"))))
    end)

    it("that nobody holds is not reported for another", function()
      local pool = open()
      for _ = 1, 200 do
        pool:start(request(server:url("http")))
        if math.random() < 0.1 then collectgarbage() end
        assert.equal(200, (call(pool, server:url("http", "/sized/3"))))
      end
    end)

    it("keeps its body and its pool alive", function()
      local transfer
      do
        local pool = curl.new{}
        transfer = pool:start(request(server:url("http", "/echo"),
          { method = "POST", body = ("b"):rep(20) .. math.random() }))
        pool:step(0)
      end
      collectgarbage()
      collectgarbage()
      assert.is_false(transfer:done())
      transfer:cancel()
    end)

    it("survives any order of collection", function()
      for _ = 1, 20 do
        local pool = curl.new{}
        for _ = 1, 5 do
          pool:start(request(server:url("http", "/stall/start"), { method = "POST", body = "{}" }))
        end
        pool:step(0)
      end
      collectgarbage()
      collectgarbage()
    end)
  end)

  describe("a pool", function()
    it("can be closed twice and does nothing afterwards", function()
      local pool = open()
      assert.equal("usher.curl.pool (open)", tostring(pool))
      pool:close()
      pool:close()
      assert.equal("usher.curl.pool (closed)", tostring(pool))
      assert.is_nil(pool:start(request(server:url("http"))))
      assert.is_nil(pool:step(1))
      assert.equal(0, pool:running())
    end)

    it("that is closed ends its transfers", function()
      local pool = open()
      local running = pool:start(request(server:url("http", "/stall/start")))
      local finished = pool:start(request(server:url("http")))
      while not finished:done() do
        local reported = pool:step(1)
        assert.is_true(reported == nil or reported == finished)
      end
      local unreported = pool:start(request(server:url("http")))
      local other = pool:start(request(server:url("http")))
      while not (unreported:done() and other:done()) do pool:step(0.01) end
      pool:close()
      assert.equal(200, (finished:result()))
      assert.equal(200, (unreported:result()))
      local status, kind, message, sent = running:result()
      assert.is_nil(status)
      assert.same({ "cancelled", "the client was closed", true }, { kind, message, sent })
    end)

    it("knows its own kind from others", function()
      local pool = open()
      local transfer = pool:start(request(server:url("http")))
      assert.has_error(function() pool.start(transfer, {}) end)
      assert.has_error(function() transfer.result(pool) end)
      assert.has_error(function() pool.start(io.stdout, {}) end)
      assert.equal("usher.curl.pool", getmetatable(pool))
      transfer:cancel()
    end)

    local has_ffi, ffi = pcall(require, "ffi")
    if has_ffi then
      it("is left alone by a forked child, and says so", function()
        ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
        local output = run("", ([[
          local ffi = require "ffi"
          ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
          local curl = require "usher.curl"
          local pool = curl.new{ ca_file = %q }
          local function call()
            local transfer = pool:start{ method = "GET", url = %q, timeout = 5 }
            repeat until pool:step(1) == transfer
            return transfer:result()
          end
          print(call())
          io.stdout:flush()
          local child = ffi.C.fork()
          if child == 0 then
            print(pcall(call))
            print(pcall(pool.step, pool, 0))
            pool:close()
            pool = nil
            collectgarbage() collectgarbage()
            io.stdout:flush()
            ffi.C._exit(0)
          end
          ffi.C.waitpid(child, nil, 0)
          print(call())
        ]]):format(server.files.ca_file, server:url("https")))
        local _, answers = output:gsub("200\tHTTP/", "")
        local _, refusals = output:gsub("false\t[^\n]*open another one after a fork", "")
        assert.same({ 2, 2 }, { answers, refusals })
        assert.equal(1, server:connections())
      end)
    end
  end)

  describe("a proxy", function()
    local secret = "pr0xy-pass"

    it("is used when it is named, for http with the whole URL", function()
      local pool = open{ proxy = server:url("sink", ""), http = "1.1" }
      local url = server:url("http", "/echo/%2F%2f/../x?q=%41")
      assert.equal(200, (call(pool, url)))
      local seen = server:journal()
      assert.equal(1, #seen)
      assert.equal("sink", seen[1].listener)
      assert.equal(url, seen[1].target)
    end)

    it("is a tunnel for https, and sees nothing of the request", function()
      local pool = open{
        proxy = server:url("http", ""):gsub("//", "//me:" .. secret .. "@"),
        ca_file = server.files.ca_file,
      }
      local status, headers = call(pool, server:url("https"))
      assert.equal(200, status)
      assert.is_nil(headers["x-proxy"])
      local seen = server:journal()
      assert.same({ "CONNECT", "GET" }, { seen[1].method, seen[2].method })
      assert.is_string(header(seen[1], "Proxy-Authorization"))
      assert.is_nil(header(seen[1], "Authorization"))
      assert.is_nil(header(seen[2], "Proxy-Authorization"))
    end)

    it("that cannot be reached or refuses is a failure before sending", function()
      for _, row in ipairs{
        { server:url("refused", ""), "https://127.0.0.1/ok" },
        { server:url("http", ""), "https://elsewhere.example/ok" },
        { "http://no-such-proxy.invalid:1", "https://127.0.0.1/ok" },
      } do
        local pool = open{ proxy = row[1]:gsub("//", "//me:" .. secret .. "@") }
        local status, kind, message, sent = call(pool, row[2])
        assert.is_nil(status)
        assert.equal("network", kind)
        assert.is_false(sent)
        assert.is_nil(message:find(secret, 1, true))
      end
    end)

    it("whose URL makes no sense is not quoted with its password", function()
      for _, proxy in ipairs{
        "nonsense://me:" .. secret .. "@127.0.0.1:1", "http://me:" .. secret .. "@127.0.0.1:x",
        "me:" .. secret .. "@", "http://me:" .. secret .. "@",
      } do
        local status, kind, message, sent = call(open{ proxy = proxy }, server:url("http"))
        assert.is_nil(status)
        assert.is_string(kind)
        assert.is_nil(message:find(secret, 1, true))
        assert.is_false(sent)
      end
    end)

    it("of the environment is ignored by default", function()
      local output = run("http_proxy=" .. server:url("sink", ""),
        sending("", server:url("http")))
      assert.matches("^200\t", output)
      assert.equal("http", server:journal()[1].listener)
    end)

    it("of the environment is obeyed when asked for", function()
      local url = server:url("http", "/ok/x?y=%20z")
      local output = run("http_proxy=" .. server:url("sink", ""),
        sending('proxy = "environment"', url))
      assert.matches("^200\t", output)
      assert.equal("sink", server:journal()[1].listener)
      assert.equal(url, server:journal()[1].target)
      server:clear()
      output = run("no_proxy=127.0.0.1 http_proxy=" .. server:url("sink", ""),
        sending('proxy = "environment"', url))
      assert.matches("^200\t", output)
      assert.equal("http", server:journal()[1].listener)
      assert.equal("/ok/x?y=%20z", server:journal()[1].target)
    end)

    it("that is named is used whatever no_proxy says", function()
      local output = run("no_proxy=127.0.0.1",
        sending(("proxy = %q"):format(server:url("sink", "")), server:url("http")))
      assert.matches("^200\t", output)
      assert.equal("sink", server:journal()[1].listener)
    end)
  end)

  describe("the transport", function()
    it("sends, sleeps and closes", function()
      local made = transport.new()
      local status, headers, body = made.send(request(server:url("http")))
      assert.same({ 200, "application/json", '{"ok":true}' },
        { status, headers["content-type"], body })
      local none, kind, message, sent = made.send(request(server:url("refused")))
      assert.is_nil(none)
      assert.same({ "network", false }, { kind, sent })
      assert.is_string(message)
      local started = core.monotonic()
      made.sleep(0.02)
      assert.is_true(core.monotonic() - started >= 0.02)
      made.sleep(0)
      made.sleep(-1)
      made.close()
      made.close()
    end)

    it("can be called from a hook in the middle of a call", function()
      local made = transport.new()
      local inner
      local function hook()
        debug.sethook()
        inner = made.send(request(server:url("http", "/ok")))
      end
      local sleepy = coroutine.create(function()
        return made.send(request(server:url("http", "/delay/30")))
      end)
      debug.sethook(sleepy, hook, "", 20)
      local _, outer = coroutine.resume(sleepy)
      assert.same({ 200, 200 }, { outer, inner })
      made.close()
    end)

    it("is interrupted by Ctrl-C while it waits", function()
      local started = core.monotonic()
      local output = run("timeout -s INT 0.3", sending("", server:url("http", "/stall/start")))
      assert.matches("interrupted!", output, 1, true)
      assert.is_true(core.monotonic() - started < 5)
    end)

    it("names what is missing when libcurl is", function()
      local output = run("", [[
        package.preload["usher.curl"] = function() error("libcurl.so.4: cannot open") end
        local client = require("usher").qiscus{ app_id = "a", secret = "s" }
        print(pcall(client.user_profile, client, { user_id = "bob" }))
      ]])
      assert.matches("calls need the C module usher.curl, which needs libcurl", output, 1, true)
      assert.matches("libcurl.so.4: cannot open", output, 1, true)
    end)
  end)
end)
