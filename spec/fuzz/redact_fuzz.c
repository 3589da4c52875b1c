/* redact_fuzz.c: a text in which secrets are said back in any spelling. After
   redaction no secret can be read out of it, and where there was none it is
   what it was. */
#include "core/redact.h"

#include <stdlib.h>

#include "json_grammar.h"
#include "spelling.h"
#include "world.h"

#define SECRETS 4
#define SHORTEST 4

typedef struct {
  us_slice secrets[SECRETS];
  size_t count;
  us_buffer list;
} known;

/* The mask could complete a secret with a star. */
static bool may_be_checked(us_slice secret) {
  return secret.length >= SHORTEST &&
         memchr(secret.data, '*', secret.length) == NULL;
}

static void learn(known *of, fuzz_input *input) {
  size_t count = fuzz_choose(input, SECRETS) + 1;
  us_buffer_reset(&of->list, US_LIMIT_BODY);
  while (of->count < count) {
    of->secrets[of->count] = fuzz_bytes(input);
    us_secrets_add(&of->list, of->secrets[of->count++]);
  }
}

static void write_text(const known *of, fuzz_input *input, us_buffer *text) {
  size_t i, pieces = fuzz_choose(input, 8);
  for (i = 0; i < pieces; i++) {
    us_buffer_append_slice(text, fuzz_bytes(input));
    spelling_append(text, of->secrets[fuzz_choose(input, of->count)], input);
  }
  us_buffer_append_slice(text, fuzz_rest(input));
  if (text->length > US_LIMIT_TEXT) us_buffer_truncate(text, US_LIMIT_TEXT);
}

static bool holds_any(const known *of, us_slice text) {
  size_t i;
  for (i = 0; i < of->count; i++)
    if (may_be_checked(of->secrets[i]) && spelling_occurs(text, of->secrets[i]))
      return true;
  return false;
}

static void texts(fuzz_input *input) {
  known of = {{{NULL, 0}}, 0, {0}};
  us_buffer text = {0};
  us_slice before;
  learn(&of, input);
  us_buffer_reset(&text, US_LIMIT_BODY);
  write_text(&of, input, &text);
  if (of.list.status == US_OK && text.status == US_OK) {
    before = fuzz_keep(input, us_buffer_slice(&text));
    us_redact(&text, &of.list);
    REQUIRE(text.status == US_OK && text.length <= before.length);
    REQUIRE(!holds_any(&of, us_buffer_slice(&text)));
    if (!us_slice_equal(us_buffer_slice(&text), before))
      REQUIRE(fuzz_contains(us_buffer_slice(&text), us_text("***")));
  }
  us_buffer_free(&text);
  us_buffer_free(&of.list);
}

/* A text that was cut within a secret shows no more than its first letters. */
static void tails(fuzz_input *input) {
  us_slice secret = fuzz_bytes(input), start = secret, before;
  us_buffer list = {0}, text = {0};
  if (!may_be_checked(secret)) return;
  us_buffer_reset(&list, US_LIMIT_BODY);
  us_secrets_add(&list, secret);
  start.length = SHORTEST + fuzz_choose(input, secret.length - SHORTEST + 1);
  us_buffer_reset(&text, US_LIMIT_BODY);
  spelling_append(&text, start, input);
  if (spelling_occurs(us_buffer_slice(&text), start)) {
    before = us_buffer_slice(&text);
    spelling_append(
        &text,
        (us_slice){secret.data + start.length, secret.length - start.length},
        input);
    us_buffer_truncate(&text, before.length + fuzz_choose(input, 256));
    us_redact(&text, &list);
    REQUIRE(!spelling_occurs(us_buffer_slice(&text), start));
  }
  us_buffer_free(&list);
  us_buffer_free(&text);
}

/* No string among the events can be read out of the text. */
static void holds_no_string(us_slice text, us_slice events) {
  const char *at = events.data, *end = events.data + events.length;
  while (at < end) {
    us_slice string = {NULL, 0};
    if (*at == JSON_NAME || *at == JSON_STRING || *at == 'i' || *at == 'd') {
      char *space;
      string.length = strtoul(at + 1, &space, 10);
      string.data = space + 1;
    }
    if (*at == JSON_STRING && may_be_checked(string))
      REQUIRE(!spelling_occurs(text, string));
    at = string.data != NULL ? string.data + string.length + 1 : at + 2;
  }
}

/* Every string of a table that is secret is a secret. */
static void objects(fuzz_input *input) {
  us_slice object = world_object(input);
  us_buffer list = {0}, text = {0}, events = {0};
  us_buffer_reset(&list, US_LIMIT_BODY);
  us_buffer_reset(&events, US_LIMIT_BODY);
  us_secrets_add_json(&list, object);
  REQUIRE(list.status == US_OK);
  REQUIRE(us_buffer_set(&text, US_LIMIT_BODY, object) == US_OK);
  REQUIRE(json_grammar_reads(object, US_LIMIT_JSON_DEPTH, true, &events));
  us_redact(&text, &list);
  REQUIRE(text.length <= object.length);
  holds_no_string(us_buffer_slice(&text), us_buffer_slice(&events));
  us_buffer_free(&list);
  us_buffer_free(&text);
  us_buffer_free(&events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  switch (fuzz_choose(&input, 4)) {
  case 0: objects(&input); break;
  case 1: tails(&input); break;
  default: texts(&input); break;
  }
  fuzz_end(&input);
  return 0;
}
