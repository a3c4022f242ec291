/* SPDX-License-Identifier: Apache-2.0 */

/* Databases of other versions. */

#include "gateway/edge/store-private.h"
#include "tests/fakes/disk-vfs.h"
#include "tests/integration/store-fixture.h"

#include <string.h>

static void
test_newer_schema(StoreFixture *f, gconstpointer data) {
  static const PlStoreMode modes[] = {PL_STORE_THREADED, PL_STORE_SYNCHRONOUS,
                                      PL_STORE_READ_ONLY};
  g_autofree char *path = g_build_filename(f->directory, "plumbline.db", NULL);
  sqlite3 *db = NULL;
  pl_store_close(store_open(f->directory, PL_STORE_SYNCHRONOUS));
  sqlite3_open(path, &db);
  sqlite3_exec(db,
               "PRAGMA user_version = 99; UPDATE meta SET value = '99' WHERE key = 'schema'",
               NULL, NULL, NULL);
  sqlite3_close(db);
  g_autofree char *before = NULL, *after = NULL;
  gsize before_size, after_size;
  g_assert_true(g_file_get_contents(path, &before, &before_size, NULL));
  for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
    g_autoptr(GError) error = NULL;
    PlStoreOptions options = {
        .mode = modes[i], .directory = f->directory, .boot_id = TEST_BOOT};
    g_assert_null(pl_store_open(&options, &error));
    g_assert_error(error, PL_STORE_ERROR, PL_STORE_ERROR_NEWER);
    g_assert_nonnull(strstr(error->message, path));
  }
  g_assert_true(g_file_get_contents(path, &after, &after_size, NULL));
  g_assert_cmpmem(before, before_size, after, after_size);
}

#define STEP_1                                                                                 \
  "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"       \
  "CREATE TABLE shoes (id INTEGER PRIMARY KEY, name TEXT) STRICT;"                             \
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"             \
  " INSERT INTO shoes SELECT i, 'shoe ' || i FROM n"
#define STEP_2                                                                                 \
  "CREATE TABLE pairs (id INTEGER PRIMARY KEY, name TEXT, km REAL) STRICT;"                    \
  "INSERT INTO pairs SELECT id, name, 0 FROM shoes;"                                           \
  "DROP TABLE shoes"

static const char *const steps[] = {STEP_1, STEP_2,
                                    "ALTER TABLE pairs ADD COLUMN athlete TEXT"};
static const char *const broken_steps[] = {STEP_1, STEP_2, "DELETE FROM pairs; SELECT oops"};

static PlDb *
migrate(const char *path, const char *const *to, unsigned count, int *rc) {
  PlSchema schema = {.steps = to, .count = count};
  g_autofree char *created = g_file_test(path, G_FILE_TEST_EXISTS) ? NULL : g_strdup(path);
  if (created != NULL)
    g_file_set_contents(created, "", 0, NULL);
  PlDb *db = pl_db_open(path, false, rc);
  g_assert_nonnull(db);
  pl_db_exec(db, "PRAGMA journal_mode = WAL");
  *rc = pl_schema_migrate(db, &schema);
  return db;
}

static int64_t
number(PlDb *db, const char *sql) {
  int64_t value = -1;
  g_assert_cmpint(pl_db_integer(db, sql, NULL, 0, &value), ==, SQLITE_OK);
  return value;
}

static void
test_migration(StoreFixture *f, gconstpointer data) {
  g_autofree char *path = g_build_filename(f->directory, "m.db", NULL);
  g_autofree char *copy = g_strconcat(path, "-version-1", NULL);
  int rc;

  pl_db_close(migrate(path, steps, 1, &rc), true);
  g_assert_cmpint(rc, ==, SQLITE_OK);
  g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS));
  PlDb *db = migrate(path, steps, 3, &rc);
  g_assert_cmpint(rc, ==, SQLITE_OK);
  g_assert_cmpint(number(db, "PRAGMA user_version"), ==, 3);
  g_assert_cmpint(number(db, "SELECT count(*) FROM pairs WHERE athlete IS NULL"), ==, 1000);
  pl_db_close(db, true);
  /* What was there before is kept. */
  db = migrate(copy, steps, 1, &rc);
  g_assert_cmpint(rc, ==, SQLITE_OK);
  g_assert_cmpint(number(db, "SELECT count(*) FROM shoes"), ==, 1000);
  pl_db_close(db, true);
  /* And no way back. */
  pl_db_close(migrate(path, steps, 2, &rc), true);
  g_assert_cmpint(rc, ==, PL_DB_NEWER);
}

static void
test_migration_fails(StoreFixture *f, gconstpointer data) {
  g_autofree char *path = g_build_filename(f->directory, "m.db", NULL);
  int rc;
  PlDb *db = migrate(path, broken_steps, 3, &rc);
  g_assert_cmpint(rc, ==, SQLITE_ERROR);
  g_assert_cmpint(number(db, "PRAGMA user_version"), ==, 2);
  g_assert_cmpint(number(db, "SELECT count(*) FROM pairs"), ==, 1000);
  pl_db_close(db, true);
}

/* The disk fails at the first change, at the second, and so on: one version or the next. */
static void
test_migration_is_atomic(StoreFixture *f, gconstpointer data) {
  bool done = false;
  disk_vfs_install();
  for (unsigned n = 0; !done; n++) {
    g_autofree char *name = g_strdup_printf("m%u.db", n);
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    int rc;
    pl_db_close(migrate(path, steps, 1, &rc), true);
    disk_vfs_fail_after(n, SQLITE_IOERR_WRITE);
    pl_db_close(migrate(path, steps, 3, &rc), false);
    done = rc == SQLITE_OK;
    disk_vfs_fail(0, 0);

    PlDb *db = pl_db_open(path, false, &rc);
    int64_t version = number(db, "PRAGMA user_version");
    g_assert_cmpint(number(db, "SELECT CAST(value AS INTEGER) FROM meta"), ==, version);
    g_assert_cmpint(version, >=, 1);
    g_assert_cmpint(
        number(db, version == 1 ? "SELECT count(*) FROM shoes" : "SELECT count(*) FROM pairs"),
        ==, 1000);
    pl_db_close(db, true);
    g_assert_cmpuint(n, <, 1000);
  }
  disk_vfs_remove();
}

int
main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  store_test("/edge/store/newer-schema", test_newer_schema);
  store_test("/edge/store/migration", test_migration);
  store_test("/edge/store/migration-fails", test_migration_fails);
  store_test("/edge/store/migration-is-atomic", test_migration_is_atomic);
  return g_test_run();
}
