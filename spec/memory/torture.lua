-- Runs the scenarios with every allocation failing in its turn, one after the other, and prints a
-- line for each scenario. Run by alloc_host, which run.lua starts:
--
--   alloc_host spec/memory/torture.lua HEAP MODE DEPTH SERVERS [NAME]
--
-- HEAP: "lua", what Lua allocates, or "c", what libcurl, OpenSSL, the C library and usher do.
-- MODE: "once", "twice" or "forever". Lua 5.4 answers a failure with a full collection and tries
-- again, so "once" is a collection at each allocation, and "twice" a failure.
-- DEPTH: "shallow", six allocations of each scenario, evenly spread, and with TLS none of Lua's;
-- "deep", all, but every seventh of the C libraries where there is TLS; "all".
-- SERVERS: a table of Lua, see scenarios.lua. NAME: only scenarios with that in their names.
--
-- Each scenario has a process of its own. What kills it is a problem of the point it had come to,
-- and the next process goes on behind that.

local torture = _G.torture

local heap, mode, depth, servers, only = ...
servers = assert((_G.loadstring or load)("return " .. servers))()

local NEVER = 2 ^ 50
local MOST_PROBLEMS = 5 -- shown of one scenario
local MOST_DEATHS = 5
local LEAKED = 99 -- exit code of LeakSanitizer, by the Makefile

-- LuaJIT 2.1 of January 2023 crashes when compiled code runs out of memory, without any C module.
if heap == "lua" and rawget(_G, "jit") then require("jit").off() end

-- Kinds of error that are right when memory ran out within libcurl or below, beside "memory": it
-- cannot always tell.
local other_kinds = {
  http = { network = true },
  https = { network = true, tls = true, timeout = true },
  http2 = { network = true, tls = true, timeout = true },
}

-- The message of an error that has no memory for another.
local WORDLESS = "(not enough memory for the words of this error)"

-- What depends on how often a server was asked, and when.
local volatile = { head = true, connection = true, stream = true, number = true, elapsed = true,
  attempts = true, ["content-length"] = true }

local function dump(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) ~= "table" then return (tostring(value):gsub("0x%x+", "")) end
  local keys, parts = {}, {}
  for key in pairs(value) do
    if not volatile[key] then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do parts[i] = ("%s=%s"):format(tostring(key), dump(value[key])) end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- What is to be seen of `got`, around where it differs from `expected`.
local function difference(got, expected)
  local at = 1
  while at < #got and got:byte(at) == expected:byte(at) do at = at + 1 end
  return ("...%s (and not ...%s)"):format(got:sub(math.max(1, at - 40), at + 100),
    expected:sub(math.max(1, at - 10), at + 40))
end

-- One run ----------------------------------------------------------------------------------------

local function pack(seen, ok, ...)
  return { seen = seen, ok = ok, ... }
end

local function attempt(scenario, subject, first, last)
  local ended = pack(torture.run(heap, first, last, scenario.run, subject))
  ended.failed = ended.seen >= first
  return ended
end

local function open(scenario)
  local subject = scenario.open()
  if scenario.prepare then scenario.prepare(subject) end
  return subject
end

local function close(subject)
  if subject.client then subject.client:close() end
end

local function requests_of(subject)
  local list = {}
  for i, request in ipairs(subject.world and subject.world.requests or {}) do
    list[i] = dump{ request.method, request.url, request.headers, request.body or false }
  end
  return list
end

local function time_of(subject)
  return subject.world and subject.world.now or 0
end

-- What it comes to: a label, or nil and a problem ------------------------------------------------

local function is_error(value)
  return type(value) == "table" and type(value.kind) == "string" and value.retryable ~= nil
end

-- The same error, but that it could not quote what it should.
local function lacks_words(expected, err)
  if not is_error(expected) or not is_error(err) or err.message ~= WORDLESS then return false end
  local same = {}
  for name, value in pairs(err) do same[name] = value end
  for _, name in ipairs{ "message", "code", "body" } do same[name] = expected[name] end
  return dump(same) == dump(expected)
end

local function judge_call(scenario, expected, result, err)
  if dump{ result, err } == dump{ expected[1], expected[2] } then return "as ever" end
  if result == nil and lacks_words(expected[2], err) then return "fewer words" end
  local kinds = heap == "c" and other_kinds[scenario.group] or {}
  if result ~= nil or not is_error(err) or not (err.kind == "memory" or kinds[err.kind]) then
    return nil, "another outcome: " .. difference(dump{ result, err },
      dump{ expected[1], expected[2] })
  end
  return "kind " .. err.kind
end

local function judge_calls(scenario, expected, outcomes)
  local worst = "as ever"
  for i, pair in ipairs(expected) do
    local got = outcomes[i] or {}
    local label, problem = judge_call(scenario, pair, got[1], got[2])
    if not label then return nil, ("item %d: %s"):format(i, problem) end
    if label ~= "as ever" then worst = label end
  end
  return worst
end

local function judge_raised(scenario, expected, message)
  if not expected.ok and message == expected[1] then return "as ever" end
  if heap == "c" and scenario.any_error then return "raised" end
  if tostring(message):find("not enough memory", 1, true) then return "raised" end
  return nil, "raises: " .. dump(message)
end

local function shown_secret(secrets, value)
  local text = dump(value)
  for _, secret in ipairs(secrets) do
    if text:find(secret) then return ("shows %s: %s"):format(secret, text) end
  end
end

local function judge(scenario, expected, ended, secrets)
  local problem = (not ended.ok or ended[1] == nil) and shown_secret(secrets, ended)
  if problem then return nil, problem end
  if not ended.ok then return judge_raised(scenario, expected, ended[1]) end
  if not expected.ok then return nil, "no error where one is due" end
  if scenario.many then return judge_calls(scenario, expected[1], ended[1]) end
  return judge_call(scenario, expected, ended[1], ended[2])
end

-- What was sent is whole, and is no more than ever.
local function judge_requests(expected, subject)
  local requests = requests_of(subject)
  if #requests > expected.most then return "sends more than ever" end
  for _, request in ipairs(requests) do
    if not expected.requests[request] then return "sends something else: " .. request end
  end
end

-- After the failure all is as it was: the same call comes to what it always does and does not wait
-- for longer, or the client is in good order.
local function judge_again(scenario, expected, subject)
  if scenario.again then
    local ok, good = pcall(scenario.again, subject)
    if ok and good then return nil end
    return "not in good order afterwards: " .. tostring(good)
  end
  local started = time_of(subject)
  local ended = pack(0, pcall(scenario.run, subject))
  local label, problem = judge(scenario, expected, ended, {})
  if label ~= "as ever" then
    return "the good call: " .. (problem or difference(dump(ended), dump(expected)))
  end
  local waited = time_of(subject) - started
  if waited > expected.waits then return ("the good call waits %g s"):format(waited) end
end

-- What is left -----------------------------------------------------------------------------------

local function measure()
  collectgarbage()
  collectgarbage()
  return { blocks = torture.blocks(), descriptors = torture.descriptors(), mark = torture.mark() }
end

local function judge_left(before, after)
  if after.descriptors > before.descriptors then
    return ("%d descriptors left"):format(after.descriptors - before.descriptors)
  end
  if after.blocks <= before.blocks then return nil end
  local holders = torture.younger_than(before.mark)
  return ("%d blocks left, of %s"):format(after.blocks - before.blocks,
    table.concat(holders, ", ", 1, math.min(#holders, MOST_PROBLEMS)))
end

-- A scenario, in a process of its own ------------------------------------------------------------

-- What it comes to, sends and takes undisturbed. The first calls fill caches.
local function learn(scenario)
  local expected = { requests = {} }
  if scenario.warm_up then scenario.warm_up() end
  for _ = 1, 3 do
    local subject = open(scenario)
    local started = time_of(subject)
    local ended = attempt(scenario, subject, NEVER, NEVER)
    expected[1], expected[2], expected.ok, expected.seen = ended[1], ended[2], ended.ok, ended.seen
    expected.most = #requests_of(subject)
    expected.waits = time_of(subject) - started
    local problem = judge_again(scenario, expected, subject)
    if problem then error(("%s, undisturbed: %s"):format(scenario.name, problem), 0) end
    for _, request in ipairs(requests_of(subject)) do expected.requests[request] = true end
    close(subject)
  end
  return expected
end

local function last_of(first)
  if mode == "once" then return first end
  if mode == "twice" then return first + 1 end
  return NEVER
end

local function has_tls(group)
  return group == "https" or group == "http2"
end

local function stride_of(group, seen)
  if depth == "shallow" then return math.max(1, math.floor(seen / 6)) end
  return depth == "deep" and heap == "c" and has_tls(group) and 7 or 1
end

local function try(scenario, expected, secrets, point)
  local subject = open(scenario)
  local ended = attempt(scenario, subject, point, last_of(point))
  local label, problem = judge(scenario, expected, ended, secrets)
  problem = problem or judge_requests(expected, subject) or judge_again(scenario, expected, subject)
  if problem and label then problem = ("%s; then %s"):format(label, problem) end
  close(subject)
  return ended.failed, label, problem
end

-- Prints, for the parent, "tried", the problems and how many points came to what.
local function torture_scenario(scenario, secrets, first)
  torture.at(first)
  local expected = learn(scenario)
  local stride = stride_of(scenario.group, expected.seen)
  print("stride", stride) -- its buffer comes before what is measured
  local labels, before = {}, measure()
  for point = first, math.huge, stride do
    torture.at(point)
    local failed, label, problem = try(scenario, expected, secrets, point)
    local after = measure()
    problem = problem or judge_left(before, after)
    before = after
    if problem then
      print("problem", point, problem)
    elseif failed then
      labels[label] = (labels[label] or 0) + 1
    end
    if not failed then break end
  end
  for label, count in pairs(labels) do print("label", count, label) end
end

-- The parent -------------------------------------------------------------------------------------

local function in_child(name, first)
  return function()
    local list = require "spec.memory.scenarios"
    for _, scenario in ipairs(list.list(servers)) do
      if scenario.name == name then torture_scenario(scenario, list.secrets, first) end
    end
    io.stdout:flush()
    os.exit(0, true)
  end
end

local function names()
  local text, code = torture.isolated(function()
    for _, scenario in ipairs(require("spec.memory.scenarios").list(servers)) do
      local left_out = depth == "shallow" and heap == "lua" and has_tls(scenario.group)
      if not left_out then print(scenario.name) end
    end
  end)
  assert(code == 0, "the scenarios cannot be read")
  local list = {}
  for name in text:gmatch("[^\n]+") do
    if not only or name:find(only, 1, true) then list[#list + 1] = name end
  end
  return list
end

local function cause_of_death(code)
  if code == -14 then return "hangs" end
  if code < 0 then return ("dies of signal %d"):format(-code) end
  return ("exits with %d"):format(code)
end

-- Reads what a child printed into `report`; returns its stride, nil when it did not begin.
local function read_report(report, text)
  local stride
  for word, first, rest in text:gmatch("(%w+)\t(%d+)\t?([^\n]*)\n") do
    if word == "stride" then
      stride = tonumber(first)
    elseif word == "label" then
      report.tried = report.tried + tonumber(first)
      report.labels[rest] = (report.labels[rest] or 0) + tonumber(first)
    elseif word == "problem" then
      report.tried = report.tried + 1
      report.problems[#report.problems + 1] = ("at %d: %s"):format(first, rest)
    end
  end
  return stride
end

local function run_scenario(name)
  local report = { tried = 0, labels = {}, problems = {} }
  local first, deaths = 1, 0
  local code
  repeat
    local text, point
    text, code, point = torture.isolated(in_child(name, first))
    local stride = read_report(report, text)
    if code ~= 0 then
      deaths = deaths + 1
      first = point + (stride or 0)
      report.problems[#report.problems + 1] = ("at %d: %s"):format(point, cause_of_death(code))
    end
  until code == 0 or not stride or deaths == MOST_DEATHS
  return report
end

local function show(name, report)
  local labels = {}
  for label, count in pairs(report.labels) do
    labels[#labels + 1] = ("%d %s"):format(count, label)
  end
  table.sort(labels)
  print(("%s %s (%d points: %s)"):format(#report.problems == 0 and "ok    " or "not ok",
    name, report.tried, table.concat(labels, ", ")))
  for i, problem in ipairs(report.problems) do
    if i > MOST_PROBLEMS then
      print(("         and %d more"):format(#report.problems - MOST_PROBLEMS))
      break
    end
    print("         " .. problem)
  end
end

-- The first use in a process, which the scenarios have behind them: libraries are loaded, and
-- start.
-- OpenSSL does not start again where it could not, and leaks then: so nothing is said about a
-- second try, and nothing of what LeakSanitizer finds.
local function first_use()
  local usher = require "usher"
  local client = usher.smooch{ key_id = "k", secret = "s", base_url = servers.https .. "/ok",
    ca_file = servers.ca_file, timeout = 4, deadline = 8, retries = 0 }
  local result, err = client:get_app_user{ user_id = "u" }
  client:close()
  return result and true, err
end

local function try_first_use(first)
  return function()
    torture.at(first)
    local ended = pack(torture.run(heap, first, last_of(first), first_use))
    local label = ended.ok and (ended[1] and "as ever" or "kind " .. ended[2].kind) or "raised"
    print("seen", ended.seen)
    if ended.seen >= first then print("label", 1, label) end
    io.stdout:flush()
    os.exit(0, true)
  end
end

local function run_first_use()
  local report = { tried = 0, labels = {}, problems = {} }
  local stride = stride_of("https", tonumber(torture.isolated(try_first_use(NEVER)):match("%d+")))
  local point = 1
  local seen
  repeat
    local text, code = torture.isolated(try_first_use(point))
    seen = tonumber(text:match("seen\t(%d+)")) or NEVER
    read_report(report, text)
    if code ~= 0 and code ~= LEAKED then
      report.problems[#report.problems + 1] = ("at %d: %s"):format(point, cause_of_death(code))
    end
    point = point + stride
  until seen < point - stride or #report.problems == MOST_DEATHS
  return report
end

for _, name in ipairs(names()) do show(name, run_scenario(name)) end
if heap == "c" and servers.https and (not only or ("first use"):find(only, 1, true)) then
  show("first use", run_first_use())
end
