-- The desk: one set of verbs for all providers, and what it remembers of them.

local desks = require "spec.support.desk"
local refusal = require "spec.support.refusal"
local usher = require "usher"

local function contains(text, words)
  assert.truthy(tostring(text):find(words, 1, true), ("no %q in: %s"):format(words, tostring(text)))
end

local function desk_of(provider, more)
  finally(desks.close_all)
  return desks.of(provider, more)
end

local function ids(users)
  local list = {}
  for i, user in ipairs(assert(users)) do list[i] = user.id end
  return list
end

local function has(users, id)
  for _, user in ipairs(assert(users)) do
    if user.id == id then return true end
  end
  return false
end

-- The script of a moderator: what it says is the same for both.
local function moderate(desk, name)
  local user = desks.user(desk, name)
  assert(desk:mute{ user = user, seconds = 600, reason = "spam" })
  assert(desk:ban{ user = user, reason = "spam again" })
  local gone = not has(desk:list_users(), user.id)
  assert(desk:unban{ user = user })
  assert(desk:unmute{ user = user })
  return gone, user
end

describe("A desk", function()
  it("moderates VChatCloud and eRTC by the same script", function()
    local gone, user = moderate(desk_of("vchatcloud"), "Han")
    assert.is_true(gone)
    assert.equal("Han", user.name)
    local desk, world = desk_of("ertc")
    gone = moderate(desk, "mallory@example.com")
    assert.is_true(gone)
    assert.is_true(has(desk:list_users(), "mallory@example.com"))
    assert.same({ "mute", "ban", "unban", "unmute" }, (function()
      local verbs = {}
      for i, case in ipairs(assert(world.ledger:cases())) do verbs[i] = case.verb end
      return verbs
    end)())
  end)

  it("gives users in one shape", function()
    local desk = desk_of("vchatcloud")
    local user = desks.user(desk, "운영자")
    assert.same({ "userManager", "운영자" }, { user.role, user.raw.nickName })
    assert(desk:mute{ user = user })
    local muted = assert(desk:list_muted())
    assert.same({ user.id, 1700000000 }, { muted[1].id, muted[1].since })
    local member = desks.user(desk_of("ertc"), "alice@example.com")
    assert.same({ "alice@example.com", "user", 1700000000 },
      { member.id, member.role, member.since })
    local seated = desks.user(desk_of("qiscus"), "bob")
    assert.same({ "bob", "bob" }, { seated.id, seated.name })
    assert.is_nil(seated.role)
  end)

  it("reads a list that comes in pages to its end", function()
    local desk, world = desk_of("qiscus")
    local people = {}
    for i = 1, 250 do people[i] = ("user%03d"):format(i) end
    world.box:seed_room("lobby", people, "qiscus")
    assert.same(people, ids(desk:list_users()))
  end)

  describe("says what it cannot do", function()
    it("by the kind unsupported and who can", function()
      local done, err = desk_of("vchatcloud"):kick{ user = "u1" }
      assert.is_nil(done)
      assert.equal("unsupported", err.kind)
      assert.same({ "ertc", "qiscus" }, err.providers)
      contains(err, "ertc, qiscus can")
    end)

    it("and leaves no case and sends nothing", function()
      local desk, world = desk_of("smooch")
      for _, verb in ipairs{ "ban", "mute", "kick", "block", "sign_out" } do
        local _, err = desk[verb](desk, { user = "bob@example.com" })
        assert.equal("unsupported", err.kind, verb)
      end
      assert.same({}, assert(world.ledger:cases()))
      assert.equal(0, world.box:count("smooch"))
      local _, err = desk:list_users()
      assert.equal("unsupported", err.kind)
    end)

    it("when a room is given to what reaches the whole account", function()
      local desk = desk_of("qiscus")
      local _, err = desk:ban{ user = "mallory", room = "lobby" }
      assert.equal("unsupported", err.kind)
      contains(err, "account")
      assert.equal("done", assert(desk:ban{ user = "mallory" }).outcome)
      assert.same({ "mallory" }, ids(desk:list_banned()))
    end)

    it("when a time is given to what has none", function()
      local desk = desk_of("vchatcloud")
      local _, err = desk:unmute{ user = "u1", seconds = 5 }
      assert.equal("unsupported", err.kind)
      desk = desk_of("vchatcloud", { ledger = false })
      _, err = desk:mute{ user = "u1", seconds = 5 }
      contains(err, "needs a ledger")
    end)

    -- N native, U timed by usher, P timed by the provider, - unsupported
    local matrix = {
      vchatcloud = { ban = "U", unban = "N", mute = "U", unmute = "N", warn = "N",
        list_users = "N", list_banned = "N", list_muted = "N" },
      ertc = { ban = "P", unban = "N", mute = "P", unmute = "N", kick = "N", block = "N",
        unblock = "N", list_users = "N", list_blocked = "N" },
      qiscus = { ban = "U", unban = "N", kick = "N", admit = "N", sign_out = "N", warn = "N",
        list_users = "N", list_banned = "N" },
      smooch = { warn = "N" },
    }
    local order = { "list_users", "list_banned", "list_muted", "list_blocked", "sign_out", "warn",
      "mute", "unmute", "block", "unblock", "ban", "unban", "kick", "admit" }
    local users = { vchatcloud = "Han", ertc = "bob@example.com", qiscus = "bob",
      smooch = "bob@example.com" }
    for provider, expected in pairs(matrix) do
      it("or does it, verb by verb: " .. provider, function()
        local desk, world = desk_of(provider)
        local user = provider == "vchatcloud" and desks.user(desk, users[provider])
          or users[provider]
        local capabilities = desk:capabilities()
        for _, verb in ipairs(order) do
          local able, is_list = capabilities[verb], verb:find("^list_")
          capabilities[verb] = nil
          local sent = world.box:count(provider)
          local given = not is_list and { user = user, reason = "a test" } or nil
          if able.timed then given.seconds = 60 end
          local done, err = desk[verb](desk, given)
          if expected[verb] then
            assert.equal(able.timed == "usher" and "U" or able.timed and "P" or "N",
              expected[verb], verb)
            assert(done, err)
            assert.equal(is_list and "table" or "string", type(is_list and done or done.outcome))
            assert.is_true(world.box:count(provider) > sent, verb)
          else
            assert.same({ nil, "unsupported", "unsupported" }, { done, err.kind, able.support })
            assert.equal(sent, world.box:count(provider), verb)
            for _, other in ipairs(err.providers) do assert.truthy(matrix[other][verb], verb) end
          end
        end
        assert.same({}, capabilities)
      end)
    end

    it("by its capabilities", function()
      local able = desk_of("vchatcloud"):capabilities()
      assert.same({ support = "native", timed = "usher", scope = "room", public = false,
        shows = true }, able.mute)
      assert.same({ support = "unsupported" }, able.kick)
      assert.is_true(able.warn.public)
      able = desk_of("ertc"):capabilities()
      assert.same({ "provider", false }, { able.ban.timed, able.ban.shows })
      assert.equal("account", desk_of("qiscus"):capabilities().ban.scope)
    end)
  end)

  it("warns", function()
    local desk, world = desk_of("vchatcloud")
    assert(desk:warn{ user = desks.user(desk, "Han"), reason = "be kind" })
    local notices = world.box.state.vchatcloud.rooms["room-1"].notices
    assert.same({ nick_name = "ann", notice = "Han: be kind" }, notices[1])
    desk = desk_of("smooch")
    assert(desk:warn{ user = "bob@example.com", reason = "be kind" })
  end)

  it("signs out, blocks and kicks where there is such a thing", function()
    local desk, world = desk_of("qiscus")
    local token = assert(world.client:get_user_token{ user_id = "bob" }).results.token
    assert(desk:sign_out{ user = "bob" })
    local renewed = assert(world.client:get_user_token{ user_id = "bob" }).results.token
    assert.are_not.equal(token, renewed)
    assert(desk:kick{ user = "bob" })
    assert.is_false(has(desk:list_users(), "bob"))
    desk = desk_of("ertc")
    assert(desk:block{ user = "mallory@example.com" })
    assert.same({ "mallory@example.com" }, ids(desk:list_blocked()))
    assert(desk:unblock{ user = "mallory@example.com" })
    assert.same({}, ids(desk:list_blocked()))
  end)

  it("raises for misuse, at the caller's line", function()
    local desk = desk_of("vchatcloud")
    contains(refusal.of(desk.mute, desk, { usr = "u1" }), "did you mean 'user'")
    contains(refusal.of(desk.mute, desk, {}), "user is required")
    contains(refusal.of(desk.mute, desk, { user = "u1", seconds = -1 }), "above 0")
    contains(refusal.of(desk.mute, desk, { user = 17 }), "user's id")
    contains(refusal.of(desk.list_users, desk, { rom = "x" }), "'rom'")
    contains(refusal.of(usher.moderation, { room = "x" }), "client is required")
    contains(refusal.of(usher.moderation, { client = io.stdout }), "client of usher")
    contains(refusal.of(usher.moderation, { client = desk.client, ledgr = 1 }), "'ledger'")
  end)

  it("opens no case for arguments that the endpoint refuses", function()
    local desk, world = desk_of("vchatcloud")
    local ok, problem = pcall(desk.warn, desk, { user = "u1", reason = ("x"):rep(200) })
    assert.is_false(ok)
    contains(problem, "100 characters")
    assert.same({}, assert(world.ledger:cases()))
  end)

  describe("that is dry", function()
    it("sends nothing that acts, and says what it would send", function()
      local desk, world = desk_of("vchatcloud", { dry_run = true })
      local done = assert(desk:mute{ user = desks.user(desk, "Han") })
      assert.equal("dry", done.outcome)
      contains(done.curl, "curl -X POST")
      contains(done.curl, "/mute/room-1/")
      assert.equal(0, world.box:count("vchatcloud", "mute_user"))
      assert.same({}, assert(world.ledger:cases()))
    end)
  end)

  describe("remembers", function()
    it("what it did, before and after", function()
      local desk, world = desk_of("vchatcloud")
      local user = desks.user(desk, "Han")
      local done = assert(desk:mute{ user = user, seconds = 600, reason = "spam" })
      local case = assert(world.ledger:case(done.case))
      assert.same({ "vchatcloud", "mute", user.id, "room-1", "ann", "spam", "done", "unmute" },
        { case.provider, case.verb, case.user_id, case.room, case.moderator, case.reason,
          case.outcome, case.lift })
      assert.equal(1700000600, case.expires_at)
      assert.equal("Han", case.details.user_name)
      assert.is_false(case.details.was_so)
    end)

    it("that it was refused", function()
      local desk, world = desk_of("vchatcloud")
      local done, err = desk:mute{ user = "nobody" }
      assert.is_nil(done)
      assert.same({ "api", 10107, "failed" }, { err.kind, err.code, err.outcome })
      assert.equal("failed", assert(world.ledger:case(err.case)).outcome)
    end)

    it("what came of a call whose answer was lost, by reading the state", function()
      local desk, world = desk_of("vchatcloud")
      local user = desks.user(desk, "Han")
      world.box:fault{ provider = "vchatcloud", operation = "mute_user", drop = "after",
        times = 1 }
      local done = assert(desk:mute{ user = user })
      assert.equal("done", done.outcome)
      assert.equal(1, world.box:count("vchatcloud", "mute_user"))
      world.box:fault{ provider = "vchatcloud", operation = "cancel_mute", drop = "connect",
        times = 1 }
      local _, err = desk:unmute{ user = user }
      assert.equal("failed", err.outcome)
    end)

    it("that it does not know, where no state tells", function()
      local desk, world = desk_of("ertc")
      world.box:fault{ provider = "ertc", operation = "restrict_participants", drop = "after",
        times = 1 }
      local done, err = desk:ban{ user = "mallory@example.com" }
      assert.is_nil(done)
      assert.equal("unknown", err.outcome)
      assert.equal("unknown", assert(world.ledger:case(err.case)).outcome)
      assert.equal(1, world.box:count("ertc", "restrict_participants"))
    end)

    it("nothing, and sends nothing, when the ledger cannot be written", function()
      local desk, world = desk_of("vchatcloud", { read_before = false })
      world.ledger:close()
      local done, err = desk:mute{ user = "u1" }
      assert.is_nil(done)
      assert.equal("ledger", err.kind)
      assert.equal(0, world.box:count("vchatcloud", "mute_user"))
    end)
  end)

  describe("lifts what is due", function()
    it("once, when its time is over", function()
      local desk, world = desk_of("vchatcloud")
      local user = desks.user(desk, "Han")
      assert(desk:mute{ user = user, seconds = 600 })
      assert.same({}, assert(desk:lift_expired()))
      world.now = world.now + 600
      local lifted = assert(desk:lift_expired())
      assert.same({ "unmute", user.id }, { lifted[1].verb, lifted[1].user })
      assert.same({}, ids(desk:list_muted()))
      assert.same({}, assert(desk:lift_expired()))
      assert.equal(1, world.box:count("vchatcloud", "cancel_mute"))
      assert.equal(2, assert(world.ledger:case(1)).lifted_by)
    end)

    it("not what somebody has lifted by hand", function()
      local desk, world = desk_of("vchatcloud")
      local user = desks.user(desk, "Han")
      local case = assert(desk:mute{ user = user, seconds = 600 }).case
      assert(desk:undo({ case = case }, { pace = 1000 }))
      world.now = world.now + 600
      assert.same({}, assert(desk:lift_expired()))
    end)

    it("again, when the provider could not be reached", function()
      local desk, world = desk_of("vchatcloud")
      assert(desk:mute{ user = desks.user(desk, "Han"), seconds = 600 })
      world.now = world.now + 600
      world.box:fault{ provider = "vchatcloud", operation = "cancel_mute", drop = "connect",
        times = 1 }
      local lifted, err, before = desk:lift_expired()
      assert.is_nil(lifted)
      assert.equal("network", err.kind)
      assert.same({}, before)
      assert.equal(1, #assert(desk:lift_expired()))
    end)

    it("not what the provider lifts itself", function()
      local desk, world = desk_of("ertc")
      assert(desk:ban{ user = "mallory@example.com", seconds = 600 })
      local case = assert(world.ledger:case(1))
      assert.is_nil(case.lift)
      assert.is_false(has(desk:list_users(), "mallory@example.com"))
      world.now = world.now + 601
      assert.is_true(has(desk:list_users(), "mallory@example.com"))
      assert.same({}, assert(desk:lift_expired()))
    end)

    it("only with a ledger", function()
      local desk = desk_of("vchatcloud", { ledger = false })
      contains(refusal.of(desk.lift_expired, desk), "ledger")
    end)
  end)

  it("settles what a process left behind by the provider's state, and sends nothing", function()
    local desk, world = desk_of("vchatcloud")
    local han, kim = desks.user(desk, "Han"), desks.user(desk, "김민준")
    assert(desk:mute{ user = han })
    local book = world.ledger
    for _, user in ipairs{ han, kim } do
      assert(book:open_case{ provider = "vchatcloud", verb = "mute", user_id = user.id,
        room = "room-1" })
    end
    assert(book:open_case{ provider = "vchatcloud", verb = "warn", user_id = han.id,
      room = "room-1" })
    function book.unsettled() return book:cases{ open = true } end -- as if they were another's
    local mutes = world.box:count("vchatcloud", "mute_user")
    local settled = assert(desk:settle())
    local outcomes = {}
    for i, case in ipairs(settled) do outcomes[i] = case.outcome end
    assert.same({ "done", "failed", "unknown" }, outcomes)
    assert.equal(mutes, world.box:count("vchatcloud", "mute_user"))
    assert.same({}, assert(book:cases{ open = true }))
  end)
end)
