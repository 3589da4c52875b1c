-- A source of people, imported: read, stopped anywhere, and gone on with. What is refused before
-- anything is sent is in onboarding_malformed_spec.lua.

local core = require "usher.core"
local ledgers = require "spec.support.ledgers"
local lines = require "spec.support.line"
local refusal = require "spec.support.refusal"

local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local adds_up, counts, once_each, says = lines.adds_up, lines.counts, lines.once_each, lines.says

local function line_of(providers, more)
  finally(lines.close_all)
  return lines.of(providers, more)
end

local function interrupt()
  io.popen(("kill -INT %d"):format((core.process()))):close()
end

describe("An import", function()
  local FORMATS = {
    CSV = { ".csv", "\239\187\191User ID,name,properties.plan,properties,ignored\r\n"
      .. 'u1,"Bob ""B"" O\'B",gold,,x\r\n\r\n"u2","Ann\nLee",,"{""seats"":3,""plan"":""no""}",'
      .. "\r\n" },
    ["JSON lines"] = { ".jsonl", '\239\187\191{"User ID":"u1","name":"Bob \\"B\\" O\'B",'
      .. '"properties":{"plan":"gold"},"_note":1}\r\n\r\n{"name":"Ann\\nLee","User ID":"u2",'
      .. '"properties":{"seats":3,"plan":"no"},"email":null}' },
  }
  for name, case in pairs(FORMATS) do
    it("reads " .. name, function()
      local line, world = line_of{ "smooch" }
      local summary = adds_up(assert(line:import(lines.file(case[1], case[2]),
        { columns = { id = "User ID" } })))
      assert.same({ 2, 0, 0, 0 }, counts(summary))
      assert.same({ created = 2 }, summary.providers.smooch)
      local state = world.box.state.smooch
      local bob, ann = state.users[state.by_user_id.u1], state.users[state.by_user_id.u2]
      assert.same({ 'Bob "B" O\'B', "gold" }, { bob.givenName, bob.properties.plan })
      assert.same({ "Ann\nLee", 3, "no" },
        { ann.givenName, ann.properties.seats, ann.properties.plan })
    end)
  end

  it("reads an iterator once, and leaves its tables alone", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    local asked = 0
    local function people()
      asked = asked + 1
      if asked <= 20 then return { id = "u" .. asked, name = "N" } end
    end
    assert.same({ 20, 0, 0, 0 }, counts(assert(line:import(people, { name = "nightly" }))))
    assert.equal(21, asked)
    once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), 20)
  end)

  it("reads a pipe, which can be read once", function()
    local line = line_of{ "smooch" }
    local path = lines.path("")
    assert(os.execute("mkfifo " .. path))
    os.execute(("sh -c 'printf \"id\\nu1\\nu2\\n\" > %s' &"):format(path))
    assert.same({ 2, 0, 0, 0 }, counts(assert(line:import(path, { format = "csv" }))))
  end)

  it("maps one column to two fields, swaps two, and takes properties from any", function()
    local line, world = line_of{ "smooch" }
    local columns = { id = "Mail", email = "Mail", name = "surname", surname = "name",
      ["properties.plan"] = "Plan" }
    assert(line:import(lines.file(".csv", "Mail,surname,name,Plan\nb@x,Bob,Lee,gold\n"),
      { columns = columns }))
    assert(line:import(lines.file(".jsonl",
      '{"Mail":"c@x","surname":"Bob","name":"Lee","Plan":"gold"}'), { columns = columns }))
    local state = world.box.state.smooch
    for _, id in ipairs{ "b@x", "c@x" } do
      local user = state.users[state.by_user_id[id]]
      assert.same({ id, "Bob", "Lee", "gold" },
        { user.email, user.givenName, user.surname, user.properties.plan })
    end
  end)

  it("of nobody is done", function()
    local line = line_of({ "smooch" }, { ledger = true })
    assert.same({ 0, 0, 0, 0 }, counts(assert(line:import(lines.file(".csv", "id\n")))))
    assert.same({ 0, 0, 0, 0 }, counts(assert(line:import(lines.file(".jsonl", "")))))
  end)

  it("keeps the rate, and the number in flight", function()
    local line, world = line_of{ "smooch" }
    local started = core.monotonic()
    assert(line:import(lines.people(9), { rate = 50 }))
    assert.is_true(core.monotonic() - started >= 8 / 50)
    assert.equal(9, world.box:count("smooch", "pre_create_app_user"))
  end)

  it("does not put a row twice: a second run finds all done", function()
    local line, world = line_of({ "qiscus", "smooch" }, { ledger = true })
    local path = lines.people(40)
    assert.same({ 40, 0, 0, 0 }, counts(assert(line:import(path))))
    local sent = #world.box.journal
    local summary = assert(line:import(path))
    assert.same({ 0, 40, 0, 0 }, counts(summary))
    assert.same({ { earlier = 40 }, { earlier = 40 } }, { summary.providers.qiscus,
      summary.providers.smooch })
    assert.equal(sent, #world.box.journal)
  end)

  it("into another server, app or mapping is another import, in the same journal", function()
    local line, world = line_of({ "qiscus" }, { ledger = true })
    local path = lines.file(".csv", "id,name,nick\nu1,Bob,Bobby\n")
    assert(line:import(path))
    local other, there = lines.of({ "qiscus" }, { ledger = world.ledger,
      options = { base_url = "http://127.0.0.2/qiscus" } })
    assert.same({ 1, 0, 0, 0 }, counts(adds_up(assert(other:import(path)))))
    assert.is_table(there.box.state.qiscus.users.u1)
    assert.equal(1, adds_up(assert(line:import(path, { columns = { name = "nick" } }))).failed)
    says(world.ledger:import(path):earlier(2).qiscus.message, "Qiscus changes an existing user")
  end)

  it("can be stopped, and goes on where it was", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    local path, asked = lines.people(300), 0
    local first = adds_up(assert(line:import(path, { concurrency = 8, stop = function()
      asked = asked + 1
      return asked > 100
    end })))
    assert.is_true(first.stopped)
    assert.same({ 100, 0, 0, 200 }, counts(first))
    local second = assert(line:import(path))
    assert.is_false(second.stopped)
    assert.same({ 200, 100, 0, 0 }, counts(second))
    once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), 300)
    assert.equal(0, world.box:count("smooch", "get_app_user")) -- nobody was in doubt
  end)

  it("stops at SIGINT, finishes what is in flight, and the process goes on", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    local path = lines.people(300)
    local first = adds_up(assert(line:import(path, { concurrency = 8, on_row = function(summary)
      if summary.done == 50 then interrupt() end
    end })))
    assert.is_true(first.stopped and first.done >= 50 and first.remaining > 0)
    assert.equal(first.done, world.box:count("smooch", "pre_create_app_user"))
    assert.is_false(core.interrupted())
    local second = assert(line:import(path))
    assert.same({ first.remaining, first.done, 0, 0 }, counts(second))
    once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), 300)
  end)

  it("stops at SIGINT before it has looked at all rows, and sends nothing", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    local asked, looks = 0, {}
    local function people()
      asked = asked + 1
      if asked == 5 then interrupt() end
      if asked <= 20 then return { id = "u" .. asked } end
    end
    local summary, err, begun = line:import(people, { name = "x" })
    assert.is_nil(summary)
    assert.is_nil(begun)
    assert.equal("cancelled", err.kind)
    says(err, "nothing was sent")
    assert.equal(5, asked)
    local path = lines.people(5000)
    summary, err = line:import(path, { on_look = function(count)
      looks[#looks + 1] = count
      interrupt()
    end })
    assert.is_nil(summary)
    assert.equal("cancelled", err.kind)
    assert.is_true(#looks == 1 and looks[1] < 5000)
    assert.is_false(core.interrupted())
    assert.equal(0, #world.box.journal)
    assert.same({ 5000, 0, 0, 0 }, counts(assert(line:import(path))))
  end)

  it("inside another one stops both at SIGINT", function()
    local line = line_of{ "smooch" }
    local inner
    local outer = assert(line:import(lines.people(100), { concurrency = 1, on_row = function(so_far)
      if so_far.done ~= 10 then return end
      assert(line:import(lines.people(5, 1001)))
      inner = assert(line:import(lines.people(100, 2001), { concurrency = 1,
        on_row = function(count) if count.done == 10 then interrupt() end end }))
    end }))
    assert.same({ true, 10 }, { inner.stopped, inner.done })
    assert.same({ true, 10 }, { outer.stopped, outer.done })
    assert.is_false(core.interrupted())
  end)

  it("that was asked to stop when all was done is done", function()
    local line = line_of{ "smooch" }
    local summary = assert(line:import(lines.people(5), { on_row = function(so_far)
      if so_far.done == 5 then interrupt() end
    end }))
    assert.is_false(summary.stopped)
    assert.equal(5, adds_up(summary).done)
  end)

  it("goes on with a row that was about to be sent by reading first", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    local path = lines.people(4)
    local journal = assert(world.ledger:import(path)) -- as a process that was killed left it
    assert(journal:begin(2, 3))
    assert(world.clients.smooch:pre_create_app_user{ user_id = "u1", given_name = "Name 1" })
    local summary = assert(line:import(path))
    assert.same({ created = 3, updated = 1 }, summary.providers.smooch)
    assert.same({ u1 = 1, u2 = 1, u3 = 1, u4 = 1 },
      lines.asked(world.box, "smooch", "pre_create_app_user"))
    assert.equal(2, world.box:count("smooch", "get_app_user"))
  end)

  for _, kind in ipairs(ledgers.kinds) do
    it("is not begun while another process is at it, but when that is gone: " .. kind.name,
      function()
        local dsn, path = kind.dsn(), lines.people(20)
        local line, world = line_of({ "smooch" }, { ledger = ledgers.open(dsn) })
        local other = lines.of({ "smooch" }, { ledger = ledgers.open(dsn), box = world.box })
        local refused, elsewhere
        local summary = assert(line:import(path, { on_row = function(so_far)
          if so_far.done ~= 10 then return end
          refused = { other:import(path) }
          elsewhere = other:import(path, { name = "elsewhere", stop = function() return true end })
        end }))
        assert.same({ 20, 0, 0, 0 }, counts(summary))
        assert.is_nil(refused[1])
        assert.is_nil(refused[3])
        assert.equal("ledger", refused[2].kind)
        says(refused[2], "is being imported by process " .. (core.process()) .. " of ")
        assert.is_true(elsewhere.stopped)
        once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), 20)
        assert.same({ 0, 20, 0, 0 }, counts(assert(other:import(path))))
        -- as a process that was killed left it
        local store = world.ledger.store
        store:run("INSERT INTO runs (number, host, process, started_at) VALUES (99, ?, 0, 0)",
          (select(2, core.process())))
        local left = "UPDATE imports SET run = 99, seen_at = ? WHERE name = ?"
        store:run(left, 0, path)
        assert.same({ 0, 20, 0, 0 }, counts(assert(other:import(path))))
        -- of another host nobody knows whether it lives: what it noted last tells
        store:run("UPDATE runs SET host = 'elsewhere' WHERE number = 99")
        store:run(left, core.now() - 60, path)
        says(select(2, other:import(path)), "is being imported by process 0 of elsewhere")
        store:run(left, core.now() - 3600, path)
        assert.same({ 0, 20, 0, 0 }, counts(assert(other:import(path))))
        assert.same({}, store:rows("SELECT * FROM imports WHERE run IS NOT NULL"))
      end)
  end

  it("puts a row again that was edited between two runs, and only that", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    local path = lines.file(".csv", "id,name\nu1,Bob\nu2,Ann\nu3,Eve\n")
    assert(line:import(path))
    lines.write(path, "id,name\nu1,Bob\nu2,Anna\nu3,Eve\nu4,Joe\n")
    local summary = assert(line:import(path))
    assert.same({ 2, 2, 0, 0 }, counts(summary))
    assert.same({ created = 1, updated = 1, earlier = 2 }, summary.providers.smooch)
    local state = world.box.state.smooch
    assert.equal("Anna", state.users[state.by_user_id.u2].givenName)
  end)

  it("puts nobody twice when a row was put in front of the others", function()
    local line, world = line_of({ "qiscus", "smooch" }, { ledger = true })
    local path = lines.file(".csv", "id,name\nu1,Bob\nu2,Ann\n")
    assert(line:import(path))
    lines.write(path, "id,name\nu0,Joe\nu1,Bob\nu2,Ann\n")
    local summary = assert(line:import(path))
    assert.same({ 3, 0, 0, 0 }, counts(summary))
    assert.same({ { created = 1, unchanged = 2 }, { created = 1, updated = 2 } },
      { summary.providers.qiscus, summary.providers.smooch })
    once_each(lines.asked(world.box, "qiscus", "login_or_register"), 3)
  end)
end)

describe("An import's failures", function()
  local FILES = {
    { ".csv", 'id;"na;me"\nu1;"B;o\nb"\nu2;Ann\nu3;"E""ve"\n', { delimiter = ";",
      columns = { name = "na;me" } } },
    { ".jsonl", '{"id":"u1","na;me":"B;o\\nb"}\n{"id":"u2","na;me":"Ann"}\n'
      .. '{"id":"u3","na;me":"E\\"ve"}\n', { columns = { name = "na;me" } } },
  }
  for _, case in ipairs(FILES) do
    it("go to a file that can be fed back: " .. case[1], function()
      local line, world = line_of({ "smooch" }, { ledger = true })
      local options, failed = case[3], lines.path(case[1])
      options.failures, options.concurrency = failed, 1
      world.box:fault{ operation = "pre_create_app_user", status = 503, times = 2 }
      local path = lines.file(case[1], case[2])
      local summary = assert(line:import(path, options))
      assert.same({ 1, 0, 2, 0 }, counts(summary))
      says(lines.read(failed), "smooch:pre_create_app_user: http")
      options.failures = nil
      world.box:fault{ operation = "pre_create_app_user", status = 503, times = 1 }
      local again = lines.path(case[1])
      options.failures = again
      assert.same({ 1, 0, 1, 0 }, counts(assert(line:import(failed, options))))
      options.failures = nil
      assert.same({ 1, 0, 0, 0 }, counts(assert(line:import(again, options))))
      local state = world.box.state.smooch
      local names = {}
      for i = 1, 3 do names[i] = state.users[state.by_user_id["u" .. i]].givenName end
      assert.same({ "B;o\nb", "Ann", 'E"ve' }, names)
    end)
  end

  it("are tried again by a second run, whose file holds what fails still", function()
    local line, world = line_of({ "qiscus", "smooch" }, { ledger = true })
    local path, failed = lines.people(6), lines.path(".csv")
    local options = { failures = failed, concurrency = 1 }
    world.box:fault{ operation = "login_or_register", status = 400, times = 3 }
    local summary = assert(line:import(path, options))
    assert.same({ 3, 0, 3, 0 }, counts(summary))
    assert.same({ created = 3, failed = 3 }, summary.providers.qiscus)
    assert.same({ created = 6 }, summary.providers.smooch)
    world.box:fault{ operation = "login_or_register", status = 400, times = 1 }
    summary = adds_up(assert(line:import(path, options)))
    assert.same({ 2, 3, 1, 0 }, counts(summary))
    local _, rows = lines.read(failed):gsub("\n", "")
    assert.equal(2, rows) -- the head and one row
    assert.same({ 1, 5, 0, 0 }, counts(assert(line:import(path, options))))
    assert.is_nil(lines.read(failed))
    once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), 6)
  end)

  it("that cannot be written stop it", function()
    local line, world = line_of{ "smooch" }
    world.box:fault{ operation = "pre_create_app_user", status = 400, times = 9 }
    local summary, err, begun = line:import(lines.people(5),
      { failures = "/no/such/directory/failed.csv", concurrency = 1 })
    assert.is_nil(summary)
    says(err, "/no/such/directory/failed.csv")
    assert.same({ 0, 0, 1, 4 }, counts(begun))
  end)

  it("are told as they come", function()
    local line, world = line_of{ "smooch" }
    world.box:fault{ operation = "pre_create_app_user", status = 400, times = 1 }
    local told = {}
    assert(line:import(lines.people(3), { concurrency = 1, on_row = function(_, row, err)
      told[#told + 1] = { row.line, row.person.id, err and err.status }
    end }))
    assert.same({ { 2, "u1", 400 }, { 3, "u2" }, { 4, "u3" } }, told)
  end)
end)

describe("An import stops", function()
  teardown(ledgers.stop)

  it("where nothing that follows would fare better", function()
    for _, providers in ipairs{ { "smooch" }, { "qiscus", "smooch" } } do
      local line, world = lines.of(providers, { ledger = true })
      local summary, err, begun = line:import(lines.people(30), { concurrency = 1,
        on_row = function(so_far)
          if so_far.done == 10 then world.box:fault{ status = 401, times = "forever" } end
        end })
      assert.is_nil(summary)
      assert.equal(401, err.status)
      assert.same({ 10, 0, 1, 19 }, counts(begun))
    end
    lines.close_all()
  end)

  for _, kind in ipairs(ledgers.kinds) do
    it("when the ledger fails, sends nothing that is not written down, and goes on: " .. kind.name,
      function()
        local ledger = ledgers.open(kind.dsn())
        local line, world = line_of({ "smooch" }, { ledger = ledger })
        local path = lines.people(100)
        local summary, err, begun = line:import(path, { concurrency = 2, on_row = function(so_far)
          if so_far.done == 40 then ledger.store:run("ALTER TABLE import_ranges RENAME TO gone") end
        end })
        assert.is_nil(summary)
        assert.equal("ledger", err.kind)
        local done, _, failed, remaining = unpack(counts(begun))
        assert.same({ done, 0 }, { world.box:count("smooch", "pre_create_app_user"), failed })
        assert.is_true(done >= 40 and remaining > 0)
        ledger.store:run("ALTER TABLE gone RENAME TO import_ranges")
        assert.same({ remaining, done, 0, 0 }, counts(assert(line:import(path))))
        once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), 100)
      end)
  end

  it("when the journal cannot be opened, before anything is sent", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    world.ledger.store:run("ALTER TABLE imports RENAME TO gone")
    local summary, err, begun = line:import(lines.people(3))
    assert.is_nil(summary)
    assert.equal("ledger", err.kind)
    assert.is_nil(begun)
    assert.equal(0, #world.box.journal)
  end)

  local CHANGES = {
    { "emptied", function() return "" end },
    { "cut short", function(text) return text:sub(1, -200) end },
    { "made longer", function(text) return text .. "more,More\r\n" end },
    { "edited at its end", function(text) return (text:gsub("Name 6000", "Anyone")) end },
    { "broken at its end", function(text) return (text:gsub("Name 6000", '"')) end },
  }
  for _, change in ipairs(CHANGES) do
    it(("when the file is %s after it was looked at, and sends nothing of that"):format(change[1]),
      function()
        local line, world = line_of{ "smooch" }
        local path, looked = lines.people(6000), false
        local summary, err, begun = line:import(path, { stop = function()
          if not looked then lines.write(path, change[2](lines.read(path))) end
          looked = true
          return false
        end })
        assert.is_nil(summary)
        says(err, "has changed since it was looked at")
        adds_up(begun)
        assert.is_true(begun.remaining > 0 and begun.done < 6000)
        once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), begun.done)
        for _, user in pairs(world.box.state.smooch.users) do
          assert.truthy(user.userId == "bob@example.com" or user.givenName == "Name "
            .. user.userId:sub(2))
        end
      end)
  end

  it("when a function of the caller raises, and can be gone on with", function()
    local line, world = line_of({ "smooch" }, { ledger = true })
    local path = lines.people(30)
    local ok, problem = pcall(line.import, line, path, { concurrency = 1, on_row = function(so_far)
      if so_far.done == 10 then error("mine") end
    end })
    assert.is_false(ok)
    says(problem, "mine")
    assert.is_false(core.interrupted())
    assert.same({ 20, 10, 0, 0 }, counts(assert(line:import(path))))
    once_each(lines.asked(world.box, "smooch", "pre_create_app_user"), 30)
  end)
end)

describe("An import that makes no sense", function()
  it("raises at the caller's line", function()
    local line = line_of({ "smooch" }, { ledger = true })
    local path = lines.people(1)
    local function message(...) return refusal.of(line.import, line, ...) end
    for _, case in ipairs{
      { "unknown option 'concurency'; did you mean 'concurrency'?", { concurency = 1 } },
      { "concurrency must be a number", { concurrency = "8" } },
      { "concurrency must be a whole number", { concurrency = 0 } },
      { "concurrency must be a whole number", { concurrency = 1.5 } },
      { "concurrency must be a whole number", { concurrency = 0 / 0 } },
      { "concurrency must be a whole number", { concurrency = math.huge } },
      { "rate must be above 0", { rate = 0 } }, { "rate must be above 0", { rate = 0 / 0 } },
      { "format must be", { format = "xml" } }, { "delimiter must be", { delimiter = "" } },
      { "delimiter must be", { delimiter = '"' } }, { "delimiter must be", { delimiter = ";;" } },
      { "a person has no field 'nmae'", { columns = { nmae = "Name" } } },
      { "columns: name must be the name", { columns = { name = 2 } } },
      { "failures must be another file", { failures = path } },
      { "failures must be another file", { failures = "/tmp/../" .. path } },
      { "options must be a table", "fast" },
    } do
      says(message(path, case[2]), case[1])
    end
    says(message(7), "the source must be a path or an iterator")
    says(message(function() end), "an iterator needs a name")
  end)
end)
