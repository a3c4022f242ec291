/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"

/* ---- the writer's side ---- */

static int64_t
total(PlDb *db, const char *sql, int *rc) {
  int64_t value = 0;
  if (*rc == SQLITE_OK)
    *rc = pl_db_integer(db, sql, NULL, 0, &value);
  return value;
}

/* The oldest messages of the class that goes first. */
static int
give_up_some(PlDb *db) {
  return pl_db_run(db,
                   "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE class ="
                   " (SELECT min(class) FROM outbox_totals WHERE messages > 0)"
                   " ORDER BY seq LIMIT 32)",
                   NULL, 0);
}

int
pl_store_outbox_enforce(PlStore *store) {
  PlDb *db = store->writer.db;
  int rc = SQLITE_OK;
  unsigned gone = 0;

  while (total(db, "SELECT sum(bytes) FROM outbox_totals", &rc) > store->outbox_bytes_max) {
    rc = give_up_some(db);
    if (rc != SQLITE_OK || pl_db_changes(db) == 0)
      break;
    gone += (unsigned)pl_db_changes(db);
  }
  g_mutex_lock(&store->shared.mutex);
  store->shared.health.outbox_dropped += gone;
  g_mutex_unlock(&store->shared.mutex);
  return rc;
}

void
pl_store_outbox_measure(PlStore *store) {
  PlDb *db = store->writer.db;
  int rc = SQLITE_OK;
  int64_t messages = total(db, "SELECT sum(messages) FROM outbox_totals", &rc);
  int64_t bytes = total(db, "SELECT sum(bytes) FROM outbox_totals", &rc);
  int64_t refused = total(db, "SELECT count(*) FROM outbox WHERE refused", &rc);
  int64_t oldest = total(
      db, "SELECT created_wall_us FROM outbox WHERE NOT refused ORDER BY seq LIMIT 1", &rc);

  if (rc != SQLITE_OK)
    return;
  store->writer.outbox_changed = false;
  g_mutex_lock(&store->shared.mutex);
  PlStoreHealth *health = &store->shared.health;
  health->outbox_messages = (uint64_t)(messages - refused);
  health->outbox_bytes = (uint64_t)bytes;
  health->outbox_refused = (uint64_t)refused;
  health->outbox_oldest_us = oldest;
  g_mutex_unlock(&store->shared.mutex);
}

/* ---- the caller's side ---- */

void
pl_store_outbox_add(PlStore *store, const PlOutboxMessage *message) {
  bool archive = message->outbox_class == PL_OUTBOX_RECORDS;
  unsigned flags = PL_OP_OUTBOX;
  if (message->outbox_class <= PL_OUTBOX_DERIVED)
    flags |= PL_OP_EXPENDABLE;
  if (!archive)
    flags |= PL_OP_PROMPT;
  if (archive && pl_store_is_tight(store))
    return;
  const PlArg args[] = {
      pl_arg_integer((int64_t)message->seq),
      pl_arg_integer(message->outbox_class),
      pl_arg_integer(message->created_us),
      pl_arg_text(message->topic),
      pl_arg_blob(message->payload, message->length),
      pl_arg_integer(message->qos),
      pl_arg_integer(message->retain),
      pl_arg_text(message->run),
  };
  pl_store_post(store, pl_op_new(PL_OP_PLAIN, flags,
                                 "INSERT INTO outbox (seq, class, created_wall_us, topic,"
                                 " payload, qos, retain, run)"
                                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                                 args, G_N_ELEMENTS(args)));
}

void
pl_store_outbox_remove(PlStore *store, uint64_t seq) {
  const PlArg args[] = {pl_arg_integer((int64_t)seq)};
  pl_store_post(store, pl_op_new(PL_OP_PLAIN, PL_OP_OUTBOX | PL_OP_PROMPT,
                                 "DELETE FROM outbox WHERE seq = ?1", args, 1));
}

void
pl_store_outbox_refuse(PlStore *store, uint64_t seq) {
  const PlArg args[] = {pl_arg_integer((int64_t)seq)};
  pl_store_post(store,
                pl_op_new(PL_OP_PLAIN, PL_OP_OUTBOX | PL_OP_PROMPT,
                          "UPDATE outbox SET refused = 1, tries = tries + 1 WHERE seq = ?1",
                          args, 1));
}

void
pl_store_outbox_revive(PlStore *store) {
  pl_store_post(store, pl_op_new(PL_OP_PLAIN, PL_OP_OUTBOX | PL_OP_PROMPT,
                                 "UPDATE outbox SET refused = 0 WHERE refused", NULL, 0));
}

static PlOutboxMessage
read_message(sqlite3_stmt *row) {
  return (PlOutboxMessage){
      .seq = (uint64_t)sqlite3_column_int64(row, 0),
      .outbox_class = (PlOutboxClass)sqlite3_column_int(row, 1),
      .created_us = sqlite3_column_int64(row, 2),
      .topic = (const char *)sqlite3_column_text(row, 3),
      .payload = sqlite3_column_blob(row, 4),
      .length = (size_t)sqlite3_column_bytes(row, 4),
      .qos = (unsigned)sqlite3_column_int(row, 5),
      .retain = sqlite3_column_int(row, 6) != 0,
      .run = (const char *)sqlite3_column_text(row, 7),
      .tries = (unsigned)sqlite3_column_int(row, 8),
  };
}

bool
pl_store_outbox_load(PlStore *store, uint64_t after_seq, unsigned limit, PlOutboxFunc func,
                     void *data, GError **error) {
  const PlArg args[] = {pl_arg_integer((int64_t)after_seq), pl_arg_integer(limit)};
  g_autoptr(sqlite3_stmt) rows = pl_store_query(
      store,
      "SELECT seq, class, created_wall_us, topic, payload, qos, retain, run, tries"
      " FROM outbox WHERE seq > ?1 AND NOT refused ORDER BY seq LIMIT ?2",
      args, G_N_ELEMENTS(args), error);
  while (pl_store_next_row(store, &rows, error)) {
    PlOutboxMessage message = read_message(rows);
    if (!func(&message, data))
      return true;
  }
  return rows != NULL;
}
