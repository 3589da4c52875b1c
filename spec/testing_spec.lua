-- What users test their bots with.

local sandbox = require "usher.sandbox"
local usher = require "usher"

local testing = usher.testing

local function contains(value, words)
  assert.truthy(tostring(value):find(words, 1, true), ("no %q in: %s"):format(words,
    tostring(value)))
end

local PROFILE = { results = { user = { user_id = "bob", username = "Bob" } }, status = 200 }

describe("A stub", function()
  it("answers the calls it expects, in their order", function()
    local stub = testing.stub("qiscus")
    stub:expect("user_profile", { user_id = "bob" }, { body = PROFILE })
      :expect("get_user_list", nil, { status = 503 })
    assert.equal("Bob", assert(stub.client:user_profile{ user_id = "bob" }).results.user.username)
    local result, err = stub.client:get_user_list({}, { retries = 0 })
    assert.is_nil(result)
    assert.equal(503, err.status)
    assert.equal(2, #stub.calls)
    stub:verify()
  end)

  it("answers with failures", function()
    local stub = testing.stub("vchatcloud", { token = "t" })
    stub:expect("mute_user", nil, { kind = "timeout", sent = true })
    local done, err = stub.client:mute_user({ room_id = "r", client_key = "u" }, { retries = 0 })
    assert.is_nil(done)
    assert.same({ "timeout", true }, { err.kind, err.request_sent })
    stub:verify()
  end)

  local function provoked(prepare, call, words)
    local stub = testing.stub("qiscus")
    prepare(stub)
    local ok, problem = pcall(call, stub.client)
    if words.now then
      assert.is_false(ok)
      contains(problem, words.now)
    end
    ok, problem = pcall(stub.verify, stub)
    assert.is_false(ok)
    contains(problem, words.later)
  end

  it("complains of a call it did not expect", function()
    provoked(function() end, function(client) client:user_profile{ user_id = "bob" } end,
      { now = "unexpected call, user_profile", later = "unexpected call" })
  end)

  it("complains of another method", function()
    provoked(function(stub) stub:expect("get_user_list") end,
      function(client) client:user_profile{ user_id = "bob" } end,
      { now = "expected get_user_list", later = "expected get_user_list" })
  end)

  it("complains of other arguments", function()
    provoked(function(stub) stub:expect("user_profile", { user_id = "bob" }) end,
      function(client) client:user_profile{ user_id = "eve" } end,
      { now = "user_profile with another url", later = "another url" })
  end)

  it("complains of a call that did not come", function()
    provoked(function(stub) stub:expect("user_profile"):expect("get_user_list") end,
      function() end, { later = "not called: user_profile, get_user_list" })
  end)

  it("sleeps on a clock that it is given", function()
    local clock = testing.clock()
    local stub = testing.stub("qiscus", { clock = clock.now, random = function() return 0.5 end })
    stub.clock = clock
    stub:expect("user_profile", nil, { status = 429, headers = { ["retry-after"] = "7" } })
      :expect("user_profile", nil, { body = PROFILE })
    assert(stub.client:user_profile{ user_id = "bob" })
    assert.equal(1700000007, clock.now())
    assert.equal(7, stub.slept)
    stub:verify()
  end)
end)

describe("A recording", function()
  local path

  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function record(run)
    local box = sandbox.new()
    local options = box:options("ertc")
    options.transport = testing.record(path, options.transport)
    local client = usher.ertc(options)
    local result = run(client, box)
    client:close()
    return result, options
  end

  local function replayed(options)
    options.transport = testing.replay(path)
    return usher.ertc(options)
  end

  it("gives the same answers again", function()
    local function run(client, box)
      local user = box.state.ertc.moderator
      return { assert(client:get_group{ ertc_user_id = user, group_id = "group-1" }).result,
        select(2, client:get_group{ ertc_user_id = user, group_id = "nowhere" }).message, user }
    end
    local seen, options = record(run)
    local client = replayed(options)
    local again = assert(client:get_group{ ertc_user_id = seen[3], group_id = "group-1" })
    assert.same(seen[1], again.result)
    local _, err = client:get_group{ ertc_user_id = seen[3], group_id = "nowhere" }
    assert.equal(seen[2], err.message)
    client:close()
  end)

  it("holds no credential and no token", function()
    local _, options = record(function(client)
      assert(client:get_or_update_user_by_app_id{ app_user_id = "new@example.com" })
    end)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    contains(text, "***")
    for _, name in ipairs{ "api_key", "access_token", "refresh_token" } do
      assert.is_nil(text:find(options[name], 1, true), name)
    end
    assert.is_nil(text:find("eyJ", 1, true))
  end)

  it("says what was not recorded", function()
    local _, options = record(function(client)
      client:get_tenant_details{ namespace = "sandbox" }
    end)
    local client = replayed(options)
    local result, err = client:get_tenant_details({ namespace = "other" }, { retries = 0 })
    assert.is_nil(result)
    contains(err.message, "not recorded: GET ")
    client:close()
  end)

  it("that is none is refused with its line", function()
    local file = assert(io.open(path, "wb"))
    file:write('{"request":"GET / x","status":200}\nhello\n')
    file:close()
    local ok, problem = pcall(testing.replay, path)
    assert.is_false(ok)
    contains(problem, path .. ":2:")
  end)
end)
