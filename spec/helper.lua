-- Loaded by busted before the specs: a test that leaves one of its clients open fails. Clients that
-- are made outside of tests (before_each, setup) are the business of who makes them.

local busted = require "busted"
local core = require "usher.core"

local make = core.client
local clients -- those of the running test

-- One call deeper than the original: `level` says whose line a refusal is reported at.
core.client = function(provider, options, level, ...)
  local client, environment = make(provider, options, (level or 1) + 1, ...)
  if clients then clients[client] = true end
  return client, environment
end

local function is_open(client)
  return tostring(client):find("(open)", 1, true) ~= nil
end

busted.subscribe({ "test", "start" }, function()
  clients = setmetatable({}, { __mode = "k" })
  return nil, true
end)

busted.subscribe({ "test", "end" }, function()
  local left = {}
  for client in pairs(clients or {}) do
    if is_open(client) then
      left[#left + 1] = tostring(client)
      client:close()
    end
  end
  clients = nil
  if left[1] then error("the test leaves open: " .. table.concat(left, ", "), 0) end
  return nil, true
end)
