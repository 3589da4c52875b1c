--- The dates that providers write and read, as Unix seconds.
-- @module usher.moderation.dates

local M = {}

-- Days from 1970-01-01 to a day of the Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

local function seconds(year, month, day, hour, minute, second)
  return days(tonumber(year), tonumber(month), tonumber(day)) * 86400 + tonumber(hour) * 3600
    + tonumber(minute) * 60 + tonumber(second)
end

local readers = {
  -- 2019-07-25T18:31:53.813Z
  iso = function(text)
    local year, month, day, hour, minute, second, zone =
      text:match("^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):(%d%d%.?%d*)(.*)$")
    if not year then return nil end
    local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
    local offset = sign and (tonumber(hours) * 60 + tonumber(minutes)) * 60 or 0
    if sign == "-" then offset = -offset end
    return seconds(year, month, day, hour, minute, second) - offset
  end,
  -- 20190725183153, in Korea
  korean = function(text)
    local year, month, day, hour, minute, second =
      text:match("^(%d%d%d%d)(%d%d)(%d%d)(%d%d)(%d%d)(%d%d)$")
    return year and seconds(year, month, day, hour, minute, second) - 9 * 3600
  end,
}

--- Reads a date.
-- @param text
-- @tparam string form `"iso"` or `"korean"`
-- @treturn ?number Unix seconds; nil when it is none
function M.read(text, form)
  return type(text) == "string" and readers[form](text) or nil
end

--- Writes a date in ISO 8601, in milliseconds: `2021-06-14T14:02:03.527Z`.
-- @tparam number time Unix seconds
-- @treturn string
function M.iso(time)
  local whole = math.floor(time)
  local thousandths = math.min(999, math.floor((time - whole) * 1000 + 0.5))
  return os.date("!%Y-%m-%dT%H:%M:%S", whole) .. (".%03dZ"):format(thousandths)
end

return M
