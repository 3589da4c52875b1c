-- The table of faults through libcurl: one call after the other, and many at once in usher.map.

local curl = require "usher.transport.curl"
local faults = require "spec.support.faults"
local provider = require "spec.support.provider"
local usher = require "usher"

describe("a fault", function()
  local server
  setup(function() server = provider.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:clear() end)

  local function url_of(row) return server:url(row[2], row[3], row[6]) end

  -- What came of a request, and how often the server saw it.
  local function check(transport, row, request)
    local status, kind, _, sent = transport.send(request)
    if status then kind = nil end
    return faults.problem(row, status, kind, sent)
  end

  local function with_transport(fn)
    local transport = curl.new{ ca_file = server.files.ca_file }
    fn(transport)
    transport.close()
  end

  for _, row in ipairs(faults.rows) do
    it("has the right outcome, alone: " .. row[1], function()
      for _, request in ipairs(faults.requests(url_of(row))) do
        with_transport(function(transport) assert.is_nil(check(transport, row, request)) end)
        if not request.idempotent then assert.truthy(#server:journal() <= 2) end
      end
    end)
  end

  it("has the right outcome for all of them at once, and each request is seen once", function()
    with_transport(function(transport)
      local jobs = {}
      for _, row in ipairs(faults.rows) do
        for _, request in ipairs(faults.requests(url_of(row))) do
          jobs[#jobs + 1] = { row = row, request = request }
        end
      end
      local problems = usher.map(jobs, function(job)
        local problem = check(transport, job.row, job.request)
        return problem and job.row[1] .. ": " .. problem
      end, { concurrency = #jobs })
      assert.same({}, problems)
      local writes = {}
      for _, request in ipairs(server:journal()) do
        if request.method == "POST" then
          local key = request.listener .. request.target
          writes[key] = (writes[key] or 0) + 1
        end
      end
      for target, count in pairs(writes) do assert.equal(1, count, target) end
    end)
  end)
end)
