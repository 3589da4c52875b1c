/* response.c: success or failure of one answer. Whether a failure is repeated
   is retry.c's business. */
#include "core/response.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/retry.h"

static const char *reason(int status) {
  static const struct {
    int status;
    const char *phrase;
  } reasons[] = {
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
  };
  size_t i;
  for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
    if (reasons[i].status == status) return reasons[i].phrase;
  return "the server refused the request";
}

static us_slice skip_space(us_slice body) {
  while (body.length && memchr(" \t\r\n", body.data[0], 4)) {
    body.data++;
    body.length--;
  }
  return body;
}

bool us_response_is_empty(us_slice body) {
  return skip_space(body).length == 0;
}

static us_scalar find(const us_reply *reply, const char *path) {
  us_scalar nothing = {US_NOTHING, false, 0, {NULL, 0}};
  if (reply->document == NULL || path == NULL) return nothing;
  return reply->document->find(reply->document->context, path);
}

/* True when the field is a number, or digits in a string. */
static bool as_number(us_scalar field, double *number) {
  size_t i;
  *number = field.number;
  if (field.kind == US_SCALAR_NUMBER) return true;
  if (field.kind != US_SCALAR_TEXT || field.text.length == 0) return false;
  *number = 0;
  for (i = 0; i < field.text.length; i++) {
    char digit = field.text.data[i];
    if (digit < '0' || digit > '9') return false;
    *number = *number * 10 + (digit - '0');
  }
  return true;
}

static bool is_refusal(const us_envelope *envelope, const us_reply *reply) {
  us_scalar verdict = find(reply, envelope->verdict);
  double number;
  switch (envelope->refusal) {
  case US_NEVER: return false;
  case US_WHEN_FALSE: return verdict.kind == US_SCALAR_TRUTH && !verdict.truth;
  case US_UNLESS_ONE:
    if (verdict.kind == US_NOTHING) return false;
    return !as_number(verdict, &number) || number != 1;
  case US_FROM_400: return as_number(verdict, &number) && number >= 400;
  }
  return false;
}

static void take_code(us_error *error, us_scalar code) {
  char digits[32];
  if (code.kind == US_SCALAR_TEXT) {
    if (code.text.length > US_LIMIT_TEXT) code.text.length = US_LIMIT_TEXT;
    us_buffer_append_slice(&error->code, code.text);
  } else if (code.kind == US_SCALAR_NUMBER && fabs(code.number) < 1e15 &&
             code.number == floor(code.number)) {
    snprintf(digits, sizeof digits, "%.0f", code.number);
    us_buffer_append_text(&error->code, digits);
    error->code_is_number = true;
  }
}

/* The provider's own words where it has any. */
static void quote(us_error *error, const us_envelope *envelope,
                  const us_reply *reply) {
  us_slice body = reply->body;
  size_t i;
  for (i = 0; i < 3 && envelope->messages[i] != NULL; i++) {
    us_scalar message = find(reply, envelope->messages[i]);
    if (message.kind == US_SCALAR_TEXT && message.text.length > 0) {
      us_error_say(error, message.text);
      break;
    }
  }
  take_code(error, find(reply, envelope->code));
  if (body.length > US_LIMIT_ERROR_BODY) body.length = US_LIMIT_ERROR_BODY;
  us_buffer_append_slice(&error->body, body);
}

static void start_error(us_error *error, us_kind kind, const us_reply *reply,
                        const char *message) {
  us_error_reset(error, kind);
  error->status = reply->status;
  error->request_sent = true;
  us_error_say(error, us_text(message));
}

static void judge_refused(const us_reply *reply, const us_provider *provider,
                          double unix_time, us_error *error) {
  double wait = us_retry_after(reply->retry_after, unix_time);
  bool limited = reply->status == 429 || (reply->status == 503 && wait >= 0);
  start_error(error, limited ? US_KIND_RATE_LIMITED : US_KIND_HTTP, reply,
              reason(reply->status));
  error->retry_after = wait;
  quote(error, &provider->envelope, reply);
}

/* Any 2xx: every method answers with a JSON object, but for those that may
   answer with nothing. */
static bool judge_accepted(const us_reply *reply, const us_provider *provider,
                           const us_method *method, us_error *error) {
  const char *problem = NULL;
  us_slice body = skip_space(reply->body);
  if (body.length == 0) {
    if (method->flags & US_EMPTY_OK) return true;
    problem = "the answer is empty, where a JSON object is due";
  } else if (body.data[0] != '{') {
    problem = "the answer is not a JSON object";
  }
  if (problem != NULL || reply->document == NULL) {
    start_error(error, US_KIND_DECODE, reply, problem);
    if (problem == NULL) us_error_say(error, reply->decode_problem);
    if (body.length > US_LIMIT_ERROR_BODY) body.length = US_LIMIT_ERROR_BODY;
    us_buffer_append_slice(&error->body, body);
    return false;
  }
  if (!is_refusal(&provider->envelope, reply)) return true;
  start_error(error, US_KIND_API, reply, "the provider refused the request");
  quote(error, &provider->envelope, reply);
  return false;
}

bool us_response_judge(const us_reply *reply, const us_provider *provider,
                       const us_method *method, double unix_time,
                       us_error *error) {
  if (reply->failed) {
    us_error_reset(error, reply->kind);
    error->request_sent = reply->sent;
    us_error_say(error, reply->message);
    return false;
  }
  if (reply->status >= 400 && reply->status <= 599) {
    judge_refused(reply, provider, unix_time, error);
    return false;
  }
  if (reply->status >= 200 && reply->status <= 299)
    return judge_accepted(reply, provider, method, error);
  if (reply->status >= 300 && reply->status <= 399)
    start_error(error, US_KIND_REDIRECT, reply,
                "the server answered with a redirect, which is never followed");
  else
    start_error(error, US_KIND_PROTOCOL, reply,
                "the server answered with a status that HTTP does not have");
  return false;
}
