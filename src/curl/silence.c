/* silence.c: asks the socket and the TLS layer whether bytes are waiting.
   What that layer is told is in tls.c. */
#include "curl/silence.h"

#include <openssl/ssl.h>
#include <string.h>

#include "curl/tls.h"

static bool speaks_http2(const SSL *tls) {
  const unsigned char *protocol = NULL;
  unsigned int length = 0;
  SSL_get0_alpn_selected(tls, &protocol, &length);
  return length == 2 && memcmp(protocol, "h2", 2) == 0;
}

static bool is_https(CURL *easy) {
  char *scheme = NULL;
  return curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme) == CURLE_OK &&
         scheme != NULL &&
         (strcmp(scheme, "https") == 0 || strcmp(scheme, "HTTPS") == 0);
}

/* NULL when it is not an object this OpenSSL can be asked about. */
static const SSL *tls_of(CURL *easy) {
  struct curl_tlssessioninfo *session = NULL;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK ||
      session == NULL || session->backend != CURLSSLBACKEND_OPENSSL ||
      !us_tls_is_ours())
    return NULL;
  return session->internals;
}

bool us_connection_is_http2(CURL *easy) {
  const SSL *tls = is_https(easy) ? tls_of(easy) : NULL;
  return tls != NULL && speaks_http2(tls);
}

bool us_connection_is_silent(CURL *easy, us_sockets *sockets, int local_port) {
  if (is_https(easy)) {
    const SSL *tls = tls_of(easy);
    if (tls == NULL) return false;
    if (speaks_http2(tls)) return true;
    if (SSL_has_pending(tls)) return false;
  }
  return us_sockets_are_silent(sockets, local_port);
}
