/* json_writer_fuzz.c: any values in any nesting. What is written is JSON, and
   reads back as what was meant. */
#include "core/json_writer.h"

#include <math.h>
#include <stdlib.h>

#include "fuzz.h"
#include "json_grammar.h"

#define DEEPEST 40

typedef struct {
  fuzz_input *input;
  us_json_writer json;
  us_buffer *meant; /* as events */
} pen;

static void integer(pen *to, long long value) {
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", value);
  us_json_integer(&to->json, value);
  json_event_integer(to->meant, us_text(digits));
}

/* A number reads back the same, whatever its digits are. */
static void number(pen *to, double value) {
  us_buffer *out = to->json.out;
  size_t before = out->length;
  us_slice digits;
  char *end, *copy;
  if (!isfinite(value))
    value = 0; /* JSON has none, and the caller sees to it */
  us_json_number(&to->json, value);
  if (out->status != US_OK) return;
  if (out->data[before] == ',') before++;
  digits = (us_slice){out->data + before, out->length - before};
  copy = fuzz_allocate(to->input, digits.length + 1);
  memcpy(copy, digits.data, digits.length);
  copy[digits.length] = '\0';
  REQUIRE(digits.length <= 32);
  REQUIRE(strtod(copy, &end) == value && *end == '\0');
  if (strpbrk(copy, ".e") == NULL)
    json_event_integer(to->meant, digits);
  else
    json_event_number(to->meant, value);
}

static void word(pen *to, const char *text) {
  us_json_raw(&to->json, us_text(text));
  json_event(to->meant, text[0]);
}

static void value(pen *to, int depth);

static void nested(pen *to, bool object, int depth) {
  size_t count = fuzz_choose(to->input, 6);
  us_json_open(&to->json, object ? '{' : '[');
  json_event(to->meant, object ? '{' : '[');
  while (count-- > 0) {
    if (object) {
      us_slice name = fuzz_bytes(to->input);
      us_json_key(&to->json, name);
      json_event_text(to->meant, JSON_NAME, name);
    }
    value(to, depth + 1);
  }
  us_json_close(&to->json, object ? '}' : ']');
  json_event(to->meant, object ? '}' : ']');
}

static void value(pen *to, int depth) {
  us_slice text;
  size_t kind = fuzz_choose(to->input, 8);
  if (depth >= DEEPEST || to->input->left == 0) kind = 7;
  switch (kind) {
  case 0:
    text = fuzz_bytes(to->input);
    us_json_string(&to->json, text);
    json_event_text(to->meant, JSON_STRING, text);
    break;
  case 1: integer(to, fuzz_integer(to->input)); break;
  case 2: number(to, fuzz_double(to->input)); break;
  case 3: number(to, (double)fuzz_integer(to->input) / 8); break;
  case 4: nested(to, true, depth); break;
  case 5: nested(to, false, depth); break;
  case 6: word(to, "true"); break;
  default: word(to, "null"); break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  us_buffer out = {0}, meant = {0}, read = {0};
  pen to = {&input, {&out, false}, &meant};
  size_t ceiling = fuzz_choose(&input, 4) == 3 ? 100 : US_LIMIT_BODY;
  us_buffer_reset(&out, ceiling);
  us_buffer_reset(&meant, US_LIMIT_BODY);
  us_buffer_reset(&read, US_LIMIT_BODY);
  value(&to, 0);
  if (out.status == US_OK) {
    us_slice text = fuzz_keep(&input, us_buffer_slice(&out));
    REQUIRE(text.length <= ceiling);
    REQUIRE(json_grammar_reads(text, DEEPEST + 1, true, &read));
    REQUIRE(us_slice_equal(us_buffer_slice(&read), us_buffer_slice(&meant)));
  } else {
    REQUIRE(out.status == US_TOO_LARGE);
  }
  us_buffer_free(&out);
  us_buffer_free(&meant);
  us_buffer_free(&read);
  fuzz_end(&input);
  return 0;
}
