-- The examples of the reference, from the vectors of spec/vectors: the call as Lua, the request and
-- the answer as HTTP. What a vector does not say is not shown.

local M = {}

local null = require("cjson").null

local PLACES = { VERSION = "...", BOUNDARY = "boundary", FILE = "/pictures/cat",
  FILENAME = "cat" }

local function fill(text)
  return (text:gsub("@(%u+)@", PLACES))
end

-- --- Lua ----------------------------------------------------------------------------------------

local function key_of(name)
  return name:find("^[%a_][%w_]*$") and name or ("[%q]"):format(name)
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function quoted(text)
  text = fill(text):gsub('[\\"]', "\\%0"):gsub("\r", "\\r"):gsub("\n", "\\n")
  return '"' .. text .. '"'
end

local literal

-- The entries of a table; `order` are its rows where it is the arguments of a method.
local function entries(value, order)
  local list = {}
  if #value > 0 then
    for i, item in ipairs(value) do list[i] = literal(item) end
    return list
  end
  local names = {}
  for i, row in ipairs(order or {}) do names[i] = row.name end
  if not order then names = sorted_keys(value) end
  for _, name in ipairs(names) do
    if value[name] ~= nil then list[#list + 1] = key_of(name) .. " = " .. literal(value[name]) end
  end
  return list
end

function literal(value)
  if value == null then return "usher.null" end
  if type(value) == "string" then return quoted(value) end
  if type(value) == "number" then
    return (value % 1 == 0 and "%.0f" or "%.14g"):format(value)
  end
  if type(value) ~= "table" then return tostring(value) end
  local list = entries(value)
  return list[1] and "{ " .. table.concat(list, ", ") .. " }" or "{}"
end

-- The call of a vector, wrapped where it is long.
function M.call(method, case)
  local head = "client:" .. method.name
  local list = entries(case.arguments, method.parameters)
  if not list[1] then return head .. "()" end
  local line = head .. "{ " .. table.concat(list, ", ") .. " }"
  if #line <= 60 then return line end
  return head .. "{\n  " .. table.concat(list, ",\n  ") .. ",\n}"
end

-- --- JSON ---------------------------------------------------------------------------------------

local function indent(depth) return "\n" .. ("  "):rep(depth) end

-- The bytes of a JSON text, with line ends where people look for them.
function M.pretty(text)
  local out, at, depth = {}, 1, 0
  while at <= #text do
    local token = text:match('^"[^"\\]*"', at) or text:match("^[%[{]%s*[%]}]", at)
    if not token and text:sub(at, at) == '"' then
      local finish = at + 1
      while text:sub(finish, finish) ~= '"' do
        finish = finish + (text:sub(finish, finish) == "\\" and 2 or 1)
      end
      token = text:sub(at, finish)
    end
    local byte = token and "" or text:sub(at, at)
    token = token or byte
    if byte:find("[{%[]") then depth, token = depth + 1, byte .. indent(depth + 1) end
    if byte:find("[}%]]") then depth, token = depth - 1, indent(depth - 1) .. byte end
    if byte == "," then token = "," .. indent(depth) end
    if byte == ":" then token = ": " end
    at = at + (byte ~= "" and 1 or #token)
    out[#out + 1] = token
  end
  return table.concat(out)
end

local function is_json(text)
  return text:find("^%s*[{%[]") ~= nil and text:find("[}%]]%s*$") ~= nil
end

local function body_text(body)
  if is_json(body) then return M.pretty(body) end
  return (body:gsub("\r\n", "\n"):gsub("[%z\1-\8\11-\31\127]", "."):gsub("[^\n\32-\126]+",
    function(bytes) return bytes:find("^[\194-\244][\128-\191]") and bytes or "..." end))
end

-- --- HTTP ---------------------------------------------------------------------------------------

-- On every request, so on none of these.
local ALWAYS = { ["Accept"] = true, ["User-Agent"] = true }

-- A token is long and says nothing.
local function shortened(value)
  return (value:gsub("(Bearer [%w_-]+)%.[%w_.-]+", function(head)
    return head:sub(1, 19) .. "..."
  end):gsub("%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x+", function(digits)
    return #digits < 40 and digits or digits:sub(1, 12) .. "..."
  end))
end

--- The request of a vector: line, header fields, body; and what the body is.
function M.request(case)
  local request = case.request
  local host, path = request.url:match("^%a+://([^/?]+)(.*)$")
  local lines = { ("%s %s"):format(request.method, path), "Host: " .. host }
  for _, name in ipairs(sorted_keys(request.headers)) do
    if not ALWAYS[name] then
      lines[#lines + 1] = name .. ": " .. shortened(fill(request.headers[name]))
    end
  end
  return table.concat(lines, "\n"), request.body and request.body ~= ""
    and body_text(fill(request.body)) or nil
end

function M.response(case)
  local response = case.response
  return ("HTTP %d"):format(response.status), response.body ~= "" and body_text(response.body)
    or nil
end

-- --- which --------------------------------------------------------------------------------------

local MANY = 4 -- arguments; more of them say no more

-- Vectors also try what is awkward; an example shall not.
local function is_plain(value)
  if type(value) == "string" then return value:find("^[%w%s@.,:;/_!?=@-]*$") ~= nil end
  if type(value) ~= "table" then return true end
  if next(value) == nil then return false end
  for key, member in pairs(value) do
    if not is_plain(key) or not is_plain(member) then return false end
  end
  return true
end

local function usefulness(case)
  if not case.request then return 0 end
  if not is_plain(case.arguments) then return 1 end
  local count = 0
  for _ in pairs(case.arguments) do count = count + 1 end
  return 1 + math.min(count, MANY) + (case.result ~= nil and 1 or 0) + (case.client and 0 or 2)
    + (case.without and 0 or 2) + (case.file and 0 or 2)
end

-- The vector that shows a method best: some arguments, an answer, and no special client.
function M.best(vectors, method)
  local best, most = nil, 0
  for _, case in ipairs(vectors.cases) do
    local use = case.method == method and usefulness(case) or 0
    if use > most then best, most = case, use end
  end
  return best
end

-- The answers of a method that are errors.
function M.failures(vectors, method)
  local list = {}
  for _, case in ipairs(vectors.cases) do
    if case.method == method and case.error and case.response then list[#list + 1] = case end
  end
  return list
end

-- Some answer of the method that is none of its errors.
function M.answer(vectors, method, best)
  if best and best.response and not best.error then return best end
  for _, case in ipairs(vectors.cases) do
    if case.method == method and case.response and case.result ~= nil then return case end
  end
end

return M
