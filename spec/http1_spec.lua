-- HTTP/1.1 as bytes: every row is read whole, byte by byte and in two parts, with the same outcome.

local requests = require "usher.transport.http1_request"
local responses = require "usher.transport.http1_response"

local LIMIT = 1000 -- bytes of a body

-- A function that returns the pieces, then `reason`.
local function from_pieces(pieces, reason)
  local index = 0
  return function()
    index = index + 1
    if pieces[index] then return pieces[index] end
    return nil, reason
  end
end

local function bytewise(text)
  local pieces = {}
  for i = 1, #text do pieces[i] = text:sub(i, i) end
  return pieces
end

local function in_two(text)
  local middle = math.floor(#text / 2)
  if middle == 0 then return { text } end
  return { text:sub(1, middle), text:sub(middle + 1) }
end

-- Calls check(response, kind, message, reader) for each way the bytes may arrive.
local function read_each_way(text, options, check)
  for _, pieces in ipairs({ { text }, bytewise(text), in_two(text) }) do
    if text == "" then pieces = {} end
    local reader = responses.reader(from_pieces(pieces, options.reason or "closed"))
    local response, kind, message = reader:response(options.method or "GET", LIMIT)
    check(response, kind, message, reader)
  end
end

local function lines(...)
  return table.concat({ ... }, "\r\n")
end

local OK = "HTTP/1.1 200 OK"
local CHUNKED = OK .. "\r\nTransfer-Encoding: chunked\r\n\r\n"

-- name, bytes, what is expected of the response, method
local ANSWERS = {
  { "a body of a known length", lines(OK, "Content-Length: 5", "", "hello"),
    { status = 200, body = "hello", reusable = true } },
  { "an empty body", lines(OK, "Content-Length: 0", "", ""), { body = "", reusable = true } },
  { "a status line without a reason", lines("HTTP/1.1 404", "Content-Length: 0", "", ""),
    { status = 404, body = "" } },
  { "a status line with an empty reason", lines("HTTP/1.1 404 ", "Content-Length: 0", "", ""),
    { status = 404, body = "" } },
  { "lines that end in LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    { body = "ok", reusable = true } },
  { "a body until the end of the connection", lines(OK, "", "all of it"),
    { body = "all of it", reusable = false } },
  { "a body of 204, which has none", lines("HTTP/1.1 204 No Content", "", ""),
    { status = 204, body = "", reusable = true } },
  { "304 with the length of what it stands for",
    lines("HTTP/1.1 304 Not Modified", "Content-Length: 500", "", ""),
    { status = 304, body = "", reusable = true } },
  { "204 with a length, after which nothing is sure",
    lines("HTTP/1.1 204 No Content", "Content-Length: 5", "", ""),
    { status = 204, body = "", reusable = false } },
  { "204 with chunks, after which nothing is sure",
    lines("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked", "", ""),
    { status = 204, body = "", reusable = false } },
  { "an answer to HEAD", lines(OK, "Content-Length: 500", "", ""),
    { body = "", reusable = true }, "HEAD" },
  { "an answer to CONNECT", lines(OK, "", ""), { body = "", reusable = true }, "CONNECT" },
  { "a refusal of CONNECT", lines("HTTP/1.1 407 Who", "Content-Length: 2", "", "no"),
    { status = 407, body = "no" }, "CONNECT" },
  { "chunks", CHUNKED .. "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    { body = "hello world", reusable = true } },
  { "chunk sizes in either case, with zeros and extensions",
    CHUNKED .. "00a ; name=\"value\"\r\n0123456789\r\nA;x\r\n0123456789\r\n000\r\n\r\n",
    { body = "01234567890123456789", reusable = true } },
  { "trailers, and drops them",
    CHUNKED .. "2\r\nok\r\n0\r\nX-Checksum: 1\r\nContent-Length: 9\r\n\r\n",
    { body = "ok", reusable = true, absent = "x-checksum" } },
  { "interim answers", lines("HTTP/1.1 100 Continue", "X-Interim: 1", "", "HTTP/1.1 103 Hints", "",
    OK, "Content-Length: 2", "", "ok"), { body = "ok", reusable = true, absent = "x-interim" } },
  { "a length that is repeated and the same", lines(OK, "Content-Length: 2", "content-length: 2, 2",
    "", "ok"), { body = "ok", reusable = true } },
  { "a length with zeros in front", lines(OK, "Content-Length: 0002", "", "ok"),
    { body = "ok", reusable = true } },
  { "Connection: close", lines(OK, "Connection: Keep-Alive, Close", "Content-Length: 2", "", "ok"),
    { body = "ok", reusable = false } },
  { "HTTP/1.0", lines("HTTP/1.0 200 OK", "Content-Length: 2", "", "ok"),
    { body = "ok", reusable = false } },
  { "HTTP/1.0 that stays open",
    lines("HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 2", "", "ok"),
    { body = "ok", reusable = true } },
  { "a later minor version", lines("HTTP/1.2 200 OK", "Content-Length: 2", "", "ok"),
    { body = "ok", reusable = true } },
  { "repeated headers, joined", lines(OK, "X-Twice: one", "x-twice:  two ", "Content-Length: 0", "",
    ""), { headers = { ["x-twice"] = "one, two" } } },
  { "empty headers and odd names", lines(OK, "X-Empty:", "X!#$%&'*+-.^_`|~9: odd",
    "Content-Length: 0", "", ""),
    { headers = { ["x-empty"] = "", ["x!#$%&'*+-.^_`|~9"] = "odd" } } },
  { "colons and bytes above ASCII in values", lines(OK, "X-Url: http://a:1/\195\169",
    "Content-Length: 0", "", ""), { headers = { ["x-url"] = "http://a:1/\195\169" } } },
  { "a folded line as a part of the one before", lines(OK, "X-Long: one", "\t two ", " ", "  three",
    "Content-Length: 0", "", ""), { headers = { ["x-long"] = "one two three" }, reusable = true } },
  { "a folded line that continues nothing", lines(OK, " Content-Length: 50", "  more",
    "Content-Length: 2", "", "ok"), { body = "ok", reusable = true, absent = " content-length" } },
  { "the identity coding", lines(OK, "Content-Encoding: Identity", "Content-Length: 2", "", "ok"),
    { body = "ok", reusable = true } },
}

describe("the HTTP/1.1 reader", function()
  for _, row in ipairs(ANSWERS) do
    local name, text, expected, method = row[1], row[2], row[3], row[4]
    it("reads " .. name, function()
      read_each_way(text, { method = method }, function(response, kind, message)
        assert.is_truthy(response, tostring(kind) .. ": " .. tostring(message))
        for field, value in pairs(expected) do
          if field == "headers" then
            for header, text_expected in pairs(value) do
              assert.equal(text_expected, response.headers[header])
            end
          elseif field == "absent" then
            assert.is_nil(response.headers[value])
          else
            assert.equal(value, response[field], field)
          end
        end
      end)
    end)
  end

  it("leaves what follows an answer, and does not let the connection be used again", function()
    local text = lines(OK, "Content-Length: 2", "", "ok") .. "HTTP/1.1 200 Forged\r\n\r\n"
    local reader = responses.reader(from_pieces({ text }, "closed"))
    local response = reader:response("GET", LIMIT)
    assert.equal("ok", response.body)
    assert.is_false(response.reusable)
    assert.is_false(reader:is_drained())
  end)

  it("reads one answer after another from one connection", function()
    local text = lines(OK, "Content-Length: 1", "", "a") .. CHUNKED .. "1\r\nb\r\n0\r\n\r\n"
    local reader = responses.reader(from_pieces(bytewise(text), "closed"))
    assert.equal("a", reader:response("GET", LIMIT).body)
    assert.equal("b", reader:response("GET", LIMIT).body)
    assert.is_true(reader:is_drained())
  end)
end)

-- name, bytes, words in the message, kind ("protocol"), how the bytes end ("closed")
local REFUSED = {
  { "what is not HTTP", "<html>no head at all</html>", "not HTTP" },
  { "what is not HTTP and does not end", "SSH-2.0-OpenSSH", "not HTTP", "protocol", "timeout" },
  { "HTTP/0.9 and 2", "HTTP/2 200\r\n\r\n", "status line" },
  { "a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "status line" },
  { "a status of letters", "HTTP/1.1 abc OK\r\n\r\n", "status line" },
  { "a status below 100", "HTTP/1.1 042 OK\r\n\r\n", "final status" },
  { "a change of protocol", "HTTP/1.1 101 Switching\r\n\r\n", "final status" },
  { "a header without a colon", lines(OK, "nothing", "", ""), "no header" },
  { "a header without a name", lines(OK, ": value", "", ""), "no header" },
  { "a blank before the colon", lines(OK, "Content-Length : 5", "", "hello"), "no header" },
  { "NUL in a header", lines(OK, "X-Nul: a\0b", "Content-Length: 0", "", ""), "NUL" },
  { "NUL in the name of a header", lines(OK, "X\0Nul: a", "Content-Length: 0", "", ""), "NUL" },
  { "a lone CR in a header", lines(OK, "X-Cr: a\rContent-Length: 5", "", "hello"), "carriage" },
  { "a lone CR in the status line", "HTTP/1.1 200 OK\rX: y\r\n\r\n", "carriage" },
  { "lengths that differ", lines(OK, "Content-Length: 5", "Content-Length: 6", "", "what??"),
    "more than one" },
  { "lengths that differ in one field", lines(OK, "Content-Length: 5, 6", "", "what??"),
    "more than one" },
  { "a negative length", lines(OK, "Content-Length: -5", "", "hello"), "no number" },
  { "a length with a sign", lines(OK, "Content-Length: +5", "", "hello"), "no number" },
  { "a length in hexadecimal", lines(OK, "Content-Length: 0x5", "", "hello"), "no number" },
  { "a length with a fraction", lines(OK, "Content-Length: 5.0", "", "hello"), "no number" },
  { "an empty length", lines(OK, "Content-Length:", "", "hello"), "no number" },
  { "an empty length beside another", lines(OK, "Content-Length: 5,", "", "hello"), "no number" },
  { "a folded length", lines(OK, "Content-Length: 1", " 0", "", "0123456789"), "no number" },
  { "a length beside chunks",
    lines(OK, "Content-Length: 5", "Transfer-Encoding: chunked", "", "0", "", ""), "both" },
  { "an unknown transfer coding", lines(OK, "Transfer-Encoding: gzip, chunked", "", ""),
    "not asked for" },
  { "two transfer codings",
    lines(OK, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "", ""),
    "not asked for" },
  { "chunks in HTTP/1.0", lines("HTTP/1.0 200 OK", "Transfer-Encoding: chunked", "", "0", "", ""),
    "not asked for" },
  { "a content coding nobody asked for",
    lines(OK, "Content-Encoding: gzip", "Content-Length: 2", "", "\31\139"), "Content-Encoding" },
  { "a chunk without a size", CHUNKED .. "\r\nhello\r\n", "chunk" },
  { "a chunk size that is no number", CHUNKED .. "no size\r\nhello\r\n", "chunk" },
  { "a chunk size with a sign", CHUNKED .. "-5\r\nhello\r\n", "chunk" },
  { "a chunk size with a prefix", CHUNKED .. "0x5\r\nhello\r\n", "chunk" },
  { "a chunk size that ends in LF alone", CHUNKED .. "5\nhello\r\n0\r\n\r\n", "chunk" },
  { "a CR in a chunk extension", CHUNKED .. "5;a\rb\r\nhello\r\n0\r\n\r\n", "chunk" },
  { "a chunk that is longer than it says", CHUNKED .. "4\r\nhello\r\n0\r\n\r\n", "chunk" },
  { "an endless chunk extension", CHUNKED .. "5;" .. ("x"):rep(5000) .. "\r\nhello\r\n", "chunk" },
  { "a malformed trailer", CHUNKED .. "0\r\nnothing\r\n\r\n", "no header" },

  { "a length beyond the ceiling", lines(OK, "Content-Length: 1001", "", ""), "max_response_size",
    "too_large" },
  { "a length beyond all numbers", lines(OK, "Content-Length: " .. ("9"):rep(400), "", ""),
    "max_response_size", "too_large" },
  { "a body beyond the ceiling", lines(OK, "", ("x"):rep(1001)), "max_response_size", "too_large",
    "timeout" },
  { "chunks beyond the ceiling", CHUNKED .. ("1f4\r\n" .. ("x"):rep(500) .. "\r\n"):rep(3),
    "max_response_size", "too_large" },
  { "a chunk size beyond all numbers", CHUNKED .. ("f"):rep(400) .. "\r\n", "max_response_size",
    "too_large" },
  { "a chunk size that would wrap around", CHUNKED .. "10000000000000002\r\nok\r\n",
    "max_response_size", "too_large" },
  { "a long header", lines(OK, "X-Long: " .. ("x"):rep(262144), "", ""), "headers are too large",
    "too_large", "timeout" },
  { "a header line without end", OK .. "\r\nX-Long: " .. ("x"):rep(262144),
    "headers are too large", "too_large", "timeout" },
  { "too many headers", OK .. "\r\n" .. ("X: y\r\n"):rep(1000), "headers are too large",
    "too_large", "timeout" },
  { "endless interim answers", ("HTTP/1.1 103 Hints\r\n\r\n"):rep(501), "headers are too large",
    "too_large", "timeout" },
  { "endless trailers", CHUNKED .. "0\r\n" .. ("X: y\r\n"):rep(1000), "headers are too large",
    "too_large", "timeout" },

  { "a connection closed before the answer", "", "closed in the response headers", "network" },
  { "a connection closed in the head", "HTTP/1.1 200 OK\r\nContent-Le",
    "closed in the response headers", "network" },
  { "a connection closed in the first word", "HTT", "closed in the response headers", "network" },
  { "a connection closed in the body", lines(OK, "Content-Length: 1000", "", "ten bytes."),
    "closed in the response body", "network" },
  { "a connection closed in a chunk", CHUNKED .. "a\r\nten", "closed in the response body",
    "network" },
  { "a connection closed between chunks", CHUNKED .. "a\r\nten bytes.\r\n",
    "closed in the response body", "network" },
  { "a connection closed in the trailers", CHUNKED .. "0\r\n", "closed in the trailers",
    "network" },
  { "silence before the answer", "", "timed out in the response headers", "timeout", "timeout" },
  { "silence in the head", "HTTP/1.1 200", "timed out in the response headers", "timeout",
    "timeout" },
  { "silence in the body", lines(OK, "Content-Length: 9", "", "half"),
    "timed out in the response body", "timeout", "timeout" },
  { "silence in a body without a length", lines(OK, "", "half"), "timed out in the response body",
    "timeout", "timeout" },
  { "a reset", "HTTP/1.1 200", "connection reset by peer", "network", "connection reset by peer" },
  { "a reset in a body without a length", lines(OK, "", "half"), "connection reset by peer",
    "network", "connection reset by peer" },
}

describe("the HTTP/1.1 reader", function()
  for _, row in ipairs(REFUSED) do
    local name, text, words, expected, reason = row[1], row[2], row[3], row[4], row[5]
    it("refuses " .. name, function()
      read_each_way(text, { reason = reason }, function(response, kind, message)
        assert.is_nil(response)
        assert.equal(expected or "protocol", kind)
        assert.is_truthy(message:find(words, 1, true), message)
      end)
    end)
  end

  it("reads a body of exactly the ceiling", function()
    local body = ("x"):rep(LIMIT)
    for _, text in ipairs({
      lines(OK, "Content-Length: 1000", "", body), lines(OK, "", body),
      CHUNKED .. "3e8\r\n" .. body .. "\r\n0\r\n\r\n",
    }) do
      read_each_way(text, {}, function(response) assert.equal(body, response.body) end)
    end
  end)

  it("keeps a body that comes in single bytes as bytes, not as strings", function()
    local count, sent, kilobytes = 200000, 0, nil
    local reader = responses.reader(function()
      sent = sent + 1
      if sent == 1 then return CHUNKED end
      if sent <= count + 1 then return "1\r\nx\r\n" end
      collectgarbage()
      kilobytes = collectgarbage("count")
      return "0\r\n\r\n"
    end)
    collectgarbage()
    local before = collectgarbage("count")
    assert.equal(count, #reader:response("GET", count).body)
    assert.is_true(kilobytes - before < 3 * count / 1024, kilobytes - before)
  end)

  it("takes time in proportion to a header of blanks", function()
    local text = lines(OK, "X: a" .. (" "):rep(250000) .. "b", "Content-Length: 0", "", "")
    local started = os.clock()
    local response = responses.reader(from_pieces({ text }, "closed")):response("GET", LIMIT)
    assert.equal(250002, #response.headers.x)
    assert.is_true(os.clock() - started < 1)
  end)
end)

describe("the HTTP/1.1 writer", function()
  local function request(fields)
    return { method = fields.method or "GET", headers = fields.headers or {}, body = fields.body }
  end

  it("writes the same bytes every time, headers sorted", function()
    local headers = { ["X-B"] = "2", ["X-A"] = "1", Accept = "application/json" }
    assert.equal("GET /a?b=c HTTP/1.1\r\nHost: example.com:8443\r\nAccept: application/json\r\n"
      .. "X-A: 1\r\nX-B: 2\r\nAccept-Encoding: identity\r\n\r\n",
      requests.head(request{ headers = headers }, "/a?b=c", "example.com:8443"))
  end)

  it("says how long a body is, also where it is empty", function()
    local function length_of(fields)
      local head = assert(requests.head(request(fields), "/", "a"))
      return head:lower():match("\r\ncontent%-length: ([^\r]*)\r\n")
    end
    assert.equal("5", length_of{ method = "POST", body = "hello" })
    assert.equal("0", length_of{ method = "POST" })
    assert.equal("0", length_of{ method = "PUT", body = "" })
    assert.equal("2", length_of{ method = "DELETE", body = "{}" })
    assert.is_nil(length_of{ method = "DELETE" })
    assert.is_nil(length_of{ method = "GET" })
    assert.equal("5", length_of{ method = "POST", body = "hello",
      headers = { ["content-length"] = "5" } })
  end)

  -- what, headers, words in the problem
  for _, row in ipairs({
    { "a line break in a value", { ["X-A"] = "1\r\nX-B: 2" }, "line break" },
    { "a lone LF in a value", { ["X-A"] = "1\nX-B: 2" }, "line break" },
    { "a lone CR in a value", { ["X-A"] = "1\rX-B: 2" }, "line break" },
    { "NUL in a value", { ["X-A"] = "1\0" }, "line break" },
    { "a line break in a name", { ["X-A: 1\r\nX-B"] = "2" }, "no name may" },
    { "an empty name", { [""] = "2" }, "no name may" },
    { "a name with a colon", { ["X:A"] = "2" }, "no name may" },
    { "a value that is no string", { ["X-A"] = 1 }, "strings" },
    { "another Host", { host = "evil.example" }, "for the transport" },
    { "a Transfer-Encoding", { ["Transfer-Encoding"] = "chunked" }, "for the transport" },
    { "a wrong Content-Length", { ["Content-Length"] = "7" }, "not the length" },
  }) do
    it("refuses " .. row[1], function()
      local head, problem = requests.head(request{ method = "POST", headers = row[2] }, "/", "a")
      assert.is_nil(head)
      assert.is_truthy(problem:find(row[3], 1, true), problem)
    end)
  end

  it("refuses what would end the first line or the host early", function()
    for _, bad in ipairs({ "/a b", "/a\r\nX: y", "/a\0", "/a\127" }) do
      assert.is_nil((requests.head(request{}, bad, "a")))
    end
    for _, bad in ipairs({ "a b", "a\r\nX: y", "a/b" }) do
      assert.is_nil((requests.head(request{}, "/", bad)))
    end
    for _, bad in ipairs({ "", "get", "GET ", "GET /\r\n" }) do
      assert.is_nil((requests.head(request{ method = bad }, "/", "a")))
    end
  end)
end)

describe("the URL reader", function()
  local function origin(url)
    local found = requests.origin(url)
    if not found then return nil end
    return ("%s %s %d %s %s"):format(found.scheme, found.host, found.port, found.authority,
      found.target)
  end

  it("takes URLs apart", function()
    assert.equal("https a.example 443 a.example /", origin("https://a.example"))
    assert.equal("https a.example 443 a.example /b?c=/d", origin("HTTPS://a.example:443/b?c=/d"))
    assert.equal("http 127.0.0.1 8080 127.0.0.1:8080 /", origin("http://127.0.0.1:8080/"))
    assert.equal("http [::1] 80 [::1] /", origin("http://[::1]"))
    assert.equal("https [::1] 81 [::1]:81 /a", origin("https://[::1]:81/a"))
  end)

  it("refuses what is more or less than that", function()
    for _, url in ipairs({ "", "a.example", "ftp://a.example", "http://", "http:///a",
      "http://a.example?b", "http://a.example/#c", "http://user@a.example/", "http://a:b@c/",
      "http://[::1", "http://::1/", "http://a:8x/", "https:/a.example" }) do
      assert.is_nil(origin(url), url)
    end
  end)
end)
