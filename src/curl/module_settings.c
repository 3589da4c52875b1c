/* module_settings.c: the settings table of Lua into those of a pool. */
#include <string.h>

#include "curl/module.h"

static const struct {
  const char *name;
  int type;
} settings[] = {
    {"proxy", LUA_TSTRING},           {"ca_file", LUA_TSTRING},
    {"ca_path", LUA_TSTRING},         {"client_cert", LUA_TSTRING},
    {"client_key_file", LUA_TSTRING}, {"http", LUA_TSTRING},
    {"verify", LUA_TBOOLEAN},         {"max_connections", LUA_TNUMBER},
    {"reuse", LUA_TBOOLEAN},
};
enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

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
  luaL_argerror(L, LUS_GIVEN, lua_tostring(L, -1));
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
    luaL_argerror(L, LUS_GIVEN,
                  lua_pushfstring(L, "%s must be a %s", name,
                                  lua_typename(L, settings[i].type)));
}

void lus_settings_check(lua_State *L) {
  lua_pushnil(L);
  while (lua_next(L, LUS_GIVEN) != 0) {
    check_setting(L);
    lua_pop(L, 1);
  }
}

/* The text stays alive in LUS_TEXTS. */
static const char *keep_text(lua_State *L, const char *name) {
  lua_getfield(L, LUS_GIVEN, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUS_TEXTS, name);
  lua_pop(L, 1);
  lua_getfield(L, LUS_TEXTS, name);
  return lua_tostring(L, -1);
}

static bool flag(lua_State *L, const char *name, bool fallback) {
  bool value = fallback;
  lua_getfield(L, LUS_GIVEN, name);
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
    luaL_argerror(L, LUS_GIVEN, "http must be \"auto\" or \"1.1\"");
  return only;
}

static long read_max_connections(lua_State *L) {
  lua_Number count;
  lua_getfield(L, LUS_GIVEN, "max_connections");
  count = lua_tonumber(L, -1);
  if (!lua_isnil(L, -1) && !(count >= 1 && count <= 65535))
    luaL_argerror(L, LUS_GIVEN, "max_connections must be from 1 to 65535");
  lua_pop(L, 1);
  return (long)count;
}

void lus_settings_read(lua_State *L, us_pool *pool) {
  us_settings *into = &pool->settings;
  into->proxy = read_proxy(L);
  into->ca_file = keep_text(L, "ca_file");
  into->ca_path = keep_text(L, "ca_path");
  into->client_cert = keep_text(L, "client_cert");
  into->client_key_file = keep_text(L, "client_key_file");
  into->verify = flag(L, "verify", true);
  into->http1_only = read_http1_only(L);
  into->max_connections = read_max_connections(L);
  pool->reuse = flag(L, "reuse", us_curl_may_reuse_handles());
}
