-- The whole life of the library in one Lua state: spec.lifetime.host runs it in many, after and
-- beside each other. Arguments: the base URL of a slow server, and one that speaks TLS with the
-- file of its authority.

local url, tls_url, ca_file = ...

local usher = require "usher"

local function fake(request)
  if request.operation == "issue_token" then
    return 200, {}, '{"data":{"X-AUTH-TOKEN":"a.b.c"}}'
  end
  return 200, {}, '{"success":true,"ok":true}'
end

local function check(result, err)
  assert(result and result.ok, err)
end

local ertc = usher.ertc{ base_url = "https://chat.example.com", api_key = "key", bundle_id = "b",
  tenant_id = "t", access_token = "token", transport = fake }
check(ertc:block_unblock_user{ ertc_user_id = "u", action = "block", app_user_id = "a" })
ertc:close()

local smooch = usher.smooch{ key_id = "key", secret = "secret", transport = fake }
check(smooch:post_image_message{ user_id = "u", role = "appUser",
  source = { data = "bytes", filename = "a.png" } })

local chat = usher.vchatcloud{ api_key = "key", transport = fake }
check(chat:list_users{ room_id = "r" })

local qiscus = usher.qiscus{ app_id = "app", secret = "secret", base_url = url, timeout = 60 }
check(qiscus:login_or_register{ user_id = "u", username = "U", extras = { a = { 1, 2 } } })
local results, errors = usher.map({ 1, 2, 3 }, function()
  return qiscus:user_profile{ user_id = "u" }
end)
for i = 1, 3 do check(results[i], errors[i]) end

if tls_url then
  local over_tls = usher.qiscus{ app_id = "app", secret = "secret", base_url = tls_url,
    ca_file = ca_file, timeout = 60 }
  check(over_tls:user_profile{ user_id = "u" })
end
-- Some are closed, some are left to the end of the state.
