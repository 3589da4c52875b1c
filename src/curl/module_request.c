/* module_request.c: the request table of Lua into a request of the pool. */
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

/* Leaves the texts on the stack as LUS_METHOD, LUS_URL, LUS_HEADERS and LUS_BODY. */
void lus_request_read(lua_State *L, us_wire_request *request) {
  size_t length = 0;
  const char *text;
  luaL_checktype(L, LUS_REQUEST, LUA_TTABLE);
  lua_settop(L, LUS_REQUEST);
  text = push_needed(L, "method", &length);
  lus_complain(L, "method", us_request_set_method(request, text, length));
  text = push_needed(L, "url", &length);
  lus_complain(L, "url", us_request_set_url(request, text, length));
  lua_getfield(L, LUS_REQUEST, "headers");
  if (lua_isnil(L, LUS_HEADERS)) {
    lua_newtable(L);
    lua_replace(L, LUS_HEADERS);
  } else if (!lua_istable(L, LUS_HEADERS)) {
    lus_complain(L, "headers", "must be a table");
  }
  request->body_length = 0;
  request->body = push_text(L, "body", &request->body_length);
  read_limits(L, request);
}

/* The name and the value of a header are at the top of the stack. */
static const char *check_header(lua_State *L, const us_wire_request *request) {
  size_t name_length = 0, value_length = 0;
  const char *name, *value;
  if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
    lus_complain(L, "headers", "must be strings by name");
  name = lua_tolstring(L, -2, &name_length);
  value = lua_tolstring(L, -1, &value_length);
  lus_complain(
      L, name,
      us_header_problem(request, name, name_length, value, value_length));
  return name;
}

/* Sorted by name: a request is the same bytes every time. */
int lus_headers_list(lua_State *L, const us_wire_request *request,
                     const char **names) {
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, LUS_HEADERS) != 0) {
    const char *name = check_header(L, request);
    int i = count;
    if (count == LUS_REQUEST_HEADERS)
      lus_complain(L, "headers", "are too many");
    for (; i > 0 && strcmp(names[i - 1], name) > 0; i--)
      names[i] = names[i - 1];
    names[i] = name;
    count++;
    lua_pop(L, 1);
  }
  return count;
}

/* The list is the transfer's from its first line on. */
void lus_headers_fill(lua_State *L, us_transfer *transfer, const char **names,
                      int count) {
  bool complete = true;
  int i;
  for (i = 0; i < count && complete; i++) {
    if (us_header_is_framing(names[i])) continue;
    lua_pushstring(L, names[i]);
    lua_rawget(L, LUS_HEADERS);
    complete = us_transfer_add_header(transfer, names[i], lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  if (!complete || !us_transfer_close_headers(transfer))
    luaL_error(L, "not enough memory");
}
