/* bytes.c: bytes gathered up to a ceiling. No libcurl, no Lua. */
#include "curl/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "curl/wipe.h"

enum { FIRST_CAPACITY = 1024, KEPT_CAPACITY = 16384 };

/* Room costs little until it is written to; to move costs. */
static size_t grown(size_t capacity, size_t needed, size_t ceiling) {
  if (capacity < FIRST_CAPACITY) capacity = FIRST_CAPACITY;
  while (capacity < needed)
    capacity = capacity > ceiling / 4 ? ceiling : capacity * 4;
  return capacity;
}

/* realloc would leave the old bytes behind. What nothing was written to is not
   wiped: the system may not have given it to us yet. */
static bool move(us_bytes *bytes, size_t capacity) {
  char *moved = malloc(capacity);
  if (moved == NULL) return false;
  if (bytes->length != 0) memcpy(moved, bytes->data, bytes->length);
  us_wipe_bytes(bytes->data, bytes->length);
  free(bytes->data);
  bytes->data = moved;
  bytes->capacity = capacity;
  return true;
}

us_gather us_bytes_append(us_bytes *bytes, const char *data, size_t length,
                          size_t ceiling) {
  size_t needed = bytes->length + length;
  if (bytes->length > ceiling || length > ceiling - bytes->length)
    return US_BYTES_TOO_LARGE;
  if (needed > bytes->capacity &&
      !move(bytes, grown(bytes->capacity, needed, ceiling)))
    return US_BYTES_NO_MEMORY;
  if (length != 0) memcpy(bytes->data + bytes->length, data, length);
  bytes->length = needed;
  return US_BYTES_OK;
}

void us_bytes_expect(us_bytes *bytes, size_t length) {
  if (length > bytes->capacity) (void)move(bytes, length);
}

void us_bytes_wipe(us_bytes *bytes) {
  if (bytes->capacity > KEPT_CAPACITY)
    us_bytes_free(bytes);
  else
    us_wipe_bytes(bytes->data, bytes->length);
  bytes->length = 0;
}

void us_bytes_free(us_bytes *bytes) {
  static const us_bytes nothing = {NULL, 0, 0};
  us_wipe_bytes(bytes->data, bytes->length);
  free(bytes->data);
  *bytes = nothing;
}
