-- Faults of content: bodies that are not JSON, nearly JSON, or JSON that nobody expects. The head
-- says 200 and application/json.

local function value(text) return '{"value":' .. text .. "}" end

local function utf16(text, big)
  return (text:gsub(".", function(byte) return big and "\0" .. byte or byte .. "\0" end))
end

local function four_times(text) return '"' .. text:rep(4) .. '"' end

-- Whole bodies, by name; a function makes a large one when it is first asked for.
local bodies = {
  words = "no JSON here",
  html = "<!DOCTYPE html><html><body><h1>It works!</h1></body></html>",
  xml = '<?xml version="1.0"?><ok>true</ok>',
  jsonp = 'callback({"ok":true});',
  event_stream = 'data: {"ok":true}\n\n',
  null = "null", truth = "true", number = "42", text = '"text"', list = "[]",
  objects = '[{"a":1}]',
  cut_object = '{"ok":true', cut_text = '{"ok":"tru', cut_list = '{"ok":[1,2',
  cut_word = '{"ok":tr', cut_name = '{"ok', cut_colon = '{"ok":', cut_comma = '{"ok":true,',
  cut_escape = '{"ok":"\\',
  two_documents = '{"ok":true}{"ok":true}',
  two_lines = '{"ok":true}\n{"ok":true}\n',
  trailing_words = '{"ok":true} and more',
  trailing_nul = '{"ok":true}\0',
  nul_between = '{"ok":true}\0{"forged":true}',
  trailing_blanks = ' \r\n\t{"ok":true} \r\n\t',
  trailing_bracket = '{"ok":true}}',
  bom = "\239\187\191" .. '{"ok":true}',
  utf16_little = "\255\254" .. utf16 '{"ok":true}',
  utf16_big = "\254\255" .. utf16('{"ok":true}', true),
  utf16_unmarked = utf16 '{"ok":true}',
  utf8_stray = value '"\191"', utf8_invalid = value '"\255"', utf8_overlong = value '"\192\175"',
  utf8_overlong_3 = value '"\224\128\175"', utf8_surrogate = value '"\237\160\128"',
  utf8_beyond = value '"\244\144\128\128"', utf8_cut = value '"\226\130"',
  utf8_five = value '"\248\136\128\128\128"', utf8_in_name = '{"\255":1}',
  utf8_outside = '{"value":1}\255', latin = value '"caf\233"',
  utf8_good = value '"caf\195\169 \240\159\146\176"',
  pair = value '"\\ud83d\\udcb0"',
  high_alone = value '"a\\ud83db"', low_alone = value '"a\\udcb0b"',
  pair_swapped = value '"\\udcb0\\ud83d"', high_twice = value '"\\ud83d\\ud83d"',
  nul_escape = value '"a\\u0000b"', nul_in_name = '{"a\\u0000b":1}', nul_raw = value '"a\0b"',
  control_raw = value '"a\1b"', newline_raw = value '"a\nb"', delete_raw = value '"a\127b"',
  escape_hex = value '"\\x41"', escape_short = value '"\\u41"', escape_word = value '"\\uzzzz"',
  escape_quote = value [["\'"]],
  comment = '{"value":1 /* one */}', line_comment = '{"value":1} // one',
  trailing_comma = '{"value":1,}', trailing_comma_list = value "[1,]",
  missing_comma = '{"value":1 "b":2}', single_quotes = "{'value':1}", bare_name = "{value:1}",
  missing_colon = '{"value" 1}', number_name = "{1:1}", upper_true = value "True",
  undefined = value "undefined", wrong_bracket = value "[1}",
  nan = value "NaN", infinity = value "Infinity", minus_infinity = value "-Infinity",
  inf = value "inf", hex = value "0x10", octal = value "010", plus = value "+1", minus = value "-",
  point_first = value ".5", point_last = value "1.", exponent_empty = value "1e",
  exponent_sign = value "1e+", underscore = value "1_000", comma_decimal = value "1,5",
  minus_zero = value "-0", two_53 = value "9007199254740993",
  two_63_less = value "9223372036854775807", two_63 = value "9223372036854775808",
  least = value "-9223372036854775808", below_least = value "-9223372036854775809",
  ten_20 = value "100000000000000000000", float_integer = value "42.0", exponent = value "1E2",
  tiny = value "1e-400", denormal = value "5e-324", largest = value "1.7976931348623157e308",
  past_largest = value "1.7976931348623159e308", overflow = value "1e400",
  minus_overflow = value "-1e400", exponent_endless = value("1e" .. ("9"):rep(1000)),
  long_integer = function() return value(("9"):rep(100000)) end,
  long_fraction = function() return value("0." .. ("3"):rep(100000)) end,
  long_text = function() return value('"' .. ("x"):rep(1000000) .. '"') end,
  escapes = function() return value('"' .. ("\\u0041"):rep(100000) .. '"') end,
  duplicates = '{"value":1,"value":2}', duplicates_nested = '{"value":{"a":1},"value":2}',
  empty_name = '{"":1,"value":2}', proto = '{"__index":1,"__gc":2,"__proto__":{"value":1}}',
  -- Tokens of every provider that issues some.
  tokens = ('{"success":true,"result_cd":1,"data":{"X-AUTH-TOKEN":ISSUED},"result":{"accessToken":'
    .. 'ACCESS,"refreshToken":REFRESH,"token":{"accessToken":ACCESS,"refreshToken":REFRESH}},'
    .. '"padding":"' .. ("x"):rep(40000) .. '"}') -- so that it does not come in one piece
    :gsub("%u%u%u%u%u+", { ISSUED = four_times "issued-token-",
      ACCESS = four_times "issued-access-", REFRESH = four_times "issued-refresh-" }),
  nested_60 = function() return value(("["):rep(60) .. ("]"):rep(60)) end,
  nested_1000 = function() return value(("["):rep(1000) .. ("]"):rep(1000)) end,
  nested_lists = function() return value(("["):rep(200000) .. ("]"):rep(200000)) end,
  nested_open = function() return value(("["):rep(200000)) end,
  nested_objects = function()
    return ('{"a":'):rep(200000) .. "1" .. ("}"):rep(200000)
  end,
  many_objects = function() return value("[" .. ("{},"):rep(299999) .. "{}]") end,
  many_lists = function() return value("[" .. ("[],"):rep(299999) .. "[]]") end,
  many_numbers = function() return value("[" .. ("1,"):rep(999999) .. "1]") end,
  many_names = function()
    local members = {}
    for i = 1, 200000 do members[i] = ('"%x":1'):format(i) end
    return "{" .. table.concat(members, ",") .. "}"
  end,
}

-- The fields in which the four providers say how it went.
local FIELDS = { "success", "result", "errorCode", "msg", "message", "result_cd", "result_msg",
  "data", "status", "error", "code", "description" }

-- What stands in all of them.
local types = {
  null = "null", truth = "true", falsehood = "false", zero = "0", one = "1", negative = "-1",
  huge = "1e300", code = "500", word = '"word"', nothing = '""', digits = '"500"',
  one_in_quotes = '"1"', hexadecimal = '"0x1"', endless = '"inf"',
  list = "[]", lists = "[[[]]]", object = "{}",
  objects = '{"code":{"code":[]},"message":[{}],"detailed_messages":{"1":[]},"X-AUTH-TOKEN":[]}',
}

local function send(connection, status, body)
  connection:reply(status, { "Content-Type: application/json" }, body)
end

return {
  json = { 1, function(connection, _, name)
    local body = bodies[name]
    if type(body) == "function" then body = body() end
    bodies[name] = body
    send(connection, 200, body)
  end },
  -- The same body under another status.
  refusal = { 2, function(connection, _, status, name)
    send(connection, tonumber(status), bodies[name])
  end },
  fields = { 2, function(connection, _, status, name)
    local members = {}
    for i, field in ipairs(FIELDS) do members[i] = ('"%s":%s'):format(field, types[name]) end
    send(connection, tonumber(status), "{" .. table.concat(members, ",") .. "}")
  end },
}
