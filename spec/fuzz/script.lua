-- What script_fuzz.c does with the bytes of one run: they are a script. It makes a client, well or
-- badly, and calls it, well or badly. Misuse raises a string that says where; what the world does
-- is a value; nothing else comes out, and no secret.

package.path = "./lua/?.lua;./lua/?/init.lua;./?.lua;" .. package.path

local host = host -- luacheck: globals host

local core = require "usher.core"
local usher = require "usher"
local writes = require "spec.support.writes"

local SECRET = "s3cret/\"key\\1"
local SAID_BACK = '{"success":false,"msg":"s3cret\\/\\"key\\\\1","result_cd":"s3cret/\\"key\\\\1"}'
local RAISED = "raised by the script itself"
local STEPS = 6

local PROVIDERS = usher.providers()

local calls = {}
for _, idempotent in ipairs{ true, false } do
  for _, call in ipairs(writes.methods(idempotent)) do
    calls[call.provider] = calls[call.provider] or {}
    table.insert(calls[call.provider], call)
  end
end

local OPTION_NAMES, ARGUMENT_NAMES, SECRETS = {}, {}, {}
for _, provider in ipairs(PROVIDERS) do
  local described = usher.describe(provider)
  for _, rows in ipairs{ described.options, described.shared_options } do
    for _, row in ipairs(rows) do
      OPTION_NAMES[#OPTION_NAMES + 1] = row.name
      SECRETS[row.name] = row.secret and row.name ~= "proxy" or nil
    end
  end
  for _, method in ipairs(described.methods) do
    for _, row in ipairs(method.parameters) do ARGUMENT_NAMES[#ARGUMENT_NAMES + 1] = row.name end
  end
end
table.sort(OPTION_NAMES)
table.sort(ARGUMENT_NAMES)

-- Values out of bytes -----------------------------------------------------------------------------

local bytes, at

local function byte()
  at = at + 1
  return bytes:byte(at) or 0
end

local function choose(list) return list[byte() % #list + 1] end

local function text()
  local length = byte() % 32
  at = at + length
  return bytes:sub(at - length + 1, at)
end

local NUMBERS = { 0, 1, -1, 0.5, -0.0, 2 ^ 53, 2 ^ 53 + 2, -2 ^ 63, 2 ^ 63, 1e15, 1e308, 1e309,
  -1e309, 0 / 0, 100, 101, 65535, 65536, 2147483647, 2147483648 }
local STRINGS = { "", ".", "..", "a", "a/b", "%2e", "\0", "a\0b", "a\r\nX: 1", "\255\254", "é",
  "block", ("x"):rep(300), ("y"):rep(70000), "https://h.example", "http://127.0.0.1:1",
  "2026-01-02 03:04:05", "environment" }

local function raise() error(RAISED, 0) end

local METATABLES = {
  { __index = raise, __len = raise, __pairs = raise, __tostring = raise },
  { __index = function() return "x" end, __len = function() return 1e9 end },
  { __mode = "kv" },
  { __metatable = false },
}

local client -- the one that is being tried out
local has_secret -- whether it knows SECRET as one
local value

local function table_of(depth)
  local made = {}
  for i = 1, byte() % 5 do
    local kind = byte() % 6
    if kind < 2 then
      made[i] = value(depth + 1)
    elseif kind < 4 then
      made[choose(ARGUMENT_NAMES)] = value(depth + 1)
    elseif kind == 4 then
      made[text()] = value(depth + 1)
    else
      made[choose(NUMBERS) == 1 and true or i * 2] = made
    end
  end
  if byte() % 8 == 7 then setmetatable(made, choose(METATABLES)) end
  return made
end

function value(depth)
  local kind = byte() % 12
  if kind == 0 then return nil
  elseif kind == 1 then return byte() % 2 == 0
  elseif kind == 2 then return choose(NUMBERS)
  elseif kind == 3 then return byte()
  elseif kind < 6 then return choose(STRINGS)
  elseif kind == 6 then return text()
  elseif kind == 7 then return usher.null
  elseif kind == 8 then return choose{ raise, print, coroutine.create(print), io.stdout, false }
  elseif kind == 9 then return client
  elseif depth < 5 then return table_of(depth) end
  return {}
end

-- `from`, with some fields changed.
local function altered(from, names)
  local made = {}
  for name, field in pairs(from) do made[name] = field end
  for _ = 1, byte() % 5 - 2 do
    local name = byte() % 8 < 7 and choose(names) or value(3)
    if name ~= nil and name == name then made[name] = value(1) end
  end
  if byte() % 16 == 15 then return value(0) end
  return made
end

-- What must hold ----------------------------------------------------------------------------------

local function has_no_secret(message)
  assert(not (has_secret and host.spelled(message, SECRET)), "a secret is shown")
end

-- Calls and judges: true and what it returned, or false.
local function try(call, ...)
  local returned = { pcall(call, ...) }
  if returned[1] then return true, returned[2], returned[3] end
  local problem = returned[2]
  if problem == RAISED then return false end
  assert(type(problem) == "string", "an error that is no string: " .. type(problem))
  has_no_secret(problem)
  return false
end

local function judge(fine, result, second)
  if not fine then return end
  if result ~= nil then
    assert(result == true or type(result) == "table")
    assert(type(second) == "table" and second.status >= 200 and second.status < 300)
  else
    assert(type(second) == "table" and type(second.kind) == "string", "no error beside nil")
    has_no_secret(tostring(second))
    has_no_secret(second.body or "")
  end
end

-- What scripts do ---------------------------------------------------------------------------------

local function answers()
  local kind = byte() % 4
  if kind == 0 then return value(0), value(0), value(0), value(0) end
  if kind == 1 then
    return nil, choose{ "network", "timeout", "tls", "odd" }, text(), byte() % 2 == 0
  end
  return choose{ 200, 200, 204, 301, 400, 401, 429, 503 }, { ["retry-after"] = text() },
    choose{ "", "{}", '{"success":false}', '{"result_cd":0}', "[]", "{", SAID_BACK, text() }
end

local function new_client(provider)
  local options = {
    clock = function() return 1700000000 end,
    random = function() return 0.5 end,
    transport = { send = answers, sleep = function() end },
  }
  for name, option in pairs(calls[provider][1].options) do
    options[name] = SECRETS[name] and SECRET or option
  end
  options.base_url = "https://h.example"
  options = altered(options, OPTION_NAMES)
  local fine, made = try(usher[provider], options)
  if not fine then return nil end
  for name in pairs(SECRETS) do has_secret = has_secret or rawget(options, name) == SECRET end
  return made
end

local function call_method(call)
  local method = client[call.method]
  local self = byte() % 16 == 15 and value(0) or client
  judge(try(method, self, altered(call.arguments, ARGUMENT_NAMES),
    byte() % 4 == 3 and altered({ timeout = 1 }, OPTION_NAMES) or nil))
end

local function preview(call)
  local name = byte() % 16 == 15 and value(0) or call.method
  local arguments = altered(call.arguments, ARGUMENT_NAMES)
  if byte() % 2 == 0 then
    try(client.request, client, name, arguments)
  else
    local fine, command = try(client.curl, client, name, arguments)
    if fine then has_no_secret(command) end
  end
end

-- Of what is not for users there are functions that wait, and some that hand out what is inside.
local NOT_CALLED = { sleep = true, environment = true, class = true }

local FUNCTIONS = {}
for name, member in pairs(core) do
  if type(member) == "function" and not NOT_CALLED[name] then FUNCTIONS[#FUNCTIONS + 1] = name end
end
table.sort(FUNCTIONS)

local function call_core()
  try(core[choose(FUNCTIONS)], value(0), value(0), value(0), value(0))
end

return function(given)
  bytes, at, client, has_secret = given, 0, nil, false
  local provider = choose(PROVIDERS)
  client = new_client(provider)
  for _ = 1, STEPS do
    if at >= #bytes then break end
    local kind = byte() % 8
    if kind == 0 or not client then
      call_core()
    elseif kind == 1 then
      preview(choose(calls[provider]))
    elseif kind == 2 then
      has_no_secret(tostring(client))
    elseif kind == 3 and byte() % 4 == 0 then
      client:close()
    else
      call_method(choose(calls[provider]))
    end
  end
  if client then client:close() end
  client = nil
end
