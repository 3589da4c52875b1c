/* lua_host.c: one Lua state, for all runs of a process. */
#include "lua_host.h"

#include <lualib.h>
#include <stdlib.h>

int luaopen_usher_core(lua_State *L);
int luaopen_usher_curl(lua_State *L);

static lua_State *state;

/* Leaks show at the end: what is alive by then is freed. */
static void stop(void) {
  lua_close(state);
  state = NULL;
}

static void preload(lua_State *L, const char *name, lua_CFunction open) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

/* Leaves the script's function as the only value on the stack. */
static lua_State *start(const char *name, const luaL_Reg *functions) {
  lua_State *L = luaL_newstate();
  char path[128];
  REQUIRE(L != NULL);
  luaL_openlibs(L);
  preload(L, "usher.core", luaopen_usher_core);
  preload(L, "usher.curl", luaopen_usher_curl);
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  lua_setglobal(L, "host");
  snprintf(path, sizeof path, "spec/fuzz/%s.lua", name);
  if (luaL_dofile(L, path) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(EXIT_FAILURE);
  }
  return L;
}

void lua_host_run(const char *name, const luaL_Reg *functions,
                  const uint8_t *data, size_t size) {
  if (state == NULL) {
    state = start(name, functions);
    REQUIRE(atexit(stop) == 0);
  }
  lua_pushvalue(state, 1);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 0, 0) != LUA_OK) {
    fprintf(stderr, "%s\n", luaL_tolstring(state, -1, NULL));
    fuzz_fail(__FILE__, __LINE__, "what the script asserts");
  }
}
