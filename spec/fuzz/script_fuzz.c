/* script_fuzz.c: scripts that misuse the library: any values as options, as
   arguments, as what a transport returns, in any order. What must hold is in
   script.lua; that nothing is read or written that should not be, the
   sanitizers see. */
#include "lua_host.h"
#include "spelling.h"

/* spelled(text, secret): whether the secret can be read out of the text */
static int spelled(lua_State *L) {
  us_slice text, secret;
  text.data = luaL_checklstring(L, 1, &text.length);
  secret.data = luaL_checklstring(L, 2, &secret.length);
  lua_pushboolean(L, spelling_occurs(text, secret));
  return 1;
}

static const luaL_Reg functions[] = {{"spelled", spelled}, {NULL, NULL}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lua_host_run("script", functions, data, size);
  return 0;
}
