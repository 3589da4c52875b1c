-- The JSON reader beside two others: cjson, where cjson is exact, and the specs' own reader, which
-- also says what is no JSON. Each document has a number of its own: json.random(number) makes it
-- again.

local cjson = require "cjson"
local core = require "usher.core"
local json = require "spec.support.json"

local decode = core.decode

local DOCUMENTS, CHUNK = 100000, 10000

local function complain(number, text, what)
  error(("document %d, %s: %q"):format(number, what, text), 2)
end

describe("a document", function()
  for first = 1, DOCUMENTS, CHUNK do
    local last = first + CHUNK - 1
    -- One part is enough where everything takes thirty times as long.
    local tag = first == 1 and "" or "#build "
    it(("%sis read as cjson reads it: %d to %d"):format(tag, first, last), function()
      local depths, numbers = 0, 0
      for number = first, last do
        local text = json.document(json.random(number))
        local value, why = decode(text)
        if value == nil then complain(number, text, why) end
        local path = json.difference(cjson.decode(text), value, true)
        if path then complain(number, text, path .. " differs") end
        if text:find("[[{][^\"]*[[{]") then depths = depths + 1 end
        if text:find("%d%.%d") then numbers = numbers + 1 end
      end
      -- They are as varied as they are meant to be.
      assert.is_true(depths > CHUNK / 10 and numbers > CHUNK / 10)
    end)
  end

  it("that is damaged is read, or refused, as by the specs' own reader", function()
    local taken, left = 0, 0
    for number = 1, 20000 do
      local random = json.random(number)
      local text = json.damaged(json.document(random), random)
      local expected = json.read(text)
      local value, why = decode(text)
      if expected and value == nil then complain(number, text, why) end
      if not expected and value ~= nil then complain(number, text, "it is read") end
      local path = expected and json.difference(expected[1], value)
      if path then complain(number, text, path .. " differs") end
      if expected then taken = taken + 1 else left = left + 1 end
    end
    assert.is_true(taken > 2000 and left > 10000)
  end)
end)
