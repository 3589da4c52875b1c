--- The moderation desk: one set of verbs for all providers, a record of what was
-- done, and the way back.
--
--    local desk = usher.moderation{ client = chat, room = "room-1", ledger = ledger, moderator = "ann" }
--    desk:mute{ user = "u1", seconds = 600, reason = "spam" }
--
-- What a provider can express is data, in `usher.moderation.verbs`; what it
-- cannot returns `nil, err` with `kind = "unsupported"` and the providers that
-- can in `err.providers`.
-- @module usher.moderation

local act = require "usher.moderation.act"
local core = require "usher.core"
local ledgers = require "usher.ledger"
local lists = require "usher.moderation.lists"
local verbs = require "usher.moderation.verbs"

local M = {}

local desk_methods = {}
local desk_mt = { __name = "usher.moderation", __index = desk_methods }

function desk_mt:__tostring()
  return ("usher.moderation: %s%s%s"):format(self.provider,
    self.room and ", " .. self.room or "", self.dry_run and " (dry run)" or "")
end

local option_types = {
  client = "userdata", room = "string", ledger = "table", moderator = "string", actor = "string",
  dry_run = "boolean", read_before = "boolean", clock = "function", allow = "table",
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
    elseif type(value) ~= expected and not (type(expected) == "table" and expected[type(value)]) then
      problems[#problems + 1] = ("%s must be a %s, not %s"):format(name,
        type(expected) == "table" and expected.words or expected, type(value))
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
-- @tparam[opt] table options.ledger of `usher.ledger.open`; without one nothing is remembered, and
-- a sanction that the provider does not time cannot have a time
-- @tparam[opt] string options.moderator who acts, for the ledger and for warnings
-- @tparam[opt] string options.actor the provider's own id of who acts: eRTC needs it for every verb
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

local string_or_user = { string = true, table = true, words = "user's id, or a user of a list" }
local action_types = {
  user = string_or_user, room = "string", seconds = "number", reason = "string",
}
local action_names = { "user", "room", "seconds", "reason" }
local list_types, list_names = { room = "string" }, { "room" }

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
-- @treturn table by verb: `{ support = "native" | "unsupported", timed = "provider" | "usher" | nil,
-- scope = "room" | "account" | "any", public = boolean, shows = boolean }`; `shows`: the provider
-- tells later whether it was done
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

--- Settles the cases that a process opened and did not live to close: by reading the provider's
-- state, never by acting again. Done at the start of `apply`, `undo`, `watch` and `lift_expired`.
-- @treturn ?{table,...} the cases, each with its `outcome`
-- @treturn[2] nil
-- @treturn[2] table error: what could not be read
function desk_methods:settle()
  need_ledger(self, "settle")
  local cases, problem = self.ledger:unsettled(self.provider)
  if not cases then return nil, act.failure(self.provider, "settle", "ledger", problem) end
  for _, case in ipairs(cases) do
    local outcome, err = act.settle(self, case)
    if not outcome then return nil, err end
    case.outcome = outcome
  end
  local ok
  ok, problem = self.ledger:flush()
  if ok then return cases end
  return nil, act.failure(self.provider, "settle", "ledger", problem)
end

--- Lifts the sanctions whose time is over, each once, whatever other process does the same.
-- @treturn ?{table,...} what was lifted, as the verbs return it
-- @treturn[2] nil
-- @treturn[2] table error of the first that could not be lifted; it stays due
-- @treturn ?{table,...} what was lifted before
function desk_methods:lift_expired()
  need_ledger(self, "lift_expired")
  local settled, err = self:settle()
  if not settled then return nil, err, {} end
  local lifted = {}
  while true do
    local due, problem = self.ledger:claim_due(self.provider)
    if not due then return nil, act.failure(self.provider, "lift_expired", "ledger", problem), lifted end
    if not due[1] then return lifted end
    for index, case in ipairs(due) do
      local done
      done, err = act.act(self, {
        verb = case.lift, user = case.user_id, room = case.room, lifts = case.number,
        user_name = case.details and case.details.user_name, reason = "its time is over",
      })
      if not done then
        for i = index, #due do self.ledger:release(due[i].number) end
        self.ledger:flush()
        return nil, err, lifted
      end
      lifted[#lifted + 1] = done
    end
    local ok
    ok, problem = self.ledger:flush()
    if not ok then
      return nil, act.failure(self.provider, "lift_expired", "ledger", problem), lifted
    end
  end
end

--- The record of a ledger: see `usher.ledger.open`.
M.ledger = ledgers

return setmetatable(M, { __call = function(_, options) return new(options) end })
