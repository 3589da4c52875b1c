-- What Lua 5.1, LuaJIT and 5.4 have in common is all the sources may use.
std = "min"
max_line_length = 100
self = false
exclude_files = { "build", ".rocks", "lua/usher/types.lua" }

files["spec"].std = "min+busted"
files["lua/usher/transport/ngx*.lua"].read_globals = { "ngx" }
files["examples/nginx"].globals = { "ngx" }
files["spec/nginx"].read_globals = { "ngx" }
