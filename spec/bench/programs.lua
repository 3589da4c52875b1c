-- Runs the benchmark's programs: each pinned, with a time limit, with the libcurl that it is told,
-- and hands back what it measured, or why there is nothing.

local cjson = require "cjson"

local M = {}

local TIME_LIMIT = 60 -- seconds
local LOG = "build/bench/stderr"

local function quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

local function quote_all(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = quote(word) end
  return table.concat(quoted, " ")
end

local function append(list, more)
  for _, item in ipairs(more) do list[#list + 1] = item end
  return list
end

-- What a program complained of: the line that speaks of an error, or else the first.
local function complaint()
  local first
  for line in io.lines(LOG) do
    if line:find("[Ee]rror:") or line:find("ERROR:", 1, true) then return line end
    first = first or line:find("%S") and line
  end
  return first
end

--- Whether a command succeeds.
-- @tparam {string,...} command
-- @treturn boolean
function M.succeeds(command)
  local ok = os.execute(quote_all(command) .. " >/dev/null 2>&1 </dev/null")
  return ok == true or ok == 0
end

--- What a command prints.
-- @tparam string command for the shell
-- @treturn string without the end of the last line
function M.output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return (text:gsub("%s+$", ""))
end

-- In a mount namespace of its own, where the system's certificates are other ones.
local UNSHARE = { "unshare", "-rm", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"' }

--- Whether the system's certificates can be replaced for one process.
-- @tparam table place
function M.can_replace_trust(place)
  return M.succeeds(append(append({}, UNSHARE), { place.system_directory, place.system_place,
    "true" }))
end

-- Those that a shell of the user may have set and that would change what is measured.
local CLEAN = "env -u LUA_INIT -u LUA_INIT_5_4 -u SSL_CERT_FILE -u SSL_CERT_DIR -u http_proxy "
  .. "-u https_proxy -u all_proxy -u HTTPS_PROXY -u ALL_PROXY -u NODE_OPTIONS "
  .. "PYTHONDONTWRITEBYTECODE=1"

--- Runs a command and hands back its line of JSON and what it took as a whole.
-- @tparam {string,...} command
-- @tparam table options `processor`, `libraries` (a directory), `place` when the system's
-- certificates are to be ours
-- @treturn ?table the sample, with `process`: the seconds from start to end
-- @treturn ?string why there is none
function M.run(command, options)
  local words = {}
  if options.place then
    append(words, UNSHARE)
    append(words, { options.place.system_directory, options.place.system_place })
  end
  append(words, { "build/bench/measure", TIME_LIMIT, options.processor or "any" })
  append(words, command)
  local line = CLEAN
  if options.libraries then line = line .. " LD_LIBRARY_PATH=" .. quote(options.libraries) end
  local said = M.output(("%s %s 2>%s </dev/null"):format(line, quote_all(words), LOG))
  local own, whole = said:match("^(.-)\n?([^\n]*)$")
  local ok, ended = pcall(cjson.decode, whole)
  if not ok then return nil, complaint() or "it did not start" end
  local decoded, sample = pcall(cjson.decode, own)
  if ended.ended ~= "0" or not decoded then
    return nil, ("%s (%s)"):format(complaint() or "it said nothing", ended.ended)
  end
  sample.process = ended.wall
  return sample
end

--- How many instructions a command executes in user mode, its libraries' included.
-- @tparam {string,...} command
-- @tparam table options as above
-- @tparam boolean perf whether perf can count
-- @treturn ?number
function M.instructions(command, options, perf)
  local line = CLEAN
  if options.libraries then line = line .. " LD_LIBRARY_PATH=" .. quote(options.libraries) end
  local counter = perf and "perf stat -x, -e instructions:u"
    or "valgrind --tool=callgrind --callgrind-out-file=/dev/null"
  local said = M.output(("%s timeout 300 %s %s 2>&1 >/dev/null </dev/null"):format(line, counter,
    quote_all(command)))
  local count = perf and said:match("(%d+),,instructions") or said:match("Collected : (%d+)")
  return tonumber(count)
end

return M
