/* call_test.c: whole calls of real rows, driven by hand: no Lua, no socket and
   no JSON reader, but a document that answers from a list. */
#include "core/call.h"

#include "core/provider.h"
#include "test.h"

/* A document of a few text fields: { path, text } pairs. */
typedef struct {
  const char *const (*fields)[2];
  size_t count;
} fields;

static us_scalar find(void *context, const char *path) {
  const fields *list = context;
  us_scalar found = {US_NOTHING, false, 0, {NULL, 0}};
  size_t i;
  for (i = 0; i < list->count; i++) {
    if (strcmp(list->fields[i][0], path) != 0) continue;
    found.kind = US_SCALAR_TEXT;
    found.text = us_text(list->fields[i][1]);
  }
  return found;
}

/* What a test works with. */
typedef struct {
  us_client client;
  us_call call;
  us_moment now;
  us_action action;
} world;

static us_value text_value(const char *text) {
  us_value value = {0};
  value.kind = US_TEXT;
  value.text = us_text(text);
  return value;
}

/* Opens a client with `options`: { name, value } pairs that a NULL ends. */
static void open_world(world *w, const char *name,
                       const char *const (*options)[2]) {
  static const us_limits limits = {30, 5, 120, 2, 8 << 20};
  const us_provider *provider = us_provider_find(us_text(name));
  us_value values[US_LIMIT_OPTIONS] = {{0}};
  memset(w, 0, sizeof *w);
  w->now.unix_time = w->now.monotonic = 1700000000;
  w->now.random = 0.5;
  for (; (*options)[0] != NULL; options++) {
    int i = us_parameter_find(provider->options, provider->option_count,
                              us_text((*options)[0]));
    if (i >= 0)
      values[i] = text_value((*options)[1]);
    else
      test_fail(__FILE__, __LINE__, (*options)[0]);
  }
  CHECK(us_client_open(&w->client, provider, values, us_text("")) == US_OK);
  w->client.limits = limits;
}

static void begin(world *w, const char *method, const us_value *values) {
  us_call_free(&w->call);
  memset(&w->call, 0, sizeof w->call);
  CHECK(us_call_begin(&w->call, &w->client,
                      us_method_find(w->client.provider, us_text(method)),
                      values, NULL, &w->client.limits, w->now) == US_OK);
}

static void step(world *w, const us_reply *reply) {
  CHECK(us_call_next(&w->call, reply, w->now, &w->action) == US_OK);
}

static void answer(world *w, int status, const char *body,
                   const fields *document_fields) {
  us_document document = {find, (void *)document_fields};
  us_reply reply = {0};
  reply.status = status;
  reply.retry_after = us_text("");
  reply.body = us_text(body);
  reply.document = document_fields ? &document : NULL;
  reply.decode_problem = us_text("not JSON");
  step(w, &reply);
}

static void break_off(world *w, us_kind kind, bool sent) {
  us_reply reply = {0};
  reply.failed = true;
  reply.kind = kind;
  reply.sent = sent;
  reply.message = us_text("broken off");
  step(w, &reply);
}

static void close_world(world *w) {
  us_call_free(&w->call);
  us_client_close(&w->client);
  us_client_close(&w->client); /* again does nothing */
}

static us_slice header_of(const us_request *request, const char *name) {
  us_header header;
  size_t at = 0;
  while (us_headers_next(&request->headers, &at, &header))
    if (us_slice_is(header.name, name)) return header.value;
  return us_text("");
}

static const char *const qiscus[][2] = {
    {"app_id", "app"}, {"secret", "s3cret-key"}, {NULL, NULL}};
static const char *const vchatcloud[][2] = {{"api_key", "k3y-of-mine"},
                                            {NULL, NULL}};
static const char *const ertc[][2] = {{"base_url", "https://chat.example.com"},
                                      {"api_key", "test-api-key"},
                                      {"bundle_id", "com.example.app"},
                                      {"tenant_id", "t"},
                                      {"access_token", "at"},
                                      {NULL, NULL}};
static const fields nothing = {NULL, 0};

static void a_call_from_begin_to_done(void) {
  us_value values[1];
  const us_request *request;
  world w;
  open_world(&w, "qiscus", qiscus);
  values[0] = text_value("bob@example.com");
  begin(&w, "user_profile", values);
  step(&w, NULL);
  CHECK(w.action == US_SEND);
  request = us_call_request(&w.call);
  CHECK(strcmp(request->verb, "GET") == 0);
  CHECK_BUFFER(request->url, "https://api.qiscus.com/api/v2.1/rest/"
                             "user_profile?user_id=bob%40example.com");
  CHECK_TEXT(header_of(request, "QISCUS-SDK-SECRET"), "s3cret-key");
  CHECK(!request->has_body);
  CHECK(w.call.attempt_timeout == 30);
  answer(&w, 503, "down", NULL);
  CHECK(w.action == US_SLEEP);
  CHECK(w.call.wait == 0.125);
  CHECK(w.call.error.retryable);
  w.now.monotonic += w.call.wait;
  step(&w, NULL);
  CHECK(w.action == US_SEND);
  answer(&w, 200, "{}", &nothing);
  CHECK(w.action == US_DONE);
  CHECK(w.call.attempts == 2);
  close_world(&w);
}

static void bodies_are_written_in_row_order(void) {
  us_value values[5] = {{0}};
  world w;
  open_world(&w, "qiscus", qiscus);
  values[0] = text_value("bob");
  values[1] = text_value("pass\"word");
  values[2] = text_value("Bob");
  values[4].kind = US_JSON;
  values[4].text = us_text("{\"a\":1}");
  begin(&w, "login_or_register", values);
  step(&w, NULL);
  CHECK_BUFFER(us_call_request(&w.call)->body,
               "{\"user_id\":\"bob\",\"password\":\"pass\\\"word\","
               "\"username\":\"Bob\",\"extras\":{\"a\":1}}");
  answer(&w, 404, "no pass\\\"word for s3cret-key", &nothing);
  CHECK(w.action == US_FAIL);
  CHECK(w.call.error.kind == US_KIND_HTTP);
  CHECK_BUFFER(w.call.error.body, "no *** for ***");
  close_world(&w);
}

static void a_refusal_is_read_from_the_document(void) {
  static const char *const list[][2] = {{"status", "400"},
                                        {"error.message", "no such user"}};
  const fields refusal = {list, 2};
  us_value values[1];
  world w;
  open_world(&w, "qiscus", qiscus);
  values[0] = text_value("bob");
  begin(&w, "user_profile", values);
  step(&w, NULL);
  answer(&w, 200, "{}", &refusal);
  CHECK(w.action == US_FAIL);
  CHECK(w.call.error.kind == US_KIND_API);
  CHECK_BUFFER(w.call.error.message, "no such user");
  CHECK_BUFFER(w.call.error.code, "400");
  close_world(&w);
}

static void an_answer_without_a_document_is_not_json(void) {
  us_value values[1];
  world w;
  open_world(&w, "qiscus", qiscus);
  values[0] = text_value("bob");
  begin(&w, "user_profile", values);
  step(&w, NULL);
  answer(&w, 200, "{", NULL);
  CHECK(w.action == US_FAIL);
  CHECK(w.call.error.kind == US_KIND_DECODE);
  CHECK_BUFFER(w.call.error.message, "not JSON");
  CHECK(w.call.error.request_sent);
  close_world(&w);
}

static void an_unknown_outcome_is_not_repeated_where_it_matters(void) {
  us_value values[1];
  world w;
  open_world(&w, "ertc", ertc);
  values[0] = text_value("u");
  begin(&w, "reset_badge_count", values);
  step(&w, NULL);
  break_off(&w, US_KIND_NETWORK, true);
  CHECK(w.action == US_FAIL);
  CHECK(w.call.error.request_sent);
  begin(&w, "reset_badge_count", values);
  step(&w, NULL);
  break_off(&w, US_KIND_NETWORK, false);
  CHECK(w.action == US_SLEEP);
  step(&w, NULL);
  break_off(&w, US_KIND_TLS, false);
  CHECK(w.action == US_FAIL);
  CHECK(!w.call.error.request_sent);
  close_world(&w);
}

static void every_attempt_is_signed_anew(void) {
  us_value values[1];
  world w;
  open_world(&w, "ertc", ertc);
  values[0] = text_value("u");
  begin(&w, "reset_badge_count", values);
  step(&w, NULL);
  CHECK_TEXT(header_of(us_call_request(&w.call), "X-Nonce"), "1700000000000");
  CHECK_TEXT(
      header_of(us_call_request(&w.call), "X-Request-Signature"),
      "ff6ada759df8136fef594719c592f015828bd38aed5d252ba5f0669d8da6c039");
  answer(&w, 429, "", NULL);
  CHECK(w.action == US_SLEEP);
  w.now.unix_time += 1;
  step(&w, NULL);
  CHECK_TEXT(header_of(us_call_request(&w.call), "X-Nonce"), "1700000001000");
  CHECK_TEXT(header_of(us_call_request(&w.call), "Authorization"), "Bearer at");
  close_world(&w);
}

static void a_token_is_fetched_used_and_renewed_once(void) {
  static const char *const first[][2] = {{"data.X-AUTH-TOKEN", "first-token"}};
  static const char *const second[][2] = {
      {"data.X-AUTH-TOKEN", "second-token"}};
  const fields issued = {first, 1}, renewed = {second, 1};
  us_value values[1];
  world w;
  open_world(&w, "vchatcloud", vchatcloud);
  values[0] = text_value("room/1");
  begin(&w, "list_users", values);
  step(&w, NULL);
  CHECK(strcmp(us_call_current(&w.call)->name, "issue_token") == 0);
  answer(&w, 200, "{}", &issued);
  CHECK(w.action == US_SEND);
  CHECK_BUFFER(us_call_request(&w.call)->url,
               "https://vchatcloud.com/openapi/v1/users/room%2F1");
  CHECK_TEXT(header_of(us_call_request(&w.call), "X-AUTH-TOKEN"),
             "first-token");
  answer(&w, 401, "", NULL);
  CHECK(strcmp(us_call_current(&w.call)->name, "issue_token") == 0);
  answer(&w, 200, "{}", &renewed);
  CHECK_TEXT(header_of(us_call_request(&w.call), "X-AUTH-TOKEN"),
             "second-token");
  answer(&w, 401, "k3y-of-mine second-token", NULL);
  CHECK(w.action == US_FAIL);
  CHECK(w.call.error.status == 401);
  CHECK_BUFFER(w.call.error.body, "*** ***");
  close_world(&w);
}

static void what_does_not_fit_is_invalid(void) {
  us_value values[1];
  us_reply reply = {0};
  world w;
  open_world(&w, "qiscus", qiscus);
  values[0] = text_value("bob");
  begin(&w, "user_profile", values);
  reply.status = 200;
  CHECK(us_call_next(&w.call, &reply, w.now, &w.action) == US_INVALID);
  CHECK(us_call_defer(&w.call, 1, w.now, &w.action) == US_INVALID);
  step(&w, NULL);
  CHECK(us_call_next(&w.call, NULL, w.now, &w.action) == US_INVALID);
  CHECK(us_call_defer(&w.call, 1, w.now, &w.action) == US_OK);
  CHECK(w.action == US_SLEEP && w.call.wait == 1 && !w.call.retrying);
  step(&w, NULL);
  CHECK(w.call.attempts == 1);
  us_call_abort(&w.call, US_KIND_CANCELLED, us_text(""));
  CHECK(us_call_next(&w.call, &reply, w.now, &w.action) == US_INVALID);
  close_world(&w);
}

static void the_deadline_and_a_closed_client_end_it(void) {
  us_value values[1];
  world w;
  open_world(&w, "qiscus", qiscus);
  values[0] = text_value("bob");
  begin(&w, "user_profile", values);
  w.now.monotonic += 119;
  step(&w, NULL);
  CHECK(w.action == US_SEND && w.call.attempt_timeout == 1);
  w.now.monotonic += 1;
  break_off(&w, US_KIND_TIMEOUT, true);
  CHECK(w.action == US_FAIL && w.call.error.kind == US_KIND_TIMEOUT);
  CHECK(w.call.error.retryable);
  begin(&w, "user_profile", values);
  us_client_close(&w.client);
  step(&w, NULL);
  CHECK(w.action == US_FAIL && w.call.error.kind == US_KIND_CANCELLED);
  CHECK(!w.call.error.request_sent);
  close_world(&w);
}

static void a_request_that_does_not_fit_is_refused(void) {
  static char large[70000];
  us_value values[1];
  world w;
  memset(large, 'x', sizeof large - 1);
  open_world(&w, "qiscus", qiscus);
  values[0] = text_value(large);
  CHECK(
      us_call_begin(&w.call, &w.client,
                    us_method_find(w.client.provider, us_text("user_profile")),
                    values, NULL, &w.client.limits, w.now) == US_TOO_LARGE);
  close_world(&w);
}

/* The secrets fit into the options one by one, not into the headers. */
static void credentials_that_do_not_fit_are_told(void) {
  static char large[US_LIMIT_OPTION + 1];
  const char *const options[][2] = {
      {"app_id", large}, {"secret", "s3cret-key"}, {NULL, NULL}};
  us_value values[1];
  world w;
  memset(large, 'x', sizeof large - 1);
  open_world(&w, "qiscus", options);
  values[0] = text_value("bob");
  begin(&w, "user_profile", values);
  step(&w, NULL);
  CHECK(w.action == US_FAIL);
  CHECK(w.call.error.kind == US_KIND_TOO_LARGE);
  CHECK(!w.call.error.request_sent);
  close_world(&w);
}

static void a_refused_token_request_is_named_in_so_many_words(void) {
  static char words[US_LIMIT_TEXT + 1];
  static const char *list[][2] = {{"result_msg", words}};
  const fields refusal = {(const char *const(*)[2])list, 1};
  us_value values[1];
  us_slice message;
  world w;
  memset(words, 'x', sizeof words - 1);
  open_world(&w, "vchatcloud", vchatcloud);
  values[0] = text_value("room");
  begin(&w, "list_users", values);
  step(&w, NULL);
  answer(&w, 400, "{}", &refusal);
  CHECK(w.action == US_FAIL);
  message = us_buffer_slice(&w.call.error.message);
  CHECK(message.length == US_LIMIT_TEXT);
  CHECK(memcmp(message.data, "issue_token: xxx", 16) == 0);
  close_world(&w);
}

int main(void) {
  a_call_from_begin_to_done();
  bodies_are_written_in_row_order();
  a_refusal_is_read_from_the_document();
  an_answer_without_a_document_is_not_json();
  an_unknown_outcome_is_not_repeated_where_it_matters();
  every_attempt_is_signed_anew();
  a_token_is_fetched_used_and_renewed_once();
  what_does_not_fit_is_invalid();
  the_deadline_and_a_closed_client_end_it();
  a_request_that_does_not_fit_is_refused();
  credentials_that_do_not_fit_are_told();
  a_refused_token_request_is_named_in_so_many_words();
  return test_result();
}
