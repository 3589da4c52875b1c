--- A person, and what each provider takes of one: data, read by the onboarding
-- line. A provider that is not here cannot be onboarded to.
--
-- - `put`: one call that creates or updates, and may be repeated
-- - `read`, `create`, `update`: three calls. `absent` is the status of a reader that finds nobody;
--   `taken` the status of a creation that finds somebody; `first` says that the reader is asked
--   before anything is created; `same` are the members of the read person that an update would set
-- - `account`: headers of a request that tell one account from another, and what of each does
-- - `takes_password`: whether a person's password is sent
-- - `needs`: a field without which the call does more harm than good; `why` says what
-- @module usher.onboarding.people

local M = {}

--- The fields of a person and their types.
M.FIELDS = {
  id = "string", name = "string", email = "string", avatar_url = "string", password = "string",
  given_name = "string", surname = "string", properties = "table",
}

--- Their names, in the order of the documentation.
M.NAMES = { "id", "name", "email", "avatar_url", "given_name", "surname", "password", "properties" }

local profile = { -- of Smooch
  given_name = { "given_name", "name" }, surname = "surname", email = "email",
  properties = "properties",
}

local function with(arguments, more)
  local all = {}
  for name, source in pairs(arguments) do all[name] = source end
  for name, source in pairs(more) do all[name] = source end
  return all
end

local qiscus_user = {
  user_id = "id", username = { "name", "id" }, avatar_url = "avatar_url", extras = "properties",
  password = "password",
}

M.providers = {
  ertc = {
    put = { call = "get_or_update_user_by_app_id", arguments = { app_user_id = "id" } },
  },
  qiscus = {
    takes_password = true,
    account = { -- the secret too: passwords could be guessed from the journal without it
      { "QISCUS-SDK-APP-ID", ".*" }, { "QISCUS_SDK_APP_ID", ".*" },
      { "QISCUS-SDK-SECRET", ".*" }, { "QISCUS_SDK_SECRET", ".*" },
    },
    read = {
      call = "user_profile", arguments = { user_id = "id" }, absent = 404, first = true,
      same = {
        ["results.user.username"] = "name", ["results.user.avatar_url"] = "avatar_url",
        ["results.user.extras"] = "properties",
      },
    },
    create = { call = "login_or_register", arguments = qiscus_user },
    update = {
      call = "login_or_register", arguments = qiscus_user, needs = "password",
      why = "Qiscus changes an existing user only together with the password, and would "
        .. "overwrite it",
    },
  },
  smooch = {
    account = { { "Authorization", "^Bearer ([^.]*)" } }, -- of a JWT the head, which names the key
    read = { call = "get_app_user", arguments = { user_id = "id" }, absent = 404 },
    create = {
      call = "pre_create_app_user", taken = 409, arguments = with(profile, { user_id = "id" }),
    },
    update = { call = "update_app_user", arguments = with(profile, { user_id = "id" }) },
  },
}

--- The arguments of a call, from a person.
-- @tparam table step with `arguments`
-- @tparam table person
-- @treturn table
function M.arguments(step, person)
  local arguments = {}
  for name, source in pairs(step.arguments) do
    if type(source) == "string" then
      arguments[name] = person[source]
    else
      for _, field in ipairs(source) do
        if arguments[name] == nil then arguments[name] = person[field] end
      end
    end
  end
  return arguments
end

return M
