/* wipe.c: memory functions that clear what they free, and libcurl with them:
   it copies every header more than once and clears none. No option is set
   here, no transfer known. */
/* For dladdr, which POSIX does not have.
   NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
#include "curl/wipe.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* How large a block is, by its allocator; 0: it does not tell. */
#if defined(__has_include)
#if __has_include(<malloc/malloc.h>)
#include <malloc/malloc.h>
#define BLOCK_SIZE(block) malloc_size(block)
#elif __has_include(<malloc_np.h>)
#include <malloc_np.h>
#define BLOCK_SIZE(block) malloc_usable_size(block)
#elif __has_include(<malloc.h>)
#include <malloc.h>
#define BLOCK_SIZE(block) malloc_usable_size(block)
#endif
#endif
#ifndef BLOCK_SIZE
#define BLOCK_SIZE(block) ((void)(block), (size_t)0)
#endif

static const char probe[] = "usher";
static bool serves_curl = false;

static size_t size_of(void *block) {
  return block != NULL ? BLOCK_SIZE(block) : 0;
}

/* What OPENSSL_cleanse does where it has no code of its own for a processor: a
   compiler cannot know what is called, so it is called. All that libcurl frees
   is wiped, and so this one is several times as fast. */
static void *(*const volatile overwrite)(void *, int, size_t) = memset;

void us_wipe_bytes(void *data, size_t size) {
  if (data != NULL) (void)overwrite(data, 0, size);
}

void us_wipe_free(void *block) {
  us_wipe_bytes(block, size_of(block));
  free(block);
}

/* realloc would leave the old bytes behind. What a block holds beyond its new
   size goes when the block does. */
static void *wipe_and_move(void *block, size_t size) {
  size_t old = size_of(block);
  void *moved;
  if (old == 0) return realloc(block, size);
  if (size <= old) return block;
  moved = malloc(size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, old);
  us_wipe_free(block);
  return moved;
}

static unsigned long refusals; /* of all threads */

static void *count_refusal(void *block) {
  if (block == NULL) __atomic_add_fetch(&refusals, 1, __ATOMIC_RELAXED);
  return block;
}

static void *allocate(size_t size) {
  return count_refusal(malloc(size));
}

static void *allocate_zeroed(size_t count, size_t size) {
  return count_refusal(calloc(count, size));
}

static void *reallocate(void *block, size_t size) {
  return count_refusal(wipe_and_move(block, size));
}

/* It sees the one text that nobody else copies. */
static char *copy_text(const char *text) {
  char *copy = count_refusal(strdup(text));
  if (text == probe) serves_curl = size_of(copy) > 0;
  return copy;
}

unsigned long us_wipe_refusals(void) {
  return __atomic_load_n(&refusals, __ATOMIC_RELAXED);
}

/* libcurl may outlive the Lua state that loaded us, and with it the functions
   it was given: so they stay. */
static bool stay_loaded(void) {
  Dl_info self;
  return dladdr(probe, &self) != 0 &&
         dlopen(self.dli_fname, RTLD_NOW | RTLD_LOCAL) != NULL;
}

/* libcrypto 3.0 that had no memory to start says so only here: used all the
   same, it crashes. */
static bool libcrypto_starts(void) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  return OSSL_LIB_CTX_get0_global_default() != NULL;
#else
  return true;
#endif
}

CURLcode us_wipe_start_curl(void) {
  CURLcode code;
  if (!libcrypto_starts()) return CURLE_OUT_OF_MEMORY;
  if (!stay_loaded()) return curl_global_init(CURL_GLOBAL_DEFAULT);
  code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, allocate, us_wipe_free,
                              reallocate, copy_text, allocate_zeroed);
  if (code == CURLE_OK) curl_slist_free_all(curl_slist_append(NULL, probe));
  return code;
}

bool us_wipe_serves_curl(void) {
  return serves_curl;
}
