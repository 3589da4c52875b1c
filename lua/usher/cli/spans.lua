--- Spans of time and dates, as the command line has them.
-- @module usher.cli.spans

local core = require "usher.core"

local M = {}

local UNITS = { s = 1, m = 60, h = 3600, d = 86400 }

--- The moment that an option like --since names: 600, 10m, 2h, 1d ago.
-- @tparam ?string text
-- @treturn ?number Unix seconds; nil without a text
-- @treturn ?string what is wrong with it
function M.since(text)
  if not text then return nil end
  local count, unit = text:match("^(%d+%.?%d*)([smhd]?)$")
  if not count then return nil, ("--since: '%s' is no span of time"):format(text) end
  return core.now() - tonumber(count) * UNITS[unit == "" and "s" or unit]
end

--- A moment as people read it, in UTC.
-- @tparam ?number time Unix seconds
-- @treturn ?string
function M.date(time)
  return time and os.date("!%Y-%m-%d %H:%M:%SZ", math.floor(time))
end

return M
