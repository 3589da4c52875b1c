--- What the command prints: tables, JSON lines, notes. Colour is for terminals;
-- results go to standard output, everything else to standard error. What others
-- wrote, a nickname or an error of a server, cannot move the cursor.
-- @module usher.cli.output

local core = require "usher.core"
local names = require "usher.moderation.text"

local M = {}

--- What the exit statuses mean.
M.STATUSES = [[
Exit status: 0 done; 1 could not be done, or a ledger is not as it was written; 2 wrong usage, and
nothing was sent; 3 some of it failed; 130 stopped by a signal before the end, the same command goes
on. What goes on until a signal (watch, run) ends with 0.
]]

local COLOURS = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33" }

--- The width of a terminal that can be drawn on, or nil.
-- @tparam integer descriptor
-- @treturn ?integer columns
function M.terminal(descriptor)
  if os.getenv "TERM" == "dumb" then return nil end
  return core.terminal(descriptor)
end

--- Paints a text, where standard output is a terminal and NO_COLOR is not set.
-- @tparam ?string colour
-- @tparam string text
-- @treturn string
function M.paint(colour, text)
  if not colour or not M.terminal(1) or (os.getenv "NO_COLOR" or "") ~= "" then return text end
  return ("\27[%sm%s\27[0m"):format(COLOURS[colour], text)
end

local function is_utf8(text)
  return not text:find("[\128-\255]") or core.decode(core.encode{ text = text }) ~= nil
end

--- A value as one line of text.
-- @param value
-- @treturn string
function M.shown(value)
  if value == nil then return "" end
  if type(value) == "number" then
    return value == math.floor(value) and ("%.0f"):format(value) or tostring(value)
  end
  local text = tostring(value)
  if not is_utf8(text) then text = text:gsub("[\128-\255]", "?") end
  return names.plain(text)
end

-- --- tables -------------------------------------------------------------------------------------

-- The first and last code points that take two columns, and those that take none: symbols, and the
-- marks of the scripts that names are written in.
local WIDE = { { 0x1100, 0x115F }, { 0x231A, 0x231B }, { 0x23E9, 0x23EC }, { 0x23F0, 0x23F0 },
  { 0x23F3, 0x23F3 }, { 0x25FD, 0x25FE }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 },
  { 0x267F, 0x267F }, { 0x2693, 0x2693 }, { 0x26A1, 0x26A1 }, { 0x26AA, 0x26AB },
  { 0x26BD, 0x26BE }, { 0x26C4, 0x26C5 }, { 0x26CE, 0x26CE }, { 0x26D4, 0x26D4 },
  { 0x26EA, 0x26EA }, { 0x26F2, 0x26F3 }, { 0x26F5, 0x26F5 }, { 0x26FA, 0x26FA },
  { 0x26FD, 0x26FD }, { 0x2705, 0x2705 }, { 0x270A, 0x270B }, { 0x2728, 0x2728 },
  { 0x274C, 0x274C }, { 0x274E, 0x274E }, { 0x2753, 0x2755 }, { 0x2757, 0x2757 },
  { 0x2795, 0x2797 }, { 0x27B0, 0x27B0 }, { 0x27BF, 0x27BF }, { 0x2B1B, 0x2B1C },
  { 0x2B50, 0x2B50 }, { 0x2B55, 0x2B55 }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF },
  { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 },
  { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F }, { 0x1F680, 0x1FAFF }, { 0x20000, 0x3FFFD } }
local NARROW = { { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x05BF, 0x05BF },
  { 0x05C1, 0x05C2 }, { 0x05C4, 0x05C5 }, { 0x0610, 0x061A }, { 0x064B, 0x065F },
  { 0x0670, 0x0670 }, { 0x06D6, 0x06DC }, { 0x0900, 0x0902 }, { 0x093A, 0x093A },
  { 0x093C, 0x093C }, { 0x0941, 0x0948 }, { 0x094D, 0x094D }, { 0x0E31, 0x0E31 },
  { 0x0E34, 0x0E3A }, { 0x0E47, 0x0E4E }, { 0x200B, 0x200F }, { 0x2060, 0x2064 },
  { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF } }

local function is_in(ranges, point)
  for _, range in ipairs(ranges) do
    if point >= range[1] and point <= range[2] then return true end
  end
  return false
end

local function width_of_character(character)
  local point = character:byte()
  if point < 0x80 then return 1 end
  point = point % (point < 0xE0 and 0x20 or point < 0xF0 and 0x10 or 0x08)
  for i = 2, #character do point = point * 64 + character:byte(i) % 64 end
  return is_in(WIDE, point) and 2 or is_in(NARROW, point) and 0 or 1
end

--- How many columns of a terminal a text takes.
-- @tparam string text
-- @treturn integer
function M.width(text)
  local width = 0
  for character in text:gmatch("[^\128-\191][\128-\191]*") do
    width = width + width_of_character(character)
  end
  return width
end

local function texts_of(columns, rows)
  local texts, widths = {}, {}
  for i, row in ipairs(rows) do
    texts[i] = {}
    for _, name in ipairs(columns) do
      local text = M.shown(row[name])
      texts[i][name] = text
      if text ~= "" then widths[name] = math.max(widths[name] or #name, M.width(text)) end
    end
  end
  return texts, widths
end

local function print_line(columns, widths, texts, colour_of)
  local cells, last = {}, nil
  for _, name in ipairs(columns) do
    if widths[name] and texts[name] ~= "" then last = name end
  end
  for _, name in ipairs(columns) do
    if widths[name] then
      local padding = name == last and "" or (" "):rep(widths[name] - M.width(texts[name]))
      cells[#cells + 1] = M.paint(colour_of(name, texts[name]), texts[name]) .. padding
      if name == last then break end
    end
  end
  print(table.concat(cells, "  "))
end

--- Prints rows as a table.
-- @tparam {string,...} columns their names; those that hold nothing are left out
-- @tparam {table,...} rows by column
-- @tparam[opt] table colours by column and text: `{ outcome = { failed = "red" } }`
function M.table(columns, rows, colours)
  if not rows[1] then return end
  local texts, widths = texts_of(columns, rows)
  local head = {}
  for _, name in ipairs(columns) do head[name] = name end
  print_line(columns, widths, head, function() return "bold" end)
  for _, cells in ipairs(texts) do
    print_line(columns, widths, cells, function(name, text)
      return colours and colours[name] and colours[name][text]
    end)
  end
end

--- The colours of outcomes.
M.OUTCOMES = { done = "green", failed = "red", unknown = "yellow", open = "yellow",
  skipped = "dim" }

-- --- JSON and notes -----------------------------------------------------------------------------

local function escaped(character)
  local point = character:byte()
  point = point % (point < 0x80 and 0x80 or point < 0xE0 and 0x20 or 0x10)
  for i = 2, #character do point = point * 64 + character:byte(i) % 64 end
  return ("\\u%04x"):format(point)
end

--- A value as a line of JSON that may be shown on a terminal.
-- @param value a table that is an object or a list, or a scalar
-- @treturn string
function M.encoded(value)
  local is_object = type(value) == "table" and value[1] == nil
  local text = is_object and core.encode(value) or core.encode{ v = value }:match("^{\"v\":(.*)}$")
  return names.plain(text, escaped)
end

--- Prints a value as a line of JSON.
-- @param value
function M.json(value)
  print(M.encoded(value))
end

--- Says something to who watches, not to what reads the output.
-- @tparam string text
function M.note(text)
  io.stderr:write((tostring(text):gsub("[^\n]+", M.shown)), "\n")
end

return M
