/* authorities.c: compares a hashed directory with a bundle, without parsing
   what is in them: that takes 20 ms for a system's bundle, and this a hundredth
   of it. */
#include "curl/authorities.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH = 8 }; /* digits */

/* "5ed36f99.0". OpenSSL looks for .0, then for .1, until there is none. */
static bool is_hashed(const char *name) {
  return strspn(name, "0123456789abcdef") == HASH && name[HASH] == '.' &&
         name[HASH + 1] != '\0' &&
         strspn(name + HASH + 1, "0123456789") == strlen(name + HASH + 1);
}

static X509 *read_certificate(int directory, const char *name) {
  X509 *certificate = NULL;
  int descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC);
  FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
  if (file == NULL && descriptor >= 0) close(descriptor);
  if (file == NULL) return NULL;
  certificate = PEM_read_X509_AUX(file, NULL, NULL, NULL);
  fclose(file);
  return certificate;
}

/* Hashes were others before OpenSSL 1.0. Its queue of errors is the host
   program's too. */
static bool has_its_hash(int directory, const char *name) {
  char hash[HASH + 1] = "";
  X509 *certificate;
  (void)ERR_set_mark();
  certificate = read_certificate(directory, name);
  if (certificate != NULL)
    snprintf(hash, sizeof hash, "%08lx",
             X509_subject_name_hash(certificate) & 0xffffffffUL);
  X509_free(certificate);
  (void)ERR_pop_to_mark();
  return memcmp(hash, name, HASH) == 0;
}

/* The bytes of a certificate; -1: OpenSSL would not find it. */
static off_t size_of(int directory, const char *name) {
  struct stat found;
  if (fstatat(directory, name, &found, 0) != 0 || !S_ISREG(found.st_mode) ||
      faccessat(directory, name, R_OK, 0) != 0)
    return -1;
  return found.st_size;
}

/* The bytes of all certificates together; -1: one would not be found. */
static off_t size_of_all(DIR *entries) {
  off_t total = 0, size;
  const struct dirent *entry;
  while ((entry = readdir(entries)) != NULL) {
    if (!is_hashed(entry->d_name)) continue;
    if (total == 0 && !has_its_hash(dirfd(entries), entry->d_name)) return -1;
    size = size_of(dirfd(entries), entry->d_name);
    if (size < 0) return -1;
    total += size;
  }
  return total;
}

bool us_authorities_match(const char *directory, const char *bundle) {
  struct stat whole;
  bool match;
  DIR *entries;
  if (stat(bundle, &whole) != 0 || whole.st_size == 0) return false;
  entries = opendir(directory);
  if (entries == NULL) return false;
  match = size_of_all(entries) == whole.st_size;
  closedir(entries);
  return match;
}
