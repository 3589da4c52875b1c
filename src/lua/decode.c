/* decode.c: JSON text to Lua values: null is usher.null, the last of repeated
   names counts, and an integer that Lua would round is the string of its
   digits. Reading the text is core/json_reader.c's. */
#include <stdio.h>
#include <string.h>

#include "lua/binding.h"

/* Lua may take far longer over a text than its size says: LuaJIT's hashes of
   strings can be made to collide. Longest time in seconds, and how many tokens
   are read between two looks at the clock. */
#define LONGEST_TIME 2.0
#define BETWEEN_LOOKS 1024
/* A text that is shorter says few names twice. */
#define REPEATING 1024
/* A table that is made for so many, and then gets fewer, wastes little. */
#define LONGEST_EXPECTED 32

/* A text that the collector is told of, and about how much larger its value
   is. */
#define LARGE ((size_t)1 << 18)
#define GROWTH 4

typedef struct {
  bool is_object;
  int count; /* members or items so far */
} level;

typedef struct {
  lua_State *L;
  us_json_reader *reader;
  int null; /* its stack index; above it the strings of the reader's names */
  us_json_names names;
  unsigned strings; /* so many of them are there */
  unsigned tokens;
  double until; /* by lus_seconds */
  int depth;
  level levels[US_LIMIT_JSON_DEPTH + 1];
  /* How long the last list and object at each depth were: the next one is
     probably as long, and a table that has its size is not filled twice. */
  int last[US_LIMIT_JSON_DEPTH + 1][2];
} decoder;

static void enter(decoder *to, bool is_object) {
  int hint = to->last[++to->depth][is_object];
  level *at = &to->levels[to->depth];
  at->is_object = is_object;
  at->count = 0;
  lus_reserve(to->L, 4);
  lua_createtable(to->L, is_object ? 0 : hint, is_object ? hint : 0);
}

static void leave(decoder *to) {
  const level *at = &to->levels[to->depth];
  to->last[to->depth--][at->is_object] = at->count;
}

/* Puts the value at the top into the table that is being filled. */
static void store(decoder *to) {
  level *at = &to->levels[to->depth];
  if (to->depth == 0) return;
  at->count++;
  if (at->is_object)
    lua_rawset(to->L, -3);
  else
    lua_rawseti(to->L, -2, at->count);
}

static void push_integer(lua_State *L, long long integer) {
  char digits[32];
  if (lus_is_exact(integer)) {
    lus_push_integer(L, integer);
  } else {
    snprintf(digits, sizeof digits, "%lld", integer);
    lua_pushstring(L, digits);
  }
}

/* A name that came before is a string already. */
static void push_name(decoder *to) {
  const us_json_reader *from = to->reader;
  int index = to->null + (int)from->name;
  if (from->name > 0 && from->name <= to->strings) {
    lua_pushvalue(to->L, index);
    return;
  }
  lua_pushlstring(to->L, from->text.data, from->text.length);
  if (from->name == 0) return;
  to->strings = from->name;
  lua_pushvalue(to->L, -1);
  lua_replace(to->L, index);
}

/* Nothing else happens for long: a text that takes too long ends here. */
static bool is_late(decoder *to) {
  if (++to->tokens % BETWEEN_LOOKS != 0 || lus_seconds() <= to->until)
    return false;
  to->reader->problem = "it takes too long to read";
  return true;
}

/* Leaves the value at the top; the token says how it ended. */
static us_json_token build(decoder *to) {
  const us_json_reader *from = to->reader;
  lua_State *L = to->L;
  for (;;) {
    us_json_token token = us_json_next(to->reader);
    if (is_late(to)) return US_JSON_INVALID;
    switch (token) {
    case US_JSON_OBJECT:
    case US_JSON_ARRAY: enter(to, token == US_JSON_OBJECT); continue;
    case US_JSON_NAME: push_name(to); continue;
    case US_JSON_OBJECT_END:
    case US_JSON_ARRAY_END: leave(to); break;
    case US_JSON_STRING:
    case US_JSON_LARGE_INTEGER:
      lua_pushlstring(L, from->text.data, from->text.length);
      break;
    case US_JSON_INTEGER: push_integer(L, from->integer); break;
    case US_JSON_NUMBER: lua_pushnumber(L, from->number); break;
    case US_JSON_TRUE:
    case US_JSON_FALSE: lua_pushboolean(L, token == US_JSON_TRUE); break;
    case US_JSON_NULL: lua_pushvalue(L, to->null); break;
    default: return token; /* the end, or why there is none */
    }
    store(to);
  }
}

static void start(decoder *to, lua_State *L, us_json_reader *reader,
                  us_slice text) {
  to->L = L;
  to->reader = reader;
  to->null = lua_gettop(L) + 1;
  to->strings = to->tokens = 0;
  to->until = lus_seconds() + LONGEST_TIME;
  to->depth = 0;
  memset(to->levels, 0, sizeof to->levels);
  memset(to->last, 0, sizeof to->last);
  lus_reserve(L, 4 + US_JSON_NAMES);
  lus_json_push_null(L);
  us_json_start(reader, text);
  if (text.length < REPEATING) return;
  us_json_remember(reader, &to->names);
  lua_settop(L, to->null + US_JSON_NAMES);
}

static void expect(decoder *to, const lus_shape *shape) {
  int depth;
  for (depth = 0; depth < LUS_SHAPE_DEPTH; depth++) {
    to->last[depth + 1][0] = shape->lengths[depth][0];
    to->last[depth + 1][1] = shape->lengths[depth][1];
  }
}

static unsigned char short_length(int count) {
  return (unsigned char)(count <= LONGEST_EXPECTED ? count : 0);
}

static void keep_shape(const decoder *from, lus_shape *shape) {
  int depth;
  for (depth = 0; depth < LUS_SHAPE_DEPTH; depth++) {
    shape->lengths[depth][0] = short_length(from->last[depth + 1][0]);
    shape->lengths[depth][1] = short_length(from->last[depth + 1][1]);
  }
}

/* A large value is often garbage when the next one comes, and all alive while it
   is built. So the collector works before, unless the script has stopped it:
   meanwhile it would mark what is half built, again and again, to find nothing.
 */
static void make_way(lua_State *L, size_t length) {
  if (length >= LARGE && lua_gc(L, LUS_GC_IS_RUNNING, 0) == 1)
    lus_gc_prepay(L, (int)(length / 1024 * GROWTH));
}

bool lus_json_decode(lua_State *L, us_json_reader *reader, us_slice text,
                     lus_shape *shape) {
  decoder to;
  us_json_token token;
  start(&to, L, reader, text);
  if (shape != NULL) expect(&to, shape);
  make_way(L, text.length);
  token = build(&to);
  if (shape != NULL) keep_shape(&to, shape);
  if (token == US_JSON_NO_MEMORY) lus_raise_memory(L);
  if (token == US_JSON_END) {
    lua_replace(L, to.null);
    lua_settop(L, to.null);
    return true;
  }
  lua_settop(L, to.null - 1);
  lua_pushfstring(L, "it is not JSON: %s, at byte %d", reader->problem,
                  (int)us_json_position(reader));
  return false;
}

static const char metatable[] = "usher.json_reader";

static int reader_gc(lua_State *L) {
  us_json_reader_free(
      lus_check_userdata(L, 1, metatable, sizeof(us_json_reader)));
  return 0;
}

/* decode(text) -> the value | nil, why not */
int lus_decode(lua_State *L) {
  us_slice text;
  us_json_reader *reader;
  text.data = luaL_checklstring(L, 1, &text.length);
  reader = lua_newuserdata(L, sizeof *reader);
  memset(reader, 0, sizeof *reader);
  luaL_getmetatable(L, metatable);
  lua_setmetatable(L, -2);
  if (lus_json_decode(L, reader, text, NULL)) return 1;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

void lus_decode_open(lua_State *L) {
  lus_collected(L, metatable, reader_gc);
}
