-- One person into each provider: created, updated or left alone for a reason, never sent twice.

local lines = require "spec.support.line"

local says = lines.says

local function line_of(providers, more)
  finally(lines.close_all)
  return lines.of(providers, more)
end

describe("A person", function()
  local BOB = { id = "u1", name = "Bob", email = "b@x", avatar_url = "https://x/b.png",
    properties = { plan = "gold" } }

  it("is created where nobody has the id", function()
    local line, world = line_of{ "ertc", "qiscus", "smooch" }
    local outcomes = assert(line:upsert(BOB))
    assert.same({ "put", "created", "created" }, { outcomes.ertc.action, outcomes.qiscus.action,
      outcomes.smooch.action })
    local state = world.box.state
    local q, s = state.qiscus.users.u1, state.smooch.users[state.smooch.by_user_id.u1]
    assert.same({ "Bob", "https://x/b.png", "gold" }, { q.username, q.avatar_url, q.extras.plan })
    assert.same({ "Bob", "b@x", "gold" }, { s.givenName, s.email, s.properties.plan })
    assert.is_table(state.ertc.users and outcomes.ertc.result)
  end)

  it("is left alone by Qiscus when all is so already", function()
    local line, world = line_of{ "qiscus" }
    assert(line:upsert(BOB))
    assert.equal("unchanged", assert(line:upsert(BOB)).qiscus.action)
    assert.equal("unchanged", assert(line:upsert{ id = "u1" }).qiscus.action)
    assert.equal(1, world.box:count("qiscus", "login_or_register"))
  end)

  it("of Qiscus is never changed without a password", function()
    local line, world = line_of{ "qiscus" }
    world.box:seed_user("qiscus", { user_id = "u1", username = "Robert", password = "old" })
    for _, change in ipairs{ { name = "Bob" }, { avatar_url = "https://x/c.png" },
      { properties = { a = "b" } } } do
      change.id = "u1"
      local result, err, outcomes = line:upsert(change)
      assert.is_nil(result)
      assert.same({ "unsupported", false, "qiscus" }, { err.kind, err.request_sent, err.provider })
      says(err, "would overwrite it")
      assert.equal("failed", outcomes.qiscus.state)
    end
    assert.equal(0, world.box:count("qiscus", "login_or_register"))
    assert.same({ "Robert", "old" }, { world.box.state.qiscus.users.u1.username,
      world.box.state.qiscus.users.u1.password })
  end)

  it("of Qiscus is changed with a password, which is the user's then", function()
    local line, world = line_of{ "qiscus" }
    world.box:seed_user("qiscus", { user_id = "u1", username = "Robert", password = "old" })
    local outcomes = assert(line:upsert{ id = "u1", name = "Bob", password = "new" })
    assert.equal("updated", outcomes.qiscus.action)
    assert.same({ "Bob", "new" }, { world.box.state.qiscus.users.u1.username,
      world.box.state.qiscus.users.u1.password })
  end)

  it("of Smooch whose id is taken is updated", function()
    local line, world = line_of{ "smooch" }
    assert.equal("updated", assert(line:upsert{ id = "bob@example.com", name = "Robert" })
      .smooch.action)
    assert.same({ 1, 1 }, { world.box:count("smooch", "pre_create_app_user"),
      world.box:count("smooch", "update_app_user") })
    local state = world.box.state.smooch
    assert.equal("Robert", state.users[state.by_user_id["bob@example.com"]].givenName)
  end)

  -- What happens to the call that creates; whether the person is there then; what is reported.
  local faults = {
    { "whose answer is lost", { drop = "after" }, "created" },
    { "whose answer is no JSON", { body = "<html>", acted = true }, "created" },
    { "that is answered with 500 and done all the same", { status = 500, acted = true },
      "created" },
    { "that is lost itself", { drop = "before" }, nil, "network" },
    { "that is answered with 503", { status = 503 }, nil, "http" },
    { "that is answered with no JSON", { body = "<html>" }, nil, "decode" },
  }
  for _, provider in ipairs{ "smooch", "qiscus" } do
    local operation = provider == "smooch" and "pre_create_app_user" or "login_or_register"
    local reader = provider == "smooch" and "get_app_user" or "user_profile"
    for _, row in ipairs(faults) do
      it(("of %s: a creation %s is settled by reading, and never sent again"):format(provider,
        row[1]), function()
        local line, world = line_of{ provider }
        row[2].provider, row[2].operation = provider, operation
        world.box:fault(row[2])
        local outcomes, err = line:upsert(BOB)
        assert.equal(row[3], outcomes and outcomes[provider].action)
        assert.equal(row[4], err and err.kind)
        assert.equal(1, world.box:count(provider, operation))
        assert.is_true(world.box:count(provider, reader) >= 1)
      end)
    end

    it(("of %s: a refused creation is no created person"):format(provider), function()
      local line, world = line_of{ provider }
      world.box:fault{ provider = provider, operation = operation, status = 400 }
      local result, err = line:upsert(BOB)
      assert.is_nil(result)
      assert.equal(400, err.status)
      assert.equal(1, world.box:count(provider, operation))
    end)
  end

  it("that cannot be read after a lost answer is reported as that", function()
    local line, world = line_of{ "smooch" }
    world.box:fault{ operation = "pre_create_app_user", drop = "after" }
    world.box:fault{ operation = "get_app_user", status = 503 }
    local result, err = line:upsert(BOB)
    assert.is_nil(result)
    assert.same({ "network", true }, { err.kind, err.request_sent })
  end)

  it("is reported for each provider when one fails", function()
    local line, world = line_of{ "ertc", "qiscus", "smooch" }
    world.box:fault{ provider = "qiscus", status = 500, times = 9 }
    local result, err, outcomes = line:upsert(BOB)
    assert.is_nil(result)
    assert.equal("qiscus", err.provider)
    assert.same({ "done", "failed", "done" }, { outcomes.ertc.state, outcomes.qiscus.state,
      outcomes.smooch.state })
    assert.equal(500, outcomes.qiscus.error.status)
  end)

  it("is not changed by it", function()
    local person = { id = "u1", name = "Bob", properties = { a = "b" } }
    local line = line_of{ "qiscus", "smooch" }
    assert(line:upsert(person))
    assert.same({ id = "u1", name = "Bob", properties = { a = "b" } }, person)
  end)
end)
