--- Walks a list that comes in pages, an item at a time: `client:pages`.
-- How a method pages is a column of its row. The iterator is a closure: it can
-- be used in nginx, inside `usher.map`, and as the items of `usher.map`.
-- @module usher.pages

local core = require "usher.core"

local M = {}

local known = {} -- the paging columns, by provider and method

local function paging_of(provider, method)
  if not known[provider] then
    known[provider] = {}
    for _, row in ipairs(core.describe(provider).methods) do
      known[provider][row.name] = row.paging
    end
  end
  return known[provider][method]
end

--- Whether a method answers in pages.
-- @tparam string provider
-- @tparam string method
-- @treturn boolean
function M.has(provider, method)
  return paging_of(provider, method) ~= nil
end

--- What stands at a path in an answer, such as `results.users`.
-- @param answer
-- @tparam string path
-- @return the value, or nil
function M.at(answer, path)
  for name in path:gmatch("[^.]+") do
    if type(answer) ~= "table" then return nil end
    answer = answer[name]
  end
  return answer
end

--- A number as the provider wrote it: all digits of an integer, else the shortest text that reads
-- back as the same.
-- @param value what is no number stays what it is
-- @return text
function M.text(value)
  if type(value) ~= "number" then return value end
  if value % 1 == 0 and math.abs(value) < 2 ^ 63 then return ("%d"):format(value) end
  for digits = 14, 16 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then return text end
  end
  return ("%.17g"):format(value)
end

local function copy(arguments)
  local copied = {}
  for name, value in pairs(arguments) do copied[name] = value end
  return copied
end


-- The argument that asks for the page behind this one.
local styles = {
  number = function(_, value) return (value or 1) + 1 end,
  skip = function(_, value, items) return (value or 0) + #items end,
  before = function(paging, _, items) return M.text(items[1][paging.cursor]) end,
  after = function(paging, _, items) return M.text(items[#items][paging.cursor]) end,
}

-- Back in time, unless the caller said from when on.
local function direction(paging, arguments)
  if paging.forward and arguments[paging.forward] ~= nil then return "after", paging.forward end
  return paging.style, paging.argument
end

-- A page that is shorter than the one before it is the last: what the caller
-- asked for may be more than the server gives. What the server says of the
-- number of pages is not looked at.
local function is_last(state, items)
  local shorter = state.length and #items < state.length
  state.length = #items
  return #items == 0 or shorter
end

local function fail(state, kind, message)
  error(core.error{
    provider = core.provider(state.client), method = state.method, kind = kind,
    message = message, retryable = false, request_sent = true,
  }, 0)
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for name, value in pairs(a) do
    if not same(value, b[name]) then return false end
  end
  return true
end

-- A provider that looks at no page number gives the first one for ever.
local function fetch(state)
  local paging, arguments = state.paging, state.arguments
  local answer, err = state.client[state.method](state.client, arguments, state.options)
  if not answer then error(err, 0) end
  local items = M.at(answer, paging.items)
  if type(items) ~= "table" then
    fail(state, "decode", "the answer has no list '" .. paging.items .. "'")
  end
  if items[1] ~= nil and same(items[1], state.first) then
    fail(state, "protocol", "the provider answers with the same page again")
  end
  state.items, state.index, state.first = items, 0, items[1]
  state.ended = is_last(state, items)
  if not state.ended then
    arguments[state.argument] = styles[state.style](paging, arguments[state.argument], items)
  end
end

--- The items of a list, one after another, a page at a time.
-- @function client:pages
-- @tparam string method a method whose row says how it pages
-- @tparam[opt] table arguments as for the method; the walk begins at the page that they name
-- @tparam[opt] table options as for the method, for each call
-- @treturn function an iterator; when a call fails it raises the error that the call returned, and
-- when it is asked again it asks for that page again. Inside `usher.map` that ends the map, as all
-- that is raised there; a task that shall fail alone uses `pcall`
-- @usage for user in client:pages("get_user_list", { limit = 100 }) do print(user.email) end
function M.pages(client, method, arguments, options)
  local provider = core.provider(client)
  local paging = paging_of(provider, method)
  if not paging then
    error(("usher.%s:pages: the method '%s' does not answer in pages"):format(provider,
      tostring(method)), 2)
  end
  local state = {
    client = client, method = method, options = options, paging = paging,
    arguments = copy(arguments or {}), items = {}, index = 0, ended = false,
  }
  state.style, state.argument = direction(paging, state.arguments)
  if paging.size and state.arguments[paging.size] == nil then
    state.arguments[paging.size] = paging.usual_size
  end
  return function()
    while true do
      state.index = state.index + 1
      local item = state.items[state.index]
      if item ~= nil then return item end
      if state.ended then return nil end
      fetch(state)
    end
  end
end

return M
