/* framing.h: what the lines of a head claim about the end of the response.
   libcurl is lenient where it reads them; this says which claims are in doubt,
   for then one answer could be taken for another. Pure. */
#ifndef US_CURL_FRAMING_H
#define US_CURL_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed one has read nothing. */
typedef struct {
  char length[20]; /* the digits of Content-Length */
  bool begun;      /* the status line has come */
  bool is_old;     /* HTTP/1.0 */
  bool sized;
  bool chunked;
  const char *problem; /* the first there was; NULL: none */
} us_framing;

/* Lines come one by one, the status line first, each with its line break. */
void us_framing_read(us_framing *framing, const char *line, size_t length);

#endif
