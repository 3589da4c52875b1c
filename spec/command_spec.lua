-- The command `usher` as a user runs it: words and exit statuses, what is sent, what is printed.
-- Imports, and what a terminal shows, are in command_import_spec.lua.

local cjson = require("cjson").new()
local command = require "spec.support.command"
local lines = require "spec.support.line"
local usher = require "usher"

local says = lines.says

describe("The command", function()
  local box, environment, run

  setup(function()
    box = command.sandbox()
    environment = box.environment
    run = command.runner(environment)
  end)
  teardown(function() box:stop() end)
  before_each(function() box:reset() end)
  after_each(lines.close_all)

  local function sent()
    return #box:ask("GET", "journal")
  end

  describe("itself", function()
    local words = { "ban", "mute", "sign-out", "list-users", "capabilities", "plan", "apply",
      "undo", "watch", "run", "call", "cases", "ledger", "ledger verify", "import", "sandbox" }
    for _, word in ipairs(words) do
      it(("has help for %s, and needs no account for that"):format(word), function()
        local result = run(0, word .. " --help", { environment = {} })
        says(result.out, "Usage: usher " .. word)
        says(result.out, word == "sandbox" and "sandbox" or "Exit status: 0 done")
        assert.equal("", result.err)
      end)
    end

    it("has help as a word, its exit statuses in it", function()
      says(run(0, "help", { environment = {} }).out, "130 stopped by a signal")
      says(run(0, "help mute", { environment = {} }).out, "Usage: usher mute")
      says(run(0, "describe --help", { environment = {} }).out, "usher describe PROVIDER METHOD")
      says(run(0, "--version", { environment = {} }).out, usher._VERSION)
      says(run(0, "describe qiscus user_profile", { environment = {} }).out, "user_id")
    end)

    local wrong = {
      { "", "Usage: usher" }, { "mtue u1", "did you mean 'mute'?" }, { "mute", "missing argument" },
      { "mute u1 --raeson x", "unknown option '--raeson'" }, { "ledger", "a command is required" },
      { "mute u1 --seconds soon", "malformed argument 'soon'" },
      { "mute u1", "name the provider" }, { "mute u1 --provider qiscu", "did you mean 'qiscus'?" },
      { "mute u1 --provider vchatcloud", "'mute' needs the field room" },
      { "mute u1 --provider vchatcloud --room room-1 --seconds 0", "seconds must be above 0" },
      { "mute u1 --provider vchatcloud --room room-1 --seconds 60", "ledger" },
      { "kick u1 --provider vchatcloud --room room-1", "unsupported" },
      { "call", "missing argument" }, { "call nobody x", "there is no provider 'nobody'" },
      { "call qiscus user_profil", "did you mean 'user_profile'?" },
      { "call qiscus user_profile", "user_id" },
      { "call qiscus user_profile --user-id", "requires an argument" },
      { "call qiscus get_user_list --page many", "'many' is not a number" },
      { "call qiscus get_user_list --show-all yes", "'yes' is neither" },
      { "call qiscus user_profile --json nope", "--json: it is not JSON" },
      { "call qiscus user_profile --json '[1]'", "--json: it is not a JSON object" },
      { "call qiscus user_profile --json '{\"id\":1}'", "unknown argument 'id'" },
      { "cases", "name the ledger" }, { "cases --ledger /no/such.db", "No such file" },
      { "ledger verify --ledger /no/such.db", "No such file" },
      { "cases --ledger README.md --limit 0", "--limit" },
      { "cases --ledger README.md --since tomorrow", "no span of time" },
      { "cases --ledger mysql://x", "no database of usher's speaks mysql" },
      { "undo --provider vchatcloud --case 1", "undo needs a ledger" },
      { "apply README.md --provider vchatcloud", "README.md:1: it is not JSON" },
      { "plan /no/such.lua --provider vchatcloud --room room-1", "cannot open /no/such.lua" },
      { "plan README.md --provider vchatcloud --room room-1", "README.md:3: unexpected" },
      { "run --provider vchatcloud", "a ledger is needed" },
      { "run /no/such.lua --provider vchatcloud", "cannot open /no/such.lua" },
      { "import people.csv", "missing option '--provider'" },
    }
    for _, row in ipairs(wrong) do
      it(("refuses '%s' and sends nothing"):format(row[1]), function()
        local result = run(2, row[1])
        says(result.err, row[2])
        assert.equal("", result.out)
        assert.equal(0, sent())
      end)
    end
  end)

  describe("call", function()
    it("prints the answer as a line of JSON", function()
      local result = run(0, "call qiscus login_or_register --user-id zoe --username 'Zoe O\"Z' "
        .. "--extras '{\"plan\":\"gold\"}'")
      assert.equal("Zoe O\"Z", cjson.decode(result.out).results.user.username)
      assert.equal("", result.err)
      local request = box:requests("qiscus", "login_or_register")[1]
      assert.same({ plan = "gold" }, cjson.decode(request.body).extras)
    end)

    it("takes numbers, truths, lists and files", function()
      run(0, "call qiscus get_user_list --page 1 --limit 2 --show-all true")
      run(0, "call qiscus get_user_unread_count --user-ids zoe guest")
      run(0, "call smooch post_image_message --user-id bob@example.com --role appMaker "
        .. "--source examples/seat.png")
      assert.equal("page=1&limit=2&show_all=true", box:requests("qiscus", "get_user_list")[1].query)
      assert.equal("user_ids%5B%5D=zoe&user_ids%5B%5D=guest",
        box:requests("qiscus", "get_user_unread_count")[1].query)
    end)

    it("takes JSON as an option or from standard input, and options beside it", function()
      run(0, "call qiscus login_or_register --json '{\"user_id\":\"yan\",\"username\":\"Yan\"}'")
      run(0, "call qiscus login_or_register --json - --username Zed",
        { input = '{"user_id":"zed","username":"no","password":"hunter2hunter2"}\n' })
      local requests = box:requests("qiscus", "login_or_register")
      assert.same({ "yan", "zed" }, { cjson.decode(requests[1].body).user_id,
        cjson.decode(requests[2].body).user_id })
      assert.same({ "Zed", "hunter2hunter2" }, { cjson.decode(requests[2].body).username,
        cjson.decode(requests[2].body).password })
    end)

    it("takes no secret that others could read", function()
      for _, provider in ipairs(usher.providers()) do
        for _, option in ipairs(usher.describe(provider).options) do
          if option.secret then
            local name = "--" .. option.name:gsub("_", "-")
            local result = run(2, ("mute u1 --provider %s %s hunter2"):format(provider, name))
            says(result.err, "credentials come from the environment or a file")
            assert.is_nil((result.out .. result.err):find("hunter2", 1, true))
          end
        end
      end
      local login = "call qiscus login_or_register --user-id xia --username Xia "
      says(run(2, login .. "--password hunter2").err, "unknown option '--password'")
      local result = run(2, login .. "--json '{\"password\":\"hunter2\"}'")
      says(result.err, "password is a secret")
      assert.is_nil(result.err:find("hunter2", 1, true))
      assert.equal(0, sent())
    end)

    it("takes no password of a ledger that others could read", function()
      for _, word in ipairs{ "cases", "ledger verify", "import x.csv --provider qiscus",
        "mute u1 --provider ertc", "apply README.md --provider ertc" } do
        for _, dsn in ipairs{ "postgres://ann:hunter2@127.0.0.1:9/l",
          "postgresql://:hunter2@127.0.0.1:9/l" } do
          local result = run(2, ("%s --ledger %s"):format(word, dsn))
          says(result.err, "--ledger: others can read the command line")
          assert.is_nil((result.out .. result.err):find("hunter2", 1, true))
        end
      end
      local result = run(2, "cases", { environment =
        { USHER_LEDGER = "postgres://ann:hunter2@127.0.0.1:9/l" } })
      says(result.err, "postgres://127.0.0.1:9/l: ")
      assert.is_nil(result.err:find("hunter2", 1, true))
    end)

    it("fails when its result cannot be written", function()
      local result = run(1, "call qiscus get_user_list >/dev/full")
      says(result.err, "standard output could not be written")
    end)

    it("prints a request and sends nothing, without its secrets", function()
      for _, flag in ipairs{ "--dry-run", "--curl" } do
        local result = run(0, "call qiscus login_or_register --json - " .. flag,
          { input = '{"user_id":"xia","username":"Xia","password":"hunter2"}' })
        says(result.out, "curl -X POST")
        says(result.out, environment.USHER_QISCUS_BASE_URL .. "/api/v2.1/rest/login_or_register")
        assert.is_nil(result.out:find("hunter2", 1, true))
      end
      assert.equal(0, sent())
    end)

    it("says what the provider refuses, with status 1", function()
      local result = run(1, "call qiscus user_profile --user-id nobody")
      says(result.err, "qiscus:user_profile: http")
      says(result.err, "404")
      assert.equal("", result.out)
    end)

    it("prints what is no object", function()
      local output = require "usher.cli.output"
      assert.same({ "true", "[1,2]", "{}", '"a"' }, { output.encoded(true),
        output.encoded{ 1, 2 }, output.encoded{}, output.encoded("a") })
    end)

    -- A method's option may be called like one of the command's own.
    it("has the options of every method", function()
      local argparse = require "argparse"
      for _, provider in ipairs(usher.providers()) do
        for _, method in ipairs(usher.describe(provider).methods) do
          local parser = argparse("usher")
          require("usher.cli.call").add(parser, { "call", provider, method.name })
          local help = parser._commands[1]:get_help()
          for _, row in ipairs(method.parameters) do
            local option = "--" .. row.name:gsub("_", "-") .. " "
            local _, count = help:gsub("\n   " .. option:gsub("%-", "%%-"), "")
            assert.equal(row.secret and 0 or 1, count, method.name .. " " .. option)
          end
        end
      end
    end)
  end)

  describe("credentials", function()
    local PROFILE = "call qiscus get_user_list "

    local function file(text, mode)
      local path = lines.file("", text)
      assert(os.execute(("chmod %s %s"):format(mode or "600", path)))
      return path
    end

    local function credentials(form)
      local text = { "# a comment", "" }
      for name, value in pairs(environment) do
        text[#text + 1] = form:gsub("NAME", name):gsub("VALUE", (value:gsub("%%", "%%%%")))
      end
      return table.concat(text, "\n") .. "\n"
    end

    it("come from a file of mode 0600, as an option or in the environment", function()
      for _, form in ipairs{ "NAME=VALUE", "NAME = \"VALUE\"", "export NAME='VALUE'" } do
        local path = file(credentials(form))
        run(0, PROFILE .. "--credentials " .. path, { environment = {} })
        run(0, PROFILE, { environment = { USHER_CREDENTIALS = path } })
      end
      assert.equal(6, sent())
    end)

    it("come with quotes as a shell has them", function()
      local path = file("export USHER_QISCUS_APP_ID='it'\\''s'\nUSHER_QISCUS_SECRET=\"'x'\"\n")
      says(run(0, "call qiscus get_user_list --curl --credentials " .. path, { environment = {} })
        .out, "QISCUS-SDK-APP-ID: it'\\''s'")
    end)

    it("are not read from a file that others can read, or that is none", function()
      for _, mode in ipairs{ "640", "604", "644", "660" } do
        says(run(2, PROFILE .. "--credentials " .. file(credentials("NAME=VALUE"), mode),
          { environment = {} }).err, "may be read by others: chmod 600")
      end
      says(run(2, PROFILE .. "--credentials /no/such", { environment = {} }).err, "No such file")
      says(run(2, PROFILE .. "--credentials /tmp", { environment = {} }).err, "is not a file")
      says(run(2, PROFILE .. "--credentials /dev/null", { environment = {} }).err, "is not a file")
      assert.equal(0, sent())
    end)

    it("that make no sense are refused by their line, and not shown", function()
      local result = run(2, PROFILE .. "--credentials " .. file("A=1\nhunter2\n"),
        { environment = {} })
      says(result.err, ":2: is not NAME=value")
      assert.is_nil(result.err:find("hunter2", 1, true))
    end)

    it("that are missing are named", function()
      says(run(2, PROFILE, { environment = {} }).err, "USHER_QISCUS_<OPTION> in the environment")
    end)

    it("go to another server only when that is asked for", function()
      run(1, PROFILE .. "--base-url http://127.0.0.1:9")
      assert.equal(0, sent())
    end)
  end)
end)
