--- The journal of an import: what became of each row of a file, for each
-- provider, so that an import that was stopped goes on where it was.
-- @module usher.ledger.imports

local M = {}

local PAGE = 1000 -- rows of the journal that are read at a time

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
    number = (store:rows("SELECT MAX(number) AS last FROM imports")[1].last or 0) + 1
    store:run("INSERT INTO imports (number, name, started_at) VALUES (?, ?, ?)", number, name,
      ledger.clock())
  end)
  if not ok then return nil, problem end
  return setmetatable({
    store = store, number = number,
    resumed = resumed, -- it had been begun before
    page = {}, first = 1, last = 0, -- the lines of the page that was read
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
-- @treturn {[string]=table} by provider: `{ digest, state, message }`; state `"begun"`, `"done"`
-- or `"failed"`
function methods:earlier(line)
  if not self.resumed then return {} end
  if line < self.first or line > self.last then load_page(self, line) end
  return self.page[line] or {}
end

--- Notes that a row is about to be sent. Committed when it returns.
-- @tparam integer line
-- @tparam string provider
-- @tparam string digest of the row's content
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not: do not send
function methods:begin(line, provider, digest)
  return self.store:commit(function()
    if self.resumed and self.store:run("UPDATE import_rows SET state = 'begun', digest = ?, "
      .. "message = NULL WHERE import = ? AND line = ? AND provider = ?", digest, self.number, line,
      provider) == 1 then return end
    self.store:run("INSERT INTO import_rows (import, line, provider, digest, state) "
      .. "VALUES (?, ?, ?, ?, 'begun')", self.number, line, provider, digest)
  end)
end

--- Notes how it ended; committed with what comes next, or by the ledger's `flush`.
-- @tparam integer line
-- @tparam string provider
-- @tparam string state `"done"` or `"failed"`
-- @tparam[opt] string message
function methods:finish(line, provider, state, message)
  self.store:later(function()
    self.store:run("UPDATE import_rows SET state = ?, message = ? "
      .. "WHERE import = ? AND line = ? AND provider = ?", state, message, self.number, line,
      provider)
  end)
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
