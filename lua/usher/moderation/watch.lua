--- Watching a room: its users are read again and again, each is judged once per
-- change, and what the rules say is done. What was judged before a restart is
-- known from the ledger.
-- @module usher.moderation.watch

local act = require "usher.moderation.act"
local core = require "usher.core"
local judging = require "usher.moderation.judging"
local pages = require "usher.pages"
local process = require "usher.moderation.process"
local rules = require "usher.moderation.rules"
local verbs = require "usher.moderation.verbs"

local M = {}

local EVERY = 5
local PIECE = 0.25 -- longest wait in one piece, in seconds: a request to stop is seen in between
local DECAY = 30 * 86400
local LONGEST = 60 -- seconds between two looks, at most, when one after another fails
local ABSENCE = 600 -- seconds: who comes back within them has not come anew, and a list that was
-- short for once makes nobody new
local JOINS = 10000 -- so many are remembered

local option_types = {
  room = "string", every = "number", rules = "table", ladder = "table", decay = "number",
  stop = "function", rounds = "number", on_judgement = "function", on_error = "function",
  on_event = "function",
}
local option_names = { "room", "every", "rules", "ladder", "decay", "stop", "rounds",
  "on_judgement", "on_error", "on_event" }

function M.check_options(what, options, level)
  if type(options) ~= "table" then error(what .. ": expected a table", level + 1) end
  for name, value in pairs(options) do
    if not option_types[name] then
      local nearest = core.nearest(tostring(name), option_names)
      error(("%s: unknown option '%s'%s"):format(what, tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or ""), level + 1)
    elseif type(value) ~= option_types[name] then
      error(("%s: %s must be a %s"):format(what, name, option_types[name]), level + 1)
    end
  end
  for _, name in ipairs{ "every", "decay", "rounds" } do
    local number = options[name]
    if number and (number <= 0 or number ~= number) then
      error(("%s: %s must be above 0"):format(what, name), level + 1)
    end
  end
  rules.check(what, options.rules, options.ladder, level + 1)
end

-- --- a round ------------------------------------------------------------------------------------

-- How many came in the last seconds, those too who have left again.
local function joined_since(watch, now)
  local known = {}
  return function(seconds)
    if not known[seconds] then
      local count = 0
      for _, time in ipairs(watch.joins) do
        if now - time <= seconds then count = count + 1 end
      end
      known[seconds] = count
    end
    return known[seconds]
  end
end

local function note_join(watch, now)
  table.insert(watch.joins, now)
  if #watch.joins > JOINS then table.remove(watch.joins, 1) end
end

-- Who was there at the first look did not come just now.
local function note_users(watch, users, now)
  for _, user in ipairs(users) do
    local history = user.id and watch.histories[user.id]
    if user.id and not history then
      history = judging.new_history(watch, user, watch.began and now or -math.huge)
      watch.histories[user.id] = history
      if watch.began then note_join(watch, now) end
    end
    if history then history.seen_at = now end
  end
  for id, history in pairs(watch.histories) do
    if now - history.seen_at > ABSENCE then watch.histories[id] = nil end
  end
  watch.began = true
end

-- What `when` sees of the room.
local function room_of(watch, users, now)
  note_users(watch, users, now)
  local room = { now = now, users = users, staff = {}, joined = joined_since(watch, now) }
  function room.flood(seconds) room.flooded = math.max(room.flooded or 0, seconds) end
  for _, user in ipairs(users) do
    if watch.desk:is_protected(user) then room.staff[#room.staff + 1] = user end
  end
  return room
end

-- Judges the users that `wants` picks.
local function judge_some(watch, room, wants)
  for _, user in ipairs(room.users) do
    local history = watch.histories[user.id]
    if history and not watch.desk:is_protected(user) and wants(user, history) then
      judging.judge_one(watch, user, history, room)
    end
    if watch:wants_stop() then return end
  end
end

local function judge_all(watch, users)
  local now = watch.desk.clock()
  local room, fresh = room_of(watch, users, now), {}
  judge_some(watch, room, function(user, history)
    fresh[user.id] = judging.is_new_name(history, user, now)
    return fresh[user.id]
  end)
  if not room.flooded then return end
  judge_some(watch, room, function(user, history) -- who came before it was known to be a flood
    return not fresh[user.id] and now >= history.retry_at
      and now - history.first_seen <= room.flooded
  end)
end

-- Events that wait for who acts, where the provider has such a thing.
local function read_events(watch)
  local entry = verbs.find(watch.desk.provider, "events")
  if not entry or not watch.options.on_event then return end
  local answer, err = watch.desk.client[entry.call](watch.desk.client,
    act.arguments(entry, { actor = watch.desk.actor }))
  if not answer then return judging.report(watch, err) end
  for _, event in ipairs(pages.at(answer, entry.items) or {}) do
    local ok, raised = pcall(watch.options.on_event, event) -- no other look brings them again
    if not ok then
      judging.report(watch, act.failure(watch.desk.provider, "watch", "rule",
        "on_event raised: " .. tostring(raised)))
    end
  end
end

local function flush(watch)
  if not watch.desk.ledger then return end
  local ok, problem = watch.desk.ledger:flush()
  if ok then return end
  judging.report(watch, act.failure(watch.desk.provider, "watch", "ledger", problem))
end

local function round(watch)
  if watch.desk.ledger and not watch.desk.recorder and not watch.desk.dry_run then
    local lifted, err = watch.desk:lift_expired()
    if not lifted then judging.report(watch, err) end
  end
  if not watch.desk.recorder then read_events(watch) end
  local users, err = watch.desk:read_list("list_users", { room = watch.room })
  if users then judge_all(watch, users) else judging.report(watch, err) end
  flush(watch)
  watch.summary.rounds = watch.summary.rounds + 1
  return users, err
end

local function wants_stop(watch)
  if process.interrupted() or (watch.options.stop and watch.options.stop()) then
    watch.summary.stopped = true
  end
  return watch.summary.stopped
end

function M.new(desk, options)
  return {
    desk = desk, options = options, room = options.room or desk.room,
    decay = options.decay or DECAY,
    histories = {}, -- by the user's id
    joins = {}, -- when users came
    wants_stop = wants_stop, began = false,
    summary = { rounds = 0, judged = 0, errors = 0, stopped = false },
  }
end

-- What no round could do: an action that the provider does not have, or not like this.
local function refusal(watch)
  local provider = watch.desk.provider
  if not verbs.find(provider, "list_users") then return act.unsupported(provider, "list_users") end
  local somebody = { id = "somebody", name = "somebody" }
  local rule_of_ladder = { name = "the ladder" }
  local function check(step, rule)
    if not step.action or step.shadow then return nil end
    local action = judging.action_of(watch, step, somebody, rule, "a reason")
    return select(2, act.prepare(watch.desk, action))
  end
  for _, rule in ipairs(watch.options.rules) do
    local err = check(rule, rule)
    if err then return err end
  end
  for _, step in ipairs(watch.options.ladder or {}) do
    local err = check(step, rule_of_ladder)
    if err then return err end
  end
end

--- One round, for a plan: judges who is there now.
-- @tparam table watch
-- @treturn ?table summary
-- @treturn[2] nil
-- @treturn[2] table error: somebody could not be judged
function M.once(watch)
  local err = refusal(watch)
  if err then return nil, err end
  round(watch)
  if watch.failure then return nil, watch.failure end
  return watch.summary
end

local function pause(watch, seconds)
  local over = core.monotonic() + seconds
  while not watch:wants_stop() do
    local wait = over - core.monotonic()
    if wait <= 0 then return end
    process.pause(math.min(wait, PIECE))
  end
end

-- After looks that failed the next one waits longer, each time twice as long, and as long as the
-- provider asks for.
local function wait_after(watch, failures, err)
  local every = watch.options.every or EVERY
  if failures == 0 then return every end
  return math.max(math.min(every * 2 ^ failures, math.max(every, LONGEST)), err.retry_after or 0)
end

local function rounds(watch)
  local failures = 0
  while not watch:wants_stop() do
    local users, err = round(watch)
    failures = users and 0 or failures + 1
    if watch.summary.rounds == watch.options.rounds then break end
    pause(watch, wait_after(watch, failures, err))
  end
end

--- Watches until it is told to stop.
-- @tparam table watch
-- @treturn ?table summary
-- @treturn[2] nil
-- @treturn[2] table error: the provider cannot do what a rule asks for
function M.run(watch)
  local err = refusal(watch)
  if err then return nil, err end
  if process.run(rounds, watch) then watch.summary.stopped = true end
  return watch.summary
end

return M
