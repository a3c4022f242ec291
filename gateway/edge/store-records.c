/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"

/* Walks through the records of one run. */
typedef struct {
  PlStore *store;
  PlStoreRecordFunc func;
  void *data;
  int64_t boot;  /* key of the boot of the current row */
  GArray *clock; /* of PlClockRow, of that boot */
  PlStoredRecord stored;
  bool stopped;
} Walk;

/* The columns of the row that is read. */
enum { BOOT, END_BOOT, END_US, FORMAT, DATA };

static bool
read_clock(Walk *walk, GError **error) {
  const PlArg args[] = {pl_arg_integer(walk->boot)};
  g_autoptr(sqlite3_stmt) rows = pl_store_query(
      walk->store,
      "SELECT boot_us, wall_us, synced FROM clock WHERE boot = ?1 ORDER BY boot_us, id", args,
      1, error);
  g_array_set_size(walk->clock, 0);
  while (pl_store_next_row(walk->store, &rows, error)) {
    PlClockRow row = {.boot_us = sqlite3_column_int64(rows, 0),
                      .wall_us = sqlite3_column_int64(rows, 1),
                      .synced = sqlite3_column_int(rows, 2) != 0};
    g_array_append_val(walk->clock, row);
  }
  return rows != NULL;
}

/* A clock that was wrong before a restart must not make the gap negative. */
static void
give(Walk *walk, const PlRecord *record) {
  PlStoredRecord *stored = &walk->stored;
  int64_t wall_us = pl_clock_wall((const PlClockRow *)(const void *)walk->clock->data,
                                  walk->clock->len, record->t_us, &stored->synced);
  stored->record = *record;
  stored->wall_us = MAX(stored->wall_us, wall_us);
  walk->stopped = !walk->func(stored, walk->data);
}

/* A record that can not be read ends its row, not the run. */
static void
give_chunk(Walk *walk, sqlite3_stmt *row) {
  const uint8_t *bytes = sqlite3_column_blob(row, DATA);
  unsigned length = (unsigned)sqlite3_column_bytes(row, DATA), took;
  bool last_boot = sqlite3_column_type(row, END_BOOT) != SQLITE_NULL &&
                   sqlite3_column_int64(row, END_BOOT) == walk->boot;
  int64_t end_us = last_boot ? sqlite3_column_int64(row, END_US) : INT64_MAX;
  PlRecord record;

  if (sqlite3_column_int(row, FORMAT) != PL_RECORD_FORMAT)
    return;
  while (!walk->stopped && (took = pl_record_decode(&record, bytes, length)) > 0) {
    if (record.t_us <= end_us)
      give(walk, &record);
    bytes += took;
    length -= took;
  }
}

static bool
walk_rows(Walk *walk, const char *run, GError **error) {
  const PlArg args[] = {pl_arg_text(run)};
  g_autoptr(sqlite3_stmt) rows = pl_store_query(
      walk->store,
      "SELECT records.boot, end_boot, end_us, format, data FROM runs"
      " JOIN records ON records.id BETWEEN first_chunk"
      "   AND COALESCE(last_chunk, 9223372036854775807) AND records.run = runs.key"
      " WHERE runs.id = ?1 ORDER BY records.id",
      args, 1, error);
  while (!walk->stopped && pl_store_next_row(walk->store, &rows, error)) {
    int64_t boot = sqlite3_column_int64(rows, BOOT);
    if (boot != walk->boot) {
      walk->stored.segment += walk->boot != 0;
      walk->boot = boot;
      if (!read_clock(walk, error))
        return false;
    }
    give_chunk(walk, rows);
  }
  return rows != NULL;
}

bool
pl_store_records(PlStore *store, const char *run, PlStoreRecordFunc func, void *data,
                 GError **error) {
  g_autoptr(GArray) clock = g_array_new(FALSE, FALSE, sizeof(PlClockRow));
  Walk walk = {.store = store, .func = func, .data = data, .clock = clock};
  return walk_rows(&walk, run, error);
}
