/* redact.c: the list of secrets, and masking them. What is secret is said by
   the rows (US_SECRET) and by the client. */
#include "core/redact.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Reads one UTF-8 character; its length, or 0 for what is none. */
static size_t decode(us_slice text, unsigned long *character) {
  const unsigned char *byte = (const unsigned char *)text.data;
  size_t length = byte[0] < 0x80    ? 1
                  : byte[0] >= 0xf0 ? 4
                  : byte[0] >= 0xe0 ? 3
                  : byte[0] >= 0xc2 ? 2
                                    : 0;
  size_t i;
  if (length == 0 || length > text.length) return 0;
  *character = length == 1 ? byte[0] : byte[0] & (0xffu >> (length + 1));
  for (i = 1; i < length; i++) {
    if ((byte[i] & 0xc0) != 0x80) return 0;
    *character = *character << 6 | (byte[i] & 0x3f);
  }
  return length;
}

static void append_escape(us_buffer *out, unsigned long unit, bool upper) {
  char escape[8];
  snprintf(escape, sizeof escape, upper ? "\\u%04lX" : "\\u%04lx",
           unit & 0xffff);
  us_buffer_append_text(out, escape);
}

/* With all but ASCII as \uXXXX: what many JSON writers do by default. */
static us_slice as_ascii(us_slice text, bool upper, us_buffer *scratch) {
  us_slice rest = text;
  us_buffer_reset(scratch, US_LIMIT_BODY);
  while (rest.length > 0) {
    unsigned long character;
    size_t length = decode(rest, &character);
    if (length == 0) return text;
    if (length == 1) {
      us_buffer_append_byte(scratch, rest.data[0]);
    } else if (character < 0x10000) {
      append_escape(scratch, character, upper);
    } else {
      append_escape(scratch, 0xd800 + ((character - 0x10000) >> 10), upper);
      append_escape(scratch, 0xdc00 + ((character - 0x10000) & 0x3ff), upper);
    }
    rest.data += length;
    rest.length -= length;
  }
  return us_buffer_slice(scratch);
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

/* A way to write a secret, unless it is the plain way. */
static void add_form(us_buffer *list, us_slice form, us_slice plain) {
  if (!us_slice_equal(form, plain)) add(list, form);
}

/* The forms that JSON may have without any character beyond ASCII. */
static us_status add_ascii(us_buffer *list, us_slice escaped, bool upper) {
  us_buffer ascii = {0}, other = {0};
  us_slice plain = as_ascii(escaped, upper, &ascii);
  us_status status;
  add_form(list, plain, escaped);
  add_form(list, with_slashes(plain, &other), escaped);
  status = ascii.status != US_OK ? ascii.status : other.status;
  us_buffer_free(&ascii);
  us_buffer_free(&other);
  return status;
}

static void add_percent(us_buffer *list, us_slice secret, us_buffer *scratch) {
  size_t i;
  us_buffer_reset(scratch, US_LIMIT_BODY);
  us_url_append_encoded(scratch, secret);
  add_form(list, us_buffer_slice(scratch), secret);
  for (i = 0; i + 2 < scratch->length; i++) {
    if (scratch->data[i] != '%') continue;
    scratch->data[i + 1] |= 0x20; /* digits stay, letters become small */
    scratch->data[i + 2] |= 0x20;
  }
  add_form(list, us_buffer_slice(scratch), secret);
}

void us_secrets_add(us_buffer *list, us_slice secret) {
  us_buffer json = {0}, other = {0};
  us_slice escaped = as_json(secret, &json);
  bool whole = add_ascii(list, escaped, false) == US_OK &&
               add_ascii(list, escaped, true) == US_OK;
  add(list, secret);
  add_form(list, escaped, secret);
  add_form(list, with_slashes(escaped, &other), escaped);
  whole = whole && other.status == US_OK;
  add_percent(list, secret, &other);
  if (!whole || json.status != US_OK || other.status != US_OK)
    us_buffer_fail(list, US_NO_MEMORY);
  us_buffer_free(&json);
  us_buffer_free(&other);
}

/* Appends the character of the escape at `at`, behind its backslash, and
   returns how long the escape is. The writer escapes no more than these. */
static size_t unescape(us_buffer *out, const char *at) {
  static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
  const char *letter = strchr(letters, *at);
  if (*at == 'u') {
    us_buffer_append_byte(out, (char)strtol(at + 3, NULL, 16));
    return 5;
  }
  us_buffer_append_byte(out, letter ? bytes[letter - letters] : *at);
  return 1;
}

/* Reads the string that opens at `at` into `out`; the byte behind its end. */
static const char *read_string(us_buffer *out, const char *at) {
  us_buffer_reset(out, US_LIMIT_BODY);
  for (at++; *at != '"'; at++) {
    if (*at == '\\')
      at += unescape(out, at + 1);
    else
      us_buffer_append_byte(out, *at);
  }
  return at + 1;
}

void us_secrets_add_json(us_buffer *list, us_slice json) {
  us_buffer text = {0};
  const char *at = json.data, *end = at + json.length;
  while (at < end) {
    if (*at != '"') {
      at++;
      continue;
    }
    at = read_string(&text, at);
    if (at == end || *at != ':') us_secrets_add(list, us_buffer_slice(&text));
    if (text.status != US_OK) us_buffer_fail(list, text.status);
  }
  us_buffer_free(&text);
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
