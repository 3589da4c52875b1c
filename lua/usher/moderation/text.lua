--- Nicknames as a moderator sees them: without what only a computer sees, and
-- with what looks alike made alike.
-- Letters and ranges are those of the Unicode charts; nothing here knows a user.
-- @module usher.moderation.text

local M = {}

-- Marked Latin letters, by the letter that is left without the mark (hexadecimal code points).
local MARKED = {
  a = "C0-C5 E0-E5 100-105 1CD-1CE 1DE-1E1 1FA-1FB 200-203 226-227 1E00-1E01 1EA0-1EB7",
  b = "180 1E02-1E07",
  c = "C7 E7 106-10D 1E08-1E09",
  d = "10E-111 1E0A-1E13",
  e = "C8-CB E8-EB 112-11B 204-207 228-229 1E14-1E1D 1EB8-1EC7",
  f = "1E1E-1E1F",
  g = "11C-123 1E6-1E7 1F4-1F5 1E20-1E21",
  h = "124-127 21E-21F 1E22-1E2B 1E96",
  i = "CC-CF EC-EF 128-131 1CF-1D0 208-20B 1E2C-1E2F 1EC8-1ECB",
  j = "134-135 1F0",
  k = "136-137 1E8-1E9 1E30-1E35",
  l = "139-13E 141-142 1E36-1E3D",
  m = "1E3E-1E43",
  n = "D1 F1 143-148 1F8-1F9 1E44-1E4B",
  o = "D2-D6 D8 F2-F6 F8 14C-151 1A0-1A1 1D1-1D2 1EA-1ED 20C-20F 22A-231 1E4C-1E53 1ECC-1EE3",
  p = "1E54-1E57",
  r = "154-159 210-213 1E58-1E5F",
  s = "15A-161 17F 218-219 1E60-1E69 1E9B",
  t = "162-167 21A-21B 1E6A-1E71 1E97",
  u = "D9-DC F9-FC 168-173 1AF-1B0 1D3-1DC 214-217 1E72-1E7B 1EE4-1EF1",
  v = "1E7C-1E7F",
  w = "174-175 1E80-1E89 1E98",
  x = "1E8A-1E8D",
  y = "DD FD FF 176-178 232-233 1E8E-1E8F 1E99 1EF2-1EF9",
  z = "179-17E 1E90-1E95",
}

-- Letters that look like another one, whatever they mean. Digits and signs stand for letters only
-- in a skeleton.
local ALIKE = {
  a = "аАαΑᴀ", b = "вВΒʙƅ", c = "сСϲᴄ", d = "ԁᴅ", e = "еЕεΕᴇєЄ", f = "ꜰϝ", g = "ɡɢԍ",
  h = "нНΗһҺʜ", i = "іІιΙɪӏ", j = "јЈᴊϳ", k = "кКκΚᴋ", l = "ʟⅼ", m = "мМΜᴍ", n = "Νɴпηո",
  o = "оОοΟᴏօσ", p = "рРρΡᴘ", q = "ԛ", r = "ʀгᴦяЯ", s = "ѕЅꜱ", t = "тТτΤᴛ", u = "υᴜսц",
  v = "νѵᴠ", w = "ԝᴡωщш", x = "хХχΧ", y = "уУγΥʏү", z = "Ζᴢ",
}
-- Letters that are written above the line.
local RAISED = {
  a = "ᵃᴬ", b = "ᵇᴮ", c = "ᶜ", d = "ᵈᴰ", e = "ᵉᴱ", f = "ᶠ", g = "ᵍᴳ", h = "ʰᴴ", i = "ⁱᴵ",
  j = "ʲᴶ", k = "ᵏᴷ", l = "ˡᴸ", m = "ᵐᴹ", n = "ⁿᴺ", o = "ᵒᴼº", p = "ᵖᴾ", r = "ʳᴿ", s = "ˢ",
  t = "ᵗᵀ", u = "ᵘᵁ", v = "ᵛⱽ", w = "ʷᵂ", x = "ˣ", y = "ʸ", z = "ᶻ",
}
local LEET = {
  ["0"] = "o", ["1"] = "i", ["3"] = "e", ["4"] = "a", ["5"] = "s", ["7"] = "t", ["8"] = "b",
  ["9"] = "g", ["@"] = "a", ["$"] = "s", ["!"] = "i", ["|"] = "i", l = "i", -- l, I and 1 look alike
}

-- Whole alphabets in another dress: first and last code point, how many letters, and the first one.
local DRESSED = {
  -- full width
  { 0xFF10, 0xFF19, 10, "0" }, { 0xFF21, 0xFF3A, 26, "a" }, { 0xFF41, 0xFF5A, 26, "a" },
  -- in circles
  { 0x249C, 0x24B5, 26, "a" }, { 0x24B6, 0x24CF, 26, "a" }, { 0x24D0, 0x24E9, 26, "a" },
  { 0x1D400, 0x1D6A3, 26, "a" }, { 0x1D7CE, 0x1D7FF, 10, "0" }, -- of mathematics
  { 0x1F130, 0x1F149, 26, "a" }, { 0x1F150, 0x1F169, 26, "a" }, { 0x1F170, 0x1F189, 26, "a" },
  { 0x1F1E6, 0x1F1FF, 26, "a" }, -- of flags
}

-- What is not seen: marks that combine, and what has no width.
local UNSEEN = {
  { 0x00, 0x1F }, { 0x7F, 0x9F }, { 0xAD, 0xAD }, { 0x0300, 0x036F }, { 0x061C, 0x061C },
  { 0x115F, 0x1160 }, { 0x180B, 0x180E }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF },
  { 0x200B, 0x200F }, { 0x202A, 0x202E }, { 0x2060, 0x206F }, { 0x20D0, 0x20FF },
  { 0x3164, 0x3164 }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xFEFF, 0xFEFF },
  { 0xFFA0, 0xFFA0 }, { 0xE0000, 0xE0FFF },
}

local SPACES = { [0xA0] = true, [0x1680] = true, [0x202F] = true, [0x205F] = true, [0x3000] = true }

local function code_of(sequence)
  local first = sequence:byte()
  if first < 0x80 then return first end
  local length = first >= 0xF0 and 4 or first >= 0xE0 and 3 or first >= 0xC2 and 2 or 0
  if length ~= #sequence then return nil end -- not UTF-8: not seen either
  local code = first % (length == 2 and 32 or length == 3 and 16 or 8)
  for i = 2, length do code = code * 64 + sequence:byte(i) % 64 end
  return code
end

local CHARACTER = "[^\128-\191][\128-\191]*"

local plain = {} -- code point -> letter without its marks
for letter, ranges in pairs(MARKED) do
  for first, last in ranges:gmatch("(%x+)%-?(%x*)") do
    first = tonumber(first, 16)
    for code = first, tonumber(last, 16) or first do plain[code] = letter end
  end
end

local alike = {} -- character -> the letter it looks like
for _, letters in ipairs{ ALIKE, RAISED } do
  for letter, characters in pairs(letters) do
    for character in characters:gmatch(CHARACTER) do alike[character] = letter end
  end
end

local function within(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then return range end
  end
end

local function utf8_of(code)
  if code < 0x800 then
    return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64)
  end
  return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64,
    0x80 + code % 64)
end

-- Capitals of Greek and Cyrillic.
local function lower(code, sequence)
  if (code >= 0x391 and code <= 0x3A9) or (code >= 0x410 and code <= 0x42F) then
    return utf8_of(code + 32)
  elseif code >= 0x400 and code <= 0x40F then
    return utf8_of(code + 80)
  end
  return sequence
end

local function folded(sequence)
  local code = code_of(sequence)
  if not code then return "" end
  if code == 0x20 or code == 0x09 then return " " end
  if code >= 0x20 and code < 0x7F then return sequence:lower() end
  if SPACES[code] or (code >= 0x2000 and code <= 0x200A) then return " " end
  if within(UNSEEN, code) then return "" end
  if plain[code] then return plain[code] end
  local dress = within(DRESSED, code)
  if dress then return string.char(dress[4]:byte() + (code - dress[1]) % dress[3]) end
  if code >= 0xFF01 and code <= 0xFF5E then return string.char(code - 0xFEE0) end
  return lower(code, sequence)
end

--- A name in lower case, without marks, dress and what is not seen, its spaces single.
-- @tparam string name UTF-8; bytes that are not are left out
-- @treturn string
-- @usage text.fold("ＦＲＥＥ  Mónéy") --> "free money"
function M.fold(name)
  local text = name:gsub(CHARACTER, folded):gsub("^[\128-\191]+", "")
  return (text:gsub(" +", " "):gsub("^ ", ""):gsub(" $", ""))
end

-- At the end of a word it is no letter. One match a run: a search for its end would begin anew at
-- each of its characters, and there are names of many.
local function at_end(_, behind)
  if behind == "" or behind == " " then return behind end
end

local function skeleton_of(name)
  local words = M.fold(name):gsub("(!+)(.?)", at_end)
  local text = words:gsub(CHARACTER, function(character)
    character = alike[character] or character
    character = LEET[character] or character
    if #character == 1 and not character:find("%w") then return "" end
    return character
  end)
  return (text:gsub("rn", "m"):gsub("vv", "w"))
end

--- A folded name with all that looks alike made alike, and no spaces and signs: two names with one
-- skeleton are easily taken for each other. Some capitals look like another letter than the small
-- ones do, as those of Greek, so there are two ways to read a name.
-- @tparam string name
-- @treturn string
-- @treturn string the skeleton of its capitals as they stand
-- @usage text.skeleton("0fficiaI Supp0rt") == text.skeleton("Official Support")
function M.skeleton(name)
  return skeleton_of(name), skeleton_of((name:gsub(CHARACTER, alike)))
end

-- Control characters, those of Latin-1 too (U+0080 to U+009F), the ends of lines and paragraphs
-- (U+2028, U+2029), and what turns the direction of writing round (U+061C, U+200E, U+200F, U+202A
-- to U+202E, U+2066 to U+2069).
local UNWANTED = { "[%c\127]", "\194[\128-\159]", "\216\156", "\226\128[\142\143\168-\174]",
  "\226\129[\166-\169]" }

--- A text that may be printed: it cannot forge lines, move a cursor or turn the writing round.
-- @tparam string text
-- @tparam[opt="?"] string|function replacement of what could, as for `string.gsub`
-- @treturn string
function M.plain(text, replacement)
  for _, unwanted in ipairs(UNWANTED) do text = text:gsub(unwanted, replacement or "?") end
  return text
end

return M
