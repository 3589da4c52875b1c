-- Where the benchmark happens: build/bench with the bodies, an authority and its certificate, nginx
-- with one worker for HTTP, TLS (kept and not) and HTTP/2, and the server that takes its time.

local nginx = require "spec.support.nginx"

local M = {}

local DIRECTORY = "build/bench"
local SYSTEM_CERTIFICATES = "/etc/ssl/certs"
local LISTS = { 10, 100, 1000, 10000, 100000 }
local DELAY_MS, USER_BYTES = 20, 400

local function sh(command, ...)
  local ok = os.execute(command:format(...))
  return ok == true or ok == 0
end

local function must(command, ...)
  assert(sh(command, ...), "failed: " .. command:format(...))
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- 240 bytes or so, as Qiscus lists one.
local USER = '{"avatar_url":"https://cdn.example.com/avatars/%06d.png","id":%d,"active":true,'
  .. '"extras":{"role":"member","level":%d,"muted":null},"username":"User \\u00e9 %06d",'
  .. '"created_at":"2026-03-%02dT08:%02d:00.000Z","user_id":"user-%06d","balance":%d.25}'

local function list_of(size)
  local users = {}
  for i = 1, size do
    users[i] = USER:format(i, 1000000 + i, i % 100, i, i % 28 + 1, i % 60, i, i % 1000)
  end
  return ('{"results":{"meta":{"total_data":%d,"total_page":1},"users":[%s]},"status":200}')
    :format(size, table.concat(users, ","))
end

local function user_of(bytes)
  local text = '{"results":{"user":{"user_id":"bob","username":"Bob","active":true,"id":1000042,'
    .. '"avatar_url":"https://cdn.example.com/avatars/bob.png","extras":{"role":"member",'
    .. '"level":17,"muted":null,"about":"%s"}}},"status":200}'
  return text:format(("x"):rep(bytes - #text + 2))
end

local function write_bodies()
  must("mkdir -p %s/bodies", DIRECTORY)
  for _, size in ipairs(LISTS) do
    write_file(("%s/bodies/list-%d.json"):format(DIRECTORY, size), list_of(size))
  end
end

local CERTIFY = [[
cd %s && rm -rf trust && mkdir -p trust/system && cd trust && {
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
authority() { key "$1.key" && openssl req -x509 -new -key "$1.key" -days 30 -subj "/CN=$1" \
  -out "$1.pem"; }
authority ca && authority stranger && key server.key &&
openssl req -new -key server.key -subj /CN=127.0.0.1 -out server.csr &&
printf 'subjectAltName=IP:127.0.0.1\n' >names &&
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
  -extfile names -out server.pem; } >openssl.log 2>&1]]

-- What the system trusts and our authority besides: as a bundle, and as a directory with a link by
-- hash for each.
local TRUST = [[
cd %s/trust && cp -L %s/* system/ 2>/dev/null
cat ca.pem >>system/ca-certificates.crt
cp ca.pem "system/$(openssl x509 -in ca.pem -noout -hash).0"
cp system/ca-certificates.crt bundle.pem]]

local function write_certificates()
  must(CERTIFY, DIRECTORY)
  sh(TRUST, DIRECTORY, SYSTEM_CERTIFICATES)
end

local HTTP = [[
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  open_file_cache max=100 inactive=1h;
  open_file_cache_valid 1h;
  default_type application/json;
  ssl_certificate @/trust/server.pem;
  ssl_certificate_key @/trust/server.key;
  ssl_session_tickets off;
  server { listen 127.0.0.1:$tls ssl backlog=1024; $locations }
  server { listen 127.0.0.1:$cold ssl backlog=1024; keepalive_timeout 0; $locations }
  server {
    listen 127.0.0.1:$h2 ssl http2 backlog=1024;
    if ($server_protocol != HTTP/2.0) { return 505; }
    $locations
  }
]]

local LOCATIONS = [[
  location = /api/v2.1/rest/user_profile { return 200 '$user'; }
  location = /api/v2.1/rest/login_or_register { return 200 '$user'; }
  location = /api/v2.1/rest/get_user_list { root @/bodies; try_files /list-$arg_limit.json =404; }
]]

local function fill(text, fields)
  return (text:gsub("%$(%w+)", fields):gsub("@", fields.directory))
end

local function here()
  local pipe = assert(io.popen("pwd"))
  local path = pipe:read("*l")
  pipe:close()
  return path
end

local function start_nginx(processor)
  local fields = { directory = here() .. "/" .. DIRECTORY, user = user_of(USER_BYTES),
    tls = nginx.free_port(), h2 = nginx.free_port(),
    cold = nginx.free_port() }
  fields.locations = fill(LOCATIONS, fields)
  local server = nginx.start{ http = fill(HTTP, fields), server = fields.locations }
  if processor then
    sh("taskset -p -c %s %s >%s/taskset 2>&1", processor, server:pid(), DIRECTORY)
  end
  return server, fields
end

-- It ends when its standard input, which we hold, does.
local function start_delay(processors)
  local path = DIRECTORY .. "/port"
  os.remove(path)
  local pipe = assert(io.popen(("exec %s build/bench/delay_server %d %d >%s"):format(
    processors and "taskset -c " .. processors or "", DELAY_MS, USER_BYTES, path), "w"))
  for _ = 1, 200 do
    local file = io.open(path)
    local port = file and file:read("*l")
    if file then file:close() end
    if port then return pipe, port end
    sh("sleep 0.05")
  end
  error("the server that takes its time did not start")
end

--- Writes what is served and starts the servers.
-- @tparam ?string processor where nginx runs
-- @tparam ?string others where the server that takes its time runs
-- @treturn table `urls` by name of the server, `trust` files by kind, `system_directory`, which for
-- one process is to be `system_place`, and `stop()`
function M.open(processor, others)
  write_bodies()
  write_certificates()
  local server, fields = start_nginx(processor)
  local delay, delay_port = start_delay(others)
  local trust = fields.directory .. "/trust"
  return {
    urls = { http = "http://127.0.0.1:" .. server.port, tls = "https://127.0.0.1:" .. fields.tls,
      h2 = "https://127.0.0.1:" .. fields.h2, cold = "https://127.0.0.1:" .. fields.cold,
      delay = "http://127.0.0.1:" .. delay_port },
    trust = { own = trust .. "/ca.pem", bundle = trust .. "/bundle.pem", system = "system",
      stranger = trust .. "/stranger.pem" },
    system_directory = trust .. "/system", system_place = SYSTEM_CERTIFICATES,
    system_bundle = SYSTEM_CERTIFICATES .. "/ca-certificates.crt",
    stop = function()
      delay:close()
      server:stop()
    end,
  }
end

return M
