/* failing_malloc.h: what alloc_host.c asks the preloaded failing_malloc.c. */
#ifndef FAILING_MALLOC_H
#define FAILING_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* From now on allocations are counted from 1, and those from `first` to `last`
   fail. */
void failing_malloc_arm(unsigned long first, unsigned long last);
/* Returns how many there were. */
unsigned long failing_malloc_disarm(void);

size_t failing_malloc_blocks(void);
/* Of the latest block. */
unsigned long failing_malloc_serial(void);
/* Walks the blocks that are younger than `since` from *at = 0, and says who
   allocated them; false at the end. */
bool failing_malloc_next(size_t *at, unsigned long since, char *text,
                         size_t size);

#endif
