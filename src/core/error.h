/* error.h: what went wrong in the world, as data. Misuse is not here: it is
   refused before anything is sent (check.h). */
#ifndef US_ERROR_H
#define US_ERROR_H

#include "core/buffer.h"

typedef struct {
  us_kind kind;
  int status;          /* HTTP status; 0: there was none */
  us_buffer code;      /* the provider's own code; empty: none */
  bool code_is_number; /* as the provider writes it */
  us_buffer message;
  double retry_after; /* seconds; below 0: not said */
  bool retryable;     /* the same call may be made again */
  bool request_sent;  /* it may have been acted on */
  us_buffer body;     /* the first US_LIMIT_ERROR_BODY bytes */
} us_error;

extern const char *const us_kind_names[US_KIND_COUNT];
/* The kind of that name, or `fallback`. */
us_kind us_kind_find(us_slice name, us_kind fallback);

void us_error_reset(us_error *error, us_kind kind);
/* Replaces the message; what does not fit is cut off. */
void us_error_say(us_error *error, us_slice message);
/* The message, or that there was no memory for what the error quotes. */
us_slice us_error_message(const us_error *error);
void us_error_free(us_error *error);

#endif
