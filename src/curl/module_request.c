/* module_request.c: the request table of Lua into a request of the pool. */
#include <string.h>

#include "curl/module.h"
#include "curl/wipe.h"

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

bool lus_is_sealed(lua_State *L, int index) {
  bool sealed = false;
  if (lua_type(L, index) == LUA_TUSERDATA && lua_getmetatable(L, index)) {
    luaL_getmetatable(L, LUS_SEALED);
    sealed = lua_istable(L, -1) && lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  return sealed;
}

void lus_wipe_sealed(lua_State *L, int index) {
  if (lus_is_sealed(L, index))
    us_wipe_bytes(lua_touserdata(L, index), lus_raw_length(L, index));
}

static void push_headers(lua_State *L) {
  lua_getfield(L, LUS_REQUEST, "headers");
  if (lua_isnil(L, LUS_HEADERS)) {
    lua_newtable(L);
    lua_replace(L, LUS_HEADERS);
  } else if (!lua_istable(L, LUS_HEADERS) && !lus_is_sealed(L, LUS_HEADERS)) {
    lus_complain(L, "headers", "must be a table");
  }
}

static void push_body(lua_State *L, us_wire_request *request) {
  request->body_length = 0;
  lua_getfield(L, LUS_REQUEST, "body");
  if (lus_is_sealed(L, LUS_BODY)) {
    request->body = lua_touserdata(L, LUS_BODY);
    request->body_length = lus_raw_length(L, LUS_BODY) - 1;
  } else {
    lua_pop(L, 1);
    request->body = push_text(L, "body", &request->body_length);
  }
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
  push_headers(L);
  push_body(L, request);
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
static int insert(lua_State *L, const char **names, int count,
                  const char *name) {
  int i = count;
  if (count == LUS_REQUEST_HEADERS) lus_complain(L, "headers", "are too many");
  for (; i > 0 && strcmp(names[i - 1], name) > 0; i--)
    names[i] = names[i - 1];
  names[i] = name;
  return count + 1;
}

static const char *behind(const char *text) {
  return text + strlen(text) + 1;
}

/* Of each a flag, the name, a NUL, the value and a NUL. */
static int list_sealed(lua_State *L, const us_wire_request *request,
                       const char **names) {
  const char *at = lua_touserdata(L, LUS_HEADERS);
  int count = 0;
  while (*at != '\0') {
    const char *name = at + 1, *value = behind(name);
    lus_complain(
        L, name,
        us_header_problem(request, name, strlen(name), value, strlen(value)));
    count = insert(L, names, count, name);
    at = behind(value);
  }
  return count;
}

int lus_headers_list(lua_State *L, const us_wire_request *request,
                     const char **names) {
  int count = 0;
  if (lus_is_sealed(L, LUS_HEADERS)) return list_sealed(L, request, names);
  lua_pushnil(L);
  while (lua_next(L, LUS_HEADERS) != 0) {
    count = insert(L, names, count, check_header(L, request));
    lua_pop(L, 1);
  }
  return count;
}

/* Pushes the name and the value. They are checked again: a finalizer may have
   changed the table meanwhile. */
static const char *push_header(lua_State *L, const us_wire_request *request,
                               const char *name) {
  lua_pushstring(L, name);
  lua_pushvalue(L, -1);
  lua_rawget(L, LUS_HEADERS);
  (void)check_header(L, request);
  return lua_tostring(L, -1);
}

static bool fill_header(lua_State *L, us_transfer *transfer, const char *name,
                        bool sealed) {
  bool added;
  if (us_header_is_framing(name)) return true;
  if (sealed) return us_transfer_add_header(transfer, name, behind(name));
  added = us_transfer_add_header(transfer, name,
                                 push_header(L, &transfer->request, name));
  lua_pop(L, 2);
  return added;
}

/* The list is the transfer's from its first line on. */
void lus_headers_fill(lua_State *L, us_transfer *transfer, const char **names,
                      int count) {
  bool sealed = lus_is_sealed(L, LUS_HEADERS), complete = true;
  int i;
  for (i = 0; i < count && complete; i++)
    complete = fill_header(L, transfer, names[i], sealed);
  if (!complete || !us_transfer_close_headers(transfer))
    luaL_error(L, "not enough memory");
  lus_wipe_sealed(L, LUS_HEADERS);
}
