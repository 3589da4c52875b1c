-- Writes the documentation, a static site: `lua5.4 .ci/docs.lua docs` (make docs). Pages of
-- reference come from the rows (usher.describe) and the vectors (spec/vectors), guides from
-- .ci/docs/guides; spec/docs_spec.lua fails while what stands in docs/ differs.

local errors = dofile(".ci/docs/errors.lua")
local html = dofile(".ci/docs/html.lua")
local markdown = dofile(".ci/docs/markdown.lua")
local options = dofile(".ci/docs/options.lua")
local reference = dofile(".ci/docs/reference.lua")
local usher = require "usher"

local M = {}

-- The guides, in the order of the navigation.
M.GUIDES = { "first-script", "moderation-bot", "bulk-onboarding", "nginx", "webhooks", "testing",
  "adding-a-provider" }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- A guide, read: see markdown.read.
function M.guide(name)
  return markdown.read(read((".ci/docs/guides/%s.md"):format(name)))
end

local function guide_page(name)
  local guide, url = M.guide(name), name .. ".html"
  local summary = markdown.plain(guide.summary or "")
  local entries = { { title = guide.title, where = "Guide", summary = summary, url = url,
    text = guide.top.text } }
  for _, heading in ipairs(guide.headings) do
    entries[#entries + 1] = { title = heading.title, where = guide.title,
      summary = heading.text, url = url .. "#" .. heading.id, text = "" }
  end
  return { url = url, title = guide.title, body = guide.body, contents = guide.headings,
    entries = entries, summary = guide.summary }
end

local function index_section(title, pages)
  local out = { ("<h2>%s</h2>\n<table><tbody>"):format(title) }
  for _, page in ipairs(pages) do
    out[#out + 1] = ('<tr><td><a href="%s">%s</a></td><td>%s</td></tr>'):format(page.url,
      html.escape(page.title), markdown.inline(page.summary))
  end
  out[#out + 1] = "</tbody></table>"
  return table.concat(out, "\n")
end

local function index_page(guides, providers)
  local intro = markdown.read(read ".ci/docs/guides/index.md")
  return {
    url = "index.html", title = "usher", entries = {},
    body = table.concat({ intro.body, index_section("Guides", guides),
      index_section("Reference", providers) }, "\n"),
  }
end

local function provider_pages()
  local pages = {}
  for i, name in ipairs(usher.providers()) do
    pages[i] = reference.page(name, require("spec.vectors." .. name))
    pages[i].summary = ("`usher.%s`, %d methods"):format(name, #usher.describe(name).methods)
  end
  return pages
end

local function json(text)
  return '"' .. text:gsub('[\\"]', "\\%0"):gsub("%c", " "):gsub("</", "<\\/") .. '"'
end

-- The index as a script: a page that is opened from a disk may load no data.
local function search_script(pages)
  local out = { "// Written by make docs: title, where, summary, address, further words.",
    "window.USHER_INDEX = [" }
  for _, page in ipairs(pages) do
    for _, entry in ipairs(page.entries) do
      out[#out + 1] = ("[%s,%s,%s,%s,%s],"):format(json(entry.title), json(entry.where),
        json(entry.summary), json(entry.url), json(entry.text))
    end
  end
  out[#out + 1] = "];\n"
  return table.concat(out, "\n")
end

-- All files of the site, { [name] = text }.
function M.files()
  local guides, providers = {}, provider_pages()
  for i, name in ipairs(M.GUIDES) do guides[i] = guide_page(name) end
  local rest = { options.page(), errors.page() }
  rest[1].summary, rest[2].summary = "what every client takes", "kinds, fields, repeats"
  local listed = {}
  for _, page in ipairs(providers) do listed[#listed + 1] = page end
  for _, page in ipairs(rest) do listed[#listed + 1] = page end
  local nav = { { title = "Guides", items = guides }, { title = "Reference", items = listed } }
  local pages = { index_page(guides, listed) }
  for _, section in ipairs{ listed, guides } do
    for _, page in ipairs(section) do pages[#pages + 1] = page end
  end
  local files = { ["style.css"] = read ".ci/docs/style.css", ["site.js"] = read ".ci/docs/site.js",
    ["search.js"] = search_script(pages) }
  for _, page in ipairs(pages) do files[page.url] = html.page(page, nav) end
  return files
end

local function write(directory)
  os.execute(("mkdir -p '%s' && rm -f '%s'/*.html '%s'/*.js '%s'/*.css"):format(directory,
    directory, directory, directory))
  for name, text in pairs(M.files()) do
    local file = assert(io.open(directory .. "/" .. name, "wb"))
    assert(file:write(text))
    file:close()
  end
end

if arg and arg[0] and arg[0]:find("docs%.lua$") then write(assert(arg[1], "docs.lua DIRECTORY")) end

return M
