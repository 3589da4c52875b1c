/* provider.c: looking things up in the tables. */
#include "core/provider.h"

const us_provider *us_provider_find(us_slice name) {
  size_t i;
  for (i = 0; i < us_provider_count; i++)
    if (us_slice_is(name, us_providers[i]->name)) return us_providers[i];
  return NULL;
}

const us_method *us_method_find(const us_provider *provider, us_slice name) {
  size_t i;
  for (i = 0; i < provider->method_count; i++)
    if (us_slice_is(name, provider->methods[i].name))
      return &provider->methods[i];
  return NULL;
}

int us_parameter_find(const us_parameter *parameters, size_t count,
                      us_slice name) {
  size_t i;
  for (i = 0; i < count; i++)
    if (us_slice_is(name, parameters[i].name)) return (int)i;
  return -1;
}

bool us_method_has(const us_method *method, us_place place) {
  size_t i;
  for (i = 0; i < method->count; i++)
    if (method->parameters[i].place == place) return true;
  return false;
}
