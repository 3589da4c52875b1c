--- Looks at every row before the first one is sent.
-- @module usher.onboarding.validate

local core = require "usher.core"
local people = require "usher.onboarding.people"
local upserts = require "usher.onboarding.upsert"

local M = {}

local MOST = 50 -- problems that are told

--- Rows whose digest is taken together.
M.PAGE = 2048

-- What is wrong with a person's own fields.
local function field_problem(person)
  for name, value in pairs(person) do
    local expected = people.FIELDS[name]
    if not expected then
      local nearest = core.nearest(tostring(name), people.NAMES)
      return ("unknown field '%s'%s"):format(tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or "")
    elseif type(value) ~= expected then
      return ("%s must be %s"):format(name, expected == "table" and "an object" or "a " .. expected)
    end
  end
  if person.id == nil or person.id == "" then return "id is required" end
  if person.id:find("%c") then return "id must not hold a control character" end
end

-- A file in another encoding shows in its texts.
local function text_problem(person)
  local ok, text = pcall(core.encode, person)
  if not ok then return (tostring(text):gsub("^usher: value%.?", "")) end
  local decoded, problem = core.decode(text)
  if decoded then return nil end
  for _, name in ipairs(people.NAMES) do
    if person[name] ~= nil and not core.decode(core.encode{ [name] = person[name] }) then
      return ("%s: %s"):format(name, (problem:gsub("^it is not JSON: ", ""):gsub(", at byte %d+$",
        "")))
    end
  end
end

local function in_words(problem)
  return (tostring(problem):gsub("^.-usher%.", "", 1):gsub("%s*\n%s*", "; "))
end

-- What the providers would refuse without being asked: the checks of the calls themselves.
local function call_problem(line, person)
  for _, provider in ipairs(line.providers) do
    local client = line.clients[provider]
    for _, each in ipairs(upserts.calls(provider, person)) do
      local ok, problem = pcall(client.request, client, each[1], each[2])
      if not ok then return in_words(problem) end
    end
  end
end

--- What is wrong with a person, or nil.
-- @tparam table line the onboarding line: `clients`, `providers`
-- @tparam table person
-- @treturn ?string
function M.problem(line, person)
  return field_problem(person) or text_problem(person) or call_problem(line, person)
end

--- What a row counts for in the digest of its page.
-- @tparam integer line
-- @tparam string|{string,...} row as the source gave it
-- @treturn string
function M.part(line, row)
  return line .. "\n" .. (type(row) == "table" and table.concat(row, "\n") or row)
end

--- What a page of rows is known by.
-- @tparam {string,...} parts of its rows
-- @treturn string
function M.digest(parts)
  return core.sha256(table.concat(parts, "\n"))
end

local function end_page(found)
  found.pages[#found.pages + 1] = M.digest(found.page)
  found.page = {}
  if found.on_look then found.on_look(found.rows) end
end

local function note_problem(found, source, at, problem)
  table.insert(found.problems, ("%s:%d: %s"):format(source.name, at, problem))
  if found.problems[MOST] then table.insert(found.problems, "and perhaps more") end
end

-- Looks at one row; false when that was the last.
local function look(line, source, reader, found)
  local person, at, problem, row = reader.next()
  if not person and not problem then return false end
  problem = problem or M.problem(line, person)
  if not problem and found.lines[person.id] then
    problem = ("has the id of line %d"):format(found.lines[person.id])
  end
  if problem then
    note_problem(found, source, at, problem)
    return person ~= nil and not found.problems[MOST]
  end
  found.lines[person.id] = at
  found.rows = found.rows + 1
  found.page[#found.page + 1] = M.part(at, row)
  if found.page[M.PAGE] then end_page(found) end
  return true
end

--- Looks at all rows of a source, unless it is interrupted.
-- @tparam table line the onboarding line
-- @tparam table source of `usher.onboarding.sources`
-- @tparam ?function on_look called with the number of rows so far, a page at a time
-- @treturn integer how many rows are right
-- @treturn {string,...} what is wrong with the others, and with the source, each with its line
-- @treturn {string,...} what each page of rows is known by
function M.all(line, source, on_look)
  local reader, unreadable = source.walk()
  if not reader then return 0, { unreadable }, {} end
  local found = { rows = 0, problems = {}, pages = {}, page = {}, lines = {},
    on_look = on_look }
  repeat until core.interrupted() or not look(line, source, reader, found)
  if found.page[1] then end_page(found) end
  return found.rows, found.problems, found.pages
end

return M
