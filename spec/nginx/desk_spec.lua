-- The desk inside nginx: without a ledger, and without keeping the worker or taking its signals.

local nginx = require "spec.support.nginx"

local DESK = [[
  location = /desk { content_by_lua_block {
    local box = require("usher.sandbox").new()
    local usher = require "usher"
    box:seed_room("room-1", { "Free Money", "Kim" })
    local client = usher.vchatcloud(box:options("vchatcloud"))
    local desk = usher.moderation{ client = client, room = "room-1", moderator = "ann" }
    local said = {}
    local function say(...) said[#said + 1] = table.concat({ ... }, " ") end
    local users = assert(desk:list_users())
    say("mute", assert(desk:mute{ user = users[2], reason = "spam" }).outcome)
    say("unmute", assert(desk:unmute{ user = users[2] }).outcome)
    local _, err = desk:mute{ user = users[2], seconds = 5 }
    say(err.kind)
    local list = { { name = "ads", when = usher.moderation.rules.name_matches{ "free money" },
      action = "mute" } }
    local ticks = 0
    local thread = ngx.thread.spawn(function()
      while ticks < 1000 do ngx.sleep(0.01) ticks = ticks + 1 end
    end)
    local plan = assert(desk:plan(list))
    local summary = assert(desk:apply(plan, { pace = 10 }))
    say("apply", summary.done)
    summary = assert(desk:watch{ rules = list, rounds = 3, every = 0.1 })
    say("watch", summary.rounds, summary.errors)
    ngx.thread.kill(thread)
    say(ticks >= 10 and "the worker went on" or "the worker was kept")
    local ok, problem = pcall(usher.ledger.open, "moderation.db")
    say(tostring(ok), problem:match("act without a ledger here") or problem)
    client:close()
    ngx.print(table.concat(said, "; "))
  } }
]]

describe("A desk inside nginx", function()
  local server

  setup(function() server = nginx.start{ server = DESK } end)
  teardown(function() if server then server:stop() end end)

  it("acts, plans and watches, and does not keep the worker", function()
    local status, body = server:request("GET", "/desk")
    assert.equal(200, status)
    assert.equal("mute done; unmute done; unsupported; apply 1; watch 3 0; the worker went on; "
      .. "false act without a ledger here", body)
  end)
end)
