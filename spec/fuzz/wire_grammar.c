/* wire_grammar.c: readers of what url.c and multipart.c write. */
#include "wire_grammar.h"

#include "fuzz.h"

bool wire_piece(us_slice *rest, char separator, us_slice *piece) {
  const char *end;
  if (rest->data == NULL) return false;
  end = rest->length > 0 ? memchr(rest->data, separator, rest->length) : NULL;
  *piece = *rest;
  if (end == NULL) {
    rest->data = NULL;
    rest->length = 0;
    return true;
  }
  piece->length = (size_t)(end - rest->data);
  rest->data = end + 1;
  rest->length -= piece->length + 1;
  return true;
}

static int capital_hex(char byte) {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

/* RFC 3986 section 2.3. */
static bool is_unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
         byte == '_' || byte == '~';
}

bool wire_encodes(us_slice text, us_slice value) {
  size_t i, at = 0;
  for (i = 0; i < value.length; i++) {
    if (at == text.length) return false;
    if (text.data[at] == '%') {
      int byte;
      if (text.length - at < 3) return false;
      byte = capital_hex(text.data[at + 1]) * 16;
      if (byte < 0 || capital_hex(text.data[at + 2]) < 0) return false;
      byte += capital_hex(text.data[at + 2]);
      if (byte != (unsigned char)value.data[i]) return false;
      at += 3;
    } else {
      if (!is_unreserved(text.data[at]) || text.data[at] != value.data[i])
        return false;
      at++;
    }
  }
  return at == text.length;
}

bool wire_is_graphic(us_slice text) {
  size_t i;
  for (i = 0; i < text.length; i++)
    if (text.data[i] <= ' ' || text.data[i] > '~') return false;
  return true;
}

bool wire_is_line(us_slice text) {
  size_t i;
  for (i = 0; i < text.length; i++)
    if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0')
      return false;
  return true;
}

static bool starts(us_slice body, size_t at, us_slice text) {
  return body.length - at >= text.length &&
         memcmp(body.data + at, text.data, text.length) == 0;
}

/* Where `text` begins, at or behind `at`; REQUIREs that it does. */
static size_t find(us_slice body, size_t at, us_slice text) {
  while (at + text.length <= body.length && !starts(body, at, text))
    at++;
  REQUIRE(at + text.length <= body.length);
  return at;
}

/* The first delimiter has no line break before it; all that follow do. */
bool wire_next_part(us_slice body, us_slice boundary, size_t *at,
                    wire_part *part) {
  char delimiter[128];
  us_slice line = {delimiter, boundary.length + 4}, dashes = us_text("--");
  size_t end;
  REQUIRE(boundary.length <= 70); /* the RFC's ceiling */
  memcpy(delimiter, "\r\n--", 4);
  memcpy(delimiter + 4, boundary.data, boundary.length);
  if (*at == 0) {
    us_slice first = {delimiter + 2, line.length - 2};
    REQUIRE(starts(body, 0, first));
    *at = first.length;
  }
  if (starts(body, *at, dashes)) {
    REQUIRE(body.length - *at == 4 && starts(body, *at + 2, us_text("\r\n")));
    return false;
  }
  REQUIRE(starts(body, *at, us_text("\r\n")));
  part->head.data = body.data + *at + 2;
  end = find(body, *at, us_text("\r\n\r\n"));
  part->head.length = end - *at - 2;
  part->content.data = body.data + end + 4;
  *at = find(body, end + 4, line);
  part->content.length = *at - end - 4;
  *at += line.length;
  return true;
}
