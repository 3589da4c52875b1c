/* registry.c: the list of providers, and nothing else. A new one is a line in
   each list. */
#include "core/provider.h"

extern const us_provider us_ertc, us_qiscus, us_smooch, us_vchatcloud;

const us_provider *const us_providers[] = {
    &us_ertc,
    &us_qiscus,
    &us_smooch,
    &us_vchatcloud,
};
const size_t us_provider_count = sizeof us_providers / sizeof us_providers[0];
