/* multipart_test.c: boundaries, parts, names and media types. */
#include "core/multipart.h"

#include "test.h"

static void boundaries_are_spelled_from_their_seed(void) {
  char first[US_BOUNDARY_SIZE], second[US_BOUNDARY_SIZE];
  us_multipart_boundary(first, 0);
  us_multipart_boundary(second, 0);
  CHECK(strcmp(first, second) == 0);
  CHECK(strcmp(first, "usher-0000000000000000") == 0);
  us_multipart_boundary(second, 18446744073709551615ULL);
  CHECK(strcmp(second, "usher-ffffffffffffffff") == 0);
}

static void parts_follow_each_other(void) {
  us_buffer out = {0};
  us_buffer_reset(&out, 1000);
  us_multipart_text(&out, "B", "role", us_text("appUser"));
  us_multipart_file(&out, "B", "source", us_text("cat.png"),
                    us_text("image/png"), BYTES("\0\xff\r\n"));
  us_multipart_finish(&out, "B");
  CHECK_BUFFER(out, "--B\r\nContent-Disposition: form-data; name=\"role\"\r\n"
                    "\r\nappUser\r\n"
                    "--B\r\nContent-Disposition: form-data; name=\"source\"; "
                    "filename=\"cat.png\"\r\nContent-Type: image/png\r\n\r\n"
                    "\0\xff\r\n\r\n--B--\r\n");
  us_buffer_free(&out);
}

static void names_cannot_end_their_header(void) {
  us_buffer out = {0};
  us_slice text;
  us_buffer_reset(&out, 1000);
  us_multipart_file(&out, "B", "a", us_text("\"; x=\"\r\nEvil: 1"),
                    us_text("text/plain"), us_text(""));
  text = us_buffer_slice(&out);
  CHECK(us_multipart_occurs("filename=\"%22; x=%22%0D%0AEvil: 1\"\r\n", text));
  CHECK(!us_multipart_occurs("\r\nEvil", text));
  us_buffer_free(&out);
}

static void a_boundary_is_found_wherever_it_is(void) {
  us_slice nothing = {NULL, 0};
  CHECK(us_multipart_occurs("abc", us_text("abc")));
  CHECK(us_multipart_occurs("abc", us_text("ababc")));
  CHECK(us_multipart_occurs("aab", us_text("aaab")));
  CHECK(us_multipart_occurs("abc", BYTES("x\0abc")));
  CHECK(!us_multipart_occurs("abc", us_text("ab")));
  CHECK(!us_multipart_occurs("abc", us_text("abab")));
  CHECK(!us_multipart_occurs("abc", us_text("")));
  CHECK(!us_multipart_occurs("abc", nothing));
}

static void types_come_from_extensions(void) {
  static const char *const rows[][2] = {
      {"cat.png", "image/png"},
      {"CAT.PNG", "image/png"},
      {"a.b.jpeg", "image/jpeg"},
      {"a.jpg", "image/jpeg"},
      {".gif", "image/gif"},
      {"dir/a.webp", "image/webp"},
      {"a", "application/octet-stream"},
      {"", "application/octet-stream"},
      {"a.", "application/octet-stream"},
      {"a.xyz", "application/octet-stream"},
      {"png", "application/octet-stream"},
      {"dir.png/a", "application/octet-stream"},
      {"a.pngx", "application/octet-stream"},
      {"a.pn", "application/octet-stream"}};
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp(us_multipart_type(us_text(rows[i][0])), rows[i][1]) != 0)
      test_fail(__FILE__, __LINE__, rows[i][0]);
}

int main(void) {
  boundaries_are_spelled_from_their_seed();
  parts_follow_each_other();
  names_cannot_end_their_header();
  a_boundary_is_found_wherever_it_is();
  types_come_from_extensions();
  return test_result();
}
