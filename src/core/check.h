/* check.h: holds values against their rows. Every problem of a call goes to
   one list, each naming its argument, so that a caller sees all at once. */
#ifndef US_CHECK_H
#define US_CHECK_H

#include "core/value.h"

/* Sentences, separated by NUL bytes. */
typedef struct {
  us_buffer text;
  size_t count;
} us_problems;

void us_problems_reset(us_problems *problems);
/* Adds "<name> <sentence><detail>"; NULL parts are left out. */
void us_problem(us_problems *problems, const char *name, const char *sentence,
                const char *detail);
/* Adds "unknown <what> 'name'", and the nearest of the known names. */
void us_problem_unknown(us_problems *problems, const char *what, us_slice name,
                        const char *nearest);
/* Appends the list for people: one problem on one line, several below. */
void us_problems_append(const us_problems *problems, us_buffer *out);
void us_problems_free(us_problems *problems);

/* Keeps in *best the candidate nearest to `name`; *distance starts at 0.
   Candidates that differ in more than a third of their letters do not count. */
void us_nearest(us_slice name, const char *candidate, const char **best,
                size_t *distance);
/* The nearest method's or parameter's name, or NULL. */
const char *us_nearest_method(const us_provider *provider, us_slice name);
const char *us_nearest_parameter(const us_parameter *parameters, size_t count,
                                 us_slice name);

/* Checks a value that has the right type: presence, range, choices, form. */
void us_check_value(const us_parameter *parameter, const us_value *value,
                    us_problems *problems);
/* Words for the types a parameter takes: "string", "list of strings". */
const char *us_type_name(const us_parameter *parameter);

#endif
