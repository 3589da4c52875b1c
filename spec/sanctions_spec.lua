-- Sanctions that end: which of them usher lifts, when, and how often; what a process left open; and
-- that no action is done twice, nor lost.

local desks = require "spec.support.desk"
local ledgers = require "spec.support.ledgers"
local refusal = require "spec.support.refusal"
local usher = require "usher"

local FAST = { pace = 1e6 }

local function contains(text, words)
  assert.truthy(tostring(text):find(words, 1, true), ("no %q in: %s"):format(words, tostring(text)))
end

local kind -- of database: the specs that depend on it run on each

local function desk_of(provider, more)
  finally(desks.close_all)
  return desks.of(provider or "vchatcloud", more, kind)
end

local function on_each(name, body)
  for _, each in ipairs(ledgers.kinds) do
    describe(("%s, on %s,"):format(name, each.name), function()
      before_each(function() kind = each end)
      after_each(function() kind = nil end)
      body()
    end)
  end
  teardown(ledgers.stop)
end

-- A room of so many users, k1 and on.
local function seed(world, count)
  local users = {}
  for i = 1, count do users[i] = { nick_name = "user " .. i, client_key = "k" .. i } end
  world.box:seed_room("room-1", users)
end

local function is_muted(desk, id)
  for _, user in ipairs(assert(desk:list_muted())) do
    if user.id == id then return true end
  end
  return false
end

local function lifts(world)
  return world.box:count("vchatcloud", "cancel_mute")
end

-- The world after so many seconds more.
local function later(desk, world, seconds)
  world.now = world.now + seconds
  assert(desk:lift_expired())
end

on_each("A timed sanction", function()
  it("that was extended is lifted at its new end", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    assert(desk:mute{ user = "k1", seconds = 3600 })
    later(desk, world, 600)
    assert.is_true(is_muted(desk, "k1"))
    later(desk, world, 3000)
    assert.is_false(is_muted(desk, "k1"))
    assert.equal(1, lifts(world))
  end)

  it("that was made one for good is not lifted", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    assert(desk:mute{ user = "k1" })
    later(desk, world, 601)
    assert.is_true(is_muted(desk, "k1"))
  end)

  it("that was lifted by a verb does not lift the one that came after it", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    assert(desk:unmute{ user = "k1" })
    assert(desk:mute{ user = "k1" })
    later(desk, world, 601)
    assert.is_true(is_muted(desk, "k1"))
  end)

  it("is not lifted again when a verb has lifted it, but in another room", function()
    local desk, world = desk_of()
    seed(world, 1)
    world.box:seed_room("room-2", { { nick_name = "user 1", client_key = "k1" } })
    assert(desk:mute{ user = "k1", seconds = 600 })
    assert(desk:mute{ user = "k1", room = "room-2", seconds = 600 })
    assert(desk:unmute{ user = "k1" })
    later(desk, world, 601)
    assert.same({}, assert(desk:list_muted{ room = "room-2" }))
    assert.equal(2, lifts(world))
  end)

  it("whose extension failed keeps its end", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", status = 400 }
    assert.is_nil((desk:mute{ user = "k1", seconds = 3600 }))
    later(desk, world, 600)
    assert.is_false(is_muted(desk, "k1"))
  end)

  it("of which it is not known whether it was done is lifted all the same", function()
    local desk, world = desk_of()
    seed(world, 1)
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", drop = "after" }
    world.box:fault{ provider = "vchatcloud", operation = "list_muted_users", status = 500,
      times = 2 }
    local _, err = desk:mute{ user = "k1", seconds = 600 }
    assert.equal("unknown", err.outcome)
    assert.is_true(is_muted(desk, "k1"))
    later(desk, world, 600)
    assert.is_false(is_muted(desk, "k1"))
    assert.equal(2, assert(world.ledger:case(1)).lifted_by)
  end)

  it("that cannot be lifted holds up no other, and is tried less and less often", function()
    local desk, world = desk_of()
    seed(world, 3)
    for i = 1, 3 do assert(desk:mute{ user = "k" .. i, seconds = 600 }) end
    world.now = world.now + 600
    world.box:fault{ provider = "vchatcloud", operation = "cancel_mute", status = 409 }
    local lifted, err, others = desk:lift_expired() -- the first of three
    assert.is_nil(lifted)
    assert.same({ 409, 2 }, { err.status, #others })
    local before = lifts(world)
    assert.same({}, assert(desk:lift_expired()))
    assert.equal(before, lifts(world))
    world.now = world.now + 5
    world.box:fault{ provider = "vchatcloud", operation = "cancel_mute", status = 409 }
    assert.is_nil((desk:lift_expired()))
    world.now = world.now + 5
    assert.same({}, assert(desk:lift_expired()))
    world.now = world.now + 5
    assert.equal(1, #assert(desk:lift_expired()))
    assert.same({}, assert(desk:list_muted()))
  end)

  it("is over when its lift is refused because there is nothing to lift", function()
    local desk, world = desk_of()
    seed(world, 2)
    for i = 1, 2 do assert(desk:mute{ user = "k" .. i, seconds = 600 }) end
    local room = world.box.state.vchatcloud.rooms["room-1"]
    room.people.k1, room.order = nil, { "k2" } -- whom the provider has forgotten
    later(desk, world, 600)
    assert.equal(3, assert(world.ledger:case(1)).lifted_by)
    assert.same({}, assert(desk:lift_expired()))
  end)

  it("stays due while the provider is down, and one call is made, not one each", function()
    local desk, world = desk_of()
    seed(world, 5)
    for i = 1, 5 do assert(desk:mute{ user = "k" .. i, seconds = 600 }) end
    world.now = world.now + 600
    world.box:fault{ provider = "vchatcloud", operation = "cancel_mute", drop = "connect",
      times = "forever" }
    local _, err = desk:lift_expired()
    assert.equal("network", err.kind)
    assert.equal(1, #assert(world.ledger:cases{ verb = "unmute" }))
    world.box:clear_faults()
    assert.equal(5, #assert(desk:lift_expired()))
  end)

  it("is lifted later when the clock went backwards, and once", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    later(desk, world, -3600)
    assert.is_true(is_muted(desk, "k1"))
    later(desk, world, 4200)
    later(desk, world, 1)
    assert.same({ false, 1 }, { is_muted(desk, "k1"), lifts(world) })
  end)

  it("that was replaced after it was claimed is not lifted", function()
    local desk, world = desk_of()
    seed(world, 2)
    for i = 1, 2 do assert(desk:mute{ user = "k" .. i, seconds = 600 }) end
    world.now = world.now + 600
    local claim_due = world.ledger.claim_due
    function world.ledger.claim_due(...)
      local due, problem = claim_due(...)
      if due[1] then assert(desk:mute{ user = "k2" }) end
      return due, problem
    end
    assert.equal(1, #assert(desk:lift_expired()))
    assert.is_true(is_muted(desk, "k2"))
  end)

  it("is only named by a dry run, which claims nothing", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    world.now = world.now + 600
    local dry = usher.moderation{ client = world.client, ledger = world.ledger, room = "room-1",
      dry_run = true, clock = desk.clock }
    local named = assert(dry:lift_expired())
    assert.same({ "unmute", "k1", "dry" }, { named[1].verb, named[1].user, named[1].outcome })
    assert.equal(0, lifts(world))
    assert.is_nil(assert(world.ledger:case(1)).claimed_by)
    assert.equal(1, #assert(desk:lift_expired()))
  end)
end)

on_each("What a process left open", function()
  -- A case as a process that is gone left it.
  local function leave(world, case)
    local number = assert(world.ledger:open_case(case))
    world.ledger.opened[number] = nil
    return number
  end

  it("does not hold up the rest where the state cannot be read any more", function()
    local desk, world = desk_of()
    seed(world, 1)
    local gone = leave(world, { provider = "vchatcloud", verb = "mute", user_id = "k1",
      room = "a room that was deleted" })
    assert(desk:mute{ user = "k1", seconds = 600 })
    world.now = world.now + 600
    assert.equal(1, #assert(desk:lift_expired()))
    local case = assert(world.ledger:case(gone))
    assert.equal("unknown", case.outcome)
    contains(case.message, "does not exist")
  end)

  it("stays open while the provider is down", function()
    local desk, world = desk_of()
    seed(world, 1)
    leave(world, { provider = "vchatcloud", verb = "mute", user_id = "k1", room = "room-1" })
    world.box:fault{ provider = "vchatcloud", operation = "list_muted_users", status = 500,
      times = 1 }
    local settled, err = desk:settle()
    assert.is_nil(settled)
    assert.equal(500, err.status)
    assert.equal(1, #assert(world.ledger:cases{ open = true }))
    assert.equal("failed", assert(desk:settle())[1].outcome)
  end)

  it("as the end of a sanction keeps a second end from being sent", function()
    local desk, world = desk_of()
    seed(world, 1)
    local case = assert(desk:mute{ user = "k1", seconds = 600 }).case
    world.now = world.now + 600
    local lifting = assert(world.ledger:open_case{ provider = "vchatcloud", verb = "unmute",
      user_id = "k1", room = "room-1", lifts = case })
    assert.same({}, assert(desk:lift_expired()))
    assert.equal(0, lifts(world))
    world.ledger:close_case(lifting, "failed")
    assert.equal(1, #assert(desk:lift_expired()))
  end)
end)

describe("An action is done once", function()
  it("when two processes carry out one plan at once", function()
    local desk, world = desk_of()
    seed(world, 10)
    local plan = assert(desk:plan(function(recorder)
      for i = 1, 10 do assert(recorder:warn{ user = "k" .. i, reason = "be kind" }) end
    end))
    local summaries = usher.map({ 1, 2 }, function() return desk:apply(plan, FAST) end)
    assert.equal(10, summaries[1].done + summaries[2].done)
    assert.equal(10, #world.box.state.vchatcloud.rooms["room-1"].notices)
    assert.equal(10, #assert(world.ledger:cases{ plan = plan.id }))
  end)

  it("when two take back the same cases at once", function()
    local desk, world = desk_of()
    seed(world, 10)
    for i = 1, 10 do assert(desk:mute{ user = "k" .. i }) end
    local plans = { assert(desk:plan_undo{ moderator = "ann" }),
      assert(desk:plan_undo{ moderator = "ann" }) }
    local summaries = usher.map(plans, function(plan) return desk:apply(plan, FAST) end)
    assert.equal(10, summaries[1].done + summaries[2].done)
    assert.equal(10, lifts(world))
  end)

  it("and is known to be done when a repeat of it was refused", function()
    local desk, world = desk_of()
    seed(world, 1)
    local client = usher.vchatcloud(world.box:options("vchatcloud", { retries = 2 }))
    finally(function() client:close() desks.close_all() end)
    desk.client = client
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", drop = "after" }
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", status = 409 }
    local done = assert(desk:mute{ user = "k1" })
    assert.equal("done", done.outcome)
    assert.equal(2, world.box:count("vchatcloud", "mute_user"))
  end)

  it("or not at all, when its user cannot be written down as it is", function()
    local desk, world = desk_of("vchatcloud", { read_before = false })
    for _, id in ipairs{ "k\0001", "k\255" } do
      local done, err = desk:mute{ user = id }
      assert.is_nil(done)
      assert.equal("ledger", err.kind)
      contains(err, "user_id holds bytes")
    end
    assert.equal(0, world.box:count("vchatcloud", "mute_user"))
  end)

  it("and its outcome is not lost when the ledger was locked for a moment", function()
    local desk, world = desk_of("vchatcloud", { read_before = false })
    seed(world, 1)
    local begin, locked = world.ledger.store.dialect.begin, 1
    local run = world.ledger.store.run
    function world.ledger.store.run(store, sql, ...)
      if sql == begin and locked == 0 then
        locked = nil
        error("database is locked", 0)
      end
      return run(store, sql, ...)
    end
    assert(desk:mute{ user = "k1" })
    locked = 0
    local ok, problem = world.ledger:flush()
    assert.is_nil(ok)
    contains(problem, "locked")
    assert.equal("done", assert(world.ledger:case(1)).outcome)
  end)
end)

describe("A plan that is being made", function()
  it("does nothing else", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    world.now = world.now + 600
    local other = assert(desk:plan(function(recorder) recorder:unmute{ user = "k1" } end))
    assert(desk:plan(function(recorder)
      contains(refusal.of(recorder.apply, recorder, other), "plan is being made")
      contains(refusal.of(recorder.undo, recorder, { case = 1 }), "plan is being made")
      contains(refusal.of(recorder.lift_expired, recorder), "plan is being made")
      contains(refusal.of(recorder.settle, recorder), "plan is being made")
      contains(refusal.of(recorder.watch, recorder, {}), "plan is being made")
    end))
    assert.same({ 0, true }, { lifts(world), is_muted(desk, "k1") })
    assert.equal(1, #assert(world.ledger:cases()))
  end)
end)

describe("An undo", function()
  it("of the end of a timed sanction puts it in force for the time that is left", function()
    local desk, world = desk_of()
    seed(world, 1)
    local mute = assert(desk:mute{ user = "k1", seconds = 600 }).case
    world.now = world.now + 100
    local unmute = assert(desk:undo({ case = mute }, FAST)).actions[1]
    assert.equal("done", unmute.outcome)
    world.now = world.now + 100
    assert.equal(1, assert(desk:undo({ case = 2 }, FAST)).done)
    local again = assert(world.ledger:case(3))
    assert.same({ "mute", 1700000600, "unmute", 2 },
      { again.verb, again.expires_at, again.lift, again.lifts })
    later(desk, world, 399)
    assert.is_true(is_muted(desk, "k1"))
    later(desk, world, 1)
    assert.is_false(is_muted(desk, "k1"))
  end)

  it("of an end by hand does so too, unless the time is over", function()
    local desk, world = desk_of("ertc")
    assert(desk:mute{ user = "bob@example.com", seconds = 600 })
    local unmute = assert(desk:unmute{ user = "bob@example.com" }).case
    local plan = assert(desk:plan_undo{ case = unmute })
    assert.same({ "mute", 600 }, { plan.actions[1].verb, plan.actions[1].seconds })
    world.now = world.now + 601
    plan = assert(desk:plan_undo{ case = unmute })
    assert.same({ {}, { { case = 2, reason = "ended case 1, whose time is over" } } },
      { plan.actions, plan.left })
  end)

  it("of what the provider has ended by itself is nothing", function()
    local desk, world = desk_of("ertc")
    assert(desk:mute{ user = "bob@example.com", seconds = 600 })
    world.now = world.now + 601
    local plan = assert(desk:plan_undo{ case = 1 })
    assert.same({ {}, { { case = 1, reason = "is over by itself" } } }, { plan.actions, plan.left })
  end)

  it("of an extension brings the first end back", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    assert(desk:mute{ user = "k1" })
    assert.equal(1, assert(desk:undo({ case = 2 }, FAST)).done)
    assert.is_true(is_muted(desk, "k1"))
    later(desk, world, 600)
    assert.same({ false, 1 }, { is_muted(desk, "k1"), lifts(world) })
  end)

  it("of a sanction with an end, on one for good, only takes the end away", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(world.client:mute_user{ room_id = "room-1", client_key = "k1" }) -- not by usher
    assert(desk:mute{ user = "k1", seconds = 600 })
    assert.equal(1, assert(desk:undo({ case = 1 }, FAST)).done)
    later(desk, world, 601)
    assert.is_true(is_muted(desk, "k1"))
  end)

  it("leaves what a newer case stands for", function()
    local desk, world = desk_of()
    seed(world, 1)
    assert(desk:mute{ user = "k1", seconds = 600 })
    assert(desk:mute{ user = "k1" })
    local summary = assert(desk:undo({ case = 1 }, FAST))
    assert.same({ 0, { { case = 1, reason = "was followed by case 2, which stands" } } },
      { summary.planned, summary.left })
    assert.is_true(is_muted(desk, "k1"))
    assert.equal(2, assert(desk:undo({ moderator = "ann" }, FAST)).planned)
    assert.is_false(is_muted(desk, "k1"))
  end)

  it("does several cases of one user one after another, the newest first", function()
    local desk, world = desk_of()
    seed(world, 8)
    for _, verb in ipairs{ "mute", "unmute", "mute" } do
      for i = 1, 8 do assert(desk[verb](desk, { user = "k" .. i })) end
    end
    world.box:clear_journal()
    world.box:fault{ provider = "vchatcloud", delay = 0.002, times = "forever" }
    local summary = assert(desk:undo({ moderator = "ann" }, { pace = 1e6, concurrency = 8 }))
    assert.same({ 24, 0 }, { summary.done, summary.skipped })
    assert.same({}, assert(desk:list_muted()))
    local acts = {}
    for _, entry in ipairs(world.box.journal) do
      if entry.path:find("/k3$") then acts[#acts + 1] = entry.operation end
    end
    assert.same({ "cancel_mute", "mute_user", "cancel_mute" }, acts)
  end)

  it("takes back what may have been done, too", function()
    local desk, world = desk_of()
    seed(world, 1)
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", drop = "after" }
    world.box:fault{ provider = "vchatcloud", operation = "list_muted_users", status = 500,
      times = 2 }
    desk.read_before = false
    local _, err = desk:mute{ user = "k1" }
    assert.equal("unknown", err.outcome)
    world.box:clear_faults()
    assert.equal(1, assert(desk:undo({ moderator = "ann" }, FAST)).done)
    assert.is_false(is_muted(desk, "k1"))
  end)

  it("takes whoever was kicked back into the room, where there is such a thing", function()
    local desk = desk_of("qiscus")
    assert(desk:kick{ user = "bob" })
    assert.equal(1, assert(desk:undo({ case = 1 }, FAST)).done)
    local here = {}
    for _, user in ipairs(assert(desk:list_users())) do here[user.id] = true end
    assert.is_true(here.bob)
  end)

  it("raises for what chooses no case", function()
    local desk = desk_of()
    contains(refusal.of(desk.undo, desk, { case = "7" }), "case must be a number")
  end)
end)

describe("A public warning", function()
  it("needs its words", function()
    for _, provider in ipairs{ "vchatcloud", "qiscus", "smooch" } do
      local desk, world = desk_of(provider)
      local done, err = desk:warn{ user = "bob@example.com" }
      assert.is_nil(done)
      contains(err, "needs the field reason")
      assert.equal(0, world.box:count(provider))
    end
  end)
end)

