--- How far a job is: a bar with the rate and the time left on a terminal, a line
-- now and then elsewhere, nothing when quiet. On standard error.
-- @module usher.cli.progress

local core = require "usher.core"
local output = require "usher.cli.output"

local M = {}

local methods = {}
local metatable = { __index = methods }

local LINE_EVERY = 10 -- seconds between lines where there is no terminal
local DRAW_EVERY = 0.1
local LONGEST_BAR, SHORTEST_BAR = 40, 10

--- Begins.
-- @tparam string what
-- @tparam boolean quiet
-- @treturn table
function M.new(what, quiet)
  return setmetatable({
    what = what, quiet = quiet, started = core.monotonic(), shown_at = -math.huge, drawn = false,
  }, metatable)
end

local function duration(seconds)
  if seconds < 60 then return ("%ds"):format(math.ceil(seconds)) end
  if seconds < 3600 then
    return ("%dm%02ds"):format(math.floor(seconds / 60), math.floor(seconds % 60))
  end
  return ("%dh%02dm"):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60))
end

-- What an earlier run has done is not of this run's rate.
local function text_of(self, counts)
  local now = counts.count - counts.earlier
  local rate = now / math.max(core.monotonic() - self.started, 1e-3)
  local left = ""
  if rate > 0 and counts.count < counts.total then
    left = ("  %s left"):format(duration((counts.total - counts.count) / rate))
  end
  return ("%d of %d  %.0f/s%s%s"):format(counts.count, counts.total, rate, left,
    counts.failed > 0 and ("  %d failed"):format(counts.failed) or "")
end

local function draw(self, text, width)
  io.stderr:write("\r\27[K", ("%s %s"):format(self.what, text):sub(1, width - 1))
  io.stderr:flush()
  self.drawn = true
end

local function draw_bar(self, counts, width)
  local text, bar = text_of(self, counts), ""
  local room = math.min(width - #self.what - #text - 6, LONGEST_BAR)
  if room >= SHORTEST_BAR then
    local full = math.floor(room * counts.count / math.max(counts.total, 1))
    bar = ("[%s%s] "):format(("#"):rep(full), ("-"):rep(room - full))
  end
  draw(self, bar .. text, width)
end

-- Whether it is time for another look.
local function is_due(self, every)
  local now = core.monotonic()
  if now - self.shown_at < every then return false end
  self.shown_at = now
  return true
end

--- Shows, on a terminal, what comes before the job, which begins after the last time that this is
-- called.
-- @tparam string text
function methods:prepare(text)
  local width = output.terminal(2)
  if not self.quiet and width and is_due(self, DRAW_EVERY) then draw(self, text, width) end
  self.started = core.monotonic()
end

--- Shows how far it is, if it is time to.
-- @tparam table counts `{ total, count, earlier, failed }`: `count` of `total` are behind us, of
-- them `earlier` before this run
function methods:show(counts)
  local width = output.terminal(2)
  if self.quiet or not is_due(self, width and DRAW_EVERY or LINE_EVERY) then return end
  if width then return draw_bar(self, counts, width) end
  output.note(self.what .. ": " .. text_of(self, counts))
end

--- Takes back what was drawn.
function methods:clear()
  if self.drawn then io.stderr:write("\r\27[K") end
  self.drawn = false
end

--- Says something in a line of its own.
-- @tparam string text
function methods:note(text)
  if self.quiet then return end
  self:clear()
  output.note(text)
end

--- The last look, where there is a bar, and a line break.
-- @tparam table counts
function methods:finish(counts)
  local width = output.terminal(2)
  if self.quiet or not width then return end
  draw_bar(self, counts, width)
  io.stderr:write("\n")
  self.drawn = false
end

return M
