/* multipart.c: multipart/form-data (RFC 7578). Reads no files. */
#include "core/multipart.h"

#include <stdio.h>
#include <string.h>

void us_multipart_boundary(char boundary[US_BOUNDARY_SIZE],
                           unsigned long long seed) {
  snprintf(boundary, US_BOUNDARY_SIZE, "usher-%016llx", seed);
}

bool us_multipart_occurs(const char *text, us_slice data) {
  size_t length = strlen(text);
  const char *at = data.data;
  const char *end;
  if (data.length < length) return false;
  end = at + data.length;
  while (at != NULL && (size_t)(end - at) >= length) {
    if (memcmp(at, text, length) == 0) return true;
    at = memchr(at + 1, text[0], (size_t)(end - at) - 1);
  }
  return false;
}

/* WHATWG HTML section 4.10.21.8: the three bytes that would end the quoted
   string or the header are percent-encoded, all others pass. */
static void append_quoted(us_buffer *out, us_slice value) {
  size_t i;
  us_buffer_append_byte(out, '"');
  for (i = 0; i < value.length; i++) {
    switch (value.data[i]) {
    case '"': us_buffer_append_text(out, "%22"); break;
    case '\r': us_buffer_append_text(out, "%0D"); break;
    case '\n': us_buffer_append_text(out, "%0A"); break;
    default: us_buffer_append_byte(out, value.data[i]);
    }
  }
  us_buffer_append_byte(out, '"');
}

static void open_part(us_buffer *out, const char *boundary, const char *name) {
  us_buffer_append_text(out, "--");
  us_buffer_append_text(out, boundary);
  us_buffer_append_text(out, "\r\nContent-Disposition: form-data; name=");
  append_quoted(out, us_text(name));
}

static void append_content(us_buffer *out, us_slice value) {
  us_buffer_append_text(out, "\r\n\r\n");
  us_buffer_append_slice(out, value);
  us_buffer_append_text(out, "\r\n");
}

void us_multipart_text(us_buffer *out, const char *boundary, const char *name,
                       us_slice value) {
  open_part(out, boundary, name);
  append_content(out, value);
}

void us_multipart_file(us_buffer *out, const char *boundary, const char *name,
                       us_slice filename, us_slice content_type,
                       us_slice data) {
  open_part(out, boundary, name);
  us_buffer_append_text(out, "; filename=");
  append_quoted(out, filename);
  us_buffer_append_text(out, "\r\nContent-Type: ");
  us_buffer_append_slice(out, content_type);
  append_content(out, data);
}

void us_multipart_finish(us_buffer *out, const char *boundary) {
  us_buffer_append_text(out, "--");
  us_buffer_append_text(out, boundary);
  us_buffer_append_text(out, "--\r\n");
}

static bool same_word(us_slice a, const char *b) {
  size_t i;
  if (a.length != strlen(b)) return false;
  for (i = 0; i < a.length; i++) {
    char byte = a.data[i];
    if (byte >= 'A' && byte <= 'Z') byte = (char)(byte - 'A' + 'a');
    if (byte != b[i]) return false;
  }
  return true;
}

const char *us_multipart_type(us_slice filename) {
  static const char *const types[][2] = {
      {"png", "image/png"},       {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},     {"gif", "image/gif"},
      {"webp", "image/webp"},     {"bmp", "image/bmp"},
      {"svg", "image/svg+xml"},   {"heic", "image/heic"},
      {"mp4", "video/mp4"},       {"mp3", "audio/mpeg"},
      {"pdf", "application/pdf"}, {"txt", "text/plain"},
  };
  size_t i = filename.length;
  us_slice extension = {NULL, 0};
  while (i > 0 && filename.data[i - 1] != '.' && filename.data[i - 1] != '/')
    i--;
  if (i == 0 || filename.data[i - 1] != '.') return "application/octet-stream";
  extension.data = filename.data + i;
  extension.length = filename.length - i;
  for (i = 0; i < sizeof types / sizeof types[0]; i++)
    if (same_word(extension, types[i][0])) return types[i][1];
  return "application/octet-stream";
}
