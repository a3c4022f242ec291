/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"

/* `sql` has to be a literal. */
static void
post(PlStore *store, PlOpKind kind, unsigned flags, const char *sql, const PlArg *args,
     unsigned count) {
  pl_store_post(store, pl_op_new(kind, flags, sql, args, count));
}

PlOp *
pl_op_run_begin(const char *run, const char *athlete, const char *boot_id,
                const PlStoreTime *start) {
  const PlArg args[] = {
      pl_arg_text(run),
      pl_arg_text(athlete),
      [PL_OP_RUN_BEGIN_BOOT] = pl_arg_text(boot_id),
      pl_arg_integer(start->boot_us),
      pl_arg_integer(start->wall_us),
      pl_arg_integer(start->synced),
  };
  return pl_op_new(PL_OP_RUN_BEGIN, PL_OP_DURABLE,
                   "INSERT INTO runs (id, athlete, state, start_boot, start_us, start_wall_us,"
                   " start_synced, first_chunk)"
                   " VALUES (?1, ?2, 0, (SELECT key FROM boots WHERE id = ?3), ?4, ?5, ?6,"
                   " (SELECT COALESCE(max(id), 0) + 1 FROM records))",
                   args, G_N_ELEMENTS(args));
}

PlOp *
pl_op_run_confirm(const char *run) {
  const PlArg args[] = {pl_arg_text(run)};
  return pl_op_new(PL_OP_RUN_CONFIRM, PL_OP_DURABLE,
                   "UPDATE runs SET state = 1 WHERE id = ?1 AND state = 0", args,
                   G_N_ELEMENTS(args));
}

void
pl_store_run_begin(PlStore *store, const char *run, const char *athlete,
                   const PlStoreTime *start) {
  pl_store_post(store, pl_op_run_begin(run, athlete, store->boot_id, start));
}

void
pl_store_run_confirm(PlStore *store, const char *run) {
  pl_store_post(store, pl_op_run_confirm(run));
}

void
pl_store_run_delete(PlStore *store, const char *run) {
  const PlArg args[] = {pl_arg_text(run)};
  pl_store_begin(store);
  post(store, PL_OP_RUN_END, PL_OP_PROMPT, "DELETE FROM runs WHERE id = ?1", args, 1);
  post(store, PL_OP_PLAIN, PL_OP_PROMPT | PL_OP_OUTBOX, "DELETE FROM outbox WHERE run = ?1",
       args, 1);
  pl_store_commit(store);
}

/* Rows that begin after the end go; the row that the end falls into is cut when it is read. */
void
pl_store_run_finish(PlStore *store, const char *run, const PlStoreFinish *finish) {
  const PlArg args[] = {
      pl_arg_text(run),
      pl_arg_text(store->boot_id),
      pl_arg_integer(finish->end.boot_us),
      pl_arg_integer(finish->end.wall_us),
      pl_arg_integer(finish->end.synced),
      pl_arg_real(finish->distance_m),
      pl_arg_text(finish->summary),
      pl_arg_text(finish->title),
      pl_arg_text(finish->shoe),
  };
  pl_store_begin(store);
  post(store, PL_OP_RUN_END, PL_OP_DURABLE,
       "UPDATE runs SET end_boot = (SELECT key FROM boots WHERE id = ?2), end_us = ?3,"
       " end_wall_us = ?4, end_synced = ?5, distance_m = ?6, summary = ?7, title = ?8,"
       " shoe = ?9, last_chunk = CASE WHEN state = 2 THEN last_chunk"
       "   ELSE (SELECT COALESCE(max(id), 0) FROM records) END, state = 2 WHERE id = ?1",
       args, G_N_ELEMENTS(args));
  post(store, PL_OP_PLAIN, PL_OP_DURABLE,
       "DELETE FROM records WHERE id IN (SELECT records.id FROM runs JOIN records"
       " ON records.id BETWEEN first_chunk AND last_chunk AND records.run = runs.key"
       " WHERE runs.id = ?1 AND records.boot = end_boot AND records.first_us > end_us)",
       args, 1);
  pl_store_commit(store);
}

void
pl_store_record(PlStore *store, const char *run, const PlRecord *record) {
  uint8_t bytes[PL_RECORD_BYTES_MAX];
  const PlArg args[] = {
      pl_arg_text(run),
      pl_arg_integer(record->t_us),
      pl_arg_blob(bytes, pl_record_encode(record, bytes)),
  };
  post(store, PL_OP_RECORD, 0, NULL, args, G_N_ELEMENTS(args));
}

void
pl_store_lap(PlStore *store, const char *run, unsigned number, const char *lap) {
  const PlArg args[] = {pl_arg_text(run), pl_arg_integer(number), pl_arg_text(lap)};
  post(store, PL_OP_PLAIN, PL_OP_DURABLE,
       "INSERT INTO laps (run, number, lap)"
       " VALUES ((SELECT key FROM runs WHERE id = ?1), ?2, ?3)"
       " ON CONFLICT (run, number) DO UPDATE SET lap = excluded.lap",
       args, G_N_ELEMENTS(args));
}

void
pl_store_warning(PlStore *store, const char *run, unsigned episode, const char *code,
                 const PlStoreTime *time, const char *event) {
  const PlArg args[] = {
      pl_arg_text(run),
      pl_arg_integer(episode),
      pl_arg_text(code),
      pl_arg_text(store->boot_id),
      pl_arg_integer(time->boot_us),
      pl_arg_text(event),
  };
  post(store, PL_OP_PLAIN, 0,
       "INSERT INTO warnings (run, episode, code, boot, boot_us, event)"
       " VALUES ((SELECT key FROM runs WHERE id = ?1), ?2, ?3,"
       " (SELECT key FROM boots WHERE id = ?4), ?5, ?6)",
       args, G_N_ELEMENTS(args));
}

/* ---- clock, events, settings ---- */

/* The first right clock of a boot dates what was written before it. */
static void
post_dating(PlStore *store, const PlStoreTime *time) {
  const PlArg args[] = {pl_arg_text(store->boot_id),
                        pl_arg_integer(time->wall_us - time->boot_us)};
  post(store, PL_OP_PLAIN, 0,
       "UPDATE runs SET start_wall_us = start_us + ?2, start_synced = 1 WHERE NOT start_synced"
       " AND start_boot = (SELECT key FROM boots WHERE id = ?1)",
       args, G_N_ELEMENTS(args));
  post(store, PL_OP_PLAIN, 0,
       "UPDATE runs SET end_wall_us = end_us + ?2, end_synced = 1 WHERE NOT end_synced"
       " AND end_boot = (SELECT key FROM boots WHERE id = ?1)",
       args, G_N_ELEMENTS(args));
  post(store, PL_OP_PLAIN, 0,
       "UPDATE events SET wall_us = boot_us + ?2, synced = 1 WHERE NOT synced"
       " AND boot = (SELECT key FROM boots WHERE id = ?1)",
       args, G_N_ELEMENTS(args));
}

void
pl_store_clock(PlStore *store, PlClockKind kind, const PlStoreTime *time) {
  const PlArg args[] = {
      pl_arg_text(store->boot_id), pl_arg_integer(time->boot_us), pl_arg_integer(time->wall_us),
      pl_arg_integer(kind),        pl_arg_integer(time->synced),
  };
  pl_store_begin(store);
  post(store, PL_OP_CLOCK, kind == PL_CLOCK_PERIODIC ? 0 : PL_OP_PROMPT,
       "INSERT INTO clock (boot, boot_us, wall_us, kind, synced)"
       " VALUES ((SELECT key FROM boots WHERE id = ?1), ?2, ?3, ?4, ?5)",
       args, G_N_ELEMENTS(args));
  if (time->synced)
    post_dating(store, time);
  pl_store_commit(store);
}

void
pl_store_event(PlStore *store, const PlStoreTime *time, const char *code, const char *detail) {
  const PlArg args[] = {
      pl_arg_text(store->boot_id),
      pl_arg_integer(time->boot_us),
      pl_arg_integer(time->wall_us),
      pl_arg_integer(time->synced),
      pl_arg_text(code),
      pl_arg_text(detail),
  };
  post(store, PL_OP_PLAIN, 0,
       "INSERT INTO events (boot, boot_us, wall_us, synced, code, detail)"
       " VALUES ((SELECT key FROM boots WHERE id = ?1), ?2, ?3, ?4, ?5, ?6)",
       args, G_N_ELEMENTS(args));
}

void
pl_store_set(PlStore *store, const char *key, const char *value) {
  const PlArg args[] = {pl_arg_text(key), pl_arg_text(value)};

  if (store->mode == PL_STORE_READ_ONLY)
    return;
  g_mutex_lock(&store->shared.mutex);
  if (value != NULL)
    g_hash_table_replace(store->shared.settings, g_strdup(key), g_strdup(value));
  else
    g_hash_table_remove(store->shared.settings, key);
  g_mutex_unlock(&store->shared.mutex);
  if (value != NULL)
    post(store, PL_OP_PLAIN, 0, PL_SQL_SET, args, 2);
  else
    post(store, PL_OP_PLAIN, 0, "DELETE FROM settings WHERE key = ?1", args, 1);
}

char *
pl_store_get(PlStore *store, const char *key) {
  g_mutex_lock(&store->shared.mutex);
  char *value = g_strdup(g_hash_table_lookup(store->shared.settings, key));
  g_mutex_unlock(&store->shared.mutex);
  return value;
}
