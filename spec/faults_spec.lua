-- The table of faults through libcurl, with real clients: one call after the other, and many at
-- once in usher.map.

local calls = require "spec.support.calls"
local faults = require "spec.support.faults"
local process = require "spec.support.process"
local provider = require "spec.support.provider"

local cjson = require "cjson.safe"

local CONCURRENCY = 64
local SHARES = 24 -- processes that meet slow faults, each alone
local MEGABYTE = 1048576

-- Everything takes longer, and more memory, under valgrind and the sanitizers.
local CHECKED = (os.getenv("UNDER") or "") ~= ""

-- How far the memory of the process may rise: what is too large has a limit of 1 MB a call; 2 MB of
-- JSON that is nothing but small tables are 40 times as much in Lua.
local ceilings = { size = 16 * MEGABYTE, framing = 16 * MEGABYTE, content = 100 * MEGABYTE }

describe("under every fault", function()
  local server, lone_server, children
  local met = 0

  -- Where it is met; patience: seconds before a call is given up whose fault takes time.
  local function place_of(transport, upstream, patience)
    local urls = {}
    for listener in pairs(upstream.ports) do urls[listener] = upstream:url(listener, "") end
    return { transport = transport, urls = urls, ca_file = upstream.files.ca_file,
      patience = patience * (CHECKED and 5 or 1), checked = CHECKED }
  end

  -- They take longer than anything else here, so they begin first.
  local function start_children()
    children = {}
    local place = place_of("blocking", lone_server, 1)
    for share = 1, SHARES do
      children[share] = process.start("spec/support/walk.lua", cjson.encode{
        place = place, slow = true, share = share - 1, shares = SHARES })
    end
  end

  setup(function()
    server, lone_server = provider.start(), provider.start()
    start_children()
  end)
  teardown(function()
    for _, child in ipairs(children) do child:close() end
    server:stop()
    lone_server:stop()
    print(("\n%d fault outcomes"):format(met))
  end)
  before_each(function() server:clear() end)

  local function judge(jobs, outcomes, journal)
    met = met + #jobs
    assert.truthy(#jobs > 0)
    assert.same({}, calls.problems(jobs, outcomes, journal))
  end

  local function walk(jobs, concurrency)
    local before = process.settled_descriptors()
    local outcomes = calls.walk(jobs, concurrency)
    local after = process.settled_descriptors()
    judge(jobs, outcomes, server:journal())
    assert.equal(before, after)
  end

  for _, family in ipairs(faults.families) do
    it(("of %s each call ends as it should, alone"):format(family), function()
      local rise = process.watch_memory()
      walk(calls.jobs(place_of("blocking", server, 1), family, false))
      local ceiling = not CHECKED and ceilings[family] or math.huge
      assert.truthy((rise() or 0) < ceiling, rise())
    end)

    it(("of %s each call ends as it should, many at once"):format(family), function()
      walk(calls.jobs(place_of("map", server, 1), family, false), CONCURRENCY)
    end)
  end

  it("that takes time each call ends as it should, many at once", function()
    local jobs = calls.jobs(place_of("map", server, 3), nil, true)
    walk(jobs, #jobs)
  end)

  it("that takes time each call ends as it should, alone", function()
    local outcomes = {}
    for _, child in ipairs(children) do
      for _, pair in ipairs(assert(cjson.decode(child:read("*a")))) do
        outcomes[pair[1]] = pair[2]
      end
    end
    local jobs = calls.jobs(place_of("blocking", lone_server, 1), nil, true)
    judge(jobs, outcomes, lone_server:journal())
  end)
end)
