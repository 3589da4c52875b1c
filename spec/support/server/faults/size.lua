-- Faults of size: bodies and heads that are too large, and gzip that stands for more than it is.

local bytes = require "spec.support.server.bytes"

local MEGABYTE = 1048576
local REPETITION = 2064 -- bytes that a piece of bytes.repetition stands for

local function chunked(connection)
  return connection:write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
end

-- Writes gzip that stands for so many bytes.
local function inflate(connection, coding, total, first, rest)
  connection:write("HTTP/1.1 200 OK\r\nContent-Encoding: ", coding, "\r\n\r\n", first)
  local block = rest:rep(100)
  connection:repeats(block, math.ceil(total / REPETITION / 100))
  connection:close()
end

local function gzipped(body)
  return { 0, function(connection)
    connection:reply(200, { "Content-Encoding: gzip" }, body)
  end }
end

return {
  sized = { 1, function(connection, _, size)
    connection:write(("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"):format(size))
    connection:pad(tonumber(size))
  end },
  chunks = { 1, function(connection, _, size)
    chunked(connection)
    connection:write(("%x\r\n"):format(size))
    connection:pad(tonumber(size))
    connection:write("\r\n0\r\n\r\n")
  end },
  error_page = { 2, function(connection, _, status, size)
    connection:write(("HTTP/1.1 %s No\r\nContent-Type: text/html\r\nContent-Length: %s\r\n\r\n")
      :format(status, size))
    connection:pad(tonumber(size))
  end },
  endless_body = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\n\r\n")
    connection:pad(math.huge)
  end },
  endless_error = { 1, function(connection, _, status)
    connection:write(("HTTP/1.1 %s No\r\n\r\n"):format(status))
    connection:pad(math.huge)
  end },
  length_huge = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n")
    connection:pad(math.huge)
  end },
  huge_header = { 1, function(connection, _, kilobytes)
    connection:write("HTTP/1.1 200 OK\r\nX-Huge: ")
    connection:pad(tonumber(kilobytes) * 1024)
    connection:write("\r\nContent-Length: 2\r\n\r\n{}")
  end },
  many_headers = { 1, function(connection, _, count)
    local headers = {}
    for i = 1, tonumber(count) do headers[i] = "X-Many: " .. i end
    connection:reply(200, headers, "{}")
  end },
  gzip = gzipped(bytes.gzip('{"packed":true}')),
  gzip_corrupt = gzipped(bytes.GZIP_HEAD .. ("\7"):rep(50)),
  gzip_truncated = gzipped(bytes.gzip(("{}"):rep(50)):sub(1, 40)),
  gzip_wrong_sum = gzipped(bytes.gzip('{"packed":true}'):sub(1, -9) .. "\1\2\3\4\15\0\0\0"),
  gzip_nothing = gzipped(""),
  gzip_plain = gzipped('{"packed":false}'),
  gzip_trailing = gzipped(bytes.gzip('{"packed":true}') .. '{"forged":true}'),
  gzip_twice = { 0, function(connection)
    connection:reply(200, { "Content-Encoding: gzip, gzip" },
      bytes.gzip(bytes.gzip('{"packed":true}')))
  end },
  gzip_layers = { 1, function(connection, _, count)
    connection:reply(200, { "Content-Encoding: " .. ("gzip, "):rep(tonumber(count) - 1) .. "gzip" },
      bytes.gzip('{"packed":true}'))
  end },
  gzip_bomb = { 1, function(connection, _, megabytes)
    inflate(connection, "gzip", tonumber(megabytes) * MEGABYTE, bytes.repetition("\0", 1))
  end },
  -- The pieces of the bomb above are 13 bytes long, so they can be packed once more.
  gzip_bomb_twice = { 1, function(connection, _, megabytes)
    local first, rest = bytes.repetition("\0", 1)
    local packed = tonumber(megabytes) * MEGABYTE / REPETITION * #rest
    inflate(connection, "gzip, gzip", packed, bytes.repetition(first .. rest, #rest))
  end },
  coding_unknown = { 0, function(connection)
    connection:reply(200, { "Content-Encoding: homemade" }, "{}")
  end },
}
