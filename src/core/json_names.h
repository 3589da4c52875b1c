/* json_names.h: names of members that a JSON text has said before. Lists say
   the same ones again and again, in the same order: to compare bytes with what
   is expected is cheaper than to read them. No grammar here. */
#ifndef US_JSON_NAMES_H
#define US_JSON_NAMES_H

#include "core/usher.h"

/* So many of a text are remembered, the first. */
#define US_JSON_NAMES 32

typedef struct {
  us_slice said;   /* in the text, from the quote to where the value begins */
  size_t length;   /* of the name */
  unsigned number; /* 1, 2, ... as they first come */
  unsigned next;   /* the one expected behind it; 0: none */
} us_json_name;

typedef struct {
  unsigned count;
  unsigned first[US_LIMIT_JSON_DEPTH + 1];  /* in objects at that depth */
  unsigned latest[US_LIMIT_JSON_DEPTH + 1]; /* in the object that is open */
  us_json_name known[US_JSON_NAMES + 1];
} us_json_names;

void us_json_names_start(us_json_names *names);
/* An object is opened at `depth`, at most US_LIMIT_JSON_DEPTH. */
void us_json_names_open(us_json_names *names, int depth);
/* The name that `rest` begins with, when it is one of those expected at this
   depth; or NULL. */
const us_json_name *us_json_names_match(us_json_names *names, int depth,
                                        us_slice rest);
/* The number of a new one; 0 when there is no room. */
unsigned us_json_names_add(us_json_names *names, int depth, us_slice said,
                           size_t length);

#endif
