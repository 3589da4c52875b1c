--- The journal of an import: what became of each row of a file, for each
-- provider, so that an import that was stopped goes on where it was.
-- @module usher.ledger.imports

local chain = require "usher.ledger.chain"

local M = {}

local PAGE = 1000 -- rows of the journal that are read at a time
local SIZES = { 64, 8, 1 } -- rows of a statement: each size is prepared once

local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local methods = {}
local metatable = { __name = "usher.ledger.import", __index = methods }

local function number_of(store, name)
  local row = store:rows("SELECT number FROM imports WHERE name = ?", name)[1]
  return row and row.number
end

--- Opens the journal `name`, or begins it.
-- @tparam table ledger
-- @tparam string name
-- @treturn ?table
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(ledger, name)
  local store, number, resumed = ledger.store, nil, nil
  local ok, problem = store:commit(function()
    number = number_of(store, name)
    resumed = number ~= nil
    if resumed then return end
    chain.head(store) -- its lock: another process may begin one too
    number = number_of(store, name)
    if number then return end
    number = (store:rows("SELECT MAX(number) AS last FROM imports")[1].last or 0) + 1
    store:run("INSERT INTO imports (number, name, started_at) VALUES (?, ?, ?)", number, name,
      ledger.clock())
  end)
  if not ok then return nil, problem end
  return setmetatable({
    store = store, number = number,
    resumed = resumed, -- it had been begun before
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

--- What earlier runs wrote of a line. Lines are asked for in order.
-- @tparam integer line
-- @treturn ?{[string]=table} by provider: `{ digest, state, message }`; state `"begun"`, `"done"`
-- or `"failed"`
-- @treturn[2] nil
-- @treturn[2] string why it could not be read
function methods:earlier(line)
  if not self.resumed then return {} end
  if line < self.first or line > self.last then
    local ok, problem = pcall(load_page, self, line)
    if not ok then return nil, tostring(problem) end
  end
  return self.page[line] or {}
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

local function begin_piece(self, rows, first, size)
  local values = {}
  for index = first, first + size - 1 do
    local row, at = rows[index], #values
    values[at + 1], values[at + 2] = self.number, row.line
    values[at + 3], values[at + 4] = row.provider, row.digest
  end
  self.store:run("INSERT INTO import_rows (import, line, provider, digest, state) VALUES "
    .. ("(?, ?, ?, ?, 'begun'), "):rep(size - 1) .. "(?, ?, ?, ?, 'begun') "
    .. "ON CONFLICT (import, line, provider) DO UPDATE SET state = 'begun', "
    .. "digest = excluded.digest, message = NULL", unpack(values))
end

--- Notes that rows are about to be sent. All are committed, in one transaction, when it returns.
-- @tparam {table,...} rows `{ line, provider, digest }`, the digest of what is sent
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not: do not send
function methods:begin(rows)
  self.store:later(function()
    in_pieces(#rows, function(first, size) begin_piece(self, rows, first, size) end)
  end)
  return self.store:flush()
end

-- A statement with the lines of rows, provider by provider.
local function run_for_lines(self, sql, rows)
  local lines = {}
  for _, row in ipairs(rows) do
    lines[row.provider] = lines[row.provider] or {}
    table.insert(lines[row.provider], row.line)
  end
  for provider, of_provider in pairs(lines) do
    in_pieces(#of_provider, function(first, size)
      self.store:run(sql .. " WHERE import = ? AND provider = ? AND line IN ("
        .. ("?, "):rep(size - 1) .. "?)", self.number, provider,
        unpack(of_provider, first, first + size - 1))
    end)
  end
end

local function write_ended(self, ended)
  run_for_lines(self, "UPDATE import_rows SET state = 'done', message = NULL", ended.done)
  for _, row in ipairs(ended.others) do
    self.store:run("UPDATE import_rows SET state = ?, message = ? "
      .. "WHERE import = ? AND line = ? AND provider = ?", row.state, row.message, self.number,
      row.line, row.provider)
  end
end

--- Notes how it ended; committed with what comes next, or by the ledger's `flush`. Were it lost,
-- the row would be found as begun.
-- @tparam integer line
-- @tparam string provider
-- @tparam string state `"done"` or `"failed"`
-- @tparam[opt] string message
function methods:finish(line, provider, state, message)
  if not self.ended then
    local ended = { done = {}, others = {} }
    self.ended = ended
    self.store:later(function() write_ended(self, ended) end, function() self.ended = nil end)
  end
  table.insert(state == "done" and self.ended.done or self.ended.others,
    { line = line, provider = provider, state = state, message = message })
end

--- Takes back what `begin` noted of rows that were not sent; committed as by `finish`.
-- @tparam {table,...} rows `{ line, provider }`
function methods:take_back(rows)
  self.store:later(function() run_for_lines(self, "DELETE FROM import_rows", rows) end)
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
