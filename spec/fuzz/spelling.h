/* spelling.h: the ways a server may write a secret that it says back: as it is,
   escaped in JSON, percent-encoded, as HTML entities, or some of each. */
#ifndef SPELLING_H
#define SPELLING_H

#include "core/buffer.h"
#include "fuzz.h"

/* Appends `secret`, each character in a way that `input` chooses. */
void spelling_append(us_buffer *out, us_slice secret, fuzz_input *input);

/* True when one who reads `text` as plain text, JSON, percent-encoding or HTML
   finds `secret` in it. */
bool spelling_occurs(us_slice text, us_slice secret);

#endif
