--- Where people come from: CSV files, JSON lines, iterators. Each is read row by
-- row, with the line that a row begins at.
-- @module usher.onboarding.sources

local core = require "usher.core"
local csv = require "usher.onboarding.csv"
local people = require "usher.onboarding.people"

local M = {}

local function fail(place, line, problem)
  return nil, ("%s:%d: %s"):format(place, line, problem)
end

-- --- CSV ----------------------------------------------------------------------------------------

-- What each column of the head means: a field of a person, or false where it is left out.
local function fields_of(head, columns)
  local by_name, fields, seen = {}, {}, {}
  for field, name in pairs(columns) do by_name[name] = field end
  for index, name in ipairs(head) do
    local field = by_name[name] or (not columns[name] and people.FIELDS[name] and name) or false
    if name:sub(1, 1) == "_" then field = false end
    if field and seen[field] then return nil, ("has the column '%s' twice"):format(name) end
    if field then seen[field] = true end
    fields[index] = field
  end
  for field, name in pairs(columns) do
    if not seen[field] then return nil, ("has no column '%s' for %s"):format(name, field) end
  end
  if not seen.id then return nil, "has no column 'id': name it with columns = { id = ... }" end
  return fields
end

-- A column called properties.plan is the member `plan` of properties.
local function property_of(name)
  return name:match("^properties%.(.+)$")
end

local function person_of(record, head, fields)
  if #record ~= #head then
    return nil, ("has %d fields, and the head has %d"):format(#record, #head)
  end
  local person = {}
  for index, value in ipairs(record) do
    local field, property = fields[index], property_of(head[index])
    if value == "" then
      value = nil -- an empty field says nothing
    elseif field == "properties" then
      local problem
      value, problem = core.decode(value)
      if type(value) ~= "table" then
        return nil, "properties must be a JSON object" .. (problem and ": " .. problem or "")
      end
    end
    if field then person[field] = value end
    if property and value ~= nil then
      person.properties = person.properties or {}
      person.properties[property] = value
    end
  end
  return person
end

local function open_csv(path, options)
  local file, problem = io.open(path, "rb")
  if not file then return nil, problem end
  local reader = csv.reader(file, options.delimiter)
  local head, line, wrong = reader:read()
  local fields
  if head then fields, wrong = fields_of(head, options.columns or {}) end
  if not fields then
    file:close()
    return fail(path, line, wrong or "has no head")
  end
  return {
    head = head, close = function() file:close() end,
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

local function renamed(value, columns)
  local person = {}
  for name, member in pairs(value) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" and member ~= core.null then
      person[name] = member
    end
  end
  for field, name in pairs(columns) do
    person[field] = person[name]
    if name ~= field then person[name] = nil end
  end
  return person
end

local function open_lines(path, options)
  local file, problem = io.open(path, "rb")
  if not file then return nil, problem end
  local line = 0
  return {
    close = function() file:close() end,
    next = function()
      local text
      repeat
        text = file:read("*l")
        line = line + 1
      until not text or text:find("%S")
      if not text then return nil, line end
      if line == 1 then text = text:gsub("^\239\187\191", "") end
      local value, bad = core.decode(text)
      if type(value) ~= "table" or value[1] ~= nil then
        return {}, line, bad or "is not a JSON object", text
      end
      return renamed(value, options.columns or {}), line, nil, text
    end,
  }
end

-- --- iterators ----------------------------------------------------------------------------------

-- An iterator can be walked once, and is needed twice: it is written down.
local function spool(source, columns)
  local path = os.tmpname()
  local file, problem = io.open(path, "wb")
  if not file then return nil, problem end
  local line = 0
  for value in source do
    line = line + 1
    local ok, text = pcall(core.encode, type(value) == "table" and renamed(value, columns) or {})
    if not ok then
      file:close()
      os.remove(path)
      return fail("item", line, (text:gsub("^usher: ", "")))
    end
    file:write(text, "\n")
  end
  local closed
  closed, problem = file:close()
  if closed then return path end
  os.remove(path)
  return nil, problem
end

local formats = { csv = open_csv, jsonl = open_lines }

local function format_of(path, wanted)
  local name = wanted or path:lower():match("%.([^.]+)$")
  if name == "ndjson" then name = "jsonl" end
  return formats[name] and name
end

--- Makes a source that can be walked more than once.
-- @tparam string|function source a path, or an iterator of people
-- @tparam table options `format`, `columns`, `delimiter`
-- @treturn ?table `{ name, format, open, remove }`; `open()` returns `{ next, close, head }`, and
-- `next()` a person, its line, what is wrong with it, and the row as it stands
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(source, options)
  if type(source) == "function" then
    local path, problem = spool(source, options.columns or {})
    if not path then return nil, problem end
    return {
      name = "item", format = "jsonl", open = function() return open_lines(path, {}) end,
      remove = function() os.remove(path) end,
    }
  end
  local format = format_of(source, options.format)
  if not format then
    return nil, source .. ": its name does not tell its format: format = \"csv\" or \"jsonl\""
  end
  return {
    name = source, format = format, open = function() return formats[format](source, options) end,
    remove = function() end,
  }
end

return M
