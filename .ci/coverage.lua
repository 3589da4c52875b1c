-- Reads what lcov gathered, and judges it:   lua .ci/coverage.lua build/coverage.info LEAST
--
-- Prints lines and branches of each file, then every line that no test reached, with the reason
-- that spec/coverage.md gives for its function. Fails under LEAST percent of the lines.

local info, least = arg[1], assert(tonumber(arg[2]))

-- { [file] = { [function] = reason } }, out of the rows | file | function | reason |.
local function read_reasons(path)
  local reasons = {}
  for line in io.lines(path) do
    local file, name, reason = line:match("^| `(src/[^`]+)` | `([^`]+)` | (.+) |$")
    if file then
      reasons[file] = reasons[file] or {}
      reasons[file][name] = reason
    end
  end
  return reasons
end

-- The functions in the order of their lines, and what was counted of each line.
local function read_info(path)
  local files, file = {}, nil
  local top = assert(io.popen("pwd")):read("*l") .. "/"
  for line in io.lines(path) do
    local key, rest = line:match("^(%u+):(.*)$")
    if key == "SF" then
      if rest:sub(1, #top) == top then rest = rest:sub(#top + 1) end
      file = { name = rest, functions = {}, missed = {}, lines = 0, hit = 0, branches = 0,
        taken = 0 }
      files[#files + 1] = file
    elseif key == "FN" then
      local at, name = rest:match("^(%d+),(.*)$")
      file.functions[#file.functions + 1] = { line = tonumber(at), name = name }
    elseif key == "DA" then
      local at, count = rest:match("^(%d+),(-?%d+)")
      file.lines = file.lines + 1
      if tonumber(count) > 0 then
        file.hit = file.hit + 1
      else
        file.missed[#file.missed + 1] = tonumber(at)
      end
    elseif key == "BRDA" then
      file.branches = file.branches + 1
      if not rest:find(",[-0]$") then file.taken = file.taken + 1 end
    end
  end
  table.sort(files, function(a, b) return a.name < b.name end)
  return files
end

local function function_at(file, line)
  local found = { name = "?", line = 0 }
  for _, each in ipairs(file.functions) do
    if each.line <= line and each.line > found.line then found = each end
  end
  return found.name
end

-- "12, 14-16"
local function ranges(lines)
  local parts, i = {}, 1
  while lines[i] do
    local first = i
    while lines[i + 1] == lines[i] + 1 do i = i + 1 end
    parts[#parts + 1] = lines[first] .. (first < i and "-" .. lines[i] or "")
    i = i + 1
  end
  return table.concat(parts, ", ")
end

-- Prints a line for each function of the file that has lines nobody reached.
local function print_missed(file, reasons)
  local order, missed = {}, {}
  for _, line in ipairs(file.missed) do
    local name = function_at(file, line)
    if not missed[name] then
      missed[name] = {}
      order[#order + 1] = name
    end
    table.insert(missed[name], line)
  end
  for _, name in ipairs(order) do
    print(("%s:%s %s: %s"):format(file.name, ranges(missed[name]), name,
      (reasons[file.name] or {})[name] or "NO REASON GIVEN"))
  end
end

local function percent(part, whole)
  return whole == 0 and 100 or 100 * part / whole
end

local function print_row(file)
  print(("%-28s %5d lines %5.1f %%  %5d branches %5.1f %%"):format(file.name, file.lines,
    percent(file.hit, file.lines), file.branches, percent(file.taken, file.branches)))
end

local all = { name = "all", lines = 0, hit = 0, branches = 0, taken = 0 }
local files, reasons = read_info(info), read_reasons("spec/coverage.md")
for _, file in ipairs(files) do
  print_row(file)
  for _, key in ipairs{ "lines", "hit", "branches", "taken" } do all[key] = all[key] + file[key] end
end
print_row(all)
print()
for _, file in ipairs(files) do print_missed(file, reasons) end
if all.lines == 0 or percent(all.hit, all.lines) < least then
  print(("coverage: under %d %% of the lines"):format(least))
  os.exit(1)
end
