-- Faults of the head of an answer: what is no status line, no header, or no HTTP at all.

local BODY = '{"ok":true}'
local REST = "Content-Type: application/json\r\nContent-Length: 11\r\n\r\n" .. BODY
local OK = "HTTP/1.1 200 OK\r\n"

-- Whole answers, by name. The connection stays open.
local heads = {
  no_reason = "HTTP/1.1 200\r\n" .. REST,
  old = "HTTP/1.0 200 OK\r\n" .. REST,
  lone_feeds = "HTTP/1.1 200 OK\nContent-Length: 11\n\n" .. BODY,
  status_four_digits = "HTTP/1.1 2000 OK\r\n" .. REST,
  status_two_digits = "HTTP/1.1 20 OK\r\n" .. REST,
  status_word = "HTTP/1.1 OK 200\r\n" .. REST,
  status_negative = "HTTP/1.1 -200 OK\r\n" .. REST,
  status_nothing = "HTTP/1.1 \r\n" .. REST,
  version_high = "HTTP/9.9 200 OK\r\n" .. REST,
  version_word = "HTTP/one 200 OK\r\n" .. REST,
  version_none = "HTTP 200 OK\r\n" .. REST,
  version_2 = "HTTP/2 200\r\n" .. REST,
  lower_case = "http/1.1 200 OK\r\n" .. REST,
  icy = "ICY 200 OK\r\n" .. REST,
  blank_line_first = "\r\n" .. OK .. REST,
  request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
  http2_frames = "\0\0\18\4\0\0\0\0\0\0\3\0\0\0\128\0\4\0\1\0\0\0\5\0\255\255\255",
  tls_alert = "\21\3\3\0\2\2\40",
  smtp = "220 mail.example ESMTP ready\r\n",
  ssh = "SSH-2.0-OpenSSH_9.2\r\n",
  binary = "\255\254\0\0\1\2\3\4\r\n\r\n",
  header_colon_first = OK .. ": nameless\r\n" .. REST,
  header_space_in_name = OK .. "X Y: 1\r\n" .. REST,
  header_space_before_colon = OK .. "X-Y : 1\r\n" .. REST,
  header_lone_return = OK .. "X-Y: a\rb\r\n" .. REST,
  header_control = OK .. "X-Y: a\1\27[31mb\r\n" .. REST,
  header_latin = OK .. "X-Y: caf\233\r\n" .. REST,
  header_fold_first = OK .. " folded: first\r\n" .. REST,
  header_fold = OK .. "X-Y: one\r\n  two\r\n\tthree\r\n" .. REST,
  type_absent = OK .. "Content-Length: 11\r\n\r\n" .. BODY,
  type_html = OK .. "Content-Type: text/html; charset=utf-16\r\nContent-Length: 11\r\n\r\n" .. BODY,
  type_garbage = OK .. "Content-Type: ;;;\255\r\nContent-Length: 11\r\n\r\n" .. BODY,
}

return {
  head = { 1, function(connection, _, name) connection:write(heads[name]) end },
  folded = { 0, function(connection)
    connection:write("HTTP/1.1 200 OK\r\n folded: first\r\nX-Long: one\r\n  two\r\n",
      "Content-Length: 2\r\n\r\nok")
  end },
  http09 = { 0, function(connection)
    connection:write("<html>no head at all</html>")
    connection:close()
  end },
  switching = { 0, function(connection)
    connection:write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: nothing\r\n\r\nbytes")
    connection:close()
  end },
  interim = { 0, function(connection)
    connection:write("HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n",
      "Link: </style.css>\r\n\r\n")
    connection:json(200, { ok = true })
  end },
  header_repeated = { 0, function(connection)
    connection:reply(200, { "X-Twice: one", "x-twice:  two ", "X-Empty:" }, "{}")
  end },
  header_nul = { 0, function(connection) connection:reply(200, { "X-Nul: a\0b" }, "{}") end },
  header_without_colon = { 0, function(connection) connection:reply(200, { "nothing" }, "{}") end },
}
