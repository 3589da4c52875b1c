-- The rules about who may include what hold for this tree, and each of them fires when broken.

local layers = dofile(".ci/layers.lua")

local HEADER = "/* What lives here. */\n"

-- The problems of a tree that holds nothing but these files.
local function problems_of(files)
  return (layers.check(files))
end

local function repeated(line, count)
  return line:rep(count, "\n") .. "\n"
end

-- A C function of so many lines, its head and its brace included.
local function c_function(lines)
  return "int f(void) {\n" .. ("  f();\n"):rep(lines - 2) .. "}\n"
end

local function lua_function(lines)
  return "local function f()\n" .. ("  f()\n"):rep(lines - 2) .. "end\n"
end

-- name -> the file that breaks the rule and a piece of what is said about it
local BROKEN = {
  { "Lua in core/", "src/core/a.c", HEADER .. "#include <lua.h>\n", "include Lua" },
  { "Lua in providers/", "src/providers/a.c", HEADER .. '#include "lauxlib.h"\n', "include Lua" },
  { "Lua in curl/ outside module.c", "src/curl/easy.c", HEADER .. "#include <lua.h>\n",
    "include Lua" },
  { "libcurl in core/", "src/core/a.c", HEADER .. "#include <curl/curl.h>\n", "libcurl" },
  { "libcurl in providers/", "src/providers/a.h", HEADER .. "#include <curl/curl.h>\n",
    "libcurl" },
  { "libcurl in lua/", "src/lua/a.c", HEADER .. "#  include <curl/multi.h>\n", "libcurl" },
  { "sockets in core/", "src/core/a.c", HEADER .. "#include <sys/socket.h>\n", "no I/O" },
  { "poll in providers/", "src/providers/a.c", HEADER .. "#include <poll.h>\n", "no I/O" },
  { "OpenSSL in core/ outside sign.c", "src/core/jwt.c", HEADER .. "#include <openssl/evp.h>\n",
    "OpenSSL" },
  { "OpenSSL in lua/", "src/lua/a.c", HEADER .. "#include <openssl/sha.h>\n", "OpenSSL" },
  { "OpenSSL in curl/ outside silence.c", "src/curl/easy.c",
    HEADER .. "#include <openssl/ssl.h>\n", "OpenSSL" },
  { "LUA_VERSION_NUM outside compat.h", "src/lua/module.c",
    HEADER .. "#if LUA_VERSION_NUM < 502\n#endif\n", "LUA_VERSION_NUM belongs" },
  { "CURLOPT_ outside options.c", "src/curl/easy.c", HEADER .. "int a = CURLOPT_URL;\n",
    "CURLOPT_ belongs" },
  { "LIBCURL_VERSION_NUM outside options.c", "src/curl/multi.c",
    HEADER .. "#if LIBCURL_VERSION_NUM > 1\n#endif\n", "LIBCURL_VERSION_NUM belongs" },
  { "curl_version_info outside options.c", "src/curl/easy.c",
    HEADER .. "int a = curl_version_info(0)->age;\n", "curl_version_info belongs" },
  { "curl_version_info in two places", "src/curl/options.c",
    HEADER .. "int a = curl_version_info(0);\nint b = curl_version_info(0);\n", "one place" },
  { "#ifdef on the operating system", "src/curl/easy.c", HEADER .. "#ifdef _WIN32\n#endif\n",
    "operating system" },
  { "#elif on the operating system", "src/lua/a.c",
    HEADER .. "#if 0\n#elif defined(__APPLE__)\n#endif\n", "operating system" },
  { "a long C function", "src/core/a.c", HEADER .. c_function(61), "61 lines, the limit is 60" },
  { "a long C function with a broken head", "src/core/a.c",
    HEADER .. "static int\nf(int a,\n  int b) {\n" .. ("  f();\n"):rep(57) .. "}\n", "61 lines" },
  { "a long Lua function", "lua/a.lua", "-- Here.\n" .. lua_function(61), "61 lines" },
  { "a long file", "lua/a.lua", repeated("-- a", 601), "601 lines, the limit is 600" },
  { "trailing whitespace", "spec/a_spec.lua", "local a = 1 \n", "trailing whitespace" },
  { "a tab", "lua/a.lua", "-- Here.\n\tlocal a\n", "tab" },
  { "a tab in C", "src/core/a.c", HEADER .. "\tint a;\n", "tab" },
  { "no newline at the end", "examples/a.lua", "-- Here.\nlocal a = 1", "no newline" },
  { "a C file that does not say what it is", "src/core/a.c", "int a;\n", "does not open" },
  { "a Lua file that does not say what it is", "lua/a.lua", "return {}\n", "does not open" },
}

local ALLOWED = {
  { "Lua in lua/", "src/lua/a.c", "#include <lua.h>" },
  { "Lua in curl/module.c", "src/curl/module.c", "#include <lua.h>" },
  { "libcurl in curl/", "src/curl/easy.c", "#include <curl/curl.h>" },
  { "OpenSSL in core/sign.c", "src/core/sign.c", "#include <openssl/evp.h>" },
  { "OpenSSL in curl/silence.c", "src/curl/silence.c", "#include <openssl/ssl.h>" },
  { "a confined name in its file", "src/curl/options.c", "int a = CURLOPT_URL;" },
  { "a confined name in a comment", "src/curl/easy.c", "/* CURLOPT_URL is\n   set */" },
  { "an include in a comment", "src/core/a.c", "/*\n#include <lua.h>\n*/" },
  { "a media range in a string", "src/core/a.c", 'char a[] = "*/*";\nint b; /* "*/' },
  { "a function at the limit", "src/core/a.c", c_function(60) },
  { "a long table", "src/providers/a.c",
    "static const int rows[] = {\n" .. ("  1,\n"):rep(100) .. "};" },
}

describe("the layers", function()
  it("are kept by this tree", function()
    local files = layers.read(".")
    assert.is_string(files["src/core/usher.h"])
    assert.is_string(files["lua/usher.lua"])
    assert.is_string(files["Makefile"])
    assert.same({}, problems_of(files))
  end)

  for _, case in ipairs(BROKEN) do
    local name, path, text, message = case[1], case[2], case[3], case[4]
    it("refuse " .. name, function()
      local problems = problems_of({ [path] = text })
      assert.equal(1, #problems, table.concat(problems, "\n"))
      assert.truthy(problems[1]:find(path, 1, true) == 1, problems[1])
      assert.truthy(problems[1]:find(message, 1, true), problems[1])
    end)
  end

  for _, case in ipairs(ALLOWED) do
    it("allow " .. case[1], function()
      assert.same({}, problems_of({ [case[2]] = HEADER .. case[3] .. "\n" }))
    end)
  end

  it("refuse core/ that includes another layer", function()
    local problems = problems_of({
      ["src/core/a.c"] = HEADER .. '#include "providers/rows.h"\n',
      ["src/providers/rows.h"] = HEADER,
    })
    assert.equal(1, #problems)
    assert.truthy(problems[1]:find("src/core/ includes only itself", 1, true))
  end)

  it("refuse providers/ that include anything but core/ and rows.h", function()
    local problems = problems_of({
      ["src/providers/a.c"] = HEADER .. '#include "lua/compat.h"\n#include "rows.h"\n'
        .. '#include "core/usher.h"\n',
      ["src/providers/rows.h"] = HEADER,
      ["src/core/usher.h"] = HEADER,
      ["src/lua/compat.h"] = HEADER,
    })
    assert.equal(1, #problems)
    assert.truthy(problems[1]:find("src/providers/a.c:2: lua/compat.h", 1, true))
  end)

  it("see what is included through another header", function()
    local problems = problems_of({
      ["src/curl/easy.c"] = HEADER .. '#include "curl/easy.h"\n',
      ["src/curl/easy.h"] = HEADER .. '#include "lua/compat.h"\n',
      ["src/lua/compat.h"] = HEADER .. "#include <lua.h>\n",
    })
    assert.equal(2, #problems)
    assert.truthy(problems[1]:find("src/curl/easy.c: lua.h", 1, true))
    assert.truthy(problems[1]:find("through src/lua/compat.h", 1, true))
  end)

  it("list what is near a limit without refusing it", function()
    local problems, notes = layers.check({
      ["src/core/a.c"] = HEADER .. c_function(36),
      ["src/core/b.c"] = HEADER .. c_function(35),
      ["lua/a.lua"] = repeated("-- a", 401),
      ["lua/b.lua"] = repeated("-- a", 400),
    })
    assert.same({}, problems)
    assert.same({ "lua/a.lua: 401 lines", "src/core/a.c:2: function of 36 lines" }, notes)
  end)
end)

describe("the layer check as a command", function()
  local directory

  local function execute(command)
    local status = os.execute(command .. " >/dev/null 2>&1")
    return status == true or status == 0
  end

  local function check(root)
    return execute((os.getenv("LUA54") or "lua5.4") .. " .ci/layers.lua " .. root)
  end

  before_each(function()
    directory = os.tmpname()
    os.remove(directory)
    assert(execute("mkdir " .. directory .. " && cp -R src lua Makefile " .. directory))
  end)

  after_each(function()
    execute("rm -rf " .. directory)
  end)

  it("fails on a copy of the tree once a violation is planted there", function()
    assert.is_true(check(directory))
    local file = assert(io.open(directory .. "/src/core/usher.h", "a"))
    file:write("#include <lua.h>\n")
    file:close()
    assert.is_false(check(directory))
  end)

  it("fails where there is nothing to check", function()
    assert(execute("rm -rf " .. directory .. "/*"))
    assert.is_false(check(directory))
  end)
end)
