-- Lua states beside each other in threads, and one after the other; `make tsan` runs these with all
-- of the library's C code watched for data races.

local process = require "spec.lifetime.process"
local provider = require "spec.support.provider"
local slow = require "spec.support.slow_server"

describe("The library", function()
  local answering, misbehaving

  setup(function()
    process.build_host()
    answering, misbehaving = slow.start(), provider.start()
  end)
  teardown(function()
    answering:stop()
    misbehaving:stop()
  end)

  local function run(how, threads, states, ...)
    local output, status = process.run("spec/lifetime/states.lua", how, threads, states,
      answering:url("/delay/0"), ...)
    assert.equal(0, status, output)
    assert.matches("done\n", output, 1, true)
    return output
  end

  local function some(count, where_slow)
    return process.is_slow and where_slow or count
  end

  it("lives in 16 threads of 20 Lua states each, and leaves SIGPIPE as it was", function()
    local output = run("threads", some(16, 4), some(20, 4), misbehaving:url("https"),
      misbehaving.files.ca_file)
    assert.matches("SIGPIPE\tdefault", output, 1, true)
  end)

  it("is loaded by 300 Lua states, one after the other, and takes no more memory", function()
    local output = run("one_after_the_other", 0, some(300, 24))
    assert.matches("mappings more\t0\n", output, 1, true)
    local kilobytes = tonumber(output:match("kilobytes more\t(%-?%d+)"))
    if not process.is_checked then assert.is_true(kilobytes < 1024, kilobytes .. " KiB") end
  end)

  it("may be loaded again in the same state, and the clients of before go on", function()
    run("again", 0, 5)
  end)
end)
