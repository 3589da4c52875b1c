-- The command line of the sandbox's server: reading its options, and printing where it listens and
-- with what credentials. No sockets here.

local sandbox = require("usher.sandbox")

local M = {}

local USAGE = [[
Usage: usher sandbox [options]

Serves eRTC, Smooch, VChatCloud and Qiscus on 127.0.0.1, with test credentials, until stopped.

  --port N              port to listen on (0: a free one)
  --port-file PATH      write the port there once it listens; removed at the end
  --env                 print "export USHER_..." lines for a shell instead of the table
  --seconds S           stop after S seconds
  --until-eof           stop when standard input ends
  --token-lifetime S    seconds a VChatCloud token lives (3600)
  --help                print this
]]

local numbers = {
  ["--port"] = "port", ["--seconds"] = "seconds", ["--token-lifetime"] = "lifetime",
}
local flags = { ["--env"] = "env", ["--until-eof"] = "until_eof", ["--help"] = "help" }

-- "--name=value" and "--name value" alike
local function next_argument(arguments, at)
  local name, value = arguments[at]:match("^(%-%-[^=]+)=(.*)$")
  if name then return name, value, at, true end
  return arguments[at], arguments[at + 1], at + 1, false
end

local function store(found, name, value, is_joined)
  if flags[name] then
    if is_joined then return nil, name .. " takes no value" end
    found[flags[name]] = true
    return false
  end
  if name == "--port-file" then
    found.port_file = value
  elseif numbers[name] then
    found[numbers[name]] = tonumber(value)
    value = tonumber(value)
  else
    return nil, "unknown option " .. name
  end
  if value == nil or value == "" then return nil, name .. " needs a value" end
  return true
end

local function parse(arguments)
  local found, at = {}, arguments[1] == "sandbox" and 2 or 1
  while at <= #arguments do
    local name, value, value_at, is_joined = next_argument(arguments, at)
    local took_value, problem = store(found, name, value, is_joined)
    if problem then return nil, problem end
    at = (took_value and value_at or at) + 1
  end
  local port = found.port or 0
  if port < 0 or port > 65535 or port % 1 ~= 0 then return nil, "--port must be from 0 to 65535" end
  return found
end

local function variable(provider, option)
  return "USHER_" .. provider:upper() .. "_" .. option:upper()
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function environment_lines(credentials)
  local lines = {}
  for _, credential in ipairs(credentials) do
    for _, option in ipairs(credential.options) do
      lines[#lines + 1] = "export " .. variable(credential.provider, option[1]) .. "="
        .. quoted(option[2])
    end
    for _, note in ipairs(credential.notes) do
      lines[#lines + 1] = "# " .. credential.provider .. " " .. note[1] .. ": " .. note[2]
    end
  end
  return lines
end

local function table_lines(credentials, base_url)
  local lines = { "usher sandbox: listening on " .. base_url, "" }
  for _, credential in ipairs(credentials) do
    lines[#lines + 1] = credential.provider
    for _, option in ipairs(credential.options) do
      lines[#lines + 1] = string.format("  %-16s %s", option[1], option[2])
    end
    for _, note in ipairs(credential.notes) do
      lines[#lines + 1] = string.format("  (%s) %s", note[1], note[2])
    end
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = "Faults, journal, state: " .. base_url .. "/_sandbox/{fault,journal,state}"
  lines[#lines + 1] = "The same for a shell: --env. Stop with Ctrl-C."
  return lines
end

-- Written beside it and renamed, so that whoever waits for the file never reads half a number.
local function write_port(path, port)
  local file, problem = io.open(path .. ".new", "w")
  if not file then return nil, problem end
  file:write(string.format("%d\n", port))
  file:close()
  return os.rename(path .. ".new", path)
end

local function announce(found, box, port)
  local base_url = sandbox.base_url .. ":" .. string.format("%d", port)
  local credentials = box:credentials(base_url)
  local lines = found.env and environment_lines(credentials) or table_lines(credentials, base_url)
  io.stdout:write(table.concat(lines, "\n"), "\n")
  io.stdout:flush()
end

local function fail(status, message, extra)
  io.stderr:write("usher sandbox: ", message, "\n", extra or "")
  return status
end

--- Run the command.
-- @tparam table arguments
-- @tparam function run `usher.sandbox.server.run`
-- @treturn integer exit status: 0 stopped as asked, 1 could not run, 2 wrong usage
function M.main(arguments, run)
  local found, problem = parse(arguments)
  if not found then return fail(2, problem, USAGE) end
  if found.help then
    io.stdout:write(USAGE)
    return 0
  end
  local box = sandbox.new({ token_lifetime = found.lifetime })
  local file_problem
  local ok, run_problem = run({
    box = box, port = found.port, seconds = found.seconds, until_eof = found.until_eof,
    signals = true,
    on_ready = function(port, stop)
      announce(found, box, port)
      if not found.port_file then return end
      local written, why = write_port(found.port_file, port)
      if not written then
        file_problem = why
        stop()
      end
    end,
  })
  if found.port_file and not file_problem then os.remove(found.port_file) end
  if not ok then return fail(1, run_problem) end
  if file_problem then return fail(1, "cannot write the port: " .. file_problem) end
  return 0
end

return M
