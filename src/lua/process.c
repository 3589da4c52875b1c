/* process.c: what Lua does not tell of its process: its number and host,
   whether another one lives, and a request to stop. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lua/binding.h"

static volatile sig_atomic_t interrupts;

static const int caught[] = {SIGINT, SIGTERM};
#define CAUGHT (sizeof caught / sizeof caught[0])
static struct sigaction before[CAUGHT];
static bool catching;

static void interrupt(int signal) {
  (void)signal;
  interrupts = 1;
}

/* catch_interrupts(on): SIGINT and SIGTERM are noted, and no more than noted,
   the first time they come; the second time they end the process as ever. */
int lus_catch_interrupts(lua_State *L) {
  bool on = lua_toboolean(L, 1);
  struct sigaction action;
  size_t i;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_handler = interrupt;
  action.sa_flags = (int)SA_RESETHAND;
  for (i = 0; i < CAUGHT && on != catching; i++) {
    if (on)
      sigaction(caught[i], &action, &before[i]);
    else
      sigaction(caught[i], &before[i], NULL);
  }
  if (on != catching) interrupts = 0;
  catching = on;
  return 0;
}

/* interrupted() -> whether a signal was noted since they are caught */
int lus_interrupted(lua_State *L) {
  lua_pushboolean(L, interrupts != 0);
  return 1;
}

/* process() -> its number, the name of its host */
int lus_process(lua_State *L) {
  char host[256];
  if (gethostname(host, sizeof host) != 0) host[0] = '\0';
  host[sizeof host - 1] = '\0';
  lua_pushinteger(L, (lua_Integer)getpid());
  lua_pushstring(L, host);
  return 2;
}

/* is_running(number) -> whether this host has such a process */
int lus_is_running(lua_State *L) {
  pid_t process = (pid_t)luaL_checkinteger(L, 1);
  lua_pushboolean(L, process > 0 && (kill(process, 0) == 0 || errno == EPERM));
  return 1;
}
