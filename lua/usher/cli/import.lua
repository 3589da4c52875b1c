--- `usher import`: people from a file into providers, with a bar.
-- @module usher.cli.import

local clients = require "usher.cli.clients"
local ledgers = require "usher.cli.ledgers"
local onboarding = require "usher.onboarding"
local output = require "usher.cli.output"
local people = require "usher.onboarding.people"
local progress = require "usher.cli.progress"

local M = { commands = {} }

local FIELDS = ("A row is a person: %s; only the id has to be there. properties are a JSON object, "
  .. "and the column properties.plan is a member of it. Smooch takes name where there is no "
  .. "given_name; eRTC takes the id alone. Qiscus changes somebody who exists only together with "
  .. "the password, which it overwrites. A second run with the same --ledger does what the first "
  .. "one has not."):format(table.concat(people.NAMES, ", "))

local MOST_TOLD = 10 -- failures that are told one by one

--- Adds the command to a parser.
-- @tparam table parser of argparse
function M.add(parser)
  local import = parser:command("import", "Import people from a CSV or JSON lines file; again, to "
    .. "go on with it.")
  import:argument("file", "The file: .csv, its first line the names of the columns, or .jsonl, an "
    .. "object a line.")
  import:epilog(FIELDS)
  import:option("--provider", "Into which; may be given more than once."):count("+")
    :target("providers")
  ledgers.add_option(import)
  import:option("--column", "FIELD=NAME: the file's name of a field, such as id=Email or "
    .. "properties.plan=Plan."):count("*"):target("columns"):argname("<field>=<name>")
  import:option("--delimiter", "What is between the fields of a CSV file: a byte, or tab.")
  import:option("--format", "csv or jsonl; by the file's name if absent.")
  import:option("--concurrency", "Rows in flight (32)."):convert(tonumber)
  import:option("--rate", "Rows a second."):convert(tonumber)
  import:option("--failures", "Where the rows that failed are written, to be imported later.")
  import:option("--name", "The name of the import's journal; the file's if absent.")
  import:flag("--dry-run", "Look at every row, and send nothing.")
  clients.add_options(import)
  import:flag("--json", "Print the summary as JSON.")
  import:flag("--quiet", "Print nothing but the summary.")
end

local function columns_of(list)
  local columns = {}
  for _, each in ipairs(list) do
    local field, name = each:match("^([^=]+)=(.+)$")
    if not field then return nil, "--column: '" .. each .. "' is not FIELD=NAME" end
    columns[field] = name
  end
  return columns
end

local function open_clients(arguments)
  if arguments.base_url and arguments.providers[2] then
    return nil, "--base-url is of one provider: name those of several in the environment"
  end
  local opened = {}
  for _, provider in ipairs(arguments.providers) do
    local client, problem
    if not opened[provider] then client, problem = clients.open(provider, arguments) end
    if problem then
      for _, each in pairs(opened) do each:close() end
      return nil, problem
    end
    opened[provider] = opened[provider] or client
  end
  return opened
end

local function counts_of(summary)
  return {
    total = summary.rows, earlier = summary.earlier, failed = summary.failed,
    count = summary.done + summary.earlier + summary.failed,
  }
end

local function say_summary(summary, arguments)
  if arguments.json then
    output.json(summary)
  elseif arguments.dry_run then
    print(("%d rows, nothing wrong with them; nothing was sent"):format(summary.rows))
  else
    print(("of %d rows: %d done, %d earlier, %d failed, %d remaining"):format(summary.rows,
      summary.done, summary.earlier, summary.failed, summary.remaining))
  end
end

local function say_end(summary, arguments, has_ledger)
  if arguments.quiet then return end
  if summary.failed > MOST_TOLD then
    output.note(("... %d more failed%s"):format(summary.failed - MOST_TOLD,
      arguments.failures and "; all are in " .. arguments.failures
        or "; --failures FILE keeps them"))
  end
  if summary.stopped then
    output.note(has_ledger and "stopped; the same command goes on with it"
      or "stopped; without a ledger the same command begins anew: who is there is updated")
  end
end

local function status_of(summary, err)
  if err then
    output.note("usher: " .. tostring(err))
    if summary then return 1 end
    return err.kind == "cancelled" and 130 or err.kind == "invalid" and 2 or 1
  elseif summary.stopped then
    return 130
  end
  return summary.failed > 0 and 3 or 0
end

local function on_row(bar, arguments)
  return function(summary, row, err)
    if err and summary.failed <= MOST_TOLD then
      bar:note(("%s:%d: %s: %s"):format(arguments.file, row.line, row.person.id, tostring(err)))
    end
    bar:show(counts_of(summary))
  end
end

local function import(line, arguments, columns)
  local bar = progress.new("import", arguments.quiet)
  local delimiter = arguments.delimiter
  local summary, err, begun = line:import(arguments.file, {
    format = arguments.format, columns = columns, concurrency = arguments.concurrency,
    delimiter = delimiter == "tab" and "\t" or delimiter, rate = arguments.rate,
    failures = arguments.failures, name = arguments.name,
    on_look = function(count) bar:prepare(("%d rows looked at"):format(count)) end,
    on_row = on_row(bar, arguments),
    stop = arguments.dry_run and function() return true end or nil,
  })
  local counts = summary or begun
  if counts and not arguments.dry_run then bar:finish(counts_of(counts)) else bar:clear() end
  if counts then say_summary(counts, arguments) end
  if counts and arguments.dry_run then counts.stopped = false end
  if counts then say_end(counts, arguments, line.ledger ~= nil) end
  return status_of(counts, err)
end

function M.commands.import(arguments)
  local columns, problem = columns_of(arguments.columns)
  if not columns then return 2, problem end
  local opened
  opened, problem = open_clients(arguments)
  if not opened then return 2, problem end
  local ledger
  if ledgers.is_named(arguments) and not arguments.dry_run then
    ledger, problem = ledgers.open(arguments)
  end
  local status, wrong = 2, problem
  if not problem then
    local ok
    ok, status, wrong = pcall(function()
      return import(onboarding{ clients = opened, ledger = ledger }, arguments, columns)
    end)
    if not ok then status, wrong = 2, clients.without_place(status) end
  end
  if ledger then ledger:close() end
  for _, client in pairs(opened) do client:close() end
  return status, wrong
end

return M
