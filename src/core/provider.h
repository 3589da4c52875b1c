/* provider.h: the columns of the endpoint tables: what a provider, a method
   and a parameter are. The tables themselves are in providers/, one file
   each; the words they are written in are in providers/rows.h. */
#ifndef US_PROVIDER_H
#define US_PROVIDER_H

#include "core/buffer.h"

/* Where a parameter goes. */
typedef enum {
  US_PATH, /* fills {name} in the path, percent-encoded */
  US_QUERY,
  US_HEADER,
  US_BODY,  /* member of the JSON body */
  US_FIELD, /* part of a multipart body */
  US_FORM,  /* pair of an application/x-www-form-urlencoded body */
  US_OPTION /* nowhere by itself: a client option */
} us_place;

/* Types, as bits: a parameter may take more than one. */
#define US_STRING 1u
#define US_INTEGER 2u
#define US_BOOLEAN 4u
#define US_TABLE 8u /* free-form JSON object */
#define US_LIST 16u /* of strings */
#define US_FILE 32u
#define US_DECIMAL 64u   /* options only: a number of seconds */
#define US_FUNCTION 128u /* options only */
#define US_TABLES 256u   /* list of free-form JSON objects */

/* Flags of parameters and options. */
#define US_REQUIRED 1u
#define US_SECRET 2u    /* never shown */
#define US_COMMA 4u     /* a list in a query: joined, not repeated */
#define US_DATE_TIME 8u /* YYYY-MM-DD hh:mm:ss */
#define US_PER_CALL 16u /* an option every call may override */

typedef struct {
  const char *name; /* in Lua, snake_case */
  const char *wire; /* on the wire; NULL where it never goes there */
  us_place place;
  unsigned type;
  unsigned flags;
  const char *choices;   /* "block|unblock"; NULL: any */
  long minimum;          /* of an integer, or of a list's length */
  long maximum;          /* of an integer, or of a text's characters; 0: none */
  const char *fallback;  /* an option's default */
  const char *needed_by; /* "scope=appUser": an option required then */
  const char *doc;
} us_parameter;

/* A value of a successful answer that the client keeps. */
typedef struct {
  const char *path;   /* "result.token.accessToken" */
  const char *option; /* the client option it becomes */
} us_capture;

/* How a list that comes in pages is walked. */
typedef enum {
  US_PAGE_NUMBER, /* the argument counts pages, from 1 */
  US_PAGE_SKIP,   /* the argument counts the items before the page */
  US_PAGE_BEFORE  /* the argument is `cursor` of the page's first item */
} us_page_style;

typedef struct {
  us_page_style style;
  const char *argument; /* which says what page is wanted */
  const char *size;     /* the argument with the page's length; NULL: none */
  long usual_size;      /* asked for when the caller names none */
  const char *items;    /* "results.users": the list in an answer */
  const char *cursor;   /* a member of an item */
  const char *forward;  /* an argument to go the other way with; NULL: none */
} us_paging;

/* How sure the source of a row is. */
typedef enum {
  US_DOCUMENTED, /* on a page of the provider */
  US_OBSERVED,   /* in code of the provider or its customers */
  US_INFERRED    /* from what stands beside it */
} us_certainty;

/* Flags of methods. */
#define US_IDEMPOTENT 1u   /* safe to repeat after an unknown outcome */
#define US_EMPTY_OK 2u     /* an empty answer is a success: true */
#define US_CAPTURE_ONCE 4u /* capture only while the first option is unset */

typedef struct {
  const char *name;
  const char *operation; /* the provider's own name for it */
  const char *verb;
  const char *path;   /* after the prefix; {argument} is filled in, encoded */
  const char *prefix; /* instead of the provider's; NULL: that one */
  const us_parameter *parameters;
  size_t count;
  unsigned flags;
  const char *bearer;  /* "a|b": options, the first set is the bearer token */
  const char *without; /* an option that must not be set */
  const us_capture *captures; /* ends with a NULL path; NULL: none */
  const us_paging *paging;    /* NULL: it all comes at once */
  us_certainty certainty;
  const char *doc;
} us_method;

/* When a 2xx answer says no. */
typedef enum {
  US_NEVER,
  US_WHEN_FALSE, /* the verdict is false */
  US_UNLESS_ONE, /* the verdict is there and is not 1 */
  US_FROM_400    /* the verdict is a number >= 400 */
} us_refusal;

/* Where the provider says what went wrong; paths as in us_capture. */
typedef struct {
  us_refusal refusal;
  const char *verdict;
  const char *code;
  const char *messages[3]; /* the first that is there; NULL ends */
} us_envelope;

typedef struct us_client us_client;
typedef struct us_request us_request;

/* Adds the credentials of one attempt to `request`. */
typedef us_status (*us_authorize)(us_client *client, const us_method *method,
                                  double unix_time, us_request *request);

typedef struct us_provider {
  const char *name;
  const char *title;
  const char *source;      /* where the endpoints are documented */
  const char *prefix;      /* of every path; {option} is filled in, encoded */
  const char *bare_prefix; /* instead, when an option of `prefix` is unset */
  bool always_json; /* Content-Type: application/json without a body too */
  const us_parameter *options;
  size_t option_count;
  const char *credentials; /* "key_id+secret|jwt": exactly one; NULL: any */
  const us_method *methods;
  size_t method_count;
  const char *token_method; /* fetches `token_option`, when it is needed */
  const char *token_option;
  us_envelope envelope;
  us_authorize authorize;
} us_provider;

/* The tables, in alphabetical order of their names. */
extern const us_provider *const us_providers[];
extern const size_t us_provider_count;

const us_provider *us_provider_find(us_slice name);
const us_method *us_method_find(const us_provider *provider, us_slice name);
/* The index of parameter `name`, or -1. */
int us_parameter_find(const us_parameter *parameters, size_t count,
                      us_slice name);
/* True when the row has a parameter of this place: tells the kind of body. */
bool us_method_has(const us_method *method, us_place place);

#endif
