/* retry.h: whether and when a failed attempt is repeated. Pure: the same
   outcome gives the same decision. No clock, no state. */
#ifndef US_RETRY_H
#define US_RETRY_H

#include "core/buffer.h"

#define US_BACKOFF_FIRST 0.25 /* seconds: the ceiling of the first wait */
#define US_BACKOFF_CAP 8.0
#define US_RETRY_AFTER_CAP 1e6 /* seconds; what is said beyond counts as it */
/* A client's retry budget, in tenths of a retry: ten retries at first, a tenth
   earned by each success. Once it is empty a provider that fails gets at most
   1.1 requests a call. */
#define US_BUDGET_FULL 100
#define US_BUDGET_RETRY 10
#define US_BUDGET_SUCCESS 1

/* How an attempt ended. */
typedef struct {
  us_kind kind;       /* never an answer that was a success */
  int status;         /* 0: no answer */
  bool sent;          /* the request may have been acted on */
  double retry_after; /* seconds; below 0: not said */
  bool idempotent;    /* of the method */
  int attempt;        /* 1 for the first */
  int retries;        /* allowed beside the first */
  double remaining;   /* seconds until the deadline */
  int budget;         /* of the client, in tenths */
  double random;      /* [0, 1) */
} us_outcome;

typedef struct {
  bool retryable; /* the same call could be made again safely */
  bool retry;     /* and it is to be, after `wait` */
  double wait;    /* seconds */
} us_decision;

us_decision us_retry_decide(const us_outcome *outcome);

/* Reads Retry-After (RFC 9110 section 10.2.3): seconds, or any of the three
   date forms against `unix_time`. Below 0: absent or not understood. */
double us_retry_after(us_slice value, double unix_time);

#endif
