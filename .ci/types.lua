-- Writes the types that editors read (LuaLS, EmmyLua), from the rows: `lua5.4 .ci/types.lua` prints
-- them for lua/usher/types.lua, which `make types` writes; spec/types_spec.lua fails while they
-- differ. What is not in the rows stands here as text.

local usher = require "usher"

local M = {}

local TYPES = {
  string = "string|integer", integer = "integer", boolean = "boolean", table = "table",
  ["list of strings"] = "string[]", ["list of tables"] = "table[]", file = "usher.File",
  number = "number",
  ["function"] = "function", ["string or boolean"] = "string|boolean",
  ["table or function"] = "table|function",
}

local function class_name(provider)
  return provider:sub(1, 1):upper() .. provider:sub(2)
end

local function choices(row)
  local values = {}
  for choice in row.choices:gmatch("[^|]+") do values[#values + 1] = ('"%s"'):format(choice) end
  return table.concat(values, "|")
end

local function type_of(row)
  if row.choices then return choices(row) end
  return assert(TYPES[row.type], row.type)
end

local function field(row)
  local name = row.name .. (row.required and "" or "?")
  return ("---@field %s %s %s"):format(name, type_of(row), row.doc)
end

local function sorted(rows)
  local list = {}
  for i, row in ipairs(rows) do list[i] = row end
  return list
end

local function add_fields(out, rows)
  for _, row in ipairs(sorted(rows)) do out[#out + 1] = field(row) end
end

local function has_required(rows)
  for _, row in ipairs(rows) do
    if row.required then return true end
  end
  return false
end

local function add_method(out, class, method)
  local arguments = ("usher.%s.%s"):format(class, method.name)
  if method.parameters[1] then
    out[#out + 1] = ("---@class (exact) %s"):format(arguments)
    add_fields(out, method.parameters)
    out[#out + 1] = ""
  end
  out[#out + 1] = "---" .. method.doc
  local optional = has_required(method.parameters) and "" or "?"
  out[#out + 1] = ("---@param arguments%s %s"):format(optional,
    method.parameters[1] and arguments or "table")
  out[#out + 1] = "---@param options? usher.CallOptions"
  out[#out + 1] = "---@return table|true|nil result nil when it failed"
  out[#out + 1] = "---@return usher.Response|usher.Error response or the error"
  out[#out + 1] = ("function %s:%s(arguments, options) end"):format(class, method.name)
  out[#out + 1] = ""
end

local function add_provider(out, name)
  local provider, class = usher.describe(name), class_name(name)
  out[#out + 1] = ("---@class (exact) usher.%sOptions: usher.Options"):format(class)
  add_fields(out, provider.options)
  out[#out + 1] = ""
  out[#out + 1] = ("---%s. Source: %s"):format(provider.title, provider.source)
  out[#out + 1] = ("---@class usher.%s: usher.Client"):format(class)
  out[#out + 1] = ("local %s = {}"):format(class)
  out[#out + 1] = ""
  for _, method in ipairs(provider.methods) do add_method(out, class, method) end
  out[#out + 1] = ("---@param options usher.%sOptions"):format(class)
  out[#out + 1] = ("---@return usher.%s"):format(class)
  out[#out + 1] = ("function usher.%s(options) end"):format(name)
  out[#out + 1] = ""
end

local HEAD = [[
---@meta usher
-- Generated from the endpoint tables by `make types`: for editors, never loaded.

---@class usher
---@field _VERSION string
---@field null lightuserdata JSON null
---@field webhook usher.WebhookModule
---@field testing usher.TestingModule
---@field moderation table|fun(options: table): table
---@field onboarding table|fun(options: table): table
---@field ledger table
local usher = {}

---@alias usher.Kind
---| "network"
---| "timeout"
---| "tls"
---| "http"
---| "api"
---| "rate_limited"
---| "redirect"
---| "decode"
---| "protocol"
---| "too_large"
---| "memory"
---| "cancelled"
---| "unsupported"
---| "invalid"
---| "ledger"
---| "signature"

---@class usher.Error
---@field kind usher.Kind
---@field provider string
---@field method string
---@field message string
---@field status? integer
---@field code? string|integer
---@field retryable boolean
---@field request_sent boolean false: surely not; true: it may have been acted on
---@field retry_after? number seconds
---@field attempts integer
---@field body? string the first 2 KiB of the answer

---@class usher.Response
---@field status integer
---@field headers table<string, string> lower-case names; with libcurl, made when first asked for
---@field head? string the head of the answer as it came, with libcurl
---@field attempts integer
---@field elapsed number seconds

---@class usher.MapOptions
---@field concurrency? integer
---@field on_result? fun(index: integer, item: any, value: any, err: any)

---@class usher.File
---@field path? string
---@field data? string instead of path
---@field filename? string
---@field content_type? string

---@class usher.Client
local Client = {}

---Closes the client and wipes its credentials.
function Client:close() end

---Builds the exact request of a call without sending it.
---@param method string
---@param arguments? table
---@param options? table
---@return { method: string, url: string, headers: table<string, string>, body?: string }
function Client:request(method, arguments, options) end

---Spells a call as a curl command, its secrets as ***.
---@param method string
---@param arguments? table
---@param options? table
---@return string
function Client:curl(method, arguments, options) end

---Walks a list that comes in pages.
---@param method string
---@param arguments? table
---@param options? table
---@return fun(): table?
function Client:pages(method, arguments, options) end
]]

local TAIL = [[
---Calls fn for every item, many at once; results and errors by index.
---@generic T
---@param items T[]|fun(): T?
---@param fn fun(item: T, index: integer): any
---@param options? usher.MapOptions
---@return any[] results
---@return any[] errors
function usher.map(items, fn, options) end

---@param functions (fun(): any)[]
---@return any[] results
---@return any[] errors
function usher.all(functions) end

---@param provider string
---@return table
function usher.describe(provider) end

---@return string[]
function usher.providers() end

---Finds a tenant of eRTC; what it returns are options for usher.ertc.
---@param options { namespace: string, api_key: string, bundle_id: string, base_url: string? }
---@return usher.ErtcOptions? options nil when it failed
---@return usher.Error? err
function usher.ertc_discover(options) end

---@class usher.Event
---@field kind string "message", "postback", ..., or "other"
---@field trigger? string the provider's word for it
---@field id? string
---@field user { id: string?, name: string? }
---@field room { id: string?, name: string? }
---@field text? string
---@field raw table all that was sent

---@class usher.Webhook
local Webhook = {}

---Verifies a request and reads it.
---@param headers table<string, string|string[]>
---@param body string the bytes as they came
---@return usher.Event? event
---@return usher.Error? err
function Webhook:read(headers, body) end

---Signs a body as the provider would, for tests.
---@param body string
---@return table<string, string> headers
function Webhook:sign(body) end

---@class usher.WebhookModule
local webhook = {}

---@param options { token: string }
---@return usher.Webhook
function webhook.qiscus(options) end

---@param options { secret: string }
---@return usher.Webhook
function webhook.smooch(options) end

---@class usher.Clock
---@field now fun(): number
---@field sleep fun(seconds: number): boolean
local Clock = {}

---@param seconds number
function Clock:advance(seconds) end

---@class usher.Stub
---@field client any
---@field calls table[] the requests that it has seen
---@field slept number seconds
local Stub = {}

---Expects a call, after those that are expected already.
---@param method string
---@param arguments? table nil: any
---@param response? table status, headers, body; or kind, message, sent
---@return usher.Stub
function Stub:expect(method, arguments, response) end

---Raises when a call is still expected, or one was not.
function Stub:verify() end

---@class usher.TestingModule
local testing = {}

---@param start? number Unix seconds
---@return usher.Clock
function testing.clock(start) end

---@param provider string
---@param options? table
---@return usher.Stub
function testing.stub(provider, options) end

---@param path string
---@param transport? table|function
---@return table transport
function testing.record(path, transport) end

---@param path string
---@return table transport
function testing.replay(path) end

return usher
]]

-- The types, as the text of a Lua file.
function M.text()
  local out = { HEAD }
  out[#out + 1] = "---@class usher.Options"
  add_fields(out, usher.describe("qiscus").shared_options)
  out[#out + 1] = ""
  out[#out + 1] = "---@class usher.CallOptions"
  for _, row in ipairs(usher.describe("qiscus").shared_options) do
    if row.per_call then out[#out + 1] = field(row) end
  end
  out[#out + 1] = ""
  for _, name in ipairs(usher.providers()) do add_provider(out, name) end
  out[#out + 1] = TAIL
  return table.concat(out, "\n")
end

if arg and arg[0] and arg[0]:find("types%.lua$") then io.write(M.text()) end

return M
