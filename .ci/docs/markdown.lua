-- The part of Markdown that the guides use: headings, paragraphs, lists, fenced code, tables, and
-- in a line `code`, **strong** and [links](to). What it does not know is text.

local highlight = dofile(".ci/docs/highlight.lua")
local html = dofile(".ci/docs/html.lua")

local M = {}

local function link(text, target)
  target = target:gsub("%.md$", ".html"):gsub("%.md#", ".html#")
  return ('<a href="%s">%s</a>'):format(target, text)
end

-- The words of a line as HTML. Code is put aside first: nothing in it is a mark.
function M.inline(text)
  local codes = {}
  text = text:gsub("`([^`]+)`", function(code)
    codes[#codes + 1] = html.code(code)
    return ("\1%d\1"):format(#codes)
  end)
  text = html.escape(text):gsub("%[([^%]]+)%]%(([^)]+)%)", link)
  text = text:gsub("%*%*(.-)%*%*", "<strong>%1</strong>")
  return (text:gsub("\1(%d+)\1", function(number) return codes[tonumber(number)] end))
end

-- The same without marks, for the search and the navigation.
function M.plain(text)
  return (text:gsub("%[([^%]]+)%]%([^)]+%)", "%1"):gsub("[`*]", ""))
end

-- Each of these looks at the line `at`; if the block is its own it adds HTML to `page` and returns
-- the number of the line behind it.

local function fence(page, lines, at)
  local language = lines[at]:match("^```(%w*)")
  if not language then return nil end
  local code = {}
  at = at + 1
  while lines[at] and lines[at] ~= "```" do
    code[#code + 1] = lines[at]
    at = at + 1
  end
  local text = table.concat(code, "\n") .. "\n"
  page.blocks[#page.blocks + 1] = { language = language, text = text }
  page:add(('<pre class="%s"><code>%s</code></pre>'):format(language == "text" and "output"
    or "code", highlight.html(text, language)))
  return at + 1
end

local function heading(page, lines, at)
  local marks, text = lines[at]:match("^(#+) (.*)$")
  if not marks then return nil end
  local plain = M.plain(text)
  if #marks == 1 then
    page.title = plain
    page:add(("<h1>%s</h1>"):format(M.inline(text)))
  else
    local id = html.id(plain)
    page.headings[#page.headings + 1] = { id = id, title = plain, text = "" }
    page:add(('<h%d id="%s"><a href="#%s">%s</a></h%d>'):format(#marks, id, id, M.inline(text),
      #marks))
  end
  return at + 1
end

local function cells(line)
  local list = {}
  for cell in line:gsub("^|", ""):gmatch("%s*(.-)%s*|") do list[#list + 1] = M.inline(cell) end
  return list
end

local function table_rows(page, lines, at)
  if not lines[at]:find("^|") then return nil end
  page:add('<div class="scroll"><table>\n<thead><tr><th>'
    .. table.concat(cells(lines[at]), "</th><th>") .. "</th></tr></thead>\n<tbody>")
  at = at + 2
  while lines[at] and lines[at]:find("^|") do
    page:note(lines[at])
    page:add("<tr><td>" .. table.concat(cells(lines[at]), "</td><td>") .. "</td></tr>")
    at = at + 1
  end
  page:add("</tbody></table></div>")
  return at
end

-- Lines that go on until an empty one or another block, as one text.
local function flow(lines, at)
  local words = {}
  while lines[at] and lines[at] ~= "" and not lines[at]:find("^```")
    and not (words[1] and (lines[at]:find("^%- ") or lines[at]:find("^%d+%. "))) do
    words[#words + 1] = lines[at]:match("^%s*(.-)%s*$")
    at = at + 1
  end
  return table.concat(words, " "), at
end

local function list(page, lines, at)
  local pattern, tag = "^%- (.*)$", "ul"
  if lines[at]:find("^%d+%. ") then pattern, tag = "^%d+%. (.*)$", "ol" end
  if not lines[at]:find(pattern) then return nil end
  page:add("<" .. tag .. ">")
  while lines[at] and lines[at]:find(pattern) do
    local text
    text, at = flow(lines, at)
    text = text:match(pattern)
    page:note(text)
    page:add("<li>" .. M.inline(text) .. "</li>")
  end
  page:add("</" .. tag .. ">")
  return at
end

local function paragraph(page, lines, at)
  local text
  text, at = flow(lines, at)
  page:note(text)
  page:add("<p>" .. M.inline(text) .. "</p>")
  page.summary = page.summary or text
  return at
end

local BLOCKS = { fence, heading, table_rows, list, paragraph }

local page_mt = { __index = {
  add = function(page, text) page.out[#page.out + 1] = text end,
  note = function(page, text) -- for the search
    local entry = page.headings[#page.headings] or page.top
    entry.text = entry.text .. M.plain(text) .. " "
  end,
} }

-- Reads a page: { title, summary, body, headings = { { id, title, text } }, top = { text },
-- blocks = { { language, text } } }.
function M.read(text)
  local page = setmetatable({ out = {}, headings = {}, blocks = {}, top = { text = "" } }, page_mt)
  local lines, at = {}, 1
  for line in (text .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  while lines[at] do
    local behind = lines[at] == "" and at + 1
    for i = 1, #BLOCKS do behind = behind or BLOCKS[i](page, lines, at) end
    at = behind
  end
  page.body = table.concat(page.out, "\n")
  return page
end

return M
