/* fuzz.c: bytes into numbers, strings and blocks. No target's business. */
#include "fuzz.h"

#include <stdlib.h>

struct fuzz_block {
  struct fuzz_block *next;
  void *memory;
};

/* A length that stands for a pattern which is repeated, and the first of four
   sizes that stand for large ones. Both are bytes that mutations do not like:
   what is large is slow, and ceilings need not be met all the time. */
#define REPEATED 200
#define LARGE 236

void fuzz_fail(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
  abort();
}

fuzz_input fuzz_start(const uint8_t *data, size_t size) {
  fuzz_input input = {data, size, NULL};
  return input;
}

void fuzz_end(fuzz_input *input) {
  while (input->blocks != NULL) {
    struct fuzz_block *block = input->blocks;
    input->blocks = block->next;
    free(block->memory);
    free(block);
  }
}

void *fuzz_allocate(fuzz_input *input, size_t size) {
  struct fuzz_block *block = malloc(sizeof *block);
  void *memory = malloc(size);
  REQUIRE(block != NULL && (memory != NULL || size == 0));
  block->next = input->blocks;
  block->memory = memory;
  input->blocks = block;
  return memory;
}

us_slice fuzz_keep(fuzz_input *input, us_slice bytes) {
  char *copy = fuzz_allocate(input, bytes.length);
  us_slice kept = {copy, bytes.length};
  if (bytes.length > 0) memcpy(copy, bytes.data, bytes.length);
  return kept;
}

unsigned fuzz_byte(fuzz_input *input) {
  if (input->left == 0) return 0;
  input->left--;
  return *input->data++;
}

size_t fuzz_choose(fuzz_input *input, size_t count) {
  return count > 0 ? fuzz_byte(input) % count : 0;
}

static uint64_t eight_bytes(fuzz_input *input) {
  uint64_t value = 0;
  int i;
  for (i = 0; i < 8; i++)
    value = value << 8 | fuzz_byte(input);
  return value;
}

long long fuzz_integer(fuzz_input *input) {
  static const long long edges[] = {
      0,         -1,        100,       101,       INT32_MAX,
      INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 53, INT64_MIN + 1};
  unsigned kind = fuzz_byte(input);
  uint64_t bits;
  long long value;
  if (kind < 128) return (long long)kind - 16;
  if (kind < 192) return edges[kind % (sizeof edges / sizeof edges[0])];
  bits = eight_bytes(input);
  memcpy(&value, &bits, sizeof value);
  return value;
}

double fuzz_double(fuzz_input *input) {
  uint64_t bits = eight_bytes(input);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

double fuzz_fraction(fuzz_input *input) {
  return (double)(eight_bytes(input) >> 11) / US_EXACT_FLOAT;
}

static us_slice take(fuzz_input *input, size_t length) {
  us_slice taken = {(const char *)input->data, length};
  if (length > input->left) taken.length = input->left;
  input->data += taken.length;
  input->left -= taken.length;
  return taken;
}

static us_slice repeated(fuzz_input *input, us_slice pattern, size_t length) {
  char *text = fuzz_allocate(input, length);
  us_slice made = {text, length};
  size_t done = pattern.length < length ? pattern.length : length;
  if (pattern.length == 0) {
    memset(text, 'x', length);
    return made;
  }
  memcpy(text, pattern.data, done);
  while (done < length) { /* what is there is doubled */
    size_t more = done < length - done ? done : length - done;
    memcpy(text + done, text, more);
    done += more;
  }
  return made;
}

static size_t repeated_length(fuzz_input *input) {
  static const size_t large[] = {4097, 16400, 65535, 70000};
  unsigned size = fuzz_byte(input);
  return size < LARGE || size >= LARGE + 4 ? size * 4 : large[size - LARGE];
}

us_slice fuzz_bytes(fuzz_input *input) {
  unsigned length = fuzz_byte(input);
  size_t whole;
  if (length < REPEATED) return fuzz_keep(input, take(input, length));
  if (length > REPEATED)
    return fuzz_keep(input, take(input, length - REPEATED - 1));
  whole = repeated_length(input);
  return repeated(input, take(input, fuzz_choose(input, 8) + 1), whole);
}

const char *fuzz_string(fuzz_input *input) {
  us_slice bytes = fuzz_bytes(input);
  const char *end =
      bytes.length > 0 ? memchr(bytes.data, '\0', bytes.length) : NULL;
  size_t length = end != NULL ? (size_t)(end - bytes.data) : bytes.length;
  char *text = fuzz_allocate(input, length + 1);
  if (length > 0) memcpy(text, bytes.data, length);
  text[length] = '\0';
  return text;
}

us_slice fuzz_rest(fuzz_input *input) {
  return fuzz_keep(input, take(input, input->left));
}

bool fuzz_contains(us_slice where, us_slice text) {
  size_t i;
  if (text.length == 0) return true;
  for (i = 0; i + text.length <= where.length; i++) {
    const char *at = memchr(where.data + i, text.data[0],
                            where.length - text.length - i + 1);
    if (at == NULL) return false;
    i = (size_t)(at - where.data);
    if (memcmp(at, text.data, text.length) == 0) return true;
  }
  return false;
}
