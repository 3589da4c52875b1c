/* lua_host.h: Lua 5.4 with usher in it, for targets that are scripts: a file of
   this directory returns a function, which gets the bytes of each run. */
#ifndef LUA_HOST_H
#define LUA_HOST_H

#include <lauxlib.h>

#include "fuzz.h"

/* Calls what spec/fuzz/<name>.lua has returned. An error that it raises is a
   finding. `functions` are its global `host`; NULL ends them. */
void lua_host_run(const char *name, const luaL_Reg *functions,
                  const uint8_t *data, size_t size);

#endif
