/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/store-fixture.h"

#include <string.h>

static uint64_t
add_sized(PlStore *store, PlOutboxClass outbox_class, size_t size) {
  g_autofree char *payload = g_strnfill(size, 'x');
  PlOutboxMessage message = {.seq = pl_store_next_seq(store),
                             .outbox_class = outbox_class,
                             .created_us = 1764000000000000 + (int64_t)size,
                             .topic = "plumbline/athlete/r1/warning",
                             .payload = payload,
                             .length = size,
                             .qos = 1,
                             .retain = outbox_class == PL_OUTBOX_SUMMARY};
  pl_store_outbox_add(store, &message);
  return message.seq;
}

typedef struct {
  uint64_t last_seq;
  unsigned count, of_class[PL_OUTBOX_CLASS_COUNT];
} Seen;

static bool
see(const PlOutboxMessage *message, void *data) {
  Seen *seen = data;
  g_assert_cmpuint(message->seq, >, seen->last_seq);
  seen->last_seq = message->seq;
  seen->count++;
  seen->of_class[message->outbox_class]++;
  return true;
}

static Seen
load_all(PlStore *store) {
  Seen seen = {.count = 0};
  g_assert_true(pl_store_outbox_load(store, 0, G_MAXUINT, see, &seen, NULL));
  return seen;
}

static PlStoreHealth
health_of(PlStore *store) {
  PlStoreHealth health;
  pl_store_health(store, &health);
  return health;
}

static bool
assert_message(const PlOutboxMessage *message, void *data) {
  static const char payload[] = "{\"a\":\0b}";
  g_assert_cmpuint(message->seq, ==, *(uint64_t *)data);
  g_assert_cmpint(message->outbox_class, ==, PL_OUTBOX_LAP);
  g_assert_cmpint(message->created_us, ==, 17);
  g_assert_cmpstr(message->topic, ==, "plumbline/athlete/r1/lap");
  g_assert_cmpmem(message->payload, message->length, payload, sizeof payload);
  g_assert_cmpuint(message->qos, ==, 1);
  g_assert_true(message->retain);
  g_assert_cmpstr(message->run, ==, "run");
  g_assert_cmpuint(message->tries, ==, 0);
  *(uint64_t *)data = 0;
  return true;
}

static void
test_comes_back(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  uint64_t seq = pl_store_next_seq(store);
  PlOutboxMessage message = {.seq = seq,
                             .outbox_class = PL_OUTBOX_LAP,
                             .created_us = 17,
                             .topic = "plumbline/athlete/r1/lap",
                             .payload = "{\"a\":\0b}",
                             .length = sizeof "{\"a\":\0b}",
                             .qos = 1,
                             .retain = true,
                             .run = "run"};
  pl_store_outbox_add(store, &message);
  flush(store);
  pl_store_close(store);
  store = store_open(f->directory, PL_STORE_THREADED);
  g_assert_cmpuint(health_of(store).outbox_messages, ==, 1);
  g_assert_cmpint(health_of(store).outbox_oldest_us, ==, 17);
  g_assert_true(pl_store_outbox_load(store, 0, 10, assert_message, &seq, NULL));
  g_assert_cmpuint(seq, ==, 0);
  pl_store_close(store);
}

static void
test_drain(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  uint64_t cursor = 0;
  unsigned drained = 0;

  for (unsigned i = 0; i < 1000; i++)
    add_sized(store, PL_OUTBOX_EVENT, 50);
  flush(store);
  while (true) {
    Seen seen = {.last_seq = cursor};
    g_assert_true(pl_store_outbox_load(store, cursor, 20, see, &seen, NULL));
    if (seen.count == 0)
      break;
    g_assert_cmpuint(seen.count, ==, 20);
    for (uint64_t seq = cursor + 1; seq <= seen.last_seq; seq++)
      pl_store_outbox_remove(store, seq);
    cursor = seen.last_seq;
    drained += seen.count;
  }
  g_assert_cmpuint(drained, ==, 1000);
  flush(store);
  g_assert_cmpuint(load_all(store).count, ==, 0);
  PlStoreHealth health = health_of(store);
  g_assert_cmpuint(health.outbox_messages, ==, 0);
  g_assert_cmpuint(health.outbox_bytes, ==, 0);
  g_assert_cmpint(health.outbox_oldest_us, ==, 0);
  pl_store_close(store);
}

static bool
see_tries(const PlOutboxMessage *message, void *data) {
  *(unsigned *)data = message->tries;
  return true;
}

static void
test_refused(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  uint64_t refused = add_sized(store, PL_OUTBOX_EVENT, 10);
  uint64_t good = add_sized(store, PL_OUTBOX_EVENT, 10);
  unsigned tries = 0;

  pl_store_outbox_refuse(store, refused);
  Seen seen = load_all(store);
  g_assert_cmpuint(seen.count, ==, 1);
  g_assert_cmpuint(seen.last_seq, ==, good);
  g_assert_cmpuint(health_of(store).outbox_messages, ==, 1);
  g_assert_cmpuint(health_of(store).outbox_refused, ==, 1);
  pl_store_outbox_remove(store, good);
  pl_store_outbox_revive(store);
  g_assert_cmpuint(health_of(store).outbox_refused, ==, 0);
  g_assert_true(pl_store_outbox_load(store, 0, 9, see_tries, &tries, NULL));
  g_assert_cmpuint(tries, ==, 1);
  pl_store_close(store);
}

/* The limit of the fixture is 1 MiB. */
static void
test_limit_drops_by_class(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  for (unsigned i = 0; i < 50; i++) {
    add_sized(store, PL_OUTBOX_SUMMARY, 2000);
    add_sized(store, PL_OUTBOX_DERIVED, 2000);
    add_sized(store, PL_OUTBOX_EVENT, 2000);
  }
  for (unsigned i = 0; i < 400; i++)
    add_sized(store, PL_OUTBOX_RECORDS, 4000);
  Seen seen = load_all(store);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_SUMMARY], ==, 50);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_DERIVED], ==, 50);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_EVENT], ==, 50);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_RECORDS], >, 150); /* 1 MiB less 300 kB */
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_RECORDS], <, 200);
  g_assert_cmpuint(health_of(store).outbox_bytes, <=, 1024 * 1024);
  g_assert_cmpuint(health_of(store).outbox_dropped, ==, 400 - seen.of_class[PL_OUTBOX_RECORDS]);

  /* More of what is dear pushes out what is cheap, in the order of the classes. */
  for (unsigned i = 0; i < 400; i++)
    add_sized(store, PL_OUTBOX_WARNING, 2000);
  seen = load_all(store);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_RECORDS], ==, 0);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_SUMMARY], ==, 50);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_WARNING], ==, 400);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_EVENT], ==, 50);

  /* Nothing but what is dear: the oldest of the least dear goes, the rest stays. */
  for (unsigned i = 0; i < 480; i++)
    add_sized(store, PL_OUTBOX_SUMMARY, 2000);
  seen = load_all(store);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_EVENT], ==, 0);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_WARNING], ==, 0);
  g_assert_cmpuint(seen.of_class[PL_OUTBOX_SUMMARY], >, 480);
  PlStoreHealth health = health_of(store);
  g_assert_cmpuint(health.outbox_dropped + seen.count, ==, 50 * 3 + 400 + 400 + 480);
  pl_store_close(store);
}

/* A number that is there already is refused, not written over. */
static void
test_same_number_twice(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  PlOutboxMessage message = {
      .seq = 5, .outbox_class = PL_OUTBOX_EVENT, .topic = "t", .payload = "a", .length = 1};
  pl_store_outbox_add(store, &message);
  message.payload = "b";
  pl_store_outbox_add(store, &message);
  g_assert_cmpuint(load_all(store).count, ==, 1);
  g_assert_cmpuint(health_of(store).rejected, ==, 1);
  pl_store_close(store);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/outbox/comes-back", test_comes_back);
  store_test("/edge/store/outbox/drain", test_drain);
  store_test("/edge/store/outbox/refused", test_refused);
  store_test("/edge/store/outbox/limit-drops-by-class", test_limit_drops_by_class);
  store_test("/edge/store/outbox/same-number-twice", test_same_number_twice);
  return g_test_run();
}
