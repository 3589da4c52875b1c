/* easy.h: one transfer: a request, the handle that carries it, what came back.
   The callbacks run inside libcurl: they gather and count, and know no Lua. */
#ifndef US_CURL_EASY_H
#define US_CURL_EASY_H

#include "curl/bytes.h"
#include "curl/framing.h"
#include "curl/options.h"
#include "curl/outcome.h"
#include "curl/request.h"
#include "curl/sockets.h"

struct us_pool;
struct us_origin;

/* A libcurl handle and whom it works for; the context of every callback. */
typedef struct us_handle {
  CURL *easy;
  struct us_transfer *transfer;
  char error[CURL_ERROR_SIZE]; /* libcurl writes here */
} us_handle;

typedef enum {
  US_STAGE_NEW,
  US_STAGE_RUNNING,
  US_STAGE_FINISHED /* outcome, head and body are there */
} us_stage;

/* How many headers a request may have, and how many lines we add. */
enum { US_REQUEST_HEADERS = 64, US_CLOSING_LINES = 3 };

/* A zeroed one is new. */
typedef struct us_transfer {
  /* The pool's business: NULL and empty unless it holds this transfer. */
  struct us_pool *pool;
  struct us_transfer *previous, *next;
  struct us_origin *origin;
  us_handle *handle;

  us_stage stage;
  long long due_ms; /* of us_clock_ms: when its time is over */
  us_wire_request request;
  us_bytes upload; /* its body, which libcurl reads as it goes */
  us_bytes lines;  /* its headers, a NUL behind each */
  size_t line_count;
  struct curl_slist headers[US_REQUEST_HEADERS + US_CLOSING_LINES];
  us_sockets *sockets;

  size_t body_sent;       /* bytes of the request body libcurl has taken */
  unsigned int attempts;  /* how often a request was about to be written */
  us_stop stop;           /* why a callback ended it */
  unsigned long refusals; /* of memory, to libcurl, before it began */

  us_bytes head;      /* of the last response, status line included */
  size_t head_length; /* of all there were: 100, 103, trailers */
  size_t head_lines;
  bool head_complete;
  us_framing framing; /* of that head */
  us_bytes body;
  us_transfer_outcome outcome;
} us_transfer;

/* Adds a header that has no problem. False: no memory. */
bool us_transfer_add_header(us_transfer *transfer, const char *name,
                            const char *value);
/* Keeps libcurl from adding headers of its own, and takes a copy of the body:
   from here on the request is the transfer's. False: no memory. */
bool us_transfer_close_request(us_transfer *transfer);
/* Wipes headers and body: libcurl is done with them. */
void us_transfer_forget_request(us_transfer *transfer);

/* Whether it was only turned away from a connection that was not silent:
   nothing was written, it can start again. */
bool us_transfer_may_restart(const us_transfer *transfer, CURLcode code);
void us_transfer_restart(us_transfer *transfer);

/* Writes the outcome of a transfer libcurl has ended, or one it never began. */
void us_transfer_conclude(us_transfer *transfer, CURLcode code);
void us_transfer_fail(us_transfer *transfer, const char *kind,
                      const char *message);

/* Whether what it used may be broken. Memory ran out, as far as one can tell:
   OpenSSL calls that a failure of TLS, nghttp2 one of the network. Or a request
   was cut off over TLS: libcurl keeps a connection of HTTP/2, even a dead one. */
bool us_transfer_leaves_doubt(const us_transfer *transfer);

/* Frees what it holds; the handle is the pool's. */
void us_transfer_free(us_transfer *transfer);
/* Makes one that is in no pool a new one, which keeps some memory. */
void us_transfer_renew(us_transfer *transfer);

/* libcurl's callbacks; the context is the handle. */
size_t us_transfer_on_body(char *data, size_t size, size_t count,
                           void *context);
size_t us_transfer_on_header(char *data, size_t size, size_t count,
                             void *context);
size_t us_transfer_on_read(char *data, size_t size, size_t count,
                           void *context);
int us_transfer_on_seek(void *context, curl_off_t offset, int origin);
int us_transfer_on_request(void *context, char *primary_ip, char *local_ip,
                           int primary_port, int local_port);

#endif
