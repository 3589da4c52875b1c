--- Finds an eRTC tenant: asks the provisioning server for the tenant's chat
-- server, its key and its id, and returns them as the options of a client.
-- Source: HeaderUtils.java, AuthApi.kt of BotStacks/android-sdk.
-- @module usher.discover

local core = require "usher.core"
local pages = require "usher.pages"

local M = {}

local PROVISIONING = "https://prov.inappchat.io"

local function decode_error(message)
  return core.error{ provider = "ertc", method = "get_tenant_details", kind = "decode",
    message = message, retryable = false, request_sent = true }
end

-- What `usher.ertc` takes, out of the answer.
local function options_of(answer, given)
  local server = pages.at(answer, "result.config.serverDetails.chatServer")
  local tenant = pages.at(answer, "result.tenantId")
  if type(server) ~= "table" or type(server.url) ~= "string" or type(server.apiKey) ~= "string"
    or type(tenant) ~= "string" then
    return nil, decode_error("the answer has no chat server, key or tenant")
  end
  local options = {}
  for name, value in pairs(given) do options[name] = value end
  options.namespace = nil
  options.base_url, options.api_key = server.url:gsub("/+$", ""), server.apiKey
  options.tenant_id = tenant
  return options
end

--- Finds an eRTC tenant.
-- @function usher.ertc_discover
-- @tparam table options `namespace` (the tenant's name), `api_key` and `bundle_id` of the project;
-- `base_url` of the provisioning server (`https://prov.inappchat.io`); and any other option of
-- `usher.ertc`, which is used here and handed on
-- @treturn ?table options for `usher.ertc`
-- @treturn[2] nil
-- @treturn[2] table error
-- @usage local chat = usher.ertc(assert(usher.ertc_discover{
--   namespace = "example", api_key = key, bundle_id = "com.example.app",
-- }))
function M.discover(options)
  if type(options) ~= "table" or type(options.namespace) ~= "string" then
    error("usher.ertc_discover: namespace is required: a string", 2)
  end
  local given = {}
  for name, value in pairs(options) do given[name] = value end
  given.namespace = nil
  given.base_url, given.tenant_id = given.base_url or PROVISIONING, options.namespace
  local client = require("usher").ertc(given)
  local answer, err = client:get_tenant_details{ namespace = options.namespace }
  client:close()
  if not answer then return nil, err end
  return options_of(answer, options)
end

return M
