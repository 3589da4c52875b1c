/* multi.h: a pool: one libcurl multi handle, its connections, its transfers.
   A transfer may vanish at any moment and so may the pool; each then lets go of
   the other. One owner process, one thread at a time. */
#ifndef US_CURL_MULTI_H
#define US_CURL_MULTI_H

#include "curl/easy.h"

enum { US_POOL_IDLE_HANDLES = 256 };

typedef struct {
  us_transfer *first, *last;
} us_transfer_list;

/* A zeroed one is closed. */
typedef struct us_pool {
  CURLM *multi;
  unsigned int generation; /* of the process that opened it */
  bool reuse;              /* whether a handle serves more than one transfer */
  us_settings settings;
  us_sockets sockets;
  us_tls_watch watch;        /* while libcurl works */
  long long due_ms;          /* no running transfer's time is over before */
  struct us_origin *origin;  /* of the latest transfer */
  us_transfer_list running;  /* in the multi handle */
  us_transfer_list finished; /* not reported yet */
  us_handle *idle[US_POOL_IDLE_HANDLES];
  size_t idle_count;
  bool in_doubt; /* what its transfers share may be broken */

  /* The loop's business: NULL while nothing but us_pool_step drives it.
     `leave` is called before the pool closes. */
  struct us_loop *loop;
  void (*leave)(struct us_pool *pool);
  curl_socket_callback on_socket;
  curl_multi_timer_callback on_timer;
  struct us_pool *loop_next;
  long long wake_ms; /* when libcurl wants to be called, or -1 */
} us_pool;

/* Prepares libcurl for this process, once however many ask. */
CURLcode us_curl_prepare(void);

/* Counts the forks between the process that loaded us and this one. */
unsigned int us_curl_generation(void);

/* Opens a zeroed pool whose settings are filled in. */
CURLcode us_pool_open(us_pool *pool);
/* Ends what is running as "cancelled"; closing twice is closing once. */
void us_pool_close(us_pool *pool);
bool us_pool_is_open(const us_pool *pool);
/* A child of the process that opened it shares its sockets and TLS state and
   can only leave it alone. */
bool us_pool_is_ours(const us_pool *pool);

/* Starts a new transfer whose request is closed. Whatever
   prevents that is its outcome. False: the URL has no host to speak of. */
bool us_pool_start(us_pool *pool, us_transfer *transfer);
/* Lets the transfers go on, waits up to `wait_ms` for something to happen if
   nothing is finished; returns one finished transfer, or NULL. */
us_transfer *us_pool_step(us_pool *pool, int wait_ms);

/* Tells libcurl that a descriptor is ready, or that it is time. */
void us_pool_act(us_pool *pool, curl_socket_t descriptor, int mask);
/* Takes a finished transfer out, or NULL. */
us_transfer *us_pool_take(us_pool *pool);

/* How many have not finished. */
int us_pool_running(const us_pool *pool);

/* Takes a transfer out of its pool, if it is in one. If it was running it ends
   as "cancelled", and `why` is the message. */
void us_pool_drop(us_transfer *transfer, const char *why);

#endif
