-- The people of a new sandbox. Room-1 is what a moderator of a busy public room sees: regulars in
-- many scripts, names that merely look like trouble, and advertisers who try to look like anything
-- else.

local M = {}

-- nickname, grade ("user" unless said)
M.room = {
  { "운영자", "userManager" },
  { "Han" },
  { "김민준" },
  { "이서연 🌸" },
  { "さくら" },
  { "Renée Dubois" },
  { "Søren Ångström" },
  { "FREE MONEY 💰 t.me/winbig777" },
  { "Дмитрий" },
  { "محمد علي" },
  { "Morgan Freeman" },
  { "무료 코인 100% 지급 ✅" },
  { "नेहा शर्मा" },
  { "王小明" },
  { "Free  Money (DM me)" },
  { "Miss Moneypenny" },
  { "O'Brien & Sons" },
  { "免费领取现金 ➜ 加微信 vx8888" },
  { "ณัฐพล" },
  { "Γιώργος" },
  { "ＦＲＥＥ ＭＯＮＥＹ" },
  { "דניאל" },
  { "Бесплатные деньги 🔥 жми" },
  { "null" },
  { "Robert'); DROP TABLE users;--" },
  { "fr\226\128\139ee mon\226\128\139ey" }, -- two zero-width spaces
  { "  Ava  " },
  { "مال مجاني اضغط هنا" },
  { "Official Support ☎ call now" },
  { "👻" },
}

-- eRTC: the account whose tokens the box hands out comes first.
M.ertc = {
  { "moderator@example.com", "Moderator" },
  { "alice@example.com", "Alice" },
  { "bob@example.com", "Bob" },
  { "mallory@example.com", "Mallory" },
}

-- Smooch: one user who has done everything a user can do.
M.smooch = {
  userId = "bob@example.com",
  givenName = "Bob",
  surname = "Example",
  email = "bob@example.com",
  signedUpAt = "2015-10-08T23:52:11.677Z",
  properties = { plan = "gold", seats = 3 },
  businessSystems = {
    { type = "slack", channelId = "C0342ADFF" },
    { type = "hipchat", roomId = 12345 },
    { type = "zendesk", ticketId = "998" },
  },
}

return M
