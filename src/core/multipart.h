/* multipart.h: multipart/form-data bodies (RFC 7578). */
#ifndef US_MULTIPART_H
#define US_MULTIPART_H

#include "core/buffer.h"

#define US_BOUNDARY_SIZE 32 /* with the closing NUL */

/* Spells a boundary from `seed`; the same seed, the same boundary. */
void us_multipart_boundary(char boundary[US_BOUNDARY_SIZE],
                           unsigned long long seed);
void us_multipart_text(us_buffer *out, const char *boundary, const char *name,
                       us_slice value);
void us_multipart_file(us_buffer *out, const char *boundary, const char *name,
                       us_slice filename, us_slice content_type, us_slice data);
void us_multipart_finish(us_buffer *out, const char *boundary);
/* True when `text` occurs in `data`: that boundary cannot be used. */
bool us_multipart_occurs(const char *text, us_slice data);
/* The media type of a file name's extension; application/octet-stream when
   it is not one that chats exchange. */
const char *us_multipart_type(us_slice filename);

#endif
