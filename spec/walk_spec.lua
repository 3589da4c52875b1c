-- A long walk through pages, on a provider whose tokens expire: spec/walk has its rows, which are
-- built into a copy of this tree, and the walk. A token runs out by the client's clock, another
-- dies early and is refused; in the middle come a 503 and a 500.

local files = require "spec.support.files"
local trees = require "spec.support.tree"

describe("#build A walk", function()
  local tree

  setup(function()
    tree = trees.copy{ "spec/walk" }
    tree:write("src/providers/walker.c", files.read "spec/walk/walker.c")
    tree:make()
  end)
  teardown(function() tree:remove() end)

  -- What lists one user more than fills its pages asks for a last, empty page.
  for _, row in ipairs{ { "list_by_number", 100000 }, { "list_by_skip", 100000 },
    { "list_by_time", 100000 }, { "list_by_time", 100000, "forward" } } do
    local method, count, direction = row[1], row[2], row[3] or ""
    it(("of %s meets each of %d users once, %s"):format(method, count, direction), function()
      local said, status = tree:run(("spec/walk/walk.lua %s %d %s"):format(method, count,
        direction))
      assert.equal(0, status, said)
      local walked, requests, tokens, kilobytes = said:match("^(%d+) (%d+) (%d+) (%d+)\n$")
      assert.equal(count, tonumber(walked), said)
      assert.equal(3, tonumber(tokens)) -- the first one, and twice another
      local pages, failures, refused = count / 100 + 1, 2, 1
      assert.equal(pages + failures + refused + 3, tonumber(requests))
      assert.is_true(tonumber(kilobytes) < 64, said)
    end)
  end
end)
