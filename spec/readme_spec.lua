-- README.md is held to what it says: its example runs and prints what stands there, its table is
-- that of the rows, its links lead somewhere.

local files = require "spec.support.files"
local readme_table = require "spec.support.readme_table"
local usher = require "usher"

local INTERPRETER = rawget(_G, "jit") and (os.getenv("LUAJIT") or "luajit")
  or _VERSION == "Lua 5.4" and (os.getenv("LUA54") or "lua5.4") or "lua5.1"

local README = files.read("README.md")

-- The text of the first fenced block of a language.
local function block(language)
  return assert(README:match("\n```" .. language .. "\n(.-)```\n"), "no block of " .. language)
end

-- Runs Lua code with this suite's interpreter: what it printed, and its exit status.
local function run(code)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(code)
  file:close()
  local pipe = assert(io.popen(INTERPRETER .. " " .. path .. " 2>&1; echo $?"))
  local output, status = pipe:read("*a"):match("^(.-)(%d+)\n$")
  pipe:close()
  os.remove(path)
  return output, tonumber(status)
end

-- The clone's usher for a bare `busted`, whose own paths a child does not inherit.
local PATHS = ("package.path = %q\npackage.cpath = %q\n"):format(package.path, package.cpath)

describe("README.md", function()
  it("has an example that prints what stands below it", function()
    local output, status = run(PATHS .. block("lua"))
    assert.equal(block("text"), output)
    assert.equal(0, status)
  end)

  it("has an example of ten lines", function()
    local _, lines = block("lua"):gsub("[^\n]+\n", "")
    assert.equal(10, lines)
  end)

  it("has the table of providers that the rows make", function()
    local from = "<!-- begin: lua5.4 spec/support/readme_table.lua -->\n"
    local _, first = README:find(from, 1, true)
    local last = README:find("<!-- end -->", 1, true)
    assert.equal(readme_table.markdown(), README:sub(assert(first) + 1, assert(last) - 1))
  end)

  it("names every kind of error, and no other", function()
    local list = assert(files.read("src/core/error.c"):match("us_kind_names%[.-%] = {(.-)}"))
    local kinds, told = {}, {}
    for kind in list:gmatch('"([%w_]+)"') do kinds[#kinds + 1] = kind end
    local sentence = assert(README:match("`err%.kind` is (.-);"))
    for kind in sentence:gmatch('`"([%w_]+)"`') do told[#told + 1] = kind end
    assert.same(kinds, told)
    assert.truthy(#kinds > 0)
  end)

  it("links to files that exist", function()
    local count = 0
    for target in README:gmatch("%]%(([^)]+)%)") do
      if not target:find("^https?://") then
        count = count + 1
        assert(io.open(target, "rb")):close()
      end
    end
    assert.truthy(count > 0)
  end)

  it("names only make targets that exist", function()
    local makefile, count = files.read("Makefile"), 0
    for target in README:gmatch("\nmake (%l+)") do
      count = count + 1
      assert.truthy(makefile:find("\n" .. target .. ":", 1, true), target)
    end
    assert.equal(2, count)
  end)
end)

describe("CHANGELOG.md", function()
  it("begins with the version that this is", function()
    assert.equal(usher._VERSION, files.read("CHANGELOG.md"):match("\n## %[([%d.]+)%]"))
  end)
end)
