/* response.h: what came back, and whether it is a success. The core decodes no
   JSON: the host hands over a document that can be asked for a few fields. */
#ifndef US_RESPONSE_H
#define US_RESPONSE_H

#include "core/error.h"
#include "core/provider.h"

typedef enum {
  US_NOTHING,  /* no such field */
  US_COMPOUND, /* an array or object */
  US_SCALAR_NULL,
  US_SCALAR_TRUTH,
  US_SCALAR_NUMBER,
  US_SCALAR_TEXT
} us_scalar_kind;

typedef struct {
  us_scalar_kind kind;
  bool truth;
  double number;
  us_slice text; /* lives as long as the document */
} us_scalar;

/* A decoded answer. `find` takes "error.detailed_messages.1": members by
   name, items by number from 1. */
typedef struct {
  us_scalar (*find)(void *context, const char *path);
  void *context;
} us_document;

/* How one attempt ended, as a transport tells it. */
typedef struct {
  bool failed; /* no answer: kind, message and sent count */
  us_kind kind;
  us_slice message;
  bool sent; /* the request may have been acted on */
  int status;
  us_slice retry_after; /* the header's value; empty: none */
  us_slice body;
  const us_document *document; /* NULL: the body is not JSON */
  us_slice decode_problem;     /* why not */
} us_reply;

/* True for a success. Else fills `error`, all but `retryable`. */
bool us_response_judge(const us_reply *reply, const us_provider *provider,
                       const us_method *method, double unix_time,
                       us_error *error);
/* True when the body holds nothing but white space. */
bool us_response_is_empty(us_slice body);

#endif
