--- CSV as RFC 4180 has it, read record by record and written: quotes, commas and
-- line breaks inside quotes, a byte order mark, CR LF or LF. Nothing is loaded
-- whole, and nothing here knows what a person is.
-- @module usher.onboarding.csv

local M = {}

local BLOCK = 65536
local LONGEST_RECORD = 1048576 -- bytes: an open quote would read the rest of the file

local reader_methods = {}
local reader_mt = { __index = reader_methods }

--- What is wrong with a delimiter, or nil.
-- @tparam string delimiter
-- @treturn ?string
function M.delimiter_problem(delimiter)
  if #delimiter ~= 1 or delimiter:find('["\r\n]') or delimiter == "\0" then
    return "must be one byte, and neither a quote nor a line break"
  end
end

--- Reads records from a file.
-- @tparam file file open for reading, in binary
-- @tparam[opt] string delimiter one byte (",")
-- @treturn table reader
function M.reader(file, delimiter)
  delimiter = delimiter or ","
  return setmetatable({
    file = file, delimiter = delimiter, stops = "[\r\n" .. delimiter:gsub("%W", "%%%0") .. "]",
    buffer = "", at = 1,
    gone = 0, -- bytes before the buffer
    record = 0, -- where the record begins, in bytes
    line = 1, -- of the next byte
    begun = false, problem = nil, -- of reading the file itself
  }, reader_mt)
end

local function fill(self)
  local block, problem = self.file:read(BLOCK)
  if not block then
    self.problem = self.problem or problem
    return false
  end
  self.gone = self.gone + self.at - 1
  self.buffer = self.buffer:sub(self.at) .. block
  self.at = 1
  return true
end

local function is_too_long(self, at)
  return self.gone + at - self.record > LONGEST_RECORD
end

-- The place of the first match at or after `from`, reading on as far as needed. What was found may
-- end at the buffer's end, so two bytes are kept back.
local function find(self, pattern, from)
  while true do
    local first, last = self.buffer:find(pattern, from)
    if first and last < #self.buffer - 1 then return first end
    if is_too_long(self, #self.buffer) then return nil, "is longer than 1 MiB" end
    local offset = from - self.at
    if not fill(self) then return first end
    from = self.at + offset
  end
end

-- A field that is in quotes, at the quote.
local function quoted(self)
  local parts, from = {}, self.at + 1
  while true do
    local offset = from - self.at
    local quote, problem = find(self, '"', from)
    from = self.at + offset
    if not quote then return nil, problem or "has a quote that is not closed" end
    parts[#parts + 1] = self.buffer:sub(from, quote - 1)
    if self.buffer:sub(quote + 1, quote + 1) ~= '"' then
      self.at = quote + 1
      return table.concat(parts)
    end
    parts[#parts + 1] = '"'
    from = quote + 2
  end
end

local function bare(self)
  local stop, problem = find(self, self.stops, self.at)
  if problem then return nil, problem end
  local text = self.buffer:sub(self.at, (stop or #self.buffer + 1) - 1)
  self.at = stop or #self.buffer + 1
  if text:find('"', 1, true) then return nil, "has a quote inside a field without quotes" end
  return text
end

-- At the end of a field: true when another follows.
local function next_field(self)
  local byte = self.buffer:sub(self.at, self.at)
  if byte == self.delimiter then
    self.at = self.at + 1
    return true
  elseif byte == "" then
    return false
  elseif byte == "\n" then
    self.at = self.at + 1
    return false
  elseif byte == "\r" and self.buffer:sub(self.at + 1, self.at + 1) == "\n" then
    self.at = self.at + 2
    return false
  elseif byte == "\r" then
    return nil, "has a CR without LF"
  end
  return nil, "has text behind a closing quote"
end

local function start(self)
  self.begun = true
  while #self.buffer < 4 and fill(self) do end -- luacheck: ignore 542
  local two = self.buffer:sub(1, 2)
  if self.buffer:sub(1, 3) == "\239\187\191" then
    self.at = 4
  elseif two == "\255\254" or two == "\254\255" then
    return "is UTF-16: save it as UTF-8"
  end
end

local function read_fields(self)
  local fields = {}
  self.record = self.gone + self.at
  repeat
    if #self.buffer - self.at < 2 then fill(self) end
    local is_quoted = self.buffer:sub(self.at, self.at) == '"'
    local field, problem = (is_quoted and quoted or bare)(self)
    if not field then return nil, problem end
    fields[#fields + 1] = field
    if is_too_long(self, self.at) then return nil, "is longer than 1 MiB" end
    if #self.buffer - self.at < 2 then fill(self) end
    local more
    more, problem = next_field(self)
    if problem then return nil, problem end
  until not more
  return fields
end

--- The next record. Lines that are empty are left out.
-- @treturn ?{string,...} nil at the end
-- @treturn integer the line it begins at, from 1
-- @treturn ?string what is wrong with it; there is no reading on then
function reader_methods:read()
  if not self.begun then
    local problem = start(self)
    if problem then return nil, 1, problem end
  end
  while true do
    if self.at > #self.buffer and not fill(self) then return nil, self.line, self.problem end
    local line = self.line
    local fields, problem = read_fields(self)
    problem = self.problem or problem -- what was read until then may be half a record
    if problem then return nil, line, problem end
    self.line = line + 1
    for _, field in ipairs(fields) do
      self.line = self.line + select(2, field:gsub("\n", ""))
    end
    if fields[2] or fields[1] ~= "" then return fields, line end
  end
end

local function written(field, delimiter)
  if field:find('["\r\n]') or field:find(delimiter, 1, true) or field:find("^%s")
    or field:find("%s$") then
    return '"' .. field:gsub('"', '""') .. '"'
  end
  return field
end

--- Writes a record.
-- @tparam {string,...} fields
-- @tparam[opt] string delimiter
-- @treturn string with its line break
function M.line(fields, delimiter)
  delimiter = delimiter or ","
  local out = {}
  for i, field in ipairs(fields) do out[i] = written(field, delimiter) end
  if #out == 1 and out[1] == "" then out[1] = '""' end -- not an empty line
  return table.concat(out, delimiter) .. "\r\n"
end

return M
