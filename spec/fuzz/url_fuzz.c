/* url_fuzz.c: percent-encoding, and which base URLs pass. Of a URL that passes
   libcurl must see what the check saw: that host, no user, nothing else. */
#include "core/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>

#include "fuzz.h"
#include "wire_grammar.h"

static void encoding_reads_back(fuzz_input *input) {
  us_slice name = fuzz_bytes(input), value = fuzz_bytes(input);
  size_t ceiling = fuzz_choose(input, 2) ? US_LIMIT_URL : US_LIMIT_BODY;
  us_buffer out = {0};
  us_slice rest, got_name;
  us_buffer_reset(&out, ceiling);
  us_url_append_pair(&out, 0, name, value);
  if (out.status == US_OK) {
    REQUIRE(out.length <= ceiling);
    rest = us_buffer_slice(&out);
    REQUIRE(wire_is_graphic(rest));
    REQUIRE(wire_piece(&rest, '=', &got_name));
    REQUIRE(wire_encodes(got_name, name) && wire_encodes(rest, value));
  } else {
    REQUIRE(out.status == US_TOO_LARGE);
  }
  us_buffer_free(&out);
}

/* What is let into a path is one segment that no normaliser eats. */
static void segments_stay(fuzz_input *input) {
  us_slice value = fuzz_bytes(input);
  us_buffer out = {0};
  us_slice text;
  us_buffer_reset(&out, US_LIMIT_BODY);
  us_url_append_encoded(&out, value);
  text = us_buffer_slice(&out);
  REQUIRE(
      us_url_is_segment(value) ==
      (text.length > 0 && !us_slice_is(text, ".") && !us_slice_is(text, "..")));
  REQUIRE(us_has_line_break(value) == !wire_is_line(value));
  us_buffer_free(&out);
}

static char *part(CURLU *url, CURLUPart what) {
  char *text = NULL;
  return curl_url_get(url, what, &text, 0) == CURLUE_OK ? text : NULL;
}

/* libcurl spells an address in its own way. */
static bool is_address(const char *host) {
  struct in_addr v4;
  return host[0] == '[' || inet_pton(AF_INET, host, &v4) == 1;
}

/* 127.0.0.0/8, ::1 or localhost, as the resolver will read it. */
static bool is_loopback(const char *host) {
  struct in_addr v4;
  struct in6_addr v6, one = IN6ADDR_LOOPBACK_INIT;
  char inner[64];
  size_t length = strlen(host);
  if (strcmp(host, "localhost") == 0) return true;
  if (inet_pton(AF_INET, host, &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  if (host[0] != '[' || length - 2 >= sizeof inner) return false;
  memcpy(inner, host + 1, length - 2);
  inner[length - 2] = '\0';
  return inet_pton(AF_INET6, inner, &v6) == 1 &&
         memcmp(&v6, &one, sizeof v6) == 0;
}

static void check_as_libcurl_sees_it(const char *base, bool insecure) {
  CURLU *url = curl_url();
  char *scheme, *host;
  REQUIRE(url != NULL);
  if (curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK) {
    scheme = part(url, CURLUPART_SCHEME);
    host = part(url, CURLUPART_HOST);
    REQUIRE(scheme != NULL && host != NULL);
    REQUIRE(strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);
    REQUIRE(part(url, CURLUPART_USER) == NULL);
    REQUIRE(part(url, CURLUPART_PASSWORD) == NULL);
    REQUIRE(part(url, CURLUPART_QUERY) == NULL);
    REQUIRE(part(url, CURLUPART_FRAGMENT) == NULL);
    if (strcmp(scheme, "http") == 0) REQUIRE(insecure || is_loopback(host));
    REQUIRE(is_address(host) || fuzz_contains(us_text(base), us_text(host)));
    curl_free(scheme);
    curl_free(host);
  }
  curl_url_cleanup(url);
}

static void base_urls(fuzz_input *input) {
  static const char *const starts[] = {"", "http://", "https://", "http://127.",
                                       "http://[::1]"};
  const char *start =
      starts[fuzz_choose(input, sizeof starts / sizeof starts[0])];
  bool insecure = fuzz_choose(input, 2);
  us_slice rest = fuzz_rest(input), base = {NULL, strlen(start) + rest.length};
  char *text = fuzz_allocate(input, base.length);
  char *string;
  base.data = text;
  if (base.length > rest.length) memcpy(text, start, base.length - rest.length);
  if (rest.length > 0)
    memcpy(text + base.length - rest.length, rest.data, rest.length);
  if (us_url_problem(base, insecure) != NULL) return;
  REQUIRE(wire_is_line(base));
  string = fuzz_allocate(input, base.length + 1);
  memcpy(string, text, base.length);
  string[base.length] = '\0';
  check_as_libcurl_sees_it(string, insecure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  switch (fuzz_choose(&input, 3)) {
  case 0: encoding_reads_back(&input); break;
  case 1: segments_stay(&input); break;
  default: base_urls(&input); break;
  }
  fuzz_end(&input);
  return 0;
}
