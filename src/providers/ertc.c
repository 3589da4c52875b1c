/* ertc.c: eRTC / InAppChat, the user API of its v1 chat server.
   Source: ERTCUserApi and openapi.yaml of BotStacks/android-sdk. */
#include <stdio.h>

#include "core/sign.h"
#include "providers/rows.h"

/* clang-format off */
static const us_parameter options[] = {
  OPTION("base_url", REQUIRED,
         "the tenant's chat server, up to where v1 begins"),
  OPTION("api_key", REQUIRED | US_SECRET, "the chat server's API key"),
  OPTION("bundle_id", REQUIRED,
         "the application's bundle or package id, part of every signature"),
  OPTION_IN(US_PATH, "tenant_id", "tenantId", REQUIRED, "the tenant"),
  OPTION_IN(US_PATH, "version", "version", OPTIONAL, "the API's version",
            .fallback = "v1"),
  OPTION_IN(US_HEADER, "device_id", "deviceid", OPTIONAL,
            "the device, sent as a header of every call"),
  OPTION("access_token", US_SECRET,
         "bearer token; taken from the first get_or_update_user_by_app_id "
         "when absent"),
  OPTION("refresh_token", US_SECRET,
         "bearer token of refresh_auth_token, when there is one"),
  OPTION("nonce_unit", OPTIONAL,
         "what the signed timestamp counts: milliseconds or seconds",
         .choices = "ms|s", .fallback = "ms"),
};

#define ERTC_USER_ID PATH("ertc_user_id", "eRTCUserId", "the eRTC user")
#define DEVICE_ID BODY("device_id", "deviceId", US_STRING, OPTIONAL,           \
                       "the device the call is about")
#define DEVICE_TYPE BODY("device_type", "deviceType", US_STRING, OPTIONAL,     \
                         "the device's system", .choices = "android|ios")
#define FCM_TOKEN BODY("fcm_token", "fcmToken", US_STRING,                     \
                       US_SECRET, "Firebase token for push messages")
#define FCM_VERSION BODY("fcm_version", "fcmVersion", US_STRING, OPTIONAL,     \
                         "version of the push format; the server takes f1")

static const us_parameter get_or_update_user_by_app_id[] = {
  BODY("app_user_id", "appUserId", US_STRING, REQUIRED,
       "the application's own id of the user, such as an e-mail address"),
  DEVICE_ID,
  DEVICE_TYPE,
  FCM_TOKEN,
  FCM_VERSION,
  BODY("public_key", "publicKey", US_STRING, OPTIONAL,
       "the device's public key, for end-to-end encryption"),
  BODY("mute_setting", "muteSetting", US_STRING, OPTIONAL,
       "which notifications are muted", .choices = "none|all|allbutmentions"),
  BODY("auth_payload", "authPayload", US_TABLE, US_SECRET,
       "what the tenant's own user validation needs"),
};
static const us_parameter update_user_by_ertc_user_id[] = {
  ERTC_USER_ID,
  DEVICE_ID,
  DEVICE_TYPE,
  FCM_TOKEN,
  FCM_VERSION,
  BODY("availability_status", "availabilityStatus", US_STRING, OPTIONAL,
       "how the user appears to others",
       .choices = "auto|away|invisible|dnd"),
  BODY("notification_settings", "notificationSettings", US_TABLE, OPTIONAL,
       "allowFrom (all, mentions, none), validTill, validTillDisplayValue"),
};
static const us_parameter block_unblock_user[] = {
  PATH("ertc_user_id", "eRTCUserId", "the user who blocks"),
  PATH("action", "action", "what to do", .choices = "block|unblock"),
  BODY("app_user_id", "appUserId", US_STRING, REQUIRED,
       "the user to be blocked"),
};
static const us_parameter blocked_users[] = {
  ERTC_USER_ID,
  HEADER("device_id", "deviceid", REQUIRED,
         "the device; the client's device_id when absent"),
};
static const us_parameter get_chat_user_details[] = {
  ERTC_USER_ID,
  BODY("app_user_ids", "appUserIds", US_LIST, REQUIRED,
       "the users to tell about"),
  BODY("status_keys", "statusKeys", US_LIST, REQUIRED,
       "what to tell: availabilityStatus, blockedStatus", .minimum = 1),
};
static const us_parameter logout[] = {
  ERTC_USER_ID,
  BODY("app_user_id", "appUserId", US_STRING, REQUIRED,
       "the application's own id of the user"),
  DEVICE_ID,
};
static const us_parameter pending_events[] = {
  ERTC_USER_ID,
  QUERY("device_id", "deviceId", US_STRING, OPTIONAL,
        "the device whose events are wanted"),
};
static const us_parameter user_alone[] = {
  ERTC_USER_ID,
};


/* Groups and reports. Their documents sign these with the user server's key:
   where that is another one, they need a client of their own. Those of the two
   restrictions name no credentials and have a stray brace in the path: both are
   here as in the methods beside them. */
#define GROUP_ID PATH("group_id", "groupId", "the group")
#define CALLER PATH("ertc_user_id", "eRTCUserId", "the user who acts")
#define PARTICIPANTS BODY("participants", "participants", US_LIST, REQUIRED,   \
                          "the users' own ids (app_user_id)", .minimum = 1)
#define RESTRICTION BODY("type", "type", US_STRING, REQUIRED,                  \
                         "what is forbidden", .choices = "ban|mute")

static const us_parameter group[] = {
  CALLER,
  GROUP_ID,
};
static const us_parameter remove_participants[] = {
  CALLER,
  GROUP_ID,
  PARTICIPANTS,
};
static const us_parameter restrict_participants[] = {
  CALLER,
  GROUP_ID,
  PARTICIPANTS,
  RESTRICTION,
  BODY("till", "till", US_STRING, OPTIONAL,
       "when it ends: ISO 8601, such as 2021-06-14T14:02:03.527Z"),
};
static const us_parameter unrestrict_participants[] = {
  CALLER,
  GROUP_ID,
  PARTICIPANTS,
  RESTRICTION,
};
static const us_parameter create_chat_report[] = {
  CALLER,
  BODY("msg_unique_id", "msgUniqueId", US_STRING, REQUIRED,
       "the message to report"),
  BODY("category", "category", US_STRING, REQUIRED, "what is wrong with it",
       .choices = "abuse|spam|other|inappropriate"),
  BODY("reason", "reason", US_STRING, OPTIONAL, "in words"),
};
static const us_parameter list_chat_reports[] = {
  CALLER,
  QUERY("skip", "skip", US_INTEGER, OPTIONAL, "reports before the page"),
  QUERY("limit", "limit", US_INTEGER, OPTIONAL, "reports a page; 10 if absent"),
  QUERY("thread_id", "threadId", US_STRING, OPTIONAL, "of one conversation"),
  QUERY("category", "category", US_STRING, OPTIONAL, "of one kind",
        .choices = "abuse|spam|other|inappropriate"),
  QUERY("status", "status", US_STRING, OPTIONAL, "how far they are",
        .choices = "new|reportConsidered|reportIgnored"),
  QUERY("msg_type", "msgType", US_STRING, OPTIONAL,
        "of one kind of message: text, image, audio, video, file, gif, "
        "location, contact, sticker, gify"),
};
static const us_parameter resolve_chat_report[] = {
  CALLER,
  PATH("chat_report_id", "chatReportId", "the report"),
  PATH("action", "action", "the verdict",
       .choices = "reportConsidered|reportedIgnored"),
};
static const us_parameter tenant_namespace[] = {
  PATH("namespace", "namespace", "the tenant's name"),
};

static const us_paging by_skip = {
  .style = US_PAGE_SKIP, .argument = "skip", .size = "limit",
  .usual_size = 100, .items = "result.chatReports",
};

static const us_capture first_tokens[] = {
  {"result.token.accessToken", "access_token"},
  {"result.token.refreshToken", "refresh_token"},
  {NULL, NULL},
};
static const us_capture new_tokens[] = {
  {"result.accessToken", "access_token"},
  {"result.refreshToken", "refresh_token"},
  {NULL, NULL},
};

static const us_method methods[] = {
  METHOD("get_or_update_user_by_app_id", "getOrUpdateUserByAppId",
         "POST", "/user/", get_or_update_user_by_app_id,
         US_IDEMPOTENT | US_CAPTURE_ONCE,
         "Creates or updates a user and signs the user in.",
         .captures = first_tokens),
  METHOD("update_user_by_ertc_user_id", "updateUserByeRTCUserId",
         "POST", "/user/{ertc_user_id}", update_user_by_ertc_user_id,
         US_IDEMPOTENT, "Updates a user's device, status or notifications.",
         .bearer = "access_token"),
  METHOD("block_unblock_user", "blockUnblockUserPost",
         "POST", "/user/{ertc_user_id}/blockUnblock/{action}",
         block_unblock_user, US_IDEMPOTENT,
         "Blocks another user for this one, or lifts the block.",
         .bearer = "access_token"),
  METHOD("blocked_users", "blockedUsersGet",
         "GET", "/user/{ertc_user_id}/blockedUsers", blocked_users,
         US_IDEMPOTENT, "Lists whom a user has blocked.",
         .bearer = "access_token"),
  METHOD("get_chat_user_details", "getChatUserDetailsPost",
         "POST", "/user/{ertc_user_id}/chatUserDetails", get_chat_user_details,
         US_IDEMPOTENT, "Tells the availability and block status of users.",
         .bearer = "access_token"),
  METHOD("logout_user", "logoutUser",
         "POST", "/user/{ertc_user_id}/logout", logout,
         US_IDEMPOTENT, "Signs a user out.", .bearer = "access_token"),
  METHOD("logout_other_devices", "logoutOtherDevices",
         "POST", "/user/{ertc_user_id}/logoutOtherDevices", logout,
         US_IDEMPOTENT, "Signs a user out of all devices but the given one.",
         .bearer = "access_token"),
  METHOD("pending_events", "pendingEventsGet",
         "GET", "/user/{ertc_user_id}/pendingEvents", pending_events,
         0, "Reads, and on the server forgets, what a user missed.",
         .bearer = "access_token"),
  METHOD("refresh_auth_token", "refreshAuthToken",
         "GET", "/user/{ertc_user_id}/refreshToken", user_alone,
         0, "Gets new tokens, which this client uses from then on.",
         .bearer = "refresh_token|access_token", .captures = new_tokens),
  METHOD("reset_badge_count", "resetBadgeCount",
         "GET", "/user/{ertc_user_id}/resetBadgeCount", user_alone,
         0, "Sets a user's count of unread messages to zero.",
         .bearer = "access_token"),
  METHOD("get_group", "getGroupByGroupIdGet",
         "GET", "/{ertc_user_id}/group/{group_id}", group, US_IDEMPOTENT,
         "Reads a group and who is in it.", .bearer = "access_token"),
  METHOD("remove_participants", "removeParticipantsPost",
         "POST", "/{ertc_user_id}/group/{group_id}/removeParticipants",
         remove_participants, US_IDEMPOTENT, "Takes users out of a group.",
         .bearer = "access_token"),
  METHOD("restrict_participants", "restrictParticipants",
         "POST", "/{ertc_user_id}/group/{group_id}/restrictParticipants",
         restrict_participants, US_IDEMPOTENT,
         "Bans users from a group, or mutes them there.",
         .bearer = "access_token", .certainty = US_INFERRED),
  METHOD("unrestrict_participants", "unrestrictParticipants",
         "POST", "/{ertc_user_id}/group/{group_id}/unrestrictParticipants",
         unrestrict_participants, US_IDEMPOTENT, "Lifts a ban or a mute.",
         .bearer = "access_token", .certainty = US_INFERRED),
  METHOD("create_chat_report", "createChatReportPost",
         "POST", "/{ertc_user_id}/chatReports", create_chat_report, 0,
         "Reports a message to the moderators.", .bearer = "access_token"),
  METHOD("list_chat_reports", "getChatReportList",
         "GET", "/{ertc_user_id}/chatReports", list_chat_reports,
         US_IDEMPOTENT, "Lists reported messages, a page at a time.",
         .bearer = "access_token", .paging = &by_skip),
  METHOD("resolve_chat_report", "updateChatReportActionPut", "PUT",
         "/{ertc_user_id}/chatReports/{chat_report_id}/allowIgnore/{action}",
         resolve_chat_report, US_IDEMPOTENT,
         "Closes a report: considered, or ignored.",
         .bearer = "access_token"),
  METHOD("get_tenant_details", "get-tenant-details",
         "GET", "/get-tenant-details/{namespace}", tenant_namespace,
         US_IDEMPOTENT,
         "Tells a tenant's id, servers and keys; asked of the provisioning "
         "server, see usher.ertc_discover.",
         .prefix = "/v1/tenants", .certainty = US_OBSERVED),
};
/* clang-format on */

/* The timestamp is the nonce; what is signed is api_key~bundle_id~nonce. */
static us_status add_signature(us_client *client, double unix_time,
                               us_buffer *scratch, us_request *request) {
  unsigned char digest[US_SHA256_SIZE];
  char nonce[32];
  bool seconds = us_slice_is(us_client_option(client, "nonce_unit"), "s");
  us_status status;
  snprintf(nonce, sizeof nonce, "%lld",
           (long long)(seconds ? unix_time : unix_time * 1000));
  us_buffer_reset(scratch, US_LIMIT_HEADERS);
  us_buffer_append_slice(scratch, us_client_option(client, "api_key"));
  us_buffer_append_byte(scratch, '~');
  us_buffer_append_slice(scratch, us_client_option(client, "bundle_id"));
  us_buffer_append_byte(scratch, '~');
  us_buffer_append_text(scratch, nonce);
  if (scratch->status != US_OK) return scratch->status;
  status = us_sha256(us_buffer_slice(scratch), digest);
  if (status != US_OK) return status;
  us_buffer_reset(scratch, US_LIMIT_HEADERS);
  us_append_hex(scratch, digest, sizeof digest);
  us_headers_add(&request->headers, "X-Request-Signature",
                 us_buffer_slice(scratch), true);
  us_headers_add(&request->headers, "X-Nonce", us_text(nonce), false);
  return scratch->status;
}

static us_status authorize(us_client *client, const us_method *method,
                           double unix_time, us_request *request) {
  us_buffer scratch = {0};
  us_status status = add_signature(client, unix_time, &scratch, request);
  us_buffer_free(&scratch);
  if (status == US_OK && method->bearer != NULL)
    us_request_add_bearer(request, us_client_first(client, method->bearer));
  return status;
}

const us_provider us_ertc = {
    .name = "ertc",
    .title = "eRTC / InAppChat",
    .source = "https://github.com/BotStacks/android-sdk",
    .prefix = "/{version}/tenants/{tenant_id}",
    .options = options,
    .option_count = OPTION_COUNT(options),
    .methods = methods,
    .method_count = LENGTH(methods),
    .envelope = {US_WHEN_FALSE, "success", "errorCode", {"msg", "message"}},
    .authorize = authorize,
};
