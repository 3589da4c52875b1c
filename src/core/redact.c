/* redact.c: the list of secrets, and masking them. What is secret is said by
   the rows (US_SECRET) and by the client. */
#include "core/redact.h"

#include <string.h>

#include "core/json_writer.h"
#include "core/url.h"

#define SHORTEST 4

/* An entry is its length, in the bytes of a size_t, and its text. */
static void add(us_buffer *list, us_slice secret) {
  if (secret.length < SHORTEST) return;
  us_buffer_append(list, &secret.length, sizeof secret.length);
  us_buffer_append_slice(list, secret);
}

static bool next(const us_buffer *list, size_t *at, us_slice *secret) {
  if (*at >= list->length) return false;
  memcpy(&secret->length, list->data + *at, sizeof secret->length);
  secret->data = list->data + *at + sizeof secret->length;
  *at += sizeof secret->length + secret->length;
  return true;
}

/* As JSON writes it: the string without its quotes. */
static us_slice as_json(us_slice secret, us_buffer *scratch) {
  us_json_writer json = {scratch, false};
  us_slice inner = {NULL, 0};
  us_buffer_reset(scratch, US_LIMIT_BODY);
  us_json_string(&json, secret);
  if (scratch->status != US_OK) return inner;
  inner.data = scratch->data + 1;
  inner.length = scratch->length - 2;
  return inner;
}

/* With every slash escaped, as PHP and lua-cjson do. */
static us_slice with_slashes(us_slice text, us_buffer *scratch) {
  size_t i;
  us_buffer_reset(scratch, US_LIMIT_BODY);
  for (i = 0; i < text.length; i++) {
    if (text.data[i] == '/') us_buffer_append_byte(scratch, '\\');
    us_buffer_append_byte(scratch, text.data[i]);
  }
  return us_buffer_slice(scratch);
}

void us_secrets_add(us_buffer *list, us_slice secret) {
  us_buffer json = {0}, other = {0};
  us_slice escaped = as_json(secret, &json), slashed;
  add(list, secret);
  if (!us_slice_equal(escaped, secret)) add(list, escaped);
  slashed = with_slashes(escaped, &other);
  if (!us_slice_equal(slashed, escaped)) add(list, slashed);
  us_buffer_reset(&other, US_LIMIT_BODY);
  us_url_append_encoded(&other, secret);
  if (!us_slice_equal(us_buffer_slice(&other), secret))
    add(list, us_buffer_slice(&other));
  us_buffer_free(&json);
  us_buffer_free(&other);
}

/* The length of the longest secret at `at`, or of the start of one that ends
   with the text; 0: none. */
static size_t match(us_slice at, const us_buffer *list) {
  size_t longest = 0, entry = 0;
  us_slice secret;
  while (next(list, &entry, &secret)) {
    size_t length = secret.length < at.length ? secret.length : at.length;
    if (length >= SHORTEST && length > longest &&
        memcmp(at.data, secret.data, length) == 0)
      longest = length;
  }
  return longest;
}

void us_redact(us_buffer *text, const us_buffer *list) {
  size_t from = 0, to = 0;
  while (from < text->length) {
    us_slice rest = {text->data + from, text->length - from};
    size_t length = match(rest, list);
    if (length > 0) { /* at least four bytes give way to three */
      memcpy(text->data + to, "***", 3);
      to += 3;
      from += length;
    } else {
      text->data[to++] = text->data[from++];
    }
  }
  us_buffer_truncate(text, to);
}
