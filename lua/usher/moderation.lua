--- The moderation desk: one set of verbs for all providers, a record of what was
-- done, and the way back.
--
--    local desk = usher.moderation{
--      client = chat, room = "room-1", ledger = ledger, moderator = "ann",
--    }
--    desk:mute{ user = "u1", seconds = 600, reason = "spam" }
--
-- What a provider can express is data, in `usher.moderation.verbs`; what it
-- cannot returns `nil, err` with `kind = "unsupported"` and the providers that
-- can in `err.providers`.
-- @module usher.moderation

local act = require "usher.moderation.act"
local applying = require "usher.moderation.apply"
local core = require "usher.core"
local ledgers = require "usher.ledger"
local lifting = require "usher.moderation.lift"
local lists = require "usher.moderation.lists"
local plans = require "usher.moderation.plan"
local rules = require "usher.moderation.rules"
local undoing = require "usher.moderation.undo"
local verbs = require "usher.moderation.verbs"
local watching = require "usher.moderation.watch"

local M = {}

local desk_methods = {}
local desk_mt = { __name = "usher.moderation", __index = desk_methods }

function desk_mt:__tostring()
  return ("usher.moderation: %s%s%s"):format(self.provider,
    self.room and ", " .. self.room or "", self.dry_run and " (dry run)" or "")
end

local function one_of(words, ...)
  local types = { words = words }
  for _, name in ipairs{ ... } do types[name] = true end
  return types
end

local a_string = one_of("string", "string")
local a_flag = one_of("boolean", "boolean")

local option_types = {
  client = one_of("client", "userdata"), room = a_string, ledger = one_of("ledger", "table"),
  moderator = a_string, actor = a_string, dry_run = a_flag, read_before = a_flag,
  clock = one_of("function", "function"), allow = one_of("list", "table"),
}
local option_names = { "client", "room", "ledger", "moderator", "actor", "dry_run", "read_before",
  "clock", "allow" }

-- Raises all that is wrong with the names and types of `given`, at the caller's line.
local function check(what, given, types, names, level)
  if type(given) ~= "table" then
    error(("%s: expected a table, not %s"):format(what, type(given)), level + 1)
  end
  local problems = {}
  for name, value in pairs(given) do
    local expected = types[name]
    if not expected then
      local nearest = core.nearest(tostring(name), names)
      problems[#problems + 1] = ("unknown field '%s'%s"):format(tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or "")
    elseif not expected[type(value)] then
      problems[#problems + 1] = ("%s must be a %s, not %s"):format(name, expected.words,
        type(value))
    end
  end
  if not problems[1] then return end
  table.sort(problems)
  error(what .. ": " .. table.concat(problems, "; "), level + 1)
end

--- Makes a desk.
-- @tparam table options
-- @tparam userdata options.client of any provider
-- @tparam[opt] string options.room where the verbs act, unless they say otherwise
-- @tparam[opt] table options.ledger of `usher.ledger.open`, one for each account of a provider;
-- without one nothing is remembered, a sanction that the provider does not time cannot have a time,
-- and a plan that is applied again does again what does not show in the provider's state. Inside
-- nginx there is none
-- @tparam[opt] string options.moderator who acts, for the ledger and for warnings
-- @tparam[opt] string options.actor the provider's own id of who acts: eRTC needs it
-- @tparam[opt] boolean options.dry_run true: nothing is sent; each verb returns what would be
-- @tparam[opt] boolean options.read_before false: the state is not read before each action; an undo
-- then also takes back what was so before
-- @tparam[opt] {string,...} options.allow ids of users that no rule touches
-- @tparam[opt] function options.clock Unix seconds, for tests
-- @treturn table desk
local function new(options)
  check("usher.moderation", options, option_types, option_names, 2)
  if not options.client then error("usher.moderation: client is required", 2) end
  local ok, provider = pcall(core.provider, options.client)
  if not ok then error("usher.moderation: client must be a client of usher", 2) end
  local desk = setmetatable({ provider = provider, clock = core.now }, desk_mt)
  for _, name in ipairs(option_names) do
    if options[name] ~= nil then desk[name] = options[name] end
  end
  desk.allowed = {}
  for _, id in ipairs(options.allow or {}) do desk.allowed[id] = true end
  return desk
end

local action_types = {
  user = one_of("user's id, or a user of a list", "string", "table"), room = a_string,
  seconds = one_of("number", "number"), reason = a_string,
}
local action_names = { "user", "room", "seconds", "reason" }
local list_types, list_names = { room = a_string }, { "room" }

local function check_seconds(what, seconds)
  if seconds ~= nil and not (seconds > 0 and seconds < 1e10) then
    error(what .. ": seconds must be above 0 (leave it out for good)", 4)
  end
end

-- The fields of an action from what a caller wrote.
local function action_of(desk, verb, given)
  local what = ("usher.moderation:%s"):format(verb)
  check(what, given, action_types, action_names, 3)
  check_seconds(what, given.seconds)
  local user, name = given.user, nil
  if type(user) == "table" then user, name = user.id, user.name end
  if type(user) ~= "string" or user == "" then
    error(what .. ": user is required: an id, or a user of a list", 3)
  end
  local entry = verbs.find(desk.provider, verb)
  local room = given.room
  if room == nil and not (entry and entry.scope) then room = desk.room end
  return {
    verb = verb, user = user, user_name = name, room = room, seconds = given.seconds,
    reason = given.reason,
  }
end

for _, verb in ipairs(verbs.ACTIONS) do
  desk_methods[verb] = function(desk, given)
    local action = action_of(desk, verb, given)
    if desk.recorder then return desk.recorder(action) end
    return act.act(desk, action)
  end
end

--- Reads one of the lists; the same as `desk:list_users` and its like.
-- @tparam string verb
-- @tparam[opt] table given `room`
-- @treturn ?{table,...} users
-- @treturn[2] nil
-- @treturn[2] table error
function desk_methods:read_list(verb, given)
  local entry = verbs.find(self.provider, verb)
  if not entry then return nil, act.unsupported(self.provider, verb) end
  local action = { verb = verb, room = given and given.room, actor = self.actor }
  if action.room == nil and not entry.scope then action.room = self.room end
  for _, source in pairs(entry.arguments) do
    local name = type(source) == "table" and source.from
    if name and action[name] == nil then
      return nil, act.failure(self.provider, verb, "invalid",
        ("'%s' needs the desk's option %s"):format(verb, name))
    end
  end
  return lists.read(self.client, self.provider, entry, act.arguments(entry, action))
end

for _, verb in ipairs(verbs.LISTS) do
  desk_methods[verb] = function(desk, given)
    check("usher.moderation:" .. verb, given or {}, list_types, list_names, 2)
    return desk:read_list(verb, given)
  end
end

--- What the desk's provider can do.
-- @treturn table by verb: `{ support, timed, scope, public, shows }`. `support` is `"native"` or
-- `"unsupported"`; `timed` is `"provider"`, `"usher"` (which lifts it in time, and needs a ledger)
-- or nil; `scope` is `"room"`, `"account"` or `"any"`; `public`: all in the room read it; `shows`:
-- the provider tells later whether it was done
function desk_methods:capabilities()
  local able = {}
  for _, names in ipairs{ verbs.ACTIONS, verbs.LISTS } do
    for _, verb in ipairs(names) do
      local entry, shows = verbs.find(self.provider, verb), verbs.SHOWS[verb]
      able[verb] = entry and {
        support = "native", timed = entry.timed, scope = entry.scope or "room",
        public = entry.public or false,
        shows = shows ~= nil and verbs.find(self.provider, shows[1]) ~= nil,
      } or { support = "unsupported" }
    end
  end
  return able
end

local function need_ledger(desk, what)
  if not desk.ledger then
    error(("usher.moderation:%s: needs a desk with a ledger"):format(what), 3)
  end
end

-- A desk that only writes down does nothing else.
local function need_to_act(desk, what)
  if desk.recorder then
    error(("usher.moderation:%s: a plan is being made, in which nothing is done"):format(what), 3)
  end
end

--- Settles the cases that a process opened and did not live to close: by reading the provider's
-- state, never by acting again. Done at the start of `apply`, `undo`, `watch` and `lift_expired`.
-- @treturn ?{table,...} the cases, each with its `outcome`
-- @treturn[2] nil
-- @treturn[2] table error of the first whose state could not be read; it stays open
-- @treturn[2] {table,...} those that were settled nevertheless
function desk_methods:settle()
  need_ledger(self, "settle")
  need_to_act(self, "settle")
  return lifting.settle(self)
end

--- Lifts the sanctions whose time is over, each once, whatever other process does the same. What a
-- newer sanction of the same user and room has replaced, and what was ended by a verb, is left.
-- What fails by itself holds up no other, and is tried again later, each time after twice as long.
-- @treturn ?{table,...} what was lifted, as the verbs return it
-- @treturn[2] nil
-- @treturn[2] table the first error; what it is about stays due
-- @treturn[2] {table,...} what was lifted nevertheless
function desk_methods:lift_expired()
  need_ledger(self, "lift_expired")
  need_to_act(self, "lift_expired")
  return lifting.lift_expired(self)
end

--- Whether rules leave a user alone: staff, and who is on the allow list.
-- @tparam table user of a list
-- @treturn boolean
function desk_methods:is_protected(user)
  if self.allowed[user.id] then return true end
  local ordinary = verbs.providers[self.provider].ordinary
  return ordinary ~= nil and user.role ~= nil and user.role ~= ordinary
end

--- Records what would be done, and does nothing.
-- @tparam function|table what a function that is called with a desk that only writes down, and
-- reads like any other; or what `watch` takes (or a list of rules): who is in the room is judged
-- once
-- @treturn ?table plan: `tostring(plan)` is a table for people, `plan:save(path)` writes it
-- @treturn[2] nil
-- @treturn[2] table error: the room could not be read, or somebody in it not be judged
function desk_methods:plan(what)
  if type(what) == "function" then return plans.record(self, what) end
  local options = type(what) == "table" and what[1] ~= nil and { rules = what } or what
  watching.check_options("usher.moderation:plan", options, 2)
  local summary, err
  local plan = plans.record(self, function(recorder)
    summary, err = watching.once(watching.new(recorder, options))
  end)
  if not summary then return nil, err end
  return plan
end

--- Watches a room: judges each user once per change of name, and acts. Staff and the allow list are
-- never touched. Lifts what is due, each round. SIGINT and SIGTERM stop it. Looks that fail are
-- reported, and come less often. A verb that reaches the whole account does so here too.
-- @tparam table options `rules` (see `usher.moderation.rules`), `room`, `every` (seconds: 5),
-- `ladder` (`{ { strikes = 3, action = "mute", seconds = 600 }, ... }`), `decay` (seconds after
-- which a strike no longer counts: 30 days), `rounds` (for so many, not for ever), `stop` (a
-- function), `on_judgement`, `on_error`, and `on_event` (eRTC's pending events)
-- @treturn table `{ rounds, judged, errors, stopped }`
function desk_methods:watch(options)
  need_to_act(self, "watch")
  watching.check_options("usher.moderation:watch", options, 2)
  return watching.run(watching.new(self, options))
end

--- Carries out a plan. The state is read again first, and what has changed since is skipped with
-- the reason. Stops at once, after the calls in flight, when the process gets SIGINT or SIGTERM;
-- applied again, it goes on.
-- @tparam table plan
-- @tparam[opt] table options `pace` (actions a second: 5), `max_actions` (200: a plan with more is
-- refused before the first call), `concurrency` (4), `stop` (a function that is asked before each
-- action), `on_action` (called with the action, its outcome, the reason and the summary)
-- @treturn ?table summary: `planned`, `earlier` (by a run before), `done`, `skipped`, `failed`,
-- `unknown`, `remaining`, `stopped`, and `actions`, each with its `outcome` and `reason`
-- @treturn[2] nil
-- @treturn[2] table error
-- @treturn[2] ?table the summary, when something was begun
function desk_methods:apply(plan, options)
  options = options or {}
  need_to_act(self, "apply")
  applying.check_options(options, 2)
  return applying.apply(self, plan, options)
end

--- Plans the inverses of cases, newest first.
-- @tparam table selection any of `case` (a number), `moderator`, `since`, `before`, `room`, `user`,
-- `rule`, `plan`
-- @treturn ?table plan; `plan.left` are the cases that stay as they are, each `{ case, reason }`
-- @treturn[2] nil
-- @treturn[2] table error
function desk_methods:plan_undo(selection)
  need_ledger(self, "plan_undo")
  undoing.check(selection, 2)
  if not self.dry_run and not self.recorder then
    local settled, err = lifting.settle(self)
    if not settled then return nil, err end
  end
  local plan, problem = undoing.plan(self, selection)
  if plan then return plan end
  return nil, act.failure(self.provider, "undo", "ledger", problem)
end

--- Takes cases back: plans their inverses and applies the plan.
-- @tparam table selection as for `plan_undo`
-- @tparam[opt] table options as for `apply`
-- @treturn ?table summary, with `left`: the cases that stay as they are
-- @treturn[2] nil
-- @treturn[2] table error
function desk_methods:undo(selection, options)
  need_ledger(self, "undo")
  need_to_act(self, "undo")
  undoing.check(selection, 2)
  applying.check_options(options or {}, 2)
  local plan, err = self:plan_undo(selection)
  if not plan then return nil, err end
  local summary, failure, begun = applying.apply(self, plan, options or {})
  if summary then summary.left = plan.left end
  return summary, failure, begun
end

--- Helpers for rules: see `usher.moderation.rules`.
M.rules = rules

--- Reads a saved plan: see `plan:save`.
-- @function usher.moderation.load_plan
M.load_plan = plans.load

--- The record of a ledger: see `usher.ledger.open`.
M.ledger = ledgers

return setmetatable(M, { __call = function(_, options) return new(options) end })
