/* sockets.c: the table of a pool's open descriptors. */
#include "curl/sockets.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static us_socket *find(us_sockets *sockets, curl_socket_t descriptor) {
  size_t i;
  for (i = 0; i < sockets->count; i++)
    if (sockets->entries[i].descriptor == descriptor)
      return &sockets->entries[i];
  return NULL;
}

static us_socket *add(us_sockets *sockets) {
  if (sockets->count == sockets->capacity) {
    size_t capacity = sockets->capacity ? sockets->capacity * 2 : 8;
    us_socket *moved =
        realloc(sockets->entries, capacity * sizeof(*sockets->entries));
    if (moved == NULL) return NULL;
    sockets->entries = moved;
    sockets->capacity = capacity;
  }
  return &sockets->entries[sockets->count++];
}

int us_sockets_opened(void *context, curl_socket_t descriptor,
                      curlsocktype purpose) {
  us_sockets *sockets = context;
  us_socket *entry = find(sockets, descriptor);
  (void)purpose;
  if (entry == NULL) entry = add(sockets);
  if (entry == NULL) return CURL_SOCKOPT_ERROR;
  entry->descriptor = descriptor;
  entry->port = 0; /* not connected yet */
  return CURL_SOCKOPT_OK;
}

int us_sockets_closed(void *context, curl_socket_t descriptor) {
  us_sockets *sockets = context;
  us_socket *entry = find(sockets, descriptor);
  if (entry != NULL) *entry = sockets->entries[--sockets->count];
  if (sockets->on_close != NULL)
    sockets->on_close(sockets->watcher, descriptor);
  return close(descriptor);
}

bool us_sockets_has(us_sockets *sockets, curl_socket_t descriptor) {
  return find(sockets, descriptor) != NULL;
}

static int local_port_of(curl_socket_t descriptor) {
  struct sockaddr_storage address;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  socklen_t length = sizeof(address);
  if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0)
    return 0;
  if (address.ss_family == AF_INET) {
    memcpy(&v4, &address, sizeof(v4));
    return ntohs(v4.sin_port);
  }
  if (address.ss_family == AF_INET6) {
    memcpy(&v6, &address, sizeof(v6));
    return ntohs(v6.sin6_port);
  }
  return 0;
}

static bool is_readable(curl_socket_t descriptor) {
  struct pollfd waiting = {descriptor, POLLIN, 0};
  return poll(&waiting, 1, 0) != 0;
}

/* Two connections can share a local port when their peers differ; then all of
   them have to be silent. */
bool us_sockets_are_silent(us_sockets *sockets, int local_port) {
  bool found = false;
  size_t i;
  if (local_port <= 0) return false;
  for (i = 0; i < sockets->count; i++) {
    us_socket *entry = &sockets->entries[i];
    if (entry->port == 0) entry->port = local_port_of(entry->descriptor);
    if (entry->port != local_port) continue;
    if (is_readable(entry->descriptor)) return false;
    found = true;
  }
  return found;
}

void us_sockets_free(us_sockets *sockets) {
  static const us_sockets nothing = {NULL, NULL, NULL, 0, 0};
  free(sockets->entries);
  *sockets = nothing;
}
