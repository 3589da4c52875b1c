/* module.c: usher.core, the table that the Lua layer stands on. */
#include "core/redact.h"
#include "core/retry.h"
#include "core/sign.h"
#include "lua/binding.h"

static us_slice check_slice(lua_State *L, int index) {
  us_slice slice;
  slice.data = luaL_checklstring(L, index, &slice.length);
  return slice;
}

static int raise_status(lua_State *L, us_status status) {
  if (status == US_CRYPTO) return luaL_error(L, "usher: libcrypto refused");
  if (status == US_TOO_LARGE) return luaL_error(L, "usher: it is too large");
  return lus_raise_memory(L);
}

/* sha256(bytes) -> 64 lower-case hexadecimal digits */
static int sha256(lua_State *L) {
  unsigned char digest[US_SHA256_SIZE];
  char hex[2 * sizeof digest];
  us_status status = us_sha256(check_slice(L, 1), digest);
  if (status != US_OK) return raise_status(L, status);
  us_write_hex(hex, digest, sizeof digest);
  lua_pushlstring(L, hex, sizeof hex);
  return 1;
}

typedef struct {
  lua_State *L;
  size_t at;
} text_list;

/* The strings of the list at 2, which keeps them; raises nothing. */
static bool next_text(void *state, us_slice *text) {
  text_list *list = state;
  bool is_text;
  lua_rawgeti(list->L, 2, (int)++list->at);
  is_text = lua_type(list->L, -1) == LUA_TSTRING;
  if (is_text) text->data = lua_tolstring(list->L, -1, &text->length);
  lua_pop(list->L, 1);
  return is_text;
}

/* digests(prefix, texts) -> for each of the list the first 16 digits of
   sha256(prefix .. text), with spaces between */
static int digests(lua_State *L) {
  text_list list = {L, 0};
  us_slice prefix = check_slice(L, 1);
  us_buffer *out;
  us_status status;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  out = lus_buffer_new(L, US_LIMIT_BODY);
  status = us_append_digests(out, prefix, next_text, &list);
  if (status != US_OK) return raise_status(L, status);
  if (list.at <= lus_raw_length(L, 2))
    return luaL_argerror(L, 2, "a list of texts is expected");
  lua_pushlstring(L, us_buffer_slice(out).data, out->length);
  return 1;
}

/* hmac_sha256(key, bytes) -> 32 bytes */
static int hmac_sha256(lua_State *L) {
  unsigned char digest[US_SHA256_SIZE];
  us_status status =
      us_hmac_sha256(check_slice(L, 1), check_slice(L, 2), digest);
  if (status != US_OK) return raise_status(L, status);
  lua_pushlstring(L, (const char *)digest, sizeof digest);
  return 1;
}

/* base64url_encode(bytes) -> text without padding */
static int base64url_encode(lua_State *L) {
  us_slice data = check_slice(L, 1);
  us_buffer *text = lus_buffer_new(L, US_LIMIT_BODY);
  us_append_base64url(text, data);
  if (text->status != US_OK) return raise_status(L, text->status);
  lua_pushlstring(L, us_buffer_slice(text).data, text->length);
  return 1;
}

/* base64url_decode(text) -> bytes, or nil when it is none */
static int base64url_decode(lua_State *L) {
  us_slice text = check_slice(L, 1);
  us_buffer *data = lus_buffer_new(L, US_LIMIT_BODY);
  us_status status = us_append_base64url_decoded(data, text);
  if (status == US_INVALID) {
    lua_pushnil(L);
    return 1;
  }
  if (status != US_OK) return raise_status(L, status);
  lua_pushlstring(L, us_buffer_slice(data).data, data->length);
  return 1;
}

/* equal(a, b) -> boolean, in time that does not depend on the bytes */
static int equal(lua_State *L) {
  lua_pushboolean(
      L, us_equal_in_constant_time(check_slice(L, 1), check_slice(L, 2)));
  return 1;
}

/* redact(text, secrets) -> the text with *** for each of the list; secrets
   under four bytes are left in it */
static int redact(lua_State *L) {
  us_slice text = check_slice(L, 1);
  us_buffer *secrets, *shown;
  size_t i;
  luaL_checktype(L, 2, LUA_TTABLE);
  secrets = lus_buffer_new(L, US_LIMIT_BODY);
  for (i = 1; i <= lus_raw_length(L, 2); i++) {
    lua_rawgeti(L, 2, (int)i); /* the list keeps the string */
    us_secrets_add(secrets, check_slice(L, -1));
    lua_pop(L, 1);
  }
  shown = lus_buffer_new(L, text.length);
  us_buffer_append_slice(shown, text);
  if (secrets->status != US_OK) return raise_status(L, secrets->status);
  if (shown->status != US_OK) return raise_status(L, shown->status);
  us_redact(shown, secrets);
  lua_pushlstring(L, us_buffer_slice(shown).data, shown->length);
  return 1;
}

/* nearest(name, names) -> the name of the list that was probably meant */
static int nearest(lua_State *L) {
  us_slice name = check_slice(L, 1);
  const char *best = NULL;
  size_t distance = 0, i, count;
  luaL_checktype(L, 2, LUA_TTABLE);
  count = lus_raw_length(L, 2);
  for (i = 1; i <= count; i++) {
    lua_rawgeti(L, 2, (int)i); /* the list keeps the string */
    us_nearest(name, luaL_checkstring(L, -1), &best, &distance);
    lua_pop(L, 1);
  }
  lua_pushstring(L, best);
  return 1;
}

/* retry_after(value, unix_time) -> seconds, or nil when not understood */
static int retry_after(lua_State *L) {
  double seconds = us_retry_after(check_slice(L, 1), luaL_checknumber(L, 2));
  if (seconds < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, seconds);
  return 1;
}

static const luaL_Reg functions[] = {{"base64url_decode", base64url_decode},
                                     {"base64url_encode", base64url_encode},
                                     {"begin", lus_call_begin},
                                     {"catch_interrupts", lus_catch_interrupts},
                                     {"class", lus_client_class},
                                     {"client", lus_client_new},
                                     {"close", lus_client_close},
                                     {"curl", lus_call_curl},
                                     {"decide", lus_decide},
                                     {"decode", lus_decode},
                                     {"read_head", lus_read_head},
                                     {"describe", lus_describe},
                                     {"digests", digests},
                                     {"encode", lus_encode},
                                     {"environment", lus_client_environment},
                                     {"equal", equal},
                                     {"error", lus_error_new},
                                     {"hmac_sha256", hmac_sha256},
                                     {"interrupted", lus_interrupted},
                                     {"is_running", lus_is_running},
                                     {"is_same_file", lus_is_same_file},
                                     {"is_written", lus_is_written},
                                     {"monotonic", lus_monotonic},
                                     {"nearest", nearest},
                                     {"now", lus_now},
                                     {"plain_interrupts", lus_plain_interrupts},
                                     {"process", lus_process},
                                     {"provider", lus_client_provider},
                                     {"providers", lus_providers},
                                     {"read_private", lus_read_private},
                                     {"redact", redact},
                                     {"request", lus_call_request},
                                     {"retry_after", retry_after},
                                     {"sha256", sha256},
                                     {"sleep", lus_sleep},
                                     {"terminal", lus_terminal},
                                     {NULL, NULL}};

LUS_EXPORT int luaopen_usher_core(lua_State *L);

int luaopen_usher_core(lua_State *L) {
  if (us_crypto_start() != US_OK) lus_raise_memory(L);
  lus_json_open(L);
  lus_decode_open(L);
  lus_arguments_open(L);
  lus_client_open(L);
  lus_error_open(L);
  lus_response_open(L);
  lus_call_open(L);
  lua_newtable(L);
  lus_register(L, NULL, functions);
  lua_pushliteral(L, US_VERSION);
  lua_setfield(L, -2, "_VERSION");
  lus_json_push_null(L);
  lua_setfield(L, -2, "null");
  return 1;
}
