/* request.c: a request as the table that transports and users see. */
#include "lua/binding.h"

void lus_request_push(lua_State *L, const us_request *request) {
  us_slice url = us_buffer_slice(&request->url);
  us_slice body = us_buffer_slice(&request->body);
  us_header header;
  size_t at = 0;
  lua_createtable(L, 0, 12);
  lua_pushstring(L, request->verb);
  lua_setfield(L, -2, "method");
  lua_pushlstring(L, url.data, url.length);
  lua_setfield(L, -2, "url");
  lua_createtable(L, 0, 8);
  while (us_headers_next(&request->headers, &at, &header)) {
    lua_pushlstring(L, header.name.data, header.name.length);
    lua_pushlstring(L, header.value.data, header.value.length);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, "headers");
  if (request->has_body) {
    lua_pushlstring(L, body.data, body.length);
    lua_setfield(L, -2, "body");
  }
}
