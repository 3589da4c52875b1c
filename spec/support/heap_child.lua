-- The process that spec/support/heap.lua looks into: it makes calls with secrets, lets go of its
-- clients, and waits. Settings come as `name=value`:
--
--   base, ca, gate      the server, its authority, and the FIFO to wait at
--   proxy               host and port of a proxy, for one more client
--   how=map             calls together, in place of one after the other
--   last=close|collect|open   what becomes of the clients
--   collector=stopped   nothing is ever collected
--   http=1.1            libcurl is told to do without HTTP/2
--   clearing=yes        Lua clears what it frees
--   stranger=yes        somebody else has started libcurl before

local settings = {}
for _, argument in ipairs(arg) do
  local name, value = argument:match("^(%w+)=(.*)$")
  settings[name] = value
end

if settings.clearing then require "clearing" end
if settings.collector == "stopped" then collectgarbage("stop") end
-- It takes the Lua state for its flags, of which it has none in common with an aligned pointer.
if settings.stranger then assert(package.loadlib("libcurl.so.4", "curl_global_init"))() end

local usher = require "usher"
local heap = require "spec.support.heap"

local secret = heap.secret
local clients = {}

local function open(provider, options)
  options.base_url, options.ca_file = settings.base, settings.ca
  options.clock = function() return heap.NOW end
  if settings.http then
    options.transport = require("usher.transport.curl").new{
      http = settings.http, ca_file = settings.ca,
    }
  end
  local client = usher[provider](options)
  clients[#clients + 1] = client
  return client
end

local function each(call)
  local function checked(i) return (assert(call(i))) end
  if settings.how == "map" then
    usher.map({ 1, 2, 3 }, checked)
  else
    for i = 1, 3 do checked(i) end
  end
end

-- What a caller passes in, every kind there is; tokens come back, or were there before.
local function work()
  local qiscus = open("qiscus", { -- a long list of headers has to grow while it is made
    headers = { ["X-Extra"] = secret "extr", ["X-Long"] = ("l"):rep(2000) },
  })
  each(function()
    return qiscus:login_or_register{ user_id = "u", username = "U", password = secret "pass" }
  end)

  local smooch = open("smooch", {})
  each(function()
    return smooch:app_user_device_update{
      user_id = "u", device_id = "d", push_notification_token = secret "push",
    }
  end)

  local ready = open("smooch", { jwt = secret "rjwt" })
  each(function() return ready:get_app_user{ user_id = "u" } end)

  local vchatcloud = open("vchatcloud", {})
  each(function() return vchatcloud:mute_user{ room_id = "r", client_key = "k" } end)

  local ertc = open("ertc", { bundle_id = "b", tenant_id = "t" })
  assert(ertc:refresh_auth_token{ ertc_user_id = "u" })
  each(function()
    return ertc:get_or_update_user_by_app_id{
      app_user_id = "u", fcm_token = secret "fcmt", auth_payload = { key = secret "payl" },
    }
  end)
  each(function() return ertc:reset_badge_count{ ertc_user_id = "u" } end)

  if settings.proxy then
    local proxied = open("qiscus", { proxy = "http://me:" .. secret "prox" .. settings.proxy })
    each(function() return proxied:user_profile{ user_id = "u" } end)
  end
end

work()
if settings.last == "close" then
  for _, client in ipairs(clients) do client:close() end
end
if settings.last ~= "open" then clients = nil end
-- Machine code may hold the functions it was made from, and they a client.
if rawget(_G, "jit") then require("jit").flush() end
if settings.collector ~= "stopped" then
  for _ = 1, 3 do collectgarbage() end
end

-- What LuaJIT has put together last is still in its buffer.
local scrub = ("."):rep(4096) .. #arg .. ("."):rep(4096)

local pid = io.open("/proc/self/stat", "rb"):read("*l"):match("^%d+")
io.stdout:write(pid, " ", tostring(require("usher.curl").version().wipes), "\n")
io.stdout:flush()
io.open(settings.gate, "rb"):read("*a")
os.exit(#scrub > 0 and 0 or 1)
