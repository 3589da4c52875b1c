/* json_scalar.h: the strings and numbers of JSON text, for json_reader.c
   alone. Nothing here knows of objects, arrays or commas. */
#ifndef US_JSON_SCALAR_H
#define US_JSON_SCALAR_H

#include "core/json_reader.h"

/* Each begins at its first byte, leaves `at` behind its last and the value in
   the reader; NULL, or what is wrong at `at`. */
const char *us_json_scan_string(us_json_reader *reader);
const char *us_json_scan_number(us_json_reader *reader, us_json_token *token);

#endif
