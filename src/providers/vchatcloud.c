/* vchatcloud.c: the VChatCloud open API, users of a chat room.
   Source: https://vchatcloud.com/doc/en/rest_api/chat/chatUser.html */
#include "providers/rows.h"

/* clang-format off */
static const us_parameter options[] = {
  OPTION("base_url", OPTIONAL, "the API server",
         .fallback = "https://vchatcloud.com"),
  OPTION("api_key", REQUIRED | US_SECRET, "the account's API key"),
  OPTION("token", US_SECRET,
         "a ready token; absent: fetched with api_key and renewed in time"),
};

#define ROOM_ID PATH("room_id", "roomId", "the chat room")
#define CLIENT_KEY PATH("client_key", "clientKey", "the user's key in the room")

static const us_parameter room[] = {
  ROOM_ID,
};
static const us_parameter room_user[] = {
  ROOM_ID,
  CLIENT_KEY,
};

static const us_parameter send_notice[] = {
  ROOM_ID,
  FORM("nick_name", "nickName", REQUIRED, "who says it", .maximum = 50),
  FORM("notice", "notice", REQUIRED, "what all in the room shall read",
       .maximum = 100),
};

static const us_capture issued_token[] = {
  {"data.X-AUTH-TOKEN", "token"},
  {NULL, NULL},
};

static const us_method methods[] = {
  METHOD("list_users", "Chat room user list",
         "GET", "/openapi/v1/users/{room_id}", room, US_IDEMPOTENT,
         "Lists who is in a room."),
  METHOD("list_exiled_users", "Exile user list",
         "GET", "/openapi/v1/exiles/{room_id}", room, US_IDEMPOTENT,
         "Lists who is exiled from a room."),
  METHOD("exile_user", "Exile the user",
         "POST", "/openapi/v1/exiles/{room_id}/{client_key}", room_user,
         US_IDEMPOTENT, "Throws a user out of a room for good."),
  METHOD("cancel_exile", "Cancel exile the user",
         "PUT", "/openapi/v1/exiles/{room_id}/{client_key}", room_user,
         US_IDEMPOTENT, "Lets an exiled user come back."),
  METHOD("list_muted_users", "Write-restricted user list",
         "GET", "/openapi/v1/mute/{room_id}", room, US_IDEMPOTENT,
         "Lists who may not write in a room."),
  METHOD("mute_user", "User write restriction",
         "POST", "/openapi/v1/mute/{room_id}/{client_key}", room_user,
         US_IDEMPOTENT, "Stops a user from writing in a room."),
  METHOD("cancel_mute", "Cancel user write restrictions",
         "PUT", "/openapi/v1/mute/{room_id}/{client_key}", room_user,
         US_IDEMPOTENT, "Lets a muted user write again."),
  METHOD("send_notice", "Send a notice",
         "POST", "/openapi/v1/notice/{room_id}", send_notice, 0,
         "Shows a notice to all in a room."),
  PLAIN_METHOD("list_rooms", "Chat room list", "GET", "/openapi/v2/rooms",
         US_IDEMPOTENT, "Lists the account's rooms."),
  METHOD("get_room", "Chat room details", "GET", "/openapi/v2/rooms/{room_id}",
         room, US_IDEMPOTENT, "Reads a room."),
  PLAIN_METHOD("issue_token", "Token issue", "GET", "/openapi/token",
         US_IDEMPOTENT,
         "Fetches a token, which this client uses from then on.",
         .captures = issued_token),
};
/* clang-format on */

static us_status authorize(us_client *client, const us_method *method,
                           double unix_time, us_request *request) {
  us_slice token = us_client_option(client, "token");
  (void)unix_time;
  us_headers_add(&request->headers, "API_KEY",
                 us_client_option(client, "api_key"), true);
  if (method->captures == issued_token) return US_OK;
  /* only a dry run comes here without a token */
  if (token.length == 0) token = us_text("(fetched before the first call)");
  us_headers_add(&request->headers, "X-AUTH-TOKEN", token, true);
  return US_OK;
}

const us_provider us_vchatcloud = {
    .name = "vchatcloud",
    .title = "VChatCloud",
    .source = "https://vchatcloud.com/doc/en/rest_api/chat/chatUser.html",
    .prefix = "",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .methods = methods,
    .method_count = LENGTH(methods),
    .token_method = "issue_token",
    .token_option = "token",
    .envelope = {US_UNLESS_ONE, "result_cd", "result_cd", {"result_msg"}},
    .authorize = authorize,
};
