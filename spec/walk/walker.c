/* walker.c: an invented provider that lists its users in every style of paging
   there is, for tokens that expire. spec/walk_spec.lua builds it in a copy of
   this tree; no part of the library. */
#include "providers/rows.h"

/* clang-format off */
static const us_parameter options[] = {
  OPTION("base_url", OPTIONAL, "the API server",
         .fallback = "https://walker.example"),
  OPTION("api_key", REQUIRED | US_SECRET, "the account's key"),
  OPTION("token", US_SECRET, "absent: fetched with api_key"),
};

#define LIMIT QUERY("limit", "limit", US_INTEGER, OPTIONAL, "users a page")

static const us_parameter number[] = {
  QUERY("page", "page", US_INTEGER, OPTIONAL, "from 1"),
  LIMIT,
};
static const us_parameter skip[] = {
  QUERY("skip", "skip", US_INTEGER, OPTIONAL, "users before the page"),
  LIMIT,
};
static const us_parameter before[] = {
  QUERY("before", "before", US_STRING, OPTIONAL, "only who came earlier"),
  QUERY("after", "after", US_STRING, OPTIONAL, "only who came later"),
  LIMIT,
};

static const us_paging by_number = {
  .style = US_PAGE_NUMBER, .argument = "page", .size = "limit",
  .usual_size = 100, .items = "users",
};
static const us_paging by_skip = {
  .style = US_PAGE_SKIP, .argument = "skip", .size = "limit",
  .usual_size = 100, .items = "users",
};
static const us_paging by_time = {
  .style = US_PAGE_BEFORE, .argument = "before", .forward = "after",
  .size = "limit", .usual_size = 100, .items = "users", .cursor = "came",
};

static const us_capture issued_token[] = {
  {"token", "token"},
  {NULL, NULL},
};

static const us_method methods[] = {
  METHOD("list_by_number", "listByNumber", "GET", "/number", number,
         US_IDEMPOTENT, "Lists users.", .paging = &by_number),
  METHOD("list_by_skip", "listBySkip", "GET", "/skip", skip, US_IDEMPOTENT,
         "Lists users.", .paging = &by_skip),
  METHOD("list_by_time", "listByTime", "GET", "/time", before, US_IDEMPOTENT,
         "Lists users.", .paging = &by_time),
  PLAIN_METHOD("issue_token", "issueToken", "GET", "/token", US_IDEMPOTENT,
               "Fetches a token.", .captures = issued_token),
};
/* clang-format on */

static us_status authorize(us_client *client, const us_method *method,
                           double unix_time, us_request *request) {
  bool issues = method->captures == issued_token;
  (void)unix_time;
  us_headers_add(&request->headers, issues ? "X-Key" : "X-Token",
                 us_client_option(client, issues ? "api_key" : "token"), true);
  return US_OK;
}

const us_provider us_walker = {
    .name = "walker",
    .title = "Walker",
    .source = "https://walker.example/docs",
    .prefix = "",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .methods = methods,
    .method_count = LENGTH(methods),
    .token_method = "issue_token",
    .token_option = "token",
    .authorize = authorize,
};
