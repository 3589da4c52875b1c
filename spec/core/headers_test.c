/* headers_test.c: the list of header fields and which names are allowed. */
#include "core/headers.h"

#include "test.h"

static void fields_come_back_in_order(void) {
  us_buffer list = {0};
  us_header header;
  size_t at = 0;
  us_buffer_reset(&list, 1000);
  us_headers_add(&list, "A", us_text("1"), false);
  us_headers_add(&list, "B", us_text(""), true);
  us_headers_add(&list, "A", us_text("three: 3"), false);
  CHECK(us_headers_next(&list, &at, &header));
  CHECK_TEXT(header.name, "A");
  CHECK_TEXT(header.value, "1");
  CHECK(!header.secret);
  CHECK(us_headers_next(&list, &at, &header));
  CHECK_TEXT(header.name, "B");
  CHECK_TEXT(header.value, "");
  CHECK(header.secret);
  CHECK(us_headers_next(&list, &at, &header));
  CHECK_TEXT(header.value, "three: 3");
  CHECK(!us_headers_next(&list, &at, &header));
  CHECK(!us_headers_next(&list, &at, &header));
  us_buffer_free(&list);
}

static void an_empty_or_failed_list_has_none(void) {
  us_buffer list = {0};
  us_header header;
  size_t at = 0;
  CHECK(!us_headers_next(&list, &at, &header));
  us_buffer_reset(&list, 4);
  us_headers_add(&list, "Name", us_text("value"), false);
  CHECK(list.status == US_TOO_LARGE);
  CHECK(!us_headers_next(&list, &at, &header));
  CHECK(!us_headers_has(&list, us_text("Name")));
  us_buffer_free(&list);
}

static void case_does_not_count(void) {
  us_buffer list = {0};
  us_buffer_reset(&list, 100);
  us_headers_add(&list, "X-Auth-Token", us_text("t"), true);
  CHECK(us_headers_has(&list, us_text("x-auth-token")));
  CHECK(us_headers_has(&list, us_text("X-AUTH-TOKEN")));
  CHECK(!us_headers_has(&list, us_text("X-Auth")));
  CHECK(!us_headers_has(&list, us_text("X_Auth_Token")));
  CHECK(!us_headers_has(&list, us_text("")));
  us_buffer_free(&list);
}

static void names_are_tokens(void) {
  int byte, valid = 0;
  CHECK(us_header_name_is_valid(us_text("X-A_b.1!#$%&'*+^`|~")));
  CHECK(!us_header_name_is_valid(us_text("")));
  CHECK(!us_header_name_is_valid(us_text("a b")));
  CHECK(!us_header_name_is_valid(us_text("a:")));
  CHECK(!us_header_name_is_valid(us_text("a\r\n")));
  CHECK(!us_header_name_is_valid(BYTES("a\0")));
  for (byte = 0; byte < 256; byte++) {
    char raw = (char)byte;
    us_slice name = {&raw, 1};
    if (us_header_name_is_valid(name)) valid++;
  }
  CHECK(valid == 26 + 26 + 10 + 15); /* RFC 9110 section 5.6.2 */
}

static void framing_is_the_transports(void) {
  CHECK(us_header_name_is_reserved(us_text("host")));
  CHECK(us_header_name_is_reserved(us_text("Content-Length")));
  CHECK(us_header_name_is_reserved(us_text("transfer-encoding")));
  CHECK(us_header_name_is_reserved(us_text("te")));
  CHECK(!us_header_name_is_reserved(us_text("Content-Type")));
  CHECK(!us_header_name_is_reserved(us_text("Authorization")));
  CHECK(!us_header_name_is_reserved(us_text("Hosts")));
}

int main(void) {
  fields_come_back_in_order();
  an_empty_or_failed_list_has_none();
  case_does_not_count();
  names_are_tokens();
  framing_is_the_transports();
  return test_result();
}
