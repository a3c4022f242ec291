/* SPDX-License-Identifier: Apache-2.0 */

/* The thread that owns the connection that writes. */

#include "gateway/edge/store-private.h"

#include <time.h>

static const int64_t turn_us = G_USEC_PER_SEC;            /* the longest sleep */
static const int64_t sync_every_us = 30 * G_USEC_PER_SEC; /* during a run */

int64_t
pl_store_boot_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* The first operations of the queue.  They stay in it until they are written. */
static GPtrArray *
take_batch(PlStoreShared *shared) {
  GPtrArray *ops = g_ptr_array_new_with_free_func((GDestroyNotify)pl_op_unref);
  g_mutex_lock(&shared->mutex);
  bool inside = false; /* a group may not be cut */
  for (GList *l = shared->queue.head; l != NULL && (inside || ops->len < PL_STORE_BATCH);
       l = l->next) {
    PlOp *op = l->data;
    g_ptr_array_add(ops, pl_op_ref(op));
    inside = (op->flags & PL_OP_CONTINUES) != 0;
  }
  shared->in_flight = ops->len;
  g_mutex_unlock(&shared->mutex);
  return ops;
}

/* With the mutex held: takes what was written out of the queue. */
static void
take_out(PlStoreShared *shared, const GPtrArray *ops) {
  for (guint i = 0; i < ops->len; i++) {
    PlOp *op = ops->pdata[i];
    if (!g_queue_remove(&shared->queue, op)) /* the first one, as a rule */
      continue;
    shared->health.queued_bytes -= op->bytes;
    pl_op_unref(op);
  }
  shared->health.queued = shared->queue.length;
  if (shared->queue.length == 0)
    shared->due_us = INT64_MAX;
}

static void
finish_batch(PlStoreShared *shared, const GPtrArray *ops, int rc, int64_t took_us) {
  g_mutex_lock(&shared->mutex);
  shared->in_flight = 0;
  if (rc == SQLITE_OK) {
    take_out(shared, ops);
    shared->health.commits++;
    shared->health.commit_max_us = MAX(shared->health.commit_max_us, took_us);
  }
  g_mutex_unlock(&shared->mutex);
}

static bool
has_durable(const GPtrArray *ops) {
  for (guint i = 0; i < ops->len; i++)
    if (((const PlOp *)ops->pdata[i])->flags & PL_OP_DURABLE)
      return true;
  return false;
}

/* The log is on the medium by now: what it holds may go into the file as far as no reader needs
 * it, so that it stays short. */
static void
after_sync(PlStore *store) {
  pl_db_exec(store->writer.db, "PRAGMA wal_checkpoint(PASSIVE)");
  store->writer.sync_us = g_get_monotonic_time() + sync_every_us;
}

/* One transaction; `empty`: even if there is nothing to write.  *more: there may be more. */
static int
write_batch(PlStore *store, bool durable, bool empty, bool *more) {
  int64_t begun = g_get_monotonic_time();
  bool running = g_hash_table_size(store->writer.runs) > 0;
  g_autoptr(GPtrArray) ops = take_batch(&store->shared);

  *more = ops->len > 0;
  if (ops->len == 0 && !empty)
    return SQLITE_OK;
  durable = durable || has_durable(ops) || (running && begun >= store->writer.sync_us);
  int rc = pl_store_transaction(store, ops, durable);
  finish_batch(&store->shared, ops, rc, g_get_monotonic_time() - begun);
  if (rc == SQLITE_OK && durable)
    after_sync(store);
  if (rc == SQLITE_OK && store->writer.outbox_changed)
    pl_store_outbox_measure(store);
  return rc;
}

static int
open_database(PlStore *store, bool check) {
  g_autoptr(GPtrArray) done = NULL;
  int rc = pl_store_file_open(store, check);
  if (rc == SQLITE_OK)
    rc = pl_store_settle_doubt(store, &done);
  if (done == NULL)
    return rc;
  g_mutex_lock(&store->shared.mutex);
  take_out(&store->shared, done);
  g_mutex_unlock(&store->shared.mutex);
  return rc;
}

/* How long to leave a failure alone. */
static int64_t
patience(PlStoreProblem problem) {
  switch (problem) {
  case PL_STORE_BUSY:
    return G_USEC_PER_SEC;
  case PL_STORE_DISK_FULL:
    return 5 * G_USEC_PER_SEC;
  case PL_STORE_OK:
  case PL_STORE_FS_READ_ONLY:
  case PL_STORE_FAILING:
  case PL_STORE_PROBLEM_COUNT:
  default:
    return 60 * G_USEC_PER_SEC;
  }
}

int
pl_store_write_all(PlStore *store, bool durable) {
  bool owed = durable || store->writer.db == NULL, more = true;
  PlTried tried = {.purged = false};
  int rc;

  do {
    rc = store->writer.db != NULL ? SQLITE_OK : open_database(store, tried.reopened);
    if (rc == SQLITE_OK)
      rc = write_batch(store, durable, owed, &more);
    if (rc != SQLITE_OK)
      continue;
    tried = (PlTried){.purged = false};
    owed = false;
  } while (rc == SQLITE_OK ? more : pl_store_mend(store, rc, &tried));
  if (rc == SQLITE_OK)
    pl_store_mend(store, rc, &tried);
  store->writer.retry_us =
      rc == SQLITE_OK ? 0 : g_get_monotonic_time() + patience(store->shared.health.problem);
  return rc;
}

/* With the mutex held: sleeps until something has to be done, a second at most. */
static void
wait_for_work(PlStore *store, bool impatient) {
  PlStoreShared *shared = &store->shared;
  int64_t until = g_get_monotonic_time() + (impatient ? turn_us / 20 : turn_us);

  while (!shared->quit && shared->flush_wanted == shared->flush_done) {
    int64_t due = MAX(shared->due_us, store->writer.retry_us);
    if (!g_cond_wait_until(&shared->wake, &shared->mutex, MIN(until, due)))
      break;
  }
  shared->health.heartbeat_us = pl_store_boot_us();
}

/* One turn, with the mutex held at its beginning and its end.  True: there is more to tidy. */
static bool
turn(PlStore *store) {
  PlStoreShared *shared = &store->shared;
  uint64_t ticket = shared->flush_wanted;
  bool flush = ticket != shared->flush_done;
  int64_t due = MAX(shared->due_us, store->writer.retry_us);
  int rc = SQLITE_OK;

  g_mutex_unlock(&shared->mutex);
  bool reopen = store->writer.db == NULL && g_get_monotonic_time() >= store->writer.retry_us;
  if (flush || reopen || g_get_monotonic_time() >= due)
    rc = pl_store_write_all(store, flush);
  bool more = pl_store_tidy(store);
  g_mutex_lock(&shared->mutex);
  if (flush) {
    shared->flush_done = ticket;
    shared->flush_rc = rc;
    g_cond_broadcast(&shared->done);
  }
  return more;
}

void *
pl_store_writer_main(void *data) {
  PlStore *store = data;
  PlStoreShared *shared = &store->shared;
  bool more = false;

  g_mutex_lock(&shared->mutex);
  while (!shared->quit) {
    wait_for_work(store, more);
    if (!shared->quit)
      more = turn(store);
  }
  bool all = shared->queue.length == 0;
  g_mutex_unlock(&shared->mutex);
  pl_store_file_close(store, all);
  g_mutex_lock(&shared->mutex);
  shared->finished = true;
  g_cond_broadcast(&shared->done);
  g_mutex_unlock(&shared->mutex);
  return NULL;
}
