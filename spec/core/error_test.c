/* error_test.c: an error's words, and what stands for them when there was no
   memory for them. */
#include "core/error.h"

#include "test.h"

static void words_are_cut_at_their_limit(void) {
  static char words[US_LIMIT_TEXT + 2];
  us_error error = {0};
  memset(words, 'x', sizeof words - 1);
  us_error_reset(&error, US_KIND_HTTP);
  us_error_say(&error, us_text("short"));
  CHECK_TEXT(us_error_message(&error), "short");
  us_error_say(&error, us_text(words));
  CHECK(us_error_message(&error).length == US_LIMIT_TEXT);
  us_error_say(&error, us_text(""));
  CHECK_TEXT(us_error_message(&error), "");
  us_error_free(&error);
}

/* Code, message and body in turn. */
static void words_without_memory_are_told(void) {
  us_error error = {0};
  us_buffer *quoted[] = {&error.code, &error.message, &error.body};
  size_t i;
  for (i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
    us_error_reset(&error, US_KIND_HTTP);
    us_error_say(&error, us_text("refused"));
    us_buffer_fail(quoted[i], US_NO_MEMORY);
    CHECK_TEXT(us_error_message(&error),
               "(not enough memory for the words of this error)");
    error.kind = US_KIND_MEMORY;
    CHECK_TEXT(us_error_message(&error), "not enough memory");
  }
  us_error_free(&error);
}

static void kinds_are_found_by_name(void) {
  int kind;
  for (kind = 0; kind < US_KIND_COUNT; kind++)
    CHECK(us_kind_find(us_text(us_kind_names[kind]), US_KIND_COUNT) ==
          (us_kind)kind);
  CHECK(us_kind_find(us_text("weather"), US_KIND_NETWORK) == US_KIND_NETWORK);
}

int main(void) {
  words_are_cut_at_their_limit();
  words_without_memory_are_told();
  kinds_are_found_by_name();
  return test_result();
}
