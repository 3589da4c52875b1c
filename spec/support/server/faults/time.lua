-- Faults of time: what never comes, comes late, or comes a byte at a time.

local cqueues = require "cqueues"

local bytes = require "spec.support.server.bytes"

local unpack = rawget(_G, "unpack")

local SIZED = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

-- Where it stops: what has been written by then.
local stalls = {
  start = "", status = "HTTP/1.1 2", head = SIZED, in_head = "HTTP/1.1 200 OK\r\nContent-",
  body = SIZED .. "half of it", chunks = CHUNKED .. bytes.chunk("half of it"),
  trailers = CHUNKED .. bytes.chunk("{}") .. "0\r\n", interim = "HTTP/1.1 100 Continue\r\n\r\n",
  unsized = "HTTP/1.1 200 OK\r\n\r\n{",
}

-- What comes at once, and what comes after it, a byte at a time and again and again.
local drips = {
  status = { "", "HTTP/1.1 200 " }, head = { "HTTP/1.1 200 OK\r\nX-Slow: ", "." },
  headers = { "HTTP/1.1 200 OK\r\n", "X-Slow: 1\r\n" }, extension = { CHUNKED .. "1;", "x" },
  body = { "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", "." },
  chunks = { CHUNKED, "1\r\n.\r\n" }, interim = { "", "HTTP/1.1 103 Early Hints\r\n\r\n" },
}

local function pause(milliseconds)
  cqueues.sleep(tonumber(milliseconds) / 1000)
end

return {
  delay = { 1, function(connection, _, milliseconds)
    pause(milliseconds)
    connection:json(200, { ok = true })
  end },
  stall = { 1, function(connection, _, where)
    connection:write(stalls[where])
    connection:wait()
  end },
  drip = { 2, function(connection, _, where, milliseconds)
    local first, text = unpack(drips[where])
    local at = 0
    connection:write(first)
    repeat
      pause(milliseconds)
      at = at % #text + 1
    until not connection:write(text:sub(at, at))
  end },
  slow = { 1, function(connection, _, milliseconds)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ = 1, 1000 do
      pause(milliseconds)
      if not connection:write(".") then return end
    end
  end },
}
