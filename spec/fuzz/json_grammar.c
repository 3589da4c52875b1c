/* json_grammar.c: a function for each rule of RFC 8259, in its order. */
#include "json_grammar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  us_slice text;
  size_t at;
  int depth; /* levels left */
  bool any_bytes;
  us_buffer *events;
} grammar;

void json_event(us_buffer *events, char tag) {
  us_buffer_append_byte(events, tag);
  us_buffer_append_byte(events, '\n');
}

void json_event_text(us_buffer *events, char tag, us_slice text) {
  us_buffer_append_byte(events, tag);
  us_buffer_append_integer(events, (long long)text.length);
  us_buffer_append_byte(events, ' ');
  us_buffer_append_slice(events, text);
  us_buffer_append_byte(events, '\n');
}

void json_event_integer(us_buffer *events, us_slice digits) {
  if (us_slice_is(digits, "-0")) digits = us_text("0");
  json_event_text(events, 'i', digits);
}

void json_event_number(us_buffer *events, double number) {
  char text[64];
  snprintf(text, sizeof text, "%a", number);
  json_event_text(events, 'd', us_text(text));
}

/* The byte that comes next; -1 at the end. */
static int peek(const grammar *g) {
  return g->at < g->text.length ? (unsigned char)g->text.data[g->at] : -1;
}

static bool literal(grammar *g, const char *word) {
  size_t length = strlen(word);
  if (g->text.length - g->at < length ||
      strncmp(g->text.data + g->at, word, length) != 0)
    return false;
  g->at += length;
  return true;
}

/* Section 2: ws. */
static void ws(grammar *g) {
  while (literal(g, " ") || literal(g, "\t") || literal(g, "\n") ||
         literal(g, "\r"))
    continue;
}

static void emit_code(us_buffer *out, unsigned code) {
  if (code < 0x80) {
    us_buffer_append_byte(out, (char)code);
    return;
  }
  if (code < 0x800) {
    us_buffer_append_byte(out, (char)(0xC0 + code / 0x40));
  } else {
    if (code < 0x10000) {
      us_buffer_append_byte(out, (char)(0xE0 + code / 0x1000));
    } else {
      us_buffer_append_byte(out, (char)(0xF0 + code / 0x40000));
      us_buffer_append_byte(out, (char)(0x80 + code / 0x1000 % 0x40));
    }
    us_buffer_append_byte(out, (char)(0x80 + code / 0x40 % 0x40));
  }
  us_buffer_append_byte(out, (char)(0x80 + code % 0x40));
}

/* 4HEXDIG. */
static bool hex(grammar *g, unsigned *code) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  int i;
  *code = 0;
  for (i = 0; i < 4; i++) {
    const char *digit = peek(g) > 0 ? strchr(digits, peek(g)) : NULL;
    if (digit == NULL) return false;
    *code = *code * 16 + (unsigned)((digit - digits) % 16);
    g->at++;
  }
  return true;
}

/* Section 7, behind "\u". A surrogate without its other half is U+FFFD. */
static bool unicode(grammar *g, us_buffer *out) {
  unsigned high, low;
  size_t before;
  if (!hex(g, &high)) return false;
  before = g->at;
  if (high / 0x400 == 0x36 && literal(g, "\\u") && hex(g, &low) &&
      low / 0x400 == 0x37) {
    emit_code(out, 0x10000 + (high % 0x400) * 0x400 + low % 0x400);
    return true;
  }
  g->at = before;
  emit_code(out, high / 0x800 == 0x1B ? 0xFFFD : high);
  return true;
}

static bool escape(grammar *g, us_buffer *out) {
  static const char *const simple[] = {"\"\"", "\\\\", "//",  "b\b",
                                       "f\f",  "n\n",  "r\r", "t\t"};
  size_t i;
  for (i = 0; i < sizeof simple / sizeof simple[0]; i++) {
    if (peek(g) != simple[i][0]) continue;
    g->at++;
    us_buffer_append_byte(out, simple[i][1]);
    return true;
  }
  return literal(g, "u") && unicode(g, out);
}

/* RFC 3629 section 4, the table of UTF8-octets, one row a line. */
static bool utf8(grammar *g, us_buffer *out) {
  static const unsigned char rows[][9] = {
      {2, 0xC2, 0xDF, 0x80, 0xBF, 0, 0, 0, 0},
      {3, 0xE0, 0xE0, 0xA0, 0xBF, 0x80, 0xBF, 0, 0},
      {3, 0xE1, 0xEC, 0x80, 0xBF, 0x80, 0xBF, 0, 0},
      {3, 0xED, 0xED, 0x80, 0x9F, 0x80, 0xBF, 0, 0},
      {3, 0xEE, 0xEF, 0x80, 0xBF, 0x80, 0xBF, 0, 0},
      {4, 0xF0, 0xF0, 0x90, 0xBF, 0x80, 0xBF, 0x80, 0xBF},
      {4, 0xF1, 0xF3, 0x80, 0xBF, 0x80, 0xBF, 0x80, 0xBF},
      {4, 0xF4, 0xF4, 0x80, 0x8F, 0x80, 0xBF, 0x80, 0xBF}};
  size_t row, i;
  for (row = 0; row < sizeof rows / sizeof rows[0]; row++) {
    size_t length = rows[row][0];
    if (g->text.length - g->at < length) continue;
    for (i = 0; i < length; i++) {
      unsigned char byte = (unsigned char)g->text.data[g->at + i];
      if (byte < rows[row][2 * i + 1] || byte > rows[row][2 * i + 2]) break;
    }
    if (i < length) continue;
    us_buffer_append(out, g->text.data + g->at, length);
    g->at += length;
    return true;
  }
  return false;
}

/* Section 7: string. */
static bool string(grammar *g, char tag) {
  us_buffer out = {0};
  bool good = literal(g, "\"");
  us_buffer_reset(&out, g->text.length);
  while (good && peek(g) != '"') {
    int byte = peek(g);
    if (byte == '\\') {
      g->at++;
      good = escape(g, &out);
    } else if (byte >= 0x20 && (byte < 0x80 || g->any_bytes)) {
      us_buffer_append_byte(&out, (char)byte);
      g->at++;
    } else {
      good = byte >= 0x80 && utf8(g, &out);
    }
  }
  good = good && literal(g, "\"") && out.status == US_OK;
  if (good) json_event_text(g->events, tag, us_buffer_slice(&out));
  us_buffer_free(&out);
  return good;
}

/* 1*DIGIT. */
static bool digits(grammar *g) {
  size_t before = g->at;
  while (peek(g) >= '0' && peek(g) <= '9')
    g->at++;
  return g->at > before;
}

/* Section 6: number. The locale is "C". */
static bool number(grammar *g) {
  size_t start = g->at;
  bool whole = true;
  us_slice text;
  char *copy;
  double value;
  (void)literal(g, "-");
  if (!literal(g, "0") && !digits(g)) return false;
  if (literal(g, ".")) {
    whole = false;
    if (!digits(g)) return false;
  }
  if (literal(g, "e") || literal(g, "E")) {
    whole = false;
    if (!literal(g, "-")) (void)literal(g, "+");
    if (!digits(g)) return false;
  }
  text.data = g->text.data + start;
  text.length = g->at - start;
  if (whole) {
    json_event_integer(g->events, text);
    return true;
  }
  copy = calloc(1, text.length + 1);
  if (copy == NULL) abort();
  memcpy(copy, text.data, text.length);
  value = strtod(copy, NULL);
  free(copy);
  json_event_number(g->events, value);
  return !isinf(value);
}

static bool value(grammar *g);

/* Sections 4 and 5: object, array; behind the opening bracket. */
static bool items(grammar *g, bool object) {
  json_event(g->events, object ? '{' : '[');
  ws(g);
  if (!literal(g, object ? "}" : "]")) {
    do {
      ws(g);
      if (object) {
        if (!string(g, JSON_NAME)) return false;
        ws(g);
        if (!literal(g, ":")) return false;
      }
      if (!value(g)) return false;
    } while (literal(g, ","));
    if (!literal(g, object ? "}" : "]")) return false;
  }
  json_event(g->events, object ? '}' : ']');
  return true;
}

static bool nested(grammar *g, bool object) {
  bool good;
  if (g->depth == 0) return false;
  g->depth--;
  good = items(g, object);
  g->depth++;
  return good;
}

static bool word(grammar *g, const char *name) {
  if (!literal(g, name)) return false;
  json_event(g->events, name[0]);
  return true;
}

/* Section 3: value, with the white space around it. */
static bool value(grammar *g) {
  bool good;
  ws(g);
  if (literal(g, "{"))
    good = nested(g, true);
  else if (literal(g, "["))
    good = nested(g, false);
  else if (peek(g) == '"')
    good = string(g, JSON_STRING);
  else
    good = word(g, "true") || word(g, "false") || word(g, "null") || number(g);
  ws(g);
  return good;
}

bool json_grammar_reads(us_slice text, int depth, bool any_bytes,
                        us_buffer *events) {
  grammar g = {text, 0, depth, any_bytes, events};
  return value(&g) && g.at == text.length;
}
