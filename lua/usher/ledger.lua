--- The record of what moderators did: every action is a case, with who, whom,
-- where, what, why, when, until when, and how it ended.
--
-- A case is committed before its call is sent and closed after the answer, so
-- whatever stops the process, the ledger knows what may have been done. The
-- cases are chained by their hashes: see `ledger:verify`.
--
-- SQLite or PostgreSQL, through LuaDBI. LuaDBI blocks, so a ledger is not for
-- nginx: act there without one, or hand the action to a process that has one.
-- @module usher.ledger

local core = require "usher.core"
local chain = require "usher.ledger.chain"
local duplicates = require "usher.ledger.duplicates"
local imports = require "usher.ledger.imports"
local schema = require "usher.ledger.schema"
local stores = require "usher.ledger.store"
local texts = require "usher.ledger.text"

local ngx = rawget(_G, "ngx")
local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local M = {}

-- A claim of another host, whose processes we cannot see, counts for so long, in seconds.
local CLAIM_LIFETIME = 600

-- The runs that this process has opened, by ledger: theirs are not left behind.
local own_runs = {}

local methods = {}
local metatable = { __name = "usher.ledger", __index = methods }

function metatable:__tostring()
  return tostring(self.store)
end

-- This process, as a row of `runs`: whose cases have no outcome and no process were left behind.
local function register(self)
  local process, host = core.process()
  return self.store:commit(function()
    local head = chain.head(self.store)
    head.runs = head.runs + 1
    self.store:run("INSERT INTO runs (number, host, process, started_at) VALUES (?, ?, ?, ?)",
      head.runs, host, process, self.clock())
    self.run, self.host = head.runs, host
    own_runs[self.store.label .. "\0" .. head.runs] = true
  end)
end

local option_types = { clock = "function", durable = "boolean" }

local function check_options(options)
  for name, value in pairs(options) do
    local expected = option_types[name]
    if not expected then
      error(("usher.ledger: unknown option '%s'"):format(tostring(name)), 3)
    elseif type(value) ~= expected then
      error(("usher.ledger: %s must be a %s"):format(name, expected), 3)
    end
  end
end

--- Opens a ledger, and makes or migrates its tables.
-- @tparam string dsn a file's path (SQLite), or `postgres://user:password@host:port/database`
-- @tparam[opt] table options `clock` (Unix seconds), `durable` (true: a commit survives a loss of
-- power; false: only the end of the process, and is faster)
-- @treturn ?table ledger
-- @treturn[2] nil
-- @treturn[2] string why not
-- @usage local ledger = assert(usher.ledger.open("moderation.db"))
function M.open(dsn, options)
  options = options or {}
  check_options(options)
  if ngx then
    error("usher.ledger: the database would block nginx: act without a ledger here, or hand "
      .. "the action to a process that has one", 2)
  end
  local target, wrong = stores.parse(dsn)
  if not target then error("usher.ledger: " .. wrong, 2) end
  local store, problem = stores.open(target, options)
  if not store then return nil, problem end
  local self = setmetatable({
    store = store, clock = options.clock or core.now,
    opened = {}, -- by number, the cases of ours that are not closed yet
  }, metatable)
  chain.attach(store)
  local ok
  ok, problem = schema.migrate(store)
  if ok then ok, problem = register(self) end
  if ok then return self end
  store:close()
  return nil, problem
end

local function insert(store, number, hash, columns)
  local names, marks, values = { "number", "hash" }, { "?", "?" }, { number, hash }
  for _, name in ipairs(chain.OPENED) do
    if columns[name] ~= nil then
      names[#names + 1], marks[#marks + 1] = name, "?"
      values[#values + 1] = columns[name]
    end
  end
  store:run(("INSERT INTO cases (%s) VALUES (%s)"):format(table.concat(names, ", "),
    table.concat(marks, ", ")), unpack(values))
end

-- What says whom and where must be kept as it is; else the wrong one would be taken back one day.
local IDS = { "provider", "verb", "user_id", "room", "plan", "lift" }

-- The columns of a case as they are kept, or nil and why they cannot be.
local function columns_of(self, case)
  local columns = { run = self.run, opened_at = self.clock() }
  for _, name in ipairs(chain.OPENED) do
    local value = case[name]
    if value ~= nil then columns[name] = type(value) == "string" and texts.clean(value) or value end
  end
  for _, name in ipairs(IDS) do
    if case[name] ~= nil and columns[name] ~= case[name] then
      return nil, ("the %s holds bytes that a ledger cannot keep (a NUL, or what is not UTF-8)")
        :format(name)
    end
  end
  if type(columns.details) == "table" then
    columns.details = core.encode(texts.clean_all(columns.details))
  end
  return columns
end

local function append(store, columns)
  local head = chain.head(store)
  local number = head.cases + 1
  head.cases = number
  chain.append(store, number, "opened", columns, function(hash)
    insert(store, number, hash, columns) -- the entry refers to it
  end)
  return number
end

--- Opens a case: call it before the action, and act when it has returned.
-- @tparam table case `provider`, `verb`, and as they apply `user_id`, `room`, `moderator`,
-- `reason`, `rule`, `plan`, `expires_at` (Unix seconds), `lift` (the verb with which usher itself
-- ends it then), `lifts` (the case that it takes back), `details` (a table; `details.index` is the
-- number of an action of the plan)
-- @tparam[opt] boolean is_due true: of a case that was claimed because its time is over
-- @treturn ?integer the case's number; it is committed
-- @treturn[2] nil
-- @treturn[2] string why it could not be written: do not act
-- @treturn[2] ?integer the case that has done the same, or is about to: of one action of a plan,
-- and of what takes one case back, there is one that did not fail
function methods:open_case(case, is_due)
  local columns, refusal = columns_of(self, case)
  if not columns then return nil, refusal end
  local number, other
  local ok, problem = self.store:commit(function()
    chain.head(self.store) -- its lock: what is read here stays so
    number, other = nil, duplicates.find(self.store, case, is_due and self.run)
    if not other then number = append(self.store, columns) end
  end)
  if not ok then return nil, problem end
  if other then return nil, ("case %d has done it, or is about to"):format(other), other end
  self.opened[number] = true
  return number
end

local function close_now(store, number, columns)
  chain.head(store) -- its lock: another process may settle the same case
  local case = store:rows("SELECT outcome, lifts FROM cases WHERE number = ?", number)[1]
  if not case or case.outcome then return end
  chain.append(store, number, "closed", columns)
  store:run("UPDATE cases SET outcome = ?, message = ?, closed_at = ? WHERE number = ?",
    columns.outcome, columns.message, columns.closed_at, number)
  if case.lifts and columns.outcome == "done" then
    store:run("UPDATE cases SET lifted_by = ? WHERE number = ?", number, case.lifts)
  end
end

local function closing(self, outcome, message)
  return { outcome = outcome, message = message and texts.clean(message), closed_at = self.clock() }
end

--- Closes a case. It is committed with the next case that is opened, or by `flush`: were it lost,
-- the case would be settled by reading the provider's state.
-- @tparam integer number
-- @tparam string outcome `"done"`, `"failed"` (surely not done), `"skipped"` or `"unknown"`
-- @tparam[opt] string message why
function methods:close_case(number, outcome, message)
  local columns = closing(self, outcome, message)
  self.opened[number] = nil
  self.store:later(function() close_now(self.store, number, columns) end, nil, true)
end

--- Writes down a case of which nothing is sent, with its outcome, in one transaction: no moment is
-- left in which it looks like an action.
-- @tparam table case as for `open_case`
-- @tparam string outcome
-- @tparam[opt] string message
-- @treturn ?integer the case's number
-- @treturn[2] nil
-- @treturn[2] string why it could not be written
function methods:record_case(case, outcome, message)
  local columns, refusal = columns_of(self, case)
  if not columns then return nil, refusal end
  local number
  local ok, problem = self.store:commit(function()
    number = append(self.store, columns)
    close_now(self.store, number, closing(self, outcome, message))
  end)
  if ok then return number end
  return nil, problem
end

--- Commits what `close_case` was told.
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:flush()
  return self.store:flush()
end

--- Commits, and closes the database.
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string what could not be committed
function methods:close()
  own_runs[self.store.label .. "\0" .. self.run] = nil
  return self.store:close()
end

local function decoded(rows)
  for _, case in ipairs(rows) do
    if case.details then case.details = core.decode(case.details) end
  end
  return rows
end

local function read(self, sql, ...)
  local ok, problem = self.store:flush()
  if not ok then return nil, problem end
  local rows
  ok, rows = pcall(self.store.rows, self.store, sql, ...)
  if not ok and self.store:revive() then ok, rows = pcall(self.store.rows, self.store, sql, ...) end
  if ok then return decoded(rows) end
  return nil, tostring(rows)
end

--- A case.
-- @tparam integer number
-- @treturn ?table its columns: those of `open_case`, and `number`, `opened_at`, `outcome`,
-- `message`, `closed_at`, `lifted_by`, `hash`
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:case(number)
  local rows, problem = read(self, "SELECT * FROM cases WHERE number = ?", number)
  if not rows then return nil, problem end
  if rows[1] then return rows[1] end
  return nil, ("there is no case %s"):format(tostring(number))
end

-- Filters of `cases`: what stands in the table, and what it asks of a row.
local filters = {
  provider = "provider = ?", user = "user_id = ?", room = "room = ?", moderator = "moderator = ?",
  verb = "verb = ?", outcome = "outcome = ?", plan = "plan = ?", rule = "rule = ?",
  since = "opened_at >= ?", before = "opened_at < ?", after = "number > ?", up_to = "number <= ?",
  lifts = "lifts = ?",
}
local filter_names = { "provider", "user", "room", "moderator", "verb", "outcome", "plan", "rule",
  "since", "before", "after", "up_to", "lifts" }

local function conditions(wanted)
  local parts, values = {}, {}
  for _, name in ipairs(filter_names) do
    if wanted[name] ~= nil then
      parts[#parts + 1], values[#values + 1] = filters[name], wanted[name]
    end
  end
  if wanted.open then parts[#parts + 1] = "outcome IS NULL" end
  if wanted.in_force then parts[#parts + 1] = "outcome = 'done' AND lifted_by IS NULL" end
  return parts[1] and " WHERE " .. table.concat(parts, " AND ") or "", values
end

--- Cases, oldest first.
-- @tparam[opt] table wanted any of `provider`, `user`, `room`, `moderator`, `verb`, `outcome`,
-- `plan`, `rule`, `lifts`, `since` and `before` (Unix seconds), `after` and `up_to` (numbers of
-- cases), `open` (true: without an outcome), `in_force` (true: done, and not taken back), `newest`
-- (true: newest first), `limit` (1000)
-- @treturn ?{table,...}
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:cases(wanted)
  wanted = wanted or {}
  for name in pairs(wanted) do
    if not (filters[name] or name == "open" or name == "in_force" or name == "newest"
      or name == "limit") then
      error(("usher.ledger: cases cannot be chosen by '%s'"):format(tostring(name)), 2)
    end
  end
  local where, values = conditions(wanted)
  values[#values + 1] = wanted.limit or 1000
  return read(self, ("SELECT * FROM cases%s ORDER BY number%s LIMIT ?"):format(where,
    wanted.newest and " DESC" or ""), unpack(values))
end

-- Whether the process of a run is gone for sure.
local function is_gone(self, run, since)
  if own_runs[self.store.label .. "\0" .. run.number] then return false end
  if run.host == self.host then -- an earlier process may have had our number
    return run.process == core.process() or not core.is_running(run.process)
  end
  return since ~= nil and self.clock() - since > CLAIM_LIFETIME
end

--- The cases that a process opened and did not live to close.
-- @tparam[opt] string provider of one provider only
-- @treturn ?{table,...} cases
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:unsettled(provider)
  local rows, problem = read(self, "SELECT cases.*, runs.host AS run_host, "
    .. "runs.process AS run_process FROM cases JOIN runs ON runs.number = cases.run "
    .. "WHERE outcome IS NULL ORDER BY cases.number")
  if not rows then return nil, problem end
  local left = {}
  for _, case in ipairs(rows) do
    local run = { number = case.run, host = case.run_host, process = case.run_process }
    case.run_host, case.run_process = nil, nil
    local is_left = is_gone(self, run, case.opened_at)
    -- of our own those whose outcome could not be written
    if case.run == self.run then is_left = not self.opened[case.number] end
    if is_left and (provider or case.provider) == case.provider then
      left[#left + 1] = case
    end
  end
  return left
end

-- What may have been done is lifted too. A case given back waits until `claimed_at`.
local DUE = "SELECT cases.*, runs.host AS run_host, runs.process AS run_process "
  .. "FROM cases LEFT JOIN runs ON runs.number = cases.claimed_by "
  .. "WHERE lift IS NOT NULL AND lifted_by IS NULL AND outcome IN ('done', 'unknown') "
  .. "AND expires_at <= ? AND provider = ? AND cases.number > ? "
  .. "AND (claimed_by IS NOT NULL OR claimed_at IS NULL OR claimed_at <= ?) "
  .. "AND NOT EXISTS (" .. duplicates.SUPERSEDES .. ") ORDER BY cases.number LIMIT ?"

local function claim(self, case, now)
  local free = "claimed_by IS NULL"
  local values = { self.run, now, case.number }
  if case.claimed_by then
    local holder = { number = case.claimed_by, host = case.run_host, process = case.run_process }
    if not is_gone(self, holder, case.claimed_at) then return false end
    free = "claimed_by = ?"
    values[4] = case.claimed_by
  end
  return self.store:run("UPDATE cases SET claimed_by = ?, claimed_at = ? WHERE number = ? "
    .. "AND lifted_by IS NULL AND " .. free, unpack(values)) == 1
end

--- Claims cases whose time is over and that usher has to lift itself: of several processes, one
-- gets each. What a newer sanction of the same user and place has replaced is not due.
-- @tparam string provider
-- @tparam[opt] integer limit at most so many (100)
-- @tparam[opt] integer after cases with greater numbers only
-- @treturn ?{table,...} the cases that are this process' to lift
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:claim_due(provider, limit, after)
  local claimed
  local now = self.clock()
  local ok, problem = self.store:commit(function()
    claimed = {}
    chain.head(self.store) -- its lock
    local rows = self.store:rows(DUE, now, provider, after or 0, now, limit or 100)
    for _, case in ipairs(rows) do
      if claim(self, case, now) then claimed[#claimed + 1] = case end
    end
  end)
  if not ok then return nil, problem end
  return decoded(claimed)
end

--- The cases that `claim_due` would give, without a claim.
-- @tparam string provider
-- @treturn ?{table,...}
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:due(provider)
  local now = self.clock()
  return read(self, DUE, now, provider, 0, now, 1000000)
end

--- Gives a claimed case back: it could not be lifted now.
-- @tparam integer number
-- @tparam[opt] number seconds in which it is not due again
function methods:release(number, seconds)
  local not_before = seconds and self.clock() + seconds
  self.store:later(function()
    self.store:run("UPDATE cases SET claimed_by = NULL, claimed_at = ? WHERE number = ? "
      .. "AND claimed_by = ?", not_before, number, self.run)
  end, nil, true)
end

-- The entry that has a hash, or what it means that there is none.
local function find_entry(store, hash)
  local row = store:rows("SELECT number FROM entries WHERE hash = ?", hash)[1]
  if row then return row.number end
  return nil, { kind = "rewritten",
    message = "no entry has the hash that is expected: what was written then is gone" }
end

--- Looks whether the ledger is as it was written.
-- @tparam[opt] string expected a head that was noted elsewhere: it must be in the chain, which then
-- was not written anew
-- @treturn ?table `{ cases, entries, hash, expected }`: the head, to be noted elsewhere, and the
-- entry that is expected
-- @treturn[2] nil
-- @treturn[2] string what the first wrong case is
-- @treturn[2] ?table `{ kind, case, entry, message }`; nil when the database could not be read
function methods:verify(expected)
  local found, head, entry
  local ok, problem = self.store:commit(function()
    found, head = chain.verify(self.store)
    if not found and expected then entry, found = find_entry(self.store, expected) end
  end)
  if not ok then return nil, problem end
  if found then return nil, found.message, found end
  return { cases = head.cases, entries = head.entries, hash = head.hash, expected = entry }
end

--- What is known of a run whose process is not gone for sure.
-- @tparam integer number
-- @tparam ?number since when it was last seen
-- @treturn ?table `{ number, host, process }`; nil when it is gone
function methods:living(number, since)
  local run = self.store:rows("SELECT number, host, process FROM runs WHERE number = ?", number)[1]
  return run and not is_gone(self, run, since) and run or nil
end

--- The journal of an import: see `usher.ledger.imports`.
-- @tparam string name of what is imported; the same name goes on with the same journal
-- @tparam[opt] boolean to_write true: to import, which only one at a time may; `leave` it then
-- @treturn ?table
-- @treturn[2] nil
-- @treturn[2] string why not
function methods:import(name, to_write)
  return imports.open(self, name, to_write)
end

return M
