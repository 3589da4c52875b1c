-- A fifth provider is one file of rows and one of vectors: those of the guide that says so, put
-- into a copy of this tree. Nothing else is written by hand; make, the specs, the types and the
-- documentation find it there.

local docs = dofile(".ci/docs.lua")
local trees = require "spec.support.tree"

-- The first block of a language in the guide.
local function block(language)
  for _, each in ipairs(docs.guide("adding-a-provider").blocks) do
    if each.language == language then return each.text end
  end
end

describe("#build A fifth provider", function()
  local tree, scratch, said

  local function write(path, text) tree:write(path, text) end
  local function run(arguments) return tree:run(arguments) end
  local function run_code(code)
    write("script.lua", code)
    return run "script.lua"
  end

  setup(function()
    tree = trees.copy{ ".busted", "README.md", "spec/vectors", "spec/support", "spec/helper.lua",
      "spec/vectors_spec.lua" }
    scratch = tree.path
    write("src/providers/acme.c", block "c")
    write("spec/vectors/acme.lua", block "lua")
    said = tree:make()
  end)
  teardown(function() tree:remove() end)

  it("is built by make, without a warning", function()
    assert.equal("", said)
  end)

  it("is two files; the list of providers is make's", function()
    assert.equal(("Only in %s/src/providers: acme.c\n"):format(scratch)
      .. ("Files src/providers/list.h and %s/src/providers/list.h differ\n"):format(scratch)
      .. ("Only in %s/spec/vectors: acme.lua\n"):format(scratch),
      (trees.output_of(("diff -rq src '%s/src'; diff -rq lua '%s/lua'; diff -rq spec/vectors "
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
    for name in trees.done("ls src/providers/*.c"):gmatch("([%w_]+)%.c") do
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
