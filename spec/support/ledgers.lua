-- Ledgers for specs: on SQLite, and on PostgreSQL where it is there. A database is closed and
-- removed by `close_all`.

local ledger = require "usher.ledger"
local postgres = require "spec.support.postgres"

local M = {}

local opened, files = {}, {}

--- The databases to try, by name: a function that names a fresh one.
M.kinds = {
  {
    name = "SQLite",
    dsn = function()
      local path = os.tmpname()
      os.remove(path)
      files[#files + 1] = path
      return path
    end,
  },
}
if postgres.is_there then M.kinds[2] = { name = "PostgreSQL", dsn = postgres.dsn } end

--- Opens a ledger that `close_all` closes.
function M.open(dsn, options)
  local opened_one = assert(ledger.open(dsn, options))
  opened[#opened + 1] = opened_one
  return opened_one
end

--- A fresh ledger on SQLite.
function M.fresh(options)
  return M.open(M.kinds[1].dsn(), options)
end

function M.close_all()
  for _, each in ipairs(opened) do each:close() end
  for _, path in ipairs(files) do
    for _, ending in ipairs{ "", "-wal", "-shm" } do os.remove(path .. ending) end
  end
  opened, files = {}, {}
end

M.stop = postgres.stop

return M
