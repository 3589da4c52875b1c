--- Scripted moderation and onboarding for chat providers.
-- A client is a userdata with one method per endpoint. The core decides what
-- is sent, when it is repeated and what an answer means; this file drives it
-- with a transport.
-- @module usher

local core = require "usher.core"
local transports = require "usher.transport"

-- Longest wait for the rate limit in one piece, in seconds: its pace changes.
local RATE_PIECE = 1

local M = {
  _VERSION = core._VERSION,
  --- JSON null: `usher.null` as an argument is sent as `null`.
  null = core.null,
}

--- Describes a provider's options and methods as plain tables.
-- @tparam string provider `"ertc"`, `"qiscus"`, `"smooch"` or `"vchatcloud"`
-- @treturn table `{ name, title, source, options, shared_options, methods }`
-- @usage for _, method in ipairs(usher.describe("qiscus").methods) do print(method.name) end
M.describe = core.describe

--- The names of all providers.
-- @treturn {string,...}
M.providers = core.providers

-- Loaded when they are first used: a script that only calls endpoints needs none of them.
local parts = { moderation = "usher.moderation", ledger = "usher.ledger",
  onboarding = "usher.onboarding", webhook = "usher.webhook", testing = "usher.testing" }
local functions = { map = "usher.map", all = "usher.map" }

-- LuaJIT takes modules that an error has kept from being loaded, such as a lack
-- of memory, for some that are still loading. Ours are tables, what marks them is not.
local function load_part(name)
  local ok, part = pcall(require, name)
  if ok then return part end
  for each, module in pairs(package.loaded) do
    if type(module) ~= "table" and each:find("usher.", 1, true) == 1 then
      package.loaded[each] = nil
    end
  end
  error(part, 0)
end

function M.ertc_discover(options)
  return require("usher.discover").discover(options)
end

setmetatable(M, { __index = function(module, name)
  local part
  if functions[name] then
    part = load_part(functions[name])[name]
  elseif parts[name] then
    part = load_part(parts[name])
  end
  rawset(module, name, part)
  return part
end })

local function report(environment, kind, request, fields)
  fields.event = kind
  fields.provider = request.provider
  fields.method = request.operation
  fields.attempt = request.attempt
  environment.on_event(fields)
end

-- Whether the transport is in C: it takes the call itself for a request, and answers
-- with a userdata in place of status, headers and body.
local function is_in_c(call, request)
  return request == call
end

-- What an answer says: a status and its headers or, of a transport in C, its head;
-- or nil and a kind of error.
local function outcome(call, request, answer, second)
  if answer and is_in_c(call, request) then return answer:head() end
  return answer, second
end

local function send(environment, call, request)
  if is_in_c(call, request) then return environment.exchange(request) end
  return environment.send(request)
end

-- Sends a request and tells on_event before and after. The events carry no
-- header and no body, so no credential.
local function send_observed(environment, call, request)
  local about, started = call:describe(), core.monotonic()
  report(environment, "request", about, { verb = about.method, url = about.url })
  local answer, second, third, sent = send(environment, call, request)
  local elapsed = core.monotonic() - started
  local status, kind = outcome(call, request, answer, second)
  if status then
    report(environment, "response", about, { status = status, elapsed = elapsed })
  else
    report(environment, "response", about, { kind = kind, elapsed = elapsed })
  end
  return answer, second, third, sent
end

local function learn(rate, call, request, answer, second)
  local status, headers = outcome(call, request, answer, second)
  if not status then return end
  rate:learn(status, is_in_c(call, request) and core.read_head(headers) or headers)
end

local function sleep_observed(environment, call, seconds, err)
  if err and environment.on_event then
    report(environment, "retry", call:describe(),
      { wait = seconds, kind = err.kind, status = err.status })
  end
  return environment.sleep(seconds)
end

-- One attempt, and what is to be done then.
local function try(call, environment, request)
  local answer, second, third, sent
  if environment.on_event then
    answer, second, third, sent = send_observed(environment, call, request)
  else
    answer, second, third, sent = send(environment, call, request)
  end
  if environment.rate then learn(environment.rate, call, request, answer, second) end
  local action, first, detail = call:next(answer, second, third, sent)
  if answer and is_in_c(call, request) then answer:recycle() end
  return action, first, detail
end

-- The seconds that the rate limit holds an attempt back, and its place in the
-- line, which it keeps while it waits.
local function held_back(rate, place)
  if not rate then return 0 end
  if place then return rate:remaining(place), place end
  return rate:reserve()
end

local function drive(call, environment)
  local wait, place
  local action, first, second = call:next()
  while true do
    if action == "send" then
      wait, place = held_back(environment.rate, place)
      if wait > 0 then
        action, first, second = call:defer(wait)
        if action == "sleep" then first = math.min(first, RATE_PIECE) end
      else
        place = nil
        action, first, second = try(call, environment, first)
      end
    elseif action == "sleep" then
      local _, kind, message = sleep_observed(environment, call, first, second)
      if kind then
        action, first, second = call:abort(kind, message)
      else
        action, first, second = call:next()
      end
    elseif action == "done" then
      return first, second
    else
      if place then environment.rate:give_back() end
      return nil, first
    end
  end
end

-- Lua 5.1 cannot yield from inside pcall, as a transport may want to.
local yields_in_pcall = rawget(_G, "jit") ~= nil or _VERSION ~= "Lua 5.1"

local function finish(call, ok, first, second)
  if ok then return first, second end
  call:abort("cancelled")
  error(first, 0)
end

-- A method is a Lua function, not a C function: it must be able to yield
-- through a transport, which LuaJIT cannot do across C.
-- A call that fetches a token does it for all others: when it raises, be it in
-- the transport or for want of memory, they must not wait for it.
local function driver(name)
  return function(client, arguments, options)
    local call, environment, may_fetch = core.begin(client, name, arguments, options)
    if may_fetch and (yields_in_pcall or not coroutine.running()) then
      return finish(call, pcall(drive, call, environment))
    end
    return drive(call, environment)
  end
end

local shared = {}

--- Builds the exact request of a call without sending it.
-- @function client:request
-- @tparam string method the method's name
-- @tparam[opt] table arguments as for the method itself
-- @tparam[opt] table options as for the method itself
-- @treturn table `{ method, url, headers, body }`, with the credentials
function shared.request(client, method, arguments, options)
  return (core.request(client, method, arguments, options))
end

--- Spells a call as a curl command for a shell, with its secrets as `***`.
-- @function client:curl
-- @tparam string method the method's name
-- @tparam[opt] table arguments as for the method itself
-- @tparam[opt] table options as for the method itself
-- @treturn string
function shared.curl(client, method, arguments, options)
  return (core.curl(client, method, arguments, options))
end

--- Closes a client: wipes its credentials and closes its connections. Closing
-- again does nothing; any call afterwards raises.
-- @function client:close
function shared.close(client)
  core.close(client)
  transports.detach(core.environment(client))
end

local function missing_method(provider, names)
  return function(methods, name)
    if name == "pages" then -- few scripts want it
      methods.pages = load_part("usher.pages").pages
      return methods.pages
    end
    name = tostring(name)
    if #name > 64 then name = name:sub(1, 64) .. "..." end
    local message = ("usher.%s: no method '%s'"):format(provider, name)
    local nearest = core.nearest(name, names)
    if nearest then message = ("%s; did you mean '%s'?"):format(message, nearest) end
    error(message, 2)
  end
end

-- Fills the class of a provider's clients from its rows.
local function define(provider)
  local class, names = core.class(provider)
  local methods = class.__index
  for _, name in ipairs(names) do methods[name] = driver(name) end
  for name, method in pairs(shared) do
    methods[name] = method
    names[#names + 1] = name
  end
  names[#names + 1] = "pages"
  class.__close = shared.close
  setmetatable(methods, { __index = missing_method(provider, names) })
end

local function constructor(provider)
  return function(options)
    local given = type(options) == "table" and options or {}
    local rate = rawget(given, "rate")
    local problem = transports.problem(given)
      or rate ~= nil and load_part("usher.rate").problem(rate) or nil
    local client, environment = core.client(provider, options, 2, problem)
    if environment.rate then
      environment.rate = load_part("usher.rate").new(environment.rate, "usher." .. provider,
        environment.clock)
    end
    transports.attach(environment)
    return client
  end
end

for _, provider in ipairs(core.providers()) do
  define(provider)
  M[provider] = constructor(provider)
end

return M
