/* outcome.h: how a transfer ended, as the error contract puts it.
   A pure translation: no handle is touched here. */
#ifndef US_CURL_OUTCOME_H
#define US_CURL_OUTCOME_H

#include <curl/curl.h>
#include <stdbool.h>

/* Why one of our callbacks told libcurl to stop. */
typedef enum {
  US_STOP_NONE,
  US_STOP_TOO_LARGE_HEAD,
  US_STOP_TOO_LARGE_BODY,
  US_STOP_NO_MEMORY,
  US_STOP_NOISE, /* the connection held bytes nobody asked for */
  US_STOP_REPLAY /* libcurl was about to send the request again */
} us_stop;

typedef struct {
  const char *kind; /* NULL: an answer came, status is its status */
  long status;
  bool sent; /* the request may have been acted on */
  char message[CURL_ERROR_SIZE];
} us_transfer_outcome;

/* What happened, as far as we know. */
typedef struct {
  CURLcode code;
  us_stop stop;
  bool issued;        /* a request was about to be written at least once */
  bool head_complete; /* the head of the response has come */
  const char *doubt;  /* about where the response ends; NULL: none */
  long status;
  const char *detail; /* libcurl's own text, may be empty */
  bool no_memory;     /* libcurl wanted memory meanwhile and got none */
} us_evidence;

void us_outcome_decide(us_transfer_outcome *outcome,
                       const us_evidence *evidence);
/* An outcome of our own making. */
void us_outcome_fail(us_transfer_outcome *outcome, const char *kind,
                     const char *message, bool sent);

#endif
