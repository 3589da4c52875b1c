-- Files and rows that are wrong: each is refused with its line and the reason, before anything is
-- sent.

local lines = require "spec.support.line"
local usher = require "usher"

local BOM = "\239\187\191"

-- Imports into Qiscus and Smooch; returns the error, after a look at what was sent: nothing.
local function refused(source, options)
  finally(lines.close_all)
  local line, world = lines.of({ "qiscus", "smooch" }, { ledger = true })
  options = options or {}
  options.failures = lines.path(".csv")
  local summary, err, begun = line:import(source, options)
  assert.is_nil(summary)
  assert.is_nil(begun)
  assert.equal("invalid", err.kind)
  assert.is_table(err.problems)
  assert.equal(0, #world.box.journal)
  assert.is_nil(lines.read(options.failures))
  assert.same({}, assert(world.ledger:import("x")):summary())
  return err
end

local function says(err, words)
  assert.truthy(tostring(err):find(words, 1, true), ("no %q in: %s"):format(words, tostring(err)))
end

-- what, bytes, line, reason, options
local CSV = {
  { "an empty file", "", 1, "has no head" },
  { "a byte order mark and no more", BOM, 1, "has no head" },
  { "empty lines", "\n\r\n\n", 4, "has no head" },
  { "UTF-16, little endian", "\255\254i\0d\0\n\0", 1, "is UTF-16" },
  { "UTF-16, big endian", "\254\255\0i\0d\0\n", 1, "is UTF-16" },
  { "a head without id", "name,email\nBob,b@x\n", 1, "has no column 'id' (its columns are name" },
  { "a head with ID", "ID,name\nu1,Bob\n", 1, "(its columns are ID, name)" },
  { "another delimiter", "id;name\nu1;Bob\n", 1, "has no column 'id' (its columns are id;name)" },
  { "another delimiter in a row", "id,name\nu1;Bob\n", 2, "has 1 field, and the head has 2" },
  { "no head but a person", "u1,Bob\nu2,Ann\n", 1, "has no column 'id'" },
  { "a column twice", "id,name,id\nu1,Bob,u2\n", 1, "has the column 'id' twice" },
  { "a property twice", "id,properties.a,properties.a\nu1,1,2\n", 1, "'properties.a' twice" },
  { "a mapped column that is not there", "id,name\nu1,Bob\n", 1, "has no column 'Full name'",
    { columns = { name = "Full name" } } },
  { "a mapped id that is not there", "id,name\nu1,Bob\n", 1, "has no column 'key' for id",
    { columns = { id = "key" } } },
  { "an open quote in the head", 'id,"name\nu1,Bob\n', 1, "not closed" },
  { "a head in Mac lines", "id,name\ru1,Bob\r", 1, "CR without LF" },
  { "too few fields", "id,name\nu1\n", 2, "has 1 field, and the head has 2" },
  { "too many fields", "id,name\nu1,Bob,\n", 2, "has 3 fields, and the head has 2" },
  { "a line of spaces", "id,name\nu1,Bob\n  \n", 3, "has 1 field, and the head has 2" },
  { "text behind a quote", 'id,name\nu1,"Bob" B\n', 2, "text behind a closing quote" },
  { "a quote in a field", 'id,name\nu1,Bob "B"\n', 2, "quote inside a field" },
  { "an open quote", 'id,name\nu1,Bob\nu2,"Ann\nu3,Eve\n', 3, "has a quote that is not closed" },
  { "a lone quote", 'id,name\nu1,"\n', 2, "has a quote that is not closed" },
  { "a CR alone", "id,name\nu1,Bo\rb\n", 2, "has a CR without LF" },
  { "a row behind fields of many lines", 'id,name\nu1,"B\no\nb"\nu2\n', 5, "has 1 field" },
  { "an empty id", "id,name\nu1,Bob\n,Ann\n", 3, "id is required" },
  { "a row of commas", "id,name,email\nu1,Bob,b@x\n,,\n", 3, "id is required" },
  { "an id twice", "id,name\nu1,Bob\nu2,Ann\nu1,Bob\n", 4, "has the id of line 2" },
  { "an id with a line break", 'id,name\n"u\n1",Bob\n', 2, "id must not hold a control character" },
  { "an id with a NUL", "id,name\nu\0001,Bob\n", 2, "id must not hold a control character" },
  { "an id that is no segment of a path", "id,name\n..,Bob\n", 2, "user_id" },
  { "a name in Latin-1", "id,name\nu1,Bob\nu2,Ren\233e\n", 3, "name: a string must be UTF-8" },
  { "an id in Latin-1", "id,name\nren\233e,Bob\n", 2, "id: a string must be UTF-8" },
  { "a character cut short", "id,name\nu1,Bo\226\130\n", 2, "must be UTF-8" },
  { "a surrogate", "id,name\nu1,Bo\237\160\128\n", 2, "must be UTF-8" },
  { "a longer form than needed", "id,name\nu1,Bo\192\175\n", 2, "must be UTF-8" },
  { "a property in Latin-1", "id,properties.a\nu1,\233\n", 2, "properties: a string must" },
  { "properties that are no JSON", "id,properties\nu1,{a}\n", 2, "JSON object: it is not" },
  { "properties that are a list", 'id,properties\nu1,"[1,2]"\n', 2, "must be a JSON object" },
  { "properties that are an empty list", "id,properties\nu1,[]\n", 2, "must be a JSON object" },
  { "properties that are a text", 'id,properties\nu1,"""a"""\n', 2, "must be a JSON object" },
  { "properties that are null", "id,properties\nu1,null\n", 2, "must be a JSON object" },
  { "a number that would be changed", 'id,properties\nu1,"{""n"":1e300}"\n', 2, "too large" },
  { "a field of more than 1 MiB", "id,name\nu1," .. ("x"):rep(1100000) .. "\n", 2, "1 MiB" },
  { "a row of more than 1 MiB", "id,name\nu1" .. (","):rep(1100000) .. "\n", 2, "1 MiB" },
}

local JSON = {
  { "what is no JSON", "hello\n", 1, "it is not JSON" },
  { "half an object", '{"id":"u1"}\n{"id":"u2"', 2, "it is not JSON" },
  { "two objects in a line", '{"id":"u1"} {"id":"u2"}\n', 1, "it is not JSON" },
  { "a list", '["u1"]\n', 1, "is not a JSON object" },
  { "an empty list", "[]\n", 1, "is not a JSON object" },
  { "a text", '"u1"\n', 1, "is not a JSON object" },
  { "null", "null\n", 1, "is not a JSON object" },
  { "an object over lines", '{\n"id":"u1"}\n', 1, "it is not JSON" },
  { "no id", '{"id":"u1"}\n\n{"name":"Bob"}\n', 3, "id is required" },
  { "an id that is null", '{"id":null}\n', 1, "id is required" },
  { "an id that is a number", '{"id":7}\n', 1, "id must be a string" },
  { "a name that is an object", '{"id":"u1","name":{}}\n', 1, "name must be a string" },
  { "properties that are a text", '{"id":"u1","properties":"a"}\n', 1, "must be an object" },
  { "an unknown field", '{"id":"u1","nmae":"Bob"}\n', 1, "did you mean 'name'?" },
  { "an id twice", '{"id":"u1"}\n{"id":"u2"}\n{"id":"u1"}\n', 3, "has the id of line 1" },
  { "Latin-1", '{"id":"u1","name":"Ren\233e"}\n', 1, "must be UTF-8" },
  { "a NUL", '{"id":"u1"}\0\n', 1, "it is not JSON" },
  { "a line of more than 1 MiB", '{"id":"' .. ("x"):rep(1200000) .. '"}\n', 1, "1 MiB" },
}

describe("A CSV file is refused, and nothing is sent:", function()
  for _, row in ipairs(CSV) do
    it(row[1], function()
      local path = lines.file(".csv", row[2])
      says(refused(path, row[5]), ("%s:%d: "):format(path, row[3]))
      says(refused(lines.file(".csv", row[2]), row[5]), row[4])
    end)
  end
end)

describe("JSON lines are refused, and nothing is sent:", function()
  for _, row in ipairs(JSON) do
    it(row[1], function()
      local path = lines.file(".jsonl", row[2])
      says(refused(path), ("%s:%d: "):format(path, row[3]))
      says(refused(lines.file(".jsonl", row[2])), row[4])
    end)
  end
end)

describe("An iterator is refused, and nothing is sent:", function()
  local function of(items)
    local index = 0
    return function()
      index = index + 1
      return items[index]
    end
  end

  it("items that are no tables, hold what is no JSON, or are wrong", function()
    says(refused(of{ { id = "u1" }, "u2" }, { name = "x" }), "item:2: is not a table")
    says(refused(of{ { id = "u1", properties = { a = print } } }, { name = "x" }), "item:1: ")
    says(refused(of{ { id = "u1" }, { name = "Bob" } }, { name = "x" }), "item:2: id is required")
    says(refused(of{ { id = "u1" }, { id = "u1" } }, { name = "x" }), "item:2: has the id of")
  end)
end)

describe("A source is refused, and nothing is sent:", function()
  it("a path that is not there, a directory, a name that tells no format", function()
    says(refused("/no/such/file.csv"), "/no/such/file.csv: No such file")
    says(refused("/", { format = "csv" }), "/:1: Is a directory")
    says(refused("/", { format = "jsonl" }), "/:1: Is a directory")
    says(refused(lines.file(".txt", "id\nu1\n")), "its name does not tell its format")
    says(refused(lines.file("", "id\nu1\n")), "its name does not tell its format")
  end)

  it("with all that is wrong at once, and no more than fifty of it", function()
    local err = refused(lines.file(".csv", "id,name\n,A\nu1,B\nu1,C\nu2\n"))
    assert.equal(3, #err.problems)
    for i, words in ipairs{ ":2: id is required", ":4: has the id of line 3", ":5: has 1 field" } do
      says(err.problems[i], words)
    end
    err = refused(lines.file(".csv", "id,name\n" .. (",A\n"):rep(200)))
    assert.equal(51, #err.problems)
    says(err.problems[50], ":51: id is required")
    says(err.problems[51], "perhaps more")
    assert.equal(49, #refused(lines.file(".csv", "id,name\n" .. (",A\n"):rep(48) .. "u")).problems)
  end)

  it("one whose failures would be written over another file", function()
    finally(lines.close_all)
    local line, world = lines.of{ "qiscus" }
    local other = lines.file(".csv", "id,name\nprecious,Data\n")
    local _, err = line:import(lines.people(3), { failures = other })
    says(err, "is no file of failed rows")
    assert.equal(0, #world.box.journal)
    assert.equal("id,name\nprecious,Data\n", lines.read(other))
  end)
end)

describe("A person is refused, at the caller's line:", function()
  local refusal = require "spec.support.refusal"

  local function message(person)
    finally(lines.close_all)
    local line, world = lines.of{ "ertc", "qiscus", "smooch" }
    local words = refusal.of(line.upsert, line, person)
    assert.equal(0, #world.box.journal)
    return words
  end

  it("no table, no id, unknown fields, wrong types, other encodings", function()
    says(message(nil), "expected a table, not nil")
    says(message("u1"), "expected a table, not string")
    says(message{}, "id is required")
    says(message{ id = "" }, "id is required")
    says(message{ id = 7 }, "id must be a string")
    says(message{ id = "u1", nmae = "Bob" }, "unknown field 'nmae'; did you mean 'name'?")
    says(message{ id = "u1", "u2" }, "unknown field '1'")
    says(message{ id = "u1", properties = "a" }, "properties must be an object")
    says(message{ id = "u\n1" }, "control character")
    says(message{ id = "..", name = "Bob" }, "user_id")
    says(message{ id = "u1", name = "Ren\233e" }, "UTF-8")
    says(message{ id = "u1", properties = { a = print } }, "properties.a")
  end)

  it("what the line itself is made of", function()
    finally(lines.close_all)
    local _, world = lines.of{ "qiscus" }
    local new = function(options) return usher.onboarding(options) end
    local q = world.clients.qiscus
    says(refusal.of(usher.onboarding, nil), "expected a table")
    for _, case in ipairs{
      { {}, "clients is required" }, { { clients = {} }, "clients is required" },
      { { clients = { qiscus = q }, legder = 1 }, "unknown option 'legder'" },
      { { clients = { smooch = q } }, "clients.smooch must be a client of usher.smooch" },
      { { clients = { qiscus = {} } }, "clients.qiscus must be a client" },
      { { clients = { qiscus = q }, ledger = "a.db" }, "ledger must be what usher.ledger.open" },
    } do
      local ok, words = pcall(new, case[1])
      assert.is_false(ok)
      says(words, case[2])
    end
  end)
end)
