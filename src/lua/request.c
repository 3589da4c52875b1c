/* request.c: a request as the table that transports and users see. */
#include "lua/binding.h"

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

void lus_request_push(lua_State *L, const us_request *request) {
  lua_createtable(L, 0, 12);
  lua_pushstring(L, request->verb);
  lua_setfield(L, -2, "method");
  push_bytes(L, &request->url);
  lua_setfield(L, -2, "url");
  push_headers(L, &request->headers);
  lua_setfield(L, -2, "headers");
  if (request->has_body) {
    push_bytes(L, &request->body);
    lua_setfield(L, -2, "body");
  }
}
