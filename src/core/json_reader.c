/* json_reader.c: the structure of JSON text: brackets, commas, colons. Strings
   and numbers are json_scalar.c's. */
#include "core/json_reader.h"

#include <string.h>

#include "core/json_scalar.h"

/* `objects` has a bit for every depth. */
typedef char depth_fits[US_LIMIT_JSON_DEPTH <= 64 ? 1 : -1];

void us_json_start(us_json_reader *reader, us_slice text) {
  reader->start = reader->at = text.length ? text.data : "";
  reader->end = reader->start + text.length;
  reader->expected = US_JSON_EXPECT_VALUE;
  reader->depth = 0;
  reader->objects = 0;
  reader->problem = NULL;
  us_buffer_reset(&reader->unescaped, text.length);
  reader->names = NULL;
  reader->name = 0;
}

void us_json_remember(us_json_reader *reader, us_json_names *names) {
  us_json_names_start(names);
  reader->names = names;
}

void us_json_reader_free(us_json_reader *reader) {
  us_buffer_free(&reader->unescaped);
  memset(reader, 0, sizeof *reader);
}

size_t us_json_position(const us_json_reader *reader) {
  return (size_t)(reader->at - reader->start) + 1;
}

static us_json_token invalid(us_json_reader *reader, const char *problem) {
  reader->problem =
      reader->at < reader->end ? problem : "the text ends too early";
  return US_JSON_INVALID;
}

static void skip_space(us_json_reader *reader) {
  while (reader->at < reader->end) {
    char byte = *reader->at;
    if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t') return;
    reader->at++;
  }
}

/* Steps over `byte` when it comes next. */
static bool accept(us_json_reader *reader, char byte) {
  if (reader->at == reader->end || *reader->at != byte) return false;
  reader->at++;
  return true;
}

static bool in_object(const us_json_reader *reader) {
  return reader->objects >> (reader->depth - 1) & 1;
}

static us_json_token enter(us_json_reader *reader, bool object) {
  uint64_t bit = (uint64_t)1 << (reader->depth & 63);
  if (reader->depth >= US_LIMIT_JSON_DEPTH)
    return invalid(reader, "it is nested too deep");
  reader->at++;
  reader->depth++;
  reader->objects = object ? reader->objects | bit : reader->objects & ~bit;
  reader->expected = US_JSON_EXPECT_FIRST;
  if (object && reader->names != NULL)
    us_json_names_open(reader->names, reader->depth);
  return object ? US_JSON_OBJECT : US_JSON_ARRAY;
}

static us_json_token leave(us_json_reader *reader) {
  bool object = in_object(reader);
  reader->depth--;
  reader->expected = US_JSON_EXPECT_MORE;
  return object ? US_JSON_OBJECT_END : US_JSON_ARRAY_END;
}

static us_json_token scanned(us_json_reader *reader, const char *problem,
                             us_json_token token) {
  if (reader->unescaped.status != US_OK) return US_JSON_NO_MEMORY;
  if (problem != NULL) {
    reader->problem = problem;
    return US_JSON_INVALID;
  }
  return token;
}

/* Steps over a name that was said before, its colon and the space behind. */
static bool recall(us_json_reader *reader) {
  us_slice rest = {reader->at, (size_t)(reader->end - reader->at)};
  const us_json_name *name =
      us_json_names_match(reader->names, reader->depth, rest);
  reader->name = 0;
  if (name == NULL) return false;
  reader->name = name->number;
  reader->text.data = reader->at + 1;
  reader->text.length = name->length;
  reader->at += name->said.length;
  return true;
}

/* Remembers the name at `first`, unless it has escapes. */
static void remember(us_json_reader *reader, const char *first) {
  us_slice said = {first, (size_t)(reader->at - first)};
  if (reader->text.data == first + 1)
    reader->name = us_json_names_add(reader->names, reader->depth, said,
                                     reader->text.length);
}

static us_json_token read_name(us_json_reader *reader) {
  const char *first = reader->at;
  us_json_token token;
  if (first == reader->end || *first != '"')
    return invalid(reader, "a name in quotes is due");
  reader->expected = US_JSON_EXPECT_VALUE;
  if (reader->names != NULL && recall(reader)) return US_JSON_NAME;
  token = scanned(reader, us_json_scan_string(reader), US_JSON_NAME);
  if (token != US_JSON_NAME) return token;
  skip_space(reader);
  if (!accept(reader, ':')) return invalid(reader, "a colon is due");
  skip_space(reader);
  if (reader->names != NULL) remember(reader, first);
  return token;
}

static us_json_token read_word(us_json_reader *reader, const char *word,
                               us_json_token token) {
  size_t length = strlen(word);
  if ((size_t)(reader->end - reader->at) < length ||
      memcmp(reader->at, word, length) != 0)
    return invalid(reader, "a value is due");
  reader->at += length;
  return token;
}

static us_json_token read_value(us_json_reader *reader) {
  us_json_token token = US_JSON_NUMBER;
  const char *problem;
  if (reader->at == reader->end) return invalid(reader, NULL);
  reader->expected = US_JSON_EXPECT_MORE;
  switch (*reader->at) {
  case '{': return enter(reader, true);
  case '[': return enter(reader, false);
  case '"': return scanned(reader, us_json_scan_string(reader), US_JSON_STRING);
  case 't': return read_word(reader, "true", US_JSON_TRUE);
  case 'f': return read_word(reader, "false", US_JSON_FALSE);
  case 'n': return read_word(reader, "null", US_JSON_NULL);
  default:
    problem = us_json_scan_number(reader, &token);
    return scanned(reader, problem, token);
  }
}

/* Behind a value. `more` is set when another item follows. */
static us_json_token read_end(us_json_reader *reader, bool *more) {
  *more = false;
  if (reader->depth == 0) {
    if (reader->at == reader->end) return US_JSON_END;
    return invalid(reader, "more follows the value");
  }
  if (accept(reader, in_object(reader) ? '}' : ']')) return leave(reader);
  *more = accept(reader, ',');
  if (*more) {
    skip_space(reader);
    return US_JSON_END;
  }
  return invalid(reader, in_object(reader) ? "a comma or } is due"
                                           : "a comma or ] is due");
}

us_json_token us_json_next(us_json_reader *reader) {
  bool more = true;
  if (reader->problem != NULL) return US_JSON_INVALID; /* and stays so */
  if (reader->unescaped.status != US_OK) return US_JSON_NO_MEMORY;
  skip_space(reader);
  if (reader->expected == US_JSON_EXPECT_MORE) {
    us_json_token token = read_end(reader, &more);
    if (!more) return token;
    return in_object(reader) ? read_name(reader) : read_value(reader);
  }
  if (reader->expected == US_JSON_EXPECT_FIRST) {
    if (accept(reader, in_object(reader) ? '}' : ']')) return leave(reader);
    if (in_object(reader)) return read_name(reader);
  }
  return read_value(reader);
}
