/* outcome.c: from libcurl's codes to the kinds of our error contract. */
#include "curl/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char NETWORK[] = "network";
static const char TIMEOUT[] = "timeout";
static const char TLS[] = "tls";
static const char PROTOCOL[] = "protocol";
static const char TOO_LARGE[] = "too_large";
static const char MEMORY[] = "memory";

/* What is not listed is of the network: CURLE_HTTP2 as well, for that is what a
   goodbye of the server turns into when it crosses a request. */
static const struct {
  CURLcode code;
  const char *kind;
} kinds[] = {
    {CURLE_OPERATION_TIMEDOUT, TIMEOUT},
    {CURLE_PEER_FAILED_VERIFICATION, TLS},
    {CURLE_SSL_CONNECT_ERROR, TLS},
    {CURLE_SSL_ENGINE_NOTFOUND, TLS},
    {CURLE_SSL_ENGINE_SETFAILED, TLS},
    {CURLE_SSL_ENGINE_INITFAILED, TLS},
    {CURLE_SSL_CERTPROBLEM, TLS},
    {CURLE_SSL_CIPHER, TLS},
    {CURLE_SSL_CACERT_BADFILE, TLS},
    {CURLE_SSL_CRL_BADFILE, TLS},
    {CURLE_SSL_ISSUER_ERROR, TLS},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, TLS},
    {CURLE_SSL_CLIENTCERT, TLS},
    {CURLE_USE_SSL_FAILED, TLS},
    {CURLE_UNSUPPORTED_PROTOCOL, PROTOCOL}, /* HTTP/0.9 */
    {CURLE_URL_MALFORMAT, PROTOCOL},
    {CURLE_WEIRD_SERVER_REPLY, PROTOCOL},
    {CURLE_BAD_FUNCTION_ARGUMENT, PROTOCOL}, /* a fold without a header */
    {CURLE_WRITE_ERROR, PROTOCOL},           /* ours have a us_stop */
    {CURLE_BAD_CONTENT_ENCODING, PROTOCOL},
    {CURLE_FILESIZE_EXCEEDED, TOO_LARGE},
    {CURLE_OUT_OF_MEMORY, MEMORY},
};

static const char *kind_of(CURLcode code) {
  size_t i;
  for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
    if (kinds[i].code == code) return kinds[i].kind;
  return NETWORK;
}

static bool says(const us_evidence *evidence, const char *words) {
  return strstr(evidence->detail, words) != NULL;
}

/* A peer that resets or closes in the middle of the handshake is a failing
   network, worth another try; libcurl says "TLS" and tells only in words. */
static bool is_cut_handshake(const us_evidence *evidence) {
  return evidence->code == CURLE_SSL_CONNECT_ERROR &&
         (says(evidence, "SSL_ERROR_SYSCALL") ||
          says(evidence, "unexpected eof") ||
          says(evidence, strerror(ECONNRESET)) ||
          says(evidence, strerror(EPIPE)));
}

/* In TLS 1.3 a server refuses our certificate, or the lack of one, after the
   handshake: libcurl reports a failed read. */
static bool is_late_alert(const us_evidence *evidence) {
  return (evidence->code == CURLE_RECV_ERROR ||
          evidence->code == CURLE_SEND_ERROR) &&
         says(evidence, "SSL routines") && says(evidence, "alert");
}

/* Chunks that make no sense have the code of a failed read, too. */
static bool is_bad_chunk(const us_evidence *evidence) {
  return evidence->code == CURLE_RECV_ERROR && says(evidence, "chunk");
}

/* libcurl gives many reasons where it had no memory; OpenSSL tells in words, if
   it does. */
static bool is_no_memory(const us_evidence *evidence, const char *kind) {
  return (evidence->no_memory && (kind == MEMORY || kind == PROTOCOL)) ||
         says(evidence, "malloc failure");
}

/* libcurl calls a header line beyond its own 100 KiB "out of memory", and later
   versions have a code that this libcurl's header may not know. */
static bool is_huge_header(const us_evidence *evidence) {
  enum { TOO_LARGE_CODE = 100 };
  return (evidence->code == CURLE_OUT_OF_MEMORY && evidence->issued &&
          !evidence->head_complete) ||
         (int)evidence->code == TOO_LARGE_CODE;
}

/* Takes "user:password@" out of a text that may quote a proxy. */
static void strip_credentials(char *text) {
  char *at;
  while ((at = strchr(text, '@')) != NULL) {
    char *start = at;
    while (start > text && strchr(" '\"/", start[-1]) == NULL)
      start--;
    memmove(start, at + 1, strlen(at + 1) + 1);
  }
}

void us_outcome_fail(us_transfer_outcome *outcome, const char *kind,
                     const char *message, bool sent) {
  outcome->kind = kind;
  outcome->status = 0;
  outcome->sent = sent;
  snprintf(outcome->message, sizeof(outcome->message), "%s", message);
  strip_credentials(outcome->message);
}

static void decide_stop(us_transfer_outcome *outcome, us_stop stop) {
  switch (stop) {
  case US_STOP_TOO_LARGE_HEAD:
    us_outcome_fail(outcome, TOO_LARGE, "the response headers are too large",
                    true);
    break;
  case US_STOP_TOO_LARGE_BODY:
    us_outcome_fail(outcome, TOO_LARGE,
                    "the response is larger than max_response_size", true);
    break;
  case US_STOP_NO_MEMORY:
    us_outcome_fail(outcome, MEMORY, "not enough memory for the response",
                    true);
    break;
  default:
    us_outcome_fail(outcome, NETWORK,
                    "the connection died after the request was sent", true);
  }
}

static void decide_failure(us_transfer_outcome *outcome,
                           const us_evidence *evidence) {
  const char *kind = kind_of(evidence->code);
  const char *message = evidence->detail;
  if (message[0] == '\0') message = curl_easy_strerror(evidence->code);
  if (evidence->code == CURLE_BAD_FUNCTION_ARGUMENT)
    message = "the response headers make no sense";
  if (is_no_memory(evidence, kind)) {
    kind = MEMORY;
    message = "not enough memory";
  } else if (is_huge_header(evidence)) {
    kind = TOO_LARGE;
    message = "a line of the response headers is too long";
  } else if (is_cut_handshake(evidence)) {
    kind = NETWORK;
  } else if (is_late_alert(evidence)) {
    kind = TLS;
  } else if (is_bad_chunk(evidence)) {
    kind = PROTOCOL;
  }
  us_outcome_fail(outcome, kind, message, evidence->issued);
}

void us_outcome_decide(us_transfer_outcome *outcome,
                       const us_evidence *evidence) {
  if (evidence->code == CURLE_SEND_FAIL_REWIND) {
    decide_stop(outcome, US_STOP_REPLAY);
  } else if (evidence->doubt != NULL) {
    us_outcome_fail(outcome, PROTOCOL, evidence->doubt, true);
  } else if (evidence->code != CURLE_OK && evidence->stop != US_STOP_NONE) {
    decide_stop(outcome, evidence->stop);
  } else if (evidence->code != CURLE_OK) {
    decide_failure(outcome, evidence);
  } else if (!evidence->head_complete) {
    us_outcome_fail(outcome, NETWORK,
                    "the connection was closed in the response headers", true);
  } else if (evidence->status < 200) {
    us_outcome_fail(outcome, PROTOCOL, "the response has no final status",
                    true);
  } else {
    outcome->kind = NULL;
    outcome->status = evidence->status;
    outcome->sent = true;
    outcome->message[0] = '\0';
  }
}
