-- What the benchmark measures: the workloads, the programs that do them, and the targets. Data
-- only: main.lua runs it, report.lua judges it.

local M = {}

--- In a workload: `server` is which of the servers is asked, `ask` what the programs are told, `ca`
-- whom they trust (only our authority, if it is not said), `figure` what counts (`wall` and `cpu` a
-- call, `process` from start to end), `peers = false` when only the reference and usher do it, with
-- the last libcurl; `cold` when every call makes a connection, and none are made before.
M.workloads = {
  { name = "user-http", title = "(a) 400 B, HTTP", server = "http", ask = "user",
    calls = 6000, in_flight = 1, figure = "cpu", letter = "a" },
  { name = "user-tls", title = "(a) 400 B, TLS", server = "tls", ask = "user",
    calls = 6000, in_flight = 1, figure = "cpu", letter = "a" },
  { name = "post-http", title = "(b) POST, HTTP", server = "http", ask = "post",
    calls = 4000, in_flight = 1, figure = "cpu" },
  { name = "list-100", title = "(c) 24 KB list", server = "http", ask = "list-100",
    calls = 2000, in_flight = 1, figure = "wall" },
  { name = "list-10000", title = "(d) 2.4 MB list", server = "http", ask = "list-10000",
    calls = 20, in_flight = 1, figure = "wall" },
  { name = "many-64", title = "64 in flight", server = "http", ask = "user",
    calls = 6000, in_flight = 64, figure = "wall" },
  { name = "many-256", title = "256 in flight", server = "http", ask = "user",
    calls = 6000, in_flight = 256, figure = "wall" },
  { name = "streams-100", title = "HTTP/2, 100 streams", server = "h2", ask = "streams",
    calls = 4000, in_flight = 100, figure = "cpu" },
  { name = "delay-64", title = "20 ms, 64 in flight", server = "delay", ask = "user",
    calls = 1920, in_flight = 64, figure = "cpu", delay = 0.020 },
  { name = "delay-256", title = "20 ms, 256 in flight", server = "delay", ask = "user",
    calls = 7680, in_flight = 256, figure = "cpu", delay = 0.020 },
  { name = "cold-64", title = "64 cold TLS connections", server = "cold", ask = "cold",
    calls = 64, in_flight = 64, figure = "wall", ca = "bundle", cold = true },
  { name = "once-bundle", title = "one-shot, CA bundle", server = "cold", ask = "cold",
    calls = 1, in_flight = 1, figure = "process", ca = "bundle", cold = true },
  { name = "once-system", title = "one-shot, the system's CAs", server = "cold", ask = "cold",
    calls = 1, in_flight = 1, figure = "process", ca = "system", cold = true },
  -- growth: as the ones above, smaller and larger
  { name = "many-8", title = "8 in flight", server = "http", ask = "user",
    calls = 6000, in_flight = 8, figure = "wall", peers = false },
  { name = "many-256-long", title = "256 in flight, twice the calls", server = "http",
    ask = "user", calls = 12000, in_flight = 256, figure = "wall", peers = false },
  { name = "list-10", title = "list of 10", server = "http", ask = "list-10",
    calls = 4000, in_flight = 1, figure = "wall", peers = false },
  { name = "list-1000", title = "list of 1,000", server = "http", ask = "list-1000",
    calls = 300, in_flight = 1, figure = "wall", peers = false },
  { name = "list-100000", title = "list of 100,000", server = "http", ask = "list-100000",
    calls = 3, in_flight = 1, figure = "wall", peers = false },
}

--- What no program may answer: the server's authority is not the one that is trusted.
M.strange = { name = "strange", server = "cold", ask = "cold", calls = 1, in_flight = 1,
  ca = "stranger", cold = true }

--- What grows, and what should stay as it is: points of a curve, by workload.
M.growth = {
  { title = "calls a second, by calls in flight", unit = "calls/s", per_call = true,
    points = { { 1, "user-http" }, { 8, "many-8" }, { 64, "many-64" }, { 256, "many-256" } } },
  { title = "time a user, by users in the list", unit = "us",
    points = { { 10, "list-10" }, { 100, "list-100" }, { 1000, "list-1000" },
      { 10000, "list-10000" }, { 100000, "list-100000" } } },
}

local DRIVERS = "spec/bench/peers/"

-- In a program: `libcurl` when the libcurl of the column serves it, `alone` when it has one call in
-- flight at most, `pace` the share of the calls that it makes, for it takes so much longer,
-- `pace_tls` likewise, `probe` what succeeds where it is installed. In a command, @CA_FILE becomes
-- the file of whom to trust.
local function lua_program(fields)
  fields.command = { fields.interpreter, DRIVERS .. fields.driver .. ".lua" }
  fields.probe = fields.probe or { fields.interpreter, "-e", 'require "' .. fields.module .. '"' }
  return fields
end

local function python_program(fields, python)
  fields.command = { python, DRIVERS .. fields.driver .. ".py" }
  fields.probe = { python, "-c", "import " .. fields.module }
  return fields
end

local function lua_programs(lua, suffix, label)
  local function add(list, fields)
    fields.interpreter, fields.lua = lua, label
    fields.name = fields.name .. "-" .. suffix
    fields.title = fields.title .. ", " .. label
    list[#list + 1] = lua_program(fields)
  end
  local list = {}
  add(list, { name = "usher", title = "usher", driver = "usher", module = "usher", libcurl = true,
    ours = true })
  add(list, { name = "lua-curl", title = "lua-curl + cjson", driver = "lua_curl", module = "curl",
    libcurl = true, alone = true, cjson = true })
  add(list, { name = "lcurl", title = "Lua-cURLv3 + cjson", driver = "lcurl", module = "lcurl",
    libcurl = true, cjson = true, h2 = true })
  add(list, { name = "lua-http", title = "lua-http + cjson", driver = "lua_http",
    module = "http.client", h2 = true, cjson = true, pace = 0.5 })
  add(list, { name = "luasocket", title = "luasocket + cjson", driver = "lua_socket",
    module = "ssl.https", alone = true, cjson = true, pace = 0.2, pace_tls = 0.0025 })
  return list
end

--- The programs, the reference first.
-- @tparam table tools `lua54`, `luajit`, `python`: their names
-- @treturn {table,...}
function M.programs(tools)
  local list = {
    { name = "c", title = "C", command = { "build/bench/reference" }, libcurl = true,
      reference = true, h2 = true },
    { name = "c-kept", title = "C, handles reused all the same",
      command = { "build/bench/reference", "--reuse" }, libcurl = true, control = true, h2 = true },
  }
  for _, program in ipairs(lua_programs(tools.lua54, "5.4", "Lua 5.4")) do
    list[#list + 1] = program
  end
  for _, program in ipairs(lua_programs(tools.luajit, "luajit", "LuaJIT")) do
    list[#list + 1] = program
  end
  list[#list + 1] = {
    name = "lua-resty-http", title = "lua-resty-http + cjson, LuaJIT", lua = "LuaJIT",
    command = { "resty", "-c", "1024", "--http-conf", "lua_ssl_trusted_certificate @CA_FILE; "
      .. "lua_ssl_verify_depth 3;", DRIVERS .. "lua_resty_http.lua" },
    probe = { "resty", "-e", 'require "resty.http"' }, cjson = true,
  }
  list[#list + 1] = python_program({ name = "pycurl", title = "pycurl + json", module = "pycurl",
    driver = "with_pycurl", libcurl = true, h2 = true }, tools.python)
  list[#list + 1] = python_program({ name = "requests", title = "requests", module = "requests",
    driver = "with_requests", pace = 0.04 }, tools.python)
  list[#list + 1] = { name = "undici", title = "undici",
    command = { "node", DRIVERS .. "with_undici.mjs" }, pace = 0.5,
    probe = { "node", "-e", "require('./build/bench/node/node_modules/undici')" } }
  return list
end

--- The targets: `limits` for Lua 5.4 and for LuaJIT. `against` says what a figure is compared
-- with: the `reference` of the same round, or how much `more` than it; `ideal` (calls / in flight *
-- delay); the best of the peers on `lua`, or of those with `cjson`; `pycurl`. Without it the value
-- itself counts, in `unit`.
M.targets = {
  { workload = "user-http", figure = "cpu", against = "reference", limits = { 1.20, 1.10 } },
  { workload = "user-tls", figure = "cpu", against = "reference", limits = { 1.15, 1.08 } },
  { workload = "list-100", figure = "wall", against = "reference", limits = { 5.0, 4.0 } },
  { workload = "list-10000", figure = "wall", against = "cjson", limits = { 0.65, 0.65 },
    title = "(d) 2.4 MB list, wall, of the best cjson-based Lua peer" },
  { workload = "list-10000", figure = "wall", against = "pycurl", limits = { 0.85, 0.85 },
    title = "(d) 2.4 MB list, wall, of pycurl + json" },
  { workload = "many-64", figure = "wall", against = "reference", limits = { 1.17, 1.06 } },
  { workload = "streams-100", figure = "cpu", against = "reference", limits = { 1.25, 1.20 } },
  { workload = "delay-256", figure = "wall", against = "ideal", limits = { 1.07, 1.07 },
    title = "20 ms, 256 in flight, wall, of the ideal" },
  { workload = "delay-256", figure = "cpu", against = "reference", limits = { 1.3, 1.3 } },
  { workload = "cold-64", figure = "wall", against = "reference", limits = { 1.5, 1.5 } },
  { workload = "once-system", figure = "process", unit = "ms", limits = { 12, 12 },
    title = "one-shot TLS process, CA directory hashed, ms" },
  { workload = "once-bundle", figure = "process", against = "lua", limits = { 1, 1 },
    title = "one-shot TLS process, CA bundle, of the best Lua peer" },
  { workload = "user-http", figure = "rss", against = "more", unit = "MB", limits = { 2, 2 },
    title = "(a) peak memory, MB more than C" },
  { workload = "list-10000", figure = "rss", unit = "MB", limits = { 30, 30 },
    title = "(d) peak memory, MB" },
}

return M
