/* easy.c: one transfer and libcurl's callbacks for it.
   Two of the three fences are here: a request that must not be repeated is
   issued once, and none is issued on a connection that is not silent. */
#include "curl/easy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "curl/silence.h"
#include "curl/wipe.h"

/* Of all the heads of one transfer together, trailers included. */
#define HEAD_CEILING ((size_t)256 << 10)
enum { HEAD_LINES = 1000 };
/* Room is made at once for a body that is announced, if it is no larger. */
#define MOST_EXPECTED ((size_t)16 << 20)

static bool add_text(us_transfer *transfer, const char *text, size_t length) {
  return us_bytes_append(&transfer->lines, text, length, SIZE_MAX) ==
         US_BYTES_OK;
}

static bool add_line(us_transfer *transfer, const char *line) {
  transfer->line_count++;
  return add_text(transfer, line, strlen(line) + 1);
}

/* libcurl drops "Name:" when nothing or blanks follow, and sends "Name;" as an
   empty value. */
bool us_transfer_add_header(us_transfer *transfer, const char *name,
                            const char *value) {
  bool empty = value[strspn(value, " \t")] == '\0';
  return add_text(transfer, name, strlen(name)) &&
         add_text(transfer, ": ", empty ? 0 : 2) &&
         add_line(transfer, empty ? ";" : value);
}

static bool has_header(const us_transfer *transfer, const char *lower_name) {
  size_t length = strlen(lower_name), i;
  const char *line = transfer->lines.data;
  for (i = 0; i < transfer->line_count; i++, line += strlen(line) + 1)
    if (strncasecmp(line, lower_name, length) == 0 &&
        (line[length] == ':' || line[length] == ';'))
      return true;
  return false;
}

/* libcurl wants a list. Its texts stay where they are from now on. */
static void link_headers(us_transfer *transfer) {
  char *line = transfer->lines.data;
  size_t i;
  for (i = 0; i < transfer->line_count; i++, line += strlen(line) + 1) {
    transfer->headers[i].data = line;
    transfer->headers[i].next = &transfer->headers[i + 1];
  }
  transfer->headers[i - 1].next = NULL;
}

static bool keep_body(us_transfer *transfer) {
  us_wire_request *request = &transfer->request;
  if (request->body == NULL) return true;
  if (us_bytes_append(&transfer->upload, request->body, request->body_length,
                      SIZE_MAX) != US_BYTES_OK)
    return false;
  request->body = request->body_length > 0 ? transfer->upload.data : "";
  return true;
}

/* A line "Name:" is one libcurl leaves out. */
bool us_transfer_close_request(us_transfer *transfer) {
  bool posts = us_request_posts(&transfer->request);
  bool closed =
      (has_header(transfer, "accept") || add_line(transfer, "Accept:")) &&
      (!posts || has_header(transfer, "content-type") ||
       add_line(transfer, "Content-Type:")) &&
      (!posts || add_line(transfer, "Expect:")) && keep_body(transfer);
  if (closed) link_headers(transfer);
  return closed;
}

static us_transfer *transfer_of(void *context) {
  us_handle *handle = context;
  return handle->transfer;
}

/* Anything but `length` stops the transfer. */
static size_t gathered(us_transfer *transfer, us_gather result, size_t length,
                       us_stop too_large) {
  if (result == US_BYTES_OK) return length;
  transfer->stop = result == US_BYTES_NO_MEMORY ? US_STOP_NO_MEMORY : too_large;
  return length + 1;
}

/* A body that is announced is not moved while it grows. That it need not come
   does no harm: room costs little until it is written to. */
static void expect_body(us_transfer *transfer) {
  size_t ceiling = transfer->request.max_response_size;
  unsigned long long length = strtoull(transfer->framing.length, NULL, 10);
  if (ceiling > MOST_EXPECTED) ceiling = MOST_EXPECTED;
  us_bytes_expect(&transfer->body, length < ceiling ? (size_t)length : ceiling);
}

size_t us_transfer_on_body(char *data, size_t size, size_t count,
                           void *context) {
  us_transfer *transfer = transfer_of(context);
  us_gather result;
  if (transfer->body.length == 0) expect_body(transfer);
  result = us_bytes_append(&transfer->body, data, size * count,
                           transfer->request.max_response_size);
  return gathered(transfer, result, size * count, US_STOP_TOO_LARGE_BODY);
}

static void open_head(us_transfer *transfer) {
  static const us_framing none = {"", false, false, false, false, NULL};
  us_bytes_wipe(&transfer->head);
  transfer->head_complete = false;
  transfer->framing = none;
}

/* A status line opens a head and an empty line ends it; what follows that and
   is no status line is a trailer, which counts and is not kept. */
size_t us_transfer_on_header(char *data, size_t size, size_t count,
                             void *context) {
  us_transfer *transfer = transfer_of(context);
  size_t length = size * count;
  us_gather result = US_BYTES_OK;
  transfer->head_length += length;
  transfer->head_lines++;
  if (transfer->head_complete && length > 5 && memcmp(data, "HTTP/", 5) == 0)
    open_head(transfer);
  if (transfer->head_length > HEAD_CEILING || transfer->head_lines > HEAD_LINES)
    result = US_BYTES_TOO_LARGE;
  else if (!transfer->head_complete) {
    us_framing_read(&transfer->framing, data, length);
    if (transfer->framing.problem != NULL) return length + 1;
    result = us_bytes_append(&transfer->head, data, length, HEAD_CEILING);
  }
  if (length > 0 && (data[0] == '\r' || data[0] == '\n'))
    transfer->head_complete = true;
  return gathered(transfer, result, length, US_STOP_TOO_LARGE_HEAD);
}

size_t us_transfer_on_read(char *data, size_t size, size_t count,
                           void *context) {
  us_transfer *transfer = transfer_of(context);
  size_t left = transfer->request.body_length - transfer->body_sent;
  size_t length = size * count < left ? size * count : left;
  memcpy(data, transfer->request.body + transfer->body_sent, length);
  transfer->body_sent += length;
  return length;
}

/* libcurl rewinds a body to send it again. */
int us_transfer_on_seek(void *context, curl_off_t offset, int origin) {
  us_transfer *transfer = transfer_of(context);
  bool at_start = offset == 0 && origin == SEEK_SET && transfer->body_sent == 0;
  return at_start ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static bool is_reused_connection(CURL *easy) {
  long made = 0;
  return curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made) != CURLE_OK ||
         made == 0;
}

/* libcurl would write a request again up to five times, at once. One that may
   be repeated is written once more, for a server may have closed its connection
   just then, or demand HTTP/1.1 in place of HTTP/2. Over HTTP/2 a server says
   so when it did not look at a request: then, too, whether and when to repeat
   it is the core's to decide, which waits and counts. */
static bool may_write_again(const us_transfer *transfer) {
  return transfer->request.idempotent && transfer->attempts == 1 &&
         !us_connection_is_http2(transfer->handle->easy);
}

/* libcurl is connected and about to write the request: for the first time, or
   again because the connection it had used before died, or because the server
   refused the stream. */
int us_transfer_on_request(void *context, char *primary_ip, char *local_ip,
                           int primary_port, int local_port) {
  us_transfer *transfer = transfer_of(context);
  (void)primary_ip;
  (void)local_ip;
  (void)primary_port;
  if (transfer->attempts > 0 && !may_write_again(transfer)) {
    transfer->stop = US_STOP_REPLAY;
    return CURL_PREREQFUNC_ABORT;
  }
  if (is_reused_connection(transfer->handle->easy) &&
      !us_connection_is_silent(transfer->handle->easy, transfer->sockets,
                               local_port)) {
    transfer->stop = US_STOP_NOISE;
    return CURL_PREREQFUNC_ABORT;
  }
  transfer->attempts++;
  return CURL_PREREQFUNC_OK;
}

bool us_transfer_may_restart(const us_transfer *transfer, CURLcode code) {
  return code == CURLE_ABORTED_BY_CALLBACK && transfer->stop == US_STOP_NOISE;
}

void us_transfer_restart(us_transfer *transfer) {
  open_head(transfer);
  us_bytes_wipe(&transfer->body);
  transfer->head_length = 0;
  transfer->head_lines = 0;
  transfer->body_sent = 0;
  transfer->stop = US_STOP_NONE;
  transfer->handle->error[0] = '\0';
}

void us_transfer_conclude(us_transfer *transfer, CURLcode code) {
  us_handle *handle = transfer->handle;
  us_evidence evidence = {code,
                          transfer->stop,
                          transfer->attempts > 0,
                          transfer->head_complete,
                          transfer->framing.problem,
                          0,
                          "",
                          us_wipe_refusals() != transfer->refusals};
  if (handle != NULL) {
    evidence.detail = handle->error;
    curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &evidence.status);
  }
  us_outcome_decide(&transfer->outcome, &evidence);
  transfer->stage = US_STAGE_FINISHED;
}

void us_transfer_fail(us_transfer *transfer, const char *kind,
                      const char *message) {
  us_outcome_fail(&transfer->outcome, kind, message, transfer->attempts > 0);
  transfer->stage = US_STAGE_FINISHED;
}

static bool ended_as(const us_transfer *transfer, const char *kind) {
  const char *ended = transfer->outcome.kind;
  return ended != NULL && strcmp(ended, kind) == 0;
}

bool us_transfer_leaves_doubt(const us_transfer *transfer) {
  bool cut_off = transfer->attempts > 0 && (ended_as(transfer, "network") ||
                                            ended_as(transfer, "timeout"));
  return us_wipe_refusals() != transfer->refusals ||
         ended_as(transfer, "memory") || ended_as(transfer, "tls") ||
         (cut_off && transfer->request.https);
}

void us_transfer_forget_request(us_transfer *transfer) {
  us_bytes_wipe(&transfer->lines);
  us_bytes_wipe(&transfer->upload);
}

void us_transfer_free(us_transfer *transfer) {
  us_bytes_free(&transfer->lines);
  us_bytes_free(&transfer->upload);
  us_bytes_free(&transfer->head);
  us_bytes_free(&transfer->body);
}

void us_transfer_renew(us_transfer *transfer) {
  us_transfer renewed = {0};
  us_transfer_forget_request(transfer);
  us_bytes_wipe(&transfer->head);
  us_bytes_wipe(&transfer->body);
  renewed.lines = transfer->lines;
  renewed.upload = transfer->upload;
  renewed.head = transfer->head;
  renewed.body = transfer->body;
  *transfer = renewed;
}
