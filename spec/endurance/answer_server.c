/* answer_server.c: answers every HTTP/1.1 request at once with the same body,
   so that a client has nothing to wait for but itself. It reads heads and
   Content-Length and nothing else; for measuring only.

     answer_server BODY    prints its port; ends with its standard input */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/poller.h"

enum { CONNECTIONS = 4096, EVENTS = 256, LONGEST = 16384 };

typedef struct {
  size_t length;
  char bytes[LONGEST + 1];
} received;

static received *connections[CONNECTIONS];
static char answer[LONGEST];
static size_t answer_length;

static void accept_all(int listener) {
  int descriptor;
  while ((descriptor = accept_next(listener)) >= 0) {
    if (descriptor >= CONNECTIONS) abort();
    if (connections[descriptor] == NULL)
      connections[descriptor] = malloc(sizeof *connections[descriptor]);
    if (connections[descriptor] == NULL) abort();
    connections[descriptor]->length = 0;
    watch(descriptor);
  }
}

/* The length of the request at the front, or 0 when it is not all there. */
static size_t whole_request(const received *got) {
  const char *end = strstr(got->bytes, "\r\n\r\n");
  const char *field = strcasestr(got->bytes, "\r\nContent-Length:");
  size_t length;
  if (end == NULL) return 0;
  length = (size_t)(end + 4 - got->bytes);
  if (field != NULL && field < end) length += (size_t)atol(field + 17);
  return length <= got->length ? length : 0;
}

static void read_requests(int descriptor) {
  received *got = connections[descriptor];
  size_t request;
  ssize_t length =
      read(descriptor, got->bytes + got->length, LONGEST - got->length);
  if (length <= 0) {
    close(descriptor);
    return;
  }
  got->length += (size_t)length;
  got->bytes[got->length] = '\0';
  while ((request = whole_request(got)) > 0) {
    got->length -= request;
    memmove(got->bytes, got->bytes + request, got->length + 1);
    if (write(descriptor, answer, answer_length) < 0) break;
  }
}

int main(int count, char **arguments) {
  struct epoll_event events[EVENTS];
  int listener;
  if (count != 2 || strlen(arguments[1]) > LONGEST / 2) return 2;
  answer_length = (size_t)snprintf(
      answer, sizeof answer,
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
      "Content-Length: %zu\r\n\r\n%s",
      strlen(arguments[1]), arguments[1]);
  poller = epoll_create1(0);
  listener = listen_anywhere();
  watch(listener);
  watch(STDIN_FILENO);
  for (;;) {
    int i, ready = epoll_wait(poller, events, EVENTS, -1);
    for (i = 0; i < ready; i++) {
      int descriptor = events[i].data.fd;
      if (descriptor == STDIN_FILENO) return 0;
      if (descriptor == listener)
        accept_all(listener);
      else
        read_requests(descriptor);
    }
  }
}
