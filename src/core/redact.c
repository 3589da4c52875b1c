/* redact.c: the list of secrets, and masking them. What is secret is said by
   the rows (US_SECRET) and by the client. */
#include "core/redact.h"

#include <string.h>

#define SHORTEST 4

/* --- the list ------------------------------------------------------------- */

/* An entry is its length, in the bytes of a size_t, and its text. */
void us_secrets_add(us_buffer *list, us_slice secret) {
  if (secret.length < SHORTEST) return;
  us_buffer_append(list, &secret.length, sizeof secret.length);
  us_buffer_append_slice(list, secret);
}

static bool next(const us_buffer *list, size_t *at, us_slice *secret) {
  if (*at >= list->length) return false;
  memcpy(&secret->length, list->data + *at, sizeof secret->length);
  secret->data = list->data + *at + sizeof secret->length;
  *at += sizeof secret->length + secret->length;
  return true;
}

static int byte_at(us_slice text, size_t at) {
  return at < text.length ? (unsigned char)text.data[at] : -1;
}

/* The value of the digit at `at`, or -1. */
static int digit_at(us_slice text, size_t at, int base) {
  int byte = byte_at(text, at), small = byte | 0x20, value = -1;
  if (byte >= '0' && byte <= '9') value = byte - '0';
  if (small >= 'a' && small <= 'z') value = small - 'a' + 10;
  return value < base ? value : -1;
}

/* Reads up to `most` digits; how many there are. */
static size_t read_digits(us_slice text, size_t at, int base, size_t most,
                          unsigned long *value) {
  size_t count = 0;
  *value = 0;
  while (count < most && digit_at(text, at + count, base) >= 0) {
    *value =
        *value * (unsigned)base + (unsigned)digit_at(text, at + count, base);
    count++;
  }
  return count;
}

/* Appends what the escape stands for whose backslash is at `at`, and returns
   where it ends. The writer escapes no more than these. */
static size_t unescape(us_buffer *out, us_slice json, size_t at) {
  static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
  int byte = byte_at(json, at + 1);
  const char *letter = strchr(letters, byte);
  unsigned long code;
  if (byte == 'u') {
    (void)read_digits(json, at + 2, 16, 4, &code);
    us_buffer_append_byte(out, (char)code);
    return at + 6;
  }
  us_buffer_append_byte(out, letter ? bytes[letter - letters] : (char)byte);
  return at + 2;
}

/* Reads the string that opens at `at` into `out`; where it ends. */
static size_t read_string(us_buffer *out, us_slice json, size_t at) {
  us_buffer_reset(out, US_LIMIT_BODY);
  at++;
  while (byte_at(json, at) != '"') {
    if (byte_at(json, at) == '\\')
      at = unescape(out, json, at);
    else
      us_buffer_append_byte(out, json.data[at++]);
  }
  return at + 1;
}

void us_secrets_add_json(us_buffer *list, us_slice json) {
  us_buffer text = {0};
  size_t at = 0;
  while (at < json.length) {
    if (json.data[at] != '"') {
      at++;
      continue;
    }
    at = read_string(&text, json, at);
    if (byte_at(json, at) != ':') us_secrets_add(list, us_buffer_slice(&text));
    if (text.status != US_OK) us_buffer_fail(list, text.status);
  }
  us_buffer_free(&text);
}

/* --- finding them ----------------------------------------------------------
   A server may say a secret back as it is, or as JSON, a URL or HTML would
   write it, each character in its own way. So the text is read character by
   character of the secret. */

/* Where the next character of a secret may begin. More than one place: what
   stands for a "%" may be one, too. */
#define MOST_PLACES 8
typedef struct {
  size_t at[MOST_PLACES];
  size_t count;
} places;

/* A row of backslashes is one, for each may be written as several. */
typedef struct {
  us_slice bytes;
  bool is_utf8;
  unsigned long code;
} character;

static character next_character(us_slice text) {
  const unsigned char *byte = (const unsigned char *)text.data;
  character found = {{text.data, 1}, false, 0};
  size_t i, length = byte[0] < 0x80    ? 1
                     : byte[0] >= 0xf0 ? 4
                     : byte[0] >= 0xe0 ? 3
                     : byte[0] >= 0xc2 ? 2
                                       : 0;
  unsigned long code =
      length == 1 ? byte[0] : byte[0] & (0xffu >> (length + 1));
  if (length == 0 || length > text.length) return found;
  while (byte[0] == '\\' && length < text.length && byte[length] == '\\')
    length++;
  for (i = 1; i < length && byte[0] >= 0x80; i++) {
    if ((byte[i] & 0xc0) != 0x80) return found;
    code = code << 6 | (byte[i] & 0x3f);
  }
  found.bytes.length = length;
  found.is_utf8 = true;
  found.code = code;
  return found;
}

static void add_place(places *to, size_t at) {
  size_t i;
  for (i = 0; i < to->count; i++)
    if (to->at[i] == at) return;
  if (to->count < MOST_PLACES) to->at[to->count++] = at;
}

/* As it is or as %XX, where a "%" may itself be written %25. Of "+" and a blank
   one may have become the other. */
static void spell_byte(us_slice text, size_t at, char byte, places *to) {
  unsigned long code;
  int there = byte_at(text, at), levels = 4;
  if (there == (unsigned char)byte || (byte == ' ' && there == '+') ||
      (byte == '+' && there == ' '))
    add_place(to, at + 1);
  if (there != '%') return;
  for (at++; levels-- > 0 && read_digits(text, at, 16, 2, &code) == 2;
       at += 2) {
    if (code == (unsigned char)byte) add_place(to, at + 2);
    if (code != '%') return;
  }
}

static void spell_bytes(us_slice text, size_t at, us_slice bytes, places *to) {
  places here = {{at}, 1}, next;
  size_t i, k;
  for (i = 0; i < bytes.length; i++) {
    next.count = 0;
    for (k = 0; k < here.count; k++)
      spell_byte(text, here.at[k], bytes.data[i], &next);
    here = next;
  }
  for (k = 0; k < here.count; k++)
    add_place(to, here.at[k]);
}

/* JSON in JSON doubles the backslashes of an escape. This many are looked at,
   or a text of nothing else would take a time that grows with its square. */
#define MOST_BACKSLASHES 16

static size_t skip_backslashes(us_slice text, size_t at) {
  size_t most = at + MOST_BACKSLASHES;
  while (byte_at(text, at) == '\\' && at < most)
    at++;
  return at;
}

/* Behind "\uXXXX" when it stands for `unit`, else 0. */
static size_t unit_end(us_slice text, size_t at, unsigned long unit) {
  size_t u = skip_backslashes(text, at);
  unsigned long code;
  if (u == at || byte_at(text, u) != 'u' ||
      read_digits(text, u + 1, 16, 4, &code) != 4 || code != unit)
    return 0;
  return u + 5;
}

static void spell_json(us_slice text, size_t at, unsigned long code,
                       places *to) {
  static const char from[] = "\"/\b\f\n\r\t", letters[] = "\"/bfnrt";
  size_t end = skip_backslashes(text, at);
  const char *short_form =
      code > 0 && code < 0x80 ? strchr(from, (int)code) : NULL;
  if (end == at) return;
  if (short_form != NULL && byte_at(text, end) == letters[short_form - from])
    add_place(to, end + 1);
  if (code < 0x10000) {
    end = unit_end(text, at, code);
  } else {
    end = unit_end(text, at, 0xd800 + ((code - 0x10000) >> 10));
    if (end > 0) end = unit_end(text, end, 0xdc00 + ((code - 0x10000) & 0x3ff));
  }
  if (end > 0) add_place(to, end);
}

static void spell_html(us_slice text, size_t at, unsigned long code,
                       places *to) {
  static const char *const names[] = {"\"quot;", "&amp;", "<lt;", ">gt;",
                                      "'apos;"};
  us_slice rest = {text.data + at + 1, text.length - at - 1};
  bool hex = byte_at(text, at + 2) == 'x' || byte_at(text, at + 2) == 'X';
  size_t i, digits = at + (hex ? 3 : 2), count;
  unsigned long value;
  if (byte_at(text, at) != '&') return;
  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    size_t length = strlen(names[i] + 1);
    if (code == (unsigned char)names[i][0] && rest.length >= length &&
        memcmp(rest.data, names[i] + 1, length) == 0)
      add_place(to, at + 1 + length);
  }
  if (byte_at(text, at + 1) != '#') return;
  count = read_digits(text, digits, hex ? 16 : 10, 8, &value);
  if (count > 0 && value == code && byte_at(text, digits + count) == ';')
    add_place(to, digits + count + 1);
}

/* Behind one backslash, however it is written, or 0. */
static size_t backslash_end(us_slice text, size_t at) {
  places to = {{0}, 0};
  unsigned long code;
  if (at == text.length) return 0;
  if (byte_at(text, at) == '\\' && byte_at(text, at + 1) == 'u' &&
      read_digits(text, at + 2, 16, 4, &code) == 4 && code == '\\')
    return at + 6;
  spell_byte(text, at, '\\', &to);
  spell_html(text, at, '\\', &to);
  return to.count > 0 ? to.at[0] : 0;
}

/* `count` of them or more; the last may belong to what follows, and what looks
   like an escaped one may be none. */
static void spell_backslashes(us_slice text, size_t at, size_t count,
                              places *to) {
  size_t raw = 0, found = 0, last = at, end;
  while (raw < MOST_BACKSLASHES * count && byte_at(text, at + raw) == '\\')
    raw++;
  if (raw >= count) {
    add_place(to, at + count);
    add_place(to, at + raw);
  }
  while (found < MOST_BACKSLASHES * count &&
         (end = backslash_end(text, at)) > 0) {
    last = at;
    at = end;
    found++;
  }
  if (found >= count) add_place(to, at);
  if (found > count) add_place(to, last);
}

static void spell(us_slice text, size_t at, const character *wanted,
                  places *to) {
  if (wanted->bytes.data[0] == '\\') {
    spell_backslashes(text, at, wanted->bytes.length, to);
    return;
  }
  spell_bytes(text, at, wanted->bytes, to);
  if (at == text.length || !wanted->is_utf8) return;
  spell_json(text, at, wanted->code, to);
  spell_html(text, at, wanted->code, to);
}

/* Of one byte of a secret, or about that. */
#define LONGEST_SPELLING 32

/* The text ends here, perhaps within a character: it may have been cut when
   enough was there to be worth hiding. */
static bool is_cut(us_slice text, size_t at, size_t done, us_slice wanted) {
  size_t left = text.length - at, end, begun = at;
  if (left > LONGEST_SPELLING * (wanted.length + 1)) return false;
  while (wanted.data[0] == '\\' && (end = backslash_end(text, at)) > 0) {
    at = end;
    done++;
  }
  left = text.length - at;
  if (left < wanted.length && memcmp(text.data + at, wanted.data, left) == 0)
    return done + left >= SHORTEST;
  if (done < SHORTEST - 1 || left == 0) return false;
  if (at == begun && text.data[at] != wanted.data[0] &&
      memchr("%\\&", text.data[at], 3) == NULL)
    return false;
  for (; at < text.length; at++)
    if (digit_at(text, at, 36) < 0 && (unsigned char)text.data[at] < 0x80 &&
        memchr("%\\&#;", text.data[at], 5) == NULL)
      return false;
  return true;
}

/* Where the secret ends that begins at `start`, or `start`. */
static size_t match(us_slice text, size_t start, us_slice secret) {
  places here = {{start}, 1}, next;
  size_t i, done = 0, end = start;
  bool cut = false;
  if (text.data[start] != secret.data[0] &&
      memchr("%\\&+ ", text.data[start], 5) == NULL)
    return start; /* as nearly always */
  while (done < secret.length && here.count > 0) {
    us_slice rest = {secret.data + done, secret.length - done};
    character wanted = next_character(rest);
    next.count = 0;
    for (i = 0; i < here.count; i++) {
      spell(text, here.at[i], &wanted, &next);
      if (is_cut(text, here.at[i], done, wanted.bytes)) cut = true;
    }
    here = next;
    done += wanted.bytes.length;
  }
  if (here.count == 0) return cut ? text.length : start;
  for (i = 0; i < here.count; i++)
    if (here.at[i] > end) end = here.at[i];
  return end;
}

/* Where the longest secret ends that begins at `start`, or `start`. */
static size_t longest_match(us_slice text, size_t start,
                            const us_buffer *list) {
  size_t longest = start, entry = 0;
  us_slice secret;
  while (next(list, &entry, &secret)) {
    size_t end = match(text, start, secret);
    if (end > longest) longest = end;
  }
  return longest;
}

void us_redact(us_buffer *text, const us_buffer *list) {
  us_slice whole = us_buffer_slice(text);
  size_t from = 0, to = 0;
  while (from < text->length) {
    size_t end = longest_match(whole, from, list);
    if (end > from) { /* at least four bytes give way to three */
      memcpy(text->data + to, "***", 3);
      to += 3;
      from = end;
    } else {
      text->data[to++] = text->data[from++];
    }
  }
  us_buffer_truncate(text, to);
}
