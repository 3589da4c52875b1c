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

static void fail(us_reply *reply, us_slice kind, us_slice message, bool sent) {
  reply->failed = true;
  reply->kind = us_kind_find(kind, US_KIND_NETWORK);
  reply->message = message;
  reply->sent = sent;
}

/* Stack: 1 call, 2 nil, 3 kind, 4 message, 5 sent. */
static void read_failure(lua_State *L, us_reply *reply) {
  us_slice kind, message;
  kind.data = lua_tolstring(L, 3, &kind.length);
  message.data = luaL_optlstring(L, 4, kind.data, &message.length);
  fail(reply, kind, message, lua_isnil(L, 5) || lua_toboolean(L, 5));
}

/* The value decoded from the body, or the words why there is none, comes to the
   top. */
static void read_body(lua_State *L, us_json_reader *reader, lus_shape *shape,
                      us_reply *reply, us_document *document) {
  if (us_response_is_empty(reply->body)) {
    lua_pushboolean(L, 1);
  } else if (lus_json_decode(L, reader, reply->body, shape)) {
    reply->document = document;
  } else {
    reply->decode_problem.data =
        lua_tolstring(L, -1, &reply->decode_problem.length);
  }
}

/* Stack: 1 call, 2 status, 3 headers, 4 body. */
static void read_values(lua_State *L, us_reply *reply) {
  reply->status = (int)lua_tonumber(L, 2);
  if (reply->status >= 400) reply->retry_after = retry_after(L, 3);
  reply->body.data = luaL_optlstring(L, 4, "", &reply->body.length);
}

/* Stack: 1 call, 2 answer, which is read in place: it stays as it is until it
   is recycled. */
static void read_answer(lua_State *L, const lus_answer *answer,
                        us_reply *reply) {
  reply->status = answer->status;
  if (answer->kind != NULL)
    fail(reply, us_text(answer->kind), us_text(answer->message),
         answer->sent != 0);
  else if (answer->status >= 400) {
    lus_headers_push(L, answer->head, answer->head_length);
    reply->retry_after = retry_after(L, lua_gettop(L));
  }
  if (answer->body_length > 0) reply->body.data = answer->body;
  reply->body.length = answer->body_length;
}

/* Stack: 1 call, 2 to 5 what the transport returned. */
void lus_reply_read(lua_State *L, const us_provider *provider,
                    us_json_reader *reader, lus_shape *shape, us_reply *reply,
                    us_document *document) {
  const lus_answer *answer =
      lus_exchange_test(L, 2, LUS_ANSWER, sizeof *answer, LUS_ANSWER_MARK);
  reply->body.data = "";
  if (answer != NULL)
    read_answer(L, answer, reply);
  else {
    check_reply(L, provider);
    if (lua_isnil(L, 2))
      read_failure(L, reply);
    else
      read_values(L, reply);
  }
  if (!reply->failed) read_body(L, reader, shape, reply, document);
}
