--- HTTP/1.1 as bytes: a URL taken apart, and a request written.
-- No sockets here; what is read of an answer is in `usher.transport.http1_response`.
-- @module usher.transport.http1_request

local M = {}

--- The characters of a method and of a header's name, RFC 9110 section 5.6.2.
M.TOKEN = "^[%w!#$%%&'*+%-.^_`|~]+$"

-- URLs -------------------------------------------------------------------------------------------

local DEFAULT_PORTS = { http = 80, https = 443 }

local function split_authority(authority)
  local host, port = authority:match("^%[([%x:.]+)%]:?(%d*)$")
  if host then return "[" .. host .. "]", port end
  return authority:match("^([^:@%[%]]+):?(%d*)$")
end

--- What a URL says of a connection and of the first line of a request.
-- @tparam string url `http://` or `https://`, a path before a query, neither
-- credentials nor a fragment
-- @treturn table `{ scheme, host, port, authority, target, url }`; an IPv6
-- address in its brackets
-- @treturn[2] nil when it is none of those
function M.origin(url)
  local scheme, authority, target = url:match("^(%a+)://([^/?#]*)([^#]*)$")
  local host, port
  if scheme then
    scheme = scheme:lower()
    host, port = split_authority(authority)
  end
  if not host or not DEFAULT_PORTS[scheme] or target:sub(1, 1) == "?" then return nil end
  port = tonumber(port) or DEFAULT_PORTS[scheme]
  return {
    scheme = scheme, host = host, port = port, target = target ~= "" and target or "/", url = url,
    authority = port == DEFAULT_PORTS[scheme] and host or host .. ":" .. ("%d"):format(port),
  }
end

-- Requests ---------------------------------------------------------------------------------------

local posts = { POST = true, PUT = true, PATCH = true }

local function header_problem(name, value, length)
  if type(name) ~= "string" or type(value) ~= "string" then
    return "headers must be strings by name"
  elseif not name:find(M.TOKEN) then
    return "a header's name holds what no name may"
  elseif value:find("[\r\n]") or value:find("\0", 1, true) then
    return "the header " .. name .. " holds a line break or NUL"
  end
  local lower = name:lower()
  if lower == "transfer-encoding" or lower == "host" then
    return "the header " .. name .. " is for the transport to choose"
  elseif lower == "content-length" and value ~= length then
    return "the header " .. name .. " is not the length of the body"
  end
end

-- Sorted, so that a request is the same bytes every time.
local function header_lines(headers, length)
  local lines, has = {}, {}
  for name, value in pairs(headers) do
    local problem = header_problem(name, value, length)
    if problem then return nil, problem end
    lines[#lines + 1] = name .. ": " .. value .. "\r\n"
    has[name:lower()] = true
  end
  table.sort(lines)
  -- Without it a server may use any coding it likes (RFC 9110, 12.5.3).
  if not has["accept-encoding"] then lines[#lines + 1] = "Accept-Encoding: identity\r\n" end
  if length and not has["content-length"] then
    lines[#lines + 1] = "Content-Length: " .. length .. "\r\n"
  end
  return table.concat(lines)
end

--- Writes a request.
-- @tparam table request `{ method, headers, body }`
-- @tparam string target the path and query, or what else stands in the first line
-- @tparam string authority the host, and the port unless it is the scheme's own
-- @treturn string the head; the body, if there is one, follows it unchanged
-- @treturn[2] nil where a byte could end a line or a message before its time
-- @treturn[2] string why
function M.head(request, target, authority)
  local method, length = request.method, nil
  if not method:find("^%u+$") then return nil, "the method must be a verb in capitals" end
  if target:find("[%c ]") or authority:find("[%c /]") then
    return nil, "the URL holds blanks or control characters"
  end
  if request.body or posts[method] then length = ("%d"):format(#(request.body or "")) end
  local lines, problem = header_lines(request.headers or {}, length)
  if not lines then return nil, problem end
  return method .. " " .. target .. " HTTP/1.1\r\nHost: " .. authority .. "\r\n" .. lines .. "\r\n"
end

return M
