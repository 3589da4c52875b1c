-- A desk over the sandbox in process, with a clock that stands still: `desk.of(provider)`.

local ledgers = require "spec.support.ledgers"
local sandbox = require "usher.sandbox"
local usher = require "usher"

local M = {}

local clients = {}

-- What a desk of each provider needs beside the client.
local settings = {
  vchatcloud = function() return { room = "room-1" } end,
  ertc = function(box) return { room = "group-1", actor = box.state.ertc.moderator } end,
  qiscus = function(box)
    box:seed_room("lobby", { "mod", "alice", "bob", "mallory" }, "qiscus")
    return { room = "lobby", actor = "mod" }
  end,
  smooch = function() return {} end,
}

--- Makes a desk.
-- @tparam string provider
-- @tparam[opt] table more options of the desk; `ledger = false` for none
-- @tparam[opt] table kind of database, of `ledgers.kinds`: SQLite
-- @treturn table desk
-- @treturn table world `{ box, client, ledger, now }`; `world.now` may be moved
function M.of(provider, more, kind)
  local world = { now = 1700000000 }
  local function clock() return world.now end
  world.box = sandbox.new{ clock = clock }
  world.client = usher[provider](world.box:options(provider, { retries = 0 }))
  clients[#clients + 1] = world.client
  world.ledger = ledgers.open((kind or ledgers.kinds[1]).dsn(), { clock = clock })
  local options = settings[provider](world.box)
  options.client, options.ledger, options.moderator = world.client, world.ledger, "ann"
  options.clock = clock
  for name, value in pairs(more or {}) do options[name] = value or nil end
  if more and more.ledger == false then options.ledger = nil end
  return usher.moderation(options), world
end

--- The first user of a room with a name.
function M.user(desk, name)
  for _, user in ipairs(assert(desk:list_users())) do
    if user.name == name then return user end
  end
  error("nobody is called " .. name)
end

function M.close_all()
  for _, client in ipairs(clients) do client:close() end
  clients = {}
  ledgers.close_all()
end

return M
