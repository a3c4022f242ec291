/* SPDX-License-Identifier: Apache-2.0 */

/* What is done when the database can not be opened or written.
 *
 *   full         give up archive messages, try once more; then wait in memory
 *   busy         wait
 *   read-only    close; wait for the medium
 *   I/O error    open again, try once more; then as damaged, but not twice in ten minutes
 *   damaged      move aside, begin a new database, try once more
 *   else         wait: a lack of rights or of memory is no damage */

#include "gateway/edge/store-private.h"

#include <sys/statvfs.h>
#include <unistd.h>

static const int64_t replace_again_us = 600 * G_USEC_PER_SEC;

static bool
medium_is_read_only(const PlStore *store) {
  struct statvfs disk;
  if (store->directory == NULL)
    return false;
  if (statvfs(store->directory, &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0)
    return true;
  return access(store->directory, W_OK) != 0 ||
         (access(store->path, F_OK) == 0 && access(store->path, W_OK) != 0);
}

static bool
is_damage(const PlStore *store, int rc) {
  switch (rc & 0xff) {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_FORMAT:
    return true;
  case SQLITE_READONLY: /* and the medium is not: what the file says of itself is wrong */
    return rc != SQLITE_READONLY_DBMOVED && !medium_is_read_only(store);
  default:
    return false;
  }
}

static PlStoreProblem
problem_of(const PlStore *store, int rc) {
  if (rc == SQLITE_OK)
    return PL_STORE_OK;
  switch (rc & 0xff) {
  case SQLITE_FULL:
    return PL_STORE_DISK_FULL;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_INTERRUPT:
    return PL_STORE_BUSY;
  default:
    return medium_is_read_only(store) ? PL_STORE_FS_READ_ONLY : PL_STORE_FAILING;
  }
}

static bool
purge(PlStore *store) {
  PlDb *db = store->writer.db;
  if (db == NULL)
    return false;
  int rc = pl_db_run(db,
                     "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE class = 0"
                     " ORDER BY seq LIMIT 10000)",
                     NULL, 0);
  int gone = rc == SQLITE_OK ? pl_db_changes(db) : 0;
  g_mutex_lock(&store->shared.mutex);
  store->shared.health.outbox_dropped += (unsigned)gone;
  g_mutex_unlock(&store->shared.mutex);
  return gone > 0;
}

static bool
replace(PlStore *store, PlTried *tried, bool damaged) {
  int64_t last = store->writer.replaced_us;
  bool lately = last != INT64_MIN && g_get_monotonic_time() - last < replace_again_us;
  if (tried->replaced || (lately && !damaged))
    return false;
  tried->replaced = true;
  return pl_store_file_replace(store);
}

static bool
mend_failing(PlStore *store, int rc, PlTried *tried) {
  bool damaged = is_damage(store, rc);
  bool io = (rc & 0xff) == SQLITE_IOERR && rc != SQLITE_IOERR_NOMEM;
  if (!damaged && !tried->reopened) {
    tried->reopened = true;
    pl_store_file_close(store, false);
    return true;
  }
  return (damaged || io) && replace(store, tried, damaged);
}

bool
pl_store_mend(PlStore *store, int rc, PlTried *tried) {
  PlStoreProblem problem = problem_of(store, rc);

  g_mutex_lock(&store->shared.mutex);
  store->shared.health.problem = problem;
  if (rc != SQLITE_OK)
    store->shared.health.error_code = rc;
  g_mutex_unlock(&store->shared.mutex);
  if (rc == PL_DB_NEWER || store->path == NULL)
    return false;
  switch (problem) {
  case PL_STORE_DISK_FULL:
    if (tried->purged)
      return false;
    tried->purged = true;
    return purge(store);
  case PL_STORE_FS_READ_ONLY:
    pl_store_file_close(store, false);
    return false;
  case PL_STORE_FAILING:
    return mend_failing(store, rc, tried);
  case PL_STORE_OK:
  case PL_STORE_BUSY:
  case PL_STORE_PROBLEM_COUNT:
  default:
    return false;
  }
}
