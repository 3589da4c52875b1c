/* world.h: a client, a method and its arguments, made from bytes. What is made
   is of the types that the rows ask for, as the binding sees to; whether the
   core takes it is for the core to say. */
#ifndef WORLD_H
#define WORLD_H

#include "core/request.h"
#include "fuzz.h"

typedef struct {
  const us_provider *provider;
  const us_method *method;
  us_value options[US_LIMIT_OPTIONS];
  us_value arguments[US_LIMIT_PARAMETERS];
  us_value overrides[US_LIMIT_OPTIONS];
  bool overriding;
  us_client client;
  us_problems problems;
} world;

/* Beside the real ones, for what their rows do not use. */
extern const us_provider world_stand_in;

/* One of them all. */
const us_provider *world_provider(fuzz_input *input);

/* Chooses provider and options, and opens the client; false when the options
   have problems, which are then REQUIREd to be named. */
bool world_open(world *made, fuzz_input *input);
/* Chooses a method, arguments and overrides. */
void world_call(world *made, fuzz_input *input);
/* Checks them; false when they have problems. */
bool world_check(world *made);
const us_value *world_overrides(const world *made);
void world_close(world *made);

/* A JSON object written by the core's writer. */
us_slice world_object(fuzz_input *input);

#endif
