/* qiscus.c: the users of the Qiscus server API v2.1.
   Source: https://documentation.qiscus.com/v2.1/chat-server-api/user */
#include "providers/rows.h"

/* clang-format off */
static const us_parameter options[] = {
  OPTION("base_url", OPTIONAL, "the API server",
         .fallback = "https://api.qiscus.com"),
  OPTION("app_id", REQUIRED, "the application"),
  OPTION("secret", REQUIRED | US_SECRET, "the application's secret key"),
  OPTION("header_style", OPTIONAL,
         "how the credential headers are spelled; some proxies drop "
         "underscores", .choices = "hyphen|underscore", .fallback = "hyphen"),
};

#define PAGE QUERY("page", "page", US_INTEGER, OPTIONAL, "from 1")
#define PERIOD                                                                 \
  QUERY("start_time", "start_time", US_STRING, US_DATE_TIME,                   \
        "from then: YYYY-MM-DD hh:mm:ss"),                                     \
  QUERY("end_time", "end_time", US_STRING, US_DATE_TIME,                       \
        "until then: YYYY-MM-DD hh:mm:ss")

static const us_parameter login_or_register[] = {
  BODY("user_id", "user_id", US_STRING, REQUIRED,
       "the application's id of the user; symbols only . - _ @"),
  BODY("password", "password", US_STRING, US_SECRET,
       "for a new user; an existing user's password is overwritten"),
  BODY("username", "username", US_STRING, REQUIRED, "the name to show"),
  BODY("avatar_url", "avatar_url", US_STRING, OPTIONAL, "the picture to show"),
  BODY("extras", "extras", US_TABLE, OPTIONAL, "the application's own data"),
};
static const us_parameter user_profile[] = {
  QUERY("user_id", "user_id", US_STRING, REQUIRED, "the user"),
};
static const us_parameter get_unread_users[] = {
  PAGE,
  QUERY("limit", "limit", US_INTEGER, OPTIONAL, "users a page",
        .minimum = 1, .maximum = 100),
  PERIOD,
};
static const us_parameter get_user_unread_count[] = {
  QUERY("user_ids", "user_ids[]", US_LIST, REQUIRED, "the users",
        .minimum = 1),
  PERIOD,
};
static const us_parameter get_user_list[] = {
  PAGE,
  QUERY("limit", "limit", US_INTEGER, OPTIONAL, "users a page"),
  QUERY("order_query", "order_query", US_STRING, OPTIONAL,
        "such as created_at desc nulls last: a fragment of SQL, so never "
        "text from a user"),
  QUERY("show_all", "show_all", US_BOOLEAN, OPTIONAL,
        "deactivated users too"),
};

static const us_method methods[] = {
  METHOD("login_or_register", "login_or_register",
         "POST", "/login_or_register", login_or_register, US_IDEMPOTENT,
         "Creates a user, or updates one and the password with it."),
  METHOD("user_profile", "user_profile", "GET", "/user_profile", user_profile,
         US_IDEMPOTENT, "Reads a user."),
  METHOD("get_unread_users", "get_unread_users", "GET", "/get_unread_users",
         get_unread_users, US_IDEMPOTENT, "Lists users with unread messages."),
  METHOD("get_user_unread_count", "get_user_unread_count",
         "GET", "/get_user_unread_count", get_user_unread_count,
         US_IDEMPOTENT, "Counts the unread messages of users."),
  METHOD("get_user_list", "get_user_list", "GET", "/get_user_list",
         get_user_list, US_IDEMPOTENT,
         "Lists users, a page at a time. total_page rounds down: walk until "
         "a short or empty page."),
};
/* clang-format on */

static us_status authorize(us_client *client, const us_method *method,
                           double unix_time, us_request *request) {
  bool hyphen = us_slice_is(us_client_option(client, "header_style"), "hyphen");
  (void)method;
  (void)unix_time;
  us_headers_add(&request->headers,
                 hyphen ? "QISCUS-SDK-APP-ID" : "QISCUS_SDK_APP_ID",
                 us_client_option(client, "app_id"), false);
  us_headers_add(&request->headers,
                 hyphen ? "QISCUS-SDK-SECRET" : "QISCUS_SDK_SECRET",
                 us_client_option(client, "secret"), true);
  return US_OK;
}

const us_provider us_qiscus = {
    .name = "qiscus",
    .title = "Qiscus Chat SDK server API v2.1",
    .source = "https://documentation.qiscus.com/v2.1/chat-server-api/user",
    .prefix = "/api/v2.1/rest",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .methods = methods,
    .method_count = LENGTH(methods),
    .envelope = {US_FROM_400,
                 "status",
                 "status",
                 {"error.message", "error.detailed_messages.1"}},
    .authorize = authorize,
};
