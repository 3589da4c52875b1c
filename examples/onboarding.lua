-- Onboarding: takes the people of a CSV file into Qiscus and Smooch, and counts. Running it again
-- is safe: whoever is there already keeps the Qiscus account and gets the Smooch profile updated.
--
--   lua5.4 examples/onboarding.lua [people.csv]

local support = require("examples.support")
local csv = require("examples.csv")
local usher = require("usher")

local path = arg[1] or "examples/people.csv"
local qiscus = usher.qiscus(support.account("qiscus"))
local smooch = usher.smooch(support.account("smooch"))

-- Each of these returns "new" or "known", or nil and the error.

local function to_qiscus(person)
  local known, err = qiscus:user_profile{ user_id = person.user_id }
  if known then return "known" end -- registering again would replace the password
  if err.status ~= 404 then return nil, err end
  local user
  user, err = qiscus:login_or_register{
    user_id = person.user_id, username = person.name,
    extras = { team = person.team, about = person.about },
  }
  return user and "new", err
end

local function to_smooch(person)
  local profile = {
    user_id = person.user_id, email = person.user_id,
    given_name = person.given_name, surname = person.surname,
    properties = { team = person.team, about = person.about },
  }
  local user, err = smooch:pre_create_app_user(profile)
  if user then return "new" end
  if err.status ~= 409 then return nil, err end
  user, err = smooch:update_app_user(profile)
  return user and "known", err
end

local function onboard(people, title, to_provider)
  local count = { new = 0, known = 0, failed = 0 }
  for _, person in ipairs(people) do
    local outcome, err = to_provider(person)
    if not outcome then print(("%s: %s: %s"):format(title, person.user_id, tostring(err))) end
    outcome = outcome or "failed"
    count[outcome] = count[outcome] + 1
  end
  print(("%-8s %5d %5d %6d %6d"):format(title, count.new, count.known, count.failed, #people))
  return count.failed
end

local people = csv.read(path)
print(("%d people in %s"):format(#people, path))
print(("%-8s %5s %5s %6s %6s"):format("", "new", "known", "failed", "people"))
local failed = onboard(people, "qiscus", to_qiscus) + onboard(people, "smooch", to_smooch)
qiscus:close()
smooch:close()
os.exit(failed == 0 and 0 or 1)
