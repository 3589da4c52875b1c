/* call.c: calls as userdata: next, defer and abort. It feeds the state machine
   of core/call.h and decides nothing itself. */
#include "lua/binding.h"

static lus_call *self_of(lua_State *L) {
  return lus_check_self(L, LUS_ATTEMPT, sizeof(lus_call));
}

static int call_gc(lua_State *L) {
  lus_call *call = self_of(L);
  call->attempt.exchange.mark = 0;
  us_call_free(&call->core);
  us_problems_free(&call->problems);
  us_json_reader_free(&call->reader);
  return 0;
}

static void fill_attempt(lus_call *call) {
  const us_call *core = &call->core;
  const us_request *request = us_call_request(core);
  lus_attempt *attempt = &call->attempt;
  attempt->method = request->verb;
  attempt->url = request->url.data;
  attempt->url_length = request->url.length;
  attempt->headers = request->headers.data;
  attempt->headers_length = request->headers.length;
  attempt->body =
      request->has_body ? us_buffer_slice(&request->body).data : NULL;
  attempt->body_length = request->body.length;
  attempt->timeout = core->attempt_timeout;
  attempt->connect_timeout = core->limits.connect_timeout;
  attempt->max_response_size = (double)core->limits.max_response_size;
  attempt->idempotent = (us_call_current(core)->flags & US_IDEMPOTENT) != 0;
}

/* Sets what an event says of an attempt in the table at the top. */
static void set_origin(lua_State *L, const lus_call *call) {
  lua_pushstring(L, call->provider->name);
  lua_setfield(L, -2, "provider");
  lua_pushstring(L, us_call_current(&call->core)->name);
  lua_setfield(L, -2, "operation");
  lua_pushinteger(L, call->core.tries);
  lua_setfield(L, -2, "attempt");
}

static void push_request(lua_State *L, const lus_call *call) {
  const lus_attempt *attempt = &call->attempt;
  lus_request_push(L, us_call_request(&call->core));
  lua_pushnumber(L, attempt->timeout);
  lua_setfield(L, -2, "timeout");
  lua_pushnumber(L, attempt->connect_timeout);
  lua_setfield(L, -2, "connect_timeout");
  lua_pushnumber(L, attempt->max_response_size);
  lua_setfield(L, -2, "max_response_size");
  lua_pushboolean(L, attempt->idempotent);
  lua_setfield(L, -2, "idempotent");
  set_origin(L, call);
}

/* Whether the transport of the environment at `index` reads the call itself. */
static bool is_in_c(lua_State *L, int index) {
  bool found;
  lua_getfield(L, index, "exchange");
  found = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return found;
}

/* The call is at 1. */
static int push_send(lua_State *L, lus_call *call) {
  fill_attempt(call);
  lus_get_environment(L, 1);
  lua_pushliteral(L, "send");
  if (is_in_c(L, lua_gettop(L) - 1)) {
    call->attempt.exchange.mark = LUS_ATTEMPT_MARK; /* for usher.curl */
    lua_pushvalue(L, 1);
  } else {
    push_request(L, call);
  }
  return 2;
}

/* "done", result, response. The call is at 1, what the transport returned
   behind it, the decoded answer at the top. */
static int push_done(lua_State *L, const lus_call *call, us_moment now) {
  lua_pushliteral(L, "done");
  lua_insert(L, -2);
  lus_response_push(L, call->core.attempts, now.monotonic - call->core.started);
  return 3;
}

static int push_action(lua_State *L, lus_call *call, us_action action,
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

/* The call at 1, whose request is not to be read any more: it may change. */
static lus_call *check_call(lua_State *L) {
  lus_call *call = self_of(L);
  call->attempt.exchange.mark = 0;
  return call;
}

/* call:next() | call:next(status, headers, body) | call:next(answer)
   | call:next(nil, kind, message, sent)
   -> "send", request | "sleep", seconds [, err] | "done", result, response
      | "fail", err. A sleep with an error is before a retry. Where the transport
   is in C the request is the call itself, and it returns an answer. */
static int call_next(lua_State *L) {
  lus_call *call = check_call(L);
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
  lus_call *call = check_call(L);
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
  lus_call *call = check_call(L);
  us_slice kind, message;
  kind.data = luaL_checklstring(L, 2, &kind.length);
  message.data = luaL_optlstring(L, 3, "", &message.length);
  us_call_abort(&call->core, us_kind_find(kind, US_KIND_CANCELLED), message);
  lua_pushliteral(L, "fail");
  lus_error_push(L, &call->core, call->provider->name);
  return 2;
}

/* call:describe() -> { method, url, provider, operation, attempt } of the request
   to be sent now, without its headers and its body */
static int call_describe(lua_State *L) {
  const lus_call *call = self_of(L);
  const us_request *request = us_call_request(&call->core);
  us_slice url = us_buffer_slice(&request->url);
  lua_createtable(L, 0, 5);
  lua_pushstring(L, request->verb);
  lua_setfield(L, -2, "method");
  lua_pushlstring(L, url.data, url.length);
  lua_setfield(L, -2, "url");
  set_origin(L, call);
  return 1;
}

void lus_call_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"abort", call_abort},
                                     {"defer", call_defer},
                                     {"describe", call_describe},
                                     {"next", call_next},
                                     {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", call_gc}, {NULL, NULL}};
  luaL_newmetatable(L, LUS_ATTEMPT);
  lus_register(L, LUS_ATTEMPT, metamethods);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_newtable(L);
  lus_register(L, LUS_ATTEMPT, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
