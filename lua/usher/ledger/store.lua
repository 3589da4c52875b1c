--- The database under a ledger: SQLite or PostgreSQL through LuaDBI, prepared
-- statements only, and one transaction for many writers (group commit).
-- Nothing here knows what a case is. LuaDBI blocks while it waits for the
-- database, so nothing here belongs into nginx.
--
-- LuaDBI reads an SQLite integer as 32 bits: times are kept as doubles, and
-- whatever a provider calls an id as text.
-- @module usher.ledger.store

local scheduler = require "usher.scheduler"

local M = {}

local TRIES = 5 -- transactions in which a write that is to be kept is tried

local store_methods = {}
local store_mt = { __name = "usher.ledger.store", __index = store_methods }

local dialects = {
  SQLite3 = {
    begin = "BEGIN IMMEDIATE", -- a reader that became a writer could deadlock
    for_update = "",
    setup = {
      "PRAGMA busy_timeout = 30000", "PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON",
    },
    durable = "PRAGMA synchronous = FULL",
    relaxed = "PRAGMA synchronous = NORMAL",
  },
  PostgreSQL = {
    begin = "BEGIN",
    for_update = " FOR UPDATE",
    setup = {},
    durable = "SET synchronous_commit = on",
    relaxed = "SET synchronous_commit = off",
  },
}

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- postgres://[user[:password]@]host[:port]/database
local function parse_url(rest)
  local authority, database = rest:match("^([^/]*)/([^/?#]+)$")
  if not authority then
    return nil, "a PostgreSQL ledger is named postgres://user:password@host:port/database"
  end
  local login, place = authority:match("^(.*)@([^@]*)$")
  place = place or authority
  local user, password = (login or ""):match("^([^:]*):?(.*)$")
  local host, port = place:match("^(.-):?(%d*)$")
  return {
    driver = "PostgreSQL", label = ("postgres://%s/%s"):format(place, database),
    database = decoded(database), user = decoded(user), password = decoded(password),
    host = decoded(host), port = port ~= "" and port or "5432",
  }
end

--- Takes the name of a ledger apart.
-- @tparam string dsn
-- @treturn ?table target for `open`
-- @treturn[2] nil
-- @treturn[2] string what is wrong with the name
function M.parse(dsn)
  if type(dsn) ~= "string" or dsn == "" then
    return nil, "the ledger must be a file's path, or postgres://..."
  end
  local rest = dsn:match("^postgres://(.+)$") or dsn:match("^postgresql://(.+)$")
  if rest then return parse_url(rest) end
  local path = dsn:match("^sqlite:(.+)$") or dsn
  local scheme = path:match("^(%a[%w+.-]*)://")
  if scheme then return nil, "no database of usher's speaks " .. scheme end
  return { driver = "SQLite3", label = path, database = path }
end

local function load_dbi()
  local ok, dbi = pcall(require, "DBI")
  if ok then return dbi end
  error("usher.ledger: a ledger needs LuaDBI (luarocks install luadbi-sqlite3 or "
    .. "luadbi-postgresql; Debian: lua-dbi-sqlite3, lua-dbi-postgresql)", 0)
end

-- What a driver says may quote what it was told, a password among it.
local function scrubbed(message, target)
  message = tostring(message):gsub("%s+$", "")
  local password = target.password or ""
  if password == "" then return message end
  return (message:gsub(password:gsub("%W", "%%%0"), "***"))
end

local function connect(target)
  local dbi = load_dbi()
  local ok, connection, problem = pcall(dbi.Connect, target.driver, target.database, target.user,
    target.password, target.host, target.port)
  if not ok then connection, problem = nil, connection end
  if connection then return connection end
  return nil, ("%s: %s"):format(target.label, scrubbed(problem, target))
end

local function set_up(self)
  self.connection:autocommit(true)
  for _, statement in ipairs(self.dialect.setup) do self:run(statement) end
  self:run(self.is_durable and self.dialect.durable or self.dialect.relaxed)
end

--- Opens a database.
-- @tparam table target of `parse`
-- @tparam[opt] table options `durable` (true): what is committed survives a loss of power, and not
-- only the end of the process
-- @treturn ?table store
-- @treturn[2] nil
-- @treturn[2] string why not
function M.open(target, options)
  local connection, problem = connect(target)
  if not connection then return nil, problem end
  local self = setmetatable({
    connection = connection, dialect = dialects[target.driver], target = target,
    label = target.label, is_durable = not (options and options.durable == false),
    statements = {}, -- prepared, by their text
    queue = {}, -- writes that wait for the next transaction
    leading = false, -- a task is about to commit them
    shared = nil, -- what the writes of the running transaction share
    before_commit = function() end, -- called at the end of each transaction
  }, store_mt)
  local ok, err = pcall(set_up, self)
  if ok then return self end
  connection:close()
  return nil, err
end

function store_mt:__tostring()
  return ("usher.ledger: %s (%s)"):format(self.label, self.connection and "open" or "closed")
end

local function fail(self, problem)
  error(("%s: %s"):format(self.label, scrubbed(problem, self.target)), 0)
end

-- Prepared once a connection. A statement whose rows were not all read would keep its lock, so
-- whoever executes one reads on to the end.
local function execute(self, sql, ...)
  if not self.connection then error("the ledger is closed", 0) end
  local statement = self.statements[sql]
  if not statement then
    local problem
    statement, problem = self.connection:prepare(sql)
    if not statement then fail(self, problem) end
    self.statements[sql] = statement
  end
  local ok, err = statement:execute(...)
  if ok then return statement end
  self.statements[sql] = nil -- executed again, it would report this failure a second time
  statement:close()
  return fail(self, err)
end

--- Executes a statement that gives no rows. Raises a text when the database refuses.
-- @tparam string sql with `?` for each value
-- @param ... the values; nil is NULL
-- @treturn integer how many rows were changed
function store_methods:run(sql, ...)
  local statement = execute(self, sql, ...)
  if sql:find("^PRAGMA") then
    repeat until not statement:fetch(false)
  end
  return statement:affected()
end

--- The rows that a statement gives, as tables by column.
-- @tparam string sql
-- @param ... its values
-- @treturn {table,...}
function store_methods:rows(sql, ...)
  local statement, rows = execute(self, sql, ...), {}
  local row = statement:fetch(true)
  while row do
    local copy = {} -- LuaDBI fills one table again and again
    for name, value in pairs(row) do copy[name] = value end
    rows[#rows + 1] = copy
    row = statement:fetch(true)
  end
  return rows
end

--- Adds ` FOR UPDATE` where the database needs it to hold a row that was read.
-- @tparam string sql
-- @treturn string
function store_methods:locking(sql)
  return sql .. self.dialect.for_update
end

--- Connects again when the connection is gone, as after a restart of the server.
-- @treturn boolean whether it was gone and is there again
function store_methods:revive()
  if not self.connection then return false end
  local answered, alive = pcall(self.connection.ping, self.connection)
  if answered and alive then return false end
  local connection = connect(self.target)
  if not connection then return false end
  pcall(self.connection.close, self.connection)
  self.connection, self.statements = connection, {}
  return (pcall(set_up, self))
end

local function begin(self)
  local ok, err = pcall(self.run, self, self.dialect.begin)
  if ok then return end
  if not self:revive() then error(err, 0) end
  self:run(self.dialect.begin)
end

local function in_transaction(self, body)
  begin(self)
  local ok, err = pcall(function()
    self.shared = {}
    body()
    self.before_commit(self.shared)
    self:run("COMMIT")
  end)
  self.shared = nil
  if ok then return true end
  pcall(self.run, self, "ROLLBACK")
  return nil, err
end

local function commit_one(self, write)
  write.ok, write.problem = in_transaction(self, write.body)
end

-- All in one transaction; when one of them is refused, each in its own.
local function commit_all(self, writes)
  local ok, err = in_transaction(self, function()
    for _, write in ipairs(writes) do write.body() end
  end)
  for _, write in ipairs(writes) do write.ok, write.problem = ok, err end
  if ok or #writes == 1 then return end
  for _, write in ipairs(writes) do commit_one(self, write) end
end

-- A database that is locked or full for a moment loses no outcome; what is refused again and again
-- would hold up all others.
local function keep_for_later(self, write)
  write.tries = (write.tries or 0) + 1
  if write.tries < TRIES then self.queue[#self.queue + 1] = write end
end

local function commit_queue(self)
  local writes = self.queue
  self.queue = {}
  if not writes[1] then return end
  local ok, err = pcall(commit_all, self, writes)
  for _, write in ipairs(writes) do
    if not ok then write.ok, write.problem = nil, err end
    if write.task then write.task.scheduler:wake(write.task) end
    if write.done then
      write.done(write.ok, write.problem)
    elseif write.keeps and not write.ok then
      keep_for_later(self, write)
    end
  end
end

-- The first task that has something to commit lets the others run on for as long as they bring
-- more, then commits for all.
local function lead(self)
  self.leading = true
  local length
  repeat
    length = #self.queue
    scheduler.pause(0)
  until #self.queue == length
  self.leading = false
  commit_queue(self)
end

--- Runs `body` in a transaction and returns when it is committed. Inside `usher.map` the writes of
-- many tasks share one transaction, so `body` may be run again: it must change nothing but rows.
-- @tparam function body calls `run` and `rows`, and nothing that waits
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why it was not committed
function store_methods:commit(body)
  local write = { body = body }
  local task = scheduler.task()
  self.queue[#self.queue + 1] = write
  if not task then
    commit_queue(self)
  elseif self.leading then
    write.task = task
    scheduler.suspend()
  else
    lead(self)
  end
  return write.ok, write.problem
end

--- Has `body` run in the next transaction, whoever's it is, or in `flush`.
-- @tparam function body
-- @tparam[opt] function done called with `ok, problem` when it is known
-- @tparam[opt] boolean keeps true: when it is not committed, it is tried again with what comes next
function store_methods:later(body, done, keeps)
  self.queue[#self.queue + 1] = { body = body, done = done, keeps = keeps }
end

--- Commits what `later` was given.
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why it was not committed
function store_methods:flush()
  local writes = self.queue
  commit_queue(self)
  for _, write in ipairs(writes) do
    if not write.ok then return nil, write.problem end
  end
  return true
end

--- Commits what waits, and closes the database. Closing again does nothing.
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string what could not be committed
function store_methods:close()
  if not self.connection then return true end
  local ok, err = self:flush()
  for _, statement in pairs(self.statements) do statement:close() end
  self.statements = {}
  self.connection:close()
  self.connection = nil
  return ok, err
end

return M
