-- One script for every provider: who bears a forbidden name is muted for ten minutes, and whoever
-- imitates the staff is banned. It is planned, shown, carried out, and taken back.
--
--   lua5.4 examples/desk.lua vchatcloud|ertc [room] [actor]

local support = require("examples.support")
local usher = require("usher")

local provider, room, actor = arg[1] or "vchatcloud", arg[2], arg[3]
local client = usher[provider](support.account(provider)) -- the constructor is all that differs
room, actor = support.place(provider, room, actor)

local rules = usher.moderation.rules
local path = os.tmpname()
local ledger = assert(usher.ledger.open(path))
local desk = usher.moderation{
  client = client, room = room, actor = actor, ledger = ledger, moderator = "ann",
}
local function count() return #assert(desk:list_users()) end
local before = count()
local plan = assert(desk:plan{
  { name = "ads", when = rules.name_matches{ "free money", "mallory" }, action = "mute",
    seconds = 600 },
  { name = "twins", when = rules.impersonates{ "Official Support", "bob@example.com" },
    action = "ban" },
})
print(plan)
local done = assert(desk:apply(plan, { pace = 100 }))
print(("%d done, %d failed: %d here, not %d"):format(done.done, done.failed, count(), before))
local undone = assert(desk:undo({ moderator = "ann" }, { pace = 100 }))
print(("%d taken back"):format(undone.done))
ledger:close()
client:close()
os.remove(path)
