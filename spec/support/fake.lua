--- A world made of a script: a transport that answers from a list and keeps a journal, a clock that
-- only moves when something waits, and dice that fall as told.

local usher = require "usher"

local M = {}

M.unset = {}

--- What the clients of specs are made from: every provider's required options.
M.options = {
  ertc = {
    base_url = "https://chat.example.com",
    api_key = "test-api-key",
    bundle_id = "com.example.app",
    tenant_id = "tenant-1",
    access_token = "test-access-token",
  },
  qiscus = { app_id = "test-app", secret = "test-secret" },
  smooch = { key_id = "app_test_key", secret = "test-secret" },
  vchatcloud = { api_key = "test-api-key", token = "test-token" },
}

local methods = {}
methods.__index = methods

--- An answer of the server.
-- @tparam integer status
-- @tparam[opt="{}"] string body
-- @tparam[opt] table headers lower-case names
-- @treturn function one step of a script
function M.answer(status, body, headers)
  return function()
    return status, headers or {}, body or "{}"
  end
end

--- An attempt without an answer.
-- @tparam string kind
-- @tparam[opt] string message
-- @tparam[opt] boolean sent nil: the transport does not say
-- @treturn function one step of a script
function M.failure(kind, message, sent)
  return function()
    return nil, kind, message, sent
  end
end

--- A step that takes time.
-- @tparam number seconds
-- @tparam function step
-- @treturn function one step of a script
function M.slow(seconds, step)
  return function(request, world)
    world.now = world.now + seconds
    return step(request, world)
  end
end

local function copy(request)
  local seen = {}
  for name, value in pairs(request) do seen[name] = value end
  return seen
end

local function send(world, request)
  world.requests[#world.requests + 1] = copy(request)
  local step = world.script[#world.requests] or world.script.forever
  if not step then
    error(("the script has no answer to request %d, %s %s"):format(
      #world.requests, request.method, request.url), 0)
  end
  if type(step) == "number" then step = M.answer(step) end
  return step(request, world)
end

--- Makes a world.
-- @tparam table script steps in order: a status, or what `answer`, `failure` and `slow` return, or
-- `function(request, world)` that returns what a transport does; `forever` is the step after the
-- last. A request that the script does not foresee raises.
-- @treturn table `{ now, random, late, requests, sleeps, script, transport }`: every sleep takes
-- `late` seconds more than it was asked for
function M.new(script)
  local world = setmetatable({
    now = 1700000000,
    random = 0.5,
    late = 0,
    requests = {},
    sleeps = {},
    script = script or {},
  }, methods)
  world.transport = {
    send = function(request) return send(world, request) end,
    sleep = function(seconds)
      world.sleeps[#world.sleeps + 1] = seconds
      world.now = world.now + seconds + world.late
    end,
  }
  return world
end

--- Adds the world to a client's options.
-- @tparam[opt] table options changed and returned
-- @treturn table
function methods:options(options)
  options = options or {}
  options.transport = options.transport or self.transport
  options.clock = options.clock or function() return self.now end
  options.random = options.random or function() return self.random end
  return options
end

--- The operations of the journal, in order.
-- @treturn {string,...}
function methods:operations()
  local names = {}
  for i, request in ipairs(self.requests) do names[i] = request.operation end
  return names
end

-- Those of a provider that is not above: what its vectors are made with.
local function options_of_vectors(provider)
  local options = {}
  for name, value in pairs(require("spec.vectors." .. provider).client) do options[name] = value end
  options.clock, options.random = nil, nil
  return options
end

--- Opens clients, each in a world of its own, and closes them together.
-- @treturn table `{ open, close }`: `open(provider, script, options)` returns a client and its
-- world; an option that is `fake.unset` is left out of the usual ones
function M.pool()
  local clients = {}
  local pool = {}
  function pool.open(provider, script, options)
    local world = M.new(script)
    local all = world:options()
    for name, value in pairs(M.options[provider] or options_of_vectors(provider)) do
      all[name] = value
    end
    for name, value in pairs(options or {}) do
      if value == M.unset then value = nil end
      all[name] = value
    end
    local client = usher[provider](all)
    clients[#clients + 1] = client
    return client, world
  end
  function pool.close()
    for _, client in ipairs(clients) do client:close() end
    clients = {}
  end
  return pool
end

return M
