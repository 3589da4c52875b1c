-- A sandbox over HTTP that forgets no request: `luajit spec/support/served.lua SECONDS`. It prints
-- what `usher sandbox --env` prints, and a line "ready"; it ends at SIGTERM, or after so long.

local command = require "usher.sandbox.command"
local sandbox = require "usher.sandbox"
local server = require "usher.sandbox.server"

local LIFETIME = tonumber(arg[1])

local new = sandbox.new
sandbox.new = function(options)
  options.journal_limit = 1e7
  return new(options)
end

os.exit(command.main({ "--env", "--seconds", tostring(LIFETIME) }, function(options)
  local announce = options.on_ready
  options.on_ready = function(...)
    announce(...)
    print("ready")
    io.stdout:flush()
  end
  return server.run(options)
end))
