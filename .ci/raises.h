/* raises.h: tells the analyzers which functions do not return. Lua's headers
   and ours are C99, which cannot say it. No part of the library. */
#ifndef CI_RAISES_H
#define CI_RAISES_H

#include "lua/binding.h"

#define RAISES __attribute__((noreturn))

RAISES int lua_error(lua_State *L);
RAISES int luaL_error(lua_State *L, const char *format, ...);
RAISES int luaL_argerror(lua_State *L, int argument, const char *message);
RAISES int lus_raise(lua_State *L, const lus_place *place, const char *message);

#endif
