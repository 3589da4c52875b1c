/* bytes.h: what a server sends, gathered up to a ceiling.
   Used from inside libcurl's callbacks: nothing here raises, logs or parses. */
#ifndef US_CURL_BYTES_H
#define US_CURL_BYTES_H

#include <stddef.h>

typedef struct {
  char *data;
  size_t length;
  size_t capacity;
} us_bytes;

typedef enum { US_BYTES_OK, US_BYTES_TOO_LARGE, US_BYTES_NO_MEMORY } us_gather;

/* Appends all of `data` or, past `ceiling` bytes in all, none of it. */
us_gather us_bytes_append(us_bytes *bytes, const char *data, size_t length,
                          size_t ceiling);
/* Makes room for so many in all, where there is the memory. */
void us_bytes_expect(us_bytes *bytes, size_t length);
/* Clears the content, and keeps the memory unless it is much. */
void us_bytes_wipe(us_bytes *bytes);
void us_bytes_free(us_bytes *bytes);

#endif
