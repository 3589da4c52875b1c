/* soak_server.c: a fast provider for `make soak`, plain HTTP/1.1 and TLS on
   loopback: it answers at once, keeps connections, and lets every hundredth
   request, by dice with a fixed seed, meet a fault. It counts what it was
   asked, and whether a write came twice. What else a provider may do wrong is
   in spec/support/server; nothing here is for specs.

     soak_server CERTIFICATE KEY    prints its two ports; ends with stdin
     GET /counts                    what it has counted, as JSON */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/poller.h"

enum {
  CONNECTIONS = 4096,
  EVENTS = 256,
  REQUEST = 16384,
  LARGE = 400000,
  ODDS = 100,
  WRITES = 1 << 24
};

typedef enum { KEEP, CLOSE, RESET, SILENT, LARGE_BODY, LARGE_HEAD } ending;

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define OK_BODY                                                                \
  "{\"status\":200,\"success\":true,\"result_cd\":1,\"list\":[],"              \
  "\"results\":{\"users\":[]},\"data\":{\"X-AUTH-TOKEN\":\"a.e30.c\"}}"
#define NO_BODY "Content-Length: 0\r\n\r\n"

/* `refuses`: the request was not acted on, and may come again. */
static const struct {
  const char *answer;
  ending end;
  bool refuses;
} faults[] = {
    {"", CLOSE, false},
    {"", RESET, false},
    {"", SILENT, false},
    {"HTTP/1.1 200 OK\r\nContent-Le", CLOSE, false},
    {OK_HEAD "Content-Length: 1000\r\n\r\nten bytes.", CLOSE, false},
    {OK_HEAD "Content-Length: 1000\r\n\r\nten bytes.", RESET, false},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\na\r\nten bytes.", CLOSE, false},
    {OK_HEAD "Transfer-Encoding: chunked\r\n\r\nno size\r\n", CLOSE, false},
    {OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nwhat??", CLOSE,
     false},
    {OK_HEAD "Content-Length: -5\r\n\r\nwhat", CLOSE, false},
    {OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n"
             "\037\213\010junk junk",
     KEEP, false},
    {OK_HEAD "Content-Length: 2\r\n\r\n{}" OK_HEAD
             "Content-Length: 2\r\n\r\n{}",
     KEEP, false},
    {"HTTP/1.1 200 OK\r\n folded: first\r\nContent-Length: 2\r\n\r\n{}", KEEP,
     false},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_HEAD
     "Content-Length: 2\r\n\r\n{}",
     KEEP, false},
    {"<html>no head at all</html>", CLOSE, false},
    {OK_HEAD NO_BODY, KEEP, false},
    {"HTTP/1.1 204 No Content\r\n\r\n", KEEP, false},
    {OK_HEAD "Content-Length: 7\r\n\r\n{\"cut\":", KEEP, false},
    {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"
     "<html></html>",
     KEEP, false},
    {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n" NO_BODY, KEEP,
     false},
    {"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=r\r\n" NO_BODY, KEEP,
     false},
    {"HTTP/1.1 404 No\r\nSet-Cookie: a=b\r\nContent-Length: 49\r\n\r\n"
     "{\"error\":{\"code\":\"gone\",\"description\":\"no such\"}}",
     KEEP, false},
    {"HTTP/1.1 500 No\r\n" NO_BODY, KEEP, false},
    {"HTTP/1.1 502 No\r\nConnection: close\r\n" NO_BODY, CLOSE, false},
    {"HTTP/1.1 429 No\r\nRetry-After: 0\r\n" NO_BODY, KEEP, true},
    {"HTTP/1.1 503 No\r\nRetry-After: 0\r\n" NO_BODY, KEEP, true},
    {OK_HEAD "Content-Length: 400000\r\n\r\n", LARGE_BODY, false},
    {OK_HEAD "X-Large: ", LARGE_HEAD, false},
};
enum { FAULTS = sizeof faults / sizeof faults[0] };

typedef struct {
  SSL *tls;
  size_t length;
  char bytes[REQUEST + 1];
} connection;

static connection *connections[CONNECTIONS];
static unsigned char acted_on[WRITES / 8];
static char large[LARGE];
static SSL_CTX *context;
static unsigned long requests, faulted, writes, doubles;

static uint32_t dice(void) {
  static uint32_t state = 2463534242u;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static void end(int descriptor, bool reset) {
  struct linger at_once = {1, 0};
  connection *self = connections[descriptor];
  connections[descriptor] = NULL;
  if (self->tls != NULL && !reset) SSL_shutdown(self->tls);
  if (self->tls != NULL) SSL_free(self->tls);
  free(self);
  if (reset)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(descriptor);
}

/* What the socket does not take at once is not sent at all. */
static void send_bytes(int descriptor, const char *bytes, size_t length) {
  SSL *tls = connections[descriptor]->tls;
  ssize_t sent;
  if (length == 0) return;
  sent = tls != NULL ? SSL_write(tls, bytes, (int)length)
                     : send(descriptor, bytes, length, MSG_NOSIGNAL);
  if (sent < (ssize_t)length) shutdown(descriptor, SHUT_WR);
}

/* Returns whether the connection is still there. */
static bool strike(int descriptor, size_t which) {
  ending how = faults[which].end;
  faulted++;
  send_bytes(descriptor, faults[which].answer, strlen(faults[which].answer));
  if (how == LARGE_BODY || how == LARGE_HEAD)
    send_bytes(descriptor, large, sizeof large);
  if (how == KEEP || how == SILENT) return true;
  end(descriptor, how == RESET);
  return false;
}

/* The number of a write is in its target: ".../appusers/u<number>/channels". */
static void note_write(const char *target) {
  const char *at = strstr(target, "/appusers/u");
  size_t number = at != NULL ? strtoul(at + 11, NULL, 10) % WRITES : 0;
  unsigned char bit = (unsigned char)(1u << number % 8);
  writes++;
  if (acted_on[number / 8] & bit) doubles++;
  acted_on[number / 8] |= bit;
}

static void tell_counts(int descriptor) {
  char body[256], answer[512];
  int length = snprintf(body, sizeof body,
                        "{\"requests\":%lu,\"faults\":%lu,\"writes\":%lu,"
                        "\"doubles\":%lu}",
                        requests, faulted, writes, doubles);
  int total = snprintf(answer, sizeof answer,
                       OK_HEAD "Content-Length: %d\r\n\r\n%s", length, body);
  send_bytes(descriptor, answer, (size_t)total);
}

/* Silence costs the client its timeout, so it is rarer than the rest. */
static size_t choose_fault(void) {
  size_t which = dice() % FAULTS;
  if (faults[which].end == SILENT && dice() % 4 != 0) which = 0;
  return which;
}

/* Returns whether the connection is still there. */
static bool answer_request(int descriptor, char *request) {
  static char ok[512];
  bool strikes = dice() % ODDS == 0;
  size_t which = strikes ? choose_fault() : 0;
  char *line_end = strstr(request, "\r\n");
  *line_end = '\0';
  if (strstr(request, "GET /counts ") == request) {
    tell_counts(descriptor);
    return true;
  }
  requests++;
  if (strncmp(request, "POST ", 5) == 0 && strstr(request, "/channels ") &&
      !(strikes && faults[which].refuses))
    note_write(request);
  if (strikes) return strike(descriptor, which);
  if (ok[0] == '\0')
    snprintf(ok, sizeof ok, OK_HEAD "Content-Length: %zu\r\n\r\n%s",
             strlen(OK_BODY), OK_BODY);
  send_bytes(descriptor, ok, strlen(ok));
  return true;
}

/* The bytes of the first request, 0 while they have not all come. */
static size_t request_length(const connection *self) {
  const char *head_end = strstr(self->bytes, "\r\n\r\n");
  const char *field = strcasestr(self->bytes, "\r\ncontent-length:");
  size_t length;
  if (head_end == NULL) return 0;
  length = (size_t)(head_end - self->bytes) + 4;
  if (field != NULL && field < head_end)
    length += strtoul(field + 17, NULL, 10);
  return length <= self->length ? length : 0;
}

/* Returns false at the end, and when there is nothing to read any more. */
static bool fill(int descriptor, bool *ended) {
  connection *self = connections[descriptor];
  size_t room = REQUEST - self->length;
  char *at = self->bytes + self->length;
  ssize_t got;
  *ended = false;
  if (self->tls != NULL) {
    ERR_clear_error();
    got = SSL_read(self->tls, at, (int)room);
    if (got <= 0)
      *ended = SSL_get_error(self->tls, (int)got) != SSL_ERROR_WANT_READ;
  } else {
    got = recv(descriptor, at, room, MSG_DONTWAIT);
    *ended = got == 0 || (got < 0 && errno != EAGAIN);
  }
  if (got <= 0) return false;
  self->length += (size_t)got;
  self->bytes[self->length] = '\0';
  return true;
}

static void serve(int descriptor) {
  bool ended = false;
  while (fill(descriptor, &ended)) {
    connection *self = connections[descriptor];
    size_t length;
    while ((length = request_length(self)) > 0) {
      if (!answer_request(descriptor, self->bytes)) return;
      memmove(self->bytes, self->bytes + length, self->length - length + 1);
      self->length -= length;
    }
  }
  if (ended) end(descriptor, false);
}

static void accept_one(int listener, bool with_tls) {
  int descriptor = accept_next(listener);
  connection *self;
  if (descriptor < 0) return;
  if (descriptor >= CONNECTIONS) abort();
  self = connections[descriptor] = calloc(1, sizeof *self);
  if (with_tls) {
    self->tls = SSL_new(context);
    SSL_set_fd(self->tls, descriptor);
    SSL_set_accept_state(self->tls);
  }
  watch(descriptor);
}

static void load(const char *certificate, const char *key) {
  context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
    abort();
  memset(large, 'x', sizeof large);
}

int main(int count, char **arguments) {
  struct epoll_event events[EVENTS];
  int plain, secure;
  if (count != 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  load(arguments[1], arguments[2]);
  poller = epoll_create1(0);
  plain = listen_anywhere();
  secure = listen_anywhere();
  watch(plain);
  watch(secure);
  watch(STDIN_FILENO);
  for (;;) {
    int i, ready = epoll_wait(poller, events, EVENTS, -1);
    for (i = 0; i < ready; i++) {
      int descriptor = events[i].data.fd;
      if (descriptor == STDIN_FILENO) return 0;
      if (descriptor == plain || descriptor == secure)
        accept_one(descriptor, descriptor == secure);
      else if (connections[descriptor] != NULL)
        serve(descriptor);
    }
  }
}
