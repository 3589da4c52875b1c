/* silence.h: the third fence. libcurl takes bytes that follow an answer for the
   next answer, so a connection is used again only while it is silent. */
#ifndef US_CURL_SILENCE_H
#define US_CURL_SILENCE_H

#include "curl/sockets.h"

/* Whether the connection `easy` is about to use holds no byte that came before
   the request. To be asked from libcurl's pre-request callback, where the
   connection is attached to the handle. HTTP/2 talks between requests and
   always counts as silent: it numbers its answers, libcurl reads what waits
   before it uses a connection again, and an answer on a stream that is not open
   yet ends the connection. */
bool us_connection_is_silent(CURL *easy, us_sockets *sockets, int local_port);

/* Whether it speaks HTTP/2; to be asked at the same place. */
bool us_connection_is_http2(CURL *easy);

#endif
