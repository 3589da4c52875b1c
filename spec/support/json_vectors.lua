-- Writes the texts of spec/vectors/json.lua for spec/core/json_vectors_test.c: for each its length,
-- the byte where it is refused (0: it is read) and why on a line, then its bytes and a line end.

local vectors = require "spec.vectors.json"

for _, row in ipairs(vectors) do
  local text, words, byte = row[2], row[4], row[5]
  io.write(("%d %d %s\n"):format(#text, byte or 0, byte and words or "read"), text, "\n")
end
