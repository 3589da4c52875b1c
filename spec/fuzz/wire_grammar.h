/* wire_grammar.h: what the core writes on the wire, read back by other code:
   percent-encoding, lists with a separator, multipart bodies. */
#ifndef WIRE_GRAMMAR_H
#define WIRE_GRAMMAR_H

#include "core/buffer.h"

/* Cuts the piece before `separator` off the front of *rest; false when nothing
   is left. *rest has NULL data once the last piece is gone. */
bool wire_piece(us_slice *rest, char separator, us_slice *piece);

/* True when `text` is unreserved characters and %XX in capitals alone, and
   what it stands for is `value`. */
bool wire_encodes(us_slice text, us_slice value);

/* True when no byte is a control character, a blank, or beyond ASCII. */
bool wire_is_graphic(us_slice text);
/* True when a header line can hold it: no CR, LF or NUL. */
bool wire_is_line(us_slice text);

typedef struct {
  us_slice head; /* its lines, without the empty one */
  us_slice content;
} wire_part;

/* Reads the next part of a multipart body (RFC 2046 section 5.1.1), from
   *at = 0; false at the closing delimiter. REQUIREs that there is one, and
   nothing behind it. */
bool wire_next_part(us_slice body, us_slice boundary, size_t *at,
                    wire_part *part);

#endif
