-- Whole files, and what a shell makes of a name. What a spec writes, it writes itself.

local M = {}

--- What is in a file; nil when there is none.
function M.find(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

--- What is in a file that has to be there.
function M.read(path)
  return M.find(path) or error("cannot read " .. path, 2)
end

--- A shell's word.
function M.quoted(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

return M
