/* loopback.h: a server of few words on 127.0.0.1, in the same thread as its
   client: whoever drives the client lets it look, from time to time, whether
   there is something to do. It answers every request with the bytes it was
   told, whatever they are. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "core/buffer.h"

typedef enum {
  LOOPBACK_KEEP,  /* the client decides when it is over */
  LOOPBACK_CLOSE, /* no more will come */
  LOOPBACK_RESET  /* nor is anything read any more */
} loopback_ending;

typedef struct {
  us_slice bytes;         /* lives until the next script */
  size_t pause;           /* what lies beyond goes in a second piece */
  bool early;             /* as soon as a request begins */
  loopback_ending ending; /* once all is sent */
} loopback_script;

/* Listens on a free port, which it returns. */
int loopback_start(void);
/* From now on requests are answered so. Forgets all connections and counts. */
void loopback_play(loopback_script script);
/* The same, but connections stay open. */
void loopback_go_on(loopback_script script);
/* Does what there is to do without waiting; false when there was nothing. */
bool loopback_step(void);
/* Ends what is still open: whoever waits for more waits in vain. */
void loopback_end(void);
/* How many requests have begun since the last play. */
int loopback_requests(void);

#endif
