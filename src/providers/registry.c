/* registry.c: the list of providers, and nothing else. list.h names them: make
   writes it from the files beside this one. */
#include "core/provider.h"

#define PROVIDER(name) extern const us_provider us_##name;
#include "providers/list.h"
#undef PROVIDER

#define PROVIDER(name) &us_##name,
const us_provider *const us_providers[] = {
#include "providers/list.h"
};
const size_t us_provider_count = sizeof us_providers / sizeof us_providers[0];
