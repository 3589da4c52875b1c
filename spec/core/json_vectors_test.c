/* json_vectors_test.c: the texts of spec/vectors/json.lua, valid, invalid and
   left to the reader, with the core alone: which are read, and where and why
   the others are not. make writes them to build/json_vectors. */
#include "core/json_reader.h"

#include "test.h"

typedef struct {
  us_slice text; /* in memory of just its size */
  size_t byte;   /* where it is refused; 0: it is read */
  char words[80];
} vector;

static bool read_vector(FILE *file, vector *to) {
  char *text;
  if (fscanf(file, "%zu %zu %79[^\n]", &to->text.length, &to->byte,
             to->words) != 3)
    return false;
  text = malloc(to->text.length ? to->text.length : 1);
  if (text == NULL || fgetc(file) != '\n' ||
      fread(text, 1, to->text.length, file) != to->text.length ||
      fgetc(file) != '\n')
    abort();
  to->text.data = text;
  return true;
}

static us_json_token last_token(us_json_reader *reader, us_slice text,
                                us_json_names *names) {
  us_json_token token;
  us_json_start(reader, text);
  if (names != NULL) us_json_remember(reader, names);
  do
    token = us_json_next(reader);
  while (token > US_JSON_NO_MEMORY);
  return token;
}

static void check(const vector *expected, us_json_names *names) {
  us_json_reader reader = {0};
  us_json_token token = last_token(&reader, expected->text, names);
  bool right = expected->byte == 0
                   ? token == US_JSON_END
                   : token == US_JSON_INVALID &&
                         us_json_position(&reader) == expected->byte &&
                         us_slice_is(us_text(reader.problem), expected->words);
  if (!right)
    printf("%.*s: %s at %zu\n", (int)expected->text.length, expected->text.data,
           token == US_JSON_INVALID ? reader.problem : "it is read",
           us_json_position(&reader));
  CHECK(right);
  us_json_reader_free(&reader);
}

int main(void) {
  FILE *file = fopen("build/json_vectors", "rb");
  int valid = 0, invalid = 0;
  us_json_names names;
  vector next;
  if (file == NULL) abort();
  while (read_vector(file, &next)) {
    check(&next, NULL);
    check(&next, &names);
    *(next.byte ? &invalid : &valid) += 1;
    free((void *)next.text.data);
  }
  CHECK(feof(file) && valid > 140 && invalid > 280);
  fclose(file);
  return test_result();
}
