/* test.h: the words that the C tests are written in. A test is a function of
   checks; a program runs its tests and exits 0 when every check held. */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"

static int test_failures;

/* Fails the test, and goes on: later checks tell more. */
#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) test_fail(__FILE__, __LINE__, #condition);               \
  } while (0)

/* Compares bytes with those of a string literal, which may hold NUL. */
#define CHECK_TEXT(slice, literal)                                             \
  test_text(__FILE__, __LINE__, (slice), (literal), sizeof(literal) - 1)

#define CHECK_BUFFER(buffer, literal)                                          \
  CHECK_TEXT(us_buffer_slice(&(buffer)), literal)

/* A literal's bytes, NUL included. */
#define BYTES(literal) test_bytes((literal), sizeof(literal) - 1)

static inline void test_fail(const char *file, int line, const char *what) {
  test_failures++;
  fprintf(stderr, "%s:%d: %s\n", file, line, what);
}

static inline void test_text(const char *file, int line, us_slice actual,
                             const char *expected, size_t length) {
  if (actual.length == length &&
      (length == 0 || memcmp(actual.data, expected, length) == 0))
    return;
  test_fail(file, line, "other bytes:");
  fprintf(stderr, "  expected %zu: %.*s\n", length, (int)length, expected);
  fprintf(stderr, "  actual   %zu: %.*s\n", actual.length, (int)actual.length,
          actual.length ? actual.data : "");
}

static inline us_slice test_bytes(const char *data, size_t length) {
  us_slice slice = {data, length};
  return slice;
}

static inline int test_result(void) {
  return test_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
