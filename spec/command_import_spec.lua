-- `usher import` as a user runs it, and what a terminal shows of it.

local cjson = require("cjson").new()
local command = require "spec.support.command"
local lines = require "spec.support.line"
local output = require "usher.cli.output"
local process = require "spec.support.process"

local says = lines.says
local on_terminal = command.has_terminal and it or pending

describe("The command imports", function()
  local box, environment, run
  local first = 0 -- of the users of a test: the sandbox keeps them

  setup(function()
    box = command.sandbox()
    environment = box.environment
    run = command.runner(environment)
  end)
  teardown(function() box:stop() end)
  before_each(function() box:reset() end)
  after_each(lines.close_all)

  local function people(count)
    first = first + 10000
    return lines.people(count, first)
  end

  local function ledger()
    return " --ledger " .. lines.path(".db") .. " "
  end

  local function with(more)
    local all = {}
    for name, value in pairs(environment) do all[name] = value end
    for name, value in pairs(more) do all[name] = value end
    return all
  end

  local function created(count)
    local users, seen = 0, {}
    for _, entry in ipairs(box:requests("smooch", "pre_create_app_user")) do
      local id = cjson.decode(entry.body).userId
      assert.is_nil(seen[id], id)
      seen[id], users = true, users + 1
    end
    assert.equal(count, users)
  end

  local SMOOCH = "import --provider smooch "

  it("into several providers, and finds all done the second time", function()
    local arguments = "import --provider qiscus --provider smooch " .. people(30) .. ledger()
    local result = run(0, arguments)
    assert.equal("of 30 rows: 30 done, 0 earlier, 0 failed, 0 remaining\n", result.out)
    created(30)
    assert.equal(30, #box:requests("qiscus", "login_or_register"))
    box:reset()
    assert.equal("of 30 rows: 0 done, 30 earlier, 0 failed, 0 remaining\n", run(0, arguments).out)
    assert.equal(0, #box:ask("GET", "journal"))
  end)

  it("what its help names, every field", function()
    local help = run(0, "import --help").out:match("A row is.*"):gsub("\n", " ")
    for _, name in ipairs(require("usher.onboarding.people").NAMES) do
      assert.truthy(help:find(" " .. name .. "[,;]"), name)
    end
  end)

  it("columns by their names, between tabs, of a file called anything", function()
    local path = lines.file(".txt", "Key\tFull name\tPlan\r\ncol-1\tBob \"B\"\tgold\r\n")
    says(run(2, SMOOCH .. path).err, "its name does not tell its format")
    run(2, SMOOCH .. path .. " --format csv --delimiter tab --column id=Key")
    lines.write(path, "Key\tFull name\tPlan\r\ncol-1\tBob B\tgold\r\n")
    run(0, SMOOCH .. path .. " --format csv --delimiter tab --column id=Key "
      .. "--column 'name=Full name' --column properties.plan=Plan")
    local body = cjson.decode(box:requests("smooch", "pre_create_app_user")[1].body)
    assert.same({ userId = "col-1", givenName = "Bob B", properties = { plan = "gold" } }, body)
  end)

  it("from standard input", function()
    run(0, SMOOCH .. "/dev/stdin --format jsonl", { input = '{"id":"in-1"}\n{"id":"in-2"}\n' })
    created(2)
  end)

  local wrong = {
    { "nothing of a file that is wrong", "id,name\nu1,A,B\n,C\n", "",
      { ":2: has 3 fields", ":3: id is required", "nothing was sent" } },
    { "nothing with a column that is none", "id\nu1\n", "--column nmae=X",
      { "a person has no field 'nmae'" } },
    { "nothing with half a mapping", "id\nu1\n", "--column name", { "is not FIELD=NAME" } },
    { "nothing at no rate", "id\nu1\n", "--rate 0", { "rate must be above 0" } },
    { "nothing, none at a time", "id\nu1\n", "--concurrency 0", { "whole number from 1" } },
    { "nothing into nobody", "id\nu1\n", "--provider nobody", { "no provider 'nobody'" } },
    { "nothing into VChatCloud", "id\nu1\n", "--provider vchatcloud", { "takes no users" } },
    { "nothing of two providers into one server", "id\nu1\n",
      "--provider qiscus --base-url http://127.0.0.1:9", { "--base-url is of one provider" } },
  }
  for _, row in ipairs(wrong) do
    it(row[1], function()
      local result = run(2, SMOOCH .. lines.file(".csv", row[2]) .. " " .. row[3])
      for _, words in ipairs(row[4]) do says(result.err, words) end
      assert.equal("", result.out)
      assert.equal(0, #box:ask("GET", "journal"))
    end)
  end

  it("nothing in a dry run, after a look at every row", function()
    local result = run(0, SMOOCH .. people(7) .. " --dry-run" .. ledger())
    assert.equal("7 rows, nothing wrong with them; nothing was sent\n", result.out)
    assert.equal("", result.err)
    assert.equal(0, #box:ask("GET", "journal"))
  end)

  it("what it can, says which rows failed and why, and keeps them", function()
    box:ask("POST", "fault", { provider = "smooch", operation = "pre_create_app_user",
      status = 400, times = 12 })
    local path, failed = people(20), lines.path(".csv")
    local arguments = SMOOCH .. path .. ledger()
    local result = run(3, arguments .. "--concurrency 1 --failures " .. failed)
    assert.equal("of 20 rows: 8 done, 0 earlier, 12 failed, 0 remaining\n", result.out)
    says(result.err, (":2: u%d: usher.smooch:pre_create_app_user: http"):format(first))
    says(result.err, "... 2 more failed; all are in " .. failed)
    assert.equal(10, select(2, result.err:gsub(": usher%.smooch:", "")))
    says(run(0, SMOOCH .. failed .. ledger()).out, "of 12 rows: 12 done")
    says(run(0, arguments).out, "of 20 rows: 12 done, 8 earlier")
  end)

  it("nothing with credentials that are refused", function()
    local result = run(1, SMOOCH .. people(5) .. ledger() .. "--concurrency 1",
      { environment = with{ USHER_SMOOCH_SECRET = "not the secret" } })
    says(result.err, "401")
    assert.equal("of 5 rows: 0 done, 0 earlier, 1 failed, 4 remaining\n", result.out)
  end)

  it("nothing, once, into two processes at the same time", function()
    local arguments = SMOOCH .. people(40) .. ledger()
    local other = command.start(arguments .. "--rate 100", { environment = environment })
    command.await(function() return #box:requests("smooch", "pre_create_app_user") > 5 end)
    local result = run(1, arguments)
    says(result.err, "is being imported by process " .. other.pid .. " of ")
    assert.equal("", result.out)
    says(other.wait().out, "of 40 rows: 40 done")
    created(40)
  end)

  it("nothing when the ledger cannot be opened", function()
    says(run(2, SMOOCH .. people(5) .. " --ledger /no/such/directory/l.db").err,
      "/no/such/directory/l.db")
    assert.equal(0, #box:ask("GET", "journal"))
  end)

  for _, signal in ipairs{ "INT", "TERM" } do
    it(("until SIG%s, and goes on where it was"):format(signal), function()
      local arguments = SMOOCH .. people(60) .. ledger()
      local running = command.start(arguments .. "--rate 100", { environment = environment })
      command.await(function() return #box:requests("smooch", "pre_create_app_user") > 5 end)
      local result = running.stop(signal)
      assert.equal(130, result.status)
      says(result.err, "stopped; the same command goes on with it")
      local done, remaining = result.out:match("of 60 rows: (%d+) done, .*, (%d+) remaining\n$")
      assert.equal(60, done + remaining)
      assert.is_true(tonumber(remaining) > 0)
      created(tonumber(done))
      assert.equal(("of 60 rows: %s done, %s earlier, 0 failed, 0 remaining\n"):format(remaining,
        done), run(0, arguments).out)
      created(60)
    end)
  end

  it("nothing when SIGINT comes before all rows were looked at", function()
    local pipe = lines.path(".csv")
    assert(os.execute("mkfifo " .. pipe))
    local running = command.start(SMOOCH .. pipe, { environment = environment })
    local writer = assert(io.open(pipe, "wb")) -- when the command has opened it
    writer:write("id\nu1\n")
    writer:flush()
    os.execute("kill -INT " .. running.pid)
    writer:close()
    local result = running.wait()
    assert.equal(130, result.status)
    assert.equal("", result.out)
    says(result.err, "stopped before all rows were looked at: nothing was sent")
    assert.equal(0, #box:ask("GET", "journal"))
  end)

  it("until SIGINT without a ledger, and says that it begins anew", function()
    local running = command.start(SMOOCH .. people(60) .. " --rate 50",
      { environment = environment })
    command.await(function() return #box:requests("smooch", "pre_create_app_user") > 2 end)
    local result = running.stop("INT")
    assert.equal(130, result.status)
    says(result.err, "without a ledger the same command begins anew")
  end)

  it("and ends at once at the second signal, and goes on all the same", function()
    box:ask("POST", "fault", { provider = "smooch", operation = "pre_create_app_user", delay = 5,
      times = 2 })
    local arguments = SMOOCH .. people(4) .. ledger()
    local running = command.start(arguments .. "--concurrency 2", { environment = environment })
    command.await(function() return #box:requests("smooch", "pre_create_app_user") == 2 end)
    os.execute("kill -INT " .. running.pid)
    -- two signals at once count as one
    command.await(function() return not process.catches_interrupts(running.pid) end)
    assert.equal(130, running.stop("INT").status) -- 128 + 2: the signal's, as the shell has it
    says(run(0, arguments).out, "of 4 rows: 4 done")
    created(4)
    assert.equal(2, #box:requests("smooch", "update_app_user"))
  end)

  describe("and prints", function()
    it("a line at first where there is no terminal, and nothing that moves a cursor", function()
      local result = run(0, SMOOCH .. people(20) .. ledger())
      assert.truthy(result.err:find("^import: 1 of 20  %d+/s  %d+s left\n$"), result.err)
    end)

    it("nothing but the summary with --quiet, as JSON with --json", function()
      box:ask("POST", "fault", { provider = "smooch", operation = "pre_create_app_user",
        status = 400, times = 1 })
      local result = run(3, SMOOCH .. people(5) .. ledger() .. "--quiet --json")
      assert.equal("", result.err)
      local summary = cjson.decode(result.out)
      assert.same({ 5, 4, 0, 1, 0, false, { created = 4, failed = 1 } }, { summary.rows,
        summary.done, summary.earlier, summary.failed, summary.remaining, summary.stopped,
        summary.providers.smooch })
    end)

    -- What is drawn, one look after another, without what erases the one before.
    local function looks(result)
      local found = {}
      for look in result.out:gmatch("\r\27%[K(import[^\r\n]*)") do found[#found + 1] = look end
      return found
    end

    on_terminal("a bar on a terminal, with the rate and the time left", function()
      local result = run(0, SMOOCH .. people(60) .. " --rate 60" .. ledger(), { terminal = 80 })
      local found = looks(result)
      assert.is_true(#found > 3)
      assert.truthy(found[2]:find("^import %[#+%-+%] %d+ of 60  %d+/s  %ds left$"), found[2])
      assert.truthy(found[#found]:find("^import %[#+%] 60 of 60  %d+/s$"), found[#found])
      says(result.out, "\r\nof 60 rows: 60 done")
    end)

    on_terminal("what fits a narrow terminal", function()
      for _, columns in ipairs{ 30, 12 } do
        local found = looks(run(0, SMOOCH .. people(30) .. " --rate 100", { terminal = columns }))
        assert.is_true(#found > 1)
        for _, look in ipairs(found) do assert.is_true(#look < columns, look) end
      end
    end)

    on_terminal("what failed above the bar", function()
      box:ask("POST", "fault", { provider = "smooch", operation = "pre_create_app_user",
        status = 400, times = 1 })
      local result = run(3, SMOOCH .. people(3) .. " --concurrency 1 --rate 10", { terminal = 80 })
      assert.truthy(result.out:find("2: u%d+: usher%.smooch:pre_create_app_user: [^\n]*\n\r\27%[K"
        .. "import"), result.out)
    end)

    on_terminal("no bar and no colour with --quiet, on a dumb one, or with NO_COLOR", function()
      local book = ledger()
      local arguments = SMOOCH .. people(3) .. book
      box:ask("POST", "room", { room_id = "r", users = { { nick_name = "A", client_key = "k" } } })
      run(0, "mute k --provider vchatcloud --room r" .. book)
      says(run(0, "cases" .. book, { terminal = 80 }).out, "\27[32mdone\27[0m")
      assert.is_nil(run(0, "cases" .. book, { terminal = 80,
        environment = with{ NO_COLOR = "1" } }).out:find("\27", 1, true))
      assert.is_nil(run(0, arguments .. " --quiet", { terminal = 80 }).out:find("\27", 1, true))
      assert.is_nil(run(0, arguments, { terminal = 80, environment = with{ TERM = "dumb" } })
        .out:find("\27", 1, true))
    end)

    it("tables whose columns stand below one another, whatever takes two of them", function()
      local widths = { Han = 3, ["김민준"] = 6, ["e\204\129té"] = 3, ["💰"] = 2, ["ＡＢ"] = 4,
        ["\226\128\139"] = 0, ["✅"] = 2, ["☎"] = 1, ["⚽"] = 2, ["ณัฐพล"] = 4, ["שָׁלוֹם"] = 4,
        ["नेहा"] = 3, ["مُحَمَّد"] = 4 }
      for text, width in pairs(widths) do assert.equal(width, output.width(text), text) end
    end)
  end)
end)
