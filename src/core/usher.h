/* usher.h: what every layer shares: the version, the named limits, the status
   a core function returns and the kinds of error a user sees.
   Nothing here knows Lua, libcurl or a provider. */
#ifndef US_USHER_H
#define US_USHER_H

#include <stdbool.h>
#include <stddef.h>

#define US_VERSION "0.1.0"

/* Ceilings, in bytes unless said otherwise. Every buffer is born with one. */
#define US_LIMIT_URL ((size_t)1 << 16)
#define US_LIMIT_HEADERS ((size_t)1 << 16)
#define US_LIMIT_BODY ((size_t)64 << 20)
#define US_LIMIT_OPTION ((size_t)1 << 16)
#define US_LIMIT_TEXT ((size_t)1 << 12) /* messages and codes of errors */
#define US_LIMIT_PROBLEMS ((size_t)1 << 14)
#define US_LIMIT_ERROR_BODY ((size_t)2048)
#define US_LIMIT_OPTIONS 16    /* options a provider may declare */
#define US_LIMIT_PARAMETERS 16 /* parameters a row may declare */
#define US_LIMIT_JSON_DEPTH 64

/* Doubles are exact integers up to here: 2^53. */
#define US_EXACT_FLOAT 9007199254740992.0

#if defined(__GNUC__)
#define US_MUST_CHECK __attribute__((warn_unused_result))
#else
#define US_MUST_CHECK
#endif

typedef enum {
  US_OK,
  US_NO_MEMORY, /* malloc refused */
  US_TOO_LARGE, /* a named ceiling was reached */
  US_INVALID,   /* the caller's data cannot be sent; problems say why */
  US_CRYPTO     /* libcrypto refused */
} us_status;

/* The kinds of `err.kind`; us_kind_names holds their spelling. */
typedef enum {
  US_KIND_NETWORK,
  US_KIND_TIMEOUT,
  US_KIND_TLS,
  US_KIND_HTTP,
  US_KIND_API,
  US_KIND_RATE_LIMITED,
  US_KIND_REDIRECT,
  US_KIND_DECODE,
  US_KIND_PROTOCOL,
  US_KIND_TOO_LARGE,
  US_KIND_MEMORY,
  US_KIND_CANCELLED,
  US_KIND_COUNT
} us_kind;

/* Bytes somebody else owns. */
typedef struct {
  const char *data;
  size_t length;
} us_slice;

/* What the outside world looks like at one step of a call. */
typedef struct {
  double unix_time; /* seconds since 1970, for signatures and dates */
  double monotonic; /* seconds that never jump, for deadlines */
  double random;    /* uniform in [0, 1), for jitter and boundaries */
} us_moment;

#endif
