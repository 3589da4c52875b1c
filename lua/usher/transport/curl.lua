--- The transport over libcurl: one pool of connections a client.
-- What libcurl is told, and what it must not do, is in `src/curl`. Here a
-- transfer is only driven: alone, a second at a time, so that between two steps
-- an interrupt (Ctrl-C) reaches the Lua state; inside `usher.map` by an event
-- loop that drives the transfers of all tasks and all clients.
-- @module usher.transport.curl

local core = require "usher.core"
local scheduler = require "usher.scheduler"

local M = {}

local STEP = 1 -- seconds

local function load_module()
  local ok, curl = pcall(require, "usher.curl")
  if ok then return curl end
  error("usher: calls need the C module usher.curl, which needs libcurl; "
    .. "install it, or give the client a transport of your own:\n" .. tostring(curl), 0)
end

-- Lets the tasks whose transfer is done hear of it.
local function wake_done(poller)
  for transfer, task in pairs(poller.waiting) do
    if transfer:done() then
      task.scheduler:wake(task)
      poller.waiting[transfer] = nil
    end
  end
  poller.closed_one = false
end

-- What a scheduler waits with: an event loop, and which task waits for which
-- transfer. After a client was closed the loop does not report its transfers;
-- who closed it may have had no memory to wake their tasks.
local function new_poller(curl)
  local loop, problem = curl.loop()
  if not loop then return nil, problem end
  local waiting = {}
  local poller = { loop = loop, waiting = waiting, closed_one = false }

  function poller.wait(seconds)
    if poller.closed_one then return wake_done(poller) end
    loop:wait(seconds)
    local transfer = loop:take()
    while transfer do
      local task = waiting[transfer]
      waiting[transfer] = nil
      if task then task.scheduler:wake(task) end
      transfer = loop:take()
    end
  end

  function poller.close()
    for transfer in pairs(waiting) do transfer:cancel() end
    loop:close()
  end

  return poller
end

local function send_nothing()
  return nil, "cancelled", "the client is closed", false
end

-- Joined before a transfer starts, or the loop hears of nothing.
local function poller_of(self, tasks)
  local poller, problem = tasks.poller, nil
  if not poller then poller, problem = new_poller(self.curl) end
  if not poller then return nil, problem end
  tasks.poller = poller
  self.pollers[poller] = true
  poller.loop:join(self.pool)
  return poller
end

-- The transfer, done. A request is a table, or a call.
local function perform_in_task(self, task, request)
  local poller, problem = poller_of(self, task.scheduler)
  if not poller then return nil, "network", problem, false end
  local transfer = self.pool:start(request)
  if not transfer then return send_nothing() end
  poller.waiting[transfer] = task
  while not transfer:done() do scheduler.suspend() end
  poller.waiting[transfer] = nil
  return transfer
end

local function wake_all(self)
  for poller in pairs(self.pollers) do wake_done(poller) end
end

-- A hook or a finalizer may call in the middle of this call, or while the tasks
-- of a map wait: the pool reports any of their transfers to whoever asks.
local function perform_alone(self, request)
  local pool = self.pool
  local transfer = pool:start(request)
  if not transfer then return send_nothing() end
  repeat
    local finished = pool:step(STEP)
    if finished == transfer then return transfer end
    if finished then wake_all(self) end
  until transfer:done()
  return transfer
end

local function perform(self, request)
  local task = scheduler.task() -- before anything is started: it may raise
  if task then return perform_in_task(self, task, request) end
  return perform_alone(self, request)
end

local function values(transfer, ...)
  if not transfer then return nil, ... end
  local status, head, body, sent = transfer:result()
  transfer:recycle()
  if status then return status, core.read_head(head), body end
  return nil, head, body, sent
end

local function close(self)
  for poller in pairs(self.pollers) do poller.closed_one = true end
  self.pool:close()
  wake_all(self)
end

--- Makes a transport.
-- @tparam[opt] table settings of a client: `proxy` (a URL, or `"environment"`
-- to obey the variables), `ca_file`, `client_cert`, `client_key_file`, `verify`
-- (true), `max_connections`; and `http` (`"auto"`, or `"1.1"` to do without
-- HTTP/2), `ca_path` (a hashed directory of authorities; beside a `ca_file` it
-- serves in its place where it holds the same, for it is faster to open)
-- @treturn table `{ send, sleep, close, short_cut }`, see `usher.transport`
-- @raise when libcurl is missing, or a setting is not what it should be
-- @usage local transport = require("usher.transport.curl").new{ http = "1.1" }
-- local chat = usher.vchatcloud{ api_key = key, transport = transport }
function M.new(settings)
  local curl = load_module()
  local self = {
    curl = curl, pool = curl.new(settings or {}),
    pollers = setmetatable({}, { __mode = "k" }),
  }
  local function send(request) return values(perform(self, request)) end
  return {
    send = send, sleep = scheduler.pause, close = function() close(self) end,
    short_cut = { send = send, exchange = function(call) return perform(self, call) end },
  }
end

return M
