/* jwt.c: how tokens are spelled: hex, base64url and compact JWS.
   The hashes themselves are in sign.c. */
#include <stdlib.h>
#include <string.h>

#include "core/sign.h"

static const char base64url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void us_write_hex(char *out, const unsigned char *data, size_t length) {
  static const char digits[] = "0123456789abcdef";
  size_t i;
  for (i = 0; i < length; i++) {
    out[2 * i] = digits[data[i] >> 4];
    out[2 * i + 1] = digits[data[i] & 15];
  }
}

void us_append_hex(us_buffer *out, const unsigned char *data, size_t length) {
  char pair[2];
  size_t i;
  for (i = 0; i < length; i++) {
    us_write_hex(pair, data + i, 1);
    us_buffer_append(out, pair, sizeof pair);
  }
}

void us_append_base64url(us_buffer *out, us_slice data) {
  const unsigned char *bytes = (const unsigned char *)data.data;
  size_t i;
  for (i = 0; i < data.length; i += 3) {
    size_t left = data.length - i;
    unsigned group = (unsigned)bytes[i] << 16;
    if (left > 1) group |= (unsigned)bytes[i + 1] << 8;
    if (left > 2) group |= bytes[i + 2];
    us_buffer_append_byte(out, base64url[group >> 18]);
    us_buffer_append_byte(out, base64url[(group >> 12) & 63]);
    if (left > 1) us_buffer_append_byte(out, base64url[(group >> 6) & 63]);
    if (left > 2) us_buffer_append_byte(out, base64url[group & 63]);
  }
}

us_status us_append_base64url_decoded(us_buffer *out, us_slice text) {
  unsigned long group = 0;
  unsigned bits = 0;
  size_t i;
  if (text.length % 4 == 1) return US_INVALID;
  for (i = 0; i < text.length; i++) {
    const char *at = text.data[i] ? strchr(base64url, text.data[i]) : NULL;
    if (at == NULL) return US_INVALID;
    group = (group << 6 | (unsigned long)(at - base64url)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      us_buffer_append_byte(out, (char)(group >> bits & 255));
    }
  }
  /* left-over bits that are not zero: two texts would mean one value */
  if (group & ((1ul << bits) - 1)) return US_INVALID;
  return out->status;
}

us_status us_jwt_append(us_buffer *out, us_slice header, us_slice payload,
                        us_slice secret) {
  unsigned char digest[US_SHA256_SIZE];
  us_slice raw = {(const char *)digest, sizeof digest};
  us_slice input;
  size_t start = out->length;
  us_status status;
  us_append_base64url(out, header);
  us_buffer_append_byte(out, '.');
  us_append_base64url(out, payload);
  if (out->status != US_OK) return out->status;
  input.data = out->data + start;
  input.length = out->length - start;
  status = us_hmac_sha256(secret, input, digest);
  if (status != US_OK) return status;
  us_buffer_append_byte(out, '.');
  us_append_base64url(out, raw);
  us_wipe(digest, sizeof digest);
  return out->status;
}

/* The end of the JSON string that opens at `at`, or NULL. */
static const char *string_end(const char *at) {
  for (at++; *at != '"'; at++) {
    if (*at == '\\') at++;
    if (*at == '\0') return NULL;
  }
  return at;
}

/* Finds the number of member "exp" of the outermost object. A reader of this
   one member, not of JSON: what it cannot read counts as absent. */
static bool find_exp(const char *json, double *seconds) {
  int depth = 0;
  const char *at, *end;
  for (at = json; *at; at++) {
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    if (*at != '"') continue;
    end = string_end(at);
    if (end == NULL) return false;
    if (depth == 1 && end - at == 4 && memcmp(at, "\"exp", 4) == 0) {
      at = end + 1 + strspn(end + 1, " \t\r\n");
      if (*at == ':') {
        at += 1 + strspn(at + 1, " \t\r\n");
        *seconds = strtod(at, NULL);
        return *at >= '0' && *at <= '9' && *seconds < 1e15;
      }
      at--;
    } else {
      at = end;
    }
  }
  return false;
}

bool us_jwt_expiry(us_slice token, double *seconds) {
  us_buffer json = {0};
  us_slice payload;
  const char *first, *second;
  bool found = false;
  first = token.length ? memchr(token.data, '.', token.length) : NULL;
  if (first == NULL) return false;
  payload.data = first + 1;
  second = memchr(payload.data, '.',
                  token.length - (size_t)(payload.data - token.data));
  if (second == NULL) return false;
  payload.length = (size_t)(second - payload.data);
  us_buffer_reset(&json, US_LIMIT_OPTION);
  if (us_append_base64url_decoded(&json, payload) == US_OK) {
    us_buffer_append_byte(&json, '\0');
    found = json.status == US_OK && find_exp(json.data, seconds);
  }
  us_buffer_free(&json);
  return found;
}
