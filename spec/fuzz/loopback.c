/* loopback.c: sockets and who has been answered. Knows of HTTP where a request
   ends, and no more. */
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

#define CONNECTIONS 8
#define REQUEST ((size_t)1 << 20)

typedef struct {
  int descriptor; /* 0: none */
  us_buffer request;
  bool counted;
  bool answering;
  size_t sent;
} connection;

static int listener = -1;
static loopback_script playing;
static connection connections[CONNECTIONS];
static int requests;

static void prepare(int descriptor) {
  REQUIRE(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0);
  REQUIRE(fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0);
}

int loopback_start(void) {
  struct sockaddr_in address = {0};
  socklen_t length = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE(listener > 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(listener, (struct sockaddr *)&address, length) == 0);
  REQUIRE(listen(listener, CONNECTIONS) == 0);
  REQUIRE(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
  prepare(listener);
  return ntohs(address.sin_port);
}

/* With a reset, which leaves nothing behind in the system. */
static void drop(connection *each) {
  struct linger now = {1, 0};
  if (each->descriptor == 0) return;
  (void)setsockopt(each->descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(each->descriptor);
  each->descriptor = 0;
  us_buffer_free(&each->request);
}

/* What is left of the last answer is never said. */
void loopback_go_on(loopback_script script) {
  size_t i;
  for (i = 0; i < CONNECTIONS; i++)
    connections[i].answering = false;
  playing = script;
  requests = 0;
}

void loopback_play(loopback_script script) {
  size_t i;
  int waiting;
  for (i = 0; i < CONNECTIONS; i++)
    drop(&connections[i]);
  while ((waiting = accept(listener, NULL, NULL)) >= 0)
    close(waiting);
  loopback_go_on(script);
}

int loopback_requests(void) {
  return requests;
}

static bool take_one(void) {
  size_t i = 0;
  int descriptor = accept(listener, NULL, NULL);
  if (descriptor < 0) return false;
  while (i < CONNECTIONS - 1 && connections[i].descriptor != 0)
    i++;
  drop(&connections[i]); /* the last place is the newest one's */
  prepare(descriptor);
  memset(&connections[i], 0, sizeof connections[i]);
  connections[i].descriptor = descriptor;
  us_buffer_reset(&connections[i].request, REQUEST);
  return true;
}

/* How long the request is, or 0 while that cannot be told. */
static size_t request_length(const us_buffer *request) {
  static const char name[] = "\r\nContent-Length: ";
  size_t i, body = 0;
  for (i = 0; i + 4 <= request->length; i++) {
    const char *at = request->data + i;
    if (memcmp(at, "\r\n\r\n", 4) == 0) return i + 4 + body;
    if (request->length - i >= sizeof name &&
        memcmp(at, name, sizeof name - 1) == 0)
      for (at += sizeof name - 1; *at >= '0' && *at <= '9'; at++)
        body = body * 10 + (size_t)(*at - '0');
  }
  return 0;
}

/* Takes a request that has arrived; the answer to it is due. */
static void take_request(connection *of) {
  us_buffer *request = &of->request;
  size_t length = request_length(request);
  if (of->answering || request->length == 0) return;
  if (!of->counted) requests++;
  of->counted = true;
  if (length > 0 && length <= request->length) {
    memmove(request->data, request->data + length, request->length - length);
    us_buffer_truncate(request, request->length - length);
    of->counted = false;
  } else if (!playing.early) {
    return;
  }
  of->answering = true;
  of->sent = 0;
}

static bool listen_to(connection *to) {
  char chunk[16384];
  ssize_t length = recv(to->descriptor, chunk, sizeof chunk, 0);
  if (length > 0) {
    us_buffer_append(&to->request, chunk, (size_t)length);
    REQUIRE(to->request.status == US_OK);
  } else if (length == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
    drop(to);
    return true;
  }
  take_request(to);
  return length > 0;
}

static void finish(connection *with) {
  with->answering = false;
  if (playing.ending == LOOPBACK_RESET) drop(with);
  if (playing.ending == LOOPBACK_CLOSE) shutdown(with->descriptor, SHUT_WR);
}

static bool speak_to(connection *to) {
  size_t end = to->sent < playing.pause && playing.pause < playing.bytes.length
                   ? playing.pause
                   : playing.bytes.length;
  ssize_t length = 0;
  if (!to->answering) return false;
  if (end > to->sent)
    length = send(to->descriptor, playing.bytes.data + to->sent, end - to->sent,
                  MSG_NOSIGNAL);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (length < 0) {
    drop(to);
    return true;
  }
  to->sent += (size_t)length;
  if (to->sent == playing.bytes.length) finish(to);
  return true;
}

bool loopback_step(void) {
  bool busy = take_one();
  size_t i;
  for (i = 0; i < CONNECTIONS; i++) {
    if (connections[i].descriptor != 0) busy |= listen_to(&connections[i]);
    if (connections[i].descriptor != 0) busy |= speak_to(&connections[i]);
  }
  return busy;
}

void loopback_end(void) {
  size_t i;
  for (i = 0; i < CONNECTIONS; i++)
    if (connections[i].descriptor != 0)
      shutdown(connections[i].descriptor, SHUT_WR);
}
