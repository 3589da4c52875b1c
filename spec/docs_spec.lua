-- The documentation is that of the rows, its guides run and print what stands in them, and every
-- link leads somewhere. docs/ is written by `make docs`.

local docs = dofile(".ci/docs.lua")
local examples = dofile(".ci/docs/examples.lua")
local markdown = dofile(".ci/docs/markdown.lua")
local files = require "spec.support.files"
local usher = require "usher"

local INTERPRETER = rawget(_G, "jit") and (os.getenv("LUAJIT") or "luajit")
  or _VERSION == "Lua 5.4" and (os.getenv("LUA54") or "lua5.4") or "lua5.1"

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function names_in(directory)
  local names = {}
  for name in output_of("ls " .. directory):gmatch("[^\n]+") do names[#names + 1] = name end
  return names
end

local function keys(map)
  local list = {}
  for key in pairs(map) do list[#list + 1] = key end
  table.sort(list)
  return list
end

local site = docs.files()
local unpack = unpack or table.unpack -- luacheck: globals unpack table.unpack

describe("docs/", function()
  it("has the files that make docs writes, and no other", function()
    local names = names_in("docs")
    table.sort(names)
    assert.same(keys(site), names)
  end)

  for _, name in ipairs(keys(site)) do
    it("has " .. name .. " as make docs writes it", function()
      local kept = files.read("docs/" .. name)
      assert.is_true(site[name] == kept, "docs/" .. name .. ": run make docs")
    end)
  end
end)

-- --- links --------------------------------------------------------------------------------------

local function ids_of(text)
  local ids = {}
  for id in text:gmatch('id="([^"]+)"') do ids[id] = (ids[id] or 0) + 1 end
  return ids
end

-- What is wrong with a link of a page, or nil.
local function link_problem(page, link)
  if link:find("^https://") then return nil end
  local file, id = link:match("^([%w_.-]*)#?(.*)$")
  if not file then return "leads out of the site" end
  local target = site[file == "" and page or file]
  if not target then return "no such file" end
  if id ~= "" and not ids_of(target)[id] then return "no such place" end
end

local function dead_links(page, text)
  local problems = {}
  for link in text:gmatch('href="([^"]*)"') do
    local problem = link_problem(page, link)
    if problem then problems[#problems + 1] = ("%s: %s: %s"):format(page, link, problem) end
  end
  return problems
end

local function pages() -- only what is HTML
  local list = {}
  for _, name in ipairs(keys(site)) do
    if name:find("%.html$") then list[#list + 1] = name end
  end
  return list
end

local EMPTY = { meta = true, link = true, input = true, wbr = true }

-- The first tag of a page that does not close what is open, or nil.
local function tag_problem(text)
  local open = {}
  for slash, name in text:gsub("^<!doctype html>", ""):gmatch("<(/?)(%w+)") do
    if slash == "/" and table.remove(open) ~= name then return "</" .. name .. ">" end
    if slash == "" and not EMPTY[name] then open[#open + 1] = name end
  end
  return open[1] and "<" .. open[1] .. ">"
end

describe("The pages", function()
  it("close every tag that they open", function()
    for _, page in ipairs(pages()) do assert.is_nil(tag_problem(site[page]), page) end
    for _, text in ipairs{ "<p>", "<p></b>", "</p>", "<b><p></b></p>" } do
      assert.truthy(tag_problem(text), text)
    end
  end)

  it("have no dead link", function()
    for _, page in ipairs(pages()) do assert.same({}, dead_links(page, site[page])) end
  end)

  it("would be seen to have one", function()
    for _, link in ipairs{ "nowhere.html", "#nowhere", "errors.html#nowhere", "../README.md",
      "http://example.com" } do
      assert.equal(1, #dead_links("index.html", ('<a href="%s">'):format(link)), link)
    end
  end)

  it("name each place once", function()
    for _, page in ipairs(pages()) do
      for id, count in pairs(ids_of(site[page])) do assert.equal(1, count, page .. "#" .. id) end
    end
  end)

  it("are found by the search at places that exist", function()
    local count = 0
    for url in site["search.js"]:gmatch('\n%["[^\n]-","([%w_.-]+%.html#?[%w_.-]*)",') do
      assert.is_nil(link_problem("index.html", url), url)
      count = count + 1
    end
    local _, entries = site["search.js"]:gsub("\n%[", "")
    assert.equal(entries, count)
  end)

  it("load nothing from elsewhere, and fetch nothing", function()
    for _, text in pairs(site) do
      for target in text:gmatch('src="([^"]*)"') do assert.truthy(site[target], target) end
      for target in text:gmatch('<link [^>]*href="([^"]*)"') do
        assert.truthy(site[target], target)
      end
    end
    local code = site["style.css"] .. site["site.js"]
    for _, word in ipairs{ "@import", "url(", "fetch(", "XMLHttpRequest", "import(" } do
      assert.is_nil(code:find(word, 1, true), word)
    end
  end)
end)

-- --- the colours -------------------------------------------------------------------------------

-- As the Web Content Accessibility Guidelines reckon.
local function luminance(colour)
  local parts, sum = { 0.2126, 0.7152, 0.0722 }, 0
  for i = 1, 3 do
    local from = colour:len() == 4 and i + 1 or 2 * i
    local digits = colour:len() == 4 and colour:sub(from, from):rep(2) or colour:sub(from, from + 1)
    local value = tonumber(digits, 16) / 255
    sum = sum + parts[i] * (value <= 0.03928 and value / 12.92 or ((value + 0.055) / 1.055) ^ 2.4)
  end
  return sum
end

local function contrast(a, b)
  local x, y = luminance(a), luminance(b)
  return (math.max(x, y) + 0.05) / (math.min(x, y) + 0.05)
end

local function colours(text)
  local found = {}
  for name, value in text:gmatch("%-%-(%w+[%w-]*): (#%x+)") do found[name] = value end
  return found
end

describe("The colours", function()
  local light, dark = site["style.css"]:match(":root(.-)@media(.-)\n}\n")

  for scheme, text in pairs{ light = light, dark = dark } do
    it("can be read, " .. scheme, function()
      local palette = colours(text)
      for _, ink in ipairs{ "text", "soft", "faint", "link", "accent", "green", "blue", "amber",
        "red", "violet" } do
        for _, paper in ipairs{ "page", "side", "panel", "mark" } do
          local ratio = contrast(palette[ink], palette[paper])
          assert.is_true(ratio >= 4.5, ("--%s on --%s: %.2f"):format(ink, paper, ratio))
        end
      end
    end)
  end

  it("would be seen where they are too faint", function()
    assert.is_true(contrast("#8a94a0", "#fff") < 4.5)
    assert.equal(21, math.floor(contrast("#000", "#ffffff") + 0.5))
  end)
end)

-- --- the reference ------------------------------------------------------------------------------

describe("The reference", function()
  for _, name in ipairs(usher.providers()) do
    it("has every method of " .. name .. ", its arguments, and an example", function()
      local page = site[name .. ".html"]
      for _, method in ipairs(usher.describe(name).methods) do
        local section = page:match('<section class="method" id="' .. method.name
          .. '">(.-)</section>')
        assert.truthy(section, method.name)
        for _, row in ipairs(method.parameters) do
          assert.truthy(section:find(('id="%s.%s"'):format(method.name, row.name), 1, true))
        end
        for _, figure in ipairs{ "Call", "Request", "Answer" } do
          assert.truthy(section:find("<figcaption>" .. figure, 1, true), method.name)
        end
        assert.truthy(section:find('<span class="sure ' .. method.certainty, 1, true))
        assert.truthy(section:find('<h3>Errors</h3>.*<a href="#errors">'), method.name)
      end
    end)

    it("tells how " .. name .. " says no", function()
      local section = site[name .. ".html"]:match('<section id="errors">(.-)</section>')
      local envelope = usher.describe(name).envelope
      for _, part in ipairs{ envelope.code, unpack(envelope.messages) } do
        assert.truthy(section:find("<code>" .. part .. "</code>", 1, true), part)
      end
      assert.equal(envelope.refusal ~= "never", section:find("An answer of 2xx", 1, true) ~= nil)
      assert.truthy(section:find('<li><a href="errors.html#http">', 1, true))
    end)
  end

  it("has calls that can be read as Lua", function()
    local vectors = require "spec.vectors.smooch"
    for _, method in ipairs(usher.describe("smooch").methods) do
      local call = examples.call(method, examples.best(vectors, method.name))
      local path = os.tmpname()
      local file = assert(io.open(path, "wb"))
      file:write("local client, usher; return " .. call)
      file:close()
      local chunk, problem = loadfile(path)
      os.remove(path)
      assert(chunk, problem)
    end
  end)

  it("breaks JSON into lines and changes no byte of its strings", function()
    assert.equal('{\n  "a": [\n    1,\n    "x,{\\":}"\n  ],\n  "b": {}\n}',
      examples.pretty('{"a":[1,"x,{\\":}"],"b":{}}'))
  end)

  it("names every kind of error that there is", function()
    local known = {}
    for kind in files.read("src/core/error.c"):match("us_kind_names%[.-%] = {(.-)}")
      :gmatch('"([%w_]+)"') do known[kind] = true end
    local told = {}
    for id in site["errors.html"]:gmatch('<div id="([%w_]+)">') do told[id] = true end
    for kind in pairs(known) do assert.is_true(told[kind], kind) end
  end)
end)

-- --- the guides ---------------------------------------------------------------------------------

local MARK = "\1\n"

-- The program of a guide: its Lua blocks, one after the other; and what each is said to print.
local function program_of(guide)
  local code, said = {}, {}
  for i, block in ipairs(guide.blocks) do
    if block.language == "lua" and not block.text:find("^%-%- not run here: %S") then
      local after = guide.blocks[i + 1]
      code[#code + 1] = block.text
      said[#said + 1] = after and after.language == "text" and after.text or false
    end
  end
  return table.concat(code, ("io.write %q\n"):format(MARK)), said
end

-- The paths of this suite, from another directory.
local function paths(here)
  local function absolute(path) return (path:gsub(";%./", ";" .. here .. "/")) end
  return ("package.path = %q\npackage.cpath = %q\n"):format(absolute(";" .. package.path),
    absolute(";" .. package.cpath))
end

-- Runs a program in a directory of its own: what each of its blocks printed, and its exit status.
local function run(code)
  local here = output_of("pwd"):gsub("\n", "")
  local directory = output_of("mktemp -d"):gsub("\n", "")
  local file = assert(io.open(directory .. "/guide.lua", "wb"))
  file:write(paths(here), code)
  file:close()
  local text, status = output_of(("cd '%s' && { %s guide.lua 2>&1; echo $?; }"):format(directory,
    INTERPRETER)):match("^(.-)(%d+)\n$")
  os.execute(("rm -rf '%s'"):format(directory))
  local printed = {}
  for piece in (text .. MARK):gmatch("(.-)" .. MARK) do printed[#printed + 1] = piece end
  return printed, tonumber(status), text
end

-- A database is not there for every interpreter.
local function lacks(code)
  return code:find("usher.ledger", 1, true) and not pcall(require, "DBI") and "LuaDBI"
end

-- A page has no tabs: where print writes one, it has two spaces.
local function shown(text)
  return (text:gsub("\t", "  "))
end

describe("The guide", function()
  for _, name in ipairs(docs.GUIDES) do
    it(name .. " runs, and prints what stands in it", function()
      local code, said = program_of(docs.guide(name))
      if lacks(code) then return pending("no " .. lacks(code)) end
      assert.truthy(#said > 0)
      local printed, status, text = run(code)
      assert.equal(0, status, text)
      for i, expected in ipairs(said) do
        if expected then assert.equal(expected, shown(printed[i])) end
      end
    end)
  end

  it("index runs too", function()
    local code, said = program_of(markdown.read(files.read ".ci/docs/guides/index.md"))
    assert.same({ said[1] }, (run(code)))
  end)

  it("that does not run is seen", function()
    local _, status = run("error 'no'")
    assert.equal(1, status)
  end)

  it("files are all in the navigation", function()
    local listed = { ["index.md"] = true }
    for _, name in ipairs(docs.GUIDES) do listed[name .. ".md"] = true end
    for _, name in ipairs(names_in(".ci/docs/guides")) do assert.is_true(listed[name], name) end
  end)
end)

describe("The converter", function()
  local function html(text) return markdown.read(text).body end

  it("reads headings, paragraphs, lists, tables and code", function()
    assert.equal("<h1>A</h1>\n<p>b c</p>", html("# A\n\nb\nc\n"))
    assert.equal('<h2 id="a-b"><a href="#a-b">A b</a></h2>', html("## A b"))
    assert.equal("<ul>\n<li>a b</li>\n<li>c</li>\n</ul>", html("- a\n  b\n- c\n"))
    assert.equal("<ol>\n<li>a</li>\n</ol>", html("1. a\n"))
    assert.truthy(html("| a |\n|---|\n| `b` |\n"):find("<td><code>b</code></td>", 1, true))
    assert.equal('<pre class="output"><code>a &lt; b\n</code></pre>', html("```text\na < b\n```"))
  end)

  it("marks nothing within code, and lets no HTML through", function()
    assert.equal("<p><code>**a** &lt;b&gt;</code> <strong>c</strong> &lt;i&gt;</p>",
      html("`**a** <b>` **c** <i>"))
    assert.equal('<p><a href="errors.html#api">x</a></p>', html("[x](errors.md#api)"))
  end)
end)
