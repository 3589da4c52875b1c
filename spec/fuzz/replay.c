/* replay.c: runs a target over files, one after another, without libFuzzer:
   for the regression run, and to look at one finding. Says which file it was
   when the target or a sanitizer ends the process, or when one takes long. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"

/* The sanitizers' runtime, when the program is built with one. */
__attribute__((weak)) void
__sanitizer_set_death_callback(void (*callback)(void));

/* Seconds for one file. */
#define PATIENCE 60

static const char *current = "";

static void name_it(void) {
  static const char words[] = "replay: it was ";
  if (write(STDERR_FILENO, words, sizeof words - 1) < 0 ||
      write(STDERR_FILENO, current, strlen(current)) < 0 ||
      write(STDERR_FILENO, "\n", 1) < 0)
    _exit(EXIT_FAILURE);
}

static void on_signal(int number) {
  name_it();
  _exit(128 + number);
}

static us_slice read_file(const char *path) {
  us_buffer bytes = {0};
  us_slice content;
  char chunk[4096];
  size_t length;
  FILE *file = fopen(path, "rb");
  char *copy;
  if (file == NULL) {
    perror(path);
    exit(EXIT_FAILURE);
  }
  us_buffer_reset(&bytes, US_LIMIT_BODY);
  while ((length = fread(chunk, 1, sizeof chunk, file)) > 0)
    us_buffer_append(&bytes, chunk, length);
  fclose(file);
  copy = malloc(bytes.length);
  REQUIRE(bytes.status == US_OK && (copy != NULL || bytes.length == 0));
  if (bytes.length > 0) memcpy(copy, bytes.data, bytes.length);
  content.data = copy;
  content.length = bytes.length;
  us_buffer_free(&bytes);
  return content;
}

int main(int count, char **paths) {
  int i;
  signal(SIGABRT, on_signal);
  signal(SIGALRM, on_signal);
  if (__sanitizer_set_death_callback != NULL)
    __sanitizer_set_death_callback(name_it);
  for (i = 1; i < count; i++) {
    us_slice content;
    current = paths[i];
    content = read_file(current);
    alarm(PATIENCE);
    (void)LLVMFuzzerTestOneInput((const uint8_t *)content.data, content.length);
    alarm(0);
    free((void *)(uintptr_t)content.data);
  }
  current = "the end";
  return count > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
