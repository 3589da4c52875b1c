-- Transfers of usher.curl, driven by hand.

local core = require "usher.core"

local M = {}

--- What a transport returns of a transfer that has ended.
-- @treturn number status, or nil
-- @treturn table headers, or a kind of error
-- @treturn string body, or the error's message
-- @treturn ?boolean whether the request may have been sent
function M.result(transfer)
  local status, head, body, sent = transfer:result()
  if status then return status, core.read_head(head), body end
  return nil, head, body, sent
end

--- Drives the pool until the transfer has ended.
-- @return as result()
function M.finish(pool, transfer)
  repeat until pool:step(1) == transfer or transfer:done()
  return M.result(transfer)
end

return M
