--- What the command prints: tables, JSON lines, and a bar that shows how far a
-- job is. Colour and the bar are for terminals only; results go to standard
-- output, everything else to standard error.
-- @module usher.cli.output

local core = require "usher.core"

local M = {}

local COLOURS = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33" }

local function coloured(descriptor)
  return core.terminal(descriptor) ~= nil and (os.getenv "NO_COLOR" or "") == ""
end

--- Paints a text, where standard output is a terminal.
-- @tparam string colour
-- @tparam string text
-- @treturn string
function M.paint(colour, text)
  if not coloured(1) then return text end
  return ("\27[%sm%s\27[0m"):format(COLOURS[colour], text)
end

--- A value as one line of text: control characters of a nickname would move the cursor.
-- @param value
-- @treturn string
function M.shown(value)
  if value == nil then return "" end
  if type(value) == "number" then
    return value == math.floor(value) and ("%.0f"):format(value) or tostring(value)
  end
  return (tostring(value):gsub("[%c\127]", "?"):gsub("\194[\128-\159]", "?"))
end

local function characters(text)
  return #text:gsub("[\128-\191]", "")
end

--- Prints rows as a table.
-- @tparam {string,...} columns their names; those that hold nothing are left out
-- @tparam {table,...} rows by column
function M.table(columns, rows)
  local widths, texts = {}, {}
  for i, row in ipairs(rows) do
    texts[i] = {}
    for _, name in ipairs(columns) do
      local text = M.shown(row[name])
      texts[i][name] = text
      if text ~= "" then widths[name] = math.max(widths[name] or #name, characters(text)) end
    end
  end
  local function line(cells, colour)
    local out = {}
    for _, name in ipairs(columns) do
      if widths[name] then
        out[#out + 1] = cells[name] .. (" "):rep(widths[name] - characters(cells[name]))
      end
    end
    local text = table.concat(out, "  "):gsub("%s+$", "")
    print(colour and M.paint(colour, text) or text)
  end
  local head = {}
  for _, name in ipairs(columns) do head[name] = name end
  if rows[1] then line(head, "bold") end
  for _, text in ipairs(texts) do line(text) end
end

--- Prints a value as a line of JSON.
-- @param value a table that is an object, or anything that JSON has
function M.json(value)
  if type(value) == "table" and value[1] == nil then
    print(core.encode(value))
  else -- a list or a scalar, which stands in no object
    print((core.encode{ v = value }:match("^{\"v\":(.*)}$")))
  end
end

--- Says something to who watches, not to what reads the output.
-- @tparam string text
function M.note(text)
  io.stderr:write(text, "\n")
end

-- --- how far a job is ---------------------------------------------------------------------------

local progress_methods = {}
local progress_mt = { __index = progress_methods }

local LINE_EVERY = 10 -- seconds between lines where there is no terminal
local DRAW_EVERY = 0.1

--- A bar on a terminal, a line now and then elsewhere, nothing when `quiet`.
-- @tparam string what
-- @tparam integer total
-- @tparam boolean quiet
-- @treturn table
function M.progress(what, total, quiet)
  return setmetatable({
    what = what, total = total, quiet = quiet, width = core.terminal(2),
    started = core.monotonic(), shown_at = -math.huge,
  }, progress_mt)
end

local function duration(seconds)
  if seconds < 60 then return ("%ds"):format(math.ceil(seconds)) end
  if seconds < 3600 then
    return ("%dm%02ds"):format(math.floor(seconds / 60), math.floor(seconds % 60))
  end
  return ("%dh%02dm"):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60))
end

local function text_of(self, count, failed, now)
  local elapsed = math.max(now - self.started, 1e-3)
  local rate = count / elapsed
  local left = rate > 0 and count < self.total and duration((self.total - count) / rate) .. " left"
  return ("%d of %d  %.0f/s%s%s"):format(count, self.total, rate,
    left and "  " .. left or "", failed > 0 and ("  %d failed"):format(failed) or "")
end

local function draw(self, text, count)
  local room = self.width - #self.what - #text - 6
  local bar = ""
  if room >= 10 then
    room = math.min(room, 40)
    local full = math.floor(room * count / math.max(self.total, 1))
    bar = ("[%s%s] "):format(("#"):rep(full), ("-"):rep(room - full))
  end
  io.stderr:write("\r\27[K", self.what, " ", bar, text)
  io.stderr:flush()
end

--- Shows that so much is done.
-- @tparam integer count
-- @tparam integer failed
function progress_methods:show(count, failed)
  if self.quiet then return end
  local now = core.monotonic()
  if now - self.shown_at < (self.width and DRAW_EVERY or LINE_EVERY) then return end
  self.shown_at = now
  local text = text_of(self, count, failed, now)
  if self.width then draw(self, text, count) else M.note(self.what .. ": " .. text) end
end

--- The last look, and a line break.
function progress_methods:finish(count, failed)
  if self.quiet or not self.width then return end
  draw(self, text_of(self, count, failed, core.monotonic()), count)
  io.stderr:write("\n")
end

return M
