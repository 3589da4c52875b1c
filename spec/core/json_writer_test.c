/* json_writer_test.c: commas, escapes and numbers. */
#include "core/json_writer.h"

#include "test.h"

static void commas_and_nesting(void) {
  us_buffer out = {0};
  us_json_writer json = {&out, false};
  us_buffer_reset(&out, 1000);
  us_json_open(&json, '{');
  us_json_key(&json, us_text("a"));
  us_json_open(&json, '[');
  us_json_integer(&json, 1);
  us_json_string(&json, us_text("x"));
  us_json_open(&json, '{');
  us_json_close(&json, '}');
  us_json_open(&json, '[');
  us_json_close(&json, ']');
  us_json_close(&json, ']');
  us_json_key(&json, us_text("b"));
  us_json_raw(&json, us_text("null"));
  us_json_key(&json, us_text(""));
  us_json_raw(&json, us_text("{\"c\":1}"));
  us_json_close(&json, '}');
  CHECK_BUFFER(out, "{\"a\":[1,\"x\",{},[]],\"b\":null,\"\":{\"c\":1}}");
  us_buffer_free(&out);
}

static void strings_are_escaped(void) {
  us_buffer out = {0};
  us_json_writer json = {&out, false};
  us_buffer_reset(&out, 1000);
  us_json_string(&json, BYTES("\0\x01\x08\t\n\x0b\x0c\r\x1f \"\\/\x7f"));
  CHECK_BUFFER(out, "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f "
                    "\\\"\\\\/\x7f\"");
  us_buffer_reset(&out, 1000);
  json.comma = false;
  us_json_string(&json, us_text("\xeb\x8b\x98 \xff"));
  CHECK_BUFFER(out, "\"\xeb\x8b\x98 \xff\"");
  us_buffer_reset(&out, 1000);
  json.comma = false;
  us_json_key(&json, BYTES("a\"\0"));
  CHECK_BUFFER(out, "\"a\\\"\\u0000\":");
  us_buffer_free(&out);
}

static void writes_number(double number, const char *expected) {
  us_buffer out = {0};
  us_json_writer json = {&out, false};
  us_buffer_reset(&out, 100);
  us_json_number(&json, number);
  CHECK(us_slice_is(us_buffer_slice(&out), expected));
  us_buffer_free(&out);
}

static void numbers_are_short_and_exact(void) {
  writes_number(42.0, "42");
  writes_number(-0.0, "0");
  writes_number(0.1, "0.1");
  writes_number(1.0 / 3, "0.3333333333333333");
  writes_number(0.1 + 0.2, "0.30000000000000004");
  writes_number(9007199254740992.0, "9007199254740992");
  writes_number(-9007199254740992.0, "-9007199254740992");
  writes_number(1e300, "1e+300");
  writes_number(1234567890123456789.0, "1.2345678901234568e+18");
}

static void numbers_read_back(void) {
  us_buffer out = {0};
  double number = 1e-310; /* from subnormal to large */
  while (number < 1e300) {
    us_json_writer json = {&out, false};
    us_buffer_reset(&out, 100);
    us_json_number(&json, number);
    us_buffer_append_byte(&out, '\0');
    CHECK(strtod(out.data, NULL) == number);
    number *= 7.3;
  }
  us_buffer_free(&out);
}

static void integers_are_all_digits(void) {
  us_buffer out = {0};
  us_json_writer json = {&out, false};
  us_buffer_reset(&out, 100);
  us_json_integer(&json, 9223372036854775807LL);
  us_json_integer(&json, -9223372036854775807LL - 1);
  CHECK_BUFFER(out, "9223372036854775807,-9223372036854775808");
  us_buffer_free(&out);
}

static void a_ceiling_is_one_failure(void) {
  us_buffer out = {0};
  us_json_writer json = {&out, false};
  us_buffer_reset(&out, 4);
  us_json_open(&json, '[');
  us_json_string(&json, us_text("long"));
  us_json_close(&json, ']');
  CHECK(out.status == US_TOO_LARGE);
  us_buffer_free(&out);
}

int main(void) {
  commas_and_nesting();
  strings_are_escaped();
  numbers_are_short_and_exact();
  numbers_read_back();
  integers_are_all_digits();
  a_ceiling_is_one_failure();
  return test_result();
}
