-- One script for every provider: who bears a forbidden name is muted for ten minutes, and whoever
-- imitates the staff is banned. It is planned, shown, carried out, and taken back.
--
--   lua5.4 examples/desk.lua vchatcloud|ertc [room] [actor] [ledger]

local support = require("examples.support")
local usher = require("usher")
local rules = usher.moderation.rules

local provider = arg[1] or "vchatcloud"
local client = usher[provider](support.account(provider)) -- the constructor is all that differs
local room, actor = support.place(provider, arg[2], arg[3])
local ledger = assert(usher.ledger.open(arg[4] or os.tmpname()))
local desk = usher.moderation{ client = client, room = room, actor = actor, ledger = ledger,
  moderator = "ann" }

local plan = assert(desk:plan{
  { name = "ads", action = "mute", seconds = 600,
    when = rules.name_matches{ "free money", "mallory" } },
  { name = "twins", action = "ban",
    when = rules.impersonates{ "Official Support", "bob@example.com" } },
})
print(plan)
local done = assert(desk:apply(plan, { pace = 100 }))
print(("%d done, %d failed, %d here"):format(done.done, done.failed, #assert(desk:list_users())))
print(("%d taken back"):format(assert(desk:undo({ moderator = "ann" }, { pace = 100 })).done))
