-- Colours for code: Lua, JSON and shell are cut into comments, strings, numbers and keywords; all
-- other languages stay as they are.

local html = dofile(".ci/docs/html.lua")

local M = {}

local function set(words)
  local is = {}
  for word in words:gmatch("%S+") do is[word] = true end
  return is
end

local KEYWORDS = {
  lua = set("and break do else elseif end false for function if in local nil not or repeat return "
    .. "then true until while"),
  json = set("true false null"),
  sh = set("if then else fi for do done while case esac"),
}

-- Tried in order at each place; the first that fits takes its text.
local PATTERNS = {
  lua = { { "^%-%-[^\n]*", "c" }, { "^%[%[.-%]%]", "s" }, { '^"[^"\n]*"', "s" },
    { "^0x%x+", "n" }, { "^%d+%.?%d*", "n" }, { "^[%a_][%w_]*" }, { "^%s+" }, { "^." } },
  json = { { '^"[^"\n]*"%s*%f[:]', "k" }, { '^"[^"\n]*"', "s" }, { "^%-?%d+%.?%d*", "n" },
    { "^%a+" }, { "^%s+" }, { "^." } },
  sh = { { "^#[^\n]*", "c" }, { '^"[^"\n]*"', "s" }, { "^'[^'\n]*'", "s" }, { "^[%w_./-]+" },
    { "^%s+" }, { "^." } },
}

local function next_token(patterns, text, at)
  for _, pattern in ipairs(patterns) do
    local token = text:sub(at):match(pattern[1])
    if token then return token, pattern[2] end
  end
end

-- JSON's strings may hold an escaped quote: it is no end.
local function hide_escapes(text)
  return (text:gsub('\\"', "\1\1"))
end

local function show_escapes(text)
  return (text:gsub("\1\1", '\\"'))
end

-- Code as HTML, without its frame.
function M.html(text, language)
  local patterns = PATTERNS[language]
  if not patterns then return html.escape(text) end
  text = hide_escapes(text)
  local out, at = {}, 1
  while at <= #text do
    local token, class = next_token(patterns, text, at)
    at = at + #token
    if KEYWORDS[language][token] then class = "k" end
    token = html.escape(show_escapes(token))
    out[#out + 1] = class and ('<span class="%s">%s</span>'):format(class, token) or token
  end
  return table.concat(out)
end

-- Lua as a block of a page.
function M.block(text)
  return ('<pre class="code"><code>%s</code></pre>'):format(M.html(text, "lua"))
end

return M
