/* json_scalar.c: the strings and numbers of JSON text, checked and decoded.
   The locale has no say: no decimal point reaches strtod. */
#include "core/json_scalar.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits that decide which double is nearest; those beyond count as one. */
#define SIGNIFICANT_DIGITS 800
/* Stops an exponent of any length from overflowing. */
#define LARGEST_EXPONENT 1000000000000000LL

/* --- strings ------------------------------------------------------------- */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* Eight bytes, the first the least significant: one load, where it can be. */
static uint64_t load(const char *at) {
  const unsigned char *bytes = (const unsigned char *)at;
  return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 |
         (uint64_t)bytes[2] << 16 | (uint64_t)bytes[3] << 24 |
         (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
         (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

/* Has the highest bit of the first byte that is a quote, a backslash, a control
   character or not ASCII. What follows it may be marked without being one. */
static uint64_t special(uint64_t bytes) {
  uint64_t quote = bytes ^ EACH_BYTE('"');
  uint64_t backslash = bytes ^ EACH_BYTE('\\');
  return ((bytes - EACH_BYTE(' ')) | (quote - EACH_BYTE(1)) |
          (backslash - EACH_BYTE(1)) | bytes) &
         EACH_BYTE(0x80);
}

static const char *skip_plain(const char *at, const char *end) {
  while (end - at >= 8) {
    uint64_t found = special(load(at));
    if (found) return at + __builtin_ctzll(found) / 8;
    at += 8;
  }
  while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ' &&
         (unsigned char)*at < 0x80)
    at++;
  return at;
}

/* The length of the UTF-8 sequence at `at`; 0 when it is none (RFC 3629,
   section 4: no overlong form, no surrogate, nothing above U+10FFFF). */
static size_t sequence_length(const unsigned char *at, size_t available) {
  unsigned char low = 0x80, high = 0xBF;
  size_t length, i;
  if (at[0] < 0xC2 || at[0] > 0xF4) return 0;
  length = at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
  if (available < length) return 0;
  if (at[0] == 0xE0) low = 0xA0;
  if (at[0] == 0xED) high = 0x9F;
  if (at[0] == 0xF0) low = 0x90;
  if (at[0] == 0xF4) high = 0x8F;
  if (at[1] < low || at[1] > high) return 0;
  for (i = 2; i < length; i++)
    if ((at[i] & 0xC0) != 0x80) return 0;
  return length;
}

static void append_utf8(us_buffer *out, unsigned long code) {
  char bytes[4];
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
  size_t i;
  for (i = length - 1; i > 0; i--) {
    bytes[i] = (char)(0x80 | (code & 0x3F));
    code >>= 6;
  }
  bytes[0] = (char)(first[length] | code);
  us_buffer_append(out, bytes, length);
}

/* The value of four hexadecimal digits, or -1. */
static long four_digits(const char *at, const char *end) {
  long code = 0;
  int i;
  if (end - at < 4) return -1;
  for (i = 0; i < 4; i++) {
    char byte = at[i];
    if (byte >= '0' && byte <= '9')
      code = code * 16 + (byte - '0');
    else if (byte >= 'a' && byte <= 'f')
      code = code * 16 + (byte - 'a' + 10);
    else if (byte >= 'A' && byte <= 'F')
      code = code * 16 + (byte - 'A' + 10);
    else
      return -1;
  }
  return code;
}

/* At the digits of \uXXXX; a pair of surrogates is one character. */
static const char *scan_code(us_json_reader *reader) {
  long code = four_digits(reader->at, reader->end), low;
  if (code < 0) return "\\u needs four hexadecimal digits";
  reader->at += 4;
  if (code >= 0xD800 && code <= 0xDBFF && reader->end - reader->at >= 6 &&
      reader->at[0] == '\\' && reader->at[1] == 'u') {
    low = four_digits(reader->at + 2, reader->end);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      reader->at += 6;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
  }
  if (code >= 0xD800 && code <= 0xDFFF) code = 0xFFFD;
  append_utf8(&reader->unescaped, (unsigned long)code);
  return NULL;
}

/* At a backslash. */
static const char *scan_escape(us_json_reader *reader) {
  static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
  const char *name;
  if (reader->end - reader->at < 2) return "a string has no end";
  reader->at++;
  if (*reader->at == 'u') {
    reader->at++;
    return scan_code(reader);
  }
  name = memchr(names, *reader->at, sizeof names - 1);
  if (name == NULL) return "this is not an escape of JSON";
  us_buffer_append_byte(&reader->unescaped, meanings[name - names]);
  reader->at++;
  return NULL;
}

/* At a byte that is neither plain nor a quote. `run` is where the bytes begin
   that were not copied yet. */
static const char *scan_special(us_json_reader *reader, const char **run) {
  unsigned char byte = (unsigned char)*reader->at;
  const char *problem;
  size_t length;
  if (byte < ' ') return "a string must not hold a control character";
  if (byte != '\\') {
    length = sequence_length((const unsigned char *)reader->at,
                             (size_t)(reader->end - reader->at));
    reader->at += length;
    return length > 0 ? NULL : "a string must be UTF-8";
  }
  us_buffer_append(&reader->unescaped, *run, (size_t)(reader->at - *run));
  problem = scan_escape(reader);
  *run = reader->at;
  return problem;
}

/* Behind the plain beginning of a string that has more than that. */
static const char *scan_rest(us_json_reader *reader, const char *first) {
  const char *run = first;
  us_buffer_truncate(&reader->unescaped, 0);
  for (;;) {
    const char *problem;
    if (reader->at == reader->end) return "a string has no end";
    if (*reader->at == '"') break;
    problem = scan_special(reader, &run);
    if (problem != NULL) return problem;
    reader->at = skip_plain(reader->at, reader->end);
  }
  reader->text.data = first;
  reader->text.length = (size_t)(reader->at - first);
  if (run > first) {
    us_buffer_append(&reader->unescaped, run, (size_t)(reader->at - run));
    reader->text = us_buffer_slice(&reader->unescaped);
  }
  reader->at++;
  return NULL;
}

const char *us_json_scan_string(us_json_reader *reader) {
  const char *first = reader->at + 1;
  reader->at = skip_plain(first, reader->end);
  if (reader->at == reader->end || *reader->at != '"')
    return scan_rest(reader, first);
  reader->text.data = first;
  reader->text.length = (size_t)(reader->at++ - first);
  return NULL;
}

/* --- numbers ------------------------------------------------------------- */

/* Digits that 64 bits hold, whatever they are. */
#define SURE_DIGITS 19

/* What stands in a number. The value is digits * 10^exponent. */
typedef struct {
  bool negative;
  bool is_integer; /* no fraction, no exponent */
  us_slice whole;
  us_slice fraction;
  long long exponent;
  uint64_t mantissa; /* the digits as one integer, when they are few enough */
} number;

static bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

/* Adds the digits to `value`, which many of them make meaningless. */
static us_slice scan_digits(us_json_reader *reader, uint64_t *value) {
  us_slice digits = {reader->at, 0};
  const char *at = reader->at;
  for (; at < reader->end && is_digit(*at); at++)
    *value = *value * 10 + (uint64_t)(*at - '0');
  digits.length = (size_t)(at - reader->at);
  reader->at = at;
  return digits;
}

static const char *scan_whole(us_json_reader *reader, number *to) {
  to->negative = *reader->at == '-';
  if (to->negative) reader->at++;
  if (reader->at < reader->end && *reader->at == '0') {
    to->whole.data = reader->at++;
    to->whole.length = 1;
    return NULL;
  }
  to->whole = scan_digits(reader, &to->mantissa);
  if (to->whole.length > 0) return NULL;
  if (reader->at == reader->end) return "the text ends too early";
  return to->negative ? "a digit is due" : "a value is due";
}

static const char *scan_fraction(us_json_reader *reader, number *to) {
  to->fraction.length = 0;
  if (reader->at == reader->end || *reader->at != '.') return NULL;
  reader->at++;
  to->is_integer = false;
  to->fraction = scan_digits(reader, &to->mantissa);
  return to->fraction.length > 0 ? NULL : "a digit is due";
}

static const char *scan_exponent(us_json_reader *reader, number *to) {
  bool negative = false;
  us_slice digits;
  uint64_t ignored = 0;
  size_t i;
  to->exponent = 0;
  if (reader->at == reader->end || (*reader->at | 0x20) != 'e') return NULL;
  reader->at++;
  to->is_integer = false;
  if (reader->at < reader->end && (*reader->at == '-' || *reader->at == '+'))
    negative = *reader->at++ == '-';
  digits = scan_digits(reader, &ignored);
  if (digits.length == 0) return "a digit is due";
  for (i = 0; i < digits.length && to->exponent < LARGEST_EXPONENT; i++)
    to->exponent = to->exponent * 10 + (digits.data[i] - '0');
  if (negative) to->exponent = -to->exponent;
  return NULL;
}

static bool fits(const number *from) {
  return from->whole.length + from->fraction.length <= SURE_DIGITS;
}

static us_json_token integer(us_json_reader *reader, const number *from) {
  uint64_t mantissa = from->mantissa;
  uint64_t most = (uint64_t)LLONG_MAX + (from->negative ? 1 : 0);
  if (!fits(from) || mantissa > most) {
    reader->text.data = from->whole.data - (from->negative ? 1 : 0);
    reader->text.length = (size_t)(reader->at - reader->text.data);
    return US_JSON_LARGE_INTEGER;
  }
  if (!from->negative)
    reader->integer = (long long)mantissa;
  else
    reader->integer = mantissa == 0 ? 0 : -(long long)(mantissa - 1) - 1;
  return US_JSON_INTEGER;
}

/* Appends digits to `text` without leading zeros. Those that have no place
   any more raise `exponent`; `rest` is set when one of them is not zero. */
static size_t gather(char *text, size_t length, us_slice digits,
                     long long *exponent, bool *rest) {
  size_t i;
  for (i = 0; i < digits.length; i++) {
    if (length == 0 && digits.data[i] == '0') continue;
    if (length < SIGNIFICANT_DIGITS) {
      text[length++] = digits.data[i];
    } else {
      ++*exponent;
      if (digits.data[i] != '0') *rest = true;
    }
  }
  return length;
}

static double nearest_double(const number *from) {
  char text[SIGNIFICANT_DIGITS + 32];
  long long exponent = from->exponent - (long long)from->fraction.length;
  bool rest = false;
  size_t length = gather(text, 0, from->whole, &exponent, &rest);
  length = gather(text, length, from->fraction, &exponent, &rest);
  if (length == 0) return 0;
  if (rest) {
    text[length++] = '1';
    exponent--;
  }
  if (exponent > 99999) exponent = 99999;
  if (exponent < -99999) exponent = -99999;
  snprintf(text + length, sizeof text - length, "e%d", (int)exponent);
  return strtod(text, NULL);
}

/* Exact where the digits and the power of ten are both exact doubles. */
static double as_double(const number *from) {
  static const double powers[] = {
      1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  long long exponent = from->exponent - (long long)from->fraction.length;
  if (!fits(from) || from->mantissa > (uint64_t)US_EXACT_FLOAT ||
      exponent < -22 || exponent > 22)
    return nearest_double(from);
  return exponent < 0 ? (double)from->mantissa / powers[-exponent]
                      : (double)from->mantissa * powers[exponent];
}

const char *us_json_scan_number(us_json_reader *reader, us_json_token *token) {
  const char *first = reader->at;
  number found = {false, true, {NULL, 0}, {NULL, 0}, 0, 0};
  const char *problem = scan_whole(reader, &found);
  if (problem == NULL) problem = scan_fraction(reader, &found);
  if (problem == NULL) problem = scan_exponent(reader, &found);
  if (problem != NULL) return problem;
  *token = US_JSON_NUMBER;
  if (found.is_integer) {
    *token = integer(reader, &found);
    return NULL;
  }
  reader->number = as_double(&found);
  if (found.negative) reader->number = -reader->number;
  if (!isinf(reader->number)) return NULL;
  reader->at = first;
  return "a number is out of range";
}
