/* request_test.c: rows of our own and values into URLs and bodies of every
   kind that a row can ask for. */
#include "core/request.h"

#include "core/provider.h"
#include "test.h"

enum { ROWS = 5 };

/* A provider with one method, whose arguments all go to the same place. */
typedef struct {
  us_provider provider;
  us_parameter options[1];
  us_parameter rows[ROWS];
  us_method method;
  us_client client;
  us_request request;
} world;

static us_status authorize(us_client *client, const us_method *method,
                           double unix_time, us_request *request) {
  (void)client;
  (void)method;
  (void)unix_time;
  us_request_add_bearer(request, us_text("token"));
  return request->headers.status;
}

static void open_world(world *w, us_place place) {
  static const char *const names[ROWS] = {"a", "b", "c", "d", "e"};
  us_value base = {0};
  size_t i;
  memset(w, 0, sizeof *w);
  w->options[0].name = "base_url";
  w->options[0].place = US_OPTION;
  w->provider.name = "test";
  w->provider.prefix = "";
  w->provider.options = w->options;
  w->provider.option_count = 1;
  w->provider.authorize = authorize;
  for (i = 0; i < ROWS; i++) {
    w->rows[i].name = w->rows[i].wire = names[i];
    w->rows[i].place = place;
  }
  w->method.name = "try";
  w->method.verb = "POST";
  w->method.path = "/try";
  w->method.parameters = w->rows;
  w->method.count = ROWS;
  base.kind = US_TEXT;
  base.text = us_text("http://localhost/");
  CHECK(us_client_open(&w->client, &w->provider, &base, us_text("")) == US_OK);
}

static void close_world(world *w) {
  us_request_free(&w->request);
  us_client_close(&w->client);
}

static void build(world *w, const us_value *values, double random) {
  CHECK(us_request_build(&w->request, &w->client, &w->method, values, NULL,
                         random) == US_OK);
}

static us_slice content_type(const world *w) {
  us_header header;
  size_t at = 0;
  while (us_headers_next(&w->request.headers, &at, &header))
    if (us_slice_is(header.name, "Content-Type")) return header.value;
  return us_text("");
}

/* One value of each kind that has a spelling. */
static void fill(us_value values[ROWS]) {
  static const us_slice items[] = {{"x y", 3}, {"z&", 2}};
  memset(values, 0, ROWS * sizeof *values);
  values[0].kind = US_TEXT;
  values[0].text = us_text("Kim & \xC3\xA9\"");
  values[1].kind = US_NUMBER;
  values[1].integer = -7;
  values[2].kind = US_TRUTH;
  values[2].truth = true;
  values[3].kind = US_ITEMS;
  values[3].items = items;
  values[3].count = 2;
}

static void a_form_has_a_pair_for_every_value(void) {
  us_value values[ROWS];
  world w;
  open_world(&w, US_FORM);
  fill(values);
  build(&w, values, 0);
  CHECK_BUFFER(w.request.url, "http://localhost/try");
  CHECK_BUFFER(w.request.body,
               "a=Kim%20%26%20%C3%A9%22&b=-7&c=true&d=x%20y&d=z%26");
  CHECK_TEXT(content_type(&w), "application/x-www-form-urlencoded");
  CHECK(w.request.has_body);
  memset(values, 0, sizeof values);
  build(&w, values, 0);
  CHECK_BUFFER(w.request.body, "");
  CHECK(w.request.has_body);
  close_world(&w);
}

static void a_query_is_behind_the_path(void) {
  us_value values[ROWS];
  world w;
  open_world(&w, US_QUERY);
  fill(values);
  build(&w, values, 0);
  CHECK_BUFFER(w.request.url,
               "http://localhost/try?a=Kim%20%26%20%C3%A9%22&b=-7&c=true"
               "&d=x%20y&d=z%26");
  w.rows[3].flags = US_COMMA;
  build(&w, values, 0);
  CHECK_BUFFER(w.request.url,
               "http://localhost/try?a=Kim%20%26%20%C3%A9%22&b=-7&c=true"
               "&d=x%20y%2Cz%26");
  memset(values, 0, sizeof values);
  build(&w, values, 0);
  CHECK_BUFFER(w.request.url, "http://localhost/try");
  CHECK_TEXT(content_type(&w), "");
  CHECK(w.request.has_body); /* POST has one, be it empty */
  close_world(&w);
}

static void a_json_body_has_a_member_for_every_value(void) {
  us_value values[ROWS];
  world w;
  open_world(&w, US_BODY);
  fill(values);
  build(&w, values, 0);
  CHECK_BUFFER(w.request.body,
               "{\"a\":\"Kim & \xC3\xA9\\\"\",\"b\":-7,\"c\":true,"
               "\"d\":[\"x y\",\"z&\"]}");
  CHECK_TEXT(content_type(&w), "application/json");
  values[0].kind = US_NULL;
  values[1].kind = US_JSON;
  values[1].text = us_text("{}");
  values[2].truth = false;
  values[3].count = 0;
  build(&w, values, 0);
  CHECK_BUFFER(w.request.body, "{\"a\":null,\"b\":{},\"c\":false,\"d\":[]}");
  close_world(&w);
}

/* A body that holds the boundary would end there. */
static void a_boundary_is_one_that_no_part_holds(void) {
  us_value values[ROWS];
  world w;
  open_world(&w, US_FIELD);
  memset(values, 0, sizeof values);
  values[0].kind = US_TEXT;
  values[0].text = us_text("plain");
  build(&w, values, 0);
  CHECK_TEXT(content_type(&w),
             "multipart/form-data; boundary=usher-0000000000000000");
  values[1].kind = US_CONTENT;
  values[1].filename = us_text("f");
  values[1].content_type = us_text("text/plain");
  values[1].text = us_text("-- usher-0000000000000000 --");
  values[0].text = us_text("usher-0000000000000001");
  build(&w, values, 0);
  CHECK_TEXT(content_type(&w),
             "multipart/form-data; boundary=usher-0000000000000002");
  CHECK_BUFFER(w.request.body,
               "--usher-0000000000000002\r\n"
               "Content-Disposition: form-data; name=\"a\"\r\n\r\n"
               "usher-0000000000000001\r\n"
               "--usher-0000000000000002\r\n"
               "Content-Disposition: form-data; name=\"b\"; filename=\"f\"\r\n"
               "Content-Type: text/plain\r\n\r\n"
               "-- usher-0000000000000000 --\r\n"
               "--usher-0000000000000002--\r\n");
  close_world(&w);
}

/* URL, body and headers have ceilings of their own. */
static void what_is_too_large_is_told(void) {
  static char large[70000];
  us_value values[ROWS];
  size_t at = 0;
  us_header header;
  world w;
  memset(large, 'x', sizeof large - 1);
  memset(values, 0, sizeof values);
  values[0].kind = US_TEXT;
  values[0].text = us_text(large);
  open_world(&w, US_QUERY);
  CHECK(us_request_build(&w.request, &w.client, &w.method, values, NULL, 0) ==
        US_TOO_LARGE);
  close_world(&w);
  open_world(&w, US_HEADER);
  CHECK(us_request_build(&w.request, &w.client, &w.method, values, NULL, 0) ==
        US_TOO_LARGE);
  us_request_add_bearer(&w.request, us_text("token"));
  CHECK(!us_headers_next(&w.request.headers, &at, &header));
  close_world(&w);
}

static void credentials_of_an_attempt_replace_those_of_the_last(void) {
  us_value values[ROWS] = {{0}};
  size_t length;
  world w;
  open_world(&w, US_QUERY);
  build(&w, values, 0);
  CHECK(us_request_authorize(&w.request, &w.client, &w.method, 0) == US_OK);
  length = w.request.headers.length;
  CHECK(us_headers_has(&w.request.headers, us_text("Authorization")));
  CHECK(us_request_authorize(&w.request, &w.client, &w.method, 0) == US_OK);
  CHECK(w.request.headers.length == length);
  close_world(&w);
}

int main(void) {
  a_form_has_a_pair_for_every_value();
  a_query_is_behind_the_path();
  a_json_body_has_a_member_for_every_value();
  a_boundary_is_one_that_no_part_holds();
  what_is_too_large_is_told();
  credentials_of_an_attempt_replace_those_of_the_last();
  return test_result();
}
