/* module_request.c: a table of Lua, or a call of usher.core, into a request of
   the pool. */
#include <string.h>

#include "curl/module.h"

#define DEFAULT_TIMEOUT 30.0
#define DEFAULT_CONNECT_TIMEOUT 5.0
#define DEFAULT_RESPONSE_SIZE (8.0 * 1024 * 1024)

void lus_complain(lua_State *L, const char *field, const char *problem) {
  if (problem != NULL)
    luaL_argerror(L, LUS_REQUEST, lua_pushfstring(L, "%s %s", field, problem));
}

/* Pushes a field of the request; NULL when it is absent. */
static const char *push_text(lua_State *L, const char *field, size_t *length) {
  lua_getfield(L, LUS_REQUEST, field);
  if (lua_isnil(L, -1)) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING)
    lus_complain(L, field, "must be a string");
  return lua_tolstring(L, -1, length);
}

static const char *push_needed(lua_State *L, const char *field,
                               size_t *length) {
  const char *text = push_text(L, field, length);
  if (text == NULL) lus_complain(L, field, "is missing");
  return text;
}

static double read_number(lua_State *L, const char *field, double fallback) {
  double value = fallback;
  lua_getfield(L, LUS_REQUEST, field);
  if (!lua_isnil(L, -1)) {
    value = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || value != value)
      lus_complain(L, field, "must be a number");
  }
  lua_pop(L, 1);
  return value;
}

static void read_limits(lua_State *L, us_wire_request *request) {
  static const char size[] = "max_response_size";
  request->timeout_ms =
      us_milliseconds(read_number(L, "timeout", DEFAULT_TIMEOUT));
  request->connect_timeout_ms = us_milliseconds(
      read_number(L, "connect_timeout", DEFAULT_CONNECT_TIMEOUT));
  lus_complain(L, size,
               us_request_set_response_size(
                   request, read_number(L, size, DEFAULT_RESPONSE_SIZE)));
  lua_getfield(L, LUS_REQUEST, "idempotent");
  request->idempotent = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
}

static void push_headers(lua_State *L) {
  lua_getfield(L, LUS_REQUEST, "headers");
  if (lua_isnil(L, LUS_HEADERS)) {
    lua_newtable(L);
    lua_replace(L, LUS_HEADERS);
  } else if (!lua_istable(L, LUS_HEADERS)) {
    lus_complain(L, "headers", "must be a table");
  }
}

/* Leaves its texts on the stack as LUS_METHOD, LUS_URL, LUS_HEADERS and
   LUS_BODY. */
static void read_table(lua_State *L, us_wire_request *request) {
  size_t length = 0;
  const char *text = push_needed(L, "method", &length);
  lus_complain(L, "method", us_request_set_method(request, text, length));
  text = push_needed(L, "url", &length);
  lus_complain(L, "url", us_request_set_url(request, text, length));
  push_headers(L);
  request->body = push_text(L, "body", &request->body_length);
  read_limits(L, request);
}

/* Gives the transfer a header, unless libcurl writes it. */
static void add_header(lua_State *L, us_transfer *transfer, const char *name,
                       size_t name_length, const char *value,
                       size_t value_length) {
  lus_complain(L, name,
               us_header_problem(&transfer->request, name, name_length, value,
                                 value_length));
  if (transfer->line_count == US_REQUEST_HEADERS)
    lus_complain(L, "headers", "are too many");
  if (!us_header_is_framing(name) &&
      !us_transfer_add_header(transfer, name, value))
    luaL_error(L, "not enough memory");
}

/* Adds the header of the table whose name is at `index`. */
static void add_named(lua_State *L, us_transfer *transfer, int index) {
  size_t name_length, value_length;
  const char *name, *value;
  lua_pushvalue(L, index);
  lua_rawget(L, LUS_HEADERS);
  if (lua_type(L, -1) != LUA_TSTRING)
    lus_complain(L, "headers", "must be strings by name");
  name = lua_tolstring(L, index, &name_length);
  value = lua_tolstring(L, -1, &value_length);
  add_header(L, transfer, name, name_length, value, value_length);
  lua_pop(L, 1);
}

/* Where on the stack the names are, sorted: a request is the same bytes every
   time. They stay there, for a finalizer may change the table. */
static int list_names(lua_State *L, int *names) {
  int count = 0;
  if (!lua_checkstack(L, US_REQUEST_HEADERS + 8))
    luaL_error(L, "not enough memory");
  lua_pushnil(L);
  while (lua_next(L, LUS_HEADERS) != 0) {
    int i = count;
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      lus_complain(L, "headers", "must be strings by name");
    if (count++ == US_REQUEST_HEADERS)
      lus_complain(L, "headers", "are too many");
    for (; i > 0 &&
           strcmp(lua_tostring(L, -1), lua_tostring(L, names[i - 1])) < 0;
         i--)
      names[i] = names[i - 1];
    names[i] = lua_gettop(L);
    lua_pushvalue(L, -1);
  }
  return count;
}

static void add_table_headers(lua_State *L, us_transfer *transfer) {
  int names[US_REQUEST_HEADERS];
  int count = list_names(L, names), i;
  for (i = 0; i < count; i++)
    add_named(L, transfer, names[i]);
}

/* What usher.core has written is checked like anything else. */
static void read_attempt(lua_State *L, us_wire_request *request,
                         const lus_attempt *attempt) {
  lus_complain(
      L, "method",
      us_request_set_method(request, attempt->method, strlen(attempt->method)));
  lus_complain(L, "url",
               us_request_set_url(request, attempt->url, attempt->url_length));
  lus_complain(
      L, "max_response_size",
      us_request_set_response_size(request, attempt->max_response_size));
  request->body = attempt->body;
  request->body_length = attempt->body_length;
  request->timeout_ms = us_milliseconds(attempt->timeout);
  request->connect_timeout_ms = us_milliseconds(attempt->connect_timeout);
  request->idempotent = attempt->idempotent;
}

/* Of each a flag, the name, a NUL, the value and a NUL. */
static void add_packed_headers(lua_State *L, us_transfer *transfer,
                               const lus_attempt *attempt) {
  const char *at = attempt->headers, *end = at + attempt->headers_length;
  while (at < end) {
    const char *name = at + 1;
    size_t name_length = strlen(name);
    const char *value = name + name_length + 1;
    size_t value_length = strlen(value);
    add_header(L, transfer, name, name_length, value, value_length);
    at = value + value_length + 1;
  }
}

void lus_request_read(lua_State *L, us_transfer *transfer) {
  const lus_attempt *attempt = lus_exchange_test(
      L, LUS_REQUEST, LUS_ATTEMPT, sizeof *attempt, LUS_ATTEMPT_MARK);
  if (attempt != NULL) {
    read_attempt(L, &transfer->request, attempt);
    add_packed_headers(L, transfer, attempt);
  } else {
    luaL_checktype(L, LUS_REQUEST, LUA_TTABLE);
    read_table(L, &transfer->request);
    add_table_headers(L, transfer);
  }
  if (!us_transfer_close_request(transfer)) luaL_error(L, "not enough memory");
}
