-- The page of options: those that every client takes, and where each provider's own are.

local highlight = dofile(".ci/docs/highlight.lua")
local html = dofile(".ci/docs/html.lua")
local reference = dofile(".ci/docs/reference.lua")
local usher = require "usher"

local M = {}

local SAMPLE = [[
local client = usher.qiscus{ app_id = "...", secret = "...", timeout = 10 }
local user, err = client:user_profile({ user_id = "bob" }, { timeout = 2 })
]]

local BODY = [[
<h1>Options</h1>
<p class="lead">A constructor takes one table: what the provider needs, and any of these.</p>
${sample}
<p id="environment">Credentials may also come from the environment, as
<code>USHER_&lt;PROVIDER&gt;_&lt;OPTION&gt;</code>. What stands in the table goes first. An option
that is not known raises, and the message names the nearest that is.</p>
<p id="per-call">What is marked <span class="per-call">per call too</span> may be given to a single
call, as its second table; so may options of a provider that go into a header or the path.</p>
<h2 id="shared"><a href="#shared">Of all clients</a></h2>
${shared}
<h2 id="providers"><a href="#providers">Of each provider</a></h2>
${providers}]]

local function providers_html()
  local out = { '<div class="scroll"><table><tbody>' }
  for _, name in ipairs(usher.providers()) do
    local provider, names = usher.describe(name), {}
    for i, row in ipairs(provider.options) do
      names[i] = ('<a href="%s.html#options.%s">%s</a>'):format(name, row.name, html.code(row.name))
    end
    out[#out + 1] = ('<tr><td><a href="%s.html#options">%s</a></td><td>%s</td></tr>'):format(name,
      html.escape(provider.title), table.concat(names, ", "))
  end
  out[#out + 1] = "</tbody></table></div>"
  return table.concat(out, "\n")
end

-- The page.
function M.page()
  local shared, entries = usher.describe(usher.providers()[1]).shared_options, {}
  for i, row in ipairs(shared) do
    entries[i] = { title = row.name, where = "Options", summary = row.doc,
      url = "options.html#" .. row.name, text = row.doc }
  end
  return {
    url = "options.html", title = "Options", entries = entries,
    contents = { { id = "shared", title = "Of all clients" },
      { id = "providers", title = "Of each provider" } },
    body = (BODY:gsub("%${(%l+)}", { sample = highlight.block(SAMPLE),
      shared = reference.rows(shared, ""), providers = providers_html() })),
  }
end

return M
