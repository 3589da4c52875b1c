--- Plans on the command line: made by rules, carried out, and taken back.
-- @module usher.cli.plans

local core = require "usher.core"
local desks = require "usher.cli.desks"
local moderation = require "usher.moderation"
local output = require "usher.cli.output"
local progress = require "usher.cli.progress"
local spans = require "usher.cli.spans"

local M = { commands = {} }

local ACTIONS = { "index", "verb", "user", "user_name", "room", "seconds", "rule", "reason" }

local function add_pace(command)
  command:option("--pace", "Actions a second (5)."):convert(tonumber)
  command:option("--max-actions", "Refuse a plan with more (200)."):convert(tonumber)
  command:flag("--dry-run", "Print what would be done, and do nothing.")
end

--- Adds the commands to a parser.
-- @tparam table parser of argparse
function M.add(parser)
  local plan = parser:command("plan", "Judge a room by rules, and save what would be done.")
  plan:argument("rules", "A Lua file that returns rules, or what `desk:watch` takes.")
  plan:option("--out", "Where the plan is saved.")
  desks.add_options(plan)
  local apply = parser:command("apply", "Carry out a saved plan; again, to go on with it.")
  apply:argument("plan", "A plan that was saved.")
  add_pace(apply)
  desks.add_options(apply)
  local undo = parser:command("undo", "Take cases back, the newest first.")
  undo:option("--case", "This one."):convert(tonumber)
  undo:option("--by", "Those of a moderator.")
  undo:option("--since", "Those of the last so many seconds (600, 10m, 2h, 1d).")
  undo:option("--plan", "Those of a plan, by its id.")
  undo:option("--rule", "Those of a rule.")
  undo:option("--user", "Those about a user.")
  add_pace(undo)
  desks.add_options(undo)
end

local function show_plan(plan)
  output.table(ACTIONS, plan.actions)
  print(("%d actions on %s, plan %s"):format(#plan.actions, plan.provider, plan.id))
end

M.commands.plan = desks.command(function(desk, arguments)
  local options, problem = desks.read_options(arguments.rules, arguments)
  if not options then return 2, problem end
  local plan, err = desk:plan(options)
  if not plan then return desks.refused(err) end
  if arguments.out then
    local ok
    ok, problem = plan:save(arguments.out)
    if not ok then return 1, problem end
  end
  if arguments.json then
    for line in plan:lines():gmatch("[^\n]+") do output.json(core.decode(line)) end
  else
    show_plan(plan)
  end
  if arguments.out and not arguments.quiet then
    output.note(("saved; carry it out with: usher apply %s"):format(arguments.out))
  end
  return 0
end)

-- --- carrying out -------------------------------------------------------------------------------

local COUNTS = { "done", "dry", "earlier", "skipped", "failed", "unknown", "remaining" }

local function say_summary(summary, arguments)
  if arguments.json then
    local counts = { planned = summary.planned, stopped = summary.stopped }
    for _, name in ipairs(COUNTS) do counts[name] = summary[name] end
    return output.json(counts)
  elseif arguments.quiet then
    return
  end
  local words = {}
  for _, name in ipairs(COUNTS) do
    if summary[name] > 0 then words[#words + 1] = ("%d %s"):format(summary[name], name) end
  end
  print(("of %d actions: %s"):format(summary.planned, words[1] and table.concat(words, ", ")
    or "none"))
end

local function status_of(summary)
  if summary.stopped then return 130 end
  return (summary.failed > 0 or summary.unknown > 0) and 3 or 0
end

local function counts_of(summary)
  local failed = summary.failed + summary.unknown
  return {
    total = summary.planned, earlier = summary.earlier, failed = failed,
    count = summary.done + summary.dry + summary.earlier + summary.skipped + failed,
  }
end

local function say_action(bar, action, outcome, reason)
  local words = ("%s %s"):format(action.verb, output.shown(action.user))
  if outcome == "dry" then
    print(words .. ": would be done")
  elseif reason then
    bar:note(("%s: %s, %s"):format(words, outcome, reason))
  end
end

-- Says what was skipped and what failed as it comes, and how to go on.
local function carry_out(desk, plan, arguments, again)
  local bar = progress.new("apply", arguments.quiet or arguments.dry_run)
  local summary, err, begun = desk:apply(plan, {
    pace = arguments.pace, max_actions = arguments.max_actions,
    on_action = function(action, outcome, reason, so_far)
      say_action(bar, action, outcome, reason)
      bar:show(counts_of(so_far))
    end,
  })
  local counts = summary or begun
  if counts then
    bar:finish(counts_of(counts))
    say_summary(counts, arguments)
    if counts.remaining > 0 then output.note("stopped; go on with: " .. again) end
  end
  if err then return desks.refused(err) end
  return status_of(summary)
end

M.commands.apply = desks.command(function(desk, arguments)
  local plan, problem = moderation.load_plan(arguments.plan)
  if not plan then return 2, problem end
  return carry_out(desk, plan, arguments, desk.ledger and "usher apply " .. arguments.plan
    or "usher apply " .. arguments.plan .. " (without a ledger: what does not show is done again)")
end)

M.commands.undo = desks.command(function(desk, arguments)
  if not desk.ledger then return 2, "undo needs a ledger: --ledger, or USHER_LEDGER" end
  local since, wrong = spans.since(arguments.since)
  if wrong then return 2, wrong end
  local selection = {
    case = arguments.case, moderator = arguments.by, since = since, plan = arguments.plan,
    rule = arguments.rule, user = arguments.user, room = arguments.room,
  }
  if next(selection) == nil then return 2, "say which cases: --case, --by, --since, --plan, ..." end
  local plan, err = desk:plan_undo(selection)
  if not plan then return desks.refused(err) end
  for _, left in ipairs(plan.left) do
    if not arguments.quiet then output.note(("case %d %s"):format(left.case, left.reason)) end
  end
  if arguments.dry_run then
    show_plan(plan)
    return 0
  end
  return carry_out(desk, plan, arguments, "the same command")
end)

return M
