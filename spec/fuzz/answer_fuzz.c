/* answer_fuzz.c: any bytes as the answer to a call, through all there is:
   libcurl, src/curl, the binding, Lua 5.4. What is done with a client and what
   must hold is in answer.lua; here is what a script cannot do. */
#include "loopback.h"
#include "lua_host.h"
#include "spelling.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lua_host_run("answer", functions, data, size);
  return 0;
}
