/* request.c: rows and values into URL, headers and body. */
#include "core/request.h"

#include <string.h>

#include "core/json_writer.h"
#include "core/multipart.h"
#include "core/url.h"

/* Everything a builder looks at. */
typedef struct {
  const us_client *client;
  const us_method *method;
  const us_value *values;
  const us_value *overrides;
} source;

/* The option as this call sees it. */
static us_slice option_value(const source *from, us_slice name) {
  const us_provider *provider = from->client->provider;
  int i = us_parameter_find(provider->options, provider->option_count, name);
  if (i < 0) return us_text("");
  if (from->overrides != NULL && from->overrides[i].kind == US_TEXT)
    return from->overrides[i].text;
  return us_buffer_slice(&from->client->options[i]);
}

/* A required header may come from the client option of the same name. */
static bool option_fills(const source *from, const us_parameter *parameter) {
  return parameter->place == US_HEADER &&
         option_value(from, us_text(parameter->name)).length > 0;
}

static void check_options(const source *from, us_problems *problems) {
  const us_method *method = from->method;
  const us_provider *provider = from->client->provider;
  size_t i;
  for (i = 0; from->overrides && i < provider->option_count; i++)
    if (from->overrides[i].kind != US_ABSENT)
      us_check_value(&provider->options[i], &from->overrides[i], problems);
  if (method->without && option_value(from, us_text(method->without)).length)
    us_problem(problems, method->without,
               "must not be set: this method has no path with it", NULL);
  if (method->bearer &&
      us_client_first(from->client, method->bearer).length == 0)
    us_problem(problems, NULL, "needs the client option ", method->bearer);
}

void us_request_check(const us_client *client, const us_method *method,
                      const us_value *values, const us_value *overrides,
                      us_problems *problems) {
  source from = {client, method, values, overrides};
  size_t i;
  for (i = 0; i < method->count; i++) {
    const us_parameter *parameter = &method->parameters[i];
    if (values[i].kind == US_ABSENT && option_fills(&from, parameter)) continue;
    us_check_value(parameter, &values[i], problems);
  }
  check_options(&from, problems);
}

static us_slice placeholder_value(const source *from, us_slice name) {
  int i =
      us_parameter_find(from->method->parameters, from->method->count, name);
  return i >= 0 ? from->values[i].text : option_value(from, name);
}

/* The next "/segment" of a template; a placeholder loses its braces. */
static bool next_segment(const char **at, us_slice *segment, bool *filled) {
  const char *start = *at;
  if (*start != '/') return false;
  start++;
  segment->data = start;
  segment->length = strcspn(start, "/");
  *at = start + segment->length;
  *filled = segment->length > 2 && start[0] == '{';
  if (*filled) {
    segment->data++;
    segment->length -= 2;
  }
  return true;
}

/* Segment by segment: a value can never become a slash, a dot segment or
   another placeholder. */
static void append_path(const source *from, us_buffer *url,
                        const char *template) {
  us_slice segment;
  bool filled;
  while (next_segment(&template, &segment, &filled)) {
    us_buffer_append_byte(url, '/');
    if (filled)
      us_url_append_encoded(url, placeholder_value(from, segment));
    else
      us_buffer_append_slice(url, segment);
  }
}

static const char *prefix_for(const source *from) {
  const us_provider *provider = from->client->provider;
  const char *at = provider->prefix;
  us_slice segment;
  bool filled;
  if (from->method->prefix != NULL) return from->method->prefix;
  if (provider->bare_prefix == NULL) return provider->prefix;
  while (next_segment(&at, &segment, &filled))
    if (filled && option_value(from, segment).length == 0)
      return provider->bare_prefix;
  return provider->prefix;
}

static void append_comma_list(us_buffer *url, size_t start, us_slice name,
                              const us_value *value) {
  size_t i;
  us_url_append_pair(url, start, name, us_text(""));
  for (i = 0; i < value->count; i++) {
    if (i > 0) us_url_append_encoded(url, us_text(","));
    us_url_append_encoded(url, value->items[i]);
  }
}

static void append_value(us_buffer *url, size_t start,
                         const us_parameter *parameter, const us_value *value) {
  us_slice name = us_text(parameter->wire);
  size_t i;
  switch (value->kind) {
  case US_TEXT: us_url_append_pair(url, start, name, value->text); break;
  case US_NUMBER:
    us_url_append_pair(url, start, name, us_text(""));
    us_buffer_append_integer(url, value->integer);
    break;
  case US_TRUTH:
    us_url_append_pair(url, start, name,
                       us_text(value->truth ? "true" : "false"));
    break;
  case US_ITEMS:
    if (parameter->flags & US_COMMA) {
      append_comma_list(url, start, name, value);
      break;
    }
    for (i = 0; i < value->count; i++)
      us_url_append_pair(url, start, name, value->items[i]);
    break;
  default: break;
  }
}

static void append_url(const source *from, us_buffer *url) {
  size_t start, i;
  us_buffer_append_slice(url, us_client_option(from->client, "base_url"));
  append_path(from, url, prefix_for(from));
  append_path(from, url, from->method->path);
  us_buffer_append_byte(url, '?');
  start = url->length;
  for (i = 0; i < from->method->count; i++)
    if (from->method->parameters[i].place == US_QUERY)
      append_value(url, start, &from->method->parameters[i], &from->values[i]);
  if (url->length == start && start > 0) us_buffer_truncate(url, start - 1);
  us_buffer_append_byte(url, '\0');
  if (url->status == US_OK) us_buffer_truncate(url, url->length - 1);
}

static void write_member(us_json_writer *json, const us_value *value) {
  size_t i;
  switch (value->kind) {
  case US_NULL: us_json_raw(json, us_text("null")); break;
  case US_TEXT: us_json_string(json, value->text); break;
  case US_NUMBER: us_json_integer(json, value->integer); break;
  case US_TRUTH:
    us_json_raw(json, us_text(value->truth ? "true" : "false"));
    break;
  case US_JSON: us_json_raw(json, value->text); break;
  case US_ITEMS:
    us_json_open(json, '[');
    for (i = 0; i < value->count; i++)
      us_json_string(json, value->items[i]);
    us_json_close(json, ']');
    break;
  case US_ABSENT:
  case US_CONTENT: break;
  }
}

static void write_json(const source *from, us_buffer *body) {
  us_json_writer json = {body, false};
  size_t i;
  us_json_open(&json, '{');
  for (i = 0; i < from->method->count; i++) {
    const us_parameter *parameter = &from->method->parameters[i];
    if (parameter->place != US_BODY || from->values[i].kind == US_ABSENT)
      continue;
    us_json_key(&json, us_text(parameter->wire));
    write_member(&json, &from->values[i]);
  }
  us_json_close(&json, '}');
}

static void choose_boundary(const source *from, double random,
                            char boundary[US_BOUNDARY_SIZE]) {
  unsigned long long seed = (unsigned long long)(random * US_EXACT_FLOAT);
  size_t i = 0;
  us_multipart_boundary(boundary, seed);
  while (i < from->method->count) {
    if (us_multipart_occurs(boundary, from->values[i].text)) {
      us_multipart_boundary(boundary, ++seed);
      i = 0;
    } else {
      i++;
    }
  }
}

static void write_parts(const source *from, us_buffer *body,
                        const char *boundary) {
  size_t i;
  for (i = 0; i < from->method->count; i++) {
    const us_parameter *parameter = &from->method->parameters[i];
    const us_value *value = &from->values[i];
    if (parameter->place != US_FIELD) continue;
    if (value->kind == US_CONTENT)
      us_multipart_file(body, boundary, parameter->wire, value->filename,
                        value->content_type, value->text);
    else if (value->kind == US_TEXT)
      us_multipart_text(body, boundary, parameter->wire, value->text);
  }
  us_multipart_finish(body, boundary);
}

static void write_form(const source *from, us_buffer *body) {
  size_t i;
  for (i = 0; i < from->method->count; i++)
    if (from->method->parameters[i].place == US_FORM)
      append_value(body, 0, &from->method->parameters[i], &from->values[i]);
}

/* Writes the body and names its type; NULL: none to name. */
static const char *write_body(const source *from, us_request *request,
                              double random, char type[128]) {
  static const char multipart[] = "multipart/form-data; boundary=";
  const us_method *method = from->method;
  us_buffer_reset(&request->body, US_LIMIT_BODY);
  if (us_method_has(method, US_FIELD)) {
    memcpy(type, multipart, sizeof multipart);
    choose_boundary(from, random, type + sizeof multipart - 1);
    write_parts(from, &request->body, type + sizeof multipart - 1);
    request->has_body = true;
    return type;
  }
  if (us_method_has(method, US_BODY)) {
    write_json(from, &request->body);
    request->has_body = true;
    return "application/json";
  }
  if (us_method_has(method, US_FORM)) {
    write_form(from, &request->body);
    request->has_body = true;
    return "application/x-www-form-urlencoded";
  }
  request->has_body =
      strcmp(method->verb, "POST") == 0 || strcmp(method->verb, "PUT") == 0;
  return from->client->provider->always_json ? "application/json" : NULL;
}

/* Header arguments, then the options that stand in for them. */
static void add_parameters(const source *from, us_buffer *headers) {
  const us_provider *provider = from->client->provider;
  size_t i;
  for (i = 0; i < from->method->count; i++) {
    const us_parameter *parameter = &from->method->parameters[i];
    if (parameter->place == US_HEADER && from->values[i].kind == US_TEXT)
      us_headers_add(headers, parameter->wire, from->values[i].text,
                     (parameter->flags & US_SECRET) != 0);
  }
  for (i = 0; i < provider->option_count; i++) {
    const us_parameter *option = &provider->options[i];
    us_slice value;
    if (option->place != US_HEADER) continue;
    value = option_value(from, us_text(option->name));
    if (value.length && !us_headers_has(headers, us_text(option->wire)))
      us_headers_add(headers, option->wire, value,
                     (option->flags & US_SECRET) != 0);
  }
}

us_status us_request_build(us_request *request, const us_client *client,
                           const us_method *method, const us_value *values,
                           const us_value *overrides, double random) {
  source from = {client, method, values, overrides};
  char type[128];
  const char *content_type;
  request->verb = method->verb;
  us_buffer_reset(&request->url, US_LIMIT_URL + 1);
  append_url(&from, &request->url);
  content_type = write_body(&from, request, random, type);
  us_buffer_reset(&request->headers, US_LIMIT_HEADERS);
  us_headers_add(&request->headers, "Accept", us_text("application/json"),
                 false);
  us_headers_add(&request->headers, "User-Agent",
                 us_buffer_slice(&client->user_agent), false);
  if (content_type != NULL)
    us_headers_add(&request->headers, "Content-Type", us_text(content_type),
                   false);
  add_parameters(&from, &request->headers);
  request->own = request->headers.length;
  if (request->url.status != US_OK) return request->url.status;
  if (request->body.status != US_OK) return request->body.status;
  return request->headers.status;
}

us_status us_request_authorize(us_request *request, us_client *client,
                               const us_method *method, double unix_time) {
  us_header extra;
  size_t at = 0;
  us_status status;
  us_buffer_truncate(&request->headers, request->own);
  status = client->provider->authorize(client, method, unix_time, request);
  if (status != US_OK) return status;
  while (us_headers_next(&client->headers, &at, &extra))
    if (!us_headers_has(&request->headers, extra.name))
      us_headers_add(&request->headers, extra.name.data, extra.value,
                     extra.secret);
  return request->headers.status;
}

void us_request_add_bearer(us_request *request, us_slice token) {
  us_buffer *headers = &request->headers;
  us_headers_add(headers, "Authorization", us_text("Bearer "), true);
  if (headers->status != US_OK) return;
  us_buffer_truncate(headers, headers->length - 1); /* its closing NUL */
  us_buffer_append_slice(headers, token);
  us_buffer_append_byte(headers, '\0');
}

void us_request_free(us_request *request) {
  us_buffer_free(&request->url);
  us_buffer_free(&request->headers);
  us_buffer_free(&request->body);
}
