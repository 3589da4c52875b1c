/* module.h: what the files of usher.curl's Lua face share. They alone, of this
   directory, include Lua. */
#ifndef LUS_CURL_MODULE_H
#define LUS_CURL_MODULE_H

#include "curl/loop.h"
#include "lua/exchange.h"

#define LUS_POOL "usher.curl.pool"
#define LUS_LOOP "usher.curl.loop"

/* The stack of pool:start. */
enum {
  LUS_SELF = 1,
  LUS_REQUEST,
  LUS_RESULT,
  LUS_METHOD,
  LUS_URL,
  LUS_HEADERS,
  LUS_BODY
};

/* The environment of a pool. */
enum { LUS_TRANSFERS = 1, LUS_KEPT_TEXTS, LUS_IDLE };

/* The stack of curl.new. */
enum { LUS_GIVEN = 1, LUS_POOL_RESULT, LUS_TEXTS };

/* module.c */
/* The pool at `index`, or NULL when it is closed; raises for anything else, and in
   a forked child. */
us_pool *lus_pool_check(lua_State *L, int index);
void lus_class_new(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods);

/* module_transfer.c */
void lus_transfer_open(lua_State *L);
/* Pushes a new one at LUS_RESULT, or one that is as good as new, of the pool at
   LUS_SELF. */
us_transfer *lus_transfer_new(lua_State *L);
/* Frees what those of the pool at LUS_SELF hold that wait to be used again. */
void lus_transfers_free(lua_State *L);
/* Pushes a finished transfer of the pool at `pool`; false when it is being
   collected. */
bool lus_transfer_push(lua_State *L, int pool, us_transfer *transfer);

/* module_request.c */
/* Raises "<field> <problem>"; a NULL problem is none. */
void lus_complain(lua_State *L, const char *field, const char *problem);
/* Gives the transfer its request: of the table at LUS_REQUEST, or of the call,
   a userdata of usher.core. */
void lus_request_read(lua_State *L, us_transfer *transfer);

/* module_settings.c */
/* Checks and reads the table at LUS_GIVEN; texts are kept in LUS_TEXTS. */
void lus_settings_check(lua_State *L);
void lus_settings_read(lua_State *L, us_pool *pool);

/* module_loop.c */
void lus_loop_open(lua_State *L);
int lus_loop_new(lua_State *L);

#endif
