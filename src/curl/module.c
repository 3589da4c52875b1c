/* module.c: usher.curl, the Lua face of the pool. All it adds is pushing results
   and who keeps whom alive:

     pool      its environment: { transfers by slot (weak), setting texts,
               transfers to be used again }
     transfer  its environment: { its pool }

   Misuse raises. What happens in the world is a result. */
#include <string.h>

#include "curl/module.h"
#include "curl/wipe.h"

/* NULL when it is closed. */
static us_pool *usable(lua_State *L, us_pool *pool) {
  if (!us_pool_is_open(pool)) return NULL;
  if (!us_pool_is_ours(pool))
    luaL_error(L, "the client belongs to the process that opened it: open "
                  "another one after a fork");
  return pool;
}

us_pool *lus_pool_check(lua_State *L, int index) {
  return usable(L, lus_check_userdata(L, index, LUS_POOL, sizeof(us_pool)));
}

/* The pool that a method is called on, whatever its state. */
static us_pool *any_self(lua_State *L) {
  return lus_check_self(L, LUS_POOL, sizeof(us_pool));
}

static us_pool *self_of(lua_State *L) {
  return usable(L, any_self(L));
}

/* pool:start(request) -> transfer, or nil when the pool is closed. The request is
   a table, or a call that usher.core has made. All that allocates may run a
   finalizer, and that may close the pool: it is looked at again before it is
   used. */
static int pool_start(lua_State *L) {
  us_pool *pool = self_of(L);
  us_transfer *transfer;
  if (pool == NULL) return 0;
  lua_settop(L, LUS_REQUEST);
  transfer = lus_transfer_new(L);
  lus_request_read(L, transfer);
  if (usable(L, pool) == NULL) return 0;
  if (!us_pool_start(pool, transfer)) lus_complain(L, "url", "names no host");
  lua_settop(L, LUS_RESULT);
  return 1;
}

/* pool:step(seconds) -> a transfer that has finished, or nil */
static int pool_step(lua_State *L) {
  us_pool *pool = self_of(L);
  double seconds = luaL_checknumber(L, 2);
  int wait = seconds > 0 ? (int)us_milliseconds(seconds) : 0;
  us_transfer *finished = pool != NULL ? us_pool_step(pool, wait) : NULL;
  while (finished != NULL && !lus_transfer_push(L, LUS_SELF, finished))
    finished = us_pool_step(pool, 0);
  if (finished == NULL) lua_pushnil(L);
  return 1;
}

/* pool:running() -> how many transfers have not finished */
static int pool_running(lua_State *L) {
  const us_pool *pool = self_of(L);
  lua_pushinteger(L, pool != NULL ? us_pool_running(pool) : 0);
  return 1;
}

static int pool_close(lua_State *L) {
  us_pool_close(any_self(L));
  lua_settop(L, LUS_SELF);
  lus_transfers_free(L);
  return 0;
}

static int pool_tostring(lua_State *L) {
  const us_pool *pool = any_self(L);
  lua_pushfstring(L, LUS_POOL " (%s)",
                  us_pool_is_open(pool) ? "open" : "closed");
  return 1;
}

/* Sets the environment; LUS_TEXTS stays on the stack. */
static void set_environment(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 3, 0);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawseti(L, -2, LUS_TRANSFERS);
  lua_pushvalue(L, LUS_TEXTS);
  lua_rawseti(L, -2, LUS_KEPT_TEXTS);
  lua_createtable(L, US_POOL_IDLE_HANDLES, 0); /* to add must not fail */
  lua_rawseti(L, -2, LUS_IDLE);
  lus_set_environment(L, LUS_POOL_RESULT);
}

/* curl.new(settings) -> pool */
static int curl_new(lua_State *L) {
  us_pool *pool;
  CURLcode code;
  lua_settop(L, LUS_GIVEN);
  luaL_checktype(L, LUS_GIVEN, LUA_TTABLE);
  lus_settings_check(L);
  pool = lua_newuserdata(L, sizeof(*pool));
  memset(pool, 0, sizeof(*pool));
  luaL_getmetatable(L, LUS_POOL);
  lua_setmetatable(L, LUS_POOL_RESULT);
  set_environment(L);
  lus_settings_read(L, pool);
  code = us_pool_open(pool);
  if (code == CURLE_OUT_OF_MEMORY) {
    lua_pushliteral(L, "not enough memory");
    return lua_error(L);
  }
  if (code != CURLE_OK)
    return luaL_error(L, "libcurl %s cannot do what usher needs: %s",
                      us_curl_version(), curl_easy_strerror(code));
  lua_settop(L, LUS_POOL_RESULT);
  return 1;
}

/* curl.version() -> { version, number, reuse, wipes } of the libcurl that runs;
   it wipes what it frees unless somebody else has started it before us */
static int version(lua_State *L) {
  lua_createtable(L, 0, 4);
  lua_pushstring(L, us_curl_version());
  lua_setfield(L, -2, "version");
  lua_pushinteger(L, (lua_Integer)us_curl_version_number());
  lua_setfield(L, -2, "number");
  lua_pushboolean(L, us_curl_may_reuse_handles());
  lua_setfield(L, -2, "reuse");
  lua_pushboolean(L, us_wipe_serves_curl());
  lua_setfield(L, -2, "wipes");
  return 1;
}

static const luaL_Reg functions[] = {{"new", curl_new},
                                     {"loop", lus_loop_new},
                                     {"version", version},
                                     {NULL, NULL}};

static const luaL_Reg pool_methods[] = {{"start", pool_start},
                                        {"step", pool_step},
                                        {"running", pool_running},
                                        {"close", pool_close},
                                        {NULL, NULL}};

static const luaL_Reg pool_metamethods[] = {{"__gc", pool_close},
                                            {"__close", pool_close},
                                            {"__tostring", pool_tostring},
                                            {NULL, NULL}};

void lus_class_new(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods) {
  luaL_newmetatable(L, name);
  lus_register(L, name, metamethods);
  lua_newtable(L);
  lus_register(L, name, methods);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

LUS_EXPORT int luaopen_usher_curl(lua_State *L);
int luaopen_usher_curl(lua_State *L) {
  CURLcode code = us_curl_prepare();
  if (code != CURLE_OK)
    return luaL_error(L, "libcurl cannot start: %s", curl_easy_strerror(code));
  lus_class_new(L, LUS_POOL, pool_methods, pool_metamethods);
  lus_transfer_open(L);
  lus_loop_open(L);
  lua_newtable(L);
  lus_register(L, NULL, functions);
  return 1;
}
