/* value.h: one argument, as the binding hands it to the core. The bytes are
   the caller's and need live only while a call is being built. */
#ifndef US_VALUE_H
#define US_VALUE_H

#include "core/provider.h"

typedef enum {
  US_ABSENT,
  US_NULL,   /* an explicit JSON null */
  US_TEXT,   /* text */
  US_NUMBER, /* integer */
  US_TRUTH,  /* truth */
  US_JSON,   /* text: a JSON object, already written */
  US_ITEMS,  /* items, count */
  US_CONTENT /* text: bytes of a file; filename, content_type */
} us_value_kind;

typedef struct {
  us_value_kind kind;
  us_slice text;
  long long integer;
  bool truth;
  const us_slice *items;
  size_t count;
  us_slice filename;
  us_slice content_type;
} us_value;

#endif
