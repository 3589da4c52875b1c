/* json_reader.h: JSON text, read token by token (RFC 8259), with nothing
   before the value and nothing after it but white space. Nothing is built
   here, and nothing past the end of the text is looked at.
   - Names and strings must be UTF-8. An escape of half a surrogate pair, which
     the grammar allows, is read as U+FFFD: one broken nickname must not hide
     all others.
   - Integers are exact: those beyond 64 bits come as their digits. Other
     numbers are the nearest double; one that has none is refused.
   - Names may repeat: what that means is for who builds. */
#ifndef US_JSON_READER_H
#define US_JSON_READER_H

#include <stdint.h>

#include "core/buffer.h"
#include "core/json_names.h"

typedef enum {
  US_JSON_END,     /* the text was a JSON text, and is over */
  US_JSON_INVALID, /* `problem` says why it is none, us_json_position where */
  US_JSON_NO_MEMORY,
  US_JSON_OBJECT,
  US_JSON_OBJECT_END,
  US_JSON_ARRAY,
  US_JSON_ARRAY_END,
  US_JSON_NAME,          /* of a member: `text` */
  US_JSON_STRING,        /* `text` */
  US_JSON_INTEGER,       /* `integer` */
  US_JSON_LARGE_INTEGER, /* beyond 64 bits: its digits in `text` */
  US_JSON_NUMBER,        /* `number` */
  US_JSON_TRUE,
  US_JSON_FALSE,
  US_JSON_NULL
} us_json_token;

/* What the grammar lets come next. */
typedef enum {
  US_JSON_EXPECT_VALUE,
  US_JSON_EXPECT_NAME,
  US_JSON_EXPECT_FIRST, /* a bracket was opened: an item, or its end */
  US_JSON_EXPECT_MORE   /* a value has ended: a comma, or the end */
} us_json_expectation;

/* A zeroed one is ready to be started. */
typedef struct {
  const char *start;
  const char *at;
  const char *end;
  us_json_expectation expected;
  int depth;
  uint64_t objects; /* bit n: what is open at depth n + 1 is an object */
  us_slice text;    /* of the last token, until the next is read */
  long long integer;
  double number;
  const char *problem;
  us_buffer unescaped;
  us_json_names *names; /* or NULL */
  unsigned name;        /* the number of the last name among them, or 0 */
} us_json_reader;

/* Begins with `text`, which must outlive the reading. */
void us_json_start(us_json_reader *reader, us_slice text);
/* Once begun: has names remembered in `names`, which must outlive it too. */
void us_json_remember(us_json_reader *reader, us_json_names *names);
/* After INVALID and NO_MEMORY it gives the same again. */
us_json_token us_json_next(us_json_reader *reader);
/* Where the problem is: a byte of the text, counted from 1. */
size_t us_json_position(const us_json_reader *reader);
void us_json_reader_free(us_json_reader *reader);

#endif
