-- JSON Web Tokens as the providers issue and check them: HS256 only, header and claims left to the
-- caller.

local core = require("usher.core")
local json = require("usher.sandbox.json")

local M = {}

--- Issue a token.
-- @param claims for `json.encode`
-- @tparam string secret
-- @tparam[opt] string key_id
-- @treturn string
function M.sign(claims, secret, key_id)
  local header = json.encode(json.object("alg", "HS256", "typ", "JWT", "kid", key_id))
  local input = core.base64url_encode(header) .. "." .. core.base64url_encode(json.encode(claims))
  return input .. "." .. core.base64url_encode(core.hmac_sha256(secret, input))
end

local function decoded_object(text)
  local bytes = core.base64url_decode(text)
  local value = bytes and json.decode(bytes)
  return type(value) == "table" and value or nil
end

--- Take a token apart without trusting it.
-- @tparam string token
-- @treturn ?table `{ header, claims, input, signature }`, nil when it is not a JWT
function M.read(token)
  local head, body, tail = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]*)$")
  if not head then return nil end
  local header, claims = decoded_object(head), decoded_object(body)
  local signature = core.base64url_decode(tail)
  if not (header and claims and signature) then return nil end
  return { header = header, claims = claims, input = head .. "." .. body, signature = signature }
end

--- Whether a token that was read is signed with a secret. Its header is the caller's to check.
-- @tparam table token what `read` returned
-- @tparam string secret
-- @treturn boolean
function M.is_signed(token, secret)
  return core.equal(core.hmac_sha256(secret, token.input), token.signature)
end

--- Whether a token's `exp`, when it has one, has passed.
-- @tparam table token what `read` returned
-- @tparam number now Unix seconds
-- @treturn boolean
function M.is_expired(token, now)
  local expiry = token.claims.exp
  if expiry == nil then return false end
  return type(expiry) ~= "number" or expiry <= now
end

return M
