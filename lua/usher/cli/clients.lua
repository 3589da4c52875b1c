--- Clients for the command: credentials come from the environment or from a file
-- that nobody else can read, never from the command line, which all can see.
-- @module usher.cli.clients

local core = require "usher.core"
local usher = require "usher"

local M = {}

--- Adds the options that say where credentials come from.
-- @tparam table command of argparse
function M.add_options(command)
  command:option("--credentials", "A file of mode 0600 with USHER_..._...=value lines; "
    .. "USHER_CREDENTIALS if absent. What `usher sandbox --env` prints is one.")
  command:option("--base-url", "Another server, such as a sandbox.")
end

local function unquoted(value)
  local single = value:match("^'(.*)'$")
  if single then return (single:gsub("'\\''", "'")) end -- a quote as a shell has it
  return value:match("^\"(.*)\"$") or value
end

-- NAME=value lines, as in the environment; # begins a comment line.
local function parse(path, text)
  local values, number = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    if line:find("%S") and not line:find("^%s*#") then
      local name, value = line:gsub("^%s*export%s+", ""):match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
      if not name then return nil, ("%s:%d: is not NAME=value"):format(path, number) end
      values[name] = unquoted(value)
    end
  end
  return values
end

local function read_file(path)
  if not path then return {} end
  local text, problem = core.read_private(path)
  if not text then return nil, problem end
  return parse(path, text)
end

--- Why there is no such provider.
-- @tparam ?string provider
-- @treturn ?string nil when there is
function M.provider_problem(provider)
  if not provider then return "name the provider: --provider, or USHER_PROVIDER" end
  for _, name in ipairs(usher.providers()) do
    if name == provider then return nil end
  end
  local nearest = core.nearest(provider, usher.providers())
  return ("there is no provider '%s'%s"):format(provider,
    nearest and ("; did you mean '%s'?"):format(nearest) or "")
end

--- Whether an option of the command line is a credential of some provider.
-- @tparam string option as it was written, `--api-key`
-- @treturn boolean
function M.is_credential(option)
  local name = option:gsub("^%-+", ""):gsub("-", "_")
  for _, provider in ipairs(usher.providers()) do
    for _, row in ipairs(usher.describe(provider).options) do
      if row.secret and (row.name == name or provider .. "_" .. row.name == name) then
        return true
      end
    end
  end
  return false
end

--- A message without the place in our files where it was raised.
-- @param message
-- @treturn string
function M.without_place(message)
  return (tostring(message):gsub("^[^\n]-:%d+: (usher%.)", "%1"))
end

--- Makes a client.
-- @tparam string provider
-- @tparam table settings `credentials` (a file's path), `base_url`
-- @treturn ?userdata
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(provider, settings)
  local unknown = M.provider_problem(provider)
  if unknown then return nil, unknown end
  local values, problem = read_file(settings.credentials or os.getenv "USHER_CREDENTIALS")
  if not values then return nil, problem end
  local options, prefix = {}, "USHER_" .. provider:upper() .. "_"
  for _, option in ipairs(usher.describe(provider).options) do
    options[option.name] = values[prefix .. option.name:upper()]
  end
  if settings.base_url then options.base_url = settings.base_url end
  local ok, client = pcall(usher[provider], options)
  if ok then return client end
  return nil, M.without_place(client) .. ("\nOptions come from %s<OPTION> in the environment, or "
    .. "from a file: --credentials"):format(prefix)
end

return M
