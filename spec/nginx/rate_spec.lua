-- A rate limit that names a lua_shared_dict counts for all workers of an nginx.

local nginx = require "spec.support.nginx"
local socket = require "socket"

local UPSTREAM_HTTP = "init_by_lua_block { hits, first, last = 0, 0, 0 }"
local UPSTREAM = [[
  location = /seen { content_by_lua_block { ngx.print(hits, " ", last - first) } }
  location / { content_by_lua_block {
    ngx.update_time()
    last = ngx.now()
    if hits == 0 then first = last end
    hits = hits + 1
    ngx.print('{"results":{},"status":200}')
  } }
]]

-- Two workers that each make ten calls as soon as they are up.
local WORKERS = [[
  lua_shared_dict limits 1m;
  init_by_lua_block {
    chat = require("usher").qiscus{ app_id = "a", secret = "secret",
      base_url = "http://127.0.0.1:%s", rate = { per_second = 40, burst = 1%s } }
  }
  init_worker_by_lua_block {
    ngx.timer.at(0, function()
      for _ = 1, 10 do assert(chat:user_profile{ user_id = "bob" }) end
    end)
  }
]]

describe("a rate limit in nginx", function()
  -- The seconds between the first and the last of twenty calls by two workers.
  local function seconds_of_twenty(dict)
    local upstream = nginx.start{ http = UPSTREAM_HTTP, server = UPSTREAM }
    local server = nginx.start{ workers = 2, http = WORKERS:format(upstream.port, dict) }
    local give_up = socket.gettime() + 20
    local hits, seconds
    repeat
      local _, body = upstream:request("GET", "/seen")
      hits, seconds = body:match("^(%d+) ([%d.]+)")
    until hits == "20" or socket.gettime() > give_up
    local log = server:log()
    server:stop()
    upstream:stop()
    assert.equal("20", hits, log)
    return tonumber(seconds)
  end

  it("counts for all workers when it names a shared dictionary", function()
    assert.truthy(seconds_of_twenty(', dict = "limits"') >= 19 / 40 - 0.02)
  end)

  it("counts for each worker alone when it names none", function()
    local seconds = seconds_of_twenty("")
    assert.truthy(seconds >= 9 / 40 - 0.02)
    assert.truthy(seconds < 19 / 40)
  end)
end)
