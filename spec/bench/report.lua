-- What the benchmark found, as text (Markdown whose columns stand under each other) and as data.

local figures = require "spec.bench.figures"

local M = {}

local LABELS = { "Lua 5.4", "LuaJIT" }
local NOTHING = {}

--- The samples of a program, by number of the round. What libcurl does not serve is measured once
-- and holds for both.
-- @treturn table
-- @treturn ?string why it has none
function M.samples(bench, workload_name, library, program)
  local name = program.libcurl and library.name or bench.libraries[1].name
  local of_workload = bench.results[workload_name] or NOTHING
  local samples = (of_workload[name] or NOTHING)[program.name] or NOTHING
  if samples.problem then return NOTHING, samples.problem end
  return samples
end

local function find(list, name)
  for _, item in ipairs(list) do
    if item.name == name then return item end
  end
end

function M.reference(bench)
  return bench.programs[1]
end

function M.ours(bench, label)
  for _, program in ipairs(bench.programs) do
    if program.ours and program.lua == label then return program end
  end
end

local function is_peer(program)
  return not (program.ours or program.reference or program.control)
end

-- Those that count beside usher on an interpreter: the clients of the same one, and of none.
local function candidates(bench, workload_name, library, label, accept)
  local list = {}
  for _, program in ipairs(bench.programs) do
    if is_peer(program) and (not program.lua or program.lua == label) and accept(program) then
      list[#list + 1] = { program = program,
        samples = M.samples(bench, workload_name, library, program) }
    end
  end
  return list
end

local function in_unit(value, figure, unit)
  if not value then return nil end
  if figure == "rss" then return value / 1024 end
  return unit == "ms" and value * 1000 or value
end

local against = {}

function against.reference(bench, target, library, samples)
  return figures.ratio(samples, M.samples(bench, target.workload, library, M.reference(bench)),
    bench.rounds, target.figure)
end

function against.ideal(bench, target, _, samples)
  local workload = find(bench.workloads, target.workload)
  local value = figures.value(samples, bench.rounds, target.figure)
  return value and value / (workload.delay / workload.in_flight)
end

function against.more(bench, target, library, samples)
  local value = figures.value(samples, bench.rounds, target.figure)
  local other = figures.value(M.samples(bench, target.workload, library, M.reference(bench)),
    bench.rounds, target.figure)
  return value and other and in_unit(value - other, target.figure, target.unit)
end

local function against_kind(accept)
  return function(bench, target, library, samples, label)
    local ratio, best = figures.against_best(samples,
      candidates(bench, target.workload, library, label, accept), bench.rounds, target.figure)
    return ratio, best and best.program
  end
end

against.cjson = against_kind(function(program) return program.cjson end)
against.lua = against_kind(function(program) return program.lua end)
against.pycurl = against_kind(function(program) return program.name == "pycurl" end)

--- The figure of a target.
-- @treturn ?number nil when it was not measured
-- @treturn ?table the program that it is compared with, when that was chosen
function M.figure_of(bench, target, library, label)
  local program = M.ours(bench, label)
  if not program then return nil end
  local samples = M.samples(bench, target.workload, library, program)
  if target.against then
    return against[target.against](bench, target, library, samples, label)
  end
  return in_unit(figures.value(samples, bench.rounds, target.figure), target.figure, target.unit)
end

--- How usher stands to the best of the peers in a workload. With handles that may not be reused it
-- need not be ahead of those on libcurl that reuse theirs in (a).
-- @treturn ?number ratio to the best, below 1 when usher is ahead
-- @treturn ?table the best
function M.lead(bench, workload, library, label)
  local program = M.ours(bench, label)
  if not program then return nil end
  local excused = workload.letter == "a" and not library.fixed
  local ratio, best = figures.against_best(M.samples(bench, workload.name, library, program),
    candidates(bench, workload.name, library, label, function(peer)
      return not (excused and peer.libcurl)
    end), bench.rounds, workload.figure)
  return ratio, best and best.program
end

-- --- tables -------------------------------------------------------------------------------------

local function width_of(text)
  return #(text:gsub("[\128-\191]", ""))
end

local function pad(text, width)
  return text .. (" "):rep(width - width_of(text))
end

-- A table of Markdown whose first row is its head.
local function format_table(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 3, width_of(cell)) end
  end
  for number, row in ipairs(rows) do
    local cells = {}
    for i, width in ipairs(widths) do cells[i] = pad(row[i] or "", width) end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
    if number == 1 then
      local rules = {}
      for i, width in ipairs(widths) do rules[i] = ("-"):rep(width) end
      lines[#lines + 1] = "| " .. table.concat(rules, " | ") .. " |"
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function short(value)
  if not value then return "-" end
  if math.abs(value) >= 100 then return ("%.0f"):format(value) end
  return (math.abs(value) >= 10 and "%.1f" or "%.2f"):format(value)
end

local function judged(value, limit, comparison)
  if not value then return "-" end
  return short(value) .. (comparison and " of " .. comparison.name or "") .. ", "
    .. figures.verdict(value, limit)
end

local function column_heads(bench, heads)
  for _, library in ipairs(bench.libraries) do
    for _, label in ipairs(LABELS) do
      heads[#heads + 1] = library.version .. ", " .. label
    end
  end
  return heads
end

local function each_column(bench, visit)
  for _, library in ipairs(bench.libraries) do
    for i, label in ipairs(LABELS) do visit(library, label, i) end
  end
end

local function title_of(bench, target)
  return target.title or find(bench.workloads, target.workload).title .. ", " .. target.figure
end

local function target_table(bench, plan)
  local rows = { column_heads(bench, { "figure", "at most (5.4 / JIT)" }) }
  for _, target in ipairs(plan.targets) do
    if find(bench.workloads, target.workload) then
      local limits = target.limits
      local row = { title_of(bench, target),
        ("%s / %s"):format(short(limits[1]), short(limits[2])) }
      each_column(bench, function(library, label, i)
        local value, comparison = M.figure_of(bench, target, library, label)
        row[#row + 1] = judged(value, limits[i], comparison)
      end)
      rows[#rows + 1] = row
    end
  end
  return format_table(rows)
end

local function lead_table(bench)
  local rows = { column_heads(bench, { "workload", "by" }) }
  for _, workload in ipairs(bench.workloads) do
    if workload.peers ~= false then
      local row = { workload.title, workload.figure }
      each_column(bench, function(library, label)
        local value, best = M.lead(bench, workload, library, label)
        row[#row + 1] = judged(value, 1, best)
      end)
      rows[#rows + 1] = row
    end
  end
  return format_table(rows)
end

local function microseconds(seconds)
  return seconds and short(seconds * 1e6) or "-"
end

local function program_row(bench, workload, program)
  local row = { program.title }
  local last = bench.libraries[#bench.libraries]
  local found, problem
  for _, library in ipairs(bench.libraries) do
    local samples, why = M.samples(bench, workload.name, library, program)
    local ratio = figures.ratio(samples,
      M.samples(bench, workload.name, library, M.reference(bench)), bench.rounds, workload.figure)
    if next(samples) then found = found or samples end
    if next(samples) and library == last then found = samples end
    problem = problem or why
    row[#row + 1] = ratio and short(ratio) or why and "failed" or "-"
  end
  if not found then
    for _ = 1, 3 do row[#row + 1] = "-" end
    return problem and row
  end
  row[#row + 1] = microseconds(figures.value(found, bench.rounds,
    workload.figure == "process" and "process" or "wall"))
  row[#row + 1] = microseconds(figures.value(found, bench.rounds, "cpu"))
  row[#row + 1] = short(figures.value(found, bench.rounds, "rss") / 1024)
  return row
end

local function workload_table(bench, workload)
  local head = { "program" }
  for _, library in ipairs(bench.libraries) do
    head[#head + 1] = ("x of C, %s"):format(library.version)
  end
  head[#head + 1] = workload.figure == "process" and "us a process" or "us a call"
  head[#head + 1] = "us of CPU"
  head[#head + 1] = "peak MB"
  local rows = { head }
  for _, program in ipairs(bench.programs) do
    rows[#rows + 1] = program_row(bench, workload, program)
  end
  return format_table(rows)
end

--- The value of a point of a curve of growth: calls a second, or microseconds a user.
-- @treturn ?number
function M.growth_value(bench, curve, point, library, program)
  local value = figures.value(M.samples(bench, point[2], library, program), bench.rounds, "wall")
  if not value then return nil end
  return curve.per_call and 1 / value or value * 1e6 / point[1]
end

local function growth_table(bench, curve, library)
  local rows = { { curve.title, "C", LABELS[1], LABELS[2] } }
  for _, point in ipairs(curve.points) do
    local row = { ("%d"):format(point[1]) }
    for _, program in ipairs{ M.reference(bench), M.ours(bench, LABELS[1]) or NOTHING,
      M.ours(bench, LABELS[2]) or NOTHING } do
      row[#row + 1] = short(program.name and M.growth_value(bench, curve, point, library, program))
    end
    rows[#rows + 1] = row
  end
  return format_table(rows)
end

local function kept_memory_table(bench, library)
  local rows = { { "peak KiB more for twice the calls, no result kept" }, { library.version } }
  for _, label in ipairs(LABELS) do
    local program = M.ours(bench, label) or NOTHING
    local function peak(workload_name)
      return program.name and figures.value(M.samples(bench, workload_name, library, program),
        bench.rounds, "rss")
    end
    local few, many = peak("many-256"), peak("many-256-long")
    rows[1][#rows[1] + 1] = label
    rows[2][#rows[2] + 1] = few and many and ("%+d"):format(many - few) or "-"
  end
  return format_table(rows)
end

local function instruction_table(bench)
  local counts = bench.instructions.counts
  local rows = { { "workload, program" } }
  for _, library in ipairs(bench.libraries) do
    rows[1][#rows[1] + 1] = library.version
    rows[1][#rows[1] + 1] = "x of C"
  end
  for _, workload in ipairs(bench.workloads) do
    local of_workload = counts[workload.name]
    for _, program in ipairs(of_workload and bench.programs or NOTHING) do
      local row = { workload.title .. ", " .. program.title }
      local some
      for _, library in ipairs(bench.libraries) do
        local of_library = of_workload[library.name] or NOTHING
        local count, reference = of_library[program.name], of_library[M.reference(bench).name]
        some = some or count
        row[#row + 1] = count and ("%.0f"):format(count) or "-"
        row[#row + 1] = count and reference and short(count / reference) or "-"
      end
      if some then rows[#rows + 1] = row end
    end
  end
  return format_table(rows)
end

local function has(bench, name)
  return find(bench.workloads, name) ~= nil
end

--- The whole report.
-- @tparam table bench
-- @tparam table plan
-- @treturn string
function M.markdown(bench, plan)
  local parts = {}
  local function add(title, text, remark)
    parts[#parts + 1] = "### " .. title .. "\n\n" .. (remark and remark .. "\n\n" or "") .. text
  end
  add("Targets", target_table(bench, plan))
  add("Ahead of every peer", lead_table(bench), "To the best peer that shares the interpreter or "
    .. "has none of Lua's; below 1 usher is ahead.")
  for _, workload in ipairs(bench.workloads) do
    if workload.peers ~= false then
      add(workload.title, workload_table(bench, workload), "By " .. workload.figure
        .. (workload.delay and ("; ideal: %s us a call."):format(
          microseconds(workload.delay / workload.in_flight)) or "."))
    end
  end
  local last = bench.libraries[#bench.libraries]
  for _, curve in ipairs(plan.growth) do
    if has(bench, curve.points[1][2]) then
      add("Growth: " .. curve.title, growth_table(bench, curve, last))
    end
  end
  if has(bench, "many-256-long") and has(bench, "many-256") then
    add("Memory of usher.map with on_result", kept_memory_table(bench, last))
  end
  if bench.instructions then
    add("Instructions a call, user mode", instruction_table(bench),
      "Counted by " .. bench.instructions.counter .. ".")
  end
  return M.heading(bench) .. table.concat(parts, "\n")
end

--- What was measured with what, in a few lines.
function M.heading(bench)
  local lines = { ("rounds: %d%s, %s; load average before and after each: %s."):format(bench.rounds,
    bench.quick and " (quick: a tenth of the calls, good for nothing but a look)" or "",
    bench.processor and "one processor" or "not pinned", table.concat(bench.load or {}, " ")) }
  for _, library in ipairs(bench.libraries) do
    lines[#lines + 1] = ("libcurl %s (%s): C and usher %s."):format(library.version, library.name,
      library.fixed and "reuse their handles" or "make a handle a call")
  end
  local versions = {}
  for _, program in ipairs(bench.programs) do
    if program.version and is_peer(program) then
      versions[#versions + 1] = program.title .. ": " .. program.version
    end
  end
  if versions[1] then lines[#lines + 1] = table.concat(versions, "; ") .. "." end
  return table.concat(lines, "\n") .. "\n\n"
end

--- All samples, to be read by other programs.
-- @treturn table
function M.data(bench)
  local libraries = {}
  for i, library in ipairs(bench.libraries) do
    libraries[i] = { name = library.name, version = library.version,
      handles_reused = library.fixed }
  end
  return { rounds = bench.rounds, quick = bench.quick, processor = bench.processor,
    load = bench.load, libraries = libraries, instructions = bench.instructions,
    samples = bench.results }
end

return M
