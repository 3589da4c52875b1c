--- The command `usher`, all but what needs no argparse (`describe`, `sandbox`).
-- Exit status: 0, done; 1, it could not be done, or a ledger is not as it was
-- written; 2, what was asked for makes no sense, and nothing was sent; 3, some of
-- it failed; 130, stopped by a signal: the same command goes on.
-- @module usher.cli

local M = {}

local function load_argparse()
  local ok, argparse = pcall(require, "argparse")
  if ok then return argparse end
  return nil, "this command needs argparse (luarocks install argparse; Debian: lua-argparse)"
end

local function complain(problem)
  io.stderr:write("usher: ", problem, "\n")
end

local function build(argparse, parts, arguments)
  local parser = argparse("usher", "Scripted moderation and onboarding for chat providers.",
    "Credentials come from USHER_<PROVIDER>_<OPTION> in the environment, or from a file of mode "
    .. "0600 (--credentials, or USHER_CREDENTIALS).\n\nExit status: 0 done, 1 could not be done, 2 "
    .. "wrong usage (nothing was sent), 3 some of it failed, 130 stopped by a signal.")
  parser:command_target("command")
  parser:require_command(true)
  parser.error = function(_, problem)
    complain(problem .. "\nTry: usher --help")
    os.exit(2, true)
  end
  for _, part in ipairs(parts) do part.add(parser, arguments) end
  -- named here for the help only: lua/bin/usher has answered them already
  parser:command("describe", "List providers, methods and their arguments.")
  parser:command("sandbox", "Serve the four providers on this machine, for trying out.")
  return parser
end

--- The words that are commands, those of lua/bin/usher too.
-- @treturn {string,...}
function M.names()
  local names = { "call", "describe", "help", "sandbox" }
  for _, part in ipairs{ "usher.cli.desk", "usher.cli.records" } do
    for _, name in ipairs(require(part).names()) do names[#names + 1] = name end
  end
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
  local call, desk = require "usher.cli.call", require "usher.cli.desk"
  local records = require "usher.cli.records"
  local parsed = build(argparse, { call, desk, records }, arguments):parse(arguments)
  local status, wrong
  if parsed.command == "call" then
    status, wrong = call.run(parsed)
  elseif desk.has(parsed.command) then
    status, wrong = desk.run(parsed.command, parsed)
  else
    status, wrong = records.run(parsed.command, parsed)
  end
  if wrong then complain(wrong) end
  return status
end

return M
