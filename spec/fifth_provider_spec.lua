-- A fifth provider is one file of rows and one of vectors: those of the guide that says so, put
-- into a copy of this tree. Nothing else is written by hand; make, the specs, the types and the
-- documentation find it there.

local docs = dofile(".ci/docs.lua")

local IS_54 = _VERSION == "Lua 5.4"
local VERSION = IS_54 and "5.4" or "5.1"
local INTERPRETER = IS_54 and (os.getenv("LUA54") or "lua5.4")
  or rawget(_G, "jit") and (os.getenv("LUAJIT") or "luajit") or "lua5.1"
local VARIABLES = IS_54 and "LUA_PATH_5_4='%s' LUA_CPATH_5_4='%s'" or "LUA_PATH='%s' LUA_CPATH='%s'"

local scratch

local function output_of(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1; echo $?"))
  local text, status = pipe:read("*a"):match("^(.-)(%d+)\n$")
  pipe:close()
  return text, tonumber(status)
end

local function done(command)
  local text, status = output_of(command)
  assert(status == 0, command .. "\n" .. text)
  return text
end

local function write(path, text)
  local file = assert(io.open(scratch .. "/" .. path, "wb"))
  file:write(text)
  file:close()
end

-- The first block of a language in the guide.
local function block(language)
  for _, each in ipairs(docs.guide("adding-a-provider").blocks) do
    if each.language == language then return each.text end
  end
end

-- Runs this suite's interpreter in the copy, which finds itself before all else.
local function run(arguments)
  local variables = VARIABLES:format("./lua/?.lua;./?.lua;" .. package.path,
    ("./build/%s/?.so;"):format(VERSION) .. package.cpath)
  return output_of(("cd '%s' && env %s %s %s"):format(scratch, variables, INTERPRETER, arguments))
end

local function run_code(code)
  write("script.lua", code)
  return run("script.lua")
end

-- What is already built is taken along: only what the new file changes is built again.
local function copy_tree()
  scratch = done("mktemp -d"):gsub("\n", "")
  done(("mkdir -p '%s/build' '%s/spec' && cp -a Makefile .ci .busted lua src README.md '%s'")
    :format(scratch, scratch, scratch))
  done(("cp -a build/plain build/%s '%s/build'"):format(VERSION, scratch))
  done(("cp -a spec/vectors spec/support spec/helper.lua spec/vectors_spec.lua '%s/spec'")
    :format(scratch))
end

describe("#build A fifth provider", function()
  local said

  setup(function()
    copy_tree()
    write("src/providers/acme.c", block "c")
    write("spec/vectors/acme.lua", block "lua")
    said = done(("cd '%s' && env -u MAKEFLAGS -u MAKELEVEL make -s build/%s/usher/core.so")
      :format(scratch, VERSION))
  end)
  teardown(function() os.execute(("rm -rf '%s'"):format(scratch)) end)

  it("is built by make, without a warning", function()
    assert.equal("", said)
  end)

  it("is two files; the list of providers is make's", function()
    assert.equal(("Only in %s/src/providers: acme.c\n"):format(scratch)
      .. ("Files src/providers/list.h and %s/src/providers/list.h differ\n"):format(scratch)
      .. ("Only in %s/spec/vectors: acme.lua\n"):format(scratch),
      (output_of(("diff -rq src '%s/src'; diff -rq lua '%s/lua'; diff -rq spec/vectors "
        .. "'%s/spec/vectors'; diff -q Makefile '%s/Makefile'"):format(scratch, scratch, scratch,
        scratch))))
  end)

  it("is a client", function()
    assert.equal("POST https://acme.example/v1/rooms/a%20b/mute k {\"reason\":\"spam\"}\n",
      (run_code([[
local client = require("usher").acme{ api_key = "k" }
local request = client:request("mute_user", { room_id = "a b", reason = "spam" })
print(request.method, request.url, request.headers["X-Key"], request.body)
]]):gsub("\t", " ")))
  end)

  it("checks what it is given as the rows say", function()
    local text, status = run_code([[
require("usher").acme{ api_key = "k" }:mute_user{ reason = ("x"):rep(201) }]])
    assert.equal(1, status)
    assert.truthy(text:find("room_id is required", 1, true), text)
    assert.truthy(text:find("reason must", 1, true), text)
  end)

  it("hides its secret", function()
    assert.is_nil(run_code([[
print(require("usher").acme{ api_key = "hush-hush" }:curl("mute_user", { room_id = "1" }))
]]):find("hush-hush", 1, true))
  end)

  it("is described, among the others", function()
    assert.equal("acme ertc qiscus smooch vchatcloud\nAcme Chat mute_user\n", (run_code([[
local usher = require "usher"
print(table.concat(usher.providers(), " "))
local acme = usher.describe "acme"
print(acme.title .. " " .. acme.methods[1].name)
]])))
  end)

  it("has its vectors run by the spec that runs all", function()
    local text, status = run(".ci/busted.lua --output=plainTerminal --filter=acme "
      .. "spec/vectors_spec.lua")
    assert.equal(0, status, text)
    assert.truthy(tonumber(text:match("(%d+) successes")) >= 3, text)
  end)

  it("misses a vector there", function()
    write("spec/vectors/acme.lua", (block "lua":gsub(', reason = "spam"', "")
      :gsub('{"reason":"spam"}', "{}")))
    local text, status = run(".ci/busted.lua --output=plainTerminal --filter=acme "
      .. "spec/vectors_spec.lua")
    write("spec/vectors/acme.lua", block "lua")
    assert.is_true(status ~= 0)
    assert.truthy(text:find("mute_user has no request vector with reason", 1, true), text)
  end)

  it("has types for editors", function()
    local text = run_code('io.write(dofile(".ci/types.lua").text())')
    assert.truthy(text:find("---@class usher.Acme: usher.Client", 1, true))
    assert.truthy(text:find("function Acme:mute_user(arguments, options) end", 1, true))
    assert.truthy(text:find("function usher.acme(options) end", 1, true))
  end)

  it("has a page, with its example, and is found by the search", function()
    local text = run_code([[
local files = dofile(".ci/docs.lua").files()
print(files["acme.html"])
print(files["index.html"]:match('<a href="acme.html">Acme Chat</a>'))
print(files["search.js"]:match('"acme.html#mute_user"'))
]])
    for _, words in ipairs{ "<h1>Acme Chat</h1>", '<section class="method" id="mute_user">',
      "at most 200 characters", "POST /v1/rooms/room-1/mute", '"acme.html#mute_user"',
      '<a href="acme.html">Acme Chat</a>' } do
      assert.truthy(text:find(words, 1, true), words)
    end
  end)

  it("is in the table of README.md", function()
    assert.truthy(run_code('io.write(require("spec.support.readme_table").markdown())')
      :find("| `usher.acme` | [Acme Chat](https://acme.example/docs) | `api_key` |", 1, true))
  end)

  it("is known to the command", function()
    local text, status = run("lua/bin/usher describe acme mute_user")
    assert.equal(0, status, text)
    assert.truthy(text:find("Stops a user from writing", 1, true), text)
  end)
end)

describe("#build src/providers/list.h", function()
  it("names the files beside it, as make writes it", function()
    local names = {}
    for name in done("ls src/providers/*.c"):gmatch("([%w_]+)%.c") do
      if name ~= "registry" then names[#names + 1] = ("PROVIDER(%s)\n"):format(name) end
    end
    table.sort(names)
    local file = assert(io.open("src/providers/list.h", "rb"))
    local text = file:read("*a")
    file:close()
    assert.equal("/* The providers of this directory: written by make. */\n"
      .. table.concat(names), text)
  end)
end)
