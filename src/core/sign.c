/* sign.c: the cryptographic primitives, all of libcrypto that usher uses.
   What is signed, and how it is spelled, belongs to jwt.c and providers. */
#include "core/sign.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* A hash fails where libcrypto's configuration has none, and else for want of
   memory, for which libcrypto has many words. The error queue belongs to the
   host program too: nothing of ours stays there. */
static us_status result(int ok) {
  bool unsupported = false, no_memory = false;
  unsigned long error;
  if (ok == 1) return US_OK;
  while ((error = ERR_get_error()) != 0) {
    if (ERR_GET_REASON(error) == ERR_R_UNSUPPORTED) unsupported = true;
    if (ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE) no_memory = true;
  }
  return unsupported && !no_memory ? US_CRYPTO : US_NO_MEMORY;
}

us_status us_crypto_start(void) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  if (OSSL_LIB_CTX_get0_global_default() == NULL) return US_NO_MEMORY;
#endif
  return US_OK;
}

us_status us_sha256(us_slice data, unsigned char digest[US_SHA256_SIZE]) {
  unsigned size = US_SHA256_SIZE;
  ERR_clear_error();
  return result(
      EVP_Digest(data.data, data.length, digest, &size, EVP_sha256(), NULL));
}

/* Into a context that was begun before, without `type`. */
static bool digest_pair(EVP_MD_CTX *context, const EVP_MD *type,
                        us_slice prefix, us_slice text,
                        unsigned char digest[US_SHA256_SIZE]) {
  return EVP_DigestInit_ex(context, type, NULL) == 1 &&
         EVP_DigestUpdate(context, prefix.data, prefix.length) == 1 &&
         EVP_DigestUpdate(context, text.data, text.length) == 1 &&
         EVP_DigestFinal_ex(context, digest, NULL) == 1;
}

us_status us_append_digests(us_buffer *out, us_slice prefix, us_next_text *next,
                            void *state) {
  enum { SIZE = 8 };
  EVP_MD_CTX *context;
  const EVP_MD *type = EVP_sha256();
  us_slice text;
  bool ok;
  ERR_clear_error();
  context = EVP_MD_CTX_new();
  ok = context != NULL;
  while (ok && next(state, &text)) {
    unsigned char digest[US_SHA256_SIZE];
    ok = digest_pair(context, type, prefix, text, digest);
    if (type == NULL) us_buffer_append_byte(out, ' ');
    if (ok) us_append_hex(out, digest, SIZE);
    type = NULL;
  }
  EVP_MD_CTX_free(context);
  return ok ? out->status : result(0);
}

us_status us_hmac_sha256(us_slice key, us_slice data,
                         unsigned char digest[US_SHA256_SIZE]) {
  unsigned size = US_SHA256_SIZE;
  if (key.length > INT_MAX) return US_TOO_LARGE;
  ERR_clear_error();
  return result(HMAC(EVP_sha256(), key.length ? key.data : "", (int)key.length,
                     (const unsigned char *)data.data, data.length, digest,
                     &size) != NULL);
}

bool us_equal_in_constant_time(us_slice a, us_slice b) {
  return a.length == b.length &&
         (a.length == 0 || CRYPTO_memcmp(a.data, b.data, a.length) == 0);
}

void us_wipe(void *data, size_t length) {
  if (data != NULL) OPENSSL_cleanse(data, length);
}
