/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"

#include <math.h>

/* ---- the connection that reads ---- */

/* The writer's own where there is one thread, otherwise a second one to the same file, opened
 * again when the file was replaced. */
static PlDb *
reader(PlStore *store, GError **error) {
  if (store->mode == PL_STORE_SYNCHRONOUS) {
    pl_store_write_all(store, false);
    if (store->writer.db == NULL)
      g_set_error_literal(error, PL_STORE_ERROR, PL_STORE_ERROR_UNAVAILABLE,
                          "the database can not be opened at the moment");
    return store->writer.db;
  }
  g_mutex_lock(&store->shared.mutex);
  unsigned generation = store->shared.generation;
  g_mutex_unlock(&store->shared.mutex);
  if (store->reader != NULL && store->reader_generation == generation)
    return store->reader;
  int rc = SQLITE_CANTOPEN;
  pl_db_close(store->reader, false);
  store->reader = generation > 0 ? pl_db_open(store->path, true, &rc) : NULL;
  store->reader_generation = generation;
  if (store->reader == NULL)
    g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_UNAVAILABLE,
                "%s: the database can not be opened at the moment: %s", store->path,
                sqlite3_errstr(rc));
  return store->reader;
}

static void
set_failed(PlStore *store, PlDb *db, GError **error) {
  int rc = pl_db_code(db) & 0xff;
  g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_FAILED, "%s: can not read: %s",
              store->path != NULL ? store->path : "database in memory", pl_db_message(db));
  if (rc != SQLITE_CORRUPT && rc != SQLITE_NOTADB)
    return;
  g_mutex_lock(&store->shared.mutex);
  store->shared.suspect = true;
  g_mutex_unlock(&store->shared.mutex);
}

sqlite3_stmt *
pl_store_query(PlStore *store, const char *sql, const PlArg *args, unsigned count,
               GError **error) {
  PlDb *db = reader(store, error);
  if (db == NULL)
    return NULL;
  sqlite3_stmt *statement = pl_db_query(db, sql, args, count);
  if (statement == NULL)
    set_failed(store, db, error);
  return statement;
}

bool
pl_store_next_row(PlStore *store, sqlite3_stmt **rows, GError **error) {
  if (*rows == NULL)
    return false;
  int rc = sqlite3_step(*rows);
  if (rc == SQLITE_ROW || rc == SQLITE_DONE)
    return rc == SQLITE_ROW;
  set_failed(store, store->reader != NULL ? store->reader : store->writer.db, error);
  g_clear_pointer(rows, sqlite3_finalize);
  return false;
}

/* ---- runs ---- */

void
pl_stored_run_free(PlStoredRun *run) {
  if (run == NULL)
    return;
  g_free(run->id);
  g_free(run->athlete);
  g_free(run->start_boot);
  g_free(run->end_boot);
  g_free(run->shoe);
  g_free(run->title);
  g_free(run->summary);
  g_free(run);
}

#define SELECT_RUN                                                                             \
  "SELECT runs.id, athlete, state, b1.id, start_us, start_wall_us, start_synced, b2.id,"       \
  " end_us, end_wall_us, end_synced, distance_m, records_kept, shoe, title, summary FROM runs" \
  " JOIN boots b1 ON b1.key = start_boot LEFT JOIN boots b2 ON b2.key = end_boot"

static char *
text(sqlite3_stmt *row, int column) {
  return g_strdup((const char *)sqlite3_column_text(row, column));
}

static PlStoreTime
moment(sqlite3_stmt *row, int column) {
  return (PlStoreTime){.boot_us = sqlite3_column_int64(row, column),
                       .wall_us = sqlite3_column_int64(row, column + 1),
                       .synced = sqlite3_column_int(row, column + 2) != 0};
}

static double
number(sqlite3_stmt *row, int column) {
  return sqlite3_column_type(row, column) == SQLITE_NULL ? (double)NAN
                                                         : sqlite3_column_double(row, column);
}

static PlStoredRun *
read_run(sqlite3_stmt *row) {
  PlStoredRun *run = g_new0(PlStoredRun, 1);
  run->id = text(row, 0);
  run->athlete = text(row, 1);
  run->state = (PlStoredState)sqlite3_column_int(row, 2);
  run->start_boot = text(row, 3);
  run->start = moment(row, 4);
  run->end_boot = text(row, 7);
  run->end = moment(row, 8);
  run->distance_m = number(row, 11);
  run->records_kept = sqlite3_column_int(row, 12) != 0;
  run->shoe = text(row, 13);
  run->title = text(row, 14);
  run->summary = text(row, 15);
  return run;
}

static GPtrArray *
read_runs(PlStore *store, const char *sql, const PlArg *args, unsigned count, GError **error) {
  g_autoptr(GPtrArray) runs =
      g_ptr_array_new_with_free_func((GDestroyNotify)pl_stored_run_free);
  g_autoptr(sqlite3_stmt) rows = pl_store_query(store, sql, args, count, error);
  while (pl_store_next_row(store, &rows, error))
    g_ptr_array_add(runs, read_run(rows));
  return rows != NULL ? g_steal_pointer(&runs) : NULL;
}

GPtrArray *
pl_store_open_runs(PlStore *store, GError **error) {
  return read_runs(store, SELECT_RUN " WHERE state < 2 ORDER BY runs.key", NULL, 0, error);
}

GPtrArray *
pl_store_runs(PlStore *store, const char *athlete, unsigned limit, unsigned offset,
              GError **error) {
  const PlArg args[] = {pl_arg_integer(limit), pl_arg_integer(offset), pl_arg_text(athlete)};
  if (athlete == NULL)
    return read_runs(store,
                     SELECT_RUN " WHERE state > 0 ORDER BY start_wall_us DESC, runs.key DESC"
                                " LIMIT ?1 OFFSET ?2",
                     args, 2, error);
  return read_runs(store,
                   SELECT_RUN " WHERE state > 0 AND athlete = ?3"
                              " ORDER BY start_wall_us DESC, runs.key DESC LIMIT ?1 OFFSET ?2",
                   args, 3, error);
}

PlStoredRun *
pl_store_run(PlStore *store, const char *run, GError **error) {
  const PlArg args[] = {pl_arg_text(run)};
  g_autoptr(GPtrArray) runs =
      g_str_equal(run, "last")
          ? pl_store_runs(store, NULL, 1, 0, error)
          : read_runs(store, SELECT_RUN " WHERE runs.id = ?1", args, 1, error);
  if (runs == NULL)
    return NULL;
  if (runs->len == 0) {
    g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_NOT_FOUND,
                "there is no run \"%s\"; `plumbline runs` lists them", run);
    return NULL;
  }
  return g_ptr_array_steal_index(runs, 0);
}

/* ---- what belongs to a run ---- */

static GPtrArray *
read_texts(PlStore *store, const char *sql, const char *run, GError **error) {
  const PlArg args[] = {pl_arg_text(run)};
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(sqlite3_stmt) rows = pl_store_query(store, sql, args, 1, error);
  while (pl_store_next_row(store, &rows, error))
    g_ptr_array_add(texts, text(rows, 0));
  return rows != NULL ? g_steal_pointer(&texts) : NULL;
}

GPtrArray *
pl_store_laps(PlStore *store, const char *run, GError **error) {
  return read_texts(store,
                    "SELECT lap FROM laps JOIN runs ON runs.key = run WHERE runs.id = ?1"
                    " ORDER BY number",
                    run, error);
}

GPtrArray *
pl_store_warnings(PlStore *store, const char *run, GError **error) {
  return read_texts(store,
                    "SELECT event FROM warnings JOIN runs ON runs.key = run WHERE runs.id = ?1"
                    " ORDER BY warnings.id",
                    run, error);
}

GArray *
pl_store_spans(PlStore *store, const char *athlete, int64_t from_wall_us, int64_t to_wall_us,
               GError **error) {
  const PlArg args[] = {pl_arg_text(athlete), pl_arg_integer(from_wall_us),
                        pl_arg_integer(to_wall_us)};
  g_autoptr(GArray) spans = g_array_new(FALSE, FALSE, sizeof(PlStoredSpan));
  g_autoptr(sqlite3_stmt) rows =
      pl_store_query(store,
                     "SELECT start_wall_us, end_wall_us, distance_m FROM runs"
                     " WHERE athlete = ?1 AND state = 2"
                     " AND start_wall_us >= ?2 AND start_wall_us < ?3 ORDER BY start_wall_us",
                     args, G_N_ELEMENTS(args), error);
  while (pl_store_next_row(store, &rows, error)) {
    PlStoredSpan span = {.start_us = sqlite3_column_int64(rows, 0),
                         .end_us = sqlite3_column_int64(rows, 1),
                         .distance_m = sqlite3_column_double(rows, 2)};
    g_array_append_val(spans, span);
  }
  return rows != NULL ? g_steal_pointer(&spans) : NULL;
}

bool
pl_store_first_run(PlStore *store, const char *athlete, int64_t *wall_us, GError **error) {
  const PlArg args[] = {pl_arg_text(athlete)};
  g_autoptr(sqlite3_stmt) rows = pl_store_query(
      store,
      "SELECT COALESCE(min(start_wall_us), 0) FROM runs WHERE athlete = ?1 AND state > 0", args,
      1, error);
  if (!pl_store_next_row(store, &rows, error))
    return false;
  *wall_us = sqlite3_column_int64(rows, 0);
  return true;
}
