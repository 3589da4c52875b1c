--- Texts that every database keeps as they are: UTF-8 without a NUL.
-- LuaDBI hands texts on as C strings, so a NUL would cut one short, and
-- PostgreSQL refuses what is not UTF-8.
-- @module usher.ledger.text

local M = {}

local REPLACEMENT = "\239\191\189" -- U+FFFD

-- Second bytes that a first byte does not go with: overlong forms, surrogates, beyond U+10FFFF.
local function is_wrong_second(first, second)
  return (first == 0xE0 and second < 0xA0) or (first == 0xED and second > 0x9F)
    or (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F)
end

-- How many bytes a character has that begins with `first`; nil when none does.
local function length_of(first)
  if first < 0x80 then return 1 end
  if first < 0xC2 or first > 0xF4 then return nil end
  return first < 0xE0 and 2 or first < 0xF0 and 3 or 4
end

-- What a run of a first byte and all continuation bytes behind it is kept as.
local function kept(run)
  local first, second = run:byte(1, 2)
  local length = length_of(first)
  if not length or first == 0 or #run < length or (length > 1 and is_wrong_second(first, second))
    then
    return REPLACEMENT
  end
  if #run > length then return run:sub(1, length) .. REPLACEMENT end
end

--- A text with what a database would not keep replaced by U+FFFD.
-- @tparam string text
-- @treturn string
function M.clean(text)
  if not text:find("[%z\128-\255]") then return text end
  local start, rest = text:match("^([\128-\191]*)(.*)$")
  return (start ~= "" and REPLACEMENT or "") .. rest:gsub("[^\128-\191][\128-\191]*", kept)
end

--- Whether every database keeps a text as it is.
-- @tparam string text
-- @treturn boolean
function M.is_clean(text)
  return M.clean(text) == text
end

--- A table with all its texts clean.
-- @tparam table value
-- @treturn table
function M.clean_all(value)
  local copy = {}
  for name, each in pairs(value) do
    if type(name) == "string" then name = M.clean(name) end
    if type(each) == "string" then each = M.clean(each) end
    copy[name] = type(each) == "table" and M.clean_all(each) or each
  end
  return copy
end

return M
