/* compat.h: the C API of Lua 5.1 (LuaJIT) and 5.4 under one set of names. The
   only place that looks at LUA_VERSION_NUM. */
#ifndef LUS_COMPAT_H
#define LUS_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

/* Lua 5.1 has no such question, and answers -1. */
#define LUS_GC_IS_RUNNING 9

#define LUS_EXPORT __attribute__((visibility("default"))) extern

#if LUA_VERSION_NUM < 502
#define lus_raw_length(L, index) lua_objlen(L, index)
#define lus_get_environment(L, index) lua_getfenv(L, index)
#define lus_set_environment(L, index) ((void)lua_setfenv(L, index))
#define lus_is_integer(L, index) 0
#define lus_is_exact(integer)                                                  \
  ((integer) >= -(1LL << 53) && (integer) <= (1LL << 53))
#define lus_push_integer(L, integer) lua_pushnumber(L, (lua_Number)(integer))
#else
#define lus_raw_length(L, index) lua_rawlen(L, index)
#define lus_get_environment(L, index) ((void)lua_getuservalue(L, index))
#define lus_set_environment(L, index) ((void)lua_setuservalue(L, index))
#define lus_is_integer(L, index) lua_isinteger(L, index)
#define lus_is_exact(integer) ((void)(integer), true)
#define lus_push_integer(L, integer) lua_pushinteger(L, (lua_Integer)(integer))
#endif

/* Has the collector do at once what it would do while so many kilobytes are
   allocated, and not again when they are. */
static inline void lus_gc_prepay(lua_State *L, int kilobytes) {
#if LUA_VERSION_NUM < 502
  int count, pause;
#endif
  lua_gc(L, LUA_GCSTEP, kilobytes);
#if LUA_VERSION_NUM < 502
  /* LuaJIT's: it goes on at `pause` percent of what is there. */
  count = lua_gc(L, LUA_GCCOUNT, 0) + 1;
  pause = lua_gc(L, LUA_GCSETPAUSE, 101 + (int)(100LL * kilobytes / count));
  lua_gc(L, LUA_GCRESTART, -1);
  lua_gc(L, LUA_GCSETPAUSE, pause);
#else
  lua_gc(L, LUA_GCSTEP, -kilobytes);
#endif
}

/* Sets `functions` in the table at the top of the stack. The metatable of their
   class, NULL for none, is their upvalue: lus_check_self need not look it up. */
static inline void lus_register(lua_State *L, const char *class,
                                const luaL_Reg *functions) {
  for (; functions->name != NULL; functions++) {
    if (class != NULL) luaL_getmetatable(L, class);
    lua_pushcclosure(L, functions->func, class != NULL);
    lua_setfield(L, -2, functions->name);
  }
}

/* Makes the metatable of a userdata that frees what it holds. Filled in whole
   whenever the module is opened: a first try may have run out of memory. */
static inline void lus_collected(lua_State *L, const char *name,
                                 lua_CFunction collect) {
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

/* luaL_checkudata that debug.setmetatable does not deceive: a userdata of
   another size is another's. */
static inline void *lus_check_userdata(lua_State *L, int index,
                                       const char *name, size_t size) {
  void *data = luaL_checkudata(L, index, name);
  luaL_argcheck(L, lus_raw_length(L, index) == size, index, name);
  return data;
}

/* lus_check_userdata for what a method is called on. */
static inline void *lus_check_self(lua_State *L, const char *name,
                                   size_t size) {
  void *data = lua_touserdata(L, 1);
  int same = 0;
  if (data != NULL && lua_getmetatable(L, 1)) {
    same = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
  }
  if (same && lus_raw_length(L, 1) == size) return data;
  return lus_check_userdata(L, 1, name, size);
}

/* Pushes member `name` of the table at `index` (positive), without asking its
   metatable: what callers pass in is data. */
static inline void lus_raw_get(lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, index);
}

static inline int lus_absolute(lua_State *L, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index
                                                 : lua_gettop(L) + index + 1;
}

#endif
