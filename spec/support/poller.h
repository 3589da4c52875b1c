/* poller.h: what the small servers of the specs, each a file of its own, have in
   common: a port on loopback, connections that do not block, and one epoll
   that watches them. What they answer is theirs. Needs _GNU_SOURCE. */
#ifndef SPEC_POLLER_H
#define SPEC_POLLER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static int poller;

static void watch(int descriptor) {
  struct epoll_event event = {0};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0) abort();
}

/* Prints its port. Nobody watches it yet. */
static int listen_anywhere(void) {
  struct sockaddr_in address = {0};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(listener, 4096) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0)
    abort();
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

/* The next connection, or -1 when none waits. Nobody watches it yet. */
static int accept_next(int listener) {
  int one = 1, descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
  if (descriptor >= 0)
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return descriptor;
}

#endif
