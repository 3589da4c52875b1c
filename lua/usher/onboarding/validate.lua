--- Looks at every row before the first one is sent.
-- @module usher.onboarding.validate

local core = require "usher.core"
local people = require "usher.onboarding.people"
local upserts = require "usher.onboarding.upsert"

local M = {}

local MOST = 50 -- problems that are told

-- What is wrong with a person's own fields.
local function field_problem(person)
  for name, value in pairs(person) do
    local expected = people.FIELDS[name]
    if not expected then
      local nearest = core.nearest(tostring(name), people.NAMES)
      return ("unknown field '%s'%s"):format(tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or "")
    elseif type(value) ~= expected then
      return ("%s must be a %s"):format(name, expected == "table" and "object" or expected)
    end
  end
  if person.id == nil or person.id == "" then return "id is required" end
end

local function in_words(problem)
  return (tostring(problem):gsub("^.-usher%.", "", 1):gsub("%s*\n%s*", "; "))
end

-- What the providers would refuse without being asked: the checks of the calls themselves.
local function call_problem(clients, person)
  for provider, client in pairs(clients) do
    for _, each in ipairs(upserts.calls(provider, person)) do
      local ok, problem = pcall(client.request, client, each[1], each[2])
      if not ok then return in_words(problem) end
    end
  end
end

--- What is wrong with a person, or nil.
-- @tparam {[string]=userdata} clients
-- @tparam table person
-- @treturn ?string
function M.problem(clients, person)
  return field_problem(person) or call_problem(clients, person)
end

--- Looks at all rows of a source.
-- @tparam {[string]=userdata} clients
-- @tparam table source of `usher.onboarding.sources`
-- @treturn ?integer how many rows there are; nil when the source cannot be read
-- @treturn {string,...} problems, each with its line
function M.all(clients, source)
  local reader, unreadable = source.open()
  if not reader then return nil, { unreadable } end
  local count, problems, lines = 0, {}, {}
  while true do
    local person, line, problem = reader.next()
    if not person and not problem then break end
    problem = problem or M.problem(clients, person)
    if person and not problem and lines[person.id] then
      problem = ("has the id of line %d"):format(lines[person.id])
    end
    if problem then
      problems[#problems + 1] = ("%s:%d: %s"):format(source.name, line, problem)
    end
    if not person or #problems == MOST then break end
    if person.id then lines[person.id] = line end
    count = count + 1
  end
  reader.close()
  return count, problems
end

return M
