/* headers.c: header fields, packed as flag, name, NUL, value, NUL. */
#include "core/headers.h"

#include <string.h>

void us_headers_add(us_buffer *list, const char *name, us_slice value,
                    bool secret) {
  us_buffer_append_byte(list, secret ? '*' : ' ');
  us_buffer_append_text(list, name);
  us_buffer_append_byte(list, '\0');
  us_buffer_append_slice(list, value);
  us_buffer_append_byte(list, '\0');
}

bool us_headers_next(const us_buffer *list, size_t *at, us_header *header) {
  if (*at >= list->length) return false;
  header->secret = list->data[*at] == '*';
  header->name = us_text(list->data + *at + 1);
  header->value = us_text(header->name.data + header->name.length + 1);
  *at += header->name.length + header->value.length + 3;
  return true;
}

static char lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool same_name(us_slice a, us_slice b) {
  size_t i;
  if (a.length != b.length) return false;
  for (i = 0; i < a.length; i++)
    if (lower(a.data[i]) != lower(b.data[i])) return false;
  return true;
}

bool us_header_name_is(us_slice name, const char *other) {
  return same_name(name, us_text(other));
}

bool us_headers_has(const us_buffer *list, us_slice name) {
  us_header header;
  size_t at = 0;
  while (us_headers_next(list, &at, &header))
    if (same_name(header.name, name)) return true;
  return false;
}

bool us_header_name_is_valid(us_slice name) {
  static const char others[] = "!#$%&'*+-.^_`|~";
  size_t i;
  for (i = 0; i < name.length; i++) {
    char byte = name.data[i];
    bool word = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                (byte >= 'a' && byte <= 'z');
    if (!word && (byte == '\0' || strchr(others, byte) == NULL)) return false;
  }
  return name.length > 0;
}

bool us_header_name_is_reserved(us_slice name) {
  static const char *const reserved[] = {
      "Connection", "Content-Length",    "Expect",  "Host",   "Keep-Alive",
      "TE",         "Transfer-Encoding", "Trailer", "Upgrade"};
  size_t i;
  for (i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
    if (us_header_name_is(name, reserved[i])) return true;
  return false;
}
