/* reply.c: what a transport returned, checked and decoded for the core. */
#include "lua/binding.h"

/* The value of Retry-After in the table at `index`, however it is spelled. It
   stays on the stack: the slice points into it. */
static us_slice retry_after(lua_State *L, int index) {
  us_slice value = {"", 0};
  if (!lua_istable(L, index)) return value;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    us_slice name = {"", 0};
    if (lua_type(L, -2) == LUA_TSTRING)
      name.data = lua_tolstring(L, -2, &name.length);
    if (us_header_name_is(name, "Retry-After") && lua_isstring(L, -1)) {
      value.data = lua_tolstring(L, -1, &value.length);
      return value;
    }
    lua_pop(L, 1);
  }
  return value;
}

static bool is_nil_or(lua_State *L, int index, int type) {
  return lua_isnil(L, index) || lua_type(L, index) == type;
}

/* Stack: 1 call, then what the transport returned. */
static void check_reply(lua_State *L, const us_provider *provider) {
  lus_place place = {provider->name, NULL, 0};
  bool failed = lua_isnil(L, 2) && lua_type(L, 3) == LUA_TSTRING &&
                is_nil_or(L, 4, LUA_TSTRING);
  bool answered = lua_type(L, 2) == LUA_TNUMBER && lua_tonumber(L, 2) > -1e5 &&
                  lua_tonumber(L, 2) < 1e5 && is_nil_or(L, 3, LUA_TTABLE) &&
                  is_nil_or(L, 4, LUA_TSTRING);
  if (failed || answered) return;
  lua_pushfstring(L,
                  "a transport returns status, headers, body or nil, kind, "
                  "message, sent; this one returned %s, %s, %s",
                  luaL_typename(L, 2), luaL_typename(L, 3),
                  luaL_typename(L, 4));
  lus_raise(L, &place, lua_tostring(L, -1));
}

/* Stack: 1 call, 2 nil, 3 kind, 4 message, 5 sent. */
static void read_failure(lua_State *L, us_reply *reply) {
  us_slice kind;
  kind.data = lua_tolstring(L, 3, &kind.length);
  reply->failed = true;
  reply->kind = us_kind_find(kind, US_KIND_NETWORK);
  reply->message.data =
      luaL_optlstring(L, 4, kind.data, &reply->message.length);
  reply->sent = lua_isnil(L, 5) || lua_toboolean(L, 5);
}

/* Stack: 1 call, 2 status, 3 headers, 4 body; the value decoded from it, or
   the words why not, comes to the top. */
static void read_answer(lua_State *L, us_json_reader *reader, lus_shape *shape,
                        us_reply *reply, us_document *document) {
  reply->status = (int)lua_tonumber(L, 2);
  if (reply->status >= 400) reply->retry_after = retry_after(L, 3);
  reply->body.data = luaL_optlstring(L, 4, "", &reply->body.length);
  if (us_response_is_empty(reply->body)) {
    lua_pushboolean(L, 1);
  } else if (lus_json_decode(L, reader, reply->body, shape)) {
    reply->document = document;
  } else {
    reply->decode_problem.data =
        lua_tolstring(L, -1, &reply->decode_problem.length);
  }
}

/* Stack: 1 call, 2 to 5 what the transport returned. */
void lus_reply_read(lua_State *L, const us_provider *provider,
                    us_json_reader *reader, lus_shape *shape, us_reply *reply,
                    us_document *document) {
  check_reply(L, provider);
  if (lua_isnil(L, 2))
    read_failure(L, reply);
  else
    read_answer(L, reader, shape, reply, document);
}
