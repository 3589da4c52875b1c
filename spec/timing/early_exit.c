/* early_exit.c: a comparison that stops at the first byte that differs, bound
   to Lua like the one in constant time. What spec/timing has to find out about;
   no part of the library. */
#include <lauxlib.h>
#include <lua.h>

static int equal(lua_State *L) {
  size_t length, other, i = 0;
  const char *a = luaL_checklstring(L, 1, &length);
  const char *b = luaL_checklstring(L, 2, &other);
  if (length == other)
    while (i < length && a[i] == b[i])
      i++;
  lua_pushboolean(L, length == other && i == length);
  return 1;
}

__attribute__((visibility("default"))) int luaopen_early_exit(lua_State *L);
int luaopen_early_exit(lua_State *L) {
  lua_pushcfunction(L, equal);
  return 1;
}
