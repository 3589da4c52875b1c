/* failing_malloc.c: to be preloaded. Makes the n-th allocation of the C
   libraries (libcurl, OpenSSL, zlib, the C library and usher itself) fail, and
   knows who holds which block. What Lua, the dynamic loader and the program
   itself allocate passes and is not counted: alloc_host.c is for that. */
#define _GNU_SOURCE
#include "failing_malloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

enum { BLOCKS = 1 << 18, RANGES = 256, EARLY = 1 << 18, EARLY_HEAD = 16 };

static struct {
  void *(*malloc)(size_t);
  void *(*calloc)(size_t, size_t);
  void *(*realloc)(void *, size_t);
  void (*free)(void *);
} real;

/* Not a mutex: AddressSanitizer puts its own in its place, before it is ready
   for one to be locked. */
static bool locked;

static void take_lock(void) {
  while (__atomic_test_and_set(&locked, __ATOMIC_ACQUIRE))
    continue;
}

static void leave_lock(void) {
  __atomic_clear(&locked, __ATOMIC_RELEASE);
}

/* --- who calls ----------------------------------------------------------- */

typedef struct {
  uintptr_t start, end;
  bool exempt;
} range;

static range ranges[RANGES];
static size_t range_count;

/* In place of strrchr and strstr, which AddressSanitizer replaces, too. */
static const char *base_name(const char *path) {
  const char *name = path;
  for (; *path != '\0'; path++)
    if (*path == '/') name = path + 1;
  return name;
}

static bool contains(const char *text, const char *part) {
  for (; *text != '\0'; text++) {
    size_t i = 0;
    while (part[i] != '\0' && text[i] == part[i])
      i++;
    if (part[i] == '\0') return true;
  }
  return false;
}

/* The interpreters (LuaJIT has libgcc_s keep its unwind tables), their other
   modules, the loader and what checks memory. */
static bool is_exempt_name(const char *path) {
  static const char *const names[] = {"lua",       "ld-linux", "libgcc_s",
                                      "libasan",   "libubsan", "failing_malloc",
                                      "libgnutls", "libtasn1"};
  const char *name = base_name(path);
  size_t i;
  if (path[0] == '\0') return true; /* the program */
  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    if (contains(name, names[i])) return true;
  return false;
}

static int add_ranges(struct dl_phdr_info *info, size_t size, void *unused) {
  bool exempt = is_exempt_name(info->dlpi_name);
  int i;
  (void)size;
  (void)unused;
  for (i = 0; i < info->dlpi_phnum && range_count < RANGES; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
    ranges[range_count].start = info->dlpi_addr + part->p_vaddr;
    ranges[range_count].end = ranges[range_count].start + part->p_memsz;
    ranges[range_count++].exempt = exempt;
  }
  return 0;
}

static const range *find_range(const void *caller) {
  uintptr_t at = (uintptr_t)caller;
  size_t i;
  for (i = 0; i < range_count; i++)
    if (at >= ranges[i].start && at < ranges[i].end) return &ranges[i];
  return NULL;
}

/* Under the lock. Libraries come while the program runs. */
static bool is_exempt(const void *caller) {
  const range *found = find_range(caller);
  if (found == NULL) {
    range_count = 0;
    dl_iterate_phdr(add_ranges, NULL);
    found = find_range(caller);
  }
  return found == NULL || found->exempt;
}

/* --- who holds what ------------------------------------------------------ */

typedef struct {
  const void *block, *caller;
  unsigned long serial;
} holding;

static holding holdings[BLOCKS]; /* by hidden address; open addressing */
static size_t holding_count;
static unsigned long serial;

static size_t slot_of(const void *block) {
  return (size_t)(((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15u >> 20) % BLOCKS;
}

static size_t find_slot(const void *block) {
  size_t slot = slot_of(block);
  while (holdings[slot].block != NULL && holdings[slot].block != block)
    slot = (slot + 1) % BLOCKS;
  return slot;
}

/* LeakSanitizer must not take this table for who uses the blocks. */
static const void *hidden(const void *block) {
  return (const void *)~(uintptr_t)block;
}

static void hold(const void *block, const void *caller) {
  size_t slot = find_slot(hidden(block));
  if (block == NULL || holding_count == BLOCKS / 2) return;
  holdings[slot].block = hidden(block);
  holdings[slot].caller = caller;
  holdings[slot].serial = ++serial;
  holding_count++;
}

/* Later entries that were pushed on by this one move back. */
static void let_go(const void *block) {
  size_t gap = find_slot(hidden(block)), slot = gap;
  if (block == NULL || holdings[gap].block == NULL) return;
  holding_count--;
  for (;;) {
    size_t home;
    holdings[gap].block = NULL;
    do {
      slot = (slot + 1) % BLOCKS;
      if (holdings[slot].block == NULL) return;
      home = slot_of(holdings[slot].block);
    } while (gap <= slot ? gap < home && home <= slot
                         : gap < home || home <= slot);
    holdings[gap] = holdings[slot];
    gap = slot;
  }
}

/* --- what fails ---------------------------------------------------------- */

static unsigned long seen, first_failing, last_failing; /* 0: none fails */
static bool armed;

/* Under the lock. */
static bool refuses(bool exempt) {
  if (!armed || exempt) return false;
  seen++;
  if (seen < first_failing || seen > last_failing) return false;
  errno = ENOMEM;
  return true;
}

EXPORT void failing_malloc_arm(unsigned long first, unsigned long last) {
  take_lock();
  seen = 0;
  first_failing = first;
  last_failing = last;
  armed = true;
  leave_lock();
}

EXPORT unsigned long failing_malloc_disarm(void) {
  take_lock();
  armed = false;
  leave_lock();
  return seen;
}

EXPORT size_t failing_malloc_blocks(void) {
  return holding_count;
}

EXPORT unsigned long failing_malloc_serial(void) {
  return serial;
}

EXPORT bool failing_malloc_next(size_t *at, unsigned long since, char *text,
                                size_t size) {
  while (*at < BLOCKS) {
    const holding *held = &holdings[(*at)++];
    Dl_info place;
    if (held->block == NULL || held->serial <= since) continue;
    if (dladdr(held->caller, &place) == 0) {
      snprintf(text, size, "%p", held->caller);
    } else {
      snprintf(text, size, "%s+0x%lx (%s)", base_name(place.dli_fname),
               (unsigned long)((const char *)held->caller -
                               (const char *)place.dli_fbase),
               place.dli_sname != NULL ? place.dli_sname : "?");
    }
    return true;
  }
  return false;
}

/* --- in place of the C library's ----------------------------------------- */

/* Looking up the real ones may allocate, and so may a sanitizer that starts
   before they can be looked up. Each block has its size in front. */
static union {
  char bytes[EARLY];
  long double aligned;
} early;
static size_t early_used;

static void *allocate_early(size_t size) {
  char *block = early.bytes + early_used + EARLY_HEAD;
  size_t needed = EARLY_HEAD + ((size + 15) & ~(size_t)15);
  if (needed > sizeof early - early_used) abort();
  early_used += needed;
  memcpy(block - EARLY_HEAD, &size, sizeof size);
  return block;
}

static bool is_early(const void *block) {
  const char *at = block;
  return at >= early.bytes && at < early.bytes + sizeof early;
}

static size_t early_size(const char *block) {
  size_t size;
  memcpy(&size, block - EARLY_HEAD, sizeof size);
  return size;
}

static bool look_up(void) {
  static bool looking;
  if (real.free != NULL) return true;
  if (looking) return false;
  looking = true;
  *(void **)&real.malloc = dlsym(RTLD_NEXT, "malloc");
  *(void **)&real.calloc = dlsym(RTLD_NEXT, "calloc");
  *(void **)&real.realloc = dlsym(RTLD_NEXT, "realloc");
  if (real.malloc != NULL && real.calloc != NULL && real.realloc != NULL)
    *(void **)&real.free = dlsym(RTLD_NEXT, "free");
  looking = false;
  return real.free != NULL;
}

/* A failure of the real one is not expected, and is what it is. */
static void *allocate(size_t size, bool zeroed, const void *caller) {
  bool exempt;
  void *block = NULL;
  if (!look_up()) return allocate_early(size);
  take_lock();
  exempt = is_exempt(caller);
  if (!refuses(exempt)) {
    block = zeroed ? real.calloc(1, size) : real.malloc(size);
    if (!exempt) hold(block, caller);
  }
  leave_lock();
  return block;
}

EXPORT void *malloc(size_t size) {
  return allocate(size, false, CALLER);
}

EXPORT void *calloc(size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return NULL;
  return allocate(count * size, true, CALLER);
}

static void *move_early(const char *block, size_t size, const void *caller) {
  size_t old = early_size(block);
  void *moved = allocate(size, false, caller);
  if (moved != NULL) memcpy(moved, block, old < size ? old : size);
  return moved;
}

EXPORT void *realloc(void *block, size_t size) {
  bool exempt;
  void *moved = NULL;
  if (block == NULL) return allocate(size, false, CALLER);
  if (is_early(block)) return move_early(block, size, CALLER);
  take_lock();
  exempt = is_exempt(CALLER);
  if (!refuses(exempt)) {
    let_go(block);
    moved = real.realloc(block, size);
    if (!exempt) hold(moved, CALLER);
  }
  leave_lock();
  return moved;
}

EXPORT void free(void *block) {
  if (block == NULL || is_early(block) || !look_up()) return;
  take_lock();
  let_go(block);
  leave_lock();
  real.free(block);
}

static char *copy(const char *text, size_t length, const void *caller) {
  char *made = allocate(length + 1, false, caller);
  if (made == NULL) return NULL;
  memcpy(made, text, length);
  made[length] = '\0';
  return made;
}

/* The C library's own would be the callers of malloc. */
EXPORT char *strdup(const char *text) {
  return copy(text, strlen(text), CALLER);
}

EXPORT char *strndup(const char *text, size_t length) {
  return copy(text, strnlen(text, length), CALLER);
}

/* Leak reports name their frames only while the libraries are loaded. */
EXPORT int dlclose(void *handle) {
  (void)handle;
  return 0;
}
