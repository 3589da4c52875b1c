--- What the nginx transport makes of a client's settings: proxies, certificates,
-- and which settings nginx cannot honour. No socket is opened here.
-- @module usher.transport.ngx_settings

local core = require "usher.core"
local requests = require "usher.transport.http1_request"

local ngx = ngx

local M = {}

local function complain(option, problem)
  error({ problem = option .. " " .. problem })
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- "[http://][user:password@]host[:port]"
local function read_proxy(url)
  if url == "environment" then
    complain("proxy", '"environment" says nothing in nginx, which clears its environment: '
      .. "give the URL of the proxy")
  end
  local scheme, rest = url:match("^(%a[%w+.-]*)://(.*)$")
  if scheme and scheme:lower() ~= "http" then
    complain("proxy", "must be an http:// proxy in nginx, not " .. scheme)
  end
  local user, place = (rest or url):match("^(.*)@([^@]*)$")
  local proxy = requests.origin("http://" .. (place or rest or url))
  if not proxy or proxy.target ~= "/" then complain("proxy", "must be http://host:port") end
  return {
    host = proxy.host, port = proxy.port, authority = proxy.authority, name = core.sha256(url),
    authorization = user and "Basic " .. ngx.encode_base64(unescape(user)) or nil,
  }
end

local function read_file(option, path)
  local file, problem = io.open(path, "rb")
  if not file then complain(option, "cannot be read: " .. problem) end
  local text = file:read("*a")
  file:close()
  return text
end

-- Read once, when the client is made.
local function read_certificate(certificate_path, key_path)
  local ok, ssl = pcall(require, "ngx.ssl")
  if not ok then complain("client_cert", "needs lua-resty-core: " .. tostring(ssl)) end
  local certificate = read_file("client_cert", certificate_path)
  local key = key_path and read_file("client_key_file", key_path) or certificate
  local chain, problem = ssl.parse_pem_cert(certificate)
  if not chain then complain("client_cert", "holds no certificate: " .. tostring(problem)) end
  local parsed
  parsed, problem = ssl.parse_pem_priv_key(key)
  if not parsed then
    complain(key_path and "client_key_file" or "client_cert",
      "holds no private key without a passphrase: " .. tostring(problem))
  end
  return { chain = chain, key = parsed, name = core.sha256(certificate .. key) }
end

local function read_settings(settings)
  local function text(name)
    local value = settings[name]
    return type(value) == "string" and value ~= "" and value or nil -- else it is complained of
  end
  if text("ca_file") then
    complain("ca_file", "cannot be chosen for a connection of nginx: name the file in "
      .. "lua_ssl_trusted_certificate")
  elseif text("client_key_file") and not text("client_cert") then
    complain("client_key_file", "needs client_cert")
  end
  return {
    verify = settings.verify ~= false,
    proxy = text("proxy") and read_proxy(text("proxy")),
    certificate = text("client_cert")
      and read_certificate(text("client_cert"), text("client_key_file")),
    max_connections = settings.max_connections,
  }
end

--- Reads the settings of a client.
-- @tparam table settings as for `usher.transport.ngx`'s `new`; what is of the
-- wrong type is passed over
-- @treturn ?table `{ verify, proxy, certificate, max_connections }`
-- @treturn ?string the option that nginx cannot honour, and why
function M.read(settings)
  local ok, options = pcall(read_settings, settings)
  if ok then return options end
  if type(options) ~= "table" then error(options, 0) end
  return nil, options.problem
end

return M
