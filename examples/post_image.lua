-- Posting an image into a user's Smooch conversation.
--
--   lua5.4 examples/post_image.lua [user [image]]

local support = require("examples.support")
local usher = require("usher")

local user_id = arg[1] or "bob@example.com"
local path = arg[2] or "examples/seat.png"
local smooch = usher.smooch(support.account("smooch"))

local user = assert(smooch:get_app_user{ user_id = user_id }).appUser
print(("%s is %s %s"):format(user_id, user.givenName or "-", user.surname or "-"))

-- Not idempotent: usher sends it once, and repeats it only if nobody can have acted on it.
local answer, err = smooch:post_image_message{
  user_id = user_id,
  role = "appMaker",
  source = { path = path }, -- or { data = bytes, filename = "seat.png" }
  text = "Your seat: row 7, number 12.",
}
if not answer then
  local outcome = err.request_sent and "may or may not be in the conversation" or "was not posted"
  error(("the image %s: %s"):format(outcome, tostring(err)), 0)
end

local message = answer.message
print(("%s posted %s as %s"):format(message.role, message.mediaType, message.mediaUrl))
print(("the conversation has %d unread"):format(answer.conversation.unreadCount))
smooch:close()
