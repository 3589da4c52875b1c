-- Faults of HTTP/2. A fault is { number of parameters, function }; it has the name of the fault of
-- HTTP/1.1 that is the same to a client, where there is one.

local cjson = require "cjson.safe"
local cqueues = require "cqueues"

local bytes = require "spec.support.server.bytes"
local connections = require "spec.support.server.connection"
local frames = require "spec.support.server.frames"

local frame, literal = frames.frame, frames.literal
local DATA, HEADERS, END_STREAM, END_HEADERS =
  frames.DATA, frames.HEADERS, frames.END_STREAM, frames.END_HEADERS

local JSON_TYPE = { { "content-type", "application/json" } }
local LONG = { { "content-type", "application/json" }, { "content-length", "1000" } }
local ENOUGH = 4096 -- frames

local REPETITION = 2064 -- bytes that a piece of bytes.repetition stands for

local function answer(connection, request)
  connection:write(frames.answer(request.stream, 200, JSON_TYPE, '{"ok":true}'))
end

local function half_answer(stream)
  return frames.head(stream, 200, LONG) .. frame(DATA, 0, stream, "ten bytes.")
end

local function close(connection) connection:close() end
local function reset(connection) connection:reset() end
local function stay_silent() end

local function reset_stream(connection, request, code)
  connection:write(frames.reset(request.stream, code))
end

-- A connection answers one request, and this is what the next one meets.
local function later(fault)
  return function(connection, request, ...)
    if request.number == 1 then return answer(connection, request) end
    return fault(connection, request, ...)
  end
end

-- Requests on later streams than the last one are not looked at.
local function say_goodbye(connection, last, code)
  connection.last_stream = last
  connection:write(frames.goodbye(last, code))
end

-- "at": this request may have been looked at; "below": surely not.
local function goodbye(connection, request, where, code)
  say_goodbye(connection, where == "below" and math.max(0, request.stream - 2) or request.stream,
    code)
end

local function goodbye_and_close(connection, request, where, code)
  goodbye(connection, request, where, code)
  connection:close()
end

-- Refuses the first request for each target, whatever connection it is on.
local refused = {}

local function refuse_once(connection, request)
  if refused[request.target] then return answer(connection, request) end
  refused[request.target] = true
  reset_stream(connection, request, "REFUSED_STREAM")
end

-- An answer that nobody has asked for, in one piece with the one that is due.
local FORGED = '{"forged":true}'
local forgeries = {
  next_stream = function(stream, due)
    return due .. frames.answer(stream + 2, 200, JSON_TYPE, FORGED)
  end,
  same_stream = function(stream, due)
    return due .. frames.answer(stream, 200, JSON_TYPE, FORGED)
  end,
  -- 130 and 135 stand for ":method: GET" and ":scheme: https".
  push = function(stream, due)
    return frame(frames.PUSH_PROMISE, END_HEADERS, stream, bytes.big_endian(stream + 1, 4)
      .. "\130\135\0" .. literal(":authority") .. literal("127.0.0.1")
      .. "\0" .. literal(":path") .. literal("/forged"))
      .. due .. frames.answer(stream + 1, 200, JSON_TYPE, FORGED)
  end,
}

-- "late" waits for somebody to ask for "release": what comes after the next request is written
-- already cannot be told from an answer to that.
local held = {}

local function forge(connection, request, how)
  local due = frames.answer(request.stream, 200, {}, request.target:match("[^/]*$"))
  if forgeries[how] then return connection:write(forgeries[how](request.stream, due)) end
  connection:write(due)
  held[#held + 1] = function()
    connection:write(frames.answer(request.stream + 2, 200, JSON_TYPE, FORGED))
  end
end

local function release(connection, request)
  for _, send in ipairs(held) do send() end
  held = {}
  answer(connection, request)
end

-- Frames that nobody asked for, by name: one each, again and again.
local floods = {
  settings = function() return frame(frames.SETTINGS, 0, 0, "") end,
  ping = function() return frame(frames.PING, 0, 0, ("x"):rep(8)) end,
  empty_data = function(stream) return frame(DATA, 0, stream, "") end,
  continuation = function(stream) return frame(frames.CONTINUATION, 0, stream, "\0\1a\1b") end,
  headers = function(stream)
    return frame(HEADERS, END_HEADERS, stream, "\0" .. literal("x-endless") .. literal("yes"))
  end,
  interim = function(stream) return frames.head(stream, 103, {}) end,
}

local function only_head(stream, fields)
  return frame(HEADERS, END_HEADERS + END_STREAM, stream, fields)
end

-- What makes no sense where an answer is due, by name.
local senseless = {
  frames = function() return ("\255"):rep(64) end,
  bad_hpack = function(stream) return frame(HEADERS, END_HEADERS, stream, ("\255"):rep(4)) end,
  no_status = function(stream) return only_head(stream, "\0" .. literal("a") .. literal("b")) end,
  data_first = function(stream) return frame(DATA, END_STREAM, stream, "{}") end,
  status_word = function(stream) return only_head(stream, frames.fields("word", {})) end,
  upper_case = function(stream)
    return only_head(stream, frames.fields(200, { { "X-A", "b" } }))
  end,
  other_stream = function(stream) return only_head(stream + 2, frames.fields(200, {})) end,
  push = function(stream)
    return frame(frames.PUSH_PROMISE, END_HEADERS, stream,
      bytes.big_endian(2, 4) .. frames.fields(200, {}))
  end,
  length_differs = function(stream)
    return frames.answer(stream, 200, { { "content-length", "11" } }, "{}")
  end,
  huge_frame = function(stream) return frames.start(DATA, 0, stream, 0xffffff) end,
}

return {
  ok = { 0, answer },
  echo = { 0, function(connection, request)
    connection:write(frames.answer(request.stream, 200, JSON_TYPE, cjson.encode(request)))
  end },
  status = { 1, function(connection, request, status)
    connection:write(frames.answer(request.stream, status, {}, "{}"))
  end },

  -- The connection ends.
  close_before_reply = { 0, close },
  reset_before_reply = { 0, reset },
  close_in_body = { 0, function(connection, request)
    connection:write(half_answer(request.stream))
    connection:close()
  end },
  connection_reset_in_body = { 0, function(connection, request)
    connection:write(half_answer(request.stream))
    connection:reset()
  end },
  stale = { 0, later(close) },
  stale_reset = { 0, later(reset) },
  early_close = { 0, close, impatient = true },
  early_reset = { 0, reset, impatient = true },

  -- The stream ends.
  reset_stream = { 1, reset_stream },
  stale_reset_stream = { 1, later(reset_stream) },
  early_reset_stream = { 1, reset_stream, impatient = true },
  refused = { 0, function(connection, request)
    reset_stream(connection, request, "REFUSED_STREAM")
  end },
  calm = { 0, function(connection, request)
    reset_stream(connection, request, "ENHANCE_YOUR_CALM")
  end },
  refused_once = { 0, refuse_once },
  reset_in_body = { 1, function(connection, request, code)
    connection:write(half_answer(request.stream), frames.reset(request.stream, code))
  end },
  ended_before_head = { 0, function(connection, request)
    connection:write(frame(DATA, END_STREAM, request.stream, ""))
  end },

  -- The server says goodbye.
  goaway = { 0, function(connection, request)
    answer(connection, request)
    say_goodbye(connection, request.stream)
  end },
  goaway_at_once = { 0, function(connection)
    say_goodbye(connection, 0)
    connection:close()
  end },
  goodbye = { 2, goodbye },
  goodbye_close = { 2, goodbye_and_close },
  stale_goodbye = { 2, later(goodbye) },
  stale_goodbye_close = { 2, later(goodbye_and_close) },

  -- Time.
  delay = { 1, function(connection, request, milliseconds)
    connections.queue:wrap(function()
      cqueues.sleep(tonumber(milliseconds) / 1000)
      answer(connection, request)
    end)
  end },
  stall = { 1, function(connection, request, where)
    if where == "head" then connection:write(frames.head(request.stream, 200, LONG)) end
    if where == "body" then connection:write(half_answer(request.stream)) end
  end },
  stale_stall = { 0, later(stay_silent) },

  -- More than was asked for, and what makes no sense.
  forged = { 1, forge },
  release = { 0, release },
  endless_body = { 0, function(connection, request)
    connection:write(frames.head(request.stream, 200, JSON_TYPE))
    connection:repeats(frame(DATA, 0, request.stream, ("x"):rep(16384)))
  end },
  gzip_bomb = { 1, function(connection, request, megabytes)
    local first, rest = bytes.repetition("\0", 1)
    connection:write(frames.head(request.stream, 200, { { "content-encoding", "gzip" } }),
      frame(DATA, 0, request.stream, first))
    connection:repeats(frame(DATA, 0, request.stream, rest:rep(100)),
      math.ceil(tonumber(megabytes) * 1048576 / REPETITION / 100))
  end },
  flood = { 1, function(connection, request, name)
    if name == "continuation" then
      connection:write(frame(HEADERS, 0, request.stream, frames.fields(200, {})))
    end
    connection:repeats(floods[name](request.stream):rep(ENOUGH))
  end },
  senseless = { 1, function(connection, request, name)
    connection:write(senseless[name](request.stream))
  end },
}
