/* module_transfer.c: the Lua face of a transfer. Its result is handed out once,
   as Lua values, or read in place by usher.core. */
#include <string.h>

#include "curl/module.h"

typedef struct {
  lus_answer answer;
  us_transfer transfer;
  int slot;   /* in its pool's table; 0: it is being collected */
  bool taken; /* the result has been handed out */
  bool idle;  /* it was recycled and waits to be used again, if it may */
} lus_transfer;

/* Pushes a list of the pool at `pool`; false when it was never opened, or
   somebody has set another environment. */
static bool push_list(lua_State *L, int pool, int member) {
  lus_get_environment(L, pool);
  if (!lua_istable(L, -1)) return false;
  lua_rawgeti(L, -1, member);
  lua_remove(L, -2);
  return lua_istable(L, -1);
}

/* Item 0 of a pool's transfers: no slot below it is free. */
static int first_free(lua_State *L, int transfers) {
  int slot;
  lua_rawgeti(L, transfers, 0);
  slot = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return slot > 0 ? slot : 1;
}

static void set_first_free(lua_State *L, int transfers, int slot) {
  lua_pushinteger(L, slot);
  lua_rawseti(L, transfers, 0);
}

/* Puts the transfer at LUS_RESULT in the first free slot. */
static int take_slot(lua_State *L) {
  int slot, transfers;
  (void)push_list(L, LUS_SELF, LUS_TRANSFERS);
  transfers = lua_gettop(L);
  slot = first_free(L, transfers);
  lua_rawgeti(L, transfers, slot);
  while (!lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_rawgeti(L, transfers, ++slot);
  }
  lua_pushvalue(L, LUS_RESULT);
  lua_rawseti(L, transfers, slot);
  set_first_free(L, transfers, slot + 1);
  lua_settop(L, LUS_RESULT);
  return slot;
}

/* Pushes the pool of the transfer at LUS_SELF, and a list of it. */
static bool push_list_of_pool(lua_State *L, int member) {
  lus_get_environment(L, LUS_SELF);
  if (!lua_istable(L, -1)) return false;
  lua_rawgeti(L, -1, 1);
  return lua_type(L, -1) == LUA_TUSERDATA && push_list(L, -1, member);
}

/* The transfer is being collected, and its slot is empty. */
static void free_slot(lua_State *L, int slot) {
  if (push_list_of_pool(L, LUS_TRANSFERS) &&
      slot < first_free(L, lua_gettop(L)))
    set_first_free(L, lua_gettop(L), slot);
}

/* Pushes one of the pool at LUS_SELF, and keeps the pool alive with it. */
static lus_transfer *new_transfer(lua_State *L) {
  lus_transfer *self = lua_newuserdata(L, sizeof(*self));
  memset(self, 0, sizeof(*self));
  luaL_getmetatable(L, LUS_ANSWER);
  lua_setmetatable(L, LUS_RESULT);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, LUS_SELF);
  lua_rawseti(L, -2, 1);
  lus_set_environment(L, LUS_RESULT);
  self->slot = take_slot(L);
  return self;
}

/* What waits to be used again, or NULL: it may have been collected together with
   the pool, which a finalizer uses. */
static lus_transfer *idle_at_top(lua_State *L) {
  lus_transfer *self = lua_touserdata(L, -1);
  bool waits = self != NULL && lus_raw_length(L, -1) == sizeof *self &&
               self->idle && self->slot > 0;
  return waits ? self : NULL;
}

/* Pushes the last of the pool's that wait to be used again, or NULL. */
static lus_transfer *push_idle(lua_State *L) {
  lus_transfer *self;
  int count;
  (void)push_list(L, LUS_SELF, LUS_IDLE);
  count = (int)lus_raw_length(L, -1);
  lua_rawgeti(L, -1, count);
  lua_pushnil(L);
  lua_rawseti(L, -3, count);
  lua_remove(L, -2);
  self = idle_at_top(L);
  if (self != NULL) self->idle = false;
  return self;
}

us_transfer *lus_transfer_new(lua_State *L) {
  lus_transfer *self = push_idle(L);
  if (self != NULL) return &self->transfer;
  lua_settop(L, LUS_REQUEST);
  return &new_transfer(L)->transfer;
}

static lus_transfer *owner_of(us_transfer *transfer) {
  return (lus_transfer *)(void *)((char *)transfer -
                                  offsetof(lus_transfer, transfer));
}

/* For usher.core, unless it was handed out. */
static void show_answer(lus_transfer *self) {
  const us_transfer *transfer = &self->transfer;
  const us_transfer_outcome *outcome = &transfer->outcome;
  lus_answer *answer = &self->answer;
  if (self->taken) return;
  answer->kind = outcome->kind;
  answer->message = outcome->message;
  answer->sent = outcome->sent;
  answer->status = (int)outcome->status;
  answer->head = transfer->head.data;
  answer->head_length = transfer->head.length;
  answer->body = transfer->body.data;
  answer->body_length = transfer->body.length;
  answer->exchange.mark = LUS_ANSWER_MARK;
}

bool lus_transfer_push(lua_State *L, int pool, us_transfer *transfer) {
  lus_transfer *self = owner_of(transfer);
  (void)push_list(L, pool, LUS_TRANSFERS);
  lua_rawgeti(L, -1, self->slot);
  lua_remove(L, -2);
  if (lua_touserdata(L, -1) != (void *)self) {
    lua_pop(L, 1);
    return false;
  }
  show_answer(self);
  return true;
}

static lus_transfer *any_self(lua_State *L) {
  return lus_check_self(L, LUS_ANSWER, sizeof(lus_transfer));
}

static lus_transfer *check_transfer(lua_State *L) {
  lus_transfer *self = any_self(L);
  if (self->idle) luaL_error(L, "the transfer was recycled");
  return self;
}

/* transfer:done() -> whether its result is there */
static int transfer_done(lua_State *L) {
  lus_transfer *self = check_transfer(L);
  bool done = self->transfer.stage == US_STAGE_FINISHED;
  if (done) show_answer(self);
  lua_pushboolean(L, done);
  return 1;
}

/* In a forked child everything it shares with the parent is left alone. */
static bool is_the_parents(const us_transfer *transfer) {
  return transfer->pool != NULL && !us_pool_is_ours(transfer->pool);
}

static int transfer_cancel(lua_State *L) {
  us_transfer *transfer = &check_transfer(L)->transfer;
  if (!is_the_parents(transfer))
    us_pool_drop(transfer, "the transfer was cancelled");
  return 0;
}

static int transfer_gc(lua_State *L) {
  lus_transfer *self = any_self(L);
  self->answer.exchange.mark = 0;
  if (is_the_parents(&self->transfer)) return 0;
  us_pool_drop(&self->transfer, "the transfer was collected");
  us_transfer_free(&self->transfer);
  lua_settop(L, LUS_SELF);
  if (self->slot > 0) free_slot(L, self->slot);
  self->slot = 0;
  return 0;
}

/* Whether it has come to an end and its result was not taken. */
static void check_finished(lua_State *L, const lus_transfer *self) {
  if (self->transfer.stage != US_STAGE_FINISHED)
    luaL_error(L, "the transfer is still running");
  if (self->taken) luaL_error(L, "the result was taken before");
}

static void push_bytes(lua_State *L, const us_bytes *bytes) {
  lua_pushlstring(L, bytes->data != NULL ? bytes->data : "", bytes->length);
}

/* transfer:head() -> status, the head as it came | nil, kind */
static int transfer_head(lua_State *L) {
  const lus_transfer *self = check_transfer(L);
  const us_transfer_outcome *outcome = &self->transfer.outcome;
  check_finished(L, self);
  if (outcome->kind == NULL) {
    lua_pushinteger(L, (lua_Integer)outcome->status);
    push_bytes(L, &self->transfer.head);
  } else {
    lua_pushnil(L);
    lua_pushstring(L, outcome->kind);
  }
  return 2;
}

/* transfer:result() -> status, head, body | nil, kind, message, sent */
static int transfer_result(lua_State *L) {
  lus_transfer *self = check_transfer(L);
  us_transfer *transfer = &self->transfer;
  const us_transfer_outcome *outcome = &transfer->outcome;
  check_finished(L, self);
  if (outcome->kind == NULL) {
    lua_pushinteger(L, (lua_Integer)outcome->status);
    push_bytes(L, &transfer->head);
    push_bytes(L, &transfer->body);
  } else {
    lua_pushnil(L);
    lua_pushstring(L, outcome->kind);
    lua_pushstring(L, outcome->message);
    lua_pushboolean(L, outcome->sent);
  }
  self->taken = true;
  self->answer.exchange.mark = 0;
  us_transfer_free(transfer);
  return outcome->kind == NULL ? 3 : 4;
}

/* Puts the transfer at LUS_SELF on its pool's list of idle ones; false when
   nobody would take it from there. */
static bool put_aside(lua_State *L, const lus_transfer *self) {
  const us_pool *pool;
  int count;
  lua_settop(L, LUS_SELF);
  if (self->slot == 0 || !push_list_of_pool(L, LUS_IDLE)) return false;
  pool = lua_touserdata(L, -2);
  if (lus_raw_length(L, -2) != sizeof *pool || !us_pool_is_open(pool))
    return false;
  count = (int)lus_raw_length(L, -1);
  if (count >= US_POOL_IDLE_HANDLES) return false;
  lua_pushvalue(L, LUS_SELF);
  lua_rawseti(L, -2, count + 1);
  return true;
}

/* transfer:recycle(): nobody wants its answer any more, and its pool may use it
   for another request. */
static int transfer_recycle(lua_State *L) {
  lus_transfer *self = check_transfer(L);
  if (self->transfer.stage != US_STAGE_FINISHED)
    return luaL_error(L, "the transfer is still running");
  if (is_the_parents(&self->transfer)) return 0;
  us_pool_drop(&self->transfer, NULL);
  self->answer.exchange.mark = 0;
  us_transfer_renew(&self->transfer);
  self->taken = false;
  if (!put_aside(L, self)) us_transfer_free(&self->transfer);
  self->idle = true;
  return 0;
}

void lus_transfers_free(lua_State *L) {
  int i, list;
  if (!push_list(L, LUS_SELF, LUS_IDLE)) return;
  list = lua_gettop(L);
  for (i = (int)lus_raw_length(L, list); i > 0; i--) {
    lus_transfer *self;
    lua_rawgeti(L, list, i);
    self = idle_at_top(L);
    if (self != NULL) us_transfer_free(&self->transfer);
    lua_pop(L, 1);
  }
}

static const luaL_Reg methods[] = {
    {"done", transfer_done},     {"head", transfer_head},
    {"result", transfer_result}, {"recycle", transfer_recycle},
    {"cancel", transfer_cancel}, {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", transfer_gc}, {NULL, NULL}};

void lus_transfer_open(lua_State *L) {
  lus_class_new(L, LUS_ANSWER, methods, metamethods);
}
