-- An import in a terminal, as who runs it sees it. The details are in command_import_spec.lua.

local command = require "spec.support.command"
local lines = require "spec.support.line"
local terminals = require "spec.support.terminal"

local in_terminal = terminals.is_there and it or pending

describe("In a terminal", function()
  local box, terminal

  setup(function() box = command.sandbox() end)
  teardown(function() box:stop() end)
  after_each(function()
    if terminal then terminal:close() end
    terminal = nil
    lines.close_all()
  end)

  in_terminal("an import shows how far it is, is stopped with Ctrl-C, and goes on", function()
    terminal = terminals.open(100)
    local import = ("import %s --provider smooch --ledger %s --rate 80"):format(lines.people(200),
      lines.path(".db"))
    local file = lines.file(".sh", "clear; exec " .. command.line(import, box.environment))
    terminal:type("sh " .. file)
    terminal:await("import %[#+%-+%] %d+ of 200  %d+/s  %ds left\n")
    terminal:resize(50)
    assert.is_true(#terminal:await("(import %[[#-]+%] %d+ of 200  %d+/s  %ds left)\n") < 50)
    terminal:resize(28)
    terminal:await("\nimport %d+ of 200  %d+/s  %ds")
    terminal:resize(100)
    terminal:await("import %[" .. ("[#-]"):rep(40) .. "%] %d+ of 200 ")
    terminal:press("C-c")
    local done, remaining = terminal:await("of 200 rows: (%d+) done, 0 earlier, 0 failed, "
      .. "(%d+) remaining\nstopped; the same command goes on with it\n+status 130 >")
    assert.equal(200, done + remaining)
    assert.is_true(tonumber(done) > 0 and tonumber(remaining) > 0)
    terminal:type("sh " .. file)
    terminal:await(("import %%[%s%%] 200 of 200  %%d+/s\nof 200 rows: %s done, %s earlier, "
      .. "0 failed, 0 remaining\nstatus 0 >"):format(("#"):rep(40), remaining, done))
  end)

  in_terminal("tables are coloured, unless NO_COLOR is set", function()
    terminal = terminals.open(80)
    local room = { room_id = "r", users = { { nick_name = "김민준", client_key = "k" } } }
    box:ask("POST", "room", room)
    local book = " --ledger " .. lines.path(".db")
    assert.equal(0, command.run("mute k --provider vchatcloud --room r" .. book,
      { environment = box.environment }).status)
    local file = lines.file(".sh", "clear; exec " .. command.line("cases" .. book, {}))
    terminal:type("sh " .. file)
    assert.truthy(terminal:await("(.*done.*\n)[^\n]*status 0 >", true):find("\27[32mdone", 1, true))
    lines.write(file, (lines.read(file):gsub("%-u NO_COLOR", "NO_COLOR=1")))
    terminal:type("sh " .. file)
    assert.is_nil(terminal:await("(.*done.*)\nstatus 0 >", true):find("\27", 1, true))
  end)
end)
