-- What a server or a script may say that is not as it should be: seeds of the fuzz targets. Data
-- only; seeds.lua puts it into the form of each target.

local M = {}

local OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
local BODY = '{"ok":true}' -- 11 bytes
local CHUNKED = OK .. "Transfer-Encoding: chunked\r\n\r\n"

local function sized(lines) return OK .. lines .. "\r\n\r\n" .. BODY end

-- gzip of '{"ok":true}', and of nothing.
local GZIP = "\31\139\8\0\0\0\0\0\2\3"
  .. "\171\86\202\207\86\178\42\41\42\77\173\5\0\144\95\212\167\11\0\0\0"
local GZIP_EMPTY = "\31\139\8\0\0\0\0\0\2\3\3\0\0\0\0\0\0\0\0\0"

local function gzip(data)
  return OK .. "Content-Encoding: gzip\r\nContent-Length: " .. #data .. "\r\n\r\n" .. data
end

--- Whole answers, as bytes.
M.answers = {
  "",
  "\r\n",
  "H",
  "HTTP/1.1",
  "HTTP/1.1 200",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 204 No Content\r\n\r\n",
  "HTTP/1.1 204 No Content\r\nContent-Length: 11\r\n\r\n" .. BODY,
  "HTTP/1.1 200 OK\n\n" .. BODY,
  "HTTP/1.0 200 OK\r\n\r\n" .. BODY,
  "HTTP/2 200\r\n\r\n" .. BODY,
  "HTTP/0.9 200 OK\r\n\r\n" .. BODY,
  "HTTP/9.9 200 OK\r\n\r\n" .. BODY,
  "ICY 200 OK\r\n\r\n" .. BODY,
  BODY,
  "<html>502</html>",
  "\0\0\18\4\0\0\0\0\0\0\3\0\0\0\100\0\4\0\16\0\0\0\6\0\0\64\0", -- HTTP/2 SETTINGS
  "\21\3\1\0\2\2\40", -- a TLS alert
  sized "Content-Length: 11",
  sized "Content-Length: 12",
  sized "Content-Length: 3",
  sized "Content-Length: -1",
  sized "Content-Length: eleven",
  sized "Content-Length: 18446744073709551627",
  sized "Content-Length: 11\r\nContent-Length: 11",
  sized "Content-Length: 11\r\nContent-Length: 3",
  sized "Content-Length: 11, 3",
  sized "Content-Length:\r\n 11",
  sized " folded first: 1\r\nContent-Length: 11",
  sized "X: 1\r\n folded\r\n\tagain\r\nContent-Length: 11",
  sized ": nameless\r\nContent-Length: 11",
  sized "no colon\r\nContent-Length: 11",
  sized "X-Nul: a\0b\r\nContent-Length: 11",
  sized "Set-Cookie: a=b\r\nContent-Length: 11",
  sized "Connection: close\r\nContent-Length: 11",
  sized("X-Long: " .. ("x"):rep(2000) .. "\r\nContent-Length: 11"),
  sized(("X: 1\r\n"):rep(300) .. "Content-Length: 11"),
  sized "Content-Length: 11" .. sized "Content-Length: 11", -- a forged second answer
  CHUNKED .. "b\r\n" .. BODY .. "\r\n0\r\n\r\n",
  CHUNKED .. "b\r\n" .. BODY .. "\r\n0\r\nX-Trailer: 1\r\n\r\n",
  CHUNKED .. 'b;name="value"\r\n' .. BODY .. "\r\n0\r\n\r\n",
  CHUNKED .. "-b\r\n" .. BODY .. "\r\n0\r\n\r\n",
  CHUNKED .. "7fffffffffffffff\r\n" .. BODY,
  CHUNKED .. "1000000000000000b\r\n" .. BODY .. "\r\n0\r\n\r\n",
  CHUNKED .. "b\r\n" .. BODY .. "0\r\n\r\n",
  CHUNKED .. "\r\n" .. BODY .. "\r\n0\r\n\r\n",
  OK .. "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n" .. BODY .. "\r\n0\r\n\r\n",
  OK .. "Transfer-Encoding: gzip, chunked\r\n\r\nb\r\n" .. BODY .. "\r\n0\r\n\r\n",
  gzip(GZIP),
  gzip(GZIP:sub(1, 20)),
  gzip(GZIP_EMPTY),
  gzip(GZIP .. GZIP),
  gzip(BODY),
  OK .. "Content-Encoding: deflate\r\nContent-Length: 11\r\n\r\n" .. BODY,
  OK .. "Content-Encoding: br, gzip, gzip\r\nContent-Length: 11\r\n\r\n" .. BODY,
  "HTTP/1.1 100 Continue\r\n\r\n" .. sized "Content-Length: 11",
  "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" .. sized "Content-Length: 11",
  ("HTTP/1.1 102 Processing\r\n\r\n"):rep(40) .. sized "Content-Length: 11",
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
  "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 20 OK\r\n\r\n",
  "HTTP/1.1 2000 OK\r\n\r\n",
  "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 307 Again\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
  'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n',
  "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 403 No\r\nContent-Length: 11\r\n\r\n" .. BODY,
  "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 503 Later\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 500 Oops\r\nContent-Length: 30\r\n\r\n" .. '{"error":"s3cret/key\\"one"}' .. "   ",
  'HTTP/1.1 400 No\r\nConnection: close\r\n\r\n{"error":{"description":"s3cret-tok\\u0065n.2"}}',
  "HTTP/1.1 400 No\r\nConnection: close\r\n\r\n<p>s3cret&#x2b;refresh%203</p>",
  OK .. 'Connection: close\r\n\r\n{"success":false,"errorCode":7,"msg":"s3cret-token.2"}',
  OK .. 'Connection: close\r\n\r\n{"result_cd":401,"result_msg":"s3cret\\/key\\u0022one"}',
  OK .. 'Connection: close\r\n\r\n{"status":400,"error":{"detailed_messages":["no","way"]}}',
  OK .. 'Connection: close\r\n\r\n{"data":{"X-AUTH-TOKEN":"a.eyJleHAiOjF9.c"},"result_cd":1}',
  OK .. 'Connection: close\r\n\r\n{"data":{"X-AUTH-TOKEN":"a\\r\\nX-Forged: 1"},"result_cd":1}',
  OK .. 'Connection: close\r\n\r\n{"result":{"token":{"accessToken":"a","refreshToken":[]}}}',
  OK .. "Connection: close\r\n\r\n" .. ("["):rep(100),
  OK .. "Connection: close\r\n\r\n{" .. ('"a":{'):rep(70) .. ("}"):rep(71),
  OK .. "Connection: close\r\n\r\n{}\0{}",
  OK .. "Connection: close\r\n\r\n\239\187\191{}",
  OK .. "Connection: close\r\n\r\n{\0\"\0a\0\"\0:\0001\0}\0",
  OK .. 'Connection: close\r\n\r\n{"a":1e999,"b":123456789012345678901234567890}',
  OK .. 'Connection: close\r\n\r\n{"\\ud83d":"\\ude00\255"}',
}

--- Values of Retry-After.
M.retry_after = {
  "", "0", "7", "  120 ", "0.5", "1.", ".5", "-1", "1e9", "0x10", "99999999999999999999", "soon",
  ("9"):rep(5000), "1, 2", "\t3\t",
  "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  "Fri, 31 Dec 2049 23:59:60 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
  "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
  "Sun, 06 Nov 9999 99:99:99 GMT", "Sun, -6 Nov 1994 -8:49:37 GMT", ", 06 Nov 1994 08:49:37",
  "Sun Nov", "Sun, 06-Nov-94", "Sun Nov  6 08:49:37 1994 and more",
}

--- Base URLs that would send a request, or a credential, elsewhere than it seems.
M.base_urls = {
  "https://api.example", "https://api.example/a/b//", "http://localhost:80", "http://127.0.0.1:1/",
  "http://127.255.255.254", "http://[::1]:8080/x", "https://[2001:db8::1]", "https://1.2.3.4",
  "http://127.0.0.1.example", "http://127.1", "http://0", "http://2130706433", "http://0x7f.1",
  "http://127.0.0.256", "http://127.0.0.01", "http://127...", "http://localhost.",
  "http://LOCALHOST",
  "https://user@host", "https://user:password@host", "https://host\\@other", "https://host/@other",
  "https://host:0", "https://host:65536", "https://host:", "https://host:80:80", "https://host:+80",
  "https://ho st", "https://host\t", "https://host\r\nX: 1", "https://host\0",
  "https://h\195\182st",
  "https://host?a", "https://host#a", "https:///host", "https://", "http:/host", "ftp://host", "",
  "HTTPS://host", "https://[::1", "https://[]", "https://[1]", "https://[::1]x", "https://%68ost",
  "https://host/%zz/../\\",
}

--- Texts in which a secret may hide, or that only look like one.
M.secret_texts = {
  "no secret", "s3cret", 'a\\"b\\/c', "%73%33cret", "100%s3cret", "C:\\\\s3cret", "&#115;3cret",
  "s3cre", "s3cr\\u00", "s3cret%2", "\\\\\\\\\\", "%25%32%35", "&amp;amp;", "\\ud83d\\ude00",
  "\255\254",
}

--- Payloads of JWTs.
M.payloads = {
  "", "{}", '{"exp":1700000000}', '{ "iat" : 1 ,\n"exp" : 2 }', '{"a":{"exp":9},"exp":3.5}',
  '{"a":["exp",9],"exp":0}', '{"s":"\\"exp\\":9","exp":4}', '{"exp":"1"}', '{"exp":-1}', '{"exp":',
  '{"exp"', '{"exp', '["exp",1]', '"exp":1', '{"exp":1e99}', '{"exp":null}', '{"\\', '{"a":"exp"}',
  '{"a":"exp","exp":7}', '{"exp":1e3,"a":"}{"}', '{"exp":5}}', "{\"exp\":\0 6}",
}

--- Names and values of header fields.
M.headers = {
  { "Accept", "application/json" }, { "x", "" }, { "X-Trace", "a b\tc" },
  { "!#$%&'*+-.^_`|~", "~" }, { "X Y", "no token" }, { "X:", "no token" }, { "", "no name" },
  { "\195\182", "no token" }, { "Content-Length", "5" }, { "TRANSFER-encoding", "chunked" },
  { "a", "1\r\nb: 2" }, { "a", "x\0y" },
}

return M
