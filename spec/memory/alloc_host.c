/* alloc_host.c: an interpreter whose n-th allocation fails: Lua's own through
   the allocator of its state, those of the C libraries through the preloaded
   failing_malloc.c. It runs a script, which finds all this in the module
   "torture"; what is tried and what must come of it is the script's.

     alloc_host SCRIPT [ARGUMENT...] */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing_malloc.h"

/* Those of Lua are counted like those of failing_malloc.c. */
typedef struct {
  size_t blocks, bytes;
  unsigned long seen, first, last;
  bool armed;
} heap;

static heap lua_heap;

/* Where a child has come to; its parent can read it when the child is dead. */
static volatile long *shared_point;

/* Seconds that one point may take. */
enum { PATIENCE = 20 };

static bool refuses(heap *from) {
  if (!from->armed) return false;
  from->seen++;
  return from->seen >= from->first && from->seen <= from->last;
}

/* Lua 5.1 and LuaJIT take it that a block can always become smaller. */
static void *allocate(void *context, void *block, size_t old, size_t size) {
  heap *from = context;
  void *moved;
  if (block == NULL) old = 0; /* in 5.4 it is a type */
  if (size == 0) {
    if (block != NULL) from->blocks--;
    from->bytes -= old;
    free(block);
    return NULL;
  }
  if (size > old && refuses(from)) return NULL;
  moved = realloc(block, size);
  if (moved == NULL) return NULL;
  if (block == NULL) from->blocks++;
  from->bytes += size - old;
  return moved;
}

/* --- the C libraries', when failing_malloc.so is preloaded --------------- */

static struct {
  void (*arm)(unsigned long, unsigned long);
  unsigned long (*disarm)(void);
  size_t (*blocks)(void);
  unsigned long (*serial)(void);
  bool (*next)(size_t *, unsigned long, char *, size_t);
} c_heap;

static void find_c_heap(void) {
  *(void **)&c_heap.arm = dlsym(RTLD_DEFAULT, "failing_malloc_arm");
  *(void **)&c_heap.disarm = dlsym(RTLD_DEFAULT, "failing_malloc_disarm");
  *(void **)&c_heap.blocks = dlsym(RTLD_DEFAULT, "failing_malloc_blocks");
  *(void **)&c_heap.serial = dlsym(RTLD_DEFAULT, "failing_malloc_serial");
  *(void **)&c_heap.next = dlsym(RTLD_DEFAULT, "failing_malloc_next");
}

static void arm(bool of_c, unsigned long first, unsigned long last) {
  if (of_c) {
    c_heap.arm(first, last);
    return;
  }
  lua_heap.seen = 0;
  lua_heap.first = first;
  lua_heap.last = last;
  lua_heap.armed = true;
}

static unsigned long disarm(bool of_c) {
  if (of_c) return c_heap.disarm();
  lua_heap.armed = false;
  return lua_heap.seen;
}

/* --- the module ---------------------------------------------------------- */

/* run("lua" | "c", first, last, function, ...) -> allocations seen, true,
   results... | allocations seen, false, error. Nothing but the function runs
   while they fail. */
static int run(lua_State *L) {
  bool of_c = strcmp(luaL_checkstring(L, 1), "c") == 0;
  unsigned long first = (unsigned long)luaL_checknumber(L, 2);
  unsigned long last = (unsigned long)luaL_checknumber(L, 3);
  unsigned long seen;
  int status;
  luaL_checktype(L, 4, LUA_TFUNCTION);
  if (of_c && c_heap.arm == NULL)
    return luaL_error(L, "failing_malloc.so is not preloaded");
  arm(of_c, first, last);
  status = lua_pcall(L, lua_gettop(L) - 4, LUA_MULTRET, 0);
  seen = disarm(of_c);
  lua_pushnumber(L, (lua_Number)seen);
  lua_replace(L, 2);
  lua_pushboolean(L, status == 0);
  lua_replace(L, 3);
  return lua_gettop(L) - 1;
}

/* blocks() -> how many the C libraries hold, but for what OpenSSL keeps for
   each thread, such as the texts of its last errors. */
static int blocks(lua_State *L) {
  OPENSSL_thread_stop();
  lua_pushnumber(L, c_heap.blocks != NULL ? (lua_Number)c_heap.blocks() : 0);
  return 1;
}

/* mark() -> a number for younger_than */
static int mark(lua_State *L) {
  unsigned long serial = c_heap.serial != NULL ? c_heap.serial() : 0;
  lua_pushnumber(L, (lua_Number)serial);
  return 1;
}

/* younger_than(mark) -> { who allocated what the C libraries still hold } */
static int younger_than(lua_State *L) {
  unsigned long since = (unsigned long)luaL_checknumber(L, 1);
  char text[256];
  size_t at = 0;
  int count = 0;
  lua_newtable(L);
  while (c_heap.next != NULL && c_heap.next(&at, since, text, sizeof text)) {
    lua_pushstring(L, text);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* descriptors() -> how many are open */
static int descriptors(lua_State *L) {
  int count = -3; /* ".", ".." and its own */
  DIR *directory = opendir("/proc/self/fd");
  if (directory == NULL) return luaL_error(L, "there is no /proc/self/fd");
  while (readdir(directory) != NULL)
    count++;
  closedir(directory);
  lua_pushinteger(L, count);
  return 1;
}

/* at(point): tells the parent, and begins the time that the point may take. */
static int at(lua_State *L) {
  *shared_point = (long)luaL_checknumber(L, 1);
  alarm(PATIENCE);
  return 0;
}

/* Reads all that the child prints. */
static void push_output(lua_State *L, int from) {
  luaL_Buffer text;
  ssize_t length;
  luaL_buffinit(L, &text);
  do {
    length = read(from, luaL_prepbuffer(&text), LUAL_BUFFERSIZE);
    if (length > 0) luaL_addsize(&text, (size_t)length);
  } while (length > 0 || (length < 0 && errno == EINTR));
  luaL_pushresult(&text);
}

static void run_child(lua_State *L, int to) {
  dup2(to, STDOUT_FILENO);
  close(to);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 0, 0, 0) != 0) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    _exit(1);
  }
  fflush(stdout);
  exit(0);
}

/* isolated(function) -> what it printed, exit code or -signal, its point. Runs
   the function in a process of its own. */
static int isolated(lua_State *L) {
  int ends[2], status = 0;
  pid_t child;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  *shared_point = 0;
  fflush(stdout);
  if (pipe(ends) != 0 || (child = fork()) < 0)
    return luaL_error(L, "no process: %s", strerror(errno));
  if (child == 0) {
    close(ends[0]);
    run_child(L, ends[1]);
  }
  close(ends[1]);
  push_output(L, ends[0]);
  close(ends[0]);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    continue;
  lua_pushinteger(L,
                  WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  lua_pushnumber(L, (lua_Number)*shared_point);
  return 3;
}

static const luaL_Reg functions[] = {{"at", at},
                                     {"blocks", blocks},
                                     {"run", run},
                                     {"descriptors", descriptors},
                                     {"mark", mark},
                                     {"younger_than", younger_than},
                                     {"isolated", isolated}};

static int open_all(lua_State *L) {
  size_t i;
  luaL_openlibs(L);
  lua_newtable(L);
  for (i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    lua_pushcfunction(L, functions[i].func);
    lua_setfield(L, -2, functions[i].name);
  }
  lua_setglobal(L, "torture");
  return 0;
}

static int run_script(lua_State *L, int count, char **arguments) {
  int i;
  lua_pushcfunction(L, open_all);
  if (lua_pcall(L, 0, 0, 0) != 0) return 1;
  if (luaL_loadfile(L, arguments[1]) != 0) return 1;
  for (i = 2; i < count; i++)
    lua_pushstring(L, arguments[i]);
  return lua_pcall(L, count - 2, 0, 0);
}

int main(int count, char **arguments) {
  lua_State *L;
  int status;
  find_c_heap();
  shared_point = mmap(NULL, sizeof *shared_point, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  L = lua_newstate(allocate, &lua_heap);
  if (count < 2 || shared_point == MAP_FAILED || L == NULL) {
    fprintf(stderr, "alloc_host: no script, no memory, or a Lua that takes no "
                    "allocator\n");
    return 2;
  }
  status = run_script(L, count, arguments);
  if (status != 0) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  if (lua_heap.blocks != 0 || lua_heap.bytes != 0) {
    fprintf(stderr, "alloc_host: the closed state holds %lu blocks\n",
            (unsigned long)lua_heap.blocks);
    status = 1;
  }
  return status != 0;
}
