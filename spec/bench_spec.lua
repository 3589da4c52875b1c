-- The benchmark's arithmetic and its verdicts, on made-up samples: nothing is measured here.

local figures = require "spec.bench.figures"
local plan = require "spec.bench.plan"
local plot = require "spec.bench.plot"
local report = require "spec.bench.report"

local function samples(metric, ...)
  local series = {}
  for round, value in ipairs{ ... } do
    local sample = { calls = 10, wall = 0, cpu = 0, process = 0, rss = 0 }
    sample[metric] = value and value * sample.calls
    series[round] = value and sample or nil
  end
  return series
end

local function programs()
  return {
    { name = "c", title = "C", reference = true, libcurl = true },
    { name = "usher-5.4", title = "usher, Lua 5.4", lua = "Lua 5.4", ours = true, libcurl = true },
    { name = "lcurl-5.4", title = "Lua-cURLv3, Lua 5.4", lua = "Lua 5.4", libcurl = true },
    { name = "socket-5.4", title = "luasocket, Lua 5.4", lua = "Lua 5.4", cjson = true },
    { name = "http-jit", title = "lua-http, LuaJIT", lua = "LuaJIT", cjson = true },
    { name = "requests", title = "requests" },
  }
end

-- Costs a call of each program, the same every round.
local function bench_with(workload, costs)
  local results, metric = { stock = {}, fixed = {} }, workload.figure
  for name, cost in pairs(costs) do
    for _, of_library in pairs(results) do of_library[name] = samples(metric, cost, cost, cost) end
  end
  local libraries = { { name = "stock", version = "7.88.1", fixed = false },
    { name = "fixed", version = "8.14.1", fixed = true } }
  return { rounds = 3, workloads = { workload }, libraries = libraries, programs = programs(),
    results = { [workload.name] = results } }, libraries
end

describe("the benchmark's figures", function()
  it("have the middle value for their median, or the mean of the middle two", function()
    local values = { 9, 1, 5 }
    assert.equal(5, figures.median(values))
    assert.same({ 9, 1, 5 }, values)
    assert.equal(3, figures.median{ 4, 100, 1, 2 })
    assert.is_nil(figures.median{})
  end)

  it("compare round by round, not the medians", function()
    local ours, theirs = samples("cpu", 2, 20, 6), samples("cpu", 1, 20, 2)
    assert.equal(2, figures.ratio(ours, theirs, 3, "cpu")) -- of the medians it would be 3
  end)

  it("leave out a round that one of the two lacks", function()
    local ours, theirs = samples("cpu", 2, false, 6), samples("cpu", 1, 5, 2)
    assert.equal(2.5, figures.ratio(ours, theirs, 3, "cpu"))
    assert.is_nil(figures.ratio({}, theirs, 3, "cpu"))
    assert.equal(4, figures.value(ours, 3, "cpu"))
  end)

  it("find the best of the candidates", function()
    local slow, fast = { samples = samples("wall", 8, 8) }, { samples = samples("wall", 4, 4) }
    local ratio, best = figures.against_best(samples("wall", 6, 6),
      { slow, fast, { samples = {} } }, 2, "wall")
    assert.equal(1.5, ratio)
    assert.equal(fast, best)
  end)

  it("meet a limit that they are at, not one that they are above", function()
    assert.equal("met", figures.verdict(1.2, 1.2))
    assert.equal("not met", figures.verdict(1.21, 1.2))
    assert.equal("", figures.verdict(nil, 1.2))
  end)

  it("are taken in an order that has all of them once", function()
    local order = figures.shuffle({ 1, 2, 3, 4 }, function() return 1 end)
    assert.same({ 2, 3, 4, 1 }, order)
  end)
end)

describe("the benchmark's plan", function()
  local names = {}
  for _, workload in ipairs(plan.workloads) do names[workload.name] = workload end

  it("has a workload for each target and each point of a curve", function()
    for _, target in ipairs(plan.targets) do assert.is_table(names[target.workload]) end
    for _, curve in ipairs(plan.growth) do
      for _, point in ipairs(curve.points) do assert.is_table(names[point[2]]) end
    end
  end)

  it("has the reference first and usher on both interpreters", function()
    local bench = { programs = plan.programs{ lua54 = "a", luajit = "b", python = "c" } }
    assert.is_true(report.reference(bench).reference)
    assert.equal("a", report.ours(bench, "Lua 5.4").command[1])
    assert.equal("b", report.ours(bench, "LuaJIT").command[1])
  end)
end)

describe("the benchmark's report", function()
  local workload = { name = "user-http", title = "(a)", figure = "cpu", letter = "a" }
  local costs = { c = 10, ["usher-5.4"] = 12, ["lcurl-5.4"] = 11, ["socket-5.4"] = 16,
    ["http-jit"] = 8, requests = 24 }

  it("compares with the best peer of the interpreter, and with those of no interpreter", function()
    local bench, libraries = bench_with(workload, costs)
    local ratio, best = report.lead(bench, workload, libraries[2], "Lua 5.4")
    assert.near(12 / 11, ratio, 1e-9)
    assert.equal("lcurl-5.4", best.name)
    bench.results["user-http"].stock.requests = samples("cpu", 6, 6, 6)
    ratio, best = report.lead(bench, workload, libraries[2], "Lua 5.4")
    assert.equal(2, ratio)
    assert.equal("requests", best.name)
  end)

  it("need not be ahead of peers that reuse handles which may not be reused", function()
    local bench, libraries = bench_with(workload, costs)
    local ratio, best = report.lead(bench, workload, libraries[1], "Lua 5.4")
    assert.equal(0.75, ratio)
    assert.equal("socket-5.4", best.name)
  end)

  it("measures against the ideal time of calls that wait", function()
    local waiting = { name = "delay", title = "20 ms", figure = "wall", delay = 0.020,
      in_flight = 10 }
    local bench, libraries = bench_with(waiting, { c = 0.002, ["usher-5.4"] = 0.003 })
    local target = { workload = "delay", figure = "wall", against = "ideal", limits = { 1, 1 } }
    assert.near(1.5, report.figure_of(bench, target, libraries[1], "Lua 5.4"), 1e-9)
  end)

  it("says of each target whether it is met", function()
    local bench = bench_with(workload, costs)
    local own = { targets = { { workload = "user-http", figure = "cpu", against = "reference",
      limits = { 1.2, 1 } } }, growth = {} }
    local text = report.markdown(bench, own)
    assert.truthy(text:find("| 1.20, met", 1, true))
    own.targets[1].limits[1] = 1.19
    text = report.markdown(bench, own)
    assert.truthy(text:find("| 1.20, not met", 1, true))
  end)

  it("says which program failed, and compares with the others", function()
    local bench, libraries = bench_with(workload, costs)
    bench.results["user-http"].fixed["lcurl-5.4"] = { problem = "status 500" }
    local _, best = report.lead(bench, workload, libraries[2], "Lua 5.4")
    assert.equal("socket-5.4", best.name)
    local text = report.markdown(bench, { targets = {}, growth = {} })
    assert.truthy(text:match("| Lua%-cURLv3, Lua 5%.4 +| 1%.10 +| failed"))
  end)

  it("draws a bar for each program and a curve for C and for usher", function()
    local bench = bench_with(workload, costs)
    bench.workloads[2] = { name = "two", title = "two", figure = "cpu", peers = false }
    bench.results.two = bench.results["user-http"]
    for _, series in pairs(bench.results.two.fixed) do
      for _, sample in ipairs(series) do sample.wall = sample.cpu end
    end
    local svg = plot.svg(bench, { growth = { { title = "in flight", unit = "calls/s",
      per_call = true, points = { { 1, "user-http" }, { 8, "two" } } } } })
    local _, bars = svg:gsub('<rect x="', "")
    local _, curves = svg:gsub('stroke%-width="2"', "")
    assert.equal(6, bars)
    assert.equal(2, curves)
    assert.falsy(svg:find("nan", 1, true))
  end)
end)
