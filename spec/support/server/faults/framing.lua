-- Faults of framing: where an answer ends, and what is behind it.

local bytes = require "spec.support.server.bytes"
local connections = require "spec.support.server.connection"

local unpack = rawget(_G, "unpack")
local chunk = bytes.chunk

local FORGED = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
  .. '{"forged":true}'

-- How an answer and the forged one behind it are written. What arrives after the client has written
-- its next request cannot be told from an answer to that: "late" waits until it is released.
local forgers = {
  together = function(connection, head, body) connection:write(head, body, FORGED) end,
  split = function(connection, head, body)
    connection:write(head)
    connection:write(body, FORGED)
  end,
  late = function(connection, head, body)
    connection:write(head, body)
    connections.hold(function() connection:write(FORGED) end)
  end,
}

local BODY = '{"ok":true}' -- 11 bytes
local OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
local CHUNKED = OK .. "Transfer-Encoding: chunked\r\n\r\n"

local function sized(lines) return OK .. lines .. "\r\n\r\n" .. BODY end
local function coded(coding) return OK .. "Transfer-Encoding: " .. coding .. "\r\n\r\n" end
local function chunked(text) return CHUNKED .. text end

-- Answers whose end is in doubt, by name. The connection stays open: a client that believes another
-- length waits for ever.
local framed = {
  length_word = sized("Content-Length: eleven"),
  length_plus = sized("Content-Length: +11"),
  length_hex = sized("Content-Length: 0xb"),
  length_fraction = sized("Content-Length: 11.0"),
  length_nothing = sized("Content-Length:"),
  length_gap = sized("Content-Length: 1 1"),
  length_unit = sized("Content-Length: 11b"),
  length_2_64 = sized("Content-Length: 18446744073709551627"), -- 2^64 + 11
  length_folded = sized("Content-Length:\r\n 11"),
  length_zeros = sized("Content-Length: 0011"),
  length_twice = sized("Content-Length: 11\r\nContent-Length: 11"),
  length_list = sized("Content-Length: 11, 11"),
  length_list_differs = sized("Content-Length: 11, 3"),
  lengths_apart = sized("Content-Length: 11\r\nX-Between: 1\r\ncontent-length: 3"),
  length_and_chunks = OK .. "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. chunk(BODY) .. chunk(""),
  coding_homemade = coded("homemade") .. BODY,
  coding_twice = coded("chunked, chunked") .. chunk(BODY) .. chunk(""),
  coding_gzip = coded("gzip, chunked") .. chunk(BODY) .. chunk(""),
  coding_identity = OK .. "Transfer-Encoding: identity\r\nContent-Length: 11\r\n\r\n" .. BODY,
  coding_old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" .. chunk(BODY) .. chunk(""),
  chunk_word = chunked("eleven\r\n" .. BODY .. "\r\n0\r\n\r\n"),
  chunk_negative = chunked("-b\r\n" .. BODY .. "\r\n0\r\n\r\n"),
  chunk_prefix = chunked("0xb\r\n" .. BODY .. "\r\n0\r\n\r\n"),
  chunk_overflow = chunked("1000000000000000b\r\n" .. BODY .. "\r\n0\r\n\r\n"),
  chunk_huge = chunked("7fffffffffffffff\r\n" .. BODY),
  chunk_longer = chunked("3\r\n" .. BODY .. "\r\n0\r\n\r\n"),
  chunk_unended = chunked("b\r\n" .. BODY .. "0\r\n\r\n"),
  chunk_no_size = chunked("\r\n" .. BODY .. "\r\n0\r\n\r\n"),
  chunk_extension = chunked('b;name="value"\r\n' .. BODY .. "\r\n0\r\n\r\n"),
  chunk_trailers = chunked(chunk(BODY) .. "0\r\nContent-Length: 3\r\nX-Trailer: 1\r\n\r\n"),
  body_with_204 = "HTTP/1.1 204 No Content\r\nContent-Length: 11\r\n\r\n" .. BODY,
}

-- Answers without an end, by name: what comes first, and what comes for ever.
local endless = {
  status = { "HTTP/1.1 200 ", "x" },
  blank_lines = { "", "\r\n" },
  interim = { "", "HTTP/1.1 103 Early Hints\r\n\r\n" },
  header = { "HTTP/1.1 200 OK\r\nX-Endless: ", "x" },
  name = { "HTTP/1.1 200 OK\r\n", "x" },
  fold = { "HTTP/1.1 200 OK\r\nX-Endless: 1\r\n", " x\r\n" },
  headers = { "HTTP/1.1 200 OK\r\n", "X-Endless: yes\r\n" },
  chunk_size = { CHUNKED, "0" },
  chunk_extension = { CHUNKED .. "1;", "x" },
  chunks = { CHUNKED, "1\r\nx\r\n" },
  trailers = { CHUNKED .. chunk("{}") .. "0\r\n", "X-Endless: yes\r\n" },
}

local function closing(text)
  return { 0, function(connection)
    connection:write(text)
    connection:close()
  end }
end

local function without_end(name)
  local first, again = unpack(endless[name])
  return function(connection)
    connection:write(first)
    connection:repeats(again:rep(2048))
  end
end

return {
  forged = { 2, function(connection, request, how, kind)
    local id = request.target:match("[^/]*$")
    local answers = {
      length = { ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(#id), id },
      chunked = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        chunk(id) .. chunk("") },
      empty = { "HTTP/1.1 204 No Content\r\n", "\r\n" },
    }
    forgers[how](connection, unpack(answers[kind]))
  end },
  -- The same, with an object for an answer: { "ok": true }, then { "forged": true }.
  surplus = { 2, function(connection, _, how, kind)
    local answers = {
      length = { OK .. "Content-Length: 11\r\n\r\n", BODY },
      chunked = { CHUNKED, chunk(BODY) .. chunk("") },
    }
    forgers[how](connection, unpack(answers[kind]))
  end },
  framed = { 1, function(connection, _, name) connection:write(framed[name]) end },
  endless = { 1, function(connection, _, name) without_end(name)(connection) end },
  endless_interim = { 0, without_end("interim") },
  endless_headers = { 0, without_end("headers") },
  endless_trailers = { 0, without_end("trailers") },
  bad_chunk = closing(CHUNKED .. "no size\r\nx\r\n"),
  length_negative = closing("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nwhat"),
  lengths_differ = closing(
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nwhat??"),
}
