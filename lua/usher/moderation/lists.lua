--- The users and lists of all providers in one shape:
-- `{ id, name, role, since, raw }`; `since` in Unix seconds.
-- @module usher.moderation.lists

local dates = require "usher.moderation.dates"
local pages = require "usher.pages"
local verbs = require "usher.moderation.verbs"

local M = {}

local function is_wanted(raw, only)
  for name, value in pairs(only or {}) do
    if raw[name] ~= value then return false end
  end
  return true
end

local function text(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return ("%.17g"):format(value) end
end

local function since(raw, entry)
  for _, name in ipairs(entry.since or {}) do
    local time = dates.read(raw[name], entry.dates)
    if time then return time end
  end
end

local function person(raw, names, entry)
  return {
    id = text(raw[names.id]), name = text(raw[names.name]) or "", role = text(raw[names.role]),
    since = since(raw, entry), raw = raw,
  }
end

-- The items of an answer, one after another, whether it comes in pages or not.
local function items_of(client, provider, entry, arguments)
  if pages.has(provider, entry.call) then return pages.pages(client, entry.call, arguments) end
  local answer, err = client[entry.call](client, arguments)
  if not answer then error(err, 0) end
  local items, index = pages.at(answer, entry.items), 0
  if type(items) ~= "table" then items = {} end -- nobody: the list may be absent
  return function()
    index = index + 1
    return items[index]
  end
end

local function collect(client, provider, entry, arguments)
  local names = entry.person or verbs.providers[provider].person
  local users = {}
  for raw in items_of(client, provider, entry, arguments) do
    if type(raw) == "table" and is_wanted(raw, entry.only) then
      users[#users + 1] = person(raw, names, entry)
    end
  end
  return users
end

--- Reads a list.
-- @tparam userdata client
-- @tparam string provider
-- @tparam table entry of the verb
-- @tparam table arguments of its method
-- @treturn ?{table,...}
-- @treturn[2] nil
-- @treturn[2] table the error of the call
function M.read(client, provider, entry, arguments)
  local ok, users = pcall(collect, client, provider, entry, arguments)
  if ok then return users end
  if type(users) ~= "table" then error(users, 0) end -- not a call's error: a mistake
  return nil, users
end

return M
