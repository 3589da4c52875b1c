--- Where people come from: CSV files, JSON lines, iterators. Each is read row by
-- row, as often as it is asked for, with the line that a row begins at.
-- @module usher.onboarding.sources

local core = require "usher.core"
local csv = require "usher.onboarding.csv"
local people = require "usher.onboarding.people"

local M = {}

local BLOCK = 65536
local LONGEST_LINE = 1048576

--- The formats there are.
M.FORMATS = { csv = "csv", jsonl = "jsonl", ndjson = "jsonl" }

-- The column or field properties.plan is the member `plan` of properties.
local function property_of(name)
  return name:match("^properties%.(.+)$")
end

--- Whether a person has such a field.
-- @tparam string name
-- @treturn boolean
function M.is_field(name)
  return people.FIELDS[name] ~= nil or property_of(name) ~= nil
end

-- Puts the values at their fields; members of properties join what properties itself has.
local function assemble(values)
  local person, members = {}, nil
  for field, value in pairs(values) do
    local property = property_of(field)
    if property then
      members = members or {}
      members[property] = value
    else
      person[field] = value
    end
  end
  if members then
    for name, value in pairs(type(person.properties) == "table" and person.properties or {}) do
      if members[name] == nil then members[name] = value end
    end
    person.properties = members
  end
  return person
end

-- --- CSV ----------------------------------------------------------------------------------------

-- Which fields each name of the file stands for: one may stand for two.
local function by_name(columns)
  local fields = {}
  for field, name in pairs(columns) do
    fields[name] = fields[name] or {}
    table.insert(fields[name], field)
  end
  return fields
end

local function missing_id(head)
  return ("has no column 'id' (its columns are %s): name it with columns = { id = ... }"):format(
    table.concat(head, ", "):sub(1, 200))
end

-- What each column of the head means: the fields of a person, none where it is left out.
local function fields_of(head, columns)
  local mapped, fields, seen = by_name(columns), {}, {}
  for index, name in ipairs(head) do
    fields[index] = mapped[name] or not columns[name] and M.is_field(name) and { name } or {}
    for _, field in ipairs(fields[index]) do
      if seen[field] then return nil, ("has the column '%s' twice"):format(name) end
      seen[field] = true
    end
  end
  for field, name in pairs(columns) do
    if not seen[field] then return nil, ("has no column '%s' for %s"):format(name, field) end
  end
  if not seen.id then return nil, missing_id(head) end
  return fields
end

local function object_of(text)
  local value, problem = core.decode(text)
  if type(value) == "table" and text:find("^%s*{") then return value end
  return nil, "properties must be a JSON object" .. (problem and ": " .. problem or "")
end

local function person_of(record, head, fields)
  if #record ~= #head then
    return nil, ("has %d field%s, and the head has %d"):format(#record, #record == 1 and "" or "s",
      #head)
  end
  local values = {}
  for index, text in ipairs(record) do
    for _, field in ipairs(fields[index]) do
      local problem
      values[field] = text ~= "" and text or nil -- an empty field says nothing
      if values[field] and field == "properties" then values[field], problem = object_of(text) end
      if problem then return nil, problem end
    end
  end
  return assemble(values)
end

local function read_csv(file, options)
  local reader = csv.reader(file, options.delimiter)
  local head, line, wrong = reader:read()
  local fields
  if head then fields, wrong = fields_of(head, options.columns or {}) end
  if not fields then return nil, line, wrong or "has no head" end
  return {
    head = head,
    next = function()
      local record, at, bad = reader:read()
      if not record then return nil, at, bad end
      local person
      person, bad = person_of(record, head, fields)
      return person or {}, at, bad, record
    end,
  }
end

-- --- JSON lines ---------------------------------------------------------------------------------

-- What remains goes without what is mapped, without what is ours (_error) and without null.
local function renamed(value, columns)
  local values, mapped = {}, by_name(columns)
  for name, member in pairs(value) do
    if type(name) == "string" and not mapped[name] and not columns[name]
      and name:sub(1, 1) ~= "_" and member ~= core.null then
      values[name] = member
    end
  end
  for field, name in pairs(columns) do
    if value[name] ~= core.null then values[field] = value[name] end
  end
  return assemble(values)
end

-- Lines without their breaks; nil at the end, or nil and what is wrong.
local function lines_of(file)
  local buffer, at = "", 1
  return function()
    local from = at
    while true do
      local stop = buffer:find("\n", from, true)
      if stop then
        local line = buffer:sub(at, stop - 1)
        at = stop + 1
        return line
      end
      if #buffer - at > LONGEST_LINE then return nil, "is longer than 1 MiB" end
      local block, problem = file:read(BLOCK)
      if problem then return nil, problem end
      from = #buffer - at + 2
      buffer, at = buffer:sub(at) .. (block or ""), 1
      if not block then
        local rest = buffer
        buffer = ""
        return rest ~= "" and rest or nil
      end
    end
  end
end

local function read_lines(file, options)
  local lines, line = lines_of(file), 0
  return {
    next = function()
      local text, problem
      repeat
        text, problem = lines()
        line = line + 1
        if line == 1 and text then text = text:gsub("^\239\187\191", "") end
      until not text or text:find("%S")
      if not text then return nil, line, problem end
      local value, bad = core.decode(text)
      if type(value) ~= "table" or not text:find("^%s*{") then
        return {}, line, bad or "is not a JSON object", text
      end
      return renamed(value, options.columns or {}), line, nil, text
    end,
  }
end

-- --- sources ------------------------------------------------------------------------------------

local readers = { csv = read_csv, jsonl = read_lines }

-- A file without a name, that is gone when it is closed or the process ends.
local function temporary(fill)
  local file, problem = io.tmpfile()
  if not file then return nil, problem end
  problem = fill(file)
  if not problem then
    local ok
    ok, problem = file:flush()
    if ok then return file end
  end
  file:close()
  return nil, problem
end

-- An iterator can be walked once, and is needed twice.
local function spool(source, columns)
  return temporary(function(file)
    local count = 0
    for value in source do
      count = count + 1
      if core.interrupted() then return nil end
      if type(value) ~= "table" then return ("item:%d: is not a table"):format(count) end
      local ok, text = pcall(core.encode, renamed(value, columns))
      if not ok then return ("item:%d: %s"):format(count, (text:gsub("^usher: ", ""))) end
      local written, problem = file:write(text, "\n")
      if not written then return problem end
    end
  end)
end

-- A pipe can be read once.
local function copy(pipe)
  return temporary(function(file)
    local block, problem = pipe:read(BLOCK)
    while block and not core.interrupted() do
      local written
      written, problem = file:write(block)
      if not written then return problem end
      block, problem = pipe:read(BLOCK)
    end
    return problem
  end)
end

local function open_file(path)
  local file, problem = io.open(path, "rb")
  if not file or file:seek("set", 0) then return file, problem end
  local again
  again, problem = copy(file)
  file:close()
  return again, problem and path .. ": " .. problem
end

local function format_of(path, wanted)
  return M.FORMATS[wanted or path:lower():match("%.([^.]+)$") or ""]
end

local function open(source, options)
  if type(source) == "function" then
    local file, problem = spool(source, options.columns or {})
    return file, problem, "item", "jsonl", {}
  end
  local format = format_of(source, options.format)
  if not format then
    return nil, source .. ": its name does not tell its format: csv or jsonl"
  end
  local file, problem = open_file(source)
  return file, problem, source, format, options
end

--- Makes a source that can be walked more than once, one walk at a time.
-- @tparam string|function source a path, or an iterator of people
-- @tparam table options `format`, `columns`, `delimiter`
-- @treturn ?table `{ name, walk, close }`; `walk()` returns `{ next, head }`, or nil and what is
-- wrong; `next()` returns a person, its line, what is wrong with it, and the row as it stands;
-- nil and a line at the end, or when what is wrong ends the reading
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(source, options)
  local file, problem, name, format, reading = open(source, options)
  if not file then return nil, problem end
  return {
    name = name,
    walk = function()
      file:seek("set", 0)
      local reader, line, wrong = readers[format](file, reading)
      if reader then return reader end
      return nil, ("%s:%d: %s"):format(name, line, wrong)
    end,
    close = function() file:close() end,
  }
end

return M
