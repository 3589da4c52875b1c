--- The journal of an import: what became of each row of a file, for each
-- provider, so that an import that was stopped goes on where it was.
--
-- Before rows are sent the range of their lines is noted; what became of them
-- follows. A line that is in a range and has no outcome may have been sent.
-- @module usher.ledger.imports

local chain = require "usher.ledger.chain"

local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local M = {}

local PAGE = 1000 -- lines of the journal that are read at a time
local SIZES = { 200, 20, 5, 1 } -- rows of a statement: each size is prepared once

local methods = {}
local metatable = { __name = "usher.ledger.import", __index = methods }

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
    page = {}, first = 1, last = 0, -- the lines of the page that was read
    ended = nil, -- what ended and waits for the next transaction
  }, metatable)
end

local function load_page(self, line)
  local page = {}
  local rows = self.store:rows("SELECT line, provider, digest, state, message FROM import_rows "
    .. "WHERE import = ? AND line >= ? AND line < ? ORDER BY line", self.number, line, line + PAGE)
  for _, row in ipairs(rows) do
    page[row.line] = page[row.line] or {}
    page[row.line][row.provider] = row
  end
  self.page, self.first, self.last = page, line, line + PAGE - 1
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
  if line < self.first or line > self.last then
    local ok, problem = pcall(load_page, self, line)
    if not ok then return nil, tostring(problem) end
  end
  return self.page[line] or NOTHING, nil, was_begun(self, line)
end

-- Calls `write(first, size)` for pieces of `count` rows.
local function in_pieces(count, write)
  local first = 1
  for _, size in ipairs(SIZES) do
    while count - first + 1 >= size do
      write(first, size)
      first = first + size
    end
  end
end

-- `values` are, for each row, those of its columns but the last.
local function write_done(self, values)
  in_pieces(#values / 4, function(first, size)
    self.store:run("INSERT INTO import_rows (import, line, provider, digest, state) VALUES "
      .. ("(?, ?, ?, ?, 'done'), "):rep(size - 1) .. "(?, ?, ?, ?, 'done') "
      .. "ON CONFLICT (import, line, provider) DO UPDATE SET state = 'done', "
      .. "digest = excluded.digest, message = NULL", unpack(values, 4 * first - 3,
      4 * (first + size - 1)))
  end)
end

local function write_failed(self, row)
  self.store:run("INSERT INTO import_rows (import, line, provider, digest, state, message) "
    .. "VALUES (?, ?, ?, ?, 'failed', ?) ON CONFLICT (import, line, provider) DO UPDATE "
    .. "SET state = 'failed', digest = excluded.digest, message = excluded.message", self.number,
    row.line, row.provider, row.digest, row.message)
end

local function write_ended(self, ended)
  write_done(self, ended.done)
  for _, row in ipairs(ended.failed) do write_failed(self, row) end
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

--- Notes that a row was put there; committed with what comes next, or by the ledger's `flush`. Were
-- it lost, the row would be one that may have been sent.
-- @tparam integer line
-- @tparam string provider
-- @tparam string digest of what was sent
function methods:done(line, provider, digest)
  local values = ended_of(self).done
  local at = #values
  values[at + 1], values[at + 2] = self.number, line
  values[at + 3], values[at + 4] = provider, digest
end

--- Notes that a row was surely not put there; committed as by `done`.
-- @tparam integer line
-- @tparam string provider
-- @tparam string digest of what was sent
-- @tparam string message why
function methods:failed(line, provider, digest, message)
  table.insert(ended_of(self).failed,
    { line = line, provider = provider, digest = digest, message = message })
end

--- How many rows are in which state, by provider.
-- @treturn {[string]={[string]=integer}}
function methods:summary()
  local counts = {}
  for _, row in ipairs(self.store:rows("SELECT provider, state, COUNT(*) AS count "
    .. "FROM import_rows WHERE import = ? GROUP BY provider, state", self.number)) do
    counts[row.provider] = counts[row.provider] or {}
    counts[row.provider][row.state] = tonumber(row.count)
  end
  return counts
end

return M
