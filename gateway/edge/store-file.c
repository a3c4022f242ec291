/* SPDX-License-Identifier: Apache-2.0 */

/* The database as files: opening, checking, making, moving aside.
 *
 * A new database is made under another name and renamed when it is whole, so an empty file in
 * its place is damage and not a beginning.  Nothing is written to a database before it was
 * looked at, and a connection leaves the write-ahead log alone when it closes: what is moved
 * aside is what was found. */

#include "gateway/edge/store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER_PREFIX "corrupt-"

enum {
  APPLICATION_ID = 0x504c4d42, /* "PLMB" */
  PAGE_BYTES = 4096,
};

static const int64_t check_limit_us = 10 * G_USEC_PER_SEC;
static const char *const parts[] = {"-wal", "-shm", ""}; /* the log must not outlive its file */

static int64_t
file_size(const char *path, const char *suffix) {
  g_autofree char *name = g_strconcat(path, suffix, NULL);
  GStatBuf file;
  return g_stat(name, &file) == 0 ? (int64_t)file.st_size : -1;
}

static void
sync_directory(const char *directory) {
  int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  fsync(fd);
  close(fd);
}

/* ---- making ---- */

static int
fill(PlDb *db) {
  g_autofree char *uuid = g_uuid_string_random();
  const PlArg args[] = {pl_arg_text(uuid)};
  int rc = pl_schema_migrate(db, &pl_schema);
  if (rc == SQLITE_OK)
    rc = pl_db_run(db, "INSERT INTO meta (key, value) VALUES ('uuid', ?1), ('clean', '1')",
                   args, 1);
  return rc;
}

static int
make_at(const char *path) {
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    return SQLITE_CANTOPEN;
  close(fd);
  int rc;
  PlDb *db = pl_db_open(path, false, &rc);
  if (db == NULL)
    return rc;
  rc = pl_db_exec(db, "PRAGMA auto_vacuum = INCREMENTAL");
  char id[64];
  g_snprintf(id, sizeof id, "PRAGMA application_id = %d", APPLICATION_ID);
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, id);
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (rc == SQLITE_OK)
    rc = fill(db);
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
  pl_db_close(db, true);
  return rc;
}

static void
unlink_all(const char *path) {
  for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autofree char *name = g_strconcat(path, parts[i], NULL);
    g_unlink(name);
  }
}

static int
make(PlStore *store) {
  g_autofree char *path = g_strconcat(store->path, ".new", NULL);
  unlink_all(path);
  /* A log without its database would be taken for the new one's. */
  if (file_size(store->path, "-wal") >= 0)
    pl_store_file_replace(store);
  int rc = make_at(path);
  if (rc == SQLITE_OK && g_rename(path, store->path) != 0)
    rc = SQLITE_CANTOPEN;
  store->writer.bare |= rc == SQLITE_OK;
  if (rc != SQLITE_OK)
    unlink_all(path);
  sync_directory(store->directory);
  return rc;
}

/* ---- looking ---- */

/* Whether the content can be ours at all.  Reads only. */
static int
inspect(PlStore *store, PlDb *db, bool check) {
  int64_t id = 0, clean = 0;
  unsigned version;
  int rc = pl_db_integer(db, "PRAGMA application_id", NULL, 0, &id);
  if (rc == SQLITE_OK)
    rc = pl_schema_version(db, &pl_schema, &version);
  if (rc == SQLITE_OK && (id != APPLICATION_ID || version == 0))
    rc = SQLITE_CORRUPT;
  if (rc != SQLITE_OK)
    return rc;
  g_autofree char *mode = pl_db_text(db, "PRAGMA journal_mode", NULL, 0);
  if (g_strcmp0(mode, "wal") != 0)
    return SQLITE_CORRUPT;
  rc = pl_db_integer(db, "SELECT value = '1' FROM meta WHERE key = 'clean'", NULL, 0, &clean);
  if (rc == SQLITE_OK && (check || !clean) && !pl_db_check(db, check_limit_us))
    rc = SQLITE_CORRUPT;
  return rc;
}

/* ---- what is kept in memory ---- */

static int
load(PlStore *store, PlDb *db) {
  const PlArg args[] = {pl_arg_text(store->boot_id)};
  g_autofree char *uuid = pl_db_text(db, "SELECT value FROM meta WHERE key = 'uuid'", NULL, 0);
  if (uuid == NULL)
    return SQLITE_CORRUPT;
  int rc = pl_db_exec(db, "UPDATE meta SET value = '0' WHERE key = 'clean'");
  if (rc == SQLITE_OK)
    rc = pl_db_run(db, "INSERT INTO boots (id) VALUES (?1) ON CONFLICT DO NOTHING", args, 1);
  if (rc == SQLITE_OK)
    rc = pl_store_load_settings(store, db);
  if (rc == SQLITE_OK)
    rc = pl_store_load_runs(store, db);
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, "PRAGMA wal_checkpoint(PASSIVE)");
  if (rc != SQLITE_OK)
    return rc;
  g_mutex_lock(&store->shared.mutex);
  g_free(store->shared.uuid);
  store->shared.uuid = g_steal_pointer(&uuid);
  store->shared.generation++;
  g_mutex_unlock(&store->shared.mutex);
  return SQLITE_OK;
}

/* ---- the module's functions ---- */

static int
open_memory(PlStore *store) {
  int rc;
  PlDb *db = store->writer.db = pl_db_open(NULL, false, &rc);
  if (db != NULL)
    rc = pl_db_configure(db);
  if (rc == SQLITE_OK)
    rc = fill(db);
  return rc == SQLITE_OK ? load(store, db) : rc;
}

int
pl_store_file_open(PlStore *store, bool check) {
  if (store->path == NULL)
    return open_memory(store);
  int rc = file_size(store->path, "") < 0 ? make(store) : SQLITE_OK;
  /* SQLite deletes the log of a database without pages; it may still hold everything. */
  if (rc == SQLITE_OK && (file_size(store->path, "") < PAGE_BYTES ||
                          !g_file_test(store->path, G_FILE_TEST_IS_REGULAR)))
    return SQLITE_NOTADB;
  bool has_log = file_size(store->path, "-wal") > 0;
  PlDb *db = rc == SQLITE_OK ? pl_db_open(store->path, false, &rc) : NULL;

  if (db != NULL)
    rc = inspect(store, db, check || has_log);
  if ((rc & 0xff) == SQLITE_ERROR) /* there is no table of ours in it, or it is of no format */
    rc = SQLITE_CORRUPT;
  if (rc == SQLITE_OK)
    rc = pl_db_configure(db);
  if (rc == SQLITE_OK)
    rc = pl_schema_migrate(db, &pl_schema);
  if (rc == SQLITE_OK)
    rc = load(store, db);
  if (rc == SQLITE_OK && store->writer.bare)
    rc = pl_store_restore(store, db);
  if (rc != SQLITE_OK) {
    pl_db_close(db, false);
    return rc;
  }
  store->writer.db = db;
  store->writer.bare = false;
  return SQLITE_OK;
}

void
pl_store_file_close(PlStore *store, bool clean) {
  PlDb *db = g_steal_pointer(&store->writer.db);
  if (db == NULL)
    return;
  if (clean)
    clean = pl_db_exec(db, "UPDATE meta SET value = '1' WHERE key = 'clean'") == SQLITE_OK;
  pl_db_close(db, clean);
}

/* ---- moving aside ---- */

/* A folder of that moment: "corrupt-20261123T060211Z", with "-2" and so on when there is one.
 */
static char *
make_folder(PlStore *store, char name[32]) {
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
  for (unsigned n = 1; n < 100; n++) {
    if (n == 1)
      g_snprintf(name, 32, FOLDER_PREFIX "%s", stamp);
    else
      g_snprintf(name, 32, FOLDER_PREFIX "%s-%u", stamp, n);
    g_autofree char *path = g_build_filename(store->directory, name, NULL);
    if (g_mkdir(path, 0700) == 0)
      return g_steal_pointer(&path);
    if (errno != EEXIST)
      break;
  }
  return NULL;
}

bool
pl_store_file_replace(PlStore *store) {
  char name[32];
  bool moved = true;

  pl_store_file_close(store, false);
  g_autofree char *folder = make_folder(store, name);
  if (folder == NULL)
    return false;
  g_autofree char *base = g_path_get_basename(store->path);
  for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
    g_autofree char *from = g_strconcat(store->path, parts[i], NULL);
    g_autofree char *to = g_strconcat(folder, G_DIR_SEPARATOR_S, base, parts[i], NULL);
    if (g_rename(from, to) != 0 && errno != ENOENT)
      moved = false;
  }
  sync_directory(store->directory);
  g_mutex_lock(&store->shared.mutex);
  store->shared.health.replaced++;
  g_strlcpy(store->shared.health.replaced_name, name, sizeof name);
  g_mutex_unlock(&store->shared.mutex);
  store->writer.replaced_us = g_get_monotonic_time();
  return moved;
}

static int
newest_first(gconstpointer a, gconstpointer b) {
  return g_strcmp0(*(const char *const *)b, *(const char *const *)a);
}

static void
remove_folder(const char *path) {
  g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
  const char *name;
  while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
    g_autofree char *file = g_build_filename(path, name, NULL);
    g_unlink(file);
  }
  g_rmdir(path);
}

void
pl_store_file_prune(PlStore *store) {
  g_autoptr(GPtrArray) folders = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) directory = g_dir_open(store->directory, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL)
    if (g_str_has_prefix(name, FOLDER_PREFIX))
      g_ptr_array_add(folders, g_build_filename(store->directory, name, NULL));
  g_ptr_array_sort(folders, newest_first);
  for (guint i = 2; i < folders->len; i++)
    remove_folder(folders->pdata[i]);
}
