-- The sandbox over real HTTP: a process of its own, spoken to byte by byte. What the providers
-- answer is in sandbox_spec.lua; here are connections, limits, the sandbox's own endpoints, and the
-- life of the process. Every server started here ends with its test, by its process id or its
-- standard input.

local cjson = require("cjson").new()
local core = require("usher.core")
local socket = require("cqueues.socket")

local TIMEOUT = 10
local LUA = "LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./build/5.1/?.so;;' luajit"
local MAIN = LUA .. [[ -e 'os.exit(require("usher.sandbox.server").main(arg))' /dev/null sandbox ]]

local function output_of(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- Run the command to its end: exit status, standard output, standard error.
local function run(arguments, main)
  local errors = os.tmpname()
  local text = output_of((main or MAIN) .. arguments .. " 2> " .. errors
    .. " < /dev/null; echo exit $?")
  local file = assert(io.open(errors))
  local complaints = file:read("*a")
  file:close()
  os.remove(errors)
  local output, status = text:match("^(.*)exit (%d+)\n$")
  return tonumber(status), output, complaints
end

local function start(arguments)
  local server = { errors = os.tmpname() }
  server.pipe = assert(io.popen(MAIN .. "--env --seconds 60 " .. arguments .. " 2> "
    .. server.errors .. " & echo $!; wait $!; echo exit $?", "r"))
  server.pid = server.pipe:read("*l")
  repeat
    local line = assert(server.pipe:read("*l"), "the server did not start")
    server.port = server.port
      or line:match("^export USHER_QISCUS_BASE_URL='http://127.0.0.1:(%d+)/qiscus'$")
  until line:find("USHER_QISCUS_SECRET", 1, true)
  return server
end

local function send(server, signal)
  local result = os.execute("kill -" .. signal .. " " .. server.pid .. " 2> /dev/null")
  return result == true or result == 0 -- 5.4, 5.1
end

-- Exit status and what it had written to standard error. One that does not stop is killed.
local function stop(server, signal)
  local deadline = core.monotonic() + TIMEOUT
  send(server, signal or "TERM")
  while send(server, "0") do
    if core.monotonic() > deadline then send(server, "KILL") end
    core.sleep(0.01)
  end
  local status = server.pipe:read("*a"):match("exit (%d+)\n$")
  server.pipe:close()
  local file = assert(io.open(server.errors))
  local complaints = file:read("*a")
  file:close()
  os.remove(server.errors)
  return tonumber(status), complaints
end

local function connect(port)
  local connection = assert(socket.connect("127.0.0.1", port))
  connection:setmode("b", "bn")
  connection:settimeout(TIMEOUT)
  connection:onerror(function(_, _, why) return why end)
  assert(connection:connect(TIMEOUT))
  return connection
end

local function request_text(method, path, headers, body)
  local lines = { method .. " " .. path .. " HTTP/1.1", "Host: 127.0.0.1" }
  for name, value in pairs(headers or {}) do lines[#lines + 1] = name .. ": " .. value end
  if body then lines[#lines + 1] = "Content-Length: " .. #body end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

-- One answer, or nil when the connection ended before it.
local function read_answer(connection, is_head)
  local first = connection:read("*l")
  if not first then return nil end
  local answer = { status = tonumber(first:match("^HTTP/1%.1 (%d%d%d) ")), headers = {} }
  for line in function() return connection:read("*l") end do
    line = line:gsub("\r$", "")
    if line == "" then break end
    local name, value = line:match("^([^:]+): (.*)$")
    answer.headers[name:lower()] = value
  end
  local length = tonumber(answer.headers["content-length"] or "0")
  answer.body = (is_head or length == 0) and "" or connection:read(length)
  return answer
end

describe("the sandbox's server", function()
  local server

  setup(function() server = start("") end)
  teardown(function()
    local status, complaints = stop(server)
    assert(status == 0, "the server ended with status " .. tostring(status))
    assert(complaints == "", complaints) -- whatever the tests did to it
  end)

  -- One request on a connection of its own.
  local function ask(method, path, headers, body)
    local connection = connect(server.port)
    connection:write(request_text(method, path, headers, body))
    local answer = read_answer(connection, method == "HEAD")
    connection:close()
    return answer
  end

  local function own(method, path, body)
    local answer = ask(method, "/_sandbox/" .. path, nil, body and cjson.encode(body))
    return cjson.decode(answer.body), answer.status
  end

  before_each(function()
    own("DELETE", "fault")
    own("DELETE", "journal")
  end)

  local QISCUS = {
    ["QISCUS-SDK-APP-ID"] = "test-app-id", ["QISCUS-SDK-SECRET"] = "test-qiscus-secret",
    ["Content-Type"] = "application/json",
  }
  local REST = "/qiscus/api/v2.1/rest/"
  local PROFILE = REST .. "user_profile?user_id="

  local function register(user_id)
    return ask("POST", REST .. "login_or_register", QISCUS,
      '{"user_id":"' .. user_id .. '","username":"U"}')
  end

  local function is_registered(user_id)
    return ask("GET", PROFILE .. user_id, QISCUS).status == 200
  end

  it("answers as the box does, with a length", function()
    local answer = register("alice")
    assert.are.equal(200, answer.status)
    assert.are.equal("application/json; charset=utf-8", answer.headers["content-type"])
    assert.are.equal(tostring(#answer.body), answer.headers["content-length"])
    assert.are.equal("alice", cjson.decode(answer.body).results.user.user_id)
    assert.are.equal(401, ask("GET", PROFILE .. "alice").status)
  end)

  it("keeps a connection for the next request", function()
    local connection = connect(server.port)
    for i = 1, 3 do
      connection:write(request_text("POST", REST .. "login_or_register", QISCUS,
        '{"user_id":"keep' .. i .. '","username":"U"}'))
      assert.are.equal(200, read_answer(connection).status)
    end
    connection:write(request_text("GET", PROFILE .. "keep1", { Connection = "close" }))
    assert.are.equal(401, read_answer(connection).status)
    assert.is_nil(read_answer(connection))
    connection:close()
  end)

  it("reads chunked bodies, long targets and absolute-form targets", function()
    local connection = connect(server.port)
    connection:write("POST " .. REST .. "login_or_register HTTP/1.1\r\nHost: x\r\n"
      .. "Content-Type: application/json\r\nQISCUS-SDK-APP-ID: test-app-id\r\n"
      .. "QISCUS-SDK-SECRET: test-qiscus-secret\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. '11\r\n{"user_id":"chunk\r\n12\r\ned","username":"U"\r\n1\r\n}\r\n0\r\n\r\n')
    assert.are.equal(200, read_answer(connection).status)
    connection:close()
    local many = REST .. "get_user_unread_count?" .. ("user_ids%5B%5D=a&"):rep(8000) .. "x=1"
    assert.are.equal(200, ask("GET", many, QISCUS).status)
    local absolute = "http://sandbox.example" .. PROFILE .. "chunked"
    assert.are.equal(200, ask("GET", absolute, QISCUS).status)
  end)

  it("answers HEAD without a body", function()
    local answer = ask("HEAD", REST .. "get_user_list", QISCUS)
    assert.are.equal(404, answer.status)
    assert.are_not.equal("0", answer.headers["content-length"])
  end)

  it("takes faults over HTTP, journals, and forgets both on request", function()
    assert.are.same({ ok = true }, (own("POST", "fault",
      { provider = "qiscus", status = 503, retry_after = 1, times = 2 })))
    local answer = ask("GET", PROFILE .. "x", QISCUS)
    assert.are.same({ 503, "1" }, { answer.status, answer.headers["retry-after"] })
    own("DELETE", "fault")
    assert.are.equal(404, ask("GET", PROFILE .. "x", QISCUS).status)
    local journal = own("GET", "journal?full=1")
    assert.are.equal(2, #journal)
    assert.are.same({ "user_profile", 503, true, false, "test-qiscus-secret" }, {
      journal[1].operation, journal[1].status, journal[1].faulty, journal[1].acted,
      journal[1].headers["qiscus-sdk-secret"],
    })
    assert.is_nil(own("GET", "journal")[1].headers)
    assert.are.same({ ok = true }, (own("DELETE", "journal")))
    assert.are.equal("[]", ask("GET", "/_sandbox/journal").body)
  end)

  it("says what is wrong with a fault, a room or an endpoint", function()
    local answer, status = own("POST", "fault", { stat = 503 })
    assert.are.equal(400, status)
    assert.truthy(answer.error:find("^sandbox fault: unknown option stat %("))
    assert.are.equal(400, select(2, own("POST", "fault", { drop = "connect" })))
    assert.are.equal(400, select(2, own("POST", "room", { room_id = 7 })))
    assert.are.equal(400, select(2, own("POST", "user", { provider = "slack" })))
    assert.are.equal(400, ask("POST", "/_sandbox/fault", nil, "{").status)
    assert.are.equal(404, select(2, own("GET", "faults")))
    assert.are.equal(405, select(2, own("GET", "fault")))
  end)

  it("seeds rooms and users, expires tokens, and shows the state", function()
    local seeded = own("POST", "room",
      { room_id = "room-9", users = { "한", { nick_name = "Kim" } } })
    assert.are.equal(2, #seeded.client_keys)
    own("POST", "user", { provider = "qiscus", user_id = "seeded", unread = 2 })
    local state = own("GET", "state")
    assert.are.equal("한", state.vchatcloud.rooms[3].people[1].nickName)
    assert.are.equal("seeded", state.qiscus.users[#state.qiscus.users].user_id)
    assert.are.equal("table", type(state.smooch.appUsers))
    assert.are.equal("tenant-1", state.ertc.tenantId)

    local headers = { API_KEY = "test-vchatcloud-key" }
    local issued = cjson.decode(ask("GET", "/vchatcloud/openapi/token", headers).body)
    headers["X-AUTH-TOKEN"] = issued.data["X-AUTH-TOKEN"]
    assert.are.equal(200, ask("GET", "/vchatcloud/openapi/v1/users/room-9", headers).status)
    own("POST", "expire", { provider = "vchatcloud" })
    assert.are.equal(401, ask("GET", "/vchatcloud/openapi/v1/users/room-9", headers).status)
    assert.are.same({ ok = true, settled = 0 }, (own("POST", "settle")))
  end)

  it("hands out credentials that work", function()
    local options = own("GET", "credentials").qiscus.options
    local path = options.base_url:match("^http://127%.0%.0%.1:" .. server.port .. "(/.*)$")
    local headers = {
      ["QISCUS-SDK-APP-ID"] = options.app_id, ["QISCUS-SDK-SECRET"] = options.secret,
    }
    assert.are.equal(200, ask("GET", path .. "/api/v2.1/rest/get_user_list", headers).status)
  end)

  it("really closes the connection under a drop fault, before or after acting", function()
    for drop, acted in pairs({ before = false, after = true }) do
      own("POST", "fault", { provider = "qiscus", operation = "login_or_register", drop = drop })
      local connection = connect(server.port)
      connection:write(request_text("GET", PROFILE .. "nobody", QISCUS)) -- pools the connection
      assert.are.equal(404, read_answer(connection).status)
      connection:write(request_text("POST", REST .. "login_or_register", QISCUS,
        '{"user_id":"drop-' .. drop .. '","username":"U"}'))
      assert.is_nil(read_answer(connection))
      connection:close()
      assert.are.equal(acted, is_registered("drop-" .. drop))
      local seen = 0
      for _, entry in ipairs(own("GET", "journal")) do
        if entry.operation == "login_or_register" then seen = seen + 1 end
      end
      assert.are.equal(1, seen)
      own("DELETE", "journal")
    end
  end)

  it("delays one answer without holding up another", function()
    own("POST", "fault", { provider = "qiscus", operation = "get_user_list", delay = 0.3 })
    local started = core.monotonic()
    local slow = connect(server.port)
    slow:write(request_text("GET", REST .. "get_user_list", QISCUS))
    assert.are.equal(404, ask("GET", PROFILE .. "nobody", QISCUS).status)
    local quick = core.monotonic() - started
    assert.are.equal(200, read_answer(slow).status)
    slow:close()
    assert.is_true(quick < 0.3)
    assert.is_true(core.monotonic() - started >= 0.29)
  end)

  it("refuses a body over its ceiling, announced or not, and closes", function()
    local announced = connect(server.port)
    announced:write("POST /qiscus/x HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    assert.are.equal(413, read_answer(announced).status)
    announced:close()
    local chunked = connect(server.port)
    chunked:write("POST /qiscus/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    local megabyte = "100000\r\n" .. ("x"):rep(1048576) .. "\r\n"
    for _ = 1, 13 do chunked:write(megabyte) end
    local answer = read_answer(chunked)
    assert.are.same({ 413, "close" }, { answer.status, answer.headers.connection })
    chunked:close()
  end)

  it("invites a large upload that waits for 100 Continue", function()
    local connection = connect(server.port)
    connection:write(request_text("POST", REST .. "login_or_register",
      { Expect = "100-continue", ["Content-Length"] = "2" }))
    assert.are.equal(100, read_answer(connection).status)
    connection:write("{}")
    assert.are.equal(401, read_answer(connection).status)
    connection:close()
  end)

  it("survives clients that leave in the middle, and does not act for them", function()
    local text = request_text("POST", REST .. "login_or_register", QISCUS,
      '{"user_id":"gone","username":"U"} ') -- sound JSON without its last byte
    for _, cut in ipairs({ 1, 20, 150, #text - 1 }) do
      local connection = connect(server.port)
      connection:write(text:sub(1, cut))
      connection:close()
    end
    assert.is_false(is_registered("gone"))
  end)

  it("answers 400 to a malformed header and goes on", function()
    local connection = connect(server.port)
    connection:write("GET / HTTP/1.1\r\nno colon here\r\n\r\n")
    assert.are.equal(400, read_answer(connection).status)
    connection:close()
    assert.are.equal(404, ask("GET", "/").status)
  end)

  it("does not act on a pipelined request", function()
    local connection = connect(server.port)
    own("POST", "fault", { provider = "qiscus", operation = "user_profile", delay = 0.1 })
    connection:write(request_text("GET", PROFILE .. "nobody", QISCUS)
      .. request_text("POST", REST .. "login_or_register", QISCUS,
        '{"user_id":"piped","username":"U"}'))
    assert.are.equal(404, read_answer(connection).status)
    assert.are.equal(400, read_answer(connection).status)
    assert.is_nil(read_answer(connection))
    connection:close()
    assert.is_false(is_registered("piped"))
  end)
end)

describe("the command usher sandbox", function()
  it("stops with status 0 on SIGTERM and on SIGINT, silently", function()
    for _, signal in ipairs({ "TERM", "INT" }) do
      local status, complaints = stop(start(""), signal)
      assert.are.same({ 0, "" }, { status, complaints })
    end
  end)

  it("stops after --seconds and at the end of its standard input", function()
    assert.are.equal(0, (run("--seconds 0.05")))
    assert.are.equal(0, (run("--until-eof --seconds 60")))
  end)

  it("serves while its standard input stays open, and minds its port file", function()
    local path = os.tmpname()
    os.remove(path)
    local pipe = assert(io.popen(MAIN .. "--until-eof --port-file " .. path .. " > /dev/null", "w"))
    local file
    local deadline = core.monotonic() + TIMEOUT
    repeat
      core.sleep(0.01)
      file = io.open(path)
    until file or core.monotonic() > deadline
    assert.is_not_nil(file)
    local port = file:read("*l")
    file:close()
    local connection = connect(port)
    connection:write(request_text("GET", "/", {}))
    assert.are.equal(404, read_answer(connection).status)
    connection:close()
    pipe:close() -- waits for the process
    assert.is_nil(io.open(path))
  end)

  it("prints a table for people and export lines for shells", function()
    local _, text = run("--seconds 0")
    local port = text:match("^usher sandbox: listening on http://127%.0%.0%.1:(%d+)\n")
    assert.is_not_nil(port)
    local row = "\nqiscus\n  base_url         http://127.0.0.1:" .. port .. "/qiscus\n"
    assert.truthy(text:find(row, 1, true))
    local _, exports = run("--env --seconds 0")
    local shell = output_of("eval \"" .. exports:gsub("\n$", ""):gsub('["$`\\]', "\\%0") .. "\"\n"
      .. "echo $USHER_SMOOCH_KEY_ID $USHER_SMOOCH_SECRET $USHER_ERTC_TENANT_ID")
    assert.are.equal("app_test_key test-secret tenant-1\n", shell)
  end)

  it("explains wrong usage and ends with status 2", function()
    for arguments, message in pairs({
      ["--prot 1"] = "unknown option --prot", ["--port"] = "--port needs a value",
      ["--port x"] = "--port needs a value", ["--port=70000"] = "--port must be from 0 to 65535",
      ["--env=yes"] = "--env takes no value",
    }) do
      local status, output, complaints = run(arguments)
      assert.are.same({ 2, "" }, { status, output })
      assert.truthy(complaints:find("usher sandbox: " .. message, 1, true), complaints)
      assert.truthy(complaints:find("Usage: usher sandbox", 1, true))
    end
    local status, output = run("--help")
    assert.are.equal(0, status)
    assert.truthy(output:find("Usage: usher sandbox", 1, true))
  end)

  it("ends with status 1 when the port is taken or its file cannot be written", function()
    local server = start("")
    local status, _, complaints = run("--seconds 60 --port " .. server.port)
    stop(server)
    assert.are.equal(1, status)
    assert.truthy(complaints:find("cannot listen on 127.0.0.1:" .. server.port, 1, true))
    status, _, complaints = run("--seconds 60 --port-file /nonexistent/port")
    assert.are.equal(1, status)
    assert.truthy(complaints:find("cannot write the port: /nonexistent/port", 1, true))
  end)

  it("names the rock and the package when lua-http is missing", function()
    local without = MAIN:gsub("os.exit", 'package.preload["http.server"] = error; os.exit', 1)
    local status, output, complaints = run("--seconds 60", without)
    assert.are.same({ 1, "" }, { status, output })
    assert.truthy(complaints:find('needs the rock "http"', 1, true))
    assert.truthy(complaints:find("apt install lua-http", 1, true))
  end)
end)
