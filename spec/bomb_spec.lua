-- An answer of a few kilobytes that stands for a gigabyte: the call ends as too_large, and all of
-- the process, interpreter and libcurl included, never needs more than 24 MiB. Each bomb meets a
-- process of its own, with the options a client has by default. The tag keeps it from sanitizers
-- and from valgrind, whose memory it would count.

local files = require "spec.support.files"
local provider = require "spec.support.provider"

local CEILING = 24 * 1024 -- KiB

-- Calls, alone or in usher.map, and prints the kind of error and the peak of memory in KiB.
local PROGRAM = [[
  local usher = require "usher"
  local client = usher.smooch{ jwt = "a.b.c", base_url = %q, ca_file = %q }
  local function call() return client:get_app_user{ user_id = "bob" } end
  local err
  if %s then
    err = select(2, usher.map({ 1 }, call))[1]
  else
    err = select(2, call())
  end
  client:close()
  local status = io.open("/proc/self/status")
  print(err and err.kind, status and status:read("*a"):match("VmHWM:%%s*(%%d+)"))
]]

-- In an interpreter of this kind.
local function run(program)
  local suffix = _VERSION == "Lua 5.1" and "" or "_5_4"
  local first = 0
  while arg[first - 1] do first = first - 1 end
  local pipe = assert(io.popen(("env -u LUA_INIT %s %s %s -e %s 2>&1"):format(
    files.quoted("LUA_PATH" .. suffix .. "=" .. package.path),
    files.quoted("LUA_CPATH" .. suffix .. "=" .. package.cpath), arg[first],
    files.quoted(program))))
  local output = pipe:read("*a")
  pipe:close()
  return output
end

describe("#build a gigabyte of zeros", function()
  local server
  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)

  for _, row in ipairs{
    { "packed", "http", "/gzip_bomb/1024" }, { "packed, over TLS", "https", "/gzip_bomb/1024" },
    { "packed, over HTTP/2", "http2", "/gzip_bomb/1024" },
    { "packed twice", "http", "/gzip_bomb_twice/1024" },
    { "packed twice, over TLS", "https", "/gzip_bomb_twice/1024" },
    { "as they are", "https", "/chunks/1073741824" },
  } do
    for _, in_map in ipairs{ false, true } do
      it(row[1] .. (in_map and " in usher.map" or "") .. " is too large, within 24 MiB", function()
        local output = run(PROGRAM:format(server:url(row[2], row[3]), server.files.ca_file,
          tostring(in_map)))
        local kind, peak = output:match("^(%S+)%s+(%S+)%s*$")
        assert.equal("too_large", kind, output)
        if peak == "nil" then return pending("this system does not tell the peak of memory") end
        assert.truthy(tonumber(peak) < CEILING, output)
      end)
    end
  end
end)
