/* response.c: the second result of a call. The headers of an answer that is
   read in place are Lua values when somebody asks for them, which few do. */
#include <string.h>

#include "core/head.h"
#include "lua/binding.h"

static const char metatable[] = "usher.response";

/* Appends to what table[name] holds; the name is at the top and is popped. */
static void set_header(lua_State *L, int table, const char *separator,
                       us_slice value) {
  lua_pushvalue(L, -1);
  lua_rawget(L, table);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushlstring(L, value.data, value.length);
  } else {
    lua_pushstring(L, separator);
    lua_pushlstring(L, value.data, value.length);
    lua_concat(L, 3);
  }
  lua_rawset(L, table);
}

/* The reader changes what it reads: it gets a copy. */
void lus_headers_push(lua_State *L, const char *head, size_t length) {
  char *copy = lua_newuserdata(L, length + 1);
  us_head_reader reader;
  us_head_field field;
  int table;
  if (length > 0) memcpy(copy, head, length);
  reader = us_head_read(copy, length);
  lua_createtable(L, 0, 8);
  table = lua_gettop(L);
  while (us_head_next(&reader, &field)) {
    lua_pushlstring(L, field.name.data, field.name.length);
    set_header(L, table, field.folded ? " " : ", ", field.value);
  }
  lua_remove(L, -2);
}

/* read_head(head) -> { [lower-case name] = value } of the head of a response */
int lus_read_head(lua_State *L) {
  size_t length;
  const char *head = luaL_checklstring(L, 1, &length);
  lus_headers_push(L, head, length);
  return 1;
}

/* Sets the headers of the response at 1, unless that was done. */
static void set_headers(lua_State *L) {
  const char *head;
  size_t length;
  lua_settop(L, 1);
  lus_raw_get(L, 1, "headers");
  lus_raw_get(L, 1, "head");
  if (!lua_isnil(L, 2) || lua_type(L, 3) != LUA_TSTRING) return;
  head = lua_tolstring(L, 3, &length);
  lua_pushliteral(L, "headers");
  lus_headers_push(L, head, length);
  lua_rawset(L, 1);
}

static int response_index(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  lua_pushliteral(L, "headers");
  if (!lua_rawequal(L, 2, 3)) return 0;
  set_headers(L);
  lus_raw_get(L, 1, "headers");
  return 1;
}

/* Lua 5.1 and LuaJIT do not ask for it. The upvalue is `next`. */
static int response_pairs(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  set_headers(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  return 2;
}

void lus_response_open(lua_State *L) {
  luaL_newmetatable(L, metatable);
  lua_pushcfunction(L, response_index);
  lua_setfield(L, -2, "__index");
  lua_getglobal(L, "next");
  lua_pushcclosure(L, response_pairs, 1);
  lua_setfield(L, -2, "__pairs");
  lua_pop(L, 1);
}

static void set_answer(lua_State *L, const lus_answer *answer) {
  lua_pushinteger(L, answer->status);
  lua_setfield(L, -2, "status");
  lua_pushlstring(L, answer->head_length > 0 ? answer->head : "",
                  answer->head_length);
  lua_setfield(L, -2, "head");
  luaL_getmetatable(L, metatable);
  lua_setmetatable(L, -2);
}

void lus_response_push(lua_State *L, int attempts, double elapsed) {
  const lus_answer *answer = NULL;
  if (lua_type(L, 2) == LUA_TUSERDATA)
    answer =
        lus_exchange_test(L, 2, LUS_ANSWER, sizeof *answer, LUS_ANSWER_MARK);
  lua_createtable(L, 0, 4);
  if (answer != NULL) {
    set_answer(L, answer);
  } else {
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "status");
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "headers");
  }
  lua_pushinteger(L, attempts);
  lua_setfield(L, -2, "attempts");
  lua_pushnumber(L, elapsed);
  lua_setfield(L, -2, "elapsed");
}
