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
local cases = require "usher.ledger.cases"
local chain = require "usher.ledger.chain"
local claims = require "usher.ledger.claims"
local duplicates = require "usher.ledger.duplicates"
local imports = require "usher.ledger.imports"
local schema = require "usher.ledger.schema"
local stores = require "usher.ledger.store"
local texts = require "usher.ledger.text"

local ngx = rawget(_G, "ngx")
local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143

local M = {}

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
    claims.own(self)
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
  claims.disown(self)
  return self.store:close()
end

for _, part in ipairs{ cases, claims } do
  for name, method in pairs(part.methods) do methods[name] = method end
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
