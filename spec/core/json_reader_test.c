/* json_reader_test.c: JSON text as tokens: what is JSON, what is not and where,
   and the exact values of strings and numbers. */
#include "core/json_reader.h"

#include <float.h>
#include <limits.h>
#include <math.h>

#include "test.h"

static us_json_reader reader;

/* One letter a token, as far as the text goes. */
static const char *tokens_of(us_slice text) {
  static const char letters[] = ".!?{}[]:sindtf0";
  static char read[300];
  size_t count = 0;
  us_json_token token = US_JSON_NULL;
  us_json_start(&reader, text);
  while (token > US_JSON_NO_MEMORY && count < sizeof read - 1) {
    token = us_json_next(&reader);
    read[count++] = letters[token];
  }
  read[count] = '\0';
  return read;
}

#define CHECK_TOKENS(text, expected)                                           \
  do {                                                                         \
    const char *read = tokens_of(BYTES(text));                                 \
    CHECK_TEXT(us_text(read), expected);                                       \
  } while (0)

/* Invalid, `position` bytes from the start, for that reason. */
#define CHECK_INVALID(text, place, reason)                                     \
  do {                                                                         \
    const char *read = tokens_of(BYTES(text));                                 \
    CHECK(read[strlen(read) - 1] == '!');                                      \
    CHECK_TEXT(us_text(reader.problem), reason);                               \
    CHECK(us_json_position(&reader) == (place));                               \
  } while (0)

/* The only token of the text. */
static us_json_token only(us_slice text) {
  us_json_token token;
  us_json_start(&reader, text);
  token = us_json_next(&reader);
  CHECK(us_json_next(&reader) == US_JSON_END);
  return token;
}

#define CHECK_STRING(json, expected)                                           \
  do {                                                                         \
    us_json_start(&reader, BYTES(json));                                       \
    CHECK(us_json_next(&reader) == US_JSON_STRING);                            \
    CHECK_TEXT(reader.text, expected);                                         \
    CHECK(us_json_next(&reader) == US_JSON_END);                               \
  } while (0)

static bool reads_integer(const char *text, long long expected) {
  return only(us_text(text)) == US_JSON_INTEGER && reader.integer == expected;
}

static bool reads_number(const char *text, double expected) {
  return only(us_text(text)) == US_JSON_NUMBER &&
         memcmp(&reader.number, &expected, sizeof expected) == 0;
}

static void values_come_in_the_order_of_the_text(void) {
  CHECK_TOKENS("null", "0.");
  CHECK_TOKENS(" [ ] ", "[].");
  CHECK_TOKENS("{}", "{}.");
  CHECK_TOKENS("\t\r\n {\"a\" : [true,false ,null,1,1.5,\"x\"] , \"b\":{}}\n",
               "{:[tf0ids]:{}}.");
  CHECK_TOKENS("[[],{\"a\":[{}]},2]", "[[]{:[{}]}i].");
}

static void what_is_no_json_is_told_with_its_place(void) {
  CHECK_INVALID("", 1, "the text ends too early");
  CHECK_INVALID("  ", 3, "the text ends too early");
  CHECK_INVALID("[1", 3, "the text ends too early");
  CHECK_INVALID("[1,", 4, "the text ends too early");
  CHECK_INVALID("[1,]", 4, "a value is due");
  CHECK_INVALID("[1 2]", 4, "a comma or ] is due");
  CHECK_INVALID("{\"a\":1 \"b\"}", 8, "a comma or } is due");
  CHECK_INVALID("{\"a\" 1}", 6, "a colon is due");
  CHECK_INVALID("{\"a\":}", 6, "a value is due");
  CHECK_INVALID("{\"a\":1,}", 8, "a name in quotes is due");
  CHECK_INVALID("{a:1}", 2, "a name in quotes is due");
  CHECK_INVALID("{1:1}", 2, "a name in quotes is due");
  CHECK_INVALID("[}", 2, "a value is due");
  CHECK_INVALID("{]", 2, "a name in quotes is due");
  CHECK_INVALID("[1}", 3, "a comma or ] is due");
  CHECK_INVALID("]", 1, "a value is due");
  CHECK_INVALID("1 2", 3, "more follows the value");
  CHECK_INVALID("{}{}", 3, "more follows the value");
  CHECK_INVALID("[1]\0junk", 4, "more follows the value");
  CHECK_INVALID("nul", 1, "a value is due");
  CHECK_INVALID("True", 1, "a value is due");
  CHECK_INVALID("NaN", 1, "a value is due");
  CHECK_INVALID("\xEF\xBB\xBF[]", 1, "a value is due");
  CHECK_INVALID("// no\n1", 1, "a value is due");
}

static void objects_and_arrays_nest_to_a_limit(void) {
  char text[US_LIMIT_JSON_DEPTH + 2];
  us_slice all = {text, US_LIMIT_JSON_DEPTH};
  int depth;
  memset(text, '[', sizeof text);
  us_json_start(&reader, all);
  for (depth = 0; depth < US_LIMIT_JSON_DEPTH; depth++)
    CHECK(us_json_next(&reader) == US_JSON_ARRAY);
  CHECK(us_json_next(&reader) == US_JSON_INVALID);
  CHECK_TEXT(us_text(reader.problem), "the text ends too early");
  all.length++;
  us_json_start(&reader, all);
  for (depth = 0; depth < US_LIMIT_JSON_DEPTH; depth++)
    CHECK(us_json_next(&reader) == US_JSON_ARRAY);
  CHECK(us_json_next(&reader) == US_JSON_INVALID);
  CHECK_TEXT(us_text(reader.problem), "it is nested too deep");
}

static void strings_are_taken_as_they_are(void) {
  CHECK_STRING("\"\"", "");
  CHECK_STRING("\"plain\"", "plain");
  CHECK_STRING("\"longer than eight bytes\"", "longer than eight bytes");
  CHECK_STRING("\"\x7F\"", "\x7F");
  CHECK_STRING("\"\xC2\x80 \xDF\xBF\"", "\xC2\x80 \xDF\xBF");
  CHECK_STRING("\"\xE0\xA0\x80 \xED\x9F\xBF \xEF\xBF\xBF\"",
               "\xE0\xA0\x80 \xED\x9F\xBF \xEF\xBF\xBF");
  CHECK_STRING("\"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF\"",
               "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF");
}

static void escapes_are_what_they_stand_for(void) {
  CHECK_STRING("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
  CHECK_STRING("\"a\\u0000b\"", "a\0b");
  CHECK_STRING("\"\\u0041\\u00e9\\u20AC\\uFFFD\"",
               "A\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBD");
  CHECK_STRING("\"\\uD83d\\uDE00\"", "\xF0\x9F\x98\x80");
  CHECK_STRING("\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF");
  CHECK_STRING("\"before\\tbehind\"", "before\tbehind");
}

/* The grammar allows them; one must not hide all that is beside it. */
static void half_a_pair_is_the_replacement_character(void) {
  CHECK_STRING("\"\\uD800\"", "\xEF\xBF\xBD");
  CHECK_STRING("\"\\uDFFF!\"", "\xEF\xBF\xBD!");
  CHECK_STRING("\"\\uD800\\u0041\"", "\xEF\xBF\xBD"
                                     "A");
  CHECK_STRING("\"\\uD800\\n12345\"", "\xEF\xBF\xBD\n12345");
  CHECK_STRING("\"\\uD800\\uD83D\\uDE00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80");
}

static void bytes_that_are_no_text_are_refused(void) {
  static const char *const wrong[] = {
      "\"\x80\"",
      "\"\xC1\xBF\"",
      "\"\xC2\"",
      "\"\xE0\x9F\xBF\"",
      "\"\xED\xA0\x80\"",
      "\"\xE2\x82\"",
      "\"\xE2\x82(\"",
      "\"\xF0\x8F\xBF\xBF\"",
      "\"\xF4\x90\x80\x80\"",
      "\"\xF5\x80\x80\x80\"",
      "\"\xFF\"",
      "\"\xC2\xC2\"",
  };
  size_t i;
  for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    CHECK_TEXT(us_text(tokens_of(us_text(wrong[i]))), "!");
    CHECK_TEXT(us_text(reader.problem), "a string must be UTF-8");
    CHECK(us_json_position(&reader) == 2);
  }
  CHECK_INVALID("\"a\tb\"", 3, "a string must not hold a control character");
  CHECK_INVALID("\"a\0b\"", 3, "a string must not hold a control character");
  CHECK_INVALID("\"a", 3, "a string has no end");
  CHECK_INVALID("\"a\\", 3, "a string has no end");
  CHECK_INVALID("\"\\x\"", 3, "this is not an escape of JSON");
  CHECK_INVALID("\"\\\0\"", 3, "this is not an escape of JSON");
  CHECK_INVALID("\"\\u00g0\"", 4, "\\u needs four hexadecimal digits");
  CHECK_INVALID("\"\\u00", 4, "\\u needs four hexadecimal digits");
  CHECK_INVALID("{\"a", 4, "a string has no end");
}

static void integers_are_exact_to_64_bits(void) {
  CHECK(reads_integer("0", 0));
  CHECK(reads_integer("-0", 0));
  CHECK(reads_integer("42", 42));
  CHECK(reads_integer("9007199254740993", 9007199254740993));
  CHECK(reads_integer("9223372036854775807", LLONG_MAX));
  CHECK(reads_integer("-9223372036854775808", LLONG_MIN));
}

static void larger_integers_come_as_their_digits(void) {
  CHECK(only(us_text("9223372036854775808")) == US_JSON_LARGE_INTEGER);
  CHECK_TEXT(reader.text, "9223372036854775808");
  CHECK(only(us_text("-9223372036854775809")) == US_JSON_LARGE_INTEGER);
  CHECK_TEXT(reader.text, "-9223372036854775809");
  CHECK(only(us_text("100000000000000000000")) == US_JSON_LARGE_INTEGER);
  CHECK_TEXT(reader.text, "100000000000000000000");
}

static void other_numbers_are_the_nearest_double(void) {
  CHECK(reads_number("1.5", 1.5));
  CHECK(reads_number("-0.0", -0.0));
  CHECK(reads_number("0.1", 0.1));
  CHECK(reads_number("1e0", 1));
  CHECK(reads_number("-25E-1", -2.5));
  CHECK(reads_number("1.25e+2", 125));
  CHECK(reads_number("1e22", 1e22));
  CHECK(reads_number("1e-22", 1e-22));
  CHECK(reads_number("1e-23", 1e-23));
  CHECK(reads_number("1e23", 1e23));
  CHECK(reads_number("123456789012345678901234567890.0",
                     123456789012345678901234567890.0));
  CHECK(reads_number("1.7976931348623157e308", DBL_MAX));
  CHECK(reads_number("2.2250738585072014e-308", DBL_MIN));
  CHECK(reads_number("4.9406564584124654e-324", 4.9406564584124654e-324));
  CHECK(reads_number("0e999999999999999999999", 0));
  CHECK(reads_number("1e-999999999999999999999", 0));
  CHECK(reads_number("9007199254740993.0", 9007199254740992.0));
  CHECK(reads_number("9007199254740993.00000000000000000001",
                     9007199254740994.0));
}

/* Half-way between two doubles, but for a digit that is the last of many. */
static void no_digit_is_too_far_behind_to_count(void) {
  char text[1000];
  us_slice all = {text, sizeof text};
  memset(text, '0', sizeof text);
  memcpy(text, "9007199254740993.", 17);
  CHECK(only(all) == US_JSON_NUMBER && reader.number == 9007199254740992.0);
  text[sizeof text - 1] = '1';
  CHECK(only(all) == US_JSON_NUMBER && reader.number == 9007199254740994.0);
  memset(text, '0', sizeof text);
  memcpy(text, "9007199254740993", 16);
  memcpy(text + sizeof text - 7, "1e-0984", 7);
  CHECK(only(all) == US_JSON_NUMBER && reader.number == 9007199254.740993);
}

static void what_is_no_number_is_refused(void) {
  CHECK_INVALID("-", 2, "the text ends too early");
  CHECK_INVALID("-x", 2, "a digit is due");
  CHECK_INVALID("+1", 1, "a value is due");
  CHECK_INVALID(".5", 1, "a value is due");
  CHECK_INVALID("1.", 3, "a digit is due");
  CHECK_INVALID("1.e5", 3, "a digit is due");
  CHECK_INVALID("1e", 3, "a digit is due");
  CHECK_INVALID("1e+", 4, "a digit is due");
  CHECK_INVALID("01", 2, "more follows the value");
  CHECK_INVALID("0x10", 2, "more follows the value");
  CHECK_INVALID("1e400", 1, "a number is out of range");
  CHECK_INVALID("[-1e400]", 2, "a number is out of range");
}

static void a_reader_may_be_started_again(void) {
  CHECK_STRING("\"\\n1\"", "\n1");
  CHECK_STRING("\"\\n2 and longer\"", "\n2 and longer");
  CHECK_TOKENS("[", "[!");
  CHECK_TOKENS("1", "i.");
  us_json_reader_free(&reader);
  CHECK_TOKENS("{}", "{}.");
  us_json_reader_free(&reader);
}

int main(void) {
  values_come_in_the_order_of_the_text();
  what_is_no_json_is_told_with_its_place();
  objects_and_arrays_nest_to_a_limit();
  strings_are_taken_as_they_are();
  escapes_are_what_they_stand_for();
  half_a_pair_is_the_replacement_character();
  bytes_that_are_no_text_are_refused();
  integers_are_exact_to_64_bits();
  larger_integers_come_as_their_digits();
  other_numbers_are_the_nearest_double();
  no_digit_is_too_far_behind_to_count();
  what_is_no_number_is_refused();
  a_reader_may_be_started_again();
  return test_result();
}
