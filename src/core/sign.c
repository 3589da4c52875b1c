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
