/* token_fuzz.c: how tokens are spelled and read: hex, base64url, JWTs, their
   expiry, and the comparison that takes its time. */
#include <stdlib.h>

#include "core/sign.h"

#include "fuzz.h"
#include "json_grammar.h"
#include "wire_grammar.h"

#define CEILING ((size_t)1 << 20)

static us_buffer buffer(void) {
  us_buffer made = {0};
  us_buffer_reset(&made, CEILING);
  return made;
}

static void encoding_reads_back(fuzz_input *input) {
  us_slice bytes = fuzz_rest(input);
  us_buffer text = buffer(), back = buffer(), hex = buffer();
  size_t i;
  us_append_base64url(&text, bytes);
  REQUIRE(text.status == US_OK && text.length == (bytes.length * 4 + 2) / 3);
  REQUIRE(us_append_base64url_decoded(
              &back, fuzz_keep(input, us_buffer_slice(&text))) == US_OK);
  REQUIRE(us_slice_equal(us_buffer_slice(&back), bytes));
  us_append_hex(&hex, (const unsigned char *)bytes.data, bytes.length);
  REQUIRE(hex.length == 2 * bytes.length);
  for (i = 0; i < bytes.length; i++) {
    char two[3];
    snprintf(two, sizeof two, "%02x", (unsigned)(unsigned char)bytes.data[i]);
    REQUIRE(memcmp(hex.data + 2 * i, two, 2) == 0);
  }
  us_buffer_free(&text);
  us_buffer_free(&back);
  us_buffer_free(&hex);
}

/* A text is refused, or is the one way to write what it stands for. */
static void decoding_is_strict(fuzz_input *input) {
  us_slice text = fuzz_rest(input);
  us_buffer bytes = buffer(), again = buffer();
  us_status status = us_append_base64url_decoded(&bytes, text);
  REQUIRE(status == US_OK || status == US_INVALID);
  if (status == US_OK) {
    us_append_base64url(&again, us_buffer_slice(&bytes));
    REQUIRE(us_slice_equal(us_buffer_slice(&again), text));
  }
  us_buffer_free(&bytes);
  us_buffer_free(&again);
}

static void is_encoded(us_slice text, us_slice value) {
  us_buffer back = buffer();
  REQUIRE(us_append_base64url_decoded(&back, text) == US_OK);
  REQUIRE(us_slice_equal(us_buffer_slice(&back), value));
  us_buffer_free(&back);
}

/* header.payload.signature, and the signature is of what is before it. */
static void tokens_are_whole(fuzz_input *input) {
  us_slice header = fuzz_bytes(input), payload = fuzz_bytes(input);
  us_slice secret = fuzz_bytes(input), rest, first, second;
  unsigned char digest[US_SHA256_SIZE];
  us_slice signature = {(const char *)digest, sizeof digest}, input_text;
  us_buffer jwt = buffer();
  REQUIRE(us_jwt_append(&jwt, header, payload, secret) == US_OK);
  rest = us_buffer_slice(&jwt);
  REQUIRE(wire_is_graphic(rest));
  REQUIRE(wire_piece(&rest, '.', &first) && wire_piece(&rest, '.', &second));
  input_text = (us_slice){jwt.data, first.length + 1 + second.length};
  is_encoded(first, header);
  is_encoded(second, payload);
  REQUIRE(us_hmac_sha256(secret, input_text, digest) == US_OK);
  is_encoded(rest, signature);
  us_buffer_free(&jwt);
}

static void any_token(fuzz_input *input) {
  double seconds = -1;
  if (us_jwt_expiry(fuzz_rest(input), &seconds))
    REQUIRE(seconds >= 0 && seconds < 1e15);
}

/* A text whose one "exp" is plain to see. */
static bool is_plain(us_slice text) {
  us_slice name = us_text("\"exp\"");
  size_t i, count = 0;
  for (i = 0; i < text.length; i++) {
    us_slice here = {text.data + i, name.length};
    if (text.data[i] == '\\') return false;
    if (text.length - i >= name.length && us_slice_equal(here, name)) count++;
  }
  return count == 1 && text.data[0] == '{';
}

/* The event behind the name "exp" at depth 1, or NULL. */
static const char *member(const us_buffer *events) {
  const char *at = events->data, *end = events->data + events->length;
  int depth = 0;
  while (at < end) {
    size_t length = 0;
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    if (strchr("ksid", *at) != NULL)
      length = (size_t)strtol(at + 1, NULL, 10) + strcspn(at, " ");
    if (depth == 1 && strncmp(at, "k3 exp\n", 7) == 0) return at + 7;
    at += length + 2;
  }
  return NULL;
}

/* Of a payload that is JSON the expiry is what the grammar finds. */
static void expiry_is_the_members(fuzz_input *input) {
  us_slice payload = fuzz_rest(input);
  us_buffer events = buffer(), token = buffer();
  double seconds = -1;
  bool found;
  us_buffer_append_text(&token, "e30.");
  us_append_base64url(&token, payload);
  us_buffer_append_text(&token, ".x");
  found = us_jwt_expiry(fuzz_keep(input, us_buffer_slice(&token)), &seconds);
  REQUIRE(!found || (seconds >= 0 && seconds < 1e15));
  if (is_plain(payload) && json_grammar_reads(payload, 100, true, &events)) {
    const char *event = member(&events);
    double expected = -1;
    if (event != NULL && strchr("id", event[0]) != NULL)
      expected = strtod(strchr(event, ' '), NULL);
    if (expected != 0) /* of -0 one may think either way */
      REQUIRE(found == (expected > 0 && expected < 1e15));
    if (found) REQUIRE(seconds == expected);
  }
  us_buffer_free(&events);
  us_buffer_free(&token);
}

static void comparing(fuzz_input *input) {
  us_slice a = fuzz_bytes(input), b = fuzz_bytes(input);
  REQUIRE(us_equal_in_constant_time(a, b) == us_slice_equal(a, b));
  REQUIRE(us_equal_in_constant_time(a, fuzz_keep(input, a)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const checks[])(fuzz_input *) = {
      encoding_reads_back, decoding_is_strict,    tokens_are_whole,
      any_token,           expiry_is_the_members, comparing};
  fuzz_input input = fuzz_start(data, size);
  checks[fuzz_choose(&input, sizeof checks / sizeof checks[0])](&input);
  fuzz_end(&input);
  return 0;
}
