/* options.h: what a pool and a request ask of libcurl, in our words.
   options.c turns them into CURLOPT_* and is the only file that does, and the
   only one that asks which libcurl is running. */
#ifndef US_CURL_OPTIONS_H
#define US_CURL_OPTIONS_H

#include <curl/curl.h>
#include <stdbool.h>

#include "curl/tls.h"

struct us_handle;

/* Whom libcurl trusts: what the bundle holds, the hashed directory, or both. */
typedef enum {
  US_TRUST_UNKNOWN,
  US_TRUST_BOTH,
  US_TRUST_BUNDLE,
  US_TRUST_DIRECTORY
} us_trust;

/* What holds for every transfer of a pool. The texts belong to the caller and
   outlive the pool. */
typedef struct {
  const char *proxy;           /* "": none; NULL: as the environment says */
  const char *ca_file;         /* NULL: the system's, if both are */
  const char *ca_path;         /* a hashed directory of the same */
  const char *client_cert;     /* NULL: none */
  const char *client_key_file; /* NULL: in client_cert */
  bool verify;
  bool http1_only;
  long max_connections; /* 0: as many as there are transfers */
  us_trust trust;       /* found by us_settings_probe */
} us_settings;

/* Of the libcurl at run time. */
const char *us_curl_version(void);
unsigned int us_curl_version_number(void);
const char *us_curl_tls_library(void);
/* Whether a handle may serve a second transfer. */
bool us_curl_may_reuse_handles(void);

/* Looks at where the authorities are, once a pool: before its first transfer
   over TLS, for others need not pay for it. */
void us_settings_probe(us_settings *settings);
/* What never changes while a handle lives. */
CURLcode us_options_for_pool(struct us_handle *handle,
                             const us_settings *settings, us_tls_watch *watch,
                             void *sockets);
/* What changes with every transfer; sets all of it, for the handle may have
   served another one. */
CURLcode us_options_for_transfer(struct us_handle *handle,
                                 const us_settings *settings, CURLU *origin);
/* For a second attempt: a new connection, and what is left of the time. */
CURLcode us_options_connect_afresh(CURL *easy, long timeout_ms);

/* Who is told of descriptors and times; NULL: nobody. */
void us_options_for_loop(CURLM *multi, curl_socket_callback on_socket,
                         curl_multi_timer_callback on_timer, void *context);
CURLMcode us_options_for_multi(CURLM *multi, const us_settings *settings);

#endif
