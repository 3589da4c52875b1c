--- The rows of an import on their way out: read a page at a time, compared with
-- what was looked at before, and noted in the journal ahead of their calls, many
-- in one transaction. What was noted and never sent is taken back at the end.
-- @module usher.onboarding.feed

local core = require "usher.core"
local upserts = require "usher.onboarding.upsert"
local validate = require "usher.onboarding.validate"

local M = {}

-- Seconds that the rows which are noted together should last: at least so long that committing
-- costs little, at most so long that a process that is killed leaves little to look up.
local SHORTEST, LONGEST = 0.2, 0.5

local methods = {}
local metatable = { __index = methods }

--- Makes a feed.
-- @tparam table line the onboarding line
-- @tparam table reader of the source, at its begin
-- @tparam {string,...} pages of `validate.all`
-- @tparam ?table journal of the ledger
-- @tparam table options of the import: `columns`, `delimiter`
-- @tparam integer ahead how many rows are noted ahead of their calls, to begin with
-- @treturn table
function M.new(line, reader, pages, journal, options, ahead)
  local accounts = {}
  for _, provider in ipairs(journal and line.providers or {}) do
    accounts[provider] = upserts.account(line.clients[provider], provider, options)
  end
  if journal then
    journal:digest_with(function(provider, texts)
      return core.digests(accounts[provider], texts)
    end)
  end
  return setmetatable({
    providers = line.providers, reader = reader, pages = pages, journal = journal, ahead = ahead,
    accounts = accounts,
    number = 0, page = {}, at = 1, -- the page that was read, and where we are in it
    ready = {}, first = 1, -- rows that are noted, and the first that was not taken
    noted_at = nil, -- when the last were
  }, metatable)
end

local CHANGED = "the source has changed since it was looked at; what was sent is right"

-- Reads the next page; nil, and what is wrong, when it is not the one that was looked at.
local function read_page(self)
  local page, parts = {}, {}
  while #page < validate.PAGE do
    local person, line, problem, row = self.reader.next()
    if problem then return nil, CHANGED end
    if not person then break end
    local text = validate.part(line, row)
    parts[#parts + 1] = text
    page[#page + 1] = { person = person, line = line, row = row, text = text }
  end
  local expected = self.pages[self.number + 1]
  if not page[1] and not expected then return page end
  if not page[1] or validate.digest(parts) ~= expected then return nil, CHANGED end
  self.number = self.number + 1
  return page
end

-- Whether a row was put there as it is now.
local function is_same(self, item, provider, row)
  local text = upserts.text(provider, item.person, item.text)
  return row.digest == core.digests(self.accounts[provider], { text })
end

-- The providers that a row has yet to be put into, and whether an earlier run may have done it;
-- nil, and what is wrong.
local function compare(self, item)
  if not (self.journal and self.journal.resumed) then return self.providers, false end
  local known, problem, begun = self.journal:earlier(item.line)
  if not known then return nil, problem end
  local todo = {}
  for _, provider in ipairs(self.providers) do
    local row = known[provider]
    local is_done = row and row.state == "done" and is_same(self, item, provider, row)
    if not is_done then todo[#todo + 1] = provider end
  end
  return todo, begun
end

-- The next rows, as many as are noted together, and the first and last line of what is to be sent;
-- nil, and what is wrong.
local function next_items(self)
  local items, count, first, last = {}, 0, nil, nil
  while self.page[self.at] and count < self.ahead do
    local item = self.page[self.at]
    local todo, begun = compare(self, item)
    if not todo then return nil, begun end
    item.todo, item.begun = todo, begun
    if todo[1] then count, first, last = count + 1, first or item.line, item.line end
    items[#items + 1] = item
    self.at = self.at + 1
  end
  return items, first, last
end

-- Between the first and the last row to be sent there may be some that are done: they have an
-- outcome, which counts for more than the range.
local function note(self, first, last)
  if not first then return true end
  local ok, problem = self.journal:begin(first, last)
  if not ok then return nil, problem end
  self.range = first
  return true
end

local function adapt(self)
  local now = core.monotonic()
  local lasted = now - (self.noted_at or now - SHORTEST)
  self.noted_at = now
  if lasted < SHORTEST then
    self.ahead = math.min(2 * self.ahead, validate.PAGE)
  elseif lasted > LONGEST then
    self.ahead = math.max(math.floor(self.ahead / 2), 1)
  end
end

local function refill(self)
  adapt(self)
  if not self.page[self.at] then
    local page, problem = read_page(self)
    if not page then return nil, "invalid", problem end
    self.page, self.at = page, 1
  end
  local items, first, last = next_items(self)
  local ok, problem = items, first
  if items and self.journal then ok, problem = note(self, first, last) end
  if not ok then
    return nil, "ledger", "the rows could not be written down, so they were not sent: " .. problem
  end
  self.ready, self.first = items, 1
  return true
end

--- The next row: `{ person, line, row, todo, begun }`, `todo` the providers that it has to
-- be put into, `begun` whether an earlier run may have done it.
-- @treturn ?table nil at the end
-- @treturn[2] nil
-- @treturn[2] string the kind of an error
-- @treturn[2] string what is wrong
function methods:take()
  local item = self.ready[self.first]
  if not item then
    local ok, kind, problem = refill(self)
    if not ok then return nil, kind, problem end
    item = self.ready[self.first]
    if not item then return nil end
  end
  self.ready[self.first] = nil
  self.first = self.first + 1
  self.taken = item.line
  return item
end

--- Takes back the notes of the rows that were not taken.
function methods:close()
  if self.range and self.ready[self.first] then
    self.journal:take_back(self.range, self.taken or 0)
  end
end

return M
