/* SPDX-License-Identifier: Apache-2.0 */

/* The runs that are going on, kept as the operations that began them: a database that takes the
 * place of a damaged one is given these, the settings and the clock, and the runs continue. */

#include "gateway/edge/store-private.h"

void
pl_store_remember(PlStore *store, PlOp *op) {
  GHashTable *runs = store->writer.runs;
  const char *run = pl_op_text(op, 0);

  switch (op->kind) {
  case PL_OP_RUN_BEGIN: {
    GPtrArray *ops = g_ptr_array_new_with_free_func((GDestroyNotify)pl_op_unref);
    g_ptr_array_add(ops, pl_op_ref(op));
    g_hash_table_insert(runs, g_strdup(run), ops);
    break;
  }
  case PL_OP_RUN_CONFIRM: {
    GPtrArray *ops = g_hash_table_lookup(runs, run);
    if (ops != NULL)
      g_ptr_array_add(ops, pl_op_ref(op));
    break;
  }
  case PL_OP_RUN_END:
    g_hash_table_remove(runs, run);
    break;
  case PL_OP_CLOCK:
    g_clear_pointer(&store->writer.clock, pl_op_unref);
    store->writer.clock = pl_op_ref(op);
    break;
  case PL_OP_RECORD:
  case PL_OP_PLAIN:
  default:
    break;
  }
}

int
pl_store_load_runs(PlStore *store, PlDb *db) {
  g_autoptr(sqlite3_stmt) rows =
      pl_db_query(db,
                  "SELECT runs.id, athlete, boots.id, start_us, start_wall_us, start_synced, "
                  "state FROM runs"
                  " JOIN boots ON boots.key = start_boot WHERE state < 2 ORDER BY runs.key",
                  NULL, 0);
  int rc = rows != NULL ? SQLITE_ROW : pl_db_code(db);

  while (rc == SQLITE_ROW && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
    const char *run = (const char *)sqlite3_column_text(rows, 0);
    if (g_hash_table_contains(store->writer.runs, run))
      continue;
    PlStoreTime start = {.boot_us = sqlite3_column_int64(rows, 3),
                         .wall_us = sqlite3_column_int64(rows, 4),
                         .synced = sqlite3_column_int(rows, 5) != 0};
    PlOp *begin = pl_op_run_begin(run, (const char *)sqlite3_column_text(rows, 1),
                                  (const char *)sqlite3_column_text(rows, 2), &start);
    pl_store_remember(store, begin);
    pl_op_unref(begin);
    if (sqlite3_column_int(rows, 6) == PL_STORED_CANDIDATE)
      continue;
    PlOp *confirm = pl_op_run_confirm(run);
    pl_store_remember(store, confirm);
    pl_op_unref(confirm);
  }
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
pl_store_load_settings(PlStore *store, PlDb *db) {
  g_autoptr(sqlite3_stmt) rows = pl_db_query(db, "SELECT key, value FROM settings", NULL, 0);
  int rc = rows != NULL ? SQLITE_ROW : pl_db_code(db);

  g_mutex_lock(&store->shared.mutex);
  GHashTable *settings = store->shared.settings;
  while (rc == SQLITE_ROW && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
    const char *key = (const char *)sqlite3_column_text(rows, 0);
    if (!g_hash_table_contains(settings, key))
      g_hash_table_insert(settings, g_strdup(key),
                          g_strdup((const char *)sqlite3_column_text(rows, 1)));
  }
  g_mutex_unlock(&store->shared.mutex);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
add_boot(PlDb *db, const char *boot_id) {
  const PlArg args[] = {pl_arg_text(boot_id)};
  return pl_db_run(db, "INSERT INTO boots (id) VALUES (?1) ON CONFLICT DO NOTHING", args, 1);
}

static int
restore_runs(PlStore *store, PlDb *db) {
  GHashTableIter iter;
  gpointer value;
  int rc = SQLITE_OK;

  g_hash_table_iter_init(&iter, store->writer.runs);
  while (rc == SQLITE_OK && g_hash_table_iter_next(&iter, NULL, &value)) {
    const GPtrArray *ops = value;
    rc = add_boot(db, pl_op_text(ops->pdata[0], PL_OP_RUN_BEGIN_BOOT));
    for (guint i = 0; rc == SQLITE_OK && i < ops->len; i++) {
      const PlOp *op = ops->pdata[i];
      rc = pl_db_run(db, op->sql, op->args, op->count);
    }
  }
  return rc;
}

static int
restore_settings(PlStore *store, PlDb *db) {
  GHashTableIter iter;
  gpointer key, value;
  int rc = SQLITE_OK;

  g_mutex_lock(&store->shared.mutex);
  g_hash_table_iter_init(&iter, store->shared.settings);
  while (rc == SQLITE_OK && g_hash_table_iter_next(&iter, &key, &value)) {
    const PlArg args[] = {pl_arg_text(key), pl_arg_text(value)};
    rc = pl_db_run(db, PL_SQL_SET, args, 2);
  }
  g_mutex_unlock(&store->shared.mutex);
  return rc;
}

int
pl_store_restore(PlStore *store, PlDb *db) {
  const PlOp *clock = store->writer.clock;
  int rc = pl_db_exec(db, "BEGIN IMMEDIATE");
  if (rc == SQLITE_OK)
    rc = restore_settings(store, db);
  if (rc == SQLITE_OK)
    rc = restore_runs(store, db);
  if (rc == SQLITE_OK && clock != NULL)
    rc = pl_db_run(db, clock->sql, clock->args, clock->count);
  if (rc == SQLITE_OK)
    rc = pl_db_exec(db, "COMMIT");
  if (rc != SQLITE_OK && pl_db_in_transaction(db))
    pl_db_exec(db, "ROLLBACK");
  return rc;
}
