--- The transport over libcurl: one pool of connections a client.
-- What libcurl is told, and what it must not do, is in `src/curl`. Here a
-- transfer is only driven: alone, a second at a time, so that between two steps
-- an interrupt (Ctrl-C) reaches the Lua state; inside `usher.map` by an event
-- loop that drives the transfers of all tasks and all clients.
-- @module usher.transport.curl

local scheduler = require "usher.scheduler"

local M = {}

local STEP = 1 -- seconds

local function load_module()
  local ok, curl = pcall(require, "usher.curl")
  if ok then return curl end
  error("usher: calls need the C module usher.curl, which needs libcurl; "
    .. "install it, or give the client a transport of your own:\n" .. tostring(curl), 0)
end

-- What a scheduler waits with: an event loop, and which task waits for which
-- transfer.
local function new_poller(curl)
  local loop = curl.loop()
  local waiting = {}
  local poller = { loop = loop, waiting = waiting }

  function poller.wait(seconds)
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

-- A hook may start another call in the middle of this one: the pool then
-- reports either transfer to whoever asks, so the transfer is asked as well.
local function await_alone(pool, transfer)
  repeat until pool:step(STEP) == transfer or transfer:done()
end

local function await_in_task(task, poller, transfer)
  poller.waiting[transfer] = task
  scheduler.suspend()
end

-- Lets the tasks that wait for this pool's transfers hear that it was closed.
local function wake_waiting(pollers)
  for poller in pairs(pollers) do
    for transfer, task in pairs(poller.waiting) do
      if transfer:done() then
        poller.waiting[transfer] = nil
        task.scheduler:wake(task)
      end
    end
  end
end

--- Makes a transport.
-- @tparam[opt] table settings of a client: `proxy` (a URL, or `"environment"`
-- to obey the variables), `ca_file`, `client_cert`, `client_key_file`, `verify`
-- (true), `max_connections`; and `http` (`"auto"`, or `"1.1"` to do without
-- HTTP/2)
-- @treturn table `{ send, sleep, close }`, see `usher.transport`
-- @raise when libcurl is missing, or a setting is not what it should be
-- @usage local transport = require("usher.transport.curl").new{ http = "1.1" }
-- local chat = usher.vchatcloud{ api_key = key, transport = transport }
function M.new(settings)
  local curl = load_module()
  local pool = curl.new(settings or {})
  local pollers = setmetatable({}, { __mode = "k" })

  local function poller_of(tasks)
    local poller = tasks.poller or new_poller(curl)
    tasks.poller = poller
    pollers[poller] = true
    return poller
  end

  return {
    send = function(request)
      local task = scheduler.task() -- before anything is started: it may raise
      local poller = task and poller_of(task.scheduler)
      if poller then poller.loop:join(pool) end -- first, or it hears of nothing
      local transfer = pool:start(request)
      if poller then
        await_in_task(task, poller, transfer)
      else
        await_alone(pool, transfer)
      end
      return transfer:result()
    end,
    sleep = scheduler.pause,
    close = function()
      pool:close()
      wake_waiting(pollers)
    end,
  }
end

return M
