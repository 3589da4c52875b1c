-- SECURITY.md is held to what it says: what it names is there, each promise has a test, and what it
-- says of the sources is so.

local core = require "usher.core"
local curl = require "usher.curl"
local files = require "spec.support.files"

local PAGE = assert(files.find("SECURITY.md"))

-- All that stands in backquotes, across line breaks too.
local function quoted(text)
  local all = {}
  for word in text:gsub("\n", " "):gmatch("`([^`]+)`") do all[#all + 1] = word end
  return all
end

-- { { promise, tests }, ... }
local function promises()
  local rows = {}
  for promise, tests in PAGE:gmatch("\n| (%*%*.-) | (.-) |%f[\n]") do
    rows[#rows + 1] = { promise, tests }
  end
  return rows
end

describe("SECURITY.md", function()
  it("makes promises, and names a test for each", function()
    local rows = promises()
    assert.equal(14, #rows)
    for _, row in ipairs(rows) do
      local count = 0
      for _, test in ipairs(quoted(row[2])) do
        assert.truthy(test:find("^spec/[%w_/]+_spec%.lua$") or test:find("^make %l+$")
          or test:find("^spec/core/[%w_]+_test%.c$") or test == "spec/memory/README.md", test)
        count = count + 1
      end
      assert.is_true(count > 0, row[1])
    end
  end)

  it("names only files that exist", function()
    local count = 0
    for _, word in ipairs(quoted(PAGE)) do
      if word:find("^%l+/[%w_/]+%.%a+$") then
        assert.is_string(files.find(word), word)
        count = count + 1
      end
    end
    assert.is_true(count >= 20)
  end)

  it("names only tests that test something", function()
    for _, word in ipairs(quoted(PAGE)) do
      if word:find("_spec%.lua$") then
        assert.truthy((files.find(word) or ""):find("%f[%w]it%("), word)
      elseif word:find("_test%.c$") then
        assert.truthy((files.find(word) or ""):find("CHECK", 1, true), word)
      end
    end
  end)

  it("names only make targets that exist", function()
    local makefile, count = assert(files.find("Makefile")), 0
    for _, word in ipairs(quoted(PAGE)) do
      local target = word:match("^make (%l+)$")
      if target then
        assert.truthy(makefile:find("\n" .. target .. ":", 1, true), target)
        count = count + 1
      end
    end
    assert.is_true(count >= 7)
  end)

  it("names only options that clients take", function()
    local known = {}
    for _, option in ipairs(core.describe("qiscus").shared_options) do known[option.name] = true end
    for _, option in ipairs(core.describe("qiscus").options) do known[option.name] = true end
    for _, name in ipairs{ "base_url", "proxy", "insecure_http", "verify", "deadline",
      "max_response_size", "transport" } do
      assert.truthy(PAGE:find("`" .. name, 1, true), name)
      assert.is_true(known[name], name)
    end
    assert.is_boolean(curl.version().wipes)
  end)

  it("sends reports to the project's own page", function()
    local homepage = assert(files.find("usher-scm-1.rockspec")):match('homepage = "(.-)"')
    local links = 0
    for link in PAGE:gmatch("%]%((.-)%)") do
      assert.equal(homepage .. "/security/advisories/new", link)
      links = links + 1
    end
    assert.equal(1, links)
    assert.is_nil(PAGE:find("[%w.]+@[%w.]+"))
  end)

  it("is what README.md points to", function()
    assert.truthy(files.find("README.md"):find("(SECURITY.md)", 1, true))
  end)
end)

describe("the library", function()
  -- What a program, as opposed to a library, may print.
  local PROGRAMS = {
    ["lua/usher/sandbox/command.lua"] = true, ["lua/usher/sandbox/server.lua"] = true,
  }
  local PRINTS = {
    "%f[%w_]printf%s*%(", "%f[%w_]puts%s*%(", "%f[%w_]putchar%s*%(", "%f[%w_]perror%s*%(",
    "%f[%w_]stderr%f[^%w_]", "%f[%w_]stdout%f[^%w_]", "%f[%w_]lua_writestring",
    "%f[%w_]syslog%s*%(", "%f[%w_.:]print%s*%(", "io%.write",
    "%f[%w_]CURLOPT_VERBOSE", "%f[%w_]CURLOPT_DEBUGFUNCTION",
    "SSL_CTX_set_keylog_callback%([%w_]+, [^N]", "ngx%.log", "ngx%.print", "ngx%.say",
  }

  local function sources()
    local pipe = assert(io.popen("find src lua -name '*.[ch]' -o -name '*.lua'", "r"))
    local paths = {}
    for path in pipe:lines() do paths[#paths + 1] = path end
    pipe:close()
    return paths
  end

  local function without_comments(path, text)
    if path:find("%.lua$") then
      return (text:gsub("%-%-[^\n]*", ""))
    end
    return (text:gsub("/%*.-%*/", ""))
  end

  -- The first line that prints, from there on.
  local function prints(path, text)
    local code = without_comments(path, text)
    code = code:gsub("f%l+%(stdout%) == 0", "") -- to ask whether it worked is not to print
    for _, pattern in ipairs(PRINTS) do
      local first = code:find(pattern)
      if first then return code:match("[^\n]*", first) end
    end
  end

  it("has no line that prints", function()
    local count = 0
    for _, path in ipairs(sources()) do
      if not PROGRAMS[path] and not path:find("^lua/usher/cli") then
        assert.is_nil(prints(path, assert(files.find(path))), path)
        count = count + 1
      end
    end
    assert.is_true(count > 100)
  end)

  for _, case in ipairs{
    { "a.c", 'printf("%s", secret);' }, { "a.c", "fprintf(stderr, text);" },
    { "a.c", 'perror("usher");' }, { "a.c", "puts(text);" },
    { "a.c", "SET(CURLOPT_VERBOSE, 1L);" },
    { "a.c", "SSL_CTX_set_keylog_callback(tls, log_keys);" },
    { "a.lua", "print(request)" }, { "a.lua", 'io.stderr:write("x")' }, { "a.lua", "io.write(x)" },
    { "a.lua", "ngx.log(ngx.ERR, x)" },
  } do
    it("would be seen to print: " .. case[2], function()
      assert.is_string(prints(case[1], case[2]))
    end)
  end

  it("may format, and speak of printing in a comment", function()
    for _, case in ipairs{
      { "a.c", "snprintf(text, sizeof text, format);" }, { "a.c", "/* printf(x) */" },
      { "a.c", "SSL_CTX_set_keylog_callback(tls_context, NULL);" }, { "a.lua", "-- print(x)" },
      { "a.lua", "fingerprint(x)" },
    } do
      assert.is_nil(prints(case[1], case[2]))
    end
  end)
end)
