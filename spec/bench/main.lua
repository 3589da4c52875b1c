-- The benchmark: starts the servers, runs all programs over all workloads in random order, round
-- after round, and writes what it found to build/bench. See README.md beside this file.
--
--   main.lua      with ROUNDS, QUICK, WORKLOADS, PROGRAMS and BENCH_CPU in the environment

local cjson = require "cjson"
local socket = require "socket"

local figures = require "spec.bench.figures"
local place = require "spec.bench.place"
local plan = require "spec.bench.plan"
local plot = require "spec.bench.plot"
local programs = require "spec.bench.programs"
local report = require "spec.bench.report"

local OUTPUT = "build/bench/"
local QUICK_SHARE = 0.1
local COLD_SHARE = 0.25 -- of those that make one connection after the other

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local quick = environment("QUICK") ~= nil
local rounds = tonumber(environment("ROUNDS") or (quick and 1 or 7))

local function say(format, ...)
  io.stderr:write("bench: ", format:format(...), "\n")
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- The processors that this process may use, as numbers.
local function allowed_processors()
  local list = {}
  local text = programs.output("taskset -p -c $$ 2>/dev/null"):match(":%s*(%S+)") or ""
  for first, last in text:gmatch("(%d+)%-?(%d*)") do
    for number = tonumber(first), tonumber(last) or tonumber(first) do
      list[#list + 1] = ("%d"):format(number)
    end
  end
  return list
end

-- The last of them unless another is asked for: the first has the most to do. And the others, for
-- what is not to share it.
local function choose_processors()
  local allowed = allowed_processors()
  local chosen, others = environment("BENCH_CPU") or allowed[#allowed], {}
  for _, number in ipairs(allowed) do
    if number ~= chosen then others[#others + 1] = number end
  end
  return chosen, others[1] and table.concat(others, ",") or nil
end

local function choose_python()
  for _, name in ipairs{ "python3", "/usr/bin/python3" } do
    if programs.succeeds{ name, "-c", "import pycurl, requests" } then return name end
  end
  return "python3"
end

-- Those of a list whose names the environment asks for; all when it asks for none.
local function wanted(list, variable)
  local text = environment(variable)
  if not text then return list end
  local chosen, left = {}, {}
  for word in text:gmatch("[^%s,]+") do left[word] = true end
  for _, item in ipairs(list) do
    if left[item.name] or item.reference then chosen[#chosen + 1] = item end
    left[item.name] = nil
  end
  local unknown = next(left)
  if unknown then error(("bench: nothing in %s is called %s"):format(variable, unknown), 0) end
  return chosen
end

local function installed(list)
  local present = {}
  for _, program in ipairs(list) do
    if not program.probe or programs.succeeds(program.probe) then
      present[#present + 1] = program
    else
      say("%s is not installed", program.title)
    end
  end
  return present
end

local function is_fixed(version)
  local major, minor = version:match("(%d+)%.(%d+)")
  major, minor = tonumber(major), tonumber(minor)
  return major > 8 or (major == 8 and minor >= 1)
end

-- The version that the reference finds, and whether it lets handles be reused.
local function describe_library(bench, library)
  local sample, problem = programs.run({ "build/bench/reference", "--fresh", "user",
    bench.place.urls.http, "1", "1", "system" }, { libraries = library.directory })
  if not sample then return problem end
  library.version = sample.version:match("/(.*)$")
  library.fixed = is_fixed(library.version)
end

local function find_libraries(bench)
  local stock = { name = "stock" }
  assert(not describe_library(bench, stock))
  local libraries = { stock }
  if stock.fixed then return libraries end
  local directory = programs.output("spec/bench/fixed_libcurl 2>&1")
  local fixed = { name = "fixed", directory = directory }
  local problem = not directory:match("^/") and directory or describe_library(bench, fixed)
  if problem or not fixed.fixed then
    say("no libcurl of 8.1.0 or later: %s", problem or fixed.version)
  else
    libraries[2] = fixed
  end
  return libraries
end

-- What a program cannot do, or what would say nothing new.
local function is_due(workload, program, library, bench)
  if workload.ca == "system" and not bench.can_replace_trust then return false end
  if workload.server == "h2" and not (program.h2 or program.ours) then return false end
  if workload.peers == false and library ~= bench.libraries[#bench.libraries] then return false end
  if program.reference or program.ours then return true end
  if workload.peers == false then return false end
  if program.control then return not library.fixed and workload.letter == "a" end
  if program.alone and workload.in_flight > 1 then return workload.ask == "cold" end
  return program.libcurl or library.name == "stock"
end

-- The many that wait 20 ms go round three times at least.
local function calls_of(workload, program)
  if workload.cold then
    return program.alone and math.ceil(workload.calls * COLD_SHARE) or workload.calls
  end
  local share = program.pace or 1
  if workload.server == "tls" then share = program.pace_tls or share end
  if quick then share = share * QUICK_SHARE end
  return math.max(workload.delay and 3 * workload.in_flight or 2,
    math.floor(workload.calls * share))
end

local function command_of(bench, workload, program, library)
  local command = {}
  local trusted = bench.place.trust[workload.ca or "own"]
  local file = trusted == "system" and bench.place.system_bundle or trusted
  for i, word in ipairs(program.command) do command[i] = word:gsub("@CA_FILE", file) end
  if program.reference then command[2] = library.fixed and "--reuse" or "--fresh" end
  local in_flight = program.alone and 1 or workload.in_flight
  for _, word in ipairs{ workload.ask, bench.place.urls[workload.server],
    ("%d"):format(calls_of(workload, program)), ("%d"):format(in_flight), trusted } do
    command[#command + 1] = word
  end
  return command
end

-- What is in a table by several keys; what is not there becomes a table.
local function at(into, ...)
  for _, key in ipairs{ ... } do
    into[key] = into[key] or {}
    into = into[key]
  end
  return into
end

local function measure(bench, workload, library, program, round)
  local into = at(bench.results, workload.name, library.name, program.name)
  if into.problem then return end
  local sample, problem = programs.run(command_of(bench, workload, program, library), {
    processor = bench.processor, libraries = library.directory,
    place = workload.ca == "system" and bench.place or nil,
  })
  if sample then
    into[round] = sample
    program.version = program.version or sample.version
  else
    into.problem = problem
    say("%s, %s, %s libcurl: %s", workload.name, program.name, library.name, problem)
  end
end

-- All that is due of a workload, in random order: the reference is never far in time.
local function measure_workload(bench, workload, round)
  local due = {}
  for _, library in ipairs(bench.libraries) do
    for _, program in ipairs(bench.programs) do
      if is_due(workload, program, library, bench) then due[#due + 1] = { library, program } end
    end
  end
  for _, pair in ipairs(figures.shuffle(due)) do
    measure(bench, workload, pair[1], pair[2], round)
  end
end

-- Of the last five minutes.
local function load_average()
  return programs.output("cut -d' ' -f2 /proc/loadavg")
end

local function run_rounds(bench)
  for round = 1, rounds do
    local started = socket.gettime()
    local order = {}
    for i, workload in ipairs(bench.workloads) do order[i] = workload end
    for _, workload in ipairs(figures.shuffle(order)) do
      measure_workload(bench, workload, round)
    end
    bench.load[round + 1] = load_average()
    say("round %d of %d took %.0f s", round, rounds, socket.gettime() - started)
  end
end

-- Of two runs, one with more calls: what start and end take is in both.
local function count_instructions(bench, perf, workload, library, program)
  local few, many = quick and 20 or 50, quick and 60 or 250
  local counts = {}
  for i, calls in ipairs{ few, many } do
    local command = command_of(bench, workload, program, library)
    command[#command - 2] = ("%d"):format(calls)
    counts[i] = programs.instructions(command, { libraries = library.directory }, perf)
    if not counts[i] then return nil end
  end
  return (counts[2] - counts[1]) / (many - few)
end

local function run_instructions(bench)
  local perf = programs.succeeds{ "sh", "-c",
    "perf stat -x, -e instructions:u true 2>&1 | grep -q '^[0-9]'" }
  if not perf and not programs.succeeds{ "valgrind", "--version" } then return end
  local counts = {}
  for _, workload in ipairs(bench.workloads) do
    for _, library in ipairs(workload.letter == "a" and not (quick and workload.server == "tls")
      and bench.libraries or {}) do
      for _, program in ipairs(bench.programs) do
        if program.reference or program.libcurl and program.lua then
          at(counts, workload.name, library.name)[program.name] =
            count_instructions(bench, perf, workload, library, program)
        end
      end
    end
  end
  if next(counts) then
    bench.instructions = { counter = perf and "perf stat" or "callgrind", counts = counts }
  end
end

-- Leaves out who takes any certificate, for that is less work.
local function check_strictness(bench)
  local strict = {}
  for _, program in ipairs(bench.programs) do
    local command = command_of(bench, plan.strange, program, bench.libraries[1])
    if programs.run(command, {}) then
      say("%s trusts an unknown authority: left out", program.title)
    else
      strict[#strict + 1] = program
    end
  end
  assert(strict[1] and strict[1].reference, "bench: the reference trusts an unknown authority")
  bench.programs = strict
end

local function prepare()
  local processor, others = choose_processors()
  local bench = { processor = processor, rounds = rounds, quick = quick, results = {},
    load = { load_average() } }
  bench.workloads = wanted(plan.workloads, "WORKLOADS")
  bench.place = place.open(processor, others)
  bench.programs = installed(wanted(plan.programs{
    lua54 = environment("LUA54") or "lua5.4", luajit = environment("LUAJIT") or "luajit",
    python = choose_python(),
  }, "PROGRAMS"))
  bench.libraries = find_libraries(bench)
  check_strictness(bench)
  bench.can_replace_trust = programs.can_replace_trust(bench.place)
  if not bench.can_replace_trust then
    say("no mount namespace here: the system's certificates cannot be replaced for one process")
  end
  if not processor then say("no taskset here: nothing is pinned") end
  return bench
end

local function write_results(bench)
  local text = report.markdown(bench, plan)
  write_file(OUTPUT .. "results.md", text)
  write_file(OUTPUT .. "results.json", cjson.encode(report.data(bench)))
  write_file(OUTPUT .. "results.svg", plot.svg(bench, plan))
  io.stdout:write(text)
  say("the same is in %sresults.md, the rounds in results.json, a plot in results.svg", OUTPUT)
end

local function main()
  math.randomseed(os.time())
  local bench = prepare()
  local ok, problem = pcall(function()
    run_rounds(bench)
    run_instructions(bench)
  end)
  bench.place.stop()
  if not ok then error(problem, 0) end
  write_results(bench)
end

main()
