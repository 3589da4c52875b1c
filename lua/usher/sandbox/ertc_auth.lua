-- eRTC's two credentials: the request signature with its nonce, and bearer tokens with their
-- renewal; and the tenant's details, which hold its key.
--
-- state.sessions[token] = { user, device_id, access, refresh, expiry = { [token] = seconds } },
-- under both tokens of the session: a token counts while it is there and not expired.

local core = require("usher.core")
local http = require("usher.sandbox.http")
local json = require("usher.sandbox.json")
local jwt = require("usher.sandbox.jwt")

local M = { API_KEY = "test-api-key", BUNDLE_ID = "com.example.app", NAMESPACE = "sandbox" }

local ACCESS_LIFETIME = 900
local REFRESH_LIFETIME = 15 * 24 * 3600

--- A refusal in the provider's envelope. Apart from E00000 no error code is published, so they
-- mirror the HTTP status.
-- @tparam integer status
-- @tparam string message
-- @tparam[opt] string code
-- @treturn table response
function M.refuse(status, message, code)
  return http.reply(status, json.object("success", false, "msg", message,
    "errorCode", code or string.format("E%05d", status)))
end

--- What the SDK knows as "account deactivated by admin".
-- @treturn table response
function M.deactivated()
  return M.refuse(403, "Your account has been deactivated by the administrator")
end

local function add_token(box, state, session, kind, lifetime)
  local now = math.floor(box:now())
  local token = jwt.sign(json.object("userId", session.user, "scopes", json.list({ kind }),
    "roles", json.list({ "user" }), "jti", box:unique("ertc token"), "iat", now,
    "exp", now + lifetime), box:signing_key("ertc"))
  session[kind], session.expiry[token] = token, now + lifetime
  state.sessions[token] = session
end

local function open_session(box, state, user, device_id, access_lifetime)
  local session = { user = user, device_id = device_id, expiry = {} }
  add_token(box, state, session, "access", access_lifetime)
  add_token(box, state, session, "refresh", REFRESH_LIFETIME)
  return session
end

local function view(session)
  return json.object("accessToken", session.access, "refreshToken", session.refresh,
    "expiresIn", ACCESS_LIFETIME)
end

--- Tokens for a user who signs in.
-- @treturn table TokenSchema for `json.encode`
function M.issue(box, state, user, device_id)
  return view(open_session(box, state, user, device_id, ACCESS_LIFETIME))
end

--- Tokens to hand out with the sandbox: unlike the provider's, this access token lives as long as
-- its refresh token, so that what was printed at the start keeps working.
-- @treturn table session
function M.issue_lasting(box, state, user, device_id)
  return open_session(box, state, user, device_id, REFRESH_LIFETIME)
end

--- Replace both tokens of a session.
-- @treturn table TokenSchema for `json.encode`
function M.renew(box, state, session)
  state.sessions[session.access], state.sessions[session.refresh] = nil, nil
  return M.issue(box, state, session.user, session.device_id)
end

--- Forget the sessions a function picks.
-- @tparam table state
-- @tparam function picks called with a session
function M.end_sessions(state, picks)
  local ended = {}
  for token, session in pairs(state.sessions) do
    if picks(session) then ended[#ended + 1] = token end
  end
  for _, token in ipairs(ended) do state.sessions[token] = nil end
end

--- Forget every session.
-- @tparam table state
function M.expire_tokens(state)
  state.sessions = {}
end

-- Live servers were sent both milliseconds and seconds; so many digits can only be milliseconds.
local function nonce_seconds(nonce)
  if not nonce:find("^%d+%.?%d*$") then return nil end
  local value = tonumber(nonce)
  return value > 1e11 and value / 1000 or value
end

local function signature_refusal(context)
  local signature, nonce = context.headers["x-request-signature"], context.headers["x-nonce"]
  if not (signature and nonce) then
    return M.refuse(401, "X-Request-Signature and X-nonce are required")
  end
  local expected = core.sha256(M.API_KEY .. "~" .. M.BUNDLE_ID .. "~" .. nonce)
  if not core.equal(expected, signature) then return M.refuse(401, "Invalid request signature") end
  local sent = nonce_seconds(nonce)
  if not sent or math.abs(context.now - sent) > context.box.clock_skew then
    return M.refuse(401, "X-nonce is too far from the server's time")
  end
end

-- A refresh token may only refresh. For refreshing, the specification shows the access token and
-- the vendor's SDK sends the refresh token: either is good.
local function session_of(context)
  local token = (context.headers.authorization or ""):match("^Bearer (%S+)$")
  local session = context.state.sessions[token]
  if not session or session.expiry[token] <= context.now then return nil end
  local is_good = token == session.access or context.route.access == "refresh"
  return is_good and session or nil
end

-- 401 is what the vendor's SDK takes for "token": that includes another user's token, for 403 is
-- taken.
local function bearer_refusal(context)
  local session = session_of(context)
  if not session then
    return M.refuse(401, "Unauthorized: the token is missing, invalid or expired")
  end
  if session.user ~= context.parameters.eRTCUserId then
    return M.refuse(401, "Unauthorized: the token belongs to another user")
  end
  context.session, context.user = session, context.state.users[session.user]
  if context.user.deactivated then return M.deactivated() end
end

--- Check version, tenant, signature and bearer token; fills `context.session` and `context.user`.
-- @tparam table context
-- @treturn ?table refusal
function M.authorize(context)
  local parameters = context.parameters
  if context.route.access == "provisioning" then return signature_refusal(context) end
  if not parameters.version:find("^[vV]%d+$") then return M.refuse(404, "Not found") end
  local refusal = signature_refusal(context)
  if refusal then return refusal end
  if parameters.tenantId ~= context.state.tenant_id then
    return M.refuse(404, "Tenant not found")
  end
  if context.route.access == "signature" then return nil end
  return bearer_refusal(context)
end

--- What the provisioning server tells of a tenant, its API key among it. In the world it is another
-- host; here it is the same.
-- @tparam table context
-- @treturn table response
function M.tenant_details(context)
  if context.parameters.namespace ~= M.NAMESPACE then return M.refuse(404, "Tenant not found") end
  local server = json.object("apiKey", M.API_KEY,
    "url", "http://" .. (context.headers.host or "127.0.0.1") .. "/ertc/")
  return http.reply(200, json.object("success", true, "msg", "Tenant", "errorCode", "E00000",
    "result", json.object("tenantId", context.state.tenant_id, "projectType", "prod",
      "config", json.object("serverDetails",
        json.object("chatServer", server, "userServer", server)))))
end

return M
