/* document.c: lets the core ask a decoded Lua value for single fields. */
#include <stdlib.h>
#include <string.h>

#include "lua/binding.h"

static bool is_named(lua_State *L, int key, us_slice name) {
  size_t length;
  const char *text;
  if (lua_type(L, key) != LUA_TSTRING) return false;
  text = lua_tolstring(L, key, &length);
  return length == name.length && memcmp(text, name.data, length) == 0;
}

/* Pushes member `name` of the table at the top. Nothing is allocated: the core
   is at work, and a collection might run a finalizer that closes its client. */
static void push_member(lua_State *L, us_slice name) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (is_named(L, -2, name)) {
      lua_remove(L, -2);
      return;
    }
    lua_pop(L, 1);
  }
  lua_pushnil(L);
}

/* Replaces the table at the top by its member `name`; digits are an item. */
static void descend(lua_State *L, us_slice name) {
  if (name.length > 0 && strspn(name.data, "0123456789") >= name.length)
    lua_rawgeti(L, -1, atoi(name.data));
  else
    push_member(L, name);
  lua_remove(L, -2);
}

static us_scalar scalar_at_top(lua_State *L) {
  us_scalar scalar = {US_NOTHING, false, 0, {NULL, 0}};
  switch (lua_type(L, -1)) {
  case LUA_TSTRING:
    scalar.kind = US_SCALAR_TEXT;
    scalar.text.data = lua_tolstring(L, -1, &scalar.text.length);
    break;
  case LUA_TNUMBER:
    scalar.kind = US_SCALAR_NUMBER;
    scalar.number = lua_tonumber(L, -1);
    break;
  case LUA_TBOOLEAN:
    scalar.kind = US_SCALAR_TRUTH;
    scalar.truth = lua_toboolean(L, -1);
    break;
  case LUA_TLIGHTUSERDATA: scalar.kind = US_SCALAR_NULL; break;
  case LUA_TTABLE: scalar.kind = US_COMPOUND; break;
  default: break;
  }
  return scalar;
}

us_scalar lus_document_find(void *context, const char *path) {
  const lus_document *at = context;
  lua_State *L = at->L;
  int top = lua_gettop(L);
  us_scalar scalar;
  lua_pushvalue(L, at->index);
  while (*path && lua_istable(L, -1)) {
    us_slice name = {path, strcspn(path, ".")};
    descend(L, name);
    path += name.length;
    if (*path == '.') path++;
  }
  if (*path) lua_pushnil(L); /* a scalar stands where an object is due */
  scalar = scalar_at_top(L); /* its text stays alive in the document */
  lua_settop(L, top);
  return scalar;
}
