-- How fast one nginx worker is, and how far its other requests are kept waiting: a gateway whose
-- handlers make one call each, to an upstream that answers after 100 ms, under wrk, while a
-- location that has nothing to do with it is asked every 10 ms.
--
--   make && luajit spec/nginx/bench.lua [seconds] [connections ...]      (8 64 512)
--
-- with this tree in LUA_PATH and LUA_CPATH, as `make test` has it. Prints a line for each transport
-- and number of connections; a pass needs 600 requests/s at 64, 4,500 at 512, no errors, and a
-- p99 of the other location under 20 ms at 64.

local nginx = require "spec.support.nginx"
local socket = require "socket"

local UPSTREAM = [[
  keepalive_requests 1000000;
  location / { content_by_lua_block {
    ngx.sleep(0.1)
    ngx.header.content_type = "application/json"
    ngx.print('{"results":{"user":{"user_id":"bob"}},"status":200}')
  } }
]]

local GATEWAY = [[
  keepalive_requests 1000000;
  location = /usher { content_by_lua_block { call("http") } }
  location = /usher_tls { content_by_lua_block { call("https") } }
  location = /cosocket { content_by_lua_block {
    local sock = ngx.socket.tcp()
    assert(sock:connect("127.0.0.1", ${port}, { pool_size = 512 }))
    assert(sock:send("GET /user_profile HTTP/1.1\r\nHost: upstream\r\n\r\n"))
    local length
    repeat
      local line = assert(sock:receive())
      length = line:match("^[Cc]ontent%-[Ll]ength: (%d+)") or length
    until line == ""
    if length then
      ngx.print(sock:receive(tonumber(length)))
    else
      repeat
        local size = tonumber(sock:receive(), 16)
        if size > 0 then ngx.print(sock:receive(size)) end
        sock:receive()
      until size == 0
    end
    sock:setkeepalive(30000, 512)
  } }
]]

local HTTP = [[
  init_by_lua_block {
    local usher = require "usher"
    local function client(base)
      return usher.qiscus{ app_id = "app", secret = "s3cret", base_url = base, verify = false,
        retries = 0 }
    end
    local clients = {
      http = client("http://127.0.0.1:${port}"), https = client("https://localhost:${tls}"),
    }
    function call(scheme)
      local result, err = clients[scheme]:user_profile{ user_id = "bob" }
      if not result then
        ngx.log(ngx.ERR, tostring(err))
        return ngx.exit(502)
      end
      ngx.print(result.results.user.user_id)
    end
  }
]]

local function percentile(sorted, part)
  return sorted[math.max(1, math.ceil(#sorted * part))]
end

local function ping(server)
  local started = socket.gettime()
  local connection = assert(socket.connect("127.0.0.1", server.port))
  connection:send("GET /ping HTTP/1.0\r\n\r\n")
  assert(connection:receive("*a"):find("pong", 1, true))
  connection:close()
  return (socket.gettime() - started) * 1000
end

-- Clock ticks, of which 100 are a second, that the process has used.
local function ticks(server)
  local file = assert(io.open("/proc/" .. server:pid() .. "/stat"))
  local user, system = file:read("*a"):match("%) %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  file:close()
  return tonumber(user) + tonumber(system)
end

local function measure(server, path, connections, seconds)
  local pipe = assert(io.popen(("wrk -t1 -c%d -d%ds --latency --timeout 20s http://127.0.0.1:%s%s")
    :format(connections, seconds, server.port, path)))
  local before, pings = ticks(server), {}
  local stop = socket.gettime() + seconds - 0.5
  socket.sleep(0.5)
  while socket.gettime() < stop do
    pings[#pings + 1] = ping(server)
    socket.sleep(0.01)
  end
  local said = pipe:read("*a")
  pipe:close()
  table.sort(pings)
  local errors = tonumber(said:match("Non%-2xx or 3xx responses: (%d+)") or 0)
  for count in (said:match("Socket errors:([^\n]*)") or ""):gmatch("%d+") do
    errors = errors + tonumber(count)
  end
  print(("%-10s %5d %9s req/s  p50 %8s  p99 %8s  %d errors  ping p99 %5.2f ms, max %5.2f ms"
    .. "  %d ticks"):format(path, connections, said:match("Requests/sec:%s*([%d.]+)"),
    said:match("50%%%s+(%S+)"), said:match("99%%%s+(%S+)"), errors, percentile(pings, 0.99),
    pings[#pings], ticks(server) - before))
end

local function main(seconds, connections)
  local upstream = nginx.start{ server = UPSTREAM, tls = true }
  local fields = { port = upstream.port, tls = upstream.tls_port }
  local server = nginx.start{ http = HTTP:gsub("%${(%l+)}", fields),
    server = GATEWAY:gsub("%${(%l+)}", fields) }
  for _, count in ipairs(connections) do
    for _, path in ipairs({ "/cosocket", "/usher", "/usher_tls" }) do
      measure(server, path, count, seconds)
    end
  end
  io.write(server:log():match("[^\n]*%[error%][^\n]*\n") or "")
  server:stop()
  upstream:stop()
end

local counts = {}
for i = 2, #arg do counts[#counts + 1] = assert(tonumber(arg[i])) end
main(tonumber(arg[1]) or 8, counts[1] and counts or { 64, 512 })
