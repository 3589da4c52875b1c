--- `usher call PROVIDER METHOD`: any endpoint, its arguments as options that the
-- rows make.
-- @module usher.cli.call

local clients = require "usher.cli.clients"
local core = require "usher.core"
local output = require "usher.cli.output"
local usher = require "usher"

local M = {}

-- The row of a method, or nil and why there is none.
local function method_of(provider, name)
  local problem = clients.provider_problem(provider)
  if problem then return nil, problem end
  local names = {}
  for i, method in ipairs(usher.describe(provider).methods) do
    if method.name == name then return method end
    names[i] = method.name
  end
  local nearest = core.nearest(name, names)
  return nil, ("there is no method '%s'%s"):format(name,
    nearest and ("; did you mean '%s'?"):format(nearest) or "")
end

local function read_number(text)
  return tonumber(text), "'" .. text .. "' is not a number"
end

local function read_truth(text)
  if text == "true" or text == "false" then return text == "true" end
  return nil, "'" .. text .. "' is neither true nor false"
end

local function read_json(text)
  local value, problem = core.decode(text)
  return value, problem
end

local readers = {
  integer = read_number, boolean = read_truth, table = read_json,
  ["list of tables"] = read_json,
  file = function(path) return { path = path } end,
}

local function words_of(row)
  local words = row.doc
  if row.choices then words = ("%s (%s)"):format(words, row.choices) end
  if row.required then words = words .. "; required" end
  return words
end

local function add_option(command, row)
  if row.secret then return end -- what stands on a command line, others can read
  local name = "--" .. row.name:gsub("_", "-")
  local option = command:option(name, words_of(row)):target("argument_" .. row.name)
  if row.type == "list of strings" then
    option:args("+")
  elseif readers[row.type] then
    option:convert(readers[row.type])
  end
  option:argname("<" .. row.name .. ">")
end

--- Adds the command to a parser. A method's options are added when it is known
-- which one is called.
-- @tparam table parser of argparse
-- @tparam {string,...} arguments of the command line
function M.add(parser, arguments)
  local command = parser:command("call", "Call any endpoint of a provider.")
  command:argument("provider", "One of " .. table.concat(usher.providers(), ", ") .. ".")
  command:argument("method", "See `usher describe PROVIDER`; with both named, --help lists its "
    .. "arguments.")
  command:option("--json", "The arguments as a JSON object; - reads it from standard input. "
    .. "Secrets are taken from there only."):argname("<object>")
  command:flag("--dry-run --curl", "Print the request as a curl command, its secrets hidden, and "
    .. "send nothing.")
  clients.add_options(command)
  if arguments[1] ~= "call" or not arguments[3] then return end
  local method = method_of(arguments[2], arguments[3])
  for _, row in ipairs(method and method.parameters or {}) do add_option(command, row) end
end

local function read_object(text)
  local values, problem = core.decode(text)
  if type(values) == "table" and text:find("^%s*{") then return values end
  return nil, "--json: " .. (problem or "it is not a JSON object")
end

-- The arguments as they are given, or nil and what is wrong with them.
local function given(method, arguments)
  local values, text = {}, arguments.json
  if text then
    local problem
    values, problem = read_object(text == "-" and io.read("*a") or text)
    if not values then return nil, problem end
  end
  for _, row in ipairs(text and text ~= "-" and method.parameters or {}) do
    if row.secret and values[row.name] ~= nil then
      return nil, ("%s is a secret, and others can read the command line: give the object on "
        .. "standard input, with --json -"):format(row.name)
    end
  end
  for name, value in pairs(arguments) do
    local argument = name:match("^argument_(.+)$")
    if argument then values[argument] = value end
  end
  return values
end

local function run(arguments)
  local method, problem = method_of(arguments.provider, arguments.method)
  if not method then return 2, problem end
  local values, client
  values, problem = given(method, arguments)
  if not values then return 2, problem end
  client, problem = clients.open(arguments.provider, arguments)
  if not client then return 2, problem end
  local ok, result, err = pcall(function()
    if arguments.dry_run then return client:curl(arguments.method, values) end
    return client[arguments.method](client, values)
  end)
  client:close()
  if not ok then return 2, clients.without_place(result) end
  if result == nil then
    output.note("usher: " .. tostring(err))
    return 1
  end
  if arguments.dry_run then print(result) else output.json(result) end
  return 0
end

--- The commands.
M.commands = { call = run }

return M
