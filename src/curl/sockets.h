/* sockets.h: the descriptors a pool has open, told to us by libcurl.
   libcurl does not say which descriptor a transfer is about to use; it does say
   the local port, and this table leads from one to the other.
   Nothing here reads or writes a socket: only libcurl does. */
#ifndef US_CURL_SOCKETS_H
#define US_CURL_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>

typedef struct {
  curl_socket_t descriptor;
  int port; /* local, 0 until it is known */
} us_socket;

typedef struct {
  /* Who else hears that a descriptor was closed, or NULL. */
  void (*on_close)(void *watcher, curl_socket_t descriptor);
  void *watcher;
  us_socket *entries;
  size_t count;
  size_t capacity;
} us_sockets;

/* libcurl's callbacks at the birth and the death of a socket; the context is
   the table. */
int us_sockets_opened(void *context, curl_socket_t descriptor,
                      curlsocktype purpose);
int us_sockets_closed(void *context, curl_socket_t descriptor);

bool us_sockets_has(us_sockets *sockets, curl_socket_t descriptor);

/* Whether nothing waits to be read on the connection with this local port.
   A connection that is not in the table is not known to be silent. */
bool us_sockets_are_silent(us_sockets *sockets, int local_port);

void us_sockets_free(us_sockets *sockets);

#endif
