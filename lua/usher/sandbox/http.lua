-- The parts of HTTP the sandbox reads: targets, queries, header fields, media types, and the JSON
-- answer. No sockets here, and no provider.

local json = require("usher.sandbox.json")

local M = {}

--- Undo percent-encoding.
-- @tparam string text
-- @treturn string bytes, or nil when a `%` is not followed by two hexadecimal digits
function M.percent_decode(text)
  local bytes = text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end)
  if text:gsub("%%%x%x", ""):find("%", 1, true) then return nil end
  return bytes
end

--- Split a URL or a request target.
-- @tparam string target `https://host/path?query` or `/path?query`
-- @treturn string the path as sent
-- @treturn ?string the query as sent, without `?`
function M.split_target(target)
  local rest = target:gsub("#.*$", ""):gsub("^%a[%w+.-]*://[^/?]*", "")
  local path, query = rest:match("^([^?]*)%?(.*)$")
  path = path or rest
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  return path, query
end

--- The decoded segments of a path. A trailing slash is an empty last segment.
-- @tparam string path
-- @treturn table list of strings
-- @treturn[2] nil for bad percent-encoding and for dot segments, which no proxy lets through
--   unchanged
function M.segments(path)
  local segments = {}
  for raw in (path:sub(2) .. "/"):gmatch("([^/]*)/") do
    local segment = M.percent_decode(raw)
    if not segment or segment == "." or segment == ".." then return nil end
    segments[#segments + 1] = segment
  end
  return segments
end

--- Read a query string: a list of `{ name, value }` in the order sent.
-- @tparam ?string query
-- @treturn table pairs, or nil for bad percent-encoding
function M.query(query)
  local list = {}
  for field in (query or ""):gmatch("[^&]+") do
    local name, value = field:match("^([^=]*)=?(.*)$")
    name = M.percent_decode((name:gsub("+", " ")))
    value = M.percent_decode((value:gsub("+", " ")))
    if not (name and value) then return nil end
    list[#list + 1] = { name, value }
  end
  return list
end

--- The first value of a name in a query, or nil.
-- @tparam table list what `query` returned
-- @tparam string name
-- @treturn ?string
function M.first(list, name)
  for _, field in ipairs(list) do
    if field[1] == name then return field[2] end
  end
end

--- Every value of a name in a query, in order.
-- @tparam table list what `query` returned
-- @tparam string name
-- @treturn table list of strings
function M.all(list, name)
  local values = {}
  for _, field in ipairs(list) do
    if field[1] == name then values[#values + 1] = field[2] end
  end
  return values
end

--- A copy of a header table with lower-case names.
-- @tparam ?table headers
-- @treturn table
function M.lower_headers(headers)
  local lowered = {}
  for name, value in pairs(headers or {}) do lowered[name:lower()] = tostring(value) end
  return lowered
end

local function unquoted(text)
  return (text:gsub("\\(.)", "%1"))
end

--- The parameters after the first `;` of a header value, names in lower case.
-- @tparam string text such as `form-data; name="source"; filename="cat.png"`
-- @treturn table
function M.parameters(text)
  local parameters, from = {}, 1
  while true do
    local _, last, name = text:find(";%s*([^%s=;]+)%s*=%s*", from)
    if not name then return parameters end
    local quoted_end, value
    if text:sub(last + 1, last + 1) == '"' then
      local close = last + 2
      while close <= #text and text:sub(close, close) ~= '"' do
        close = close + (text:sub(close, close) == "\\" and 2 or 1)
      end
      value, quoted_end = unquoted(text:sub(last + 2, close - 1)), close
    else
      value = text:match("^[^%s;]*", last + 1)
      quoted_end = last + #value
    end
    parameters[name:lower()] = value
    from = quoted_end + 1
  end
end

--- Take a Content-Type apart.
-- @tparam ?string value
-- @treturn string media type in lower case, `""` when absent
-- @treturn table parameters
function M.media_type(value)
  if not value then return "", {} end
  return (value:match("^%s*([^%s;]*)") or ""):lower(), M.parameters(value)
end

--- An answer with a JSON body.
-- @tparam integer status
-- @param value for `json.encode`
-- @tparam[opt] table headers more header fields, lower-case names
-- @treturn table `{ status, headers, body }`
function M.reply(status, value, headers)
  local fields = { ["content-type"] = "application/json; charset=utf-8" }
  for name, field in pairs(headers or {}) do fields[name] = field end
  return { status = status, headers = fields, body = json.encode(value) }
end

return M
