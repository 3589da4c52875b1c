-- Reading multipart/form-data (RFC 7578), strictly: what a careful server refuses is refused here.

local http = require("usher.sandbox.http")

local M = {}

local function header_fields(block)
  local headers = {}
  for line in (block .. "\r\n"):gmatch("(.-)\r\n") do
    local name, value = line:match("^([^%s:]+):[ \t]*(.-)[ \t]*$")
    if not name then return nil end
    headers[name:lower()] = value
  end
  return headers
end

-- RFC 5987, as old clients write names outside ASCII.
local function extended(value)
  local encoded = value and value:match("^[%w-]+'[^']*'(.*)$")
  return encoded and http.percent_decode(encoded)
end

local function part_of(text)
  local block, body = text:match("^(.-)\r\n\r\n(.*)$")
  if text:sub(1, 2) == "\r\n" then return nil, "a part has no Content-Disposition" end
  local headers = block and header_fields(block)
  if not headers then return nil, "a part's header is malformed" end
  local disposition = headers["content-disposition"] or ""
  if not disposition:lower():find("^form%-data%s*;") then
    return nil, "a part is not form-data"
  end
  local parameters = http.parameters(disposition)
  if not parameters.name then return nil, "a part has no name" end
  return {
    name = parameters.name,
    filename = extended(parameters["filename*"]) or parameters.filename,
    content_type = headers["content-type"],
    body = body,
  }
end

--- Split a body into its parts.
-- @tparam string body
-- @tparam string boundary the Content-Type's parameter
-- @treturn table list of `{ name, filename, content_type, body }`
-- @treturn[2] nil when the body is malformed
-- @treturn[2] string why
function M.parse(body, boundary)
  local parts, delimiter = {}, "\r\n--" .. boundary
  body = "\r\n" .. body
  local _, last = body:find(delimiter, 1, true)
  while last do
    local mark = body:sub(last + 1, last + 2)
    if mark == "--" then return parts end
    if mark ~= "\r\n" then return nil, "a boundary line has something after it" end
    local first, next_last = body:find(delimiter, last + 1, true)
    if not first then break end
    local part, problem = part_of(body:sub(last + 3, first - 1))
    if not part then return nil, problem end
    parts[#parts + 1] = part
    last = next_last
  end
  return nil, "the closing boundary is missing"
end

return M
