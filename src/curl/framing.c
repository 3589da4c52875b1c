/* framing.c: RFC 9112, sections 2.2, 4 and 6, to the letter. Lines with other
   problems are libcurl's to refuse, their contents head.c's to read. */
#include "curl/framing.h"

#include <string.h>
#include <strings.h>

typedef struct {
  const char *at;
  size_t length;
} span;

static bool is_blank(char byte) {
  return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

static span trimmed(const char *at, size_t length) {
  span text = {at, length};
  while (text.length > 0 && is_blank(text.at[0])) {
    text.at++;
    text.length--;
  }
  while (text.length > 0 && is_blank(text.at[text.length - 1]))
    text.length--;
  return text;
}

static bool is_word(span text, const char *word) {
  return text.length == strlen(word) &&
         strncasecmp(text.at, word, text.length) == 0;
}

/* "HTTP/1.1 200", which nothing or a blank follows; libcurl itself writes
   "HTTP/2 200" where the head did not come as text. */
static bool is_status_line(span line) {
  size_t at = sizeof("HTTP/1") - 1, digits = 0;
  if (line.length < at || memcmp(line.at, "HTTP/", at - 1) != 0) return false;
  if (line.at[at - 1] == '1') {
    if (line.length < at + 2 || line.at[at] != '.' ||
        !is_digit(line.at[at + 1]))
      return false;
    at += 2;
  } else if (line.at[at - 1] != '2' && line.at[at - 1] != '3') {
    return false;
  }
  if (at == line.length || line.at[at++] != ' ') return false;
  while (at + digits < line.length && is_digit(line.at[at + digits]))
    digits++;
  return digits == 3 && (at + 3 == line.length || line.at[at + 3] == ' ');
}

static void read_status_line(us_framing *framing, span line) {
  static const char old[] = "HTTP/1.0";
  if (!is_status_line(line))
    framing->problem = "the answer does not begin with a status line";
  else
    framing->is_old = memcmp(line.at, old, sizeof(old) - 1) == 0;
}

/* One of the lengths of a list. */
static void read_length(us_framing *framing, span digits) {
  size_t i;
  for (i = 0; i < digits.length; i++)
    if (!is_digit(digits.at[i])) digits.length = 0;
  if (digits.length == 0) {
    framing->problem = "the response has a Content-Length that is no number";
    return;
  }
  while (digits.length > 1 && digits.at[0] == '0') {
    digits.at++;
    digits.length--;
  }
  if (digits.length >= sizeof(framing->length))
    framing->problem = "the response has a Content-Length that no body has";
  else if (framing->sized &&
           (strlen(framing->length) != digits.length ||
            memcmp(framing->length, digits.at, digits.length) != 0))
    framing->problem = "the response has more than one Content-Length";
  else
    memcpy(framing->length, digits.at, digits.length);
  framing->sized = true;
}

static void read_lengths(us_framing *framing, span value) {
  const char *end = value.at + value.length;
  while (framing->problem == NULL) {
    size_t left = (size_t)(end - value.at);
    const char *comma = left > 0 ? memchr(value.at, ',', left) : NULL;
    const char *stop = comma != NULL ? comma : end;
    read_length(framing, trimmed(value.at, (size_t)(stop - value.at)));
    if (comma == NULL) return;
    value.at = comma + 1;
  }
}

static void read_coding(us_framing *framing, span value) {
  if (!is_word(value, "chunked") || framing->is_old || framing->chunked)
    framing->problem =
        "the response has a Transfer-Encoding that was not asked for";
  framing->chunked = true;
}

static void read_field(us_framing *framing, span line) {
  const char *colon = memchr(line.at, ':', line.length);
  span name, value;
  if (colon == NULL) return;
  name = trimmed(line.at, (size_t)(colon - line.at));
  value = trimmed(colon + 1, (size_t)(line.at + line.length - colon - 1));
  if (is_word(name, "content-length")) read_lengths(framing, value);
  if (is_word(name, "transfer-encoding")) read_coding(framing, value);
  if (framing->problem == NULL && framing->sized && framing->chunked)
    framing->problem =
        "the response has both Transfer-Encoding and Content-Length";
}

void us_framing_read(us_framing *framing, const char *line, size_t length) {
  span text = {line, length};
  if (framing->problem != NULL) return;
  if (text.length > 0 && line[text.length - 1] == '\n') text.length--;
  if (text.length > 0 && line[text.length - 1] == '\r') text.length--;
  if (text.length > 0 && memchr(line, '\r', text.length) != NULL)
    framing->problem = "a lone carriage return in the response headers";
  else if (!framing->begun)
    read_status_line(framing, text);
  else if (text.length > 0)
    read_field(framing, text);
  framing->begun = true;
}
