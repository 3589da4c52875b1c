--- What goes on for a while, a plan or a watch, and the process it runs in: it is
-- stopped by signals, and waits. Inside nginx the signals are the worker's own
-- and are left to it, and who waits lets the worker go on.
-- @module usher.moderation.process

local core = require "usher.core"
local scheduler = require "usher.scheduler"

local ngx = rawget(_G, "ngx")

local M = {}

--- Waits.
-- @tparam number seconds
function M.pause(seconds)
  if ngx then return ngx.sleep(seconds) end
  scheduler.pause(seconds)
end

--- Whether the process was asked to stop.
-- @treturn boolean
function M.interrupted()
  if ngx then return ngx.worker.exiting() end
  return core.interrupted()
end

--- Calls a function with SIGINT and SIGTERM noted, and no more than noted.
-- @tparam function fn
-- @param ... its arguments
-- @treturn boolean whether the process was asked to stop meanwhile
function M.run(fn, ...)
  if not ngx then core.catch_interrupts(true) end
  local ok, err = pcall(fn, ...)
  local interrupted = M.interrupted()
  if not ngx then core.catch_interrupts(false) end
  if not ok then error(err, 0) end
  return interrupted
end

return M
