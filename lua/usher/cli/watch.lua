--- `usher watch` and `usher run`: what goes on until it is stopped, and scripts.
-- @module usher.cli.watch

local core = require "usher.core"
local desks = require "usher.cli.desks"
local output = require "usher.cli.output"
local scheduler = require "usher.scheduler"
local usher = require "usher"

local M = { commands = {} }

local EVERY = 30 -- seconds between two looks for what is due
local PIECE = 0.25 -- longest wait in one piece: a signal is seen in between

--- Adds the commands to a parser.
-- @tparam table parser of argparse
function M.add(parser)
  local watch = parser:command("watch", "Watch a room and act by rules, until a signal.")
  watch:argument("rules", "A Lua file that returns rules, or what `desk:watch` takes.")
  watch:option("--every", "Seconds between two looks (5)."):convert(tonumber)
  watch:option("--rounds", "So many looks, and no more."):convert(tonumber)
  desks.add_options(watch)
  local run = parser:command("run", "Lift what is due, then run a script; without one, "
    .. "go on lifting, until a signal.")
  run:argument("script", "A Lua file; it finds `usher`, `client` and `desk`."):args("?")
  run:argument("arguments", "What the script gets as `...`."):args("*")
  run:option("--every", "Seconds between two looks (30)."):convert(tonumber)
  run:flag("--once", "Lift what is due now, and no more.")
  desks.add_options(run)
end

local function show_judgement(judgement, arguments)
  if arguments.json then
    return output.json{
      user = judgement.user.id, name = judgement.user.name, rule = judgement.rule,
      verb = judgement.verb, reason = judgement.reason, outcome = judgement.outcome,
      shadow = judgement.shadow,
    }
  end
  print(("%s %s %s: %s%s"):format(os.date("%H:%M:%S"), judgement.verb or "strike",
    output.shown(judgement.user.name), output.shown(judgement.reason),
    judgement.shadow and " (shadow)" or ""))
end

M.commands.watch = desks.command(function(desk, arguments)
  local options, problem = desks.read_options(arguments.rules, arguments)
  if not options then return 2, problem end
  io.stdout:setvbuf("line")
  if arguments.rounds then options.rounds = arguments.rounds end
  options.on_judgement = options.on_judgement
    or function(judgement) show_judgement(judgement, arguments) end
  options.on_error = options.on_error or function(err) output.note("usher: " .. tostring(err)) end
  local summary, err = desk:watch(options)
  if not summary then return desks.refused(err) end
  if not arguments.quiet then
    output.note(("%d rounds, %d users judged, %d errors"):format(summary.rounds, summary.judged,
      summary.errors))
  end
  return 0
end)

local function lift(desk, arguments)
  local lifted, err, before = desk:lift_expired()
  for _, case in ipairs(lifted or before) do
    if not arguments.quiet then
      print(("%s %s: its time is over"):format(case.verb, output.shown(case.user)))
    end
  end
  return lifted and 0 or desks.refused(err)
end

local function keep_lifting(desk, arguments)
  core.catch_interrupts(true)
  repeat
    lift(desk, arguments)
    local over = core.monotonic() + (arguments.every or EVERY)
    while not core.interrupted() and core.monotonic() < over do
      scheduler.pause(math.min(PIECE, math.max(over - core.monotonic(), 0)))
    end
  until core.interrupted()
  core.catch_interrupts(false)
  return 0
end

local function run_script(desk, arguments)
  local chunk, problem = loadfile(arguments.script)
  if not chunk then return 2, problem end
  local status = desk.ledger and lift(desk, arguments) or 0
  if status ~= 0 then return status end
  _G.usher, _G.client, _G.desk = usher, desk.client, desk
  local given = arguments.arguments
  local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143
  local ok, err = xpcall(function() return chunk(unpack(given)) end, function(err)
    return type(err) == "string" and debug.traceback(err, 2) or err
  end)
  if ok then return 0 end
  output.note("usher: " .. tostring(err))
  return 1
end

M.commands.run = desks.command(function(desk, arguments)
  io.stdout:setvbuf("line")
  if arguments.script then return run_script(desk, arguments) end
  if not desk.ledger then return 2, "without a script a ledger is needed: --ledger" end
  if arguments.once then return lift(desk, arguments) end
  return keep_lifting(desk, arguments)
end)

return M
