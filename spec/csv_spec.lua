-- CSV as RFC 4180 has it, whatever the pieces in which the file is read.

local csv = require "usher.onboarding.csv"

-- A file that hands out `size` bytes at a time.
local function file_of(text, size)
  local at = 1
  return {
    read = function()
      if at > #text then return nil end
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece
    end,
  }
end

-- All records, each with its line in front; and what is wrong.
local function read_all(text, size, delimiter)
  local reader, records = csv.reader(file_of(text, size or 65536), delimiter), {}
  while true do
    local record, line, problem = reader:read()
    if not record then return records, problem, line end
    table.insert(record, 1, line)
    records[#records + 1] = record
  end
end

local SIZES = { 1, 2, 3, 5, 65536 }

local function reads(text, expected, delimiter)
  for _, size in ipairs(SIZES) do
    local records, problem = read_all(text, size, delimiter)
    assert.is_nil(problem)
    assert.same(expected, records, "in pieces of " .. size)
  end
end

describe("A CSV reader", function()
  it("reads records, LF or CR LF, with the last line break or without", function()
    reads("a,b\r\nc,d\r\n", { { 1, "a", "b" }, { 2, "c", "d" } })
    reads("a,b\nc,d", { { 1, "a", "b" }, { 2, "c", "d" } })
  end)

  it("leaves a byte order mark out, and only at the start", function()
    reads("\239\187\191a,b\n\239\187\191c,d\n", { { 1, "a", "b" }, { 2, "\239\187\191c", "d" } })
    reads('\239\187\191"a"\n', { { 1, "a" } })
  end)

  it("reads quotes, delimiters and line breaks inside quotes", function()
    reads('"a ""b""","c,d"\n"e\r\nf\n","""\n""",\n', {
      { 1, 'a "b"', "c,d" }, { 2, "e\r\nf\n", '"\n"', "" },
    })
  end)

  it("keeps spaces and empty fields", function()
    reads(' a ,,"",\n,\n', { { 1, " a ", "", "", "" }, { 2, "", "" } })
  end)

  it("leaves empty lines out, and counts them", function()
    reads('\n\na\n\r\n""\nb\n\n', { { 3, "a" }, { 6, "b" } })
  end)

  it("counts the lines inside quotes", function()
    reads('"a\nb\n",c\nd,"e\n"\nf,g\n',
      { { 1, "a\nb\n", "c" }, { 4, "d", "e\n" }, { 6, "f", "g" } })
  end)

  for _, delimiter in ipairs{ ";", "\t", "|", "]", "^", "-", "%", ".", "a", " " } do
    it(("reads fields between %q"):format(delimiter), function()
      reads(("x%s\"y%s,\"\r\n"):format(delimiter, delimiter),
        { { 1, "x", "y" .. delimiter .. "," } }, delimiter)
    end)
  end

  it("refuses a delimiter that cannot be one", function()
    for _, delimiter in ipairs{ "", ",,", '"', "\r", "\n", "\0" } do
      assert.is_string(csv.delimiter_problem(delimiter))
    end
    assert.is_nil(csv.delimiter_problem("\t"))
  end)

  local wrong = {
    { 'a,b\n"c', 2, "not closed" }, { 'a\n"c""', 2, "not closed" }, { '"\n\n\n', 1, "not closed" },
    { 'a\n"b"c\n', 2, "behind a closing quote" }, { 'a\n"b" ,c\n', 2, "behind a closing quote" },
    { 'a\nb"c\n', 2, "quote inside" }, { 'a\nb,c"\n', 2, "quote inside" },
    { "a\rb\n", 1, "CR without LF" }, { '"a"\rb', 1, "CR without LF" },
    { "a\nb\r", 2, "CR without LF" },
    { "\255\254a\0", 1, "UTF-16" }, { "\254\255\0a", 1, "UTF-16" },
  }
  for _, row in ipairs(wrong) do
    it(("refuses %q, with its line"):format(row[1]), function()
      for _, size in ipairs(SIZES) do
        local _, problem, line = read_all(row[1], size)
        assert.truthy(problem and problem:find(row[3], 1, true), tostring(problem))
        assert.equal(row[2], line)
      end
    end)
  end

  it("refuses a field and a record longer than 1 MiB, and reads one of 1 MB", function()
    local records = read_all('a\n"' .. ("x"):rep(1000000) .. '"\n')
    assert.equal(1000000, #records[2][2])
    for _, long in ipairs{ ("x"):rep(1100000), '"' .. ("x\n"):rep(600000), ("x,"):rep(600000) } do
      local _, problem, line = read_all("a\n" .. long)
      assert.truthy(problem and problem:find("1 MiB", 1, true))
      assert.equal(2, line)
    end
  end)

  it("tells a file that cannot be read from one that ended", function()
    local broken = file_of("a,b\nc,", 65536)
    local read = broken.read
    function broken.read()
      local piece = read()
      if piece then return piece end
      return nil, "Input/output error", 5
    end
    local reader = csv.reader(broken)
    reader:read()
    local record, line, problem = reader:read()
    assert.is_nil(record)
    assert.same({ 2, "Input/output error" }, { line, problem })
  end)

  it("reads what is written, whatever is in it", function()
    local bytes = { "a", "Z", ",", ";", '"', "\r", "\n", "\r\n", " ", "é", "\0", '""' }
    math.randomseed(4180)
    for round = 1, 300 do
      local records, text = {}, {}
      for r = 1, 3 do
        local record = {}
        for f = 1, 3 do
          local field = {}
          for i = 1, math.random(0, 6) do field[i] = bytes[math.random(#bytes)] end
          record[f] = table.concat(field)
        end
        records[r], text[r] = record, csv.line(record)
      end
      local found = read_all(table.concat(text), SIZES[round % #SIZES + 1])
      for _, record in ipairs(found) do table.remove(record, 1) end
      assert.same(records, found)
    end
  end)

  it("writes a single empty field so that it is no empty line", function()
    assert.equal('""\r\n', csv.line{ "" })
    assert.equal('a;"b;"\r\n', csv.line({ "a", "b;" }, ";"))
  end)
end)
