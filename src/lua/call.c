/* call.c: calls as userdata: begin, next, and the dry runs. It feeds the state
   machine of core/call.h and decides nothing itself. */
#include <string.h>

#include "lua/binding.h"

typedef struct {
  us_call core;
  const us_provider *provider;
  us_problems problems;
  us_json_reader reader;
  lus_shape *shape; /* of the client, which lives as long */
} lus_call;

/* What a caller gave: needed until the request is built. */
typedef struct {
  us_value values[US_LIMIT_PARAMETERS];
  us_value overrides[US_LIMIT_OPTIONS];
} lus_given;

static const char metatable[] = "usher.call";

static int call_gc(lua_State *L) {
  lus_call *call = lus_check_userdata(L, 1, metatable, sizeof *call);
  us_call_free(&call->core);
  us_problems_free(&call->problems);
  us_json_reader_free(&call->reader);
  return 0;
}

/* The stack of begin, request and curl. */
enum { CLIENT = 1, METHOD, ARGUMENTS, OPTIONS, CALL, ANCHOR, ENVIRONMENT };

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
  for (i = 0; i < provider->option_count; i++) {
    const us_parameter *option = &provider->options[i];
    us_value value;
    if (!(option->flags & US_PER_CALL)) continue;
    lus_arguments_read(L, OPTIONS, option, 1, &given->overrides[i], ANCHOR,
                       &call->problems);
    if (us_parameter_find(method->parameters, method->count,
                          us_text(option->name)) >= 0)
      continue;
    lus_arguments_read(L, ARGUMENTS, option, 1, &value, ANCHOR,
                       &call->problems);
    if (value.kind != US_ABSENT) given->overrides[i] = value;
  }
}

/* NULL when nothing is overridden, as in nearly every call. */
static const us_value *overrides_of(const lus_given *given) {
  size_t i;
  for (i = 0; i < US_LIMIT_OPTIONS; i++)
    if (given->overrides[i].kind != US_ABSENT) return given->overrides;
  return NULL;
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
  luaL_getmetatable(L, metatable);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  lus_get_environment(L, CLIENT);
  lua_pushvalue(L, -1);
  lus_set_environment(L, CALL); /* it holds the client: both live */
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
  us_request_check(&client->core, method, given->values, overrides_of(given),
                   problems);
  lus_problems_raise(L, problems, place);
}

/* Leaves the stack at ENVIRONMENT: the values point into what the anchor
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
                         overrides_of(given), &limits, *now);
  if (status == US_NO_MEMORY) lus_raise_memory(L);
  if (status != US_OK) lus_raise(L, &place, "the request is too large");
  return call;
}

/* begin(client, method, arguments, options) -> call, whether it may fetch a
   token. Called by the methods, so the user's line is two up. */
int lus_call_begin(lua_State *L) {
  lus_given given = {0};
  us_moment now;
  const lus_call *call = begin(L, 2, false, &given, &now);
  lua_settop(L, CALL);
  lua_pushboolean(L, us_call_may_fetch(&call->core));
  return 2;
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
  lus_given given = {0};
  lus_call *call = preview(L, false, &given);
  lus_request_push(L, &call->core.request, false);
  return 1;
}

/* curl(client, method, arguments, options) -> a command line. */
int lus_call_curl(lua_State *L) {
  lus_given given = {0};
  lus_call *call = preview(L, true, &given);
  lus_command_push(L, &call->core.request, call->core.method, given.values);
  return 1;
}

/* Whether the transport of the environment at `index` reads what is sealed. */
static bool takes_sealed(lua_State *L, int index) {
  bool sealed;
  lua_getfield(L, index, "sealed");
  sealed = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return sealed;
}

/* The call is at 1. */
static int push_send(lua_State *L, const lus_call *call) {
  const us_call *core = &call->core;
  const us_method *method = us_call_current(core);
  bool sealed;
  lus_get_environment(L, 1);
  sealed = takes_sealed(L, lua_gettop(L));
  lua_pushliteral(L, "send");
  lus_request_push(L, us_call_request(core), sealed);
  lua_pushnumber(L, core->attempt_timeout);
  lua_setfield(L, -2, "timeout");
  lua_pushnumber(L, core->limits.connect_timeout);
  lua_setfield(L, -2, "connect_timeout");
  lua_pushnumber(L, (lua_Number)core->limits.max_response_size);
  lua_setfield(L, -2, "max_response_size");
  lua_pushboolean(L, (method->flags & US_IDEMPOTENT) != 0);
  lua_setfield(L, -2, "idempotent");
  lua_pushstring(L, call->provider->name);
  lua_setfield(L, -2, "provider");
  lua_pushstring(L, method->name);
  lua_setfield(L, -2, "operation");
  lua_pushinteger(L, core->tries);
  lua_setfield(L, -2, "attempt");
  return 2;
}

/* "done", result, { status, headers, attempts, elapsed } */
static int push_done(lua_State *L, const lus_call *call, us_moment now) {
  lua_pushliteral(L, "done");
  lua_insert(L, -2); /* below the decoded answer */
  lua_createtable(L, 0, 4);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "status");
  lua_pushvalue(L, 3);
  lua_setfield(L, -2, "headers");
  lua_pushinteger(L, call->core.attempts);
  lua_setfield(L, -2, "attempts");
  lua_pushnumber(L, now.monotonic - call->core.started);
  lua_setfield(L, -2, "elapsed");
  return 3;
}

static int push_action(lua_State *L, const lus_call *call, us_action action,
                       us_moment now) {
  switch (action) {
  case US_SEND: return push_send(L, call);
  case US_DONE: return push_done(L, call, now);
  case US_SLEEP:
    lua_pushliteral(L, "sleep");
    lua_pushnumber(L, call->core.wait);
    if (!call->core.retrying) return 2;
    lus_error_push(L, &call->core, call->provider->name);
    return 3;
  case US_FAIL:
    lua_pushliteral(L, "fail");
    lus_error_push(L, &call->core, call->provider->name);
    return 2;
  }
  return 0;
}

/* call:next() | call:next(status, headers, body)
   | call:next(nil, kind, message, sent)
   -> "send", request | "sleep", seconds [, err] | "done", result, response
      | "fail", err. A sleep with an error is before a retry. */
static int call_next(lua_State *L) {
  lus_call *call = lus_check_userdata(L, 1, metatable, sizeof *call);
  bool told = lua_gettop(L) > 1;
  us_reply reply = {0};
  lus_document value = {L, 0};
  us_document document = {lus_document_find, &value};
  us_action action;
  us_moment now;
  lua_settop(L, 5);
  lus_get_environment(L, 1);
  now = lus_moment(L, 6);
  if (told)
    lus_reply_read(L, call->provider, &call->reader, call->shape, &reply,
                   &document);
  value.index = lua_gettop(L);
  if (us_call_next(&call->core, told ? &reply : NULL, now, &action) != US_OK)
    return luaL_error(L, "usher: this call does not expect that now");
  return push_action(L, call, action, now);
}

/* call:defer(seconds): a rate limit wants the request that next() returned
   sent later. -> "sleep", seconds | "fail", err */
static int call_defer(lua_State *L) {
  lus_call *call = lus_check_userdata(L, 1, metatable, sizeof *call);
  double wait = luaL_checknumber(L, 2);
  us_action action;
  us_moment now;
  lua_settop(L, 2);
  lus_get_environment(L, 1);
  now = lus_moment(L, 3);
  if (us_call_defer(&call->core, wait, now, &action) != US_OK)
    return luaL_error(L, "usher: this call has nothing to defer");
  return push_action(L, call, action, now);
}

/* call:abort(kind, message): the transport cannot wait, or has raised; this
   call goes no further. -> "fail", err */
static int call_abort(lua_State *L) {
  lus_call *call = lus_check_userdata(L, 1, metatable, sizeof *call);
  us_slice kind, message;
  kind.data = luaL_checklstring(L, 2, &kind.length);
  message.data = luaL_optlstring(L, 3, "", &message.length);
  us_call_abort(&call->core, us_kind_find(kind, US_KIND_CANCELLED), message);
  lua_pushliteral(L, "fail");
  lus_error_push(L, &call->core, call->provider->name);
  return 2;
}

void lus_call_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"abort", call_abort},
                                     {"defer", call_defer},
                                     {"next", call_next},
                                     {NULL, NULL}};
  luaL_newmetatable(L, metatable);
  lua_pushcfunction(L, call_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  lus_register(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
