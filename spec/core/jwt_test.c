/* jwt_test.c: hashes, base64url, HS256 JWTs and the expiry of one. */
#include "core/sign.h"

#include "test.h"

static void hash_is(us_slice data, const char *expected) {
  unsigned char digest[US_SHA256_SIZE];
  us_buffer hex = {0};
  us_buffer_reset(&hex, 64);
  CHECK(us_sha256(data, digest) == US_OK);
  us_append_hex(&hex, digest, sizeof digest);
  CHECK(us_slice_is(us_buffer_slice(&hex), expected));
  us_buffer_free(&hex);
}

static void hashes_are_the_published_ones(void) {
  hash_is(us_text("abc"), "ba7816bf8f01cfea414140de5dae2223"
                          "b00361a396177a9cb410ff61f20015ad");
  hash_is(us_text("test-api-key~com.example.app~1700000000000"),
          "ff6ada759df8136fef594719c592f015"
          "828bd38aed5d252ba5f0669d8da6c039");
  hash_is(us_text("test-api-key~com.example.app~1700000000"),
          "cb5b9f1b79792704da8111d3c713f212"
          "bca1461bba1193606ceee31446bf460f");
}

typedef struct {
  const char *const *next;
} text_list;

static bool next_text(void *state, us_slice *text) {
  text_list *list = state;
  *text = us_text(*list->next);
  return *list->next++ != NULL;
}

static void many_hashes_are_those_of_each(void) {
  static const char *const of_abc[] = {"c", NULL};
  static const char *const of_nothing[] = {"", "", NULL};
  static const char *const none[] = {NULL};
  text_list list = {of_abc};
  us_buffer out = {0};
  us_buffer_reset(&out, 64);
  CHECK(us_append_digests(&out, us_text("ab"), next_text, &list) == US_OK);
  CHECK_BUFFER(out, "ba7816bf8f01cfea");
  us_buffer_reset(&out, 64);
  list.next = of_nothing;
  CHECK(us_append_digests(&out, us_text(""), next_text, &list) == US_OK);
  CHECK_BUFFER(out, "e3b0c44298fc1c14 e3b0c44298fc1c14");
  us_buffer_reset(&out, 64);
  list.next = none;
  CHECK(us_append_digests(&out, us_text("ab"), next_text, &list) == US_OK);
  CHECK(out.length == 0);
  us_buffer_reset(&out, 20);
  list.next = of_nothing;
  CHECK(us_append_digests(&out, us_text(""), next_text, &list) == US_TOO_LARGE);
  us_buffer_free(&out);
}

static void keyed_hashes_are_the_published_ones(void) {
  unsigned char digest[US_SHA256_SIZE];
  us_buffer hex = {0};
  us_buffer_reset(&hex, 64);
  CHECK(us_hmac_sha256(us_text("Jefe"), /* RFC 4231, test case 2 */
                       us_text("what do ya want for nothing?"),
                       digest) == US_OK);
  us_append_hex(&hex, digest, sizeof digest);
  CHECK_BUFFER(hex, "5bdcc146bf60754e6a042426089575c7"
                    "5a003f089d2739839dec58b964ec3843");
  CHECK(us_hmac_sha256(us_text(""), us_text(""), digest) == US_OK);
  us_buffer_free(&hex);
}

static void jwt_is(const char *payload, const char *expected) {
  us_buffer jwt = {0};
  us_buffer_reset(&jwt, 1000);
  us_buffer_append_text(&jwt, "Bearer "); /* what stood before is not signed */
  CHECK(us_jwt_append(
            &jwt,
            us_text("{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"app_test_"
                    "key\"}"),
            us_text(payload), us_text("test-secret")) == US_OK);
  CHECK(us_slice_is(us_buffer_slice(&jwt), expected));
  us_buffer_free(&jwt);
}

#define HEADER                                                                 \
  "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImFwcF90ZXN0X2tleSJ9."

static void tokens_are_the_known_ones(void) {
  jwt_is("{\"scope\":\"app\"}",
         HEADER "eyJzY29wZSI6ImFwcCJ9."
                "FO5zl__Vkv7G_7aMASi8h_pqJes51O_aE-l-p2zeGFA");
  jwt_is("{\"scope\":\"account\"}",
         HEADER "eyJzY29wZSI6ImFjY291bnQifQ."
                "yNNjjNCY0S9O1LVdVBAo8FM8U_Bazsd4-A34RSD5ZV0");
  jwt_is("{\"scope\":\"appUser\",\"userId\":\"bob@example.com\"}",
         HEADER "eyJzY29wZSI6ImFwcFVzZXIiLCJ1c2VySWQiOiJib2JAZXhhbXBsZS5jb20i"
                "fQ.bD9EEYXam7HH1fTRO1lFTekR3p6idDs7n98B6rZazvU");
}

static void a_token_that_does_not_fit_fails(void) {
  us_buffer jwt = {0};
  us_buffer_reset(&jwt, 20);
  CHECK(us_jwt_append(&jwt, us_text("{}"), us_text("{}"), us_text("s")) ==
        US_TOO_LARGE);
  us_buffer_free(&jwt);
}

static void base64url_goes_both_ways(void) {
  static const char *const rows[][2] = {
      {"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xff\xfe\xfd", "__79"},
      {"\xfb", "-w"}};
  static const char *const bad[] = {"Z",  "Zg==", "Zh",  "Zm9",
                                    "+/", "Z g",  "Zg\n"};
  us_buffer text = {0}, data = {0};
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    us_buffer_reset(&text, 100);
    us_buffer_reset(&data, 100);
    us_append_base64url(&text, us_text(rows[i][0]));
    CHECK(us_slice_is(us_buffer_slice(&text), rows[i][1]));
    CHECK(us_append_base64url_decoded(&data, us_text(rows[i][1])) == US_OK);
    CHECK(us_slice_is(us_buffer_slice(&data), rows[i][0]));
  }
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    CHECK(us_append_base64url_decoded(&data, us_text(bad[i])) == US_INVALID);
  CHECK(us_append_base64url_decoded(&data, BYTES("Zg\0\0")) == US_INVALID);
  us_buffer_free(&text);
  us_buffer_free(&data);
}

static bool expiry_of(const char *payload, double *seconds) {
  us_buffer token = {0};
  bool found;
  us_buffer_reset(&token, 10000);
  us_buffer_append_text(&token, "e30.");
  us_append_base64url(&token, us_text(payload));
  us_buffer_append_text(&token, ".c2ln");
  found = us_jwt_expiry(us_buffer_slice(&token), seconds);
  us_buffer_free(&token);
  return found;
}

static void expiry_is_read(void) {
  double at = 0;
  CHECK(expiry_of("{\"exp\":1700000000}", &at) && at == 1700000000);
  CHECK(expiry_of("{ \"iat\" : 1 ,\n\"exp\" : 2 }", &at) && at == 2);
  CHECK(expiry_of("{\"a\":{\"exp\":9},\"exp\":3.5}", &at) && at == 3.5);
  CHECK(expiry_of("{\"a\":[\"exp\",9],\"exp\":0}", &at) && at == 0);
  CHECK(expiry_of("{\"s\":\"\\\"exp\\\":9\",\"exp\":4}", &at) && at == 4);
  CHECK(expiry_of("{\"s\":\"}{\\\\\",\"exp\":5}", &at) && at == 5);
}

static void what_is_no_expiry_is_not_read(void) {
  static const char *const none[] = {"",
                                     "{}",
                                     "{\"exp\":\"1\"}",
                                     "{\"exp\":-1}",
                                     "{\"exp\":",
                                     "{\"exp\"",
                                     "{\"exp",
                                     "[\"exp\",1]",
                                     "\"exp\":1",
                                     "{\"exp\":1e99}",
                                     "{\"a\":{\"exp\":1}}",
                                     "{\"a\":\"exp\"}",
                                     "{\"exp \":1}",
                                     "{\"exp\":null}",
                                     "{\"\\"};
  static const char *const tokens[] = {"",      ".",      "a.b",  "..",
                                       "a.!.b", "opaque", "a.Z.b"};
  double at;
  size_t i;
  for (i = 0; i < sizeof none / sizeof none[0]; i++)
    if (expiry_of(none[i], &at)) test_fail(__FILE__, __LINE__, none[i]);
  for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
    CHECK(!us_jwt_expiry(us_text(tokens[i]), &at));
}

static void comparing_takes_all_bytes(void) {
  CHECK(us_equal_in_constant_time(us_text(""), us_text("")));
  CHECK(us_equal_in_constant_time(BYTES("a\0b"), BYTES("a\0b")));
  CHECK(!us_equal_in_constant_time(BYTES("a\0b"), BYTES("a\0c")));
  CHECK(!us_equal_in_constant_time(us_text("a"), us_text("ab")));
}

static void wiping_leaves_nothing(void) {
  char text[] = "secret";
  us_wipe(text, sizeof text);
  CHECK_TEXT(test_bytes(text, sizeof text), "\0\0\0\0\0\0\0");
  us_wipe(NULL, 5);
}

int main(void) {
  hashes_are_the_published_ones();
  many_hashes_are_those_of_each();
  keyed_hashes_are_the_published_ones();
  tokens_are_the_known_ones();
  a_token_that_does_not_fit_fails();
  base64url_goes_both_ways();
  expiry_is_read();
  what_is_no_expiry_is_not_read();
  comparing_takes_all_bytes();
  wiping_leaves_nothing();
  return test_result();
}
