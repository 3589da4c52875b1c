/* stand_in.c: a provider that is none, for what rows may say and those of the
   real ones do not: forms, a prefix of a method's own, optional path options,
   longest texts. */
#include "world.h"

#include "providers/rows.h"

/* clang-format off */
static const us_parameter options[] = {
  OPTION("base_url", OPTIONAL, "the server", .fallback = "https://s.example"),
  OPTION_IN(US_PATH, "tenant", "tenant", OPTIONAL, "in the path when set"),
  OPTION_IN(US_HEADER, "region", "X-Region", OPTIONAL, "on every call",
            .choices = "eu|us"),
  OPTION("token", US_SECRET, "fetched when absent"),
};

static const us_parameter form[] = {
  PATH("kind", "kind", "a segment", .choices = "a|b"),
  FORM("text", "text", REQUIRED, "any text", .maximum = 100),
  FORM("odd name", "odd name[]", OPTIONAL, "a name to be encoded"),
  FORM("secret", "secret", US_SECRET, "never shown"),
};
static const us_parameter query[] = {
  QUERY("list", "list[]", US_LIST, OPTIONAL, "repeated"),
  QUERY("joined", "joined", US_LIST, US_COMMA, "with commas", .minimum = 1),
  QUERY("count", "count", US_INTEGER, REQUIRED, "a number", .minimum = -5,
        .maximum = 5),
  QUERY("flag", "flag", US_BOOLEAN, OPTIONAL, "yes or no"),
  HEADER("note", "X-Note", OPTIONAL, "a header"),
};
static const us_parameter body[] = {
  BODY("either", "either", US_STRING | US_BOOLEAN, REQUIRED, "two types"),
  BODY("list", "list", US_LIST, OPTIONAL, "strings"),
  BODY("when", "when", US_STRING, US_DATE_TIME, "a date"),
  BODY("secrets", "secrets", US_TABLE, US_SECRET, "a table of secrets"),
  BODY("number", "number", US_INTEGER, OPTIONAL, "any integer"),
};
static const us_capture captures[] = {
  {"token", "token"},
  {NULL, NULL},
};

static const us_method methods[] = {
  METHOD("form", "form", "POST", "/form/{kind}", form, 0, "Posts a form."),
  METHOD("query", "query", "GET", "/query", query, US_IDEMPOTENT | US_EMPTY_OK,
         "Asks.", .prefix = "/own/x", .bearer = "token"),
  METHOD("body", "body", "PUT", "/", body, 0, "Puts.", .without = "region"),
  PLAIN_METHOD("fetch", "fetch", "DELETE", "", US_IDEMPOTENT, "Gets a token.",
               .captures = captures),
};
/* clang-format on */

static us_status authorize(us_client *client, const us_method *method,
                           double unix_time, us_request *request) {
  (void)method;
  (void)unix_time;
  us_request_add_bearer(request, us_client_option(client, "token"));
  return US_OK;
}

const us_provider world_stand_in = {
    .name = "stand_in",
    .title = "a provider that is none",
    .source = "",
    .prefix = "/in/{tenant}",
    .bare_prefix = "/bare",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .methods = methods,
    .method_count = LENGTH(methods),
    .token_method = "fetch",
    .token_option = "token",
    .envelope = {US_WHEN_FALSE, "ok", "code", {"one", "two", "three"}},
    .authorize = authorize,
};
