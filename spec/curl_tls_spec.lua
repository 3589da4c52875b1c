-- The blocking libcurl transport over TLS and HTTP/2, against a provider that misbehaves on real
-- sockets.

local core = require "usher.core"
local curl = require "usher.curl"
local provider = require "spec.support.provider"

local cjson = require "cjson.safe"
local finish = require("spec.support.transfers").finish

describe("usher.curl over TLS", function()
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

  -- Opens a pool that trusts the provider's authority.
  local function open(settings)
    local all = { ca_file = server.files.ca_file }
    for name, value in pairs(settings or {}) do all[name] = value end
    local pool = curl.new(all)
    pools[#pools + 1] = pool
    return pool
  end

  local function start(pool, url, extra)
    local request = {
      method = "GET", url = url, headers = { Authorization = "Bearer s3cret-t0ken" },
      timeout = 10, connect_timeout = 5,
    }
    for name, value in pairs(extra or {}) do request[name] = value end
    return pool:start(request)
  end

  local function call(pool, url, extra)
    return finish(pool, start(pool, url, extra))
  end

  describe("verifies", function()
    it("a good certificate as good", function()
      local status, headers, body = call(open(), server:url("https"))
      assert.equal(200, status)
      assert.equal("application/json", headers["content-type"])
      assert.equal('{"ok":true}', body)
    end)

    it("a name as well as an address", function()
      local url = server:url("https"):gsub("127%.0%.0%.1", "localhost")
      assert.equal(200, (call(open(), url)))
    end)

    for _, listener in ipairs{
      "wrong_host", "expired", "not_yet", "self_signed", "unknown_ca", "old_tls", "alert",
    } do
      it(listener .. " as tls, before anything is sent", function()
        for _, extra in ipairs{ {}, { method = "POST", body = "{}" }, { idempotent = true } } do
          local status, kind, message, sent = call(open(), server:url(listener), extra)
          assert.is_nil(status)
          assert.equal("tls", kind)
          assert.is_true(#message > 0)
          assert.is_false(sent)
        end
        assert.same({}, server:journal())
      end)
    end

    it("against the system's authorities by default", function()
      local pool = curl.new{}
      pools[#pools + 1] = pool
      local status, kind, _, sent = call(pool, server:url("https"))
      assert.is_nil(status)
      assert.same({ "tls", false }, { kind, sent })
      assert.same({}, server:journal())
    end)

    it("nothing when told so", function()
      local pool = open{ verify = false }
      for _, listener in ipairs{ "wrong_host", "expired", "self_signed", "unknown_ca" } do
        assert.equal(200, (call(pool, server:url(listener))))
      end
      assert.equal("tls", select(2, call(pool, server:url("old_tls"))))
    end)

    it("no one with authorities it cannot read", function()
      local status, kind, message, sent =
        call(open{ ca_file = "/nowhere/ca.pem" }, server:url("https"))
      assert.is_nil(status)
      assert.same({ "tls", false }, { kind, sent })
      assert.matches("/nowhere/ca.pem", message, 1, true)
    end)

    it("again in every pool", function()
      local trusting = open{ verify = false }
      assert.equal(200, (call(trusting, server:url("self_signed"))))
      assert.equal("tls", select(2, call(open(), server:url("self_signed"))))
      assert.equal(200, (call(trusting, server:url("self_signed"))))
    end)
  end)

  describe("shows", function()
    it("its certificate where one is asked for", function()
      local pool = open{
        client_cert = server.files.client_cert, client_key_file = server.files.client_key_file,
      }
      assert.equal(200, (call(pool, server:url("mutual"))))
    end)

    it("none where it has none, and calls the refusal tls", function()
      local status, kind, message = call(open(), server:url("mutual"))
      assert.is_nil(status)
      assert.equal("tls", kind)
      assert.matches("certificate", message, 1, true)
      assert.same({}, server:journal())
    end)

    it("none that it cannot read", function()
      local status, kind, _, sent =
        call(open{ client_cert = "/nowhere/client.pem" }, server:url("mutual"))
      assert.is_nil(status)
      assert.same({ "tls", false }, { kind, sent })
    end)
  end)

  describe("reports", function()
    it("a handshake that is cut off as network", function()
      for _, listener in ipairs{ "accept_reset", "accept_close", "http" } do
        local status, kind, message, sent = call(open(), server:url(listener, "/ok", "https"))
        assert.is_nil(status)
        assert.equal("network", kind)
        assert.is_true(#message > 0)
        assert.is_false(sent)
      end
    end)

    it("a handshake that stalls as timeout, within the time to connect", function()
      local started = core.monotonic()
      local status, kind, _, sent =
        call(open(), server:url("silent", "/ok", "https"), { connect_timeout = 0.2 })
      assert.is_nil(status)
      assert.same({ "timeout", false }, { kind, sent })
      assert.is_true(core.monotonic() - started < 3)
    end)

    -- path, kind, whether it was sent, more of the request
    for _, row in ipairs{
      { "close_before_reply", "network", true },
      { "reset_before_reply", "network", true },
      { "truncated", "network", true },
      { "reset_in_body", "network", true },
      { "stall/body", "timeout", true, { timeout = 0.1 } },
      { "endless_body", "too_large", true },
      { "http09", "protocol", true },
    } do
      it(row[1] .. " as " .. row[2], function()
        local status, kind, message, sent =
          call(open(), server:url("https", "/" .. row[1]), row[4])
        assert.is_nil(status)
        assert.same({ row[2], row[3] }, { kind, sent })
        assert.is_true(#message > 0)
        assert.equal(1, #server:journal())
      end)
    end
  end)

  for _, reuse in ipairs{ false, true } do
    describe(reuse and "with reused handles" or "with fresh handles", function()
      for _, listener in ipairs{ "https", "http2" } do
        it("uses its connection again: " .. listener, function()
          local pool = open{ reuse = reuse }
          for i = 1, 20 do
            local post = i % 2 == 0
            assert.equal(200, (call(pool, server:url(listener),
              { method = post and "POST" or "GET", body = post and "{}" or nil })))
          end
          assert.equal(1, server:connections())
        end)

        for _, body in ipairs{ "{}", false } do
          it(("sends a POST %s a body once over a connection that dies: %s"):format(
            body and "with" or "without", listener), function()
            local pool = open{ reuse = reuse }
            local url = server:url(listener, "/stale")
            local write = { method = "POST", body = body or nil }
            assert.equal(200, (call(pool, url, write)))
            local status, kind, _, sent = call(pool, url, write)
            assert.is_nil(status)
            assert.equal("network", kind)
            assert.is_true(sent)
            assert.equal(2, #server:journal())
            assert.equal(1, server:connections())
          end)
        end

      end

      it("sends what is idempotent again over a new connection", function()
        local pool = open{ reuse = reuse }
        local url = server:url("https", "/stale")
        assert.equal(200, (call(pool, url, { idempotent = true })))
        assert.equal(200, (call(pool, url, { idempotent = true })))
        assert.equal(3, #server:journal())
        assert.equal(2, server:connections())
      end)

      for _, kind in ipairs{ "length", "chunked", "empty" } do
        it("accepts no forged answer behind a true one: " .. kind, function()
          local pool = open{ reuse = reuse }
          for how, count in pairs{ together = 300, split = 300, late = 30 } do
            for i = 1, count do
              local name = how .. i
              local path = ("/forged/%s/%s/%s"):format(how, kind, name)
              local post = i % 2 == 0
              local status, _, body = call(pool, server:url("https", path),
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

  describe("speaks HTTP/2", function()
    local function versions()
      local seen = {}
      for i, request in ipairs(server:journal()) do seen[i] = request.version end
      return seen
    end

    it("where the server offers it, unless told not to", function()
      assert.equal(200, (call(open(), server:url("http2"))))
      assert.equal(200, (call(open(), server:url("https"))))
      assert.equal(200, (call(open{ http = "1.1" }, server:url("https"))))
      assert.same({ "HTTP/2", "HTTP/1.1", "HTTP/1.1" }, versions())
    end)

    it("with the same bytes in the target, the headers and the body", function()
      local path = "/echo/%2F%2f//a/../b/caf\195\169?q=%41&[]={}"
      local status, headers, body = call(open(), server:url("http2", path), {
        method = "PUT", body = "a\0b", headers = { ["X-Empty"] = "", ["X-One"] = "1" },
      })
      assert.equal(200, status)
      assert.equal("application/json", headers["content-type"])
      local seen = cjson.decode(body)
      assert.same({ "PUT", path, "a\0b" }, { seen.method, seen.target, seen.body })
      assert.equal("", provider.header(seen, "x-empty"))
      assert.equal("1", provider.header(seen, "x-one"))
      assert.equal("3", provider.header(seen, "content-length"))
      assert.is_nil(provider.header(seen, "content-type"))
    end)

    it("with a hundred calls on one connection", function()
      local pool = open()
      local transfers = {}
      for i = 1, 100 do transfers[i] = start(pool, server:url("http2", "/delay/20")) end
      for i = 1, 100 do assert.equal(200, (finish(pool, transfers[i]))) end
      assert.equal(100, #server:journal())
      assert.equal(1, server:connections())
    end)

    it("and takes a stream that is reset for a failure of the network", function()
      local pool = open()
      local status, kind, _, sent = call(pool, server:url("http2", "/reset_stream"),
        { method = "POST", body = "{}" })
      assert.is_nil(status)
      assert.same({ "network", true }, { kind, sent })
      assert.equal(1, #server:journal())
      assert.equal(200, (call(pool, server:url("http2"))))
    end)

    -- Whether and when to repeat it is the core's to decide, which waits and counts.
    it("and sends nothing again by itself that the server refused to look at", function()
      for i, extra in ipairs{ { idempotent = true }, { body = "{}", method = "POST" },
        { method = "POST" } } do
        server:clear()
        local url = server:url("http2", "/refused_once/" .. i)
        local status, kind, _, sent = call(open(), url, extra)
        assert.is_nil(status)
        assert.same({ "network", true }, { kind, sent })
        assert.equal(1, #server:journal())
      end
    end)

    it("and goes on elsewhere when the server says goodbye", function()
      local pool = open()
      for _ = 1, 20 do
        local status, kind = call(pool, server:url("http2", "/goaway"), { idempotent = true })
        assert.is_true(status == 200 or kind == "network") -- the goodbye may cross the request
      end
      assert.is_true(server:connections() > 1)
    end)

    -- libcurl 7.88 reads until there is something for the transfer at hand; this took minutes.
    for _, flood in ipairs{ "headers", "interim", "settings", "ping" } do
      it("and frames without end do not hold it beyond its time: " .. flood, function()
        local pool, transfers, started = open(), {}, core.monotonic()
        for i = 1, 8 do
          transfers[i] = start(pool, server:url("http2", "/flood/" .. flood), { timeout = 0.2 })
        end
        for i = 1, 8 do assert.is_nil((finish(pool, transfers[i]))) end
        assert.is_true(core.monotonic() - started < 10)
      end)
    end

    it("and a time that runs out does not hurt the other streams", function()
      local pool = open()
      local slow = start(pool, server:url("http2", "/delay/60"))
      local stalled = start(pool, server:url("http2", "/stall/start"), { timeout = 0.05 })
      assert.equal("timeout", select(2, finish(pool, stalled)))
      assert.equal(200, (finish(pool, slow)))
      assert.equal(1, server:connections())
    end)
  end)
end)
