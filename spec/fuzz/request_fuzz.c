/* request_fuzz.c: whole requests, from rows with any values. Each value stands
   where its row says, reads back as it was, and moves nothing else. */
#include "core/url.h"

#include "json_grammar.h"
#include "wire_grammar.h"
#include "world.h"

static us_slice option(const world *made, us_slice name) {
  const us_provider *provider = made->provider;
  int i = us_parameter_find(provider->options, provider->option_count, name);
  REQUIRE(i >= 0);
  if (made->overriding && made->overrides[i].kind == US_TEXT)
    return made->overrides[i].text;
  return us_buffer_slice(&made->client.options[i]);
}

/* --- the URL ------------------------------------------------------------- */

/* "/a/{b}" against the front of *rest: a value is one segment. */
static void check_path(const world *made, const char *template,
                       us_slice *rest) {
  us_slice shape = us_text(template), want, got;
  if (shape.length == 0) return;
  REQUIRE(wire_piece(&shape, '/', &want) && want.length == 0);
  while (wire_piece(&shape, '/', &want)) {
    us_slice name = {want.data + 1, want.length - 2};
    int i;
    REQUIRE(wire_piece(rest, '/', &got));
    if (want.length < 2 || want.data[0] != '{') {
      REQUIRE(us_slice_equal(got, want));
      continue;
    }
    i = us_parameter_find(made->method->parameters, made->method->count, name);
    REQUIRE(us_url_is_segment(got));
    REQUIRE(wire_encodes(got, i >= 0 ? made->arguments[i].text
                                     : option(made, name)));
  }
}

/* Without its option, where that may be absent and is. */
static const char *prefix_of(const world *made) {
  const us_provider *provider = made->provider;
  const char *open = strchr(provider->prefix, '{');
  us_slice name;
  if (made->method->prefix != NULL) return made->method->prefix;
  if (provider->bare_prefix == NULL) return provider->prefix;
  name.data = open + 1;
  name.length = strcspn(name.data, "}");
  return option(made, name).length > 0 ? provider->prefix
                                       : provider->bare_prefix;
}

static void check_pair(us_slice *query, const char *name, us_slice value) {
  us_slice pair, got_name;
  REQUIRE(wire_piece(query, '&', &pair));
  REQUIRE(wire_piece(&pair, '=', &got_name));
  REQUIRE(wire_encodes(got_name, us_text(name)));
  REQUIRE(wire_encodes(pair, value));
}

static void check_comma_list(us_slice *query, const char *name,
                             const us_value *value) {
  us_buffer joined = {0};
  size_t i;
  us_buffer_reset(&joined, US_LIMIT_BODY);
  for (i = 0; i < value->count; i++) {
    if (i > 0) us_buffer_append_byte(&joined, ',');
    us_buffer_append_slice(&joined, value->items[i]);
  }
  check_pair(query, name, us_buffer_slice(&joined));
  us_buffer_free(&joined);
}

static void check_value(us_slice *query, const us_parameter *row,
                        const us_value *value) {
  char digits[32];
  size_t i;
  switch (value->kind) {
  case US_TEXT: check_pair(query, row->wire, value->text); break;
  case US_TRUTH:
    check_pair(query, row->wire, us_text(value->truth ? "true" : "false"));
    break;
  case US_NUMBER:
    snprintf(digits, sizeof digits, "%lld", value->integer);
    check_pair(query, row->wire, us_text(digits));
    break;
  case US_ITEMS:
    if (row->flags & US_COMMA)
      check_comma_list(query, row->wire, value);
    else
      for (i = 0; i < value->count; i++)
        check_pair(query, row->wire, value->items[i]);
    break;
  default: REQUIRE(value->kind == US_ABSENT); break;
  }
}

/* The pairs of a query or of a form. */
static void check_pairs(const world *made, us_place place, us_slice pairs) {
  size_t i;
  for (i = 0; i < made->method->count; i++)
    if (made->method->parameters[i].place == place)
      check_value(&pairs, &made->method->parameters[i], &made->arguments[i]);
  REQUIRE(pairs.data == NULL || pairs.length == 0);
}

static void check_url(const world *made, const us_request *request) {
  us_slice url = us_buffer_slice(&request->url), path, empty;
  us_slice base = us_client_option(&made->client, "base_url");
  REQUIRE(url.length <= US_LIMIT_URL);
  REQUIRE(url.length > base.length &&
          memcmp(url.data, base.data, base.length) == 0);
  url.data += base.length;
  url.length -= base.length;
  REQUIRE(wire_is_graphic(url));
  REQUIRE(wire_piece(&url, '?', &path));
  REQUIRE(wire_piece(&path, '/', &empty) && empty.length == 0);
  check_path(made, prefix_of(made), &path);
  check_path(made, made->method->path, &path);
  REQUIRE(path.data == NULL);
  REQUIRE(url.data == NULL || url.length > 0);
  check_pairs(made, US_QUERY, url);
}

/* --- the headers --------------------------------------------------------- */

static us_slice header(const us_request *request, const char *name) {
  us_slice found = {NULL, 0};
  us_header each;
  size_t at = 0;
  while (us_headers_next(&request->headers, &at, &each))
    if (us_header_name_is(each.name, name)) found = each.value;
  return found;
}

/* No name twice, no line in two, nothing of the transport's. */
static void check_headers(const us_request *request) {
  us_header each, other;
  size_t at = 0, behind;
  REQUIRE(request->headers.length <= US_LIMIT_HEADERS);
  while (us_headers_next(&request->headers, &at, &each)) {
    REQUIRE(us_header_name_is_valid(each.name));
    REQUIRE(!us_header_name_is_reserved(each.name));
    REQUIRE(wire_is_line(each.value));
    behind = at;
    while (us_headers_next(&request->headers, &behind, &other))
      REQUIRE(!us_header_name_is(other.name, each.name.data));
  }
  REQUIRE(at == request->headers.length);
}

static void check_header_values(const world *made, const us_request *request) {
  size_t i;
  for (i = 0; i < made->method->count; i++) {
    const us_parameter *row = &made->method->parameters[i];
    us_slice value = made->arguments[i].text;
    if (row->place != US_HEADER) continue;
    if (made->arguments[i].kind == US_ABSENT) {
      if (!(row->flags & US_REQUIRED)) continue;
      value = option(made, us_text(row->name));
    }
    REQUIRE(us_slice_equal(header(request, row->wire), value));
  }
}

static bool is_shown(const us_parameter *rows, const us_value *values,
                     size_t count, us_slice text) {
  size_t i;
  for (i = 0; i < count; i++)
    if (!(rows[i].flags & US_SECRET) && values[i].kind == US_TEXT &&
        us_slice_equal(values[i].text, text))
      return true;
  return false;
}

/* As a nonce or a count may be, by chance. */
static bool is_number(us_slice text) {
  size_t i;
  for (i = 0; i < text.length; i++)
    if (text.data[i] < '0' || text.data[i] > '9') return false;
  return true;
}

/* The same text may have been given in another place, too. */
static bool is_public(const world *made, us_slice text) {
  const us_provider *provider = made->provider;
  return is_number(text) || us_slice_is(text, "application/json") ||
         us_slice_is(text, "application/x-www-form-urlencoded") ||
         us_slice_equal(text, us_buffer_slice(&made->client.user_agent)) ||
         is_shown(provider->options, made->options, provider->option_count,
                  text) ||
         is_shown(provider->options, made->overrides, provider->option_count,
                  text) ||
         is_shown(made->method->parameters, made->arguments,
                  made->method->count, text);
}

/* A secret stands only in headers that are marked as secret. */
static void check_secrets(const world *made, const us_request *request) {
  size_t i, at;
  us_header each;
  for (i = 0; i < made->provider->option_count; i++) {
    us_slice secret = us_buffer_slice(&made->client.options[i]);
    if (!(made->provider->options[i].flags & US_SECRET) ||
        is_public(made, secret))
      continue;
    at = 0;
    while (us_headers_next(&request->headers, &at, &each))
      REQUIRE(each.secret || !us_slice_equal(each.value, secret));
  }
}

/* --- the body ------------------------------------------------------------ */

static void expect_value(us_buffer *events, const us_value *value) {
  char digits[32];
  size_t i;
  switch (value->kind) {
  case US_TEXT: json_event_text(events, JSON_STRING, value->text); break;
  case US_TRUTH: json_event(events, value->truth ? 't' : 'f'); break;
  case US_NULL: json_event(events, 'n'); break;
  case US_NUMBER:
    snprintf(digits, sizeof digits, "%lld", value->integer);
    json_event_integer(events, us_text(digits));
    break;
  case US_JSON:
    REQUIRE(
        json_grammar_reads(value->text, US_LIMIT_JSON_DEPTH + 1, true, events));
    break;
  default:
    json_event(events, '[');
    for (i = 0; i < value->count; i++)
      json_event_text(events, JSON_STRING, value->items[i]);
    json_event(events, ']');
  }
}

static void check_json(const world *made, us_slice body) {
  us_buffer expected = {0}, got = {0};
  size_t i;
  us_buffer_reset(&expected, US_LIMIT_BODY);
  us_buffer_reset(&got, US_LIMIT_BODY);
  json_event(&expected, '{');
  for (i = 0; i < made->method->count; i++) {
    const us_parameter *row = &made->method->parameters[i];
    if (row->place != US_BODY || made->arguments[i].kind == US_ABSENT) continue;
    json_event_text(&expected, JSON_NAME, us_text(row->wire));
    expect_value(&expected, &made->arguments[i]);
  }
  json_event(&expected, '}');
  REQUIRE(json_grammar_reads(body, US_LIMIT_JSON_DEPTH + 2, true, &got));
  REQUIRE(us_slice_equal(us_buffer_slice(&got), us_buffer_slice(&expected)));
  us_buffer_free(&expected);
  us_buffer_free(&got);
}

/* As WHATWG HTML has it: what would end the quotes or the line is %XX. */
static void append_quoted(us_buffer *out, us_slice text) {
  size_t i;
  for (i = 0; i < text.length; i++) {
    char escape[4], byte = text.data[i];
    snprintf(escape, sizeof escape, "%%%02X", (unsigned)(unsigned char)byte);
    if (byte == '"' || byte == '\r' || byte == '\n')
      us_buffer_append_text(out, escape);
    else
      us_buffer_append_byte(out, byte);
  }
}

static void check_part(const us_parameter *row, const us_value *value,
                       const wire_part *part) {
  us_buffer head = {0};
  us_buffer_reset(&head, US_LIMIT_BODY);
  us_buffer_append_text(&head, "Content-Disposition: form-data; name=\"");
  us_buffer_append_text(&head, row->wire);
  us_buffer_append_byte(&head, '"');
  if (value->kind == US_CONTENT) {
    us_buffer_append_text(&head, "; filename=\"");
    append_quoted(&head, value->filename);
    us_buffer_append_text(&head, "\"\r\nContent-Type: ");
    us_buffer_append_slice(&head, value->content_type);
  }
  REQUIRE(us_slice_equal(part->head, us_buffer_slice(&head)));
  REQUIRE(us_slice_equal(part->content, value->text));
  us_buffer_free(&head);
}

static void check_multipart(const world *made, const us_request *request) {
  static const char opening[] = "multipart/form-data; boundary=";
  us_slice boundary = header(request, "Content-Type");
  us_slice body = us_buffer_slice(&request->body);
  wire_part part;
  size_t i, at = 0;
  REQUIRE(boundary.length > sizeof opening &&
          memcmp(boundary.data, opening, sizeof opening - 1) == 0);
  boundary.data += sizeof opening - 1;
  boundary.length -= sizeof opening - 1;
  for (i = 0; i < made->method->count; i++) {
    const us_parameter *row = &made->method->parameters[i];
    if (row->place != US_FIELD || made->arguments[i].kind == US_ABSENT)
      continue;
    REQUIRE(wire_next_part(body, boundary, &at, &part));
    check_part(row, &made->arguments[i], &part);
  }
  REQUIRE(!wire_next_part(body, boundary, &at, &part));
}

static void check_body(const world *made, const us_request *request) {
  us_slice body = us_buffer_slice(&request->body);
  REQUIRE(body.length <= US_LIMIT_BODY);
  if (us_method_has(made->method, US_FIELD)) {
    REQUIRE(request->has_body);
    check_multipart(made, request);
  } else if (us_method_has(made->method, US_BODY)) {
    REQUIRE(request->has_body);
    REQUIRE(us_slice_is(header(request, "Content-Type"), "application/json"));
    check_json(made, body);
  } else if (us_method_has(made->method, US_FORM)) {
    REQUIRE(request->has_body);
    REQUIRE(us_slice_is(header(request, "Content-Type"),
                        "application/x-www-form-urlencoded"));
    check_pairs(made, US_FORM, body);
  } else {
    REQUIRE(body.length == 0);
    REQUIRE(request->has_body == (strcmp(request->verb, "POST") == 0 ||
                                  strcmp(request->verb, "PUT") == 0));
  }
}

/* --- all of it ----------------------------------------------------------- */

static void check_request(const world *made, const us_request *request) {
  REQUIRE(strcmp(request->verb, made->method->verb) == 0);
  check_url(made, request);
  check_headers(request);
  check_header_values(made, request);
  check_secrets(made, request);
  check_body(made, request);
}

/* The credentials of another attempt take the place of the last ones. */
static void check_again(world *made, us_request *request, double unix_time) {
  size_t before = request->headers.length;
  us_status status =
      us_request_authorize(request, &made->client, made->method, unix_time);
  REQUIRE(status == US_OK && request->headers.length == before);
  check_request(made, request);
}

static void run(world *made, fuzz_input *input) {
  us_request request = {0};
  double random, unix_time;
  us_status status;
  world_call(made, input);
  random = fuzz_fraction(input);
  unix_time = fuzz_fraction(input) * 4e9;
  (void)us_nearest_method(made->provider, fuzz_bytes(input));
  if (!world_check(made)) return;
  status = us_request_build(&request, &made->client, made->method,
                            made->arguments, world_overrides(made), random);
  if (status == US_OK)
    status =
        us_request_authorize(&request, &made->client, made->method, unix_time);
  if (status == US_OK) {
    check_request(made, &request);
    check_again(made, &request, unix_time);
  } else {
    REQUIRE(status == US_TOO_LARGE);
  }
  us_request_free(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  world made;
  if (world_open(&made, &input)) run(&made, &input);
  world_close(&made);
  fuzz_end(&input);
  return 0;
}
