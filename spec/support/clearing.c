/* clearing.c: a module that makes the Lua state that loads it clear all memory
   it frees, as a host program can with an allocator of its own. Strings that
   are dropped then leave nothing behind; what is found after that was left by
   C, or is still held. For spec/heap_spec.lua, no part of the library. */
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

static lua_Alloc allocate;
static void *context;

static void *release(void *block, size_t size) {
  memset(block, 0, size);
  return allocate(context, block, size, 0);
}

/* Never in place: what grows would leave its old bytes behind. */
static void *clearing(void *unused, void *block, size_t old, size_t size) {
  void *moved;
  (void)unused;
  if (block == NULL) return allocate(context, NULL, old, size);
  if (size == 0) return release(block, old);
  moved = allocate(context, NULL, 0, size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, old < size ? old : size);
  release(block, old);
  return moved;
}

__attribute__((visibility("default"))) int luaopen_clearing(lua_State *L);
int luaopen_clearing(lua_State *L) {
  if (allocate != NULL) return luaL_error(L, "one state a process");
  allocate = lua_getallocf(L, &context);
  lua_setallocf(L, clearing, NULL);
  return 0;
}
