-- Fault switches: what a box is told to do wrong, how often, and to which requests.

local check = require("usher.sandbox.check")

local M = {}

local names = {
  "provider", "operation", "status", "headers", "body", "retry_after", "delay", "drop", "acted",
  "times",
}
local drops = { "connect", "before", "after" }

local field_types = {
  provider = "string", operation = "string", status = "number", headers = "table", body = "string",
  delay = "number", acted = "boolean",
}

local function type_problem(options)
  for name, expected in pairs(field_types) do
    if options[name] ~= nil and type(options[name]) ~= expected then
      return name .. " must be a " .. expected
    end
  end
end

local function range_problem(options)
  local status, times = options.status, options.times
  if status and (status < 200 or status > 599 or status % 1 ~= 0) then
    return "status must be an integer from 200 to 599"
  end
  if times ~= nil and times ~= "forever" and not (type(times) == "number" and times >= 1) then
    return "times must be a number from 1, or \"forever\""
  end
  if options.drop ~= nil and not check.one_of(options.drop, drops) then
    return "drop must be one of " .. table.concat(drops, ", ")
  end
  if not (status or options.delay or options.drop or options.body) then
    return "one of status, body, delay, drop is needed"
  end
end

local function header_problem(headers)
  for name, value in pairs(headers or {}) do
    if type(name) ~= "string" or not name:find("^[%w!#$%%&'*+.^_`|~-]+$") then
      return "malformed header name " .. tostring(name)
    end
    if tostring(value):find("%c") then return "control character in header " .. name end
  end
end

--- Check and copy one fault.
-- @tparam table options as `box:fault` documents them
-- @treturn table fault
function M.new(options)
  check.options("sandbox fault", options, names, 3)
  local problem = type_problem(options) or range_problem(options)
    or header_problem(options.headers)
  if problem then error("sandbox fault: " .. problem, 3) end
  local fault = {}
  for name, value in pairs(options) do fault[name] = value end
  fault.left = options.times == "forever" and math.huge or options.times or 1
  return fault
end

local function matches(fault, provider, operation)
  return (fault.provider == nil or fault.provider == provider)
    and (fault.operation == nil or fault.operation == operation)
end

--- The oldest fault that applies to a request, one use of it taken. Spent faults leave the list.
-- @tparam table faults list
-- @tparam string provider
-- @tparam ?string operation
-- @treturn ?table fault
function M.take(faults, provider, operation)
  for i, fault in ipairs(faults) do
    if matches(fault, provider, operation) then
      fault.left = fault.left - 1
      if fault.left == 0 then table.remove(faults, i) end
      return fault
    end
  end
end

return M
