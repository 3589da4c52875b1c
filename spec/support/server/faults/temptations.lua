-- Temptations: to follow, to log in, to remember, to go elsewhere, to speak something else.

-- A place on the listener that nobody is to reach.
local function sink(connection, scheme)
  return ("%s://localhost:%d/ok"):format(scheme or "http", connection.sink_port)
end

-- Where a redirect points.
local places = {
  here = function() return "/ok" end,
  elsewhere = function(connection) return sink(connection) end,
  address = function(connection) return (sink(connection):gsub("localhost", "127.0.0.1")) end,
  https = function(connection) return sink(connection, "https") end,
  credentials = function(connection) return (sink(connection):gsub("//", "//admin:secret@")) end,
  no_scheme = function(connection) return (sink(connection):gsub("^http:", "")) end,
  backslashes = function(connection) return (sink(connection):gsub("/", "\\")) end,
  file = function() return "file:///etc/passwd" end,
  ftp = function(connection) return sink(connection, "ftp") end,
  gopher = function(connection) return sink(connection, "gopher") end,
  dict = function(connection) return sink(connection, "dict") end,
  javascript = function() return "javascript:alert(1)" end,
  data = function() return 'data:application/json,{"ok":true}' end,
  loop = function(_, request) return request.target end,
  nothing = function() return "" end,
  garbage = function() return "http://[::1%zz]:99999999/\1" end,
  long = function() return "/" .. ("x"):rep(60000) end,
}

local OK = '{"ok":true}'

-- Headers of an answer that is otherwise good.
local headers = {
  alt_svc = function(connection)
    return ('Alt-Svc: h2="127.0.0.1:%d"; ma=3600, http/1.1="localhost:%d"')
      :format(connection.sink_port, connection.sink_port)
  end,
  refresh = function(connection) return "Refresh: 0; url=" .. sink(connection) end,
  location = function(connection) return "Location: " .. sink(connection) end,
  link = function(connection) return "Link: <" .. sink(connection) .. ">; rel=preload" end,
  hsts = function() return "Strict-Transport-Security: max-age=31536000; includeSubDomains" end,
  upgrade = function() return "Connection: Upgrade\r\nUpgrade: h2c, websocket" end,
  keep_alive = function() return "Connection: keep-alive\r\nKeep-Alive: timeout=-1, max=-1" end,
  cookies = function() return ("Set-Cookie: a=b; Path=/\r\n"):rep(100) .. "Set-Cookie: c=d" end,
}

return {
  status = { 1, function(connection, _, status)
    if status == "204" or status == "304" then return connection:reply(tonumber(status)) end
    connection:json(tonumber(status), { status = tonumber(status) })
  end },
  -- Whatever follows "HTTP/1.1 ".
  odd_status = { 1, function(connection, _, status)
    connection:write("HTTP/1.1 ", status, " Odd\r\nContent-Length: 2\r\n\r\n{}")
  end },
  empty = { 1, function(connection, _, status) connection:reply(tonumber(status), {}, "") end },
  blank = { 1, function(connection, _, status)
    connection:reply(tonumber(status), {}, " \r\n\t ")
  end },
  redirect = { 2, function(connection, request, status, where)
    local location = places[where](connection, request)
    connection:reply(tonumber(status), { "Location: " .. location }, "")
  end },
  no_location = { 1, function(connection, _, status)
    connection:reply(tonumber(status), {}, OK)
  end },
  challenge = { 1, function(connection, _, scheme)
    connection:reply(401, { "WWW-Authenticate: " .. scheme .. ' realm="r", nonce="n"' }, "{}")
  end },
  challenges = { 0, function(connection)
    connection:reply(401, { "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM",
      'WWW-Authenticate: Digest realm="r", qop="auth", nonce="n", stale=true',
      'WWW-Authenticate: Basic realm="r"' }, "{}")
  end },
  proxy_challenge = { 1, function(connection, _, scheme)
    connection:reply(407, { "Proxy-Authenticate: " .. scheme .. ' realm="r"' }, "{}")
  end },
  -- An error that quotes the request, credentials and all.
  quote = { 1, function(connection, request, status)
    connection:json(tonumber(status), request)
  end },
  cookie = { 0, function(connection)
    connection:reply(200, { "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/" }, "{}")
  end },
  tempting = { 1, function(connection, _, name)
    connection:reply(200, { headers[name](connection) }, OK)
  end },
}
