/* SPDX-License-Identifier: Apache-2.0 */

/* Files that are not what they should be: damaged, exchanged, of another version. */

#include "gateway/edge/store-private.h"
#include "tests/integration/store-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define RUN "20251124T160000Z-r1"

/* ---- a directory as a killed daemon leaves it ---- */

static void
make_victim(const char *directory, bool clean) {
  g_autofree char *live = g_strconcat(directory, "-live", NULL);
  PlStoreTime start = moment_at(0);
  PlStore *store = store_open(live, PL_STORE_SYNCHRONOUS);
  pl_store_run_begin(store, RUN, "r1", &start);
  add_records(store, RUN, 1, 2001);
  PlStoreFinish finish = {.end = moment_at(2000), .distance_m = 6000, .summary = "{}"};
  pl_store_run_finish(store, RUN, &finish);
  pl_store_run_begin(store, "open", "r1", &start);
  add_records(store, "open", 1, 301);
  for (unsigned i = 0; i < 100; i++)
    pl_store_next_seq(store);
  pl_store_set(store, "latch", "strides");
  if (!clean)
    copy_directory(live, directory);
  pl_store_close(store);
  if (clean)
    copy_directory(live, directory);
  remove_directory(live);
}

/* ---- ways to damage it ---- */

static char *
database(const char *directory) {
  return g_build_filename(directory, "plumbline.db", NULL);
}

typedef struct {
  char *data;
  gsize size;
} Content;

static Content
read_database(const char *directory) {
  g_autofree char *path = database(directory);
  Content content;
  g_assert_true(g_file_get_contents(path, &content.data, &content.size, NULL));
  return content;
}

static void
write_database(const char *directory, const char *data, gsize size) {
  g_autofree char *path = database(directory);
  g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
}

static void
garble(const char *directory, gsize from, gsize size) {
  Content content = read_database(directory);
  for (gsize i = from; i < from + size && i < content.size; i++)
    content.data[i] = (char)g_test_rand_int();
  write_database(directory, content.data, content.size);
  g_free(content.data);
}

static void
set_byte(const char *directory, gsize at, int value) {
  Content content = read_database(directory);
  content.data[at] = (char)value;
  write_database(directory, content.data, content.size);
  g_free(content.data);
}

static void
truncate_to(const char *directory, gsize size) {
  Content content = read_database(directory);
  write_database(directory, content.data, MIN(size, content.size));
  g_free(content.data);
}

static void
garble_log(const char *directory) {
  g_autofree char *path = g_build_filename(directory, "plumbline.db-wal", NULL);
  char noise[8192];
  for (gsize i = 0; i < sizeof noise; i++)
    noise[i] = (char)g_test_rand_int();
  g_assert_true(g_file_set_contents(path, noise, sizeof noise, NULL));
}

static void
remove_part(const char *directory, const char *suffix) {
  g_autofree char *path = database(directory);
  g_autofree char *part = g_strconcat(path, suffix, NULL);
  g_unlink(part);
}

/* A log that is sound, but belongs to another database. */
static void
foreign_log(const char *directory) {
  g_autofree char *other = g_strconcat(directory, "-other", NULL);
  g_autofree char *from = g_build_filename(other, "plumbline.db-wal", NULL);
  g_autofree char *to = g_build_filename(directory, "plumbline.db-wal", NULL);
  PlStoreTime start = moment_at(7);
  PlStore *store = store_open(other, PL_STORE_SYNCHRONOUS);
  pl_store_run_begin(store, "foreign", "r9", &start);
  add_records(store, "foreign", 1, 1001);
  g_autofree char *data = NULL;
  gsize size;
  g_assert_true(g_file_get_contents(from, &data, &size, NULL));
  g_assert_true(g_file_set_contents(to, data, (gssize)size, NULL));
  pl_store_close(store);
  remove_directory(other);
}

static void
foreign_database(const char *directory) {
  g_autofree char *path = database(directory);
  sqlite3 *db = NULL;
  remove_part(directory, "");
  remove_part(directory, "-wal");
  sqlite3_open(path, &db);
  sqlite3_exec(db, "CREATE TABLE cookies (a); INSERT INTO cookies VALUES (1)", NULL, NULL,
               NULL);
  sqlite3_close(db);
}

static void
folder_instead(const char *directory) {
  g_autofree char *path = database(directory);
  g_unlink(path);
  g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
}

static gsize
size_of(const char *directory) {
  Content content = read_database(directory);
  g_free(content.data);
  return content.size;
}

static void
garble_all(const char *directory) {
  garble(directory, 0, size_of(directory));
}

static void
garble_first_page(const char *directory) {
  garble(directory, 100, 3996);
}

static void
garble_250_kb(const char *directory) {
  garble(directory, 0, 250000);
}

static void
garble_middle(const char *directory) {
  garble(directory, size_of(directory) / 2, 4096);
}

static void
garble_last_page(const char *directory) {
  garble(directory, size_of(directory) - 4096, 4096);
}

static void
scatter(const char *directory) {
  gint32 size = (gint32)size_of(directory);
  for (unsigned i = 0; i < 20; i++)
    garble(directory, (gsize)g_test_rand_int_range(0, size), 16);
}

static void
empty(const char *directory) {
  truncate_to(directory, 0);
}

static void
one_byte(const char *directory) {
  truncate_to(directory, 1);
}

static void
cut_in_header(const char *directory) {
  truncate_to(directory, 60);
}

static void
cut_in_half(const char *directory) {
  truncate_to(directory, size_of(directory) / 2);
}

static void
cut_last_page(const char *directory) {
  truncate_to(directory, size_of(directory) - 4096);
}

static void
log_gone(const char *directory) {
  remove_part(directory, "-wal");
}

static void
shm_gone(const char *directory) {
  remove_part(directory, "-shm");
}

static void
database_gone(const char *directory) {
  remove_part(directory, "");
}

/* One way to damage a directory: a function, or a byte of the header (sqlite.org/fileformat).
 */
typedef struct {
  const char *name;
  void (*damage)(const char *directory);
  gsize at;
  int value;
  bool may_be_kept; /* SQLite can live with it, or can not see it */
  bool is_whole;    /* nothing is lost when it is kept: the log has it all */
} Way;

static const Way ways[] = {
    {.name = "garbage", .damage = garble_all},
    {.name = "empty", .damage = empty},
    {.name = "one byte", .damage = one_byte},
    {.name = "cut in header", .damage = cut_in_header},
    {.name = "cut in half", .damage = cut_in_half},
    {.name = "cut before last page",
     .damage = cut_last_page,
     .may_be_kept = true,
     .is_whole = true},
    {.name = "garbled first page",
     .damage = garble_first_page,
     .may_be_kept = true,
     .is_whole = true},
    {.name = "garbled first 250 kB", .damage = garble_250_kb},
    {.name = "garbled middle", .damage = garble_middle},
    {.name = "garbled last page",
     .damage = garble_last_page,
     .may_be_kept = true}, /* a free one */
    {.name = "scattered", .damage = scatter, .may_be_kept = true},
    {.name = "magic", .at = 3, .value = 'x'},
    {.name = "page size", .at = 16, .value = 3},
    {.name = "write version", .at = 18, .value = 9},
    {.name = "read version", .at = 19, .value = 9},
    {.name = "legacy journal", .at = 19, .value = 1},
    {.name = "reserved space", .at = 20, .value = 200},
    {.name = "schema format", .at = 47, .value = 99},
    {.name = "text encoding", .at = 59, .value = 7},
    {.name = "user version", .at = 62, .value = 0x40},
    {.name = "application id", .at = 69, .value = 0x11},
    {.name = "log garbled", .damage = garble_log, .may_be_kept = true},
    {.name = "log gone", .damage = log_gone, .may_be_kept = true},
    {.name = "shm gone", .damage = shm_gone, .may_be_kept = true, .is_whole = true},
    {.name = "log of another database", .damage = foreign_log, .may_be_kept = true},
    {.name = "database gone", .damage = database_gone, .may_be_kept = true},
    {.name = "another program's database", .damage = foreign_database},
    {.name = "folder in its place", .damage = folder_instead},
};

static void
damage(const char *directory, const Way *way) {
  if (way->damage != NULL) {
    way->damage(directory);
    return;
  }
  set_byte(directory, way->at, way->value);
  remove_part(directory, "-wal"); /* it holds the header too */
  remove_part(directory, "-shm");
}

/* ---- what has to be true afterwards ---- */

static void
assert_same_file(const char *a, const char *b) {
  g_autofree char *first = NULL, *second = NULL;
  gsize first_size, second_size;
  if (g_file_test(a, G_FILE_TEST_IS_DIR))
    return;
  g_assert_true(g_file_get_contents(a, &first, &first_size, NULL));
  g_assert_true(g_file_get_contents(b, &second, &second_size, NULL));
  g_assert_cmpmem(first, first_size, second, second_size);
}

/* What was moved aside is what was found, byte for byte. */
static void
assert_moved(const char *directory, const char *found, const PlStoreHealth *health) {
  static const char *const names[] = {"plumbline.db", "plumbline.db-wal"};
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *before = g_build_filename(found, names[i], NULL);
    g_autofree char *after = g_build_filename(directory, health->replaced_name, names[i], NULL);
    if (g_file_test(before, G_FILE_TEST_EXISTS))
      assert_same_file(before, after);
  }
}

static void
assert_usable(PlStore *store) {
  PlStoreTime start = moment_at(50000);
  pl_store_run_begin(store, "after", "r1", &start);
  add_records(store, "after", 1, 101);
  flush(store);
  g_assert_cmpuint(count_records(store, "after", 1), ==, 100);
  g_assert_cmpuint(pl_store_next_seq(store), >, 100);
}

static bool
check_way(const char *directory, const Way *way, bool clean) {
  g_autofree char *found = g_strconcat(directory, "-found", NULL);
  PlStoreHealth health;

  make_victim(directory, clean);
  damage(directory, way);
  copy_directory(directory, found);
  int64_t begun = g_get_monotonic_time();
  PlStore *store = store_open(directory, PL_STORE_THREADED);
  g_assert_cmpint(g_get_monotonic_time() - begun, <, 15 * G_USEC_PER_SEC);
  pl_store_health(store, &health);
  g_assert_cmpint(health.problem, ==, PL_STORE_OK);
  if (health.replaced > 0)
    assert_moved(directory, found, &health);
  if (health.replaced == 0 && way->is_whole)
    g_assert_cmpuint(count_records(store, RUN, 1), ==, 2000);
  assert_usable(store);
  g_assert_true(pl_store_close(store));
  if (!clean || health.replaced > 0)
    assert_sound(directory);
  remove_directory(found);
  remove_directory(directory);
  return health.replaced > 0;
}

/* `clean`: the daemon had ended in order, which is taken for a sound database. */
static void
test_damaged(StoreFixture *f, gconstpointer data) {
  g_autofree char *directory = g_build_filename(f->directory, "state", NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
    bool killed = check_way(directory, &ways[i], false);
    bool ended = check_way(directory, &ways[i], true);
    g_test_message("%s: %s after a kill, %s after an orderly end", ways[i].name,
                   killed ? "replaced" : "kept", ended ? "replaced" : "kept");
    g_assert_true(killed || ways[i].may_be_kept);
  }
}

static bool
any_record(const PlStoredRecord *record, void *data) {
  return true;
}

/* A database that was closed in order is not read through at the start; the damage is met when
 * somebody reads, and then it is replaced while a run goes on. */
static void
test_damage_met_later(StoreFixture *f, gconstpointer data) {
  g_autofree char *directory = g_build_filename(f->directory, "state", NULL);
  PlStoreHealth health;
  make_victim(directory, true);
  int64_t page = query_number(
      directory, "SELECT min(pageno) FROM dbstat WHERE name = 'records' AND pagetype = 'leaf'");
  garble(directory, (gsize)(page - 1) * 4096, 4096);

  PlStore *store = store_open(directory, PL_STORE_THREADED);
  g_autoptr(PlStoredRun) open = pl_store_run(store, "open", NULL);
  g_assert_nonnull(open);
  add_records(store, "open", 301, 311);
  flush(store);
  g_autoptr(GError) error = NULL;
  bool read = pl_store_records(store, RUN, any_record, NULL, &error);
  g_assert_false(read);
  g_assert_error(error, PL_STORE_ERROR, PL_STORE_ERROR_FAILED);
  int64_t deadline = g_get_monotonic_time() + 15 * G_USEC_PER_SEC;
  do {
    g_usleep(10000);
    pl_store_health(store, &health);
    g_assert_cmpint(g_get_monotonic_time(), <, deadline);
  } while (health.replaced == 0);
  add_records(store, "open", 311, 321);
  flush(store);
  /* The run goes on in the new database, with what the store knows by heart. */
  g_autoptr(PlStoredRun) again = pl_store_run(store, "open", NULL);
  g_assert_cmpstr(again->athlete, ==, "r1");
  g_assert_cmpint(again->state, ==, PL_STORED_CANDIDATE);
  g_assert_cmpuint(count_records(store, "open", 311), ==, 10);
  g_autofree char *latch = pl_store_get(store, "latch");
  g_assert_cmpstr(latch, ==, "strides");
  g_assert_true(pl_store_close(store));
  assert_sound(directory);
  g_assert_cmpint(query_number(directory, "SELECT count(*) FROM settings"), ==, 1);
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/damaged", test_damaged);
  store_test("/edge/store/damage-met-later", test_damage_met_later);
  return g_test_run();
}
