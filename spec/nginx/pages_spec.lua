-- Lists that come in pages, walked in nginx: the worker waits for none of them.

local nginx = require "spec.support.nginx"

local UPSTREAM_HTTP = [[
  init_by_lua_block { running, most = 0, 0 }
]]

-- 250 users, 50 a page, each page after 20 ms.
local UPSTREAM = [[
  location / { content_by_lua_block {
    running = running + 1
    most = math.max(most, running)
    ngx.sleep(0.02)
    local rows = {}
    for i = tonumber(ngx.var.arg_page or 1) * 50 - 49, tonumber(ngx.var.arg_page or 1) * 50 do
      if i <= 250 then rows[#rows + 1] = ('{"id":%d}'):format(i) end
    end
    running = running - 1
    ngx.header.content_type = "application/json"
    ngx.print('{"results":{"users":[', table.concat(rows, ","), ']},"status":200}')
  } }
  location = /most { content_by_lua_block { ngx.print(most) } }
]]

local GATEWAY = [[
  location = /walk { content_by_lua_block {
    local kept = require("spec.nginx.run").kept
    kept.client = kept.client or require("usher").qiscus{
      app_id = "app", secret = "s3cret", base_url = ngx.var.arg_base }
    local count = 0
    for user in kept.client:pages("get_user_list", { limit = 50 }) do
      count = count + 1
      assert(user.id == count)
    end
    ngx.print(count)
  } }
  location = /map { content_by_lua_block {
    local usher = require "usher"
    local client = usher.qiscus{ app_id = "app", secret = "s3cret", base_url = ngx.var.arg_base }
    local results = usher.map(client:pages("get_user_list", { limit = 50 }), function(user)
      ngx.sleep(0.001)
      return user.id
    end, { concurrency = 8 })
    client:close()
    ngx.print(#results, " ", results[250])
  } }
]]

describe("client:pages in nginx", function()
  local upstream, server

  setup(function()
    upstream = nginx.start{ http = UPSTREAM_HTTP, server = UPSTREAM }
    server = nginx.start{ server = GATEWAY }
  end)
  teardown(function()
    if server then server:stop() end
    if upstream then upstream:stop() end
  end)

  local function base() return "http://localhost:" .. upstream.port end

  it("walks for many requests at once, with one client and one worker", function()
    local begun = {}
    for i = 1, 8 do begun[i] = server:begin("GET", "/walk?base=" .. base()) end
    for _, request in ipairs(begun) do
      local status, body = request.read()
      assert.same({ 200, "250" }, { status, body })
    end
    local _, most = upstream:request("GET", "/most")
    assert.is_true(tonumber(most) >= 4, most)
  end)

  it("gives usher.map its items", function()
    local status, body = server:request("GET", "/map?base=" .. base())
    assert.same({ 200, "250 250" }, { status, body })
  end)
end)
