/* buffer_fuzz.c: any sequence of buffer calls against a plain model of what
   the buffer must hold. */
#include "fuzz.h"

#define LARGEST 70000

typedef struct {
  char data[LARGEST];
  size_t length;
  size_t ceiling;
  us_status status;
} model;

static void model_append(model *m, us_slice bytes) {
  if (m->status != US_OK || bytes.length == 0) return;
  if (m->length + bytes.length > m->ceiling) {
    m->status = US_TOO_LARGE;
    m->length = 0;
    return;
  }
  memcpy(m->data + m->length, bytes.data, bytes.length);
  m->length += bytes.length;
}

static void model_reset(model *m, size_t ceiling) {
  m->length = 0;
  m->ceiling = ceiling;
  m->status = US_OK;
}

static void append_integer(us_buffer *buffer, model *m, long long integer) {
  char digits[32];
  snprintf(digits, sizeof digits, "%lld", integer);
  us_buffer_append_integer(buffer, integer);
  model_append(m, us_text(digits));
}

static size_t ceiling(fuzz_input *input) {
  size_t chosen = fuzz_byte(input) * 256u + fuzz_byte(input);
  return chosen < LARGEST ? chosen : LARGEST;
}

static void append(us_buffer *buffer, model *m, fuzz_input *input) {
  us_slice bytes = fuzz_bytes(input);
  const char *text;
  char byte;
  switch (fuzz_choose(input, 4)) {
  case 0:
    us_buffer_append_slice(buffer, bytes);
    model_append(m, bytes);
    break;
  case 1:
    byte = (char)fuzz_byte(input);
    us_buffer_append_byte(buffer, byte);
    model_append(m, (us_slice){&byte, 1});
    break;
  case 2:
    text = fuzz_string(input);
    us_buffer_append_text(buffer, text);
    model_append(m, us_text(text));
    break;
  default: append_integer(buffer, m, fuzz_integer(input));
  }
}

static void set(us_buffer *buffer, model *m, fuzz_input *input) {
  us_slice value = fuzz_bytes(input);
  size_t size = ceiling(input);
  model_reset(m, size);
  model_append(m, value);
  REQUIRE(us_buffer_set(buffer, size, value) == m->status);
}

static void step(us_buffer *buffer, model *m, fuzz_input *input) {
  size_t size = 0;
  switch (fuzz_choose(input, 8)) {
  case 0:
    size = ceiling(input);
    us_buffer_truncate(buffer, size);
    if (size < m->length) m->length = size;
    break;
  case 1:
    size = ceiling(input);
    us_buffer_reset(buffer, size);
    model_reset(m, size);
    break;
  case 2: set(buffer, m, input); break;
  case 3:
    us_buffer_fail(buffer, US_INVALID);
    m->status = US_INVALID;
    m->length = 0;
    break;
  case 4:
    us_buffer_free(buffer);
    model_reset(m, 0);
    break;
  default: append(buffer, m, input);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static model m;
  fuzz_input input = fuzz_start(data, size);
  us_buffer buffer = {0};
  model_reset(&m, 0);
  while (input.left > 0) {
    us_slice held, expected;
    step(&buffer, &m, &input);
    held = us_buffer_slice(&buffer);
    expected = (us_slice){m.data, m.length};
    REQUIRE(buffer.status == m.status && buffer.ceiling == m.ceiling);
    REQUIRE(held.data != NULL && us_slice_equal(held, expected));
    REQUIRE(buffer.length <= buffer.capacity && held.length <= m.ceiling);
  }
  us_buffer_free(&buffer);
  REQUIRE(buffer.data == NULL && buffer.capacity == 0);
  fuzz_end(&input);
  return 0;
}
