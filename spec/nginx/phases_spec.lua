-- Where calls work inside nginx, and what is said where they cannot.

local nginx = require "spec.support.nginx"
local provider = require "spec.support.provider"

local CONFIGURATION = [[
    ssl_certificate_by_lua_block { try("ssl_cert", "${url}") }
    location = /rewrite {
      rewrite_by_lua_block { try("rewrite", "${url}") } content_by_lua_block { } }
    location = /access {
      access_by_lua_block { try("access", "${url}") } content_by_lua_block { } }
    location = /content { content_by_lua_block { try("content", "${url}") } }
    location = /timer { content_by_lua_block {
      ngx.timer.at(0, function() try("timer", "${url}") end) } }
    location = /thread { content_by_lua_block {
      ngx.thread.wait(ngx.thread.spawn(function() try("thread", "${url}") end)) } }
    location = /coroutine { content_by_lua_block {
      coroutine.wrap(function() try("coroutine", "${url}") end)() } }
    location = /pcall { content_by_lua_block {
      pcall(function() try("pcall", "${url}") end) } }
    location = /set {
      set_by_lua_block $unused { try("set", "${url}") return "" } return 200; }
    location = /header_filter {
      content_by_lua_block { ngx.print("body") }
      header_filter_by_lua_block { try("header_filter", "${url}") } }
    location = /body_filter {
      content_by_lua_block { ngx.print("body") }
      body_filter_by_lua_block { try("body_filter", "${url}") } }
    location = /log {
      content_by_lua_block { ngx.print("body") } log_by_lua_block { try("log", "${url}") } }
    location = /timer_from_log {
      content_by_lua_block { ngx.print("body") }
      log_by_lua_block {
        ngx.timer.at(0, function() try("timer_from_log", "${url}") end) } }
    location = /balancer { proxy_pass http://balanced; }
    location = /client_in_log {
      content_by_lua_block { ngx.print("body") }
      log_by_lua_block {
        local usher = require "usher"
        local client = usher.qiscus{ app_id = "app", secret = "s3cret", base_url = "${url}",
          on_event = function(event)
            if event.event == "retry" then kept.retried = true end
          end }
        local result, err = client:user_profile{ user_id = "bob" }
        kept.client = { result = result, kind = err.kind, message = err.message,
          retryable = err.retryable, attempts = err.attempts, request_sent = err.request_sent }
        client:close()
      } }
]]

local HTTP = [[
  init_by_lua_block {
    run = require "spec.nginx.run"
    try, kept = run.try, run.kept
    try("init", "${url}")
  }
  init_worker_by_lua_block { try("init_worker", "${url}") }
  upstream balanced {
    server 127.0.0.1:1;
    balancer_by_lua_block { try("balancer", "${url}") }
  }
]]

describe("the nginx transport", function()
  local upstream, server

  setup(function()
    upstream = provider.start()
    local fields = { url = upstream:url("http", "/ok") }
    server = nginx.start{
      http = HTTP:gsub("%${(%l+)}", fields), server = CONFIGURATION:gsub("%${(%l+)}", fields),
      tls = true,
    }
  end)
  teardown(function()
    if server then server:stop() end
    if upstream then upstream:stop() end
  end)
  before_each(function() upstream:clear() end)

  -- What was kept, waiting for what comes after the answer.
  local function kept(name)
    return server:run([[
      local kept = require("spec.nginx.run").kept
      for _ = 1, 500 do
        if kept[...] then return kept[...] end
        ngx.sleep(0.01)
      end
      error("nothing was kept")
    ]], name)
  end

  for _, phase in ipairs({ "rewrite", "access", "content", "timer", "timer_from_log", "thread",
    "coroutine", "pcall" }) do
    it("works in " .. phase, function()
      assert.equal(200, (server:request("GET", "/" .. phase)))
      local found = kept(phase)
      assert.equal(200, found.answer.status, found.answer.message)
      assert.is_true(found.sleep.slept)
      assert.equal(1, #upstream:journal())
    end)
  end

  it("works in ssl_certificate_by_lua", function()
    local answer = server:run("return require('spec.nginx.run').send(..., { verify = false })",
      { url = "https://localhost:" .. server.tls_port .. "/ping", timeout = 5, connect_timeout = 2,
        max_response_size = 1000 })
    assert.equal("pong", answer.body, answer.message)
    local found = kept("ssl_cert")
    assert.equal(200, found.answer.status, found.answer.message)
    assert.is_true(found.sleep.slept)
  end)

  local function assert_refused(phase, said)
    assert.is_nil(said.status)
    assert.is_nil(said.slept)
    assert.equal("cancelled", said.kind)
    assert.is_false(said.sent)
    assert.is_truthy(said.message:find("phase " .. phase, 1, true), said.message)
    assert.is_truthy(said.message:find("ngx.timer.at(0, ...)", 1, true), said.message)
  end

  for _, phase in ipairs({ "init", "init_worker", "set", "header_filter", "body_filter", "log",
    "balancer" }) do
    it(("says what to do in %s, which cannot wait"):format(phase), function()
      server:request("GET", "/" .. phase)
      local found = kept(phase)
      assert_refused(phase, found.answer)
      assert_refused(phase, found.sleep)
      assert.same({}, upstream:journal())
    end)
  end

  it("lets a client's call fail there at once, once, with an error that says so", function()
    assert.equal(200, (server:request("GET", "/client_in_log")))
    local said = kept("client")
    assert.is_nil(said.result)
    assert.equal("cancelled", said.kind)
    assert.is_false(said.retryable)
    assert.is_false(said.request_sent)
    assert.equal(1, said.attempts)
    assert.is_truthy(said.message:find("ngx.timer.at(0, ...)", 1, true), said.message)
    assert.is_nil(server:run("return require('spec.nginx.run').kept.retried"))
  end)

  -- nginx itself would leave a light thread behind, and die of it later.
  it("says so where a C function is in the way, and harms nothing", function()
    local answers = server:run([[
      local url = ...
      local run = require "spec.nginx.run"
      local answers = {}
      local function try()
        answers[#answers + 1] = run.send{ url = url, timeout = 1 }
        return require("usher.transport.ngx").new().sleep(0.001) and 1
      end
      package.preload["spec.nginx.unreal"] = function()
        try()
        return true
      end
      table.sort({ 2, 1 }, try)
      local _ = ("a"):gsub("a", try)
      require "spec.nginx.unreal"
      package.loaded["spec.nginx.unreal"] = nil
      ngx.sleep(0.01)
      answers[#answers + 1] = run.send{ url = url, timeout = 1 }
      return answers
    ]], upstream:url("http", "/ok"))
    assert.equal(4, #answers)
    for i = 1, 3 do
      assert.equal("cancelled", answers[i].kind)
      assert.is_false(answers[i].sent)
      assert.is_truthy(answers[i].message:find("table.sort", 1, true), answers[i].message)
    end
    assert.equal(200, answers[4].status, answers[4].message)
    assert.equal(1, #upstream:journal())
  end)

  it("yields through metamethods and iterators", function()
    local statuses = server:run([[
      local url = ...
      local function status() return require("spec.nginx.run").send{ url = url }.status end
      local object = setmetatable({}, {
        __index = status, __call = status, __tostring = function() return "" .. status() end,
      })
      local statuses = { object.field, object(), tonumber(tostring(object)) }
      for found in function(_, before) if not before then return status() end end do
        statuses[#statuses + 1] = found
      end
      return statuses
    ]], upstream:url("http", "/ok"))
    assert.same({ 200, 200, 200, 200 }, statuses)
  end)
end)

describe("a phase that cannot wait", function()
  local upstream, server

  setup(function()
    upstream = nginx.start{ http = "init_by_lua_block { hits = 0 }", server = [[
      location = /hits { content_by_lua_block { ngx.print(hits) } }
      location / { content_by_lua_block {
        hits = hits + 1
        ngx.sleep(1)
        ngx.print('{"result_cd":1,"data":{"X-AUTH-TOKEN":"token"},"list":[]}')
      } }
    ]] }
    server = nginx.start{
      http = ([[ init_by_lua_block {
        usher = require "usher"
        took = {}
        chat = usher.vchatcloud{ api_key = "k", base_url = "http://127.0.0.1:%s", deadline = 5 }
      } ]]):format(upstream.port),
      server = [[
        location = /first { content_by_lua_block {
          local result, err = chat:list_users{ room_id = "x" }
          ngx.print(result and "ok" or tostring(err))
        } }
        location = /second {
          content_by_lua_block { ngx.print("body") }
          log_by_lua_block {
            local core = require "usher.core"
            local started = core.monotonic()
            local _, err = chat:list_users{ room_id = "x" }
            local seconds = core.monotonic() - started
            took = { seconds = seconds, kind = err.kind, sent = err.request_sent }
          } }
        location = /took { content_by_lua_block {
          ngx.print(took.seconds < 0.1, " ", took.kind, " ", took.sent)
        } }
        location = /refused { content_by_lua_block {
          local ok, problem = pcall(usher.qiscus, { app_id = "a", ca_file = "ca.pem" })
          ngx.print(ok, " ", problem)
        } }
      ]],
    }
  end)

  teardown(function()
    server:stop()
    upstream:stop()
  end)

  it("does not wait for the token that another call fetches, nor hold the worker up", function()
    local first = server:begin("GET", "/first")
    local hits
    repeat hits = select(2, upstream:request("GET", "/hits")) until hits ~= "0"
    server:request("GET", "/second")
    local _, body = server:request("GET", "/took")
    assert.equal("true cancelled false", body)
    local _, answer = first.read()
    assert.equal("ok", answer)
  end)

  it("and options that nginx cannot honour are refused with all others", function()
    local _, body = server:request("GET", "/refused")
    assert.truthy(body:find("false", 1, true))
    assert.truthy(body:find("secret is required", 1, true), body)
    assert.truthy(body:find("ca_file cannot be chosen", 1, true), body)
  end)
end)
