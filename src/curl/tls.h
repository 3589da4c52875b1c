/* tls.h: the OpenSSL that libcurl brought, where it is the one linked here.
   With another, or another library, nothing of it may be touched. */
#ifndef US_CURL_TLS_H
#define US_CURL_TLS_H

#include <curl/curl.h>
#include <stdbool.h>

bool us_tls_is_ours(void);

/* How long libcurl may go on reading before it gives control back. OpenSSL
   reads records until one holds data, libcurl 7.88 HTTP/2 frames until one is
   for the transfer at hand: a peer that sends others fast enough would keep us
   in there beyond every timeout. */
typedef struct {
  long long due_ms;     /* of us_clock_ms */
  unsigned int records; /* read since libcurl has control */
  bool cut;             /* whether there were too many, and a connection was */
} us_tls_watch;

/* A CURLOPT_SSL_CTX_FUNCTION, only where it is ours: what was decrypted is
   cleared once it is read, SSLKEYLOGFILE gets no keys, and the watch is kept:
   for a connection that still brings records when it is due, the peer has hung
   up. */
CURLcode us_tls_confine(CURL *easy, void *tls_context, void *watch);

#endif
