-- The frame of every page, and the few words of HTML that all of them use. No page's content.

local M = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

function M.escape(text)
  return (tostring(text):gsub('[&<>"]', ENTITIES))
end

function M.code(text)
  return "<code>" .. M.escape(text) .. "</code>"
end

-- What a place is called in an address.
function M.id(text)
  return (text:lower():gsub("[^%w_]+", "-"):gsub("^%-+", ""):gsub("%-+$", ""))
end

-- A link of the navigation; the page that it stands on is marked.
local function nav_link(page, item)
  local here = item.url == page.url and ' aria-current="page"' or ""
  return ('<a href="%s"%s>%s</a>'):format(item.url, here, M.escape(item.title))
end

local function nav_section(page, section)
  local out = { "<h2>" .. M.escape(section.title) .. "</h2>\n<ul>" }
  for _, item in ipairs(section.items) do
    out[#out + 1] = "<li>" .. nav_link(page, item)
    if item.url == page.url and page.contents and page.contents[1] then
      out[#out + 1] = "<ul>"
      for _, entry in ipairs(page.contents) do
        out[#out + 1] = ('<li><a href="#%s">%s</a></li>'):format(entry.id,
        (M.escape(entry.title):gsub("_", "_<wbr>")))
      end
      out[#out + 1] = "</ul>"
    end
    out[#out + 1] = "</li>"
  end
  out[#out + 1] = "</ul>"
  return table.concat(out, "\n")
end

local FRAME = [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the page</a>
<input id="menu" type="checkbox" aria-label="Menu" aria-controls="nav">
<header>
<a class="brand" href="index.html">usher</a>
<div class="search" role="search">
<input id="search" type="search" placeholder="Search" aria-label="Search" autocomplete="off"
 role="combobox" aria-autocomplete="list" aria-expanded="false" aria-controls="results"
 spellcheck="false">
<ol id="results" role="listbox" aria-label="Found" hidden></ol>
</div>
<label class="menu-button" for="menu">Menu</label>
</header>
<nav id="nav" aria-label="Pages">
${nav}
</nav>
<main id="main" tabindex="-1"${class}>
${body}
</main>
<script src="search.js"></script>
<script src="site.js"></script>
</body>
</html>
]]

-- A whole page. `page` has url, title, body, and may have contents ({ { id, title }, ... }) and
-- class; `nav` is a list of { title, items = { { url, title }, ... } }.
function M.page(page, nav)
  local sections = {}
  for i, section in ipairs(nav) do sections[i] = nav_section(page, section) end
  local fields = {
    title = page.url == "index.html" and "usher" or M.escape(page.title) .. " · usher",
    nav = table.concat(sections, "\n"), body = page.body,
    class = page.class and (' class="%s"'):format(page.class) or "",
  }
  return (FRAME:gsub("%${(%l+)}", fields))
end

return M
