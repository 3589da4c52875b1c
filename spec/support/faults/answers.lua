-- Faults of what a provider answers: content, status, limits, redirects, challenges and cookies.

local rows = require "spec.support.faults.rows"

local is, words = rows.is, rows.words
local list = rows.new()

list:begin("content")

list:each("json/", "decode", true, [[words html xml jsonp event_stream null truth number text list
  objects cut_object cut_text cut_list cut_word cut_name cut_colon cut_comma cut_escape
  two_documents two_lines trailing_words trailing_nul nul_between trailing_bracket bom utf16_little
  utf16_big utf16_unmarked utf8_stray utf8_invalid utf8_overlong utf8_overlong_3 utf8_surrogate
  utf8_beyond utf8_cut utf8_five utf8_in_name utf8_outside latin nul_raw control_raw newline_raw
  escape_hex escape_short escape_word escape_quote comment line_comment trailing_comma
  trailing_comma_list missing_comma single_quotes bare_name missing_colon number_name upper_true
  undefined wrong_bracket nan infinity minus_infinity inf hex octal plus minus point_first
  point_last exponent_empty exponent_sign underscore comma_decimal past_largest overflow
  minus_overflow exponent_endless nested_1000 nested_lists nested_open nested_objects]])

local function values(check, by_name, more)
  local names = {}
  for name in pairs(by_name) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    list:each("json/", "ok", nil, name, more)
    list[#list].check = check(by_name[name])
  end
end

-- Half a surrogate pair is grammar, but no character: it is replaced.
local REPLACED = "\239\191\189"

values(function(value) return is("value", value) end, {
  utf8_good = "caf\195\169 \240\159\146\176", pair = "\240\159\146\176",
  high_alone = "a" .. REPLACED .. "b", low_alone = "a" .. REPLACED .. "b",
  pair_swapped = REPLACED .. REPLACED, high_twice = REPLACED .. REPLACED,
  nul_escape = "a\0b", delete_raw = "a\127b", minus_zero = 0, float_integer = 42, exponent = 100,
  tiny = 0, denormal = 4.9406564584124654e-324, largest = 1.7976931348623157e308,
  long_fraction = 1 / 3, duplicates = 2, duplicates_nested = 2, empty_name = 2,
})
values(rows.is_integer, {
  two_53 = "9007199254740993", two_63_less = "9223372036854775807", two_63 = "9223372036854775808",
  least = "-9223372036854775808", below_least = "-9223372036854775809",
  ten_20 = "100000000000000000000", long_integer = ("9"):rep(100000),
})
values(rows.has_length, { long_text = 1000000, escapes = 100000, nested_60 = 1 })
values(rows.has_members, { proto = 3, trailing_blanks = 1 })
values(rows.has_length, { many_objects = 300000, many_lists = 300000, many_numbers = 1000000 },
  { few = true, heavy = true })
values(rows.has_members, { many_names = 200000 }, { few = true, heavy = true })
values(function(name) return is(name, 1) end, { nul_in_name = "a\0b" })

-- Where no JSON is due, what else is there does no harm.
list:each("refusal/500/", "http", true, [[words html null list cut_object bom utf8_invalid
  nul_between]], { status = 500 })
list:each("refusal/404/", "http", true, "xml text utf16_little trailing_nul", { status = 404 })

-- What a provider's envelope makes of a value in each of its fields, where that is not good.
local verdicts = {
  ertc = { falsehood = "api" },
  qiscus = { huge = "api", code = "api", digits = "api" },
  smooch = {},
  vchatcloud = { null = "api", truth = "api", falsehood = "api", zero = "api", negative = "api",
    huge = "api", code = "api", word = "api", nothing = "api", digits = "api", list = "api",
    lists = "api", object = "api", objects = "api", hexadecimal = "api", endless = "api" },
}
for name in words [[null truth falsehood zero one negative huge code word nothing digits
  one_in_quotes hexadecimal endless list lists object objects]] do
  list:add{ { "every field is: " .. name, "http", "/fields/200/" .. name, function(method)
    return verdicts[method.provider][name] or "ok"
  end, true } }
  list:each("fields/400/", "http", true, name, { status = 400 })
end

list:begin("status")

for status = 400, 599 do
  list:each("status/", status == 429 and "rate_limited" or "http", true, tostring(status),
    { status = status })
end
for status = 200, 299 do
  if status ~= 204 and status ~= 205 then
    list:each("status/", "ok", nil, tostring(status), { few = true })
  end
end

local function nothing_due(method) return method.empty_ok and "ok" or "decode" end

list:add{
  { "204 where a body is due", "http", "/status/204", nothing_due, true },
  { "205 where a body is due", "http", "/empty/205", nothing_due, true },
  { "an empty 200", "http", "/empty/200", nothing_due, true },
  { "a blank 200", "http", "/blank/200", nothing_due, true },
  { "an empty 404", "http", "/empty/404", "http", true, { status = 404 } },
  { "an empty 500", "http", "/empty/500", "http", true, { status = 500 } },
}
list:each("odd_status/", "protocol", true, "000 099 600 700 999 1000 2e2 0xc8 abc")

list:begin("limits")

-- Retry-After, and the seconds to wait: from, to.
for _, row in ipairs{
  { "0" }, { "blanks" }, { "fraction", 0.01, 0.01 }, { "epoch" }, { "imf-3600" },
  { "rfc850-3600" }, { "asctime-3600" }, { "3600", 3600, 3600 }, { "imf+3600", 3500, 3600 },
  { "rfc850+3600", 3500, 3600 }, { "asctime+3600", 3500, 3600 }, { "digits", 1e6, 1e6 },
  { "many_digits", 1e6, 1e6 }, { "year_9999", 1e6, 1e6 }, { "no_zone", 1e6, 1e6 },
} do
  local low, high = row[2] or 0, row[3] or 0
  for _, status in ipairs{ 429, 503 } do
    list:each(("limit/%d/"):format(status), "rate_limited", true, row[1],
      { status = status, retry_after = { low, high }, final = high > 100 })
  end
end
local not_understood = [[missing nothing negative words exponent hex unit infinity nan list plus
  impossible_date year_0 cut_date latin]]
list:each("limit/429/", "rate_limited", true, not_understood,
  { status = 429, retry_after = false })
list:each("limit/503/", "http", true, not_understood, { status = 503, retry_after = false })
list:add{
  { "429 that says two things", "http", "/limit_twice/429", "rate_limited", true,
    { status = 429, retry_after = false } },
  { "400 that says when to come back", "http", "/limit/400/0", "http", true, { status = 400 } },
  { "500 that says to come back in an hour", "http", "/limit/500/3600", "http", true,
    { status = 500, final = true } },
}

list:begin("redirects")

for place in words [[here elsewhere address https credentials no_scheme backslashes file ftp gopher
  dict javascript data loop nothing garbage long]] do
  list:each("redirect/302/", "redirect", true, place, { status = 302 })
end
for _, status in ipairs{ 300, 301, 303, 304, 305, 306, 307, 308, 399 } do
  list:each(("redirect/%d/"):format(status), "redirect", true, "elsewhere", { status = status })
end
list:add{
  { "a redirect from https to http", "https", "/redirect/307/elsewhere", "redirect", true },
  { "a redirect without a place", "http", "/no_location/302", "redirect", true },
  { "a place without a redirect", "http", "/tempting/location", "ok" },
}

list:begin("challenges")

list:each("challenge/", "http", true, "Basic Digest NTLM Negotiate Bearer AWS4-HMAC-SHA256",
  { status = 401 })
list:each("proxy_challenge/", "http", true, "Basic NTLM", { status = 407 })
list:each("", "http", true, "challenges", { status = 401, calls = 2 })
list:each("quote/", "http", true, "400 401 422 500")

list:begin("cookies")

list:each("tempting/", "ok", nil, "cookies alt_svc refresh link hsts upgrade keep_alive",
  { calls = 2 })
list:each("", "ok", nil, "cookie", { calls = 2 })

return list
