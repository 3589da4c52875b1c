/* head.h: reads the head of a response, line by line (RFC 9112 section 5). */
#ifndef US_HEAD_H
#define US_HEAD_H

#include "core/usher.h"

/* One header, or one more line of the header before it. */
typedef struct {
  us_slice name;  /* in lower case */
  us_slice value; /* without the blanks around it */
  bool folded;
} us_head_field;

/* What is left to read; the names in it are made lower case on the way. */
typedef struct {
  char *at;
  char *end;
  us_head_field last;
} us_head_reader;

/* Starts behind the status line. */
us_head_reader us_head_read(char *head, size_t length);
bool us_head_next(us_head_reader *reader, us_head_field *field);

#endif
