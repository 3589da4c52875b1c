/* head_fuzz.c: any bytes as the head of a response. Names come out in lower
   case and without blanks, values without blanks around them, each of them
   from inside the head and in its order; and where the lines leave in doubt
   how the response ends, that is seen. */
#include "core/head.h"

#include <strings.h>

#include "curl/framing.h"
#include "fuzz.h"
#include "wire_grammar.h"

#define LONGEST_LENGTH 19 /* digits */

static bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static us_slice trimmed(us_slice text) {
  while (text.length > 0 && is_blank(text.data[0])) {
    text.data++;
    text.length--;
  }
  while (text.length > 0 && is_blank(text.data[text.length - 1]))
    text.length--;
  return text;
}

static bool is_trimmed(us_slice text) {
  return trimmed(text).length == text.length;
}

static void check_header(us_slice head, const us_head_field *header) {
  us_slice name = header->name;
  us_slice value = header->value;
  size_t i;
  REQUIRE(name.data > head.data && name.length > 0);
  REQUIRE(value.data >= name.data + name.length);
  REQUIRE(value.data + value.length <= head.data + head.length);
  REQUIRE(wire_is_line(name) && wire_is_line(value));
  REQUIRE(is_trimmed(value) && is_trimmed(name));
  for (i = 0; i < name.length; i++)
    REQUIRE((name.data[i] < 'A' || name.data[i] > 'Z') && name.data[i] != ':');
}

/* Only a line that begins with a blank goes on with the header before it. */
static void check_fold(us_slice original, us_slice head,
                       const us_head_field *header) {
  size_t at = (size_t)(header->value.data - head.data);
  if (header->value.length == 0) at--; /* perhaps the next line */
  while (original.data[at - 1] != '\n')
    at--;
  REQUIRE(original.data[at] == ' ' || original.data[at] == '\t');
}

static void read_headers(us_slice head, us_slice original) {
  us_head_reader reader =
      us_head_read((char *)(uintptr_t)head.data, head.length);
  us_head_field header;
  const char *last = head.data;
  while (us_head_next(&reader, &header)) {
    check_header(head, &header);
    if (header.folded) check_fold(original, head, &header);
    REQUIRE(header.folded ? header.name.data == last : header.name.data > last);
    last = header.name.data;
  }
  REQUIRE(reader.at == reader.end);
}

/* --- how the response ends ----------------------------------------------- */

/* What the lines say, for whoever reads each of them as it can be read. */
typedef struct {
  us_slice length; /* the first Content-Length, without leading zeros */
  bool sized, chunked, in_doubt;
} claims;

static bool is_word(us_slice text, const char *word) {
  return text.length == strlen(word) &&
         strncasecmp(text.data, word, text.length) == 0;
}

static void claim_length(claims *made, us_slice length) {
  size_t i;
  length = trimmed(length);
  for (i = 0; i < length.length; i++)
    if (length.data[i] < '0' || length.data[i] > '9') made->in_doubt = true;
  if (length.length == 0) made->in_doubt = true;
  while (length.length > 1 && length.data[0] == '0') {
    length.data++;
    length.length--;
  }
  if (length.length > LONGEST_LENGTH ||
      (made->sized && !us_slice_equal(length, made->length)))
    made->in_doubt = true;
  made->length = length;
  made->sized = true;
}

static void claim(claims *made, us_slice line) {
  us_slice value = line, name, length;
  if (!wire_piece(&value, ':', &name) || value.data == NULL) return;
  name = trimmed(name);
  if (is_word(name, "Content-Length"))
    while (wire_piece(&value, ',', &length))
      claim_length(made, length);
  if (is_word(name, "Transfer-Encoding")) {
    if (made->chunked || !is_word(trimmed(value), "chunked"))
      made->in_doubt = true;
    made->chunked = true;
  }
  if (made->sized && made->chunked) made->in_doubt = true;
}

/* Feeds the head's lines, as libcurl does. A doubt stays one. */
static void read_framing(us_slice head) {
  us_framing framing = {"", false, false, false, false, NULL};
  claims made = {{NULL, 0}, false, false, false};
  const char *at = head.data, *end = head.data + head.length;
  while (at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    us_slice line = {at, (size_t)((newline != NULL ? newline + 1 : end) - at)};
    const char *problem = framing.problem;
    us_framing_read(&framing, line.data, line.length);
    if (at > head.data) claim(&made, line);
    REQUIRE(problem == NULL || framing.problem == problem);
    REQUIRE(framing.problem != NULL || !made.in_doubt);
    at += line.length;
  }
  if (framing.problem != NULL || head.length == 0) return;
  REQUIRE(head.length >= 6 && memcmp(head.data, "HTTP/", 5) == 0);
  REQUIRE(framing.sized == made.sized && framing.chunked == made.chunked);
  if (made.sized) REQUIRE(us_slice_is(made.length, framing.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_start(data, size);
  us_slice head = fuzz_rest(&input);
  read_framing(head);
  read_headers(head, fuzz_keep(&input, head));
  fuzz_end(&input);
  return 0;
}
