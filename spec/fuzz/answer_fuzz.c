/* answer_fuzz.c: any bytes as the answer to a call, through all there is:
   libcurl, src/curl, the binding, Lua 5.4. What is done with a client and what
   must hold is in answer.lua; here is what a script cannot do. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "loopback.h"
#include "spelling.h"

int luaopen_usher_core(lua_State *L);
int luaopen_usher_curl(lua_State *L);

static us_slice slice_at(lua_State *L, int index) {
  us_slice slice;
  slice.data = luaL_checklstring(L, index, &slice.length);
  return slice;
}

static int start(lua_State *L) {
  lua_pushinteger(L, loopback_start());
  return 1;
}

/* play(bytes, pause, early, ending, afresh): the bytes live in the registry. */
static int play(lua_State *L) {
  loopback_script script;
  script.bytes = slice_at(L, 1);
  script.pause = (size_t)luaL_checkinteger(L, 2);
  script.early = lua_toboolean(L, 3);
  script.ending = (loopback_ending)luaL_checkinteger(L, 4);
  if (lua_toboolean(L, 5))
    loopback_play(script);
  else
    loopback_go_on(script);
  lua_pushvalue(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "answer_fuzz.bytes");
  return 0;
}

static int step(lua_State *L) {
  lua_pushboolean(L, loopback_step());
  return 1;
}

static int end(lua_State *L) {
  (void)L;
  loopback_end();
  return 0;
}

static int requests(lua_State *L) {
  lua_pushinteger(L, loopback_requests());
  return 1;
}

/* spelled(text, secret): whether the secret can be read out of the text */
static int spelled(lua_State *L) {
  lua_pushboolean(L, spelling_occurs(slice_at(L, 1), slice_at(L, 2)));
  return 1;
}

static const luaL_Reg functions[] = {
    {"start", start}, {"play", play},         {"step", step},
    {"finish", end},  {"requests", requests}, {"spelled", spelled},
    {NULL, NULL}};

static void preload(lua_State *L, const char *name, lua_CFunction open) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

static lua_State *state;

static void stop(void) {
  lua_close(state);
  state = NULL;
}

/* Leaves what answer.lua returns, a function of bytes, on the stack. */
static lua_State *begin(void) {
  lua_State *L = luaL_newstate();
  REQUIRE(L != NULL);
  luaL_openlibs(L);
  preload(L, "usher.core", luaopen_usher_core);
  preload(L, "usher.curl", luaopen_usher_curl);
  luaL_newlib(L, functions);
  lua_setglobal(L, "server");
  if (luaL_dofile(L, "spec/fuzz/answer.lua") != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(EXIT_FAILURE);
  }
  return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (state == NULL) {
    state = begin();
    REQUIRE(atexit(stop) == 0);
  }
  lua_pushvalue(state, 1);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 0, 0) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(state, -1));
    fuzz_fail(__FILE__, __LINE__, "what answer.lua asserts");
  }
  return 0;
}
