/* module.h: what the files of usher.curl's Lua face share. They alone, of this
   directory, include Lua. */
#ifndef LUS_CURL_MODULE_H
#define LUS_CURL_MODULE_H

#include "curl/loop.h"
#include "lua/compat.h"

#define LUS_POOL "usher.curl.pool"
#define LUS_LOOP "usher.curl.loop"
#define LUS_TRANSFER "usher.curl.transfer"
#define LUS_SEALED "usher.sealed"

/* The stack of pool:start. */
enum {
  LUS_SELF = 1,
  LUS_REQUEST,
  LUS_METHOD,
  LUS_URL,
  LUS_HEADERS,
  LUS_BODY,
  LUS_RESULT
};

/* The stack of curl.new. */
enum { LUS_GIVEN = 1, LUS_POOL_RESULT, LUS_TEXTS };

enum { LUS_REQUEST_HEADERS = 64 };

/* module.c */
us_pool *lus_pool_check(lua_State *L, int index);
/* Pushes a finished transfer of the pool at `pool`, and frees its slot; false
   when it is being collected. */
bool lus_transfer_push(lua_State *L, int pool, const us_transfer *transfer);

void lus_class_new(lua_State *L, const char *name, const luaL_Reg *methods,
                   const luaL_Reg *metamethods);

/* module_request.c */
/* Raises "<field> <problem>"; a NULL problem is none. */
void lus_complain(lua_State *L, const char *field, const char *problem);
/* Reads the table at LUS_REQUEST. Leaves its texts on the stack as LUS_METHOD,
   LUS_URL, LUS_HEADERS and LUS_BODY. */
void lus_request_read(lua_State *L, us_wire_request *request);
/* Lists the names of the headers, sorted: a request is the same bytes every
   time. */
int lus_headers_list(lua_State *L, const us_wire_request *request,
                     const char **names);
/* Gives them to the transfer, whose they are from the first on. */
void lus_headers_fill(lua_State *L, us_transfer *transfer, const char **names,
                      int count);

/* Whether it is a userdata of usher.core that holds bytes and a NUL. */
bool lus_is_sealed(lua_State *L, int index);
/* Does nothing to other values. */
void lus_wipe_sealed(lua_State *L, int index);

/* module_settings.c */
/* Checks and reads the table at LUS_GIVEN; texts are kept in LUS_TEXTS. */
void lus_settings_check(lua_State *L);
void lus_settings_read(lua_State *L, us_pool *pool);

/* module_loop.c */
void lus_loop_open(lua_State *L);
int lus_loop_new(lua_State *L);

#endif
