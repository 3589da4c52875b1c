/* error.c: the error value of Lua: a table that prints itself. */
#include "core/error.h"

#include "lua/binding.h"

static const char metatable[] = "usher.error";

/* "usher.qiscus:user_profile: http 404: Not Found (HTTP 404)": built from the
   fields, which are the user's to read and to change. */
static int error_tostring(lua_State *L) {
  luaL_Buffer text;
  static const char *const parts[][3] = {/* before, field, after */
                                         {"usher.", "provider", ":"},
                                         {"", "method", ": "},
                                         {"", "kind", ""},
                                         {" ", "code", ""},
                                         {": ", "message", ""},
                                         {" (HTTP ", "status", ")"}};
  size_t i;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_buffinit(L, &text);
  for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    lua_pushstring(L, parts[i][1]);
    lua_rawget(L, 1);
    if (!lua_isstring(L, -1)) {
      lua_pop(L, 1);
      continue;
    }
    lua_pushstring(L, parts[i][0]);
    lua_insert(L, -2);
    lua_pushstring(L, parts[i][2]);
    lua_concat(L, 3);
    luaL_addvalue(&text);
  }
  luaL_pushresult(&text);
  return 1;
}

/* Calls the global tostring on the value at `index`. */
static void push_string(lua_State *L, int index) {
  lua_getglobal(L, "tostring");
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
}

static int error_concat(lua_State *L) {
  push_string(L, 1);
  push_string(L, 2);
  lua_concat(L, 2);
  return 1;
}

void lus_error_open(lua_State *L) {
  static const luaL_Reg metamethods[] = {
      {"__tostring", error_tostring}, {"__concat", error_concat}, {NULL, NULL}};
  luaL_newmetatable(L, metatable);
  lus_register(L, NULL, metamethods);
  lua_pushstring(L, metatable);
  lua_setfield(L, -2, "__name");
  lua_pop(L, 1);
}

static void set_text(lua_State *L, const char *name, us_slice text) {
  lua_pushlstring(L, text.data, text.length);
  lua_setfield(L, -2, name);
}

static void set_optional(lua_State *L, const us_error *error) {
  if (error->status > 0) {
    lua_pushinteger(L, error->status);
    lua_setfield(L, -2, "status");
  }
  if (error->code.length > 0) {
    us_slice code = us_buffer_slice(&error->code);
    lua_pushlstring(L, code.data, code.length);
    if (error->code_is_number)
      lua_pushinteger(L, lua_tointeger(L, -1));
    else
      lua_pushvalue(L, -1);
    lua_setfield(L, -3, "code");
    lua_pop(L, 1);
  }
  if (error->retry_after >= 0) {
    lua_pushnumber(L, error->retry_after);
    lua_setfield(L, -2, "retry_after");
  }
  if (error->body.length > 0)
    set_text(L, "body", us_buffer_slice(&error->body));
}

void lus_error_push(lua_State *L, const us_call *call, const char *provider) {
  const us_error *error = &call->error;
  lua_createtable(L, 0, 12);
  set_text(L, "provider", us_text(provider));
  set_text(L, "method", us_text(call->method->name));
  set_text(L, "kind", us_text(us_kind_names[error->kind]));
  set_text(L, "message", us_error_message(error));
  lua_pushboolean(L, error->retryable);
  lua_setfield(L, -2, "retryable");
  lua_pushboolean(L, error->request_sent);
  lua_setfield(L, -2, "request_sent");
  lua_pushinteger(L, call->attempts);
  lua_setfield(L, -2, "attempts");
  set_optional(L, error);
  luaL_getmetatable(L, metatable);
  lua_setmetatable(L, -2);
}

/* error(fields) -> the same table, as an error that prints itself */
int lus_error_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_getmetatable(L, metatable);
  lua_setmetatable(L, 1);
  return 1;
}
