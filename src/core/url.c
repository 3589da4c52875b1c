/* url.c: percent-encoding and the checks on URLs. Which path a method has is
   request.c's business. */
#include "core/url.h"

#include <string.h>

static const char unreserved[256] = {
    ['-'] = 1, ['.'] = 1, ['_'] = 1, ['~'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1,
    ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
    ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1,
    ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1,
    ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1,
    ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1,
    ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1,
    ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1,
    ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1,
    ['x'] = 1, ['y'] = 1, ['z'] = 1};

void us_url_append_encoded(us_buffer *out, us_slice value) {
  static const char digits[] = "0123456789ABCDEF";
  size_t i, run = 0;
  for (i = 0; i < value.length; i++) {
    unsigned char byte = (unsigned char)value.data[i];
    char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
    if (unreserved[byte]) continue;
    us_buffer_append(out, value.data + run, i - run);
    us_buffer_append(out, escape, sizeof escape);
    run = i + 1;
  }
  if (value.length > run)
    us_buffer_append(out, value.data + run, value.length - run);
}

bool us_url_is_segment(us_slice value) {
  return value.length > 0 && !us_slice_is(value, ".") &&
         !us_slice_is(value, "..");
}

void us_url_append_pair(us_buffer *out, size_t start, us_slice name,
                        us_slice value) {
  if (out->length > start) us_buffer_append_byte(out, '&');
  us_url_append_encoded(out, name);
  us_buffer_append_byte(out, '=');
  us_url_append_encoded(out, value);
}

static bool starts_with(us_slice *slice, const char *prefix) {
  size_t length = strlen(prefix);
  if (slice->length < length || memcmp(slice->data, prefix, length) != 0)
    return false;
  slice->data += length;
  slice->length -= length;
  return true;
}

/* The authority without its port. */
static us_slice host_of(us_slice authority) {
  us_slice host = authority;
  const char *end;
  if (host.length && host.data[0] == '[') {
    end = memchr(host.data, ']', host.length);
    if (end != NULL) host.length = (size_t)(end - host.data) + 1;
  } else {
    end = host.length ? memchr(host.data, ':', host.length) : NULL;
    if (end != NULL) host.length = (size_t)(end - host.data);
  }
  return host;
}

/* Four numbers up to 255 without a zero in front: what resolvers read less
   strictly, they may also look up as a name. */
static bool is_dotted_decimal(us_slice host) {
  size_t i, dots = 0, digits = 0;
  int octet = 0;
  for (i = 0; i < host.length; i++) {
    char byte = host.data[i];
    if (byte == '.' && digits > 0) {
      dots++;
      digits = 0;
      octet = 0;
    } else if (byte < '0' || byte > '9' || (digits > 0 && octet == 0)) {
      return false;
    } else {
      digits++;
      octet = octet * 10 + (byte - '0');
      if (octet > 255) return false;
    }
  }
  return dots == 3 && digits > 0;
}

/* localhost, 127.0.0.0/8 in dotted decimal, ::1. */
static bool is_loopback(us_slice host) {
  us_slice rest = host;
  return us_slice_is(host, "localhost") || us_slice_is(host, "[::1]") ||
         (starts_with(&rest, "127.") && is_dotted_decimal(host));
}

static bool is_port(us_slice port) {
  size_t i;
  long number = 0;
  if (port.length == 0) return true; /* no port at all */
  if (port.data[0] != ':' || port.length < 2 || port.length > 6) return false;
  for (i = 1; i < port.length; i++) {
    if (port.data[i] < '0' || port.data[i] > '9') return false;
    number = number * 10 + (port.data[i] - '0');
  }
  return number >= 1 && number <= 65535;
}

/* A name or IPv4 address, or an IPv6 address in brackets. */
static bool is_host(us_slice host) {
  bool bracketed = host.data[0] == '[';
  size_t i = bracketed, end = host.length - bracketed;
  if (bracketed && (host.length < 4 || host.data[end] != ']' ||
                    !memchr(host.data, ':', host.length)))
    return false;
  for (; i < end; i++)
    if (!unreserved[(unsigned char)host.data[i]] &&
        !(bracketed && host.data[i] == ':'))
      return false;
  return true;
}

static const char *authority_problem(us_slice authority, bool may_be_plain) {
  us_slice host = host_of(authority);
  us_slice port = {host.data + host.length, authority.length - host.length};
  if (authority.length && memchr(authority.data, '@', authority.length))
    return "must not hold a user name or password";
  if (host.length == 0) return "has no host";
  if (!is_host(host))
    return "has a host with a character that host names do not have";
  if (!is_port(port)) return "has a port that is not 1 to 65535";
  if (!may_be_plain && !is_loopback(host))
    return "must be https: http sends credentials in clear and is for "
           "loopback only (insecure_http = true allows it)";
  return NULL;
}

const char *us_url_problem(us_slice base, bool insecure) {
  bool plain;
  us_slice rest = base, authority;
  size_t i;
  const char *slash;
  for (i = 0; i < base.length; i++) {
    if ((unsigned char)base.data[i] <= ' ' || base.data[i] == 127)
      return "must not hold spaces or control characters";
    if (base.data[i] == '?' || base.data[i] == '#')
      return "must not hold a query or a fragment";
  }
  plain = starts_with(&rest, "http://");
  if (!plain && !starts_with(&rest, "https://"))
    return "must begin with https:// (or http:// to loopback)";
  slash = rest.length ? memchr(rest.data, '/', rest.length) : NULL;
  authority.data = rest.data;
  authority.length = slash ? (size_t)(slash - rest.data) : rest.length;
  return authority_problem(authority, !plain || insecure);
}

bool us_has_line_break(us_slice value) {
  size_t i;
  for (i = 0; i < value.length; i++)
    if (strchr("\r\n", value.data[i])) return true; /* matches NUL too */
  return false;
}
