/* buffer.c: growing bytes with a ceiling. No parsing, no encoding. */
#include "core/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sign.h"

us_slice us_text(const char *string) {
  us_slice slice = {string, string ? strlen(string) : 0};
  return slice;
}

bool us_slice_equal(us_slice a, us_slice b) {
  return a.length == b.length &&
         (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool us_slice_is(us_slice slice, const char *string) {
  return us_slice_equal(slice, us_text(string));
}

void us_buffer_fail(us_buffer *buffer, us_status status) {
  size_t ceiling = buffer->ceiling;
  us_buffer_free(buffer);
  buffer->ceiling = ceiling;
  buffer->status = status;
}

/* realloc would leave the old bytes behind unwiped. */
static bool grow(us_buffer *buffer, size_t needed) {
  size_t capacity = buffer->capacity ? buffer->capacity : 64;
  char *data;
  while (capacity < needed)
    capacity *= 2;
  data = malloc(capacity);
  if (data == NULL) return false;
  if (buffer->length) memcpy(data, buffer->data, buffer->length);
  us_wipe(buffer->data, buffer->capacity);
  free(buffer->data);
  buffer->data = data;
  buffer->capacity = capacity;
  return true;
}

void us_buffer_reset(us_buffer *buffer, size_t ceiling) {
  buffer->length = 0;
  buffer->ceiling = ceiling;
  buffer->status = US_OK;
}

void us_buffer_append(us_buffer *buffer, const void *data, size_t length) {
  if (buffer->status != US_OK || length == 0) return;
  if (length > buffer->ceiling - buffer->length) {
    us_buffer_fail(buffer, US_TOO_LARGE);
    return;
  }
  if (buffer->length + length > buffer->capacity &&
      !grow(buffer, buffer->length + length)) {
    us_buffer_fail(buffer, US_NO_MEMORY);
    return;
  }
  memcpy(buffer->data + buffer->length, data, length);
  buffer->length += length;
}

void us_buffer_append_slice(us_buffer *buffer, us_slice slice) {
  us_buffer_append(buffer, slice.data, slice.length);
}

void us_buffer_append_text(us_buffer *buffer, const char *string) {
  us_buffer_append_slice(buffer, us_text(string));
}

void us_buffer_append_byte(us_buffer *buffer, char byte) {
  if (buffer->status == US_OK && buffer->length < buffer->capacity &&
      buffer->length < buffer->ceiling)
    buffer->data[buffer->length++] = byte;
  else
    us_buffer_append(buffer, &byte, 1);
}

void us_buffer_append_integer(us_buffer *buffer, long long integer) {
  char digits[32];
  int length = snprintf(digits, sizeof digits, "%lld", integer);
  us_buffer_append(buffer, digits, (size_t)length);
}

void us_buffer_truncate(us_buffer *buffer, size_t length) {
  if (length < buffer->length) buffer->length = length;
}

us_slice us_buffer_slice(const us_buffer *buffer) {
  us_slice slice = {buffer->length ? buffer->data : "", buffer->length};
  return slice;
}

us_status us_buffer_set(us_buffer *buffer, size_t ceiling, us_slice value) {
  us_buffer_reset(buffer, ceiling);
  us_buffer_append_slice(buffer, value);
  return buffer->status;
}

void us_buffer_free(us_buffer *buffer) {
  us_wipe(buffer->data, buffer->capacity);
  free(buffer->data);
  memset(buffer, 0, sizeof *buffer);
}
