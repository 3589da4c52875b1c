-- Checking decoded bodies against rows of fields, and option tables against the names they may
-- hold. Every problem is collected; each provider words its own refusal.

local json = require("usher.sandbox.json")

local M = {}

local function is_object(value)
  return type(value) == "table" and #value == 0
end

local function is_string_list(value)
  if type(value) ~= "table" or (next(value) ~= nil and #value == 0) then return false end
  for _, item in ipairs(value) do
    if type(item) ~= "string" then return false end
  end
  return true
end

local function is_object_list(value)
  if type(value) ~= "table" or (next(value) ~= nil and #value == 0) then return false end
  for _, item in ipairs(value) do
    if not is_object(item) then return false end
  end
  return true
end

local kinds = {
  string = function(value) return type(value) == "string" end,
  boolean = function(value) return type(value) == "boolean" end,
  object = is_object,
  ["list of strings"] = is_string_list,
  ["list of objects"] = is_object_list,
}

--- Whether a value is one of a list.
-- @param value
-- @tparam table list
-- @treturn boolean
function M.one_of(value, list)
  for _, allowed in ipairs(list) do
    if value == allowed then return true end
  end
  return false
end

local function problem_with(value, row)
  if value == nil or value == json.null then
    return row.required and "is required" or nil
  end
  if not kinds[row[2]](value) then return "must be a " .. row[2] end
  if row.required and (value == "" or (type(value) == "table" and next(value) == nil)) then
    return "is not allowed to be empty"
  end
  if row.enum and not M.one_of(value, row.enum) then
    return "must be one of [" .. table.concat(row.enum, ", ") .. "]"
  end
  return row.check and row.check(value)
end

--- Check the members of an object. `null` counts as absent.
-- @tparam table values
-- @tparam table rows `{ name, type, required =, enum =, check = function(value) -> problem }`
-- @treturn ?table list of texts such as `"userId" is required`, nil when all is well
function M.fields(values, rows)
  local problems = {}
  for _, row in ipairs(rows) do
    local problem = problem_with(values[row[1]], row)
    if problem then problems[#problems + 1] = '"' .. row[1] .. '" ' .. problem end
  end
  return problems[1] and problems or nil
end

--- A member, with `null` read as absent.
-- @tparam table values
-- @tparam string name
-- @return the value or nil
function M.given(values, name)
  local value = values[name]
  if value ~= json.null then return value end
end

--- Refuse option names that do not exist.
-- @tparam string what the function named in the error
-- @tparam table options
-- @tparam table valid list of names
-- @tparam integer level as for `error`, counted from the caller
function M.options(what, options, valid, level)
  if type(options) ~= "table" then
    error(what .. ": expected a table, got " .. type(options), level + 1)
  end
  local unknown = {}
  for name in pairs(options) do
    if not M.one_of(name, valid) then unknown[#unknown + 1] = tostring(name) end
  end
  if not unknown[1] then return end
  table.sort(unknown)
  error(what .. ": unknown option " .. table.concat(unknown, ", ")
    .. " (valid: " .. table.concat(valid, ", ") .. ")", level + 1)
end

return M
