/* response_fuzz.c: any answer to any method of any provider. What is judged a
   success is one, every error is whole and within its ceilings, and whether it
   is repeated follows the rules. */
#include <math.h>

#include "core/retry.h"

#include "document.h"
#include "world.h"

static bool is_blank(us_slice body) {
  size_t i;
  for (i = 0; i < body.length; i++)
    if (memchr(" \t\r\n", body.data[i], 4) == NULL) return false;
  return true;
}

static bool opens_object(us_slice body) {
  size_t i = 0;
  while (i < body.length && memchr(" \t\r\n", body.data[i], 4) != NULL)
    i++;
  return i < body.length && body.data[i] == '{';
}

static void check_success(const us_reply *reply, const us_provider *provider,
                          const us_method *method) {
  us_scalar verdict = {US_NOTHING, false, 0, {NULL, 0}};
  REQUIRE(!reply->failed && reply->status >= 200 && reply->status <= 299);
  if (is_blank(reply->body)) {
    REQUIRE(method->flags & US_EMPTY_OK);
    return;
  }
  REQUIRE(opens_object(reply->body) && reply->document != NULL);
  if (provider->envelope.verdict != NULL)
    verdict = reply->document->find(reply->document->context,
                                    provider->envelope.verdict);
  if (provider->envelope.refusal == US_WHEN_FALSE)
    REQUIRE(verdict.kind != US_SCALAR_TRUTH || verdict.truth);
  if (provider->envelope.refusal == US_UNLESS_ONE)
    REQUIRE(verdict.kind == US_NOTHING || verdict.kind == US_SCALAR_TEXT ||
            (verdict.kind == US_SCALAR_NUMBER && verdict.number == 1));
  if (provider->envelope.refusal == US_FROM_400 &&
      verdict.kind == US_SCALAR_NUMBER)
    REQUIRE(!(verdict.number >= 400));
}

static us_kind expected_kind(const us_reply *reply, const us_error *error) {
  if (reply->failed) return reply->kind;
  if (reply->status == 429) return US_KIND_RATE_LIMITED;
  if (reply->status == 503 && error->retry_after >= 0)
    return US_KIND_RATE_LIMITED;
  if (reply->status >= 400 && reply->status <= 599) return US_KIND_HTTP;
  if (reply->status >= 300 && reply->status <= 399) return US_KIND_REDIRECT;
  if (reply->status < 200 || reply->status > 599) return US_KIND_PROTOCOL;
  return opens_object(reply->body) && reply->document != NULL ? US_KIND_API
                                                              : US_KIND_DECODE;
}

static void check_error(const us_reply *reply, const us_error *error) {
  us_slice body = us_buffer_slice(&error->body);
  REQUIRE(error->kind == expected_kind(reply, error));
  REQUIRE(error->status == (reply->failed ? 0 : reply->status));
  REQUIRE(error->request_sent == (!reply->failed || reply->sent));
  REQUIRE(error->code.status == US_OK && error->message.status == US_OK &&
          error->body.status == US_OK);
  REQUIRE(error->code.length <= US_LIMIT_TEXT);
  REQUIRE(error->message.length <= US_LIMIT_TEXT);
  REQUIRE(body.length <= US_LIMIT_ERROR_BODY);
  REQUIRE(fuzz_contains(reply->body, body));
  REQUIRE(
      error->retry_after == -1 ||
      (error->retry_after >= 0 && error->retry_after <= US_RETRY_AFTER_CAP));
  REQUIRE(!reply->failed || error->retry_after == -1);
}

/* Without a place for a server's wish: what may be repeated at all. */
static void check_decision(const us_error *error, const us_method *method,
                           fuzz_input *input) {
  us_outcome outcome = {error->kind,
                        error->status,
                        error->request_sent,
                        error->retry_after,
                        (method->flags & US_IDEMPOTENT) != 0,
                        (int)fuzz_choose(input, 120) + 1,
                        (int)fuzz_choose(input, 101),
                        fuzz_fraction(input) * 200 - 50,
                        (int)fuzz_choose(input, 101),
                        fuzz_fraction(input)};
  us_decision decision = us_retry_decide(&outcome);
  REQUIRE(!decision.retry || decision.retryable);
  if (decision.retryable && outcome.kind != US_KIND_RATE_LIMITED)
    REQUIRE(outcome.idempotent || !outcome.sent);
  if (decision.retry) {
    REQUIRE(outcome.attempt <= outcome.retries);
    REQUIRE(outcome.budget >= US_BUDGET_RETRY);
    REQUIRE(decision.wait >= 0 && decision.wait < outcome.remaining);
    REQUIRE(decision.wait <= US_BACKOFF_CAP ||
            decision.wait == outcome.retry_after);
    REQUIRE(decision.wait >= outcome.retry_after);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  document answer = {&input, 0, {NULL}, {{0}}};
  us_document found = {document_find, &answer};
  const us_provider *provider = world_provider(&input);
  const us_method *method =
      &provider->methods[fuzz_choose(&input, provider->method_count)];
  double unix_time = fuzz_fraction(&input) * 4e9;
  us_error error = {0};
  int i;
  for (i = 0; i < 2; i++) { /* an error is used again for the next attempt */
    us_reply reply = document_reply(&input, &found);
    answer.count = 0;
    if (us_response_judge(&reply, provider, method, unix_time, &error)) {
      check_success(&reply, provider, method);
    } else {
      check_error(&reply, &error);
      check_decision(&error, method, &input);
    }
  }
  us_error_free(&error);
  fuzz_end(&input);
  return 0;
}
