/* loop.c: libcurl's socket interface over epoll, and over poll() where there
   is no epoll. Which transfer has ended, and how, is multi.c's business. */
#include "curl/loop.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "curl/clock.h"

#if defined(__has_include)
#if __has_include(<sys/epoll.h>)
#include <sys/epoll.h>
#define HAVE_EPOLL 1
#endif
#endif

/* Events taken from the kernel at once. Few: what a task sends next goes out
   only after all of them were read. */
enum { BATCH = 8 };

static us_watch *watch_of(us_loop *loop, curl_socket_t descriptor) {
  size_t index = (size_t)descriptor, count = loop->count ? loop->count : 64;
  us_watch *moved;
  if (index < loop->count) return &loop->watches[index];
  while (count <= index)
    count *= 2;
  moved = realloc(loop->watches, count * sizeof *moved);
  if (moved == NULL) return NULL;
  memset(moved + loop->count, 0, (count - loop->count) * sizeof *moved);
  loop->watches = moved;
  loop->count = count;
  return &loop->watches[index];
}

#ifdef HAVE_EPOLL

static int open_epoll(void) {
  return epoll_create1(EPOLL_CLOEXEC);
}

/* Tells the kernel what is wanted, if that is news to it. */
static bool register_watch(us_loop *loop, curl_socket_t descriptor,
                           us_watch *watch) {
  struct epoll_event event;
  int action = watch->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (watch->wanted == watch->registered) return true;
  if (watch->wanted == 0) action = EPOLL_CTL_DEL;
  memset(&event, 0, sizeof event);
  event.events = (watch->wanted & POLLIN ? (unsigned)EPOLLIN : 0u) |
                 (watch->wanted & POLLOUT ? (unsigned)EPOLLOUT : 0u);
  event.data.fd = descriptor;
  if (epoll_ctl(loop->epoll, action, descriptor, &event) != 0 &&
      watch->wanted != 0)
    return false;
  watch->registered = watch->wanted;
  return true;
}

static int to_curl(unsigned int events) {
  int mask = 0;
  if (events & EPOLLIN) mask |= CURL_CSELECT_IN;
  if (events & EPOLLOUT) mask |= CURL_CSELECT_OUT;
  if (events & (EPOLLERR | EPOLLHUP)) mask |= CURL_CSELECT_ERR;
  return mask;
}

#else

static int open_epoll(void) {
  return -1;
}

static bool register_watch(us_loop *loop, curl_socket_t descriptor,
                           us_watch *watch) {
  (void)loop;
  (void)descriptor;
  (void)watch;
  return true;
}

#endif

/* A descriptor is about to be closed. The kernel would forget it by itself,
   but not while another process holds it too: one that was started meanwhile
   has inherited it. */
static void forget(void *context, curl_socket_t descriptor) {
  static const us_watch nothing = {NULL, 0, 0};
  us_loop *loop = context;
  us_watch *watch;
  if ((size_t)descriptor >= loop->count) return;
  watch = &loop->watches[descriptor];
  watch->wanted = 0;
  (void)register_watch(loop, descriptor, watch);
  *watch = nothing;
}

/* CURLMOPT_SOCKETFUNCTION. A descriptor that is wanted no more stays
   registered while it is a connection of the pool, whose end we hear of; one
   of libcurl's own, such as the resolver's, is let go at once. */
static int on_socket(CURL *easy, curl_socket_t descriptor, int what,
                     void *context, void *unused) {
  us_pool *pool = context;
  us_watch *watch = watch_of(pool->loop, descriptor);
  (void)easy;
  (void)unused;
  if (watch == NULL) return -1;
  watch->pool = pool;
  watch->wanted = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) watch->wanted |= POLLIN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    watch->wanted |= POLLOUT;
  if (what == CURL_POLL_REMOVE && us_sockets_has(&pool->sockets, descriptor))
    return 0;
  return register_watch(pool->loop, descriptor, watch) ? 0 : -1;
}

/* CURLMOPT_TIMERFUNCTION. */
static int on_timer(CURLM *multi, long timeout_ms, void *context) {
  us_pool *pool = context;
  (void)multi;
  pool->wake_ms = timeout_ms < 0 ? -1 : us_clock_ms() + timeout_ms;
  return 0;
}

bool us_loop_open(us_loop *loop) {
  memset(loop, 0, sizeof *loop);
  loop->epoll = open_epoll();
  loop->generation = us_curl_generation();
  loop->open = true;
#ifdef HAVE_EPOLL
  return loop->epoll >= 0;
#else
  return true;
#endif
}

bool us_loop_is_open(const us_loop *loop) {
  return loop->open;
}

bool us_loop_is_ours(const us_loop *loop) {
  return loop->generation == us_curl_generation();
}

void us_loop_join(us_loop *loop, us_pool *pool) {
  if (pool->loop == loop) return;
  us_loop_leave(pool);
  pool->loop = loop;
  pool->leave = us_loop_leave;
  pool->sockets.on_close = forget;
  pool->sockets.watcher = loop;
  pool->loop_next = loop->pools;
  pool->wake_ms = -1;
  loop->pools = pool;
  pool->on_socket = on_socket;
  pool->on_timer = on_timer;
  us_options_for_loop(pool->multi, on_socket, on_timer, pool);
}

/* Connections that rest in the pool are the kernel's no more. */
static void unwatch(us_loop *loop, const us_pool *pool) {
  size_t i;
  for (i = 0; i < loop->count; i++)
    if (loop->watches[i].pool == pool) forget(loop, (curl_socket_t)i);
}

void us_loop_leave(us_pool *pool) {
  us_loop *loop = pool->loop;
  us_pool **link;
  if (loop == NULL) return;
  link = &loop->pools;
  while (*link != pool)
    link = &(*link)->loop_next;
  *link = pool->loop_next;
  unwatch(loop, pool);
  pool->loop = NULL;
  pool->leave = NULL;
  pool->sockets.on_close = NULL;
  pool->loop_next = NULL;
  pool->on_socket = NULL;
  pool->on_timer = NULL;
  us_options_for_loop(pool->multi, NULL, NULL, NULL);
}

/* A child of the process that opened it shares the descriptor, and must not
   change what the parent has registered. */
void us_loop_close(us_loop *loop) {
  if (!loop->open) return;
  loop->open = false;
  if (!us_loop_is_ours(loop)) return;
  while (loop->pools != NULL)
    us_loop_leave(loop->pools);
  if (loop->epoll >= 0) close(loop->epoll);
  free(loop->watches);
  loop->watches = NULL;
  loop->count = 0;
}

static bool has_finished(const us_loop *loop) {
  const us_pool *pool = loop->pools;
  for (; pool != NULL; pool = pool->loop_next)
    if (pool->finished.first != NULL) return true;
  return false;
}

/* The wait, cut to when libcurl wants to be called at the latest. */
static int cut_wait(const us_loop *loop, int wait_ms) {
  long long now = us_clock_ms();
  const us_pool *pool = loop->pools;
  for (; pool != NULL; pool = pool->loop_next) {
    if (pool->wake_ms < 0) continue;
    if (pool->wake_ms <= now) return 0;
    if (pool->wake_ms - now < wait_ms) wait_ms = (int)(pool->wake_ms - now);
  }
  return wait_ms;
}

/* A descriptor that nobody wants has spoken: its server has closed it, or sends
   what was not asked for. libcurl finds out when it wants the connection
   again; until then the kernel need not repeat it. */
static void dispatch(us_loop *loop, curl_socket_t descriptor, int mask) {
  us_watch *watch = watch_of(loop, descriptor);
  if (watch == NULL || watch->pool == NULL) return;
  if (watch->wanted == 0)
    (void)register_watch(loop, descriptor, watch);
  else
    us_pool_act(watch->pool, descriptor, mask);
}

#ifdef HAVE_EPOLL

static void wait_events(us_loop *loop, int wait_ms) {
  struct epoll_event events[BATCH];
  int i, count = epoll_wait(loop->epoll, events, BATCH, wait_ms);
  for (i = 0; i < count; i++)
    dispatch(loop, events[i].data.fd, to_curl(events[i].events));
}

#else

static int to_curl(short events) {
  int mask = 0;
  if (events & POLLIN) mask |= CURL_CSELECT_IN;
  if (events & POLLOUT) mask |= CURL_CSELECT_OUT;
  if (events & (POLLERR | POLLHUP)) mask |= CURL_CSELECT_ERR;
  return mask;
}

static nfds_t list_wanted(const us_loop *loop, struct pollfd *waiting) {
  nfds_t count = 0;
  size_t i;
  for (i = 0; i < loop->count; i++) {
    if (loop->watches[i].wanted == 0) continue;
    waiting[count].fd = (int)i;
    waiting[count].events = loop->watches[i].wanted;
    waiting[count++].revents = 0;
  }
  return count;
}

/* Without memory for the list it waits for the time alone. */
static void wait_events(us_loop *loop, int wait_ms) {
  struct pollfd *waiting = malloc((loop->count + 1) * sizeof *waiting);
  nfds_t i, count = waiting != NULL ? list_wanted(loop, waiting) : 0;
  int ready = poll(waiting, count, wait_ms);
  for (i = 0; i < count && ready > 0; i++)
    if (waiting[i].revents != 0)
      dispatch(loop, waiting[i].fd, to_curl(waiting[i].revents));
  free(waiting);
}

#endif

static void run_timers(us_loop *loop) {
  long long now = us_clock_ms();
  us_pool *pool = loop->pools;
  for (; pool != NULL; pool = pool->loop_next) {
    if (pool->wake_ms < 0 || pool->wake_ms > now) continue;
    pool->wake_ms = -1;
    us_pool_act(pool, CURL_SOCKET_TIMEOUT, 0);
  }
}

/* New requests go out before the answers to others are read. */
void us_loop_wait(us_loop *loop, int wait_ms) {
  run_timers(loop);
  if (has_finished(loop)) return;
  wait_events(loop, cut_wait(loop, wait_ms));
  run_timers(loop);
}
