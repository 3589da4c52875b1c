-- The types for editors are those of the rows, and every line of them can be read.

local types = dofile(".ci/types.lua")
local files = require "spec.support.files"
local usher = require "usher"

local PATH = "lua/usher/types.lua"

local BUILT_IN = {
  string = true, integer = true, number = true, boolean = true, table = true, ["function"] = true,
  any = true, ["nil"] = true, ["true"] = true, T = true, lightuserdata = true,
}

-- A reader for the part of LuaLS' grammar that is used; returns what is left, or nil and why.
local read_type

local function skip(text) return (text:gsub("^%s+", "")) end

local function read_list(text, close, item)
  text = skip(text)
  while text:sub(1, 1) ~= close do
    local problem
    text, problem = item(text)
    if not text then return nil, problem end
    text = skip(text):gsub("^,%s*", "")
    if text == "" then return nil, "no " .. close end
  end
  return text:sub(2)
end

local function read_member(text, known)
  local rest = text:match("^[%w_]+%??:%s*(.*)$")
  if not rest then return nil, "no member: " .. text end
  return read_type(rest, known)
end

local function read_one(text, known)
  text = skip(text)
  local quoted = text:match('^"[^"]*"(.*)$')
  if quoted then return quoted end
  if text:sub(1, 1) == "(" then
    local inner, problem = read_type(text:sub(2), known)
    if not inner then return nil, problem end
    return inner:match("^%)(.*)$"), "no )"
  elseif text:sub(1, 1) == "{" then
    return read_list(text:sub(2), "}", function(t) return read_member(t, known) end)
  elseif text:find("^fun%(") then
    local rest, problem = read_list(text:sub(5), ")", function(t) return read_member(t, known) end)
    if not rest then return nil, problem end
    local results = rest:match("^:%s*(.*)$")
    return results and read_type(results, known) or rest
  elseif text:find("^table<") then
    local rest, problem = read_type(text:sub(7), known)
    if not rest then return nil, problem end
    rest, problem = read_type(rest:gsub("^,", ""), known)
    if not rest then return nil, problem end
    return rest:match("^>(.*)$"), "no >"
  end
  local name, rest = text:match("^([%w_.]+)(.*)$")
  if not name then return nil, "no type: " .. text end
  if not BUILT_IN[name] and not known[name] then return nil, "unknown type " .. name end
  return rest
end

function read_type(text, known)
  local rest, problem = read_one(text, known)
  if not rest then return nil, problem end
  rest = rest:gsub("^%[%]", ""):gsub("^%?", "")
  local more = rest:match("^|(.*)$")
  if more then return read_type(more, known) end
  return rest
end

local function classes_of(text)
  local known = {}
  for name in text:gmatch("%-%-%-@class ([^\n]+)") do
    known[name:gsub("^%(exact%) ", ""):match("^[%w_.]+")] = true
  end
  for name in text:gmatch("%-%-%-@alias ([%w_.]+)") do known[name] = true end
  return known
end

-- What cannot be read, a line each.
local function problems_of(text)
  local known, problems, number = classes_of(text), {}, 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    local tag, rest = line:match("^%-%-%-@(%w+)%s*(.*)$")
    local problem
    if tag == "field" or tag == "param" then
      local typed = rest:match("^[%w_]+%??%s+(.+)$")
      problem = typed and select(2, read_type(typed, known)) or not typed and "no type"
    elseif tag == "return" then
      problem = select(2, read_type(rest, known))
    elseif tag == "class" then
      local parent = rest:match(":%s*([%w_.]+)$")
      problem = parent and not known[parent] and "unknown parent " .. parent
    elseif tag and not (tag == "meta" or tag == "generic" or tag == "alias") then
      problem = "unknown tag " .. tag
    end
    if problem then problems[#problems + 1] = ("%d: %s"):format(number, problem) end
  end
  return problems
end

describe("The types for editors", function()
  it("are those that the rows make: make types writes them", function()
    assert.equal(types.text(), files.read(PATH))
  end)

  it("are Lua", function()
    assert(loadfile(PATH))
  end)

  it("can be read, every line", function()
    assert.same({}, problems_of(files.read(PATH)))
  end)

  it("are seen to be wrong where they are", function()
    for _, line in ipairs{ "---@field a strin", "---@field a", "---@param a { b: }",
      "---@return table<string", "---@class X: Nobody", "---@feild a string",
      "---@param f fun(a: string" } do
      assert.equal(1, #problems_of(line), line)
    end
  end)

  it("name all that the module has", function()
    local text, missing = files.read(PATH), {}
    local names = { "webhook", "testing", "moderation", "onboarding", "ledger" }
    for name in pairs(usher) do names[#names + 1] = name end
    for _, name in ipairs(names) do
      local there = text:find("function usher." .. name .. "(", 1, true)
        or text:find("---@field " .. name .. " ", 1, true)
      if not there then missing[#missing + 1] = name end
    end
    assert.same({}, missing)
  end)

  it("name every method and its required arguments", function()
    local text = files.read(PATH)
    for _, provider in ipairs(usher.providers()) do
      local class = provider:sub(1, 1):upper() .. provider:sub(2)
      for _, method in ipairs(usher.describe(provider).methods) do
        assert.truthy(text:find(("function %s:%s("):format(class, method.name), 1, true),
          method.name)
        local fields = text:match(("\n%%-%%-%%-@class %%(exact%%) usher%%.%s%%.%s\n(.-)\n\n")
          :format(class, method.name))
        for _, row in ipairs(method.parameters) do
          assert.truthy(fields:find(("---@field %s%s "):format(row.name,
            row.required and "" or "?"), 1, true), method.name .. " " .. row.name)
        end
      end
    end
    assert.truthy(text:find("function Qiscus:login_or_register(arguments, options) end", 1, true))
    assert.truthy(text:find("---@field user_id string|integer the application's id", 1, true))
    assert.truthy(text:find('---@field action "block"|"unblock"', 1, true))
  end)
end)
