-- What is built and packaged: the needs and exports of the shared objects, the rockspec, the one
-- version, and the trees LuaRocks makes against the files on disk. Everything here looks at the
-- plain build, so the runs with instrumented builds leave it out by its tag.

local files = require "spec.support.files"

local ROCKSPEC = "usher-scm-1.rockspec"

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

local function succeeds(command)
  local status = os.execute(command)
  return status == true or status == 0
end

local function sorted(list)
  table.sort(list)
  return list
end

-- The names in the dynamic section: "libcrypto.so.3".
local function needed(object)
  local names = {}
  for _, line in ipairs(lines_of("readelf -d " .. object)) do
    names[#names + 1] = line:match("%(NEEDED%).*%[(.-)%]")
  end
  assert(#names > 0, object .. " needs nothing: is it built?")
  return names
end

local function matching(names, pattern)
  local found = {}
  for _, name in ipairs(names) do
    if name:match(pattern) then found[#found + 1] = name end
  end
  return found
end

local function exported(object)
  local names = {}
  for _, line in ipairs(lines_of("nm -D --defined-only " .. object)) do
    names[#names + 1] = line:match("%s%u%s+(%S+)$")
  end
  return sorted(names)
end

local function is_bound_for_good(object)
  local flags = table.concat(matching(lines_of("readelf -d " .. object), "FLAGS_1"))
  return flags:find("NOW", 1, true) and flags:find("NODELETE", 1, true)
end

local function all_needed(object)
  return matching(lines_of("ldd " .. object), "=>")
end

for _, version in ipairs({ "5.4", "5.1" }) do
  local core = "build/" .. version .. "/usher/core.so"
  local curl = "build/" .. version .. "/usher/curl.so"

  describe("#build the shared objects for " .. version, function()
    it("keep libcurl and libssl out of core.so, which needs libcrypto", function()
      for _, name in ipairs(needed(core)) do
        assert.truthy(name:match("^libcrypto%.") or name:match("^libc%.") or name:match("^libm%."),
          core .. " needs " .. name)
      end
      assert.equal(1, #matching(needed(core), "^libcrypto%."))
    end)

    it("keep libcurl and libssl out of everything that core.so loads", function()
      local names = all_needed(core)
      assert.equal(1, #matching(names, "libcrypto%."))
      assert.same({}, matching(names, "libcurl"))
      assert.same({}, matching(names, "libssl%."))
    end)

    it("link curl.so with libcurl and libssl", function()
      assert.equal(1, #matching(needed(curl), "^libcurl%."))
      assert.equal(1, #matching(needed(curl), "^libssl%."))
    end)

    it("export their luaopen function and nothing else", function()
      assert.same({ "luaopen_usher_core" }, exported(core))
      assert.same({ "luaopen_usher_curl" }, exported(curl))
    end)

    it("stay loaded and resolve everything at load", function()
      for _, object in ipairs({ core, curl }) do
        assert.truthy(is_bound_for_good(object), object)
      end
    end)
  end)
end

-- A rockspec assigns globals, "package" among them; here they are locals of its own chunk.
local function load_rockspec()
  local names = "rockspec_format, package, version, source, description, dependencies, "
    .. "external_dependencies, build, test"
  local pieces = {
    "local " .. names .. "\n",
    files.read(ROCKSPEC),
    "\nreturn { " .. names:gsub("([%w_]+)", "%1 = %1") .. " }",
  }
  local at = 0
  return assert(load(function()
    at = at + 1
    return pieces[at]
  end, "@" .. ROCKSPEC))()
end

local function files_in(directories, name)
  return sorted(lines_of("find " .. directories .. " -type f -name '" .. name .. "'"))
end

-- The Lua files below a directory, by their names from there.
local function lua_files(directory)
  return sorted(lines_of("cd " .. directory .. " && find usher.lua usher -name '*.lua'"))
end

describe("#build the rockspec", function()
  local rockspec = load_rockspec()

  it("installs the command", function()
    assert.same({ bin = { usher = "lua/bin/usher" } }, rockspec.build.install)
    assert.truthy(files.read("lua/bin/usher"):match("^#!"))
  end)

  it("asks for libraries, never for headers", function()
    assert.same({
      CRYPTO = { library = "crypto" },
      CURL = { library = "curl" },
      SSL = { library = "ssl" },
    }, rockspec.external_dependencies)
  end)

  it("needs no rock but lua-cjson", function()
    assert.same({ "lua >= 5.1", "lua-cjson" }, rockspec.dependencies)
  end)

  it("is named after its package and version", function()
    assert.equal(ROCKSPEC, rockspec.package .. "-" .. rockspec.version .. ".rockspec")
  end)

  it("passes luarocks lint", function()
    assert.is_true(succeeds("luarocks lint " .. ROCKSPEC .. " >/dev/null 2>&1"))
  end)
end)

describe("#build the version", function()
  local version = files.read("src/core/usher.h"):match('#define US_VERSION "(.-)"')

  it("stands in src/core/usher.h and nowhere else", function()
    assert.truthy(version and version:match("^%d+%.%d+%.%d+$"), version)
    local pattern = "'" .. version:gsub("%.", "[.]") .. "'"
    assert.same({ "src/core/usher.h" }, lines_of("grep -rlwE -e " .. pattern
      .. " src lua examples Makefile .ci " .. ROCKSPEC))
  end)

  it("is what _VERSION says", function()
    assert.equal(version, require("usher")._VERSION:match("(%S+)$"))
  end)

  it("is what User-Agent says", function()
    local client = require("usher").qiscus({ app_id = "app", secret = "secret" })
    local request = client:request("user_profile", { user_id = "bob" })
    client:close()
    assert.equal("usher/" .. version, request.headers["User-Agent"])
  end)
end)

describe("#build luarocks make", function()
  setup(function()
    local log = "build/log/rock-spec"
    assert(succeeds("mkdir -p build/log"))
    local command = "env -u MAKEFLAGS -u MAKELEVEL make -s rock >" .. log .. " 2>&1 </dev/null"
    if not succeeds(command) then error(files.read(log)) end
  end)

  for _, version in ipairs({ "5.4", "5.1" }) do
    local tree = "build/tree-" .. version
    local libraries = tree .. "/lib/lua/" .. version

    it("installs exactly the Lua files of the tree for " .. version, function()
      local installed = lua_files(tree .. "/share/lua/" .. version)
      assert.same(lua_files("lua"), installed)
      assert.truthy(#installed > 50)
    end)

    it("installs two shared objects and the command for " .. version, function()
      assert.same({ libraries .. "/usher/core.so", libraries .. "/usher/curl.so" },
        files_in(libraries, "*"))
      assert.is_true(exists(tree .. "/bin/usher"))
    end)

    it("links, hides and binds as the Makefile does for " .. version, function()
      for _, name in ipairs({ "core", "curl" }) do
        local ours = "build/" .. version .. "/usher/" .. name .. ".so"
        local theirs = libraries .. "/usher/" .. name .. ".so"
        assert.same(sorted(needed(ours)), sorted(needed(theirs)))
        assert.same(exported(ours), exported(theirs))
        assert.truthy(is_bound_for_good(theirs), theirs)
      end
    end)
  end

  it("makes each for its own Lua, in one clone", function()
    for version, symbol in pairs{ ["5.4"] = "lua_setiuservalue", ["5.1"] = "lua_setfenv" } do
      local object = "build/tree-" .. version .. "/lib/lua/" .. version .. "/usher/core.so"
      assert.equal(1, #matching(lines_of("nm -D --undefined-only " .. object), symbol), object)
    end
  end)
end)

describe("#build the 5.1 objects", function()
  it("load in PUC Lua 5.1 as in LuaJIT", function()
    if not succeeds("command -v lua5.1 >/dev/null 2>&1") then
      pending("no lua5.1 here")
      return
    end
    local script = "require 'usher.core'; require 'usher.curl'"
    assert.is_true(succeeds("LUA_CPATH='./build/5.1/?.so;;' lua5.1 -e \"" .. script .. "\""))
  end)
end)
