/* binding.h: what the files of the binding share: the core as Lua userdata.
   Every resource sits in a userdata that had its metatable before the resource
   was acquired, so an error raised anywhere leaks nothing. */
#ifndef LUS_BINDING_H
#define LUS_BINDING_H

#include "core/call.h"
#include "core/json_reader.h"
#include "lua/exchange.h"

/* How long the last objects and lists of an answer were, by their depth: the
   next answer of that method is probably like it. */
#define LUS_SHAPE_DEPTH 6
typedef struct {
  unsigned char lengths[LUS_SHAPE_DEPTH][2]; /* 0: not known, or very long */
} lus_shape;

/* Methods may share one: then they only guess worse. */
#define LUS_SHAPES 32

typedef struct {
  us_client core;
  const us_provider *provider; /* stays when the core is closed */
  lus_shape shapes[LUS_SHAPES];
} lus_client;

typedef struct {
  lus_attempt attempt; /* what usher.curl reads */
  us_call core;
  const us_provider *provider;
  us_problems problems;
  us_json_reader reader;
  lus_shape *shape; /* of the client, which lives as long */
} lus_call;

/* Where a misuse is reported: usher.<provider>[:<method>], at the caller's
   line, `level` functions up. */
typedef struct {
  const char *provider;
  const char *method; /* NULL: the constructor */
  int level;
} lus_place;

/* client.c */
void lus_client_open(lua_State *L);
int lus_client_new(lua_State *L);
/* The client at `index`, open; raises for anything else. */
lus_client *lus_client_check(lua_State *L, int index, const char *method,
                             int level);
/* The client at `index`, open or closed. */
lus_client *lus_client_check_any(lua_State *L, int index);
int lus_client_environment(lua_State *L);
/* class(provider) -> the metatable of its clients, the names of its methods */
int lus_client_class(lua_State *L);
int lus_client_provider(lua_State *L);
int lus_client_close(lua_State *L);

/* options.c */
/* Options that all providers share. */
extern const us_parameter lus_options[];
extern const size_t lus_option_count;
/* Reads limits out of the table at `options` into `limits`, checked. */
void lus_limits_read(lua_State *L, int options, us_limits *limits,
                     us_problems *problems);
/* Checks max_connections, which only transports use. */
void lus_connections_check(lua_State *L, int options, us_problems *problems);
/* Reads extra headers into the client. */
void lus_headers_read(lua_State *L, int options, us_buffer *headers,
                      us_problems *problems);
/* Reports options of the wrong type, among those that have all `flags`. */
void lus_options_check(lua_State *L, int options, unsigned flags,
                       us_problems *problems);
bool lus_flag(lua_State *L, int options, const char *name, bool otherwise);

/* arguments.c */
void lus_arguments_open(lua_State *L);
/* A buffer that dies with its userdata, pushed. */
us_buffer *lus_buffer_new(lua_State *L, size_t ceiling);
/* Reads the arguments of `rows` out of the table at `index` (nil: none) into
   `values`. What is made on the way is kept in the table at `anchor`. */
void lus_arguments_read(lua_State *L, int index, const us_parameter *rows,
                        size_t count, us_value *values, int anchor,
                        us_problems *problems);
/* Reads the key at `index`; false, with a problem, when it is not a string. */
bool lus_key(lua_State *L, int index, const char *what, us_slice *name,
             us_problems *problems);
/* Raises the problems, if there are any. */
void lus_problems_raise(lua_State *L, us_problems *problems,
                        const lus_place *place);
/* Raises "usher.<provider>:<method>: <message>". */
int lus_raise(lua_State *L, const lus_place *place, const char *message);
/* Raises what Lua raises when it runs out of memory itself. */
int lus_raise_memory(lua_State *L);
/* Room on the stack, where luaL_checkstack would call the lack of memory an
   overflow: nothing here needs more than Lua has. */
void lus_reserve(lua_State *L, int slots);

/* json.c */
void lus_json_open(lua_State *L);
/* Writes the table at `index`, an object; problems name `parameter`. */
void lus_json_write(lua_State *L, int index, us_buffer *out,
                    const char *parameter, us_problems *problems);
void lus_json_push_null(lua_State *L);
int lus_encode(lua_State *L);

/* decode.c */
void lus_decode_open(lua_State *L);
int lus_decode(lua_State *L);
/* Pushes the value of a JSON text; or the words why it is none, and returns
   false. The caller's `reader`, zeroed at first, outlives a raise; `shape` is
   what to expect, and is brought up to date, or NULL. */
bool lus_json_decode(lua_State *L, us_json_reader *reader, us_slice text,
                     lus_shape *shape);

/* document.c */
/* A decoded value at an absolute index, as the context of a us_document. */
typedef struct {
  lua_State *L;
  int index;
} lus_document;
us_scalar lus_document_find(void *context, const char *path);

/* error.c */
void lus_error_open(lua_State *L);
int lus_error_new(lua_State *L);
void lus_error_push(lua_State *L, const us_call *call, const char *provider);

/* begin.c */
int lus_call_begin(lua_State *L);
int lus_call_request(lua_State *L);
int lus_call_curl(lua_State *L);

/* call.c */
void lus_call_open(lua_State *L);

/* reply.c */
/* Reads what a transport returned, at 2 to 5 of the stack; raises when it is
   nonsense. A decoded answer comes to the top, and into `document`. */
void lus_reply_read(lua_State *L, const us_provider *provider,
                    us_json_reader *reader, lus_shape *shape, us_reply *reply,
                    us_document *document);

/* response.c */
void lus_response_open(lua_State *L);
/* Pushes the second result of a call; at 2 and 3 of the stack are an answer, or
   status and headers. */
void lus_response_push(lua_State *L, int attempts, double elapsed);
/* Pushes { [lower-case name] = value } of the head of a response. */
void lus_headers_push(lua_State *L, const char *head, size_t length);
int lus_read_head(lua_State *L);

/* request.c */
/* Pushes { method, url, headers, body }. */
void lus_request_push(lua_State *L, const us_request *request);

/* moment.c */
us_moment lus_moment(lua_State *L, int environment);
/* Seconds of the monotonic clock itself. */
double lus_seconds(void);
int lus_now(lua_State *L);
int lus_monotonic(lua_State *L);
int lus_sleep(lua_State *L);

/* process.c */
int lus_catch_interrupts(lua_State *L);
int lus_plain_interrupts(lua_State *L);
int lus_interrupted(lua_State *L);
int lus_process(lua_State *L);
int lus_is_running(lua_State *L);
int lus_is_same_file(lua_State *L);
int lus_is_written(lua_State *L);
int lus_terminal(lua_State *L);
int lus_read_private(lua_State *L);

/* command.c */
/* Pushes a request as a shell command with its secrets as ***. `values` are
   the arguments it was built from. */
void lus_command_push(lua_State *L, const us_request *request,
                      const us_method *method, const us_value *values);

/* describe.c */
int lus_describe(lua_State *L);
int lus_providers(lua_State *L);
int lus_decide(lua_State *L);

#endif
