-- What a provider may do to a request, and what a transport may make of it: one table for all
-- transports. A row is `{ name, listener, path, expected, sent }`: `expected` is the status of an
-- answer or the kinds that are right; `sent` is what the transport must say, nil where it cannot
-- know better than true. Walked by faults_spec.lua and nginx/faults_spec.lua.

local M = {}

--- The request of every row, but for `url`, `method`, `body` and `idempotent`.
M.limits = { timeout = 1, connect_timeout = 1, max_response_size = 100000 }

M.rows = {
  { "an answer", "http", "/ok", 200 },
  { "an answer over TLS", "https", "/ok", 200 },
  { "a redirect, not followed", "http", "/redirect/302/elsewhere", 302 },
  { "an error status", "http", "/status/503", 503 },
  { "no body where none is due", "http", "/status/204", 204 },
  { "interim answers", "http", "/interim", 200 },

  { "nobody listens", "refused", "/ok", { "network" }, false },
  { "accepted and closed", "accept_close", "/ok", { "network" } },
  { "accepted and reset", "accept_reset", "/ok", { "network" } },
  { "closed before the reply", "http", "/close_before_reply", { "network" }, true },
  { "reset before the reply", "http", "/reset_before_reply", { "network" }, true },
  { "reset in the body", "http", "/reset_in_body", { "network" }, true },
  { "a body cut short", "http", "/truncated", { "network" }, true },
  { "chunks cut short", "http", "/truncated_chunks", { "network" }, true },

  { "silence after the request", "http", "/stall/start", { "timeout" }, true },
  { "silence after the head", "http", "/stall/head", { "timeout" }, true },
  { "silence in the body", "http", "/stall/body", { "timeout" }, true },
  { "a byte now and then", "http", "/slow/200", { "timeout" }, true },
  { "silence where TLS is due", "silent", "/ok", { "timeout" }, false, "https" },

  { "HTTP/0.9", "http", "/http09", { "protocol" }, true },
  { "a chunk without a size", "http", "/bad_chunk", { "protocol" }, true },
  { "a negative length", "http", "/length_negative", { "protocol" }, true },
  { "two lengths", "http", "/lengths_differ", { "protocol" }, true },

  { "a body above the ceiling", "http", "/sized/200000", { "too_large" }, true },
  { "chunks above the ceiling", "http", "/chunks/200000", { "too_large" }, true },
  { "an endless body", "http", "/endless_body", { "too_large" }, true },
  { "endless headers", "http", "/endless_headers", { "too_large" }, true },
  { "endless interim answers", "http", "/endless_interim", { "too_large", "protocol" }, true },

  { "an expired certificate", "expired", "/ok", { "tls" }, false },
  { "a certificate nobody trusts", "unknown_ca", "/ok", { "tls" }, false },
  { "a certificate of another host", "wrong_host", "/ok", { "tls" }, false },
}

local function contains(list, value)
  for _, each in ipairs(list) do
    if each == value then return true end
  end
  return false
end

--- What is wrong with an outcome, or nil.
-- @tparam table row
-- @tparam ?number status
-- @tparam ?string kind when there is no status
-- @tparam ?boolean sent
function M.problem(row, status, kind, sent)
  local expected, expected_sent = row[4], row[5]
  if type(expected) == "number" then
    if status == expected then return nil end
    return ("%s instead of %d"):format(tostring(status or kind), expected)
  elseif status or not contains(expected, kind) then
    return ("%s instead of %s"):format(tostring(status or kind), table.concat(expected, " or "))
  elseif expected_sent ~= nil and sent ~= expected_sent then
    return ("sent is %s"):format(tostring(sent))
  end
end

--- The requests of a row: one that may be repeated and one that may not.
-- @tparam string url
function M.requests(url)
  assert(url:find("^https?://"), url)
  local repeatable = { method = "GET", url = url, headers = {}, idempotent = true }
  local once = { method = "POST", url = url, headers = {}, body = "{}", idempotent = false }
  for name, value in pairs(M.limits) do repeatable[name], once[name] = value, value end
  return { repeatable, once }
end

return M
