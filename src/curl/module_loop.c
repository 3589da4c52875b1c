/* module_loop.c: the Lua face of the loop. Its environment lists the pools it
   drives, which keeps them alive. */
#include <string.h>

#include "curl/module.h"

static us_loop *check_loop(lua_State *L) {
  us_loop *loop = luaL_checkudata(L, LUS_SELF, LUS_LOOP);
  if (!us_loop_is_open(loop)) luaL_error(L, "the loop is closed");
  return loop;
}

/* loop:join(pool): from now on the loop drives the pool. */
static int loop_join(lua_State *L) {
  us_loop *loop = check_loop(L);
  us_pool *pool = lus_pool_check(L, 2);
  if (pool->loop == loop) return 0;
  lus_get_environment(L, LUS_SELF);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, (int)lus_raw_length(L, -2) + 1);
  us_loop_join(loop, pool);
  return 0;
}

/* loop:wait(seconds): waits for something to happen, unless it has. */
static int loop_wait(lua_State *L) {
  us_loop *loop = check_loop(L);
  double seconds = luaL_checknumber(L, 2);
  us_loop_wait(loop, seconds > 0 ? (int)us_milliseconds(seconds) : 0);
  return 0;
}

/* loop:take() -> a transfer that has finished, or nil */
static int loop_take(lua_State *L) {
  int i, count;
  check_loop(L);
  lua_settop(L, LUS_SELF);
  lus_get_environment(L, LUS_SELF);
  count = (int)lus_raw_length(L, 2);
  for (i = 1; i <= count; i++) {
    us_transfer *transfer;
    lua_rawgeti(L, 2, i);
    while ((transfer = us_pool_take(lua_touserdata(L, 3))) != NULL)
      if (lus_transfer_push(L, 3, transfer)) return 1;
    lua_settop(L, 2);
  }
  lua_pushnil(L);
  return 1;
}

static int loop_close(lua_State *L) {
  us_loop_close(luaL_checkudata(L, LUS_SELF, LUS_LOOP));
  return 0;
}

static const luaL_Reg methods[] = {{"join", loop_join},
                                   {"wait", loop_wait},
                                   {"take", loop_take},
                                   {"close", loop_close},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {
    {"__gc", loop_close}, {"__close", loop_close}, {NULL, NULL}};

void lus_loop_open(lua_State *L) {
  lus_class_new(L, LUS_LOOP, methods, metamethods);
}

/* curl.loop() -> loop */
int lus_loop_new(lua_State *L) {
  us_loop *loop = lua_newuserdata(L, sizeof *loop);
  memset(loop, 0, sizeof *loop);
  luaL_getmetatable(L, LUS_LOOP);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lus_set_environment(L, -2);
  if (!us_loop_open(loop))
    return luaL_error(L, "there is no descriptor for an event loop");
  return 1;
}
