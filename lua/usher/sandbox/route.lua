-- Finding the handler of a method and a path. Paths are matched by decoded segment, so a slash
-- inside a value never splits it, and a trailing slash counts.

local M = {}

local function compiled(row)
  local segments = {}
  for text in (row[2]:sub(2) .. "/"):gmatch("([^/]*)/") do
    segments[#segments + 1] = { parameter = text:match("^{(.*)}$"), literal = text }
  end
  return {
    verb = row[1], segments = segments, operation = row[3], handler = row[4], access = row[5],
  }
end

--- Compile rows `{ verb, path, operation, handler, access }`; `{name}` in a path is a parameter.
-- @tparam table rows
-- @treturn table routes
function M.compile(rows)
  local routes = {}
  for i, row in ipairs(rows) do routes[i] = compiled(row) end
  return routes
end

local function parameters(route, segments)
  if #route.segments ~= #segments then return nil end
  local found = {}
  for i, expected in ipairs(route.segments) do
    if expected.parameter then
      if segments[i] == "" then return nil end
      found[expected.parameter] = segments[i]
    elseif expected.literal ~= segments[i] then
      return nil
    end
  end
  return found
end

--- Find the route of a request.
-- @tparam table routes what `compile` returned
-- @tparam string verb
-- @tparam table segments decoded
-- @treturn table route
-- @treturn table path parameters
-- @treturn[2] nil when there is none
-- @treturn[2] boolean whether the path exists under another verb
function M.find(routes, verb, segments)
  local other_verb = false
  for _, route in ipairs(routes) do
    local found = parameters(route, segments)
    if found and route.verb == verb then return route, found end
    other_verb = other_verb or found ~= nil
  end
  return nil, other_verb
end

return M
