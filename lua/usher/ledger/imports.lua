--- The journal of an import: what became of each row of a file, for each
-- provider, so that an import that was stopped goes on where it was.
--
-- Before rows are sent the range of their lines is noted; what became of them
-- follows, for many lines in one row of a table. A line that is in a range and has no outcome may
-- have been sent.
-- @module usher.ledger.imports

local chain = require "usher.ledger.chain"

local M = {}

-- Lines whose outcomes are kept and read together. Version 3 of the tables was filled with it.
local BLOCK = 1000

local methods = {}
local metatable = { __name = "usher.ledger.import", __index = methods }

local function block_of(line)
  return math.floor(line / BLOCK)
end

local function find(store, name)
  return store:rows("SELECT number, run, seen_at FROM imports WHERE name = ?", name)[1]
end

-- Raises who is at an import, if anybody.
local function refuse_second(ledger, name, import)
  local run = import and import.run and ledger:living(import.run, import.seen_at)
  if not run then return end
  error(("%s is being imported by process %d of %s"):format(name, run.process, run.host), 0)
end

-- The ranges that earlier runs noted, in order, those that touch as one.
local function read_ranges(store, number)
  local ranges = {}
  for _, row in ipairs(store:rows("SELECT first_line, last_line FROM import_ranges "
    .. "WHERE import = ? ORDER BY first_line", number)) do
    local last = ranges[#ranges]
    if last and row.first_line <= last.last + 1 then
      last.last = math.max(last.last, row.last_line)
    else
      ranges[#ranges + 1] = { first = row.first_line, last = row.last_line }
    end
  end
  return ranges
end

--- Opens the journal `name`, or begins it.
-- @tparam table ledger
-- @tparam string name
-- @tparam[opt] boolean to_write true: to import, which only one at a time may
-- @treturn ?table
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(ledger, name, to_write)
  local store, number, resumed, ranges = ledger.store, nil, nil, nil
  local ok, problem = store:commit(function()
    chain.head(store) -- its lock: another process may begin one too
    local import = find(store, name)
    resumed = import ~= nil
    if to_write then refuse_second(ledger, name, import) end
    number = import and import.number
      or (store:rows("SELECT MAX(number) AS last FROM imports")[1].last or 0) + 1
    ranges = resumed and read_ranges(store, number) or {}
    if not resumed then
      store:run("INSERT INTO imports (number, name, started_at) VALUES (?, ?, ?)", number, name,
        ledger.clock())
    end
    if to_write then
      store:run("UPDATE imports SET run = ?, seen_at = ? WHERE number = ?", ledger.run,
        ledger.clock(), number)
    end
  end)
  if not ok then return nil, problem end
  return setmetatable({
    store = store, number = number, run = ledger.run, clock = ledger.clock,
    resumed = resumed, -- it had been begun before
    ranges = ranges, range = 1, -- those of earlier runs, and where we are in them
    block = nil, rows = {}, -- the block that was read, and what is known of its lines
    digests = function(_, texts) return table.concat(texts, " ") end, -- see digest_with
    ended = nil, -- what ended and waits for the next transaction
  }, metatable)
end

-- Calls `take(line, digest)` for each line of an outcome.
local function each_line(outcome, take)
  local digests = outcome.digests:gmatch("%S+")
  for first, last in outcome.lines:gmatch("(%d+)-(%d+)") do
    for line = tonumber(first), tonumber(last) do take(line, digests()) end
  end
end

-- What is known of the lines of a block: the latest outcome of each counts.
local function read_block(self, block)
  local rows = {}
  for _, outcome in ipairs(self.store:rows("SELECT provider, state, lines, digests, message "
    .. "FROM import_outcomes WHERE import = ? AND block = ? ORDER BY number", self.number,
    block)) do
    each_line(outcome, function(line, digest)
      rows[line] = rows[line] or {}
      rows[line][outcome.provider] = { digest = digest, state = outcome.state,
        message = outcome.message }
    end)
  end
  return rows
end

local function was_begun(self, line)
  while self.ranges[self.range] and self.ranges[self.range].last < line do
    self.range = self.range + 1
  end
  local range = self.ranges[self.range]
  return range ~= nil and range.first <= line
end

local NOTHING = {}

--- What earlier runs wrote of a line. Lines are asked for in order.
-- @tparam integer line
-- @treturn ?{[string]=table} by provider: `{ digest, state, message }`; the state is `"done"` or
-- `"failed"`
-- @treturn[2] nil
-- @treturn[2] string why it could not be read
-- @treturn boolean whether it was about to be sent, and may have been
function methods:earlier(line)
  if not self.resumed then return NOTHING, nil, false end
  local block = block_of(line)
  if block ~= self.block then
    local ok, rows = pcall(read_block, self, block)
    if not ok then return nil, tostring(rows) end
    self.block, self.rows = block, rows
  end
  return self.rows[line] or NOTHING, nil, was_begun(self, line)
end

local function last_number(self)
  return self.store:rows("SELECT MAX(number) AS last FROM import_outcomes WHERE import = ?",
    self.number)[1].last or 0
end

local function write_outcome(self, number, block, outcome)
  self.store:run("INSERT INTO import_outcomes "
    .. "(import, number, block, provider, state, lines, digests, message) "
    .. "VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self.number, number, block, outcome.provider,
    outcome.state, outcome.lines, outcome.digests, outcome.message)
end

-- The rows of a block that are done, put together: `lines` as in "2-40 42-42".
local function packed(self, provider, block, rows)
  local lines, texts, count, first = {}, {}, 0, nil
  local before = block * BLOCK - 1 -- the line before those of the block
  for at = 1, BLOCK + 1 do -- one beyond it ends what came last
    local text = rows[at]
    if text then
      first, count = first or at, count + 1
      texts[count] = text
    elseif first then
      lines[#lines + 1] = ("%d-%d"):format(before + first, before + at - 1)
      first = nil
    end
  end
  return { provider = provider, state = "done", lines = table.concat(lines, " "),
    digests = self.digests(provider, texts) }
end

local function write_ended(self, ended)
  local number = last_number(self)
  for provider, blocks in pairs(ended.done) do
    for block, rows in pairs(blocks) do
      number = number + 1
      write_outcome(self, number, block, packed(self, provider, block, rows))
    end
  end
  for _, row in ipairs(ended.failed) do
    number = number + 1
    write_outcome(self, number, block_of(row.line), { provider = row.provider, state = "failed",
      lines = ("%d-%d"):format(row.line, row.line),
      digests = self.digests(row.provider, { row.text }), message = row.message })
  end
end

-- What ended since the last transaction.
local function ended_of(self)
  if not self.ended then
    local ended = { done = {}, failed = {} }
    self.ended = ended
    self.store:later(function() write_ended(self, ended) end, function() self.ended = nil end)
  end
  return self.ended
end

--- Notes that the rows of some lines are about to be sent. It is committed, with what ended before,
-- when it returns.
-- @tparam integer first
-- @tparam integer last
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not: do not send
function methods:begin(first, last)
  self.store:later(function()
    self.store:run("INSERT INTO import_ranges (import, run, first_line, last_line) "
      .. "VALUES (?, ?, ?, ?)", self.number, self.run, first, last)
    self.store:run("UPDATE imports SET seen_at = ? WHERE number = ?", self.clock(), self.number)
  end)
  return self.store:flush()
end

--- Lets others import: call it at the end; committed as by `done`.
function methods:leave()
  self.store:later(function()
    self.store:run("UPDATE imports SET run = NULL WHERE number = ? AND run = ?", self.number,
      self.run)
  end)
end

--- Takes back that lines were about to be sent; committed as by `done`.
-- @tparam integer first as it was begun
-- @tparam integer sent the last line that may have been sent
function methods:take_back(first, sent)
  self.store:later(function()
    if sent < first then
      self.store:run("DELETE FROM import_ranges WHERE import = ? AND run = ? AND first_line = ?",
        self.number, self.run, first)
    else
      self.store:run("UPDATE import_ranges SET last_line = ? WHERE import = ? AND run = ? "
        .. "AND first_line = ?", sent, self.number, self.run, first)
    end
  end)
end

--- Tells how digests are made of what `done` and `failed` are given, many at a time; without it
-- they are given the digests themselves, which hold no space.
-- @tparam function digests called with a provider and a list of texts; returns theirs in one text,
-- with spaces between
function methods:digest_with(digests)
  self.digests = digests
end

--- Notes that a row was put there; committed with what comes next, or by the ledger's `flush`. Were
-- it lost, the row would be one that may have been sent.
-- @tparam integer line
-- @tparam string provider
-- @tparam string text what was sent; its digest is kept
function methods:done(line, provider, text)
  local done, block = ended_of(self).done, block_of(line)
  local blocks = done[provider] or {}
  local rows = blocks[block] or {}
  done[provider], blocks[block], rows[line - block * BLOCK + 1] = blocks, rows, text
end

--- Notes that a row was surely not put there; committed as by `done`.
-- @tparam integer line
-- @tparam string provider
-- @tparam string text what was sent; its digest is kept
-- @tparam string message why
function methods:failed(line, provider, text, message)
  table.insert(ended_of(self).failed,
    { line = line, provider = provider, text = text, message = message })
end

--- How many rows are in which state, by provider.
-- @treturn {[string]={[string]=integer}}
function methods:summary()
  local counts = {}
  for _, of in ipairs(self.store:rows("SELECT DISTINCT block FROM import_outcomes "
    .. "WHERE import = ?", self.number)) do
    for _, row in pairs(read_block(self, of.block)) do
      for provider, outcome in pairs(row) do
        local of_provider = counts[provider] or {}
        counts[provider] = of_provider
        of_provider[outcome.state] = (of_provider[outcome.state] or 0) + 1
      end
    end
  end
  return counts
end

return M
