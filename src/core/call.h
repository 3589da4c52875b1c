/* call.h: one call of one method as a state machine. It never touches a
   socket and never waits: it says what to do next, and is told how it went.

     us_call_begin(call, ...)
     us_call_next(call, NULL, ...)   -> US_SEND:  send us_call_request(call)
     us_call_next(call, &reply, ...) -> US_SEND, or
                                        US_SLEEP: wait call->wait seconds,
                                                  then next(NULL)
                                        US_DONE:  the reply is the result
                                        US_FAIL:  call->error says why     */
#ifndef US_CALL_H
#define US_CALL_H

#include "core/request.h"
#include "core/response.h"

typedef enum { US_SEND, US_SLEEP, US_DONE, US_FAIL } us_action;

typedef enum {
  US_CALL_READY, /* a request is to be prepared */
  US_CALL_SENT,  /* a reply is awaited */
  US_CALL_OVER
} us_call_state;

typedef struct {
  us_client *client;
  const us_provider *provider;
  const us_method *method;
  us_call_state state;
  us_request request;       /* the method's own */
  us_request token_request; /* the provider's token method, when needed */
  const us_method *token_method;
  bool fetching_token;
  bool fetched;               /* this call has fetched a token */
  bool renewed;               /* the token was replaced once already */
  unsigned long token_serial; /* of the token the last attempt carried */
  int attempts;               /* of the method, for the user */
  int tries;                  /* of the request in hand, for the backoff */
  bool maybe_acted;           /* an attempt's outcome is unknown */
  us_limits limits;
  double started;         /* monotonic seconds */
  double attempt_timeout; /* seconds for the attempt in hand */
  double wait;            /* seconds, with US_SLEEP */
  bool retrying;          /* the wait is for a retry, of call->error */
  us_error error;
  us_buffer secrets; /* secret arguments: a list of redact.h */
} us_call;

/* Builds the request from values that were checked. `call` is zeroed. */
US_MUST_CHECK us_status us_call_begin(us_call *call, us_client *client,
                                      const us_method *method,
                                      const us_value *values,
                                      const us_value *overrides,
                                      const us_limits *limits, us_moment now);
/* `reply` is NULL unless the last action was US_SEND. US_INVALID when it does
   not fit; other failures are US_FAIL with an error. */
US_MUST_CHECK us_status us_call_next(us_call *call, const us_reply *reply,
                                     us_moment now, us_action *action);
/* Instead of sending: the host's rate limit wants the attempt `wait` seconds
   later. US_SLEEP, after which it is prepared anew, or US_FAIL when that is
   beyond the deadline. */
US_MUST_CHECK us_status us_call_defer(us_call *call, double wait, us_moment now,
                                      us_action *action);
/* Adds the credentials to the method's own request without taking part in
   the state machine: what a dry run shows. */
US_MUST_CHECK us_status us_call_preview(us_call *call, us_moment now);
/* The host gives up: it cannot wait, or an attempt's outcome will never be
   told. The call has failed, and its error says so. */
void us_call_abort(us_call *call, us_kind kind, us_slice message);
/* The request to send now, and the method it is of. */
const us_request *us_call_request(const us_call *call);
const us_method *us_call_current(const us_call *call);
/* Whether it may have to fetch a token, for itself and for all others. */
bool us_call_may_fetch(const us_call *call);
void us_call_free(us_call *call);

#endif
