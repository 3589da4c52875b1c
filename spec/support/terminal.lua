-- A terminal to look at: a shell in tmux, of a server of its own that ends with `close`.

local command = require "spec.support.command"
local core = require "usher.core"

local M = {}

local function output_of(line)
  local pipe = assert(io.popen(line .. " 2>/dev/null"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

--- Whether there is a tmux.
M.is_there = output_of("tmux -V"):find("^tmux") ~= nil

local methods = {}
local metatable = { __index = methods }

local opened = 0

--- Opens a terminal. Its prompt tells the last exit status: `status 0 > `.
-- @tparam integer columns
-- @treturn table
function M.open(columns)
  opened = opened + 1
  local self = setmetatable({ tmux = ("tmux -u -f /dev/null -L usher-spec-%d-%d "):format(
    core.process(), opened) }, metatable)
  self:run(("new-session -d -x %d -y 40 %s"):format(columns,
    command.quoted("PS1='status $? > ' exec sh")))
  return self
end

function methods:run(arguments)
  return output_of(self.tmux .. arguments)
end

--- What it shows; with its colours, if `escapes`.
function methods:text(escapes)
  return self:run("capture-pane -p -J" .. (escapes and " -e" or ""))
end

--- Types a line.
function methods:type(line)
  self:run("send-keys -l " .. command.quoted(line))
  self:run("send-keys Enter")
end

--- Presses a key, `C-c`.
function methods:press(key)
  self:run("send-keys " .. key)
end

function methods:resize(columns)
  self:run(("resize-window -x %d -y 40"):format(columns))
end

--- Waits until what it shows matches `pattern`; returns what the pattern captures.
function methods:await(pattern, escapes)
  local found
  local ok, problem = pcall(command.await, function()
    found = { self:text(escapes):match(pattern) }
    return found[1] ~= nil
  end)
  if not ok then error(("%s: no %q in:\n%s"):format(problem, pattern, self:text(escapes)), 2) end
  return (table.unpack or rawget(_G, "unpack"))(found) -- luacheck: ignore 143
end

function methods:close()
  self:run("kill-server")
end

return M
