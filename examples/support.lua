-- What the examples share: where their account comes from. Nothing here is needed with an account
-- of your own: usher.qiscus{ app_id = ..., secret = ... } is all there is to it.

local M = {}

-- In a clone, after `make`, usher is here; an installed one is found first.
local build = _VERSION == "Lua 5.1" and "./build/5.1" or "./build/5.4"
package.path = package.path .. ";./lua/?.lua"
package.cpath = package.cpath .. ";" .. build .. "/?.so"

local usher = require("usher")

local function has_credentials(provider)
  for _, option in ipairs(usher.describe(provider).options) do
    local variable = ("USHER_%s_%s"):format(provider, option.name):upper()
    if option.secret and (os.getenv(variable) or "") ~= "" then return true end
  end
  return false
end

local box -- one for all clients of a script, so that they meet in it

--- The options of a provider's client. With credentials in the environment (USHER_QISCUS_APP_ID,
-- USHER_QISCUS_SECRET and so on) there are none to give: usher reads them by itself. Without, they
-- are those of the sandbox in this process, which needs no account and no server.
-- @tparam string provider
-- @tparam[opt] table options that replace or join these
-- @treturn table options for the constructor
-- @usage local qiscus = usher.qiscus(support.account("qiscus"))
function M.account(provider, options)
  if has_credentials(provider) then return options or {} end
  box = box or require("usher.sandbox").new()
  return box:options(provider, options)
end

--- A room to moderate and who acts there, where they are not given: those of the sandbox.
-- @tparam string provider
-- @tparam ?string room
-- @tparam ?string actor the provider's id of who acts; eRTC needs it
-- @treturn string room
-- @treturn ?string actor
function M.place(provider, room, actor)
  if provider == "ertc" and box then
    return room or "group-1", actor or box.state.ertc.moderator
  end
  return room or "room-1", actor
end

--- Seats people in a room, where the account is the sandbox of this process; else nothing.
-- @tparam string provider
-- @tparam string room
-- @tparam {string,...} users ids
function M.seat(provider, room, users)
  if box then box:seed_room(room, users, provider) end
end

return M
