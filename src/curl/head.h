/* head.h: reads the head of a response, line by line. Pure. */
#ifndef US_CURL_HEAD_H
#define US_CURL_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* One header, or one more line of the header before it. */
typedef struct {
  const char *name; /* in lower case */
  size_t name_length;
  const char *value; /* without the blanks around it */
  size_t value_length;
  bool folded;
} us_wire_header;

/* What is left to read; the names in it are made lower case on the way. */
typedef struct {
  char *at;
  char *end;
  us_wire_header last;
} us_head_reader;

/* Starts behind the status line. */
us_head_reader us_head_read(char *head, size_t length);
bool us_head_next(us_head_reader *reader, us_wire_header *header);

#endif
