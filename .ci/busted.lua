-- busted as a plain Lua script, so that the interpreter is the one that was called, whatever the
-- installed `busted` command is (a script on Debian, a shell wrapper from LuaRocks).

-- A sanitizer that ends the process with its report does not flush what was printed before.
io.stdout:setvbuf("line")

require "busted.runner"({ standalone = false })
