--- The ledger on the command line: its cases, and whether it is as it was written.
-- @module usher.cli.records

local ledgers = require "usher.cli.ledgers"
local output = require "usher.cli.output"
local spans = require "usher.cli.spans"

local M = { commands = {} }

local CASES = { "number", "when", "verb", "user_id", "room", "moderator", "outcome", "until",
  "lifted_by", "rule", "reason", "message" }
local CHOICES = { "provider", "user", "room", "moderator", "verb", "outcome", "plan", "rule" }
local LIMIT = 100

--- Adds the commands to a parser.
-- @tparam table parser of argparse
function M.add(parser)
  local cases = parser:command("cases", "List what was done.")
  ledgers.add_option(cases)
  for _, name in ipairs(CHOICES) do cases:option("--" .. name, "Only with this " .. name .. ".") end
  cases:option("--since", "Only of the last so many seconds (600, 10m, 2h, 1d).")
  cases:option("--limit", "At most so many, the newest (100)."):convert(tonumber)
  cases:flag("--in-force", "Only what was not taken back.")
  cases:flag("--json", "Print JSON lines.")
  local ledger = parser:command("ledger", "Look after a ledger.")
  ledger:require_command(true):command_target("task")
  local verify = ledger:command("verify", "Look whether a ledger is as it was written.")
  ledgers.add_option(verify)
  verify:option("--expect", "The head that an earlier verify told: it must still be there.")
end

local function show_cases(cases, arguments)
  local rows = {}
  for i = #cases, 1, -1 do -- the newest at the end, where the eye is
    local case = cases[i]
    if arguments.json then
      output.json(case)
    else
      case.when, case["until"] = spans.date(case.opened_at), spans.date(case.expires_at)
      case.outcome = case.outcome or "open"
      rows[#rows + 1] = case
    end
  end
  if not arguments.json then output.table(CASES, rows, { outcome = output.OUTCOMES }) end
end

function M.commands.cases(arguments)
  local since, wrong = spans.since(arguments.since)
  if wrong then return 2, wrong end
  local limit = arguments.limit or LIMIT
  if limit < 1 or limit % 1 ~= 0 then return 2, "--limit: it must be a whole number from 1" end
  local wanted = { newest = true, in_force = arguments.in_force, since = since, limit = limit }
  for _, name in ipairs(CHOICES) do wanted[name] = arguments[name] end
  local ledger, problem = ledgers.open(arguments, true)
  if not ledger then return 2, problem end
  local cases
  cases, problem = ledger:cases(wanted)
  ledger:close()
  if not cases then return 1, problem end
  show_cases(cases, arguments)
  return 0
end

function M.commands.ledger(arguments)
  local ledger, problem = ledgers.open(arguments, true)
  if not ledger then return 2, problem end
  local head
  head, problem = ledger:verify(arguments.expect)
  ledger:close()
  if not head then return 1, problem end
  print(("%d cases in %d entries, as they were written; head %s"):format(head.cases, head.entries,
    head.hash))
  if head.expected then
    print(("the head expected is entry %d; %d came after it"):format(head.expected,
      head.entries - head.expected))
  end
  return 0
end

return M
