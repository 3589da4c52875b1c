/* check.c: values against rows, and the nearest name to a misspelt one.
   Converts nothing and sends nothing. */
#include "core/check.h"

#include <stdio.h>
#include <string.h>

#include "core/url.h"

/* Of the names that are compared with others, and of what is quoted. */
#define LONGEST_NAME 64

void us_problems_reset(us_problems *problems) {
  us_buffer_reset(&problems->text, US_LIMIT_PROBLEMS);
  problems->count = 0;
}

void us_problem(us_problems *problems, const char *name, const char *sentence,
                const char *detail) {
  us_buffer *text = &problems->text;
  if (problems->count++ > 0) us_buffer_append_byte(text, '\0');
  us_buffer_append_text(text, name);
  if (name != NULL) us_buffer_append_byte(text, ' ');
  us_buffer_append_text(text, sentence);
  us_buffer_append_text(text, detail);
}

/* A name is meant, not a document: the rest is not quoted. */
static void append_name(us_buffer *out, us_slice name) {
  us_slice shown = name;
  if (shown.length > LONGEST_NAME) shown.length = LONGEST_NAME;
  us_buffer_append_byte(out, '\'');
  us_buffer_append_slice(out, shown);
  us_buffer_append_text(out, name.length > LONGEST_NAME ? "...'" : "'");
}

void us_problem_unknown(us_problems *problems, const char *what, us_slice name,
                        const char *nearest) {
  us_buffer *text = &problems->text;
  us_problem(problems, NULL, "unknown ", what);
  us_buffer_append_byte(text, ' ');
  append_name(text, name);
  if (nearest != NULL) {
    us_buffer_append_text(text, "; did you mean ");
    append_name(text, us_text(nearest));
    us_buffer_append_byte(text, '?');
  }
}

void us_problems_append(const us_problems *problems, us_buffer *out) {
  us_slice rest = us_buffer_slice(&problems->text);
  if (problems->text.status != US_OK) {
    us_buffer_append_text(out, "too many problems to list");
    return;
  }
  if (problems->count > 1) {
    us_buffer_append_integer(out, (long long)problems->count);
    us_buffer_append_text(out, " problems");
  }
  while (rest.length > 0) {
    us_slice line = rest;
    const char *end = memchr(rest.data, '\0', rest.length);
    if (end != NULL) line.length = (size_t)(end - rest.data);
    if (problems->count > 1) us_buffer_append_text(out, "\n  ");
    us_buffer_append_slice(out, line);
    if (end == NULL) break;
    rest.data = end + 1;
    rest.length -= line.length + 1;
  }
}

void us_problems_free(us_problems *problems) {
  us_buffer_free(&problems->text);
  problems->count = 0;
}

/* Levenshtein distance of two names, both under LONGEST_NAME bytes. */
static size_t edit_distance(us_slice a, us_slice b) {
  size_t row[LONGEST_NAME];
  size_t i, j;
  for (j = 0; j <= b.length; j++)
    row[j] = j;
  for (i = 1; i <= a.length; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (j = 1; j <= b.length; j++) {
      size_t best = diagonal + (a.data[i - 1] != b.data[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[b.length];
}

void us_nearest(us_slice name, const char *candidate, const char **best,
                size_t *distance) {
  us_slice other = us_text(candidate);
  size_t longer = name.length > other.length ? name.length : other.length;
  size_t apart = longer < LONGEST_NAME ? edit_distance(name, other) : longer;
  if (apart * 3 > longer + 2) return;
  if (*best == NULL || apart < *distance) {
    *best = candidate;
    *distance = apart;
  }
}

const char *us_nearest_method(const us_provider *provider, us_slice name) {
  const char *best = NULL;
  size_t distance = 0, i;
  for (i = 0; i < provider->method_count; i++)
    us_nearest(name, provider->methods[i].name, &best, &distance);
  return best;
}

const char *us_nearest_parameter(const us_parameter *parameters, size_t count,
                                 us_slice name) {
  const char *best = NULL;
  size_t distance = 0, i;
  for (i = 0; i < count; i++)
    us_nearest(name, parameters[i].name, &best, &distance);
  return best;
}

const char *us_type_name(const us_parameter *parameter) {
  switch (parameter->type) {
  case US_STRING: return "string";
  case US_INTEGER: return "integer";
  case US_BOOLEAN: return "boolean";
  case US_TABLE: return "table";
  case US_LIST: return "list of strings";
  case US_TABLES: return "list of tables";
  case US_FILE: return "file";
  case US_DECIMAL: return "number";
  case US_FUNCTION: return "function";
  case US_STRING | US_BOOLEAN: return "string or boolean";
  case US_TABLE | US_FUNCTION: return "table or function";
  default: return "value";
  }
}

static bool is_choice(const char *choices, us_slice value) {
  while (*choices) {
    us_slice choice = {choices, strcspn(choices, "|")};
    if (us_slice_equal(choice, value)) return true;
    choices += choice.length;
    if (*choices == '|') choices++;
  }
  return false;
}

static bool is_date_time(us_slice value) {
  static const char form[] = "dddd-dd-dd dd:dd:dd";
  size_t i;
  if (value.length != sizeof form - 1) return false;
  for (i = 0; i < value.length; i++) {
    bool digit = value.data[i] >= '0' && value.data[i] <= '9';
    if (form[i] == 'd' ? !digit : value.data[i] != form[i]) return false;
  }
  return true;
}

/* Characters of UTF-8; bytes that continue one do not count. */
static size_t count_characters(us_slice text) {
  size_t i, count = 0;
  for (i = 0; i < text.length; i++)
    if (((unsigned char)text.data[i] & 0xC0) != 0x80) count++;
  return count;
}

static void check_length(const us_parameter *parameter, us_slice value,
                         us_problems *problems) {
  char most[64];
  if (parameter->maximum == 0 || parameter->type != US_STRING ||
      count_characters(value) <= (size_t)parameter->maximum)
    return;
  snprintf(most, sizeof most, "%ld characters", parameter->maximum);
  us_problem(problems, parameter->name, "must have at most ", most);
}

static void check_text(const us_parameter *parameter, us_slice value,
                       us_problems *problems) {
  const char *name = parameter->name;
  bool line_free =
      parameter->place == US_HEADER || parameter->place == US_OPTION;
  if (parameter->place == US_PATH && !us_url_is_segment(value))
    us_problem(problems, name, "cannot stand in a path: it is empty, '.' or ",
               "'..'");
  if (line_free && us_has_line_break(value))
    us_problem(problems, name, "must not hold CR, LF or NUL", NULL);
  if (parameter->place == US_OPTION && value.length == 0)
    us_problem(problems, name, "must not be empty", NULL);
  if (parameter->choices && !is_choice(parameter->choices, value))
    us_problem(problems, name, "must be one of ", parameter->choices);
  if ((parameter->flags & US_DATE_TIME) && !is_date_time(value))
    us_problem(problems, name, "must have the form YYYY-MM-DD hh:mm:ss", NULL);
  check_length(parameter, value, problems);
}

static void check_items(const us_parameter *parameter, const us_value *value,
                        us_problems *problems) {
  size_t i;
  if ((long)value->count < parameter->minimum)
    us_problem(problems, parameter->name, "must have at least one item", NULL);
  if (!(parameter->flags & US_COMMA)) return;
  for (i = 0; i < value->count; i++) {
    us_slice item = value->items[i];
    if (item.length && memchr(item.data, ',', item.length)) {
      us_problem(problems, parameter->name,
                 "has an item with a comma, which cannot be expressed", NULL);
      return;
    }
  }
}

static void check_range(const us_parameter *parameter, long long integer,
                        us_problems *problems) {
  char range[64];
  if (parameter->maximum == 0) return;
  if (integer >= parameter->minimum && integer <= parameter->maximum) return;
  snprintf(range, sizeof range, "%ld to %ld", parameter->minimum,
           parameter->maximum);
  us_problem(problems, parameter->name, "must be ", range);
}

static void check_file(const us_parameter *parameter, const us_value *value,
                       us_problems *problems) {
  if (us_has_line_break(value->content_type))
    us_problem(problems, parameter->name,
               "has a content_type with CR, LF or NUL", NULL);
  if (value->filename.length == 0)
    us_problem(problems, parameter->name, "needs a filename beside data", NULL);
  else if (memchr(value->filename.data, '\0', value->filename.length))
    us_problem(problems, parameter->name, "has a filename with NUL", NULL);
}

void us_check_value(const us_parameter *parameter, const us_value *value,
                    us_problems *problems) {
  bool required = (parameter->flags & US_REQUIRED) != 0;
  switch (value->kind) {
  case US_ABSENT:
    if (required)
      us_problem(problems, parameter->name,
                 "is required: ", us_type_name(parameter));
    break;
  case US_NULL:
    if (required || parameter->place != US_BODY)
      us_problem(problems, parameter->name, "cannot be null", NULL);
    break;
  case US_TEXT: check_text(parameter, value->text, problems); break;
  case US_NUMBER: check_range(parameter, value->integer, problems); break;
  case US_ITEMS: check_items(parameter, value, problems); break;
  case US_CONTENT: check_file(parameter, value, problems); break;
  case US_TRUTH:
  case US_JSON: break;
  }
}
