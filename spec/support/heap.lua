-- What a process still holds of a secret: starts spec/support/heap_child.lua, which uses some and
-- then waits, and looks from outside through all of its memory that can be written to. Needs the
-- /proc of Linux.

local core = require "usher.core"
local files = require "spec.support.files"

local M = {}

--- What the child's clock shows, so that its signatures are known.
M.NOW = 1700000000

local CHILD = "spec/support/heap_child.lua"
local WINDOW = 16
local LARGEST = 2 ^ 30 -- bytes of a region that is looked at

--- Whether memory can be looked at here.
function M.available()
  local file = io.open("/proc/self/mem", "rb")
  if file then file:close() end
  return file ~= nil
end

--- A secret of 60 bytes, put together at once from pieces shorter than what is looked for.
-- @tparam string name four letters
-- @treturn string
function M.secret(name)
  local function piece(i) return name .. i .. "xyzuv" end
  return piece(1) .. piece(2) .. piece(3) .. piece(4) .. piece(5) .. piece(6)
end

-- What is looked for of a text: pieces of it, since the first bytes of a freed block are its
-- allocator's and others may have been used again.
local function windows(text)
  local parts = {}
  for first = WINDOW + 1, #text - WINDOW + 1, WINDOW do
    parts[#parts + 1] = text:sub(first, first + WINDOW - 1)
  end
  return parts
end

-- The middle of what base64 makes of a text, in each of the three ways it may begin.
local function base64_windows(text)
  local parts = {}
  for skipped = 0, 2 do
    local url = core.base64url_encode(text:sub(skipped + 1)):sub(-WINDOW - 4, -5)
    parts[#parts + 1] = url
    parts[#parts + 1] = url:gsub("[-_]", { ["-"] = "+", ["_"] = "/" })
  end
  return parts
end

-- Where the environment lies that the process was started with: fields 50 and 51 of proc(5).
local function environment_of(pid)
  local fields = {}
  for field in files.read("/proc/" .. pid .. "/stat"):match("%) (.*)"):gmatch("%S+") do
    fields[#fields + 1] = field
  end
  return tonumber(fields[48]), tonumber(fields[49])
end

-- Calls visit(text, address) for each region that can be written to.
local function each_region(pid, visit)
  local memory = assert(io.open("/proc/" .. pid .. "/mem", "rb"))
  for line in files.read("/proc/" .. pid .. "/maps"):gmatch("[^\n]+") do
    local first, last, mode = line:match("^(%x+)%-(%x+) (%S+)")
    first, last = tonumber(first, 16), tonumber(last, 16)
    if mode:sub(1, 2) == "rw" and last - first <= LARGEST then
      assert(memory:seek("set", first))
      visit(assert(memory:read(last - first)), first)
    end
  end
  memory:close()
end

-- How often a part occurs, other than between two addresses.
local function count(text, part, address, from, to)
  local found, at = 0, text:find(part, 1, true)
  while at do
    local place = address + at - 1
    if place < from or place >= to then found = found + 1 end
    at = text:find(part, at + 1, true)
  end
  return found
end

local methods = {}
local metatable = { __index = methods }

--- Counts the copies of each secret, but for those in the environment that the process was given.
-- @tparam table secrets by name
-- @treturn table by name; nil: none
function methods:copies(secrets)
  local from, to = environment_of(self.pid)
  local copies = {}
  each_region(self.pid, function(text, address)
    for name, secret in pairs(secrets) do
      local most = 0
      for _, parts in ipairs{ windows(secret), base64_windows(secret) } do
        for _, part in ipairs(parts) do
          most = math.max(most, count(text, part, address, from, to))
        end
      end
      if most > 0 then copies[name] = (copies[name] or 0) + most end
    end
  end)
  return copies
end

--- Lets the process end.
-- @treturn string what it has printed to standard error
function methods:stop()
  assert(io.open(self.directory .. "/gate", "wb")):close()
  self.pipe:close()
  local errors = files.read(self.directory .. "/stderr")
  os.execute("rm -rf " .. self.directory)
  return errors
end

local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

--- Starts the child and waits until it has done its work. What is bound late would leave vector
-- registers, with what they hold, on the stack at the first call: so all is bound at once.
-- @tparam table environment secrets by the name of their variable
-- @tparam table settings of the child, which reads them as `name=value`
-- @treturn table `{ wipes }` with the methods above: whether libcurl clears what it frees
function M.start(environment, settings)
  local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
  local pipe = assert(io.popen("mktemp -d", "r"))
  local directory = assert(pipe:read("*l"))
  pipe:close()
  local words = {
    "mkfifo", directory .. "/gate", "&& exec env -u LUA_INIT LD_BIND_NOW=1",
    files.quoted("LUA_PATH" .. suffix .. "=" .. package.path),
    files.quoted("LUA_CPATH" .. suffix .. "=" .. package.cpath),
  }
  for name, value in pairs(environment) do
    words[#words + 1] = files.quoted(name .. "=" .. value)
  end
  words[#words + 1] = ("timeout 60 %s %s gate=%s/gate"):format(interpreter(), CHILD, directory)
  for name, value in pairs(settings) do words[#words + 1] = files.quoted(name .. "=" .. value) end
  words[#words + 1] = "2>" .. directory .. "/stderr"
  local self = setmetatable({ directory = directory }, metatable)
  self.pipe = assert(io.popen(table.concat(words, " "), "r"))
  local pid, wipes = (self.pipe:read("*l") or ""):match("^(%d+) (%a+)$")
  if not pid then error("the child has failed: " .. files.read(directory .. "/stderr")) end
  self.pid, self.wipes = pid, wipes == "true"
  return self
end

return M
