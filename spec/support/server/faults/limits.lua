-- Faults of rate limits: all the ways to say, or not to say, when to come back.

-- Locale and time zone have no say in these.
local days = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local long_days = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
  "Dec" }

-- The three forms of RFC 9110, section 5.6.7.
local forms = {
  imf = function(at)
    return ("%s, %02d %s %d %02d:%02d:%02d GMT"):format(days[at.wday], at.day, months[at.month],
      at.year, at.hour, at.min, at.sec)
  end,
  rfc850 = function(at)
    return ("%s, %02d-%s-%02d %02d:%02d:%02d GMT"):format(long_days[at.wday], at.day,
      months[at.month], at.year % 100, at.hour, at.min, at.sec)
  end,
  asctime = function(at)
    return ("%s %s %2d %02d:%02d:%02d %d"):format(days[at.wday], months[at.month], at.day, at.hour,
      at.min, at.sec, at.year)
  end,
}

-- Values by name; what is missing here is a date or itself.
local values = {
  fraction = "0.01", digits = ("9"):rep(20), many_digits = ("9"):rep(5000), nothing = "",
  negative = "-5", words = "in a minute", exponent = "1e3", hex = "0x10", unit = "1s",
  infinity = "inf", nan = "nan", list = "0, 3600", blanks = "  0  ", plus = "+1",
  impossible_date = "Thu, 99 Foo 2030 99:99:99 GMT", year_9999 = "Fri, 31 Dec 9999 23:59:59 GMT",
  year_0 = "Sat, 01 Jan 0000 00:00:00 GMT", epoch = "Thu, 01 Jan 1970 00:00:00 GMT",
  no_zone = "Thu, 01 Jan 2099 00:00:00", cut_date = "Thu, 01 Ja", latin = "caf\233",
}

-- "imf+3600" is a date in that form, an hour from now.
local function value_of(text)
  local form, offset = text:match("^(%l+%d*)([+-]%d+)$")
  if form then return forms[form](os.date("!*t", os.time() + tonumber(offset))) end
  return values[text] or text
end

return {
  limit = { 2, function(connection, _, status, text)
    local headers = { "Content-Type: application/json" }
    if text ~= "missing" then headers[2] = "Retry-After: " .. value_of(text) end
    connection:reply(tonumber(status), headers, '{"error":{"message":"slow down"}}')
  end },
  limit_twice = { 1, function(connection, _, status)
    connection:reply(tonumber(status), { "Retry-After: 0", "Retry-After: 3600" }, "{}")
  end },
}
