/* request.c: the checks on a request. The core has encoded and checked it
   already; what would let bytes of a caller become a second header or a second
   request is refused here again, next to the wire. */
#include "curl/request.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_capital(char byte) {
  return byte >= 'A' && byte <= 'Z';
}

/* RFC 9110 section 5.6.2: token. A loop, for strspn builds a table a call. */
static bool is_token(const char *text, size_t length) {
  size_t i;
  for (i = 0; i < length; i++) {
    char byte = text[i];
    if (!(is_capital(byte) || (byte >= 'a' && byte <= 'z') || byte == '-' ||
          (byte >= '0' && byte <= '9') ||
          (byte != '\0' && strchr("!#$%&'*+.^_`|~", byte) != NULL)))
      return false;
  }
  return length > 0;
}

static bool is_graphic(const char *text, size_t length) {
  size_t i;
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f) return false;
  return true;
}

const char *us_request_set_method(us_wire_request *request, const char *method,
                                  size_t length) {
  size_t i;
  for (i = 0; i < length; i++)
    if (!is_capital(method[i])) return "must be a verb in capitals";
  if (length == 0 || length > 16) return "must be a verb in capitals";
  request->method = method;
  return NULL;
}

/* scheme "://" authority [ "/" path ] [ "?" query ], cut before the path. */
const char *us_request_set_url(us_wire_request *request, const char *url,
                               size_t length) {
  size_t start;
  if (strncasecmp(url, "https://", 8) == 0)
    start = 8;
  else if (strncasecmp(url, "http://", 7) == 0)
    start = 7;
  else
    return "must begin with https:// or http://";
  if (!is_graphic(url, length))
    return "must hold no blanks and no control characters";
  if (strchr(url, '#') != NULL) return "must have no fragment";
  request->url = url;
  request->https = start == 8;
  request->origin_length = start + strcspn(url + start, "/?");
  if (memchr(url, '@', request->origin_length) != NULL)
    return "must hold no credentials";
  if (url[request->origin_length] == '?')
    return "must have a path before its query";
  request->target = url + request->origin_length;
  if (request->target[0] == '\0') request->target = "/";
  return NULL;
}

const char *us_request_set_response_size(us_wire_request *request,
                                         double bytes) {
  if (!(bytes >= 0)) return "must not be negative";
  request->max_response_size =
      bytes >= (double)(SIZE_MAX / 4) ? SIZE_MAX / 4 : (size_t)bytes;
  return NULL;
}

long us_milliseconds(double seconds) {
  if (!(seconds > 0.001)) return 1;
  if (seconds >= INT_MAX / 1000) return INT_MAX;
  return (long)(seconds * 1000.0 + 0.999);
}

bool us_request_posts(const us_wire_request *request) {
  const char *method = request->method;
  return request->body != NULL || strcmp(method, "POST") == 0 ||
         strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

bool us_header_is_framing(const char *name) {
  return strcasecmp(name, "content-length") == 0;
}

static bool is_length_of_body(const us_wire_request *request,
                              const char *value) {
  char digits[32];
  snprintf(digits, sizeof(digits), "%zu", request->body_length);
  return strcmp(digits, value) == 0;
}

/* How a message ends is decided in one place only. */
const char *us_header_problem(const us_wire_request *request, const char *name,
                              size_t name_length, const char *value,
                              size_t value_length) {
  if (!is_token(name, name_length)) return "is not the name of a header";
  if (strlen(value) != value_length || strpbrk(value, "\r\n") != NULL)
    return "must hold no line break and no NUL";
  if (strcasecmp(name, "transfer-encoding") == 0)
    return "is for the transport to choose";
  if (us_header_is_framing(name) && !is_length_of_body(request, value))
    return "is not the length of the body";
  return NULL;
}
