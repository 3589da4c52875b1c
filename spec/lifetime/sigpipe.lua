-- Uploads to a server that hangs up in the middle. Arguments: the disposition of SIGPIPE that this
-- process has ("default", "ignore" or "count"), the file of an authority, base URLs. Prints, for
-- each URL, how many uploads failed as they should; a signal that gets through ends the process.

local disposition, ca_file = ...
local urls = { select(3, ...) }

local host = require "spec.lifetime.host"
local usher = require "usher"

local UPLOADS = 4 -- to each, and two by usher.map
local PICTURE = ("x"):rep(4 * 1024 * 1024)

local function check(moment)
  local now, caught = host.sigpipe()
  assert(now == disposition, ("SIGPIPE was %s and is %s after %s"):format(disposition, now, moment))
  assert(caught == 0, ("%d SIGPIPE caught, after %s"):format(caught, moment))
end

host.on_sigpipe(disposition)
for _, url in ipairs(urls) do
  local client = usher.smooch{ base_url = url, ca_file = ca_file, key_id = "key", secret = "secret",
    retries = 0, timeout = 30 }
  local failed = 0
  for _ = 1, UPLOADS do
    local result, err = client:post_image_message{ user_id = "u", role = "appUser",
      source = { data = PICTURE, filename = "a.png" } }
    assert(result == nil and (err.kind == "network" or err.status == 413), tostring(err))
    failed = failed + 1
    check("an upload to " .. url)
  end
  local _, errors = usher.map({ 1, 2 }, function()
    return client:post_image_message{ user_id = "u", role = "appUser",
      source = { data = PICTURE, filename = "a.png" } }
  end)
  failed = failed + #errors
  check("usher.map to " .. url)
  client:close()
  check("close")
  print(failed .. " uploads failed")
end
