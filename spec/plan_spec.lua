-- Plans: recorded without acting, saved and read again, applied once, and taken back.

local desks = require "spec.support.desk"
local refusal = require "spec.support.refusal"
local usher = require "usher"

local FAST = { pace = 1e6 }

local function contains(text, words)
  assert.truthy(tostring(text):find(words, 1, true), ("no %q in: %s"):format(words, tostring(text)))
end

local function desk_of(provider, more)
  finally(desks.close_all)
  return desks.of(provider or "vchatcloud", more)
end

-- Mutes the first `count` users that are no staff.
local function mute_some(count)
  return function(desk)
    local muted = 0
    for _, user in ipairs(assert(desk:list_users())) do
      if muted < count and user.role == "user" then
        muted = muted + 1
        assert(desk:mute{ user = user, reason = "a test" })
      end
    end
  end
end

local function seed(world, count)
  local users = {}
  for i = 1, count do users[i] = { nick_name = "user " .. i, client_key = ("k%03d"):format(i) } end
  world.box:seed_room("room-1", users)
end

local function count_muted(desk)
  return #assert(desk:list_muted())
end

describe("A plan", function()
  local paths = {}

  local function path()
    local name = os.tmpname()
    paths[#paths + 1] = name
    return name
  end

  after_each(function()
    for _, name in ipairs(paths) do os.remove(name) end
    paths = {}
  end)

  it("is recorded, and nothing is done", function()
    local desk, world = desk_of()
    local plan = assert(desk:plan(mute_some(3)))
    assert.equal(3, #plan.actions)
    assert.equal(0, world.box:count("vchatcloud", "mute_user"))
    assert.same({}, assert(world.ledger:cases()))
    assert.same({ 1, "mute", "room-1", "a test" }, { plan.actions[1].index, plan.actions[1].verb,
      plan.actions[1].room, plan.actions[1].reason })
  end)

  it("records no action that cannot be done", function()
    local desk = desk_of()
    local refused
    local plan = assert(desk:plan(function(recorder)
      local _, err = recorder:kick{ user = "u1" }
      refused = err.kind
    end))
    assert.same({ "unsupported", 0 }, { refused, #plan.actions })
    local ok, problem = pcall(desk.plan, desk, function(recorder)
      recorder:warn{ user = "u1", reason = ("x"):rep(200) }
    end)
    assert.is_false(ok)
    contains(problem, "100 characters")
  end)

  it("prints as a table, one line an action whatever the names hold", function()
    local desk, world = desk_of()
    world.box:seed_room("room-1", { "a\nb", "김민준", "x\27[2J" })
    local text = tostring(assert(desk:plan(mute_some(3))))
    local _, lines = text:gsub("\n", "")
    assert.equal(4, lines)
    contains(text, "a?b")
    contains(text, "김민준")
    assert.is_nil(text:find("\27", 1, true))
    contains(text, "3 actions on vchatcloud")
  end)

  it("is saved and read again, the same", function()
    local desk = desk_of()
    local plan = assert(desk:plan(mute_some(3)))
    local name = path()
    assert(plan:save(name))
    local again = assert(usher.moderation.load_plan(name))
    assert.same(plan.actions, again.actions)
    assert.same({ plan.id, "vchatcloud", "ann" }, { again.id, again.provider, again.moderator })
    assert.equal(plan:lines(), again:lines())
  end)

  it("that cannot be saved says so and leaves nothing", function()
    local plan = assert(desk_of():plan(mute_some(1)))
    local ok, problem = plan:save("/no/such/directory/plan.jsonl")
    assert.is_nil(ok)
    contains(problem, "/no/such/directory")
  end)

  local head = '{"usher_plan":1,"id":"p","provider":"vchatcloud"}'
  local bad = {
    { "", "empty" },
    { "hello\n", ":1: it is not JSON" },
    { "{}\n", ":1: is not a plan" },
    { '{"usher_plan":2,"id":"p","provider":"x"}\n', ":1: has version 2" },
    { '{"usher_plan":1}\n', ":1: has no id" },
    { head .. '\n{"verb":"mute"', ":2: it is not JSON" },
    { head .. '\n{"verb":"frob","user":"u","index":1}', ":2: has no known verb" },
    { head .. '\n{"verb":"mute","index":1}', ":2: has no user" },
    { head .. '\n{"verb":"mute","user":7,"index":1}', ":2: has a user that is not a string" },
    { head .. '\n{"verb":"mute","user":"u","index":"1"}', "index that is not a number" },
    { head .. '\n{"verb":"mute","user":"u","index":1}\n{"verb":"mute","user":"v","index":1}',
      ":3: has an index a second time" },
  }
  for _, row in ipairs(bad) do
    it(("is refused with its line: %s"):format(row[2]), function()
      local name = path()
      local file = assert(io.open(name, "wb"))
      file:write(row[1])
      file:close()
      local plan, problem = usher.moderation.load_plan(name)
      assert.is_nil(plan)
      contains(problem, row[2])
    end)
  end

  describe("that is applied", function()
    it("does each action once, and is in the ledger", function()
      local desk, world = desk_of()
      local plan = assert(desk:plan(mute_some(5)))
      local summary = assert(desk:apply(plan, FAST))
      assert.same({ 5, 5, 0, 0 }, { summary.planned, summary.done, summary.skipped,
        summary.remaining })
      assert.equal(5, count_muted(desk))
      assert.equal(5, #assert(world.ledger:cases{ plan = plan.id, outcome = "done" }))
      summary = assert(desk:apply(plan, FAST))
      assert.same({ 5, 0 }, { summary.earlier, summary.done })
      assert.equal(5, world.box:count("vchatcloud", "mute_user"))
    end)

    it("skips what was done by hand since, with the reason", function()
      local desk, world = desk_of()
      seed(world, 20)
      local plan = assert(desk:plan(mute_some(20)))
      for i = 1, 20, 2 do assert(desk:mute{ user = plan.actions[i].user }) end
      local summary = assert(desk:apply(plan, FAST))
      assert.same({ 10, 10, 0 }, { summary.done, summary.skipped, summary.remaining })
      for _, action in ipairs(summary.actions) do
        local skipped = action.index % 2 == 1
        assert.equal(skipped and "skipped" or "done", action.outcome)
        assert.equal(skipped and "is muted already" or nil, action.reason)
      end
      assert.equal(20, world.box:count("vchatcloud", "mute_user"))
    end)

    it("is refused as a whole when it has too many actions, or is another provider's", function()
      local desk, world = desk_of()
      local plan = assert(desk:plan(mute_some(5)))
      local summary, err = desk:apply(plan, { max_actions = 4 })
      assert.is_nil(summary)
      contains(err, "5 actions")
      assert.equal(0, world.box:count("vchatcloud", "mute_user"))
      summary, err = desk_of("qiscus"):apply(plan)
      assert.is_nil(summary)
      contains(err, "vchatcloud")
    end)

    it("stops when it is asked to, and goes on when it is applied again", function()
      local desk, world = desk_of()
      seed(world, 30)
      local plan = assert(desk:plan(mute_some(30)))
      local asked = 0
      local summary = assert(desk:apply(plan, { pace = 1e6, concurrency = 1, stop = function()
        asked = asked + 1
        return asked > 10
      end }))
      assert.is_true(summary.stopped)
      assert.equal(30, summary.done + summary.remaining)
      assert.equal(summary.done, count_muted(desk))
      local rest = assert(desk:apply(plan, FAST))
      assert.same({ summary.done, summary.remaining }, { rest.earlier, rest.done })
      assert.equal(30, world.box:count("vchatcloud", "mute_user"))
    end)

    it("stops at a signal, and the process goes on", function()
      local desk, world = desk_of()
      seed(world, 30)
      local plan = assert(desk:plan(mute_some(30)))
      local core = require "usher.core"
      local summary = assert(desk:apply(plan, { pace = 1e6, concurrency = 1,
        on_action = function(_, _, _, counts)
          if counts.done == 5 then
            io.popen(("kill -INT %d"):format((core.process()))):close()
          end
        end }))
      assert.is_true(summary.stopped)
      assert.is_true(summary.done >= 5 and summary.done < 30)
      assert.is_false(core.interrupted())
    end)

    it("tries again what surely was not done, and not what is unknown", function()
      local desk, world = desk_of("ertc")
      local function ban_all(recorder)
        for _, user in ipairs{ "alice@example.com", "bob@example.com", "mallory@example.com" } do
          assert(recorder:ban{ user = user })
        end
      end
      local plan = assert(desk:plan(ban_all))
      world.box:fault{ provider = "ertc", operation = "restrict_participants", status = 400,
        times = 1 }
      local options = { pace = 1e6, concurrency = 1 }
      local summary = assert(desk:apply(plan, options))
      assert.same({ 2, 1, 0 }, { summary.done, summary.failed, summary.unknown })
      world.box:fault{ provider = "ertc", operation = "restrict_participants", drop = "after",
        times = 1 }
      summary = assert(desk:apply(plan, options))
      assert.same({ 2, 0, 1 }, { summary.earlier, summary.done, summary.unknown })
      summary = assert(desk:apply(plan, options))
      assert.same({ 3, 0 }, { summary.earlier, summary.done })
      assert.equal(4, world.box:count("ertc", "restrict_participants"))
    end)

    it("stops where nothing that follows would fare better", function()
      local desk, world = desk_of("qiscus")
      local plan = assert(desk:plan(function(recorder)
        for _, user in ipairs{ "alice", "bob", "mallory" } do
          assert(recorder:sign_out{ user = user })
        end
      end))
      world.box:fault{ provider = "qiscus", status = 401, times = 10 }
      local summary, err, begun = desk:apply(plan, { pace = 1e6, concurrency = 1 })
      assert.is_nil(summary)
      assert.equal(401, err.status)
      assert.same({ 1, 2 }, { begun.failed, begun.remaining })
      assert.equal(1, world.box:count("qiscus", "reset_user_token"))
    end)

    it("keeps its pace", function()
      local desk, world = desk_of()
      seed(world, 6)
      local plan = assert(desk:plan(mute_some(6)))
      local core = require "usher.core"
      local started = core.monotonic()
      assert(desk:apply(plan, { pace = 50 }))
      assert.is_true(core.monotonic() - started >= 5 / 50)
    end)

    it("raises for options that make no sense", function()
      local desk = desk_of()
      local plan = assert(desk:plan(mute_some(1)))
      contains(refusal.of(desk.apply, desk, plan, { pase = 1 }), "'pase'")
      contains(refusal.of(desk.apply, desk, plan, { pace = 0 }), "pace")
    end)
  end)

  describe("that takes back", function()
    it("a mistake of a hundred actions restores the room exactly", function()
      local desk, world = desk_of()
      seed(world, 120)
      for i = 1, 10 do assert(desk:mute{ user = ("k%03d"):format(i), reason = "before" }) end
      local json = require "usher.sandbox.json"
      local before = json.encode(world.box:snapshot())
      world.now = world.now + 60
      local mistake = assert(desk:plan(mute_some(100)))
      local made = assert(desk:apply(mistake, FAST))
      assert.same({ 90, 10 }, { made.done, made.skipped })
      assert.are_not.equal(before, json.encode(world.box:snapshot()))
      local summary = assert(desk:undo({ moderator = "ann", since = world.now }, FAST))
      assert.same({ 90, 0, 0 }, { summary.done, summary.failed, summary.remaining })
      assert.equal(before, json.encode(world.box:snapshot()))
      assert(world.ledger:verify())
    end)

    it("one case, and leaves alone what was so before", function()
      local desk, world = desk_of()
      local user = desks.user(desk, "Han")
      local first = assert(desk:mute{ user = user }).case
      local second = assert(desk:mute{ user = user }).case
      local summary = assert(desk:undo({ case = second }, FAST))
      assert.same({ 0, { { case = second, reason = "was so before" } } },
        { summary.planned, summary.left })
      assert.equal(1, count_muted(desk))
      summary = assert(desk:undo({ case = first }, FAST))
      assert.equal(1, summary.done)
      assert.equal(0, count_muted(desk))
      assert.equal(3, assert(world.ledger:case(first)).lifted_by)
    end)

    it("says what cannot be taken back, and what was already", function()
      local desk = desk_of("qiscus")
      local kick = assert(desk:kick{ user = "bob" }).case
      local ban = assert(desk:ban{ user = "mallory" }).case
      assert(desk:undo({ case = ban }, FAST))
      local plan = assert(desk:plan_undo{ moderator = "ann" })
      local reasons = {}
      for _, left in ipairs(plan.left) do reasons[left.case] = left.reason end
      assert.equal(0, #plan.actions)
      assert.equal("cannot be taken back", reasons[kick])
      contains(reasons[ban], "was taken back by case")
    end)

    it("raises when it is not said what", function()
      local desk = desk_of()
      contains(refusal.of(desk.undo, desk, {}), "which cases")
      contains(refusal.of(desk.undo, desk, { csae = 1 }), "'csae'")
      contains(refusal.of(desk_of("vchatcloud", { ledger = false }).undo,
        desk_of("vchatcloud", { ledger = false }), { case = 1 }), "ledger")
    end)
  end)
end)
