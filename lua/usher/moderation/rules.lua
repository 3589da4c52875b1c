--- Rules: who is judged, by what, and what follows. A rule is data with one
-- function:
--
--    { name = "ads", when = rules.name_matches{ "free money", "t.me/" }, action = "mute",
--      seconds = 600, reason = "advertises", shadow = true }
--
-- `when(user, history)` returns true (or words, which become the reason) for a
-- user that the rule is about. `history` tells what the desk has seen:
-- `history.first_seen` (Unix seconds), `history.names` (the user's names, the
-- newest last, at most 20), `history.room` (`users`, `staff`, `joined(seconds)`,
-- how many came in the last seconds, and `flood(seconds)`, which has all who
-- came in them judged again), `history:cases()` (the user's cases of the
-- ledger), `history:strikes()` (how many times a rule struck, not yet decayed
-- and not taken back before its time).
-- Without an `action` the ladder decides. A shadow rule only writes down what
-- it would have done. A rule that raises strikes nobody: that is reported, and
-- the others judge.
-- @module usher.moderation.rules

local core = require "usher.core"
local text = require "usher.moderation.text"
local verbs = require "usher.moderation.verbs"

local M = {}

local rule_types = {
  name = "string", when = "function", action = "string", seconds = "number", reason = "string",
  shadow = "boolean",
}
local rule_names = { "name", "when", "action", "seconds", "reason", "shadow" }
local step_types = { strikes = "number", action = "string", seconds = "number" }
local step_names = { "strikes", "action", "seconds" }

local is_action = {}
for _, verb in ipairs(verbs.ACTIONS) do is_action[verb] = true end

local function check_fields(what, given, types, names, level)
  if type(given) ~= "table" then error(what .. " must be a table", level + 1) end
  for name, value in pairs(given) do
    if not types[name] then
      local nearest = core.nearest(tostring(name), names)
      error(("%s: unknown field '%s'%s"):format(what, tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or ""), level + 1)
    elseif type(value) ~= types[name] then
      error(("%s: %s must be a %s"):format(what, name, types[name]), level + 1)
    end
  end
  if given.action and not is_action[given.action] then
    error(("%s: there is no verb '%s'"):format(what, given.action), level + 1)
  end
end

-- After a hole in a list nothing would be read.
local function check_list(what, list, level)
  local count = 0
  for _ in pairs(list) do count = count + 1 end
  for index = 1, count do
    if list[index] == nil then
      error(("%s must be a list, and has no item %d"):format(what, index), level + 1)
    end
  end
end

local function check_numbers(what, given, level)
  if given.seconds and not (given.seconds > 0 and given.seconds < 1e10) then
    error(what .. ": seconds must be above 0 (leave it out for good)", level + 1)
  elseif given.strikes and not (given.strikes >= 1 and given.strikes % 1 == 0) then
    error(what .. ": strikes must be a whole number from 1", level + 1)
  elseif given.seconds and not given.action then
    error(what .. ": seconds needs an action", level + 1)
  end
end

--- Checks rules and a ladder; raises what is wrong with them.
-- @tparam string what the function that was called
-- @tparam {table,...} rules
-- @tparam ?{table,...} ladder
-- @tparam integer level as for `error`, counted from the caller
function M.check(what, rules, ladder, level)
  if type(rules) ~= "table" or next(rules) == nil then
    error(what .. ": rules must be a list of rules", level + 1)
  end
  check_list(what .. ": rules", rules, level + 1)
  check_list(what .. ": the ladder", ladder or {}, level + 1)
  local seen = {}
  for index, rule in ipairs(rules) do
    local which = ("%s: rule %d"):format(what, index)
    check_fields(which, rule, rule_types, rule_names, level + 1)
    check_numbers(which, rule, level + 1)
    if not rule.name or not rule.when then
      error(which .. " needs a name and when", level + 1)
    elseif seen[rule.name] then
      error(("%s has the name of another, '%s'"):format(which, rule.name), level + 1)
    elseif not rule.action and not ladder then
      error(which .. " needs an action, or a ladder that decides", level + 1)
    end
    seen[rule.name] = true
  end
  for index, step in ipairs(ladder or {}) do
    local which = ("%s: step %d of the ladder"):format(what, index)
    check_fields(which, step, step_types, step_names, level + 1)
    check_numbers(which, step, level + 1)
    if not step.strikes or not step.action then
      error(which .. " needs strikes and an action", level + 1)
    end
  end
end

--- The highest step of a ladder that so many strikes reach, or nil.
-- @tparam {table,...} ladder
-- @tparam integer strikes
-- @treturn ?table
function M.step(ladder, strikes)
  local reached
  for _, step in ipairs(ladder) do
    if strikes >= step.strikes and (not reached or step.strikes > reached.strikes) then
      reached = step
    end
  end
  return reached
end

--- The first rule that a user is struck by, and of the shadow rules all that come before it.
-- @tparam {table,...} rules
-- @tparam table user
-- @tparam table history
-- @tparam function raised called with a rule and what it raised; the rule then strikes nobody
-- @treturn ?table rule
-- @treturn ?string its reason
-- @treturn {{rule=table,reason=string},...} shadows
function M.judge(rules, user, history, raised)
  local shadows = {}
  for _, rule in ipairs(rules) do
    local ok, verdict = pcall(rule.when, user, history)
    if not ok then
      raised(rule, verdict)
    elseif verdict then
      local reason = type(verdict) == "string" and verdict or rule.reason or rule.name
      if not rule.shadow then return rule, reason, shadows end
      shadows[#shadows + 1] = { rule = rule, reason = reason }
    end
  end
  return nil, nil, shadows
end

-- --- what moderators write first ----------------------------------------------------------------

local function strings(what, list)
  if type(list) ~= "table" or #list == 0 then
    error(what .. " needs a list of strings", 3)
  end
  for _, each in ipairs(list) do
    if type(each) ~= "string" or each == "" then error(what .. " needs a list of strings", 3) end
  end
end

--- A nickname that holds one of some words, however it is spelled: capitals, marks, full width,
-- spaces and signs in between, and letters that look alike make no difference.
-- @tparam {string,...} words
-- @treturn function for `when`; its verdict names the word
function M.name_matches(words)
  strings("rules.name_matches", words)
  local patterns = {}
  for i, word in ipairs(words) do
    patterns[i] = {
      word = word, folded = (text.fold(word):gsub(" ", "")), skeleton = (text.skeleton(word)),
    }
  end
  return function(user)
    local folded = text.fold(user.name):gsub(" ", "")
    local small, capitals = text.skeleton(user.name)
    for _, pattern in ipairs(patterns) do
      if folded:find(pattern.folded, 1, true)
        or (#pattern.skeleton > 3 and (small:find(pattern.skeleton, 1, true)
          or capitals:find(pattern.skeleton, 1, true))) then
        return ("the nickname holds '%s'"):format(pattern.word)
      end
    end
    return false
  end
end

-- Names by the ways to read them.
local function skeletons_of(names)
  local known = {}
  for _, name in ipairs(names) do
    local small, capitals = text.skeleton(name)
    known[small], known[capitals] = name, name
  end
  return known
end

--- A nickname that is easily taken for another's: of the staff in the room, and of `names`.
-- @tparam[opt] {string,...} names
-- @treturn function for `when`
function M.impersonates(names)
  if names then strings("rules.impersonates", names) end
  local given = skeletons_of(names or {})
  local room, staff -- of the round that is judged
  return function(user, history)
    local small, capitals = text.skeleton(user.name)
    if small == "" then return false end
    if room ~= history.room then
      local staff_names = {}
      for i, each in ipairs(history.room.staff) do staff_names[i] = each.name end
      room, staff = history.room, skeletons_of(staff_names)
    end
    local taken = given[small] or given[capitals] or staff[small] or staff[capitals]
    return taken ~= nil and ("the nickname imitates '%s'"):format(taken)
  end
end

--- Too many who came at once: each of them, those too who came before it were too many.
-- @tparam integer most how many may come
-- @tparam number seconds in how long
-- @treturn function for `when`
function M.joins_flood(most, seconds)
  if type(most) ~= "number" or type(seconds) ~= "number" then
    error("rules.joins_flood needs two numbers: how many, in how many seconds", 2)
  end
  return function(_, history)
    local is_new = history.room.now - history.first_seen <= seconds
    if not is_new or history.room.joined(seconds) <= most then return false end
    history.room.flood(seconds)
    return ("more than %.14g came in %.14g seconds"):format(most, seconds)
  end
end

return M
