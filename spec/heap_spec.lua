-- What is left of a secret in the memory of a process: a child makes calls with every kind of
-- credential, lets go of its clients, and all its memory is looked through, freed memory as well.
--
-- Its account's credentials come from the environment, so that no Lua string holds them; they have
-- to be gone without Lua having collected anything. What only comes as a Lua string, from the
-- caller or in an answer, Lua copies and frees as it likes: it has to be gone where the allocator
-- of the Lua state clears what it frees (spec/support/clearing.c).

local core = require "usher.core"
local heap = require "spec.support.heap"
local provider = require "spec.support.provider"
local usher = require "usher"

local secret = heap.secret

local ENVIRONMENT = {
  USHER_QISCUS_APP_ID = "app",
  USHER_QISCUS_SECRET = secret "qsec",
  USHER_SMOOCH_KEY_ID = secret "kidd",
  USHER_SMOOCH_SECRET = secret "ssec",
  USHER_VCHATCLOUD_API_KEY = secret "vkey",
  USHER_ERTC_API_KEY = secret "ekey",
  USHER_ERTC_ACCESS_TOKEN = secret "eacc",
  USHER_ERTC_REFRESH_TOKEN = secret "eref",
}

-- Read from the environment, and kept as long as the client.
local KEPT = {
  qiscus_secret = secret "qsec",
  smooch_key_id = secret "kidd",
  smooch_secret = secret "ssec",
  vchatcloud_api_key = secret "vkey",
  ertc_api_key = secret "ekey",
}

local function from_hex(text)
  return (text:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- Made from those.
local function derived()
  local smooch = usher.smooch{ key_id = secret "kidd", secret = secret "ssec" }
  local jwt = smooch:request("get_app_user", { user_id = "u" }).headers.Authorization
    :match("^Bearer (.*)$")
  smooch:close()
  local ertc = usher.ertc{
    base_url = "https://ertc.example", api_key = secret "ekey", bundle_id = "b", tenant_id = "t",
    access_token = secret "eacc", clock = function() return heap.NOW end,
  }
  local signature = ertc:request("reset_badge_count", { ertc_user_id = "u" })
    .headers["X-Request-Signature"]
  ertc:close()
  return {
    smooch_jwt = jwt,
    smooch_jwt_digest = core.hmac_sha256(secret "ssec", jwt:match("^(.*)%.")),
    ertc_signature = signature,
    ertc_signature_digest = from_hex(signature),
  }
end

-- Passed in by the caller, as Lua strings.
local GIVEN = {
  header = secret "extr",
  password = secret "pass",
  push_token = secret "push",
  ready_jwt = secret "rjwt",
  fcm_token = secret "fcmt",
  auth_payload = secret "payl",
}

-- What the server issues.
local ISSUED = {
  issued_access_token = ("issued-access-"):rep(4),
  issued_refresh_token = ("issued-refresh-"):rep(4),
  issued_token = ("issued-token-"):rep(4),
}

local function all(...)
  local together = {}
  for _, secrets in ipairs{ ... } do
    for name, value in pairs(secrets) do together[name] = value end
  end
  return together
end

describe("#build the memory of a process", function()
  local server, account, everything, child

  setup(function()
    server = provider.start()
    account = all(KEPT, derived(), {
      ertc_access_token = secret "eacc", ertc_refresh_token = secret "eref",
    })
    everything = all(account, GIVEN, ISSUED, { proxy_password = secret "prox" })
    local directory = _VERSION == "Lua 5.4" and "5.4" or "5.1"
    assert(os.execute(("MAKEFLAGS= make -s build/%s/spec/clearing.so"):format(directory)))
    package.cpath = ("./build/%s/spec/?.so;"):format(directory) .. package.cpath
  end)

  teardown(function() server:stop() end)

  after_each(function()
    if child then child:stop() end
    child = nil
  end)

  if not heap.available() then
    pending("can be looked at through /proc")
    return
  end

  local function start(listener, settings)
    settings.base, settings.ca = server:url(listener, "/json/tokens"), server.files.ca_file
    if listener == "https" and settings.last ~= "open" then
      settings.proxy = "@127.0.0.1:" .. server.ports.http
    end
    child = heap.start(ENVIRONMENT, settings)
    return child
  end

  local function stop()
    local stopped = child
    child = nil
    return stopped:stop()
  end

  for _, listener in ipairs{ "http", "https" } do
    for _, how in ipairs{ "blocking", "map" } do
      describe(("after calls over %s, %s,"):format(listener, how), function()
        it("holds no credential of a closed client, though nothing was collected", function()
          start(listener, { how = how, last = "close", collector = "stopped" })
          assert.is_true(child.wipes)
          assert.same({}, child:copies(account))
          assert.equal("", stop())
        end)

        for _, last in ipairs{ "close", "collect" } do
          it("holds nothing that came as a string, where Lua clears what it frees: " .. last,
            function()
              start(listener, { how = how, last = last, clearing = "yes" })
              assert.same({}, child:copies(everything))
              assert.equal("", stop())
            end)
        end
      end)
    end

    it("holds each credential of an open client once: " .. listener, function()
      start(listener, { last = "open", collector = "stopped" })
      local once = {}
      for name in pairs(KEPT) do once[name] = 1 end
      assert.same(once, child:copies(KEPT))
    end)
  end

  -- Over HTTP/2 libnghttp2 has copies that nobody clears.
  it("holds nothing where a server offers HTTP/2 and libcurl is told to do without", function()
    start("http2", { last = "close", clearing = "yes", http = "1.1" })
    assert.same({}, child:copies(everything))
    assert.equal("", stop())
  end)

  it("holds credentials where somebody else has started libcurl, which is told", function()
    start("https", { last = "close", clearing = "yes", stranger = "yes" })
    assert.is_false(child.wipes)
    assert.truthy(next(child:copies(account)))
  end)
end)
