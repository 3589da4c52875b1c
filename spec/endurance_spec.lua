-- What spec/endurance does for minutes, in small: the same code.

local command = require "spec.support.command"
local kills = require "spec.endurance.kills"
local ledgers = require "spec.support.ledgers"
local lines = require "spec.support.line"

describe("Whatever a process is killed by,", function()
  local box

  setup(function() box = command.sandbox() end)
  teardown(function()
    box:stop()
    ledgers.stop()
  end)
  after_each(lines.close_all)

  for _, kind in ipairs(ledgers.kinds) do
    for _, provider in ipairs(kind.name == "SQLite" and { "smooch", "qiscus" } or { "smooch" }) do
      it(("an import puts everybody there once: %s, %s"):format(provider, kind.name), function()
        local result = kills.import(box, kind.dsn,
          { rows = 150, kills = 3, in_flight = 8, provider = provider })
        assert.is_true(result.killed > 0)
      end)
    end

    it("a plan is carried out once: " .. kind.name, function()
      assert.is_true(kills.apply(box, kind.dsn, { actions = 40, kills = 3 }).killed > 0)
    end)
  end
end)
