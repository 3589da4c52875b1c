-- Smooch's credential: a JWT signed with a key of the app or of the account, and what its scope
-- may touch.

local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local jwt = require("usher.sandbox.jwt")

local M = { APP_ID = "test-app", KEY_ID = "app_test_key", SECRET = "test-secret" }

M.ACCOUNT_KEY_ID, M.ACCOUNT_SECRET = "act_test_key", "test-account-secret"

local keys = {
  [M.KEY_ID] = { secret = M.SECRET, scopes = { app = true, appUser = true } },
  [M.ACCOUNT_KEY_ID] = { secret = M.ACCOUNT_SECRET, scopes = { account = true } },
}

--- A refusal in the provider's envelope.
-- @tparam integer status
-- @tparam string code
-- @tparam string description
-- @treturn table response
function M.refuse(status, code, description)
  return http.reply(status, json.object("error",
    json.object("code", code, "description", description)))
end

-- Of the codes only "unauthorized" is published; the guide calls the others "an invalid auth
-- error".
local function invalid(description)
  return M.refuse(401, "invalid_auth", description)
end

local function claims_problem(token, key, now)
  local scope, user_id = token.claims.scope, token.claims.userId
  if scope ~= "app" and scope ~= "account" and scope ~= "appUser" then return "Invalid scope" end
  if not key.scopes[scope] then return "The key cannot sign a token of this scope" end
  if scope == "appUser" and (type(user_id) ~= "string" or user_id == "") then
    return "appUser scope needs a userId, and it must be a string"
  end
  if jwt.is_expired(token, now) then return "The token has expired" end
end

local function checked_token(text, now)
  local token = jwt.read(text)
  if not token then return nil, "Malformed JWT" end
  local header = token.header
  if header.alg ~= "HS256" or header.typ ~= "JWT" then
    return nil, "The JWT header must have alg HS256 and typ JWT"
  end
  if type(header.kid) ~= "string" then return nil, "Invalid JWT header. Missing key id (kid)" end
  local key = keys[header.kid]
  if not key then return nil, "Unknown key id (kid)" end
  if not jwt.is_signed(token, key.secret) then return nil, "Invalid JWT signature" end
  local problem = claims_problem(token, key, now)
  if problem then return nil, problem end
  return token
end

-- An appUser token reaches its own user only, by either id, and only what a user's own device
-- does.
local function own_user_refusal(context)
  if context.route.access ~= "appUser" then
    return M.refuse(403, "forbidden", "This operation needs app or account scope")
  end
  local id, own = context.parameters.userId, context.claims.userId
  local user = context.state.users[context.state.by_user_id[own]]
  if id ~= own and not (user and user._id == id) then
    return M.refuse(403, "forbidden", "An appUser token cannot access another user")
  end
end

local function scope_refusal(context)
  local scope, app_id = context.claims.scope, context.parameters.appId
  if scope == "account" and not app_id then
    return M.refuse(403, "forbidden", "A token of account scope needs the app in the path")
  end
  if app_id and app_id ~= M.APP_ID then
    if scope == "account" then return M.refuse(404, "app_not_found", "App not found") end
    return M.refuse(403, "forbidden", "The token belongs to another app")
  end
  if scope == "appUser" then return own_user_refusal(context) end
end

--- Check the bearer token and what its scope allows; fills `context.claims`.
-- @tparam table context
-- @treturn ?table refusal
function M.authorize(context)
  local authorization = context.headers.authorization
  if not authorization then return M.refuse(401, "unauthorized", "Authorization is required") end
  local text = authorization:match("^Bearer (%S+)$")
  if not text then return invalid("The Authorization header must be: Bearer, one space, a JWT") end
  local token, problem = checked_token(text, context.now)
  if not token then return invalid(problem) end
  context.claims = token.claims
  return scope_refusal(context)
end

return M
