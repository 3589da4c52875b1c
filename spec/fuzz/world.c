/* world.c: rows filled with bytes. A zero byte stands for a value that passes,
   so that most inputs come as far as the wire. */
#include "world.h"

#include "core/json_writer.h"
#include "core/multipart.h"
#include "core/url.h"

#define DEEPEST 4

/* One of "a|b|c". */
static us_slice a_choice(fuzz_input *input, const char *choices) {
  size_t count = 1, i;
  for (i = 0; choices[i]; i++)
    if (choices[i] == '|') count++;
  for (i = fuzz_choose(input, count); i > 0; i--)
    choices = strchr(choices, '|') + 1;
  return fuzz_keep(input, (us_slice){choices, strcspn(choices, "|")});
}

static void write_value(fuzz_input *input, us_json_writer *json, int depth) {
  size_t i, count, kind = fuzz_choose(input, depth < DEEPEST ? 7 : 5);
  switch (kind) {
  case 0: us_json_string(json, fuzz_bytes(input)); break;
  case 1: us_json_integer(json, fuzz_integer(input)); break;
  case 2: us_json_number(json, fuzz_fraction(input)); break;
  case 3: us_json_raw(json, us_text("null")); break;
  case 4: us_json_raw(json, us_text("true")); break;
  default:
    count = fuzz_choose(input, 4);
    us_json_open(json, kind == 5 ? '[' : '{');
    for (i = 0; i < count; i++) {
      if (kind == 6) us_json_key(json, fuzz_bytes(input));
      write_value(input, json, depth + 1);
    }
    us_json_close(json, kind == 5 ? ']' : '}');
  }
}

us_slice world_object(fuzz_input *input) {
  us_buffer text = {0};
  us_json_writer json = {&text, false};
  us_slice kept;
  size_t i, count = fuzz_choose(input, 4);
  us_buffer_reset(&text, US_LIMIT_BODY);
  us_json_open(&json, '{');
  for (i = 0; i < count; i++) {
    us_json_key(&json, fuzz_bytes(input));
    write_value(input, &json, 1);
  }
  us_json_close(&json, '}');
  REQUIRE(text.status == US_OK);
  kept = fuzz_keep(input, us_buffer_slice(&text));
  us_buffer_free(&text);
  return kept;
}

static us_slice *items(fuzz_input *input, us_value *value) {
  size_t i, count = fuzz_choose(input, 5);
  us_slice *list = fuzz_allocate(input, count * sizeof *list);
  for (i = 0; i < count; i++)
    list[i] = fuzz_bytes(input);
  value->count = count;
  return list;
}

static void content(fuzz_input *input, us_value *value) {
  value->kind = US_CONTENT;
  value->text = fuzz_bytes(input);
  value->filename = fuzz_bytes(input);
  value->content_type = fuzz_bytes(input);
  if (value->content_type.length == 0)
    value->content_type = us_text(us_multipart_type(value->filename));
}

static void text(fuzz_input *input, const us_parameter *row, us_value *value) {
  value->kind = US_TEXT;
  if (row->choices != NULL)
    value->text = a_choice(input, row->choices);
  else if (row->flags & US_DATE_TIME)
    value->text = fuzz_keep(input, us_text("2026-01-02 03:04:05"));
  else
    value->text = fuzz_bytes(input);
}

static us_slice objects(fuzz_input *input) {
  us_buffer list = {0};
  us_slice kept;
  size_t i, count = fuzz_choose(input, 3);
  us_buffer_reset(&list, US_LIMIT_BODY);
  us_buffer_append_byte(&list, '[');
  for (i = 0; i < count; i++) {
    if (i > 0) us_buffer_append_byte(&list, ',');
    us_buffer_append_slice(&list, world_object(input));
  }
  us_buffer_append_byte(&list, ']');
  kept = fuzz_keep(input, us_buffer_slice(&list));
  us_buffer_free(&list);
  return kept;
}

/* A value of the row's type that says something. */
static void typed(fuzz_input *input, const us_parameter *row, us_value *value) {
  bool second = (row->type & (row->type - 1)) != 0 && fuzz_choose(input, 2);
  if ((row->type & US_STRING) && !second) {
    text(input, row, value);
  } else if (row->type & US_INTEGER) {
    value->kind = US_NUMBER;
    value->integer = fuzz_integer(input);
  } else if (row->type & US_BOOLEAN) {
    value->kind = US_TRUTH;
    value->truth = fuzz_choose(input, 2);
  } else if (row->type & US_TABLE) {
    value->kind = US_JSON;
    value->text = world_object(input);
  } else if (row->type & US_TABLES) {
    value->kind = US_JSON;
    value->text = objects(input);
  } else if (row->type & US_LIST) {
    value->kind = US_ITEMS;
    value->items = items(input, value);
  } else {
    content(input, value);
  }
}

/* 0: as the row wants it; 1: absent; 2: null; 3: any text; else as typed. */
static void argument(fuzz_input *input, const us_parameter *row,
                     us_value *value) {
  unsigned how = fuzz_byte(input) % 8;
  memset(value, 0, sizeof *value);
  if (how == 1 || (how == 0 && !(row->flags & US_REQUIRED))) return;
  if (how == 2 && row->place == US_BODY) {
    value->kind = US_NULL;
  } else if (how == 0 && (row->type & US_STRING) && row->choices == NULL) {
    value->kind = US_TEXT;
    value->text = fuzz_keep(input, us_text("some-1"));
  } else if (how == 3 && (row->type & US_STRING)) {
    value->kind = US_TEXT;
    value->text = fuzz_bytes(input);
  } else {
    typed(input, row, value);
  }
}

/* "https://host" with a path of any bytes, or any bytes. */
static void base_url(fuzz_input *input, us_value *value) {
  static const char *const known[] = {"https://a.example",
                                      "http://127.0.0.1:8080/x/",
                                      "https://[::1]:1/a%2Fb//"};
  size_t how = fuzz_choose(input, 5);
  memset(value, 0, sizeof *value);
  value->kind = US_TEXT;
  value->text = how < 3 ? us_text(known[how]) : fuzz_bytes(input);
  if (how == 3 && value->text.length > 0) {
    us_slice bytes = value->text;
    char *joined = fuzz_allocate(input, bytes.length + 12);
    memcpy(joined, "https://e.f/", 12);
    memcpy(joined + 12, bytes.data, bytes.length);
    value->text = (us_slice){joined, bytes.length + 12};
  }
}

/* Part of the first of "key_id+secret|jwt". */
static bool is_usual(const char *credentials, const char *name) {
  const char *at = credentials != NULL ? strstr(credentials, name) : NULL;
  return at != NULL && at < credentials + strcspn(credentials, "|");
}

static void options(world *made, fuzz_input *input) {
  const us_provider *provider = made->provider;
  const char *usual = fuzz_choose(input, 4) < 3 ? provider->credentials : NULL;
  size_t i;
  for (i = 0; i < provider->option_count; i++) {
    const us_parameter *row = &provider->options[i];
    us_value *value = &made->options[i];
    if (strcmp(row->name, "base_url") == 0)
      base_url(input, value);
    else
      argument(input, row, value);
    if (is_usual(usual, row->name) && value->kind == US_ABSENT) {
      value->kind = US_TEXT;
      value->text = fuzz_keep(input, us_text("credential-1"));
    }
  }
}

/* Extra headers, as the binding lets them through. */
static void extra_headers(us_client *client, fuzz_input *input) {
  size_t count = fuzz_choose(input, 3);
  us_buffer_reset(&client->headers, US_LIMIT_HEADERS);
  while (count-- > 0) {
    const char *name = fuzz_string(input);
    us_slice value = fuzz_bytes(input);
    if (us_header_name_is_valid(us_text(name)) &&
        !us_header_name_is_reserved(us_text(name)) &&
        !us_has_line_break(value) &&
        !us_headers_has(&client->headers, us_text(name)))
      us_headers_add(&client->headers, name, value, true);
  }
}

/* Every problem is a sentence in the list. */
static void name_problems(us_problems *problems) {
  us_buffer list = {0};
  us_buffer_reset(&list, US_LIMIT_PROBLEMS + US_LIMIT_TEXT);
  us_problems_append(problems, &list);
  REQUIRE(list.status == US_OK && list.length > 0);
  us_buffer_free(&list);
}

const us_provider *world_provider(fuzz_input *input) {
  size_t i = fuzz_choose(input, us_provider_count + 1);
  return i < us_provider_count ? us_providers[i] : &world_stand_in;
}

bool world_open(world *made, fuzz_input *input) {
  us_slice agent;
  us_status status;
  bool insecure;
  memset(made, 0, sizeof *made);
  us_problems_reset(&made->problems);
  made->provider = world_provider(input);
  options(made, input);
  insecure = fuzz_choose(input, 2);
  us_client_check(made->provider, made->options, insecure, &made->problems);
  if (made->problems.count > 0) {
    name_problems(&made->problems);
    return false;
  }
  agent = fuzz_bytes(input);
  if (us_has_line_break(agent)) agent = us_text("");
  status = us_client_open(&made->client, made->provider, made->options, agent);
  if (status != US_OK) {
    REQUIRE(status == US_TOO_LARGE);
    return false;
  }
  extra_headers(&made->client, input);
  if (made->client.headers.status != US_OK) return false;
  return true;
}

void world_call(world *made, fuzz_input *input) {
  const us_provider *provider = made->provider;
  size_t i;
  made->method = &provider->methods[fuzz_choose(input, provider->method_count)];
  for (i = 0; i < made->method->count; i++)
    argument(input, &made->method->parameters[i], &made->arguments[i]);
  made->overriding = fuzz_choose(input, 4) == 3;
  for (i = 0; i < provider->option_count && made->overriding; i++)
    if (provider->options[i].flags & US_PER_CALL)
      argument(input, &provider->options[i], &made->overrides[i]);
}

const us_value *world_overrides(const world *made) {
  return made->overriding ? made->overrides : NULL;
}

bool world_check(world *made) {
  us_problems_reset(&made->problems);
  us_request_check(&made->client, made->method, made->arguments,
                   world_overrides(made), &made->problems);
  if (made->problems.count == 0) return true;
  name_problems(&made->problems);
  return false;
}

void world_close(world *made) {
  us_problems_free(&made->problems);
  us_client_close(&made->client);
}
