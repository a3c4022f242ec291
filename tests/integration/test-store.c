/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"
#include "tests/integration/store-fixture.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#define RUN "20251124T160000Z-r1"

static const int64_t second = G_USEC_PER_SEC;

static PlStore *
open_in_memory(void) {
  return store_open(NULL, PL_STORE_SYNCHRONOUS);
}

static void
test_settings(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  g_assert_null(pl_store_get(store, "pod.cadence"));
  pl_store_set(store, "pod.cadence", "strides");
  pl_store_set(store, "gone", "x");
  pl_store_set(store, "gone", NULL);
  g_autofree char *now = pl_store_get(store, "pod.cadence");
  g_assert_cmpstr(now, ==, "strides"); /* before anything was written */
  g_assert_true(pl_store_close(store));

  store = store_open(f->directory, PL_STORE_READ_ONLY);
  g_autofree char *later = pl_store_get(store, "pod.cadence");
  g_assert_cmpstr(later, ==, "strides");
  g_assert_null(pl_store_get(store, "gone"));
  pl_store_set(store, "pod.cadence", "ignored");
  g_autofree char *same = pl_store_get(store, "pod.cadence");
  g_assert_cmpstr(same, ==, "strides");
  pl_store_close(store);
}

static void
test_sequence(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  uint64_t last = pl_store_next_seq(store);
  g_assert_cmpuint(last, ==, 1);
  for (unsigned i = 0; i < 50000; i++) {
    uint64_t next = pl_store_next_seq(store);
    g_assert_cmpuint(next, ==, last + 1);
    last = next;
  }
  pl_store_close(store);
  store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  g_assert_cmpuint(pl_store_next_seq(store), ==, last + 1); /* closed in order: no gap */
  pl_store_close(store);

  /* The file is lost, or full of something else: nothing is handed out twice. */
  g_autofree char *path = g_build_filename(f->directory, "sequence", NULL);
  g_unlink(path);
  store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  uint64_t after_loss = pl_store_next_seq(store);
  g_assert_cmpuint(after_loss, >, last + 1);
  g_assert_cmpuint(after_loss, <, UINT64_C(1) << 53);
  pl_store_close(store);
  g_assert_true(g_file_set_contents(path, "17 garbage", -1, NULL));
  store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  g_assert_cmpuint(pl_store_next_seq(store), >, after_loss);
  pl_store_close(store);
}

static void
test_replay_is_the_same_every_time(StoreFixture *f, gconstpointer data) {
  for (unsigned i = 0; i < 2; i++) {
    PlStore *store = open_in_memory();
    g_assert_cmpuint(pl_store_next_seq(store), ==, 1);
    begin_run(store, RUN, "r1", 0);
    add_records(store, RUN, 1, 3601);
    g_assert_cmpuint(count_records(store, RUN, 1), ==, 3600);
    g_assert_true(pl_store_flush(store, 0, NULL));
    pl_store_close(store);
  }
}

static void
test_private_files(StoreFixture *f, gconstpointer data) {
  g_autofree char *directory = g_build_filename(f->directory, "new", "state", NULL);
  static const char *const names[] = {"", "plumbline.db", "plumbline.db-wal", "sequence",
                                      "lock"};
  PlStore *store = store_open(directory, PL_STORE_THREADED);
  pl_store_next_seq(store);
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(directory, names[i], NULL);
    GStatBuf file;
    g_assert_cmpint(g_stat(path, &file), ==, 0);
    g_assert_cmpint(file.st_mode & 077, ==, 0);
  }
  pl_store_close(store);
}

static void
test_one_writer(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  PlStoreOptions options = {
      .mode = PL_STORE_SYNCHRONOUS, .directory = f->directory, .boot_id = TEST_BOOT};
  g_autoptr(GError) error = NULL;
  g_assert_null(pl_store_open(&options, &error));
  g_assert_error(error, PL_STORE_ERROR, PL_STORE_ERROR_IN_USE);
  pl_store_close(store);
  store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  pl_store_close(store);
}

static void
test_reader_beside_writer(StoreFixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  PlStoreOptions options = {.mode = PL_STORE_READ_ONLY, .directory = f->directory};
  g_assert_null(pl_store_open(&options, &error));
  g_assert_error(error, PL_STORE_ERROR, PL_STORE_ERROR_NOT_FOUND);

  PlStore *writer = store_open(f->directory, PL_STORE_THREADED);
  begin_run(writer, RUN, "r1", 0);
  add_records(writer, RUN, 1, 11);
  flush(writer);
  PlStore *reader = store_open(f->directory, PL_STORE_READ_ONLY);
  g_assert_cmpuint(count_records(reader, RUN, 1), ==, 10);
  add_records(writer, RUN, 11, 21);
  flush(writer);
  g_assert_cmpuint(count_records(reader, RUN, 1), ==, 20);
  pl_store_run_delete(reader, RUN);
  g_assert_true(pl_store_flush(reader, 0, NULL));
  g_assert_true(pl_store_close(writer));
  g_assert_cmpuint(count_records(reader, RUN, 1), ==, 20);
  pl_store_close(reader);
}

/* How soon without anybody asking: an alert goes to the database at once, records in time. */
static bool
wait_for_count(const char *directory, const char *sql, int64_t count, int64_t limit_us) {
  int64_t deadline = g_get_monotonic_time() + limit_us;
  while (query_number(directory, sql) < count) {
    if (g_get_monotonic_time() > deadline)
      return false;
    g_usleep(2000);
  }
  return true;
}

static void
test_written_by_itself(StoreFixture *f, gconstpointer data) {
  PlStoreOptions options = {
      .mode = PL_STORE_THREADED, .directory = f->directory, .boot_id = TEST_BOOT};
  PlStore *store = pl_store_open(&options, NULL); /* with the interval of the daemon */
  begin_run(store, RUN, "r1", 0);
  g_assert_true(wait_for_count(f->directory, "SELECT count(*) FROM runs", 1, second));
  flush(store); /* the writer sleeps again */
  add_records(store, RUN, 1, 4);
  int64_t posted = g_get_monotonic_time();
  g_assert_true(wait_for_count(f->directory, "SELECT count(*) FROM records", 1, 6 * second));
  int64_t took = g_get_monotonic_time() - posted;
  g_assert_cmpint(took, >, 4 * second);
  g_assert_cmpint(took, <=, 6 * second);
  add_records(store, RUN, 4, 5);
  PlOutboxMessage message = {.seq = pl_store_next_seq(store),
                             .outbox_class = PL_OUTBOX_WARNING,
                             .topic = "t",
                             .payload = "{}",
                             .length = 2};
  pl_store_outbox_add(store, &message);
  g_assert_true(wait_for_count(f->directory, "SELECT count(*) FROM outbox", 1, second));
  PlStoreHealth health;
  pl_store_health(store, &health);
  g_assert_cmpint(pl_store_boot_us() - health.heartbeat_us, <, 2 * second);
  pl_store_close(store);
}

static void
test_group_is_one_transaction(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  begin_run(store, RUN, "r1", 0);
  flush(store);
  for (unsigned n = 0; n < 300; n++) {
    PlOutboxMessage message = {.seq = pl_store_next_seq(store),
                               .outbox_class = PL_OUTBOX_LAP,
                               .topic = "t",
                               .payload = "{}",
                               .length = 2};
    pl_store_begin(store);
    pl_store_lap(store, RUN, n, "{}");
    g_usleep(g_random_int_range(0, 300)); /* the thread is about */
    pl_store_outbox_add(store, &message);
    pl_store_commit(store);
    g_assert_cmpint(query_number(f->directory, "SELECT (SELECT count(*) FROM laps) - (SELECT"
                                               " count(*) FROM outbox)"),
                    ==, 0);
  }
  pl_store_close(store);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/settings", test_settings);
  store_test("/edge/store/sequence", test_sequence);
  store_test("/edge/store/replay-is-the-same-every-time", test_replay_is_the_same_every_time);
  store_test("/edge/store/private-files", test_private_files);
  store_test("/edge/store/one-writer", test_one_writer);
  store_test("/edge/store/reader-beside-writer", test_reader_beside_writer);
  store_test("/edge/store/written-by-itself", test_written_by_itself);
  store_test("/edge/store/group-is-one-transaction", test_group_is_one_transaction);
  return g_test_run();
}
