/* json_names_test.c: names that come again: which are recognised, by which
   number, and that what is read is the same as without. */
#include "core/json_reader.h"

#include "test.h"

/* Writes each name with its number, as far as the text goes. */
static us_json_token read_names(us_slice text, us_json_names *names,
                                us_buffer *out) {
  us_json_reader reader = {0};
  us_json_token token;
  us_json_start(&reader, text);
  if (names != NULL) us_json_remember(&reader, names);
  us_buffer_reset(out, 10000);
  do {
    token = us_json_next(&reader);
    if (token != US_JSON_NAME) continue;
    if (out->length > 0) us_buffer_append_byte(out, ' ');
    us_buffer_append_slice(out, reader.text);
    us_buffer_append_integer(out, reader.name);
  } while (token > US_JSON_NO_MEMORY);
  us_json_reader_free(&reader);
  return token;
}

#define CHECK_NAMES(text, expected)                                            \
  do {                                                                         \
    us_json_names names;                                                       \
    us_buffer out = {0};                                                       \
    CHECK(read_names(BYTES(text), &names, &out) == US_JSON_END);               \
    CHECK_BUFFER(out, expected);                                               \
    us_buffer_free(&out);                                                      \
  } while (0)

static void a_name_that_comes_again_has_its_number_again(void) {
  CHECK_NAMES("[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]", "a1 b2 a1 b2");
  CHECK_NAMES("[{\"\":1},{\"\":2}]", "1 1");
  CHECK_NAMES("[{ \"a\" : 1 },{ \"a\" : 2 }]", "a1 a1");
}

static void members_may_be_missing_or_come_late(void) {
  CHECK_NAMES("[{\"a\":1,\"b\":2,\"c\":3},{\"a\":4,\"c\":5},"
              "{\"a\":6,\"b\":7,\"c\":8},{\"c\":9}]",
              "a1 b2 c3 a1 c3 a1 b2 c3 c3");
  CHECK_NAMES("[{\"a\":1,\"c\":2},{\"a\":3,\"b\":4,\"c\":5},{\"a\":6,\"c\":7}]",
              "a1 c2 a1 b3 c2 a1 c2");
}

static void another_order_gets_other_numbers(void) {
  CHECK_NAMES("[{\"a\":1,\"b\":2},{\"b\":3,\"a\":4},{\"b\":5,\"a\":6}]",
              "a1 b2 b2 a3 b2 a3");
}

static void each_depth_has_names_of_its_own(void) {
  CHECK_NAMES("[{\"a\":{\"a\":1},\"b\":2},{\"a\":{\"a\":3},\"b\":4}]",
              "a1 a2 b3 a1 a2 b3");
}

static void what_is_spelled_otherwise_is_another(void) {
  CHECK_NAMES("[{\"a\":1},{\"a\" :2},{\"a\":3},{\"a\" :4}]", "a1 a2 a1 a2");
  CHECK_NAMES("[{\"a\":1},{\"ab\":2},{\"A\":3},{\"a\":4}]", "a1 ab2 A3 a1");
}

static void escapes_are_not_remembered(void) {
  CHECK_NAMES("[{\"\\u0061\":1,\"b\":2},{\"\\u0061\":3,\"b\":4},{\"a\":5}]",
              "a0 b1 a0 b1 a2");
}

static void so_many_are_remembered_and_the_rest_are_read(void) {
  char text[1200], expected[700];
  int round, i;
  size_t length = 0, told = 0;
  us_json_names names;
  us_buffer out = {0};
  for (round = 0; round < 2; round++)
    for (i = 1; i <= US_JSON_NAMES + 3; i++) {
      length += (size_t)sprintf(text + length, "%s\"n%02d\":1",
                                i > 1   ? ","
                                : round ? "},{"
                                        : "[{",
                                i);
      told += (size_t)sprintf(expected + told, "%sn%02d%d", told ? " " : "", i,
                              i <= US_JSON_NAMES ? i : 0);
    }
  length += (size_t)sprintf(text + length, "}]");
  CHECK(read_names(test_bytes(text, length), &names, &out) == US_JSON_END);
  CHECK(us_slice_is(us_buffer_slice(&out), expected));
  us_buffer_free(&out);
}

static void what_looks_like_one_is_still_checked(void) {
  static const char *const wrong[] = {
      "[{\"a\":1},{\"a\"2}]", "[{\"a\":1},{\"a",      "[{\"a\":1},{\"a\"",
      "[{\"a\":1},{\"a\":",   "[{\"a\":1},{\"a\":}]", "[{\"a\":1},\"a\":2]"};
  size_t i;
  for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    size_t length = strlen(wrong[i]);
    char *copy = malloc(length); /* for the sanitizers: just as long */
    us_json_names names;
    us_buffer out = {0};
    if (copy == NULL) abort();
    memcpy(copy, wrong[i], length);
    CHECK(read_names(test_bytes(copy, length), &names, &out) ==
          US_JSON_INVALID);
    us_buffer_free(&out);
    free(copy);
  }
}

static void without_a_memory_no_name_has_a_number(void) {
  us_buffer out = {0};
  CHECK(read_names(BYTES("[{\"a\":1},{\"a\":2}]"), NULL, &out) == US_JSON_END);
  CHECK_BUFFER(out, "a0 a0");
  us_buffer_free(&out);
}

int main(void) {
  a_name_that_comes_again_has_its_number_again();
  members_may_be_missing_or_come_late();
  another_order_gets_other_numbers();
  each_depth_has_names_of_its_own();
  what_is_spelled_otherwise_is_another();
  escapes_are_not_remembered();
  so_many_are_remembered_and_the_rest_are_read();
  what_looks_like_one_is_still_checked();
  without_a_memory_no_name_has_a_number();
  return test_result();
}
