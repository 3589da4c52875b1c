/* api_check.c: what LUA_USE_APICHECK would say of the stack, for a Lua that was
   built without it: every push of ours must fit into what Lua promised (20
   slots, or what lua_checkstack asked for), not only into what happens to be
   there. Linked into a build of the modules whose calls of the wrapped
   functions come here (ld --wrap). Lua 5.4 only; no part of the library. */
#include <lua.h>

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* How every CallInfo of 5.4 begins, and as large as a slot of its stack. */
typedef struct {
  char *function;
  char *top;
} frame;

typedef struct {
  union {
    lua_Number number;
    lua_Integer integer;
    void *pointer;
  } value;
  unsigned char type;
} slot;

static void check(lua_State *L, const char *name) {
  lua_Debug running;
  const frame *top;
  long promised;
  if (lua_getstack(L, 0, &running) == 0) return;
  top = (const frame *)(const void *)running.i_ci;
  promised = (long)(top->top - top->function) / (long)sizeof(slot) - 1;
  if (lua_gettop(L) <= promised) return;
  fprintf(stderr, "api_check: %s: slot %d of %ld\n", name, lua_gettop(L),
          promised);
  abort();
}

/* The Makefile reads these lists, too. */
#define WRAP_VOID(name, parameters, ...)                                       \
  void __real_##name parameters;                                               \
  void __wrap_##name parameters;                                               \
  void __wrap_##name parameters {                                              \
    __real_##name(__VA_ARGS__);                                                \
    check(L, #name);                                                           \
  }

#define WRAP(type, name, parameters, ...)                                      \
  type __real_##name parameters;                                               \
  type __wrap_##name parameters;                                               \
  type __wrap_##name parameters {                                              \
    type result = __real_##name(__VA_ARGS__);                                  \
    check(L, #name);                                                           \
    return result;                                                             \
  }

/* clang-format off */
WRAP_VOID(lua_createtable, (lua_State *L, int items, int members), L, items, members)
WRAP_VOID(lua_pushboolean, (lua_State *L, int truth), L, truth)
WRAP_VOID(lua_pushcclosure, (lua_State *L, lua_CFunction f, int values), L, f, values)
WRAP_VOID(lua_pushinteger, (lua_State *L, lua_Integer integer), L, integer)
WRAP_VOID(lua_pushlightuserdata, (lua_State *L, void *data), L, data)
WRAP_VOID(lua_pushnil, (lua_State *L), L)
WRAP_VOID(lua_pushnumber, (lua_State *L, lua_Number number), L, number)
WRAP_VOID(lua_pushvalue, (lua_State *L, int index), L, index)
WRAP_VOID(lua_settop, (lua_State *L, int index), L, index)
WRAP_VOID(luaL_buffinit, (lua_State *L, luaL_Buffer *buffer), L, buffer)
WRAP_VOID(luaL_where, (lua_State *L, int level), L, level)
WRAP(const char *, lua_pushlstring, (lua_State *L, const char *text, size_t length), L, text, length)
WRAP(const char *, lua_pushstring, (lua_State *L, const char *text), L, text)
WRAP(int, lua_getfield, (lua_State *L, int index, const char *name), L, index, name)
WRAP(int, lua_getglobal, (lua_State *L, const char *name), L, name)
WRAP(int, lua_getiuservalue, (lua_State *L, int index, int value), L, index, value)
WRAP(int, lua_getmetatable, (lua_State *L, int index), L, index)
WRAP(int, lua_next, (lua_State *L, int index), L, index)
WRAP(int, lua_rawgeti, (lua_State *L, int index, lua_Integer item), L, index, item)
WRAP(int, luaL_newmetatable, (lua_State *L, const char *name), L, name)
WRAP(void *, lua_newuserdatauv, (lua_State *L, size_t size, int values), L, size, values)
/* clang-format on */

const char *__wrap_lua_pushfstring(lua_State *L, const char *format, ...);

const char *__wrap_lua_pushfstring(lua_State *L, const char *format, ...) {
  const char *text;
  va_list values;
  va_start(values, format);
  text = lua_pushvfstring(L, format, values);
  va_end(values);
  check(L, "lua_pushfstring");
  return text;
}
