/* json_reader_memory_test.c: the JSON reader and memory: text that ends where
   its memory does, strings that are parts of it, a reader used again, and no
   memory. What is a JSON text: json_reader_test.c, spec/vectors/json.lua. */
#include "core/json_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static us_json_reader reader;

/* --- helpers ------------------------------------------------------------- */

/* Begins with a copy that ends where its memory ends, and has no NUL. */
static char *start_with(us_slice text) {
  char *copy = malloc(text.length ? text.length : 1);
  if (copy == NULL) abort();
  if (text.length) memcpy(copy, text.data, text.length);
  us_json_start(&reader, test_bytes(copy, text.length));
  return copy;
}

/* Writes a letter a token, and the values of names, strings and integers. */
static us_json_token outline(us_buffer *out) {
  static const char letters[] = "$!?{}[]N\"iLdtfn";
  us_json_token token;
  us_buffer_reset(out, 1000);
  do {
    token = us_json_next(&reader);
    us_buffer_append_byte(out, letters[token]);
    if (token == US_JSON_NAME || token == US_JSON_STRING ||
        token == US_JSON_LARGE_INTEGER)
      us_buffer_append_slice(out, reader.text);
    if (token == US_JSON_INTEGER) us_buffer_append_integer(out, reader.integer);
    us_buffer_append_byte(out, ' ');
  } while (token > US_JSON_NO_MEMORY);
  return token;
}

static us_json_token last_token(us_slice text) {
  us_buffer out = {0};
  char *copy = start_with(text);
  us_json_token token = outline(&out);
  CHECK(us_json_position(&reader) <= text.length + 1);
  us_buffer_free(&out);
  free(copy);
  return token;
}

#define CHECK_OUTLINE(text, expected)                                          \
  do {                                                                         \
    us_buffer outlined = {0};                                                  \
    char *copied = start_with(BYTES(text));                                    \
    outline(&outlined);                                                        \
    CHECK_BUFFER(outlined, expected);                                          \
    us_buffer_free(&outlined);                                                 \
    free(copied);                                                              \
  } while (0)

static const char rich[] =
    " {\"id\":\"u\\u0041\\ud83d\\ude00\xc3\xa9\",\"n\" : [0,-12,1.50e+3,"
    "99999999999999999999],\t\"e\":{\"\":[[],{},null]},\"t\":true,"
    "\"f\":false,\"s\":\"a plain one of more than eight bytes\"}\r\n";

/* --- tests --------------------------------------------------------------- */

static void tokens_come_in_order(void) {
  CHECK_OUTLINE(rich, "{ Nid \"uA\xf0\x9f\x98\x80\xc3\xa9 Nn [ i0 i-12 d "
                      "L99999999999999999999 ] Ne { N [ [ ] { } n ] } Nt t "
                      "Nf f Ns \"a plain one of more than eight bytes } $ ");
  CHECK_OUTLINE("[]", "[ ] $ ");
  CHECK_OUTLINE("{}", "{ } $ ");
  CHECK_OUTLINE("null", "n $ ");
  CHECK_OUTLINE(" \"\" ", "\" $ ");
  CHECK_OUTLINE("[[1,2],[{\"a\":[3]},4]]",
                "[ [ i1 i2 ] [ { Na [ i3 ] } i4 ] ] $ ");
  CHECK_OUTLINE("{\"a\":1,\"a\":2}", "{ Na i1 Na i2 } $ ");
}

static void tokens_come_up_to_the_problem(void) {
  CHECK_OUTLINE("", "! ");
  CHECK_OUTLINE("[1,2", "[ i1 i2 ! ");
  CHECK_OUTLINE("[1,]", "[ i1 ! ");
  CHECK_OUTLINE("{\"a\":1,}", "{ Na i1 ! ");
  CHECK_OUTLINE("{\"a\" 1}", "{ ! ");
  CHECK_OUTLINE("[] []", "[ ] ! ");
  CHECK_OUTLINE("[\"a\",\"\\x\"]", "[ \"a ! ");
  CHECK_OUTLINE("[1}", "[ i1 ! ");
}

static void the_end_stays_the_end(void) {
  char *copy = start_with(BYTES("[7] "));
  us_buffer out = {0};
  int i;
  CHECK(outline(&out) == US_JSON_END);
  for (i = 0; i < 3; i++) {
    CHECK(us_json_next(&reader) == US_JSON_END);
    CHECK(us_json_position(&reader) == 5);
  }
  us_buffer_free(&out);
  free(copy);
}

/* The reader's own copy is asked for only where there was an escape. */
static void a_plain_string_is_a_part_of_the_text(void) {
  const char text[] = "[\"plain \xc3\xa9\",\"es\\caped\",\"es\\tcaped\"]";
  us_json_start(&reader, BYTES(text));
  CHECK(us_json_next(&reader) == US_JSON_ARRAY);
  CHECK(us_json_next(&reader) == US_JSON_STRING);
  CHECK(reader.text.data == text + 2);
  CHECK_TEXT(reader.text, "plain \xc3\xa9");
  CHECK(us_json_next(&reader) == US_JSON_INVALID);
  us_json_start(&reader, BYTES("\"es\\tcaped\\u0000\""));
  CHECK(us_json_next(&reader) == US_JSON_STRING);
  CHECK_TEXT(reader.text, "es\tcaped\0");
  CHECK(us_json_next(&reader) == US_JSON_END);
}

/* Dirty from one text, good as new for the next. */
static void a_reader_is_used_again(void) {
  int round;
  for (round = 0; round < 3; round++) {
    CHECK_OUTLINE("[[[{\"a\":[", "[ [ [ { Na [ ! ");
    CHECK_OUTLINE("[\"\\u0041\"]", "[ \"A ] $ ");
    CHECK_OUTLINE("[\"\\u0041\\q\"]", "[ ! ");
    CHECK_OUTLINE("{\"a\":{\"b\":1}}", "{ Na { Nb i1 } } $ ");
    CHECK_OUTLINE("[1e999]", "[ ! ");
    CHECK_OUTLINE("[]]", "[ ] ! ");
    CHECK_OUTLINE("1", "i1 $ ");
  }
  us_json_reader_free(&reader);
  us_json_reader_free(&reader);
  CHECK_OUTLINE("[\"\\n\"]", "[ \"\n ] $ ");
}

/* Ends at a page that must not be touched: a byte read past the end kills. */
static void nothing_past_the_end_is_read(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), length;
  FILE *file = tmpfile();
  char *pages, *end;
  if (file == NULL || ftruncate(fileno(file), (off_t)(2 * page)) != 0) abort();
  pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE,
               fileno(file), 0);
  if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE)) abort();
  end = pages + page;
  for (length = 0; length < sizeof rich - 1; length++) {
    us_buffer out = {0};
    memcpy(end - length, rich, length);
    us_json_start(&reader, test_bytes(end - length, length));
    CHECK(outline(&out) ==
          (length < sizeof rich - 3 ? US_JSON_INVALID : US_JSON_END));
    CHECK(us_json_position(&reader) <= length + 1);
    us_buffer_free(&out);
  }
  munmap(pages, 2 * page);
  fclose(file);
}

/* The same texts in memory of just their size, for the sanitizers. */
static void every_cut_is_invalid(void) {
  size_t length;
  for (length = 0; length < sizeof rich - 3; length++)
    CHECK(last_token(test_bytes(rich, length)) == US_JSON_INVALID);
  CHECK(last_token(BYTES(rich)) == US_JSON_END);
}

/* An escaped string needs memory for its copy: none is to be had beyond the
   ceiling, as when malloc refuses. */
static void no_memory_is_told(void) {
  const char *texts[] = {"[\"ab\\ncdefg\"]", "{\"ab\\ncdefg\":1}",
                         "\"\\ud83d\\ude00\\ud83d\\ude00\"",
                         "\"\\n\\n\\n\\n\\n"};
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++) {
    us_buffer out = {0};
    us_json_start(&reader, us_text(texts[i]));
    reader.unescaped.ceiling = 4;
    CHECK(outline(&out) == US_JSON_NO_MEMORY);
    us_buffer_free(&out);
    CHECK_OUTLINE("\"ab\\ncdefg\"", "\"ab\ncdefg $ "); /* memory is back */
  }
}

static void a_plain_text_needs_no_memory(void) {
  us_buffer out = {0};
  us_json_reader_free(&reader);
  us_json_start(&reader, BYTES("{\"a\":[\"b\xc3\xa9\",1.5,12345678901234567890"
                               "]}"));
  reader.unescaped.ceiling = 0;
  CHECK(outline(&out) == US_JSON_END);
  CHECK(reader.unescaped.data == NULL);
  us_buffer_free(&out);
}

int main(void) {
  tokens_come_in_order();
  tokens_come_up_to_the_problem();
  the_end_stays_the_end();
  a_plain_string_is_a_part_of_the_text();
  a_reader_is_used_again();
  nothing_past_the_end_is_read();
  every_cut_is_invalid();
  no_memory_is_told();
  a_plain_text_needs_no_memory();
  us_json_reader_free(&reader);
  return test_result();
}
