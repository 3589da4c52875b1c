-- examples/webhook.lua, run by LuaJIT, for which Debian has lua-http.

local webhook_server = require "spec.support.webhook_server"

local LUAJIT = os.getenv("LUAJIT") or "luajit"

describe("examples/webhook.lua", function()
  local running

  setup(function()
    running = webhook_server.start("exec " .. LUAJIT .. " examples/webhook.lua 0",
      "http://127%.0%.0%.1:(%d+)/")
  end)
  teardown(function() running.stop() end)

  webhook_server.behaves(it, function()
    return {
      port = running.found,
      is_in = function(user) return not running.said():find("put " .. user, 1, true) end,
    }
  end)
end)
