-- Two processes on one ledger, at the same time, lift what is due: each sanction once.

local cjson = require("cjson").new()
local command = require "spec.support.command"
local ledgers = require "spec.support.ledgers"
local usher = require "usher"

local M = {}

local function client_of(environment)
  return usher.vchatcloud{ api_key = environment.USHER_VCHATCLOUD_API_KEY,
    base_url = environment.USHER_VCHATCLOUD_BASE_URL }
end

-- So many users, muted for a moment.
local function mute(box, dsn, count)
  local users = {}
  for i = 1, count do users[i] = { nick_name = "user " .. i, client_key = "u" .. i } end
  box:ask("POST", "room", { room_id = "lift", users = users })
  local client, ledger = client_of(box.environment), ledgers.open(dsn)
  local desk = usher.moderation{ client = client, ledger = ledger, room = "lift",
    moderator = "ann", read_before = false }
  usher.map(users, function(user)
    return assert(desk:mute{ user = user.client_key, seconds = 0.001 })
  end)
  assert(ledger:close())
  client:close()
end

local function lines_of(text)
  return select(2, text:gsub("\n", ""))
end

--- Lifts with two processes.
-- @tparam table box of `command.sandbox`
-- @tparam function new_dsn names a fresh database
-- @tparam integer count of sanctions
-- @treturn table `{ first, second }`: how many each process lifted
function M.run(box, new_dsn, count)
  box:reset()
  local dsn = new_dsn()
  mute(box, dsn, count)
  local arguments = "run --once --provider vchatcloud --room lift --ledger " .. command.quoted(dsn)
  local running = { command.start(arguments, { environment = box.environment }),
    command.start(arguments, { environment = box.environment }) }
  local lifted = {}
  for i, each in ipairs(running) do
    local result = each.wait()
    assert(result.status == 0, result.err)
    lifted[i] = lines_of(result.out)
  end
  assert(lifted[1] + lifted[2] == count, "lifted: " .. lifted[1] .. " and " .. lifted[2])
  local seen = {}
  for _, entry in ipairs(box:requests("vchatcloud", "cancel_mute")) do
    local id = entry.path:match("[^/]+$")
    assert(not seen[id], id .. " was lifted twice")
    seen[id] = true
  end
  for i = 1, count do assert(seen["u" .. i], "u" .. i .. " was not lifted") end
  local rooms = cjson.encode(box:ask("GET", "state").vchatcloud)
  assert(rooms:find('"lift"', 1, true))
  local ledger = ledgers.open(dsn)
  assert(ledger:verify())
  assert(#assert(ledger:cases{ verb = "unmute", outcome = "done", limit = 10 * count }) == count)
  return { first = lifted[1], second = lifted[2] }
end

return M
