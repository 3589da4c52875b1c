-- How the table of faults is written: lists of rows, and checks of results. The rows themselves are
-- in the files beside this one, what a row says is explained in support/faults.lua.

local M = {}

local kind_of = rawget(math, "type")

local methods = {}
local metatable = { __index = methods }

--- An empty list of rows.
function M.new()
  return setmetatable({}, metatable)
end

--- The words of a text.
function M.words(text)
  return text:gmatch("%S+")
end

--- What follows belongs to this family.
function methods:begin(family)
  self.family = family
end

--- Adds rows of { name, listener, path, kinds, sent, more }.
-- @tparam {table,...} rows
-- @tparam[opt] table more for all of them
function methods:add(rows, more)
  for _, row in ipairs(rows) do
    local added = { family = self.family, name = row[1], listener = row[2], path = row[3],
      kinds = row[4], sent = row[5], calls = 1 }
    for _, fields in ipairs{ more or {}, row[6] or {} } do
      for name, value in pairs(fields) do added[name] = value end
    end
    self[#self + 1] = added
  end
end

--- Adds rows of the listener "http" that have the same outcome and are named by their paths.
-- @tparam string prefix of the paths, "framed/"
-- @tparam string kinds
-- @tparam ?boolean sent
-- @tparam string names the rest of the paths, with blanks between them
-- @tparam[opt] table more
function methods:each(prefix, kinds, sent, names, more)
  for name in M.words(names) do
    self:add({ { prefix .. name, "http", "/" .. prefix .. name, kinds, sent } }, more)
  end
end

-- Checks: functions that return what is wrong with a result, or nil -------------------------------

--- A member has this value.
function M.is(name, value)
  return function(result)
    if result[name] == value then return nil end
    return ("%s is %s"):format(name, tostring(result[name]):sub(1, 40))
  end
end

--- `value` is this integer, or its digits where the interpreter would round it.
function M.is_integer(digits)
  return function(result)
    local value = result.value
    local text = value
    if type(value) == "number" then
      text = (kind_of and kind_of(value) == "integer" and "%d" or "%.0f"):format(value)
    end
    if text ~= digits then return "value is " .. tostring(value):sub(1, 40) end
  end
end

--- There are so many members.
function M.has_members(count)
  return function(result)
    local found = 0
    for _ in pairs(result) do found = found + 1 end
    if found ~= count then return ("it has %d members"):format(found) end
  end
end

--- `value` is a list or a text of this length.
function M.has_length(count)
  return function(result)
    if #result.value ~= count then return ("the length is %d"):format(#result.value) end
  end
end

--- It answers this request, and not one that nobody made.
M.is_own = M.is("forged", nil)

return M
