/* host.c: spec.lifetime.host, what Lua lacks to put a library through its life:
   Lua states beside the own one, in threads and one after the other, fork, the
   disposition of SIGPIPE, and userdata of a foreign make. Of usher it knows
   nothing. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, ARGUMENTS = 8 };

/* A script, and what became of the states that ran it. */
typedef struct {
  const char *script;
  const char *arguments[ARGUMENTS];
  int count;
  int states;
  int finished;
  char problem[512];
} job;

static int run_script(lua_State *L) {
  const job *work = lua_touserdata(L, 1);
  int i;
  luaL_openlibs(L);
  if (luaL_loadfile(L, work->script) != 0) lua_error(L);
  for (i = 0; i < work->count; i++)
    lua_pushstring(L, work->arguments[i]);
  lua_call(L, work->count, 0);
  return 0;
}

/* Each state lives from here to the end of its script. */
static void *run_states(void *context) {
  job *work = context;
  int i;
  for (i = 0; i < work->states; i++) {
    lua_State *L = luaL_newstate();
    if (L == NULL) break;
    lua_pushcfunction(L, run_script);
    lua_pushlightuserdata(L, work);
    if (lua_pcall(L, 1, 0, 0) == 0)
      work->finished++;
    else
      snprintf(work->problem, sizeof work->problem, "%s",
               lua_isstring(L, -1) ? lua_tostring(L, -1) : "no message");
    lua_close(L);
  }
  return NULL;
}

/* Starts as many threads as it can; returns how many. */
static int start_threads(pthread_t *threads, job *jobs, int count) {
  int i;
  for (i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, run_states, &jobs[i]) != 0) break;
  return i;
}

/* run(threads, states, script, argument...) -> how many states ran the script
   to its end [, the message of one that did not]
   Each thread has `states` of them, one after the other; with no thread they
   run in this one. */
static int run(lua_State *L) {
  pthread_t threads[THREADS];
  int i, started, finished = 0, count = (int)luaL_checkinteger(L, 1);
  job work = {NULL, {NULL}, lua_gettop(L) - 3, 0, 0, ""};
  job *jobs;
  luaL_argcheck(L, count >= 0 && count <= THREADS, 1, "too many");
  luaL_argcheck(L, work.count <= ARGUMENTS, 4, "too many");
  work.states = (int)luaL_checkinteger(L, 2);
  work.script = luaL_checkstring(L, 3);
  for (i = 0; i < work.count; i++)
    work.arguments[i] = luaL_checkstring(L, 4 + i);
  jobs = lua_newuserdata(L, sizeof *jobs * (size_t)(count + 1));
  for (i = 0; i <= count; i++)
    jobs[i] = work;
  started = start_threads(threads, jobs, count);
  if (count == 0) run_states(&jobs[0]);
  for (i = 0; i < started; i++)
    pthread_join(threads[i], NULL);
  for (i = 0; i <= count; i++) {
    finished += jobs[i].finished;
    if (jobs[i].problem[0] != '\0') work.script = jobs[i].problem;
  }
  lua_pushinteger(L, finished);
  if (work.script == lua_tostring(L, 3)) return 1;
  lua_pushstring(L, work.script);
  return 2;
}

/* fork() -> 0 in the child, its process id in the parent */
static int host_fork(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)fork());
  return 1;
}

/* wait(child) -> "exit" or "signal", and which */
static int host_wait(lua_State *L) {
  int status = 0;
  if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0) return 0;
  lua_pushstring(L, WIFEXITED(status) ? "exit" : "signal");
  lua_pushinteger(L,
                  WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return 2;
}

/* leave(code): ends the process as it stands. */
static int host_leave(lua_State *L) {
  _exit((int)luaL_checkinteger(L, 1));
}

static volatile sig_atomic_t caught;

static void count_signal(int number) {
  (void)number;
  caught++;
}

/* on_sigpipe("default" | "ignore" | "count") */
static int on_sigpipe(lua_State *L) {
  static const char *const names[] = {"default", "ignore", "count", NULL};
  struct sigaction action;
  int choice = luaL_checkoption(L, 1, NULL, names);
  memset(&action, 0, sizeof action);
  action.sa_handler = choice == 0   ? SIG_DFL
                      : choice == 1 ? SIG_IGN
                                    : count_signal;
  sigaction(SIGPIPE, &action, NULL);
  return 0;
}

/* sigpipe() -> what on_sigpipe has set, or "other"; how many were caught */
static int sigpipe(lua_State *L) {
  struct sigaction action;
  const char *name = "other";
  sigaction(SIGPIPE, NULL, &action);
  if (action.sa_handler == SIG_DFL) name = "default";
  if (action.sa_handler == SIG_IGN) name = "ignore";
  if (action.sa_handler == count_signal) name = "count";
  lua_pushstring(L, name);
  lua_pushinteger(L, caught);
  return 2;
}

/* userdata(size [, metatable]) */
static int foreign_userdata(lua_State *L) {
  size_t size = (size_t)luaL_checkinteger(L, 1);
  lua_settop(L, 2);
  memset(lua_newuserdata(L, size), 0xff, size);
  if (lua_istable(L, 2)) {
    lua_pushvalue(L, 2);
    lua_setmetatable(L, -2);
  }
  return 1;
}

__attribute__((visibility("default"))) int
luaopen_spec_lifetime_host(lua_State *L);

int luaopen_spec_lifetime_host(lua_State *L) {
  static const luaL_Reg functions[] = {{"fork", host_fork},
                                       {"leave", host_leave},
                                       {"wait", host_wait},
                                       {"on_sigpipe", on_sigpipe},
                                       {"run", run},
                                       {"sigpipe", sigpipe},
                                       {"userdata", foreign_userdata},
                                       {NULL, NULL}};
  const luaL_Reg *function;
  lua_newtable(L);
  for (function = functions; function->name != NULL; function++) {
    lua_pushcfunction(L, function->func);
    lua_setfield(L, -2, function->name);
  }
  return 1;
}
