/* reference.c: the work of the benchmark in C on raw libcurl, which is what
   every figure is measured against. It asks for what the clients ask for, with
   the same headers, and looks at every answer; it decodes none.

     reference --reuse|--fresh WORKLOAD BASE_URL CALLS IN_FLIGHT CA_FILE

   --reuse serves all calls with the same easy handles, --fresh makes a new one
   for each call on the same connections: usher does the one or the other, as
   the version of libcurl allows. CA_FILE "system" is what the system trusts.
   Prints a line of JSON. */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 1024, DESCRIPTORS = 4096, EVENTS = 256, EDGE = 64 };

#define API "/api/v2.1/rest"

typedef struct {
  CURL *easy;
  char *body;
  size_t length, capacity;
} slot;

static struct {
  const char *workload, *ca_file;
  char url[1024], first_mark[EDGE], last_mark[EDGE];
  bool posts, fresh;
  long calls, in_flight;
  struct curl_slist *headers;
} job;

/* What the first answer was: the others are compared with it. */
static struct {
  char first[EDGE], last[EDGE];
  size_t length;
} expected;

static slot slots[SLOTS];
static CURLM *multi;
static int poller;
static int watched[DESCRIPTORS];
static long timeout_ms = -1;

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
  slot *into = context;
  size_t length = size * count, needed = into->length + length;
  if (needed > into->capacity) {
    size_t capacity = into->capacity == 0 ? 1024 : into->capacity;
    while (capacity < needed)
      capacity *= 2;
    into->body = realloc(into->body, capacity);
    if (into->body == NULL) return 0;
    into->capacity = capacity;
  }
  memcpy(into->body + into->length, data, length);
  into->length += length;
  return length;
}

/* libcurl is to forget a descriptor's watch when the descriptor goes. */
static int on_close(void *context, curl_socket_t descriptor) {
  (void)context;
  if (descriptor < DESCRIPTORS) watched[descriptor] = 0;
  return close(descriptor);
}

#define SET(option, value) curl_easy_setopt(easy, option, value)

static CURL *new_easy(slot *owner) {
  CURL *easy = curl_easy_init();
  if (easy == NULL) fail("no memory");
  SET(CURLOPT_URL, job.url);
  SET(CURLOPT_HTTPHEADER, job.headers);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, owner);
  SET(CURLOPT_PRIVATE, owner);
  if (job.posts) {
    SET(CURLOPT_POSTFIELDS, "{\"user_id\":\"bob\",\"username\":\"Bob\"}");
  }
  if (job.in_flight > 1) {
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
  }
  if (strncmp(job.url, "https:", 6) == 0) {
    if (strcmp(job.ca_file, "system") != 0) {
      SET(CURLOPT_CAINFO, job.ca_file);
      SET(CURLOPT_CAPATH, NULL);
    } else {
      SET(CURLOPT_CAINFO, NULL);
    }
    SET(CURLOPT_PIPEWAIT, strcmp(job.workload, "streams") == 0 ? 1L : 0L);
  }
  return easy;
}

static void check(const slot *answer, CURLcode code) {
  long status = 0;
  size_t length = answer->length;
  if (code != CURLE_OK) fail("%s", curl_easy_strerror(code));
  curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) fail("status %ld", status);
  if (length < EDGE) fail("only %zu bytes", length);
  if (expected.length == 0) {
    if (memmem(answer->body, EDGE, job.first_mark, strlen(job.first_mark)) ==
            NULL ||
        memmem(answer->body + length - EDGE, EDGE, job.last_mark,
               strlen(job.last_mark)) == NULL)
      fail("not the body that was asked for");
    expected.length = length;
    memcpy(expected.first, answer->body, EDGE);
    memcpy(expected.last, answer->body + length - EDGE, EDGE);
  } else if (length != expected.length ||
             memcmp(expected.first, answer->body, EDGE) != 0 ||
             memcmp(expected.last, answer->body + length - EDGE, EDGE) != 0) {
    fail("a body that differs from the first");
  }
}

/* What has ended, if anything has; then its slot is at rest. */
static slot *take_finished(void) {
  int left;
  CURLMsg *message = curl_multi_info_read(multi, &left);
  slot *ended = NULL;
  if (message != NULL) {
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&ended);
    curl_multi_remove_handle(multi, ended->easy);
    check(ended, code);
  }
  return ended;
}

static void launch(slot *free_slot) {
  if (job.fresh && free_slot->easy != NULL) {
    curl_easy_cleanup(free_slot->easy);
    free_slot->easy = NULL;
  }
  if (free_slot->easy == NULL) free_slot->easy = new_easy(free_slot);
  free_slot->length = 0;
  if (curl_multi_add_handle(multi, free_slot->easy) != CURLM_OK)
    fail("cannot start");
}

static void run_one_by_one(long calls) {
  slot *only = &slots[0];
  long done;
  int running;
  for (done = 0; done < calls; done++) {
    if (!job.fresh) {
      if (only->easy == NULL) only->easy = new_easy(only);
      only->length = 0;
      check(only, curl_easy_perform(only->easy));
      continue;
    }
    launch(only);
    curl_multi_perform(multi, &running);
    while (take_finished() == NULL) {
      curl_multi_poll(multi, NULL, 0, 1000, NULL);
      curl_multi_perform(multi, &running);
    }
  }
}

/* A descriptor stays with epoll between the transfers that use it. */
static int on_socket(CURL *easy, curl_socket_t descriptor, int what,
                     void *context, void *descriptor_context) {
  struct epoll_event event = {0};
  int wanted = what == CURL_POLL_REMOVE ? 0
               : what == CURL_POLL_IN   ? EPOLLIN
               : what == CURL_POLL_OUT  ? EPOLLOUT
                                        : EPOLLIN | EPOLLOUT;
  (void)easy;
  (void)context;
  (void)descriptor_context;
  if (descriptor >= DESCRIPTORS) fail("too many descriptors");
  if (wanted == 0 || wanted == watched[descriptor]) return 0;
  event.events = (unsigned int)wanted;
  event.data.fd = descriptor;
  if (epoll_ctl(poller,
                watched[descriptor] == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
                descriptor, &event) != 0)
    fail("epoll_ctl");
  watched[descriptor] = wanted;
  return 0;
}

static int on_timer(CURLM *handle, long wanted_ms, void *context) {
  (void)handle;
  (void)context;
  timeout_ms = wanted_ms;
  return 0;
}

static void act(curl_socket_t descriptor, unsigned int events) {
  int running, mask = 0;
  if ((events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
  if (curl_multi_socket_action(multi, descriptor, mask, &running) != CURLM_OK)
    fail("curl_multi_socket_action");
}

static void wait_and_act(void) {
  struct epoll_event events[EVENTS];
  int i, ready = epoll_wait(poller, events, EVENTS,
                            timeout_ms > 60000 ? 60000 : (int)timeout_ms);
  if (ready == 0) {
    timeout_ms = -1;
    act(CURL_SOCKET_TIMEOUT, 0);
  }
  for (i = 0; i < ready; i++)
    act(events[i].data.fd, events[i].events);
}

static void run_many(long calls) {
  long started = 0, done = 0;
  slot *ended;
  for (; started < calls && started < job.in_flight; started++)
    launch(&slots[started]);
  while (done < calls) {
    wait_and_act();
    while ((ended = take_finished()) != NULL) {
      done++;
      if (started < calls) {
        launch(ended);
        started++;
      }
    }
  }
}

static void run(long calls) {
  if (job.in_flight > 1)
    run_many(calls);
  else
    run_one_by_one(calls);
}

static long peak_kib(void) {
  char line[256];
  long peak = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status != NULL && fgets(line, sizeof line, status) != NULL)
    if (sscanf(line, "VmHWM: %ld", &peak) == 1) break;
  if (status != NULL) fclose(status);
  return peak;
}

static void read_job(char **arguments) {
  const char *workload = arguments[2], *limit = strchr(workload, '-');
  job.fresh = strcmp(arguments[1], "--fresh") == 0;
  job.workload = workload;
  job.posts = strcmp(workload, "post") == 0;
  job.calls = atol(arguments[4]);
  job.in_flight = atol(arguments[5]);
  job.ca_file = arguments[6];
  if (job.in_flight > SLOTS) fail("at most %d in flight", SLOTS);
  if (strncmp(workload, "list-", 5) == 0) {
    snprintf(job.url, sizeof job.url, "%s" API "/get_user_list?limit=%s",
             arguments[3], limit + 1);
    snprintf(job.first_mark, EDGE, "\"total_data\":%s,", limit + 1);
    snprintf(job.last_mark, EDGE, "\"user-%06ld\"", atol(limit + 1));
  } else {
    snprintf(job.url, sizeof job.url, "%s" API "%s", arguments[3],
             job.posts ? "/login_or_register" : "/user_profile?user_id=bob");
    snprintf(job.first_mark, EDGE, "\"user_id\":\"bob\"");
    snprintf(job.last_mark, EDGE, "\"status\":200}");
  }
  job.headers = curl_slist_append(job.headers, "Accept: application/json");
  job.headers = curl_slist_append(job.headers, "QISCUS-SDK-APP-ID: bench");
  job.headers = curl_slist_append(job.headers, "QISCUS-SDK-SECRET: secret");
  if (job.posts)
    job.headers =
        curl_slist_append(job.headers, "Content-Type: application/json");
}

static void open_multi(void) {
  multi = curl_multi_init();
  poller = epoll_create1(0);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, job.in_flight);
  if (job.in_flight == 1) return;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
}

int main(int count, char **arguments) {
  double wall, cpu;
  if (count != 7) fail("see the head of reference.c for the arguments");
  wall = seconds(CLOCK_MONOTONIC);
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  read_job(arguments);
  open_multi();
  if (strcmp(job.workload, "cold") != 0) {
    run(job.in_flight); /* connections */
    wall = seconds(CLOCK_MONOTONIC);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  }
  run(job.calls);
  wall = seconds(CLOCK_MONOTONIC) - wall;
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("{\"wall\":%.9f,\"cpu\":%.9f,\"rss\":%ld,\"calls\":%ld,"
         "\"version\":\"libcurl/%s\"}\n",
         wall, cpu, peak_kib(), job.calls,
         curl_version_info(CURLVERSION_NOW)->version);
  return 0;
}
