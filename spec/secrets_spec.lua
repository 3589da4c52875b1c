-- No credential in anything that people get to see: errors, their text, events, tostring, curl,
-- refusals. Every error is provoked with answers and messages that repeat every credential.

local cjson = require "cjson"
local core = require "usher.core"
local usher = require "usher"
local fake = require "spec.support.fake"
local refusal = require "spec.support.refusal"
local variables = require "spec.support.variables"

local pool = fake.pool()

local function open(...)
  finally(pool.close)
  return pool.open(...)
end

local function percent_encoded(text)
  return (text:gsub("[^%w._~-]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local function json_escaped(text)
  return (text:gsub('["\\]', "\\%0"):gsub("\r", "\\r"):gsub("\n", "\\n"):gsub("%z", "\\u0000"))
end

-- Every spelling of a secret that a server may quote.
local function spellings(secret)
  local escaped = json_escaped(secret)
  return { secret, escaped, (escaped:gsub("/", "\\/")), percent_encoded(secret) }
end

-- Everything printable about a value: strings and numbers, names and members.
local function everything(value, out, seen)
  out, seen = out or {}, seen or {}
  if type(value) == "table" and not seen[value] then
    seen[value] = true
    for name, member in pairs(value) do
      everything(name, out, seen)
      everything(member, out, seen)
    end
  end
  if type(value) ~= "table" or getmetatable(value) then out[#out + 1] = tostring(value) end
  return table.concat(out, "\n")
end

local function assert_clean(secrets, ...)
  for _, value in ipairs{ ... } do
    local text = everything(value)
    for _, secret in ipairs(secrets) do
      for _, spelling in ipairs(spellings(secret)) do
        if text:find(spelling, 1, true) then
          error(("a secret shows: %s in %s"):format(spelling, text), 2)
        end
      end
    end
  end
end

-- ------------------------------------------------------------------- every kind of every provider

-- All credentials of a client, hers and those she gets, and how a call of hers is made. `plain` and
-- `awkward` secrets: the second need escapes in JSON and in URLs.
local function stories(kind)
  local function secret(name)
    if kind == "plain" then return name .. "-5ecret-value" end
    return name .. '/5e"cret\\va+lue=% é'
  end
  local function issued(token)
    return fake.answer(200, cjson.encode{ data = { ["X-AUTH-TOKEN"] = token } })
  end
  local function with(options)
    options.headers = { ["X-Extra"] = secret("extra") }
    options.proxy = ("http://me:%s@proxy.example.com:8080"):format(percent_encoded(secret("proxy")))
    return options
  end
  return {
    ertc = {
      options = with{
        api_key = secret("api-key"), access_token = secret("access"),
        refresh_token = secret("refresh"),
      },
      secrets = { secret("api-key"), secret("access"), secret("refresh"), secret("fcm") },
      method = "update_user_by_ertc_user_id",
      arguments = { ertc_user_id = "u", fcm_token = secret("fcm") },
      envelope = function(text) return { success = false, msg = text, errorCode = text } end,
    },
    ["ertc after a refresh"] = {
      provider = "ertc",
      options = with{ api_key = secret("api-key"), access_token = secret("first") },
      secrets = { secret("api-key"), secret("access-2"), secret("refresh-2") },
      script = {
        fake.answer(200, cjson.encode{
          success = true,
          result = { accessToken = secret("access-2"), refreshToken = secret("refresh-2") },
        }),
      },
      before = function(client) client:refresh_auth_token{ ertc_user_id = "u" } end,
      method = "reset_badge_count",
      arguments = { ertc_user_id = "u" },
      envelope = function(text) return { success = false, message = text, errorCode = text } end,
    },
    smooch = {
      options = with{ key_id = secret("key-id"), secret = secret("secret") },
      secrets = { secret("key-id"), secret("secret"), secret("push") },
      minted = true,
      method = "app_user_device_update",
      arguments = {
        user_id = "u", device_id = "d", push_notification_token = secret("push"),
      },
      envelope = function(text) return { error = { code = text, description = text } } end,
    },
    ["smooch with a JWT"] = {
      provider = "smooch",
      options = with{ key_id = fake.unset, secret = fake.unset, jwt = secret("jwt") },
      secrets = { secret("jwt") },
      method = "link_app_user",
      arguments = { user_id = "u", type = "twilio" },
      envelope = function(text) return { error = { code = text, description = text } } end,
    },
    vchatcloud = {
      options = with{ api_key = secret("api-key"), token = fake.unset },
      secrets = { secret("api-key"), secret("token") },
      script = { issued(secret("token")) },
      method = "mute_user",
      arguments = { room_id = "r", client_key = "k" },
      envelope = function(text) return { result_cd = text, result_msg = text } end,
    },
    ["vchatcloud without a token yet"] = {
      provider = "vchatcloud",
      options = with{ api_key = secret("api-key"), token = fake.unset },
      secrets = { secret("api-key") },
      method = "mute_user",
      arguments = { room_id = "r", client_key = "k" },
      envelope = function(text) return { result_cd = text, result_msg = text } end,
    },
    qiscus = {
      options = with{ secret = secret("secret") },
      secrets = { secret("secret"), secret("password") },
      method = "login_or_register",
      arguments = { user_id = "b", username = "B", password = secret("password") },
      envelope = function(text)
        return { status = 400, error = { message = text, detailed_messages = { text } } }
      end,
    },
  }
end

-- kind -> a step of that kind which repeats the text
local ECHOES = {
  network = function(text) return fake.failure("network", text, false) end,
  timeout = function(text) return fake.failure("timeout", text, true) end,
  tls = function(text) return fake.failure("tls", text, false) end,
  protocol = function(text) return fake.failure("protocol", text, true) end,
  too_large = function(text) return fake.failure("too_large", text, true) end,
  memory = function(text) return fake.failure("memory", text, true) end,
  cancelled = function(text) return fake.failure("cancelled", text, true) end,
  http = function(text, body) return fake.answer(500, body or text) end,
  rate_limited = function(text, body)
    return fake.answer(429, body or text, { ["retry-after"] = text })
  end,
  redirect = function(text) return fake.answer(302, text, { location = text }) end,
  decode = function(text) return fake.answer(200, text) end,
  api = function(_, body) return fake.answer(200, body) end,
}

for _, awkward in ipairs{ "plain", "awkward" } do
  for name, story in pairs(stories(awkward)) do
    local provider = story.provider or name

    -- A client before the call that fails, and all its secrets.
    local function prepare(step)
      local script = { forever = step }
      for i, first in ipairs(story.script or {}) do script[i] = first end
      local events = {}
      local options = { on_event = function(event) events[#events + 1] = event end }
      for key, value in pairs(story.options) do options[key] = value end
      local client, world = open(provider, script, options)
      if story.before then story.before(client) end
      local secrets = {
        story.options.headers["X-Extra"], (story.options.proxy:match("^http://me:(.*)@")),
      }
      for _, secret in ipairs(story.secrets) do secrets[#secrets + 1] = secret end
      if story.minted then
        local headers = client:request(story.method, story.arguments).headers
        secrets[#secrets + 1] = headers["Authorization"]:match("^Bearer (.*)$")
      end
      return client, secrets, events, world
    end

    describe(("%s secrets of %s"):format(awkward, name), function()
      for kind, echo in pairs(ECHOES) do
        local refusable = kind ~= "api" or provider ~= "smooch"
        if refusable then
          it(("show in no error of kind %s, nor in its events"):format(kind), function()
            local text
            local client, secrets, events = prepare(function(...)
              local body = cjson.encode(story.envelope(text))
              if kind == "http" then return fake.answer(500, text)(...) end
              return echo(text, body)(...)
            end)
            local all = {}
            for _, secret in ipairs(secrets) do
              for _, spelling in ipairs(spellings(secret)) do all[#all + 1] = spelling end
            end
            text = table.concat(all, " ")
            local result, err = client[story.method](client, story.arguments, { retries = 1 })
            assert.is_nil(result)
            assert.equal(kind, err.kind)
            assert_clean(secrets, err, tostring(err), "" .. err, events)
          end)
        end
      end

      it("show in no error that quotes the provider's words", function()
        local text
        local client, secrets = prepare(function()
          return 400, {}, cjson.encode(story.envelope(text))
        end)
        text = "wrong: " .. table.concat(secrets, ", ")
        local _, err = client[story.method](client, story.arguments)
        assert.equal("http", err.kind)
        assert.is_truthy(err.message:find("wrong: ***", 1, true))
        assert_clean(secrets, err, tostring(err))
      end)

      it("show in no error before a retry", function()
        local client, secrets = prepare(fake.answer(503))
        local call = core.begin(client, story.method, story.arguments)
        local _, request = call:next()
        if request.operation == "issue_token" and story.script then
          call:next(story.script[1]())
        end
        local action, seconds, err = call:next(nil, "network", table.concat(secrets, " "), false)
        assert.equal("sleep", action)
        assert.equal(0.125, seconds)
        assert_clean(secrets, err, tostring(err))
      end)

      it("show neither in tostring nor in curl", function()
        local client, secrets = prepare(fake.answer(200, "{}"))
        assert_clean(secrets, tostring(client))
        local command = client:curl(story.method, story.arguments)
        assert_clean(secrets, command)
        assert.is_truthy(command:find("***", 1, true))
        local signature = client:request(story.method, story.arguments)
          .headers["X-Request-Signature"]
        if signature then assert_clean({ signature }, command) end
        client:close()
        assert_clean(secrets, tostring(client))
      end)

      it("show in no refusal of a call", function()
        local client, secrets = prepare(fake.answer(200, "{}"))
        local wrong = {}
        for key, value in pairs(story.arguments) do wrong[key] = value end
        for i, secret in ipairs(secrets) do wrong["unknown_" .. i] = secret end
        assert_clean(secrets, refusal.of_call(client, story.method, wrong))
        client:close()
        assert_clean(secrets, refusal.of_call(client, story.method, story.arguments))
      end)
    end)
  end
end

-- --------------------------------------------------------------------------- the edges of masking

describe("a secret at the end of a quotation", function()
  local SECRET = "S3CRET-of-some-length"

  -- Whether a text shows four bytes or more of the beginning of the secret.
  local function shows(text)
    return text:find(SECRET:sub(1, 4), 1, true) ~= nil
  end

  local function error_of(step)
    local client = open("qiscus", { step }, { secret = SECRET, retries = 0 })
    local _, err = client:user_profile{ user_id = "b" }
    return err
  end

  it("does not show when the body is cut in the middle of it", function()
    for left = 0, #SECRET + 1 do
      local err = error_of(fake.answer(500, ("x"):rep(2048 - left) .. SECRET .. "tail"))
      assert.is_true(#err.body <= 2048)
      assert.is_true(#err.body > 2048 - #SECRET - 4)
      assert.is_false(shows(err.body))
    end
  end)

  it("does not show when the message is cut in the middle of it", function()
    for left = 0, #SECRET + 1 do
      local message = ("x"):rep(4096 - left) .. SECRET .. "tail"
      local err = error_of(fake.failure("network", message, false))
      assert.is_true(#err.message <= 4096)
      assert.is_false(shows(err.message))
      err = error_of(fake.answer(500, cjson.encode{ error = { message = message } }))
      assert.is_true(#err.message <= 4096)
      assert.is_false(shows(err.message))
    end
  end)

  it("does not show when the code is cut in the middle of it", function()
    for left = 0, #SECRET + 1 do
      local client = open("smooch", {
        fake.answer(400, cjson.encode{
          error = { code = ("x"):rep(4096 - left) .. SECRET, description = "no" },
        }),
      }, { secret = SECRET })
      local _, err = client:get_app_user{ user_id = "u" }
      assert.is_false(shows(err.code))
    end
  end)

  it("does not show at the start, at the end, twice or side by side", function()
    for _, text in ipairs{
      SECRET, SECRET .. "x", "x" .. SECRET, SECRET .. SECRET, SECRET .. " " .. SECRET,
      "S3CRET-of-" .. SECRET, SECRET:sub(1, -2) .. SECRET,
    } do
      local err = error_of(fake.answer(500, text))
      assert.is_nil(err.body:find(SECRET, 1, true))
      assert.is_truthy(err.body:find("***", 1, true))
    end
  end)

  it("leaves all other text as it is", function()
    local text = "S3CRET of some length, s3cret-of-some-length; S3C*** RET"
    assert.equal(text, error_of(fake.answer(500, text)).body)
    assert.equal("a *** b", error_of(fake.answer(500, "a " .. SECRET .. " b")).body)
  end)
end)

describe("secrets that hold each other", function()
  it("are masked whole, in whatever order they are known", function()
    for _, pair in ipairs{
      { "token-1234", "token-1234-and-the-rest" }, { "token-1234-and-the-rest", "token-1234" },
      { "1234", "ab-1234-cd" }, { "ab-1234-cd", "1234" },
    } do
      local client = open("ertc", { forever = fake.answer(500, pair[1] .. "|" .. pair[2]) },
        { access_token = pair[1], refresh_token = pair[2], retries = 0 })
      local _, err = client:reset_badge_count{ ertc_user_id = "u" }
      assert.equal("***|***", err.body)
    end
  end)
end)

describe("a secret argument", function()
  local function error_of(password, body)
    local client = open("qiscus", { fake.answer(500, body) }, { retries = 0 })
    local _, err = client:login_or_register{ user_id = "b", username = "B", password = password }
    return err
  end

  it("of any bytes is masked in one piece", function()
    for _, password in ipairs{
      "ab\0cd\0ef\0gh", "\0\0\0\0", "line\r\nbreak", "tab\tand \1\2\3", "naïve пароль 비밀번호",
    } do
      local quoted = cjson.encode(password):sub(2, -2)
      assert.equal("<***>", error_of(password, "<" .. password .. ">").body)
      assert.equal("<***>", error_of(password, "<" .. quoted .. ">").body)
    end
  end)

  it("in another script is masked as \\u escapes too", function()
    local escaped = "\\u043f\\u0430\\u0440\\u043e\\u043b\\u044c"
    assert.equal("<***>", error_of("пароль", "<" .. escaped .. ">").body)
    escaped = escaped:upper():gsub("U", "u")
    assert.equal("<***>", error_of("пароль", "<" .. escaped .. ">").body)
    assert.equal("<***>", error_of("a/🙂b", "<a\\/\\ud83d\\ude42b>").body)
  end)

  it("is masked in both cases of percent escapes", function()
    assert.equal("<***> <***>", error_of("pass/wörd", "<pass%2Fw%C3%B6rd> <pass%2fw%c3%b6rd>").body)
  end)

  it("that is a table is masked string by string, and its names are not", function()
    local payload = { data = { header = { ["X-Key"] = "key-1234" }, body = { 'q"uo/te\n5678' } } }
    local client = open("ertc", {
      fake.answer(500, '{"msg":"header key-1234 and q\\"uo\\/te\\n5678"}'),
    }, { retries = 0 })
    local arguments = { app_user_id = "u", auth_payload = payload }
    local _, err = client:get_or_update_user_by_app_id(arguments)
    assert.equal("header *** and ***", err.message)
    assert.equal('{"msg":"header *** and ***"}', err.body)
    local command = client:curl("get_or_update_user_by_app_id", arguments)
    assert.is_nil(command:find("1234", 1, true))
    assert.truthy(command:find('"authPayload":"***"', 1, true))
  end)

  it("that is long is masked too", function()
    local password = ("p4ssword/"):rep(100)
    assert.equal("<***>", error_of(password, "<" .. password .. ">").body)
    assert.is_nil(error_of(("p4ss"):rep(100000), ("p4ss"):rep(100000)).body:find("p4ss", 1, true))
  end)

  it("is that of its call, not of another", function()
    local client = open("qiscus", { forever = fake.answer(404, "hunter22") })
    local _, err = client:login_or_register{ user_id = "b", username = "B", password = "hunter22" }
    assert.equal("***", err.body)
    _, err = client:user_profile{ user_id = "b" }
    assert.equal("hunter22", err.body)
  end)

  it("given as a number is masked", function()
    assert.equal("<***>", error_of(12345678, "<12345678>").body)
  end)

  it("shows as *** in curl, and nothing else does", function()
    local client = open("qiscus")
    local command = client:curl("login_or_register",
      { user_id = "b", username = "B", password = "hunter22", extras = { note = "a" } })
    assert.is_truthy(command:find(
      [['{"user_id":"b","password":"***","username":"B","extras":{"note":"a"}}']], 1, true))
    assert.is_truthy(command:find("'QISCUS-SDK-SECRET: ***'", 1, true))
    assert.is_truthy(command:find("'QISCUS-SDK-APP-ID: test-app'", 1, true))
  end)
end)

describe("a token that was replaced while a call was on its way", function()
  it("shows in no error of that call", function()
    local function issued(token)
      return 200, {}, cjson.encode{ data = { ["X-AUTH-TOKEN"] = token } }
    end
    local client = open("vchatcloud", {}, { token = fake.unset })
    local first = core.begin(client, "list_users", { room_id = "r" }, { retries = 0 })
    local second = core.begin(client, "list_users", { room_id = "r" })
    first:next()
    first:next(issued("the-first-token"))
    second:next()
    second:next(401, {}, "")
    second:next(issued("the-second-token"))
    local action, err = first:next(500, {}, "the-first-token and the-second-token")
    assert.equal("fail", action)
    assert.equal("*** and ***", err.body)
  end)
end)

describe("credentials over plain HTTP", function()
  local SECRET = "plain-http-5ecret"

  local function refused(base, more)
    local options = { app_id = "a", secret = SECRET, base_url = base }
    for name, value in pairs(more or {}) do options[name] = value end
    local message = refusal.of_client("qiscus", options)
    assert.truthy(message:find("base_url", 1, true), base)
    assert_clean({ SECRET }, message)
  end

  -- What looks like loopback, is read as loopback by some only, or hides another host.
  for _, base in ipairs{
    "http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://evil.localhost",
    "http://xlocalhost", "http://localhost.", "http://127.0.0.1.", "http://127.1", "http://127.0.1",
    "http://127", "http://2130706433", "http://0x7f000001", "http://0x7f.0.0.1",
    "http://0177.0.0.1", "http://017700000001", "http://127.0.0.01", "http://127.0.0.256",
    "http://127.0.0.1000", "http://127...", "http://127..0.1", "http://127.0.0.1e0",
    "http://0.0.0.0", "http://0", "http://10.0.0.1", "http://169.254.169.254", "http://[::]",
    "http://[::2]", "http://[0:0:0:0:0:0:0:1]", "http://[::ffff:127.0.0.1]", "http://[::1%25lo]",
    "http://[::1].evil.example", "http://[::1]evil.example", "http://::1",
    "http://localhost@evil.example", "http://localhost:80@evil.example",
    "http://127.0.0.1:80@evil.example", "http://me:pass@localhost", "http://@localhost",
    "http://localhost\\@evil.example", "http://localhost#@evil.example",
    "http://localhost?@evil.example", "http://localhost%2eevil.example",
    "http://127.0.0.1%2f@evil.example", "http://localhost\0.evil.example",
    "http://localhost\t.evil.example", "http://localhost\r\nHost: evil.example",
    "http://\226\147\155ocalhost", "http://\239\188\145\239\188\146\239\188\151.0.0.1",
    "HTTP://evil.example", "http:evil.example", "http:/evil.example", "http:///evil.example",
  } do
    it(("are refused: %q"):format(base), function() refused(base) end)
  end

  it("are refused where the variable says so, too", function()
    local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
    local first = 0
    while arg[first - 1] do first = first - 1 end
    local pipe = assert(io.popen(([[env USHER_QISCUS_BASE_URL=http://evil.example '%s' '%s' %s -e '
      print(pcall(require("usher").qiscus, { app_id = "a", secret = "s3cret" }))' 2>&1]]):format(
      "LUA_PATH" .. suffix .. "=" .. package.path, "LUA_CPATH" .. suffix .. "=" .. package.cpath,
      arg[first])))
    local output = pipe:read("*a")
    pipe:close()
    assert.matches("^false\t.*base_url must be https", output)
  end)

  for _, base in ipairs{
    "http://localhost", "http://localhost:8080/x", "http://127.0.0.1", "http://127.255.255.255:1",
    "http://127.0.0.0", "http://[::1]", "http://[::1]:8080",
  } do
    it("may go to loopback: " .. base, function()
      open("qiscus", {}, { base_url = base })
    end)
  end

  it("may go elsewhere with insecure_http = true, and with nothing less", function()
    open("qiscus", {}, { base_url = "http://evil.example", insecure_http = true })
    refused("http://evil.example", { insecure_http = false })
    for _, value in ipairs{ "true", 1, "yes" } do
      local message = refusal.of_client("qiscus",
        { app_id = "a", secret = SECRET, base_url = "http://evil.example", insecure_http = value })
      assert.truthy(message:find("insecure_http must be of type boolean", 1, true))
    end
    refused("http://me@evil.example", { insecure_http = true })
  end)

  it("may not go through a proxy, be it on the way to loopback", function()
    for _, proxy in ipairs{ "environment", "http://proxy.example", "socks5h://127.0.0.1:1" } do
      local message = refusal.of_client("qiscus",
        { app_id = "a", secret = SECRET, base_url = "http://localhost", proxy = proxy })
      assert.truthy(message:find("proxy would see credentials in clear", 1, true))
      open("qiscus", {}, { base_url = "https://localhost", proxy = proxy })
      open("qiscus", {}, { base_url = "http://localhost", proxy = proxy, insecure_http = true })
    end
  end)

  it("cannot be had by a call, which has no base_url of its own", function()
    local client, world = open("qiscus")
    local message = refusal.of_call(client, "user_profile",
      { user_id = "u", base_url = "http://evil.example" })
    assert.truthy(message:find("unknown argument 'base_url'", 1, true))
    assert.has_error(function()
      client:user_profile({ user_id = "u" }, { base_url = "http://evil.example" })
    end)
    assert.same({}, world.requests)
  end)
end)

describe("an error handler that reads every variable", function()
  -- What it finds when `act` raises, and says of the way to it; `mine` are tables of the caller.
  local function found(mine, act)
    local strings, count, trace
    local ok, problem = xpcall(act, function(problem)
      strings, count = variables.strings(mine)
      trace = debug.traceback()
      return problem
    end)
    assert.is_false(ok)
    assert.is_number(count, problem)
    assert.is_true(count > 0 and #strings > 0)
    return strings, trace
  end

  local function options_of(story, provider, more)
    local options = { base_url = "http://127.0.0.1:1" }
    for _, from in ipairs{ fake.options[provider], story.options, more } do
      for name, value in pairs(from) do options[name] = value end
    end
    for name, value in pairs(options) do
      if value == fake.unset then options[name] = nil end
    end
    options.proxy = nil -- the client keeps the text, for its transport
    return options
  end

  for name, story in pairs(stories("plain")) do
    local provider = story.provider or name
    local secrets = { story.options.headers["X-Extra"] }
    for _, secret in ipairs(story.secrets) do secrets[#secrets + 1] = secret end

    it("finds no secret of a client that is refused: " .. name, function()
      local options = options_of(story, provider, { retries = "many" })
      assert_clean(secrets, found({ [options] = true, [options.headers] = true }, function()
        usher[provider](options)
      end))
    end)

    for what, row in pairs{
      ["whose arguments are wrong"] = { arguments = { nonsense = true } },
      ["whose clock raises"] = { options = { clock = function() error "here" end } },
      ["whose event function raises"] = { options = { on_event = function() error "here" end } },
    } do
      it(("finds no secret of a call %s: %s"):format(what, name), function()
        local options = options_of(story, provider, row.options or {})
        local client = usher[provider](options)
        finally(function() client:close() end)
        local arguments = {}
        for key, value in pairs(story.arguments) do arguments[key] = value end
        for key, value in pairs(row.arguments or {}) do arguments[key] = value end
        local mine = { [options] = true, [options.headers] = true, [arguments] = true }
        assert_clean(secrets, found(mine, function()
          client[story.method](client, arguments)
        end))
      end)
    end
  end
end)

describe("a refusal of options", function()
  local SECRET = "v3ry-s3cret"
  local rows = {
    { "qiscus", { app_id = "a", secret = SECRET .. "\n" } },
    { "qiscus", { app_id = "a", secret = SECRET, base_url = "https://u:" .. SECRET .. "@x.y" } },
    { "qiscus", { app_id = "a", secret = SECRET, base_url = "https://x.y?key=" .. SECRET } },
    { "qiscus", { app_id = "a", secret = SECRET, headers = { ["X-A"] = SECRET .. "\r" } } },
    { "qiscus", { app_id = "a", secret = SECRET, headers = { Host = SECRET } } },
    { "qiscus", { app_id = "a", secret = SECRET, header_style = SECRET } },
    { "qiscus", { app_id = "a", secret = SECRET, proxy = "http://u:" .. SECRET .. "@p\n" } },
    { "qiscus", { app_id = "a", secrt = SECRET } },
    { "qiscus", { SECRET } },
    { "smooch", { key_id = SECRET, jwt = SECRET } },
    { "smooch", { key_id = SECRET } },
    { "smooch", { key_id = "k", secret = SECRET, scope = SECRET } },
    { "vchatcloud", { api_key = SECRET .. "\0", token = SECRET .. "\0" } },
    { "ertc", { api_key = SECRET, access_token = "\r" .. SECRET, nonce_unit = SECRET } },
  }
  for i, row in ipairs(rows) do
    it(("shows no secret: %s, %d"):format(row[1], i), function()
      assert_clean({ SECRET }, refusal.of_client(row[1], row[2]))
    end)
  end
end)

describe("describe", function()
  it("shows no secret of the clients there are", function()
    local secrets = {}
    for name, story in pairs(stories("plain")) do
      open(story.provider or name, {}, story.options)
      for _, secret in ipairs(story.secrets) do secrets[#secrets + 1] = secret end
    end
    for _, provider in ipairs(usher.providers()) do
      assert_clean(secrets, usher.describe(provider))
    end
  end)
end)
