/* delay_server.c: answers every HTTP/1.1 request after a fixed time, measured
   in microseconds, so that what a client adds can be seen. One process, no
   parsing beyond "the empty line ends a request"; for measuring only.

     delay_server MILLISECONDS BODY_BYTES    prints its port; ends with stdin */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../support/poller.h"

enum { CONNECTIONS = 65536, EVENTS = 256 };

/* The delay is the same for all: who came first is due first. */
typedef struct {
  int descriptor;
  int64_t due;
} waiting;

static waiting queue[CONNECTIONS];
static size_t queue_first, queue_length;
static char answer[65536];
static size_t answer_length;
static int64_t delay_ns;
static int timer;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void build_answer(size_t body_length) {
  size_t padding = body_length > 64 ? body_length - 64 : 0;
  int used =
      snprintf(answer, sizeof answer,
               "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n{\"results\":{\"user\":"
               "{\"user_id\":\"bob\",\"name\":\"%0*d\"}},\"status\":200}",
               padding + 64, (int)padding, 0);
  size_t body =
      (size_t)used - (size_t)(strstr(answer, "\r\n\r\n") + 4 - answer);
  memset(answer + used, ' ', padding + 64 - body);
  answer_length = (size_t)used + padding + 64 - body;
}

static void accept_all(int listener) {
  int descriptor;
  while ((descriptor = accept_next(listener)) >= 0) {
    watch(descriptor);
  }
}

static void read_request(int descriptor) {
  char bytes[16384];
  ssize_t length = read(descriptor, bytes, sizeof bytes);
  waiting *last = &queue[(queue_first + queue_length) % CONNECTIONS];
  if (length <= 0) {
    close(descriptor);
  } else if (length >= 4 && memcmp(bytes + length - 4, "\r\n\r\n", 4) == 0) {
    last->descriptor = descriptor;
    last->due = now_ns() + delay_ns;
    queue_length++;
  }
}

static void answer_due(void) {
  struct itimerspec next = {{0, 0}, {0, 0}};
  int64_t due;
  while (queue_length > 0 && queue[queue_first].due <= now_ns()) {
    if (write(queue[queue_first].descriptor, answer, answer_length) < 0 &&
        errno != EPIPE && errno != ECONNRESET)
      abort();
    queue_first = (queue_first + 1) % CONNECTIONS;
    queue_length--;
  }
  if (queue_length == 0) return;
  due = queue[queue_first].due;
  next.it_value.tv_sec = due / 1000000000;
  next.it_value.tv_nsec = due % 1000000000;
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &next, NULL);
}

int main(int count, char **arguments) {
  struct epoll_event events[EVENTS];
  int listener;
  if (count != 3) return 2;
  delay_ns = (int64_t)(atof(arguments[1]) * 1e6);
  build_answer((size_t)atoi(arguments[2]));
  poller = epoll_create1(0);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  listener = listen_anywhere();
  watch(listener);
  watch(timer);
  watch(STDIN_FILENO);
  for (;;) {
    int i, ready = epoll_wait(poller, events, EVENTS, -1);
    for (i = 0; i < ready; i++) {
      int descriptor = events[i].data.fd;
      uint64_t expirations;
      if (descriptor == STDIN_FILENO) return 0;
      if (descriptor == listener)
        accept_all(listener);
      else if (descriptor != timer)
        read_request(descriptor);
      else if (read(timer, &expirations, sizeof expirations) < 0)
        continue;
    }
    answer_due();
  }
}
