/* retry_after_fuzz.c: Retry-After from a server. Whatever it says, the wait is
   in [0, cap] or there is none; what RFC 9110 allows is read exactly. */
#include "core/retry.h"

#include <time.h>

#include "fuzz.h"

#define NONE (-1.0)

/* Like it, in seconds; NONE when it is none. */
static double clamped(double seconds) {
  if (seconds < 0) return 0;
  return seconds < US_RETRY_AFTER_CAP ? seconds : US_RETRY_AFTER_CAP;
}

static void any_text(fuzz_input *input) {
  double unix_time = fuzz_fraction(input) * 4e9;
  us_slice text = fuzz_rest(input);
  double wait = us_retry_after(text, unix_time);
  REQUIRE(wait == NONE || (wait >= 0 && wait <= US_RETRY_AFTER_CAP));
}

static void seconds(fuzz_input *input) {
  char text[32];
  long long number = fuzz_integer(input);
  if (number < 0) number = -(number + 1);
  snprintf(text, sizeof text, "%lld", number);
  REQUIRE(us_retry_after(us_text(text), 0) == clamped((double)number));
}

/* The three forms of RFC 9110 section 5.6.7, from 1970 to 2069. */
static void dates(fuzz_input *input) {
  static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
                                      "%A, %d-%b-%y %H:%M:%S GMT",
                                      "%a %b %e %H:%M:%S %Y"};
  time_t at = (time_t)(fuzz_fraction(input) * 3124224000.0);
  double unix_time = fuzz_fraction(input) * 3124224000.0;
  struct tm broken;
  char text[64];
  size_t i;
  REQUIRE(gmtime_r(&at, &broken) != NULL);
  if (fuzz_choose(input, 2)) unix_time = (double)at - fuzz_byte(input);
  for (i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    REQUIRE(strftime(text, sizeof text, forms[i], &broken) > 0);
    REQUIRE(us_retry_after(us_text(text), unix_time) ==
            clamped((double)at - unix_time));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  switch (fuzz_choose(&input, 3)) {
  case 0: any_text(&input); break;
  case 1: seconds(&input); break;
  default: dates(&input); break;
  }
  fuzz_end(&input);
  return 0;
}
