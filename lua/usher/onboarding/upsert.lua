--- One person into one provider: created, updated, or left alone for a reason.
-- What may not be repeated is not: where it is not known whether somebody was
-- created, the provider is asked.
-- @module usher.onboarding.upsert

local core = require "usher.core"
local pages = require "usher.pages"
local people = require "usher.onboarding.people"

local M = {}

local function call(client, step, person)
  return client[step.call](client, people.arguments(step, person))
end

local function done(action, result)
  return { state = "done", action = action, result = result }
end

-- Whether everything in `wanted` is in `found`, the same.
local function holds(found, wanted)
  if type(wanted) ~= "table" or type(found) ~= "table" then return found == wanted end
  for name, member in pairs(wanted) do
    if not holds(found[name], member) then return false end
  end
  return true
end

-- Whether what was read is what an update would write. A password cannot be read.
local function is_same(step, answer, person)
  if not step.same or person.password ~= nil then return false end
  for path, field in pairs(step.same) do
    if person[field] ~= nil and not holds(pages.at(answer, path), person[field]) then
      return false
    end
  end
  return true
end

local function update(client, provider, steps, person, found)
  local step = steps.update
  if found and is_same(steps.read, found, person) then return done("unchanged", found) end
  if step.needs and person[step.needs] == nil then
    return nil, core.error{
      provider = provider, method = "upsert", kind = "unsupported", retryable = false,
      request_sent = false, attempts = 0,
      message = ("the user exists; %s: give a %s, or leave the user as it is"):format(step.why,
        step.needs),
    }
  end
  local result, err = call(client, step, person)
  if result then return done("updated", result) end
  return nil, err
end

-- The person as the provider has it; false when it has none.
local function read(client, steps, person)
  local found, err = call(client, steps.read, person)
  if found then return found end
  if err.status == steps.read.absent then return false end
  return nil, err
end

-- The kinds of an error that say: it was not done. Of the others nobody knows.
local REFUSALS = { http = true, api = true, rate_limited = true, redirect = true }

local function create(client, provider, steps, person)
  local result, err = call(client, steps.create, person)
  if result then return done("created", result) end
  if steps.create.taken and err.status == steps.create.taken then
    return update(client, provider, steps, person)
  end
  if not err.request_sent or (REFUSALS[err.kind] and (err.status or 0) < 500) then
    return nil, err
  end
  local found = read(client, steps, person)
  if found then return done("created", found) end
  return nil, err, not err.status or found == nil -- it may still be on its way
end

--- Puts a person into a provider.
-- @tparam userdata client
-- @tparam string provider
-- @tparam table person
-- @tparam[opt] boolean uncertain true: an earlier attempt may have succeeded
-- @treturn ?table `{ state = "done", action, result }`; action `"created"`, `"updated"`,
-- `"unchanged"` or `"put"`
-- @treturn[2] nil
-- @treturn[2] table error
-- @treturn[2] ?boolean true: it may have been done all the same
function M.upsert(client, provider, person, uncertain)
  local steps = people.providers[provider]
  if steps.put then
    local result, err = call(client, steps.put, person)
    if result then return done("put", result) end
    return nil, err, err.request_sent and not err.status
  end
  if steps.read.first or uncertain then
    local found, err = read(client, steps, person)
    if err then return nil, err, uncertain end
    if found then return update(client, provider, steps, person, found) end
  end
  return create(client, provider, steps, person)
end

--- The calls that an upsert may make, with their arguments: to check them before any is made.
-- @tparam string provider
-- @tparam table person
-- @treturn {{string,table},...}
function M.calls(provider, person)
  local steps, calls = people.providers[provider], {}
  for _, name in ipairs{ "put", "read", "create", "update" } do
    local step = steps[name]
    if step then calls[#calls + 1] = { step.call, people.arguments(step, person) } end
  end
  return calls
end

--- What tells where people are put and what is made of their rows: the server and, where the
-- provider says, the app; and which column is which field. Who was put into one account is not in
-- another.
-- @tparam userdata client
-- @tparam string provider
-- @tparam table options `columns`, `delimiter`
-- @treturn string
function M.account(client, provider, options)
  local steps = people.providers[provider]
  local step = steps.put or steps.create
  local request = client:request(step.call, people.arguments(step, { id = "account" }))
  local parts = { request.url, core.encode(options.columns or {}), options.delimiter or "," }
  for _, rule in ipairs(steps.account or {}) do
    parts[#parts + 1] = (request.headers[rule[1]] or ""):match(rule[2]) or ""
  end
  return core.sha256(table.concat(parts, "\n"))
end

local function without_password(person)
  local copy = {}
  for name, value in pairs(person) do copy[name] = value end
  copy.password = nil
  return core.encode(copy)
end

--- What a row's digest is taken of, behind the account's: whether it was put there as it is now.
-- @tparam string provider
-- @tparam table person
-- @tparam string text the row as it stands
-- @treturn string
function M.text(provider, person, text)
  if person.password and not people.providers[provider].takes_password then
    return without_password(person) -- it could be guessed
  end
  return text
end

return M
