/* error.c: the error value. Secrets are taken out of it by call.c. */
#include "core/error.h"

const char *const us_kind_names[US_KIND_COUNT] = {
    "network",  "timeout", "tls",      "http",      "api",    "rate_limited",
    "redirect", "decode",  "protocol", "too_large", "memory", "cancelled"};

us_kind us_kind_find(us_slice name, us_kind fallback) {
  int i;
  for (i = 0; i < US_KIND_COUNT; i++)
    if (us_slice_is(name, us_kind_names[i])) return (us_kind)i;
  return fallback;
}

void us_error_reset(us_error *error, us_kind kind) {
  error->kind = kind;
  error->status = 0;
  error->code_is_number = false;
  error->retry_after = -1;
  error->retryable = false;
  error->request_sent = false;
  us_buffer_reset(&error->code, US_LIMIT_TEXT);
  us_buffer_reset(&error->message, US_LIMIT_TEXT);
  us_buffer_reset(&error->body, US_LIMIT_ERROR_BODY);
}

void us_error_say(us_error *error, us_slice message) {
  us_buffer_reset(&error->message, US_LIMIT_TEXT);
  if (message.length > US_LIMIT_TEXT) message.length = US_LIMIT_TEXT;
  us_buffer_append_slice(&error->message, message);
}

us_slice us_error_message(const us_error *error) {
  if (error->code.status == US_OK && error->message.status == US_OK &&
      error->body.status == US_OK)
    return us_buffer_slice(&error->message);
  return us_text(error->kind == US_KIND_MEMORY
                     ? "not enough memory"
                     : "(not enough memory for the words of this error)");
}

void us_error_free(us_error *error) {
  us_buffer_free(&error->code);
  us_buffer_free(&error->message);
  us_buffer_free(&error->body);
}
