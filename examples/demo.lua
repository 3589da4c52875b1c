-- `make demo`: starts the sandbox as a server of its own, runs the other examples against it over
-- HTTP as a user would run them, and then asks the sandbox whether all that was said was done.
-- Ends with status 1, loudly, if anything differs from what is expected. Needs Lua 5.4.
--
--   lua5.4 examples/demo.lua

require("examples.support") -- finds usher in a clone
local cjson = require("cjson")
local core = require("usher.core")
local csv = require("examples.csv")
local usher = require("usher")

local LIFETIME = 300 -- seconds after which the sandbox ends by itself, whatever becomes of this

-- What is expected, spelt out.
local PEOPLE, PICTURE = "examples/people.csv", "examples/seat.png"
local EXILED = {
  "FREE MONEY 💰 t.me/winbig777", "Free  Money (DM me)", "免费领取现金 ➜ 加微信 vx8888",
}
local MUTED = {
  "무료 코인 100% 지급 ✅", "ＦＲＥＥ ＭＯＮＥＹ", "Бесплатные деньги 🔥 жми",
  "fr\226\128\139ee mon\226\128\139ey", "مال مجاني اضغط هنا", "Official Support ☎ call now",
}

-- VChatCloud: 7 lists, 9 people, 2 tokens and 1 repetition. Qiscus: 200 looked up, 200 registered,
-- 1 repetition. Smooch: 200 created, 1 updated, 1 read, 1 picture. eRTC: 9.
local REQUESTS = 19 + 401 + 203 + 9

-- What goes wrong on the way, without a script noticing: a busy server, a token that stops working.
local FAULTS = {
  { provider = "qiscus", operation = "login_or_register", status = 503 },
  { provider = "vchatcloud", operation = "mute_user", status = 401 },
}

local STEPS = {
  { "examples/moderation_bot.lua", "VChatCloud: a moderator cleans up a room" },
  { "examples/onboarding.lua", "Qiscus and Smooch: 200 people are onboarded from a CSV file" },
  { "examples/post_image.lua", "Smooch: a picture is posted" },
  { "examples/block_list.lua", "eRTC: a user keeps a block list" },
}

-- --- printing ----------------------------------------------------------------------------------

local colour = os.getenv("NO_COLOR") == nil and os.getenv("TERM") ~= "dumb"
  and os.execute("test -t 1")

local function paint(code, text)
  return colour and ("\27[%sm%s\27[0m"):format(code, text) or text
end

local function seconds_since(start)
  return ("%.2f s"):format(core.monotonic() - start)
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- --- the sandbox -------------------------------------------------------------------------------

-- The sandbox runs until its standard input ends: when it is closed here, and also when this
-- process dies of whatever cause. Its output comes through a FIFO, for io.popen has one direction;
-- the first line says that it listens, and where. Fills `sandbox` as it goes.
local function start_sandbox(sandbox)
  local pipe = assert(io.popen("mktemp -d"))
  local directory = assert(pipe:read("*l"), "mktemp made no directory")
  pipe:close()
  local fifo = quote(directory .. "/output")
  assert(os.execute("mkfifo " .. fifo))
  local command = ("exec %s lua/bin/usher sandbox --port 0 --until-eof --seconds %d >%s"):format(
    quote(os.getenv("LUAJIT") or "luajit"), LIFETIME, fifo)
  sandbox.input = assert(io.popen(command, "w"))
  sandbox.output = io.open(directory .. "/output")
  os.execute(("rm %s && rmdir %s"):format(fifo, quote(directory)))
  local line = sandbox.output and sandbox.output:read("*l") or ""
  sandbox.base_url = line:match("listening on (http://%S+)$")
  if not sandbox.base_url then error("the sandbox did not start; see above", 0) end
  sandbox.transport = require("usher.transport.curl").new({})
end

-- Ends the sandbox, if it was started, and waits for it.
local function stop_sandbox(sandbox)
  if not sandbox.input then return end
  local ok, _, status = sandbox.input:close()
  if not ok then error("the sandbox ended with status " .. status, 0) end
end

-- Calls one of the sandbox's own endpoints, with usher's own transport.
local function ask(sandbox, verb, path, body)
  local status, headers, answer = sandbox.transport.send({
    method = verb, url = sandbox.base_url .. "/_sandbox/" .. path, timeout = 10,
    headers = { ["Content-Type"] = "application/json" }, body = body and cjson.encode(body),
    connect_timeout = 5, max_response_size = 2 ^ 24, idempotent = verb == "GET",
  })
  if status ~= 200 then error(("%s %s: %s"):format(verb, path, answer or headers), 0) end
  return cjson.decode(answer)
end

-- The environment in which usher finds the sandbox, as lines for a shell.
local function exports(sandbox)
  local lines = {}
  for provider, account in pairs(ask(sandbox, "GET", "credentials")) do
    for option, value in pairs(account.options) do
      local name = ("USHER_%s_%s"):format(provider, option):upper()
      lines[#lines + 1] = "export " .. name .. "=" .. quote(value)
    end
  end
  return table.concat(lines, "\n")
end

-- --- running the examples ----------------------------------------------------------------------

local function run(sandbox, environment, number, path, title)
  print("\n" .. paint("1", ("%d. %s"):format(number, title)))
  print(paint("2", ("   $ %s %s"):format(arg[-1], path)))
  local before, start = #ask(sandbox, "GET", "journal"), core.monotonic()
  local pipe = assert(io.popen(("%s\nexec %s %s 2>&1"):format(environment, quote(arg[-1]), path)))
  for line in pipe:lines() do print("   | " .. line) end
  local ok, _, status = pipe:close()
  local elapsed = seconds_since(start)
  if not ok then error(("%s ended with status %d"):format(path, status), 0) end
  local requests = #ask(sandbox, "GET", "journal") - before
  print(paint("2", ("   %d requests, %s"):format(requests, elapsed)))
end

-- --- what the sandbox says afterwards ----------------------------------------------------------

local function nicknames(room, member)
  local names = {}
  for _, person in ipairs(room.people) do
    if person[member] then names[#names + 1] = person.nickName end
  end
  return names
end

local function same(found, expected)
  if #found ~= #expected then return false end
  for i, value in ipairs(expected) do
    if found[i] ~= value then return false end
  end
  return true
end

-- How many of the people a provider knows, and knows as the file has them.
local function count_right(users, people, user_id_of, is_right)
  local by_id, count = {}, 0
  for _, user in ipairs(users) do by_id[user_id_of(user)] = user end
  for _, person in ipairs(people) do
    local user = by_id[person.user_id]
    if user and is_right(user, person) then count = count + 1 end
  end
  return count
end

local function find(list, member, value)
  for _, item in ipairs(list) do
    if item[member] == value then return item end
  end
end

local function size_of(path)
  local file = assert(io.open(path, "rb"))
  local size = file:seek("end")
  file:close()
  return size
end

local function check_room(state, check)
  local room = find(state.vchatcloud.rooms, "roomId", "room-1")
  local here, exiled = nicknames(room, "connected"), nicknames(room, "exiled")
  local muted = nicknames(room, "muted")
  check(("VChatCloud: %d of %d people are still in room-1"):format(#here, #room.people),
    #here == #room.people - #EXILED and #room.people == 30)
  check(("VChatCloud: %d exiled, who lured people elsewhere"):format(#exiled),
    same(exiled, EXILED))
  check(("VChatCloud: %d muted, Morgan Freeman and Miss Moneypenny not among them"):format(#muted),
    same(muted, MUTED))
end

local function check_people(state, people, check)
  local in_qiscus = count_right(state.qiscus.users, people,
    function(user) return user.user_id end,
    function(user, person)
      return user.username == person.name and user.extras.team == person.team
        and user.extras.about == person.about
    end)
  check(("Qiscus: %d people, each as in people.csv"):format(in_qiscus),
    in_qiscus == 200 and #state.qiscus.users == 200)
  local in_smooch = count_right(state.smooch.appUsers, people,
    function(user) return user.appUser.userId end,
    function(user, person)
      return user.appUser.givenName == person.given_name and user.appUser.surname == person.surname
        and user.appUser.properties.about == person.about
    end)
  check(("Smooch: %d people, each as in people.csv"):format(in_smooch),
    in_smooch == 200 and #state.smooch.appUsers == 200)
end

local function check_rest(state, people, check)
  local bob
  for _, user in ipairs(state.smooch.appUsers) do
    if user.appUser.userId == people[1].user_id then bob = user end
  end
  local image = bob and bob.images[1] or {}
  check(("Smooch: %s has a picture of %d bytes"):format(people[1].user_id, image.size or 0),
    bob and #bob.images == 1 and image.size == size_of(PICTURE) and image.mediaType == "image/png")
  local alice = find(state.ertc.users, "appUserId", "alice@example.com")
  local mallory = find(state.ertc.users, "appUserId", "mallory@example.com")
  check("eRTC: alice blocks mallory, nobody else, and has read her events",
    same(alice.blocked, { mallory.eRTCUserId }) and alice.pendingEvents == 0)
end

local function check_journal(journal, check)
  local faulty, refused = 0, 0
  for _, entry in ipairs(journal) do
    if entry.faulty then faulty = faulty + 1 end
    if entry.status == 401 and not entry.faulty then refused = refused + 1 end
  end
  check("Qiscus was busy once, VChatCloud's token stopped working once: no script noticed",
    faulty == #FAULTS)
  check(("%d requests, not one more than it takes, none with a wrong credential"):format(#journal),
    #journal == REQUESTS and refused == 0)
end

local function verify(sandbox)
  print("\n" .. paint("1", "What the sandbox says afterwards"))
  local failures = 0
  local function check(text, holds)
    if not holds then failures = failures + 1 end
    print(("   %s  %s"):format(holds and paint("32", "ok   ") or paint("1;31", "WRONG"), text))
  end
  local state, people = ask(sandbox, "GET", "state"), csv.read(PEOPLE)
  check_room(state, check)
  check_people(state, people, check)
  check_rest(state, people, check)
  check_journal(ask(sandbox, "GET", "journal"), check)
  if failures > 0 then error(failures .. " of the above are wrong", 0) end
end

-- --- all of it ---------------------------------------------------------------------------------

local function demonstrate(sandbox)
  local start = core.monotonic()
  start_sandbox(sandbox)
  print(paint("1", "usher " .. usher._VERSION) .. ": the examples, over HTTP, against the sandbox")
  print(("   %s, ready after %s"):format(sandbox.base_url, seconds_since(start)))
  for _, fault in ipairs(FAULTS) do ask(sandbox, "POST", "fault", fault) end
  local environment = exports(sandbox)
  for number, step in ipairs(STEPS) do run(sandbox, environment, number, step[1], step[2]) end
  verify(sandbox)
end

-- Passes an error on. Ctrl-C needs such a second net: first the read that it meets fails, and only
-- then Lua raises "interrupted!".
local function relay(fn, argument)
  local ok, problem = pcall(fn, argument)
  if not ok then error(problem, 0) end
end

io.stdout:setvbuf("line")
local start, sandbox = core.monotonic(), {}
local ok, problem = pcall(relay, demonstrate, sandbox)
local stopped, trouble = pcall(stop_sandbox, sandbox)
if not (ok and stopped) then
  io.stderr:write("\n", paint("1;31", "DEMO FAILED: " .. tostring(problem or trouble)), "\n")
  os.exit(1)
end
print(("\n%s in %s, the sandbox included."):format(paint("1;32", "All is as expected"),
  seconds_since(start)))
