-- Who is muted, in a dictionary that all workers share: the provider is asked for a room's list
-- once in a while and not once a message.
--
--   generation <room>      which list counts; lists are used for OLD seconds when there is no newer
--   fresh <room>           there while that list is young enough to ask no more
--   fetching <room>        there while somebody asks
--   listed <room> <user>   the generation of the last list that names the user
--   said <room> <user>     true or false: muted or not through this gateway, a moment ago

local M = {}

local FRESH = 10 -- seconds that a list is believed
local OLD = 300 -- and for so long where the provider does not answer,
local AGAIN = 2 -- which is asked again after so long
local SETTLED = 30 -- after so long the provider's list shows what was done here

local PATIENCE = 5 -- seconds that asking may take

local function key(kind, room, user)
  return kind .. "\0" .. room .. "\0" .. (user or "")
end

-- A new list counts as a whole: `generation` is written when all users are. Nothing is written
-- that would push another entry out: a forgotten user would be let in.
local function keep(dict, room, users)
  local generation = dict:incr("generations", 1, 0)
  for _, user in ipairs(users) do
    local ok, problem = dict:safe_set(key("listed", room, user), generation, OLD + 1)
    if not ok then return nil, { kind = "memory", message = "the dictionary: " .. problem } end
  end
  dict:safe_set(key("generation", room), generation, OLD)
  dict:safe_set(key("fresh", room), true, FRESH)
  return generation
end

local function refresh(dict, room, fetch)
  local users, err = fetch(room)
  local generation
  if users then generation, err = keep(dict, room, users) end
  if not generation then dict:safe_set(key("fresh", room), true, AGAIN) end
  dict:delete(key("fetching", room))
  return generation, err
end

-- Waits for the list that somebody else is asking for.
local function await(dict, room)
  for _ = 1, PATIENCE * 20 do
    ngx.sleep(0.05)
    local generation = dict:get(key("generation", room))
    if generation then return generation end
    if not dict:get(key("fetching", room)) then break end
  end
  return nil, { kind = "timeout", message = "nobody knows who is muted" }
end

-- The generation that counts. One request of all workers asks; the others use the old list, or
-- wait where there is none.
local function current(dict, room, fetch)
  local generation = dict:get(key("generation", room))
  if generation and dict:get(key("fresh", room)) then return generation end
  if not dict:safe_add(key("fetching", room), true, PATIENCE) then
    if generation then return generation end
    return await(dict, room)
  end
  local newer, err = refresh(dict, room, fetch)
  return newer or generation, err
end

--- Whether a user is muted.
-- @tparam string room
-- @tparam string user
-- @tparam function fetch gets the room; returns the list of its muted users, or nil and an error
-- @treturn boolean
-- @treturn[2] nil where nobody knows
-- @treturn[2] table why
function M.is_muted(room, user, fetch)
  local dict = ngx.shared.muted
  local said = dict:get(key("said", room, user))
  if said ~= nil then return said end
  local generation, err = current(dict, room, fetch)
  if not generation then return nil, err end
  return dict:get(key("listed", room, user)) == generation
end

--- Remembers what was done here: it counts at once, for every worker.
-- @tparam string room
-- @tparam string user
-- @tparam boolean is_muted
function M.remember(room, user, is_muted)
  local ok, problem = ngx.shared.muted:safe_set(key("said", room, user), is_muted, SETTLED)
  if not ok then ngx.log(ngx.ERR, "lua_shared_dict muted: ", problem) end
end

return M
