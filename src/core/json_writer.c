/* json_writer.c: JSON text, member by member. Order is the caller's. */
#include "core/json_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void separate(us_json_writer *writer) {
  if (writer->comma) us_buffer_append_byte(writer->out, ',');
  writer->comma = true;
}

void us_json_open(us_json_writer *writer, char bracket) {
  separate(writer);
  us_buffer_append_byte(writer->out, bracket);
  writer->comma = false;
}

void us_json_close(us_json_writer *writer, char bracket) {
  us_buffer_append_byte(writer->out, bracket);
  writer->comma = true;
}

static void append_escape(us_buffer *out, unsigned char byte) {
  static const char *const short_forms[32] = {
      ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",
      ['\f'] = "\\f", ['\r'] = "\\r",
  };
  char text[8];
  if (byte == '"' || byte == '\\') {
    us_buffer_append_byte(out, '\\');
    us_buffer_append_byte(out, (char)byte);
  } else if (short_forms[byte] != NULL) {
    us_buffer_append_text(out, short_forms[byte]);
  } else {
    snprintf(text, sizeof text, "\\u%04x", (unsigned)byte);
    us_buffer_append_text(out, text);
  }
}

static void append_string(us_buffer *out, us_slice value) {
  size_t i, run = 0;
  us_buffer_append_byte(out, '"');
  for (i = 0; i < value.length; i++) {
    unsigned char byte = (unsigned char)value.data[i];
    if (byte >= ' ' && byte != '"' && byte != '\\') continue;
    us_buffer_append(out, value.data + run, i - run);
    append_escape(out, byte);
    run = i + 1;
  }
  if (value.length > run)
    us_buffer_append(out, value.data + run, value.length - run);
  us_buffer_append_byte(out, '"');
}

void us_json_key(us_json_writer *writer, us_slice name) {
  separate(writer);
  append_string(writer->out, name);
  us_buffer_append_byte(writer->out, ':');
  writer->comma = false;
}

void us_json_string(us_json_writer *writer, us_slice value) {
  separate(writer);
  append_string(writer->out, value);
}

void us_json_integer(us_json_writer *writer, long long value) {
  separate(writer);
  us_buffer_append_integer(writer->out, value);
}

void us_json_number(us_json_writer *writer, double value) {
  char text[40];
  int precision;
  char *at;
  if (fabs(value) <= US_EXACT_FLOAT && value == floor(value)) {
    us_json_integer(writer, (long long)value);
    return;
  }
  for (precision = 15; precision <= 17; precision++) {
    snprintf(text, sizeof text, "%.*g", precision, value);
    if (strtod(text, NULL) == value) break;
  }
  for (at = text; *at; at++) /* the locale may put a decimal comma */
    if (*at == ',') *at = '.';
  us_json_raw(writer, us_text(text));
}

void us_json_raw(us_json_writer *writer, us_slice text) {
  separate(writer);
  us_buffer_append_slice(writer->out, text);
}
