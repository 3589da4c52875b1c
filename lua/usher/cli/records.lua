--- The ledger and imports on the command line.
-- @module usher.cli.records

local clients = require "usher.cli.clients"
local core = require "usher.core"
local desks = require "usher.cli.desk"
local ledgers = require "usher.ledger"
local onboarding = require "usher.onboarding"
local output = require "usher.cli.output"

local M = {}

local CASES = { "number", "when", "verb", "user_id", "room", "moderator", "outcome", "until",
  "lifted_by", "rule", "reason", "message" }

local function add_ledger(command)
  command:option("--ledger", "A file, or postgres://...; USHER_LEDGER if absent.")
end

--- Adds the commands to a parser.
function M.add(parser)
  local cases = parser:command("cases", "List what was done.")
  add_ledger(cases)
  for _, name in ipairs{ "provider", "user", "room", "moderator", "verb", "outcome", "plan",
    "rule" } do
    cases:option("--" .. name, "Only with this " .. name .. ".")
  end
  cases:option("--since", "Only of the last so many seconds (600, 10m, 2h, 1d).")
  cases:option("--limit", "At most so many, the newest (100)."):convert(tonumber)
  cases:flag("--in-force", "Only what was not taken back.")
  cases:flag("--json", "Print JSON lines.")
  local ledger = parser:command("ledger", "Look after a ledger.")
  ledger:require_command(true):command_target("task")
  local verify = ledger:command("verify", "Look whether a ledger is as it was written.")
  add_ledger(verify)
  verify:option("--expect", "The head that an earlier verify told.")
  local import = parser:command("import", "Import people from a CSV or JSON lines file; again, to "
    .. "go on with it.")
  import:argument("file", "The file.")
  import:option("--provider", "Into which; may be given more than once."):count("+")
    :target("providers")
  add_ledger(import)
  import:option("--column", "FIELD=NAME: the file's name of a field."):count("*"):target("columns")
  import:option("--format", "csv or jsonl; by the file's name if absent.")
  import:option("--concurrency", "Rows in flight (32)."):convert(tonumber)
  import:option("--rate", "Rows a second."):convert(tonumber)
  import:option("--failures", "Where the rows that failed are written.")
  import:option("--name", "The name of the import's journal.")
  import:option("--credentials", "A file of mode 0600 with USHER_..._...=value lines.")
  import:option("--base-url", "Another server, such as a sandbox.")
  import:flag("--json", "Print the summary as JSON.")
  import:flag("--quiet", "Print nothing but the summary.")
end

local function open_ledger(arguments)
  local path = arguments.ledger or os.getenv "USHER_LEDGER"
  if not path then return nil, "name the ledger: --ledger, or USHER_LEDGER" end
  local ok, ledger, problem = pcall(ledgers.open, path)
  if ok and ledger then return ledger end
  return nil, ok and problem or tostring(ledger)
end

local function date(time)
  return time and os.date("!%Y-%m-%d %H:%M:%SZ", math.floor(time))
end

local function print_cases(cases, arguments)
  local rows = {}
  for i = #cases, 1, -1 do -- the newest at the end, where the eye is
    local case = cases[i]
    if arguments.json then
      output.json(case)
    else
      case.when, case["until"] = date(case.opened_at), date(case.expires_at)
      case.outcome = case.outcome or "open"
      rows[#rows + 1] = case
    end
  end
  if not arguments.json then output.table(CASES, rows) end
end

local runners = {}

function runners.cases(arguments)
  local since
  if arguments.since then
    local span = desks.span(arguments.since)
    if not span then return 2, "--since: '" .. arguments.since .. "' is no span of time" end
    since = core.now() - span
  end
  local ledger, problem = open_ledger(arguments)
  if not ledger then return 2, problem end
  local cases
  cases, problem = ledger:cases{
    provider = arguments.provider, user = arguments.user, room = arguments.room,
    moderator = arguments.moderator, verb = arguments.verb, outcome = arguments.outcome,
    plan = arguments.plan, rule = arguments.rule, since = since, newest = true,
    in_force = arguments.in_force, limit = arguments.limit or 100,
  }
  ledger:close()
  if not cases then return 1, problem end
  print_cases(cases, arguments)
  return 0
end

function runners.ledger(arguments)
  local ledger, problem = open_ledger(arguments)
  if not ledger then return 2, problem end
  local head
  head, problem = ledger:verify()
  ledger:close()
  if not head then
    output.note("usher: " .. problem)
    return 1
  end
  print(("%d cases in %d entries, as they were written; head %s"):format(head.cases, head.entries,
    head.hash))
  if arguments.expect and arguments.expect ~= head.hash then
    output.note("usher: the head is another one: more was written, or all was written anew")
    return 1
  end
  return 0
end

local function columns_of(list)
  local columns = {}
  for _, each in ipairs(list) do
    local field, name = each:match("^([%w_]+)=(.+)$")
    if not field then return nil, "--column: '" .. each .. "' is not FIELD=NAME" end
    columns[field] = name
  end
  return columns
end

local function open_clients(arguments)
  local opened = {}
  for _, provider in ipairs(arguments.providers) do
    local ok, client, problem = pcall(clients.open, provider, arguments)
    if not ok or not client then
      for _, each in pairs(opened) do each:close() end
      return nil, ok and problem or ("there is no provider '%s'"):format(provider)
    end
    opened[provider] = client
  end
  return opened
end

local function say(summary, arguments)
  if arguments.json then return output.json(summary) end
  print(("of %d rows: %d done, %d earlier, %d failed, %d remaining"):format(summary.rows,
    summary.done, summary.earlier, summary.failed, summary.remaining))
end

local function import(line, arguments, columns)
  local progress
  local summary, err, begun = line:import(arguments.file, {
    format = arguments.format, columns = columns, concurrency = arguments.concurrency,
    rate = arguments.rate, failures = arguments.failures, name = arguments.name,
    on_row = function(counts)
      progress = progress or output.progress("import", counts.rows, arguments.quiet)
      progress:show(counts.done + counts.earlier + counts.failed, counts.failed)
    end,
  })
  local counts = summary or begun
  if counts then
    if progress then progress:finish(counts.rows - counts.remaining, counts.failed) end
    say(counts, arguments)
    if counts.stopped then output.note("stopped; the same command goes on with it") end
  end
  if err then
    output.note("usher: " .. tostring(err))
    return err.kind == "invalid" and 2 or 1
  end
  if summary.stopped then return 130 end
  return summary.failed > 0 and 3 or 0
end

function runners.import(arguments)
  local columns, problem = columns_of(arguments.columns)
  if not columns then return 2, problem end
  local opened
  opened, problem = open_clients(arguments)
  if not opened then return 2, problem end
  local ledger
  if arguments.ledger or os.getenv "USHER_LEDGER" then
    ledger, problem = open_ledger(arguments)
  end
  local status, wrong = 2, problem
  if not problem then
    local ok
    ok, status, wrong = pcall(function()
      return import(onboarding{ clients = opened, ledger = ledger }, arguments, columns)
    end)
    if not ok then status, wrong = 2, (tostring(status):gsub("^.-(usher%.)", "%1")) end
  end
  if ledger then ledger:close() end
  for _, client in pairs(opened) do client:close() end
  return status, wrong
end

--- The commands.
-- @treturn {string,...}
function M.names()
  local names = {}
  for name in pairs(runners) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Whether a command is one of these.
function M.has(command)
  return runners[command] ~= nil
end

--- Runs a command.
-- @tparam string command
-- @tparam table arguments as argparse gives them
-- @treturn integer exit status
-- @treturn ?string what is wrong
function M.run(command, arguments)
  return runners[command](arguments)
end

return M
