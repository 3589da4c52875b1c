--- Clients for the command: credentials come from the environment or from a file
-- that nobody else can read, never from the command line, which all can see.
-- @module usher.cli.clients

local core = require "usher.core"
local usher = require "usher"

local M = {}

-- KEY=value lines, as in the environment; # begins a comment line.
local function parse(path, text)
  local values, number = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    if line:find("%S") and not line:find("^%s*#") then
      local name, value = line:match("^%s*([%w_]+)%s*=%s*(.-)%s*$")
      if not name then return nil, ("%s:%d: is not NAME=value"):format(path, number) end
      values[name] = value:match('^"(.*)"$') or value
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

--- Makes a client.
-- @tparam string provider
-- @tparam table settings `credentials` (a file's path), `base_url`
-- @treturn ?userdata
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(provider, settings)
  local values, problem = read_file(settings.credentials or os.getenv "USHER_CREDENTIALS")
  if not values then return nil, problem end
  local options, prefix = {}, "USHER_" .. provider:upper() .. "_"
  for _, option in ipairs(usher.describe(provider).options) do
    options[option.name] = values[prefix .. option.name:upper()]
  end
  if settings.base_url then options.base_url = settings.base_url end
  local ok, client = pcall(usher[provider], options)
  if ok then return client end
  return nil, (tostring(client):gsub("^.-(usher%.)", "%1"))
end

return M
