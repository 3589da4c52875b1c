/* json_writer.h: JSON text, written in the order of the calls (RFC 8259).
   Strings may hold any bytes: those from 0x80 pass as they are. Nothing here
   reads JSON. */
#ifndef US_JSON_WRITER_H
#define US_JSON_WRITER_H

#include "core/buffer.h"

/* The writer puts commas and colons; the caller's nesting must be right. */
typedef struct {
  us_buffer *out;
  bool comma; /* the next item follows another */
} us_json_writer;

void us_json_open(us_json_writer *writer, char bracket);
void us_json_close(us_json_writer *writer, char bracket);
void us_json_key(us_json_writer *writer, us_slice name);
void us_json_string(us_json_writer *writer, us_slice value);
void us_json_integer(us_json_writer *writer, long long value);
/* A finite number in the fewest digits that read back the same; 42.0 is
   written 42. */
void us_json_number(us_json_writer *writer, double value);
/* A word or a whole JSON text: true, null, {"a":1}. */
void us_json_raw(us_json_writer *writer, us_slice text);

#endif
