--- `usher call PROVIDER METHOD`: any endpoint, its arguments as options that the
-- rows make.
-- @module usher.cli.call

local clients = require "usher.cli.clients"
local core = require "usher.core"
local output = require "usher.cli.output"
local usher = require "usher"

local M = {}

local function find(list, name)
  for _, each in ipairs(list) do
    if each.name == name then return each end
  end
end

local function option_of(row)
  return "--" .. row.name:gsub("_", "-")
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
  local option = command:option(option_of(row), words_of(row)):target("argument_" .. row.name)
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
  local provider = arguments[1] == "call" and find(
    (function(names)
      local list = {}
      for i, name in ipairs(names) do list[i] = { name = name } end
      return list
    end)(usher.providers()), arguments[2])
  command:argument("provider", "One of " .. table.concat(usher.providers(), ", ") .. ".")
  command:argument("method", "See `usher describe PROVIDER`.")
  command:option("--json", "The arguments as a JSON object; - reads it from standard input. "
    .. "Secrets go here.")
  command:flag("--dry-run --curl", "Print the request as a curl command, its secrets hidden, and "
    .. "send nothing.")
  command:option("--credentials", "A file of mode 0600 with USHER_..._...=value lines.")
  command:option("--base-url", "Another server, such as a sandbox.")
  local method = provider and find(usher.describe(provider.name).methods, arguments[3])
  for _, row in ipairs(method and method.parameters or {}) do add_option(command, row) end
end

local function given(arguments)
  local values = {}
  if arguments.json then
    local text = arguments.json
    if text == "-" then text = io.read("*a") end
    local problem
    values, problem = core.decode(text)
    if type(values) ~= "table" or values[1] ~= nil then
      return nil, "--json: " .. (problem or "it is not a JSON object")
    end
  end
  for name, value in pairs(arguments) do
    local argument = name:match("^argument_(.+)$")
    if argument then values[argument] = value end
  end
  return values
end

local function named(kind, name, names)
  local nearest = core.nearest(name, names)
  return nil, ("there is no %s '%s'%s"):format(kind, name,
    nearest and ("; did you mean '%s'?"):format(nearest) or "")
end

local function names_of(methods)
  local names = {}
  for i, method in ipairs(methods) do names[i] = method.name end
  return names
end

local function problem_of(arguments)
  local known = {}
  for _, name in ipairs(usher.providers()) do known[name] = true end
  if not known[arguments.provider] then
    return select(2, named("provider", arguments.provider, usher.providers()))
  end
  local methods = usher.describe(arguments.provider).methods
  if not find(methods, arguments.method) then
    return select(2, named("method", arguments.method, names_of(methods)))
  end
end

--- Runs the command.
-- @tparam table arguments as argparse gives them
-- @treturn integer exit status
-- @treturn ?string what is wrong, for status 2
function M.run(arguments)
  local problem = problem_of(arguments)
  if problem then return 2, problem end
  local values, wrong = given(arguments)
  if not values then return 2, wrong end
  local client
  client, wrong = clients.open(arguments.provider, arguments)
  if not client then return 2, wrong end
  local ok, result, err = pcall(function()
    if arguments.dry_run then return client:curl(arguments.method, values) end
    return client[arguments.method](client, values)
  end)
  client:close()
  if not ok then return 2, (tostring(result):gsub("^.-(usher%.)", "%1")) end
  if not result then
    output.note(tostring(err))
    return 1
  end
  if arguments.dry_run then print(result) else output.json(result) end
  return 0
end

return M
