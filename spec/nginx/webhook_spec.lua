-- examples/nginx/webhook.lua in the gateway of examples/nginx, with the sandbox behind it.

local cjson = require "cjson.safe"
local nginx = require "spec.support.nginx"
local usher = require "usher"
local webhook_server = require "spec.support.webhook_server"

local ROOM = webhook_server.ROOM

describe("examples/nginx/webhook.lua", function()
  local running, client, port

  local function control(url, path, fields)
    local _, answer = webhook_server.send(url:match("%d+$"), fields and "POST" or "GET", path, {},
      fields and cjson.encode(fields) or "")
    return cjson.decode((answer:match("\r\n\r\n(.*)$")))
  end

  setup(function()
    port = nginx.free_port()
    running = webhook_server.start("examples/nginx/run.sh " .. port,
      "sandbox on (http://[^\n]+)\n.*gateway on")
    control(running.found, "/_sandbox/room", { provider = "qiscus", room_id = ROOM,
      users = { "bob@example.com", "eve@example.com" } })
    client = usher.qiscus(control(running.found, "/_sandbox/credentials").qiscus.options)
  end)
  teardown(function()
    client:close()
    running.stop()
  end)

  webhook_server.behaves(it, function()
    return {
      port = port,
      is_in = function(user)
        for each in client:pages("get_room_participants", { room_id = ROOM }) do
          if each.user_id == user then return true end
        end
        return false
      end,
    }
  end)
end)
