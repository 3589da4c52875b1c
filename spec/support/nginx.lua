-- Starts a real nginx for a spec, talks HTTP to it and ends it. One process, no daemon, everything
-- it writes in a directory of its own; it goes when the spec does, however that ends.
--
--   local nginx = require "spec.support.nginx"
--   local server
--   setup(function() server = nginx.start{ http = "lua_shared_dict muted 1m;" } end)
--   teardown(function() server:stop() end)
--   ... server:run("return 1 + ...", 2) ... server:request("GET", "/path") ... server:log()

local cjson = require "cjson.safe"
local files = require "spec.support.files"
local socket = require "socket"

local M = {}

local methods = {}
local metatable = { __index = methods }

local PATIENCE = 20 -- seconds

local function output_of(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- The name of the program: Debian's nginx, or one from openresty.org.
-- @treturn string path
function M.program()
  local found = output_of("command -v nginx || command -v openresty || ls /usr/sbin/nginx")
  assert(found ~= "", "nginx is not installed")
  return found:match("^[^\n]+")
end

-- Debian's Lua module is loaded at run time, openresty.org's is built in.
local function module_lines()
  local lines = {}
  for _, directory in ipairs({ "/usr/lib/nginx/modules", "/usr/lib64/nginx/modules" }) do
    for _, name in ipairs({ "ndk_http_module.so", "ngx_http_lua_module.so" }) do
      local path = directory .. "/" .. name
      local file = io.open(path, "rb")
      if file then
        file:close()
        lines[#lines + 1] = "load_module " .. path .. ";"
      end
    end
  end
  return table.concat(lines, "\n")
end

--- A port of the loopback interface that was free a moment ago.
-- @treturn string
function M.free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return ("%d"):format(port)
end

--- The modules nginx has to load and where this tree's Lua files are.
-- @treturn string lines for the top of a configuration
-- @treturn string lines for its http block
function M.common_lines()
  local here = output_of("pwd")
  return module_lines(), (([[
lua_package_path "@/lua/?.lua;@/lua/?/init.lua;@/?.lua;;";
lua_package_cpath "@/build/5.1/?.so;;";]]):gsub("@", here))
end

--- Makes a certificate of its own for "localhost" and its key.
-- @tparam string directory where `own.pem` and `own.key` are written
-- @treturn string the lines that a server block needs to use them
function M.certify(directory)
  local made = os.execute(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    .. " -nodes -keyout '%s/own.key' -out '%s/own.pem' -days 2 -subj /CN=localhost"
    .. " -addext subjectAltName=DNS:localhost >'%s/openssl.log' 2>&1")
    :format(directory, directory, directory))
  assert(made == true or made == 0, "openssl failed")
  return ("ssl_certificate %s/own.pem; ssl_certificate_key %s/own.key;")
    :format(directory, directory)
end

local CONFIGURATION = [[
${modules}
daemon off;
${processes}
pid ${directory}/nginx.pid;
error_log ${directory}/error.log info;
${main}
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  client_max_body_size 1m;
  client_body_buffer_size 1m;
  lua_socket_log_errors off;
  ${paths}
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${tls}
    location = /run { content_by_lua_block { require("spec.nginx.run").serve() } }
    location = /ping { content_by_lua_block { ngx.print("pong") } }
    ${server}
  }
}
]]

-- The shell ends nginx when its own standard input, which we hold, ends.
local COMMAND = [[
%s -p '%s' -e '%s/error.log' -c '%s/nginx.conf' >'%s/output' 2>&1 & pid=$!
cat >/dev/null
kill $pid
wait $pid]]

local function is_up(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then connection:close() end
  return connection ~= nil
end

local function wait_until_up(server)
  local give_up = socket.gettime() + PATIENCE
  while not is_up(server.port) do
    if socket.gettime() > give_up or server:log():find("[emerg]", 1, true) then
      local said = server:log()
      server:stop()
      error("nginx did not start: " .. said)
    end
    socket.sleep(0.01)
  end
end

--- Starts nginx and waits until it answers.
-- @tparam[opt] table options lines of configuration: `main`, `http` and `server` go into the blocks
-- of that name; `tls = true` for a second port that speaks TLS; `workers`, when there shall be more
-- than the one process
-- @treturn table with `port`, `tls_port`, `directory` and the methods below
function M.start(options)
  options = options or {}
  local directory = output_of("mktemp -d")
  local modules, paths = M.common_lines()
  local port, tls_port = M.free_port(), options.tls and M.free_port()
  -- Workers as root, where that is who starts them: they read this tree, wherever it lies.
  local processes = options.workers
    and ("master_process on;\nworker_processes %d;\nuser root;"):format(options.workers)
    or "master_process off;"
  local fields = {
    modules = modules, processes = processes, paths = paths, directory = directory, port = port,
    tls = tls_port and ("listen 127.0.0.1:%s ssl; %s"):format(tls_port, M.certify(directory)) or "",
    main = options.main or "", http = options.http or "", server = options.server or "",
  }
  write_file(directory .. "/nginx.conf", (CONFIGURATION:gsub("%${(%l+)}", fields)))
  local server = setmetatable({ port = port, tls_port = tls_port, directory = directory },
    metatable)
  server.pipe = assert(io.popen(COMMAND:format(M.program(), directory, directory, directory,
    directory), "w"))
  wait_until_up(server)
  return server
end

--- Ends nginx, waits for it and removes its directory.
function methods:stop()
  self.pipe:close()
  os.execute("rm -rf '" .. self.directory .. "'")
end

--- The number of the process.
-- @treturn string
function methods:pid()
  return files.find(self.directory .. "/nginx.pid"):match("%d+")
end

--- All that nginx wrote to its log.
-- @treturn string
function methods:log()
  return (files.find(self.directory .. "/error.log") or "")
    .. (files.find(self.directory .. "/output") or "")
end

--- Starts a request and returns without waiting for the answer.
-- @treturn table with `read()` -> status, body, headers by lower-case name
function methods:begin(method, target, body, headers)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(PATIENCE)
  local head = { ("%s %s HTTP/1.0"):format(method, target), "Host: localhost" }
  for name, value in pairs(headers or {}) do head[#head + 1] = name .. ": " .. value end
  if body then head[#head + 1] = ("Content-Length: %d"):format(#body) end
  assert(connection:send(table.concat(head, "\r\n") .. "\r\n\r\n" .. (body or "")))
  return {
    connection = connection,
    read = function()
      local answer, problem, partial = connection:receive("*a")
      connection:close()
      answer = answer or error(("no answer to %s %s: %s %s"):format(method, target,
        tostring(problem), tostring(partial)))
      local status = tonumber(answer:match("^HTTP/1%.%d (%d%d%d)"))
      local top, content = answer:match("^(.-)\r\n\r\n(.*)$")
      assert(status, "no HTTP answer to " .. target .. ": " .. answer)
      local fields = {}
      for name, value in top:gmatch("\n([^:\r\n]+):[ ]*([^\r\n]*)") do
        fields[name:lower()] = value
      end
      return status, content, fields
    end,
  }
end

--- Makes a request.
-- @treturn number status
-- @treturn string body
-- @treturn table headers by lower-case name
function methods:request(method, target, body, headers)
  return self:begin(method, target, body, headers).read()
end

local function decode(status, body)
  local answer = cjson.decode(body)
  if status ~= 200 or type(answer) ~= "table" then
    error(("nginx answered %s: %s"):format(tostring(status), tostring(body)), 0)
  elseif answer.problem then
    error(answer.problem, 0)
  end
  return answer.value
end

--- Starts Lua code inside nginx, in the content phase.
-- @tparam string code gets `argument` as `...` and returns one value that JSON can hold
-- @param argument likewise
-- @treturn function waits and returns the value
function methods:start_run(code, argument)
  local body = cjson.encode({ code = code, argument = argument })
  local begun = self:begin("POST", "/run", body)
  return function() return decode(begun.read()) end
end

--- Runs Lua code inside nginx and returns its value.
function methods:run(code, argument)
  return self:start_run(code, argument)()
end

return M
