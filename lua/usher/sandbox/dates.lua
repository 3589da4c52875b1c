-- The date notations of the four providers. Times are Unix seconds, everything is UTC unless said.

local M = {}

local KST = 9 * 3600 -- VChatCloud's servers write Korean time

local function formatted(format, seconds)
  return os.date("!" .. format, math.floor(seconds))
end

--- `20240131235959`, Korean time: VChatCloud.
-- @tparam number seconds
-- @treturn string
function M.compact(seconds)
  return formatted("%Y%m%d%H%M%S", seconds + KST)
end

local function with_fraction(seconds, digits)
  local scale = 10 ^ digits
  local fraction = math.floor((seconds - math.floor(seconds)) * scale)
  return formatted("%Y-%m-%dT%H:%M:%S", seconds)
    .. string.format(".%0" .. digits .. "dZ", fraction)
end

--- `2015-10-08T23:52:11.677Z`: Smooch.
-- @tparam number seconds
-- @treturn string
function M.milliseconds(seconds)
  return with_fraction(seconds, 3)
end

--- `2017-10-09T06:47:00.004482Z`: Qiscus.
-- @tparam number seconds
-- @treturn string
function M.microseconds(seconds)
  return with_fraction(seconds, 6)
end

local month_days = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

local function is_civil(year, month, day)
  if month < 1 or month > 12 or day < 1 then return false end
  local days = month_days[month] + ((month == 2 and is_leap(year)) and 1 or 0)
  return day <= days
end

-- Days since 1970-01-01: years counted from March, so that the leap day comes last.
local function days_from_civil(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

local function seconds_of(year, month, day, hour, minute, second)
  if not is_civil(year, month, day) or hour > 23 or minute > 59 or second > 59 then return nil end
  return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
end

local DATE, TIME = "(%d%d%d%d)%-(%d%d)%-(%d%d)", "(%d%d):(%d%d):(%d%d)"

local function parsed(text, pattern)
  local year, month, day, hour, minute, second, rest = text:match(pattern)
  if not year then return nil end
  return seconds_of(tonumber(year), tonumber(month), tonumber(day), tonumber(hour),
    tonumber(minute), tonumber(second)), rest
end

--- Read `YYYY-MM-DD hh:mm:ss`.
-- @tparam string text
-- @treturn ?number Unix seconds, nil when the text is not such a date
function M.parse_plain(text)
  return (parsed(text, "^" .. DATE .. " " .. TIME .. "$"))
end

--- Read an ISO 8601 moment that ends in `Z` or has no zone.
-- @tparam string text
-- @treturn ?number Unix seconds
function M.parse_iso(text)
  local plain, fraction = text:match("^(%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d)(%.?%d*)Z?$")
  local seconds = plain and M.parse_plain((plain:gsub("T", " ")))
  return seconds and seconds + (tonumber("0" .. fraction) or 0)
end

--- Whether a text is an ISO 8601 moment: date, `T`, time, optional fraction, `Z` or an offset.
-- @tparam string text
-- @treturn boolean
function M.is_iso(text)
  local seconds, rest = parsed(text, "^" .. DATE .. "T" .. TIME .. "(.*)$")
  if not seconds then return false end
  rest = rest:gsub("^%.%d+", "")
  return rest == "Z" or rest:find("^[+-]%d%d:?%d%d$") ~= nil
end

return M
