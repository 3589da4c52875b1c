-- The ledger: cases are committed before they are acted on, closed after, chained, claimed once,
-- and told when they were tampered with; on SQLite and on PostgreSQL.

local core = require "usher.core"
local ledger = require "usher.ledger"
local ledgers = require "spec.support.ledgers"
local refusal = require "spec.support.refusal"
local usher = require "usher"

local function contains(text, words)
  assert.truthy(tostring(text):find(words, 1, true), ("no %q in: %s"):format(words, text))
end

for _, kind in ipairs(ledgers.kinds) do
  describe("A ledger on " .. kind.name, function()
    local now, dsn, book

    local function open(options)
      options = options or {}
      options.clock = options.clock or function() return now end
      return ledgers.open(dsn, options)
    end

    before_each(function()
      now = 1700000000
      dsn = kind.dsn()
      book = open()
    end)

    after_each(ledgers.close_all)

    local function mute(user, more)
      local case = { provider = "vchatcloud", verb = "mute", user_id = user, room = "r" }
      for name, value in pairs(more or {}) do case[name] = value end
      return assert(book:open_case(case))
    end

    it("numbers its cases from 1, without a gap", function()
      for i = 1, 5 do assert.equal(i, mute("u" .. i)) end
    end)

    it("keeps every column, whatever its bytes", function()
      local number = assert(book:open_case{
        provider = "ertc", verb = "ban", user_id = "김 'o\"; DROP TABLE cases; --", room = "r/1",
        moderator = "ann", reason = "spam\n\t", rule = "ads", plan = "p-1",
        expires_at = 1700000600.25, lift = "unban", details = { user_name = "가", deep = { 1, 2 } },
      })
      book:close_case(number, "done", "well")
      now = now + 1
      local case = assert(book:case(number))
      assert.equal("김 'o\"; DROP TABLE cases; --", case.user_id)
      assert.equal("spam\n\t", case.reason)
      assert.equal(1700000000, case.opened_at)
      assert.equal(1700000600.25, case.expires_at)
      assert.same({ user_name = "가", deep = { 1, 2 } }, case.details)
      assert.same({ "done", "well" }, { case.outcome, case.message })
      assert.equal(64, #case.hash)
    end)

    it("keeps words as well as any database can, and says of a name when it cannot", function()
      local bytes = "a\0b \255 \237\160\128 김"
      local number = assert(book:open_case{ provider = "ertc", verb = "ban", user_id = "u",
        reason = bytes, details = { user_name = bytes } })
      book:close_case(number, "failed", bytes)
      local case = assert(book:case(number))
      local kept = "a\239\191\189b \239\191\189 \239\191\189 김"
      assert.same({ kept, kept, kept }, { case.reason, case.message, case.details.user_name })
      assert(book:verify())
      for _, name in ipairs{ "a\0b", "\255", "\128", "\224\128\128" } do
        local nothing, problem = book:open_case{ provider = "ertc", verb = "ban", user_id = name }
        assert.is_nil(nothing)
        contains(problem, "user_id holds bytes")
      end
      assert.equal(1, #assert(book:cases()))
    end)

    it("writes down what was not sent with its outcome, in one transaction", function()
      local before = book.store.before_commit
      local open_cases = 0
      function book.store.before_commit(shared)
        open_cases = open_cases
          + #book.store:rows("SELECT number FROM cases WHERE outcome IS NULL")
        return before(shared)
      end
      local number = assert(book:record_case({ provider = "ertc", verb = "ban", user_id = "u" },
        "skipped", "is banned already"))
      local case = assert(book:case(number))
      assert.same({ "skipped", "is banned already", 0 },
        { case.outcome, case.message, open_cases })
      assert(book:verify())
    end)

    it("has one case for an action of a plan, unless that failed", function()
      local function action(index)
        return { provider = "ertc", verb = "ban", user_id = "u", plan = "p",
          details = { index = index } }
      end
      assert.equal(1, assert(book:open_case(action(1))))
      local other = open()
      local number, problem, first = other:open_case(action(1))
      assert.same({ nil, 1 }, { number, first })
      contains(problem, "case 1 has done it, or is about to")
      assert.equal(2, assert(other:open_case(action(2))))
      book:close_case(1, "failed")
      assert(book:flush())
      assert.equal(3, assert(other:open_case(action(1))))
    end)

    it("has one case that takes another back, unless that failed", function()
      local first = mute("u1")
      book:close_case(first, "done")
      local lifting = { provider = "vchatcloud", verb = "unmute", user_id = "u1", lifts = first }
      assert.equal(2, assert(book:open_case(lifting)))
      assert.same({ nil, 2 }, { (book:open_case(lifting)), select(3, book:open_case(lifting)) })
      book:close_case(2, "failed")
      assert.equal(3, assert(book:open_case(lifting)))
    end)

    it("tells a case of its own whose outcome could not be written", function()
      local number = mute("u1")
      local later = book.store.later
      function book.store.later() end -- what a full disk comes to, in the end
      book:close_case(number, "done")
      book.store.later = later
      assert.equal(number, assert(book:unsettled())[1].number)
    end)

    it("has a case committed when open_case returns: another process sees it", function()
      local number = mute("u1")
      local other = open()
      local case = assert(other:case(number))
      assert.is_nil(case.outcome)
      assert.equal("u1", case.user_id)
    end)

    it("commits an outcome with what comes next", function()
      local number = mute("u1")
      book:close_case(number, "done")
      mute("u2")
      assert.equal("done", assert(open():case(number)).outcome)
    end)

    it("commits outcomes when it is closed", function()
      local number = mute("u1")
      book:close_case(number, "failed", "no")
      assert(book:close())
      assert.equal("failed", assert(open():case(number)).outcome)
    end)

    it("does not change an outcome that is there", function()
      local number = mute("u1")
      book:close_case(number, "done")
      assert(book:flush())
      book:close_case(number, "failed")
      assert(book:flush())
      assert.equal("done", assert(book:case(number)).outcome)
      assert(book:verify())
    end)

    it("is given one outcome by two processes that settle it at once", function()
      local number = mute("u1")
      local other = open()
      book.store:run(kind.name == "SQLite" and "PRAGMA busy_timeout = 50"
        or "SET lock_timeout = 50")
      local rows = other.store.rows
      function other.store.rows(store, sql, ...)
        local found = rows(store, sql, ...)
        if sql:find("SELECT outcome", 1, true) then -- it has read that there is none yet
          other.store.rows = rows
          book:close_case(number, "done", "the other one")
          assert.is_nil((book:flush()))
        end
        return found
      end
      other:close_case(number, "failed", "this one")
      assert(other:flush())
      assert(book:flush())
      assert.same({ "failed", "this one" }, { assert(book:case(number)).outcome,
        assert(book:case(number)).message })
      assert.equal(2, assert(book:verify()).entries)
    end)

    it("finds cases by what they are about", function()
      mute("u1", { moderator = "ann" })
      now = now + 10
      local second = mute("u2", { moderator = "bob", room = "s" })
      book:close_case(second, "done")
      local function numbers(wanted)
        local list = {}
        for i, case in ipairs(assert(book:cases(wanted))) do list[i] = case.number end
        return list
      end
      assert.same({ 1, 2 }, numbers())
      assert.same({ 2, 1 }, numbers{ newest = true })
      assert.same({ 1 }, numbers{ moderator = "ann" })
      assert.same({ 2 }, numbers{ room = "s", user = "u2", provider = "vchatcloud" })
      assert.same({ 2 }, numbers{ since = 1700000005 })
      assert.same({ 1 }, numbers{ before = 1700000005 })
      assert.same({ 1 }, numbers{ open = true })
      assert.same({ 2 }, numbers{ in_force = true })
      assert.same({ 1 }, numbers{ limit = 1 })
      assert.same({ 2 }, numbers{ after = 1 })
      assert.same({}, numbers{ verb = "ban" })
    end)

    it("raises for a filter that it does not know", function()
      contains(refusal.of(book.cases, book, { usr = "u1" }), "'usr'")
    end)

    it("says that there is no such case", function()
      local case, problem = book:case(99)
      assert.is_nil(case)
      contains(problem, "99")
    end)

    it("marks a case as lifted by the case that lifts it", function()
      local number = mute("u1")
      book:close_case(number, "done")
      local lifting = assert(book:open_case{ provider = "vchatcloud", verb = "unmute",
        user_id = "u1", room = "r", lifts = number })
      assert(book:flush())
      assert.is_nil(assert(book:case(number)).lifted_by)
      book:close_case(lifting, "done")
      assert.equal(lifting, assert(book:case(number)).lifted_by)
    end)

    it("is not lifted by a case that failed", function()
      local number = mute("u1")
      book:close_case(number, "done")
      local lifting = assert(book:open_case{ provider = "vchatcloud", verb = "unmute",
        user_id = "u1", lifts = number })
      book:close_case(lifting, "failed")
      assert.is_nil(assert(book:case(number)).lifted_by)
    end)

    describe("with sanctions that end", function()
      local function timed(user, seconds)
        local number = mute(user, { expires_at = now + seconds, lift = "unmute" })
        book:close_case(number, "done")
        return number
      end

      it("gives those that are due, once", function()
        timed("u1", 10)
        timed("u2", 1000)
        assert.same({}, assert(book:claim_due("vchatcloud")))
        now = now + 10
        local due = assert(book:claim_due("vchatcloud"))
        assert.equal(1, #due)
        assert.same({ 1, "unmute" }, { due[1].number, due[1].lift })
        assert.same({}, assert(book:claim_due("vchatcloud")))
        assert.same({}, assert(open():claim_due("vchatcloud")))
      end)

      it("gives those behind as many as another process holds", function()
        for i = 1, 7 do timed("u" .. i, 10) end
        now = now + 10
        assert.equal(3, #assert(book:claim_due("vchatcloud", 3)))
        local other = open()
        local due = assert(other:claim_due("vchatcloud", 3))
        assert.same({ 4, 6, 3 }, { due[1].number, due[3].number, #due })
        assert.equal(1, #assert(book:claim_due("vchatcloud", 3)))
        assert.same({}, assert(other:claim_due("vchatcloud", 3)))
      end)

      it("gives none of another provider, none that failed, none that was taken back", function()
        timed("u1", 10)
        book:close_case(mute("u2", { expires_at = now + 1, lift = "unmute" }), "failed")
        local third = timed("u3", 10)
        local lifting = assert(book:open_case{ provider = "vchatcloud", verb = "unmute",
          user_id = "u3", lifts = third })
        book:close_case(lifting, "done")
        now = now + 100
        assert.same({}, assert(book:claim_due("qiscus")))
        local due = assert(book:claim_due("vchatcloud"))
        assert.equal(1, #due)
        assert.equal("u1", due[1].user_id)
      end)

      it("does not give what a newer sanction of the same user and room has replaced", function()
        timed("u1", 10)
        timed("u1", 1000)
        timed("u2", 10)
        mute("u2", { room = "elsewhere" })
        now = now + 10
        local due = assert(book:claim_due("vchatcloud"))
        assert.same({ 1, "u2" }, { #due, due[1].user_id })
        assert.equal("u1", (function()
          now = now + 990
          return assert(book:claim_due("vchatcloud"))[1].user_id
        end)())
      end)

      it("refuses the end of one that another process has claimed since", function()
        local number = timed("u1", 1)
        now = now + 1
        assert(book:claim_due("vchatcloud"))
        local other = open()
        assert.equal(1, other.store:run("UPDATE cases SET claimed_by = ? WHERE number = ?",
          other.run, number))
        local lifting = { provider = "vchatcloud", verb = "unmute", user_id = "u1", room = "r",
          lifts = number }
        assert.is_nil((book:open_case(lifting, true)))
        assert.equal(2, assert(other:open_case(lifting, true)))
      end)

      it("gives a released one again after a while, when it is told so", function()
        local number = timed("u1", 1)
        now = now + 1
        assert.equal(1, #assert(book:claim_due("vchatcloud")))
        book:release(number, 5)
        assert.same({}, assert(book:claim_due("vchatcloud")))
        now = now + 5
        assert.equal(1, #assert(book:claim_due("vchatcloud")))
      end)

      it("gives a released one again", function()
        local number = timed("u1", 1)
        now = now + 1
        assert.equal(1, #assert(book:claim_due("vchatcloud")))
        book:release(number)
        assert.equal(1, #assert(book:claim_due("vchatcloud")))
      end)
    end)

    it("tells the cases of a process that is gone, and of no other", function()
      local script = ([[
        local ledger = require "usher.ledger"
        local book = assert(ledger.open(%q))
        assert(book:open_case{ provider = "vchatcloud", verb = "mute", user_id = "u1" })
        io.stdout:write("written\n")
        io.stdout:flush()
        io.stdin:read("*l")
        os.exit(9, false)
      ]]):format(dsn)
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write(script)
      file:close()
      local lua = rawget(_G, "jit") and (os.getenv "LUAJIT" or "luajit")
        or os.getenv "LUA54" or "lua5.4"
      local child = assert(io.popen(("%s %s >%s.out"):format(lua, path, path), "w"))
      local written
      for _ = 1, 200 do
        local out = io.open(path .. ".out")
        written = out and out:read("*a") or ""
        if out then out:close() end
        if written ~= "" then break end
        core.sleep(0.02)
      end
      assert.equal("written\n", written)
      mute("mine")
      assert.same({}, assert(book:unsettled()))
      child:write("\n")
      child:close()
      local left = assert(book:unsettled())
      assert.equal(1, #left)
      assert.equal("u1", left[1].user_id)
      assert.same({}, assert(book:unsettled("qiscus")))
      os.remove(path)
      os.remove(path .. ".out")
    end)

    it("shares one transaction among the tasks of a map, and numbers them all", function()
      local transactions = 0
      local before = book.store.before_commit
      function book.store.before_commit(shared)
        transactions = transactions + 1
        return before(shared)
      end
      local list = {}
      for i = 1, 200 do list[i] = i end
      local numbers = usher.map(list, function(i) return mute("u" .. i) end, { concurrency = 50 })
      local seen = {}
      for _, number in ipairs(numbers) do seen[number] = true end
      for i = 1, 200 do assert.is_true(seen[i]) end
      assert.is_true(transactions <= 20, transactions .. " transactions")
      assert(book:verify())
    end)

    it("writes the others of a transaction when one is refused", function()
      local outcomes = usher.map({ 1, 2, 3 }, function(i)
        local store = book.store
        if i == 2 then
          return tostring(store:commit(function() store:run("INSERT INTO nowhere VALUES (1)") end))
        end
        return mute("u" .. i)
      end)
      assert.same({ 1, "nil", 2 }, outcomes)
      assert(book:verify())
    end)

    describe("verifies itself", function()
      before_each(function()
        for i = 1, 5 do
          book:close_case(mute("u" .. i, { reason = "spam" }), i == 3 and "failed" or "done")
        end
        assert(book:flush())
      end)

      local function found()
        local head, problem, details = book:verify()
        assert.is_nil(head)
        return details.kind, details.case, problem
      end

      it("and is well", function()
        local head = assert(book:verify())
        assert.same({ 5, 10 }, { head.cases, head.entries })
        assert.equal(64, #head.hash)
      end)

      local changes = {
        { "a case with another reason", "UPDATE cases SET reason = 'fun' WHERE number = 2",
          "tampered", 2 },
        { "a case of another user", "UPDATE cases SET user_id = 'u9' WHERE number = 4",
          "tampered", 4 },
        { "a case with another outcome", "UPDATE cases SET outcome = 'done' WHERE number = 3",
          "tampered", 3 },
        { "a case with an outcome taken away",
          "UPDATE cases SET outcome = NULL WHERE number = 1", "tampered", 1 },
        { "a case opened at another time",
          "UPDATE cases SET opened_at = opened_at + 60 WHERE number = 5", "tampered", 5 },
        { "an entry with another body",
          "UPDATE entries SET body = '{\"verb\":\"ban\"}' WHERE number = 3", "tampered", 2 },
        { "an entry with another hash",
          "UPDATE entries SET hash = 'x' WHERE number = 4", "tampered", 2 },
      }
      for _, change in ipairs(changes) do
        it("and finds " .. change[1], function()
          book.store:run(change[2])
          local kind_found, case = found()
          assert.same({ change[3], change[4] }, { kind_found, case })
        end)
      end

      it("and finds an entry that was deleted", function()
        book.store:run("DELETE FROM entries WHERE number = 6")
        local kind_found, _, problem = found()
        assert.equal("missing", kind_found)
        contains(problem, "entry 6")
      end)

      it("and finds that the last entry was deleted", function()
        book.store:run("DELETE FROM entries WHERE number = 10")
        assert.equal("missing", (found()))
      end)

      it("and finds that a case was deleted with its entries, the last as well", function()
        book.store:run("DELETE FROM entries WHERE case_number = 5")
        book.store:run("DELETE FROM cases WHERE number = 5")
        local kind_found, _, problem = found()
        assert.equal("missing", kind_found)
        contains(problem, "entry 9")
      end)

      it("and finds a case that was inserted", function()
        book.store:run("INSERT INTO cases (number, run, provider, verb, opened_at, hash) "
          .. "VALUES (6, 1, 'vchatcloud', 'ban', 1700000000, 'x')")
        local kind_found, case = found()
        assert.same({ "inserted", 6 }, { kind_found, case })
      end)

      it("and finds two entries that changed places", function()
        for _, step in ipairs{ { 3, 1003 }, { 4, 3 }, { 1003, 4 } } do
          book.store:run("UPDATE entries SET number = ? WHERE number = ?", step[2], step[1])
        end
        assert.equal("tampered", (found()))
      end)

      it("and finds a case that was made to look as if it was taken back, or was not", function()
        book.store:run("UPDATE cases SET lifted_by = 4 WHERE number = 2")
        local kind_found, case = found()
        assert.same({ "tampered", 2 }, { kind_found, case })
        book.store:run("UPDATE cases SET lifted_by = NULL WHERE number = 2")
        assert(book:verify())
        book:close_case(assert(book:open_case{ provider = "vchatcloud", verb = "unmute",
          user_id = "u5", lifts = 5 }), "done")
        assert(book:verify())
        book.store:run("UPDATE cases SET lifted_by = NULL WHERE number = 5")
        kind_found, case = found()
        assert.same({ "tampered", 5 }, { kind_found, case })
      end)

      it("and says that its head was removed", function()
        book.store:run("DELETE FROM heads")
        local head, problem = book:verify()
        assert.is_nil(head)
        contains(problem, "the head of the ledger is missing")
        head, problem = ledger.open(dsn)
        assert.is_nil(head)
        contains(problem, "the head of the ledger is missing")
      end)

      it("and finds an entry that was inserted", function()
        book.store:run("INSERT INTO entries (number, case_number, kind, body, previous, hash) "
          .. "VALUES (11, 5, 'closed', '{}', 'x', 'y')")
        assert.equal("tampered", (found()))
      end)
    end)

    it("refuses a ledger that a newer usher wrote", function()
      book.store:run("UPDATE ledger_version SET version = 99")
      local other, problem = ledger.open(dsn)
      assert.is_nil(other)
      contains(problem, "99")
    end)

    it("leaves nothing behind of a migration that fails in the middle", function()
      local schema = require "usher.ledger.schema"
      book.store:run("UPDATE ledger_version SET version = 0") -- its tables are there already
      local ok, problem = schema.migrate(book.store)
      assert.is_nil(ok)
      contains(problem, "heads")
      assert.equal(0, book.store:rows("SELECT version FROM ledger_version")[1].version)
      assert.equal(1, book.store:rows("SELECT COUNT(*) AS count FROM heads")[1].count + 0)
    end)

    it("brings the journal of an import, as version 2 kept it, forward", function()
      local journal = assert(book:import("people.csv"))
      assert(journal:begin(2, 3001))
      book.store:run("DROP TABLE import_outcomes")
      book.store:run("CREATE TABLE import_rows (import INTEGER NOT NULL, line INTEGER NOT NULL, "
        .. "provider TEXT NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL, message TEXT, "
        .. "PRIMARY KEY (import, line, provider))")
      for _, line in ipairs{ 2, 999, 1000, 1999, 2000 } do
        for _, provider in ipairs{ "qiscus", "smooch" } do
          book.store:run("INSERT INTO import_rows (import, line, provider, digest, state) "
            .. "VALUES (?, ?, ?, ?, 'done')", journal.number, line, provider, provider .. line)
        end
      end
      book.store:run("INSERT INTO import_rows VALUES (?, 3000, 'smooch', 'x', 'failed', 'no')",
        journal.number)
      book.store:run("INSERT INTO import_rows VALUES (?, 2, 'smooch', 'y', 'done', NULL)",
        journal.number + 1)
      book.store:run("UPDATE ledger_version SET version = 2")
      local again = assert(open():import("people.csv"))
      assert.same({ qiscus = { done = 5 }, smooch = { done = 5, failed = 1 } }, again:summary())
      for _, line in ipairs{ 2, 999, 1000, 1999, 2000 } do
        assert.same({
          qiscus = { state = "done", digest = "qiscus" .. line },
          smooch = { state = "done", digest = "smooch" .. line },
        }, (again:earlier(line)))
      end
      assert.same({ smooch = { state = "failed", digest = "x", message = "no" } },
        (again:earlier(3000)))
      again:done(3000, "smooch", "z")
      assert(again.store:flush())
      assert.same({ done = 6 }, again:summary().smooch)
      assert.same({}, (again:earlier(3001)))
    end)

    if kind.name == "PostgreSQL" then
      it("goes on after the server has cut the connection", function()
        mute("u1")
        local other = open()
        local function cut()
          other.store:rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            .. "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        end
        cut()
        assert.equal(2, mute("u2"))
        cut()
        assert.equal(2, #assert(book:cases()))
        book:close_case(2, "done")
        cut()
        assert.equal("done", assert(book:case(2)).outcome)
        assert(book:verify())
      end)
    end

    it("keeps the journal of an import", function()
      local journal = assert(book:import("people.csv"))
      assert.is_false(journal.resumed)
      assert(journal:begin(2, 4))
      journal:done(2, "qiscus", "abc")
      assert(book:flush())
      local again = assert(open():import("people.csv"))
      assert.is_true(again.resumed)
      local known, _, begun = again:earlier(2)
      assert.same({ "done", "abc", true }, { known.qiscus.state, known.qiscus.digest, begun })
      known, _, begun = again:earlier(4)
      assert.same({ {}, true }, { known, begun })
      known, _, begun = again:earlier(5)
      assert.same({ {}, false }, { known, begun })
      assert(again:begin(3, 9))
      for line = 3, 6 do again:done(line, "qiscus", "def") end
      again:failed(2, "qiscus", "ghi", "no")
      again:take_back(3, 7)
      assert.same({ qiscus = { done = 4, failed = 1 } }, (again.store:flush() and again:summary()))
      local third = assert(open():import("people.csv"))
      local states = {}
      for line = 2, 9 do
        known, _, begun = third:earlier(line)
        states[line - 1] = (known.qiscus and known.qiscus.state or "none") .. tostring(begun)
      end
      assert.same({ "failedtrue", "donetrue", "donetrue", "donetrue", "donetrue", "nonetrue",
        "nonefalse", "nonefalse" }, states)
      assert.is_false(assert(book:import("other.csv")).resumed)
    end)

    it("keeps what became of each row, in whatever order that was known", function()
      local expected, journal = {}, assert(book:import("people.csv"))
      assert(journal:begin(1, 5000))
      local function expect(line, provider, row)
        expected[line] = expected[line] or {}
        expected[line][provider] = row
      end
      local function done(line, provider, digest)
        journal:done(line, provider, digest)
        expect(line, provider, { state = "done", digest = digest })
      end
      local function failed(line, provider, digest)
        journal:failed(line, provider, digest, "no, " .. line)
        expect(line, provider, { state = "failed", digest = digest, message = "no, " .. line })
      end
      for _, line in ipairs{ 1001, 1000, 7, 999, 998, 2000, 1002, 1999, 1, 4999 } do
        done(line, "smooch", "s" .. line)
        if line % 2 == 0 then done(line, "qiscus", "q" .. line) else failed(line, "qiscus", "f") end
      end
      assert(book:flush())
      done(1003, "smooch", "later")
      done(999, "qiscus", "done-after-all")
      failed(1000, "smooch", "failed-after-all")
      assert(book:flush())
      local again, found = assert(open():import("people.csv")), {}
      for line = 1, 5000 do
        local known = assert(again:earlier(line))
        if next(known) then found[line] = known end
      end
      assert.same(expected, found)
      assert.same({ smooch = { done = 10, failed = 1 }, qiscus = { done = 5, failed = 5 } },
        again:summary())
    end)

    it("keeps digests of what it is told, where it is told how", function()
      local journal = assert(book:import("people.csv"))
      journal:digest_with(function(provider, texts)
        local digests = {}
        for i, text in ipairs(texts) do digests[i] = provider .. ":" .. text end
        return table.concat(digests, " ")
      end)
      assert(journal:begin(2, 4))
      for line = 2, 3 do journal:done(line, "qiscus", "text" .. line) end
      journal:failed(4, "smooch", "text4", "no")
      assert(book:flush())
      local again = assert(open():import("people.csv"))
      assert.equal("qiscus:text2", again:earlier(2).qiscus.digest)
      assert.equal("qiscus:text3", again:earlier(3).qiscus.digest)
      assert.equal("smooch:text4", again:earlier(4).smooch.digest)
    end)
  end)
end

describe("usher.ledger", function()
  after_each(ledgers.close_all)
  teardown(ledgers.stop)

  it("says why a database cannot be opened, and no password", function()
    local book, problem = ledger.open("/no/such/directory/ledger.db")
    assert.is_nil(book)
    contains(problem, "/no/such/directory/ledger.db")
    book, problem = ledger.open("postgres://usher:ge%68eim@127.0.0.1:1/ledger")
    assert.is_nil(book)
    contains(problem, "postgres://127.0.0.1:1/ledger")
    assert.is_nil(problem:find("geheim", 1, true))
    assert.is_nil(problem:find("ge%68eim", 1, true))
  end)

  it("raises for names that are none", function()
    for _, dsn in ipairs{ "mysql://host/db", "", "postgres://host" } do
      contains(refusal.of(ledger.open, dsn), "usher.ledger")
    end
    contains(refusal.of(ledger.open, "x.db", { durabel = true }), "'durabel'")
    contains(refusal.of(ledger.open, "x.db", { clock = 1 }), "clock")
  end)

  it("may be closed twice, and raises when it is used afterwards", function()
    local book = ledgers.fresh()
    assert(book:close())
    assert(book:close())
    contains(tostring(book), "closed")
    local number, problem = book:open_case{ provider = "qiscus", verb = "ban" }
    assert.is_nil(number)
    contains(problem, "closed")
  end)

  it("hides the password in its name", function()
    contains(tostring(ledgers.fresh()), "(open)")
  end)
end)
