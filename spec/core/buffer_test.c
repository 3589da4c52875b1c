/* buffer_test.c: ceilings, sticky failure, and what a zeroed buffer is. */
#include "test.h"

static void a_zeroed_buffer_holds_nothing(void) {
  us_buffer buffer = {0};
  CHECK_BUFFER(buffer, "");
  us_buffer_append_text(&buffer, "");
  CHECK(buffer.status == US_OK);
  us_buffer_append_text(&buffer, "a");
  CHECK(buffer.status == US_TOO_LARGE);
  us_buffer_free(&buffer);
}

static void it_grows_up_to_its_ceiling(void) {
  us_buffer buffer = {0};
  size_t i;
  us_buffer_reset(&buffer, 1000);
  for (i = 0; i < 1000; i++)
    us_buffer_append_byte(&buffer, (char)('a' + i % 26));
  CHECK(buffer.status == US_OK);
  CHECK(buffer.length == 1000);
  CHECK(buffer.data[0] == 'a' && buffer.data[999] == 'a' + 999 % 26);
  us_buffer_append_byte(&buffer, 'x');
  CHECK(buffer.status == US_TOO_LARGE);
  us_buffer_free(&buffer);
}

static void failure_is_sticky_and_frees(void) {
  us_buffer buffer = {0};
  us_buffer_reset(&buffer, 4);
  us_buffer_append_text(&buffer, "abc");
  us_buffer_append_text(&buffer, "de");
  CHECK(buffer.status == US_TOO_LARGE);
  CHECK(buffer.length == 0);
  CHECK(buffer.data == NULL);
  us_buffer_append_text(&buffer, "f");
  us_buffer_append_integer(&buffer, 1);
  us_buffer_append_byte(&buffer, 'g');
  CHECK(buffer.status == US_TOO_LARGE);
  CHECK_BUFFER(buffer, "");
  us_buffer_free(&buffer);
}

static void reset_clears_failure_and_keeps_memory(void) {
  us_buffer buffer = {0};
  char *before;
  us_buffer_reset(&buffer, 2);
  us_buffer_append_text(&buffer, "abc");
  us_buffer_reset(&buffer, 100);
  CHECK(buffer.status == US_OK);
  us_buffer_append_text(&buffer, "abc");
  before = buffer.data;
  us_buffer_reset(&buffer, 3);
  CHECK_BUFFER(buffer, "");
  us_buffer_append_text(&buffer, "def");
  CHECK(buffer.data == before);
  CHECK_BUFFER(buffer, "def");
  us_buffer_append_text(&buffer, "g"); /* the ceiling, not the memory, counts */
  CHECK(buffer.status == US_TOO_LARGE);
  us_buffer_free(&buffer);
}

static void a_length_beyond_any_memory_is_too_large(void) {
  us_buffer buffer = {0};
  us_buffer_reset(&buffer, 10);
  us_buffer_append_text(&buffer, "abc");
  us_buffer_append(&buffer, "x", (size_t)-1);
  CHECK(buffer.status == US_TOO_LARGE);
  us_buffer_free(&buffer);
}

static void integers_are_plain_digits(void) {
  us_buffer buffer = {0};
  us_buffer_reset(&buffer, 100);
  us_buffer_append_integer(&buffer, 0);
  us_buffer_append_byte(&buffer, ' ');
  us_buffer_append_integer(&buffer, -9223372036854775807LL - 1);
  us_buffer_append_byte(&buffer, ' ');
  us_buffer_append_integer(&buffer, 9223372036854775807LL);
  CHECK_BUFFER(buffer, "0 -9223372036854775808 9223372036854775807");
  us_buffer_free(&buffer);
}

static void set_replaces_and_says_how_it_went(void) {
  us_buffer buffer = {0};
  CHECK(us_buffer_set(&buffer, 5, us_text("hello")) == US_OK);
  CHECK_BUFFER(buffer, "hello");
  CHECK(us_buffer_set(&buffer, 5, BYTES("a\0b")) == US_OK);
  CHECK_BUFFER(buffer, "a\0b");
  CHECK(us_buffer_set(&buffer, 5, us_text("longer")) == US_TOO_LARGE);
  CHECK_BUFFER(buffer, "");
  CHECK(us_buffer_set(&buffer, 0, us_text("")) == US_OK);
  us_buffer_free(&buffer);
  us_buffer_free(&buffer); /* again is fine */
  CHECK(buffer.capacity == 0);
}

static void truncate_only_shortens(void) {
  us_buffer buffer = {0};
  CHECK(us_buffer_set(&buffer, 10, us_text("hello")) == US_OK);
  us_buffer_truncate(&buffer, 7);
  CHECK_BUFFER(buffer, "hello");
  us_buffer_truncate(&buffer, 2);
  CHECK_BUFFER(buffer, "he");
  us_buffer_truncate(&buffer, 0);
  CHECK_BUFFER(buffer, "");
  us_buffer_free(&buffer);
}

static void slices_compare_by_their_bytes(void) {
  us_slice nothing = {NULL, 0};
  CHECK(us_slice_equal(nothing, us_text("")));
  CHECK(us_slice_equal(us_text(NULL), us_text("")));
  CHECK(us_slice_equal(BYTES("a\0b"), BYTES("a\0b")));
  CHECK(!us_slice_equal(BYTES("a\0b"), BYTES("a\0c")));
  CHECK(!us_slice_equal(us_text("a"), us_text("ab")));
  CHECK(us_slice_is(us_text("ab"), "ab"));
  CHECK(!us_slice_is(BYTES("ab\0"), "ab"));
  CHECK(!us_slice_is(nothing, "a"));
}

int main(void) {
  a_zeroed_buffer_holds_nothing();
  it_grows_up_to_its_ceiling();
  failure_is_sticky_and_frees();
  reset_clears_failure_and_keeps_memory();
  a_length_beyond_any_memory_is_too_large();
  integers_are_plain_digits();
  set_replaces_and_says_how_it_went();
  truncate_only_shortens();
  slices_compare_by_their_bytes();
  return test_result();
}
