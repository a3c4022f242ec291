/* SPDX-License-Identifier: Apache-2.0 */

/* What the writer does between commits: looks at the disk, deletes what is old in small steps,
 * gives pages back, looks into damage that a reader met. */

#include "gateway/edge/store-private.h"

#include <glib/gstdio.h>
#include <sys/statvfs.h>

static const int64_t look_every_us = 30 * G_USEC_PER_SEC;
static const int64_t vacuum_every_us = 60 * G_USEC_PER_SEC;
static const int64_t check_limit_us = 10 * G_USEC_PER_SEC;
static const int64_t day_us = INT64_C(86400) * G_USEC_PER_SEC;

/* ---- the disk ---- */

static int64_t
size_of(const char *path, const char *suffix) {
  g_autofree char *name = g_strconcat(path, suffix, NULL);
  GStatBuf file;
  return g_stat(name, &file) == 0 ? (int64_t)file.st_size : -1;
}

static PlDiskLevel
level_of(int64_t free_bytes) {
  static const int64_t mb = 1000 * 1000;
  if (free_bytes < 0)
    return PL_DISK_UNKNOWN;
  if (free_bytes < 50 * mb)
    return PL_DISK_ESSENTIAL;
  if (free_bytes < 100 * mb)
    return PL_DISK_VERY_LOW;
  if (free_bytes < 200 * mb)
    return PL_DISK_LOW;
  return free_bytes < 500 * mb ? PL_DISK_WARN : PL_DISK_OK;
}

static void
look_at_disk(PlStore *store) {
  struct statvfs disk;
  int64_t free_bytes = statvfs(store->directory, &disk) == 0
                           ? (int64_t)(disk.f_bavail * (uint64_t)disk.f_frsize)
                           : -1;
  PlDiskLevel level = level_of(free_bytes);

  if (level >= PL_DISK_LOW)
    pl_store_file_prune(store);
  /* Without anything to write it would not be noticed: the next attempt to open tells. */
  if (free_bytes >= 0 && (disk.f_flag & ST_RDONLY) != 0)
    pl_store_file_close(store, false);
  g_mutex_lock(&store->shared.mutex);
  PlStoreHealth *health = &store->shared.health;
  health->disk = level;
  health->disk_free_bytes = free_bytes;
  health->db_bytes = size_of(store->path, "");
  health->wal_bytes = size_of(store->path, "-wal");
  g_mutex_unlock(&store->shared.mutex);
}

bool
pl_store_is_tight(PlStore *store) {
  g_mutex_lock(&store->shared.mutex);
  bool tight = store->shared.health.disk == PL_DISK_ESSENTIAL;
  store->shared.health.outbox_dropped += tight;
  g_mutex_unlock(&store->shared.mutex);
  return tight;
}

/* ---- retention ---- */

/* One step of deleting the records of the oldest run that has any and is old enough. */
static int
retain_records(PlDb *db, int64_t before_us, bool *more) {
  const PlArg args[] = {pl_arg_integer(before_us)};
  int64_t run = 0;
  int rc = pl_db_integer(db,
                         "SELECT key FROM runs WHERE state = 2 AND records_kept AND end_synced"
                         " AND end_wall_us < ?1 ORDER BY key LIMIT 1",
                         args, 1, &run);
  if (rc != SQLITE_OK || run == 0)
    return rc;
  const PlArg of_run[] = {pl_arg_integer(run)};
  rc = pl_db_run(db,
                 "DELETE FROM records WHERE id IN (SELECT records.id FROM runs JOIN records"
                 " ON records.id BETWEEN first_chunk AND last_chunk AND records.run = key"
                 " WHERE key = ?1 LIMIT 2000)",
                 of_run, 1);
  *more = true;
  if (rc != SQLITE_OK || pl_db_changes(db) > 0)
    return rc;
  return pl_db_run(db, "UPDATE runs SET records_kept = 0 WHERE key = ?1", of_run, 1);
}

static int
retain_events(PlDb *db, int64_t before_us, bool *more) {
  const PlArg args[] = {pl_arg_integer(before_us)};
  int rc = pl_db_run(db,
                     "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE synced"
                     " AND wall_us < ?1 ORDER BY id LIMIT 2000)",
                     args, 1);
  *more |= rc == SQLITE_OK && pl_db_changes(db) > 0;
  return rc;
}

/* Ten-minute rows serve to date records: those near no run are of no use. */
static int
retain_clock(PlDb *db, int64_t now_us) {
  const PlArg args[] = {pl_arg_integer(now_us - 2 * day_us), pl_arg_integer(day_us / 24),
                        pl_arg_integer(PL_CLOCK_PERIODIC)};
  return pl_db_run(db,
                   "DELETE FROM clock WHERE id IN (SELECT id FROM clock WHERE kind = ?3 AND"
                   " synced AND wall_us < ?1 AND NOT EXISTS (SELECT 1 FROM runs WHERE"
                   " start_wall_us - ?2 < wall_us AND (end_wall_us IS NULL OR"
                   " end_wall_us + ?2 > wall_us)) LIMIT 2000)",
                   args, G_N_ELEMENTS(args));
}

static bool
retain_step(PlStore *store, int64_t now_us) {
  PlDb *db = store->writer.db;
  int64_t before_us = now_us - (int64_t)store->keep_samples_days * day_us;
  bool more = false;

  int rc = retain_clock(db, now_us);
  if (rc == SQLITE_OK && store->keep_samples_days > 0)
    rc = retain_records(db, before_us, &more);
  if (rc == SQLITE_OK && store->keep_samples_days > 0)
    rc = retain_events(db, before_us, &more);
  return rc == SQLITE_OK && more;
}

/* Not during a run, unless space is short. */
static bool
may_retain(PlStore *store, int64_t *now_us) {
  g_mutex_lock(&store->shared.mutex);
  *now_us = store->shared.retain_now_us;
  bool low = store->shared.health.disk >= PL_DISK_LOW;
  g_mutex_unlock(&store->shared.mutex);
  return *now_us != 0 && store->writer.db != NULL &&
         (low || g_hash_table_size(store->writer.runs) == 0);
}

/* One step; the caller comes back after it wrote what has arrived meanwhile. */
static bool
retain(PlStore *store) {
  int64_t now_us;
  if (!may_retain(store, &now_us))
    return false;
  if (retain_step(store, now_us))
    return true;
  g_mutex_lock(&store->shared.mutex);
  if (store->shared.retain_now_us == now_us)
    store->shared.retain_now_us = 0;
  g_mutex_unlock(&store->shared.mutex);
  return false;
}

void
pl_store_retain_all(PlStore *store) {
  while (retain(store))
    continue;
}

/* ---- damage that a reader met ---- */

static void
look_into_damage(PlStore *store) {
  g_mutex_lock(&store->shared.mutex);
  bool suspect = store->shared.suspect;
  store->shared.suspect = false;
  g_mutex_unlock(&store->shared.mutex);
  if (!suspect || store->writer.db == NULL || pl_db_check(store->writer.db, check_limit_us))
    return;
  if (pl_store_file_replace(store))
    pl_store_write_all(store, false);
}

bool
pl_store_tidy(PlStore *store) {
  PlStoreWriter *writer = &store->writer;
  int64_t now = g_get_monotonic_time();

  if (now >= writer->look_us) {
    look_at_disk(store);
    writer->look_us = now + look_every_us;
  }
  look_into_damage(store);
  if (now >= writer->vacuum_us && writer->db != NULL && g_hash_table_size(writer->runs) == 0) {
    pl_db_exec(writer->db, "PRAGMA incremental_vacuum(200)");
    writer->vacuum_us = now + vacuum_every_us;
  }
  pl_sequence_reserve(&store->sequence);
  return retain(store);
}
