-- Watching a room for long: what a rule may do wrong, what a provider may, and who comes back.

local desks = require "spec.support.desk"
local refusal = require "spec.support.refusal"
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

local function seed(world, names, room)
  local users = {}
  for i, name in ipairs(names) do
    users[i] = type(name) == "table" and name or { nick_name = name, client_key = "k" .. i }
  end
  world.box:seed_room(room or "room-1", users)
end

local function people_of(world)
  return world.box.state.vchatcloud.rooms["room-1"].people
end

-- Watches for as many rounds as there are functions; each is called before its round.
local function watch(desk, world, list, before, more)
  local seen, errors, round = {}, {}, 0
  local read = desk.read_list
  function desk.read_list(...)
    if select(2, ...) == "list_users" then
      round = round + 1
      if before[round] then before[round]() end
    end
    return read(...)
  end
  local options = { rules = list, rounds = #before, every = 0.001,
    on_judgement = function(judgement) seen[#seen + 1] = judgement end,
    on_error = function(err) errors[#errors + 1] = err end }
  for name, value in pairs(more or {}) do options[name] = value end
  local summary = assert(desk:watch(options))
  desk.read_list = nil
  assert(world)
  return seen, errors, summary
end

local function nothing() end

local ads = { name = "ads", when = rules.name_matches{ "free money" }, action = "mute",
  seconds = 600 }

describe("A watch", function()
  it("tries again what could not be done, and does it once", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", drop = "connect" }
    local seen, errors = watch(desk, world, { ads }, { nothing, nothing, nothing })
    assert.same({ "failed", "done" }, { seen[1].outcome, seen[2].outcome })
    assert.same({ 2, 1 }, { #seen, #errors })
    assert.equal(1, #assert(desk:list_muted()))
  end)

  it("tries what is refused less and less often, and fills no ledger with it", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    world.box:fault{ provider = "vchatcloud", operation = "mute_user", status = 400,
      times = "forever" }
    local function later() world.now = world.now + 1 end
    local before = {}
    for i = 1, 40 do before[i] = later end
    local seen = watch(desk, world, { ads }, before)
    assert.equal(4, #seen) -- after 5, 10 and 20 seconds
    assert.equal(4, #assert(world.ledger:cases()))
  end)

  it("judges in each room by itself", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    seed(world, { "Free Money" }, "room-2")
    watch(desk, world, { ads }, { nothing })
    local seen = watch(desk, world, { ads }, { nothing }, { room = "room-2" })
    assert.equal("done", seen[1].outcome)
    assert.equal(1, #assert(desk:list_muted{ room = "room-2" }))
  end)

  it("strikes again who takes the same name again", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    local function call(name)
      return function()
        world.now = world.now + 700
        people_of(world).k1.nick_name = name
      end
    end
    local seen = watch(desk, world, { ads }, { nothing, call "Bob", call "FREE MONEY", nothing,
      call "Bob", call "FREE MONEY" })
    assert.equal(3, #seen)
  end)

  it("strikes again who comes again after a while, and not who was away for a moment", function()
    local desk, world = desk_of()
    seed(world, { "Free Money", "Kim" })
    local function go(seconds, is_there)
      return function()
        world.now = world.now + seconds
        people_of(world).k1.connected = is_there
      end
    end
    local seen = watch(desk, world, { ads }, { nothing, go(5, false), go(5, true), go(5, false),
      go(700, false), go(5, true) })
    assert.equal(2, #seen)
  end)

  it("takes nobody for new when a list was empty for once", function()
    local desk, world = desk_of()
    local names = {}
    for i = 1, 50 do names[i] = "user " .. i end
    seed(world, names)
    local flood = { name = "flood", when = rules.joins_flood(10, 60), action = "ban" }
    local seen = watch(desk, world, { flood }, {
      nothing,
      function()
        world.now = world.now + 5
        world.box:fault{ provider = "vchatcloud", operation = "list_users", status = 200,
          body = '{"result_cd":1,"result_msg":"","list":[]}' }
      end,
      function() world.now = world.now + 5 end,
    })
    assert.same({}, seen)
    assert.same({}, assert(desk:list_banned()))
  end)

  it("strikes all of a flood, those too who came first and those who left again count", function()
    local desk, world = desk_of()
    seed(world, { "old 1", "old 2" })
    local function come(first, last, gone)
      return function()
        world.now = world.now + 5
        local room = world.box.state.vchatcloud.rooms["room-1"]
        for i = first, last do
          local key = "n" .. i
          room.order[#room.order + 1] = key
          room.people[key] = { client_key = key, nick_name = "new " .. i, grade = "user",
            connected = true }
        end
        for _, key in ipairs(gone or {}) do room.people[key].connected = false end
      end
    end
    local flood = { name = "flood", when = rules.joins_flood(4, 60), action = "mute" }
    local seen = watch(desk, world, { flood }, { nothing, come(1, 2), come(3, 4), come(5, 5,
      { "n1" }), nothing })
    local struck = {}
    for i, judgement in ipairs(seen) do struck[i] = judgement.user.id end
    table.sort(struck)
    assert.same({ "n2", "n3", "n4", "n5" }, struck)
  end)

  it("goes on when a rule raises: the others judge, and it is told once a name", function()
    local desk, world = desk_of()
    seed(world, { "Free Money", "Kim" })
    local broken = { name = "broken", when = function(user) return user.nick:lower() end,
      action = "ban" }
    local seen, errors, summary = watch(desk, world, { broken, ads }, { nothing, nothing })
    assert.same({ 1, "ads" }, { #seen, seen[1].rule })
    assert.same({ 2, 2, "rule" }, { #errors, summary.errors, errors[1].kind })
    contains(errors[1], "rule 'broken' raised")
    contains(errors[1], "watch_spec.lua")
    assert.same({}, assert(desk:list_banned()))
  end)

  it("goes on when the ledger cannot be read, and judges again", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    local cases, broken = world.ledger.cases, true
    function world.ledger.cases(book, wanted)
      if broken and wanted.user then return nil, "the disk is gone" end
      return cases(book, wanted)
    end
    local seen, errors = watch(desk, world, { ads }, { nothing, function() broken = false end })
    assert.same({ 1, "ledger" }, { #errors, errors[1].kind })
    assert.same({ 1, "done" }, { #seen, seen[1].outcome })
  end)

  it("says when outcomes could not be written", function()
    local desk, world = desk_of()
    seed(world, { "Kim" })
    local flush = world.ledger.flush
    local list = { { name = "never", when = function() return false end, action = "ban" } }
    local _, errors = watch(desk, world, list, { function()
      function world.ledger.flush() return nil, "the disk is full" end
    end })
    world.ledger.flush = flush
    contains(errors[1], "the disk is full")
  end)

  it("refuses at once what the provider cannot do", function()
    local desk = desk_of("qiscus")
    local function always() return true end
    local summary, err = desk:watch{ rules = { { name = "x", when = always, action = "mute" } } }
    assert.is_nil(summary)
    assert.same({ "unsupported", { "ertc", "vchatcloud" } }, { err.kind, err.providers })
    summary, err = desk:plan{ rules = { { name = "x", when = always } },
      ladder = { { strikes = 2, action = "mute" } } }
    assert.is_nil(summary)
    assert.equal("unsupported", err.kind)
    summary, err = desk_of("smooch"):watch{ rules = { { name = "x", when = always,
      action = "warn" } } }
    assert.is_nil(summary)
    contains(err, "cannot list users")
    summary, err = desk_of("vchatcloud", { ledger = false }):watch{ rules = { ads } }
    assert.is_nil(summary)
    contains(err, "needs a ledger")
  end)

  it("bans from the account where there are no bans from a room", function()
    local desk, world = desk_of("qiscus")
    local list = { { name = "x", when = function(user) return user.id == "bob" end,
      action = "ban" } }
    local seen = watch(desk, world, list, { nothing })
    assert.equal("done", seen[1].outcome)
    assert.equal("bob", assert(desk:list_banned())[1].id)
    assert.same({}, (watch(desk, world, list, { nothing })))
  end)

  it("never touches staff and the allow list: by a rule, a ladder, or a plan", function()
    local desk, world = desk_of("vchatcloud", { allow = { "k2" } })
    seed(world, { { nick_name = "boss", client_key = "k1", grade = "userManager" }, "friend",
      { nick_name = "odd", client_key = "k3", grade = "a grade of tomorrow" } })
    local function always() return true end
    local by_rule = { { name = "x", when = always, action = "ban" } }
    local by_ladder = { rules = { { name = "y", when = always } },
      ladder = { { strikes = 1, action = "ban" } } }
    assert.same({}, (watch(desk, world, by_rule, { nothing })))
    assert.same({}, (watch(desk, world, by_ladder.rules, { nothing },
      { ladder = by_ladder.ladder })))
    assert.same({}, assert(desk:plan(by_rule)).actions)
    assert.same({}, assert(desk:plan(by_ladder)).actions)
    assert.same({}, assert(world.ledger:cases()))
  end)

  it("counts no strike that was taken back before its time", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    local strikes
    local count = { name = "count", when = function(_, history) strikes = history:strikes() end,
      action = "ban" }
    watch(desk, world, { ads }, { nothing })
    watch(desk, world, { count }, { nothing })
    assert.equal(1, strikes)
    assert(desk:undo({ case = 1 }, { pace = 1e6 }))
    watch(desk, world, { count }, { nothing })
    assert.equal(0, strikes)
    people_of(world).k1.nick_name = "FREE money"
    watch(desk, world, { ads }, { nothing })
    world.now = world.now + 601
    assert.equal(1, #assert(desk:lift_expired()))
    watch(desk, world, { count }, { nothing })
    assert.equal(1, strikes) -- it was served to the end
  end)

  it("writes down a strike below the ladder as one, and not as a warning", function()
    local desk, world = desk_of()
    seed(world, { "Free Money" })
    local rule = { name = "ads", when = ads.when }
    watch(desk, world, { rule }, { nothing }, { ladder = { { strikes = 2, action = "ban" } } })
    local case = assert(world.ledger:case(1))
    assert.same({ "strike", "done" }, { case.verb, case.outcome })
    contains(case.message, "nothing was sent")
    assert.equal("cannot be taken back", assert(desk:plan_undo{ case = 1 }).left[1].reason)
  end)

  it("looks less often while the provider fails, and as late as it asks for", function()
    local desk, world = desk_of()
    seed(world, { "Kim" })
    local process = require "usher.moderation.process"
    local pause, waits = process.pause, {}
    function process.pause(seconds) waits[#waits + 1] = seconds end
    finally(function()
      process.pause = pause
      desks.close_all()
    end)
    local core = require "usher.core"
    local monotonic, time = core.monotonic, 0
    function core.monotonic()
      return time
    end
    function process.pause(seconds)
      waits[#waits] = (waits[#waits] or 0) + seconds
      time = time + seconds
    end
    local function wait() waits[#waits + 1] = 0 end
    local function fail(more)
      return function()
        wait()
        local fault = { provider = "vchatcloud", operation = "list_users", status = 429 }
        for name, value in pairs(more or {}) do fault[name] = value end
        world.box:fault(fault)
      end
    end
    local list = { { name = "x", when = function() return false end, action = "ban" } }
    local ok, problem = pcall(watch, desk, world, list, { wait, fail(), fail(), fail(),
      fail{ retry_after = 500 }, wait, wait }, { every = 10 })
    core.monotonic = monotonic
    assert(ok, problem)
    assert.same({ 10, 20, 40, 60, 500, 10, 0 }, waits)
  end)

  it("keeps a bounded memory of names and of who came", function()
    local desk, world = desk_of()
    seed(world, { "a" })
    local kept
    local list = { { name = "x", action = "ban", when = function(_, history)
      kept = #history.names
      return false
    end } }
    local before = {}
    for i = 1, 50 do
      before[i] = function() people_of(world).k1.nick_name = "name " .. i end
    end
    watch(desk, world, list, before)
    assert.equal(20, kept)
    local size
    list[1].when = function(_, history)
      size = 0
      for _ in pairs(history.watch.histories) do size = size + 1 end
      return false
    end
    before = {}
    for i = 1, 30 do
      before[i] = function()
        world.now = world.now + 300
        seed(world, { { nick_name = "n", client_key = "one" .. i },
          { nick_name = "n", client_key = "two" .. i } })
      end
    end
    watch(desk, world, list, before)
    assert.is_true(size <= 8, size .. " users are remembered")
  end)

  it("hands on eRTC's pending events, whatever is done with them", function()
    local desk, world = desk_of("ertc")
    assert(desk:block{ user = "bob@example.com" })
    assert(desk:unblock{ user = "bob@example.com" })
    local got = {}
    local list = { { name = "x", when = function() return false end, action = "ban" } }
    local _, errors = watch(desk, world, list, { nothing, nothing }, { on_event = function(event)
      got[#got + 1] = event
      if #got == 1 then error("mine") end
    end })
    assert.equal(2, #got)
    contains(errors[1], "on_event raised")
  end)

  it("raises for rules that make no sense", function()
    local desk = desk_of()
    local function refused(options) return refusal.of(desk.watch, desk, options) end
    contains(refused{ rules = { ads, nil, { name = "y", when = print, action = "ban" } } },
      "has no item 2")
    contains(refused{ rules = { ads }, ladder = { { strikes = 0, action = "ban" } } }, "strikes")
    contains(refused{ rules = { { name = "x", when = print, action = "mute", seconds = 0 } } },
      "above 0")
    contains(refused{ rules = { { name = "x", when = print, seconds = 5 } },
      ladder = { { strikes = 1, action = "ban" } } }, "seconds needs an action")
    contains(refused{ rules = { ads }, every = 0 }, "every must be above 0")
    contains(refused{ rules = { ads }, every = -1 }, "every must be above 0")
    contains(refused{ rules = { ads }, decay = 0 / 0 }, "decay must be above 0")
  end)
end)

describe("A name", function()
  local hidden = {
    "ꜰʀᴇᴇ ᴍᴏɴᴇʏ", "ᶠʳᵉᵉ ᵐᵒⁿᵉʸ", "F.R.E.E-M_O_N_E_Y", "FRЕЕ МОNЕY", "fгее mопеу", "ｆｒｅｅ　ｍｏｎｅｙ",
    "𝖋𝖗𝖊𝖊 𝖒𝖔𝖓𝖊𝖞", "🅵🆁🅴🅴 🅼🅾🅽🅴🆈", "f\204\182r\204\182e\204\182e\204\182 m\204\182oney",
    "f\226\128\140r\239\187\191ee\226\129\160mo\194\173ney", "fr33 m0n3y", "ϝяее mоnеу",
    "free\243\160\128\160money", "\226\128\174free money", "ＦＲΕΕ ΜΟΝΕΥ",
  }
  for _, name in ipairs(hidden) do
    it("is seen through: " .. name, function()
      contains(ads.when{ name = name }, "free money")
    end)
  end

  it("of any length is judged in a time that grows with its length", function()
    local text = require "usher.moderation.text"
    local function seconds_for(part, count)
      local name, started = part:rep(count) .. "x", os.clock()
      text.skeleton(name)
      ads.when{ name = name }
      return os.clock() - started
    end
    for _, part in ipairs{ "!", "! ", " ", "rn" } do
      local short, long = seconds_for(part, 2e4), seconds_for(part, 2e5)
      assert.is_true(long < 40 * short + 0.5, long .. " seconds, not " .. short) -- not a hundred
    end
  end)
end)
