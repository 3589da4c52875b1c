/* tls.c: whether libcurl's TLS is this OpenSSL, and what it is told. Which
   bytes wait in a connection is silence.c's question. */
#include "curl/tls.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#include "curl/clock.h"
#include "curl/options.h"

/* "OpenSSL/3.0.15" of libcurl against "OpenSSL 3.0.15 3 Sep 2024" of the
   library linked here. A libcurl built with another TLS library hands out
   another type of object. */
static bool is_ours(void) {
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

static pthread_once_t compare_once = PTHREAD_ONCE_INIT;
static bool ours = false;

static void compare(void) {
  ours = is_ours();
}

/* libcurl puts its words together anew whenever it is asked. */
bool us_tls_is_ours(void) {
  return pthread_once(&compare_once, compare) == 0 && ours;
}

/* A process that was only slow, or stopped, has read fewer. */
enum { MANY_RECORDS = 64 };

/* OpenSSL's tale of what it reads and writes: here, each record begun. */
static void on_record(int written, int version, int type, const void *bytes,
                      size_t length, SSL *tls, void *context) {
  us_tls_watch *watch = context;
  (void)version;
  (void)bytes;
  (void)length;
  if (written || type != SSL3_RT_HEADER || ++watch->records < MANY_RECORDS ||
      us_clock_ms() <= watch->due_ms)
    return;
  SSL_set_shutdown(tls, SSL_get_shutdown(tls) | SSL_RECEIVED_SHUTDOWN);
  watch->cut = true;
}

/* libcurl has set its log of keys by now. */
CURLcode us_tls_confine(CURL *easy, void *tls_context, void *watch) {
  (void)easy;
  SSL_CTX_set_keylog_callback(tls_context, NULL);
  SSL_CTX_set_msg_callback(tls_context, on_record);
  SSL_CTX_set_msg_callback_arg(tls_context, watch);
#ifdef SSL_OP_CLEANSE_PLAINTEXT
  SSL_CTX_set_options(tls_context, SSL_OP_CLEANSE_PLAINTEXT);
  /* Else the whole of its buffer, 16 KiB, is cleared and freed at each record. */
  SSL_CTX_clear_mode(tls_context, SSL_MODE_RELEASE_BUFFERS);
#endif
  return CURLE_OK;
}
