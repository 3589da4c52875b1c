/* client.c: clients as userdata. Their methods are Lua functions, set by the
   Lua layer in the table that lus_client_class returns: a C function could not
   yield through a transport on LuaJIT. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/redact.h"
#include "lua/binding.h"

/* The stack of the constructor. */
enum {
  PROVIDER = 1,
  OPTIONS,
  LEVEL,
  PROBLEM,
  CLIENT,
  ENVIRONMENT,
  CONSTRUCTION,
  ANCHOR
};

/* What a constructor works with; all of it dies with its userdata. */
typedef struct {
  us_problems problems;
  us_value values[US_LIMIT_OPTIONS];
  us_limits limits;
  us_buffer headers;
} construction;

static int construction_gc(lua_State *L) {
  construction *made =
      lus_check_userdata(L, 1, "usher.construction", sizeof *made);
  us_problems_free(&made->problems);
  us_buffer_free(&made->headers);
  return 0;
}

static construction *push_construction(lua_State *L) {
  static const us_limits defaults = {30, 5, 120, 2, 8 << 20};
  construction *made = lua_newuserdata(L, sizeof *made);
  memset(made, 0, sizeof *made);
  made->limits = defaults;
  luaL_getmetatable(L, "usher.construction");
  lua_setmetatable(L, -2);
  us_problems_reset(&made->problems);
  return made;
}

int lus_client_close(lua_State *L) {
  us_client_close(&lus_client_check_any(L, 1)->core);
  return 0;
}

/* LuaJIT runs finalizers before it copies a string, and one may close it. */
static int client_tostring(lua_State *L) {
  const lus_client *client = lus_client_check_any(L, 1);
  us_buffer *text = lus_buffer_new(L, US_LIMIT_OPTION + US_LIMIT_TEXT);
  bool open = client->core.provider != NULL;
  us_buffer_append_text(text, "usher.");
  us_buffer_append_text(text, client->provider->name);
  if (open) us_buffer_append_text(text, ": ");
  if (open)
    us_buffer_append_slice(text, us_client_option(&client->core, "base_url"));
  us_buffer_append_text(text, open ? " (open)" : " (closed)");
  if (text->status != US_OK) return lus_raise_memory(L);
  lua_pushlstring(L, text->data, text->length);
  return 1;
}

/* Each provider has a metatable of its own, for its methods; this key, which
   no Lua can write down, marks them all. */
static const char class_mark;

static void push_metatable(lua_State *L, const us_provider *provider) {
  char name[64];
  snprintf(name, sizeof name, "usher.%s", provider->name);
  luaL_getmetatable(L, name);
}

static void new_class(lua_State *L, const us_provider *provider) {
  char name[64];
  snprintf(name, sizeof name, "usher.%s", provider->name);
  luaL_newmetatable(L, name);
  lua_pushlightuserdata(L, (void *)&class_mark);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pushcfunction(L, lus_client_close);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, client_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void lus_client_open(lua_State *L) {
  size_t i;
  lus_collected(L, "usher.construction", construction_gc);
  for (i = 0; i < us_provider_count; i++)
    new_class(L, us_providers[i]);
}

int lus_client_class(lua_State *L) {
  us_slice name;
  const us_provider *provider;
  size_t i;
  name.data = luaL_checklstring(L, 1, &name.length);
  provider = us_provider_find(name);
  if (provider == NULL) return luaL_error(L, "no such provider");
  push_metatable(L, provider);
  lua_createtable(L, (int)provider->method_count, 0);
  for (i = 0; i < provider->method_count; i++) {
    lua_pushstring(L, provider->methods[i].name);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 2;
}

static bool is_client(lua_State *L, int index) {
  bool found = false;
  if (lua_type(L, index) == LUA_TUSERDATA &&
      lus_raw_length(L, index) == sizeof(lus_client) &&
      lua_getmetatable(L, index)) {
    lua_pushlightuserdata(L, (void *)&class_mark);
    lua_rawget(L, -2);
    found = lua_toboolean(L, -1);
    lua_pop(L, 2);
  }
  return found;
}

static void refuse_self(lua_State *L, int index, int level) {
  luaL_where(L, level);
  lua_pushfstring(L,
                  "usher: a client is expected, not %s; call with ':', as in "
                  "client:method{...}",
                  luaL_typename(L, index));
  lua_concat(L, 2);
  lua_error(L);
}

lus_client *lus_client_check_any(lua_State *L, int index) {
  if (!is_client(L, index)) refuse_self(L, index, 2);
  return lua_touserdata(L, index);
}

lus_client *lus_client_check(lua_State *L, int index, const char *method,
                             int level) {
  lus_client *client = lua_touserdata(L, index);
  lus_place place = {NULL, method, level};
  if (!is_client(L, index)) refuse_self(L, index, level);
  place.provider = client->provider->name;
  if (client->core.provider == NULL)
    lus_raise(L, &place, "the client is closed");
  return client;
}

/* provider(client) -> its provider's name, also when it is closed */
int lus_client_provider(lua_State *L) {
  lua_pushstring(L, lus_client_check_any(L, 1)->provider->name);
  return 1;
}

int lus_client_environment(lua_State *L) {
  lus_client_check_any(L, 1);
  lus_get_environment(L, 1);
  return 1;
}

/* Looks through one alternative, "a+b", and steps over it. */
static const char *alternative(const us_provider *provider,
                               const us_value *values, const char *at,
                               const char *option, bool *contains,
                               bool *explicit) {
  *contains = *explicit = false;
  for (;;) {
    us_slice name = {at, strcspn(at, "+|")};
    int i = us_parameter_find(provider->options, provider->option_count, name);
    if (us_slice_is(name, option)) *contains = true;
    if (i >= 0 && values[i].kind != US_ABSENT) *explicit = true;
    at += name.length;
    if (*at != '+') return *at ? at + 1 : at;
    at++;
  }
}

/* True when a variable may fill the option: an explicit credential hides the
   variables of its alternatives. */
static bool may_fill(const us_provider *provider, const us_value *values,
                     const char *option) {
  const char *at = provider->credentials;
  bool listed = false, chosen = false;
  while (at != NULL && *at) {
    bool contains, explicit;
    at = alternative(provider, values, at, option, &contains, &explicit);
    if (contains && explicit) return true;
    listed = listed || contains;
    chosen = chosen || explicit;
  }
  return !listed || !chosen;
}

/* USHER_<PROVIDER>_<OPTION>, for options that the table leaves out. */
static const char *variable(const us_provider *provider, const char *option) {
  char name[128];
  const char *text;
  size_t i;
  snprintf(name, sizeof name, "USHER_%s_%s", provider->name, option);
  for (i = 0; name[i]; i++)
    name[i] = (char)toupper((unsigned char)name[i]);
  text = getenv(name);
  return text && *text ? text : NULL;
}

static void read_variables(const us_provider *provider, us_value *values) {
  const char *found[US_LIMIT_OPTIONS] = {NULL};
  size_t i;
  for (i = 0; i < provider->option_count; i++)
    if (values[i].kind == US_ABSENT &&
        may_fill(provider, values, provider->options[i].name))
      found[i] = variable(provider, provider->options[i].name);
  for (i = 0; i < provider->option_count; i++) {
    if (found[i] == NULL) continue;
    values[i].kind = US_TEXT;
    values[i].text = us_text(found[i]);
  }
}

/* A proxy's user and password, which messages about it may quote. */
static void keep_proxy_secret(lua_State *L, us_client *client) {
  const char *url, *at, *start, *colon; /* scheme://user:password@host */
  lus_raw_get(L, OPTIONS, "proxy");
  url = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  at = strrchr(url, '@');
  if (at != NULL) {
    us_slice user, word;
    start = strstr(url, "://");
    user.data = start != NULL && start < at ? start + 3 : url;
    user.length = (size_t)(at - user.data);
    us_secrets_add(&client->secrets, user);
    colon = memchr(user.data, ':', user.length);
    if (colon != NULL) {
      word.data = colon + 1;
      word.length = (size_t)(at - word.data);
      us_secrets_add(&client->secrets, word);
    }
  }
  lua_pop(L, 1);
}

static void check_names(lua_State *L, const us_provider *provider,
                        us_problems *problems) {
  const us_parameter *own = provider->options;
  lua_pushnil(L);
  while (lua_next(L, OPTIONS)) {
    us_slice name;
    const char *nearest;
    lua_pop(L, 1);
    if (!lus_key(L, -1, "option", &name, problems)) continue;
    if (us_parameter_find(own, provider->option_count, name) >= 0 ||
        us_parameter_find(lus_options, lus_option_count, name) >= 0)
      continue;
    nearest = us_nearest_parameter(own, provider->option_count, name);
    if (nearest == NULL)
      nearest = us_nearest_parameter(lus_options, lus_option_count, name);
    us_problem_unknown(problems, "option", name, nearest);
  }
}

static void copy_options(lua_State *L, const char *const *names, int to) {
  for (; *names != NULL; names++) {
    lus_raw_get(L, OPTIONS, *names);
    lua_setfield(L, to, *names);
  }
}

/* Pushes the table that goes with the client: functions for tests, what the
   Lua layer attaches, and the settings that a transport is made from. */
static void push_new_environment(lua_State *L) {
  static const char *const kept[] = {"on_event", "transport", "clock",
                                     "random",   "rate",      NULL};
  static const char *const settings[] = {
      "proxy",  "ca_file",         "client_cert", "client_key_file",
      "verify", "max_connections", NULL};
  lua_newtable(L);
  copy_options(L, kept, ENVIRONMENT);
  lua_newtable(L);
  copy_options(L, settings, ENVIRONMENT + 1);
  lua_setfield(L, ENVIRONMENT, "settings");
  lua_pushvalue(L, CLIENT);
  lua_setfield(L, ENVIRONMENT, "client");
}

/* Pushes a closed client and its environment. */
static lus_client *push_client(lua_State *L, const us_provider *provider) {
  lus_client *client = lua_newuserdata(L, sizeof *client);
  memset(client, 0, sizeof *client);
  client->provider = provider;
  push_metatable(L, provider);
  lua_setmetatable(L, CLIENT);
  push_new_environment(L);
  lua_pushvalue(L, ENVIRONMENT);
  lus_set_environment(L, CLIENT);
  return client;
}

/* Whoever stands between sees plain HTTP, also where it is for loopback. */
static void check_proxy(lua_State *L, const us_provider *provider,
                        const us_value *values, us_problems *problems) {
  static const char plain[] = "http://";
  int i = us_parameter_find(provider->options, provider->option_count,
                            us_text("base_url"));
  us_slice base = us_text("");
  if (i >= 0 && values[i].kind == US_TEXT) base = values[i].text;
  if (base.length < sizeof plain ||
      memcmp(base.data, plain, strlen(plain)) != 0)
    return;
  lus_raw_get(L, OPTIONS, "proxy");
  if (lua_type(L, -1) == LUA_TSTRING && lus_raw_length(L, -1) > 0)
    us_problem(problems, "proxy",
               "would see credentials in clear: base_url must be https "
               "(insecure_http = true allows it)",
               NULL);
  lua_pop(L, 1);
}

/* Checks all there is, and raises all that is wrong. */
static void check_options(lua_State *L, const us_provider *provider,
                          construction *made, const lus_place *place) {
  us_problems *problems = &made->problems;
  bool insecure = lus_flag(L, OPTIONS, "insecure_http", false);
  lus_arguments_read(L, OPTIONS, provider->options, provider->option_count,
                     made->values, ANCHOR, problems);
  read_variables(provider, made->values);
  check_names(L, provider, problems);
  us_client_check(provider, made->values, insecure, problems);
  if (!insecure) check_proxy(L, provider, made->values, problems);
  lus_options_check(L, OPTIONS, 0, problems);
  lus_headers_read(L, OPTIONS, &made->headers, problems);
  lus_limits_read(L, OPTIONS, &made->limits, problems);
  lus_connections_check(L, OPTIONS, problems);
  if (lua_isstring(L, PROBLEM))
    us_problem(problems, NULL, lua_tostring(L, PROBLEM), NULL);
  lus_problems_raise(L, problems, place);
}

static us_status open_client(lua_State *L, us_client *client,
                             const us_provider *provider,
                             const construction *made) {
  us_slice agent = {"", 0};
  us_status status;
  lus_raw_get(L, OPTIONS, "user_agent");
  if (lua_isstring(L, -1)) agent.data = lua_tolstring(L, -1, &agent.length);
  status = us_client_open(client, provider, made->values, agent);
  if (status == US_OK)
    status = us_buffer_set(&client->headers, US_LIMIT_HEADERS,
                           us_buffer_slice(&made->headers));
  if (status != US_OK) return status;
  client->limits = made->limits;
  keep_proxy_secret(L, client);
  return client->secrets.status;
}

/* client(provider, options [, level [, problem]]) -> client, environment
   `problem` is what the Lua layer found wrong with the options that it reads
   itself: it is listed with ours. */
int lus_client_new(lua_State *L) {
  us_slice name;
  lus_client *client;
  construction *made;
  lus_place place = {NULL, NULL, (int)luaL_optinteger(L, LEVEL, 1)};
  us_status status;
  name.data = luaL_checklstring(L, PROVIDER, &name.length);
  lua_settop(L, PROBLEM);
  if (us_provider_find(name) == NULL)
    return luaL_error(L, "usher has no provider '%s'", name.data);
  place.provider = us_provider_find(name)->name;
  if (lua_isnil(L, OPTIONS)) {
    lua_newtable(L);
    lua_replace(L, OPTIONS);
  }
  if (!lua_istable(L, OPTIONS))
    lus_raise(L, &place, "expects a table of options");
  client = push_client(L, us_provider_find(name));
  made = push_construction(L);
  lua_newtable(L);
  check_options(L, client->provider, made, &place);
  status = open_client(L, &client->core, client->provider, made);
  if (status == US_NO_MEMORY) lus_raise_memory(L);
  if (status != US_OK) lus_raise(L, &place, "an option is too large");
  us_buffer_free(&made->headers);
  lua_settop(L, ENVIRONMENT);
  return 2;
}
