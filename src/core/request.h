/* request.h: one HTTP request, built from a row and its values. Credentials
   are added for each attempt by the provider's authorize. */
#ifndef US_REQUEST_H
#define US_REQUEST_H

#include "core/client.h"

struct us_request {
  const char *verb;
  us_buffer url;     /* a NUL stands behind it */
  us_buffer headers; /* a list of headers.h */
  size_t own;        /* bytes of `headers` that every attempt shares */
  us_buffer body;
  bool has_body; /* an empty body is a body: Content-Length: 0 */
};

/* Checks values and option overrides against the row, all together.
   `overrides` is by option row; NULL: none. */
void us_request_check(const us_client *client, const us_method *method,
                      const us_value *values, const us_value *overrides,
                      us_problems *problems);
/* Writes all but the credentials. `random` in [0, 1) spells the boundary of a
   multipart body. `request` is zeroed, or was built before. */
US_MUST_CHECK us_status us_request_build(
    us_request *request, const us_client *client, const us_method *method,
    const us_value *values, const us_value *overrides, double random);
/* Replaces the credentials of the last attempt by new ones. */
US_MUST_CHECK us_status us_request_authorize(us_request *request,
                                             us_client *client,
                                             const us_method *method,
                                             double unix_time);
/* "Authorization: Bearer <token>", for providers. */
void us_request_add_bearer(us_request *request, us_slice token);
void us_request_free(us_request *request);

#endif
