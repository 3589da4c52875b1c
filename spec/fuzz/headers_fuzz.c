/* headers_fuzz.c: the list of header fields gives back what was put in, in
   order; names are tokens of RFC 9110, the same in any case. */
#include "core/headers.h"

#include "fuzz.h"
#include "wire_grammar.h"

#define FIELDS 32

static void is_a_token_or_not(us_slice name) {
  static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                              "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  bool valid = name.length > 0;
  size_t i;
  for (i = 0; i < name.length; i++)
    if (memchr(token, name.data[i], sizeof token - 1) == NULL) valid = false;
  REQUIRE(us_header_name_is_valid(name) == valid);
}

/* `text` with the case of some letters changed. */
static us_slice other_case(fuzz_input *input, us_slice text) {
  us_slice changed = fuzz_keep(input, text);
  char *bytes = (char *)(uintptr_t)changed.data;
  size_t i;
  for (i = 0; i < changed.length; i++) {
    char small = (char)(bytes[i] | 0x20);
    if (small >= 'a' && small <= 'z' && i % 2 == 0)
      bytes[i] = (char)(bytes[i] ^ 0x20);
  }
  return changed;
}

static void check_list(const us_buffer *list, const us_header *fields,
                       size_t count, fuzz_input *input) {
  us_header got;
  size_t i, at = 0;
  for (i = 0; i < count; i++) {
    REQUIRE(us_headers_next(list, &at, &got));
    REQUIRE(us_slice_equal(got.name, fields[i].name));
    REQUIRE(us_slice_equal(got.value, fields[i].value));
    REQUIRE(got.secret == fields[i].secret);
    REQUIRE(us_headers_has(list, other_case(input, fields[i].name)));
  }
  REQUIRE(!us_headers_next(list, &at, &got) && at == list->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  us_buffer list = {0};
  us_header fields[FIELDS];
  size_t count = 0;
  us_buffer_reset(&list, US_LIMIT_HEADERS);
  is_a_token_or_not(fuzz_bytes(&input));
  while (input.left > 0 && count < FIELDS) {
    us_header *field = &fields[count];
    const char *name = fuzz_string(&input);
    field->name = us_text(name);
    field->value = fuzz_bytes(&input);
    field->secret = fuzz_choose(&input, 2);
    is_a_token_or_not(field->name);
    if (!us_header_name_is_valid(field->name) || !wire_is_line(field->value))
      continue;
    us_headers_add(&list, name, field->value, field->secret);
    count++;
  }
  if (list.status == US_OK) check_list(&list, fields, count, &input);
  REQUIRE(list.length <= US_LIMIT_HEADERS);
  us_buffer_free(&list);
  fuzz_end(&input);
  return 0;
}
