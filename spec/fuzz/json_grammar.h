/* json_grammar.h: JSON read straight from the grammar of RFC 8259, apart from
   the core's reader and writer, to hold them against. Plain, not quick. */
#ifndef JSON_GRAMMAR_H
#define JSON_GRAMMAR_H

#include "core/buffer.h"

/* What is read, as text: a line for each bracket, name and scalar. Two texts
   that mean the same give the same lines. */
void json_event(us_buffer *events, char tag);
void json_event_text(us_buffer *events, char tag, us_slice text);
/* Digits with a sign, however many. */
void json_event_integer(us_buffer *events, us_slice digits);
void json_event_number(us_buffer *events, double number);

/* The tags of events with a text. */
#define JSON_NAME 'k'
#define JSON_STRING 's'

/* True when `text` is one JSON text that is nested no deeper than `depth` and
   has no number beyond a double; appends its events. Strings must be UTF-8,
   unless `any_bytes`. */
bool json_grammar_reads(us_slice text, int depth, bool any_bytes,
                        us_buffer *events);

#endif
