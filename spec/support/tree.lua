-- A copy of this tree in which a provider is added and built, for a spec. What is already built is
-- taken along: only what a new file changes is built again.
--
--   local trees = require "spec.support.tree"
--   local tree
--   setup(function() tree = trees.copy() end)
--   teardown(function() tree:remove() end)
--   ... tree:write("src/providers/acme.c", text) ... tree:make() ... tree:run("script.lua")

local M = {}

local methods = {}
local metatable = { __index = methods }

local IS_54 = _VERSION == "Lua 5.4"
local VERSION = IS_54 and "5.4" or "5.1"
local INTERPRETER = IS_54 and (os.getenv("LUA54") or "lua5.4")
  or rawget(_G, "jit") and (os.getenv("LUAJIT") or "luajit") or "lua5.1"
local VARIABLES = IS_54 and "LUA_PATH_5_4='%s' LUA_CPATH_5_4='%s'" or "LUA_PATH='%s' LUA_CPATH='%s'"

--- What a command says on both its channels, and its exit status.
-- @tparam string command
-- @treturn string
-- @treturn number
function M.output_of(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1; echo $?"))
  local text, status = pipe:read("*a"):match("^(.-)(%d+)\n$")
  pipe:close()
  return text, tonumber(status)
end

--- What a command says that has to succeed.
-- @tparam string command
-- @treturn string
function M.done(command)
  local text, status = M.output_of(command)
  assert(status == 0, command .. "\n" .. text)
  return text
end

--- Makes a copy of the sources and of what is built for this interpreter.
-- @tparam[opt] {string,...} more paths to copy beside them
-- @treturn table tree; `tree.path` is where it is
function M.copy(more)
  local path = M.done("mktemp -d"):gsub("\n", "")
  M.done(("tar -cf - Makefile .ci lua src build/plain build/%s %s | tar -C '%s' -xf -")
    :format(VERSION, table.concat(more or {}, " "), path))
  return setmetatable({ path = path }, metatable)
end

function methods:write(path, text)
  local file = assert(io.open(self.path .. "/" .. path, "wb"))
  file:write(text)
  file:close()
end

--- Builds the module of this interpreter.
-- @treturn string what make said
function methods:make()
  return M.done(("cd '%s' && env -u MAKEFLAGS -u MAKELEVEL make -s build/%s/usher/core.so")
    :format(self.path, VERSION))
end

--- Runs this suite's interpreter in the copy, which finds itself before all else.
-- @tparam string arguments
-- @treturn string what it said
-- @treturn number its exit status
function methods:run(arguments)
  local variables = VARIABLES:format("./lua/?.lua;./?.lua;" .. package.path,
    ("./build/%s/?.so;"):format(VERSION) .. package.cpath)
  return M.output_of(("cd '%s' && env %s %s %s"):format(self.path, variables, INTERPRETER,
    arguments))
end

function methods:remove()
  os.execute(("rm -rf '%s'"):format(self.path))
end

return M
