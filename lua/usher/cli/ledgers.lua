--- Opening the ledger that the command line, or the environment, names.
-- @module usher.cli.ledgers

local ledger = require "usher.ledger"
local stores = require "usher.ledger.store"

local M = {}

--- Adds the option.
-- @tparam table command of argparse
function M.add_option(command)
  command:option("--ledger", "A file, or postgres://...; USHER_LEDGER if absent.")
end

local function name_of(arguments)
  return arguments.ledger or os.getenv "USHER_LEDGER"
end

--- Whether a ledger is named.
-- @tparam table arguments
-- @treturn boolean
function M.is_named(arguments)
  return name_of(arguments) ~= nil
end

local function is_secret(dsn)
  local target = stores.parse(dsn)
  return target ~= nil and (target.password or "") ~= ""
end

-- A misspelt name would be a new ledger, in which all is well.
local function missing_problem(name)
  if name:find("^%a[%w+.-]*://") then return nil end
  local path = name:match("^sqlite:(.+)$") or name
  local file, problem = io.open(path, "rb")
  if not file then return problem end
  file:close()
end

--- Opens it.
-- @tparam table arguments
-- @tparam[opt] boolean to_read true: it must be there already
-- @treturn ?table ledger
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(arguments, to_read)
  local name = name_of(arguments)
  if not name then return nil, "name the ledger: --ledger, or USHER_LEDGER" end
  if arguments.ledger and is_secret(name) then
    return nil, "--ledger: others can read the command line: name a ledger with its password in "
      .. "USHER_LEDGER, or leave the password to PGPASSWORD or ~/.pgpass"
  end
  local problem = to_read and missing_problem(name)
  if problem then return nil, problem end
  local ok, opened
  ok, opened, problem = pcall(ledger.open, name)
  if not ok then return nil, (tostring(opened):gsub("^[^\n]-:%d+: (usher%.)", "%1")) end
  return opened, problem
end

return M
