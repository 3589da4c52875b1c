--- What the commands of the moderation desk share: their options, the desk that
-- these make, and what its errors mean for the exit status.
-- @module usher.cli.desks

local clients = require "usher.cli.clients"
local ledgers = require "usher.cli.ledgers"
local moderation = require "usher.moderation"
local output = require "usher.cli.output"
local usher = require "usher"

local M = {}

--- Adds the options of every command.
-- @tparam table command of argparse
function M.add_options(command)
  command:option("--provider", "One of " .. table.concat(usher.providers(), ", ")
    .. "; USHER_PROVIDER if absent.")
  command:option("--room", "The room; USHER_ROOM if absent.")
  ledgers.add_option(command)
  command:option("--moderator", "Who acts; USER if absent.")
  command:option("--actor", "The provider's id of who acts; USHER_ACTOR if absent.")
  clients.add_options(command)
  command:flag("--json", "Print JSON lines.")
  command:flag("--quiet", "Print nothing but results.")
end

--- What an error means for the exit status, after it was said.
-- @tparam table err
-- @treturn integer
function M.refused(err)
  output.note("usher: " .. tostring(err))
  return (err.kind == "unsupported" or err.kind == "invalid") and 2 or 1
end

--- Reads what rules a file returns, or what `desk:watch` takes.
-- @tparam string path
-- @tparam table arguments
-- @treturn ?table options
-- @treturn[2] nil
-- @treturn[2] string why not
function M.read_options(path, arguments)
  local chunk, problem = loadfile(path)
  if not chunk then return nil, problem end
  local ok, value = pcall(chunk)
  if not ok then return nil, tostring(value) end
  if type(value) ~= "table" then return nil, path .. ": returns no table" end
  local options = {}
  for name, each in pairs(value[1] ~= nil and { rules = value } or value) do
    options[name] = each
  end
  if arguments.every then options.every = arguments.every end
  return options
end

-- A desk as the options say, or nil and what is wrong with them.
local function open(arguments)
  local client, problem = clients.open(arguments.provider or os.getenv "USHER_PROVIDER", arguments)
  if not client then return nil, problem end
  local ledger
  if ledgers.is_named(arguments) then
    ledger, problem = ledgers.open(arguments)
    if not ledger then
      client:close()
      return nil, problem
    end
  end
  return moderation{
    client = client, ledger = ledger, room = arguments.room or os.getenv "USHER_ROOM",
    moderator = arguments.moderator or os.getenv "USER" or "usher",
    actor = arguments.actor or os.getenv "USHER_ACTOR", dry_run = arguments.dry_run,
  }
end

local function close(desk, status)
  local ok, problem = true, nil
  if desk.ledger then ok, problem = desk.ledger:close() end
  desk.client:close()
  if ok then return status end
  output.note("usher: " .. problem)
  return status == 0 and 1 or status
end

-- What usher itself raises is wrong usage; what a rule or a script raises is not.
local function is_misuse(raised)
  return type(raised) == "string" and raised:find("^[^\n]-:%d+: usher%.") ~= nil
end

--- Makes a command of a function that is given a desk.
-- @tparam function run called with the desk and the arguments
-- @treturn function called with the arguments
function M.command(run)
  return function(arguments)
    local desk, problem = open(arguments)
    if not desk then return 2, problem end
    local ok, status, wrong = pcall(run, desk, arguments)
    if not ok and not is_misuse(status) then
      output.note("usher: " .. tostring(status))
      return close(desk, 1)
    elseif not ok then
      return close(desk, 2), clients.without_place(status)
    end
    return close(desk, status), wrong
  end
end

return M
