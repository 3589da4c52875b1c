/* process.c: what Lua does not tell of its process: its number and host,
   whether another one lives, a request to stop, its terminal and output, which
   file a path is and who may read it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/sign.h"
#include "lua/binding.h"

static volatile sig_atomic_t interrupts;

static const int caught[] = {SIGINT, SIGTERM};
#define CAUGHT (sizeof caught / sizeof caught[0])
static struct sigaction before[CAUGHT];
static int catching; /* how many ask for it */

static void interrupt(int signal) {
  (void)signal;
  interrupts = 1;
}

/* catch_interrupts(on): SIGINT and SIGTERM are noted, and no more than noted,
   the first time they come; the second time they end the process as ever. Until
   it was called with false as often as with true. */
int lus_catch_interrupts(lua_State *L) {
  bool on = lua_toboolean(L, 1);
  struct sigaction action;
  size_t i;
  if (!on && catching == 0) return 0;
  if (!on) catching--;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_handler = interrupt;
  action.sa_flags = (int)SA_RESETHAND;
  for (i = 0; i < CAUGHT && catching == 0; i++) {
    if (on)
      sigaction(caught[i], &action, &before[i]);
    else
      sigaction(caught[i], &before[i], NULL);
  }
  if (catching == 0) interrupts = 0;
  if (on) catching++;
  return 0;
}

/* plain_interrupts(): SIGINT ends the process. The handler that an interpreter
   has of its own raises an error instead, which any pcall may keep. */
int lus_plain_interrupts(lua_State *L) {
  struct sigaction action;
  (void)L;
  memset(&action, 0, sizeof action);
  sigemptyset(&action.sa_mask);
  action.sa_handler = SIG_DFL;
  if (catching == 0) sigaction(SIGINT, &action, NULL);
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

/* is_written() -> whether all that was printed could be: print does not say */
int lus_is_written(lua_State *L) {
  lua_pushboolean(L, fflush(stdout) == 0 && ferror(stdout) == 0);
  return 1;
}

/* terminal(descriptor) -> its width in columns (80 when it does not say), or
   nil when it is no terminal */
int lus_terminal(lua_State *L) {
  int descriptor = (int)luaL_checkinteger(L, 1);
  int width = 0;
#ifdef TIOCGWINSZ
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0) width = size.ws_col;
#endif
  if (!isatty(descriptor))
    lua_pushnil(L);
  else
    lua_pushinteger(L, width > 0 ? width : 80);
  return 1;
}

/* is_same_file(path, path) -> whether both are there, and are one */
int lus_is_same_file(lua_State *L) {
  struct stat one, other;
  bool are_there = stat(luaL_checkstring(L, 1), &one) == 0 &&
                   stat(luaL_checkstring(L, 2), &other) == 0;
  lua_pushboolean(L, are_there && one.st_dev == other.st_dev &&
                         one.st_ino == other.st_ino);
  return 1;
}

static const char *private_problem(int file) {
  struct stat status;
  if (fstat(file, &status) != 0) return strerror(errno);
  if (!S_ISREG(status.st_mode)) return "is not a file";
  if (status.st_uid != geteuid()) return "belongs to another user";
  if (status.st_mode & (S_IRWXG | S_IRWXO))
    return "may be read by others: chmod 600";
  return NULL;
}

/* read_private(path) -> the content of a file that nobody but us may read;
   nil, why not */
int lus_read_private(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  us_buffer *content = lus_buffer_new(L, US_LIMIT_OPTION);
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const char *problem = file < 0 ? strerror(errno) : private_problem(file);
  char block[512];
  ssize_t length = 0;
  while (problem == NULL && (length = read(file, block, sizeof block)) > 0)
    us_buffer_append(content, block, (size_t)length);
  us_wipe(block, sizeof block);
  if (problem == NULL && length < 0) problem = strerror(errno);
  if (problem == NULL && content->status != US_OK) problem = "is too large";
  if (file >= 0) close(file);
  if (problem == NULL) {
    lua_pushlstring(L, us_buffer_slice(content).data, content->length);
    return 1;
  }
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, problem);
  return 2;
}
