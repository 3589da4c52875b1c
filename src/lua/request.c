/* request.c: a request as the table that transports and users see. */
#include <string.h>

#include "core/sign.h"
#include "lua/binding.h"

/* What is sealed is a userdata with its bytes and a NUL behind them: a Lua
   string cannot be wiped. usher.curl reads it in place: the headers, as
   headers.h packs them, and the body. */
static const char sealed_class[] = "usher.sealed";

static int sealed_gc(lua_State *L) {
  void *sealed = luaL_checkudata(L, 1, sealed_class);
  us_wipe(sealed, lus_raw_length(L, 1));
  return 0;
}

void lus_request_open(lua_State *L) {
  lus_collected(L, sealed_class, sealed_gc);
  luaL_getmetatable(L, sealed_class);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

static void push_sealed(lua_State *L, const us_buffer *bytes) {
  char *sealed = lua_newuserdata(L, bytes->length + 1);
  memcpy(sealed, us_buffer_slice(bytes).data, bytes->length);
  sealed[bytes->length] = '\0';
  luaL_getmetatable(L, sealed_class);
  lua_setmetatable(L, -2);
}

static void push_headers(lua_State *L, const us_buffer *list) {
  us_header header;
  size_t at = 0;
  lua_createtable(L, 0, 8);
  while (us_headers_next(list, &at, &header)) {
    lua_pushlstring(L, header.name.data, header.name.length);
    lua_pushlstring(L, header.value.data, header.value.length);
    lua_rawset(L, -3);
  }
}

static void push_bytes(lua_State *L, const us_buffer *bytes) {
  us_slice text = us_buffer_slice(bytes);
  lua_pushlstring(L, text.data, text.length);
}

void lus_request_push(lua_State *L, const us_request *request, bool sealed) {
  lua_createtable(L, 0, 12);
  lua_pushstring(L, request->verb);
  lua_setfield(L, -2, "method");
  push_bytes(L, &request->url);
  lua_setfield(L, -2, "url");
  (sealed ? push_sealed : push_headers)(L, &request->headers);
  lua_setfield(L, -2, "headers");
  if (request->has_body) {
    (sealed ? push_sealed : push_bytes)(L, &request->body);
    lua_setfield(L, -2, "body");
  }
}
