/* SPDX-License-Identifier: Apache-2.0 */

/* One transaction, and what is done when it fails.
 *
 *   full        give up archive messages, try once more; then wait in memory
 *   busy        wait
 *   read-only   close; wait for the medium
 *   I/O error   open again, try once more; then as damaged, but not twice in ten minutes
 *   damaged     move aside, begin a new database, try once more
 *
 * SQLite ends a transaction by itself when the disk is full, so nothing may be thought to be
 * written before COMMIT said so. */

#include "gateway/edge/store-private.h"

#include <sys/statvfs.h>
#include <unistd.h>

static const int64_t replace_again_us = 600 * G_USEC_PER_SEC;

/* ---- records, joined ---- */

typedef struct {
  int64_t first_us;
  unsigned count;
  GByteArray *data;
} Chunk;

/* A transaction in the making. */
typedef struct {
  PlStore *store;
  GHashTable *chunks; /* run -> Chunk, not yet written */
  unsigned refused;
  bool outbox; /* it was changed */
} Batch;

static void
chunk_free(gpointer data) {
  Chunk *chunk = data;
  g_byte_array_unref(chunk->data);
  g_free(chunk);
}

/* What concerns one operation only is counted and left out: it would block all that follow. */
static int
settle(Batch *batch, int rc) {
  bool refusal;
  switch (rc & 0xff) {
  case SQLITE_CONSTRAINT:
  case SQLITE_MISMATCH:
  case SQLITE_TOOBIG:
  case SQLITE_RANGE:
  case SQLITE_ERROR:
    refusal = pl_db_in_transaction(batch->store->writer.db);
    break;
  default:
    refusal = false;
  }
  if (refusal)
    batch->refused++;
  return refusal ? SQLITE_OK : rc;
}

static int
write_chunk(Batch *batch, const char *run, const Chunk *chunk) {
  PlDb *db = batch->store->writer.db;
  const PlArg args[] = {
      pl_arg_text(run),
      pl_arg_text(batch->store->boot_id),
      pl_arg_integer(chunk->first_us),
      pl_arg_integer(chunk->count),
      pl_arg_integer(PL_RECORD_FORMAT),
      pl_arg_blob(chunk->data->data, chunk->data->len),
  };
  int rc = pl_db_run(db,
                     "INSERT INTO records (run, boot, first_us, count, format, data)"
                     " SELECT runs.key, boots.key, ?3, ?4, ?5, ?6 FROM runs, boots"
                     " WHERE runs.id = ?1 AND boots.id = ?2 AND state < 2",
                     args, G_N_ELEMENTS(args));
  if (rc == SQLITE_OK && pl_db_changes(db) == 0)
    batch->refused++;
  return settle(batch, rc);
}

static int
write_chunks(Batch *batch) {
  GHashTableIter iter;
  gpointer run, chunk;
  int rc = SQLITE_OK;

  g_hash_table_iter_init(&iter, batch->chunks);
  while (rc == SQLITE_OK && g_hash_table_iter_next(&iter, &run, &chunk))
    rc = write_chunk(batch, run, chunk);
  g_hash_table_remove_all(batch->chunks);
  return rc;
}

static int
add_record(Batch *batch, const PlOp *op) {
  gpointer run = (gpointer)(uintptr_t)pl_op_text(op, 0);
  Chunk *chunk = g_hash_table_lookup(batch->chunks, run);

  if (chunk == NULL) {
    chunk = g_new0(Chunk, 1);
    chunk->first_us = op->args[1].integer;
    chunk->data = g_byte_array_new();
    g_hash_table_insert(batch->chunks, run, chunk);
  }
  g_byte_array_append(chunk->data, op->args[2].data, (guint)op->args[2].size);
  if (++chunk->count < PL_STORE_CHUNK)
    return SQLITE_OK;
  int rc = write_chunk(batch, run, chunk);
  g_hash_table_remove(batch->chunks, run);
  return rc;
}

/* ---- one transaction ---- */

static int
apply(Batch *batch, const PlOp *op) {
  if (op->kind == PL_OP_RECORD)
    return add_record(batch, op);
  int rc = op->kind == PL_OP_RUN_END ? write_chunks(batch) : SQLITE_OK;
  if (rc == SQLITE_OK)
    rc = settle(batch, pl_db_run(batch->store->writer.db, op->sql, op->args, op->count));
  batch->outbox |= (op->flags & PL_OP_OUTBOX) != 0;
  return rc;
}

static int
apply_all(Batch *batch, PlOp *const *ops, unsigned count) {
  int rc = SQLITE_OK;
  for (unsigned i = 0; rc == SQLITE_OK && i < count; i++)
    rc = apply(batch, ops[i]);
  if (rc == SQLITE_OK)
    rc = write_chunks(batch);
  if (rc == SQLITE_OK && batch->outbox)
    rc = pl_store_outbox_enforce(batch->store);
  return rc;
}

static void
written(PlStore *store, PlOp *const *ops, unsigned count, const Batch *batch) {
  for (unsigned i = 0; i < count; i++)
    pl_store_remember(store, ops[i]);
  store->writer.outbox_changed |= batch->outbox;
  g_mutex_lock(&store->shared.mutex);
  store->shared.health.rejected += batch->refused;
  g_mutex_unlock(&store->shared.mutex);
}

static int
transaction(PlStore *store, PlOp *const *ops, unsigned count, bool durable) {
  g_autoptr(GHashTable) chunks =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, chunk_free);
  Batch batch = {.store = store, .chunks = chunks};
  PlDb *db = store->writer.db;

  /* The log itself is synced by the COMMIT then: a checkpoint could be held up by a reader. */
  int rc = durable ? pl_db_exec(db, "PRAGMA synchronous = FULL") : SQLITE_OK;
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, "BEGIN IMMEDIATE");
  if (rc == SQLITE_OK)
    rc = apply_all(&batch, ops, count);
  if (rc == SQLITE_OK && durable && count == 0) /* without a change there is no sync */
    rc = pl_db_exec(db, "UPDATE meta SET value = value WHERE key = 'clean'");
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, "COMMIT");
  if (rc != SQLITE_OK && pl_db_in_transaction(db))
    pl_db_exec(db, "ROLLBACK");
  if (durable)
    pl_db_exec(db, "PRAGMA synchronous = NORMAL");
  if (rc == SQLITE_OK)
    written(store, ops, count, &batch);
  return rc;
}

/* ---- mending ---- */

static bool
medium_is_read_only(const PlStore *store) {
  struct statvfs disk;
  if (store->directory == NULL)
    return false;
  if (statvfs(store->directory, &disk) == 0 && (disk.f_flag & ST_RDONLY) != 0)
    return true;
  return access(store->directory, W_OK) != 0;
}

static PlStoreProblem
problem_of(const PlStore *store, int rc, bool *damaged) {
  *damaged = false;
  switch (rc & 0xff) {
  case SQLITE_FULL:
    return PL_STORE_DISK_FULL;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
  case SQLITE_INTERRUPT:
    return PL_STORE_BUSY;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_FORMAT:
    *damaged = true;
    return PL_STORE_FAILING;
  case SQLITE_READONLY: /* and the medium is not: what the file says of itself is wrong */
    *damaged = rc != SQLITE_READONLY_DBMOVED && !medium_is_read_only(store);
    return medium_is_read_only(store) ? PL_STORE_FS_READ_ONLY : PL_STORE_FAILING;
  default:
    return medium_is_read_only(store) ? PL_STORE_FS_READ_ONLY : PL_STORE_FAILING;
  }
}

/* What was tried already for one batch. */
typedef struct {
  bool purged, reopened, replaced;
} Tried;

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
replace(PlStore *store, Tried *tried, bool damaged) {
  int64_t last = store->writer.replaced_us;
  bool lately = last != INT64_MIN && g_get_monotonic_time() - last < replace_again_us;
  if (store->path == NULL || tried->replaced || (lately && !damaged))
    return false;
  tried->replaced = true;
  return pl_store_file_replace(store);
}

/* True when it is worth to try at once again. */
static bool
mend(PlStore *store, PlStoreProblem problem, bool damaged, Tried *tried) {
  if (problem == PL_STORE_DISK_FULL && !tried->purged) {
    tried->purged = true;
    return purge(store);
  }
  if (problem == PL_STORE_FS_READ_ONLY)
    pl_store_file_close(store, false);
  if (problem != PL_STORE_FAILING || store->path == NULL)
    return false;
  if (!damaged && !tried->reopened) {
    tried->reopened = true;
    pl_store_file_close(store, false);
    return true;
  }
  return replace(store, tried, damaged);
}

static void
report(PlStore *store, int rc, PlStoreProblem problem) {
  g_mutex_lock(&store->shared.mutex);
  store->shared.health.problem = problem;
  if (rc != SQLITE_OK)
    store->shared.health.error_code = rc;
  g_mutex_unlock(&store->shared.mutex);
}

int
pl_store_commit_batch(PlStore *store, PlOp *const *ops, unsigned count, bool durable) {
  Tried tried = {.purged = false};

  while (true) {
    bool damaged;
    int rc = store->writer.db != NULL ? SQLITE_OK : pl_store_file_open(store, tried.reopened);
    if (rc == SQLITE_OK)
      rc = transaction(store, ops, count, durable);
    PlStoreProblem problem = PL_STORE_OK;
    if (rc != SQLITE_OK)
      problem = problem_of(store, rc, &damaged);
    report(store, rc, problem);
    if (rc == SQLITE_OK || rc == PL_DB_NEWER || !mend(store, problem, damaged, &tried))
      return rc;
  }
}
