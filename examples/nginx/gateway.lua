-- The handlers of the gateway, see nginx.conf. The calls read as if they blocked; nginx serves
-- other requests meanwhile.

local cjson = require "cjson.safe"
local muted = require "muted"
local usher = require "usher"

local M = {}

-- One for all requests of a worker, and with it one token. The credentials are in the environment.
-- Somebody waits for every call: better an error soon than an answer late.
local chat = usher.vchatcloud{ deadline = 4, timeout = 3, connect_timeout = 1 }

local NO_SUCH_ROOM, NOT_CONNECTED = 10102, 10107

-- The HTTP status of what went wrong between us and the provider.
local function status_of(err)
  if err.kind == "api" and (err.code == NO_SUCH_ROOM or err.code == NOT_CONNECTED) then
    return ngx.HTTP_NOT_FOUND
  elseif err.kind == "rate_limited" then
    return ngx.HTTP_SERVICE_UNAVAILABLE
  elseif err.kind == "timeout" then
    return ngx.HTTP_GATEWAY_TIMEOUT
  end
  return ngx.HTTP_BAD_GATEWAY
end

-- The words of a provider are for the log; a client learns what it can act on.
local function refuse(status, reason)
  ngx.status = status
  ngx.say(cjson.encode({ error = reason }))
  return ngx.exit(status)
end

local function report(err)
  local status = status_of(err)
  if status ~= ngx.HTTP_NOT_FOUND then ngx.log(ngx.ERR, err.kind, ": ", err.message) end
  if err.retry_after then ngx.header["Retry-After"] = math.ceil(err.retry_after) end
  return refuse(status, err.kind == "api" and err.message or err.kind)
end

--- GET /rooms/{room}/users
function M.list_users()
  local room = ngx.var.room
  local results, errors = usher.all{
    function() return chat:list_users{ room_id = room } end,
    function() return chat:list_muted_users{ room_id = room } end,
  }
  local failed = errors[1] or errors[2]
  if failed then return report(failed) end
  local is_muted, lines = {}, {}
  for _, user in ipairs(results[2].list) do is_muted[user.clientKey] = true end
  for i, user in ipairs(results[1].list) do
    lines[i] = cjson.encode({
      key = user.clientKey, name = user.nickName, muted = is_muted[user.clientKey] or false,
    })
  end
  ngx.say('{"users":[', table.concat(lines, ","), "]}") -- cjson would write {} for no users
end

--- POST and DELETE /rooms/{room}/mute/{user}
function M.mute()
  local room, user = ngx.var.room, ngx.var.user
  local method = ngx.req.get_method()
  local ok, err
  if method == "POST" then
    ok, err = chat:mute_user{ room_id = room, client_key = user }
  elseif method == "DELETE" then
    ok, err = chat:cancel_mute{ room_id = room, client_key = user }
  else
    ngx.header.Allow = "POST, DELETE"
    return refuse(ngx.HTTP_NOT_ALLOWED, "POST mutes, DELETE lifts it")
  end
  if not ok then return report(err) end
  muted.remember(room, user, method == "POST")
  ngx.say(cjson.encode({ room = room, user = user, muted = method == "POST" }))
end

local function fetch_muted(room)
  local result, err = chat:list_muted_users{ room_id = room }
  if not result then return nil, err end
  local keys = {}
  for i, user in ipairs(result.list) do keys[i] = user.clientKey end
  return keys
end

--- The access check of /rooms/{room}/messages: lets through who is not muted.
function M.refuse_muted()
  local user = ngx.var.http_x_client_key
  if not user then return refuse(ngx.HTTP_UNAUTHORIZED, "X-Client-Key is missing") end
  local is_muted, err = muted.is_muted(ngx.var.room, user, fetch_muted)
  if err then return report(err) end
  if is_muted then return refuse(ngx.HTTP_FORBIDDEN, "you are muted in this room") end
end

return M
