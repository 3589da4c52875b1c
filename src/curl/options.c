/* options.c: every CURLOPT_* and CURLMOPT_* there is, every question about the
   libcurl at run time, every difference between its versions. No transfer is
   started, driven or judged here. */
#include "curl/options.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "curl/authorities.h"
#include "curl/easy.h"
#include "curl/sockets.h"
#include "curl/tls.h"

#if LIBCURL_VERSION_NUM < 0x075000
#error "usher needs libcurl 7.80 or later (the pre-request callback)"
#endif

/* Before 8.1.0 a handle remembers the last header of its previous response; a
   response whose first header is folded then makes libcurl write to freed
   memory (curl pull request 11103). */
#define HANDLES_FIXED_IN 0x080100

/* In what follows the first failure is kept and the rest does nothing. */
#define SET(option, value)                                                     \
  do {                                                                         \
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value);        \
  } while (0)

static const curl_version_info_data *running(void) {
  return curl_version_info(CURLVERSION_NOW);
}

const char *us_curl_version(void) {
  return running()->version;
}

unsigned int us_curl_version_number(void) {
  return running()->version_num;
}

const char *us_curl_tls_library(void) {
  const char *library = running()->ssl_version;
  return library != NULL ? library : "";
}

bool us_curl_may_reuse_handles(void) {
  return us_curl_version_number() >= HANDLES_FIXED_IN;
}

static CURLcode set_protocols(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                          (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* The name resolver is a thread. When the time is up it is left behind, not
   waited for: a dead name server takes half a minute to give up. */
static CURLcode set_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
  return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
  (void)easy;
  return CURLE_OK;
#endif
}

/* Where this libcurl looks for authorities by itself; NULL: it does not tell. */
static const char *default_path(CURL *easy, CURLINFO which) {
  char *path = NULL;
  return curl_easy_getinfo(easy, which, &path) == CURLE_OK ? path : NULL;
}

/* libcurl parses a bundle once a pool, 20 ms for a system's, but once a
   connection when it knows a directory beside it. In a directory OpenSSL finds
   at once what it needs. So one of them serves alone, the directory where it is
   known to hold the same. */
static us_trust choose_trust(const char *bundle, const char *directory) {
  if (bundle == NULL && directory == NULL) return US_TRUST_BOTH;
  if (directory == NULL) return US_TRUST_BUNDLE;
  if (bundle == NULL || access(bundle, R_OK) != 0) return US_TRUST_DIRECTORY;
  return us_tls_is_ours() && us_authorities_match(directory, bundle)
             ? US_TRUST_DIRECTORY
             : US_TRUST_BUNDLE;
}

void us_settings_probe(us_settings *settings) {
  const char *bundle = settings->ca_file, *directory = settings->ca_path;
  CURL *easy;
  if (settings->trust != US_TRUST_UNKNOWN) return;
  easy = curl_easy_init();
  if (easy == NULL) return;
#if LIBCURL_VERSION_NUM >= 0x075400
  if (bundle == NULL && directory == NULL) {
    bundle = default_path(easy, CURLINFO_CAINFO);
    directory = default_path(easy, CURLINFO_CAPATH);
  }
#endif
  settings->trust = choose_trust(bundle, directory);
  /* Else libcurl ignores SIGPIPE meanwhile, and of two threads that do one may
     restore what the other has set. */
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_cleanup(easy);
}

/* Leaves libcurl the one of them that serves. */
static CURLcode set_trust(CURL *easy, const us_settings *settings) {
  CURLcode code = CURLE_OK;
  if (settings->trust == US_TRUST_BUNDLE) SET(CURLOPT_CAPATH, NULL);
  if (settings->trust == US_TRUST_DIRECTORY) SET(CURLOPT_CAINFO, NULL);
  return code;
}

/* The session cache is off because libcurl 7.88 frees a session's host name
   twice when memory runs out; a pool seldom connects twice anyway. */
static CURLcode set_tls(CURL *easy, const us_settings *settings,
                        us_tls_watch *watch) {
  CURLcode code = CURLE_OK;
  if (settings->ca_file != NULL) SET(CURLOPT_CAINFO, settings->ca_file);
  if (settings->ca_path != NULL) SET(CURLOPT_CAPATH, settings->ca_path);
  SET(CURLOPT_SSL_VERIFYPEER, settings->verify ? 1L : 0L);
  SET(CURLOPT_SSL_VERIFYHOST, settings->verify ? 2L : 0L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
  if (settings->client_cert != NULL)
    SET(CURLOPT_SSLCERT, settings->client_cert);
  if (settings->client_key_file != NULL)
    SET(CURLOPT_SSLKEY, settings->client_key_file);
  if (us_tls_is_ours()) {
    SET(CURLOPT_SSL_CTX_FUNCTION, us_tls_confine);
    SET(CURLOPT_SSL_CTX_DATA, watch);
  }
  return code;
}

/* With a proxy of our own choosing, no_proxy has no say. The headers of a
   request are for the server: the proxy never sees them on CONNECT. */
static CURLcode set_proxy(CURL *easy, const us_settings *settings) {
  CURLcode code = CURLE_OK;
  if (settings->proxy != NULL) {
    SET(CURLOPT_PROXY, settings->proxy);
    SET(CURLOPT_NOPROXY, "");
  }
  SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  return code;
}

/* Cleared when it is freed: libcurl's own choice is 64 KiB for every POST. */
#define UPLOAD_BUFFER_SIZE 16384L

/* What libcurl would do by itself and ours must not: follow, log in, remember,
   raise signals, take a body without a head for an answer. */
static CURLcode set_manners(CURL *easy) {
  CURLcode code = set_protocols(easy);
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE);
  SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PATH_AS_IS, 1L);
  SET(CURLOPT_ACCEPT_ENCODING, "gzip");
  SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_SIZE);
  return code;
}

static CURLcode set_callbacks(us_handle *handle, void *sockets) {
  CURL *easy = handle->easy;
  CURLcode code = CURLE_OK;
  SET(CURLOPT_PRIVATE, handle);
  SET(CURLOPT_ERRORBUFFER, handle->error);
  SET(CURLOPT_WRITEFUNCTION, us_transfer_on_body);
  SET(CURLOPT_WRITEDATA, handle);
  SET(CURLOPT_HEADERFUNCTION, us_transfer_on_header);
  SET(CURLOPT_HEADERDATA, handle);
  SET(CURLOPT_PREREQFUNCTION, us_transfer_on_request);
  SET(CURLOPT_PREREQDATA, handle);
  SET(CURLOPT_READFUNCTION, us_transfer_on_read);
  SET(CURLOPT_READDATA, handle);
  SET(CURLOPT_SEEKFUNCTION, us_transfer_on_seek);
  SET(CURLOPT_SEEKDATA, handle);
  SET(CURLOPT_SOCKOPTFUNCTION, us_sockets_opened);
  SET(CURLOPT_SOCKOPTDATA, sockets);
  SET(CURLOPT_CLOSESOCKETFUNCTION, us_sockets_closed);
  SET(CURLOPT_CLOSESOCKETDATA, sockets);
  return code;
}

/* HTTP/2 is spoken where a TLS server offers it, and we can keep watch. */
CURLcode us_options_for_pool(us_handle *handle, const us_settings *settings,
                             us_tls_watch *watch, void *sockets) {
  CURL *easy = handle->easy;
  CURLcode code = set_callbacks(handle, sockets);
  if (code == CURLE_OK) code = set_manners(easy);
  if (code == CURLE_OK) code = set_quick_exit(easy);
  if (code == CURLE_OK) code = set_tls(easy, settings, watch);
  if (code == CURLE_OK) code = set_proxy(easy, settings);
  SET(CURLOPT_HTTP_VERSION, settings->http1_only || !us_tls_is_ours()
                                ? (long)CURL_HTTP_VERSION_1_1
                                : (long)CURL_HTTP_VERSION_2TLS);
  return code;
}

/* Through a SOCKS proxy one talks as if to the server. */
static bool is_http_proxy(const char *proxy) {
  return proxy[0] != '\0' &&
         (strstr(proxy, "://") == NULL || strncasecmp(proxy, "http", 4) == 0);
}

/* The parsed origin is shared by all transfers and the target goes out as it
   stands: a path set on the CURLU would lose its letter case (%2F to %2f). To a
   proxy that is not tunnelled through, the target is the whole URL. Whether the
   environment names one is libcurl's to find out; only then it builds the
   target itself. */
static CURLcode set_target(CURL *easy, const us_settings *settings,
                           const us_wire_request *request, CURLU *origin) {
  CURLcode code = CURLE_OK;
  bool plain = !request->https;
  if (plain && settings->proxy == NULL) {
    SET(CURLOPT_CURLU, NULL);
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_REQUEST_TARGET, NULL);
  } else {
    SET(CURLOPT_CURLU, origin);
    SET(CURLOPT_REQUEST_TARGET, plain && is_http_proxy(settings->proxy)
                                    ? request->url
                                    : request->target);
  }
  return code;
}

/* A body that may be sent again is handed over whole. One that may not is read
   through a callback, so that libcurl must rewind it to send it again, and the
   callback refuses. */
static CURLcode set_body(CURL *easy, const us_wire_request *request) {
  CURLcode code = CURLE_OK;
  bool guarded = request->body_length > 0 && !request->idempotent;
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDS,
      guarded ? NULL : (request->body != NULL ? request->body : ""));
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
  return code;
}

static CURLcode set_method(CURL *easy, const us_wire_request *request) {
  CURLcode code = CURLE_OK;
  const char *method = request->method;
  bool posts = us_request_posts(request);
  bool head = !posts && strcmp(method, "HEAD") == 0;
  const char *natural = posts ? "POST" : head ? "HEAD" : "GET";
  if (posts) {
    code = set_body(easy, request);
  } else {
    SET(CURLOPT_POSTFIELDS, NULL);
    SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_NOBODY, head ? 1L : 0L);
  }
  SET(CURLOPT_CUSTOMREQUEST, strcmp(method, natural) == 0 ? NULL : method);
  return code;
}

/* Transfers that start together wait for the first connection to say whether it
   can carry them all. A plain one would say so with its first response. */
static CURLcode set_waiting(CURL *easy, const us_settings *settings,
                            const us_wire_request *request) {
  bool waits = request->https && !settings->http1_only;
  return curl_easy_setopt(easy, CURLOPT_PIPEWAIT, waits ? 1L : 0L);
}

CURLcode us_options_for_transfer(us_handle *handle, const us_settings *settings,
                                 CURLU *origin) {
  CURL *easy = handle->easy;
  const us_wire_request *request = &handle->transfer->request;
  CURLcode code = set_target(easy, settings, request, origin);
  if (code == CURLE_OK) code = set_method(easy, request);
  if (code == CURLE_OK) code = set_waiting(easy, settings, request);
  if (code == CURLE_OK && request->https) code = set_trust(easy, settings);
  SET(CURLOPT_HTTPHEADER, handle->transfer->headers);
  SET(CURLOPT_TIMEOUT_MS, request->timeout_ms);
  SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
  SET(CURLOPT_FRESH_CONNECT, 0L);
  return code;
}

CURLcode us_options_connect_afresh(CURL *easy, long timeout_ms) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_FRESH_CONNECT, 1L);
  SET(CURLOPT_TIMEOUT_MS, timeout_ms);
  return code;
}

CURLMcode us_options_for_multi(CURLM *multi, const us_settings *settings) {
  CURLMcode code = CURLM_OK;
  if (settings->max_connections > 0) {
    code = curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                             settings->max_connections);
    if (code == CURLM_OK)
      code = curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                               settings->max_connections);
  }
  return code;
}

void us_options_for_loop(CURLM *multi, curl_socket_callback on_socket,
                         curl_multi_timer_callback on_timer, void *context) {
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}
