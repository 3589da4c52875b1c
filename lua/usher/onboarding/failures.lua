--- The rows of an import that failed, in a file that can be imported itself: each
-- as it stood, with `_error` beside it.
-- @module usher.onboarding.failures

local core = require "usher.core"
local csv = require "usher.onboarding.csv"

local M = {}

local methods = {}
local metatable = { __index = methods }

-- Whether a file that is there may be written anew: it is one of ours, or empty.
local function problem_of(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local head = file:read(4096) or ""
  file:close()
  local object = head:match("^{[^\n]*") or ""
  local ours = head == "" or head:find("^_error[^%w]") or object:find('"_error":', 1, true)
  if ours then return nil end
  return path .. ": is there, and is no file of failed rows"
end

--- Opens a file of failed rows. It is written with the first of them.
-- @tparam string path
-- @tparam ?{string,...} head of a CSV file; nil for JSON lines
-- @tparam ?string delimiter of a CSV file
-- @treturn ?table
-- @treturn[2] nil
-- @treturn[2] string why not: the file is there, and is another one
function M.open(path, head, delimiter)
  local problem = problem_of(path)
  if problem then return nil, problem end
  return setmetatable({ path = path, head = head, delimiter = delimiter }, metatable)
end

local function begin(self)
  if self.file then return true end
  local file, problem = io.open(self.path, "wb")
  if not file then return nil, problem end
  self.file = file
  if not self.head then return true end
  local head = { "_error" }
  for _, name in ipairs(self.head) do
    if name ~= "_error" then head[#head + 1] = name end
  end
  return file:write(csv.line(head, self.delimiter))
end

local function as_csv(self, row, message)
  local fields = { message }
  for index, value in ipairs(row) do
    if self.head[index] ~= "_error" then fields[#fields + 1] = value end
  end
  return csv.line(fields, self.delimiter)
end

local function as_json(row, message)
  local value = core.decode(row)
  value._error = message
  return core.encode(value) .. "\n"
end

--- Writes a row.
-- @param row as the source gave it
-- @tparam string message
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:write(row, message)
  local ok, problem = begin(self)
  if ok then
    ok, problem = self.file:write(self.head and as_csv(self, row, message)
      or as_json(row, message))
  end
  if ok then ok, problem = self.file:flush() end
  if ok then return true end
  return nil, problem
end

--- Closes the file. Where no row failed, one that an earlier run left is removed.
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:close(is_complete)
  if self.file then return self.file:close() end
  if is_complete then os.remove(self.path) end
  return true
end

return M
