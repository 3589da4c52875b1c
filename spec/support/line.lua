-- An onboarding line over the sandbox in process: `lines.of{ "qiscus", "smooch" }`, and the files
-- that are imported. Everything is closed and removed by `close_all`.

local files = require "spec.support.files"
local ledgers = require "spec.support.ledgers"
local sandbox = require "usher.sandbox"
local usher = require "usher"

local M = {}

local clients, paths = {}, {}

--- Makes a line into some providers.
-- @tparam {string,...} providers
-- @tparam[opt] table more `ledger` (true for a fresh one), `box`, `options` of the clients
-- @treturn table line
-- @treturn table world `{ box, ledger, clients }`
function M.of(providers, more)
  more = more or {}
  local world = { box = more.box or sandbox.new{ journal_limit = 1e6 }, clients = {} }
  for _, name in ipairs(providers) do
    local options = world.box:options(name, { retries = 0 })
    for option, value in pairs(more.options or {}) do options[option] = value end
    world.clients[name] = usher[name](options)
    clients[#clients + 1] = world.clients[name]
  end
  world.ledger = more.ledger == true and ledgers.fresh() or more.ledger or nil
  return usher.onboarding{ clients = world.clients, ledger = world.ledger }, world
end

--- Names a file that is not there.
-- @tparam string ending
function M.path(ending)
  local name = os.tmpname()
  os.remove(name)
  paths[#paths + 1] = name .. ending
  return name .. ending
end

--- Writes a file.
-- @tparam string ending
-- @tparam string text
-- @treturn string path
function M.file(ending, text)
  local path = M.path(ending)
  M.write(path, text)
  return path
end

function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

M.read = files.find

--- A CSV file of `count` people, u1 and so on.
function M.people(count, first)
  local lines = { "id,name\r\n" }
  for i = first or 1, (first or 1) + count - 1 do
    lines[#lines + 1] = ("u%d,Name %d\r\n"):format(i, i)
  end
  return M.file(".csv", table.concat(lines))
end

--- How often each user was asked for with an operation of Smooch or Qiscus.
-- @treturn {[string]=integer}
function M.asked(box, provider, operation)
  local counts = {}
  for _, entry in ipairs(box.journal) do
    if entry.provider == provider and entry.operation == operation then
      local id = entry.body:match('"user_?[iI]d":"([^"]*)"')
      counts[id] = (counts[id] or 0) + 1
    end
  end
  return counts
end

--- That `err` says `words`.
function M.says(err, words)
  assert(tostring(err):find(words, 1, true), ("no %q in: %s"):format(words, tostring(err)))
end

--- That every row of a summary is counted once, and that what the providers did fits that.
-- @treturn table the summary
function M.adds_up(summary)
  assert(summary.rows == summary.done + summary.earlier + summary.failed + summary.remaining)
  assert(summary.remaining >= 0)
  for provider, counts in pairs(summary.providers) do
    local total = 0
    for _, count in pairs(counts) do total = total + count end
    assert(total >= summary.done + summary.earlier and total <= summary.rows, provider)
  end
  return summary
end

--- The counts of a summary that adds up: done, earlier, failed, remaining.
function M.counts(summary)
  M.adds_up(summary)
  return { summary.done, summary.earlier, summary.failed, summary.remaining }
end

--- That `count` users were asked for once each, and nobody else.
function M.once_each(asked, count)
  local users = 0
  for id, times in pairs(asked) do
    users = users + 1
    assert(times == 1, id)
  end
  assert(users == count, ("%d users, not %d"):format(users, count))
end

function M.close_all()
  for _, client in ipairs(clients) do client:close() end
  for _, path in ipairs(paths) do os.remove(path) end
  clients, paths = {}, {}
  ledgers.close_all()
end

return M
