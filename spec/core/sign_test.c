/* sign_test.c: a libcrypto that refuses. HMAC, EVP_Digest and EVP_DigestInit_ex
   here stand in for those of libcrypto, which nothing in this program reaches.
 */
#include "core/sign.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/call.h"
#include "test.h"

/* What is left in the queue by a failure; 0: nothing. */
static int reason;

unsigned char *HMAC(const EVP_MD *type, const void *key, int key_length,
                    const unsigned char *data, size_t length,
                    unsigned char *digest, unsigned int *size) {
  (void)type;
  (void)key;
  (void)key_length;
  (void)data;
  (void)length;
  (void)digest;
  (void)size;
  if (reason != 0) ERR_raise(ERR_LIB_EVP, reason);
  return NULL;
}

int EVP_Digest(const void *data, size_t length, unsigned char *digest,
               unsigned int *size, const EVP_MD *type, ENGINE *engine) {
  (void)engine;
  return HMAC(type, NULL, 0, data, length, digest, size) != NULL;
}

int EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine) {
  (void)context;
  (void)engine;
  return HMAC(type, NULL, 0, NULL, 0, NULL, NULL) != NULL;
}

static bool next_text(void *state, us_slice *text) {
  *text = us_text("x");
  return --*(int *)state >= 0;
}

static us_status many_hashes(void) {
  us_buffer out = {0};
  int left = 2;
  us_status status;
  us_buffer_reset(&out, 1000);
  status = us_append_digests(&out, us_text("k"), next_text, &left);
  CHECK(left == 1 && out.length == 0);
  us_buffer_free(&out);
  return status;
}

static void no_hash_is_told_from_no_memory(void) {
  unsigned char digest[US_SHA256_SIZE];
  reason = ERR_R_UNSUPPORTED;
  CHECK(us_sha256(us_text("x"), digest) == US_CRYPTO);
  CHECK(us_hmac_sha256(us_text("k"), us_text("x"), digest) == US_CRYPTO);
  CHECK(many_hashes() == US_CRYPTO);
  reason = ERR_R_MALLOC_FAILURE;
  CHECK(us_sha256(us_text("x"), digest) == US_NO_MEMORY);
  CHECK(us_hmac_sha256(us_text("k"), us_text("x"), digest) == US_NO_MEMORY);
  CHECK(many_hashes() == US_NO_MEMORY);
  reason = 0;
  CHECK(us_sha256(us_text("x"), digest) == US_NO_MEMORY);
}

/* The queue is the host program's too. */
static void nothing_is_left_in_the_queue(void) {
  unsigned char digest[US_SHA256_SIZE];
  reason = ERR_R_UNSUPPORTED;
  CHECK(us_sha256(us_text("x"), digest) == US_CRYPTO);
  CHECK(ERR_peek_error() == 0);
}

static void a_token_that_cannot_be_signed_is_none(void) {
  us_buffer out = {0};
  us_buffer_reset(&out, 1000);
  reason = ERR_R_UNSUPPORTED;
  CHECK(us_jwt_append(&out, us_text("{}"), us_text("{}"), us_text("k")) ==
        US_CRYPTO);
  us_buffer_free(&out);
}

/* A call of eRTC, whose every attempt is signed, as far as it gets. */
static us_kind kind_of_failure(void) {
  static const us_limits limits = {30, 5, 120, 2, 8 << 20};
  const us_provider *provider = us_provider_find(us_text("ertc"));
  us_value options[US_LIMIT_OPTIONS] = {{0}}, values[1] = {{0}};
  us_moment now = {1700000000, 1700000000, 0.5};
  us_client client = {0};
  us_call call = {0};
  us_action action = US_DONE;
  us_kind kind;
  values[0].kind = US_TEXT;
  values[0].text = us_text("u");
  CHECK(us_client_open(&client, provider, options, us_text("")) == US_OK);
  CHECK(us_call_begin(&call, &client,
                      us_method_find(provider, us_text("reset_badge_count")),
                      values, NULL, &limits, now) == US_OK);
  CHECK(us_call_preview(&call, now) != US_OK);
  CHECK(us_call_next(&call, NULL, now, &action) == US_OK);
  CHECK(action == US_FAIL);
  CHECK(!call.error.request_sent);
  kind = call.error.kind;
  us_call_free(&call);
  us_client_close(&client);
  return kind;
}

static void a_call_that_cannot_be_signed_is_not_sent(void) {
  reason = ERR_R_UNSUPPORTED;
  CHECK(kind_of_failure() == US_KIND_PROTOCOL);
  reason = ERR_R_MALLOC_FAILURE;
  CHECK(kind_of_failure() == US_KIND_MEMORY);
}

int main(void) {
  no_hash_is_told_from_no_memory();
  nothing_is_left_in_the_queue();
  a_token_that_cannot_be_signed_is_none();
  a_call_that_cannot_be_signed_is_not_sent();
  return test_result();
}
