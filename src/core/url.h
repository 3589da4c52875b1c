/* url.h: percent-encoding (RFC 3986), path segments, name=value pairs for
   queries and form bodies, and what a base URL may be. */
#ifndef US_URL_H
#define US_URL_H

#include "core/buffer.h"

/* Everything but ALPHA / DIGIT / "-" / "." / "_" / "~" becomes %XX. */
void us_url_append_encoded(us_buffer *out, us_slice value);
/* "" and dot segments cannot stand in a path: normalisers eat them. */
bool us_url_is_segment(us_slice value);
/* Appends name=value, both encoded, after '&' unless `out` is at `start`. */
void us_url_append_pair(us_buffer *out, size_t start, us_slice name,
                        us_slice value);
/* NULL when `base` may be used, else why not, in words. Credentials travel in
   clear over http, so that is for loopback, or where `insecure` allows it. */
const char *us_url_problem(us_slice base, bool insecure);
/* True when a header value or credential holds CR, LF or NUL. */
bool us_has_line_break(us_slice value);

#endif
