/* SPDX-License-Identifier: Apache-2.0 */

/* One transaction.
 *
 * SQLite ends a transaction by itself when the disk is full, so nothing may be thought to be
 * written before COMMIT said so.  Nor may it be thought to be lost when COMMIT failed: if only
 * the sync went wrong, the log holds all of it, and whoever opens the log next finds it there.
 * So a transaction that is synced writes its number, and after the database was opened again
 * that number tells whether the operations have to be written once more. */

#include "gateway/edge/store-private.h"

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
apply_all(Batch *batch, const GPtrArray *ops) {
  int rc = SQLITE_OK;
  for (guint i = 0; rc == SQLITE_OK && i < ops->len; i++)
    rc = apply(batch, ops->pdata[i]);
  if (rc == SQLITE_OK)
    rc = write_chunks(batch);
  if (rc == SQLITE_OK && batch->outbox)
    rc = pl_store_outbox_enforce(batch->store);
  return rc;
}

/* Also what there is to sync when there are no operations. */
static int
write_number(PlStore *store) {
  const PlArg args[] = {pl_arg_integer(++store->writer.batch)};
  return pl_db_run(store->writer.db,
                   "INSERT INTO meta (key, value) VALUES ('batch', CAST(?1 AS TEXT))"
                   " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                   args, 1);
}

static void
doubt(PlStore *store, GPtrArray *ops) {
  g_clear_pointer(&store->writer.doubt, g_ptr_array_unref);
  if (ops != NULL)
    store->writer.doubt = g_ptr_array_ref(ops);
}

static int
commit(PlStore *store, GPtrArray *ops, bool durable) {
  if (durable)
    doubt(store, ops);
  int rc = pl_db_exec(store->writer.db, "COMMIT");
  if (rc == SQLITE_OK)
    doubt(store, NULL);
  return rc;
}

static int
transact(Batch *batch, GPtrArray *ops, bool durable) {
  PlDb *db = batch->store->writer.db;
  int rc = pl_db_exec(db, "BEGIN IMMEDIATE");
  if (rc == SQLITE_OK)
    rc = apply_all(batch, ops);
  if (rc == SQLITE_OK && durable)
    rc = write_number(batch->store);
  if (rc == SQLITE_OK)
    rc = commit(batch->store, ops, durable);
  if (rc != SQLITE_OK && pl_db_in_transaction(db))
    pl_db_exec(db, "ROLLBACK");
  return rc;
}

static void
written(PlStore *store, const GPtrArray *ops, unsigned refused) {
  for (guint i = 0; i < ops->len; i++)
    pl_store_remember(store, ops->pdata[i]);
  g_mutex_lock(&store->shared.mutex);
  store->shared.health.rejected += refused;
  g_mutex_unlock(&store->shared.mutex);
}

int
pl_store_transaction(PlStore *store, GPtrArray *ops, bool durable) {
  g_autoptr(GHashTable) chunks =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, chunk_free);
  Batch batch = {.store = store, .chunks = chunks};
  PlDb *db = store->writer.db;

  /* The log itself is synced by the COMMIT then: a checkpoint could be held up by a reader. */
  int rc = durable ? pl_db_exec(db, "PRAGMA synchronous = FULL") : SQLITE_OK;
  if (rc == SQLITE_OK)
    rc = transact(&batch, ops, durable);
  if (durable)
    pl_db_exec(db, "PRAGMA synchronous = NORMAL");
  store->writer.outbox_changed |= batch.outbox;
  if (rc == SQLITE_OK)
    written(store, ops, batch.refused);
  return rc;
}

int
pl_store_settle_doubt(PlStore *store, GPtrArray **ops) {
  int64_t batch = 0;
  *ops = NULL;
  if (store->writer.doubt == NULL)
    return SQLITE_OK;
  int rc = pl_db_integer(store->writer.db,
                         "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'batch'", NULL, 0,
                         &batch);
  if (rc != SQLITE_OK)
    return rc;
  if (batch == store->writer.batch) {
    *ops = g_ptr_array_ref(store->writer.doubt);
    written(store, *ops, 0);
  }
  doubt(store, NULL);
  return SQLITE_OK;
}
