-- Rules, the ladder, watching a room, and names that are made to deceive.

local desks = require "spec.support.desk"
local refusal = require "spec.support.refusal"
local text = require "usher.moderation.text"
local usher = require "usher"

local rules = usher.moderation.rules

local function contains(value, words)
  assert.truthy(tostring(value):find(words, 1, true), ("no %q in: %s"):format(words,
    tostring(value)))
end

local function desk_of(provider, more)
  finally(desks.close_all)
  return desks.of(provider or "vchatcloud", more)
end

local function seed(world, names)
  local users = {}
  for i, name in ipairs(names) do
    users[i] = type(name) == "table" and name or { nick_name = name, client_key = "k" .. i }
  end
  world.box:seed_room("room-1", users)
end

local function watch(desk, list, more)
  local seen = {}
  local options = { rules = list, rounds = 1, every = 0.001,
    on_judgement = function(judgement) seen[#seen + 1] = judgement end,
    on_error = function(err) error(tostring(err)) end }
  for name, value in pairs(more or {}) do options[name] = value end
  local summary = desk:watch(options)
  return seen, summary
end

describe("A folded name", function()
  local same = {
    { "FREE Money", "free money" },
    { "ＦＲＥＥ　ＭＯＮＥＹ", "free money" },
    { "  fr\226\128\139ee \t mon\226\128\141ey ", "free money" },
    { "F\204\129r\204\129e\204\129e\204\129 Mo\204\136ney", "free money" },
    { "Frëé Möñéy", "free money" },
    { "𝓕𝓻𝓮𝓮 𝕄𝕠𝕟𝕖𝕪", "free money" },
    { "Ⓕⓡⓔⓔ 🄼🄾🄽🄴🅈", "free money" },
    { "БЕСПЛАТНО", "бесплатно" },
    { "ΔΩΡΕΑΝ", "δωρεαν" },
    { "무료 코인", "무료 코인" },
    { "\255\254x\192", "x" },
    { "", "" },
  }
  for _, row in ipairs(same) do
    it(("is plain: %s"):format(row[2]), function()
      assert.equal(row[2], text.fold(row[1]))
    end)
  end

  local twins = {
    { "Official Support", "0fficiaI Supp0rt" },
    { "Official Support", "Оffісіаl Ѕuрроrt" }, -- Cyrillic
    { "Official Support", "official_support!" },
    { "admin", "@dm1n" },
    { "modern", "modem" },
    { "Ann", "Αnn" }, -- Greek
  }
  for _, row in ipairs(twins) do
    it(("has one skeleton: %s, %s"):format(row[1], row[2]), function()
      assert.equal(text.skeleton(row[1]), text.skeleton(row[2]))
    end)
  end

  it("has a skeleton of its own when it is another", function()
    assert.are_not.equal(text.skeleton("Morgan Freeman"), text.skeleton("Free Money"))
    assert.are_not.equal(text.skeleton("김민준"), text.skeleton("김민중"))
  end)
end)

describe("rules.name_matches", function()
  local when = rules.name_matches{ "free money", "t.me/", "무료 코인", "бесплатн" }

  local struck = { "FREE MONEY", "f r e e m o n e y", "ＦＲＥＥ ＭＯＮＥＹ", "Frее Моnеy", "join t.me/x",
    "무 료 코 인", "БЕСПЛАТНО", "fr33 m0n3y" }
  for _, name in ipairs(struck) do
    it("strikes " .. name, function() contains(when{ name = name }, "the nickname holds") end)
  end

  for _, name in ipairs{ "Morgan Freeman", "Miss Moneypenny", "무료", "김민준", "tome" } do
    it("leaves alone " .. name, function() assert.is_false(when{ name = name }) end)
  end

  it("raises for what is no list of words", function()
    contains(refusal.of(rules.name_matches, "free"), "list of strings")
    contains(refusal.of(rules.name_matches, { "" }), "list of strings")
    contains(refusal.of(rules.impersonates, { 1 }), "list of strings")
    contains(refusal.of(rules.joins_flood, 1), "two numbers")
  end)
end)

describe("Watching a room", function()
  local ads = { name = "ads", when = rules.name_matches{ "free money" }, action = "mute",
    seconds = 600 }

  it("acts, once per user and name, and tells why", function()
    local desk, world = desk_of()
    seed(world, { "Han", "Free Money", "Kim" })
    local seen, summary = watch(desk, { ads }, { rounds = 3 })
    assert.equal(1, #seen)
    assert.same({ "k2", "ads", "mute", "done" }, { seen[1].user.id, seen[1].rule, seen[1].verb,
      seen[1].outcome })
    contains(seen[1].reason, "free money")
    assert.same({ 3, 3, 0 }, { summary.rounds, summary.judged, summary.errors })
    local case = assert(world.ledger:case(1))
    assert.same({ "ads", "mute", 1700000600 }, { case.rule, case.verb, case.expires_at })
  end)

  it("judges again who has changed the name", function()
    local desk, world = desk_of()
    seed(world, { "Han" })
    local rounds = 0
    local seen = watch(desk, { ads }, { rounds = 2, stop = function()
      rounds = rounds + 1
      world.box.state.vchatcloud.rooms["room-1"].people.k1.nick_name = "FREE  MONEY"
      return false
    end })
    assert.equal(1, #seen)
  end)

  it("does not judge again after a restart", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    watch(desk, { ads })
    local seen = watch(desk, { ads })
    assert.same({}, seen)
    assert.equal(1, world.box:count("vchatcloud", "mute_user"))
  end)

  it("never touches staff and the allow list", function()
    local desk, world = desk_of("vchatcloud", { allow = { "k2" } })
    seed(world, {
      { nick_name = "free money", client_key = "k1", grade = "userManager" }, "Free Money",
      "FREE money",
    })
    local seen = watch(desk, { ads })
    assert.equal(1, #seen)
    assert.equal("k3", seen[1].user.id)
  end)

  it("only writes down what a shadow rule would do", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    local shadow = { name = "shadow", when = ads.when, action = "ban", shadow = true }
    local seen = watch(desk, { shadow, ads })
    assert.same({ true, "ban" }, { seen[1].shadow, seen[1].verb })
    assert.same({ nil, "mute" }, { seen[2].shadow, seen[2].verb })
    assert.same({}, assert(desk:list_banned()))
    local case = assert(world.ledger:case(1))
    assert.same({ "shadow", "skipped", true },
      { case.rule, case.outcome, case.details.shadow })
  end)

  it("takes the first rule that strikes", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    local never = { name = "never", when = function() return false end, action = "ban" }
    local all = { name = "all", when = function() return true end, action = "ban", reason = "all" }
    local seen = watch(desk, { never, ads, all })
    assert.equal(1, #seen)
    assert.equal("ads", seen[1].rule)
  end)

  it("finds who imitates the staff of the room", function()
    local desk, world = desk_of()
    seed(world, { { nick_name = "Ann Lee", client_key = "s", grade = "userManager" }, "Αnn  Lее",
      "Anne Lee" })
    local seen = watch(desk, { { name = "twin", when = rules.impersonates(), action = "ban" } })
    assert.equal(1, #seen)
    contains(seen[1].reason, "imitates 'Ann Lee'")
  end)

  it("finds who came all at once, but not who was there before", function()
    local desk, world = desk_of()
    seed(world, { "a", "b", "c" })
    local flood = { name = "flood", when = rules.joins_flood(3, 10), action = "mute" }
    local round = 0
    local seen = watch(desk, { flood }, { rounds = 2, stop = function()
      round = round + 1
      if round == 6 then
        local names = { "a", "b", "c" }
        for i = 4, 8 do names[i] = "new " .. i end
        seed(world, names)
      end
      return false
    end })
    assert.equal(5, #seen)
    contains(seen[1].reason, "more than 3 came in 10 seconds")
  end)

  describe("with a ladder", function()
    local ladder = { { strikes = 1, action = "warn" }, { strikes = 3, action = "mute",
      seconds = 600 }, { strikes = 5, action = "ban" } }
    local always = { name = "always", when = function() return "always" end }

    local function strike(desk, world, times)
      local seen
      for i = 1, times do
        local person = world.box.state.vchatcloud.rooms["room-1"].people.k1
        person.nick_name, person.connected = person.nick_name .. i, true
        seen = watch(desk, { always }, { ladder = ladder, decay = 100 })
      end
      return seen[1]
    end

    it("climbs with each strike", function()
      local desk, world = desk_of()
      seed(world, { "Han" })
      assert.same({ "warn", 1 }, (function(j) return { j.verb, j.strikes } end)(
        strike(desk, world, 1)))
      assert.equal("warn", strike(desk, world, 1).verb)
      assert.equal("mute", strike(desk, world, 1).verb)
      assert.equal("mute", strike(desk, world, 1).verb)
      assert.equal("ban", strike(desk, world, 1).verb)
    end)

    it("forgets strikes that have decayed", function()
      local desk, world = desk_of()
      seed(world, { "Han" })
      assert.equal("mute", strike(desk, world, 3).verb)
      world.now = world.now + 101
      assert.same({ "warn", 1 }, (function(j) return { j.verb, j.strikes } end)(
        strike(desk, world, 1)))
    end)

    it("picks the highest step that is reached", function()
      assert.is_nil(rules.step(ladder, 0))
      assert.equal("warn", rules.step(ladder, 2).action)
      assert.equal("ban", rules.step(ladder, 99).action)
    end)
  end)

  it("lifts what is due, each round", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    watch(desk, { ads })
    world.now = world.now + 601
    watch(desk, { ads })
    assert.same({}, assert(desk:list_muted()))
  end)

  it("goes on when a round fails, and says so", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    world.box:fault{ provider = "vchatcloud", operation = "list_users", status = 500, times = 1 }
    local errors = {}
    local seen, summary = watch(desk, { ads }, { rounds = 2,
      on_error = function(err) errors[#errors + 1] = err end })
    assert.same({ 1, 500, 1 }, { #errors, errors[1].status, #seen })
    assert.same({ 2, 1 }, { summary.rounds, summary.errors })
  end)

  it("judges again in the next round when an action could not be taken", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", drop = "connect",
      times = 1 }
    local seen = watch(desk, { ads }, { rounds = 2, on_error = function() end })
    assert.equal("failed", seen[1].outcome)
    assert.equal(1, world.box:count("vchatcloud", "list_users") - 1)
  end)

  it("plans by rules, and does nothing", function()
    local desk, world = desk_of()
    seed(world, { "Han", "Free Money" })
    local plan = assert(desk:plan{ ads })
    assert.equal(1, #plan.actions)
    assert.same({ "mute", "k2", "Free Money", "ads", 600 }, { plan.actions[1].verb,
      plan.actions[1].user, plan.actions[1].user_name, plan.actions[1].rule,
      plan.actions[1].seconds })
    assert.equal(0, world.box:count("vchatcloud", "mute_user"))
    assert.same({}, assert(world.ledger:cases()))
  end)

  it("skips, when a plan by rules is applied, who has another name by now", function()
    local desk, world = desk_of()
    seed(world, { "Free Money", "FREE MONEY!" })
    local plan = assert(desk:plan{ ads })
    local people = world.box.state.vchatcloud.rooms["room-1"].people
    people.k1.nick_name, people.k2.grade = "Han", "userManager"
    local summary = assert(desk:apply(plan, { pace = 1e6, concurrency = 1 }))
    assert.same({ "has another name by now", "is staff by now" },
      { summary.actions[1].reason, summary.actions[2].reason })
  end)

  it("raises for rules that make no sense", function()
    local desk = desk_of()
    local function refused(options) return refusal.of(desk.watch, desk, options) end
    contains(refused{ rules = {} }, "list of rules")
    contains(refused{ rules = { { name = "x" } } }, "needs a name and when")
    contains(refused{ rules = { { name = "x", when = print } } }, "needs an action")
    contains(refused{ rules = { { name = "x", when = print, action = "frob" } } }, "'frob'")
    contains(refused{ rules = { { name = "x", when = print, action = "ban", secs = 1 } } },
      "'seconds'")
    contains(refused{ rules = { ads, ads } }, "the name of another")
    contains(refused{ rules = { ads }, ladder = { { strikes = 1 } } }, "strikes and an action")
    contains(refused{ rules = { ads }, evry = 1 }, "'every'")
    contains(refusal.of(desk.plan, desk, 7), "expected a table")
  end)
end)
