/* begin.c: begins calls: checks the method's name, the arguments and the
   options, and builds the request. The dry runs end there. */
#include <string.h>

#include "lua/binding.h"

/* What a caller gave: needed until the request is built. */
typedef struct {
  us_value values[US_LIMIT_PARAMETERS];
  us_value options[US_LIMIT_OPTIONS];
  const us_value *overrides; /* the options; NULL when none is given */
} lus_given;

/* The stack of begin, request and curl. */
enum { CLIENT = 1, METHOD, ARGUMENTS, OPTIONS, CALL, ENVIRONMENT, ANCHOR };

/* A name that is neither an argument of the row nor an option of the client
   that a call may override. */
static void check_name(lua_State *L, const us_provider *provider,
                       const us_method *method, us_problems *problems) {
  us_slice name;
  int option;
  if (!lus_key(L, -1, "argument", &name, problems)) return;
  if (us_parameter_find(method->parameters, method->count, name) >= 0) return;
  option = us_parameter_find(provider->options, provider->option_count, name);
  if (option >= 0 && (provider->options[option].flags & US_PER_CALL)) return;
  us_problem_unknown(
      problems, "argument", name,
      us_nearest_parameter(method->parameters, method->count, name));
}

static void check_names(lua_State *L, const us_provider *provider,
                        const us_method *method, us_problems *problems) {
  if (lua_isnil(L, ARGUMENTS)) return;
  lua_pushnil(L);
  while (lua_next(L, ARGUMENTS)) {
    lua_pop(L, 1);
    check_name(L, provider, method, problems);
  }
}

/* Whether `name` is one of the rows that a call may set; else *best is the
   nearest of them. */
static bool is_call_option(const us_parameter *rows, size_t count,
                           us_slice name, const char **best, size_t *distance) {
  size_t i;
  for (i = 0; i < count; i++) {
    if (!(rows[i].flags & US_PER_CALL)) continue;
    if (us_slice_is(name, rows[i].name)) return true;
    us_nearest(name, rows[i].name, best, distance);
  }
  return false;
}

static void check_option_names(lua_State *L, const us_provider *provider,
                               us_problems *problems) {
  lua_pushnil(L);
  while (lua_next(L, OPTIONS)) {
    us_slice name;
    const char *nearest = NULL;
    size_t distance = 0;
    lua_pop(L, 1);
    if (!lus_key(L, -1, "option of a call", &name, problems)) continue;
    if (is_call_option(provider->options, provider->option_count, name,
                       &nearest, &distance) ||
        is_call_option(lus_options, lus_option_count, name, &nearest,
                       &distance))
      continue;
    us_problem_unknown(problems, "option of a call", name, nearest);
  }
}

/* Options of the client that this call overrides: among the options, or among
   the arguments where the row does not claim the name for itself. */
static void read_overrides(lua_State *L, lus_call *call, lus_given *given,
                           const us_method *method) {
  const us_provider *provider = call->provider;
  size_t i;
  given->overrides = NULL;
  for (i = 0; i < provider->option_count; i++) {
    const us_parameter *option = &provider->options[i];
    us_value *value = &given->options[i], argument;
    value->kind = US_ABSENT;
    if (!(option->flags & US_PER_CALL)) continue;
    lus_arguments_read(L, OPTIONS, option, 1, value, ANCHOR, &call->problems);
    if (us_parameter_find(method->parameters, method->count,
                          us_text(option->name)) < 0) {
      lus_arguments_read(L, ARGUMENTS, option, 1, &argument, ANCHOR,
                         &call->problems);
      if (argument.kind != US_ABSENT) *value = argument;
    }
    if (value->kind != US_ABSENT) given->overrides = given->options;
  }
}

static const us_method *method_of(lua_State *L, const us_provider *provider,
                                  lus_place *place) {
  us_slice name;
  const us_method *method;
  if (lua_type(L, METHOD) != LUA_TSTRING) {
    lua_pushfstring(L, "the method's name must be a string, not %s",
                    luaL_typename(L, METHOD));
    lus_raise(L, place, lua_tostring(L, -1));
  }
  name.data = lua_tolstring(L, METHOD, &name.length);
  method = us_method_find(provider, name);
  if (method == NULL) {
    const char *nearest = us_nearest_method(provider, name);
    lua_pushlstring(L, name.data, name.length > 64 ? 64 : name.length);
    lua_pushfstring(L, "no method '%s%s'", lua_tostring(L, -1),
                    name.length > 64 ? "..." : "");
    lua_remove(L, -2);
    if (nearest != NULL)
      lua_pushfstring(L, "; did you mean '%s'?", nearest);
    else
      lua_pushliteral(L, "");
    lua_concat(L, 2);
    lus_raise(L, place, lua_tostring(L, -1));
  }
  place->method = method->name;
  return method;
}

static void check_table(lua_State *L, int index, const char *what,
                        const lus_place *place) {
  if (lua_isnoneornil(L, index) || lua_istable(L, index)) return;
  lua_pushfstring(L, "%s must be a table, not %s", what,
                  luaL_typename(L, index));
  lus_raise(L, place, lua_tostring(L, -1));
}

static lus_call *push_call(lua_State *L, lus_client *client,
                           const us_method *method) {
  ptrdiff_t number = method - client->provider->methods;
  lus_call *call = lua_newuserdata(L, sizeof *call);
  memset(call, 0, sizeof *call);
  call->provider = client->provider;
  call->shape = &client->shapes[number % LUS_SHAPES];
  us_problems_reset(&call->problems);
  luaL_getmetatable(L, LUS_ATTEMPT);
  lua_setmetatable(L, -2);
  lus_get_environment(L, CLIENT);
  lua_pushvalue(L, -1);
  lus_set_environment(L, CALL); /* it holds the client: both live */
  lua_newtable(L);
  return call;
}

static void mask(const us_method *method, us_value *values) {
  size_t i;
  for (i = 0; i < method->count; i++) {
    if (!(method->parameters[i].flags & US_SECRET)) continue;
    if (values[i].kind == US_TEXT) values[i].text = us_text("***");
    if (values[i].kind == US_JSON) values[i].text = us_text("\"***\"");
  }
}

/* Reads and checks arguments and options, and raises all problems together. */
static void read_call(lua_State *L, lus_client *client, lus_call *call,
                      lus_given *given, const us_method *method,
                      us_limits *limits, const lus_place *place) {
  us_problems *problems = &call->problems;
  lus_arguments_read(L, ARGUMENTS, method->parameters, method->count,
                     given->values, ANCHOR, problems);
  check_names(L, client->provider, method, problems);
  read_overrides(L, call, given, method);
  if (lua_istable(L, OPTIONS)) {
    check_option_names(L, client->provider, problems);
    lus_options_check(L, OPTIONS, US_PER_CALL, problems);
    lus_limits_read(L, OPTIONS, limits, problems);
  }
  lus_client_check(L, CLIENT, method->name, place->level); /* still open? */
  us_request_check(&client->core, method, given->values, given->overrides,
                   problems);
  lus_problems_raise(L, problems, place);
}

/* Leaves the stack at ANCHOR: the values point into what the anchor
   keeps. Any Lua that runs on the way, be it the clock or a finalizer, may
   close the client or change the arguments: so the clock comes first, and
   between the last look at the client and its use there is no Lua. */
static lus_call *begin(lua_State *L, int level, bool masked, lus_given *given,
                       us_moment *now) {
  const char *name = lua_isstring(L, METHOD) ? lua_tostring(L, METHOD) : NULL;
  lus_client *client = lus_client_check(L, CLIENT, name, level);
  lus_place place = {client->provider->name, NULL, level};
  const us_method *method = method_of(L, client->provider, &place);
  us_limits limits = client->core.limits;
  lus_call *call;
  us_status status;
  lua_settop(L, OPTIONS);
  check_table(L, ARGUMENTS, "the arguments", &place);
  check_table(L, OPTIONS, "the options of a call", &place);
  call = push_call(L, client, method);
  *now = lus_moment(L, ENVIRONMENT);
  read_call(L, client, call, given, method, &limits, &place);
  if (masked) mask(method, given->values);
  status = us_call_begin(&call->core, &client->core, method, given->values,
                         given->overrides, &limits, *now);
  if (status == US_NO_MEMORY) lus_raise_memory(L);
  if (status != US_OK) lus_raise(L, &place, "the request is too large");
  return call;
}

/* begin(client, method, arguments, options) -> call, the client's environment,
   whether it may fetch a token. Called by the methods, so the user's line is two
   up. */
int lus_call_begin(lua_State *L) {
  lus_given given;
  us_moment now;
  const lus_call *call = begin(L, 2, false, &given, &now);
  lua_settop(L, ENVIRONMENT);
  lua_pushboolean(L, us_call_may_fetch(&call->core));
  return 3;
}

static lus_call *preview(lua_State *L, bool masked, lus_given *given) {
  us_moment now;
  lus_call *call = begin(L, 2, masked, given, &now);
  us_status status = us_call_preview(&call->core, now);
  if (status == US_NO_MEMORY) lus_raise_memory(L);
  if (status != US_OK) luaL_error(L, "the request cannot be signed");
  return call;
}

/* request(client, method, arguments, options) -> the exact request. */
int lus_call_request(lua_State *L) {
  lus_given given;
  lus_call *call = preview(L, false, &given);
  lus_request_push(L, &call->core.request);
  return 1;
}

/* curl(client, method, arguments, options) -> a command line. */
int lus_call_curl(lua_State *L) {
  lus_given given;
  lus_call *call = preview(L, true, &given);
  lus_command_push(L, &call->core.request, call->core.method, given.values);
  return 1;
}
