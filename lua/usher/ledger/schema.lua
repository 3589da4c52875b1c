--- The tables of a ledger and how they came to be: one list of statements a
-- version, run forward, each version in a transaction. Nothing here reads or
-- writes a case.
-- @module usher.ledger.schema

local M = {}

-- Numbers are counted by us, under the lock of the row in `heads`: a sequence of the database
-- would leave gaps, and a gap is what a deleted case looks like.
local VERSIONS = {
  {
    [[CREATE TABLE heads (
      name TEXT PRIMARY KEY,
      cases INTEGER NOT NULL,
      entries INTEGER NOT NULL,
      runs INTEGER NOT NULL,
      hash TEXT NOT NULL
    )]],
    [[CREATE TABLE runs (
      number INTEGER PRIMARY KEY,
      host TEXT NOT NULL,
      process INTEGER NOT NULL,
      started_at DOUBLE PRECISION NOT NULL
    )]],
    [[CREATE TABLE cases (
      number INTEGER PRIMARY KEY,
      run INTEGER NOT NULL REFERENCES runs (number),
      provider TEXT NOT NULL,
      verb TEXT NOT NULL,
      user_id TEXT,
      room TEXT,
      moderator TEXT,
      reason TEXT,
      rule TEXT,
      plan TEXT,
      opened_at DOUBLE PRECISION NOT NULL,
      expires_at DOUBLE PRECISION,
      lift TEXT,
      lifts INTEGER REFERENCES cases (number),
      details TEXT,
      hash TEXT NOT NULL,
      outcome TEXT,
      message TEXT,
      closed_at DOUBLE PRECISION,
      lifted_by INTEGER REFERENCES cases (number),
      claimed_by INTEGER REFERENCES runs (number),
      claimed_at DOUBLE PRECISION
    )]],
    "CREATE INDEX cases_of_user ON cases (provider, user_id, room)",
    "CREATE INDEX cases_without_outcome ON cases (run) WHERE outcome IS NULL",
    [[CREATE INDEX cases_to_lift ON cases (expires_at)
      WHERE lift IS NOT NULL AND lifted_by IS NULL]],
    [[CREATE TABLE entries (
      number INTEGER PRIMARY KEY,
      case_number INTEGER NOT NULL REFERENCES cases (number),
      kind TEXT NOT NULL,
      body TEXT NOT NULL,
      previous TEXT NOT NULL,
      hash TEXT NOT NULL
    )]],
    "CREATE INDEX entries_of_case ON entries (case_number)",
    [[CREATE TABLE imports (
      number INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      started_at DOUBLE PRECISION NOT NULL
    )]],
    [[CREATE TABLE import_ranges (
      import INTEGER NOT NULL REFERENCES imports (number),
      run INTEGER NOT NULL REFERENCES runs (number),
      first_line INTEGER NOT NULL,
      last_line INTEGER NOT NULL
    )]],
    "CREATE INDEX ranges_of_import ON import_ranges (import, first_line)",
    -- no reference to imports: PostgreSQL would look it up for each row
    [[CREATE TABLE import_rows (
      import INTEGER NOT NULL,
      line INTEGER NOT NULL,
      provider TEXT NOT NULL,
      digest TEXT NOT NULL,
      state TEXT NOT NULL,
      message TEXT,
      PRIMARY KEY (import, line, provider)
    )]],
    "INSERT INTO heads (name, cases, entries, runs, hash) VALUES ('ledger', 0, 0, 0, '')",
  },
  { -- which run is at an import, and when it last said so
    "ALTER TABLE imports ADD COLUMN run INTEGER REFERENCES runs (number)",
    "ALTER TABLE imports ADD COLUMN seen_at DOUBLE PRECISION",
  },
  { -- many rows of an import in one of a table: what a row costs is what its outcome does
    [[CREATE TABLE import_outcomes (
      import INTEGER NOT NULL,
      number INTEGER NOT NULL,
      block INTEGER NOT NULL,
      provider TEXT NOT NULL,
      state TEXT NOT NULL,
      lines TEXT NOT NULL,
      digests TEXT NOT NULL,
      message TEXT,
      PRIMARY KEY (import, number)
    )]],
    "CREATE INDEX outcomes_of_block ON import_outcomes (import, block, number)",
    [[INSERT INTO import_outcomes
      (import, number, block, provider, state, lines, digests, message)
      SELECT import, ROW_NUMBER() OVER (PARTITION BY import ORDER BY line, provider), line / 1000,
        provider, state, line || '-' || line, digest, message FROM import_rows]],
    "DROP TABLE import_rows",
  },
}

--- The newest version that this usher knows.
M.VERSION = #VERSIONS

local function is_there(store)
  return (pcall(store.rows, store, "SELECT version FROM ledger_version"))
end

local function version_of(store)
  local rows = store:rows(store:locking("SELECT version FROM ledger_version"))
  return rows[1] and rows[1].version or 0
end

-- Another process may be doing the same: the second finds the table there.
local function create(store)
  local ok, problem = store:commit(function()
    store:run("CREATE TABLE ledger_version (version INTEGER NOT NULL)")
    store:run("INSERT INTO ledger_version (version) VALUES (0)")
  end)
  if not ok and not is_there(store) then return nil, problem end
  return true
end

local function step(store)
  local reached
  local ok, problem = store:commit(function()
    reached = version_of(store)
    if reached >= M.VERSION then return end
    for _, statement in ipairs(VERSIONS[reached + 1]) do store:run(statement) end
    reached = reached + 1
    store:run("UPDATE ledger_version SET version = ?", reached)
  end)
  if not ok then return nil, problem end
  return reached
end

--- Brings the tables of `store` to the newest version.
-- @tparam table store
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not; among other things when a newer usher wrote the ledger
function M.migrate(store)
  if not is_there(store) then
    local ok, problem = create(store)
    if not ok then return nil, problem end
  end
  local version, problem
  repeat
    version, problem = step(store)
    if not version then return nil, problem end
  until version >= M.VERSION
  if version == M.VERSION then return true end
  return nil, ("%s: the ledger has version %d, and this usher knows no later one than %d"):format(
    store.label, version, M.VERSION)
end

return M
