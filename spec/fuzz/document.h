/* document.h: an answer as the core asks for it, made from bytes: any field
   may be of any kind and hold anything. The same path gets the same field. */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include "core/response.h"
#include "fuzz.h"

#define DOCUMENT_FIELDS 8

typedef struct {
  fuzz_input *input;
  size_t count;
  const char *paths[DOCUMENT_FIELDS];
  us_scalar fields[DOCUMENT_FIELDS];
} document;

us_scalar document_find(void *context, const char *path);

/* A reply: a failure of a transport, or an answer with `found`. */
us_reply document_reply(fuzz_input *input, const us_document *found);

#endif
