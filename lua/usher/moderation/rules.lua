--- Rules: who is judged, by what, and what follows. A rule is data with one
-- function:
--
--    { name = "ads", when = rules.name_matches{ "free money", "t.me/" }, action = "mute",
--      seconds = 600, reason = "advertises", shadow = true }
--
-- `when(user, history)` returns true (or words, which become the reason) for a
-- user that the rule is about. `history` tells what the desk has seen:
-- `history.first_seen` (Unix seconds), `history.names` (the user's names, the
-- newest last), `history.room` (`users`, `staff`, and `joined(seconds)`, how
-- many came in the last seconds), `history:cases()` (the user's cases of the
-- ledger), `history:strikes()` (how many times a rule struck, not yet decayed).
-- Without an `action` the ladder decides. A shadow rule only writes down what
-- it would have done.
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

--- Checks rules and a ladder; raises what is wrong with them.
-- @tparam string what the function that was called
-- @tparam {table,...} rules
-- @tparam ?{table,...} ladder
-- @tparam integer level as for `error`, counted from the caller
function M.check(what, rules, ladder, level)
  if type(rules) ~= "table" or #rules == 0 then
    error(what .. ": rules must be a list of rules", level + 1)
  end
  local seen = {}
  for index, rule in ipairs(rules) do
    local which = ("%s: rule %d"):format(what, index)
    check_fields(which, rule, rule_types, rule_names, level + 1)
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
-- @treturn ?table rule
-- @treturn ?string its reason
-- @treturn {{rule=table,reason=string},...} shadows
function M.judge(rules, user, history)
  local shadows = {}
  for _, rule in ipairs(rules) do
    local verdict = rule.when(user, history)
    if verdict then
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
      word = word, folded = (text.fold(word):gsub(" ", "")), skeleton = text.skeleton(word),
    }
  end
  return function(user)
    local folded, skeleton = text.fold(user.name):gsub(" ", ""), text.skeleton(user.name)
    for _, pattern in ipairs(patterns) do
      if folded:find(pattern.folded, 1, true)
        or (#pattern.skeleton > 3 and skeleton:find(pattern.skeleton, 1, true)) then
        return ("the nickname holds '%s'"):format(pattern.word)
      end
    end
    return false
  end
end

--- A nickname that is easily taken for another's: of the staff in the room, and of `names`.
-- @tparam[opt] {string,...} names
-- @treturn function for `when`
function M.impersonates(names)
  if names then strings("rules.impersonates", names) end
  local given = {}
  for _, name in ipairs(names or {}) do given[text.skeleton(name)] = name end
  return function(user, history)
    local skeleton = text.skeleton(user.name)
    if skeleton == "" then return false end
    local taken = given[skeleton]
    for _, staff in ipairs(history.room.staff) do
      if text.skeleton(staff.name) == skeleton then taken = staff.name end
    end
    return taken ~= nil and ("the nickname imitates '%s'"):format(taken)
  end
end

--- Too many who came at once: each of them.
-- @tparam integer most how many may come
-- @tparam number seconds in how long
-- @treturn function for `when`
function M.joins_flood(most, seconds)
  if type(most) ~= "number" or type(seconds) ~= "number" then
    error("rules.joins_flood needs two numbers: how many, in how many seconds", 2)
  end
  return function(_, history)
    local is_new = history.room.now - history.first_seen <= seconds
    return is_new and history.room.joined(seconds) > most
      and ("more than %d came in %d seconds"):format(most, seconds)
  end
end

return M
