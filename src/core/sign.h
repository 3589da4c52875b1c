/* sign.h: hashes, keyed hashes, base64url, JWTs, comparison and wiping.
   Pure functions of their arguments; sign.c alone knows OpenSSL. */
#ifndef US_SIGN_H
#define US_SIGN_H

#include "core/buffer.h"

#define US_SHA256_SIZE 32

/* To be called first. libcrypto 3.0 that had no memory to start says so only
   here: used all the same, it crashes. */
US_MUST_CHECK us_status us_crypto_start(void);
US_MUST_CHECK us_status us_sha256(us_slice data,
                                  unsigned char digest[US_SHA256_SIZE]);
/* The next text; false when there is none. */
typedef bool us_next_text(void *state, us_slice *text);
/* Appends, for each text, the first 16 digits of the SHA-256 of `prefix`
   and the text, with spaces between: many at the price of few. */
US_MUST_CHECK us_status us_append_digests(us_buffer *out, us_slice prefix,
                                          us_next_text *next, void *state);
US_MUST_CHECK us_status us_hmac_sha256(us_slice key, us_slice data,
                                       unsigned char digest[US_SHA256_SIZE]);
/* Takes the same time whatever the bytes; unequal lengths are unequal. */
bool us_equal_in_constant_time(us_slice a, us_slice b);
/* Overwrites in a way no compiler drops; NULL is fine. */
void us_wipe(void *data, size_t length);

/* Writes two digits for each byte. */
void us_write_hex(char *out, const unsigned char *data, size_t length);
void us_append_hex(us_buffer *out, const unsigned char *data, size_t length);
/* RFC 4648 section 5, without padding. */
void us_append_base64url(us_buffer *out, us_slice data);
US_MUST_CHECK us_status us_append_base64url_decoded(us_buffer *out,
                                                    us_slice text);

/* Appends header.payload.signature (RFC 7515, HS256) of two JSON texts. */
US_MUST_CHECK us_status us_jwt_append(us_buffer *out, us_slice header,
                                      us_slice payload, us_slice secret);
/* Reads `exp` (Unix seconds, RFC 7519 section 4.1.4) out of a JWT without
   verifying it; false when there is none that can be read. */
bool us_jwt_expiry(us_slice token, double *seconds);

#endif
