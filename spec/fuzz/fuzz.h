/* fuzz.h: the words that the fuzz targets are written in. A target turns bytes
   into calls of the core and checks what must hold for any bytes; it knows
   neither libFuzzer nor files. What it reads it gets in heap blocks of the
   exact size, so that a byte read beyond one is seen. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/buffer.h"

/* Ends the process: what is broken for one input is a finding. */
#define REQUIRE(condition)                                                     \
  ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

/* The entry point of every target; libFuzzer and replay.c call it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_block;

/* The bytes of one run, taken from the front; after the last come zeros. */
typedef struct {
  const uint8_t *data;
  size_t left;
  struct fuzz_block *blocks; /* what fuzz_keep made */
} fuzz_input;

void fuzz_fail(const char *file, int line, const char *what)
    __attribute__((noreturn));

fuzz_input fuzz_start(const uint8_t *data, size_t size);
/* Frees every block of the run. */
void fuzz_end(fuzz_input *input);

unsigned fuzz_byte(fuzz_input *input);
/* One of 0 to count - 1. */
size_t fuzz_choose(fuzz_input *input, size_t count);
/* Small ones, the edges of the type, or eight bytes as they come. */
long long fuzz_integer(fuzz_input *input);
/* Any double, infinities and NaN among them. */
double fuzz_double(fuzz_input *input);
/* In [0, 1). */
double fuzz_fraction(fuzz_input *input);

/* Up to 199 bytes, or a short pattern repeated to up to 70000. */
us_slice fuzz_bytes(fuzz_input *input);
/* The same without NUL, and with one behind it. */
const char *fuzz_string(fuzz_input *input);
us_slice fuzz_rest(fuzz_input *input);

/* A copy in a block of its own. */
us_slice fuzz_keep(fuzz_input *input, us_slice bytes);
void *fuzz_allocate(fuzz_input *input, size_t size);

/* True when `text` occurs in `where`. */
bool fuzz_contains(us_slice where, us_slice text);

#endif
