/* tls.h: the OpenSSL that libcurl brought, where it is the one linked here.
   With another, or another library, nothing of it may be touched. */
#ifndef US_CURL_TLS_H
#define US_CURL_TLS_H

#include <curl/curl.h>
#include <stdbool.h>

bool us_tls_is_ours(void);
/* A CURLOPT_SSL_CTX_FUNCTION, only where it is ours: what was decrypted is
   cleared once it is read, and SSLKEYLOGFILE gets no keys. */
CURLcode us_tls_confine(CURL *easy, void *tls_context, void *nothing);

#endif
