-- What an error handler finds that reads every variable it can reach, as one that reports crashes
-- may: the locals of our functions, the stacks of the C functions they have called, and upvalues.

local M = {}

local get_inner = rawget(debug, "getuservalue") or rawget(debug, "getfenv")

-- All strings in a value, other than through functions.
local function gather(value, seen, out)
  if type(value) == "string" then
    out[#out + 1] = value
  elseif type(value) == "userdata" and not seen[value] then
    seen[value] = true
    gather(get_inner(value), seen, out)
  elseif type(value) == "table" and not seen[value] then
    seen[value] = true
    for name, member in next, value do
      gather(name, seen, out)
      gather(member, seen, out)
    end
  end
end

-- The values of the locals, temporaries and further arguments of the function `level` up.
local function locals(level)
  local out = {}
  for step = -1, 1, 2 do
    local i = step
    local name, value = debug.getlocal(level + 1, i)
    while name do
      out[#out + 1] = { value }
      i = i + step
      name, value = debug.getlocal(level + 1, i)
    end
  end
  return out
end

local function upvalues(fn)
  local out, i = {}, 1
  local name, value = debug.getupvalue(fn, i)
  while name do
    out[#out + 1] = { value }
    i = i + 1
    name, value = debug.getupvalue(fn, i)
  end
  return out
end

-- Whether the function `level` up is in lua/usher, or a C function called from there; a wrapper of
-- a spec may stand between.
local function is_ours(level)
  for further = 0, 2 do
    local info = debug.getinfo(level + 1 + further, "S")
    if not info then return false end
    if info.source:find("lua/usher", 1, true) then return true end
    if info.what ~= "C" and not info.source:find("spec/helper", 1, true) then return false end
  end
end

--- To be called by an error handler.
-- @tparam table mine tables of the caller, which are not looked into, as keys
-- @treturn {string,...} all strings that are found
-- @treturn number of functions of ours on the stack
function M.strings(mine)
  local seen, out, count = { [_G] = true, [package.loaded] = true }, {}, 0
  for value in pairs(mine) do seen[value] = true end
  local level = 2
  local info = debug.getinfo(level, "f")
  while info do
    if is_ours(level) then
      local here, above = locals(level), upvalues(info.func)
      count = count + 1
      gather({ here, above }, seen, out)
    end
    level = level + 1
    info = debug.getinfo(level, "f")
  end
  return out, count
end

return M
