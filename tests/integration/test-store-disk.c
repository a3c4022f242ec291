/* SPDX-License-Identifier: Apache-2.0 */

/* Disks that are full, fail, are read-only, or are in use by somebody else. */

#include "gateway/edge/store-private.h"
#include "tests/fakes/disk-vfs.h"
#include "tests/integration/store-fixture.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#define RUN "20251124T160000Z-r1"

static const int64_t second = G_USEC_PER_SEC;

static PlStoreHealth
health_of(PlStore *store) {
  PlStoreHealth health;
  pl_store_health(store, &health);
  return health;
}

static void
wait_for_problem(PlStore *store, PlStoreProblem problem, int64_t limit_us) {
  int64_t deadline = g_get_monotonic_time() + limit_us;
  while (health_of(store).problem != problem) {
    g_assert_cmpint(g_get_monotonic_time(), <, deadline);
    g_usleep(5000);
  }
}

static void
wait_until_written(PlStore *store, int64_t limit_us) {
  int64_t deadline = g_get_monotonic_time() + limit_us;
  while (health_of(store).queued > 0) {
    g_assert_cmpint(g_get_monotonic_time(), <, deadline);
    g_usleep(5000);
  }
}

/* ---- full ---- */

static void
limit_pages(PlStore *store, int pages) {
  g_autofree char *sql = g_strdup_printf("PRAGMA max_page_count = %d", pages);
  g_assert_cmpint(pl_db_exec(store->writer.db, sql), ==, SQLITE_OK);
}

/* SQLite ends the transaction by itself then: nothing of it may be thought to be written. */
static void
test_full(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  g_autoptr(GError) error = NULL;
  unsigned n = 1;

  begin_run(store, RUN, "r1", 0);
  limit_pages(store, 40);
  while (health_of(store).problem == PL_STORE_OK && n < 10000) {
    add_records(store, RUN, n, n + 10);
    n += 10;
  }
  g_assert_cmpint(health_of(store).problem, ==, PL_STORE_DISK_FULL);
  g_assert_cmpint(health_of(store).error_code & 0xff, ==, SQLITE_FULL);
  add_records(store, RUN, n, n + 600); /* ten minutes more */
  g_assert_false(pl_store_flush(store, second, &error));
  g_assert_error(error, PL_STORE_ERROR, PL_STORE_ERROR_FAILED);
  g_assert_cmpuint(health_of(store).queued, >=, 600);

  limit_pages(store, 100000);
  flush(store);
  g_assert_cmpint(health_of(store).problem, ==, PL_STORE_OK);
  g_assert_cmpuint(health_of(store).queued, ==, 0);
  g_assert_cmpuint(health_of(store).dropped, ==, 0);
  g_assert_cmpuint(count_records(store, RUN, 1), ==, n + 599);
  pl_store_close(store);
  assert_sound(f->directory);
}

/* Archive messages make room for what matters. */
static void
test_full_gives_up_archives(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  g_autofree char *payload = g_strnfill(3000, 'x');
  PlOutboxMessage message = {.outbox_class = PL_OUTBOX_RECORDS,
                             .topic = "plumbline/athlete/r1/records",
                             .payload = payload,
                             .length = 3000};
  begin_run(store, RUN, "r1", 0);
  for (unsigned i = 0; i < 100; i++) {
    message.seq = pl_store_next_seq(store);
    pl_store_outbox_add(store, &message);
  }
  limit_pages(store, 1); /* as many as there are */
  add_records(store, RUN, 1, 1001);
  flush(store);
  g_assert_cmpuint(count_records(store, RUN, 1), ==, 1000);
  g_assert_cmpuint(health_of(store).outbox_dropped, ==, 100);
  pl_store_close(store);
}

/* Memory has an end too: archives go first, then the oldest records, never a run or a lap. */
static void
test_memory_is_bounded(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  g_autofree char *payload = g_strnfill(30000, 'x');
  PlOutboxMessage message = {
      .outbox_class = PL_OUTBOX_RECORDS, .topic = "t", .payload = payload, .length = 30000};
  PlStoreFinish finish = {.end = moment_at(1e6), .summary = "{}"};

  begin_run(store, RUN, "r1", 0);
  limit_pages(store, 1);
  pl_store_lap(store, RUN, 0, payload); /* does not fit */
  for (unsigned i = 0; i < 600; i++) {  /* 18 MB */
    message.seq = pl_store_next_seq(store);
    pl_store_outbox_add(store, &message);
  }
  uint64_t archives = health_of(store).dropped;
  g_assert_cmpuint(archives, >, 30);
  add_records(store, RUN, 1, 150000);
  pl_store_run_finish(store, RUN, &finish);
  PlStoreHealth health = health_of(store);
  g_assert_cmpuint(health.queued_bytes, <=, PL_STORE_SPOOL_BYTES);
  g_assert_cmpuint(health.dropped, >, 600);
  unsigned lost = (unsigned)health.dropped - 600;

  limit_pages(store, 1000000);
  flush(store);
  g_assert_cmpuint(health_of(store).rejected, ==, 0);
  g_assert_cmpuint(count_records(store, RUN, 1 + lost), ==, 149999 - lost); /* the newest */
  g_autoptr(GPtrArray) laps = pl_store_laps(store, RUN, NULL);
  g_assert_cmpuint(laps->len, ==, 1);
  g_autoptr(PlStoredRun) run = pl_store_run(store, RUN, NULL);
  g_assert_cmpint(run->state, ==, PL_STORED_FINISHED);
  pl_store_close(store);
}

/* ---- failing ---- */

/* Every write fails: the database is given up, a new one can not be made either; when the disk
 * comes back, the run goes on in a new one, and nothing that was posted meanwhile is lost. */
static void
test_failing(StoreFixture *f, gconstpointer data) {
  disk_vfs_install();
  PlStore *store = store_open(f->directory, PL_STORE_SYNCHRONOUS);
  begin_run(store, RUN, "r1", 0);
  add_records(store, RUN, 1, 101);
  pl_store_set(store, "latch", "strides");
  disk_vfs_fail(1, SQLITE_IOERR_WRITE);
  add_records(store, RUN, 101, 201);
  PlStoreHealth health = health_of(store);
  g_assert_cmpint(health.problem, ==, PL_STORE_FAILING);
  g_assert_cmpuint(health.replaced, ==, 1);
  g_autofree char *aside = g_build_filename(f->directory, health.replaced_name, NULL);
  assert_sound(aside); /* all of it together */
  g_assert_cmpint(query_number(aside, "SELECT sum(count) FROM records"), ==, 100);

  for (unsigned i = 0; i < 20; i++) /* no folder for every attempt */
    g_assert_false(pl_store_flush(store, second, NULL));
  g_assert_cmpuint(health_of(store).replaced, ==, 1);
  disk_vfs_fail(0, 0);
  flush(store);
  g_assert_cmpint(health_of(store).problem, ==, PL_STORE_OK);
  g_assert_cmpuint(count_records(store, RUN, 101), ==, 100);
  g_autoptr(PlStoredRun) run = pl_store_run(store, RUN, NULL);
  g_assert_cmpint(run->state, ==, PL_STORED_ACTIVE);
  pl_store_close(store);
  g_assert_cmpint(query_number(f->directory, "SELECT count(*) FROM settings"), ==, 1);
  disk_vfs_remove();
}

/* One change in a hundred fails. */
static void
test_failing_now_and_then(StoreFixture *f, gconstpointer data) {
  disk_vfs_install();
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  begin_run(store, RUN, "r1", 0);
  disk_vfs_fail(0.01, SQLITE_IOERR_FSYNC);
  for (unsigned n = 1; n < 2000; n += 10) {
    add_records(store, RUN, n, n + 10);
    pl_store_flush(store, second, NULL);
  }
  disk_vfs_fail(0, 0);
  flush(store);
  PlStoreHealth health = health_of(store);
  g_assert_cmpint(health.problem, ==, PL_STORE_OK);
  g_assert_cmpuint(health.replaced, <=, 1);
  g_assert_cmpuint(health.dropped, ==, 0);
  /* Every record is in one of the two, once; those of a sync that failed just before the old
   * one was given up may be in both. */
  unsigned here = (unsigned)query_number(f->directory, "SELECT sum(count) FROM records");
  g_assert_cmpuint(count_records(store, RUN, 2001 - here), ==, here);
  int64_t aside = 0;
  if (health.replaced > 0) {
    g_autofree char *old = g_build_filename(f->directory, health.replaced_name, NULL);
    aside = query_number(old, "SELECT sum(count) FROM records");
  }
  g_assert_cmpint(aside + here, >=, 2000);
  g_assert_cmpint(aside + here, <=, 2010);
  pl_store_close(store);
  assert_sound(f->directory);
  disk_vfs_remove();
}

/* The disk fails from the n-th change on, for every (third) n until a whole life goes well. */
static void
test_failing_from_any_change(StoreFixture *f, gconstpointer data) {
  disk_vfs_install();
  bool done = false;
  for (unsigned n = 0; !done; n += repetitions(3, 1)) {
    g_autofree char *directory = g_strdup_printf("%s/%u", f->directory, n);
    PlStoreOptions options = {
        .mode = PL_STORE_THREADED, .directory = directory, .boot_id = TEST_BOOT};
    disk_vfs_fail_after(n, n % 2 ? SQLITE_IOERR_WRITE : SQLITE_FULL);
    PlStore *store = pl_store_open(&options, NULL);
    g_assert_nonnull(store);
    begin_run(store, RUN, "r1", 0);
    add_records(store, RUN, 1, 11);
    done = pl_store_flush(store, 10 * second, NULL);
    disk_vfs_fail(0, 0);
    flush(store);
    g_assert_cmpuint(count_records(store, RUN, 1), ==, 10);
    g_assert_true(pl_store_close(store));
    assert_sound(directory);
    remove_directory(directory);
    g_assert_cmpuint(n, <, 1000);
  }
  disk_vfs_remove();
}

/* ---- somebody else ---- */

static sqlite3 *
intrude(const char *directory, const char *sql) {
  g_autofree char *path = g_build_filename(directory, "plumbline.db", NULL);
  sqlite3 *db = NULL;
  g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  return db;
}

/* The main thread does not wait; the writer does, and shows signs of life. */
static void
test_busy(StoreFixture *f, gconstpointer data) {
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  begin_run(store, RUN, "r1", 0);
  flush(store);
  sqlite3 *other = intrude(f->directory, "BEGIN IMMEDIATE");
  int64_t begun = g_get_monotonic_time();
  add_records(store, RUN, 1, 101);
  g_assert_cmpint(g_get_monotonic_time() - begun, <, second / 10);
  wait_for_problem(store, PL_STORE_BUSY, 10 * second);
  g_assert_cmpint(pl_store_boot_us() - health_of(store).heartbeat_us, <, 20 * second);
  sqlite3_close(other);
  wait_until_written(store, 5 * second);
  g_assert_cmpuint(count_records(store, RUN, 1), ==, 100);
  pl_store_close(store);
}

static int64_t
log_size(const char *directory) {
  g_autofree char *path = g_build_filename(directory, "plumbline.db-wal", NULL);
  GStatBuf file;
  return g_stat(path, &file) == 0 ? (int64_t)file.st_size : 0;
}

/* A reader that does not let go: the log grows, but what has to be durable still is, at once;
 * when he is gone, the log is cut to its limit. */
static void
test_long_reader(StoreFixture *f, gconstpointer data) {
  g_autofree char *lap = g_strnfill(500 * 1000, 'x');
  PlStore *store = store_open(f->directory, PL_STORE_THREADED);
  begin_run(store, RUN, "r1", 0);
  flush(store);
  sqlite3 *other = intrude(f->directory, "BEGIN; SELECT count(*) FROM runs");
  for (unsigned n = 0; n < 30; n++) {
    int64_t begun = g_get_monotonic_time();
    add_records(store, RUN, 1 + 50 * n, 51 + 50 * n);
    pl_store_lap(store, RUN, n, lap);
    flush(store);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 2 * second);
  }
  g_assert_cmpint(query_number(f->directory, "SELECT sum(count) FROM records"), ==, 1500);
  g_assert_cmpint(log_size(f->directory), >, 15 * 1000 * 1000);
  sqlite3_close(other);
  for (unsigned n = 0; n < 3; n++) {
    pl_store_lap(store, RUN, 30 + n, "{}");
    flush(store);
  }
  g_assert_cmpint(log_size(f->directory), <=, 8 * 1024 * 1024);
  pl_store_close(store);
  assert_sound(f->directory);
}

/* ---- real ones ---- */

/* In a name space of our own; false where that is not allowed. */
static bool
mount_small(const char *at) {
  static const char map[] = "0 0 1\n";
  if (unshare(CLONE_NEWNS) != 0) {
    g_autofree char *line = g_strdup_printf("0 %u 1\n", (unsigned)getuid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
        !g_file_set_contents_full("/proc/self/uid_map", getuid() == 0 ? map : line, -1,
                                  G_FILE_SET_CONTENTS_NONE, 0600, NULL))
      return false;
  }
  return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("none", at, "tmpfs", 0, "size=8m") == 0;
}

static void
fill_disk(const char *directory) {
  g_autofree char *path = g_build_filename(directory, "ballast", NULL);
  g_autofree char *block = g_strnfill(4096, 'x');
  FILE *file = g_fopen(path, "w");
  setvbuf(file, NULL, _IONBF, 0);
  while (fwrite(block, 1, 4096, file) == 4096)
    continue;
  fclose(file);
}

static void
real_full(const char *directory) {
  g_autofree char *ballast = g_build_filename(directory, "ballast", NULL);
  PlStore *store = store_open(directory, PL_STORE_THREADED);
  begin_run(store, RUN, "r1", 0);
  add_records(store, RUN, 1, 101);
  flush(store);
  fill_disk(directory);
  for (unsigned n = 101; n < 20101; n += 1000) {
    add_records(store, RUN, n, n + 1000);
    pl_store_flush(store, 5 * second, NULL);
  }
  g_assert_cmpint(health_of(store).problem, ==, PL_STORE_DISK_FULL);
  g_assert_cmpuint(health_of(store).replaced, ==, 0);
  g_unlink(ballast);
  wait_until_written(store, 30 * second); /* by itself */
  g_assert_cmpuint(count_records(store, RUN, 1), ==, 20100);
  g_assert_cmpint(health_of(store).disk, ==, PL_DISK_ESSENTIAL); /* 8 MB are little */
  g_assert_true(pl_store_close(store));
  assert_sound(directory);
}

static void
real_read_only(const char *directory) {
  PlStore *store = store_open(directory, PL_STORE_THREADED);
  uint64_t seq = pl_store_next_seq(store);
  if (mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0) {
    /* Files are open for writing: as with a failing card, the kernel alone could do it. */
    pl_store_close(store);
    g_assert_cmpint(mount(NULL, directory, NULL, MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
    store = store_open(directory, PL_STORE_THREADED);
  }
  g_assert_cmpint(health_of(store).problem, ==, PL_STORE_FS_READ_ONLY);
  g_assert_cmpuint(health_of(store).replaced, ==, 0);
  g_assert_cmpuint(pl_store_next_seq(store), >, seq);
  add_records(store, RUN, 20101, 20201);
  g_assert_false(pl_store_flush(store, 5 * second, NULL));
  g_assert_cmpint(mount(NULL, directory, NULL, MS_REMOUNT, NULL), ==, 0);
  flush(store);
  g_assert_cmpint(health_of(store).problem, ==, PL_STORE_OK);
  g_assert_cmpuint(count_records(store, RUN, 1), ==, 20200);
  g_assert_true(pl_store_close(store));
  assert_sound(directory);
}

static void
test_real_disk(StoreFixture *f, gconstpointer data) {
  if (!mount_small(f->directory)) {
    g_test_skip("may not mount a small disk");
    return;
  }
  real_full(f->directory);
  real_read_only(f->directory);
  umount(f->directory);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/real-disk", test_real_disk); /* before there are threads */
  store_test("/edge/store/full", test_full);
  store_test("/edge/store/full-gives-up-archives", test_full_gives_up_archives);
  store_test("/edge/store/memory-is-bounded", test_memory_is_bounded);
  store_test("/edge/store/failing", test_failing);
  store_test("/edge/store/failing-now-and-then", test_failing_now_and_then);
  store_test("/edge/store/failing-from-any-change", test_failing_from_any_change);
  store_test("/edge/store/busy", test_busy);
  store_test("/edge/store/long-reader", test_long_reader);
  return g_test_run();
}
