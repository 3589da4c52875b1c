/* headers.h: an ordered list of header fields in one buffer. */
#ifndef US_HEADERS_H
#define US_HEADERS_H

#include "core/buffer.h"

typedef struct {
  us_slice name;
  us_slice value;
  bool secret; /* shown as *** to people */
} us_header;

/* Appends a field. The value must be free of CR, LF and NUL (checked when
   options and arguments come in). */
void us_headers_add(us_buffer *list, const char *name, us_slice value,
                    bool secret);
/* Walks the list from *at = 0; false at the end. */
bool us_headers_next(const us_buffer *list, size_t *at, us_header *header);
/* True when a field of that name is there; case does not count. */
bool us_headers_has(const us_buffer *list, us_slice name);
/* Names are the same whatever their case. */
bool us_header_name_is(us_slice name, const char *other);
/* A token of RFC 9110 section 5.6.2. */
bool us_header_name_is_valid(us_slice name);
/* Fields that frame the message or belong to the connection: the transport's,
   never a user's. */
bool us_header_name_is_reserved(us_slice name);

#endif
