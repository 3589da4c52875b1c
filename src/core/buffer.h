/* buffer.h: growing bytes with a ceiling declared at birth.
   Failure is sticky: after one, appends do nothing and `status` tells why, so
   a writer appends freely and checks once, at the end. Memory is wiped before
   it is released, for buffers hold credentials. */
#ifndef US_BUFFER_H
#define US_BUFFER_H

#include "core/usher.h"

typedef struct {
  char *data;
  size_t length;
  size_t capacity;
  size_t ceiling; /* 0 (a zeroed buffer): nothing fits */
  us_status status;
} us_buffer;

us_slice us_text(const char *string);
bool us_slice_equal(us_slice a, us_slice b);
bool us_slice_is(us_slice slice, const char *string);

/* Empties `buffer`, keeps its memory, sets its ceiling and clears failure. */
void us_buffer_reset(us_buffer *buffer, size_t ceiling);
void us_buffer_append(us_buffer *buffer, const void *data, size_t length);
void us_buffer_append_slice(us_buffer *buffer, us_slice slice);
void us_buffer_append_text(us_buffer *buffer, const char *string);
void us_buffer_append_byte(us_buffer *buffer, char byte);
void us_buffer_append_integer(us_buffer *buffer, long long integer);
/* Frees the memory; from now on appends do nothing. */
void us_buffer_fail(us_buffer *buffer, us_status status);
/* Forgets what lies beyond `length`. */
void us_buffer_truncate(us_buffer *buffer, size_t length);
us_slice us_buffer_slice(const us_buffer *buffer);
/* Empties and fills in one go; US_OK or why not. */
US_MUST_CHECK us_status us_buffer_set(us_buffer *buffer, size_t ceiling,
                                      us_slice value);
void us_buffer_free(us_buffer *buffer);

#endif
