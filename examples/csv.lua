-- A reader of comma-separated values, RFC 4180: a quoted field may hold commas, line breaks and
-- doubled quotes. Lines end with LF or CR LF; a byte order mark is skipped.

local M = {}

-- The field at a position, and the position after it.
local function field_at(text, at)
  if text:sub(at, at) ~= '"' then return text:match('^([^,"\r\n]*)()', at) end
  local from, close = at + 1, at
  repeat
    close = text:find('"', close + 1, true)
    if not close then return nil end
    local is_doubled = text:sub(close + 1, close + 1) == '"'
    if is_doubled then close = close + 1 end
  until not is_doubled
  return text:sub(from, close - 1):gsub('""', '"'), close + 1
end

-- The fields of the line at a position, and the position of the next line.
local function line_at(text, at)
  local fields, comma = {}
  repeat
    fields[#fields + 1], at = field_at(text, at)
    if not at then return nil end
    comma, at = text:match("^(,?)()", at)
  until comma == ""
  return fields, text:match("^\r?\n()", at) or at > #text and at or nil
end

--- Read a file whose first line names its columns.
-- @tparam string path
-- @treturn table list of rows `{ [column] = text }`, empty fields left out
-- @usage for _, person in ipairs(csv.read("people.csv")) do print(person.name) end
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a"):gsub("^\239\187\191", "")
  file:close()
  local rows, columns, at = {}, nil, 1
  while at <= #text do
    local fields, next_line = line_at(text, at)
    if not next_line or columns and #fields ~= #columns then
      local _, above = text:sub(1, at - 1):gsub("\n", "")
      error(("%s:%d: not a row of %d fields"):format(path, above + 1, columns and #columns or 1), 2)
    end
    local row = {}
    for i, name in ipairs(columns or {}) do row[name] = fields[i] ~= "" and fields[i] or nil end
    if columns then rows[#rows + 1] = row else columns = fields end
    at = next_line
  end
  return rows
end

return M
