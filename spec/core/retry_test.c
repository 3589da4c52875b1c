/* retry_test.c: the retry decision row by row, and Retry-After. */
#include "core/retry.h"

#include "test.h"

#define NOW 1700000000.0 /* Tue, 14 Nov 2023 22:13:20 GMT */

static us_outcome outcome(us_kind kind, int status, bool sent) {
  us_outcome made = {US_KIND_HTTP, 0, true, -1, true, 1, 2, 120, 100, 0.5};
  made.kind = kind;
  made.status = status;
  made.sent = sent;
  return made;
}

static void who_is_repeated(void) {
  static const struct {
    us_kind kind;
    int status;
    bool sent, idempotent, other;
  } rows[] = {
      {US_KIND_NETWORK, 0, false, true, true},
      {US_KIND_NETWORK, 0, true, true, false},
      {US_KIND_TIMEOUT, 0, false, true, true},
      {US_KIND_TIMEOUT, 0, true, true, false},
      {US_KIND_RATE_LIMITED, 429, true, true, true},
      {US_KIND_RATE_LIMITED, 503, true, true, true},
      {US_KIND_HTTP, 500, true, true, false},
      {US_KIND_HTTP, 502, true, true, false},
      {US_KIND_HTTP, 503, true, true, false},
      {US_KIND_HTTP, 504, true, true, false},
      {US_KIND_HTTP, 400, true, false, false},
      {US_KIND_HTTP, 401, true, false, false},
      {US_KIND_HTTP, 408, true, false, false},
      {US_KIND_HTTP, 501, true, false, false},
      {US_KIND_TLS, 0, false, false, false},
      {US_KIND_API, 200, true, false, false},
      {US_KIND_REDIRECT, 302, true, false, false},
      {US_KIND_DECODE, 200, true, false, false},
      {US_KIND_PROTOCOL, 0, true, false, false},
      {US_KIND_TOO_LARGE, 0, true, false, false},
      {US_KIND_MEMORY, 0, false, false, false},
      {US_KIND_CANCELLED, 0, false, false, false},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    us_outcome what = outcome(rows[i].kind, rows[i].status, rows[i].sent);
    us_decision decision = us_retry_decide(&what);
    CHECK(decision.retryable == rows[i].idempotent);
    CHECK(decision.retry == rows[i].idempotent);
    what.idempotent = false;
    decision = us_retry_decide(&what);
    CHECK(decision.retryable == rows[i].other);
    CHECK(decision.retry == rows[i].other);
  }
}

static void the_backoff_doubles_up_to_its_cap(void) {
  static const double ceilings[] = {0.25, 0.5, 1, 2, 4, 8, 8, 8};
  us_outcome what = outcome(US_KIND_HTTP, 503, true);
  size_t i;
  what.retries = 1000000;
  for (i = 0; i < sizeof ceilings / sizeof ceilings[0]; i++) {
    what.attempt = (int)i + 1;
    what.random = 0;
    CHECK(us_retry_decide(&what).wait == 0);
    what.random = 0.999;
    CHECK(us_retry_decide(&what).wait == ceilings[i] * 0.999);
  }
  what.attempt = 1000000;
  CHECK(us_retry_decide(&what).wait == 8 * 0.999);
}

static void limits_hold(void) {
  us_outcome what = outcome(US_KIND_HTTP, 503, true);
  what.attempt = 3;
  CHECK(!us_retry_decide(&what).retry);
  CHECK(us_retry_decide(&what).retryable);
  what.attempt = 2;
  CHECK(us_retry_decide(&what).retry);
  what.remaining = 0.25;
  CHECK(!us_retry_decide(&what).retry);
  what.remaining = 0.2500001;
  CHECK(us_retry_decide(&what).retry);
  what.budget = US_BUDGET_RETRY - 1;
  CHECK(!us_retry_decide(&what).retry);
  what.budget = US_BUDGET_RETRY;
  CHECK(us_retry_decide(&what).retry);
}

static void retry_after_is_obeyed(void) {
  us_outcome what = outcome(US_KIND_RATE_LIMITED, 429, true);
  what.retry_after = 7;
  CHECK(us_retry_decide(&what).wait == 7);
  CHECK(us_retry_decide(&what).retry);
  what.retry_after = 120;
  CHECK(!us_retry_decide(&what).retry);
  what.retry_after = 0;
  CHECK(us_retry_decide(&what).wait == 0.125);
}

static void retry_after_is_read(void) {
  static const struct {
    const char *value;
    double seconds;
  } rows[] = {
      {"7", 7},
      {"0", 0},
      {"1.5", 1.5},
      {" 7 ", 7},
      {"99999999999999999999", US_RETRY_AFTER_CAP},
      {"Tue, 14 Nov 2023 22:13:50 GMT", 30},
      {"Tuesday, 14-Nov-23 22:13:50 GMT", 30},
      {"Tue Nov 14 22:13:50 2023", 30},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      {"Fri, 31 Dec 9999 23:59:59 GMT", US_RETRY_AFTER_CAP},
      {"-5", -1},
      {"+5", -1},
      {"soon", -1},
      {"", -1},
      {"0x10", -1},
      {"1e3", -1},
      {"5, 7", -1},
      {".", -1},
      {"Tue, 14 Foo 2023 22:13:50 GMT", -1},
      {"Tue, 14 Nov 2023 25:13:50 GMT", -1},
      {"Tue, 99 Nov 2023 22:13:50 GMT", -1},
      {",", -1},
      {"Tue, 14 Nov", -1},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (us_retry_after(us_text(rows[i].value), NOW) != rows[i].seconds)
      test_fail(__FILE__, __LINE__, rows[i].value);
}

int main(void) {
  who_is_repeated();
  the_backoff_doubles_up_to_its_cap();
  limits_hold();
  retry_after_is_obeyed();
  retry_after_is_read();
  return test_result();
}
