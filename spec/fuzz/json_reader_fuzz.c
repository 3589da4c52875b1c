/* json_reader_fuzz.c: any bytes as a JSON text. The reader accepts what the
   grammar accepts and nothing else, and says of it what the grammar says,
   whether it remembers names or not. */
#include "core/json_reader.h"

#include "fuzz.h"
#include "json_grammar.h"

#define EVENTS ((size_t)16 << 20)

static void emit_integer(us_buffer *events, long long integer) {
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", integer);
  json_event_integer(events, us_text(digits));
}

static void emit(us_buffer *events, const us_json_reader *reader,
                 us_json_token token) {
  switch (token) {
  case US_JSON_OBJECT: json_event(events, '{'); break;
  case US_JSON_OBJECT_END: json_event(events, '}'); break;
  case US_JSON_ARRAY: json_event(events, '['); break;
  case US_JSON_ARRAY_END: json_event(events, ']'); break;
  case US_JSON_NAME: json_event_text(events, JSON_NAME, reader->text); break;
  case US_JSON_STRING:
    json_event_text(events, JSON_STRING, reader->text);
    break;
  case US_JSON_INTEGER: emit_integer(events, reader->integer); break;
  case US_JSON_LARGE_INTEGER: json_event_integer(events, reader->text); break;
  case US_JSON_NUMBER: json_event_number(events, reader->number); break;
  case US_JSON_TRUE: json_event(events, 't'); break;
  case US_JSON_FALSE: json_event(events, 'f'); break;
  default: json_event(events, 'n'); break;
  }
}

/* Opens and closes as they should, and never deeper than the limit. */
static void balance(us_json_token token, bool *objects, int *depth) {
  bool object = token == US_JSON_OBJECT || token == US_JSON_OBJECT_END;
  switch (token) {
  case US_JSON_OBJECT:
  case US_JSON_ARRAY:
    REQUIRE(*depth < US_LIMIT_JSON_DEPTH);
    objects[(*depth)++] = object;
    break;
  case US_JSON_OBJECT_END:
  case US_JSON_ARRAY_END:
    REQUIRE(*depth > 0 && objects[*depth - 1] == object);
    --*depth;
    break;
  case US_JSON_NAME: REQUIRE(*depth > 0 && objects[*depth - 1]); break;
  default: break;
  }
}

/* A name that has a number is the one that got the number. */
static void check_name(const us_json_reader *reader) {
  const us_json_names *names = reader->names;
  const us_json_name *known;
  if (names == NULL) REQUIRE(reader->name == 0);
  if (reader->name == 0) return;
  REQUIRE(reader->name <= names->count && names->count <= US_JSON_NAMES);
  known = &names->known[reader->name];
  REQUIRE(known->number == reader->name && known->length < known->said.length);
  REQUIRE(known->length == reader->text.length);
  REQUIRE(memcmp(known->said.data + 1, reader->text.data, known->length) == 0);
}

static bool read_all(us_json_reader *reader, us_slice text,
                     us_json_names *names, us_buffer *events) {
  bool objects[US_LIMIT_JSON_DEPTH];
  int depth = 0;
  size_t before = 1;
  us_json_start(reader, text);
  if (names != NULL) us_json_remember(reader, names);
  for (;;) {
    us_json_token token = us_json_next(reader);
    size_t position = us_json_position(reader);
    REQUIRE(token != US_JSON_NO_MEMORY);
    REQUIRE(position >= 1 && position <= text.length + 1);
    if (token == US_JSON_INVALID) {
      REQUIRE(reader->problem != NULL && reader->problem[0] != '\0');
      return false;
    }
    if (token == US_JSON_END) {
      REQUIRE(depth == 0 && position == text.length + 1);
      return true;
    }
    REQUIRE(position > before); /* every token takes bytes, so it ends */
    before = position;
    balance(token, objects, &depth);
    if (token == US_JSON_NAME) check_name(reader);
    emit(events, reader, token);
  }
}

static void check(us_json_reader *reader, us_slice text, us_json_names *names,
                  bool valid, us_slice expected) {
  us_buffer read = {0};
  us_buffer_reset(&read, EVENTS);
  REQUIRE(read_all(reader, text, names, &read) == valid);
  REQUIRE(read.status == US_OK);
  if (valid) REQUIRE(us_slice_equal(us_buffer_slice(&read), expected));
  us_buffer_free(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  us_slice text = fuzz_rest(&input);
  us_json_reader reader = {0};
  us_json_names names;
  us_buffer expected = {0};
  bool valid;
  us_buffer_reset(&expected, EVENTS);
  valid = json_grammar_reads(text, US_LIMIT_JSON_DEPTH, false, &expected);
  REQUIRE(expected.status == US_OK);
  check(&reader, text, NULL, valid, us_buffer_slice(&expected));
  check(&reader, text, &names, valid, us_buffer_slice(&expected));
  us_json_reader_free(&reader);
  us_buffer_free(&expected);
  fuzz_end(&input);
  return 0;
}
