--- Calls that must raise, and the message they raise with, without its place: that place must be
-- the line of the call.

local usher = require "usher"
local fake = require "spec.support.fake"

local M = {}

local HERE = debug.getinfo(1, "S").short_src

-- The line after the one that asks.
local function next_line()
  return debug.getinfo(2, "l").currentline + 1
end

--- The message of what was raised at that line of this file, or of `source`.
function M.message(line, ok, message, source)
  if ok then error("nothing was raised", 2) end
  local place = ("%s:%d: "):format(source or HERE, line)
  message = tostring(message)
  if message:sub(1, #place) ~= place then
    error(("not raised at %s but: %s"):format(place, message), 2)
  end
  return message:sub(#place + 1)
end

--- The message of `method(...)`.
function M.of(method, ...)
  local line
  local ok, message = pcall(function(...)
    line = next_line()
    method(...)
  end, ...)
  return M.message(line, ok, message)
end

--- The message of `client:method(...)`.
function M.of_call(client, method, ...)
  local line
  local ok, message = pcall(function(...)
    line = next_line()
    client[method](client, ...)
  end, ...)
  return M.message(line, ok, message)
end

--- The message of looking up `client[name]`.
function M.of_name(client, name)
  local line
  local ok, message = pcall(function()
    line = next_line()
    local value = client[name]
    return value
  end)
  return M.message(line, ok, message)
end

--- The message of `usher[provider](options)`; a client that is made all the same is closed.
function M.of_client(provider, options)
  local line
  local ok, message = pcall(function()
    line = next_line()
    usher[provider](options):close()
  end)
  return M.message(line, ok, message)
end

--- The usual options of a provider, changed; `fake.unset` leaves one out.
function M.options(provider, changes)
  local options = {}
  for name, value in pairs(fake.options[provider]) do options[name] = value end
  for name, value in pairs(changes) do
    if value == fake.unset then value = nil end
    options[name] = value
  end
  return options
end

--- Several problems as one message lists them.
function M.several(...)
  return ("%d problems\n  %s"):format(select("#", ...), table.concat({ ... }, "\n  "))
end

return M
