-- The page of errors: what each kind means, what is in an error, and when a call is repeated. The
-- last is asked of the core, not written down.

local core = require "usher.core"
local highlight = dofile(".ci/docs/highlight.lua")
local html = dofile(".ci/docs/html.lua")
local markdown = dofile(".ci/docs/markdown.lua")

local M = {}

-- Kind, what happened, what to do.
M.KINDS = {
  { "network", "No connection, or it broke: name, route, reset.",
    "Look at `request_sent`: `false` means that nothing can have happened." },
  { "timeout", "The attempt, or the whole call, took longer than it may.",
    "For a write with `request_sent` read the state before you send it again." },
  { "tls", "The server's certificate or name is not to be trusted, or TLS failed.",
    "See the options `ca_file`, `client_cert` and `verify`." },
  { "http", "A status of 400 and above.",
    "`status`, `code` and `message` are the provider's words." },
  { "api", "A status of 2xx whose body says no.",
    "`code` and `message` are the provider's words." },
  { "rate_limited", "Status 429: too many calls.",
    "Wait `retry_after` seconds; the option `rate` keeps the limit from the start." },
  { "redirect", "The server sent elsewhere. Credentials do not follow.",
    "Set `base_url` to where the server is." },
  { "decode", "A success whose body is not JSON.",
    "The message says what is wrong and at which byte; `body` has its beginning." },
  { "protocol", "What came is not HTTP, or the request could not be made or signed.",
    "The message says which." },
  { "too_large", "The answer has more bytes than `max_response_size`.", "Raise it, or page." },
  { "memory", "Not enough memory for the request or the answer.",
    "`request_sent` says on which side of the wire." },
  { "cancelled", "The call was given up: its client was closed, or nginx may not wait there.",
    "Look at `request_sent`." },
  { "unsupported", "The desk: the provider has nothing for this verb.",
    "`err.providers` names those that have." },
  { "invalid", "The desk, the onboarding line: what was given cannot be done.",
    "The message says what is missing." },
  { "ledger", "The ledger could not be read or written.",
    "An action that could not be written down was not sent." },
  { "signature", "A webhook is not signed by who should have sent it.",
    "Answer 401, and say no more." },
}

local FIELDS = {
  { "kind", "string", "one of the kinds above" },
  { "provider, method", "string", "the call" },
  { "message", "string", "the provider's words, or ours" },
  { "status", "integer", "of HTTP, where there was an answer" },
  { "code", "string, number", "the provider's own" },
  { "retryable", "boolean", "whether the same call may succeed later, and is safe to repeat" },
  { "request_sent", "boolean", "`false`: surely not; `true`: it may have been acted on" },
  { "retry_after", "number", "seconds the provider asks to wait" },
  { "attempts", "integer", "how many requests were made" },
  { "body", "string", "the first 2 KiB of the answer, secrets taken out" },
}

local OUTCOMES = {
  { "The connection failed before anything was sent", { kind = "network", sent = false } },
  { "It broke after the request was sent", { kind = "network", sent = true } },
  { "Time ran out after the request was sent", { kind = "timeout", sent = true } },
  { "429", { kind = "rate_limited", status = 429, sent = true } },
  { "500", { kind = "http", status = 500, sent = true } },
  { "502, 503, 504", { kind = "http", status = 503, sent = true } },
  { "another status of 400 and above", { kind = "http", status = 404, sent = true } },
  { "2xx that says no", { kind = "api", status = 200, sent = true } },
  { "TLS failed", { kind = "tls", sent = false } },
  { "The answer is too large, or not JSON", { kind = "decode", status = 200, sent = true } },
}

local function decision(outcome, is_idempotent)
  local asked = { idempotent = is_idempotent }
  for name, value in pairs(outcome) do asked[name] = value end
  return core.decide(asked) and "repeated" or '<span class="limits">returned</span>'
end

local function kinds_html()
  local out = { '<dl class="rows short">' }
  for _, row in ipairs(M.KINDS) do
    out[#out + 1] = ('<div id="%s"><dt><a href="#%s"><code>%s</code></a></dt><dd>%s %s</dd></div>')
      :format(row[1], row[1], row[1], markdown.inline(row[2]), markdown.inline(row[3]))
  end
  out[#out + 1] = "</dl>"
  return table.concat(out, "\n")
end

local function fields_html()
  local out = { '<dl class="rows short">' }
  for _, row in ipairs(FIELDS) do
    out[#out + 1] = ('<div><dt><code>%s</code> <span class="type">%s</span></dt><dd>%s</dd></div>')
      :format(row[1], row[2], markdown.inline(row[3]))
  end
  out[#out + 1] = "</dl>"
  return table.concat(out, "\n")
end

local function decisions_html()
  local out = { '<div class="scroll"><table><thead><tr><th>What happened</th>'
    .. "<th>A method that may be repeated</th><th>Any other</th></tr></thead><tbody>" }
  for _, row in ipairs(OUTCOMES) do
    out[#out + 1] = ("<tr><td>%s</td><td>%s</td><td>%s</td></tr>"):format(html.escape(row[1]),
      decision(row[2], true), decision(row[2], false))
  end
  out[#out + 1] = "</tbody></table></div>"
  return table.concat(out, "\n")
end

local SAMPLE = [[
local user, err = client:user_profile{ user_id = "bob" }
if not user then print(err.kind, err.status, err) end
]]

local BODY = [[
<h1>Errors</h1>
<p class="lead">Misuse raises, at your line: an unknown method, a missing argument, a closed client.
Whatever can happen in the world returns <code>nil, err</code>.</p>
${sample}
<p><code>tostring(err)</code> is a line for a log; <code>error(err)</code> and <code>assert</code>
show it. No secret is ever in it, nor in any other field.</p>
<h2 id="kinds"><a href="#kinds">Kinds</a></h2>
${kinds}
<h2 id="fields"><a href="#fields">Fields</a></h2>
${fields}
<h2 id="repeats"><a href="#repeats">When a call is repeated</a></h2>
<p>With backoff and full jitter, after <code>retry_after</code> where the provider says so, at most
<a href="options.html#retries"><code>retries</code></a> times and not past the
<a href="options.html#deadline"><code>deadline</code></a>. Each method says in the reference whether
it may be repeated. A client that fails much spends its budget and stops repeating for a while.</p>
${decisions}]]

-- The page.
function M.page()
  local entries = {}
  for _, row in ipairs(M.KINDS) do
    local text = markdown.plain(row[2] .. " " .. row[3])
    entries[#entries + 1] = { title = row[1], where = "Errors", summary = markdown.plain(row[2]),
      url = "errors.html#" .. row[1], text = text }
  end
  return {
    url = "errors.html", title = "Errors", entries = entries,
    contents = { { id = "kinds", title = "Kinds" }, { id = "fields", title = "Fields" },
      { id = "repeats", title = "When a call is repeated" } },
    body = (BODY:gsub("%${(%l+)}", { sample = highlight.block(SAMPLE), kinds = kinds_html(),
      fields = fields_html(), decisions = decisions_html() })),
  }
end

return M
