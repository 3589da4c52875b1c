/* module.c: usher.curl, the Lua face of the pool and its transfers. All it adds
   is pushing results and who keeps whom alive:

     pool      its environment: { transfers by slot (weak), setting texts }
     transfer  its environment: { its pool, the body of its request }

   Misuse raises. What happens in the world is a result. */
#include <string.h>

#include "curl/head.h"
#include "curl/module.h"
#include "curl/wipe.h"

/* An answer of so many bytes counts beside what Lua holds. */
#define LARGE_ANSWER ((size_t)1 << 18)

typedef struct {
  us_transfer transfer;
  int slot;   /* in its pool's table */
  bool taken; /* the result has been handed out */
} lus_transfer;

us_pool *lus_pool_check(lua_State *L, int index) {
  us_pool *pool = lus_check_userdata(L, index, LUS_POOL, sizeof *pool);
  if (!us_pool_is_open(pool)) luaL_error(L, "the pool is closed");
  if (!us_pool_is_ours(pool))
    luaL_error(L, "the client belongs to the process that opened it: open "
                  "another one after a fork");
  return pool;
}

/* Pushes it, with its pool and its body kept alive. */
static lus_transfer *new_transfer(lua_State *L,
                                  const us_wire_request *request) {
  lus_transfer *self = lua_newuserdata(L, sizeof(*self));
  memset(self, 0, sizeof(*self));
  self->transfer.request = *request;
  luaL_getmetatable(L, LUS_TRANSFER);
  lua_setmetatable(L, LUS_RESULT);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, LUS_SELF);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, LUS_BODY);
  lua_rawseti(L, -2, 2);
  lus_set_environment(L, LUS_RESULT);
  return self;
}

static void push_transfers(lua_State *L, int pool) {
  lus_get_environment(L, pool);
  lua_rawgeti(L, -1, 1);
  lua_remove(L, -2);
}

/* Item 0 of a pool's transfers: no slot below it is free. */
static int first_free(lua_State *L, int transfers) {
  int slot;
  lua_rawgeti(L, transfers, 0);
  slot = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return slot > 0 ? slot : 1;
}

static void set_first_free(lua_State *L, int transfers, int slot) {
  lua_pushinteger(L, slot);
  lua_rawseti(L, transfers, 0);
}

/* Puts the transfer at LUS_RESULT in the first free slot. */
static int take_slot(lua_State *L) {
  int slot, transfers;
  push_transfers(L, LUS_SELF);
  transfers = lua_gettop(L);
  slot = first_free(L, transfers);
  lua_rawgeti(L, transfers, slot);
  while (!lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_rawgeti(L, transfers, ++slot);
  }
  lua_pushvalue(L, LUS_RESULT);
  lua_rawseti(L, transfers, slot);
  set_first_free(L, transfers, slot + 1);
  lua_settop(L, LUS_RESULT);
  return slot;
}

/* pool:start(request) -> transfer. All that allocates may run a finalizer, and
   that may close the pool: it is looked at again before it is used. */
static int pool_start(lua_State *L) {
  us_pool *pool = lus_pool_check(L, LUS_SELF);
  const char *names[LUS_REQUEST_HEADERS];
  us_wire_request request;
  lus_transfer *self;
  int count;
  lus_request_read(L, &request);
  count = lus_headers_list(L, &request, names);
  self = new_transfer(L, &request);
  lus_headers_fill(L, &self->transfer, names, count);
  self->slot = take_slot(L);
  lus_pool_check(L, LUS_SELF);
  if (!us_pool_start(pool, &self->transfer))
    lus_complain(L, "url", "names no host");
  return 1;
}

bool lus_transfer_push(lua_State *L, int pool, const us_transfer *transfer) {
  const lus_transfer *self = (const lus_transfer *)transfer;
  push_transfers(L, pool);
  lua_rawgeti(L, -1, self->slot);
  if (lua_touserdata(L, -1) != (const void *)self) {
    lua_pop(L, 2);
    return false;
  }
  lua_pushnil(L);
  lua_rawseti(L, -3, self->slot);
  if (self->slot < first_free(L, lua_gettop(L) - 1))
    set_first_free(L, lua_gettop(L) - 1, self->slot);
  lua_remove(L, -2);
  return true;
}

/* pool:step(seconds) -> a transfer that has finished, or nil */
static int pool_step(lua_State *L) {
  us_pool *pool = lus_pool_check(L, LUS_SELF);
  double seconds = luaL_checknumber(L, 2);
  int wait = seconds > 0 ? (int)us_milliseconds(seconds) : 0;
  us_transfer *finished = us_pool_step(pool, wait);
  while (finished != NULL && !lus_transfer_push(L, LUS_SELF, finished))
    finished = us_pool_step(pool, 0);
  if (finished == NULL) lua_pushnil(L);
  return 1;
}

/* pool:running() -> how many transfers have not finished */
static int pool_running(lua_State *L) {
  lua_pushinteger(L, us_pool_running(lus_pool_check(L, LUS_SELF)));
  return 1;
}

static int pool_close(lua_State *L) {
  us_pool_close(lus_check_userdata(L, LUS_SELF, LUS_POOL, sizeof(us_pool)));
  return 0;
}

static int pool_tostring(lua_State *L) {
  us_pool *pool = lus_check_userdata(L, LUS_SELF, LUS_POOL, sizeof *pool);
  lua_pushfstring(L, LUS_POOL " (%s)",
                  us_pool_is_open(pool) ? "open" : "closed");
  return 1;
}

static lus_transfer *check_transfer(lua_State *L) {
  return lus_check_userdata(L, LUS_SELF, LUS_TRANSFER, sizeof(lus_transfer));
}

/* transfer:done() -> whether its result is there */
static int transfer_done(lua_State *L) {
  lua_pushboolean(L, check_transfer(L)->transfer.stage == US_STAGE_FINISHED);
  return 1;
}

/* In a forked child everything it shares with the parent is left alone. */
static bool is_the_parents(const us_transfer *transfer) {
  return transfer->pool != NULL && !us_pool_is_ours(transfer->pool);
}

static int transfer_cancel(lua_State *L) {
  us_transfer *transfer = &check_transfer(L)->transfer;
  if (!is_the_parents(transfer))
    us_pool_drop(transfer, "the transfer was cancelled");
  return 0;
}

static int transfer_gc(lua_State *L) {
  us_transfer *transfer = &check_transfer(L)->transfer;
  if (is_the_parents(transfer)) return 0;
  us_pool_drop(transfer, "the transfer was collected");
  us_transfer_clear(transfer);
  return 0;
}

/* Appends to what table[name] holds; the name is at the top and is popped. */
static void set_header(lua_State *L, int table, const char *separator,
                       const char *value, size_t length) {
  lua_pushvalue(L, -1);
  lua_rawget(L, table);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushlstring(L, value, length);
  } else {
    lua_pushstring(L, separator);
    lua_pushlstring(L, value, length);
    lua_concat(L, 3);
  }
  lua_rawset(L, table);
}

/* Pushes { [lower-case name] = value }. */
static void push_headers(lua_State *L, us_transfer *transfer) {
  us_head_reader reader =
      us_head_read(transfer->head.data, transfer->head.length);
  us_wire_header header;
  int table;
  lua_createtable(L, 0, (int)transfer->head_lines);
  table = lua_gettop(L);
  while (us_head_next(&reader, &header)) {
    lua_pushlstring(L, header.name, header.name_length);
    set_header(L, table, header.folded ? " " : ", ", header.value,
               header.value_length);
  }
}

/* Lets go of the body of the request. */
static void drop_body(lua_State *L) {
  lus_get_environment(L, LUS_SELF);
  lua_rawgeti(L, -1, 2);
  lus_wipe_sealed(L, lua_gettop(L));
  lua_pop(L, 1);
  lua_pushnil(L);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 1);
}

/* The collector does not see what was received. It is told when that is much,
   lest the last answer, which nobody wants any more, be there beside this one;
   unless the script has stopped it. */
static void tell_collector(lua_State *L, size_t length) {
  if (length >= LARGE_ANSWER && lua_gc(L, LUS_GC_IS_RUNNING, 0) == 1)
    lua_gc(L, LUA_GCSTEP, (int)(length >> 10));
}

/* transfer:result() -> status, headers, body | nil, kind, message, sent */
static int transfer_result(lua_State *L) {
  lus_transfer *self = check_transfer(L);
  us_transfer *transfer = &self->transfer;
  const us_transfer_outcome *outcome = &transfer->outcome;
  int count = outcome->kind == NULL ? 3 : 4;
  tell_collector(L, transfer->body.length);
  if (transfer->stage != US_STAGE_FINISHED)
    return luaL_error(L, "the transfer is still running");
  if (self->taken) return luaL_error(L, "the result was taken before");
  drop_body(L);
  if (outcome->kind == NULL) {
    lua_pushinteger(L, (lua_Integer)outcome->status);
    push_headers(L, transfer);
    if (transfer->body.data == NULL)
      lua_pushliteral(L, "");
    else
      lua_pushlstring(L, transfer->body.data, transfer->body.length);
  } else {
    lua_pushnil(L);
    lua_pushstring(L, outcome->kind);
    lua_pushstring(L, outcome->message);
    lua_pushboolean(L, outcome->sent);
  }
  self->taken = true;
  us_transfer_clear(transfer);
  return count;
}

/* Sets { transfers by slot (weak), LUS_TEXTS } as the environment; LUS_TEXTS
   stays on the stack. */
static void set_environment(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 2, 0);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, LUS_TEXTS);
  lua_rawseti(L, -2, 2);
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

static const luaL_Reg transfer_methods[] = {{"done", transfer_done},
                                            {"result", transfer_result},
                                            {"cancel", transfer_cancel},
                                            {NULL, NULL}};

static const luaL_Reg transfer_metamethods[] = {{"__gc", transfer_gc},
                                                {NULL, NULL}};

void lus_class_new(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods) {
  luaL_newmetatable(L, name);
  lus_register(L, metamethods);
  lua_newtable(L);
  lus_register(L, methods);
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
  lus_class_new(L, LUS_TRANSFER, transfer_methods, transfer_metamethods);
  lus_loop_open(L);
  lua_newtable(L);
  lus_register(L, functions);
  return 1;
}
