-- A PostgreSQL server of our own in a temporary directory: started once a process, stopped at its
-- end by `stop`.

local M = {}

local function output_of(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  local text = pipe:read("*a"):gsub("%s+$", "")
  pipe:close()
  return text
end

-- Without the sanitizers that the specs may run under.
local function run(command)
  local first, _, code = os.execute("unset LD_PRELOAD; " .. command .. " >/dev/null 2>&1")
  return first == true or first == 0 or code == 0
end

local function find_programs()
  local bin = output_of("pg_config --bindir")
  if bin ~= "" and output_of("ls " .. bin .. "/initdb") ~= "" then return bin end
  bin = output_of("ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1")
  return bin ~= "" and output_of("ls " .. bin .. "/initdb") ~= "" and bin or nil
end

local programs = find_programs()

--- Whether there is a PostgreSQL to try.
M.is_there = programs ~= nil

-- initdb and postgres refuse to run as root.
local is_root = output_of("id -u") == "0"

local function as_owner(command)
  if not is_root then return command end
  return ("su postgres -s /bin/sh -c '%s'"):format(command:gsub("'", "'\\''"))
end

local function free_port()
  local socket = require("socket")
  local server = assert(socket.bind("127.0.0.1", 0))
  local _, port = server:getsockname()
  server:close()
  return port
end

local server

local function start()
  local directory = output_of("mktemp -d")
  if is_root then assert(run("chown postgres " .. directory)) end
  local data, port = directory .. "/data", free_port()
  assert(run(as_owner(("%s/initdb -D %s -A trust -U usher -E UTF8 --no-sync"):format(programs,
    data))), "initdb failed")
  assert(run(as_owner(("%s/pg_ctl -D %s -o \"-p %s -c listen_addresses=127.0.0.1 -k %s "
    .. "-c fsync=off\" -w -t 30 -l %s/log start"):format(programs, data, port, directory,
    directory))), "PostgreSQL did not start")
  return { directory = directory, data = data, port = port }
end

local function connect(database)
  local dbi = require("DBI")
  local connection = assert(dbi.Connect("PostgreSQL", database, "usher", "", "127.0.0.1",
    server.port))
  connection:autocommit(true)
  return connection
end

local function execute(connection, statement)
  local prepared = assert(connection:prepare(statement))
  assert(prepared:execute())
  prepared:close()
end

--- Names a database with nothing in it: the same one each time, emptied. Starts the server first.
-- @treturn string dsn
function M.dsn()
  if not server then
    server = start()
    local connection = connect("postgres")
    execute(connection, "CREATE DATABASE ledger")
    connection:close()
  end
  local connection = connect("ledger")
  execute(connection, "SET client_min_messages = warning")
  execute(connection, "DROP SCHEMA public CASCADE")
  execute(connection, "CREATE SCHEMA public")
  connection:close()
  return ("postgres://usher@127.0.0.1:%s/ledger"):format(server.port)
end

--- Stops the server and removes all that it wrote.
function M.stop()
  if not server then return end
  run(as_owner(("%s/pg_ctl -D %s -m immediate -w stop"):format(programs, server.data)))
  run("rm -rf " .. server.directory)
  server = nil
end

return M
