/* spelling.c: writing a secret in many ways, and reading it back in each. */
#include "spelling.h"

#include <stdlib.h>

/* --- writing ------------------------------------------------------------- */

/* The code point of the character at `text`; its length, or 0 for bytes that
   are no UTF-8. Secrets are not ill-formed on purpose: a rough look will do. */
static size_t character(us_slice text, unsigned long *code) {
  unsigned char first = (unsigned char)text.data[0];
  size_t i, length = first < 0x80                    ? 1
                     : first >= 0xC2 && first < 0xE0 ? 2
                     : first >= 0xE0 && first < 0xF0 ? 3
                     : first >= 0xF0 && first < 0xF5 ? 4
                                                     : 0;
  if (length == 0 || length > text.length) return 0;
  *code = length == 1 ? first : first & (0x7Fu >> length);
  for (i = 1; i < length; i++) {
    if (((unsigned char)text.data[i] & 0xC0) != 0x80) return 0;
    *code = *code << 6 | ((unsigned char)text.data[i] & 0x3Fu);
  }
  if (*code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF)) return 0;
  return *code >= (length == 3   ? 0x800u
                   : length == 4 ? 0x10000u
                                 : 0)
             ? length
             : 0;
}

static void append_format(us_buffer *out, const char *format,
                          unsigned long value) {
  char text[32];
  snprintf(text, sizeof text, format, value);
  us_buffer_append_text(out, text);
}

static void append_json(us_buffer *out, unsigned long code, bool capitals) {
  const char *format = capitals ? "\\u%04lX" : "\\u%04lx";
  if (code < 0x10000) {
    append_format(out, format, code);
  } else {
    append_format(out, format, 0xD800 + ((code - 0x10000) >> 10));
    append_format(out, format, 0xDC00 + ((code - 0x10000) & 0x3FF));
  }
}

/* The short escape of JSON where there is one. */
static bool append_short(us_buffer *out, unsigned long code) {
  static const char from[] = "\"\\/\b\f\n\r\t", to[] = "\"\\/bfnrt";
  const char *at = code > 0 && code < 0x80 ? strchr(from, (int)code) : NULL;
  if (at == NULL) return false;
  us_buffer_append_byte(out, '\\');
  us_buffer_append_byte(out, to[at - from]);
  return true;
}

static bool append_entity(us_buffer *out, unsigned long code) {
  static const char *const names[] = {"\"&quot;", "&&amp;", "<&lt;", ">&gt;",
                                      "'&apos;"};
  size_t i;
  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (code != (unsigned long)names[i][0]) continue;
    us_buffer_append_text(out, names[i] + 1);
    return true;
  }
  return false;
}

static void append_percent(us_buffer *out, us_slice bytes, const char *format) {
  size_t i;
  for (i = 0; i < bytes.length; i++)
    append_format(out, format, (unsigned char)bytes.data[i]);
}

static void append_character(us_buffer *out, us_slice bytes, unsigned long code,
                             unsigned how) {
  switch (how) {
  case 1:
    if (!append_short(out, code)) us_buffer_append_slice(out, bytes);
    break;
  case 2: append_json(out, code, false); break;
  case 3: append_json(out, code, true); break;
  case 4: append_percent(out, bytes, "%%%02lX"); break;
  case 5: append_percent(out, bytes, "%%%02lx"); break;
  case 6: append_format(out, "&#%lu;", code); break;
  case 7: append_format(out, "&#x%lx;", code); break;
  case 8:
    if (!append_entity(out, code)) us_buffer_append_slice(out, bytes);
    break;
  case 9:
    if (code == ' ')
      us_buffer_append_byte(out, '+');
    else
      us_buffer_append_slice(out, bytes);
    break;
  default: us_buffer_append_slice(out, bytes);
  }
}

void spelling_append(us_buffer *out, us_slice secret, fuzz_input *input) {
  while (secret.length > 0) {
    unsigned long code = 0;
    size_t length = character(secret, &code);
    unsigned how = fuzz_byte(input) % 12;
    us_slice bytes = {secret.data, length > 0 ? length : 1};
    if (length == 0 && how != 4 && how != 5) how = 0;
    append_character(out, bytes, code, how);
    secret.data += bytes.length;
    secret.length -= bytes.length;
  }
}

/* --- reading ------------------------------------------------------------- */

static void append_utf8(us_buffer *out, unsigned long code) {
  unsigned lead = code < 0x800 ? 0xC0 : code < 0x10000 ? 0xE0 : 0xF0;
  if (code < 0x80) {
    us_buffer_append_byte(out, (char)code);
    return;
  }
  us_buffer_append_byte(
      out, (char)(lead | (unsigned char)(code >> (lead == 0xC0   ? 6
                                                  : lead == 0xE0 ? 12
                                                                 : 18))));
  if (lead == 0xF0)
    us_buffer_append_byte(out, (char)(0x80 | (code >> 12 & 63)));
  if (lead != 0xC0) us_buffer_append_byte(out, (char)(0x80 | (code >> 6 & 63)));
  us_buffer_append_byte(out, (char)(0x80 | (code & 63)));
}

/* The number in `count` digits of `base` at `at`; false when there are less. */
static bool digits(const char *at, const char *end, size_t count, int base,
                   unsigned long *value) {
  static const char known[] = "0123456789abcdef";
  size_t i;
  *value = 0;
  if ((size_t)(end - at) < count || count == 0 || count > 7) return false;
  for (i = 0; i < count; i++) {
    char small = at[i] >= 'A' && at[i] <= 'F' ? (char)(at[i] | 0x20) : at[i];
    const char *digit = small != '\0' ? strchr(known, small) : NULL;
    if (digit == NULL || digit - known >= base) return false;
    *value = *value * (unsigned long)base + (unsigned long)(digit - known);
  }
  return true;
}

static size_t read_percent(const char *at, const char *end, us_buffer *out) {
  unsigned long byte;
  if (*at != '%' || !digits(at + 1, end, 2, 16, &byte)) return 0;
  us_buffer_append_byte(out, (char)byte);
  return 3;
}

static size_t read_plus(const char *at, const char *end, us_buffer *out) {
  if (*at != '+') return read_percent(at, end, out);
  us_buffer_append_byte(out, ' ');
  return 1;
}

static size_t read_json(const char *at, const char *end, us_buffer *out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  unsigned long code, low;
  const char *letter;
  if (*at != '\\' || end - at < 2) return 0;
  letter = at[1] != '\0' ? strchr(from, at[1]) : NULL;
  if (letter != NULL) {
    us_buffer_append_byte(out, to[letter - from]);
    return 2;
  }
  if (at[1] != 'u' || !digits(at + 2, end, 4, 16, &code)) return 0;
  if (code >> 10 == 0x36 && end - at >= 8 && at[6] == '\\' && at[7] == 'u' &&
      digits(at + 8, end, 4, 16, &low) && low >> 10 == 0x37) {
    append_utf8(out, 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF));
    return 12;
  }
  append_utf8(out, code);
  return 6;
}

static size_t read_entity(const char *at, const char *end, us_buffer *out) {
  static const char *const names[] = {"\"&quot;", "&&amp;", "<&lt;", ">&gt;",
                                      "'&apos;"};
  const char *close = memchr(at, ';', (size_t)(end - at));
  unsigned long code;
  size_t i, length = close != NULL ? (size_t)(close - at) + 1 : 0;
  bool hex = length > 3 && (at[2] | 0x20) == 'x';
  size_t skip = hex ? 3 : 2;
  if (*at != '&' || length < 4) return 0;
  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strlen(names[i]) - 1 != length || memcmp(names[i] + 1, at, length) != 0)
      continue;
    us_buffer_append_byte(out, names[i][0]);
    return length;
  }
  if (at[1] != '#' ||
      !digits(at + skip, end, length - skip - 1, hex ? 16 : 10, &code) ||
      code > 0x10FFFF)
    return 0;
  append_utf8(out, code);
  return length;
}

static size_t read_any(const char *at, const char *end, us_buffer *out) {
  size_t length = read_plus(at, end, out);
  if (length == 0) length = read_json(at, end, out);
  if (length == 0) length = read_entity(at, end, out);
  return length;
}

static bool is_utf8(us_slice text) {
  unsigned long code;
  size_t length = 1;
  while (text.length > 0 && length > 0) {
    length = character(text, &code);
    text.data += length;
    text.length -= length;
  }
  return length > 0;
}

/* Escapes that stand for characters say nothing of bytes that are none. */
bool spelling_occurs(us_slice text, us_slice secret) {
  static size_t (*const readers[])(const char *, const char *, us_buffer *) = {
      read_percent, read_plus, read_json, read_entity, read_any};
  const char *end = text.data + text.length;
  bool found = fuzz_contains(text, secret);
  size_t i, count = is_utf8(secret) ? sizeof readers / sizeof readers[0] : 2;
  for (i = 0; i < count && !found; i++) {
    us_buffer plain = {0};
    const char *at = text.data;
    us_buffer_reset(&plain, US_LIMIT_BODY);
    while (at < end) {
      size_t length = readers[i](at, end, &plain);
      if (length == 0) us_buffer_append_byte(&plain, *at);
      at += length > 0 ? length : 1;
    }
    found = fuzz_contains(us_buffer_slice(&plain), secret);
    us_buffer_free(&plain);
  }
  return found;
}
