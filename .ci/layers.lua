-- The layer and shape rules of the source tree: who may include what, which names stay in which
-- file, how long a function or a file may be. `check` is pure, so the spec can plant violations;
-- only `read` and `main` touch the disk.
--
--   lua5.4 .ci/layers.lua [ROOT]      lists what breaks a rule and fails if anything does

local M = {}

local FUNCTION_LISTED, FUNCTION_LIMIT = 35, 60
local FILE_LISTED, FILE_LIMIT = 400, 600

local LUA_HEADERS = {
  ["lua.h"] = true, ["luaconf.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true,
  ["lua.hpp"] = true, ["luajit.h"] = true,
}

local IO_HEADERS = {
  "^sys/socket%.h$", "^sys/select%.h$", "^sys/epoll%.h$", "^netinet/", "^arpa/", "^netdb%.h$",
  "^poll%.h$", "^sys/poll%.h$",
}

local PLATFORM_MACROS = {
  "_WIN32", "WIN32", "_WIN64", "_MSC_VER", "__MINGW32__", "__CYGWIN__", "__linux__", "__linux",
  "__APPLE__", "__MACH__", "__unix__", "__FreeBSD__", "__NetBSD__", "__OpenBSD__", "__sun",
  "__ANDROID__",
}

-- A name that only the listed files may mention, comments aside.
local CONFINED = {
  { name = "LUA_VERSION_NUM", files = { ["src/lua/compat.h"] = true } },
  { name = "CURLOPT_", files = { ["src/curl/options.c"] = true } },
  { name = "LIBCURL_VERSION_NUM", files = { ["src/curl/options.c"] = true } },
  { name = "curl_version_info", files = { ["src/curl/options.c"] = true } },
}

local OPENSSL_USERS = {
  ["src/core/sign.c"] = true, ["src/curl/silence.c"] = true, ["src/curl/tls.c"] = true,
  ["src/curl/wipe.c"] = true, ["src/curl/authorities.c"] = true,
}

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function lines_of(text)
  local lines = {}
  for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

local function keep_newlines(comment)
  return (comment:gsub("[^\n]+", " "))
end

-- C without its comments, line numbers unchanged. Strings are skipped whole: "*/*" opens nothing.
local function without_comments(text)
  local out, at = {}, 1
  while true do
    local start = text:find("[\"'/]", at)
    if not start then break end
    local first, last = text:find("^/%*.-%*/", start)
    if not first then first, last = text:find("^//[^\n]*", start) end
    out[#out + 1] = text:sub(at, start - 1)
    if first then
      out[#out + 1] = keep_newlines(text:sub(first, last))
    else
      local quote = text:sub(start, start)
      last = start
      while quote ~= "/" do
        last = text:find("[\\\n" .. quote .. "]", last + 1) or #text
        if text:sub(last, last) ~= "\\" then break end
        last = last + 1
      end
      out[#out + 1] = text:sub(start, last)
    end
    at = last + 1
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out)
end

local function layer_of(path)
  return path:match("^src/(%w+)/")
end

local function directory_of(path)
  return path:match("^(.*)/") or "."
end

-- { line, name, target } for each include; target is our file it resolves to, or nil.
local function includes_of(path, lines, files)
  local found = {}
  for number, line in ipairs(lines) do
    local open, name = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
    if name then
      local beside, below = directory_of(path) .. "/" .. name, "src/" .. name
      local target = open == '"' and files[beside] and beside or files[below] and below or nil
      found[#found + 1] = { line = number, name = name, target = target }
    end
  end
  return found
end

-- Calls visit(name, via) for every header that is not ours, however deep it is included.
local function walk_foreign(includes, path, visit, seen)
  seen = seen or {}
  if seen[path] then return end
  seen[path] = true
  for _, include in ipairs(includes[path] or {}) do
    if include.target then
      walk_foreign(includes, include.target, visit, seen)
    else
      visit(include.name, path)
    end
  end
end

local function may_include_lua(path)
  return layer_of(path) == "lua" or path:match("^src/curl/module[%w_]*%.[ch]$") ~= nil
end

local function check_foreign(path, name, say)
  local layer = layer_of(path)
  if LUA_HEADERS[name] and not may_include_lua(path) then
    say(name .. ": only src/lua/ and src/curl/module*.c include Lua")
  elseif name:match("^curl/") and layer ~= "curl" then
    say(name .. ": only src/curl/ includes libcurl")
  elseif layer == "core" or layer == "providers" then
    for _, pattern in ipairs(IO_HEADERS) do
      if name:match(pattern) then say(name .. ": the core does no I/O") end
    end
  end
end

-- What is included, at any depth, and what is included directly.
local function check_includes(path, includes, report)
  walk_foreign(includes, path, function(name, via)
    check_foreign(path, name, function(message)
      report(path, nil, via == path and message or message .. " (through " .. via .. ")")
    end)
  end)
  local layer = layer_of(path)
  for _, include in ipairs(includes[path]) do
    local target_layer = include.target and layer_of(include.target)
    if include.name:match("^openssl/") and not OPENSSL_USERS[path] then
      report(path, include.line, include.name .. ": only src/core/sign.c and src/curl/silence.c, "
        .. "tls.c, wipe.c and authorities.c include OpenSSL")
    elseif layer == "core" and target_layer and target_layer ~= "core" then
      report(path, include.line, include.name .. ": src/core/ includes only itself")
    elseif layer == "providers" and target_layer and target_layer ~= "core"
      and target_layer ~= "providers" then
      report(path, include.line, include.name .. ": src/providers/ includes only src/core/ and "
        .. "rows.h")
    end
  end
end

local function check_names(path, lines, report)
  for number, line in ipairs(lines) do
    for _, rule in ipairs(CONFINED) do
      if not rule.files[path] and line:find(rule.name, 1, true) then
        report(path, number, rule.name .. " belongs in " .. table.concat(sorted_keys(rule.files)))
      end
    end
    if line:match("^%s*#%s*if") or line:match("^%s*#%s*elif") then
      for _, macro in ipairs(PLATFORM_MACROS) do
        if line:find("%f[%w_]" .. macro .. "%f[^%w_]") then
          report(path, number, "#if on the operating system (" .. macro .. ")")
        end
      end
    end
  end
end

-- One place asks libcurl which version it is.
local function check_single_version_question(code, report)
  local path = "src/curl/options.c"
  local count = 0
  for number, line in ipairs(code[path] or {}) do
    for _ in line:gmatch("curl_version_info%s*%(") do
      count = count + 1
      if count > 1 then report(path, number, "curl_version_info is asked in one place") end
    end
  end
end

-- Functions of clang-formatted C: a head in column 1, "{" ends a line, "}" stands alone.
local function c_functions(lines, visit)
  local head, open
  for number, line in ipairs(lines) do
    if open and line:match("^}%s*$") then
      visit(head, number)
      head, open = nil, false
    elseif line:match("^}") or (not open and line:match(";%s*$")) then
      head, open = nil, false
    elseif not open then
      if line:match("^[%a_]") and not head then head = number end
      if head and line:match("%)%s*{%s*$") then open = true end
    end
  end
end

-- Functions of Lua: the outermost ones, whose "end" stands in column 1.
local function lua_functions(lines, visit)
  local head
  for number, line in ipairs(lines) do
    if head and line:match("^end%f[^%w_]") then
      visit(head, number)
      head = nil
    elseif line:match("^local function ") or line:match("^function ")
      or line:match("^[%w_.]+ = function") or line:match("^return function") then
      head = number
      if line:match("%f[%w_]end%)?%s*$") then head = nil end
    end
  end
end

local function check_function_lengths(path, lines, report, note)
  local each = path:match("%.lua$") and lua_functions or c_functions
  each(lines, function(first, last)
    local length = last - first + 1
    if length > FUNCTION_LIMIT then
      report(path, first, ("function of %d lines, the limit is %d"):format(length, FUNCTION_LIMIT))
    elseif length > FUNCTION_LISTED then
      note(path, first, ("function of %d lines"):format(length))
    end
  end)
end

local function check_file_length(path, lines, report, note)
  if lines[2] and lines[2]:find("^%-%- Generated ") then return end
  if #lines > FILE_LIMIT then
    report(path, nil, ("%d lines, the limit is %d"):format(#lines, FILE_LIMIT))
  elseif #lines > FILE_LISTED then
    note(path, nil, ("%d lines"):format(#lines))
  end
end

local function check_text(path, text, lines, report)
  if text ~= "" and text:sub(-1) ~= "\n" then report(path, #lines, "no newline at the end") end
  for number, line in ipairs(lines) do
    if line:find("%s$") then report(path, number, "trailing whitespace") end
    if line:find("\t", 1, true) and path ~= "Makefile" then report(path, number, "tab") end
  end
end

local function check_opening(path, lines, report)
  local first = lines[1] or ""
  if first:match("^#!") then first = lines[2] or "" end
  local opens = path:match("%.[ch]$") and "^/%*" or "^%-%-"
  if not first:match(opens) then report(path, 1, "does not open with what lives here") end
end

-- Data and specs are long by nature; the sources and the examples are not.
local function is_source(path)
  return path:match("^src/.*%.[ch]$") or path:match("^lua/") or path:match("^examples/.*%.lua$")
    or path:match("^%.ci/.*%.lua$")
end

local function check_c(files, code, report)
  local includes = {}
  for path, lines in pairs(code) do includes[path] = includes_of(path, lines, files) end
  for _, path in ipairs(sorted_keys(code)) do
    check_includes(path, includes, report)
    check_names(path, code[path], report)
  end
  check_single_version_question(code, report)
end

--- Checks a tree.
-- @tparam table files path relative to the root -> text
-- @treturn table what breaks a rule, as "path:line: message"
-- @treturn table what is near a limit, likewise
function M.check(files)
  local problems, notes = {}, {}
  local function append_to(list)
    return function(path, line, message)
      list[#list + 1] = path .. (line and ":" .. line or "") .. ": " .. message
    end
  end
  local report, note = append_to(problems), append_to(notes)
  local code = {}
  for _, path in ipairs(sorted_keys(files)) do
    local text = files[path]
    local lines = lines_of(text)
    check_text(path, text, lines, report)
    if is_source(path) then
      local stripped = path:match("%.[ch]$") and lines_of(without_comments(text)) or lines
      if path:match("^src/") then code[path] = stripped end
      check_opening(path, lines, report)
      check_file_length(path, lines, report, note)
      check_function_lengths(path, stripped, report, note)
    end
  end
  check_c(files, code, report)
  return problems, notes
end

local function quote(argument)
  return "'" .. argument:gsub("'", "'\\''") .. "'"
end

local FIND = [[cd %s && find src lua spec examples .ci Makefile *.rockspec .busted .luacheckrc \
  -type f \( -name '*.[ch]' -o -name '*.lua' -o -name '*.rockspec' -o -name Makefile \
  -o -name .busted -o -name .luacheckrc -o -path '.ci/*' -o -path 'lua/bin/*' \) 2>/dev/null]]

--- Reads the files the rules are about.
-- @tparam string root the top of the tree
-- @treturn table path relative to the root -> text
function M.read(root)
  local files = {}
  local list = assert(io.popen(FIND:format(quote(root))))
  for path in list:lines() do
    local file = assert(io.open(root .. "/" .. path, "rb"))
    files[path] = file:read("*a")
    file:close()
  end
  list:close()
  return files
end

--- Checks the tree at root and prints what it finds.
-- @tparam string root the top of the tree
-- @treturn boolean whether no rule is broken
function M.main(root)
  local files = M.read(root)
  if next(files) == nil then
    print("no source files under " .. root)
    return false
  end
  local problems, notes = M.check(files)
  for _, line in ipairs(notes) do print("note: " .. line) end
  for _, line in ipairs(problems) do print(line) end
  return #problems == 0
end

if arg and arg[0] and arg[0]:match("layers%.lua$") then
  os.exit(M.main(arg[1] or ".") and 0 or 1)
end

return M
