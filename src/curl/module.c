/* module.c: usher.curl, the Lua face of the pool and its transfers. The only
   file of this directory that includes Lua; all it adds is reading arguments,
   pushing results and who keeps whom alive:

     pool      its environment: { transfers by slot (weak), setting texts }
     transfer  its environment: { its pool, the body of its request }

   Misuse raises. What happens in the world is a result. */
#include <string.h>

#include "curl/head.h"
#include "curl/multi.h"
#include "lua/compat.h"

#define POOL "usher.curl.pool"
#define TRANSFER "usher.curl.transfer"

#define DEFAULT_TIMEOUT 30.0
#define DEFAULT_CONNECT_TIMEOUT 5.0
#define DEFAULT_RESPONSE_SIZE (8.0 * 1024 * 1024)
enum { REQUEST_HEADERS = 64 };

typedef struct {
  us_transfer transfer;
  int slot;   /* in its pool's table */
  bool taken; /* the result has been handed out */
} lus_transfer;

/* The stack of `start`. */
enum { SELF = 1, REQUEST, METHOD, URL, HEADERS, BODY, RESULT };

static us_pool *check_pool(lua_State *L) {
  us_pool *pool = luaL_checkudata(L, SELF, POOL);
  if (!us_pool_is_open(pool)) luaL_error(L, "the pool is closed");
  if (!us_pool_is_ours(pool))
    luaL_error(L, "the pool belongs to the process that opened it: open "
                  "another one after a fork");
  return pool;
}

static void complain(lua_State *L, const char *field, const char *problem) {
  if (problem != NULL)
    luaL_argerror(L, REQUEST, lua_pushfstring(L, "%s %s", field, problem));
}

/* Pushes a field of the request; NULL when it is absent. */
static const char *push_text(lua_State *L, const char *field, size_t *length) {
  lua_getfield(L, REQUEST, field);
  if (lua_isnil(L, -1)) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING) complain(L, field, "must be a string");
  return lua_tolstring(L, -1, length);
}

static const char *push_needed(lua_State *L, const char *field,
                               size_t *length) {
  const char *text = push_text(L, field, length);
  if (text == NULL) complain(L, field, "is missing");
  return text;
}

static double read_number(lua_State *L, const char *field, double fallback) {
  double value = fallback;
  lua_getfield(L, REQUEST, field);
  if (!lua_isnil(L, -1)) {
    value = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || value != value)
      complain(L, field, "must be a number");
  }
  lua_pop(L, 1);
  return value;
}

static void read_limits(lua_State *L, us_request *request) {
  static const char size[] = "max_response_size";
  request->timeout_ms =
      us_milliseconds(read_number(L, "timeout", DEFAULT_TIMEOUT));
  request->connect_timeout_ms = us_milliseconds(
      read_number(L, "connect_timeout", DEFAULT_CONNECT_TIMEOUT));
  complain(L, size,
           us_request_set_response_size(
               request, read_number(L, size, DEFAULT_RESPONSE_SIZE)));
  lua_getfield(L, REQUEST, "idempotent");
  request->idempotent = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
}

/* Leaves the texts on the stack as METHOD, URL, HEADERS and BODY. */
static void read_request(lua_State *L, us_request *request) {
  size_t length = 0;
  const char *text;
  luaL_checktype(L, REQUEST, LUA_TTABLE);
  lua_settop(L, REQUEST);
  text = push_needed(L, "method", &length);
  complain(L, "method", us_request_set_method(request, text, length));
  text = push_needed(L, "url", &length);
  complain(L, "url", us_request_set_url(request, text, length));
  lua_getfield(L, REQUEST, "headers");
  if (lua_isnil(L, HEADERS)) {
    lua_newtable(L);
    lua_replace(L, HEADERS);
  } else if (!lua_istable(L, HEADERS)) {
    complain(L, "headers", "must be a table");
  }
  request->body_length = 0;
  request->body = push_text(L, "body", &request->body_length);
  read_limits(L, request);
}

/* The name and the value of a header are at the top of the stack. */
static const char *check_header(lua_State *L, const us_request *request) {
  size_t name_length = 0, value_length = 0;
  const char *name, *value;
  if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
    complain(L, "headers", "must be strings by name");
  name = lua_tolstring(L, -2, &name_length);
  value = lua_tolstring(L, -1, &value_length);
  complain(L, name,
           us_header_problem(request, name, name_length, value, value_length));
  return name;
}

/* Sorted by name: a request is the same bytes every time. */
static int list_headers(lua_State *L, const us_request *request,
                        const char **names) {
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, HEADERS) != 0) {
    const char *name = check_header(L, request);
    int i = count;
    if (count == REQUEST_HEADERS) complain(L, "headers", "are too many");
    for (; i > 0 && strcmp(names[i - 1], name) > 0; i--)
      names[i] = names[i - 1];
    names[i] = name;
    count++;
    lua_pop(L, 1);
  }
  return count;
}

/* The list is the transfer's from its first line on. */
static void fill_headers(lua_State *L, us_transfer *transfer,
                         const char **names, int count) {
  bool complete = true;
  int i;
  for (i = 0; i < count && complete; i++) {
    if (us_header_is_framing(names[i])) continue;
    lua_pushstring(L, names[i]);
    lua_rawget(L, HEADERS);
    complete = us_transfer_add_header(transfer, names[i], lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  if (!complete || !us_transfer_close_headers(transfer))
    luaL_error(L, "not enough memory");
}

/* Pushes it, with its pool and its body kept alive. */
static lus_transfer *new_transfer(lua_State *L, const us_request *request) {
  lus_transfer *self = lua_newuserdata(L, sizeof(*self));
  memset(self, 0, sizeof(*self));
  self->transfer.request = *request;
  luaL_getmetatable(L, TRANSFER);
  lua_setmetatable(L, RESULT);
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, SELF);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, BODY);
  lua_rawseti(L, -2, 2);
  lus_set_environment(L, RESULT);
  return self;
}

static void push_transfers(lua_State *L) {
  lus_get_environment(L, SELF);
  lua_rawgeti(L, -1, 1);
  lua_remove(L, -2);
}

/* Puts the transfer at RESULT in the first free slot. */
static int take_slot(lua_State *L) {
  int slot = 1;
  push_transfers(L);
  lua_rawgeti(L, -1, slot);
  while (!lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_rawgeti(L, -1, ++slot);
  }
  lua_pop(L, 1);
  lua_pushvalue(L, RESULT);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
  return slot;
}

/* pool:start(request) -> transfer */
static int pool_start(lua_State *L) {
  us_pool *pool = check_pool(L);
  const char *names[REQUEST_HEADERS];
  us_request request;
  lus_transfer *self;
  int count;
  read_request(L, &request);
  count = list_headers(L, &request, names);
  self = new_transfer(L, &request);
  fill_headers(L, &self->transfer, names, count);
  self->slot = take_slot(L);
  if (!us_pool_start(pool, &self->transfer))
    complain(L, "url", "names no host");
  return 1;
}

/* Pushes the transfer and frees its slot; false when it is being collected. */
static bool push_finished(lua_State *L, const us_transfer *transfer) {
  const lus_transfer *self = (const lus_transfer *)transfer;
  push_transfers(L);
  lua_rawgeti(L, -1, self->slot);
  if (lua_touserdata(L, -1) != (const void *)self) {
    lua_pop(L, 2);
    return false;
  }
  lua_pushnil(L);
  lua_rawseti(L, -3, self->slot);
  lua_remove(L, -2);
  return true;
}

/* pool:step(seconds) -> a transfer that has finished, or nil */
static int pool_step(lua_State *L) {
  us_pool *pool = check_pool(L);
  double seconds = luaL_checknumber(L, 2);
  int wait = seconds > 0 ? (int)us_milliseconds(seconds) : 0;
  us_transfer *finished = us_pool_step(pool, wait);
  while (finished != NULL && !push_finished(L, finished))
    finished = us_pool_step(pool, 0);
  if (finished == NULL) lua_pushnil(L);
  return 1;
}

/* pool:running() -> how many transfers have not finished */
static int pool_running(lua_State *L) {
  lua_pushinteger(L, us_pool_running(check_pool(L)));
  return 1;
}

static int pool_close(lua_State *L) {
  us_pool_close(luaL_checkudata(L, SELF, POOL));
  return 0;
}

static int pool_tostring(lua_State *L) {
  us_pool *pool = luaL_checkudata(L, SELF, POOL);
  lua_pushfstring(L, POOL " (%s)", us_pool_is_open(pool) ? "open" : "closed");
  return 1;
}

static lus_transfer *check_transfer(lua_State *L) {
  return luaL_checkudata(L, SELF, TRANSFER);
}

/* transfer:done() -> whether its result is there */
static int transfer_done(lua_State *L) {
  lua_pushboolean(L, check_transfer(L)->transfer.stage == US_STAGE_FINISHED);
  return 1;
}

static int transfer_cancel(lua_State *L) {
  us_pool_drop(&check_transfer(L)->transfer, "the transfer was cancelled");
  return 0;
}

/* In a forked child everything it shares with the parent is left alone. */
static int transfer_gc(lua_State *L) {
  us_transfer *transfer = &check_transfer(L)->transfer;
  if (transfer->pool != NULL && !us_pool_is_ours(transfer->pool)) return 0;
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
  us_header header;
  int table;
  lua_createtable(L, 0, (int)transfer->head_lines);
  table = lua_gettop(L);
  while (us_head_next(&reader, &header)) {
    lua_pushlstring(L, header.name, header.name_length);
    set_header(L, table, header.folded ? " " : ", ", header.value,
               header.value_length);
  }
}

/* transfer:result() -> status, headers, body | nil, kind, message, sent */
static int transfer_result(lua_State *L) {
  lus_transfer *self = check_transfer(L);
  us_transfer *transfer = &self->transfer;
  const us_outcome *outcome = &transfer->outcome;
  int count = outcome->kind == NULL ? 3 : 4;
  if (transfer->stage != US_STAGE_FINISHED)
    return luaL_error(L, "the transfer is still running");
  if (self->taken) return luaL_error(L, "the result was taken before");
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

static const struct {
  const char *name;
  int type;
} settings[] = {
    {"proxy", LUA_TSTRING},
    {"ca_file", LUA_TSTRING},
    {"client_cert", LUA_TSTRING},
    {"client_key_file", LUA_TSTRING},
    {"http", LUA_TSTRING},
    {"verify", LUA_TBOOLEAN},
    {"max_connections", LUA_TNUMBER},
    {"reuse", LUA_TBOOLEAN},
};
enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

/* The stack of `new`. */
enum { GIVEN = 1, POOL_RESULT, TEXTS };

/* Raises, with all the names there are. */
static void refuse_setting(lua_State *L, const char *name) {
  int i;
  lua_pushfstring(L, "unknown setting '%s' (there are:", name);
  for (i = 0; i < SETTINGS; i++) {
    lua_pushfstring(L, i == 0 ? " %s" : ", %s", settings[i].name);
    lua_concat(L, 2);
  }
  lua_pushliteral(L, ")");
  lua_concat(L, 2);
  luaL_argerror(L, GIVEN, lua_tostring(L, -1));
}

/* The name and the value are at the top of the stack. */
static void check_setting(lua_State *L) {
  const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
  int i = 0;
  while (i < SETTINGS && strcmp(settings[i].name, name) != 0)
    i++;
  if (i == SETTINGS)
    refuse_setting(L, name);
  else if (lua_type(L, -1) != settings[i].type)
    luaL_argerror(L, GIVEN,
                  lua_pushfstring(L, "%s must be a %s", name,
                                  lua_typename(L, settings[i].type)));
}

static void check_settings(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, GIVEN) != 0) {
    check_setting(L);
    lua_pop(L, 1);
  }
}

/* The text stays alive in TEXTS. */
static const char *keep_text(lua_State *L, const char *name) {
  lua_getfield(L, GIVEN, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, TEXTS, name);
  lua_pop(L, 1);
  lua_getfield(L, TEXTS, name);
  return lua_tostring(L, -1);
}

static bool flag(lua_State *L, const char *name, bool fallback) {
  bool value = fallback;
  lua_getfield(L, GIVEN, name);
  if (!lua_isnil(L, -1)) value = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

static const char *read_proxy(lua_State *L) {
  const char *proxy = keep_text(L, "proxy");
  if (proxy == NULL) return "";
  return strcmp(proxy, "environment") == 0 ? NULL : proxy;
}

static bool read_http1_only(lua_State *L) {
  const char *http = keep_text(L, "http");
  bool only = http != NULL && strcmp(http, "1.1") == 0;
  if (http != NULL && !only && strcmp(http, "auto") != 0)
    luaL_argerror(L, GIVEN, "http must be \"auto\" or \"1.1\"");
  return only;
}

static long read_max_connections(lua_State *L) {
  lua_Number count;
  lua_getfield(L, GIVEN, "max_connections");
  count = lua_tonumber(L, -1);
  if (!lua_isnil(L, -1) && !(count >= 1 && count <= 65535))
    luaL_argerror(L, GIVEN, "max_connections must be from 1 to 65535");
  lua_pop(L, 1);
  return (long)count;
}

static void read_settings(lua_State *L, us_pool *pool) {
  us_settings *into = &pool->settings;
  into->proxy = read_proxy(L);
  into->ca_file = keep_text(L, "ca_file");
  into->client_cert = keep_text(L, "client_cert");
  into->client_key_file = keep_text(L, "client_key_file");
  into->verify = flag(L, "verify", true);
  into->http1_only = read_http1_only(L);
  into->max_connections = read_max_connections(L);
  pool->reuse = flag(L, "reuse", us_curl_may_reuse_handles());
}

/* Sets { transfers by slot (weak), TEXTS } as the environment; TEXTS stays on
   the stack. */
static void set_environment(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 2, 0);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, TEXTS);
  lua_rawseti(L, -2, 2);
  lus_set_environment(L, POOL_RESULT);
}

/* curl.new(settings) -> pool */
static int curl_new(lua_State *L) {
  us_pool *pool;
  CURLcode code;
  lua_settop(L, GIVEN);
  luaL_checktype(L, GIVEN, LUA_TTABLE);
  check_settings(L);
  pool = lua_newuserdata(L, sizeof(*pool));
  memset(pool, 0, sizeof(*pool));
  luaL_getmetatable(L, POOL);
  lua_setmetatable(L, POOL_RESULT);
  set_environment(L);
  read_settings(L, pool);
  code = us_pool_open(pool);
  if (code != CURLE_OK)
    return luaL_error(L, "libcurl %s cannot do what usher needs: %s",
                      us_curl_version(), curl_easy_strerror(code));
  lua_settop(L, POOL_RESULT);
  return 1;
}

/* curl.version() -> { version, number, reuse } of the libcurl that runs */
static int version(lua_State *L) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, us_curl_version());
  lua_setfield(L, -2, "version");
  lua_pushinteger(L, (lua_Integer)us_curl_version_number());
  lua_setfield(L, -2, "number");
  lua_pushboolean(L, us_curl_may_reuse_handles());
  lua_setfield(L, -2, "reuse");
  return 1;
}

static const luaL_Reg functions[] = {
    {"new", curl_new}, {"version", version}, {NULL, NULL}};

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

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods,
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
  new_class(L, POOL, pool_methods, pool_metamethods);
  new_class(L, TRANSFER, transfer_methods, transfer_metamethods);
  lua_newtable(L);
  lus_register(L, functions);
  return 1;
}
