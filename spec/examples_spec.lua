-- The examples as a user runs them: each by itself, in a process of its own, with no account and no
-- server. Then the demonstration, over HTTP, and the command `usher`.

local csv = require "examples.csv"
local socket = require "socket"
local usher = require "usher"

local LUA54 = os.getenv("LUA54") or "lua5.4"
local INTERPRETER = rawget(_G, "jit") and (os.getenv("LUAJIT") or "luajit")
  or _VERSION == "Lua 5.4" and LUA54 or "lua5.1"

-- An account of whoever runs the tests is none of the tests' business.
local WITHOUT_ACCOUNT = "unset $(env | sed -n 's/^\\(USHER_[A-Z]*_[A-Z_]*\\)=.*/\\1/p'); "

-- Runs a command of the shell: what it printed, by line, and its exit status.
local function run(command)
  local pipe = assert(io.popen("exec 2>&1; " .. WITHOUT_ACCOUNT .. command .. "; echo $?"))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines, tonumber(table.remove(lines))
end

local function run_example(name, arguments)
  return run(("%s examples/%s.lua %s"):format(INTERPRETER, name, arguments or ""))
end

local function run_command(arguments)
  return run(INTERPRETER .. " lua/bin/usher " .. arguments)
end

local function text(lines)
  return table.concat(lines, "\n")
end

local function from(first, lines)
  local rest = {}
  for i = first, #lines do rest[#rest + 1] = lines[i] end
  return rest
end

local function has(line, lines)
  for _, each in ipairs(lines) do
    if each == line then return true end
  end
  error(("no line %q in:\n%s"):format(line, text(lines)), 2)
end

-- Runs a function with the path of a file that holds some bytes.
local function with_file(bytes, fn)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
  local ok, problem = pcall(fn, path)
  os.remove(path)
  if not ok then error(problem, 0) end
end

describe("examples/moderation_bot.lua", function()
  local lines, status

  setup(function() lines, status = run_example("moderation_bot") end)

  it("succeeds", function()
    assert.equal(0, status, text(lines))
  end)

  it("exiles and mutes the offenders, in the order of the room", function()
    local acts = {}
    for _, line in ipairs(lines) do
      acts[#acts + 1] = line:match("^  (exile  .*)$") or line:match("^  (mute   .*)$")
    end
    assert.same({
      "exile  FREE MONEY 💰 t.me/winbig777",
      "mute   무료 코인 100% 지급 ✅",
      "exile  Free  Money (DM me)",
      "exile  免费领取现金 ➜ 加微信 vx8888",
      "mute   ＦＲＥＥ ＭＯＮＥＹ",
      "mute   Бесплатные деньги 🔥 жми",
      "mute   fr\226\128\139ee mon\226\128\139ey",
      "mute   مال مجاني اضغط هنا",
      "mute   Official Support ☎ call now",
    }, acts)
  end)

  it("shows the room before and after", function()
    local counts = {}
    for _, line in ipairs(lines) do
      counts[#counts + 1] = line:match("^room%-1, %l+:$") or line:match("^  (%d+ %l+)$")
    end
    assert.same({
      "room-1, before:", "30 here", "0 muted", "0 exiled",
      "room-1, after:", "27 here", "6 muted", "3 exiled",
    }, counts)
  end)

  it("fails with the provider's words for a room that does not exist", function()
    local said, code = run_example("moderation_bot", "nowhere")
    assert.equal(1, code)
    assert.truthy(text(said):find("list_users: api 10102: The chat room does not exist", 1, true))
  end)
end)

describe("examples/desk.lua", function()
  local said = {
    vchatcloud = { "4 done, 0 failed, 30 here", "4 taken back" },
    ertc = { "2 done, 0 failed, 3 here", "2 taken back" },
  }
  for _, provider in ipairs{ "vchatcloud", "ertc" } do
    it("moderates by the same script: " .. provider, function()
      local lines, status = run_example("desk", provider)
      assert.equal(0, status, text(lines))
      assert.same(said[provider], from(#lines - 1, lines))
      assert.truthy(lines[#lines - 2]:find(" actions on " .. provider, 1, true), text(lines))
    end)
  end
end)

describe("examples/onboarding.lua", function()
  it("takes 200 people into both providers, and its summary adds up", function()
    local lines, status = run_example("onboarding")
    assert.equal(0, status, text(lines))
    assert.same({
      "200 people in examples/people.csv",
      "           new known failed people",
      "qiscus     200     0      0    200",
      "smooch     199     1      0    200",
    }, lines)
  end)

  it("counts and names whom a provider refuses, and goes on", function()
    with_file("user_id,name,given_name,surname,team,about\r\n"
      .. "no spaces here@example.com,A,A,A,T,\r\nfine@example.com,B,B,B,T,\r\n", function(path)
      local lines, status = run_example("onboarding", path)
      assert.equal(1, status)
      local said = "qiscus: no spaces here@example.com: usher.qiscus:login_or_register: http "
      assert.equal(said, lines[3]:sub(1, #said))
      has("qiscus       1     0      1      2", lines)
      has("smooch       2     0      0      2", lines)
    end)
  end)
end)

describe("examples/support.lua", function()
  it("leaves the account to the environment when there is one", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    listener:close()
    local lines, status = run(("USHER_VCHATCLOUD_API_KEY=mine "
      .. "USHER_VCHATCLOUD_BASE_URL=http://127.0.0.1:%d %s examples/moderation_bot.lua"):format(
      port, INTERPRETER))
    assert.equal(1, status)
    assert.truthy(text(lines):find("usher.vchatcloud:list_users: network", 1, true), text(lines))
  end)
end)

describe("examples/people.csv", function()
  local people = csv.read("examples/people.csv")

  it("holds 200 people with different ids", function()
    local seen, count = {}, 0
    for _, person in ipairs(people) do
      if not seen[person.user_id] then count = count + 1 end
      seen[person.user_id] = true
    end
    assert.equal(200, count)
    assert.equal(200, #people)
  end)

  it("holds names in many scripts", function()
    local all = ""
    for _, person in ipairs(people) do all = all .. person.name end
    for _, sample in ipairs({
      "é", "ł", "김", "さ", "佐", "محمد", "Дмитрий", "नेहा", "王", "Γι", "ณ", "ד", "🌙", "𠮷", '"', ",",
    }) do
      assert.truthy(all:find(sample, 1, true), sample)
    end
  end)
end)

describe("examples/csv.lua", function()
  local function rows(bytes)
    local found
    with_file(bytes, function(path) found = csv.read(path) end)
    return found
  end

  it("reads commas, doubled quotes and line breaks in quoted fields", function()
    assert.same({ { a = "1,2", b = 'say "hi"', c = "x\r\ny\nz" }, { a = '"', b = "b", c = "c" } },
      rows('a,b,c\n"1,2","say ""hi""","x\r\ny\nz"\n"""",b,"c"\n'))
  end)

  it("keeps spaces and leaves empty fields out", function()
    assert.same({ { a = " x ", c = " " }, { b = "y" } }, rows('a,b,c\n x ,, \n"",y,\n'))
  end)

  it("takes CR LF, a byte order mark and a last line without its end", function()
    assert.same({ { a = "1", b = "2" }, { a = "3", b = "4" } },
      rows("\239\187\191a,b\r\n1,2\r\n3,4"))
  end)

  it("finds no rows in a file with a header alone, and none in an empty one", function()
    assert.same({}, rows("a,b\n"))
    assert.same({}, rows(""))
  end)

  for title, bytes in pairs({
    ["too few fields"] = "a,b\n1,2\n3\n",
    ["too many fields"] = "a,b\n1,2\n3,4,5\n",
    ["a quote that is not closed"] = 'a,b\n1,2\n"3,4\n',
    ["text after a closing quote"] = 'a,b\n1,2\n"3"x,4\n',
    ["a quote in the middle of a field"] = 'a,b\n1,2\n3"x",4\n',
    ["a lone CR"] = "a,b\n1,2\n3,4\r5,6\n",
  }) do
    it("refuses " .. title .. " and names the line", function()
      local ok, problem = pcall(rows, bytes)
      assert.falsy(ok)
      assert.truthy(problem:find(":3: not a row of 2 fields", 1, true), problem)
    end)
  end
end)

describe("examples/block_list.lua", function()
  it("blocks, unblocks and reads the events that came of it", function()
    local lines, status = run_example("block_list")
    assert.equal(0, status, text(lines))
    assert.same({
      "alice@example.com: block mallory@example.com",
      "alice@example.com: block bob@example.com",
      "alice@example.com has blocked 2",
      "  mallory@example.com",
      "  bob@example.com",
      "alice@example.com: unblock bob@example.com",
      "alice@example.com has blocked 1",
      "  mallory@example.com",
      "mallory@example.com has blocked 0",
      "alice@example.com had 3 events waiting",
      "  userBlockedStatusChanged blocked mallory@example.com",
      "  userBlockedStatusChanged blocked bob@example.com",
      "  userBlockedStatusChanged unblocked bob@example.com",
    }, from(3, lines))
  end)
end)

describe("examples/post_image.lua", function()
  it("posts the picture", function()
    local lines, status = run_example("post_image")
    assert.equal(0, status, text(lines))
    assert.equal("bob@example.com is Bob Example", lines[1])
    assert.truthy(lines[2]:find("^appMaker posted image/png as https://.*/seat%.png$"), lines[2])
    assert.equal("the conversation has 1 unread", lines[3])
  end)

  it("fails with the provider's words for a user who does not exist", function()
    local lines, status = run_example("post_image", "nobody@example.com")
    assert.equal(1, status)
    assert.truthy(text(lines):find("user_not_found: App user not found (HTTP 404)", 1, true))
  end)
end)

-- The sandbox's server is run by luajit, which instrumented builds are not made for.
if _VERSION == "Lua 5.4" then
  describe("#build examples/demo.lua", function()
    it("says what it did, finds all as expected and stops the sandbox", function()
      local lines, status = run(LUA54 .. " examples/demo.lua")
      assert.equal(0, status, text(lines))
      local all = text(lines)
      local _, held = all:gsub("\n   ok    ", "")
      assert.equal(9, held)
      assert.falsy(all:find("WRONG", 1, true))
      assert.truthy(lines[#lines]:find("^All is as expected in [%d.]+ s"), lines[#lines])
      assert.falsy(all:find("\27", 1, true), "colours, though this is no terminal")
      local port = tonumber(all:match("http://127%.0%.0%.1:(%d+), ready"))
      assert.falsy((socket.connect("127.0.0.1", port)))
    end)

    it("fails loudly when an example does less than it should", function()
      local lines, status = run("directory=$(mktemp -d) && cp -R examples $directory && "
        .. "ln -s $PWD/lua $PWD/build $directory && cd $directory && "
        .. "grep -v '\"freemoney\"' $OLDPWD/examples/moderation_bot.lua "
        .. ">examples/moderation_bot.lua && " .. LUA54 .. " examples/demo.lua; status=$?; "
        .. "rm -r $directory; (exit $status)")
      assert.equal(1, status, text(lines))
      assert.truthy(text(lines):find("\n   WRONG  VChatCloud: 3 muted"), text(lines))
      has("DEMO FAILED: 2 of the above are wrong", lines)
    end)

    it("fails loudly when the sandbox does not start", function()
      local lines, status = run("LUAJIT=false " .. LUA54 .. " examples/demo.lua")
      assert.equal(1, status)
      assert.equal("DEMO FAILED: the sandbox did not start; see above", lines[#lines])
    end)

    for _, signal in ipairs({ "INT", "TERM", "KILL" }) do
      it("leaves no sandbox behind after SIG" .. signal, function()
        local pipe = assert(io.popen("exec 2>&1; " .. WITHOUT_ACCOUNT .. LUA54
          .. " examples/demo.lua & echo $!; wait $!; echo status $?"))
        local pid = assert(pipe:read("*n"))
        local line
        repeat line = assert(pipe:read("*l"), "it did not start") until line:find("ready after")
        os.execute(("kill -%s %d"):format(signal, pid))
        local start = os.time()
        -- The sandbox holds the other end as its standard error: this ends when it has.
        local rest = pipe:read("*a")
        pipe:close()
        assert.truthy(os.time() - start < 60)
        assert.truthy(tonumber(rest:match("status (%d+)\n")) > 0, rest)
        assert.falsy(rest:find("All is as expected", 1, true))
      end)
    end
  end)
end

describe("the command usher", function()
  it("prints its usage, and fails with it when nothing is asked for", function()
    local help, status = run_command("help")
    assert.equal(0, status)
    assert.truthy(help[1]:find("^Usage: usher sandbox"), help[1])
    local nothing, code = run_command("")
    assert.same(help, nothing)
    assert.equal(2, code)
  end)

  it("prints the version", function()
    local lines, status = run_command("--version")
    assert.same({ "usher " .. usher._VERSION }, lines)
    assert.equal(0, status)
  end)

  it("refuses an unknown command, provider or method, and names the nearest", function()
    for arguments, said in pairs({
      ["sandbx"] = "usher: no command 'sandbx'; did you mean 'sandbox'?",
      ["describe smoch"] = "usher: no provider 'smoch'; did you mean 'smooch'?",
      ["describe qiscus user_profil"] =
        "usher: usher.qiscus has no method 'user_profil'; did you mean 'user_profile'?",
    }) do
      local lines, status = run_command(arguments)
      assert.equal(2, status)
      assert.equal(said, lines[1])
    end
  end)

  it("lists what there is when nothing is near", function()
    local lines = run_command("describe wwwwwwwwwwww")
    assert.equal(("usher: no provider 'wwwwwwwwwwww' (%s)"):format(
      table.concat(usher.providers(), ", ")), lines[1])
  end)

  it("lists the providers, and each one's options and methods", function()
    local providers, status = run_command("describe")
    assert.equal(0, status)
    assert.equal(#usher.providers(), #providers)
    for _, name in ipairs(usher.providers()) do
      local provider, listing = usher.describe(name), text((run_command("describe " .. name)))
      for _, rows in ipairs({ provider.options, provider.shared_options, provider.methods }) do
        for _, row in ipairs(rows) do
          assert.truthy(listing:find("\n  " .. row.name .. "  ", 1, true), row.name)
          assert.truthy(listing:find("  " .. row.doc, 1, true), row.doc)
        end
      end
    end
  end)

  it("says what a method takes and sends", function()
    assert.same({
      "usher.smooch:post_image_message",
      "  Posts an image to a user's conversation.",
      "  POST /v1/apps/{app_id}/appusers/{user_id}/images",
      "  POST /v1/appusers/{user_id}/images, without app_id",
      "  Never repeated when its outcome is unknown.",
      "",
      "In the path",
      "  user_id  the user: _id or userId (string, required, sent as userId)",
      "",
      "In the multipart form",
      "  source  the image: { path = } or { data =, filename =, content_type = } (file, required)",
      "  role    who says it (appUser|appMaker, required)",
      "  name    the speaker's name (string)",
      "  text    text beside the image (string)",
    }, (run_command("describe smooch post_image_message")))
  end)

  it("hands over to the sandbox", function()
    local lines, status = run_command("sandbox --help")
    assert.equal(0, status)
    assert.truthy(lines[1]:find("^Usage: usher sandbox %[options%]"), lines[1])
  end)
end)
