/* redact_test.c: masking secrets, whole, cut and in other spellings. */
#include "core/redact.h"

#include "test.h"

static us_buffer secrets;

static void know(const char *first, const char *second) {
  us_buffer_reset(&secrets, 10000);
  us_secrets_add(&secrets, us_text(first));
  us_secrets_add(&secrets, us_text(second));
  CHECK(secrets.status == US_OK);
}

static void masks(us_slice text, const char *expected) {
  us_buffer buffer = {0};
  CHECK(us_buffer_set(&buffer, 10000, text) == US_OK);
  us_redact(&buffer, &secrets);
  if (!us_slice_is(us_buffer_slice(&buffer), expected)) {
    test_fail(__FILE__, __LINE__, expected);
    fprintf(stderr, "  is %.*s\n", (int)buffer.length, buffer.data);
  }
  us_buffer_free(&buffer);
}

static void every_occurrence(void) {
  know("s3cret", "other-one");
  masks(us_text(""), "");
  masks(us_text("nothing here"), "nothing here");
  masks(us_text("s3cret"), "***");
  masks(us_text("a s3cret b s3crets3cret c"), "a *** b ****** c");
  masks(us_text("other-one s3cret"), "*** ***");
}

static void not_what_is_like_it(void) {
  know("s3cret", "");
  masks(us_text("S3cret s3cre_ 3cret secret"), "S3cret s3cre_ 3cret secret");
}

static void the_longest_first(void) {
  know("token", "token-and-more");
  masks(us_text("token-and-more token"), "*** ***");
  know("token-and-more", "token");
  masks(us_text("token-and-more token"), "*** ***");
}

static void a_beginning_at_the_end(void) {
  know("s3cret-value", "");
  masks(us_text("a s3cret-valu"), "a ***");
  masks(us_text("a s3cr"), "a ***");
  masks(us_text("a s3c"), "a s3c"); /* too short to be told from words */
  masks(us_text("s3cr a"), "s3cr a");
}

static void other_spellings(void) {
  know("a\"b\\c/d+e", "");
  masks(us_text("<a\"b\\c/d+e>"), "<***>");
  masks(us_text("<a\\\"b\\\\c/d+e>"), "<***>");
  masks(us_text("<a\\\"b\\\\c\\/d+e>"), "<***>");
  masks(us_text("<a%22b%5Cc%2Fd%2Be>"), "<***>");
}

static void spellings_that_are_mixed(void) {
  know("a\"b/c \xc3\xa9", "");
  masks(us_text("<\\u0061\\\"%62\\/c+\\u00E9>"), "<***>");
  masks(us_text("<&#97;&quot;b&#x2F;c%20%c3%A9>"), "<***>");
  masks(us_text("<%61%2522b%2fc \xc3%a9>"), "<***>");
  masks(us_text("<a\\\\\\\"b\\\\\\/c \\\\u00e9>"), "<***>"); /* JSON in JSON */
  masks(us_text("<a\"b/c \\u00e8>"), "<a\"b/c \\u00e8>");
  know("1\xf0\x9f\x98\x80", "");
  masks(us_text("<1\\ud83d\\uDE00> <1&#128512;>"), "<***> <***>");
}

static void blanks_that_were_a_plus(void) {
  know("a+b c", "");
  masks(us_text("<a+b c> <a b+c> <a%2Bb%20c>"), "<***> <***> <***>");
}

static void rows_of_backslashes(void) {
  know("a\\\\n\nb", ""); /* two of them, an n, a line feed */
  masks(us_text("<a\\\\n\nb> <a\\\\\\\\n\\nb> <a%5C%5cn%0Ab>"),
        "<***> <***> <***>");
  know("a\\\nb", "");
  masks(us_text("<a\\\\\\nb>"), "<***>");
  masks(us_text("<a\nb>"), "<a\nb>");
  masks(us_text("<a\\u005C\\u000Ab> <a\\u005b\nb>"), "<***> <a\\u005b\nb>");
}

static void one_that_begins_like_an_escape(void) {
  know("beef1", "token");
  masks(us_text("100%beef1 C:\\token C:\\\\token"),
        "100%*** C:\\*** C:\\\\***");
}

static void a_beginning_cut_in_an_escape(void) {
  know("s3cret\"value", "\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80");
  masks(us_text("a \xc3\xa9\xc3\xa9\xf0\x9f\x98"), "a ***");
  masks(us_text("a s3cret\\"), "a ***");
  masks(us_text("a s3cret\\u00"), "a ***");
  masks(us_text("a s3cret%2"), "a ***");
  masks(us_text("a s3cret&quo"), "a ***");
  masks(us_text("a s3cret&quo "), "a s3cret&quo ");
}

static void strings_of_a_table(void) {
  us_buffer_reset(&secrets, 1000);
  us_secrets_add_json(
      &secrets,
      us_text(
          "{\"name\":\"one\\u0001abc\",\"list\":[\"t\\\"wo\",true,\"x\"]}"));
  CHECK(secrets.status == US_OK);
  masks(us_text("one\001abc one\\u0001abc t\"wo name list x"),
        "*** *** *** name list x");
}

static void short_ones_are_left(void) {
  know("abc", "");
  CHECK(secrets.length == 0);
  masks(us_text("abc"), "abc");
}

static void any_bytes(void) {
  us_buffer_reset(&secrets, 1000);
  us_secrets_add(&secrets, BYTES("ab\0cd\xff"));
  masks(BYTES("<ab\0cd\xff>"), "<***>");
  masks(us_text("<ab\\u0000cd\xff>"), "<***>");
}

int main(void) {
  every_occurrence();
  not_what_is_like_it();
  the_longest_first();
  a_beginning_at_the_end();
  other_spellings();
  spellings_that_are_mixed();
  blanks_that_were_a_plus();
  rows_of_backslashes();
  one_that_begins_like_an_escape();
  a_beginning_cut_in_an_escape();
  strings_of_a_table();
  short_ones_are_left();
  any_bytes();
  us_buffer_free(&secrets);
  return test_result();
}
