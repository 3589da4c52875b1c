--- A transport that writes down what a provider answers, without secrets, and
-- one that gives it again. `usher.testing.record` and `usher.testing.replay` are
-- these. Nothing of a request is written but its method, its path and a digest
-- of its body.
-- @module usher.testing.recording

local core = require "usher.core"
local transports = require "usher.transport"

local M = {}

-- --- what is secret -----------------------------------------------------------------------------

-- Names of members that are, in part.
local WORDS = { "token", "secret", "password", "authcode", "apikey", "api_key", "jwt" }

-- Headers that are no credential.
local HARMLESS = {
  accept = true, ["content-type"] = true, ["content-length"] = true, ["user-agent"] = true,
  host = true, ["x-nonce"] = true, deviceid = true, ["qiscus-sdk-app-id"] = true,
  ["qiscus_sdk_app_id"] = true,
}

local function by_word(name)
  local lower = name:lower()
  for _, word in ipairs(WORDS) do
    if lower:find(word, 1, true) then return true end
  end
  return false
end

-- The members of a request's body that its row calls secret.
local function secret_members(request)
  local names = {}
  if not request.provider then return names end
  for _, method in ipairs(core.describe(request.provider).methods) do
    for _, row in ipairs(method.name == request.operation and method.parameters or {}) do
      if row.secret then names[row.wire] = true end
    end
  end
  return names
end

-- Whether what a member holds is secret: because its row says so, then all below is; because of its
-- name; or because it is below such a name. A list is what its member is.
local function judge(name, above, rows)
  if type(name) ~= "string" then return above end
  if rows[name] or above == "row" then return "row" end
  return by_word(name) and "named" or above and "below"
end

local function is_hidden(value, secret)
  return secret and (type(value) == "string" or type(value) == "number" and secret ~= "below")
end

-- Calls `found` with each text and number that is secret, and why.
local function visit(value, secret, rows, found)
  if type(value) == "table" then
    for name, member in pairs(value) do visit(member, judge(name, secret, rows), rows, found) end
  elseif is_hidden(value, secret) then
    found(value, secret)
  end
end

-- The line end is no secret's: a cut one is masked at the end of a text.
local function masked(text, list)
  return core.redact(text .. "\n", list):sub(1, -2)
end

-- A copy without secrets, and without the texts of `list` wherever they stand.
local function scrubbed(value, secret, rows, list)
  if is_hidden(value, secret) then return type(value) == "string" and "***" or 0 end
  if type(value) == "string" then return masked(value, list) end
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, member in pairs(value) do
    copy[name] = scrubbed(member, judge(name, secret, rows), rows, list)
  end
  return copy
end

local function encode(value)
  return (core.encode{ v = value }:match("^{\"v\":(.*)}$"))
end

-- The secrets that were seen so far: what a provider repeats is masked too.
local function add(seen, text)
  if #text < 4 or seen[text] then return end -- as core.redact, which would mask ordinary text
  seen[text], seen.list[#seen.list + 1] = true, text
end

local function learn_credentials(seen, request)
  for name, value in pairs(request.headers or {}) do
    if not HARMLESS[name:lower()] then
      add(seen, value)
      add(seen, value:match("^%a+ (.+)$") or "")
    end
  end
end

local function learn(seen, request)
  learn_credentials(seen, request)
  visit(core.decode(request.body or ""), false, secret_members(request), function(value)
    if type(value) == "string" then add(seen, value) end
  end)
end

-- An answer keeps its bytes where that is possible.
local function scrub_body(seen, body)
  local value, by_member = core.decode(body), false
  visit(value, false, {}, function(secret, why)
    local is_word = type(secret) == "string" and #secret >= 4 and why ~= "below"
    if is_word then add(seen, secret) else by_member = true end
  end)
  local text = masked(body, seen.list)
  if type(value) ~= "table" then return text end
  if by_member or type(core.decode(text)) ~= "table" then
    return encode(scrubbed(value, false, {}, seen.list))
  end
  return text
end

-- --- what tells one request from another --------------------------------------------------------

local function header_of(headers, wanted)
  for name, value in pairs(headers or {}) do
    if name:lower() == wanted then return value end
  end
  return ""
end

--- A request's body as it is every time: a multipart boundary is another each time.
-- @tparam table request
-- @treturn ?string
function M.body_of(request)
  local boundary = header_of(request.headers, "content-type"):match("^multipart/.*boundary=(.+)$")
  if not boundary or not request.body then return request.body end
  return (request.body:gsub(boundary:gsub("%p", "%%%0"), "boundary"))
end

local function digest(request)
  local body = M.body_of(request) or ""
  local value = core.decode(body)
  if type(value) == "table" then
    body = encode(scrubbed(value, false, secret_members(request), {}))
  end
  return core.sha256(body):sub(1, 16)
end

local function key_of(request)
  local path, credentials = request.url:match("^%a+://[^/]+(.*)$") or request.url, { list = {} }
  learn_credentials(credentials, request)
  return ("%s %s %s"):format(request.method, masked(path, credentials.list), digest(request))
end

-- --- recording ----------------------------------------------------------------------------------

local function entry_of(seen, request, status, headers, body, sent)
  local key = key_of(request)
  if not status then
    return { request = key, kind = headers, message = masked(body or "", seen.list), sent = sent }
  end
  return { request = key, status = status, body = scrub_body(seen, body or ""),
    headers = { ["content-type"] = headers["content-type"],
      ["retry-after"] = headers["retry-after"] } }
end

local function opened(path, mode, what)
  local file, problem = io.open(path, mode)
  if not file then error(("usher.testing.%s: %s"):format(what, problem), 3) end
  return file
end

--- A transport that asks the provider, and writes every answer to a file that `replay` reads.
-- No secret is written: no header of a request, in JSON no value whose name speaks of a token, a
-- secret or a password, and none of the credentials seen so far, wherever a provider repeats them.
-- Names and messages of people are written: look at the file before you share it.
-- @tparam string path
-- @tparam[opt] table|function transport which asks; if absent the one that the client would have
-- @treturn table transport
-- @usage local client = usher.qiscus{ transport = usher.testing.record("bob.jsonl") }
function M.record(path, transport)
  local problem = transports.problem{ transport = transport }
  if problem then error("usher.testing.record: " .. problem, 2) end
  local file = opened(path, "wb", "record")
  local inner, seen, clients = { transport = transport, settings = {} }, { list = {} }, 0
  local function attach(settings)
    clients = clients + 1
    if clients > 1 then return end
    inner.settings = settings
    transports.attach(inner)
  end
  return {
    attach = attach,
    send = function(request)
      if clients == 0 then attach{} end
      local status, headers, body, sent = inner.send(request)
      learn(seen, request)
      file:write(core.encode(entry_of(seen, request, status, headers or {}, body, sent)), "\n")
      file:flush()
      return status, headers, body, sent
    end,
    sleep = function(seconds) return inner.sleep(seconds) end,
    close = function()
      clients = clients - 1
      if clients > 0 then return end
      file:close()
      transports.detach(inner)
    end,
  }
end

-- --- replaying ----------------------------------------------------------------------------------

local function read_entries(path, file)
  local entries, number = {}, 0
  for line in file:lines() do
    number = number + 1
    local entry, problem = core.decode(line)
    if type(entry) ~= "table" or type(entry.request) ~= "string" then
      file:close()
      error(("usher.testing.replay: %s:%d: %s"):format(path, number,
        problem or "is no recorded answer"), 3)
    end
    local list = entries[entry.request] or {}
    entries[entry.request], list[#list + 1] = list, entry
  end
  file:close()
  return entries
end

--- A transport that gives the answers which `record` wrote: for each request in the order they
-- came, the last one again and again. A request that was not recorded is an error of kind
-- `network`. It waits for nothing.
-- @tparam string path
-- @treturn table transport
function M.replay(path)
  local entries = read_entries(path, opened(path, "rb", "replay"))
  return {
    send = function(request)
      local key = key_of(request)
      local list = entries[key]
      if not list then
        return nil, "network", "usher.testing.replay: not recorded: " .. key, false
      end
      local entry = list[2] and table.remove(list, 1) or list[1]
      if entry.status then return entry.status, entry.headers or {}, entry.body end
      return nil, entry.kind, entry.message, entry.sent
    end,
    sleep = function() return true end,
  }
end

return M
