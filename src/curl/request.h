/* request.h: one request as the transport takes it, and what is wrong with it.
   Pure: no handle, no Lua. A `problem` is a text that completes the sentence
   that begins with the field's name; NULL means there is none. */
#ifndef US_CURL_REQUEST_H
#define US_CURL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/* The texts belong to the caller, until the transfer has started. */
typedef struct {
  const char *method;
  const char *url;      /* all of it */
  const char *target;   /* its path and query, byte for byte as sent */
  size_t origin_length; /* of what comes before them */
  bool https;
  const char *body; /* NULL: none */
  size_t body_length;
  bool idempotent;
  long timeout_ms;
  long connect_timeout_ms;
  size_t max_response_size;
} us_wire_request;

const char *us_request_set_method(us_wire_request *request, const char *method,
                                  size_t length);
const char *us_request_set_url(us_wire_request *request, const char *url,
                               size_t length);
const char *us_request_set_response_size(us_wire_request *request,
                                         double bytes);
/* Milliseconds of a timeout in seconds: at least 1, for 0 is "for ever". */
long us_milliseconds(double seconds);

/* Whether it says how long its body is, be it empty. */
bool us_request_posts(const us_wire_request *request);

const char *us_header_problem(const us_wire_request *request, const char *name,
                              size_t name_length, const char *value,
                              size_t value_length);
/* Whether libcurl writes this header itself. */
bool us_header_is_framing(const char *name);

#endif
