/* head.c: header lines as RFC 9112 section 5 has them, lines without a colon
   left out. */
#include "core/head.h"

#include <string.h>

static bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The end of the line that begins here, behind its line break. */
static char *line_end(const us_head_reader *reader) {
  size_t left = (size_t)(reader->end - reader->at);
  char *newline = left > 0 ? memchr(reader->at, '\n', left) : NULL;
  return newline != NULL ? newline + 1 : reader->end;
}

static void set_value(us_head_field *field, const char *start,
                      const char *end) {
  while (start < end && is_blank(*start))
    start++;
  while (end > start && is_blank(end[-1]))
    end--;
  field->value.data = start;
  field->value.length = (size_t)(end - start);
}

static void set_name(us_head_field *field, char *start, char *end) {
  char *at;
  while (start < end && is_blank(*start))
    start++;
  while (end > start && is_blank(end[-1]))
    end--;
  for (at = start; at < end; at++)
    if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + ('a' - 'A'));
  field->name.data = start;
  field->name.length = (size_t)(end - start);
}

/* CR and NUL within a line are blanks (RFC 9110 section 5.5). */
static void blank_out(char *start, const char *end) {
  for (; start < end; start++)
    if (*start == '\r' || *start == '\0') *start = ' ';
}

us_head_reader us_head_read(char *head, size_t length) {
  us_head_reader reader = {NULL, NULL, {{NULL, 0}, {NULL, 0}, false}};
  if (head == NULL) return reader;
  reader.at = head;
  reader.end = head + length;
  reader.at = line_end(&reader);
  return reader;
}

/* A line that begins with a blank continues the header before it. */
bool us_head_next(us_head_reader *reader, us_head_field *field) {
  while (reader->at < reader->end) {
    char *start = reader->at, *end = line_end(reader);
    char *colon = memchr(start, ':', (size_t)(end - start));
    bool folded = *start == ' ' || *start == '\t';
    reader->at = end;
    blank_out(start, end);
    if (!folded && colon == NULL) continue;
    if (!folded) set_name(&reader->last, start, colon);
    if (reader->last.name.length == 0) continue;
    set_value(&reader->last, folded ? start : colon + 1, end);
    reader->last.folded = folded;
    *field = reader->last;
    return true;
  }
  return false;
}
