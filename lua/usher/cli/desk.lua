--- The moderation desk on the command line: the verbs, the lists, plans, undoing,
-- watching and running a script.
-- @module usher.cli.desk

local clients = require "usher.cli.clients"
local core = require "usher.core"
local ledgers = require "usher.ledger"
local moderation = require "usher.moderation"
local output = require "usher.cli.output"
local scheduler = require "usher.scheduler"
local usher = require "usher"
local verbs = require "usher.moderation.verbs"

local M = {}

local WORDS = {
  ban = "Ban a user.", unban = "Lift a ban.", mute = "Stop a user from writing.",
  unmute = "Lift a mute.", kick = "Take a user out of a room; the user may come back.",
  block = "Block a user for the one who acts.", unblock = "Lift a block.",
  sign_out = "Sign a user out.", warn = "Say something to a user.",
  list_users = "List who is in a room.", list_banned = "List who is banned.",
  list_muted = "List who is muted.", list_blocked = "List who is blocked.",
}

local USERS = { "id", "name", "role", "since" }
local CAPABILITIES = { "verb", "support", "timed", "scope", "public", "shows" }

local function option_of(verb)
  return (verb:gsub("_", "-"))
end

local function add_common(command)
  command:option("--provider", "One of " .. table.concat(usher.providers(), ", ")
    .. "; USHER_PROVIDER if absent.")
  command:option("--room", "The room; USHER_ROOM if absent.")
  command:option("--ledger", "A file, or postgres://...; USHER_LEDGER if absent.")
  command:option("--moderator", "Who acts; USER if absent.")
  command:option("--actor", "The provider's id of who acts; USHER_ACTOR if absent.")
  command:option("--credentials", "A file of mode 0600 with USHER_..._...=value lines.")
  command:option("--base-url", "Another server, such as a sandbox.")
  command:flag("--json", "Print JSON lines.")
  command:flag("--quiet", "Print nothing but results.")
end

local function add_pace(command)
  command:option("--pace", "Actions a second."):convert(tonumber)
  command:option("--max-actions", "Refuse a plan with more."):convert(tonumber)
  command:flag("--dry-run", "Print what would be done.")
end

local function add_verbs(parser)
  for _, verb in ipairs(verbs.ACTIONS) do
    local command = parser:command(option_of(verb), WORDS[verb])
    command:argument("user", "The user's id.")
    command:option("--seconds", "For so long; for good if absent."):convert(tonumber)
    command:option("--reason", "Why.")
    command:flag("--dry-run", "Print what would be sent.")
    add_common(command)
  end
  for _, verb in ipairs(verbs.LISTS) do
    add_common(parser:command(option_of(verb), WORDS[verb]))
  end
end

local function add_selection(command)
  command:option("--case", "This one."):convert(tonumber)
  command:option("--by", "Those of a moderator.")
  command:option("--since", "Those of the last so many seconds (600, 10m, 2h, 1d).")
  command:option("--plan", "Those of a plan, by its id.")
  command:option("--rule", "Those of a rule.")
  command:option("--user", "Those about a user.")
end

--- Adds the commands to a parser.
function M.add(parser)
  add_verbs(parser)
  add_common(parser:command("capabilities", "Say what a provider can do."))
  local plan = parser:command("plan", "Judge a room by rules, and save what would be done.")
  plan:argument("rules", "A Lua file that returns rules, or what `desk:watch` takes.")
  plan:option("--out", "Where the plan is saved.")
  add_common(plan)
  local apply = parser:command("apply", "Carry out a saved plan; again, to go on with it.")
  apply:argument("plan", "A plan that was saved.")
  add_pace(apply)
  add_common(apply)
  local undo = parser:command("undo", "Take cases back, the newest first.")
  add_selection(undo)
  add_pace(undo)
  add_common(undo)
  local watch = parser:command("watch", "Watch a room and act by rules.")
  watch:argument("rules", "A Lua file that returns rules, or what `desk:watch` takes.")
  watch:option("--every", "Seconds between two looks."):convert(tonumber)
  add_common(watch)
  local run = parser:command("run", "Lift what is due, then run a script; without one, "
    .. "go on lifting.")
  run:argument("script", "A Lua file; it finds `usher`, `client` and `desk`."):args("?")
  run:option("--every", "Seconds between two looks (30)."):convert(tonumber)
  run:flag("--once", "Lift what is due now, and no more.")
  add_common(run)
end

-- --- what all share -----------------------------------------------------------------------------

local function open_ledger(path)
  if not path then return nil end
  local ok, ledger, problem = pcall(ledgers.open, path)
  if ok and ledger then return ledger end
  return nil, ok and problem or tostring(ledger)
end

local function provider_problem(provider)
  if not provider then return "name the provider: --provider, or USHER_PROVIDER" end
  for _, name in ipairs(usher.providers()) do
    if name == provider then return nil end
  end
  local nearest = core.nearest(provider, usher.providers())
  return ("there is no provider '%s'%s"):format(provider,
    nearest and ("; did you mean '%s'?"):format(nearest) or "")
end

-- A desk as the options say, or what is wrong with them.
local function open(arguments)
  local provider = arguments.provider or os.getenv "USHER_PROVIDER"
  local problem = provider_problem(provider)
  if problem then return nil, problem end
  local path = arguments.ledger or os.getenv "USHER_LEDGER"
  local ledger
  ledger, problem = open_ledger(path)
  if path and not ledger then return nil, problem end
  local client
  client, problem = clients.open(provider, arguments)
  if not client then
    if ledger then ledger:close() end
    return nil, problem
  end
  return moderation{
    client = client, ledger = ledger, room = arguments.room or os.getenv "USHER_ROOM",
    moderator = arguments.moderator or os.getenv "USER" or "usher",
    actor = arguments.actor or os.getenv "USHER_ACTOR", dry_run = arguments.dry_run,
  }
end

local function close(desk)
  if desk.ledger then
    local ok, problem = desk.ledger:close()
    if not ok then output.note("usher: " .. problem) end
  end
  desk.client:close()
end

local function refused(err)
  output.note("usher: " .. tostring(err))
  return err.kind == "unsupported" and 2 or 1
end

local function load_file(path)
  local chunk, problem = loadfile(path)
  if not chunk then return nil, problem end
  local ok, value = pcall(chunk)
  if ok then return value end
  return nil, tostring(value)
end

local function read_options(path, arguments)
  local value, problem = load_file(path)
  if type(value) ~= "table" then return nil, problem or path .. ": returns no table" end
  local options = value[1] ~= nil and { rules = value } or value
  if arguments.every then options.every = arguments.every end
  return options
end

-- --- the commands -------------------------------------------------------------------------------

local runners = {}

local function act(verb)
  return function(desk, arguments)
    local done, err = desk[verb](desk, {
      user = arguments.user, seconds = arguments.seconds, reason = arguments.reason,
    })
    if not done then return refused(err) end
    if done.curl then
      print(done.curl)
    elseif arguments.json then
      output.json{ case = done.case, verb = done.verb, user = done.user, room = done.room,
        outcome = done.outcome, expires_at = done.expires_at }
    elseif not arguments.quiet then
      print(("%s %s: %s%s"):format(verb, output.shown(arguments.user), done.outcome,
        done.case and (" (case %d)"):format(done.case) or ""))
    end
    return 0
  end
end

local function list(verb)
  return function(desk, arguments)
    local users, err = desk[verb](desk)
    if not users then return refused(err) end
    for _, user in ipairs(users) do
      if arguments.json then
        output.json{ id = user.id, name = user.name, role = user.role, since = user.since }
      end
      user.since = user.since and os.date("!%Y-%m-%d %H:%M:%SZ", math.floor(user.since))
    end
    if not arguments.json then output.table(USERS, users) end
    return 0
  end
end

for _, verb in ipairs(verbs.ACTIONS) do runners[option_of(verb)] = act(verb) end
for _, verb in ipairs(verbs.LISTS) do runners[option_of(verb)] = list(verb) end

function runners.capabilities(desk, arguments)
  local rows, able = {}, desk:capabilities()
  for _, names in ipairs{ verbs.ACTIONS, verbs.LISTS } do
    for _, verb in ipairs(names) do
      local row = able[verb]
      row.verb = verb
      if arguments.json then output.json(row) end
      row.public, row.shows = row.public and "yes" or nil, row.shows and "yes" or nil
      rows[#rows + 1] = row
    end
  end
  if not arguments.json then output.table(CAPABILITIES, rows) end
  return 0
end

function runners.plan(desk, arguments)
  local options, problem = read_options(arguments.rules, arguments)
  if not options then return 2, problem end
  local plan, err = desk:plan(options)
  if not plan then return refused(err) end
  if arguments.out then
    local ok
    ok, problem = plan:save(arguments.out)
    if not ok then return 1, problem end
  end
  if arguments.json then io.write(plan:lines()) else print(plan) end
  if arguments.out and not arguments.quiet then
    output.note(("saved; carry it out with: usher apply %s"):format(arguments.out))
  end
  return 0
end

local function say_summary(summary, again, arguments)
  if arguments.json then
    output.json{
      planned = summary.planned, done = summary.done, earlier = summary.earlier,
      skipped = summary.skipped, failed = summary.failed, unknown = summary.unknown,
      remaining = summary.remaining, stopped = summary.stopped,
    }
  elseif not arguments.quiet then
    local words = {}
    for _, name in ipairs{ "done", "dry", "earlier", "skipped", "failed", "unknown",
      "remaining" } do
      if summary[name] > 0 then words[#words + 1] = ("%d %s"):format(summary[name], name) end
    end
    print(("of %d actions: %s"):format(summary.planned,
      words[1] and table.concat(words, ", ") or "none"))
  end
  if summary.stopped or summary.remaining > 0 then
    output.note("stopped; go on with: " .. again)
  end
end

local function status_of(summary)
  if summary.stopped then return 130 end
  return (summary.failed > 0 or summary.unknown > 0) and 3 or 0
end

-- Applies, with a bar, and says what was skipped and what failed.
local function carry_out(desk, plan, arguments, again)
  local progress = output.progress("apply", #plan.actions, arguments.quiet)
  local summary, err, begun = desk:apply(plan, {
    pace = arguments.pace, max_actions = arguments.max_actions,
    on_action = function(action, outcome, reason, counts)
      if reason and not arguments.quiet and not core.terminal(2) then
        output.note(("%s %s: %s, %s"):format(action.verb, output.shown(action.user), outcome,
          output.shown(reason)))
      end
      progress:show(counts.done + counts.earlier + counts.skipped + counts.failed + counts.unknown,
        counts.failed + counts.unknown)
    end,
  })
  local counts = summary or begun
  if counts then
    progress:finish(counts.planned - counts.remaining, counts.failed + counts.unknown)
    for _, action in ipairs(counts.actions) do
      if action.reason and core.terminal(2) and not arguments.quiet then
        output.note(("%s %s: %s, %s"):format(action.verb, output.shown(action.user),
          action.outcome, output.shown(action.reason)))
      end
    end
    say_summary(counts, again, arguments)
  end
  if err then return refused(err) end
  return status_of(summary)
end

function runners.apply(desk, arguments)
  local plan, problem = moderation.load_plan(arguments.plan)
  if not plan then return 2, problem end
  return carry_out(desk, plan, arguments, "usher apply " .. arguments.plan)
end

local UNITS = { s = 1, m = 60, h = 3600, d = 86400 }

--- A span of time: 600, 10m, 2h, 1d.
-- @tparam string text
-- @treturn ?number seconds
function M.span(text)
  local count, unit = text:match("^(%d+%.?%d*)([smhd]?)$")
  return count and tonumber(count) * UNITS[unit == "" and "s" or unit]
end

function runners.undo(desk, arguments)
  if not desk.ledger then return 2, "undo needs a ledger: --ledger, or USHER_LEDGER" end
  local since
  if arguments.since then
    local span = M.span(arguments.since)
    if not span then return 2, "--since: '" .. arguments.since .. "' is no span of time" end
    since = core.now() - span
  end
  local selection = {
    case = arguments.case, moderator = arguments.by, since = since, plan = arguments.plan,
    rule = arguments.rule, user = arguments.user, room = arguments.room,
  }
  if next(selection) == nil then return 2, "say which cases: --case, --by, --since, --plan, ..." end
  local plan, err = desk:plan_undo(selection)
  if not plan then return refused(err) end
  for _, left in ipairs(plan.left) do
    if not arguments.quiet then output.note(("case %d %s"):format(left.case, left.reason)) end
  end
  if arguments.dry_run then
    print(plan)
    return 0
  end
  return carry_out(desk, plan, arguments, "the same command")
end

function runners.watch(desk, arguments)
  local options, problem = read_options(arguments.rules, arguments)
  if not options then return 2, problem end
  options.on_judgement = options.on_judgement or function(judgement)
    if arguments.json then
      output.json{
        user = judgement.user.id, name = judgement.user.name, rule = judgement.rule,
        verb = judgement.verb, reason = judgement.reason, outcome = judgement.outcome,
        shadow = judgement.shadow,
      }
    else
      print(("%s %s %s: %s%s"):format(os.date("%H:%M:%S"), judgement.verb or "strike",
        output.shown(judgement.user.name), output.shown(judgement.reason),
        judgement.shadow and " (shadow)" or ""))
    end
  end
  options.on_error = options.on_error or function(err) output.note("usher: " .. tostring(err)) end
  local summary = desk:watch(options)
  if not arguments.quiet then
    output.note(("%d rounds, %d users judged, %d errors"):format(summary.rounds, summary.judged,
      summary.errors))
  end
  return 0
end

local function lift(desk, arguments)
  local lifted, err, before = desk:lift_expired()
  for _, case in ipairs(lifted or before) do
    if not arguments.quiet then
      print(("%s %s: its time is over"):format(case.verb, output.shown(case.user)))
    end
  end
  if not lifted then return refused(err) end
  return 0
end

local function keep_lifting(desk, arguments)
  core.catch_interrupts(true)
  local status
  repeat
    status = lift(desk, arguments)
    local over = core.monotonic() + (arguments.every or 30)
    while not core.interrupted() and core.monotonic() < over do
      scheduler.pause(math.min(0.25, math.max(over - core.monotonic(), 0)))
    end
  until core.interrupted()
  core.catch_interrupts(false)
  return status
end

function runners.run(desk, arguments)
  if not arguments.script then
    if not desk.ledger then return 2, "without a script a ledger is needed: --ledger" end
    if arguments.once then return lift(desk, arguments) end
    return keep_lifting(desk, arguments)
  end
  local chunk, problem = loadfile(arguments.script)
  if not chunk then return 2, problem end
  if desk.ledger then
    local status = lift(desk, arguments)
    if status ~= 0 then return status end
  end
  _G.usher, _G.client, _G.desk = usher, desk.client, desk
  local ok, err = xpcall(chunk, function(err)
    return type(err) == "string" and debug.traceback(err, 2) or err
  end)
  if ok then return 0 end
  output.note("usher: " .. tostring(err))
  return 1
end

--- The commands.
-- @treturn {string,...}
function M.names()
  local names = {}
  for name in pairs(runners) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Whether a command is the desk's.
function M.has(command)
  return runners[command] ~= nil
end

--- Runs a command.
-- @tparam string command
-- @tparam table arguments as argparse gives them
-- @treturn integer exit status
-- @treturn ?string what is wrong
function M.run(command, arguments)
  local desk, problem = open(arguments)
  if not desk then return 2, problem end
  local ok, status, wrong = pcall(runners[command], desk, arguments)
  close(desk)
  if ok then return status, wrong end
  return 2, (tostring(status):gsub("^.-(usher%.)", "%1"))
end

return M
