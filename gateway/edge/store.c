/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/edge/store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const int64_t commit_default_us = 5 * G_USEC_PER_SEC;
static const int64_t prompt_us = 50 * 1000;
static const int64_t close_us = 3 * G_USEC_PER_SEC;
enum { OUTBOX_DEFAULT_MIB = 256, SYNCHRONOUS_RECORDS = 10 };

G_DEFINE_QUARK(pl - store - error - quark, pl_store_error)

const char *
pl_store_problem_name(PlStoreProblem problem) {
  static const char *const names[PL_STORE_PROBLEM_COUNT] = {
      [PL_STORE_OK] = "ok",
      [PL_STORE_BUSY] = "db-busy",
      [PL_STORE_DISK_FULL] = "disk-full",
      [PL_STORE_FS_READ_ONLY] = "fs-read-only",
      [PL_STORE_FAILING] = "db-failing",
  };
  return (unsigned)problem < PL_STORE_PROBLEM_COUNT ? names[problem] : "?";
}

/* ---- opening ---- */

static PlStore *
store_new(const PlStoreOptions *options) {
  PlStore *store = g_new0(PlStore, 1);
  store->mode = options->mode;
  store->directory = g_strdup(options->directory);
  if (options->directory != NULL)
    store->path = g_build_filename(options->directory, "plumbline.db", NULL);
  store->boot_id = g_strdup(options->boot_id);
  store->commit_us = options->commit_us > 0 ? options->commit_us : commit_default_us;
  store->keep_samples_days = options->keep_samples_days;
  unsigned mib = options->outbox_mib > 0 ? options->outbox_mib : OUTBOX_DEFAULT_MIB;
  store->outbox_bytes_max = (int64_t)mib * 1024 * 1024;
  store->lock = -1;
  g_mutex_init(&store->shared.mutex);
  g_cond_init(&store->shared.wake);
  g_cond_init(&store->shared.done);
  g_queue_init(&store->shared.queue);
  g_queue_init(&store->group);
  store->shared.due_us = INT64_MAX;
  store->shared.settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  store->shared.health.disk_free_bytes = store->shared.health.db_bytes = -1;
  store->shared.health.wal_bytes = -1;
  store->writer.runs =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  store->writer.replaced_us = INT64_MIN;
  store->writer.batch = g_get_real_time(); /* others than those of earlier lives */
  return store;
}

static void
store_free(PlStore *store) {
  pl_db_close(store->reader, false);
  pl_store_file_close(store, false);
  g_queue_clear_full(&store->group, (GDestroyNotify)pl_op_unref);
  g_queue_clear_full(&store->shared.queue, (GDestroyNotify)pl_op_unref);
  g_clear_pointer(&store->writer.clock, pl_op_unref);
  g_clear_pointer(&store->writer.doubt, g_ptr_array_unref);
  g_hash_table_unref(store->writer.runs);
  g_hash_table_unref(store->shared.settings);
  pl_sequence_close(&store->sequence);
  if (store->lock >= 0)
    close(store->lock);
  g_cond_clear(&store->shared.wake);
  g_cond_clear(&store->shared.done);
  g_mutex_clear(&store->shared.mutex);
  g_free(store->shared.uuid);
  g_free(store->directory);
  g_free(store->path);
  g_free(store->boot_id);
  g_free(store);
}

/* One process writes to a directory: two would hand out the same message numbers.  A medium
 * that can not be written to has no other writer either. */
static bool
lock_directory(PlStore *store, GError **error) {
  g_autofree char *path = g_build_filename(store->directory, "lock", NULL);
  g_mkdir_with_parents(store->directory, 0700);
  store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (store->lock >= 0 && flock(store->lock, LOCK_EX | LOCK_NB) == 0)
    return true;
  if (store->lock >= 0 && errno == EWOULDBLOCK) {
    g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_IN_USE,
                "%s: another process writes to this directory; stop it first "
                "(systemctl stop plumblined), or use another --state-dir",
                store->directory);
    return false;
  }
  if (store->mode == PL_STORE_THREADED && (errno == EROFS || errno == ENOSPC || errno == EIO))
    return true;
  g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_FAILED, "%s: can not write there: %s", path,
              g_strerror(errno));
  return false;
}

static bool
is_fresh(const PlStore *store) {
  g_autoptr(GDir) directory = g_dir_open(store->directory, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL)
    if (!g_str_equal(name, "lock"))
      return false;
  return true;
}

static void
set_open_error(const PlStore *store, int rc, GError **error) {
  if (rc == PL_DB_NEWER)
    g_set_error(
        error, PL_STORE_ERROR, PL_STORE_ERROR_NEWER,
        "%s: written by a later version of plumbline; install that version, or move the "
        "file away to begin anew",
        store->path);
  else
    g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_FAILED, "%s: can not open: %s",
                store->path != NULL ? store->path : "database in memory", sqlite3_errstr(rc));
}

static bool
open_to_write(PlStore *store, GError **error) {
  if (store->directory != NULL && !lock_directory(store, error))
    return false;
  pl_sequence_open(&store->sequence, store->directory,
                   store->directory == NULL || is_fresh(store));
  int rc = pl_store_write_all(store, false);
  if (rc == PL_DB_NEWER || (rc != SQLITE_OK && store->mode == PL_STORE_SYNCHRONOUS)) {
    set_open_error(store, rc, error);
    return false;
  }
  if (store->writer.db != NULL)
    pl_store_outbox_measure(store);
  if (store->mode == PL_STORE_THREADED) {
    store->shared.health.heartbeat_us = pl_store_boot_us();
    store->thread = g_thread_new("store", pl_store_writer_main, store);
  }
  return true;
}

static int
check_version(PlDb *db) {
  unsigned version;
  int rc = pl_schema_version(db, &pl_schema, &version);
  return rc == SQLITE_OK && version < pl_schema.count ? SQLITE_SCHEMA : rc;
}

static bool
open_to_read(PlStore *store, GError **error) {
  pl_sequence_open(&store->sequence, NULL, true);
  if (!g_file_test(store->path, G_FILE_TEST_EXISTS)) {
    g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_NOT_FOUND,
                "%s: there is no database; plumblined makes it when it starts", store->path);
    return false;
  }
  int rc;
  store->shared.generation = store->reader_generation = 1;
  store->reader = pl_db_open(store->path, true, &rc);
  if (store->reader != NULL)
    rc = check_version(store->reader);
  if (rc == SQLITE_OK)
    rc = pl_store_load_settings(store, store->reader);
  if (rc == SQLITE_SCHEMA)
    g_set_error(
        error, PL_STORE_ERROR, PL_STORE_ERROR_FAILED,
        "%s: written by an earlier version; start plumblined once to bring it up to date",
        store->path);
  else if (rc != SQLITE_OK)
    set_open_error(store, rc, error);
  return rc == SQLITE_OK;
}

PlStore *
pl_store_open(const PlStoreOptions *options, GError **error) {
  bool read_only = options->mode == PL_STORE_READ_ONLY;
  g_return_val_if_fail(options->directory != NULL || options->mode == PL_STORE_SYNCHRONOUS,
                       NULL);
  g_return_val_if_fail(options->boot_id != NULL || read_only, NULL);

  PlStore *store = store_new(options);
  if (read_only ? open_to_read(store, error) : open_to_write(store, error))
    return store;
  store_free(store);
  return NULL;
}

/* ---- closing ---- */

/* False when the thread hangs in the medium: then it keeps the store. */
static bool
end_thread(PlStore *store, int64_t deadline) {
  PlStoreShared *shared = &store->shared;
  g_mutex_lock(&shared->mutex);
  shared->quit = true;
  g_cond_signal(&shared->wake);
  while (!shared->finished)
    if (!g_cond_wait_until(&shared->done, &shared->mutex, deadline))
      break;
  bool finished = shared->finished;
  g_mutex_unlock(&shared->mutex);
  if (finished)
    g_thread_join(store->thread);
  return finished;
}

bool
pl_store_close(PlStore *store) {
  if (store == NULL)
    return true;
  int64_t deadline = g_get_monotonic_time() + close_us;
  bool written = true;

  if (store->mode != PL_STORE_READ_ONLY)
    written = pl_store_flush(store, close_us, NULL);
  if (store->thread != NULL && !end_thread(store, deadline + G_USEC_PER_SEC))
    return false;
  if (store->thread == NULL)
    pl_store_file_close(store, written);
  store_free(store);
  return written;
}

/* ---- the queue ---- */

static bool
is_droppable(const PlOp *op, unsigned pass) {
  return pass == 0 ? (op->flags & PL_OP_EXPENDABLE) != 0 : op->kind == PL_OP_RECORD;
}

/* With the mutex held: gives up the oldest archive messages, then the oldest records, a
 * sixteenth of the memory at once.  What tells of runs, laps and warnings stays whatever it
 * takes. */
static void
shed(PlStoreShared *shared) {
  size_t target = PL_STORE_SPOOL_BYTES / 16 * 15;
  for (unsigned pass = 0; pass < 2; pass++) {
    GList *next;
    for (GList *l = g_queue_peek_nth_link(&shared->queue, shared->in_flight);
         l != NULL && shared->health.queued_bytes > target; l = next) {
      PlOp *op = l->data;
      next = l->next;
      if (!is_droppable(op, pass))
        continue;
      shared->health.queued_bytes -= op->bytes;
      shared->health.dropped++;
      g_queue_delete_link(&shared->queue, l);
      pl_op_unref(op);
    }
  }
}

static int64_t
delay_of(const PlStore *store, const PlOp *op) {
  if (op->flags & PL_OP_DURABLE || store->shared.queue.length >= PL_STORE_BATCH)
    return 0;
  return op->flags & PL_OP_PROMPT ? prompt_us : store->commit_us;
}

/* With the mutex held. */
static void
enqueue(PlStore *store, PlOp *op) {
  PlStoreShared *shared = &store->shared;
  int64_t due = g_get_monotonic_time() + delay_of(store, op);

  g_queue_push_tail(&shared->queue, op);
  shared->health.queued = shared->queue.length;
  shared->health.queued_bytes += op->bytes;
  if (shared->health.queued_bytes > PL_STORE_SPOOL_BYTES)
    shed(shared);
  if (due < shared->due_us) {
    shared->due_us = due;
    g_cond_signal(&shared->wake);
  }
}

/* Without a thread: at once, but for records, which share a row. */
static void
write_now(PlStore *store, bool only_records) {
  if (only_records && store->shared.queue.length < SYNCHRONOUS_RECORDS)
    return;
  if (store->writer.retry_us == 0 || g_get_monotonic_time() >= store->writer.retry_us)
    pl_store_write_all(store, false);
}

void
pl_store_post(PlStore *store, PlOp *op) {
  bool record = op->kind == PL_OP_RECORD;
  if (store->mode == PL_STORE_READ_ONLY) {
    pl_op_unref(op);
    return;
  }
  if (store->grouped > 0) {
    g_queue_push_tail(&store->group, op);
    return;
  }
  g_mutex_lock(&store->shared.mutex);
  enqueue(store, op);
  g_mutex_unlock(&store->shared.mutex);
  if (store->mode == PL_STORE_SYNCHRONOUS)
    write_now(store, record);
}

void
pl_store_begin(PlStore *store) {
  store->grouped++;
}

void
pl_store_commit(PlStore *store) {
  PlOp *op;
  g_return_if_fail(store->grouped > 0);
  if (--store->grouped > 0 || store->group.length == 0)
    return;
  g_mutex_lock(&store->shared.mutex);
  while ((op = g_queue_pop_head(&store->group)) != NULL) {
    if (store->group.length > 0)
      op->flags |= PL_OP_CONTINUES;
    enqueue(store, op);
  }
  g_mutex_unlock(&store->shared.mutex);
  if (store->mode == PL_STORE_SYNCHRONOUS)
    write_now(store, false);
}

static bool
wait_flushed(PlStore *store, int64_t timeout_us, int *rc) {
  PlStoreShared *shared = &store->shared;
  int64_t deadline = g_get_monotonic_time() + timeout_us;

  g_mutex_lock(&shared->mutex);
  uint64_t ticket = ++shared->flush_wanted;
  g_cond_signal(&shared->wake);
  while (shared->flush_done < ticket)
    if (!g_cond_wait_until(&shared->done, &shared->mutex, deadline))
      break;
  bool done = shared->flush_done >= ticket;
  *rc = shared->flush_rc;
  g_mutex_unlock(&shared->mutex);
  return done;
}

bool
pl_store_flush(PlStore *store, int64_t timeout_us, GError **error) {
  int rc;
  if (store->mode == PL_STORE_READ_ONLY)
    return true;
  if (store->mode == PL_STORE_SYNCHRONOUS)
    rc = pl_store_write_all(store, true);
  else if (!wait_flushed(store, timeout_us, &rc)) {
    g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_TIMEOUT,
                "%s: not everything could be written in time", store->path);
    return false;
  }
  if (rc == SQLITE_OK)
    return true;
  g_set_error(error, PL_STORE_ERROR, PL_STORE_ERROR_FAILED, "%s: can not write: %s",
              store->path != NULL ? store->path : "database in memory", sqlite3_errstr(rc));
  return false;
}

/* ---- small things ---- */

uint64_t
pl_store_next_seq(PlStore *store) {
  return pl_sequence_next(&store->sequence);
}

char *
pl_store_uuid(PlStore *store) {
  g_mutex_lock(&store->shared.mutex);
  char *uuid = g_strdup(store->shared.uuid);
  g_mutex_unlock(&store->shared.mutex);
  return uuid;
}

void
pl_store_health(PlStore *store, PlStoreHealth *health) {
  g_mutex_lock(&store->shared.mutex);
  *health = store->shared.health;
  g_mutex_unlock(&store->shared.mutex);
}

void
pl_store_retain(PlStore *store, int64_t now_wall_us) {
  if (store->mode == PL_STORE_READ_ONLY)
    return;
  g_mutex_lock(&store->shared.mutex);
  store->shared.retain_now_us = now_wall_us;
  g_mutex_unlock(&store->shared.mutex);
  if (store->mode == PL_STORE_SYNCHRONOUS)
    pl_store_retain_all(store);
}
