/* document.c: the stand-in for a decoded answer, and replies of any kind. */
#include "document.h"

static us_scalar field(fuzz_input *input) {
  us_scalar made = {US_NOTHING, false, 0, {NULL, 0}};
  switch (fuzz_choose(input, 8)) {
  case 0: break;
  case 5: made.kind = US_COMPOUND; break;
  case 1: made.kind = US_SCALAR_NULL; break;
  case 2:
    made.kind = US_SCALAR_TRUTH;
    made.truth = fuzz_choose(input, 2);
    break;
  case 3:
    made.kind = US_SCALAR_NUMBER;
    made.number = (double)fuzz_integer(input);
    break;
  case 4:
    made.kind = US_SCALAR_NUMBER;
    made.number = fuzz_double(input);
    break;
  default: made.kind = US_SCALAR_TEXT; made.text = fuzz_bytes(input);
  }
  return made;
}

us_scalar document_find(void *context, const char *path) {
  document *of = context;
  size_t i;
  for (i = 0; i < of->count; i++)
    if (strcmp(of->paths[i], path) == 0) return of->fields[i];
  REQUIRE(of->count < DOCUMENT_FIELDS);
  of->paths[of->count] = path;
  of->fields[of->count] = field(of->input);
  return of->fields[of->count++];
}

static int status(fuzz_input *input) {
  static const int usual[] = {200, 200, 204, 301, 400, 401, 403,
                              404, 429, 500, 502, 503, 504};
  unsigned how = fuzz_byte(input);
  if (how < 224) return usual[how % (sizeof usual / sizeof usual[0])];
  return (int)(fuzz_integer(input) % 100000);
}

us_reply document_reply(fuzz_input *input, const us_document *found) {
  us_reply reply = {0};
  if (fuzz_choose(input, 4) == 3) {
    reply.failed = true;
    reply.kind = (us_kind)fuzz_choose(input, US_KIND_COUNT);
    reply.message = fuzz_bytes(input);
    reply.sent = fuzz_choose(input, 2);
    return reply;
  }
  reply.status = status(input);
  reply.retry_after = fuzz_bytes(input);
  reply.body = fuzz_bytes(input);
  if (fuzz_choose(input, 4) < 3)
    reply.document = found;
  else
    reply.decode_problem = fuzz_bytes(input);
  return reply;
}
