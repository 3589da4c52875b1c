--- Judging the users of a room that is watched: what is known of each, which rule strikes whom, and
-- what follows. When it is looked, and at whom, is in `usher.moderation.watch`.
-- @module usher.moderation.judging

local act = require "usher.moderation.act"
local rules = require "usher.moderation.rules"
local texts = require "usher.ledger.text"
local verbs = require "usher.moderation.verbs"

local M = {}

local NAMES = 20 -- so many are remembered of a user

-- --- what is known of a user --------------------------------------------------------------------

local history_methods = {}
local history_mt = { __index = history_methods }

--- The user's cases, the newest first. Raises an error when the ledger cannot be read.
function history_methods:cases()
  local desk = self.watch.desk
  if not desk.ledger then return {} end
  if not self.known_cases then
    local cases, problem = desk.ledger:cases{ provider = desk.provider, user = self.user_id,
      newest = true, limit = 100 }
    if not cases then error(act.failure(desk.provider, "watch", "ledger", problem), 0) end
    self.known_cases = cases
  end
  return self.known_cases
end

-- Whether a moderator took a case back before its time.
local function was_taken_back(cases, case)
  if not case.lifted_by or not case.expires_at then return case.lifted_by ~= nil end
  for _, other in ipairs(cases) do
    if other.number == case.lifted_by then return other.opened_at < case.expires_at end
  end
  return false
end

--- How many times a rule struck the user and the strike has not decayed, nor been taken back.
function history_methods:strikes()
  local since, count, cases = self.room.now - self.watch.decay, 0, self:cases()
  for _, case in ipairs(cases) do
    local struck = case.rule and case.outcome ~= "skipped" and case.outcome ~= "failed"
    if struck and case.opened_at >= since and not was_taken_back(cases, case) then
      count = count + 1
    end
  end
  return count
end

function M.new_history(watch, user, now)
  return setmetatable({
    watch = watch, user_id = user.id, names = {}, first_seen = now,
    struck = {}, -- the rules that struck the user under the name of now
    named_at = now, -- since when the user has this name
    failures = 0, retry_at = -math.huge, -- of what could not be done
  }, history_mt)
end

-- --- judging ------------------------------------------------------------------------------------

-- Whether the user is to be judged: under a name that was not judged yet.
function M.is_new_name(history, user, now)
  if history.name ~= user.name then
    if history.name then history.named_at = now end
    history.name, history.struck, history.failures, history.retry_at = user.name, {}, 0, -math.huge
  end
  return history.names[#history.names] ~= user.name and now >= history.retry_at
end

local function remember_name(history, user)
  table.insert(history.names, user.name)
  if #history.names > NAMES then table.remove(history.names, 1) end
end

-- Whether this rule has struck this user since the user has this name; of who was there at the
-- first look, ever, as before a restart. What surely was not done is no strike.
local function was_judged(watch, history, rule, user)
  if history.struck[rule.name] then return true end
  local name = texts.clean(user.name) -- as the ledger keeps it
  for _, case in ipairs(history:cases()) do
    if case.rule == rule.name and case.details and case.details.user_name == name
      and case.outcome ~= "failed" and case.opened_at >= history.named_at
      and (case.room == nil or case.room == watch.room) then
      return true
    end
  end
  return false
end

-- A strike that is written down and nothing more: a shadow's, or one below the first step.
local function write_down(watch, user, rule, reason, verb, outcome, words)
  local desk = watch.desk
  if desk.recorder or desk.dry_run or not desk.ledger then return nil end
  local number, problem = desk.ledger:record_case({
    provider = desk.provider, verb = verb, user_id = user.id, room = watch.room,
    moderator = desk.moderator, reason = reason, rule = rule.name,
    details = { user_name = user.name, shadow = outcome == "skipped" or nil },
  }, outcome, words)
  if not number then return act.failure(desk.provider, verb, "ledger", problem) end
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
  if was_judged(watch, history, rule, user) then return nil end
  local step = consequence(watch, rule, history) or {}
  local err = write_down(watch, user, rule, judged.reason, step.action or "strike", "skipped",
    "a shadow rule: nothing was done")
  if err then return err end
  history.struck[rule.name] = true
  tell(watch, { user = user, rule = rule.name, reason = judged.reason, verb = step.action,
    shadow = true })
end

-- An action as a step or a rule has it, on a user.
function M.action_of(watch, step, user, rule, reason)
  local entry = verbs.find(watch.desk.provider, step.action)
  return {
    verb = step.action, user = user.id, user_name = user.name, seconds = step.seconds,
    reason = reason, rule = rule.name,
    room = not (entry and entry.scope) and watch.room or nil, -- as the verbs of the desk do
  }
end

local function strike(watch, user, history, rule, reason)
  if was_judged(watch, history, rule, user) then return nil end
  local step, strikes = consequence(watch, rule, history)
  local judgement = { user = user, rule = rule.name, reason = reason, strikes = strikes,
    verb = step and step.action }
  local done, err
  if not step then
    err = write_down(watch, user, rule, reason, "strike", "done",
      "a strike below the ladder's first step: nothing was sent")
  else
    local action = M.action_of(watch, step, user, rule, reason)
    local desk = watch.desk
    if desk.recorder then done, err = desk.recorder(action)
    else done, err = act.act(desk, action) end
  end
  judgement.outcome, judgement.error = done and done.outcome or err and err.outcome, err
  if not err or err.outcome == "unknown" then history.struck[rule.name] = true end
  tell(watch, judgement)
  return err
end

function M.report(watch, err)
  watch.summary.errors = watch.summary.errors + 1
  watch.failure = watch.failure or err
  if watch.options.on_error then watch.options.on_error(err) end
end

-- What a rule raised: an error of the ledger is passed on, all else is the rule's own.
local function raised_by(watch, rule, raised)
  if type(raised) == "table" and raised.kind == "ledger" then error(raised, 0) end
  M.report(watch, act.failure(watch.desk.provider, "watch", "rule",
    ("rule '%s' raised: %s"):format(rule.name, tostring(raised))))
end

-- The first error, after which the user is judged again in the next round.
local function judge(watch, user, history)
  local rule, reason, shadows = rules.judge(watch.options.rules, user, history,
    function(which, raised) raised_by(watch, which, raised) end)
  for _, judged in ipairs(shadows) do
    local err = shadow(watch, user, history, judged)
    if err then return err end
  end
  if rule then return strike(watch, user, history, rule, reason) end
end

-- The same, with what the ledger raises. Cases are read anew for each judgement: other processes
-- write them too, and nobody keeps those of a whole room.
function M.judge_one(watch, user, history, room)
  history.room, history.known_cases = room, nil
  watch.summary.judged = watch.summary.judged + 1
  local ok, err = pcall(judge, watch, user, history)
  history.known_cases = nil
  if not ok and not (type(err) == "table" and err.kind == "ledger") then error(err, 0) end
  if not err then
    history.failures = 0
    return remember_name(history, user)
  end
  if not act.is_common(err) then -- by itself: not again and again
    history.failures = history.failures + 1
    history.retry_at = room.now + act.delay(history.failures)
  end
  M.report(watch, err)
end

return M
