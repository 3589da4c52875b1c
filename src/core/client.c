/* client.c: options, tokens and the budget of one client. */
#include "core/client.h"

#include <string.h>

#include "core/redact.h"
#include "core/retry.h"
#include "core/sign.h"
#include "core/url.h"

/* A token is fetched anew this many seconds before it expires, so that it
   does not expire on its way. */
#define TOKEN_MARGIN 5

static bool is_set(const us_provider *provider, const us_value *values,
                   us_slice name) {
  int index =
      us_parameter_find(provider->options, provider->option_count, name);
  return index >= 0 && values[index].kind != US_ABSENT;
}

/* How many names of "a+b" are set; *all tells whether every one is. */
static size_t count_set(const us_provider *provider, const us_value *values,
                        us_slice names, bool *all) {
  size_t set = 0;
  *all = true;
  while (names.length > 0) {
    const char *plus = memchr(names.data, '+', names.length);
    us_slice name = names;
    if (plus != NULL) name.length = (size_t)(plus - names.data);
    if (is_set(provider, values, name))
      set++;
    else
      *all = false;
    if (plus == NULL) break;
    names.data = plus + 1;
    names.length -= name.length + 1;
  }
  return set;
}

/* Exactly one alternative of "a+b|c", whole, and nothing of the others. */
static void check_credentials(const us_provider *provider,
                              const us_value *values, us_problems *problems) {
  const char *at = provider->credentials;
  size_t touched = 0, whole = 0;
  if (at == NULL) return;
  while (*at) {
    us_slice names = {at, strcspn(at, "|")};
    bool all;
    if (count_set(provider, values, names, &all) > 0) touched++;
    if (all) whole++;
    at += names.length;
    if (*at == '|') at++;
  }
  if (touched != 1 || whole != 1)
    us_problem(problems, NULL,
               "needs exactly one credential: ", provider->credentials);
}

/* An option that another option's value makes necessary: "scope=appUser". */
static void check_needed(const us_provider *provider, const us_value *values,
                         size_t i, us_problems *problems) {
  const us_parameter *option = &provider->options[i];
  const char *equals;
  us_slice name;
  int other;
  if (option->needed_by == NULL || values[i].kind != US_ABSENT) return;
  equals = strchr(option->needed_by, '=');
  name.data = option->needed_by;
  name.length = (size_t)(equals - name.data);
  other = us_parameter_find(provider->options, provider->option_count, name);
  if (other >= 0 && values[other].kind == US_TEXT &&
      us_slice_is(values[other].text, equals + 1))
    us_problem(problems, option->name, "is required with ", option->needed_by);
}

void us_client_check(const us_provider *provider, const us_value *values,
                     bool insecure_http, us_problems *problems) {
  size_t i;
  for (i = 0; i < provider->option_count; i++) {
    us_check_value(&provider->options[i], &values[i], problems);
    check_needed(provider, values, i, problems);
    if (strcmp(provider->options[i].name, "base_url") == 0 &&
        values[i].kind == US_TEXT) {
      const char *why = us_url_problem(values[i].text, insecure_http);
      if (why != NULL) us_problem(problems, "base_url", why, NULL);
    }
  }
  check_credentials(provider, values, problems);
}

/* A base URL's trailing slashes would double those of the paths. */
static us_slice trimmed(const char *name, us_slice value) {
  if (strcmp(name, "base_url") == 0)
    while (value.length && value.data[value.length - 1] == '/')
      value.length--;
  return value;
}

us_status us_client_open(us_client *client, const us_provider *provider,
                         const us_value *values, us_slice user_agent) {
  size_t i;
  client->provider = provider;
  client->budget = US_BUDGET_FULL;
  for (i = 0; i < provider->option_count; i++) {
    const us_parameter *option = &provider->options[i];
    us_slice value =
        values[i].kind == US_TEXT ? values[i].text : us_text(option->fallback);
    us_status status = us_buffer_set(&client->options[i], US_LIMIT_OPTION,
                                     trimmed(option->name, value));
    if (status != US_OK) return status;
  }
  us_buffer_reset(&client->headers, US_LIMIT_HEADERS);
  us_buffer_reset(&client->secrets, US_LIMIT_OPTION);
  us_buffer_reset(&client->cache, US_LIMIT_HEADERS);
  us_buffer_reset(&client->user_agent, US_LIMIT_OPTION);
  us_buffer_append_text(&client->user_agent, "usher/" US_VERSION);
  if (user_agent.length) us_buffer_append_byte(&client->user_agent, ' ');
  us_buffer_append_slice(&client->user_agent, user_agent);
  return client->user_agent.status;
}

void us_client_close(us_client *client) {
  size_t i;
  for (i = 0; i < US_LIMIT_OPTIONS; i++)
    us_buffer_free(&client->options[i]);
  us_buffer_free(&client->user_agent);
  us_buffer_free(&client->headers);
  us_buffer_free(&client->secrets);
  us_buffer_free(&client->cache);
  client->provider = NULL;
}

us_slice us_client_option(const us_client *client, const char *name) {
  const us_provider *provider = client->provider;
  int index = us_parameter_find(provider->options, provider->option_count,
                                us_text(name));
  return index < 0 ? us_text("") : us_buffer_slice(&client->options[index]);
}

us_status us_client_set(us_client *client, const char *name, us_slice value) {
  const us_provider *provider = client->provider;
  us_buffer set = {0};
  us_status status;
  int index = us_parameter_find(provider->options, provider->option_count,
                                us_text(name));
  if (index < 0 || us_has_line_break(value)) return US_INVALID;
  status = us_buffer_set(&set, US_LIMIT_OPTION, value);
  if (status != US_OK) return status; /* the old value stays */
  us_buffer_free(&client->options[index]);
  client->options[index] = set;
  return US_OK;
}

us_slice us_client_first(const us_client *client, const char *names) {
  const us_provider *provider = client->provider;
  while (*names) {
    us_slice name = {names, strcspn(names, "|")};
    int index =
        us_parameter_find(provider->options, provider->option_count, name);
    if (index >= 0 && client->options[index].length > 0)
      return us_buffer_slice(&client->options[index]);
    names += name.length;
    if (*names == '|') names++;
  }
  return us_text("");
}

bool us_client_needs_token(const us_client *client, double unix_time) {
  const us_provider *provider = client->provider;
  if (provider->token_method == NULL) return false;
  if (us_client_option(client, provider->token_option).length == 0) return true;
  return client->token_managed && client->token_expiry > 0 &&
         unix_time >= client->token_expiry - TOKEN_MARGIN;
}

us_status us_client_take_token(us_client *client, us_slice token) {
  client->token_managed = true;
  client->token_serial++;
  if (!us_jwt_expiry(token, &client->token_expiry)) client->token_expiry = 0;
  return us_client_set(client, client->provider->token_option, token);
}

bool us_client_drop_token(us_client *client, unsigned long serial) {
  if (!client->token_managed) return false;
  if (client->token_serial == serial)
    return us_client_set(client, client->provider->token_option, us_text("")) ==
           US_OK;
  return true;
}

void us_client_add_secrets(const us_client *client, us_buffer *list) {
  const us_provider *provider = client->provider;
  us_header header;
  size_t i, at = 0;
  for (i = 0; i < provider->option_count; i++)
    if (provider->options[i].flags & US_SECRET)
      us_secrets_add(list, us_buffer_slice(&client->options[i]));
  us_secrets_add(list, us_buffer_slice(&client->cache));
  while (us_headers_next(&client->headers, &at, &header))
    if (header.secret) us_secrets_add(list, header.value);
  us_buffer_append_slice(list, us_buffer_slice(&client->secrets));
}
