/* rows.h: the words the endpoint tables are written in. This page, and one of
   the tables beside it, is all that adding a provider takes.

   A provider is one file, NAME.c: its options, a list of parameters for each
   method, the methods, and authorize(), which adds the credentials to a
   request. What it defines is us_NAME; make finds it and lists it in list.h.
   Vectors for every row go to spec/vectors/NAME.lua.

     static const us_parameter mute_user[] = {
         PATH("room_id", "roomId", "the room"),
         BODY("reason", "reason", US_STRING, OPTIONAL, "why, for the log"),
     };
     static const us_method methods[] = {
         METHOD("mute_user", "muteUser", "POST", "/rooms/{room_id}/mute",
                mute_user, US_IDEMPOTENT, "Stops a user from writing."),
     };

   Columns that are rare are designated at the end of a row:
   .choices = "a|b", .maximum = 100, .bearer = "access_token",
   .paging = &by_page, .certainty = US_OBSERVED. */
#ifndef US_ROWS_H
#define US_ROWS_H

#include "core/provider.h"
#include "core/request.h"

#define OPTIONAL 0u
#define REQUIRED US_REQUIRED

/* What else a row may say comes last: PATH("a", "a", "doc", .choices = "x|y")
   (argument, name on the wire, ..., doc). */
#define ROW(place_, name_, wire_, type_, flags_, ...)                          \
  {                                                                            \
    .place = (place_), .name = (name_), .wire = (wire_), .type = (type_),      \
    .flags = (flags_), .doc = __VA_ARGS__                                      \
  }
/* A path segment: always a required string. */
#define PATH(name_, wire_, ...)                                                \
  ROW(US_PATH, name_, wire_, US_STRING, REQUIRED, __VA_ARGS__)
#define QUERY(name_, wire_, type_, flags_, ...)                                \
  ROW(US_QUERY, name_, wire_, type_, flags_, __VA_ARGS__)
#define HEADER(name_, wire_, flags_, ...)                                      \
  ROW(US_HEADER, name_, wire_, US_STRING, flags_, __VA_ARGS__)
#define BODY(name_, wire_, type_, flags_, ...)                                 \
  ROW(US_BODY, name_, wire_, type_, flags_, __VA_ARGS__)
#define FIELD(name_, wire_, type_, flags_, ...)                                \
  ROW(US_FIELD, name_, wire_, type_, flags_, __VA_ARGS__)
#define FORM(name_, wire_, flags_, ...)                                        \
  ROW(US_FORM, name_, wire_, US_STRING, flags_, __VA_ARGS__)

/* A client option. OPTION_IN puts it where calls use it: in the path
   (US_PATH) or in a header of every call (US_HEADER, under its wire name). */
#define OPTION(name_, flags_, ...)                                             \
  ROW(US_OPTION, name_, NULL, US_STRING, flags_, __VA_ARGS__)
#define OPTION_IN(place_, name_, wire_, flags_, ...)                           \
  ROW(place_, name_, wire_, US_STRING, (flags_) | US_PER_CALL, __VA_ARGS__)

/* A table's length; one that is longer than the core takes does not compile. */
#define LENGTH(rows) (sizeof(rows) / sizeof((rows)[0]))
#define AT_MOST(limit, rows)                                                   \
  (LENGTH(rows) + 0 * sizeof(char[LENGTH(rows) <= (limit) ? 1 : -1]))
#define OPTION_COUNT(rows) AT_MOST(US_LIMIT_OPTIONS, rows)

#define METHOD(name_, operation_, verb_, path_, rows_, flags_, ...)            \
  {                                                                            \
    .name = (name_), .operation = (operation_), .verb = (verb_),               \
    .path = (path_), .parameters = (rows_),                                    \
    .count = AT_MOST(US_LIMIT_PARAMETERS, rows_), .flags = (flags_),           \
    .doc = __VA_ARGS__                                                         \
  }
/* A method without arguments. */
#define PLAIN_METHOD(name_, operation_, verb_, path_, flags_, ...)             \
  {                                                                            \
    .name = (name_), .operation = (operation_), .verb = (verb_),               \
    .path = (path_), .flags = (flags_), .doc = __VA_ARGS__                     \
  }

#endif
