--- The onboarding line: one person, or a hundred thousand, into every provider.
--
--    local line = usher.onboarding{ clients = { qiscus = q, smooch = s }, ledger = ledger }
--    line:upsert{ id = "bob@example.com", name = "Bob" }
--    line:import("people.csv", { concurrency = 64, failures = "failed.csv" })
-- @module usher.onboarding

local core = require "usher.core"
local importing = require "usher.onboarding.import"
local people = require "usher.onboarding.people"
local upserts = require "usher.onboarding.upsert"
local validate = require "usher.onboarding.validate"

local M = {}

local line_methods = {}
local line_mt = { __name = "usher.onboarding", __index = line_methods }

function line_mt:__tostring()
  return "usher.onboarding: " .. table.concat(self.providers, ", ")
end

local function check_client(name, client)
  local ok, provider = pcall(core.provider, client)
  if not ok or provider ~= name then
    error(("usher.onboarding: clients.%s must be a client of usher.%s"):format(tostring(name),
      tostring(name)), 4)
  elseif not people.providers[name] then
    error(("usher.onboarding: %s takes no users"):format(name), 4)
  end
end

local function is_ledger(value)
  return type(value) == "table" and type(value.import) == "function"
end

local function new(options)
  if type(options) ~= "table" then
    error("usher.onboarding: expected a table, not " .. type(options), 3)
  end
  for name in pairs(options) do
    if name ~= "clients" and name ~= "ledger" then
      error(("usher.onboarding: unknown option '%s' (clients, ledger)"):format(tostring(name)), 3)
    end
  end
  if options.ledger ~= nil and not is_ledger(options.ledger) then
    error("usher.onboarding: ledger must be what usher.ledger.open returns", 3)
  end
  local clients, providers = {}, {}
  if type(options.clients) ~= "table" or next(options.clients) == nil then
    error("usher.onboarding: clients is required: { qiscus = client, ... }", 3)
  end
  for name, client in pairs(options.clients) do
    check_client(name, client)
    clients[name], providers[#providers + 1] = client, name
  end
  table.sort(providers)
  return setmetatable({ clients = clients, providers = providers, ledger = options.ledger },
    line_mt)
end

--- Puts one person into every provider given.
-- @tparam table person `id` (required), `name`, `email`, `avatar_url`, `given_name`, `surname`,
-- `password` (Qiscus overwrites an existing user's with it), `properties` (a table)
-- @treturn ?table by provider: `{ state = "done", action, result }`; action `"created"`,
-- `"updated"`, `"unchanged"` or `"put"` (created or updated: the provider does not say)
-- @treturn[2] nil
-- @treturn[2] table the first error
-- @treturn[2] table by provider, as above; `{ state = "failed", error }` where it failed
function line_methods:upsert(person)
  if type(person) ~= "table" then
    error("usher.onboarding:upsert: expected a table, not " .. type(person), 2)
  end
  local problem = validate.problem(self, person)
  if problem then error("usher.onboarding:upsert: " .. problem, 2) end
  local outcomes, first = {}, nil
  for _, provider in ipairs(self.providers) do
    local outcome, err = upserts.upsert(self.clients[provider], provider, person)
    outcomes[provider] = outcome or { state = "failed", error = err }
    first = first or err
  end
  if first then return nil, first, outcomes end
  return outcomes
end

--- Imports people from a file or an iterator. Every row is looked at before the first is sent, and
-- nothing is sent that was not looked at. With a ledger each row is journalled, and the same import
-- called again goes on where it stopped, whatever stopped it: what may have been sent and has no
-- outcome is settled by reading. SIGINT and SIGTERM stop it after the calls in flight;
-- before the first of them the error's kind is `"cancelled"`, and nothing was sent.
--
-- Of a CSV file the columns called like a field are taken (`properties.plan` is a member of
-- `properties`), others are left out, and an empty field says nothing. JSON lines may hold no other
-- fields than those of a person and such that begin with `_`.
-- @tparam string|function source a path (`.csv`: RFC 4180 with a head; `.jsonl`: an object a line),
-- or an iterator of people
-- @tparam[opt] table options `format` (`"csv"`, `"jsonl"`), `columns` (`{ id = "User ID" }`: the
-- file's name of a field), `delimiter` (","), `concurrency` (32), `rate` (rows a second), `name`
-- (of the journal; the path if absent), `failures` (a path: the rows that failed, to be fed back),
-- `on_look` (called with the number of rows that were looked at, some thousand at a time), `on_row`
-- (called with the summary, the row as `{ person, line }`, and its error or nil), `stop` (a
-- function, asked before each row)
-- @treturn ?table summary: `rows` = `done` + `earlier` (by a run before) + `failed` + `remaining`,
-- `stopped`, `providers` (the actions, counted)
-- @treturn[2] nil
-- @treturn[2] table error; `err.problems` are the lines that are wrong, when nothing was sent
-- @treturn[2] ?table the summary, when something may have been sent
function line_methods:import(source, options)
  options = options or {}
  importing.check(self, source, options, 2)
  return importing.import(self, source, options)
end

return setmetatable(M, {
  __call = function(_, options)
    local line = new(options) -- no tail call: errors are told at the line of our caller
    return line
  end,
})
