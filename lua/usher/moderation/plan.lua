--- Plans: what would be done, to be looked at, saved, and applied later.
-- A saved plan is JSON lines: a head, then an action a line. Lines may be taken
-- out by hand; what is left keeps its number.
-- @module usher.moderation.plan

local act = require "usher.moderation.act"
local core = require "usher.core"
local names = require "usher.moderation.text"
local texts = require "usher.ledger.text"
local verbs = require "usher.moderation.verbs"

local M = {}

local VERSION = 1

local plan_methods = {}
local plan_mt = { __name = "usher.moderation.plan", __index = plan_methods }

-- What an action is saved with.
local FIELDS = { "index", "verb", "user", "user_name", "room", "seconds", "reason", "rule",
  "lifts" }
local NUMBERS = { index = true, seconds = true, lifts = true }

local is_field = {}
for _, name in ipairs(FIELDS) do is_field[name] = true end

local is_verb = {}
for _, verb in ipairs(verbs.ACTIONS) do is_verb[verb] = true end

--- Makes a plan of actions.
-- @tparam table desk
-- @tparam {table,...} actions
-- @treturn table
function M.new(desk, actions)
  local plan = setmetatable({
    provider = desk.provider, moderator = desk.moderator, created_at = desk.clock(),
    actions = actions,
  }, plan_mt)
  for index, action in ipairs(actions) do action.index = index end
  plan.id = core.sha256(plan:lines() .. core.monotonic() .. tostring(plan.actions)):sub(1, 16)
  return plan
end

-- A desk that writes down what it is told, and says that it was planned. It reads like any other.
local function recorder_of(desk, actions)
  local recorder = setmetatable({}, getmetatable(desk))
  for name, value in pairs(desk) do recorder[name] = value end
  function recorder.recorder(action)
    local planned = texts.clean_all(action)
    if planned.user ~= action.user or planned.room ~= action.room then
      return nil, act.failure(desk.provider, action.verb, "invalid",
        "the user or the room holds bytes that a plan cannot keep (a NUL, or what is not UTF-8)")
    end
    local entry, refusal = act.prepare(desk, action) -- fills in what is needed to check it
    if not entry then return nil, refusal end
    desk.client:request(entry.call, act.arguments(entry, action)) -- raises what is wrong with it
    actions[#actions + 1] = planned
    return { verb = action.verb, user = action.user, room = action.room, outcome = "planned" }
  end
  return recorder
end

--- Records what `fn` would do, and does nothing.
-- @tparam table desk
-- @tparam function fn called with a desk that only writes down
-- @treturn table plan
function M.record(desk, fn)
  local actions = {}
  fn(recorder_of(desk, actions))
  return M.new(desk, actions)
end

local function saved(action)
  local copy = {}
  for _, name in ipairs(FIELDS) do copy[name] = action[name] end
  return core.encode(copy)
end

--- The plan as JSON lines.
-- @treturn string
function plan_methods:lines()
  local lines = { core.encode{
    usher_plan = VERSION, id = self.id, provider = self.provider, moderator = self.moderator,
    created_at = self.created_at, actions = #self.actions,
  } }
  for _, action in ipairs(self.actions) do lines[#lines + 1] = saved(action) end
  return table.concat(lines, "\n") .. "\n"
end

--- Saves the plan: whole, or not at all.
-- @tparam string path
-- @treturn ?boolean true
-- @treturn[2] nil
-- @treturn[2] string why not
function plan_methods:save(path)
  local beside = path .. ".part"
  local file, problem = io.open(beside, "wb")
  if not file then return nil, problem end
  local ok, failure = file:write(self:lines())
  local closed, failure_at_end = file:close()
  if ok and closed then
    ok, failure = os.rename(beside, path)
    if ok then return true end
  end
  os.remove(beside)
  return nil, failure or failure_at_end
end

local function head_problem(head)
  if type(head) ~= "table" or not head.usher_plan then return "is not a plan of usher" end
  if head.usher_plan ~= VERSION then
    return ("has version %s, and this usher knows version %d"):format(tostring(head.usher_plan),
      VERSION)
  end
  if type(head.id) ~= "string" or type(head.provider) ~= "string" then
    return "has no id or no provider"
  end
end

local function action_problem(action)
  if type(action) ~= "table" then return "is not an action" end
  for _, name in ipairs(FIELDS) do
    local value, expected = action[name], NUMBERS[name] and "number" or "string"
    if value ~= nil and type(value) ~= expected then
      return ("has a %s that is not a %s"):format(name, expected)
    end
  end
  for name in pairs(action) do
    if not is_field[name] then
      local nearest = core.nearest(tostring(name), FIELDS)
      return ("has an unknown field '%s'%s"):format(tostring(name),
        nearest and ("; did you mean '%s'?"):format(nearest) or "")
    end
  end
  if not is_verb[action.verb] then return "has no known verb" end
  if (action.user or "") == "" or not action.index then return "has no user or no index" end
  for _, name in ipairs{ "index", "lifts" } do
    local number = action[name]
    if number and not (number >= 1 and number < 2^31 and number == math.floor(number)) then
      return ("has a %s that is no whole number from 1"):format(name)
    end
  end
  if action.seconds and not (action.seconds > 0 and action.seconds < 1e10) then
    return "has seconds that are not above 0"
  end
end

-- What stands in a line that follows the head, or nil and what is wrong with it.
local function read_action(line, seen)
  local action, problem = core.decode(line)
  if action ~= nil then problem = action_problem(action) end
  if not problem and seen[action.index] then problem = "has an index a second time" end
  if problem then return nil, problem end
  seen[action.index] = true
  if action.lifts then action.lifts = math.floor(action.lifts) end -- 7.0 is no case's number
  return action
end

local function read_head(line)
  local head, problem = core.decode(line)
  if head ~= nil then problem = head_problem(head) end
  if problem then return nil, problem end
  return setmetatable({ id = head.id, provider = head.provider, moderator = head.moderator,
    created_at = head.created_at, actions = {} }, plan_mt)
end

-- Blank lines are what an editor leaves.
local function parse(path, lines)
  local number, seen = 0, {}
  local plan, action, problem
  for line in lines do
    number = number + 1
    if not plan then
      plan, problem = read_head(line)
    elseif line:find("%S") then
      action, problem = read_action(line, seen)
      plan.actions[#plan.actions + 1] = action
    end
    if problem then return nil, ("%s:%d: %s"):format(path, number, problem) end
  end
  if plan then return plan end
  return nil, path .. ": the file is empty"
end

--- Reads a saved plan.
-- @tparam string path
-- @treturn ?table plan
-- @treturn[2] nil
-- @treturn[2] string the line and what is wrong with it
function M.load(path)
  local file, problem = io.open(path, "rb")
  if not file then return nil, problem end
  local plan
  plan, problem = parse(path, file:lines())
  file:close()
  return plan, problem
end

local WIDEST = 60 -- characters of a cell

-- For people: one line, and no longer than can be read.
local function shown(value)
  local text = names.plain(texts.clean(tostring(value or ""):sub(1, 8 * WIDEST)))
  local length, out = 0, {}
  for character in text:gmatch("[^\128-\191][\128-\191]*") do
    length = length + 1
    if length == WIDEST then return table.concat(out) .. "..." end
    out[length] = character
  end
  return text
end

local COLUMNS = { "index", "verb", "user", "user_name", "room", "seconds", "rule", "reason" }

--- The plan as rows of texts, the names of the columns first.
-- @treturn {{string,...},...}
function plan_methods:rows()
  local rows = { COLUMNS }
  for i, action in ipairs(self.actions) do
    rows[i + 1] = {}
    for c, name in ipairs(COLUMNS) do
      local value = action[name]
      if NUMBERS[name] and value then value = ("%.14g"):format(value) end
      rows[i + 1][c] = shown(value)
    end
  end
  return rows
end

-- Columns that hold nothing are left out.
local function widths_of(rows)
  local widths = {}
  for r, row in ipairs(rows) do
    for c, value in ipairs(row) do
      local length = #value:gsub("[\128-\191]", "") -- characters
      if r > 1 and length > 0 then widths[c] = math.max(widths[c] or #rows[1][c], length) end
    end
  end
  return widths
end

function plan_mt:__tostring()
  local rows, out = self:rows(), {}
  local widths = widths_of(rows)
  for i, row in ipairs(rows) do
    local cells = {}
    for c, value in ipairs(row) do
      if widths[c] then
        cells[#cells + 1] = value .. (" "):rep(widths[c] - #value:gsub("[\128-\191]", ""))
      end
    end
    out[i] = table.concat(cells, "  "):gsub("%s+$", "")
  end
  out[#out + 1] = ("%d actions on %s, plan %s"):format(#self.actions, self.provider, self.id)
  if not self.actions[1] then table.remove(out, 1) end
  return table.concat(out, "\n")
end

return M
