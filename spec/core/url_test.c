/* url_test.c: percent-encoding, segments, pairs, and which base URLs pass. */
#include "core/url.h"

#include "test.h"

static void encodes(us_slice value, const char *expected) {
  us_buffer out = {0};
  us_buffer_reset(&out, 10000);
  us_url_append_encoded(&out, value);
  CHECK(us_slice_is(us_buffer_slice(&out), expected));
  us_buffer_free(&out);
}

static void only_unreserved_bytes_stay(void) {
  encodes(us_text(""), "");
  encodes(us_text("AZaz09-._~"), "AZaz09-._~");
  encodes(us_text(" "), "%20");
  encodes(us_text("a/b?c#d"), "a%2Fb%3Fc%23d");
  encodes(us_text("100%+@&=,;:"), "100%25%2B%40%26%3D%2C%3B%3A");
  encodes(us_text("!*'()[]{}"), "%21%2A%27%28%29%5B%5D%7B%7D");
  encodes(BYTES("\0\r\n\x7f\xff"), "%00%0D%0A%7F%FF");
  encodes(us_text("\xeb\x8b\x98"), "%EB%8B%98");
}

static void every_byte_comes_back(void) {
  us_buffer out = {0};
  int byte;
  for (byte = 0; byte < 256; byte++) {
    char raw = (char)byte;
    us_slice one = {&raw, 1};
    char expected[4];
    us_buffer_reset(&out, 3);
    us_url_append_encoded(&out, one);
    snprintf(expected, sizeof expected, "%%%02X", (unsigned)byte);
    CHECK(out.status == US_OK);
    CHECK(us_slice_equal(us_buffer_slice(&out), one) ||
          us_slice_is(us_buffer_slice(&out), expected));
  }
  us_buffer_free(&out);
}

static void a_ceiling_holds_for_what_is_encoded(void) {
  us_buffer out = {0};
  us_buffer_reset(&out, 8);
  us_url_append_encoded(&out, us_text("///"));
  CHECK(out.status == US_TOO_LARGE);
  us_buffer_free(&out);
}

static void dot_segments_cannot_stand_in_a_path(void) {
  CHECK(!us_url_is_segment(us_text("")));
  CHECK(!us_url_is_segment(us_text(".")));
  CHECK(!us_url_is_segment(us_text("..")));
  CHECK(us_url_is_segment(us_text("...")));
  CHECK(us_url_is_segment(us_text("a..")));
  CHECK(us_url_is_segment(BYTES(".\0")));
  CHECK(us_url_is_segment(us_text("%2e%2e")));
}

static void pairs_are_joined(void) {
  us_buffer out = {0};
  size_t start;
  us_buffer_reset(&out, 100);
  us_buffer_append_byte(&out, '?');
  start = out.length;
  us_url_append_pair(&out, start, us_text("user_ids[]"), us_text("a b"));
  us_url_append_pair(&out, start, us_text("x"), us_text(""));
  CHECK_BUFFER(out, "?user_ids%5B%5D=a%20b&x=");
  us_buffer_free(&out);
}

static void base_urls_pass_or_not(void) {
  static const char *const good[] = {
      "https://api.example.com", "https://api.example.com:8443/x/%20",
      "http://localhost:1",      "http://127.0.0.1",
      "http://[::1]:80/",        "https://[2001:db8::1]",
      "http://127.255.0.10",     "http://127.0.0.0/x"};
  static const char *const bad[] = {"",
                                    "api.example.com",
                                    "http://api.example.com",
                                    "https://",
                                    "https://u@h",
                                    "https://h?q",
                                    "https://h#f",
                                    "https://h:0",
                                    "https://h:65536",
                                    "https://h:",
                                    "https://h:1x",
                                    "https://h/a b",
                                    "http://127.0.0.1.example.com",
                                    "http://localhost.example.com",
                                    "http://127.0.0",
                                    "http://127...",
                                    "http://127.0.0.",
                                    "http://127.0.0.256",
                                    "http://127.999.0.1",
                                    "http://127.0.0.01",
                                    "http://127.0.0.1.",
                                    "http://127.0.0.0.1",
                                    "http://127.0.0.99999999999999999999",
                                    "https://h\r\n",
                                    "https://[",
                                    "https://[]",
                                    "https://a]"};
  size_t i;
  for (i = 0; i < sizeof good / sizeof good[0]; i++)
    CHECK(us_url_problem(us_text(good[i]), false) == NULL);
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (us_url_problem(us_text(bad[i]), false) == NULL)
      test_fail(__FILE__, __LINE__, bad[i]);
  CHECK(us_url_problem(us_text("http://api.example.com"), true) == NULL);
  CHECK(us_url_problem(us_text("ftp://api.example.com"), true) != NULL);
  CHECK(us_url_problem(BYTES("https://h\0.example.com"), false) != NULL);
}

static void line_breaks_and_nul_are_seen(void) {
  CHECK(us_has_line_break(us_text("a\r")));
  CHECK(us_has_line_break(us_text("\nb")));
  CHECK(us_has_line_break(BYTES("a\0b")));
  CHECK(!us_has_line_break(us_text("a\tb \x0b\x0c\xe2\x80\xa8")));
  CHECK(!us_has_line_break(us_text("")));
}

int main(void) {
  only_unreserved_bytes_stay();
  every_byte_comes_back();
  a_ceiling_holds_for_what_is_encoded();
  dot_segments_cannot_stand_in_a_path();
  pairs_are_joined();
  base_urls_pass_or_not();
  line_breaks_and_nul_are_seen();
  return test_result();
}
