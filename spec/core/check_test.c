/* check_test.c: lists of problems, the nearest name, values against rows. */
#include "core/check.h"

#include "test.h"

static us_problems problems;
static us_buffer text;

static us_slice told(void) {
  us_buffer_reset(&text, 100000);
  us_problems_append(&problems, &text);
  return us_buffer_slice(&text);
}

static void one_is_a_line_and_several_are_a_list(void) {
  us_problems_reset(&problems);
  CHECK_TEXT(told(), "");
  us_problem(&problems, "user_id", "must be ", "good");
  CHECK_TEXT(told(), "user_id must be good");
  us_problem(&problems, NULL, "needs more", NULL);
  us_problem_unknown(&problems, "argument", us_text("usr"), "user");
  us_problem_unknown(&problems, "argument", us_text("x"), NULL);
  CHECK(problems.count == 4);
  CHECK_TEXT(told(), "4 problems\n"
                     "  user_id must be good\n"
                     "  needs more\n"
                     "  unknown argument 'usr'; did you mean 'user'?\n"
                     "  unknown argument 'x'");
}

static void names_are_cut_and_lists_too(void) {
  char name[100];
  us_slice long_name = {name, sizeof name};
  int i;
  memset(name, 'x', sizeof name);
  us_problems_reset(&problems);
  us_problem_unknown(&problems, "argument", long_name, NULL);
  CHECK_TEXT(told(), "unknown argument '"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'");
  for (i = 0; i < 1000; i++)
    us_problem_unknown(&problems, "argument", long_name, NULL);
  CHECK_TEXT(told(), "too many problems to list");
}

static const char *nearest(const char *name, const char *a, const char *b) {
  const char *best = NULL;
  size_t distance = 0;
  us_nearest(us_text(name), a, &best, &distance);
  us_nearest(us_text(name), b, &best, &distance);
  return best ? best : "";
}

static void the_nearest_name_is_near(void) {
  char far[201];
  CHECK(strcmp(nearest("usr_id", "user_id", "user_ids"), "user_id") == 0);
  CHECK(strcmp(nearest("user_ids", "user_id", "user_ids"), "user_ids") == 0);
  CHECK(strcmp(nearest("timeuot", "timeout", "retries"), "timeout") == 0);
  CHECK(strcmp(nearest("colour", "timeout", "retries"), "") == 0);
  CHECK(strcmp(nearest("", "timeout", "retries"), "") == 0);
  CHECK(strcmp(nearest("x", "timeout", "id"), "") == 0);
  memset(far, 'x', sizeof far - 1);
  far[sizeof far - 1] = '\0';
  CHECK(strcmp(nearest(far, "timeout", "retries"), "") == 0);
  far[63] = '\0';
  CHECK(strcmp(nearest(far, "timeout", far), far) == 0);
}

static us_value with_text(us_slice value) {
  us_value made = {0};
  made.kind = US_TEXT;
  made.text = value;
  return made;
}

static us_value with_integer(long long value) {
  us_value made = {0};
  made.kind = US_NUMBER;
  made.integer = value;
  return made;
}

/* Checks one value and compares what is said. */
static void says(const us_parameter *row, us_value value, const char *words) {
  us_problems_reset(&problems);
  us_check_value(row, &value, &problems);
  if (!us_slice_is(told(), words)) test_fail(__FILE__, __LINE__, words);
}

static void texts_are_held_against_their_rows(void) {
  us_parameter path = {0}, header = {0}, option = {0}, choice = {0}, date = {0};
  path.name = header.name = option.name = choice.name = date.name = "it";
  path.place = US_PATH;
  header.place = US_HEADER;
  option.place = US_OPTION;
  choice.place = date.place = US_BODY;
  choice.choices = "ab|abc";
  date.flags = US_DATE_TIME;
  says(&path, with_text(us_text("a/b\r\n")), "");
  says(&path, with_text(us_text("..")),
       "it cannot stand in a path: it is empty, '.' or '..'");
  says(&header, with_text(us_text("ok")), "");
  says(&header, with_text(BYTES("a\0")), "it must not hold CR, LF or NUL");
  says(&option, with_text(us_text("")), "it must not be empty");
  says(&choice, with_text(us_text("ab")), "");
  says(&choice, with_text(us_text("abc")), "");
  says(&choice, with_text(us_text("a")), "it must be one of ab|abc");
  says(&choice, with_text(us_text("ab|abc")), "it must be one of ab|abc");
  says(&choice, with_text(us_text("")), "it must be one of ab|abc");
  says(&date, with_text(us_text("2020-01-31 23:59:00")), "");
  says(&date, with_text(us_text("2020-01-31T23:59:00")),
       "it must have the form YYYY-MM-DD hh:mm:ss");
}

static void numbers_and_lists_have_bounds(void) {
  us_parameter number = {0}, list = {0};
  us_slice items[2] = {{"a", 1}, {"b,c", 3}};
  us_value some = {0};
  number.name = list.name = "it";
  number.minimum = 1;
  number.maximum = 100;
  list.place = US_QUERY;
  list.minimum = 1;
  list.flags = US_COMMA;
  says(&number, with_integer(1), "");
  says(&number, with_integer(100), "");
  says(&number, with_integer(0), "it must be 1 to 100");
  says(&number, with_integer(-9223372036854775807LL), "it must be 1 to 100");
  some.kind = US_ITEMS;
  some.items = items;
  says(&list, some, "it must have at least one item");
  some.count = 1;
  says(&list, some, "");
  some.count = 2;
  says(&list, some, "it has an item with a comma, which cannot be expressed");
  list.flags = 0;
  says(&list, some, "");
}

static void absence_and_null(void) {
  us_parameter row = {0};
  us_value absent = {0}, null = {0};
  null.kind = US_NULL;
  row.name = "it";
  row.type = US_LIST;
  row.place = US_BODY;
  says(&row, absent, "");
  says(&row, null, "");
  row.flags = US_REQUIRED;
  says(&row, absent, "it is required: list of strings");
  says(&row, null, "it cannot be null");
  row.flags = 0;
  row.place = US_QUERY;
  says(&row, null, "it cannot be null");
}

/* Limits of texts are in characters, as providers count. */
static void texts_have_a_longest_length(void) {
  us_parameter row = {0};
  us_value value = {0};
  value.kind = US_TEXT;
  row.name = "it";
  row.type = US_STRING;
  row.place = US_BODY;
  row.maximum = 3;
  value.text = us_text("abc");
  says(&row, value, "");
  value.text = us_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  says(&row, value, "");
  value.text = us_text("abcd");
  says(&row, value, "it must have at most 3 characters");
  value.text = us_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.");
  says(&row, value, "it must have at most 3 characters");
  row.maximum = 0;
  says(&row, value, "");
}

/* us_type_name knows every combination that the rows use. */
static void every_row_has_a_type_with_a_name(void) {
  size_t i, j, k;
  for (i = 0; i < us_provider_count; i++) {
    const us_provider *provider = us_providers[i];
    for (j = 0; j < provider->option_count; j++)
      CHECK(strcmp(us_type_name(&provider->options[j]), "value") != 0);
    for (j = 0; j < provider->method_count; j++)
      for (k = 0; k < provider->methods[j].count; k++)
        CHECK(strcmp(us_type_name(&provider->methods[j].parameters[k]),
                     "value") != 0);
  }
}

int main(void) {
  one_is_a_line_and_several_are_a_list();
  names_are_cut_and_lists_too();
  the_nearest_name_is_near();
  texts_are_held_against_their_rows();
  numbers_and_lists_have_bounds();
  absence_and_null();
  texts_have_a_longest_length();
  every_row_has_a_type_with_a_name();
  us_problems_free(&problems);
  us_buffer_free(&text);
  return test_result();
}
