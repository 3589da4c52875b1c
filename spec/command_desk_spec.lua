-- The moderation desk on the command line: verbs, plans, watching, scripts, the ledger.

local cjson = require("cjson").new()
local command = require "spec.support.command"
local lines = require "spec.support.line"

local says = lines.says

describe("The command moderates:", function()
  local ROOM = " --provider vchatcloud --room desk "
  local box, environment, run, keys

  setup(function()
    box = command.sandbox()
    environment = box.environment
    run = command.runner(environment)
  end)
  teardown(function() box:stop() end)
  after_each(lines.close_all)

  local function with(more)
    local all = {}
    for name, value in pairs(environment) do all[name] = value end
    for name, value in pairs(more) do all[name] = value end
    return all
  end

  local function ledger()
    return " --ledger " .. lines.path(".db") .. " "
  end

  before_each(function()
    box:reset()
    keys = box:ask("POST", "room", { room_id = "desk", users = {
      { nick_name = "Han", client_key = "k1" },
      { nick_name = "\27[2J\7evil\194\155\226\128\174", client_key = "k2" },
      { nick_name = "김민준", client_key = "k3" },
      { nick_name = "FREE MONEY", client_key = "k4" },
      { nick_name = "boss", client_key = "k5", grade = "userManager" },
    } }).client_keys
    assert.equal(5, #keys)
  end)

  it("a verb, its inverse, and the lists", function()
    local book = ledger()
    assert.equal("mute k1: done (case 1)\n", run(0, "mute k1" .. ROOM .. book).out)
    says(run(0, "list-muted" .. ROOM).out, "Han")
    local muted = cjson.decode(run(0, "list-muted --json" .. ROOM).out)
    assert.same({ "k1", "Han" }, { muted.id, muted.name })
    local case = cjson.decode(run(0, "unmute k1 --json --reason enough" .. ROOM .. book).out)
    assert.same({ 2, "unmute", "done", "k1" }, { case.case, case.verb, case.outcome, case.user })
    assert.equal("", run(0, "list-muted" .. ROOM).out)
    assert.equal("", run(0, "ban k1 --quiet" .. ROOM .. book).out)
    says(run(0, "list-banned" .. ROOM).out, "k1")
    local cases = run(0, "cases" .. book).out
    says(cases, "ann")
    says(cases, "enough")
    local _, count = cases:gsub("\n", "")
    assert.equal(4, count) -- a head and three cases
    assert.equal(3, select(2, run(0, "cases --json" .. book).out:gsub("\n", "")))
    assert.equal(1, select(2, run(0, "cases --json --verb ban" .. book).out:gsub("\n", "")))
    assert.equal(1, select(2, run(0, "cases --json --limit 1" .. book).out:gsub("\n", "")))
    assert.equal("", run(0, "cases --json --user k9 --since 1h" .. book).out)
  end)

  it("what is asked of the environment alone", function()
    local more = with{ USHER_PROVIDER = "vchatcloud", USHER_ROOM = "desk",
      USHER_LEDGER = lines.path(".db") }
    says(run(0, "mute k1", { environment = more }).out, "done (case 1)")
    says(run(0, "cases", { environment = more }).out, "k1")
    local actor = with{ USHER_PROVIDER = "ertc", USHER_ROOM = "group-1",
      USHER_ACTOR = box.actor }
    says(run(0, "mute alice@example.com", { environment = actor }).out, "done")
  end)

  it("nothing, in a dry run", function()
    local result = run(0, "mute k1 --dry-run" .. ROOM)
    says(result.out, "curl -X POST")
    assert.equal(0, #box:requests("vchatcloud", "mute_user"))
  end)

  it("names that would move the cursor, without that", function()
    local shown = run(0, "list-users" .. ROOM).out
    says(shown, "?[2J?evil??")
    for line in run(0, "list-users --json" .. ROOM).out:gmatch("[^\n]+") do
      local user = cjson.decode(line)
      if user.id == "k2" then
        assert.equal("\27[2J\7evil\194\155\226\128\174", user.name)
        says(line, "\\u009b\\u202e")
      end
    end
  end)

  it("what a provider can", function()
    says(run(0, "capabilities --provider vchatcloud").out, "kick          unsupported")
    local count = select(2, run(0, "capabilities --json --provider qiscus").out:gsub("\n", ""))
    assert.equal(14, count)
  end)

  local RULES = 'local rules = require("usher.moderation").rules\n'
    .. 'return { { name = "ads", when = rules.name_matches{ "free money", "evil" }, '
    .. 'action = "mute", reason = "advertises" } }\n'

  it("by a plan that is shown, saved, carried out once, and taken back", function()
    local book, plan = ledger(), lines.path(".jsonl")
    local rules = lines.file(".lua", RULES)
    local result = run(0, ("plan %s --out %s"):format(rules, plan) .. ROOM)
    says(result.out, "2 actions on vchatcloud")
    says(result.out, "FREE MONEY")
    says(result.err, "usher apply " .. plan)
    assert.equal(0, #box:requests("vchatcloud", "mute_user"))
    says(run(0, "apply --dry-run " .. plan .. ROOM).out, "mute k4: would be done")
    assert.equal(0, #box:requests("vchatcloud", "mute_user"))
    says(run(2, "apply --max-actions 1 " .. plan .. ROOM .. book).err, "more than max_actions")
    assert.equal(0, #box:requests("vchatcloud", "mute_user"))
    local apply = "apply --pace 100 " .. plan .. ROOM .. book
    assert.equal("of 2 actions: 2 done\n", run(0, apply).out)
    assert.equal("of 2 actions: 2 earlier\n", run(0, apply).out)
    assert.equal(2, #box:requests("vchatcloud", "mute_user"))
    says(run(0, "undo --by ann --dry-run" .. ROOM .. book).out, "takes back case 2")
    assert.equal(0, #box:requests("vchatcloud", "cancel_mute"))
    local summary = cjson.decode(run(0, "undo --json --by ann --since 1h --pace 100" .. ROOM
      .. book).out)
    assert.same({ 2, 2, 0 }, { summary.planned, summary.done, summary.remaining })
    assert.equal("", run(0, "list-muted" .. ROOM).out)
    says(run(0, "undo --by ann --json" .. ROOM .. book).err, "was taken back by case")
  end)

  it("by a plan of which some fails, with status 3", function()
    local plan = lines.path(".jsonl")
    run(0, ("plan %s --out %s"):format(lines.file(".lua", RULES), plan) .. ROOM)
    box:ask("POST", "fault", { provider = "vchatcloud", operation = "mute_user", status = 400,
      times = 1 })
    local result = run(3, "apply --pace 100 " .. plan .. ROOM .. ledger())
    says(result.out, "1 done, 1 failed")
    says(result.err, "failed, usher.vchatcloud:mute_user: http")
    assert.equal("", run(0, "apply --quiet --pace 100 " .. plan .. ROOM .. ledger()).out)
  end)

  it("by a plan that is stopped by a signal, and gone on with", function()
    local book, plan, users = ledger(), lines.path(".jsonl"), {}
    for i = 1, 30 do users[i] = { nick_name = "free money " .. i, client_key = "f" .. i } end
    box:ask("POST", "room", { room_id = "desk", users = users })
    run(0, ("plan %s --out %s"):format(lines.file(".lua", RULES), plan) .. ROOM)
    local applying = command.start("apply --pace 40 " .. plan .. ROOM .. book,
      { environment = environment })
    command.await(function() return #box:requests("vchatcloud", "mute_user") > 3 end)
    local result = applying.stop("INT")
    assert.equal(130, result.status)
    says(result.err, "stopped; go on with: usher apply " .. plan)
    local done, remaining = result.out:match("^of 30 actions: (%d+) done, (%d+) remaining\n$")
    assert.equal(30, done + remaining)
    assert.equal(("of 30 actions: %s done, %s earlier\n"):format(remaining, done),
      run(0, "apply --pace 1000 " .. plan .. ROOM .. book).out)
    assert.equal(30, #box:requests("vchatcloud", "mute_user"))
  end)

  it("by watching", function()
    local rules = lines.file(".lua", RULES)
    local result = run(0, "watch --rounds 1 --json " .. rules .. ROOM .. ledger())
    assert.equal(2, select(2, result.out:gsub("\n", "")))
    says(result.err, "1 rounds, 4 users judged, 0 errors")
    local watching = command.start("watch --every 0.1 " .. rules .. ROOM .. ledger(),
      { environment = environment })
    command.await(function() return #box:requests("vchatcloud", "list_users") > 4 end)
    result = watching.stop("INT")
    assert.equal(0, result.status)
    says(result.out, "mute FREE MONEY: the nickname holds 'free money'")
    says(result.out, "mute ?[2J?evil??: the nickname")
  end)

  it("by a script, after lifting what is due", function()
    local book = ledger()
    says(run(0, "mute k1 --seconds 0.01" .. ROOM .. book).out, "done")
    local script = lines.file(".lua", [[
      local who, times = ...
      for i = 1, tonumber(times) do assert(desk:mute{ user = who }) end
      print(tostring(client) .. " " .. #desk:list_muted())]])
    local result = run(0, ("run %s k3 2"):format(script) .. ROOM .. book)
    says(result.out, "unmute k1: its time is over\n")
    says(result.out, "usher.vchatcloud: " .. box.base_url)
    says(result.out, " 1\n")
    says(run(1, "run " .. lines.file(".lua", "error('mine')") .. ROOM).err, "mine")
    says(run(1, "run " .. lines.file(".lua", "assert(desk:kick{ user = 'k1' })") .. ROOM).err,
      "unsupported")
  end)

  it("what is due, once or until a signal", function()
    local book = ledger()
    run(0, "mute k1 --seconds 0.01" .. ROOM .. book)
    assert.equal("unmute k1: its time is over\n", run(0, "run --once" .. ROOM .. book).out)
    assert.equal("", run(0, "run --once" .. ROOM .. book).out)
    run(0, "ban k3 --seconds 0.01" .. ROOM .. book)
    local running = command.start("run --every 0.1" .. ROOM .. book,
      { environment = environment })
    command.await(function() return #box:requests("vchatcloud", "cancel_exile") > 0 end)
    local result = running.stop("TERM")
    assert.same({ 0, "unban k3: its time is over\n" }, { result.status, result.out })
  end)

  it("and ends at SIGINT in the middle of a call, of which the ledger learns later", function()
    local book = ledger()
    box:ask("POST", "fault", { provider = "vchatcloud", operation = "mute_user", delay = 20 })
    local muting = command.start("mute k1" .. ROOM .. book, { environment = environment })
    command.await(function() return #box:requests("vchatcloud", "mute_user") == 1 end)
    local result = muting.stop("INT")
    assert.same({ status = 130, out = "", err = "" }, result) -- 128 + 2, as the shell has it
    says(run(0, "cases" .. book).out, "open")
    run(0, "run --once" .. ROOM .. book)
    says(run(0, "cases" .. book).out, "settled by the provider's state")
    says(run(0, "list-muted" .. ROOM).out, "k1")
    assert.equal(1, #box:requests("vchatcloud", "mute_user"))
  end)

  it("and says whether the ledger is as it was written", function()
    local path = lines.path(".db")
    local book = " --ledger " .. path
    run(0, "mute k1" .. ROOM .. book)
    local told = run(0, "ledger verify" .. book).out
    local head = told:match("1 cases in 2 entries, as they were written; head (%x+)\n$")
    run(0, "mute k3" .. ROOM .. book)
    says(run(0, "ledger verify --expect " .. head .. book).out, "entry 2; 2 came after it")
    says(run(1, "ledger verify --expect 00ff" .. book).err, "no entry has the hash")
    local ledger_of = require "usher.ledger"
    local opened = assert(ledger_of.open(path))
    opened.store:run("UPDATE cases SET moderator = 'bob' WHERE number = 1")
    opened:close()
    says(run(1, "ledger verify" .. book).err, "case 1 was tampered with: its moderator")
  end)
end)
