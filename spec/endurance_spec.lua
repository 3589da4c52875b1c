-- What spec/endurance does for minutes, in small: the same code.

local command = require "spec.support.command"
local kills = require "spec.endurance.kills"
local ledgers = require "spec.support.ledgers"
local lifting = require "spec.endurance.lifting"
local lines = require "spec.support.line"

describe("Whenever a process is killed,", function()
  local box

  setup(function() box = command.sandbox() end)
  teardown(function()
    box:stop()
    ledgers.stop()
  end)
  after_each(lines.close_all)

  -- On a machine that is busy a kill may come too late.
  local function until_killed(trial, dsn, options)
    for _ = 1, 5 do
      if trial(box, dsn, options).killed > 0 then return end
    end
    error("no kill came before the end")
  end

  for _, kind in ipairs(ledgers.kinds) do
    for _, provider in ipairs(kind.name == "SQLite" and { "smooch", "qiscus" } or { "smooch" }) do
      it(("an import puts everybody there once: %s, %s"):format(provider, kind.name), function()
        until_killed(kills.import, kind.dsn,
          { rows = 150, in_flight = 8, provider = provider, kills = 2, delay = 0.05 })
      end)
    end

    it("a plan is carried out once: " .. kind.name, function()
      until_killed(kills.apply, kind.dsn, { actions = 20, pace = 20, kills = 2, delay = 0.05 })
    end)

    it("what is due is lifted once, by two processes: " .. kind.name, function()
      lifting.run(box, kind.dsn, 40)
    end)
  end
end)
