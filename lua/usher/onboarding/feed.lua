--- The rows of an import on their way out: read a page at a time, compared with
-- what was looked at before, and noted in the journal ahead of their calls, many
-- in one transaction. What was noted and never sent is taken back at the end.
-- @module usher.onboarding.feed

local upserts = require "usher.onboarding.upsert"
local validate = require "usher.onboarding.validate"

local M = {}

local methods = {}
local metatable = { __index = methods }

--- Makes a feed.
-- @tparam table line the onboarding line
-- @tparam table reader of the source, at its begin
-- @tparam {string,...} pages of `validate.all`
-- @tparam ?table journal of the ledger
-- @tparam integer ahead how many rows are noted ahead of their calls
-- @treturn table
function M.new(line, reader, pages, journal, ahead)
  local accounts = {}
  for _, provider in ipairs(line.providers) do
    accounts[provider] = journal and upserts.account(line.clients[provider], provider)
  end
  return setmetatable({
    providers = line.providers, reader = reader, pages = pages, journal = journal, ahead = ahead,
    accounts = accounts,
    number = 0, page = {}, at = 1, -- the page that was read, and where we are in it
    ready = {}, first = 1, -- rows that are noted, and the first that was not taken
  }, metatable)
end

local CHANGED = "the source has changed since it was looked at; what was sent is right"

-- Reads the next page; nil, and what is wrong, when it is not the one that was looked at.
local function read_page(self)
  local page, digests = {}, {}
  while #page < validate.PAGE do
    local person, line, problem, row = self.reader.next()
    if problem then return nil, CHANGED end
    if not person then break end
    local ok, digest = pcall(validate.digest, person)
    if not ok then return nil, CHANGED end
    digests[#digests + 1] = line .. " " .. digest
    page[#page + 1] = { person = person, line = line, row = row }
  end
  local expected = self.pages[self.number + 1]
  if not page[1] and not expected then return page end
  if not page[1] or validate.page_digest(digests) ~= expected then return nil, CHANGED end
  self.number = self.number + 1
  return page
end

-- What is left to do for a row, and what earlier runs began and did not live to finish.
local function compare(self, item)
  local known = {}
  if self.journal then
    local problem
    known, problem = self.journal:earlier(item.line)
    if not known then return nil, problem end
  end
  item.todo, item.begun, item.digests = {}, {}, {}
  for _, provider in ipairs(self.providers) do
    local row = known[provider]
    local digest = self.journal
      and upserts.digest(self.accounts[provider], provider, item.person) or ""
    if not row or row.state ~= "done" or row.digest ~= digest then
      item.todo[#item.todo + 1] = provider
      item.digests[provider] = digest
      item.begun[provider] = row ~= nil and row.state == "begun"
    end
  end
  return true
end

local function notes_of(items)
  local notes = {}
  for _, item in ipairs(items) do
    for _, provider in ipairs(item.todo) do
      notes[#notes + 1] = { line = item.line, provider = provider,
        digest = item.digests[provider] }
    end
  end
  return notes
end

-- The next rows, as many as are noted together.
local function next_items(self)
  local items, count = {}, 0
  while self.page[self.at] and count < self.ahead do
    local item = self.page[self.at]
    local ok, problem = compare(self, item)
    if not ok then return nil, problem end
    if item.todo[1] then count = count + 1 end
    items[#items + 1] = item
    self.at = self.at + 1
  end
  return items
end

local function refill(self)
  if not self.page[self.at] then
    local page, problem = read_page(self)
    if not page then return nil, "invalid", problem end
    self.page, self.at = page, 1
  end
  local items, problem = next_items(self)
  local notes = items and notes_of(items)
  if notes and self.journal and notes[1] then
    local ok
    ok, problem = self.journal:begin(notes)
    if not ok then items = nil end
  end
  if not items then
    return nil, "ledger", "the rows could not be written down, so they were not sent: " .. problem
  end
  self.ready, self.first = items, 1
  return true
end

--- The next row: `{ person, line, row, todo, begun }`, `todo` the providers that it has to be
-- put into, `begun` those of them where an earlier run may have done it.
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
  end
  if not item then return nil end
  self.ready[self.first] = nil
  self.first = self.first + 1
  return item
end

--- Gives a row back that was taken and not sent.
-- @tparam table item
function methods:give_back(item)
  self.first = self.first - 1
  self.ready[self.first] = item
end

--- Takes back the notes of the rows that were not sent.
function methods:close()
  if not self.journal then return end
  local notes = {}
  local index, item = self.first, self.ready[self.first]
  while item do
    for _, provider in ipairs(item.todo) do
      if not item.begun[provider] then
        notes[#notes + 1] = { line = item.line, provider = provider }
      end
    end
    index = index + 1
    item = self.ready[index]
  end
  if notes[1] then self.journal:take_back(notes) end
end

--- Seconds for which a row may be noted ahead of its call.
M.AHEAD = 2

--- How many rows are noted ahead: enough that a commit costs little, few enough that a process
-- that is killed leaves little to look up.
-- @tparam integer concurrency
-- @tparam ?number rate rows a second
-- @treturn integer
function M.ahead(concurrency, rate)
  local rows = math.min(8 * concurrency, validate.PAGE)
  if rate then rows = math.min(rows, math.floor(rate * M.AHEAD)) end
  return math.max(rows, 1)
end

return M
