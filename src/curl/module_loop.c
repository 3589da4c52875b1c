/* module_loop.c: the Lua face of the loop. Its environment lists the pools it
   drives, which keeps them alive. */
#include <string.h>

#include "curl/module.h"

static us_loop *check_loop(lua_State *L) {
  us_loop *loop = lus_check_self(L, LUS_LOOP, sizeof *loop);
  if (!us_loop_is_open(loop)) luaL_error(L, "the loop is closed");
  if (!us_loop_is_ours(loop))
    luaL_error(L, "usher.map belongs to the process that opened it: call it "
                  "again after a fork");
  return loop;
}

/* loop:join(pool): from now on the loop drives the pool, unless it is closed. */
static int loop_join(lua_State *L) {
  us_loop *loop = check_loop(L);
  us_pool *pool = lus_pool_check(L, 2);
  if (pool == NULL || pool->loop == loop) return 0;
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

/* Takes pool `i` off the list at 2, which has `count`. */
static void drop_pool(lua_State *L, int i, int count) {
  lua_rawgeti(L, 2, count);
  lua_rawseti(L, 2, i);
  lua_pushnil(L);
  lua_rawseti(L, 2, count);
}

/* loop:take() -> a transfer that has finished, or nil */
static int loop_take(lua_State *L) {
  const us_loop *loop = check_loop(L);
  int i;
  lua_settop(L, LUS_SELF);
  lus_get_environment(L, LUS_SELF);
  for (i = (int)lus_raw_length(L, 2); i > 0; i--) {
    us_transfer *transfer;
    us_pool *pool;
    lua_rawgeti(L, 2, i);
    pool = lua_touserdata(L, 3);
    while ((transfer = us_pool_take(pool)) != NULL)
      if (lus_transfer_push(L, 3, transfer)) return 1;
    if (pool->loop != loop) drop_pool(L, i, (int)lus_raw_length(L, 2));
    lua_settop(L, 2);
  }
  lua_pushnil(L);
  return 1;
}

static int loop_close(lua_State *L) {
  us_loop_close(lus_check_self(L, LUS_LOOP, sizeof(us_loop)));
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

/* curl.loop() -> loop | nil, message */
int lus_loop_new(lua_State *L) {
  us_loop *loop = lua_newuserdata(L, sizeof *loop);
  memset(loop, 0, sizeof *loop);
  luaL_getmetatable(L, LUS_LOOP);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lus_set_environment(L, -2);
  if (us_loop_open(loop)) return 1;
  lua_pushnil(L);
  lua_pushliteral(L, "there is no descriptor for an event loop");
  return 2;
}
