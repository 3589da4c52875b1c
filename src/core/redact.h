/* redact.h: takes secrets out of text that is quoted to people. */
#ifndef US_REDACT_H
#define US_REDACT_H

#include "core/buffer.h"

/* A list of secrets, in one buffer, whose failure tells that it is not whole.
   Adds `secret`; those under four bytes are left out, for they would mask
   ordinary text. */
void us_secrets_add(us_buffer *list, us_slice secret);
/* Adds every string of a JSON text of json_writer.h, but for member names. */
void us_secrets_add_json(us_buffer *list, us_slice json);
/* Masks every occurrence with "***", also where characters of it are written as
   JSON, a URL or HTML would: the longest first, and a tail that may be the
   start of one, since `text` may have been cut. */
void us_redact(us_buffer *text, const us_buffer *list);

#endif
