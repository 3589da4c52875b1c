/* loop.h: waits for the descriptors of several pools at once, so that many
   transfers of many clients run on one thread. libcurl says which descriptors
   it wants watched; a descriptor stays registered while its connection rests,
   for most are wanted again at once. */
#ifndef US_CURL_LOOP_H
#define US_CURL_LOOP_H

#include "curl/multi.h"

/* What is known of one descriptor; a zeroed one is not watched. */
typedef struct {
  us_pool *pool;
  short wanted;     /* POLLIN | POLLOUT: what libcurl waits for */
  short registered; /* what the kernel was told, with epoll */
} us_watch;

/* A zeroed one is closed. */
typedef struct us_loop {
  bool open;
  unsigned int generation; /* of the process that opened it */
  int epoll;               /* -1: there is none, poll() serves */
  us_watch *watches;       /* by descriptor */
  size_t count;
  us_pool *pools;
} us_loop;

/* False: no descriptor. */
bool us_loop_open(us_loop *loop);
/* Leaves every pool; what runs in them goes on with us_pool_step. */
void us_loop_close(us_loop *loop);
bool us_loop_is_open(const us_loop *loop);
/* A child of the process that opened it shares what the kernel knows, and can
   only leave it alone. */
bool us_loop_is_ours(const us_loop *loop);

/* From now on the loop drives the pool. Joining again does nothing. */
void us_loop_join(us_loop *loop, us_pool *pool);
void us_loop_leave(us_pool *pool);

/* Waits up to `wait_ms` for something to happen, unless a transfer has
   finished already, and lets the transfers go on. */
void us_loop_wait(us_loop *loop, int wait_ms);

#endif
