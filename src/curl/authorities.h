/* authorities.h: whether a directory of authorities can stand in for a bundle.
   Whom to trust is the caller's to say; nothing is verified here. */
#ifndef US_CURL_AUTHORITIES_H
#define US_CURL_AUTHORITIES_H

#include <stdbool.h>

/* Whether the directory is hashed as this OpenSSL looks it up, and what it
   would find there is as many bytes as the bundle: both were made of the same
   certificates. */
bool us_authorities_match(const char *directory, const char *bundle);

#endif
