---@meta usher
-- Generated from the endpoint tables by `make types`: for editors, never loaded.

---@class usher
---@field _VERSION string
---@field null lightuserdata JSON null
---@field webhook usher.WebhookModule
---@field testing usher.TestingModule
---@field moderation table|fun(options: table): table
---@field onboarding table|fun(options: table): table
---@field ledger table
local usher = {}

---@alias usher.Kind
---| "network"
---| "timeout"
---| "tls"
---| "http"
---| "api"
---| "rate_limited"
---| "redirect"
---| "decode"
---| "protocol"
---| "too_large"
---| "memory"
---| "cancelled"
---| "unsupported"
---| "invalid"
---| "ledger"
---| "signature"

---@class usher.Error
---@field kind usher.Kind
---@field provider string
---@field method string
---@field message string
---@field status? integer
---@field code? string|integer
---@field retryable boolean
---@field request_sent boolean false: surely not; true: it may have been acted on
---@field retry_after? number seconds
---@field attempts integer
---@field body? string the first 2 KiB of the answer

---@class usher.Response
---@field status integer
---@field headers table<string, string> lower-case names; with libcurl, made when first asked for
---@field head? string the head of the answer as it came, with libcurl
---@field attempts integer
---@field elapsed number seconds

---@class usher.MapOptions
---@field concurrency? integer
---@field on_result? fun(index: integer, item: any, value: any, err: any)

---@class usher.File
---@field path? string
---@field data? string instead of path
---@field filename? string
---@field content_type? string

---@class usher.Client
local Client = {}

---Closes the client and wipes its credentials.
function Client:close() end

---Builds the exact request of a call without sending it.
---@param method string
---@param arguments? table
---@param options? table
---@return { method: string, url: string, headers: table<string, string>, body?: string }
function Client:request(method, arguments, options) end

---Spells a call as a curl command, its secrets as ***.
---@param method string
---@param arguments? table
---@param options? table
---@return string
function Client:curl(method, arguments, options) end

---Walks a list that comes in pages.
---@param method string
---@param arguments? table
---@param options? table
---@return fun(): table?
function Client:pages(method, arguments, options) end

---@class usher.Options
---@field timeout? number seconds for one attempt
---@field connect_timeout? number seconds to connect, within timeout
---@field deadline? number seconds for a whole call with its retries
---@field retries? integer attempts beside the first, 0 to 100
---@field max_response_size? integer bytes of an answer, decompressed
---@field proxy? string|integer URL of a proxy; "environment" obeys the variables; absent: none
---@field insecure_http? boolean lets credentials travel over http:// beyond loopback
---@field ca_file? string|integer PEM file of the authorities to trust
---@field client_cert? string|integer PEM file of a client certificate
---@field client_key_file? string|integer PEM file of its private key
---@field verify? boolean verify the server's certificate and name
---@field max_connections? integer connections at a time, 1 to 65535; absent: one for each call in flight over HTTP/1.1
---@field rate? table { per_second =, burst =, dict =, key = }: delays calls to keep a provider's limit
---@field user_agent? string|integer appended to usher/<version>
---@field headers? table further header fields, { [name] = value }
---@field on_event? function called with a table for each request, response and retry
---@field transport? table|function { send =, sleep = }, or a function that sends
---@field clock? function returns Unix seconds; for tests
---@field random? function returns a number in [0, 1); for tests

---@class usher.CallOptions
---@field timeout? number seconds for one attempt
---@field connect_timeout? number seconds to connect, within timeout
---@field deadline? number seconds for a whole call with its retries
---@field retries? integer attempts beside the first, 0 to 100
---@field max_response_size? integer bytes of an answer, decompressed

---@class (exact) usher.ErtcOptions: usher.Options
---@field base_url string|integer the tenant's chat server, up to where v1 begins
---@field api_key string|integer the chat server's API key
---@field bundle_id string|integer the application's bundle or package id, part of every signature
---@field tenant_id string|integer the tenant
---@field version? string|integer the API's version
---@field device_id? string|integer the device, sent as a header of every call
---@field access_token? string|integer bearer token; taken from the first get_or_update_user_by_app_id when absent
---@field refresh_token? string|integer bearer token of refresh_auth_token, when there is one
---@field nonce_unit? "ms"|"s" what the signed timestamp counts: milliseconds or seconds

---eRTC / InAppChat. Source: https://github.com/BotStacks/android-sdk
---@class usher.Ertc: usher.Client
local Ertc = {}

---@class (exact) usher.Ertc.get_or_update_user_by_app_id
---@field app_user_id string|integer the application's own id of the user, such as an e-mail address
---@field device_id? string|integer the device the call is about
---@field device_type? "android"|"ios" the device's system
---@field fcm_token? string|integer Firebase token for push messages
---@field fcm_version? string|integer version of the push format; the server takes f1
---@field public_key? string|integer the device's public key, for end-to-end encryption
---@field mute_setting? "none"|"all"|"allbutmentions" which notifications are muted
---@field auth_payload? table what the tenant's own user validation needs

---Creates or updates a user and signs the user in.
---@param arguments usher.Ertc.get_or_update_user_by_app_id
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:get_or_update_user_by_app_id(arguments, options) end

---@class (exact) usher.Ertc.update_user_by_ertc_user_id
---@field ertc_user_id string|integer the eRTC user
---@field device_id? string|integer the device the call is about
---@field device_type? "android"|"ios" the device's system
---@field fcm_token? string|integer Firebase token for push messages
---@field fcm_version? string|integer version of the push format; the server takes f1
---@field availability_status? "auto"|"away"|"invisible"|"dnd" how the user appears to others
---@field notification_settings? table allowFrom (all, mentions, none), validTill, validTillDisplayValue

---Updates a user's device, status or notifications.
---@param arguments usher.Ertc.update_user_by_ertc_user_id
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:update_user_by_ertc_user_id(arguments, options) end

---@class (exact) usher.Ertc.block_unblock_user
---@field ertc_user_id string|integer the user who blocks
---@field action "block"|"unblock" what to do
---@field app_user_id string|integer the user to be blocked

---Blocks another user for this one, or lifts the block.
---@param arguments usher.Ertc.block_unblock_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:block_unblock_user(arguments, options) end

---@class (exact) usher.Ertc.blocked_users
---@field ertc_user_id string|integer the eRTC user
---@field device_id string|integer the device; the client's device_id when absent

---Lists whom a user has blocked.
---@param arguments usher.Ertc.blocked_users
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:blocked_users(arguments, options) end

---@class (exact) usher.Ertc.get_chat_user_details
---@field ertc_user_id string|integer the eRTC user
---@field app_user_ids string[] the users to tell about
---@field status_keys string[] what to tell: availabilityStatus, blockedStatus

---Tells the availability and block status of users.
---@param arguments usher.Ertc.get_chat_user_details
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:get_chat_user_details(arguments, options) end

---@class (exact) usher.Ertc.logout_user
---@field ertc_user_id string|integer the eRTC user
---@field app_user_id string|integer the application's own id of the user
---@field device_id? string|integer the device the call is about

---Signs a user out.
---@param arguments usher.Ertc.logout_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:logout_user(arguments, options) end

---@class (exact) usher.Ertc.logout_other_devices
---@field ertc_user_id string|integer the eRTC user
---@field app_user_id string|integer the application's own id of the user
---@field device_id? string|integer the device the call is about

---Signs a user out of all devices but the given one.
---@param arguments usher.Ertc.logout_other_devices
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:logout_other_devices(arguments, options) end

---@class (exact) usher.Ertc.pending_events
---@field ertc_user_id string|integer the eRTC user
---@field device_id? string|integer the device whose events are wanted

---Reads, and on the server forgets, what a user missed.
---@param arguments usher.Ertc.pending_events
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:pending_events(arguments, options) end

---@class (exact) usher.Ertc.refresh_auth_token
---@field ertc_user_id string|integer the eRTC user

---Gets new tokens, which this client uses from then on.
---@param arguments usher.Ertc.refresh_auth_token
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:refresh_auth_token(arguments, options) end

---@class (exact) usher.Ertc.reset_badge_count
---@field ertc_user_id string|integer the eRTC user

---Sets a user's count of unread messages to zero.
---@param arguments usher.Ertc.reset_badge_count
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:reset_badge_count(arguments, options) end

---@class (exact) usher.Ertc.get_group
---@field ertc_user_id string|integer the user who acts
---@field group_id string|integer the group

---Reads a group and who is in it.
---@param arguments usher.Ertc.get_group
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:get_group(arguments, options) end

---@class (exact) usher.Ertc.remove_participants
---@field ertc_user_id string|integer the user who acts
---@field group_id string|integer the group
---@field participants string[] the users' own ids (app_user_id)

---Takes users out of a group.
---@param arguments usher.Ertc.remove_participants
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:remove_participants(arguments, options) end

---@class (exact) usher.Ertc.restrict_participants
---@field ertc_user_id string|integer the user who acts
---@field group_id string|integer the group
---@field participants string[] the users' own ids (app_user_id)
---@field type "ban"|"mute" what is forbidden
---@field till? string|integer when it ends: ISO 8601, such as 2021-06-14T14:02:03.527Z

---Bans users from a group, or mutes them there.
---@param arguments usher.Ertc.restrict_participants
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:restrict_participants(arguments, options) end

---@class (exact) usher.Ertc.unrestrict_participants
---@field ertc_user_id string|integer the user who acts
---@field group_id string|integer the group
---@field participants string[] the users' own ids (app_user_id)
---@field type "ban"|"mute" what is forbidden

---Lifts a ban or a mute.
---@param arguments usher.Ertc.unrestrict_participants
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:unrestrict_participants(arguments, options) end

---@class (exact) usher.Ertc.create_chat_report
---@field ertc_user_id string|integer the user who acts
---@field msg_unique_id string|integer the message to report
---@field category "abuse"|"spam"|"other"|"inappropriate" what is wrong with it
---@field reason? string|integer in words

---Reports a message to the moderators.
---@param arguments usher.Ertc.create_chat_report
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:create_chat_report(arguments, options) end

---@class (exact) usher.Ertc.list_chat_reports
---@field ertc_user_id string|integer the user who acts
---@field skip? integer reports before the page
---@field limit? integer reports a page; 10 if absent
---@field thread_id? string|integer of one conversation
---@field category? "abuse"|"spam"|"other"|"inappropriate" of one kind
---@field status? "new"|"reportConsidered"|"reportIgnored" how far they are
---@field msg_type? string|integer of one kind of message: text, image, audio, video, file, gif, location, contact, sticker, gify

---Lists reported messages, a page at a time.
---@param arguments usher.Ertc.list_chat_reports
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:list_chat_reports(arguments, options) end

---@class (exact) usher.Ertc.resolve_chat_report
---@field ertc_user_id string|integer the user who acts
---@field chat_report_id string|integer the report
---@field action "reportConsidered"|"reportedIgnored" the verdict

---Closes a report: considered, or ignored.
---@param arguments usher.Ertc.resolve_chat_report
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:resolve_chat_report(arguments, options) end

---@class (exact) usher.Ertc.get_tenant_details
---@field namespace string|integer the tenant's name

---Tells a tenant's id, servers and keys; asked of the provisioning server, see usher.ertc_discover.
---@param arguments usher.Ertc.get_tenant_details
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Ertc:get_tenant_details(arguments, options) end

---@param options usher.ErtcOptions
---@return usher.Ertc
function usher.ertc(options) end

---@class (exact) usher.QiscusOptions: usher.Options
---@field base_url? string|integer the API server
---@field app_id string|integer the application
---@field secret string|integer the application's secret key
---@field header_style? "hyphen"|"underscore" how the credential headers are spelled; some proxies drop underscores

---Qiscus Chat SDK server API v2.1. Source: https://documentation.qiscus.com/v2.1/chat-server-api/user
---@class usher.Qiscus: usher.Client
local Qiscus = {}

---@class (exact) usher.Qiscus.login_or_register
---@field user_id string|integer the application's id of the user; symbols only . - _ @
---@field password? string|integer for a new user; an existing user's password is overwritten
---@field username string|integer the name to show
---@field avatar_url? string|integer the picture to show
---@field extras? table the application's own data

---Creates a user, or updates one and the password with it.
---@param arguments usher.Qiscus.login_or_register
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:login_or_register(arguments, options) end

---@class (exact) usher.Qiscus.user_profile
---@field user_id string|integer the user

---Reads a user.
---@param arguments usher.Qiscus.user_profile
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:user_profile(arguments, options) end

---@class (exact) usher.Qiscus.get_unread_users
---@field page? integer from 1
---@field limit? integer users a page
---@field start_time? string|integer from then: YYYY-MM-DD hh:mm:ss
---@field end_time? string|integer until then: YYYY-MM-DD hh:mm:ss

---Lists users with unread messages.
---@param arguments? usher.Qiscus.get_unread_users
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:get_unread_users(arguments, options) end

---@class (exact) usher.Qiscus.get_user_unread_count
---@field user_ids string[] the users
---@field start_time? string|integer from then: YYYY-MM-DD hh:mm:ss
---@field end_time? string|integer until then: YYYY-MM-DD hh:mm:ss

---Counts the unread messages of users.
---@param arguments usher.Qiscus.get_user_unread_count
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:get_user_unread_count(arguments, options) end

---@class (exact) usher.Qiscus.get_user_list
---@field page? integer from 1
---@field limit? integer users a page
---@field order_query? string|integer such as created_at desc nulls last: a fragment of SQL, so never text from a user
---@field show_all? boolean deactivated users too

---Lists users, a page at a time. total_page rounds down: walk until a short or empty page.
---@param arguments? usher.Qiscus.get_user_list
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:get_user_list(arguments, options) end

---@class (exact) usher.Qiscus.get_user_token
---@field user_id string|integer the user

---Reads the token a user signs in with.
---@param arguments usher.Qiscus.get_user_token
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:get_user_token(arguments, options) end

---@class (exact) usher.Qiscus.reset_user_token
---@field user_id string|integer the user

---Gives a user a new token; the old one dies, and signs out with it.
---@param arguments usher.Qiscus.reset_user_token
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:reset_user_token(arguments, options) end

---@class (exact) usher.Qiscus.deactivate_users
---@field user_ids string[] the users

---Shuts users out of the application.
---@param arguments usher.Qiscus.deactivate_users
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:deactivate_users(arguments, options) end

---@class (exact) usher.Qiscus.reactivate_users
---@field user_ids string[] the users

---Lets deactivated users back in.
---@param arguments usher.Qiscus.reactivate_users
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:reactivate_users(arguments, options) end

---@class (exact) usher.Qiscus.get_room_participants
---@field room_id string|integer the room
---@field page? integer from 1
---@field limit? integer participants a page

---Lists who is in a room, a page at a time.
---@param arguments usher.Qiscus.get_room_participants
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:get_room_participants(arguments, options) end

---@class (exact) usher.Qiscus.add_room_participants
---@field room_id string|integer a group room
---@field user_ids string[] the users

---Brings users into a group room.
---@param arguments usher.Qiscus.add_room_participants
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:add_room_participants(arguments, options) end

---@class (exact) usher.Qiscus.remove_room_participants
---@field room_id string|integer a group room
---@field user_ids string[] the users

---Takes users out of a group room.
---@param arguments usher.Qiscus.remove_room_participants
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:remove_room_participants(arguments, options) end

---@class (exact) usher.Qiscus.post_comment
---@field user_id string|integer who says it
---@field room_id string|integer the room, or its unique id
---@field message? string|integer the text; what has only a payload needs none
---@field type? string|integer text if absent; buttons, card, carousel, custom, file_attachment, location, reply, ...
---@field payload? table what the type asks for
---@field extras? table the application's own data

---Posts a message to a room.
---@param arguments usher.Qiscus.post_comment
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:post_comment(arguments, options) end

---@class (exact) usher.Qiscus.post_system_event_message
---@field system_event_type string|integer custom, create_room, add_member, join_room, remove_member, left_room, change_room_name, change_room_avatar
---@field room_id string|integer the room, or its unique id
---@field subject_user_id? string|integer who did it
---@field object_user_id? string|integer to whom it was done
---@field message? string|integer the text to show
---@field payload? table of a custom event
---@field extras? table the application's own data

---Posts the message of an event to a room.
---@param arguments usher.Qiscus.post_system_event_message
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:post_system_event_message(arguments, options) end

---@class (exact) usher.Qiscus.load_comments
---@field room_id string|integer the room
---@field page? integer from 1
---@field limit? integer messages a page; 20 if absent

---Reads the messages of a room, a page at a time.
---@param arguments usher.Qiscus.load_comments
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Qiscus:load_comments(arguments, options) end

---@param options usher.QiscusOptions
---@return usher.Qiscus
function usher.qiscus(options) end

---@class (exact) usher.SmoochOptions: usher.Options
---@field base_url? string|integer the region's API server
---@field app_id? string|integer the app; absent when the credential implies it
---@field key_id? string|integer id of the secret: app_... or act_...
---@field secret? string|integer signs the JWT that every call carries
---@field scope? "app"|"account"|"appUser" what the JWT may reach
---@field user_id? string|integer the user of an appUser JWT
---@field jwt? string|integer a ready JWT, instead of key_id and secret

---Smooch (Sunshine Conversations v1). Source: https://docs.smooch.io
---@class usher.Smooch: usher.Client
local Smooch = {}

---@class (exact) usher.Smooch.get_app_user
---@field user_id string|integer the user: _id or userId

---Reads a user.
---@param arguments usher.Smooch.get_app_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:get_app_user(arguments, options) end

---@class (exact) usher.Smooch.update_app_user
---@field user_id string|integer the user: _id or userId
---@field given_name? string|integer first name
---@field surname? string|integer last name
---@field email? string|integer e-mail address
---@field signed_up_at? string|integer when the user signed up: ISO 8601
---@field properties? table the app's own data, flat; absent keys stay as they are

---Updates a user; what is absent stays as it is.
---@param arguments usher.Smooch.update_app_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:update_app_user(arguments, options) end

---@class (exact) usher.Smooch.pre_create_app_user
---@field user_id string|integer the app's id of the user
---@field credential_required? boolean the user must sign in with an appUser JWT
---@field given_name? string|integer first name
---@field surname? string|integer last name
---@field email? string|integer e-mail address
---@field signed_up_at? string|integer when the user signed up: ISO 8601
---@field properties? table the app's own data, flat; absent keys stay as they are

---Creates a user before the first contact.
---@param arguments usher.Smooch.pre_create_app_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:pre_create_app_user(arguments, options) end

---@class (exact) usher.Smooch.delete_app_user_profile
---@field user_id string|integer the user: _id or userId

---Clears a user's personal data; the user stays.
---@param arguments usher.Smooch.delete_app_user_profile
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:delete_app_user_profile(arguments, options) end

---@class (exact) usher.Smooch.get_app_user_auth_code
---@field user_id string|integer the user: _id or userId

---Gets a code with which a client signs in as the user.
---@param arguments usher.Smooch.get_app_user_auth_code
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:get_app_user_auth_code(arguments, options) end

---@class (exact) usher.Smooch.get_app_user_business_system_ids
---@field user_id string|integer the user: _id or userId

---Lists the user's ids in connected systems.
---@param arguments usher.Smooch.get_app_user_business_system_ids
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:get_app_user_business_system_ids(arguments, options) end

---@class (exact) usher.Smooch.get_app_user_entity_ids
---@field user_id string|integer the user: _id or userId

---Lists the channels a user is linked to.
---@param arguments usher.Smooch.get_app_user_entity_ids
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:get_app_user_entity_ids(arguments, options) end

---@class (exact) usher.Smooch.get_link_requests
---@field user_id string|integer the user: _id or userId
---@field integration_ids string[] the integrations to link to

---Gets codes and URLs to link a user to channels.
---@param arguments usher.Smooch.get_link_requests
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:get_link_requests(arguments, options) end

---@class (exact) usher.Smooch.link_app_user
---@field user_id string|integer the user: _id or userId
---@field type string|integer the channel: twilio, messenger, mailgun, messagebird
---@field phone_number? string|integer with + and country code; for twilio, messenger, messagebird
---@field address? string|integer for mailgun
---@field given_name? string|integer first name
---@field surname? string|integer last name
---@field subject? string|integer of the mail, for mailgun
---@field skip_confirmation? string|boolean link at once; for twilio, deprecated
---@field confirmation? table type (immediate, userActivity, prompt) and message
---@field primary? boolean the channel becomes the user's primary one

---Asks to link a user to a channel; the outcome comes later.
---@param arguments usher.Smooch.link_app_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:link_app_user(arguments, options) end

---@class (exact) usher.Smooch.unlink_app_user
---@field user_id string|integer the user: _id or userId
---@field channel string|integer the channel to unlink

---Unlinks a user from a channel.
---@param arguments usher.Smooch.unlink_app_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:unlink_app_user(arguments, options) end

---@class (exact) usher.Smooch.post_image_message
---@field user_id string|integer the user: _id or userId
---@field source usher.File the image: { path = } or { data =, filename =, content_type = }
---@field role "appUser"|"appMaker" who says it
---@field name? string|integer the speaker's name
---@field text? string|integer text beside the image

---Posts an image to a user's conversation.
---@param arguments usher.Smooch.post_image_message
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:post_image_message(arguments, options) end

---@class (exact) usher.Smooch.app_user_device_update
---@field user_id string|integer the user: _id or userId
---@field device_id string|integer the device
---@field push_notification_token? string|integer the device's push token
---@field app_version? string|integer version of the app on the device
---@field info? table appName, carrier, deviceModel, devicePlatform, os, osVersion, ...

---Updates a user's device.
---@param arguments usher.Smooch.app_user_device_update
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:app_user_device_update(arguments, options) end

---@class (exact) usher.Smooch.track_event
---@field user_id string|integer the user: _id or userId
---@field name string|integer the event
---@field app_user? table profile fields to update on the way

---Reports an event of a user.
---@param arguments usher.Smooch.track_event
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:track_event(arguments, options) end

---@class (exact) usher.Smooch.delete_app_user
---@field user_id string|integer the user: _id or userId

---Deletes a user, with ids, channels and conversation.
---@param arguments usher.Smooch.delete_app_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:delete_app_user(arguments, options) end

---@class (exact) usher.Smooch.post_message
---@field user_id string|integer the user: _id or userId
---@field role "appUser"|"appMaker" who says it
---@field type? string|integer text, image, carousel, list
---@field text? string|integer the text
---@field name? string|integer the speaker's name
---@field email? string|integer the speaker's e-mail address
---@field avatar_url? string|integer the speaker's picture
---@field media_url? string|integer of an image
---@field media_type? string|integer of an image, such as image/jpeg
---@field metadata? table the app's own data, flat
---@field payload? string|integer of a reply action
---@field items? table[] of a carousel or a list: { { title =, actions = ... }, ... }
---@field actions? table[] buttons below it: { { type =, text = ... }, ... }
---@field destination? table the channel to deliver to: integrationId, integrationType

---Posts a message to a user's conversation.
---@param arguments usher.Smooch.post_message
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:post_message(arguments, options) end

---@class (exact) usher.Smooch.get_messages
---@field user_id string|integer the user: _id or userId
---@field before? string|integer only older ones: Unix seconds, decimals allowed
---@field after? string|integer only newer ones, instead of before

---Reads a user's conversation, newest messages first asked for.
---@param arguments usher.Smooch.get_messages
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:get_messages(arguments, options) end

---@class (exact) usher.Smooch.create_webhook
---@field target string|integer the URL to call
---@field triggers? string[] message, conversation:start, ...; message if absent

---Has the app's events sent to a URL.
---@param arguments usher.Smooch.create_webhook
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:create_webhook(arguments, options) end

---Lists the app's webhooks.
---@param arguments? table
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:list_webhooks(arguments, options) end

---@class (exact) usher.Smooch.get_webhook
---@field webhook_id string|integer the webhook

---Reads a webhook.
---@param arguments usher.Smooch.get_webhook
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:get_webhook(arguments, options) end

---@class (exact) usher.Smooch.update_webhook
---@field webhook_id string|integer the webhook
---@field target? string|integer the URL to call
---@field triggers? string[] message, conversation:start, ...; message if absent

---Changes a webhook.
---@param arguments usher.Smooch.update_webhook
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:update_webhook(arguments, options) end

---@class (exact) usher.Smooch.delete_webhook
---@field webhook_id string|integer the webhook

---Deletes a webhook.
---@param arguments usher.Smooch.delete_webhook
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Smooch:delete_webhook(arguments, options) end

---@param options usher.SmoochOptions
---@return usher.Smooch
function usher.smooch(options) end

---@class (exact) usher.VchatcloudOptions: usher.Options
---@field base_url? string|integer the API server
---@field api_key string|integer the account's API key
---@field token? string|integer a ready token; absent: fetched with api_key and renewed in time

---VChatCloud. Source: https://vchatcloud.com/doc/en/rest_api/chat/chatUser.html
---@class usher.Vchatcloud: usher.Client
local Vchatcloud = {}

---@class (exact) usher.Vchatcloud.list_users
---@field room_id string|integer the chat room

---Lists who is in a room.
---@param arguments usher.Vchatcloud.list_users
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:list_users(arguments, options) end

---@class (exact) usher.Vchatcloud.list_exiled_users
---@field room_id string|integer the chat room

---Lists who is exiled from a room.
---@param arguments usher.Vchatcloud.list_exiled_users
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:list_exiled_users(arguments, options) end

---@class (exact) usher.Vchatcloud.exile_user
---@field room_id string|integer the chat room
---@field client_key string|integer the user's key in the room

---Throws a user out of a room for good.
---@param arguments usher.Vchatcloud.exile_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:exile_user(arguments, options) end

---@class (exact) usher.Vchatcloud.cancel_exile
---@field room_id string|integer the chat room
---@field client_key string|integer the user's key in the room

---Lets an exiled user come back.
---@param arguments usher.Vchatcloud.cancel_exile
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:cancel_exile(arguments, options) end

---@class (exact) usher.Vchatcloud.list_muted_users
---@field room_id string|integer the chat room

---Lists who may not write in a room.
---@param arguments usher.Vchatcloud.list_muted_users
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:list_muted_users(arguments, options) end

---@class (exact) usher.Vchatcloud.mute_user
---@field room_id string|integer the chat room
---@field client_key string|integer the user's key in the room

---Stops a user from writing in a room.
---@param arguments usher.Vchatcloud.mute_user
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:mute_user(arguments, options) end

---@class (exact) usher.Vchatcloud.cancel_mute
---@field room_id string|integer the chat room
---@field client_key string|integer the user's key in the room

---Lets a muted user write again.
---@param arguments usher.Vchatcloud.cancel_mute
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:cancel_mute(arguments, options) end

---@class (exact) usher.Vchatcloud.send_notice
---@field room_id string|integer the chat room
---@field nick_name string|integer who says it
---@field notice string|integer what all in the room shall read

---Shows a notice to all in a room.
---@param arguments usher.Vchatcloud.send_notice
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:send_notice(arguments, options) end

---Lists the account's rooms.
---@param arguments? table
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:list_rooms(arguments, options) end

---@class (exact) usher.Vchatcloud.get_room
---@field room_id string|integer the chat room

---Reads a room.
---@param arguments usher.Vchatcloud.get_room
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:get_room(arguments, options) end

---Fetches a token, which this client uses from then on.
---@param arguments? table
---@param options? usher.CallOptions
---@return table|true|nil result nil when it failed
---@return usher.Response|usher.Error response or the error
function Vchatcloud:issue_token(arguments, options) end

---@param options usher.VchatcloudOptions
---@return usher.Vchatcloud
function usher.vchatcloud(options) end

---Calls fn for every item, many at once; results and errors by index.
---@generic T
---@param items T[]|fun(): T?
---@param fn fun(item: T, index: integer): any
---@param options? usher.MapOptions
---@return any[] results
---@return any[] errors
function usher.map(items, fn, options) end

---@param functions (fun(): any)[]
---@return any[] results
---@return any[] errors
function usher.all(functions) end

---@param provider string
---@return table
function usher.describe(provider) end

---@return string[]
function usher.providers() end

---Finds a tenant of eRTC; what it returns are options for usher.ertc.
---@param options { namespace: string, api_key: string, bundle_id: string, base_url: string? }
---@return usher.ErtcOptions? options nil when it failed
---@return usher.Error? err
function usher.ertc_discover(options) end

---@class usher.Event
---@field kind string "message", "postback", ..., or "other"
---@field trigger? string the provider's word for it
---@field id? string
---@field user { id: string?, name: string? }
---@field room { id: string?, name: string? }
---@field text? string
---@field raw table all that was sent

---@class usher.Webhook
local Webhook = {}

---Verifies a request and reads it.
---@param headers table<string, string|string[]>
---@param body string the bytes as they came
---@return usher.Event? event
---@return usher.Error? err
function Webhook:read(headers, body) end

---Signs a body as the provider would, for tests.
---@param body string
---@return table<string, string> headers
function Webhook:sign(body) end

---@class usher.WebhookModule
local webhook = {}

---@param options { token: string }
---@return usher.Webhook
function webhook.qiscus(options) end

---@param options { secret: string }
---@return usher.Webhook
function webhook.smooch(options) end

---@class usher.Clock
---@field now fun(): number
---@field sleep fun(seconds: number): boolean
local Clock = {}

---@param seconds number
function Clock:advance(seconds) end

---@class usher.Stub
---@field client any
---@field calls table[] the requests that it has seen
---@field slept number seconds
local Stub = {}

---Expects a call, after those that are expected already.
---@param method string
---@param arguments? table nil: any
---@param response? table status, headers, body; or kind, message, sent
---@return usher.Stub
function Stub:expect(method, arguments, response) end

---Raises when a call is still expected, or one was not.
function Stub:verify() end

---@class usher.TestingModule
local testing = {}

---@param start? number Unix seconds
---@return usher.Clock
function testing.clock(start) end

---@param provider string
---@param options? table
---@return usher.Stub
function testing.stub(provider, options) end

---@param path string
---@param transport? table|function
---@return table transport
function testing.record(path, transport) end

---@param path string
---@return table transport
function testing.replay(path) end

return usher
