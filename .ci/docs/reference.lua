-- The page of a provider, from its rows and its vectors.

local examples = dofile(".ci/docs/examples.lua")
local highlight = dofile(".ci/docs/highlight.lua")
local html = dofile(".ci/docs/html.lua")
local usher = require "usher"

local M = {}

local code, escape = html.code, html.escape

local SURE = {
  documented = "It is on a page of the provider.",
  observed = "It is in code of the provider or of its customers, not on a page.",
  inferred = "It follows from what stands beside it.",
}

-- --- rows of arguments and options --------------------------------------------------------------

local function choices(row)
  local list = {}
  for choice in row.choices:gmatch("[^|]+") do list[#list + 1] = code('"' .. choice .. '"') end
  return "one of " .. table.concat(list, ", ")
end

-- Bounds of a text are its length.
local function counted(row, count)
  local unit = row.type == "string" and "character" or row.type:find("list") and "item"
  if not unit then return ("%d"):format(count) end
  return ("%d %s%s"):format(count, unit, count == 1 and "" or "s")
end

local function bounds(row)
  if row.minimum and row.maximum then
    return ("%d to %s"):format(row.minimum, counted(row, row.maximum))
  end
  return row.minimum and "at least " .. counted(row, row.minimum)
    or row.maximum and "at most " .. counted(row, row.maximum)
end

local PLACES = {
  path = "path", query = "query", header = "header", body = "body", field = "form field",
  form = "form",
}

-- Where an argument goes, under which name.
local function wire(row)
  if not row.wire or not PLACES[row.place] then return nil end
  return ('<span class="wire">%s %s</span>'):format(PLACES[row.place], code(row.wire))
end

local function remarks(row)
  local list = {}
  if row.choices then list[#list + 1] = choices(row) end
  list[#list + 1] = bounds(row)
  if row.default then list[#list + 1] = "default " .. code(row.default) end
  return list[1] and '; <span class="limits">' .. table.concat(list, "; ") .. "</span>" or ""
end

--- A list of rows. `prefix` begins the anchor of each; `more` adds words to one.
function M.rows(rows, prefix, more)
  local out = { '<dl class="rows">' }
  for _, row in ipairs(rows) do
    local marks = row.required and ' <span class="required">required</span>' or ""
    if row.secret then marks = marks .. ' <span class="secret">secret</span>' end
    if row.per_call then marks = marks .. ' <span class="per-call">per call too</span>' end
    local id = prefix .. row.name
    out[#out + 1] = ('<div id="%s"><dt><a href="#%s">%s</a> <span class="type">%s</span>%s%s</dt>')
      :format(id, id, code(row.name), escape(row.type), marks, wire(row) or "")
    out[#out + 1] = ("<dd>%s%s%s</dd></div>"):format(escape(row.doc), remarks(row),
      more and more(row) or "")
  end
  out[#out + 1] = "</dl>"
  return table.concat(out, "\n")
end

-- --- a method -----------------------------------------------------------------------------------

local function full_path(provider, method)
  return (method.prefix or provider.prefix) .. method.path
end

local function path_html(path)
  return (escape(path):gsub("/%f[%w{]", "/<wbr>"):gsub("{[%w_]+}", "<em>%0</em>"))
end

local function verb_html(verb)
  return ('<span class="verb %s">%s</span>'):format(verb:lower(), verb)
end

local function repeats(method)
  if method.idempotent then
    return "When its outcome is unknown it is sent again: a repeat does no harm."
  end
  return "When its outcome is unknown it is not sent again: a repeat could act twice."
end

local function paging(method)
  local columns = method.paging
  if not columns then return nil end
  local size = columns.size and (" and %s items a page"):format(code(columns.size)) or ""
  local forward = columns.forward and (", or forward by %s where it is given"):format(
    code(columns.forward)) or ""
  return ("%s walks it: page by %s%s%s, items at %s."):format(
    code(('client:pages("%s")'):format(method.name)), code(columns.argument), size, forward,
    code(columns.items))
end

local function bearer(method)
  if not method.bearer then return nil end
  local names = {}
  for name in method.bearer:gmatch("[^|]+") do names[#names + 1] = code(name) end
  return "The option " .. table.concat(names, ", or ") .. " is its bearer token."
end

-- What holds for the whole call: { name, HTML } each.
local function facts(provider, method)
  local list = { { "Repeats", repeats(method) } }
  local function fact(name, text) if text then list[#list + 1] = { name, text } end end
  fact("Pages", paging(method))
  fact("Token", bearer(method))
  fact("Answer", method.empty_ok and "An empty one is a success: " .. code("true") .. "." or nil)
  fact("Client", method.without
    and ("It is refused on a client that has the option %s."):format(code(method.without)) or nil)
  fact(('<a href="%s">Source</a>'):format(escape(provider.source)),
    ('<span class="sure %s">%s</span> %s Its name there: %s.'):format(method.certainty,
      method.certainty, SURE[method.certainty], escape(method.operation)))
  return list
end

local function facts_html(provider, method)
  local out = { '<dl class="facts">' }
  for _, fact in ipairs(facts(provider, method)) do
    out[#out + 1] = ("<dt>%s</dt><dd>%s</dd>"):format(fact[1], fact[2])
  end
  out[#out + 1] = "</dl>"
  return table.concat(out, "\n")
end

-- Each error once, as it is shown.
local function failure_list(list)
  local out, seen = {}, {}
  for _, case in ipairs(list) do
    local err = case.error
    local code_text = err.code and code(tostring(err.code)) .. " " or ""
    local item = ('<li><a href="errors.html#%s">%s</a> %s<span class="limits">HTTP %d</span> %s'
      .. "</li>"):format(err.kind, err.kind, code_text, err.status or case.response.status,
        escape(err.message or "an answer without a message"))
    if not seen[item] then out[#out + 1] = item end
    seen[item] = true
  end
  return '<ul class="failures">\n' .. table.concat(out, "\n") .. "\n</ul>"
end

local function failures_html(vectors, method)
  local list = examples.failures(vectors, method.name)
  local own = list[1] and failure_list(list) .. "\n" or ""
  return "<h3>Errors</h3>\n" .. own .. ('<p class="none">%s <a href="#errors">every call</a>.</p>')
    :format(list[1] and "And those of" or "Those of")
end

local function language_of(body) return body:find("^[{%[]") and "json" or "text" end

local function figure(title, head, body)
  local text = highlight.html(head, title == "Call" and "lua" or "http")
  if body then text = text .. "\n\n" .. highlight.html(body, language_of(body)) end
  return ('<figure><figcaption>%s</figcaption><pre tabindex="0"><code>%s</code></pre></figure>')
    :format(title, text)
end

local function examples_html(vectors, method)
  local case = examples.best(vectors, method.name)
  if not case then return "" end
  local out = { figure("Call", examples.call(method, case)) }
  out[#out + 1] = figure("Request", examples.request(case))
  local answer = examples.answer(vectors, method.name, case)
  if answer then out[#out + 1] = figure("Answer", examples.response(answer)) end
  return table.concat(out, "\n")
end

local METHOD = [[
<section class="method" id="${id}">
<div class="said">
<h2><a href="#${id}">${id}</a></h2>
<p class="endpoint">${verb} <code>${path}</code></p>
<p>${doc}</p>
${arguments}
${facts}
${failures}
</div>
<div class="shown">
${examples}
</div>
</section>]]

local function method_html(provider, vectors, method)
  local fields = {
    id = method.name, verb = verb_html(method.verb), path = path_html(full_path(provider, method)),
    doc = escape(method.doc), facts = facts_html(provider, method),
    arguments = method.parameters[1] and M.rows(method.parameters, method.name .. ".")
      or '<p class="none">It takes no arguments.</p>',
    failures = failures_html(vectors, method), examples = examples_html(vectors, method),
  }
  return (METHOD:gsub("%${(%l+)}", fields))
end

-- --- a provider ---------------------------------------------------------------------------------

local function overview(provider)
  local out = { '<div class="scroll"><table class="overview"><tbody>' }
  for _, method in ipairs(provider.methods) do
    out[#out + 1] = ('<tr><td><a href="#%s"><code>%s</code></a></td><td>%s</td><td>%s</td></tr>')
      :format(method.name, method.name, verb_html(method.verb), escape(method.doc))
  end
  out[#out + 1] = "</tbody></table></div>"
  return table.concat(out, "\n")
end

local function credentials(provider)
  if not provider.credentials then return "" end
  local text = provider.credentials:gsub("[%w_]+", code):gsub("%+", " and "):gsub("|", ", or ")
  return ("<p>It needs %s.</p>"):format(text)
end

local function token(provider)
  if not provider.token_method then return "" end
  return ('<p>The client fetches its token by <a href="#%s"><code>%s</code></a> when it needs one,'
    .. " and again when it is refused.</p>"):format(provider.token_method, provider.token_method)
end

local function paths(provider)
  if provider.prefix == "" then return "" end
  local text = ("Paths begin with %s"):format(code(provider.prefix))
  if provider.bare_prefix then
    text = text .. ("; with %s, when the client has no such option"):format(
      code(provider.bare_prefix))
  end
  return "<p>" .. text .. ".</p>"
end

local PROVIDER = [[
<h1>${title}</h1>
<p class="lead"><code>usher.${name}</code> · ${count} methods ·
 source: <a href="${source}">${source}</a></p>
<p>Every method takes a table of arguments and, for this call alone, a table of
<a href="options.html#per-call">options</a>. It returns the answer, decoded, and the response; or
<code>nil</code> and an <a href="errors.html">error</a>. <code>Accept</code> and
<code>User-Agent</code> are on every request and left out below.</p>
${overview}
<section id="options">
<h2><a href="#options">Options of the client</a></h2>
<p>Beside those that <a href="options.html">all clients take</a>.</p>
${credentials}${token}${paths}
${options}
</section>
<section id="errors">
<h2><a href="#errors">Errors</a></h2>
${errors}
</section>
${methods}]]

local VERDICTS = {
  ["false"] = "when %s is <code>false</code>",
  ["not 1"] = "when %s is there and is not <code>1</code>",
  ["400 or more"] = "when %s is <code>400</code> or more",
}

local function codes(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = code(name) end
  return table.concat(list, ", or ")
end

-- How the provider says no, and every way of it that the vectors know.
local function errors_html(provider, vectors)
  local envelope = provider.envelope
  local verdict = VERDICTS[envelope.refusal]
  local out = { '<p>A status of 400 and above is an error of kind <a href="errors.html#http">'
    .. "http</a>, 429 of kind <a href=\"errors.html#rate_limited\">rate_limited</a>." }
  if verdict then
    out[#out + 1] = (' An answer of 2xx is one of kind <a href="errors.html#api">api</a> %s.')
      :format(verdict:format(code(envelope.verdict)))
  end
  if envelope.code then
    out[#out + 1] = (" %s is %s of the answer, %s is %s."):format(code "err.code",
      code(envelope.code), code "err.message", codes(envelope.messages))
  end
  out[#out + 1] = "</p>\n"
  local list = {}
  for _, case in ipairs(vectors.cases) do
    if case.error and case.response then list[#list + 1] = case end
  end
  if list[1] then out[#out + 1] = failure_list(list) end
  return table.concat(out)
end

local function contents(provider)
  local list = { { id = "options", title = "Options" }, { id = "errors", title = "Errors" } }
  for _, method in ipairs(provider.methods) do
    list[#list + 1] = { id = method.name, title = method.name }
  end
  return list
end

local function search_entries(provider, url)
  local list = {}
  for _, method in ipairs(provider.methods) do
    local words = { method.operation, method.verb .. " " .. full_path(provider, method) }
    for _, row in ipairs(method.parameters) do words[#words + 1] = row.name .. " " .. row.doc end
    list[#list + 1] = { title = method.name, where = provider.title, summary = method.doc,
      url = url .. "#" .. method.name, text = table.concat(words, " ") }
  end
  for _, row in ipairs(provider.options) do
    list[#list + 1] = { title = row.name, where = provider.title .. ", option", summary = row.doc,
      url = url .. "#options." .. row.name, text = row.doc }
  end
  return list
end

local function variable(name)
  return function(row)
    return (' <span class="limits">%s</span>'):format(
      code(("USHER_%s_%s"):format(name, row.name):upper()))
  end
end

-- The page of a provider; `vectors` are those of spec/vectors.
function M.page(name, vectors)
  local provider, methods = usher.describe(name), {}
  for i, method in ipairs(provider.methods) do
    methods[i] = method_html(provider, vectors, method)
  end
  local url = name .. ".html"
  local fields = {
    title = escape(provider.title), name = name, count = tostring(#methods),
    source = escape(provider.source), overview = overview(provider),
    credentials = credentials(provider), token = token(provider), paths = paths(provider),
    options = M.rows(provider.options, "options.", variable(name)),
    errors = errors_html(provider, vectors), methods = table.concat(methods, "\n"),
  }
  return {
    url = url, title = provider.title, class = "reference", contents = contents(provider),
    body = (PROVIDER:gsub("%${(%l+)}", fields)), entries = search_entries(provider, url),
  }
end

return M
