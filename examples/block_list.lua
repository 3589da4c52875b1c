-- An eRTC user's block list: signs two people in, lets the first block the second and a third,
-- takes one block back, and reads what the server queued about it for the user's devices.
--
--   lua5.4 examples/block_list.lua [user [troublemaker [third]]]

local support = require("examples.support")
local cjson = require("cjson")
local usher = require("usher")

local user = arg[1] or "alice@example.com"
local troublemaker = arg[2] or "mallory@example.com"
local third = arg[3] or "bob@example.com"
local DEVICE = "block-list-example"

-- Signing in creates a user who is new. The tokens that it gives are for this user's own client.
local door = usher.ertc(support.account("ertc"))
local function sign_in(app_user_id)
  local signed_in = assert(door:get_or_update_user_by_app_id{
    app_user_id = app_user_id, device_id = DEVICE, device_type = "android",
  }).result
  print(("%s signed in as %s"):format(app_user_id, signed_in.eRTCUserId))
  return usher.ertc(support.account("ertc", {
    access_token = signed_in.token.accessToken, refresh_token = signed_in.token.refreshToken,
    device_id = DEVICE,
  })), signed_in.eRTCUserId
end

local client, id = sign_in(user)
local other_client, other_id = sign_in(troublemaker)

local function set(action, app_user_id)
  assert(client:block_unblock_user{
    ertc_user_id = id, action = action, app_user_id = app_user_id,
  })
  print(("%s: %s %s"):format(user, action, app_user_id))
end

local function show(name, of_client, ertc_user_id)
  local answer = assert(of_client:blocked_users{ ertc_user_id = ertc_user_id })
  local blocked = answer.result.blockedUsers
  print(("%s has blocked %d"):format(name, #blocked))
  for _, each in ipairs(blocked) do print("  " .. each.appUserId) end
end

set("block", troublemaker)
set("block", third)
show(user, client, id)
set("unblock", third)
show(user, client, id)
show(troublemaker, other_client, other_id)

-- An event's message is a JSON document in a string. Reading the events empties the queue.
local events = assert(client:pending_events{ ertc_user_id = id }).result.pendingEvents or {}
print(("%s had %d events waiting"):format(user, #events))
for _, event in ipairs(events) do
  local message = cjson.decode(event.data.message)
  for _, change in ipairs(message.eventList or {}) do
    local data = change.eventData
    local target = data.targetUser and data.targetUser.appUserId or ""
    print(("  %s %s %s"):format(change.eventType, data.blockedStatus or "", target))
  end
end

for _, each in ipairs({ door, client, other_client }) do each:close() end
