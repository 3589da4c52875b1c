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

static const us_parameter user_token[] = {
  QUERY("user_id", "user_id", US_STRING, REQUIRED, "the user"),
};
static const us_parameter reset_user_token[] = {
  BODY("user_id", "user_id", US_STRING, REQUIRED, "the user"),
};
static const us_parameter several_users[] = {
  BODY("user_ids", "user_ids", US_LIST, REQUIRED, "the users", .minimum = 1),
};

#define ROOM_ID BODY("room_id", "room_id", US_STRING, REQUIRED,                \
                     "the room, or its unique id")
#define ROOM_OF_LIST QUERY("room_id", "room_id", US_STRING, REQUIRED, "the room")

static const us_parameter room_participants[] = {
  ROOM_OF_LIST,
  PAGE,
  QUERY("limit", "limit", US_INTEGER, OPTIONAL, "participants a page"),
};
static const us_parameter change_participants[] = {
  BODY("room_id", "room_id", US_STRING, REQUIRED, "a group room"),
  BODY("user_ids", "user_ids", US_LIST, REQUIRED, "the users", .minimum = 1),
};
static const us_parameter post_comment[] = {
  BODY("user_id", "user_id", US_STRING, REQUIRED, "who says it"),
  ROOM_ID,
  BODY("message", "message", US_STRING, OPTIONAL,
       "the text; what has only a payload needs none", .maximum = 4000),
  BODY("type", "type", US_STRING, OPTIONAL,
       "text if absent; buttons, card, carousel, custom, file_attachment, "
       "location, reply, ..."),
  BODY("payload", "payload", US_TABLE, OPTIONAL, "what the type asks for"),
  BODY("extras", "extras", US_TABLE, OPTIONAL, "the application's own data"),
};
static const us_parameter post_system_event_message[] = {
  BODY("system_event_type", "system_event_type", US_STRING, REQUIRED,
       "custom, create_room, add_member, join_room, remove_member, "
       "left_room, change_room_name, change_room_avatar"),
  ROOM_ID,
  BODY("subject_user_id", "subject_user_id", US_STRING, OPTIONAL, "who did it"),
  BODY("object_user_id", "object_user_id", US_STRING, OPTIONAL,
       "to whom it was done"),
  BODY("message", "message", US_STRING, OPTIONAL, "the text to show"),
  BODY("payload", "payload", US_TABLE, OPTIONAL, "of a custom event"),
  BODY("extras", "extras", US_TABLE, OPTIONAL, "the application's own data"),
};
static const us_parameter load_comments[] = {
  ROOM_OF_LIST,
  PAGE,
  QUERY("limit", "limit", US_INTEGER, OPTIONAL,
        "messages a page; 20 if absent"),
};

/* total_page rounds down, so nothing here asks for it. */
#define PAGES_OF(items_)                                                       \
  {                                                                            \
    .style = US_PAGE_NUMBER, .argument = "page", .size = "limit",              \
    .usual_size = 100, .items = "results." items_                              \
  }
static const us_paging pages_of_users = PAGES_OF("users");
static const us_paging pages_of_unread = PAGES_OF("user_ids");
static const us_paging pages_of_participants = PAGES_OF("participants");
static const us_paging pages_of_comments = PAGES_OF("comments");

static const us_method methods[] = {
  METHOD("login_or_register", "login_or_register",
         "POST", "/login_or_register", login_or_register, US_IDEMPOTENT,
         "Creates a user, or updates one and the password with it."),
  METHOD("user_profile", "user_profile", "GET", "/user_profile", user_profile,
         US_IDEMPOTENT, "Reads a user."),
  METHOD("get_unread_users", "get_unread_users", "GET", "/get_unread_users",
         get_unread_users, US_IDEMPOTENT, "Lists users with unread messages.",
         .paging = &pages_of_unread),
  METHOD("get_user_unread_count", "get_user_unread_count",
         "GET", "/get_user_unread_count", get_user_unread_count,
         US_IDEMPOTENT, "Counts the unread messages of users."),
  METHOD("get_user_list", "get_user_list", "GET", "/get_user_list",
         get_user_list, US_IDEMPOTENT,
         "Lists users, a page at a time. total_page rounds down: walk until "
         "a short or empty page.", .paging = &pages_of_users),
  METHOD("get_user_token", "get_user_token", "GET", "/get_user_token",
         user_token, US_IDEMPOTENT, "Reads the token a user signs in with."),
  METHOD("reset_user_token", "reset_user_token", "POST", "/reset_user_token",
         reset_user_token, US_IDEMPOTENT,
         "Gives a user a new token; the old one dies, and signs out with it."),
  METHOD("deactivate_users", "deactivate_users", "DELETE", "/deactivate_users",
         several_users, US_IDEMPOTENT, "Shuts users out of the application.",
         .certainty = US_OBSERVED),
  METHOD("reactivate_users", "reactivate_users", "POST", "/reactivate_users",
         several_users, US_IDEMPOTENT, "Lets deactivated users back in.",
         .certainty = US_OBSERVED),
  METHOD("get_room_participants", "get_room_participants",
         "GET", "/get_room_participants", room_participants, US_IDEMPOTENT,
         "Lists who is in a room, a page at a time.",
         .paging = &pages_of_participants),
  METHOD("add_room_participants", "add_room_participants",
         "POST", "/add_room_participants", change_participants, US_IDEMPOTENT,
         "Brings users into a group room."),
  METHOD("remove_room_participants", "remove_room_participants",
         "POST", "/remove_room_participants", change_participants,
         US_IDEMPOTENT, "Takes users out of a group room."),
  METHOD("post_comment", "post_comment", "POST", "/post_comment", post_comment,
         0, "Posts a message to a room."),
  METHOD("post_system_event_message", "post_system_event_message",
         "POST", "/post_system_event_message", post_system_event_message, 0,
         "Posts the message of an event to a room."),
  METHOD("load_comments", "load_comments", "GET", "/load_comments",
         load_comments, US_IDEMPOTENT,
         "Reads the messages of a room, a page at a time.",
         .paging = &pages_of_comments),
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
