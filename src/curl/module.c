/* module.c: usher.curl, the Lua face of the pool and its transfers. The only
   file of this directory that includes Lua; all it adds is the checking of
   arguments and who keeps whom alive:

     pool      its environment: { transfers by slot (weak), setting texts }
     transfer  its environment: { its pool, the request body }

   Misuse raises. What happens in the world is a result. */
#include <limits.h>
#include <string.h>

#include "curl/multi.h"
#include "lua/compat.h"

#define POOL "usher.curl.pool"
#define TRANSFER "usher.curl.transfer"

#define DEFAULT_TIMEOUT_MS 30000L
#define DEFAULT_CONNECT_TIMEOUT_MS 5000L
#define DEFAULT_RESPONSE_SIZE ((size_t)8 << 20)
enum { REQUEST_HEADERS = 64 };

typedef struct {
  us_transfer transfer;
  int slot; /* in its pool's table, 0: none */
  bool taken;
} lus_transfer;

/* The stack of `start`. */
enum { SELF = 1, REQUEST, METHOD, URL, HEADERS, BODY, RESULT };

static us_pool *to_pool(lua_State *L) {
  return luaL_checkudata(L, SELF, POOL);
}

static us_pool *check_pool(lua_State *L) {
  us_pool *pool = to_pool(L);
  if (!us_pool_is_open(pool))
    luaL_error(L, "the pool is closed");
  if (!us_pool_is_ours(pool))
    luaL_error(L, "the pool belongs to the process that opened it: open "
                  "another one after a fork");
  return pool;
}

static lus_transfer *to_transfer(lua_State *L) {
  return luaL_checkudata(L, SELF, TRANSFER);
}

static int complain(lua_State *L, const char *field, const char *problem) {
  return luaL_argerror(L, REQUEST,
                       lua_pushfstring(L, "%s: %s", field, problem));
}

/* Pushes a field; NULL when it is absent. Text that libcurl will measure with
   strlen must not hold a NUL. */
static const char *push_text(lua_State *L, const char *field, size_t *length) {
  const char *text = NULL;
  lua_getfield(L, REQUEST, field);
  if (lua_type(L, -1) == LUA_TSTRING)
    text = lua_tolstring(L, -1, length);
  else if (!lua_isnil(L, -1))
    complain(L, field, "must be a string");
  return text;
}

static bool has_only(const char *text, size_t length, const char *allowed) {
  return strlen(text) == length && strspn(text, allowed) == length;
}

static bool has_controls(const char *text, size_t length, unsigned char last) {
  size_t i;
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] <= last || text[i] == 0x7f)
      return true;
  return false;
}

static void read_method(lua_State *L, us_request *request) {
  size_t length = 0;
  request->method = push_text(L, "method", &length);
  if (request->method == NULL || length == 0 || length > 16 ||
      !has_only(request->method, length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    complain(L, "method", "must be a verb in capitals");
}

/* scheme "://" authority [ path ] [ "?" query ], cut before the path. */
static void read_url(lua_State *L, us_request *request) {
  size_t length = 0;
  const char *url = push_text(L, "url", &length);
  size_t start = 0;
  if (url != NULL && strncmp(url, "http://", 7) == 0)
    start = 7;
  else if (url != NULL && strncmp(url, "https://", 8) == 0)
    start = 8;
  else
    complain(L, "url", "must begin with https:// or http://");
  if (has_controls(url, length, ' '))
    complain(L, "url", "must hold no spaces and no control characters");
  if (strchr(url, '#') != NULL)
    complain(L, "url", "must have no fragment");
  request->url = url;
  request->origin_length = start + strcspn(url + start, "/?");
  if (memchr(url + start, '@', request->origin_length - start) != NULL)
    complain(L, "url", "must hold no credentials");
  request->target = url + request->origin_length;
  if (request->target[0] != '/') {
    request->target = lua_pushfstring(L, "/%s", request->target);
    lua_replace(L, URL); /* the URL itself stays in the request */
  }
}

static double read_number(lua_State *L, const char *field, double fallback) {
  double value = fallback;
  lua_getfield(L, REQUEST, field);
  if (lua_type(L, -1) == LUA_TNUMBER)
    value = lua_tonumber(L, -1);
  else if (!lua_isnil(L, -1))
    complain(L, field, "must be a number");
  if (value != value)
    complain(L, field, "must be a number");
  lua_pop(L, 1);
  return value;
}

/* Zero would mean "for ever" to libcurl: what is due is nearly due. */
static long to_milliseconds(double seconds) {
  if (seconds <= 0)
    return 1;
  if (seconds >= INT_MAX / 1000)
    return INT_MAX;
  return (long)(seconds * 1000.0 + 0.999);
}

static size_t to_size(lua_State *L, const char *field, double bytes) {
  if (bytes < 0)
    complain(L, field, "must not be negative");
  return bytes >= (double)(SIZE_MAX / 4) ? SIZE_MAX / 4 : (size_t)bytes;
}

static void read_limits(lua_State *L, us_request *request) {
  static const char size[] = "max_response_size";
  request->timeout_ms =
      to_milliseconds(read_number(L, "timeout", DEFAULT_TIMEOUT_MS / 1000.0));
  request->connect_timeout_ms = to_milliseconds(read_number(
      L, "connect_timeout", DEFAULT_CONNECT_TIMEOUT_MS / 1000.0));
  request->max_response_size =
      to_size(L, size, read_number(L, size, (double)DEFAULT_RESPONSE_SIZE));
  lua_getfield(L, REQUEST, "idempotent");
  request->idempotent = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
}

/* Leaves the texts on the stack as METHOD, URL, HEADERS and BODY. */
static void read_request(lua_State *L, us_request *request) {
  luaL_checktype(L, REQUEST, LUA_TTABLE);
  lua_settop(L, REQUEST);
  read_method(L, request);
  read_url(L, request);
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

static bool is_name(const char *name, size_t length) {
  static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return length > 0 && has_only(name, length, token);
}

/* The name and the value of a header are at the top of the stack. */
static const char *check_header(lua_State *L) {
  size_t length = 0;
  const char *name;
  if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
    complain(L, "headers", "must be strings by name");
  name = lua_tolstring(L, -2, &length);
  if (!is_name(name, length))
    complain(L, "headers", "a name holds what no header name may");
  lua_tolstring(L, -1, &length);
  if (memchr(lua_tostring(L, -1), '\0', length) != NULL ||
      strpbrk(lua_tostring(L, -1), "\r\n") != NULL)
    complain(L, name, "must hold no line break and no NUL");
  return name;
}

/* The names in order, so that a request is the same bytes every time. */
static int sort_headers(lua_State *L, const char **names) {
  int count = 0;
  lua_pushnil(L);
  while (lua_next(L, HEADERS) != 0) {
    const char *name = check_header(L);
    int i = count;
    if (count == REQUEST_HEADERS)
      complain(L, "headers", "are too many");
    for (; i > 0 && strcmp(names[i - 1], name) > 0; i--)
      names[i] = names[i - 1];
    names[i] = name;
    count++;
    lua_pop(L, 1);
  }
  return count;
}

static void add_line(lua_State *L, us_transfer *transfer, const char *line) {
  if (!us_transfer_add_header(transfer, line))
    luaL_error(L, "not enough memory");
}

static bool is_header(const char *name, const char *lower) {
  for (; *lower != '\0'; name++, lower++)
    if ((*name >= 'A' && *name <= 'Z' ? *name + ('a' - 'A') : *name) != *lower)
      return false;
  return *name == '\0';
}

/* How long the body is, and how it is marked off, is for libcurl to say. */
static bool is_framing(lua_State *L, const us_request *request,
                       const char *name, const char *value) {
  if (is_header(name, "transfer-encoding"))
    complain(L, name, "is for the transport to choose");
  if (!is_header(name, "content-length"))
    return false;
  lua_pushfstring(L, "%d", (int)request->body_length);
  if (strcmp(lua_tostring(L, -1), value) != 0)
    complain(L, name, "is not the length of the body");
  lua_pop(L, 1);
  return true;
}

/* libcurl drops "Name:" with nothing or blanks behind it, and sends "Name;" as
   an empty value. */
static void add_header(lua_State *L, us_transfer *transfer, const char *name,
                       const char *value) {
  if (value[strspn(value, " \t")] == '\0')
    lua_pushfstring(L, "%s;", name);
  else
    lua_pushfstring(L, "%s: %s", name, value);
  add_line(L, transfer, lua_tostring(L, -1));
  lua_pop(L, 1);
}

/* The headers of the request, and nothing libcurl would add of its own. */
static void add_headers(lua_State *L, us_transfer *transfer,
                        const char **names, int count) {
  bool accept = false, content_type = false;
  int i;
  for (i = 0; i < count; i++) {
    lua_getfield(L, HEADERS, names[i]);
    if (!is_framing(L, &transfer->request, names[i], lua_tostring(L, -1)))
      add_header(L, transfer, names[i], lua_tostring(L, -1));
    lua_pop(L, 1);
    accept = accept || is_header(names[i], "accept");
    content_type = content_type || is_header(names[i], "content-type");
  }
  if (!accept)
    add_line(L, transfer, "Accept:");
  if (us_request_posts(&transfer->request)) {
    add_line(L, transfer, "Expect:");
    if (!content_type)
      add_line(L, transfer, "Content-Type:");
  }
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

/* Remembers the transfer at RESULT in the first free slot. */
static int assign_slot(lua_State *L) {
  int slot = 0;
  push_transfers(L);
  do {
    lua_rawgeti(L, -1, ++slot);
    lua_remove(L, lua_isnil(L, -1) ? -1 : -1);
  } while (0);
  return slot;
}
