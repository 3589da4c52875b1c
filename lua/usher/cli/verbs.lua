--- The verbs of the desk on the command line, the lists, and what a provider can.
-- @module usher.cli.verbs

local desks = require "usher.cli.desks"
local output = require "usher.cli.output"
local spans = require "usher.cli.spans"
local verbs = require "usher.moderation.verbs"

local M = { commands = {} }

local WORDS = {
  ban = "Ban a user.", unban = "Lift a ban.", mute = "Stop a user from writing.",
  unmute = "Lift a mute.", kick = "Take a user out of a room; the user may come back.",
  admit = "Take a user into a room, as after a kick.",
  block = "Block a user for the one who acts.", unblock = "Lift a block.",
  sign_out = "Sign a user out.", warn = "Say something to a user.",
  list_users = "List who is in a room.", list_banned = "List who is banned.",
  list_muted = "List who is muted.", list_blocked = "List who is blocked.",
}

local USERS = { "id", "name", "role", "since" }
local CAPABILITIES = { "verb", "support", "timed", "scope", "public", "shows" }
local SUPPORT = { support = { native = "green", unsupported = "dim" } }

local function option_of(verb)
  return (verb:gsub("_", "-"))
end

--- Adds the commands to a parser.
-- @tparam table parser of argparse
function M.add(parser)
  for _, verb in ipairs(verbs.ACTIONS) do
    local command = parser:command(option_of(verb), WORDS[verb])
    command:argument("user", "The user's id.")
    command:option("--seconds", "For so long; for good if absent."):convert(tonumber)
    command:option("--reason", "Why.")
    command:flag("--dry-run", "Print what would be sent, and send nothing.")
    desks.add_options(command)
  end
  for _, verb in ipairs(verbs.LISTS) do
    desks.add_options(parser:command(option_of(verb), WORDS[verb]))
  end
  desks.add_options(parser:command("capabilities", "Say what a provider can do."))
end

local function say(verb, done, arguments)
  if done.curl then
    print(done.curl)
  elseif arguments.json then
    output.json{ case = done.case, verb = done.verb, user = done.user, room = done.room,
      outcome = done.outcome, expires_at = done.expires_at }
  elseif not arguments.quiet then
    print(("%s %s: %s%s"):format(verb, output.shown(arguments.user), done.outcome,
      done.case and (" (case %d)"):format(done.case) or ""))
  end
end

local function act(verb)
  return desks.command(function(desk, arguments)
    local done, err = desk[verb](desk, {
      user = arguments.user, seconds = arguments.seconds, reason = arguments.reason,
    })
    if not done then return desks.refused(err) end
    say(verb, done, arguments)
    return 0
  end)
end

local function list(verb)
  return desks.command(function(desk, arguments)
    local users, err = desk[verb](desk)
    if not users then return desks.refused(err) end
    for _, user in ipairs(users) do
      if arguments.json then
        output.json{ id = user.id, name = user.name, role = user.role, since = user.since }
      end
      user.since = spans.date(user.since)
    end
    if not arguments.json then output.table(USERS, users) end
    return 0
  end)
end

for _, verb in ipairs(verbs.ACTIONS) do M.commands[option_of(verb)] = act(verb) end
for _, verb in ipairs(verbs.LISTS) do M.commands[option_of(verb)] = list(verb) end

M.commands.capabilities = desks.command(function(desk, arguments)
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
  if not arguments.json then output.table(CAPABILITIES, rows, SUPPORT) end
  return 0
end)

return M
