--- The chain of a ledger: entries that are only ever added, each with the hash
-- of the one before it. `cases` can be read from them again, so whoever changes,
-- removes or adds a case without the chain is found out. The chain holds no
-- key: whoever can rewrite all of it can forge it, unless its head was noted
-- elsewhere.
-- @module usher.ledger.chain

local core = require "usher.core"

local M = {}

local PAGE = 1000 -- entries or cases read at a time

--- The columns of a case that its first entry holds, and those that its last one does.
M.OPENED = { "run", "provider", "verb", "user_id", "room", "moderator", "reason", "rule", "plan",
  "opened_at", "expires_at", "lift", "lifts", "details" }
M.CLOSED = { "outcome", "message", "closed_at" }

local function hash_of(number, case_number, kind, body, previous)
  return core.sha256(("%d\n%d\n%s\n%s\n%s"):format(number, case_number, kind, body, previous))
end

local function read_head(store)
  return store:rows(store:locking(
    "SELECT cases, entries, runs, hash FROM heads WHERE name = 'ledger'"))[1]
end

local function write_head(store, head)
  store:run("UPDATE heads SET cases = ?, entries = ?, runs = ?, hash = ? WHERE name = 'ledger'",
    head.cases, head.entries, head.runs, head.hash)
end

--- Has the head written at the end of each transaction that asked for it.
-- @tparam table store
function M.attach(store)
  function store.before_commit(shared)
    if shared.head then write_head(store, shared.head) end
  end
end

--- The head, to be changed: inside a transaction only. It is read once for all the writes of the
-- transaction, under the lock that orders all writers.
-- @tparam table store
-- @treturn table `{ cases, entries, runs, hash }`
function M.head(store)
  store.shared.head = store.shared.head or read_head(store)
  return store.shared.head
    or error(store.label .. ": the head of the ledger is missing: somebody has removed it", 0)
end

--- Adds an entry behind the head, which then is the new one.
-- @tparam table store
-- @tparam integer case_number
-- @tparam string kind `"opened"` or `"closed"`
-- @tparam table columns of the case, by name
-- @tparam[opt] function first called with the entry's hash, before the entry is written
function M.append(store, case_number, kind, columns, first)
  local head, body = M.head(store), core.encode(columns)
  local number, previous = head.entries + 1, head.hash
  local hash = hash_of(number, case_number, kind, body, previous)
  if first then first(hash) end
  store:run("INSERT INTO entries (number, case_number, kind, body, previous, hash) "
    .. "VALUES (?, ?, ?, ?, ?, ?)", number, case_number, kind, body, previous, hash)
  head.entries, head.hash = number, hash
end

local function problem(kind, case_number, entry, message)
  return { kind = kind, case = case_number, entry = entry, message = message }
end

-- The first entry that is not sound; else how many there are, and the hash of the last.
local function check_entries(store)
  local number, hash = 0, ""
  while true do
    local rows = store:rows("SELECT number, case_number, kind, body, previous, hash FROM entries "
      .. "WHERE number > ? ORDER BY number LIMIT " .. PAGE, number)
    for _, row in ipairs(rows) do
      if row.number ~= number + 1 then
        return problem("missing", nil, number + 1,
          ("entry %d is missing"):format(number + 1))
      end
      if row.previous ~= hash
        or row.hash ~= hash_of(row.number, row.case_number, row.kind, row.body, row.previous) then
        return problem("tampered", row.case_number, row.number,
          ("entry %d, of case %d, is not what was written"):format(row.number, row.case_number))
      end
      number, hash = row.number, row.hash
    end
    if not rows[PAGE] then return nil, number, hash end
  end
end

local function same(column, written)
  if type(column) == "number" and type(written) == "number" then
    return math.abs(column - written) < 1e-3 -- PostgreSQL is told fourteen digits
  end
  return column == written
end

local function differing(case, columns, names)
  for _, name in ipairs(names) do
    if not same(case[name], columns[name]) then return name end
  end
end

local function check_case(case, opened, closed)
  local columns = opened and core.decode(opened.body)
  if not columns then
    return problem("inserted", case.number, nil,
      ("case %d is in no entry: it was inserted"):format(case.number))
  end
  local outcome = closed and core.decode(closed.body) or {}
  local name = differing(case, columns, M.OPENED) or differing(case, outcome, M.CLOSED)
    or case.hash ~= opened.hash and "hash"
  if name then
    return problem("tampered", case.number, opened.number,
      ("case %d was tampered with: its %s is not what was written"):format(case.number, name))
  end
end

-- The entries of the cases of one page, by case.
local function entries_between(store, first, last)
  local opened, closed = {}, {}
  for _, row in ipairs(store:rows("SELECT number, case_number, kind, body, hash FROM entries "
    .. "WHERE case_number >= ? AND case_number <= ? ORDER BY number", first, last)) do
    local of = row.kind == "opened" and opened or closed
    of[row.case_number] = row
  end
  return opened, closed
end

local function check_cases(store)
  local number = 0
  while true do
    local rows = store:rows("SELECT * FROM cases WHERE number > ? ORDER BY number LIMIT " .. PAGE,
      number)
    if not rows[1] then return nil, number end
    local opened, closed = entries_between(store, rows[1].number, rows[#rows].number)
    for _, case in ipairs(rows) do
      if case.number ~= number + 1 then
        return problem("missing", number + 1, nil, ("case %d is missing"):format(number + 1))
      end
      local found = check_case(case, opened[case.number], closed[case.number])
      if found then return found end
      number = case.number
    end
  end
end

-- What is missing at the end, and whether the head is the chain's.
local function check_entries_end(head, entries, hash)
  if entries < head.entries then
    return problem("missing", nil, entries + 1, ("entry %d is missing"):format(entries + 1))
  elseif entries ~= head.entries or hash ~= head.hash then
    return problem("tampered", nil, entries, "the head of the ledger is not what was written")
  end
end

local function check_cases_end(head, cases)
  if cases < head.cases then
    return problem("missing", cases + 1, nil, ("case %d is missing"):format(cases + 1))
  end
end

-- That a case was taken back stands in no entry of its own: it follows from the case that did so.
local FORGED = "SELECT cases.number FROM cases LEFT JOIN cases AS lifting "
  .. "ON lifting.number = cases.lifted_by AND lifting.lifts = cases.number "
  .. "AND lifting.outcome = 'done' WHERE cases.lifted_by IS NOT NULL AND lifting.number IS NULL "
  .. "ORDER BY cases.number LIMIT 1"
local FORGOTTEN = "SELECT cases.number FROM cases JOIN cases AS lifting "
  .. "ON lifting.lifts = cases.number AND lifting.outcome = 'done' "
  .. "WHERE cases.lifted_by IS NULL ORDER BY cases.number LIMIT 1"

local function check_lifts(store)
  local row = store:rows(FORGED)[1] or store:rows(FORGOTTEN)[1]
  if not row then return nil end
  return problem("tampered", row.number, nil,
    ("case %d was tampered with: its lifted_by is not what was written"):format(row.number))
end

--- Looks for the first case that is not as it was written.
-- @tparam table store
-- @treturn ?table `{ kind, case, entry, message }`, kind `"tampered"`, `"missing"` or `"inserted"`
-- @treturn table the head
function M.verify(store)
  local head = M.head(store)
  local found, entries, hash = check_entries(store)
  found = found or check_entries_end(head, entries, hash)
  if found then return found, head end
  local cases
  found, cases = check_cases(store)
  return found or check_cases_end(head, cases) or check_lifts(store), head
end

return M
