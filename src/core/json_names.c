/* json_names.c: names that a JSON text has said before, in chains: those of
   objects at one depth, in their order. */
#include "core/json_names.h"

#include <string.h>

/* As many members may be missing. */
#define AHEAD 4

void us_json_names_start(us_json_names *names) {
  names->count = 0;
  memset(names->first, 0, sizeof names->first);
}

void us_json_names_open(us_json_names *names, int depth) {
  names->latest[depth] = 0;
}

static unsigned *expected(us_json_names *names, int depth) {
  unsigned latest = names->latest[depth];
  return latest ? &names->known[latest].next : &names->first[depth];
}

const us_json_name *us_json_names_match(us_json_names *names, int depth,
                                        us_slice rest) {
  unsigned number = *expected(names, depth);
  int left = AHEAD;
  while (number != 0 && left-- > 0) {
    const us_json_name *name = &names->known[number];
    if (name->said.length <= rest.length &&
        memcmp(name->said.data, rest.data, name->said.length) == 0) {
      names->latest[depth] = number;
      return name;
    }
    number = name->next;
  }
  return NULL;
}

unsigned us_json_names_add(us_json_names *names, int depth, us_slice said,
                           size_t length) {
  unsigned *place = expected(names, depth);
  us_json_name *name;
  if (names->count == US_JSON_NAMES) return 0;
  name = &names->known[++names->count];
  name->said = said;
  name->length = length;
  name->number = names->count;
  name->next = *place;
  *place = names->latest[depth] = names->count;
  return names->count;
}
