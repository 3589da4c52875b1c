-- examples/cqueues.lua as a user runs it: in a process of its own, by LuaJIT, for which Debian has
-- lua-http. That the documented `send` and `sleep` are enough shows in what its calls come to.

local core = require "usher.core"
local provider = require "spec.support.provider"
local slow = require "spec.support.slow_server"

local LUAJIT = os.getenv("LUAJIT") or "luajit"

-- Runs the example with some options of its client: the lines it printed, sorted, and its status.
local function run(options, rooms)
  local words = { "unset $(env | sed -n 's/^\\(USHER_[A-Z]*_[A-Z_]*\\)=.*/\\1/p'); env" }
  for name, value in pairs(options) do
    words[#words + 1] = ("USHER_VCHATCLOUD_%s='%s'"):format(name:upper(), value)
  end
  words[#words + 1] = ("timeout 60 %s examples/cqueues.lua %s 2>&1; echo $?"):format(LUAJIT, rooms)
  local pipe = assert(io.popen(table.concat(words, " ")))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  local status = tonumber(table.remove(lines))
  table.sort(lines)
  return lines, status
end

describe("examples/cqueues.lua", function()
  describe("with the sandbox", function()
    local account, pipe, path

    setup(function()
      path = os.tmpname()
      pipe = assert(io.popen(("exec %s lua/bin/usher sandbox --until-eof --env >%s"):format(
        LUAJIT, path), "w"))
      account = {}
      local give_up = core.monotonic() + 20
      repeat
        assert(core.monotonic() < give_up, "the sandbox does not start")
        core.sleep(0.01)
        for line in io.lines(path) do
          local name, value = line:match("^export USHER_VCHATCLOUD_(%u[%u_]*)='(.*)'$")
          if name then account[name] = value end
        end
      until account.API_KEY and account.BASE_URL
    end)

    teardown(function()
      pipe:close()
      os.remove(path)
    end)

    it("counts the people of each room", function()
      assert.same({ { "room-1: 30 here", "room-2: 0 here" }, 0 }, { run(account, "") })
    end)

    it("says what the provider says, and fails", function()
      local lines, status = run(account, "room-1 nowhere")
      assert.same({ 2, 1 }, { #lines, status })
      assert.matches("nowhere: usher.vchatcloud:list_users: api 10102: ", lines[1], 1, true)
      assert.equal("room-1: 30 here", lines[2])
    end)
  end)

  describe("with a provider that takes its time", function()
    local server

    setup(function() server = slow.start() end)
    teardown(function() server:stop() end)
    before_each(function() server:reset() end)

    local function account(path)
      return { api_key = "a-long-key", token = "a-long-token", base_url = server:url(path) }
    end

    it("has the calls of all rooms in flight at once", function()
      local rooms = "a b c d e f g h"
      local lines, status = run(account("/gather/8"), rooms)
      assert.same({ 8, 0 }, { #lines, status })
      assert.equal(8, server:stats().most_in_flight)
    end)

    it("blocks none of them by a wait for Retry-After", function()
      local lines, status = run(account("/limited/1/1"), "a b c")
      assert.same({ { "a: 0 here", "b: 0 here", "c: 0 here" }, 0 }, { lines, status })
      local targets = server:stats().targets
      assert.equal(4, #targets)
      assert.equal(targets[1], targets[4])
    end)

    it("fetches one token for all", function()
      local options = account("/vchatcloud")
      options.token = nil
      local lines, status = run(options, "a b c d")
      assert.same({ 4, 0, 1 }, { #lines, status, server:stats().tokens })
    end)
  end)

  describe("with a provider that misbehaves", function()
    local server

    setup(function() server = provider.start() end)
    teardown(function() server:stop() end)

    local function said(listener, path)
      local lines, status = run({ api_key = "a-long-key", token = "a-long-token",
        base_url = server:url(listener, path) }, "room")
      assert.same({ 1, 1 }, { #lines, status }, table.concat(lines, "\n"))
      return lines[1]
    end

    local rows = {
      { "refuses the connection", "refused", "/", "network" },
      { "closes it before the answer", "http", "/close_before_reply", "network" },
      { "cuts the answer short", "http", "/truncated", "network" },
      { "cuts the chunks short", "http", "/truncated_chunks", "network" },
      { "sends too much", "http", "/sized/9000000", "too_large" },
      { "sends somewhere else", "http", "/redirect/302/elsewhere", "redirect" },
      { "fails", "http", "/status/404", "http" },
      { "speaks of something else", "http", "/sized/100", "decode" },
    }
    for _, row in ipairs(rows) do
      it("that " .. row[1] .. " gives the error " .. row[4], function()
        assert.matches("room: usher.vchatcloud:list_users: " .. row[4], said(row[2], row[3]), 1,
          true)
      end)
    end
  end)
end)
