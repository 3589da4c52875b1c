/* wipe.h: memory that is cleared before it is given back, for libcurl and for
   what the transport gathers. Whose memory it is, is not known here. */
#ifndef US_CURL_WIPE_H
#define US_CURL_WIPE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

void us_wipe_bytes(void *data, size_t size);
/* free that leaves nothing of the content behind. */
void us_wipe_free(void *block);

/* Starts libcurl with these. If somebody has started it before, it keeps the
   functions it got then. */
CURLcode us_wipe_start_curl(void);
/* Whether it has ours. */
bool us_wipe_serves_curl(void);
/* How often libcurl has wanted memory and got none, as far as it has ours: it
   does not always say that this was the reason. */
unsigned long us_wipe_refusals(void);

#endif
