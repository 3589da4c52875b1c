/* call.c: the state machine of a call: token, attempts, retries, deadline.
   Everything that is decided while a call runs is decided here. */
#include "core/call.h"

#include <string.h>

#include "core/redact.h"
#include "core/retry.h"

/* Seconds between looks at a token that another call is fetching: one token
   serves all, and a provider may let a new one void the last. */
#define TOKEN_POLL 0.02

/* Seconds for which a 403 that survived a new token is believed. */
#define RENEWAL_PAUSE 60

/* Secret arguments are kept to be masked, should the server echo them. */
static void keep_secrets(us_call *call, const us_value *values) {
  size_t i;
  us_buffer_reset(&call->secrets, US_LIMIT_BODY);
  for (i = 0; i < call->method->count; i++) {
    if (!(call->method->parameters[i].flags & US_SECRET)) continue;
    if (values[i].kind == US_TEXT)
      us_secrets_add(&call->secrets, values[i].text);
    if (values[i].kind == US_JSON)
      us_secrets_add_json(&call->secrets, values[i].text);
  }
}

us_status us_call_begin(us_call *call, us_client *client,
                        const us_method *method, const us_value *values,
                        const us_value *overrides, const us_limits *limits,
                        us_moment now) {
  const us_provider *provider = client->provider;
  call->client = client;
  call->provider = provider;
  call->method = method;
  call->state = US_CALL_READY;
  call->limits = *limits;
  call->started = now.monotonic;
  if (provider->token_method != NULL)
    call->token_method =
        us_method_find(provider, us_text(provider->token_method));
  keep_secrets(call, values);
  if (call->secrets.status != US_OK) return call->secrets.status;
  return us_request_build(&call->request, client, method, values, overrides,
                          now.random);
}

bool us_call_may_fetch(const us_call *call) {
  const us_client *client = call->client;
  return call->token_method != NULL && call->method != call->token_method &&
         (client->token_managed ||
          us_client_option(client, client->provider->token_option).length == 0);
}

const us_method *us_call_current(const us_call *call) {
  return call->fetching_token ? call->token_method : call->method;
}

const us_request *us_call_request(const us_call *call) {
  return call->fetching_token ? &call->token_request : &call->request;
}

static double remaining(const us_call *call, us_moment now) {
  return call->limits.deadline - (now.monotonic - call->started);
}

/* What the failed attempt carried, which the client may hold no more. */
static void add_carried(const us_call *call, us_buffer *secrets) {
  static const char bearer[] = "Bearer ";
  const us_buffer *headers = &us_call_request(call)->headers;
  us_header header;
  size_t at = 0;
  while (us_headers_next(headers, &at, &header)) {
    us_slice token = header.value;
    if (!header.secret) continue;
    us_secrets_add(secrets, header.value);
    if (token.length < sizeof bearer ||
        memcmp(token.data, bearer, sizeof bearer - 1) != 0)
      continue;
    token.data += sizeof bearer - 1;
    token.length -= sizeof bearer - 1;
    us_secrets_add(secrets, token);
  }
}

/* What cannot be masked for want of memory is not shown at all. */
static void redact_error(us_call *call) {
  us_buffer *quoted[] = {&call->error.code, &call->error.message,
                         &call->error.body};
  us_buffer secrets = {0};
  size_t i;
  us_buffer_reset(&secrets, US_LIMIT_BODY);
  us_client_add_secrets(call->client, &secrets);
  add_carried(call, &secrets);
  us_buffer_append_slice(&secrets, us_buffer_slice(&call->secrets));
  for (i = 0; i < sizeof quoted / sizeof quoted[0]; i++) {
    if (secrets.status == US_OK)
      us_redact(quoted[i], &secrets);
    else
      us_buffer_fail(quoted[i], secrets.status);
  }
  us_buffer_free(&secrets);
}

/* Lets another call fetch the token, if this one was to. */
static void stop_fetching(us_call *call) {
  if (call->client != NULL && call->client->token_fetcher == call)
    call->client->token_fetcher = NULL;
}

static us_action fail(us_call *call) {
  stop_fetching(call);
  call->state = US_CALL_OVER;
  return US_FAIL;
}

/* A failure of ours, before or instead of an attempt. */
static us_action fail_with(us_call *call, us_kind kind, const char *message) {
  us_error_reset(&call->error, kind);
  call->error.request_sent = call->maybe_acted;
  us_error_say(&call->error, us_text(message));
  return fail(call);
}

static us_action fail_with_status(us_call *call, us_status status) {
  switch (status) {
  case US_NO_MEMORY:
    return fail_with(call, US_KIND_MEMORY, "not enough memory");
  case US_TOO_LARGE:
    return fail_with(call, US_KIND_TOO_LARGE, "the request is too large");
  default:
    return fail_with(call, US_KIND_PROTOCOL, "the request could not be signed");
  }
}

/* A token this call has just fetched is used even if our clock calls it
   expired: the server's clock decides, and a loop would not. */
static bool needs_token(const us_call *call, us_moment now) {
  const us_client *client = call->client;
  if (call->token_method == NULL || call->fetching_token ||
      call->method == call->token_method)
    return false;
  if (call->fetched)
    return us_client_option(client, client->provider->token_option).length == 0;
  return us_client_needs_token(client, now.unix_time);
}

static us_action wait_for(us_call *call, double seconds, bool retrying) {
  call->wait = seconds;
  if (call->client->token_fetcher == call)
    call->client->token_fetch_ends += seconds;
  call->retrying = retrying;
  call->state = US_CALL_READY;
  return US_SLEEP;
}

static us_status prepare_token(us_call *call) {
  call->client->token_fetcher = call;
  call->fetching_token = true;
  call->tries = 0;
  return us_request_build(&call->token_request, call->client,
                          call->token_method, NULL, NULL, 0);
}

/* The next attempt: of the token method while a token is needed. */
static us_action send(us_call *call, us_moment now) {
  us_client *client = call->client;
  double left = remaining(call, now);
  us_status status = US_OK;
  if (left <= 0)
    return fail_with(call, US_KIND_TIMEOUT,
                     "the deadline passed before the request was sent");
  if (needs_token(call, now)) {
    if (client->token_fetcher != NULL &&
        now.monotonic < client->token_fetch_ends)
      return wait_for(call, TOKEN_POLL, false);
    status = prepare_token(call);
  }
  if (status == US_OK)
    status = us_request_authorize(call->fetching_token ? &call->token_request
                                                       : &call->request,
                                  client, us_call_current(call), now.unix_time);
  if (status != US_OK) return fail_with_status(call, status);
  call->tries++;
  if (!call->fetching_token) {
    call->attempts++;
    call->token_serial = client->token_serial;
  }
  call->attempt_timeout =
      call->limits.timeout < left ? call->limits.timeout : left;
  if (client->token_fetcher == call)
    client->token_fetch_ends = now.monotonic + call->attempt_timeout + 1;
  call->state = US_CALL_SENT;
  return US_SEND;
}

/* Keeps what the row says is to be kept of a success. */
static us_status capture(us_call *call, const us_method *method,
                         const us_reply *reply) {
  const us_capture *row = method->captures;
  us_client *client = call->client;
  const char *token = client->provider->token_option;
  us_status status = US_OK;
  if (row == NULL || reply->document == NULL) return US_OK;
  if ((method->flags & US_CAPTURE_ONCE) &&
      us_client_option(client, row->option).length > 0)
    return US_OK;
  for (; row->path != NULL && status == US_OK; row++) {
    us_scalar field =
        reply->document->find(reply->document->context, row->path);
    if (field.kind != US_SCALAR_TEXT || field.text.length == 0) continue;
    if (token != NULL && strcmp(row->option, token) == 0)
      status = us_client_take_token(client, field.text);
    else
      status = us_client_set(client, row->option, field.text);
  }
  return status;
}

static us_action succeed(us_call *call, const us_reply *reply, us_moment now) {
  us_client *client = call->client;
  us_status status = capture(call, us_call_current(call), reply);
  client->budget += US_BUDGET_SUCCESS;
  if (client->budget > US_BUDGET_FULL) client->budget = US_BUDGET_FULL;
  if (status == US_NO_MEMORY) {
    call->maybe_acted = call->maybe_acted || !call->fetching_token;
    return fail_with_status(call, status);
  }
  if (call->fetching_token) {
    if (status == US_OK &&
        us_client_option(client, client->provider->token_option).length > 0) {
      stop_fetching(call);
      call->fetching_token = false;
      call->fetched = true;
      call->tries = 0;
      return send(call, now);
    }
    return fail_with(call, US_KIND_DECODE,
                     "the answer to the token request holds no usable token");
  }
  call->state = US_CALL_OVER;
  return US_DONE;
}

/* A token that was refused is replaced, once a call. Where a new token changed
   nothing, a 403 speaks of the call and not of the token: for a while no other
   call tries again. */
static bool may_renew(us_call *call, us_moment now) {
  const us_error *error = &call->error;
  us_client *client = call->client;
  if (call->fetching_token || call->token_method == NULL ||
      call->method == call->token_method || error->kind != US_KIND_HTTP)
    return false;
  if (error->status != 401 && error->status != 403) return false;
  if (call->renewed) {
    client->vain_until = now.monotonic + RENEWAL_PAUSE;
    return false;
  }
  if (error->status == 403 && now.monotonic < client->vain_until) return false;
  call->renewed = us_client_drop_token(client, call->token_serial);
  return call->renewed;
}

static us_decision decide(const us_call *call, us_moment now) {
  us_outcome outcome;
  outcome.kind = call->error.kind;
  outcome.status = call->error.status;
  outcome.sent = call->error.request_sent;
  outcome.retry_after = call->error.retry_after;
  outcome.idempotent = (us_call_current(call)->flags & US_IDEMPOTENT) != 0;
  outcome.attempt = call->tries;
  outcome.retries = (int)call->limits.retries;
  outcome.remaining = remaining(call, now);
  outcome.budget = call->client->budget;
  outcome.random = now.random;
  return us_retry_decide(&outcome);
}

/* "issue_token: <message>", cut where an error's message is. */
static void name_token_method(us_call *call) {
  us_buffer *message = &call->error.message;
  us_buffer words = *message;
  us_slice rest;
  memset(message, 0, sizeof *message);
  us_error_say(&call->error, us_text(call->token_method->name));
  us_buffer_append_text(message, ": ");
  rest = us_buffer_slice(&words);
  if (rest.length > US_LIMIT_TEXT - message->length)
    rest.length = US_LIMIT_TEXT - message->length;
  us_buffer_append_slice(message, rest);
  if (words.status != US_OK) us_buffer_fail(message, words.status);
  us_buffer_free(&words);
}

/* While a token is asked for nothing of the method itself is sent. */
static void settle_sent(us_call *call) {
  us_error *error = &call->error;
  if (call->fetching_token) {
    name_token_method(call);
    error->request_sent = call->maybe_acted;
  } else if (error->request_sent && error->kind != US_KIND_RATE_LIMITED) {
    call->maybe_acted = true;
  }
  if (call->maybe_acted) error->request_sent = true;
}

static us_action stumble(us_call *call, us_moment now) {
  us_decision decision;
  redact_error(call);
  if (may_renew(call, now)) {
    call->tries = 0;
    return send(call, now);
  }
  decision = decide(call, now);
  call->error.retryable = decision.retryable;
  settle_sent(call);
  if (!decision.retry) return fail(call);
  call->client->budget -= US_BUDGET_RETRY;
  return wait_for(call, decision.wait, true);
}

/* The client was closed under the call. An answer that is a success is still
   the result; of any other nothing is quoted, for the secrets to mask in it
   are gone. */
static us_action conclude_closed(us_call *call, const us_reply *reply,
                                 double unix_time) {
  bool own = reply != NULL && !call->fetching_token;
  if (own && us_response_judge(reply, call->provider, call->method, unix_time,
                               &call->error)) {
    call->state = US_CALL_OVER;
    return US_DONE;
  }
  if (own && call->error.request_sent) call->maybe_acted = true;
  return fail_with(call, US_KIND_CANCELLED,
                   "the client was closed during the call");
}

/* What was sent is not needed any more, and may hold credentials. */
static void forget(us_call *call) {
  us_request_free(&call->request);
  us_request_free(&call->token_request);
  us_buffer_free(&call->secrets);
}

us_status us_call_next(us_call *call, const us_reply *reply, us_moment now,
                       us_action *action) {
  bool expected = call->state == US_CALL_SENT;
  if (call->state == US_CALL_OVER || expected != (reply != NULL))
    return US_INVALID;
  if (call->client->provider == NULL)
    *action = conclude_closed(call, reply, now.unix_time);
  else if (reply == NULL)
    *action = send(call, now);
  else if (us_response_judge(reply, call->client->provider,
                             us_call_current(call), now.unix_time,
                             &call->error))
    *action = succeed(call, reply, now);
  else
    *action = stumble(call, now);
  if (call->state == US_CALL_OVER) forget(call);
  return US_OK;
}

us_status us_call_defer(us_call *call, double wait, us_moment now,
                        us_action *action) {
  if (call->state != US_CALL_SENT) return US_INVALID;
  call->tries--;
  if (!call->fetching_token) call->attempts--;
  if (wait < remaining(call, now))
    *action = wait_for(call, wait, false);
  else
    *action = fail_with(call, US_KIND_TIMEOUT,
                        "the rate limit holds the request back beyond the "
                        "deadline");
  if (call->state == US_CALL_OVER) forget(call);
  return US_OK;
}

us_status us_call_preview(us_call *call, us_moment now) {
  return us_request_authorize(&call->request, call->client, call->method,
                              now.unix_time);
}

void us_call_abort(us_call *call, us_kind kind, us_slice message) {
  bool awaited = call->state == US_CALL_SENT && !call->fetching_token;
  if (awaited) call->maybe_acted = true;
  (void)fail_with(call, kind, "");
  us_error_say(&call->error, message);
  if (call->client->provider != NULL) redact_error(call);
  forget(call);
}

void us_call_free(us_call *call) {
  stop_fetching(call);
  forget(call);
  us_error_free(&call->error);
  call->state = US_CALL_OVER;
}
