/* multi.c: the pool. Handles come from here and return here; what they are told
   is in options.c, what a transfer is made of in easy.c. */
#include "curl/multi.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "curl/clock.h"
#include "curl/wipe.h"

/* A peer may keep libcurl reading for so long after a transfer's time is over,
   and in any case at once, for others wait meanwhile. */
enum { GRACE_MS = 500, TURN_MS = 2000 };

/* An origin ("https://host:port"), parsed once and shared by the transfers. */
typedef struct us_origin {
  CURLU *url;
  size_t users;
  size_t length;
  char text[];
} us_origin;

static pthread_once_t prepare_once = PTHREAD_ONCE_INIT;
static CURLcode prepared = CURLE_FAILED_INIT;

/* How many forks this process is away from the one that loaded us. */
static unsigned int generation = 0;

static void count_fork(void) {
  generation++;
}

unsigned int us_curl_generation(void) {
  return generation;
}

static void prepare(void) {
  if (pthread_atfork(NULL, NULL, count_fork) == 0)
    prepared = us_wipe_start_curl();
}

CURLcode us_curl_prepare(void) {
  if (pthread_once(&prepare_once, prepare) != 0) return CURLE_FAILED_INIT;
  return prepared;
}

static void list_append(us_transfer_list *list, us_transfer *transfer) {
  transfer->previous = list->last;
  transfer->next = NULL;
  if (list->last != NULL)
    list->last->next = transfer;
  else
    list->first = transfer;
  list->last = transfer;
}

static void list_remove(us_transfer_list *list, us_transfer *transfer) {
  if (transfer->previous != NULL)
    transfer->previous->next = transfer->next;
  else
    list->first = transfer->next;
  if (transfer->next != NULL)
    transfer->next->previous = transfer->previous;
  else
    list->last = transfer->previous;
  transfer->previous = NULL;
  transfer->next = NULL;
}

static void origin_release(us_origin *origin) {
  if (origin == NULL || --origin->users > 0) return;
  curl_url_cleanup(origin->url);
  free(origin);
}

/* NULL and *no_memory false: not an origin. */
static us_origin *origin_new(const char *text, size_t length, bool *no_memory) {
  us_origin *origin = malloc(sizeof(*origin) + length + 1);
  *no_memory = true;
  if (origin == NULL) return NULL;
  memcpy(origin->text, text, length);
  origin->text[length] = '\0';
  origin->length = length;
  origin->users = 1;
  origin->url = curl_url();
  if (origin->url != NULL) {
    CURLUcode code = curl_url_set(origin->url, CURLUPART_URL, origin->text,
                                  CURLU_DISALLOW_USER);
    if (code == CURLUE_OK) return origin;
    *no_memory = code == CURLUE_OUT_OF_MEMORY;
  }
  origin_release(origin);
  return NULL;
}

/* A client has one base URL: the latest origin is nearly always the one. */
static us_origin *origin_for(us_pool *pool, const us_wire_request *request,
                             bool *no_memory) {
  us_origin *origin = pool->origin;
  size_t length = request->origin_length;
  if (origin == NULL || origin->length != length ||
      memcmp(origin->text, request->url, length) != 0) {
    origin = origin_new(request->url, length, no_memory);
    if (origin == NULL) return NULL;
    origin_release(pool->origin);
    pool->origin = origin;
  }
  origin->users++;
  return origin;
}

static void handle_free(us_handle *handle) {
  if (handle == NULL) return;
  curl_easy_cleanup(handle->easy);
  us_wipe_free(handle);
}

static us_handle *handle_new(us_pool *pool, CURLcode *code) {
  us_handle *handle = calloc(1, sizeof(*handle));
  *code = CURLE_OUT_OF_MEMORY;
  if (handle == NULL) return NULL;
  handle->easy = curl_easy_init();
  if (handle->easy != NULL)
    *code = us_options_for_pool(handle, &pool->settings, &pool->watch,
                                &pool->sockets);
  if (*code != CURLE_OK) {
    handle_free(handle);
    return NULL;
  }
  return handle;
}

static void free_idle(us_pool *pool) {
  while (pool->idle_count > 0)
    handle_free(pool->idle[--pool->idle_count]);
}

/* One with the pool's options, used before only where that is safe. */
static us_handle *handle_take(us_pool *pool, CURLcode *code) {
  *code = CURLE_OK;
  if (pool->idle_count > 0) return pool->idle[--pool->idle_count];
  return handle_new(pool, code);
}

/* Takes the handle out of the transfer; it is kept only after an answer, for a
   failure may leave it in a state nobody tests. */
static void detach(us_pool *pool, us_transfer *transfer) {
  us_handle *handle = transfer->handle;
  transfer->handle = NULL;
  if (handle != NULL) {
    handle->transfer = NULL;
    curl_multi_remove_handle(pool->multi, handle->easy);
    if (pool->reuse && transfer->outcome.kind == NULL &&
        pool->idle_count < US_POOL_IDLE_HANDLES)
      pool->idle[pool->idle_count++] = handle;
    else
      handle_free(handle);
  }
  us_transfer_forget_request(transfer);
  origin_release(transfer->origin);
  transfer->origin = NULL;
}

CURLcode us_pool_open(us_pool *pool) {
  CURLcode code;
  us_handle *handle;
  pool->generation = generation;
  pool->due_ms = LLONG_MAX;
  pool->watch.due_ms = LLONG_MAX;
  pool->multi = curl_multi_init();
  if (pool->multi == NULL) return CURLE_OUT_OF_MEMORY;
  if (us_options_for_multi(pool->multi, &pool->settings) != CURLM_OK)
    return CURLE_UNKNOWN_OPTION;
  handle = handle_take(pool, &code); /* what libcurl refuses shows here */
  if (handle != NULL) pool->idle[pool->idle_count++] = handle;
  return code;
}

bool us_pool_is_open(const us_pool *pool) {
  return pool->multi != NULL;
}

bool us_pool_is_ours(const us_pool *pool) {
  return pool->generation == generation;
}

/* Before libcurl works. The earliest end is looked up again only when the one
   that was known has passed. */
static void keep_watch(us_pool *pool) {
  long long now = us_clock_ms(), due = now + TURN_MS;
  if (pool->due_ms <= now) {
    const us_transfer *transfer = pool->running.first;
    pool->due_ms = LLONG_MAX;
    for (; transfer != NULL; transfer = transfer->next)
      if (transfer->due_ms < pool->due_ms) pool->due_ms = transfer->due_ms;
  }
  if (pool->due_ms < due - GRACE_MS)
    due = (pool->due_ms > now ? pool->due_ms : now) + GRACE_MS;
  pool->watch.due_ms = due;
  pool->watch.records = 0;
  pool->watch.cut = false;
}

void us_pool_close(us_pool *pool) {
  CURLM *multi = pool->multi;
  if (multi == NULL || !us_pool_is_ours(pool)) return;
  keep_watch(pool);
  if (pool->leave != NULL) pool->leave(pool);
  while (pool->running.first != NULL)
    us_pool_drop(pool->running.first, "the client was closed");
  while (pool->finished.first != NULL)
    us_pool_drop(pool->finished.first, NULL);
  free_idle(pool);
  pool->multi = NULL;
  curl_multi_cleanup(multi);
  us_sockets_free(&pool->sockets);
  origin_release(pool->origin);
  pool->origin = NULL;
}

/* Hands a transfer that has its outcome over to `step`. */
static void finish(us_pool *pool, us_transfer *transfer) {
  if (us_transfer_leaves_doubt(transfer)) pool->in_doubt = true;
  list_remove(&pool->running, transfer);
  detach(pool, transfer);
  list_append(&pool->finished, transfer);
}

/* What ran out of memory may be broken for good: connections, and the trusted
   certificates, which libcurl keeps for a day. So once nothing uses them, the
   pool begins anew. */
static void renew(us_pool *pool) {
  CURLM *doubtful = pool->multi, *multi;
  if (!pool->in_doubt || pool->running.first != NULL) return;
  multi = curl_multi_init();
  if (multi == NULL ||
      us_options_for_multi(multi, &pool->settings) != CURLM_OK) {
    curl_multi_cleanup(multi);
    return;
  }
  keep_watch(pool);
  free_idle(pool);
  curl_multi_cleanup(doubtful);
  pool->multi = multi;
  pool->wake_ms = -1;
  us_options_for_loop(multi, pool->on_socket, pool->on_timer, pool);
  pool->in_doubt = false;
}

static CURLcode enter(us_pool *pool, us_handle *handle) {
  CURLMcode code = curl_multi_add_handle(pool->multi, handle->easy);
  return code == CURLM_OK ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static CURLcode launch(us_pool *pool, us_transfer *transfer) {
  CURLcode code;
  us_handle *handle = handle_take(pool, &code);
  if (handle == NULL) return code;
  if (transfer->request.https) us_settings_probe(&pool->settings);
  transfer->handle = handle;
  handle->transfer = transfer;
  handle->error[0] = '\0';
  code =
      us_options_for_transfer(handle, &pool->settings, transfer->origin->url);
  return code == CURLE_OK ? enter(pool, handle) : code;
}

bool us_pool_start(us_pool *pool, us_transfer *transfer) {
  bool no_memory = false;
  CURLcode code = CURLE_OUT_OF_MEMORY;
  renew(pool);
  transfer->refusals = us_wipe_refusals();
  transfer->origin = origin_for(pool, &transfer->request, &no_memory);
  if (transfer->origin == NULL && !no_memory) return false;
  transfer->pool = pool;
  transfer->sockets = &pool->sockets;
  transfer->stage = US_STAGE_RUNNING;
  transfer->due_ms = us_clock_ms() + transfer->request.timeout_ms;
  if (transfer->due_ms < pool->due_ms) pool->due_ms = transfer->due_ms;
  list_append(&pool->running, transfer);
  if (transfer->origin != NULL) code = launch(pool, transfer);
  if (code != CURLE_OK) {
    us_transfer_conclude(transfer, code);
    finish(pool, transfer);
  }
  return true;
}

/* On a new connection, within what is left of its time. */
static CURLcode restart(us_pool *pool, us_transfer *transfer) {
  CURL *easy = transfer->handle->easy;
  curl_off_t spent_us = 0;
  long left_ms;
  CURLcode code;
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &spent_us);
  left_ms = transfer->request.timeout_ms - (long)(spent_us / 1000);
  curl_multi_remove_handle(pool->multi, easy);
  us_transfer_restart(transfer);
  code = us_options_connect_afresh(easy, left_ms > 0 ? left_ms : 1);
  return code == CURLE_OK ? enter(pool, transfer->handle) : code;
}

/* libcurl calls it an early end when a connection is cut for lack of time. */
static bool is_out_of_time(const us_pool *pool, const us_transfer *transfer) {
  return pool->watch.cut && us_clock_ms() >= transfer->due_ms;
}

static void settle(us_pool *pool, CURL *easy, CURLcode code) {
  char *private = NULL;
  us_transfer *transfer;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
  transfer = ((us_handle *)(void *)private)->transfer;
  if (us_transfer_may_restart(transfer, code)) {
    code = restart(pool, transfer);
    if (code == CURLE_OK) return;
  }
  if (code != CURLE_OK && is_out_of_time(pool, transfer))
    code = CURLE_OPERATION_TIMEDOUT;
  us_transfer_conclude(transfer, code);
  finish(pool, transfer);
}

static void fail_all(us_pool *pool, CURLMcode code) {
  bool no_memory =
      code == CURLM_OUT_OF_MEMORY || code == CURLM_ABORTED_BY_CALLBACK;
  const char *kind = no_memory ? "memory" : "network";
  while (pool->running.first != NULL) {
    us_transfer_fail(pool->running.first, kind, curl_multi_strerror(code));
    finish(pool, pool->running.first);
  }
}

/* After libcurl has worked: settles what has ended. */
static void collect(us_pool *pool, CURLMcode code) {
  int count;
  CURLMsg *message;
  while ((message = curl_multi_info_read(pool->multi, &count)) != NULL)
    if (message->msg == CURLMSG_DONE)
      settle(pool, message->easy_handle, message->data.result);
  if (code != CURLM_OK) fail_all(pool, code);
}

static void advance(us_pool *pool) {
  int count;
  keep_watch(pool);
  collect(pool, curl_multi_perform(pool->multi, &count));
}

void us_pool_act(us_pool *pool, curl_socket_t descriptor, int mask) {
  int count;
  keep_watch(pool);
  collect(pool,
          curl_multi_socket_action(pool->multi, descriptor, mask, &count));
}

us_transfer *us_pool_take(us_pool *pool) {
  us_transfer *transfer = pool->finished.first;
  if (transfer != NULL) us_pool_drop(transfer, NULL);
  return transfer;
}

us_transfer *us_pool_step(us_pool *pool, int wait_ms) {
  if (pool->finished.first == NULL && pool->running.first != NULL)
    advance(pool);
  if (pool->finished.first == NULL && pool->running.first != NULL &&
      wait_ms > 0) {
    CURLMcode code = curl_multi_poll(pool->multi, NULL, 0, wait_ms, NULL);
    if (code == CURLM_OK)
      advance(pool);
    else
      fail_all(pool, code);
  }
  return us_pool_take(pool);
}

int us_pool_running(const us_pool *pool) {
  const us_transfer *transfer = pool->running.first;
  int count = 0;
  for (; transfer != NULL; transfer = transfer->next)
    count++;
  return count;
}

void us_pool_drop(us_transfer *transfer, const char *why) {
  us_pool *pool = transfer->pool;
  if (pool == NULL) return;
  if (transfer->stage == US_STAGE_RUNNING) {
    keep_watch(pool);
    us_transfer_fail(transfer, "cancelled", why);
    list_remove(&pool->running, transfer);
    detach(pool, transfer);
  } else {
    list_remove(&pool->finished, transfer);
  }
  transfer->pool = NULL;
}
