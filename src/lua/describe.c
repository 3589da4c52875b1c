/* describe.c: the endpoint tables as plain Lua, for documentation, the command
   line and the specs; and the retry decision, to be looked at. */
#include "core/retry.h"

#include "lua/binding.h"

static void set_string(lua_State *L, const char *name, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, name);
}

static void set_bound(lua_State *L, const char *name, long bound) {
  if (bound == 0) return;
  lua_pushinteger(L, bound);
  lua_setfield(L, -2, name);
}

static void push_parameter(lua_State *L, const us_parameter *row) {
  static const char *const places[] = {"path",  "query", "header", "body",
                                       "field", "form",  "option"};
  lua_newtable(L);
  set_string(L, "name", row->name);
  set_string(L, "wire", row->wire);
  set_string(L, "place", places[row->place]);
  set_string(L, "type", us_type_name(row));
  set_string(L, "choices", row->choices);
  set_string(L, "default", row->fallback);
  set_string(L, "doc", row->doc);
  set_flag(L, "required", (row->flags & US_REQUIRED) != 0);
  set_flag(L, "secret", (row->flags & US_SECRET) != 0);
  set_flag(L, "per_call", (row->flags & US_PER_CALL) != 0);
  set_bound(L, "minimum", row->minimum);
  set_bound(L, "maximum", row->maximum);
}

static void set_parameters(lua_State *L, const char *name,
                           const us_parameter *rows, size_t count) {
  size_t i;
  lua_createtable(L, (int)count, 0);
  for (i = 0; i < count; i++) {
    push_parameter(L, &rows[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, name);
}

/* paging = { style =, argument =, size =, usual_size =, items =, cursor =,
   forward = } */
static void set_paging(lua_State *L, const us_paging *paging) {
  static const char *const styles[] = {"number", "skip", "before"};
  if (paging == NULL) return;
  lua_newtable(L);
  set_string(L, "style", styles[paging->style]);
  set_string(L, "argument", paging->argument);
  set_string(L, "size", paging->size);
  set_bound(L, "usual_size", paging->usual_size);
  set_string(L, "items", paging->items);
  set_string(L, "cursor", paging->cursor);
  set_string(L, "forward", paging->forward);
  lua_setfield(L, -2, "paging");
}

/* envelope = { refusal =, verdict =, code =, messages = { ... } } */
static void set_envelope(lua_State *L, const us_envelope *envelope) {
  static const char *const refusals[] = {"never", "false", "not 1",
                                         "400 or more"};
  size_t i;
  lua_newtable(L);
  set_string(L, "refusal", refusals[envelope->refusal]);
  set_string(L, "verdict", envelope->verdict);
  set_string(L, "code", envelope->code);
  lua_newtable(L);
  for (i = 0; i < 3 && envelope->messages[i] != NULL; i++) {
    lua_pushstring(L, envelope->messages[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "messages");
  lua_setfield(L, -2, "envelope");
}

static void push_method(lua_State *L, const us_method *method) {
  static const char *const certainties[] = {"documented", "observed",
                                            "inferred"};
  lua_newtable(L);
  set_string(L, "name", method->name);
  set_string(L, "operation", method->operation);
  set_string(L, "verb", method->verb);
  set_string(L, "path", method->path);
  set_string(L, "prefix", method->prefix);
  set_string(L, "doc", method->doc);
  set_string(L, "without", method->without);
  set_string(L, "bearer", method->bearer);
  set_flag(L, "idempotent", (method->flags & US_IDEMPOTENT) != 0);
  set_flag(L, "empty_ok", (method->flags & US_EMPTY_OK) != 0);
  set_string(L, "certainty", certainties[method->certainty]);
  set_paging(L, method->paging);
  set_parameters(L, "parameters", method->parameters, method->count);
}

/* describe(provider) -> the table of one provider. */
int lus_describe(lua_State *L) {
  us_slice name;
  const us_provider *provider;
  size_t i;
  name.data = luaL_checklstring(L, 1, &name.length);
  provider = us_provider_find(name);
  if (provider == NULL)
    return luaL_error(L, "usher has no provider '%s'", name.data);
  lua_newtable(L);
  set_string(L, "name", provider->name);
  set_string(L, "title", provider->title);
  set_string(L, "source", provider->source);
  set_string(L, "prefix", provider->prefix);
  set_string(L, "bare_prefix", provider->bare_prefix);
  set_string(L, "credentials", provider->credentials);
  set_string(L, "token_method", provider->token_method);
  set_envelope(L, &provider->envelope);
  set_parameters(L, "options", provider->options, provider->option_count);
  set_parameters(L, "shared_options", lus_options, lus_option_count);
  lua_createtable(L, (int)provider->method_count, 0);
  for (i = 0; i < provider->method_count; i++) {
    push_method(L, &provider->methods[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "methods");
  return 1;
}

/* providers() -> their names. */
int lus_providers(lua_State *L) {
  size_t i;
  lua_newtable(L);
  for (i = 0; i < us_provider_count; i++) {
    lua_pushstring(L, us_providers[i]->name);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

static double number(lua_State *L, const char *name, double otherwise) {
  double value;
  lua_getfield(L, 1, name);
  value = luaL_optnumber(L, -1, otherwise);
  lua_pop(L, 1);
  if (!(value > -1e6)) return -1e6;
  return value < 1e6 ? value : 1e6;
}

static bool flag(lua_State *L, const char *name) {
  bool value;
  lua_getfield(L, 1, name);
  value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* decide{ kind =, status =, sent =, idempotent =, attempt =, budget =, ... },
   the budget in tenths of a retry
   -> retryable, retry, wait: the decision of core/retry.h. */
int lus_decide(lua_State *L) {
  us_outcome outcome;
  us_decision decision;
  us_slice kind;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "kind");
  kind.data = luaL_checklstring(L, -1, &kind.length);
  outcome.kind = us_kind_find(kind, US_KIND_NETWORK);
  outcome.status = (int)number(L, "status", 0);
  outcome.sent = flag(L, "sent");
  outcome.retry_after = number(L, "retry_after", -1);
  outcome.idempotent = flag(L, "idempotent");
  outcome.attempt = (int)number(L, "attempt", 1);
  outcome.retries = (int)number(L, "retries", 2);
  outcome.remaining = number(L, "remaining", 120);
  outcome.budget = (int)number(L, "budget", US_BUDGET_FULL);
  outcome.random = number(L, "random", 0.5);
  decision = us_retry_decide(&outcome);
  lua_pushboolean(L, decision.retryable);
  lua_pushboolean(L, decision.retry);
  lua_pushnumber(L, decision.wait);
  return 3;
}
