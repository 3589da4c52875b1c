/* exchange.h: one attempt of a call whose transport is in C as well: usher.core
   and usher.curl read each other's part in place, for a Lua string takes time
   and cannot be wiped. They share nothing else. No function belongs here but
   the check that what came through Lua is what it says. */
#ifndef LUS_EXCHANGE_H
#define LUS_EXCHANGE_H

#include "lua/compat.h"

/* What every userdata of these classes begins with. */
typedef struct {
  unsigned int mark; /* that of its class while there is something to be read */
} lus_exchange;

/* Others when these structures change: the two modules may have been installed
   by different versions. */
#define LUS_ATTEMPT_MARK 0x75736101u
#define LUS_ANSWER_MARK 0x75736201u

/* A call with a request to be sent; what it points at stays until the call is
   told how that went. */
#define LUS_ATTEMPT "usher.call"
typedef struct {
  lus_exchange exchange;
  const char *method;
  const char *url; /* with a NUL behind it */
  size_t url_length;
  const char *headers; /* as core/headers.h packs them */
  size_t headers_length;
  const char *body; /* NULL: none */
  size_t body_length;
  double timeout; /* seconds */
  double connect_timeout;
  double max_response_size; /* bytes */
  int idempotent;
} lus_attempt;

/* How it went. */
#define LUS_ANSWER "usher.answer"
typedef struct {
  lus_exchange exchange;
  const char *kind; /* NULL: an answer has come */
  const char *message;
  int sent; /* the request may have been acted on */
  int status;
  const char *head; /* from the status line to the empty line */
  size_t head_length;
  const char *body;
  size_t body_length;
} lus_answer;

/* The userdata at `index`, of a class, of at least `size` bytes and with its
   mark, or NULL: debug.setmetatable does not deceive it. */
static inline void *lus_exchange_test(lua_State *L, int index, const char *name,
                                      size_t size, unsigned int mark) {
  const lus_exchange *exchange = NULL;
  if (lua_type(L, index) == LUA_TUSERDATA && lus_raw_length(L, index) >= size &&
      lua_getmetatable(L, index)) {
    luaL_getmetatable(L, name);
    if (lua_istable(L, -1) && lua_rawequal(L, -1, -2))
      exchange = lua_touserdata(L, index);
    lua_pop(L, 2);
  }
  return exchange != NULL && exchange->mark == mark ? (void *)exchange : NULL;
}

#endif
