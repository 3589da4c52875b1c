/* json.c: Lua tables to JSON text. lua-cjson gives its marks (null, an array)
   and does no more: 2.1.0 keeps 14 digits of a number and orders members at
   random, and a request must be the same bytes every time. */
#include "core/json_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lua/binding.h"

/* Registry: { null =, empty_array =, array_mt =, empty_array_mt = }, what
   lua-cjson has of them. */
static const char registry_key[] = "usher.json";

/* Where in the value we are, for the words of a problem. */
typedef struct frame {
  const struct frame *up;
  us_slice key; /* of an object */
  size_t item;  /* of an array, from 1; 0: an object */
  int depth;
} frame;

typedef struct {
  lua_State *L;
  us_json_writer json;
  us_problems *problems;
  int markers; /* the registry table */
} writer;

static void append_path(us_buffer *out, const frame *at) {
  if (at->up != NULL) append_path(out, at->up);
  if (at->item > 0) {
    us_buffer_append_byte(out, '[');
    us_buffer_append_integer(out, (long long)at->item);
    us_buffer_append_byte(out, ']');
  } else {
    if (at->up != NULL) us_buffer_append_byte(out, '.');
    us_buffer_append_slice(out, at->key);
  }
}

static bool refuse(writer *to, const frame *at, const char *why) {
  us_buffer *text = &to->problems->text;
  us_problem(to->problems, NULL, "", NULL);
  append_path(text, at);
  us_buffer_append_byte(text, ' ');
  us_buffer_append_text(text, why);
  return false;
}

static bool write_value(writer *to, int index, const frame *at);

static bool is_marker(writer *to, int index, const char *name) {
  bool same;
  lua_getfield(to->L, to->markers, name);
  same = !lua_isnil(to->L, -1) && lua_rawequal(to->L, index, -1);
  lua_pop(to->L, 1);
  return same;
}

/* lua-cjson's ways to say that a table is an array. */
static bool is_marked_array(writer *to, int index) {
  bool marked;
  if (!lua_getmetatable(to->L, index)) return false;
  marked = is_marker(to, lua_gettop(to->L), "array_mt") ||
           is_marker(to, lua_gettop(to->L), "empty_array_mt");
  lua_pop(to->L, 1);
  return marked;
}

static size_t count_members(lua_State *L, int index) {
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    count++;
  }
  return count;
}

static bool write_array(writer *to, int index, const frame *at, size_t count) {
  frame item = {at, {NULL, 0}, 0, at->depth + 1};
  us_json_open(&to->json, '[');
  for (item.item = 1; item.item <= count; item.item++) {
    bool written;
    lua_rawgeti(to->L, index, (int)item.item);
    written = write_value(to, lua_gettop(to->L), &item);
    lua_pop(to->L, 1);
    if (!written) return false;
  }
  us_json_close(&to->json, ']');
  return true;
}

static int compare(const void *a, const void *b) {
  const us_slice *x = a, *y = b;
  size_t shorter = x->length < y->length ? x->length : y->length;
  int order = memcmp(x->data, y->data, shorter);
  if (order != 0) return order;
  return x->length < y->length ? -1 : x->length > y->length;
}

/* Pushes a list of the names of the members, which keeps them: the table may
   be weak, or changed by a finalizer. The list's length, or -1 when a key is
   not a string. */
static int push_keys(lua_State *L, int index) {
  int count = 0;
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      lua_pop(L, 1);
      return -1;
    }
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, ++count);
  }
  return count;
}

/* Pushes a userdata with the names of the list at the top, sorted. */
static us_slice *push_sorted(lua_State *L, int count) {
  us_slice *names =
      lua_newuserdata(L, (count ? (size_t)count : 1) * sizeof *names);
  int i;
  for (i = 0; i < count; i++) {
    lua_rawgeti(L, -2, i + 1);
    names[i].data = lua_tolstring(L, -1, &names[i].length);
    lua_pop(L, 1);
  }
  qsort(names, (size_t)count, sizeof *names, compare);
  return names;
}

static bool write_object(writer *to, int index, const frame *at) {
  lua_State *L = to->L;
  frame member = {at, {NULL, 0}, 0, at->depth + 1};
  int i, count = push_keys(L, index);
  us_slice *names;
  if (count < 0)
    return refuse(to, at, "has gaps, or mixes names and numbers as keys");
  names = push_sorted(L, count);
  us_json_open(&to->json, '{');
  for (i = 0; i < count; i++) {
    bool written;
    member.key = names[i];
    lua_pushlstring(L, names[i].data, names[i].length);
    lua_rawget(L, index);
    us_json_key(&to->json, names[i]);
    written = write_value(to, lua_gettop(L), &member);
    lua_pop(L, 1);
    if (!written) return false;
  }
  us_json_close(&to->json, '}');
  return true; /* write_table takes names and keys off the stack */
}

static bool write_table(writer *to, int index, const frame *at) {
  size_t count, length;
  bool written;
  int top = lua_gettop(to->L);
  if (at->depth >= US_LIMIT_JSON_DEPTH)
    return refuse(to, at, "is nested too deep, or holds itself");
  lus_reserve(to->L, 10);
  count = count_members(to->L, index);
  length = lus_raw_length(to->L, index);
  if ((count > 0 && count == length) || is_marked_array(to, index)) {
    if (at->up == NULL) return refuse(to, at, "must be an object, not a list");
    written = write_array(to, index, at, length);
  } else {
    written = write_object(to, index, at);
  }
  lua_settop(to->L, top);
  return written;
}

static bool write_number(writer *to, int index, const frame *at) {
  double number = lua_tonumber(to->L, index);
  if (lus_is_integer(to->L, index)) {
    us_json_integer(&to->json, (long long)lua_tointeger(to->L, index));
    return true;
  }
  if (isnan(number) || isinf(number))
    return refuse(to, at, "is not a number that JSON has");
  if (fabs(number) > US_EXACT_FLOAT)
    return refuse(to, at, "is too large to be exact; pass it as a string");
  us_json_number(&to->json, number);
  return true;
}

static bool write_value(writer *to, int index, const frame *at) {
  us_slice text;
  switch (lua_type(to->L, index)) {
  case LUA_TSTRING:
    text.data = lua_tolstring(to->L, index, &text.length);
    us_json_string(&to->json, text);
    return true;
  case LUA_TNUMBER: return write_number(to, index, at);
  case LUA_TBOOLEAN:
    us_json_raw(&to->json,
                us_text(lua_toboolean(to->L, index) ? "true" : "false"));
    return true;
  case LUA_TTABLE: return write_table(to, index, at);
  case LUA_TLIGHTUSERDATA:
    if (is_marker(to, index, "null"))
      us_json_raw(&to->json, us_text("null"));
    else if (is_marker(to, index, "empty_array"))
      us_json_raw(&to->json, us_text("[]"));
    else
      return refuse(to, at, "cannot be sent: it is a userdata");
    return true;
  default:
    return refuse(to, at,
                  "cannot be sent: it is no string, number, boolean "
                  "or table");
  }
}

void lus_json_write(lua_State *L, int index, us_buffer *out,
                    const char *parameter, us_problems *problems) {
  frame root = {NULL, us_text(parameter), 0, 0};
  int top = lua_gettop(L);
  writer to = {L, {out, false}, problems, top + 1};
  index = lus_absolute(L, index);
  lua_getfield(L, LUA_REGISTRYINDEX, registry_key);
  (void)write_value(&to, index, &root); /* a failure is in the problems */
  lua_settop(L, top);
}

void lus_json_push_null(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, registry_key);
  lua_getfield(L, -1, "null");
  lua_remove(L, -2);
}

static const char problems_metatable[] = "usher.problems";

static int problems_gc(lua_State *L) {
  us_problems_free(lua_touserdata(L, 1));
  return 0;
}

static us_problems *push_problems(lua_State *L) {
  us_problems *problems = lua_newuserdata(L, sizeof *problems);
  memset(problems, 0, sizeof *problems);
  us_problems_reset(problems);
  luaL_getmetatable(L, problems_metatable);
  lua_setmetatable(L, -2);
  return problems;
}

/* encode(table) -> the JSON text of an object: members in the order of their
   names, exact integers, the same bytes every time */
int lus_encode(lua_State *L) {
  us_buffer *out;
  us_problems *problems;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  out = lus_buffer_new(L, US_LIMIT_BODY);
  problems = push_problems(L);
  lus_json_write(L, 1, out, "value", problems);
  if (problems->count > 0) {
    us_buffer_reset(out, US_LIMIT_PROBLEMS);
    us_problems_append(problems, out);
    lua_pushlstring(L, us_buffer_slice(out).data, out->length);
    return luaL_error(L, "usher: %s", lua_tostring(L, -1));
  }
  if (out->status != US_OK) return luaL_error(L, "usher: out of memory");
  lua_pushlstring(L, us_buffer_slice(out).data, out->length);
  return 1;
}

void lus_json_open(lua_State *L) {
  static const char *const fields[] = {"null", "empty_array", "array_mt",
                                       "empty_array_mt"};
  size_t i;
  lus_collected(L, problems_metatable, problems_gc);
  lua_newtable(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cjson");
  lua_call(L, 1, 1);
  for (i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    lua_getfield(L, -1, fields[i]);
    lua_setfield(L, -3, fields[i]);
  }
  lua_pop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, registry_key);
}
