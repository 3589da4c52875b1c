/* client.h: what the calls of one client share: options and credentials,
   tokens, limits, the retry budget. No request is made here. */
#ifndef US_CLIENT_H
#define US_CLIENT_H

#include "core/check.h"
#include "core/headers.h"

/* Limits of a call; a call may override them. Times in seconds. */
typedef struct {
  double timeout;              /* one attempt */
  double connect_timeout;      /* of it, until connected */
  double deadline;             /* the whole call with its retries */
  long long retries;           /* beside the first attempt */
  long long max_response_size; /* bytes, decompressed */
} us_limits;

struct us_client {
  const us_provider *provider;         /* NULL: never opened, or closed */
  us_buffer options[US_LIMIT_OPTIONS]; /* by row; empty: unset */
  us_buffer user_agent;
  us_buffer headers; /* extra ones, on every request */
  us_buffer secrets; /* of the host, such as a proxy's: a list of redact.h */
  us_buffer cache;   /* what authorize derives once and keeps */
  us_limits limits;
  int budget;                 /* of retries, in tenths (retry.h) */
  bool token_managed;         /* we fetched the token and may replace it */
  double token_expiry;        /* Unix seconds; 0: not known */
  unsigned long token_serial; /* counts tokens */
  double vain_until; /* monotonic: a 403 is not the token's until then */
  const void *token_fetcher; /* the one call that fetches a token now, */
  double token_fetch_ends;   /* at the latest then (monotonic) */
};

/* Checks option values against the provider's rows, all together. */
void us_client_check(const us_provider *provider, const us_value *values,
                     bool insecure_http, us_problems *problems);
/* Fills a zeroed client from checked values. On failure the client is to be
   closed. `limits` and extra headers are set by the caller afterwards. */
US_MUST_CHECK us_status us_client_open(us_client *client,
                                       const us_provider *provider,
                                       const us_value *values,
                                       us_slice user_agent);
/* Wipes and forgets everything; again does nothing. */
void us_client_close(us_client *client);

/* The option's value; empty when unset or unknown. */
us_slice us_client_option(const us_client *client, const char *name);
US_MUST_CHECK us_status us_client_set(us_client *client, const char *name,
                                      us_slice value);
/* The first set option of "a|b"; empty when none is. */
us_slice us_client_first(const us_client *client, const char *names);

/* True when calls need a token and the one held is absent or expired. */
bool us_client_needs_token(const us_client *client, double unix_time);
/* Takes a fetched token and reads its expiry. */
US_MUST_CHECK us_status us_client_take_token(us_client *client, us_slice token);
/* Forgets token number `serial` because the server refused it; a newer one
   stays. False when the token is not ours to replace. */
bool us_client_drop_token(us_client *client, unsigned long serial);

/* Adds every credential to a list of redact.h. */
void us_client_add_secrets(const us_client *client, us_buffer *list);

#endif
