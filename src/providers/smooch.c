/* smooch.c: Smooch (Sunshine Conversations v1), both generations of its user
   API: with the app in the path (app_id set) and with the app implied.
   Source: docs.smooch.io of 2017, smooch-python d30268a, smooch-ruby 3.7.0. */
#include "core/json_writer.h"
#include "core/sign.h"
#include "providers/rows.h"

/* clang-format off */
static const us_parameter options[] = {
  OPTION("base_url", OPTIONAL, "the region's API server",
         .fallback = "https://api.smooch.io"),
  OPTION_IN(US_PATH, "app_id", "appId", OPTIONAL,
            "the app; absent when the credential implies it"),
  OPTION("key_id", US_SECRET, "id of the secret: app_... or act_..."),
  OPTION("secret", US_SECRET, "signs the JWT that every call carries"),
  OPTION("scope", OPTIONAL, "what the JWT may reach",
         .choices = "app|account|appUser", .fallback = "app"),
  OPTION("user_id", OPTIONAL, "the user of an appUser JWT",
         .needed_by = "scope=appUser"),
  OPTION("jwt", US_SECRET, "a ready JWT, instead of key_id and secret"),
};

#define USER_ID PATH("user_id", "userId", "the user: _id or userId")
#define GIVEN_NAME BODY("given_name", "givenName", US_STRING, OPTIONAL,        \
                        "first name")
#define SURNAME BODY("surname", "surname", US_STRING, OPTIONAL, "last name")
#define PROFILE                                                                \
  GIVEN_NAME,                                                                  \
  SURNAME,                                                                     \
  BODY("email", "email", US_STRING, OPTIONAL, "e-mail address"),               \
  BODY("signed_up_at", "signedUpAt", US_STRING, OPTIONAL,                      \
       "when the user signed up: ISO 8601"),                                   \
  BODY("properties", "properties", US_TABLE, OPTIONAL,                         \
       "the app's own data, flat; absent keys stay as they are")

static const us_parameter user_alone[] = {
  USER_ID,
};
static const us_parameter update_app_user[] = {
  USER_ID,
  PROFILE,
};
static const us_parameter pre_create_app_user[] = {
  BODY("user_id", "userId", US_STRING, REQUIRED, "the app's id of the user"),
  BODY("credential_required", "credentialRequired", US_BOOLEAN, OPTIONAL,
       "the user must sign in with an appUser JWT"),
  PROFILE,
};
static const us_parameter get_link_requests[] = {
  USER_ID,
  QUERY("integration_ids", "integrationIds", US_LIST, REQUIRED | US_COMMA,
        "the integrations to link to", .minimum = 1),
};
static const us_parameter link_app_user[] = {
  USER_ID,
  BODY("type", "type", US_STRING, REQUIRED,
       "the channel: twilio, messenger, mailgun, messagebird"),
  BODY("phone_number", "phoneNumber", US_STRING, OPTIONAL,
       "with + and country code; for twilio, messenger, messagebird"),
  BODY("address", "address", US_STRING, OPTIONAL, "for mailgun"),
  GIVEN_NAME,
  SURNAME,
  BODY("subject", "subject", US_STRING, OPTIONAL, "of the mail, for mailgun"),
  BODY("skip_confirmation", "skipConfirmation", US_STRING | US_BOOLEAN,
       OPTIONAL, "link at once; for twilio, deprecated"),
  BODY("confirmation", "confirmation", US_TABLE, OPTIONAL,
       "type (immediate, userActivity, prompt) and message"),
  BODY("primary", "primary", US_BOOLEAN, OPTIONAL,
       "the channel becomes the user's primary one"),
};
static const us_parameter unlink_app_user[] = {
  USER_ID,
  PATH("channel", "channel", "the channel to unlink"),
};
static const us_parameter post_image_message[] = {
  USER_ID,
  FIELD("source", "source", US_FILE, REQUIRED,
        "the image: { path = } or { data =, filename =, content_type = }"),
  FIELD("role", "role", US_STRING, REQUIRED, "who says it",
        .choices = "appUser|appMaker"),
  FIELD("name", "name", US_STRING, OPTIONAL, "the speaker's name"),
  FIELD("text", "text", US_STRING, OPTIONAL, "text beside the image"),
};
static const us_parameter app_user_device_update[] = {
  USER_ID,
  PATH("device_id", "deviceId", "the device"),
  BODY("push_notification_token", "pushNotificationToken", US_STRING,
       US_SECRET, "the device's push token"),
  BODY("app_version", "appVersion", US_STRING, OPTIONAL,
       "version of the app on the device"),
  BODY("info", "info", US_TABLE, OPTIONAL,
       "appName, carrier, deviceModel, devicePlatform, os, osVersion, ..."),
};
static const us_parameter track_event[] = {
  USER_ID,
  BODY("name", "name", US_STRING, REQUIRED, "the event"),
  BODY("app_user", "appUser", US_TABLE, OPTIONAL,
       "profile fields to update on the way"),
};

static const us_parameter post_message[] = {
  USER_ID,
  BODY("role", "role", US_STRING, REQUIRED, "who says it",
       .choices = "appUser|appMaker"),
  BODY("type", "type", US_STRING, OPTIONAL, "text, image, carousel, list"),
  BODY("text", "text", US_STRING, OPTIONAL, "the text"),
  BODY("name", "name", US_STRING, OPTIONAL, "the speaker's name"),
  BODY("email", "email", US_STRING, OPTIONAL, "the speaker's e-mail address"),
  BODY("avatar_url", "avatarUrl", US_STRING, OPTIONAL, "the speaker's picture"),
  BODY("media_url", "mediaUrl", US_STRING, OPTIONAL, "of an image"),
  BODY("media_type", "mediaType", US_STRING, OPTIONAL,
       "of an image, such as image/jpeg"),
  BODY("metadata", "metadata", US_TABLE, OPTIONAL, "the app's own data, flat"),
  BODY("payload", "payload", US_STRING, OPTIONAL, "of a reply action"),
  BODY("items", "items", US_TABLES, OPTIONAL,
       "of a carousel or a list: { { title =, actions = ... }, ... }"),
  BODY("actions", "actions", US_TABLES, OPTIONAL,
       "buttons below it: { { type =, text = ... }, ... }"),
  BODY("destination", "destination", US_TABLE, OPTIONAL,
       "the channel to deliver to: integrationId, integrationType"),
};
static const us_parameter get_messages[] = {
  USER_ID,
  QUERY("before", "before", US_STRING, OPTIONAL,
        "only older ones: Unix seconds, decimals allowed"),
  QUERY("after", "after", US_STRING, OPTIONAL,
        "only newer ones, instead of before"),
};

#define WEBHOOK_ID PATH("webhook_id", "webhookId", "the webhook")
#define TARGET(flags_) BODY("target", "target", US_STRING, flags_,             \
                            "the URL to call")
#define TRIGGERS BODY("triggers", "triggers", US_LIST, OPTIONAL,               \
                      "message, conversation:start, ...; message if absent")

static const us_parameter create_webhook[] = {
  TARGET(REQUIRED),
  TRIGGERS,
};
static const us_parameter webhook_alone[] = {
  WEBHOOK_ID,
};
static const us_parameter update_webhook[] = {
  WEBHOOK_ID,
  TARGET(OPTIONAL),
  TRIGGERS,
};

static const us_paging by_time = {
  .style = US_PAGE_BEFORE, .argument = "before", .forward = "after",
  .items = "messages", .cursor = "received",
};

static const us_method methods[] = {
  METHOD("get_app_user", "getAppUser", "GET", "/appusers/{user_id}",
         user_alone, US_IDEMPOTENT, "Reads a user."),
  METHOD("update_app_user", "updateAppUser", "PUT", "/appusers/{user_id}",
         update_app_user, US_IDEMPOTENT,
         "Updates a user; what is absent stays as it is."),
  METHOD("pre_create_app_user", "preCreateAppUser", "POST", "/appusers",
         pre_create_app_user, 0, "Creates a user before the first contact."),
  METHOD("delete_app_user_profile", "deleteAppUserProfile",
         "DELETE", "/appusers/{user_id}/profile", user_alone, US_IDEMPOTENT,
         "Clears a user's personal data; the user stays."),
  METHOD("get_app_user_auth_code", "getAppUserAuthCode",
         "GET", "/appusers/{user_id}/authcode", user_alone, US_IDEMPOTENT,
         "Gets a code with which a client signs in as the user."),
  METHOD("get_app_user_business_system_ids", "getAppUserBusinessSystemIds",
         "GET", "/appusers/{user_id}/businesssystems", user_alone,
         US_IDEMPOTENT, "Lists the user's ids in connected systems."),
  METHOD("get_app_user_entity_ids", "getAppUserEntityIds",
         "GET", "/appusers/{user_id}/channels", user_alone, US_IDEMPOTENT,
         "Lists the channels a user is linked to."),
  METHOD("get_link_requests", "getLinkRequests",
         "GET", "/appusers/{user_id}/linkrequest", get_link_requests,
         US_IDEMPOTENT, "Gets codes and URLs to link a user to channels."),
  METHOD("link_app_user", "linkAppUser",
         "POST", "/appusers/{user_id}/channels", link_app_user, 0,
         "Asks to link a user to a channel; the outcome comes later."),
  METHOD("unlink_app_user", "unlinkAppUser",
         "DELETE", "/appusers/{user_id}/channels/{channel}", unlink_app_user,
         US_IDEMPOTENT | US_EMPTY_OK, "Unlinks a user from a channel."),
  METHOD("post_image_message", "postImageMessage",
         "POST", "/appusers/{user_id}/images", post_image_message, 0,
         "Posts an image to a user's conversation."),
  METHOD("app_user_device_update", "appUserDeviceUpdate",
         "PUT", "/appusers/{user_id}/devices/{device_id}",
         app_user_device_update, US_IDEMPOTENT, "Updates a user's device.",
         .without = "app_id"),
  METHOD("track_event", "trackEvent",
         "POST", "/appusers/{user_id}/events", track_event, 0,
         "Reports an event of a user.", .without = "app_id"),
  METHOD("delete_app_user", "deleteAppUser", "DELETE", "/appusers/{user_id}",
         user_alone, US_IDEMPOTENT | US_EMPTY_OK,
         "Deletes a user, with ids, channels and conversation.",
         .certainty = US_OBSERVED),
  METHOD("post_message", "postMessage", "POST", "/appusers/{user_id}/messages",
         post_message, 0, "Posts a message to a user's conversation."),
  METHOD("get_messages", "getMessages", "GET", "/appusers/{user_id}/messages",
         get_messages, US_IDEMPOTENT,
         "Reads a user's conversation, newest messages first asked for.",
         .paging = &by_time),
  METHOD("create_webhook", "createWebhook", "POST", "/webhooks",
         create_webhook, 0, "Has the app's events sent to a URL."),
  PLAIN_METHOD("list_webhooks", "listWebhooks", "GET", "/webhooks",
         US_IDEMPOTENT, "Lists the app's webhooks."),
  METHOD("get_webhook", "getWebhook", "GET", "/webhooks/{webhook_id}",
         webhook_alone, US_IDEMPOTENT, "Reads a webhook."),
  METHOD("update_webhook", "updateWebhook", "PUT", "/webhooks/{webhook_id}",
         update_webhook, US_IDEMPOTENT, "Changes a webhook."),
  METHOD("delete_webhook", "deleteWebhook", "DELETE", "/webhooks/{webhook_id}",
         webhook_alone, US_IDEMPOTENT | US_EMPTY_OK, "Deletes a webhook."),
};
/* clang-format on */

static us_status mint(const us_client *client, us_buffer *header,
                      us_buffer *payload, us_buffer *jwt) {
  us_json_writer json = {header, false};
  us_slice scope = us_client_option(client, "scope");
  us_buffer_append_text(header, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":");
  us_json_string(&json, us_client_option(client, "key_id"));
  us_buffer_append_byte(header, '}');
  json.out = payload;
  json.comma = false;
  us_json_open(&json, '{');
  us_json_key(&json, us_text("scope"));
  us_json_string(&json, scope);
  if (us_slice_is(scope, "appUser")) {
    us_json_key(&json, us_text("userId"));
    us_json_string(&json, us_client_option(client, "user_id"));
  }
  us_json_close(&json, '}');
  if (header->status != US_OK) return header->status;
  if (payload->status != US_OK) return payload->status;
  return us_jwt_append(jwt, us_buffer_slice(header), us_buffer_slice(payload),
                       us_client_option(client, "secret"));
}

/* The JWT has no expiry: one serves the client for good. */
static us_status mint_once(us_client *client) {
  us_buffer header = {0}, payload = {0};
  us_status status;
  if (client->cache.length > 0) return US_OK;
  us_buffer_reset(&header, US_LIMIT_OPTION);
  us_buffer_reset(&payload, US_LIMIT_OPTION);
  us_buffer_reset(&client->cache, US_LIMIT_HEADERS);
  status = mint(client, &header, &payload, &client->cache);
  if (status != US_OK) us_buffer_truncate(&client->cache, 0);
  us_buffer_free(&header);
  us_buffer_free(&payload);
  return status;
}

static us_status authorize(us_client *client, const us_method *method,
                           double unix_time, us_request *request) {
  us_slice jwt = us_client_option(client, "jwt");
  us_status status = US_OK;
  (void)method;
  (void)unix_time;
  if (jwt.length == 0) {
    status = mint_once(client);
    jwt = us_buffer_slice(&client->cache);
  }
  if (status == US_OK) us_request_add_bearer(request, jwt);
  return status;
}

const us_provider us_smooch = {
    .name = "smooch",
    .title = "Smooch (Sunshine Conversations v1)",
    .source = "https://docs.smooch.io",
    .prefix = "/v1/apps/{app_id}",
    .bare_prefix = "/v1",
    .always_json = true,
    .options = options,
    .option_count = OPTION_COUNT(options),
    .credentials = "key_id+secret|jwt",
    .methods = methods,
    .method_count = LENGTH(methods),
    .envelope = {US_NEVER, NULL, "error.code", {"error.description"}},
    .authorize = authorize,
};
