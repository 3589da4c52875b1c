/* moment.c: the clocks, the dice and sleep. A client's `clock` and `random`
   options stand in for them in tests. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <time.h>

#include "lua/binding.h"

static uint64_t nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double seconds(clockid_t clock) {
  return (double)nanoseconds(clock) / 1e9;
}

double lus_seconds(void) {
  return seconds(CLOCK_MONOTONIC);
}

/* Uniform in [0, 1): the nanoseconds of both clocks, mixed (splitmix64). What
   it is for, jitter and boundaries, must differ from call to call and from
   worker to worker; it need not be secret. */
static double dice(uint64_t monotonic, uint64_t wall) {
  uint64_t mixed = monotonic ^ wall << 24;
  mixed += 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  mixed ^= mixed >> 31;
  return (double)(mixed >> 11) / US_EXACT_FLOAT;
}

/* Calls the environment's function `name`; false when there is none. */
static bool ask(lua_State *L, int environment, const char *name,
                double *answer) {
  lua_getfield(L, environment, name);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  lua_call(L, 0, 1);
  if (lua_type(L, -1) != LUA_TNUMBER)
    luaL_error(L, "the option '%s' must return a number", name);
  *answer = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return true;
}

us_moment lus_moment(lua_State *L, int environment) {
  uint64_t monotonic = nanoseconds(CLOCK_MONOTONIC);
  uint64_t wall = nanoseconds(CLOCK_REALTIME);
  us_moment now;
  if (ask(L, environment, "clock", &now.unix_time)) {
    if (!(fabs(now.unix_time) < 1e14))
      luaL_error(L, "the option 'clock' must return Unix seconds");
    now.monotonic = now.unix_time;
  } else {
    now.unix_time = (double)wall / 1e9;
    now.monotonic = (double)monotonic / 1e9;
  }
  if (!ask(L, environment, "random", &now.random))
    now.random = dice(monotonic, wall);
  if (!(now.random >= 0 && now.random < 1))
    luaL_error(L, "the option 'random' must return a number in [0, 1)");
  return now;
}

int lus_now(lua_State *L) {
  lua_pushnumber(L, seconds(CLOCK_REALTIME));
  return 1;
}

int lus_monotonic(lua_State *L) {
  lua_pushnumber(L, seconds(CLOCK_MONOTONIC));
  return 1;
}

/* Sleeps once and returns the seconds left when a signal came: the caller
   loops in Lua, so that the signal's debug hook gets to run. */
int lus_sleep(lua_State *L) {
  double wanted = luaL_checknumber(L, 1);
  struct timespec rest = {0, 0};
  struct timespec wait;
  if (!(wanted > 0)) wanted = 0;
  if (wanted > 1e8) wanted = 1e8;
  wait.tv_sec = (time_t)floor(wanted);
  wait.tv_nsec = (long)((wanted - floor(wanted)) * 1e9);
  if (nanosleep(&wait, &rest) == 0 || errno != EINTR) {
    lua_pushnumber(L, 0);
  } else {
    lua_pushnumber(L, (double)rest.tv_sec + (double)rest.tv_nsec / 1e9);
  }
  return 1;
}
