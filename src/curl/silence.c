/* silence.c: asks the socket and the TLS layer whether bytes are waiting.
   The only file of this directory that includes OpenSSL. */
#include "curl/silence.h"

#include <openssl/ssl.h>
#include <string.h>

#include "curl/options.h"

/* "OpenSSL/3.0.15" of libcurl against "OpenSSL 3.0.15 3 Sep 2024" of the
   library linked here. A libcurl built with another TLS library hands out
   another type of object. */
static bool same_tls_library(void) {
  const char *theirs = us_curl_tls_library();
  const char *ours = OpenSSL_version(OPENSSL_VERSION);
  size_t name = strlen("OpenSSL");
  size_t length;
  if (strncmp(theirs, "OpenSSL/", name + 1) != 0 ||
      strncmp(ours, "OpenSSL ", name + 1) != 0)
    return false;
  theirs += name + 1;
  ours += name + 1;
  length = strcspn(ours, " ");
  return strncmp(theirs, ours, length) == 0 &&
         strchr(" ", theirs[length]) != NULL; /* a space or the end */
}

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
      !same_tls_library())
    return NULL;
  return session->internals;
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
