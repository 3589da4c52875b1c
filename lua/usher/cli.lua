--- The command `usher`, all but what needs no argparse (`describe`, `sandbox`).
-- What the exit statuses mean: `usher.cli.output`.
-- @module usher.cli

local output = require "usher.cli.output"

local M = {}

local PARTS = { "call", "verbs", "plans", "watch", "import", "records" }

-- The modules, each with its `commands` by name.
local function load_parts()
  local parts = {}
  for i, name in ipairs(PARTS) do parts[i] = require("usher.cli." .. name) end
  return parts
end

local function load_argparse()
  local ok, argparse = pcall(require, "argparse")
  if ok then return argparse end
  return nil, "this command needs argparse (luarocks install argparse; Debian: lua-argparse)"
end

local function complain(problem)
  output.note("usher: " .. problem)
end

-- The words of argparse, and for an option that is a credential where it belongs.
local function refuse(parser, problem)
  local option = problem:match("^unknown option '(%-%-[^']+)'")
  if option and require("usher.cli.clients").is_credential(option) then
    problem = problem .. ": credentials come from the environment or a file, for others can read "
      .. "the command line"
  end
  complain(("%s\nTry: %s --help"):format(problem, parser:_get_fullname()))
  os.exit(2, true)
end

local function add_statuses(parser)
  local statuses = output.STATUSES:gsub("\n$", ""):gsub("\n", " ") -- the lines are argparse's
  for _, command in ipairs(parser._commands) do
    command:epilog((command._epilog and command._epilog .. "\n\n" or "") .. statuses)
    add_statuses(command)
  end
end

local function build(argparse, parts, arguments)
  local parser = argparse("usher", "Scripted moderation and onboarding for chat providers.")
  parser:command_target("command"):require_command(true):help_max_width(88)
  parser.error = refuse
  for _, part in ipairs(parts) do part.add(parser, arguments) end
  add_statuses(parser)
  -- named here for the help only: lua/bin/usher has answered them already
  parser:command("describe", "List providers, methods and their arguments.")
  parser:command("sandbox", "Serve the four providers on this machine, for trying out.")
  return parser
end

--- The words that are commands, those of lua/bin/usher too.
-- @treturn {string,...}
function M.names()
  local names = { "describe", "help", "sandbox" }
  for _, part in ipairs(load_parts()) do
    for name in pairs(part.commands) do names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Runs the command.
-- @tparam {string,...} arguments of the command line
-- @treturn integer exit status
function M.main(arguments)
  local argparse, problem = load_argparse()
  if not argparse then
    complain(problem)
    return 1
  end
  local parts = load_parts()
  local parsed = build(argparse, parts, arguments):parse(arguments)
  for _, part in ipairs(parts) do
    local run = part.commands[parsed.command]
    if run then
      local status, wrong = run(parsed)
      if wrong then complain(wrong) end
      return status
    end
  end
end

return M
