-- The table of providers in README.md, from the rows. `lua5.4 spec/support/readme_table.lua` prints
-- it; with README.md as its argument (make docs) it stands there, between the two comments.
-- spec/readme_spec.lua fails while they differ.

local usher = require "usher"

local M = {}

local function quoted(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = "`" .. name .. "`" end
  return table.concat(list, ", ")
end

-- "key_id+secret|jwt" -> "`key_id` and `secret`, or `jwt`"
local function credentials(text)
  return (text:gsub("[%w_]+", "`%0`"):gsub("+", " and "):gsub("|", ", or "))
end

local function needs(provider)
  local names = {}
  for _, option in ipairs(provider.options) do
    if option.required then names[#names + 1] = option.name end
  end
  local parts = {}
  if names[1] then parts[1] = quoted(names) end
  if provider.credentials then parts[#parts + 1] = credentials(provider.credentials) end
  return table.concat(parts, ", ")
end

local function row(name)
  local provider = usher.describe(name)
  return ("| `usher.%s` | [%s](%s) | %s | [%d](docs/%s.html) |"):format(name, provider.title,
    provider.source, needs(provider), #provider.methods, name)
end

--- The table as Markdown.
-- @treturn string lines, each with its end
function M.markdown()
  local lines = {
    "| constructor | provider | needs | methods |",
    "|---|---|---|---|",
  }
  for _, name in ipairs(usher.providers()) do lines[#lines + 1] = row(name) end
  return table.concat(lines, "\n") .. "\n"
end

-- A page with the table of now between the two comments.
local function renewed(page)
  local _, first = page:find("<!-- begin: lua5.4 spec/support/readme_table.lua -->\n", 1, true)
  local last = page:find("<!-- end -->", 1, true)
  return page:sub(1, first) .. M.markdown() .. page:sub(last)
end

local function rewrite(path)
  local file = assert(io.open(path, "rb"))
  local page = renewed(file:read("*a"))
  file:close()
  file = assert(io.open(path, "wb"))
  assert(file:write(page))
  file:close()
end

if arg and arg[0] and arg[0]:find("readme_table%.lua$") then
  if arg[1] then rewrite(arg[1]) else io.write(M.markdown()) end
end

return M
