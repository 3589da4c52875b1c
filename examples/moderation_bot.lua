-- A moderation bot for a VChatCloud room: finds nicknames that break the rules, mutes or exiles
-- whoever bears one, and shows the room before and after.
--
--   lua5.4 examples/moderation_bot.lua [room]

local support = require("examples.support")
local usher = require("usher")

local room = arg[1] or "room-1"
local chat = usher.vchatcloud(support.account("vchatcloud"))

-- The first rule that fits decides. Words are written as `folded` leaves them.
local rules = {
  { "t.me/", "exile" }, { "加微信", "exile" }, { "dmme", "exile" }, -- lures people elsewhere
  { "freemoney", "mute" }, { "무료코인", "mute" }, { "免费", "mute" }, -- advertises
  { "деньги", "mute" }, { "مجاني", "mute" },
  { "officialsupport", "mute" }, -- pretends to be staff
}

-- Full-width letters as ASCII, all in lower case, without spaces and zero-width characters.
local function folded(nickname)
  local text = nickname:gsub("\226\128[\139-\141]", ""):gsub("%s+", "")
  text = text:gsub("\239\188([\129-\191])", function(c) return string.char(c:byte() - 96) end)
  text = text:gsub("\239\189([\128-\158])", function(c) return string.char(c:byte() - 32) end)
  return text:lower()
end

local function verdict(user)
  if user.grade ~= "user" then return nil end -- staff may call themselves what they like
  for _, rule in ipairs(rules) do
    if folded(user.nickName):find(rule[1], 1, true) then return rule[2] end
  end
end

local function names(users)
  local list = {}
  for i, user in ipairs(users) do list[i] = user.nickName:gsub("%c", "?") end
  return list
end

local function print_names(title, users)
  print(("  %d %s"):format(#users, title))
  local list = names(users)
  for i = 1, #list, 4 do print("    " .. table.concat(list, " | ", i, math.min(i + 3, #list))) end
end

local function show(title)
  print(("%s, %s:"):format(room, title))
  print_names("here", assert(chat:list_users{ room_id = room }).list)
  print_names("muted", assert(chat:list_muted_users{ room_id = room }).list)
  print_names("exiled", assert(chat:list_exiled_users{ room_id = room }).list)
end

show("before")
local failures = 0
for _, user in ipairs(assert(chat:list_users{ room_id = room }).list) do
  local action = verdict(user)
  if action then
    local act = action == "exile" and chat.exile_user or chat.mute_user
    local ok, err = act(chat, { room_id = room, client_key = user.clientKey })
    print(("  %-6s %s%s"):format(action, names({ user })[1], ok and "" or "  FAILED: " .. err))
    if not ok then failures = failures + 1 end
  end
end
show("after")
chat:close()
os.exit(failures == 0 and 0 or 1)
