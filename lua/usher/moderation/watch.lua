--- Watching a room: its users are read again and again, each is judged once per
-- change, and what the rules say is done. What was judged before a restart is
-- known from the ledger.
-- @module usher.moderation.watch

local act = require "usher.moderation.act"
local core = require "usher.core"
local pages = require "usher.pages"
local rules = require "usher.moderation.rules"
local scheduler = require "usher.scheduler"
local verbs = require "usher.moderation.verbs"

local M = {}

local EVERY = 5
local PIECE = 0.25 -- longest wait in one piece, in seconds: a request to stop is seen in between
local DECAY = 30 * 86400

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
  rules.check(what, options.rules, options.ladder, level + 1)
end

-- --- what is known of a user --------------------------------------------------------------------

local history_methods = {}
local history_mt = { __index = history_methods }

--- The user's cases, the newest first. Raises when the ledger cannot be read.
function history_methods:cases()
  local desk = self.watch.desk
  if not self.known_cases then
    self.known_cases = desk.ledger and assert(desk.ledger:cases{
      provider = desk.provider, user = self.user_id, newest = true, limit = 100,
    }) or {}
  end
  return self.known_cases
end

--- How many times a rule struck the user and the strike has not decayed.
function history_methods:strikes()
  local since, count = self.room.now - self.watch.decay, 0
  for _, case in ipairs(self:cases()) do
    local struck = case.rule and case.outcome ~= "skipped" and case.outcome ~= "failed"
    if struck and case.opened_at >= since and not (case.details and case.details.shadow) then
      count = count + 1
    end
  end
  return count
end

local function new_history(watch, user, now)
  return setmetatable({ watch = watch, user_id = user.id, first_seen = now, names = {} },
    history_mt)
end

-- --- judging ------------------------------------------------------------------------------------

local function is_new_name(history, user)
  return history.names[#history.names] ~= user.name
end

-- Whether this rule has struck this user under this name already, as after a restart.
local function was_judged(history, rule, user)
  for _, case in ipairs(history:cases()) do
    if case.rule == rule.name and case.details and case.details.user_name == user.name then
      return true
    end
  end
  return false
end

-- A strike that is written down and nothing more: a shadow's, or one below the first step.
local function write_down(watch, user, rule, reason, verb, words, shadow)
  local desk = watch.desk
  if desk.recorder or desk.dry_run or not desk.ledger then return nil end
  local number, problem = desk.ledger:open_case{
    provider = desk.provider, verb = verb, user_id = user.id, room = watch.room,
    moderator = desk.moderator, reason = reason, rule = rule.name,
    details = { user_name = user.name, shadow = shadow },
  }
  if not number then return act.failure(desk.provider, verb, "ledger", problem) end
  desk.ledger:close_case(number, shadow and "skipped" or "done", words)
end

local function tell(watch, judgement)
  if watch.options.on_judgement then watch.options.on_judgement(judgement) end
end

-- What follows from a strike: the rule's own action, or the ladder's.
local function consequence(watch, rule, history)
  if rule.action then return rule end
  local strikes = history:strikes() + 1
  return rules.step(watch.options.ladder, strikes), strikes
end

local function shadow(watch, user, history, judged)
  local rule = judged.rule
  if was_judged(history, rule, user) then return nil end
  local step = consequence(watch, rule, history) or {}
  tell(watch, { user = user, rule = rule.name, reason = judged.reason, verb = step.action,
    shadow = true })
  return write_down(watch, user, rule, judged.reason, step.action or "warn",
    "a shadow rule: nothing was done", true)
end

local function strike(watch, user, history, rule, reason)
  if was_judged(history, rule, user) then return nil end
  local step, strikes = consequence(watch, rule, history)
  history.known_cases = nil
  local judgement = { user = user, rule = rule.name, reason = reason, strikes = strikes,
    verb = step and step.action }
  if not step then
    tell(watch, judgement)
    return write_down(watch, user, rule, reason, "warn", "a strike below the ladder's first step")
  end
  local action = { verb = step.action, user = user.id, user_name = user.name, room = watch.room,
    seconds = step.seconds, reason = reason, rule = rule.name }
  local done, err
  if watch.desk.recorder then done, err = watch.desk.recorder(action) else
    done, err = act.act(watch.desk, action)
  end
  judgement.outcome, judgement.error = done and done.outcome or err.outcome, err
  tell(watch, judgement)
  return err
end

-- The first error, after which the user is judged again in the next round.
local function judge(watch, user, history)
  local rule, reason, shadows = rules.judge(watch.options.rules, user, history)
  for _, judged in ipairs(shadows) do
    local err = shadow(watch, user, history, judged)
    if err then return err end
  end
  if rule then return strike(watch, user, history, rule, reason) end
end

-- --- a round ------------------------------------------------------------------------------------

local function joined_since(watch, now)
  return function(seconds)
    local count = 0
    for _, history in pairs(watch.histories) do
      if now - history.first_seen <= seconds then count = count + 1 end
    end
    return count
  end
end

-- What `when` sees of the room. Who was there at the first look did not come just now.
local function room_of(watch, users, now)
  local room = { now = now, users = users, staff = {}, joined = joined_since(watch, now) }
  local here = {}
  for _, user in ipairs(users) do
    here[user.id or ""] = true
    if watch.desk:is_protected(user) then room.staff[#room.staff + 1] = user end
    if user.id and not watch.histories[user.id] then
      watch.histories[user.id] = new_history(watch, user, watch.began and now or -math.huge)
    end
  end
  for id in pairs(watch.histories) do -- who left and comes back is new
    if not here[id] then watch.histories[id] = nil end
  end
  watch.began = true
  return room
end

local function report(watch, err)
  watch.summary.errors = watch.summary.errors + 1
  if watch.options.on_error then watch.options.on_error(err) end
end

local function judge_all(watch, users)
  local room = room_of(watch, users, watch.desk.clock())
  for _, user in ipairs(users) do
    local history = watch.histories[user.id]
    if history and is_new_name(history, user) and not watch.desk:is_protected(user) then
      history.room = room
      watch.summary.judged = watch.summary.judged + 1
      local err = judge(watch, user, history)
      if err then report(watch, err) else history.names[#history.names + 1] = user.name end
    end
    if watch:wants_stop() then return end
  end
end

-- Events that wait for who acts, where the provider has such a thing.
local function read_events(watch)
  local entry = verbs.find(watch.desk.provider, "events")
  if not entry or not watch.options.on_event then return end
  local answer, err = watch.desk.client[entry.call](watch.desk.client,
    act.arguments(entry, { actor = watch.desk.actor }))
  if not answer then return report(watch, err) end
  for _, event in ipairs(pages.at(answer, entry.items) or {}) do watch.options.on_event(event) end
end

local function round(watch)
  if watch.desk.ledger and not watch.desk.recorder and not watch.desk.dry_run then
    local lifted, err = watch.desk:lift_expired()
    if not lifted then report(watch, err) end
  end
  read_events(watch)
  local users, err = watch.desk:read_list("list_users", { room = watch.room })
  if users then judge_all(watch, users) else report(watch, err) end
  if watch.desk.ledger then watch.desk.ledger:flush() end
  watch.summary.rounds = watch.summary.rounds + 1
  return users, err
end

local function wants_stop(watch)
  if core.interrupted() or (watch.options.stop and watch.options.stop()) then
    watch.summary.stopped = true
  end
  return watch.summary.stopped
end

function M.new(desk, options)
  return {
    desk = desk, options = options, room = options.room or desk.room, histories = {},
    decay = options.decay or DECAY, wants_stop = wants_stop, began = false,
    summary = { rounds = 0, judged = 0, errors = 0, stopped = false },
  }
end

--- One round, for a plan: judges who is there now.
-- @tparam table watch
-- @treturn ?table summary
-- @treturn[2] nil
-- @treturn[2] table error
function M.once(watch)
  local users, err = round(watch)
  if not users then return nil, err end
  return watch.summary
end

local function pause(watch, seconds)
  local over = core.monotonic() + seconds
  while not watch:wants_stop() do
    local wait = over - core.monotonic()
    if wait <= 0 then return end
    scheduler.pause(math.min(wait, PIECE))
  end
end

--- Watches until it is told to stop.
-- @tparam table watch
-- @treturn table summary
function M.run(watch)
  core.catch_interrupts(true)
  local ok, err = pcall(function()
    while not watch:wants_stop() do
      round(watch)
      if watch.summary.rounds == watch.options.rounds then break end
      pause(watch, watch.options.every or EVERY)
    end
  end)
  if core.interrupted() then watch.summary.stopped = true end
  core.catch_interrupts(false)
  if not ok then error(err, 0) end
  return watch.summary
end

return M
