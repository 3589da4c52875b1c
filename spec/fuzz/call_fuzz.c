/* call_fuzz.c: whole calls against a server that answers anything. However it
   goes, a call ends, sends nothing twice that must go once, keeps to its
   deadline and its budget, and shows no secret. */
#include "core/call.h"

#include <math.h>

#include "core/retry.h"

#include "document.h"
#include "spelling.h"
#include "world.h"

/* Far more than any call may take: each attempt, each token, each wait. */
#define STEPS 2000

typedef struct {
  world *made;
  fuzz_input *input;
  us_call call;
  us_moment now;
  int sent;         /* attempts of the method itself */
  bool maybe_acted; /* one of them may have been acted on */
} run;

static bool is_idempotent(const run *r) {
  return (r->made->method->flags & US_IDEMPOTENT) != 0;
}

static void pass_time(run *r, double seconds) {
  r->now.monotonic += seconds;
  r->now.unix_time += seconds;
  r->now.random = fuzz_fraction(r->input);
}

static void check_send(run *r) {
  const us_call *call = &r->call;
  REQUIRE(call->attempt_timeout > 0 &&
          call->attempt_timeout <= call->limits.timeout);
  REQUIRE(r->now.monotonic + call->attempt_timeout <=
          call->started + call->limits.deadline + 1e-3);
  REQUIRE(us_call_request(call)->url.length > 0);
  if (us_call_current(call) != r->made->method) return;
  r->sent++;
  REQUIRE(r->sent == call->attempts);
  REQUIRE(is_idempotent(r) || !r->maybe_acted);
  /* one more where a refused token is replaced */
  REQUIRE(r->sent <= 2 * (call->limits.retries + 1));
}

static void check_sleep(const run *r) {
  const us_call *call = &r->call;
  REQUIRE(call->wait >= 0 && isfinite(call->wait));
  if (call->retrying)
    REQUIRE(r->now.monotonic - call->started + call->wait <
            call->limits.deadline);
}

/* Our own words hold no digit, and the mask no more than stars: what has a
   digit and no star was not there by chance. */
static bool is_telling(const us_value *value) {
  static const char digits[] = "0123456789";
  size_t i, count = 0;
  if (value->kind != US_TEXT || value->text.length < 4) return false;
  for (i = 0; i < value->text.length; i++) {
    if (value->text.data[i] == '*') return false;
    if (memchr(digits, value->text.data[i], 10) != NULL) count++;
  }
  return count > 0;
}

static void check_secrets(const us_error *error, const us_parameter *rows,
                          const us_value *values, size_t count) {
  const us_buffer *quoted[] = {&error->code, &error->message, &error->body};
  size_t i, k;
  for (i = 0; i < count; i++)
    for (k = 0; k < 3 && (rows[i].flags & US_SECRET); k++)
      REQUIRE(!is_telling(&values[i]) ||
              !spelling_occurs(us_buffer_slice(quoted[k]), values[i].text));
}

static void check_fail(const run *r) {
  const world *made = r->made;
  const us_error *error = &r->call.error;
  REQUIRE(!r->maybe_acted || error->request_sent);
  REQUIRE(error->code.status == US_OK && error->message.status == US_OK &&
          error->body.status == US_OK);
  REQUIRE(error->code.length <= US_LIMIT_TEXT &&
          error->message.length <= US_LIMIT_TEXT &&
          error->body.length <= US_LIMIT_ERROR_BODY);
  check_secrets(error, made->provider->options, made->options,
                made->provider->option_count);
  check_secrets(error, made->method->parameters, made->arguments,
                made->method->count);
}

/* A body in which the server says the client's secrets back. */
static us_slice echo(run *r, us_slice body) {
  us_buffer text = {0};
  us_slice kept;
  const us_provider *provider = r->made->provider;
  size_t i = fuzz_choose(r->input, provider->option_count);
  us_buffer_reset(&text, US_LIMIT_BODY);
  us_buffer_append_slice(&text, fuzz_bytes(r->input));
  if (r->made->options[i].kind == US_TEXT &&
      r->made->options[i].text.length < US_LIMIT_ERROR_BODY)
    spelling_append(&text, r->made->options[i].text, r->input);
  us_buffer_append_slice(&text, body);
  kept = fuzz_keep(r->input, us_buffer_slice(&text));
  us_buffer_free(&text);
  return kept;
}

static us_action answer(run *r) {
  document fields = {r->input, 0, {NULL}, {{0}}};
  us_document found = {document_find, &fields};
  us_reply reply = document_reply(r->input, &found);
  bool own = us_call_current(&r->call) == r->made->method;
  us_action action;
  if (fuzz_choose(r->input, 2)) reply.body = echo(r, reply.body);
  pass_time(r, fuzz_fraction(r->input) * r->call.attempt_timeout);
  REQUIRE(us_call_next(&r->call, &reply, r->now, &action) == US_OK);
  /* an answer of 401 or 403 has refused the request before acting on it */
  if (own && (reply.failed ? reply.sent : reply.status >= 500) &&
      !(reply.status == 503 && r->call.error.kind == US_KIND_RATE_LIMITED) &&
      !(reply.failed && reply.kind == US_KIND_RATE_LIMITED))
    r->maybe_acted = true;
  return action;
}

static us_action sleep_on(run *r) {
  us_action action;
  check_sleep(r);
  pass_time(r, r->call.wait);
  REQUIRE(us_call_next(&r->call, NULL, r->now, &action) == US_OK);
  return action;
}

/* The host may hold the request back, or give up. */
static us_action send(run *r) {
  us_action action = US_FAIL;
  unsigned whim = fuzz_byte(r->input);
  check_send(r);
  if (whim == 255) {
    r->maybe_acted |= us_call_current(&r->call) == r->made->method;
    us_call_abort(&r->call, US_KIND_CANCELLED, fuzz_bytes(r->input));
    return action;
  }
  if (whim >= 240) {
    if (us_call_current(&r->call) == r->made->method) r->sent--;
    REQUIRE(us_call_defer(&r->call, fuzz_fraction(r->input) * 100, r->now,
                          &action) == US_OK);
    return action;
  }
  if (whim == 239) us_client_close(&r->made->client);
  return answer(r);
}

static void drive(run *r) {
  us_action action;
  int steps = 0;
  REQUIRE(us_call_next(&r->call, NULL, r->now, &action) == US_OK);
  while (action == US_SEND || action == US_SLEEP) {
    REQUIRE(++steps < STEPS);
    action = action == US_SEND ? send(r) : sleep_on(r);
  }
  if (action == US_FAIL) check_fail(r);
  REQUIRE(us_call_next(&r->call, NULL, r->now, &action) == US_INVALID);
  REQUIRE(r->made->client.token_fetcher != &r->call);
}

static void call_once(world *made, fuzz_input *input) {
  run r = {made, input, {0}, {0, 0, 0}, 0, false};
  us_limits limits = {30, 5, 120, 2, 8 << 20};
  limits.retries = (long long)fuzz_choose(input, 101);
  limits.deadline = 1 + fuzz_fraction(input) * 300;
  world_call(made, input);
  pass_time(&r, fuzz_fraction(input) * 4e9);
  if (!world_check(made)) return;
  if (us_call_begin(&r.call, &made->client, made->method, made->arguments,
                    world_overrides(made), &limits, r.now) == US_OK)
    drive(&r);
  us_call_free(&r.call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  world made;
  if (world_open(&made, &input)) {
    call_once(&made, &input);
    if (made.client.provider != NULL) call_once(&made, &input);
  }
  world_close(&made);
  fuzz_end(&input);
  return 0;
}
