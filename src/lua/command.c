/* command.c: a request as a curl command line, to be read, logged and pasted.
   What is secret is ***; what is binary is named, not printed. */
#include <string.h>

#include "lua/binding.h"

/* Appends `text` in single quotes (POSIX shell). */
static void append_quoted(us_buffer *out, us_slice text) {
  size_t i;
  us_buffer_append_byte(out, '\'');
  for (i = 0; i < text.length; i++) {
    if (text.data[i] == '\'')
      us_buffer_append_text(out, "'\\''");
    else
      us_buffer_append_byte(out, text.data[i]);
  }
  us_buffer_append_byte(out, '\'');
}

static void append_scratch(us_buffer *out, const us_buffer *scratch) {
  if (scratch->status != US_OK) us_buffer_fail(out, scratch->status);
  append_quoted(out, us_buffer_slice(scratch));
}

static void append_headers(us_buffer *out, const us_request *request,
                           bool multipart, us_buffer *scratch) {
  us_header header;
  size_t at = 0;
  while (us_headers_next(&request->headers, &at, &header)) {
    bool type = us_slice_is(header.name, "Content-Type");
    if (type && multipart) continue; /* curl makes its own boundary */
    us_buffer_reset(scratch, US_LIMIT_HEADERS);
    us_buffer_append_slice(scratch, header.name);
    us_buffer_append_text(scratch, ": ");
    us_buffer_append_slice(scratch,
                           header.secret ? us_text("***") : header.value);
    us_buffer_append_text(out, " -H ");
    append_scratch(out, scratch);
  }
}

static void append_field(us_buffer *out, const us_parameter *row,
                         const us_value *value, us_buffer *scratch) {
  us_buffer_reset(scratch, US_LIMIT_BODY);
  us_buffer_append_text(scratch, row->wire);
  if (value->kind == US_CONTENT) {
    us_buffer_append_text(scratch, "=@");
    us_buffer_append_slice(scratch, value->filename);
    us_buffer_append_text(scratch, ";type=");
    us_buffer_append_slice(scratch, value->content_type);
    us_buffer_append_text(out, " --form ");
  } else {
    us_buffer_append_byte(scratch, '=');
    us_buffer_append_slice(scratch, value->text);
    us_buffer_append_text(out, " --form-string ");
  }
  append_scratch(out, scratch);
}

static void append_body(us_buffer *out, const us_request *request,
                        const us_method *method, const us_value *values,
                        us_buffer *scratch) {
  size_t i;
  if (us_method_has(method, US_FIELD)) {
    for (i = 0; i < method->count; i++)
      if (method->parameters[i].place == US_FIELD &&
          values[i].kind != US_ABSENT)
        append_field(out, &method->parameters[i], &values[i], scratch);
  } else if (request->has_body) {
    us_buffer_append_text(out, " --data-binary ");
    append_quoted(out, us_buffer_slice(&request->body));
  }
}

void lus_command_push(lua_State *L, const us_request *request,
                      const us_method *method, const us_value *values) {
  us_buffer *out = lus_buffer_new(L, US_LIMIT_BODY);
  us_buffer *scratch = lus_buffer_new(L, US_LIMIT_BODY);
  us_buffer_append_text(out, "curl -X ");
  us_buffer_append_text(out, request->verb);
  append_headers(out, request, us_method_has(method, US_FIELD), scratch);
  append_body(out, request, method, values, scratch);
  us_buffer_append_byte(out, ' ');
  append_quoted(out, us_buffer_slice(&request->url));
  if (out->status == US_NO_MEMORY) lus_raise_memory(L);
  if (out->status != US_OK) luaL_error(L, "the command is too large to print");
  lua_pushlstring(L, out->data, out->length);
}
