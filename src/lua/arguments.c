/* arguments.c: a table of Lua arguments into the core's values, by the rows.
   Types are checked here, what the values may be in core/check.c. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/multipart.h"
#include "lua/binding.h"

static int buffer_gc(lua_State *L) {
  us_buffer_free(lus_check_userdata(L, 1, "usher.buffer", sizeof(us_buffer)));
  return 0;
}

us_buffer *lus_buffer_new(lua_State *L, size_t ceiling) {
  us_buffer *buffer = lua_newuserdata(L, sizeof *buffer);
  memset(buffer, 0, sizeof *buffer);
  luaL_getmetatable(L, "usher.buffer");
  lua_setmetatable(L, -2);
  us_buffer_reset(buffer, ceiling);
  return buffer;
}

void lus_arguments_open(lua_State *L) {
  lus_collected(L, "usher.buffer", buffer_gc);
}

/* Pops the value at the top and keeps it as long as the anchor lives. */
static void keep(lua_State *L, int anchor) {
  lua_rawseti(L, anchor, (int)lus_raw_length(L, anchor) + 1);
}

static void must_be(us_problems *problems, const us_parameter *row,
                    lua_State *L) {
  us_problem(problems, row->name, "must be of type ", us_type_name(row));
  us_buffer_append_text(&problems->text, ", not ");
  us_buffer_append_text(&problems->text, luaL_typename(L, -1));
}

/* Reads the number at the top; false, with a problem, unless it is integral
   and exact. */
static bool read_integer(lua_State *L, const us_parameter *row,
                         long long *integer, us_problems *problems) {
  double number = lua_tonumber(L, -1);
  if (lus_is_integer(L, -1)) {
    *integer = (long long)lua_tointeger(L, -1);
    return true;
  }
  if (number != floor(number) || isinf(number)) {
    us_problem(problems, row->name, "must be a whole number", NULL);
    return false;
  }
  if (fabs(number) > US_EXACT_FLOAT) {
    us_problem(problems, row->name,
               "is too large to be exact; pass it as a string", NULL);
    return false;
  }
  *integer = (long long)number;
  return true;
}

/* A string, or a number as its digits: nothing else has one spelling. */
static bool read_text(lua_State *L, const us_parameter *row, us_slice *text,
                      int anchor, us_problems *problems) {
  char digits[32];
  long long integer;
  if (lua_type(L, -1) == LUA_TNUMBER) {
    if (!read_integer(L, row, &integer, problems)) return false;
    snprintf(digits, sizeof digits, "%lld", integer);
    lua_pushstring(L, digits);
    text->data = lua_tolstring(L, -1, &text->length);
    keep(L, anchor);
    return true;
  }
  if (lua_type(L, -1) != LUA_TSTRING) {
    must_be(problems, row, L);
    return false;
  }
  text->data = lua_tolstring(L, -1, &text->length);
  lua_pushvalue(L, -1);
  keep(L, anchor); /* the caller's table may lose it */
  return true;
}

/* Whether the table at the top is 1..n and nothing else. */
static bool is_list(lua_State *L, size_t length) {
  size_t count = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    count++;
  }
  return count == length;
}

static void read_list(lua_State *L, const us_parameter *row, us_value *value,
                      int anchor, us_problems *problems) {
  size_t i, count = lus_raw_length(L, -1);
  us_slice *items;
  int list = lua_gettop(L);
  if (!is_list(L, count)) {
    must_be(problems, row, L);
    return;
  }
  items = lua_newuserdata(L, (count ? count : 1) * sizeof *items);
  keep(L, anchor);
  for (i = 0; i < count; i++) {
    char name[96];
    us_parameter item = *row;
    bool read;
    snprintf(name, sizeof name, "%s[%lu]", row->name, (unsigned long)i + 1);
    item.name = name;
    item.type = US_STRING;
    lua_rawgeti(L, list, (int)i + 1);
    read = read_text(L, &item, &items[i], anchor, problems);
    lua_pop(L, 1);
    if (!read) return;
  }
  value->kind = US_ITEMS;
  value->items = items;
  value->count = count;
}

/* Reads a file whole. Nothing here raises: FILE would leak. */
static const char *slurp(const char *path, us_buffer *out) {
  char chunk[16384];
  size_t length;
  const char *problem = NULL;
  FILE *file = fopen(path, "rb");
  if (file == NULL && errno == ENOMEM) us_buffer_fail(out, US_NO_MEMORY);
  if (file == NULL) return strerror(errno);
  while (out->status == US_OK &&
         (length = fread(chunk, 1, sizeof chunk, file)) > 0)
    us_buffer_append(out, chunk, length);
  if (ferror(file)) problem = strerror(errno);
  fclose(file);
  if (problem == NULL && out->status == US_TOO_LARGE)
    problem = "it is larger than usher sends";
  return problem;
}

static us_slice base_name(us_slice path) {
  size_t i = path.length;
  while (i > 0 && path.data[i - 1] != '/')
    i--;
  path.data += i;
  path.length -= i;
  return path;
}

/* A string field of the file table at the top; empty when absent. */
static us_slice file_field(lua_State *L, const us_parameter *row,
                           const char *name, int anchor,
                           us_problems *problems) {
  us_slice text = {"", 0};
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  if (lua_type(L, -1) == LUA_TSTRING)
    text.data = lua_tolstring(L, -1, &text.length);
  else if (!lua_isnil(L, -1))
    us_problem(problems, row->name, "must have strings: ", name);
  keep(L, anchor);
  return text;
}

static void check_file_keys(lua_State *L, const us_parameter *row,
                            us_problems *problems) {
  static const us_parameter keys[] = {{.name = "path"},
                                      {.name = "data"},
                                      {.name = "filename"},
                                      {.name = "content_type"}};
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    us_slice key;
    if (lus_key(L, -2, "field of a file", &key, problems) &&
        us_parameter_find(keys, 4, key) < 0)
      us_problem_unknown(problems, row->name, key,
                         us_nearest_parameter(keys, 4, key));
    lua_pop(L, 1);
  }
}

/* Reads the file at `path` into a buffer that the anchor keeps. */
static us_slice read_path(lua_State *L, const us_parameter *row, us_slice path,
                          int anchor, us_problems *problems) {
  us_buffer *content = lus_buffer_new(L, US_LIMIT_BODY);
  const char *problem = strlen(path.data) == path.length
                            ? slurp(path.data, content)
                            : "its name holds a NUL byte";
  if (content->status == US_NO_MEMORY) lus_raise_memory(L);
  keep(L, anchor);
  if (problem != NULL) {
    us_problem(problems, row->name, "cannot be read: ", path.data);
    us_buffer_append_text(&problems->text, ": ");
    us_buffer_append_text(&problems->text, problem);
  }
  return us_buffer_slice(content);
}

static bool has_data(lua_State *L) {
  bool there;
  lua_pushliteral(L, "data");
  lua_rawget(L, -2);
  there = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return there;
}

static void read_file(lua_State *L, const us_parameter *row, us_value *value,
                      int anchor, us_problems *problems) {
  us_slice path = file_field(L, row, "path", anchor, problems);
  us_slice type = file_field(L, row, "content_type", anchor, problems);
  value->filename = file_field(L, row, "filename", anchor, problems);
  check_file_keys(L, row, problems);
  if ((path.length > 0) == has_data(L)) {
    us_problem(problems, row->name, "needs either path or data", NULL);
  } else if (path.length > 0) {
    if (value->filename.length == 0) value->filename = base_name(path);
    value->text = read_path(L, row, path, anchor, problems);
  } else {
    value->text = file_field(L, row, "data", anchor, problems);
  }
  value->kind = US_CONTENT;
  value->content_type =
      type.length ? type : us_text(us_multipart_type(value->filename));
}

static void read_object(lua_State *L, const us_parameter *row, us_value *value,
                        int anchor, us_problems *problems) {
  us_buffer *json = lus_buffer_new(L, US_LIMIT_BODY);
  lus_json_write(L, -2, json, row->name, problems);
  if (json->status == US_NO_MEMORY) lus_raise_memory(L);
  keep(L, anchor);
  if (json->status != US_OK)
    us_problem(problems, row->name, "is too large to be sent", NULL);
  value->kind = US_JSON;
  value->text = us_buffer_slice(json);
}

static void read_objects(lua_State *L, const us_parameter *row, us_value *value,
                         int anchor, us_problems *problems) {
  size_t i, count = lus_raw_length(L, -1);
  int list = lua_gettop(L);
  us_buffer *json;
  if (!is_list(L, count)) {
    must_be(problems, row, L);
    return;
  }
  json = lus_buffer_new(L, US_LIMIT_BODY);
  keep(L, anchor);
  for (i = 0; i < count; i++) {
    char name[96];
    us_parameter item = *row;
    snprintf(name, sizeof name, "%s[%lu]", row->name, (unsigned long)i + 1);
    item.name = name;
    item.type = US_TABLE;
    us_buffer_append_byte(json, i == 0 ? '[' : ',');
    lua_rawgeti(L, list, (int)i + 1);
    if (lua_istable(L, -1))
      lus_json_write(L, -1, json, name, problems);
    else
      must_be(problems, &item, L);
    lua_pop(L, 1);
  }
  us_buffer_append_text(json, count == 0 ? "[]" : "]");
  if (json->status == US_NO_MEMORY) lus_raise_memory(L);
  if (json->status != US_OK)
    us_problem(problems, row->name, "is too large to be sent", NULL);
  value->kind = US_JSON;
  value->text = us_buffer_slice(json);
}

static void read_table(lua_State *L, const us_parameter *row, us_value *value,
                       int anchor, us_problems *problems) {
  if (row->type & US_LIST)
    read_list(L, row, value, anchor, problems);
  else if (row->type & US_TABLE)
    read_object(L, row, value, anchor, problems);
  else if (row->type & US_TABLES)
    read_objects(L, row, value, anchor, problems);
  else if (row->type & US_FILE)
    read_file(L, row, value, anchor, problems);
  else
    must_be(problems, row, L);
}

static bool is_null(lua_State *L) {
  bool same;
  lus_json_push_null(L);
  same = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  return same;
}

/* The value at the top, for the row. A problem leaves it US_ABSENT, but a
   required value that is wrong is not absent too: `kind` says US_TRUTH. */
static void read_value(lua_State *L, const us_parameter *row, us_value *value,
                       int anchor, us_problems *problems) {
  size_t before = problems->count;
  int type = lua_type(L, -1);
  if (type == LUA_TLIGHTUSERDATA && is_null(L)) {
    value->kind = US_NULL;
  } else if (type == LUA_TBOOLEAN && (row->type & US_BOOLEAN)) {
    value->kind = US_TRUTH;
    value->truth = lua_toboolean(L, -1);
  } else if (type == LUA_TNUMBER && (row->type & US_INTEGER)) {
    if (read_integer(L, row, &value->integer, problems))
      value->kind = US_NUMBER;
  } else if (row->type & US_STRING) {
    if (read_text(L, row, &value->text, anchor, problems))
      value->kind = US_TEXT;
  } else if (type == LUA_TTABLE) {
    read_table(L, row, value, anchor, problems);
  } else {
    must_be(problems, row, L);
  }
  if (problems->count > before) value->kind = US_TRUTH;
}

bool lus_key(lua_State *L, int index, const char *what, us_slice *name,
             us_problems *problems) {
  if (lua_type(L, index) == LUA_TSTRING) {
    name->data = lua_tolstring(L, index, &name->length);
    return true;
  }
  us_problem(problems, NULL, what,
             " without a name: each is written name = value");
  return false;
}

void lus_arguments_read(lua_State *L, int index, const us_parameter *rows,
                        size_t count, us_value *values, int anchor,
                        us_problems *problems) {
  size_t i;
  memset(values, 0, count * sizeof *values);
  if (!lua_istable(L, index)) return;
  for (i = 0; i < count; i++) {
    lus_raw_get(L, index, rows[i].name);
    if (!lua_isnil(L, -1))
      read_value(L, &rows[i], &values[i], anchor, problems);
    lua_pop(L, 1);
  }
}

/* Leaves nothing but the message on the stack: an error handler may read it. */
int lus_raise(lua_State *L, const lus_place *place, const char *message) {
  luaL_where(L, place->level);
  lua_pushfstring(L, "usher.%s%s%s: %s", place->provider,
                  place->method ? ":" : "", place->method ? place->method : "",
                  message);
  lua_concat(L, 2);
  lua_insert(L, 1);
  lua_settop(L, 1);
  return lua_error(L);
}

int lus_raise_memory(lua_State *L) {
  lua_pushliteral(L, "not enough memory");
  return lua_error(L);
}

void lus_reserve(lua_State *L, int slots) {
  if (!lua_checkstack(L, slots)) lus_raise_memory(L);
}

void lus_problems_raise(lua_State *L, us_problems *problems,
                        const lus_place *place) {
  us_buffer *text;
  if (problems->count == 0) return;
  text = lus_buffer_new(L, US_LIMIT_PROBLEMS + US_LIMIT_TEXT);
  us_problems_append(problems, text);
  us_buffer_append_byte(text, '\0');
  if (problems->text.status == US_NO_MEMORY || text->status != US_OK)
    lus_raise_memory(L);
  lus_raise(L, place, text->data);
}
