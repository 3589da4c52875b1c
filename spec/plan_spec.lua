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

  it("prints names that are made to break a table", function()
    local desk, world = desk_of()
    world.box:seed_room("room-1", { ("x"):rep(1e5), (" "):rep(1e5) .. ".", "a\226\128\168b",
      "left\226\128\143right", "\216\156", "\255\155[2J" })
    local text = tostring(assert(desk:plan(mute_some(6))))
    assert.equal(7, select(2, text:gsub("\n", "")))
    assert.is_true(#text < 2000)
    contains(text, "a?b")
    contains(text, "left?right")
    assert.is_nil(text:find("[\155\255]"))
  end)

  it("keeps such names when it is saved and read again", function()
    local desk, world = desk_of()
    local names = { "a\nb", "a\r\nb", 'say "hi" \\', "\226\128\174evil", "nul\0nul", "\255\254",
      "\226\128\168", "{}", "" }
    world.box:seed_room("room-1", names)
    local plan = desk:plan(function(recorder)
      for i, name in ipairs(names) do
        assert(recorder:mute{ user = { id = "k" .. i .. "\n\"\226\128\174", name = name },
          reason = name })
      end
      local _, err = recorder:mute{ user = "k\255" }
      contains(err, "bytes that a plan cannot keep")
    end)
    assert.equal(#names, #plan.actions)
    local saved = path()
    assert(plan:save(saved))
    local again = assert(usher.moderation.load_plan(saved))
    assert.same(plan.actions, again.actions)
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
    { head .. '\n{"verb":"mute","user":"u","index":1,"second":600}',
      ":2: has an unknown field 'second'; did you mean 'seconds'?" },
    { head .. '\n{"verb":"mute","user":"u","index":1,"seconds":0}', "seconds that are not above" },
    { head .. '\n{"verb":"mute","user":"u","index":1,"seconds":1e300}', "seconds that are not" },
    { head .. '\n{"verb":"mute","user":"","index":1}', ":2: has no user" },
    { head .. '\n{"verb":"mute","user":"u","index":1.5}', "index that is no whole number" },
    { head .. '\n{"verb":"mute","user":"u","index":1,"lifts":-1}', "lifts that is no whole" },
    { head .. '\n\n{"verb":"frob","user":"u","index":1}', ":3: has no known verb" },
    { "\239\187\191" .. head, ":1: it is not JSON" },
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

  local function load(lines)
    local name = path()
    local file = assert(io.open(name, "wb"))
    file:write(lines)
    file:close()
    return assert(usher.moderation.load_plan(name))
  end

  it("may have blank lines, and lines of another system", function()
    local plan = load(head .. '\r\n\r\n{"verb":"mute","user":"u","index":2}\r\n \n')
    assert.same({ { verb = "mute", user = "u", index = 2 } }, plan.actions)
  end)

  describe("that was edited", function()
    it("is refused before the first call when an action of it cannot be done", function()
      local desk, world = desk_of()
      local good = '\n{"verb":"mute","user":"u1","room":"room-1","index":1}\n'
      for action, words in pairs{
        ['{"verb":"kick","user":"u2","room":"room-1","index":2}'] =
          "action 2 of the plan (kick u2): vchatcloud cannot kick",
        ['{"verb":"mute","user":"..","room":"room-1","index":2}'] = "(mute ..): usher.vchatcloud",
        ['{"verb":"mute","user":"u2","index":2}'] = "needs the field room",
        ['{"verb":"warn","user":"u2","room":"room-1","index":2}'] = "needs the field reason",
        ['{"verb":"unmute","user":"u2","room":"room-1","index":2,"seconds":5}'] = "has no time",
      } do
        local summary, err = desk:apply(load(head .. good .. action), FAST)
        assert.is_nil(summary)
        contains(err, words)
        contains(err, "nothing was done")
      end
      assert.equal(0, world.box:count("vchatcloud", "mute_user"))
      assert.same({}, assert(world.ledger:cases()))
    end)

    it("after half of it was done, does the lines that are others now", function()
      local desk, world = desk_of()
      seed(world, 3)
      local function line(index, user)
        return ('\n{"verb":"mute","user":"%s","room":"room-1","index":%d}'):format(user, index)
      end
      assert.equal(2, assert(desk:apply(load(head .. line(1, "k001") .. line(2, "k002")),
        FAST)).done)
      local summary = assert(desk:apply(load(head .. line(1, "k001") .. line(2, "k003")), FAST))
      assert.same({ 1, 1 }, { summary.earlier, summary.done })
      assert.equal(3, count_muted(desk))
    end)
  end)

  describe("that is applied", function()
    it("does what is about one user in its order, and sees what it did itself", function()
      local desk, world = desk_of()
      seed(world, 5)
      local plan = assert(desk:plan(function(recorder)
        for _, verb in ipairs{ "mute", "unmute", "mute", "mute", "unmute" } do
          for i = 1, 5 do assert(recorder[verb](recorder, { user = "k00" .. i })) end
        end
      end))
      world.box:fault{ provider = "vchatcloud", delay = 0.002, times = "forever" }
      local summary = assert(desk:apply(plan, { pace = 1e6, concurrency = 10 }))
      assert.same({ 20, 5, 0 }, { summary.done, summary.skipped, summary.failed })
      assert.equal(0, count_muted(desk))
      for _, action in ipairs(summary.actions) do
        assert.equal(action.index > 15 and action.index <= 20 and "is muted already" or nil,
          action.reason)
      end
    end)

    it("leaves no skipped action that looks as if it was done, whenever it is killed", function()
      local desk, world = desk_of()
      seed(world, 1)
      local plan = assert(desk:plan(mute_some(1)))
      assert(desk:mute{ user = "k001", reason = "before" })
      local before = world.ledger.store.before_commit
      function world.ledger.store.before_commit(shared)
        before(shared)
        assert.same({}, world.ledger.store:rows("SELECT number FROM cases WHERE outcome IS NULL "
          .. "AND plan IS NOT NULL"))
      end
      assert.equal(1, assert(desk:apply(plan, FAST)).skipped)
      assert(desk:undo({ plan = plan.id }, FAST))
      assert.equal(1, count_muted(desk))
    end)

    it("stops when the ledger can no longer be written, and nothing more is sent", function()
      local desk, world = desk_of()
      seed(world, 10)
      local plan = assert(desk:plan(mute_some(10)))
      local summary, err, begun = desk:apply(plan, { pace = 1e6, concurrency = 1,
        on_action = function(_, _, _, counts)
          if counts.done == 4 then
            world.ledger.store:run("PRAGMA query_only = ON") -- as a full disk, or a lost right
          end
        end })
      assert.is_nil(summary)
      assert.equal("ledger", err.kind)
      contains(err, "nothing was sent")
      assert.same({ 4, 6 }, { begun.done, begun.remaining })
      assert.equal(4, world.box:count("vchatcloud", "mute_user"))
      world.ledger.store:run("PRAGMA query_only = OFF")
      local rest = assert(desk:apply(plan, FAST))
      assert.same({ 4, 6 }, { rest.earlier, rest.done })
      assert.equal(10, world.box:count("vchatcloud", "mute_user"))
      assert(world.ledger:verify())
    end)

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
      local sign_out = assert(desk:sign_out{ user = "bob" }).case
      local ban = assert(desk:ban{ user = "mallory" }).case
      assert(desk:undo({ case = ban }, FAST))
      local plan = assert(desk:plan_undo{ moderator = "ann" })
      local reasons = {}
      for _, left in ipairs(plan.left) do reasons[left.case] = left.reason end
      assert.equal(0, #plan.actions)
      assert.equal("cannot be taken back", reasons[sign_out])
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
