/* options.c: the options that every provider's client takes, and their checks.
   What a provider adds is in its own table. */
#include <math.h>
#include <string.h>

#include "core/url.h"
#include "lua/binding.h"
#include "providers/rows.h"

/* clang-format off */
#define SHARED(name_, type_, flags_, ...)                                      \
  ROW(US_OPTION, name_, NULL, type_, flags_, __VA_ARGS__)

const us_parameter lus_options[] = {
  SHARED("timeout", US_DECIMAL, US_PER_CALL, "seconds for one attempt",
         .fallback = "30"),
  SHARED("connect_timeout", US_DECIMAL, US_PER_CALL,
         "seconds to connect, within timeout", .fallback = "5"),
  SHARED("deadline", US_DECIMAL, US_PER_CALL,
         "seconds for a whole call with its retries", .fallback = "120"),
  SHARED("retries", US_INTEGER, US_PER_CALL,
         "attempts beside the first, 0 to 100", .fallback = "2"),
  SHARED("max_response_size", US_INTEGER, US_PER_CALL,
         "bytes of an answer, decompressed", .fallback = "8388608"),
  SHARED("proxy", US_STRING, US_SECRET,
         "URL of a proxy; \"environment\" obeys the variables; absent: none"),
  SHARED("insecure_http", US_BOOLEAN, 0,
         "lets credentials travel over http:// beyond loopback"),
  SHARED("ca_file", US_STRING, 0, "PEM file of the authorities to trust"),
  SHARED("client_cert", US_STRING, 0, "PEM file of a client certificate"),
  SHARED("client_key_file", US_STRING, 0, "PEM file of its private key"),
  SHARED("verify", US_BOOLEAN, 0,
         "verify the server's certificate and name", .fallback = "true"),
  SHARED("max_connections", US_INTEGER, 0,
         "connections at a time, 1 to 65535; absent: one for each call in "
         "flight over HTTP/1.1"),
  SHARED("rate", US_TABLE, 0,
         "{ per_second =, burst =, dict =, key = }: delays calls to keep a "
         "provider's limit"),
  SHARED("user_agent", US_STRING, 0, "appended to usher/<version>"),
  SHARED("headers", US_TABLE, 0, "further header fields, { [name] = value }"),
  SHARED("on_event", US_FUNCTION, 0,
         "called with a table for each request, response and retry"),
  SHARED("transport", US_TABLE | US_FUNCTION, 0,
         "{ send =, sleep = }, or a function that sends"),
  SHARED("clock", US_FUNCTION, 0, "returns Unix seconds; for tests"),
  SHARED("random", US_FUNCTION, 0, "returns a number in [0, 1); for tests"),
};
/* clang-format on */
const size_t lus_option_count = LENGTH(lus_options);

static bool has_type(lua_State *L, unsigned type) {
  switch (lua_type(L, -1)) {
  case LUA_TSTRING: return (type & US_STRING) != 0;
  case LUA_TNUMBER: return (type & (US_DECIMAL | US_INTEGER)) != 0;
  case LUA_TBOOLEAN: return (type & US_BOOLEAN) != 0;
  case LUA_TTABLE: return (type & US_TABLE) != 0;
  case LUA_TFUNCTION: return (type & US_FUNCTION) != 0;
  default: return false;
  }
}

static void check_string(lua_State *L, const us_parameter *option,
                         us_problems *problems) {
  us_value value = {.kind = US_TEXT};
  value.text.data = lua_tolstring(L, -1, &value.text.length);
  us_check_value(option, &value, problems);
}

void lus_options_check(lua_State *L, int options, unsigned flags,
                       us_problems *problems) {
  size_t i;
  for (i = 0; i < lus_option_count; i++) {
    const us_parameter *option = &lus_options[i];
    if ((option->flags & flags) != flags) continue;
    lus_raw_get(L, options, option->name);
    if (!lua_isnil(L, -1) && !has_type(L, option->type))
      us_problem(problems, option->name, "must be of type ",
                 us_type_name(option));
    else if (lua_type(L, -1) == LUA_TSTRING)
      check_string(L, option, problems);
    lua_pop(L, 1);
  }
}

bool lus_flag(lua_State *L, int options, const char *name, bool otherwise) {
  bool flag = otherwise;
  lus_raw_get(L, options, name);
  if (!lua_isnil(L, -1)) flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

/* Leaves *seconds alone when the option is absent; wrong types are reported
   by lus_options_check. */
static void read_seconds(lua_State *L, int options, const char *name,
                         double *seconds, us_problems *problems) {
  lus_raw_get(L, options, name);
  if (lua_type(L, -1) == LUA_TNUMBER) {
    *seconds = lua_tonumber(L, -1);
    if (!(*seconds > 0 && *seconds <= 1e6))
      us_problem(problems, name, "must be above 0 and at most 1000000 seconds",
                 NULL);
  }
  lua_pop(L, 1);
}

static void read_count(lua_State *L, int options, const char *name,
                       double minimum, double maximum, const char *range,
                       long long *count, us_problems *problems) {
  lus_raw_get(L, options, name);
  if (lua_type(L, -1) == LUA_TNUMBER) {
    double number = lua_tonumber(L, -1);
    if (number == floor(number) && number >= minimum && number <= maximum)
      *count = (long long)number;
    else
      us_problem(problems, name, "must be an integer, ", range);
  }
  lua_pop(L, 1);
}

void lus_limits_read(lua_State *L, int options, us_limits *limits,
                     us_problems *problems) {
  read_seconds(L, options, "timeout", &limits->timeout, problems);
  read_seconds(L, options, "connect_timeout", &limits->connect_timeout,
               problems);
  read_seconds(L, options, "deadline", &limits->deadline, problems);
  read_count(L, options, "retries", 0, 100, "0 to 100", &limits->retries,
             problems);
  read_count(L, options, "max_response_size", 1, 2147483647, "1 to 2147483647",
             &limits->max_response_size, problems);
}

void lus_connections_check(lua_State *L, int options, us_problems *problems) {
  long long count;
  read_count(L, options, "max_connections", 1, 65535, "1 to 65535", &count,
             problems);
}

static void read_header(lua_State *L, us_buffer *headers,
                        us_problems *problems) {
  us_slice name, value;
  if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING) {
    us_problem(problems, "headers", "must map strings to strings", NULL);
    return;
  }
  name.data = lua_tolstring(L, -2, &name.length);
  value.data = lua_tolstring(L, -1, &value.length);
  if (!us_header_name_is_valid(name))
    us_problem(problems, "headers", "has a name that is no header name", NULL);
  else if (us_header_name_is_reserved(name))
    us_problem(problems, "headers", "must not set ", name.data);
  else if (us_has_line_break(value))
    us_problem(problems, "headers", "has CR, LF or NUL in ", name.data);
  else if (us_headers_has(headers, name))
    us_problem(problems, "headers", "sets twice ", name.data);
  else
    us_headers_add(headers, name.data, value, true);
}

void lus_headers_read(lua_State *L, int options, us_buffer *headers,
                      us_problems *problems) {
  us_buffer_reset(headers, US_LIMIT_HEADERS);
  lus_raw_get(L, options, "headers");
  if (lua_istable(L, -1)) {
    lua_pushnil(L);
    while (lua_next(L, -2)) {
      read_header(L, headers, problems);
      lua_pop(L, 1);
    }
  }
  if (headers->status == US_NO_MEMORY) lus_raise_memory(L);
  if (headers->status != US_OK)
    us_problem(problems, "headers", "are too large", NULL);
  lua_pop(L, 1);
}
